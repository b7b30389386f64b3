"""Makes data/protobuf.json.zlib from the published schemas: field numbers from generated.proto, names from types.go.

    python -m minik8s.edge.protobuf_data API APIMACHINERY

API and APIMACHINERY are git directories of kubernetes/api and kubernetes/apimachinery at one release. What is taken are
facts (numbers, names, types), in the form that protobuf.py describes.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

OUT = Path(__file__).parent / "data" / "protobuf.json.zlib"
_SKIP = re.compile(r"v\d+(alpha|beta)\d+|testapigroup|imagepolicy|extensions/|/schema/")
_KEEP_BETA = ("autoscaling/v2", "apidiscovery/v2")
_FIELD = re.compile(r"\s*(optional|repeated)?\s*(map<string, ?([\w.]+)>|[\w.]+) (\w+) = (\d+);")
_GO = re.compile(r'\s*(?:(\w+)\s+)?([*\[\]\w.]+)\s+`json:"([^"]*)"\s+protobuf:"([^"]*)"')
_SCALARS = {"string": "s", "bytes": "b", "bool": "B", "int32": "v", "int64": "v", "uint32": "v", "double": "d"}


def show(repository: str, path: str) -> str:
    """A file at the repository's head."""
    command = ["git", "-C", repository, "show", f"HEAD:{path}"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def listing(repository: str) -> list[str]:
    command = ["git", "-C", repository, "ls-tree", "-r", "--name-only", "HEAD"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


def messages(text: str) -> tuple[str, dict[str, list[tuple[int, str, str, str, str]]]]:
    """(package, message -> [(number, name, label, type, map value type)])."""
    package = re.search(r"^package ([\w.]+);", text, re.M)
    assert package is not None
    out: dict[str, list[tuple[int, str, str, str, str]]] = {}
    name = ""
    for line in text.splitlines():
        if found := re.match(r"message (\w+) \{", line):
            name = found[1]
            out[name] = []
        elif line.startswith("}"):
            name = ""
        elif name and (found := _FIELD.fullmatch(line.split("//")[0].rstrip())):
            label, kind, value, field, number = found.groups()
            out[name].append((int(number), field, label or "", kind, value or ""))
    return package[1], out


def go_fields(text: str) -> dict[str, dict[int, tuple[str, bool]]]:
    """Struct -> number -> (JSON name, "" when it is written inline; whether it is a pointer)."""
    out: dict[str, dict[int, tuple[str, bool]]] = {}
    name = ""
    for line in text.splitlines():
        if found := re.match(r"type (\w+) struct", line):
            name = found[1]
            out[name] = {}
        elif line.startswith("}"):
            name = ""
        elif name and (found := _GO.match(line)):
            _, kind, tag, proto = found.groups()
            out[name][int(proto.split(",")[1])] = (tag.split(",")[0], kind.startswith("*"))
    return out


def group_of(repository: str, folder: str, package: str) -> str | None:
    """`apps/v1` for a package of API kinds; None for others."""
    if not package.startswith("k8s.io.api."):
        return None
    found = re.search(r'GroupName\s*=\s*"([^"]*)"', show(repository, f"{folder}/register.go"))
    version = package.rsplit(".", 1)[1]
    return f"{found[1]}/{version}" if found and found[1] else version


def build(repositories: list[str]) -> dict[str, Any]:
    """{"groups": {apiVersion: package}, "messages": {package.Message: {number: [name, type, flags]}}}."""
    out: dict[str, Any] = {"groups": {}, "messages": {}}
    for repository in repositories:
        files = listing(repository)
        for path in files:
            wanted = path.endswith("generated.proto") and (not _SKIP.search(path) or path.startswith(_KEEP_BETA))
            if not wanted:
                continue
            folder = path.rpartition("/")[0]
            package, found = messages(show(repository, path))
            go = [f for f in files if re.fullmatch(re.escape(folder) + r"/[\w]*types\w*\.go", f)]
            structs: dict[str, dict[int, tuple[str, bool]]] = {}
            for file in go:
                structs |= go_fields(show(repository, file))
            if api_version := group_of(repository, folder, package):
                out["groups"][api_version] = package
            for message, fields in found.items():
                table = {}
                for number, name, label, kind, value in fields:
                    json_name, pointer = structs.get(message, {}).get(number, (name, False))
                    flags = ("r" if label == "repeated" else "") + ("p" if pointer else "")
                    flags += ("m" if value else "") + ("" if json_name else "i")
                    table[str(number)] = [json_name or name, _type(value or kind, package), flags]
                out["messages"][f"{package}.{message}"] = table
    known = {*_SCALARS.values(), *out["messages"]}
    for name, table in out["messages"].items():  # fields of kinds that are not released yet
        out["messages"][name] = {number: field for number, field in table.items() if field[1] in known}
    return out


def _type(kind: str, package: str) -> str:
    if kind in _SCALARS:
        return _SCALARS[kind]
    return kind.lstrip(".") if "." in kind else f"{package}.{kind}"


def main() -> None:
    data = json.dumps(build(sys.argv[1:]), separators=(",", ":"), sort_keys=True).encode()
    OUT.write_bytes(zlib.compress(data, 9))
    print(f"{OUT}: {len(data)} bytes, {OUT.stat().st_size} compressed")


if __name__ == "__main__":
    main()
