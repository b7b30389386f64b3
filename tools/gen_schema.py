"""Makes the package's schema data from published sources.

    python tools/gen_schema.py --openapi FILE --api DIR --apimachinery DIR --apiextensions DIR

* ``--openapi``: ``kubernetes-json-schema/v1.36.0-local/_definitions.json`` of PyPI ``kubernetes-validate==1.37.0`` (the
  OpenAPI definitions of Kubernetes 1.36 as JSON schema): required fields, list types, patch keys, descriptions;
* the Go modules ``k8s.io/api``, ``k8s.io/apimachinery`` and ``k8s.io/apiextensions-apiserver`` at v0.36.2, unpacked
  (``https://proxy.golang.org/k8s.io/api/@v/v0.36.2.zip``): order and names of struct fields, Go types, omitempty.

Output, in ``labs/minik8s/objects/data``: ``schema.json`` (structure) and ``descriptions.json`` (texts for explain; not
needed to run a cluster). The format is described in ``minik8s/objects/schema_types.py``.
All inputs are Apache-2.0, (c) The Kubernetes Authors.
"""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path
from typing import Any

OUT = Path(__file__).resolve().parents[1] / "labs/minik8s/objects/data"

GROUPS = ("core", "apps", "batch", "autoscaling", "policy", "networking", "discovery", "events", "scheduling",
          "storage", "coordination", "rbac", "authentication", "authorization", "admissionregistration", "node",
          "certificates", "flowcontrol", "resource")
PACKAGES = {f"k8s.io/api/{g}/v1": f"{g}.v1" for g in GROUPS} | {
    "k8s.io/api/autoscaling/v2": "autoscaling.v2",
    "k8s.io/apimachinery/pkg/apis/meta/v1": "meta.v1",
    "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1": "apiextensions.v1",
}
PREFIXES = {short: "io.k8s.api." + short for short in PACKAGES.values()} | {
    "meta.v1": "io.k8s.apimachinery.pkg.apis.meta.v1",
    "apiextensions.v1": "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1",
    "apiregistration.v1": "io.k8s.kube-aggregator.pkg.apis.apiregistration.v1",
}
# Types that read and write themselves (UnmarshalJSON), and foreign named types.
SPECIAL = {
    "k8s.io/apimachinery/pkg/api/resource.Quantity": "quantity",
    "k8s.io/apimachinery/pkg/util/intstr.IntOrString": "intstr",
    "k8s.io/apimachinery/pkg/runtime.RawExtension": "raw",
    "k8s.io/apimachinery/pkg/types.UID": "types.UID",
    "k8s.io/apimachinery/pkg/types.NodeName": "types.NodeName",
    "meta.v1.Time": "time",
    "meta.v1.MicroTime": "microtime",
    "meta.v1.Duration": "duration",
    "meta.v1.FieldsV1": "any",
    "apiextensions.v1.JSON": "any",
    "apiextensions.v1.JSONSchemaPropsOrArray": "any",
    "apiextensions.v1.JSONSchemaPropsOrBool": "any",
    "apiextensions.v1.JSONSchemaPropsOrStringArray": "any",
}
ALIASES = {"types.UID": "string", "types.NodeName": "string"}
BASIC = {"string", "bool", "int", "int32", "int64", "float32", "float64", "uint32", "uint64", "byte", "interface{}"}

Types = dict[str, list[list[Any]]]


def go_files(directory: Path) -> list[str]:
    left_out = re.compile(r"_test|zz_|generated|swagger")
    return [p.read_text() for p in sorted(directory.glob("*.go")) if not left_out.search(p.name)]


class GoPackage:
    """The exported structs and named types of one Go package."""

    def __init__(self, short: str, directory: Path) -> None:
        self.short = short
        self.structs: Types = {}
        self.named: dict[str, str] = {}
        for text in go_files(directory):
            self._imports = self._read_imports(text)
            text = re.sub(r"//[^\n]*", "", text)
            for match in re.finditer(r"^type (\w+) struct \{\n(.*?)^\}", text, re.M | re.S):
                self.structs[match[1]] = self._fields(match[2])
            for match in re.finditer(r"^type (\w+) (\[\]\S+|map\[\S+|[a-z]\w*(?:\.\w+)?)$", text, re.M):
                if match[2] not in ("struct", "interface"):
                    self.named[match[1]] = self.expression(match[2])

    @staticmethod
    def _read_imports(text: str) -> dict[str, str]:
        found = {}
        for match in re.finditer(r'^\s+(?:import )?(\w+)?\s*"(k8s\.io/[^"]+)"', text, re.M):
            parts = match[2].split("/")
            found[match[1] or parts[-1]] = match[2]
        return found

    def _fields(self, body: str) -> list[list[Any]]:
        rows: list[list[Any]] = []
        for line in body.splitlines():
            tag = re.search(r'`.*?json:"([^"]*)".*?`', line)
            if not tag or tag[1] == "-":
                continue
            words = line[: line.index("`")].split()
            name, *options = tag[1].split(",")
            flags = ("o" if "omitempty" in options else "") + ("z" if "omitzero" in options else "")
            if "inline" in options or (not name and len(words) == 1):
                rows.append(["", words[-1].rpartition(".")[2], self.expression(words[-1]), "i"])
            else:
                go = words[-1] if len(words) == 1 else " ".join(words[1:])  # one word: an embedded type with a name
                rows.append([name, words[0].rpartition(".")[2], self.expression(go), flags])
        return rows

    def expression(self, go: str) -> str:
        """Go type expression -> ours: ``*T``, ``[]T``, ``{K}T``, ``bytes``, basic, special or ``package.Name``."""
        if go.startswith("*"):
            return "*" + self.expression(go[1:])
        if go == "[]byte":
            return "bytes"
        if go.startswith("[]"):
            return "[]" + self.expression(go[2:])
        if match := re.match(r"map\[([^\]]+)\](.*)", go):
            return "{" + self.expression(match[1]) + "}" + self.expression(match[2])
        if go in BASIC:
            return go
        package, _, name = go.rpartition(".")
        path = self._imports[package] if package else ""
        full = f"{PACKAGES.get(path, path)}.{name}" if package else f"{self.short}.{name}"
        return SPECIAL.get(full, full)


def flatten(full: str, structs: Types) -> list[list[Any]]:
    rows: list[list[Any]] = []
    for row in structs[full]:
        rows += flatten(row[2].lstrip("*"), structs) if row[3] == "i" else [row]
    return rows


def base(expression: str) -> str:
    return re.sub(r"^(\*|\[\]|\{[^}]*\})+", "", expression)


def extensions(schema: dict[str, Any]) -> dict[str, Any]:
    names = {
        "x-kubernetes-list-type": "l",
        "x-kubernetes-list-map-keys": "k",
        "x-kubernetes-patch-merge-key": "p",
        "x-kubernetes-patch-strategy": "s",
        "x-kubernetes-map-type": "m",
    }
    found = {short: schema[long] for long, short in names.items() if long in schema}
    if found.get("k") == [found.get("p")] and found.get("l") == "map":
        del found["k"]  # the usual case: one key for both
    return found


def from_openapi(short: str, schema: dict[str, Any], prefixes: dict[str, str]) -> list[list[Any]]:
    """Fields of a type whose Go source is not at hand."""

    def expression(s: dict[str, Any]) -> str:
        if "$ref" in s:
            name = shorten(s["$ref"].rpartition("/")[2], prefixes)
            return SPECIAL.get(name, name)
        kinds = s.get("type", "object")
        kind = kinds if isinstance(kinds, str) else kinds[0]
        if kind == "array":
            return "[]" + expression(s["items"])
        if kind == "object":
            return "{string}" + expression(s["additionalProperties"]) if "additionalProperties" in s else "any"
        if kind == "integer":
            return str(s.get("format", "int64"))
        return {"boolean": "bool", "number": "float64"}.get(kind, "bytes" if s.get("format") == "byte" else "string")

    required = schema.get("required", [])
    return [
        [name, name[0].upper() + name[1:], expression(s), "" if name in required else "o"]
        for name, s in schema.get("properties", {}).items()
    ]


def shorten(name: str, prefixes: dict[str, str]) -> str:
    package, _, last = name.rpartition(".")
    back = {long: short for short, long in prefixes.items()}
    return f"{back[package]}.{last}" if package in back else name


def load_go(api: Path, machinery: Path, extensions_dir: Path) -> tuple[Types, dict[str, str]]:
    roots = {"k8s.io/api": api, "k8s.io/apimachinery": machinery, "k8s.io/apiextensions-apiserver": extensions_dir}
    structs: Types = {}
    aliases = dict(ALIASES)
    for path, short in PACKAGES.items():
        root = next(r for r in roots if path.startswith(r + "/"))
        package = GoPackage(short, roots[root] / path[len(root) + 1 :])
        structs |= {f"{short}.{n}": rows for n, rows in package.structs.items()}
        aliases |= {f"{short}.{n}": e for n, e in package.named.items()}
    return structs, aliases


def roots(definitions: dict[str, Any]) -> list[str]:
    """The kinds of our groups, and what else is exchanged at their paths."""
    names = [shorten(n, PREFIXES) for n, s in definitions.items() if "x-kubernetes-group-version-kind" in s]
    return [
        *sorted(n for n in names if not n.startswith("io.") and not n.endswith("List")),
        "meta.v1.CreateOptions",
        "meta.v1.UpdateOptions",
        "meta.v1.PatchOptions",
        "meta.v1.ListMeta",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("openapi", "api", "apimachinery", "apiextensions"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    options = parser.parse_args()
    definitions = json.loads(options.openapi.read_text())["$defs"]
    structs, named = load_go(options.api, options.apimachinery, options.apiextensions)

    types: dict[str, Any] = {}
    aliases: dict[str, str] = {}
    texts: dict[str, Any] = {}
    queue = roots(definitions)
    while queue:
        short = queue.pop()
        if short in types or short in aliases or "." not in short:
            continue
        if short in named:
            aliases[short] = named[short]
            queue.append(base(named[short]))
            queue += re.findall(r"\{([^}]*)\}", named[short])
            continue
        package, _, last = short.rpartition(".")
        schema = definitions.get(f"{PREFIXES[package]}.{last}", {})
        rows = flatten(short, structs) if short in structs else from_openapi(short, schema, PREFIXES)
        properties, required = schema.get("properties", {}), schema.get("required", [])
        record: dict[str, Any] = {"f": []}
        for name, go, expression, flags in rows:
            field = properties.get(name, {})
            row = [name, go, expression, flags + ("r" if name in required else "")]
            if extra := extensions(field):
                row.append(extra)
            record["f"].append(row)
            queue.append(base(expression))
            queue += re.findall(r"\{([^}]*)\}", expression)
        if "x-kubernetes-group-version-kind" in schema:
            record["g"] = [[g["group"], g["version"], g["kind"]] for g in schema["x-kubernetes-group-version-kind"]]
        if "x-kubernetes-map-type" in schema:
            record["m"] = schema["x-kubernetes-map-type"]
        if "x-kubernetes-unions" in schema:
            record["u"] = schema["x-kubernetes-unions"]
        types[short] = record
        text = {n: properties[n]["description"] for n, *_ in rows if "description" in properties.get(n, {})}
        texts[short] = [schema.get("description", ""), text]

    def dump(value: Any, name: str) -> None:
        OUT.mkdir(parents=True, exist_ok=True)
        (OUT / name).write_text(json.dumps(value, separators=(",", ":"), ensure_ascii=False) + "\n")

    notice = "Facts from k8s.io/api, k8s.io/apimachinery and k8s.io/apiextensions-apiserver v0.36 (Apache-2.0)."
    dump(
        {
            "version": "v1.36",
            "notice": notice,
            "prefixes": PREFIXES,
            "types": dict(sorted(types.items())),
            "aliases": dict(sorted(aliases.items())),
        },
        "schema.json",
    )
    dump({"version": "v1.36", "notice": notice, "types": dict(sorted(texts.items()))}, "descriptions.json")


if __name__ == "__main__":
    main()
