"""What a container's command becomes on this machine; the table is programs.json.

servers    our own small HTTP server (programs/serve.py) in the place of nginx and others. `programs` names the
           command (or its first two words) as the image has it, `images` narrows it; `flags` maps options of the
           command to settings. An image whose own program is in no list, but is known to serve HTTP, gets it, too
python     the Python that runs minik8s
stress     programs/stress.py, which really takes memory and CPU
machine    a program under one of these names in the machine's PATH; other programs under their own name
arguments  what such a program is told in addition, to listen at the pod's address
Anything else is not found, in the words of a container runtime.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

from minik8s.edge.process.addresses import Place
from minik8s.edge.process.rootfs import Root, tar_arguments
from minik8s.kubelet.behaviour import PLAIN, Behaviour
from minik8s.kubelet.images import Image
from minik8s.kubelet.programs import WRAPPERS, NotFound, start_error

PROGRAMS = Path(__file__).parent / "programs"
_WANTED = re.compile(r"\$\{(?:ADDRESS|PORT:(\d+))\}")


class Launch(NamedTuple):
    """What to start; `env` comes on top of the container's."""

    argv: list[str]
    env: dict[str, str]


class Context(NamedTuple):
    """What finding a program depends on."""

    image: Image
    behaviour: Behaviour
    root: Root
    place: Place
    path: str


def find(command: list[str], context: Context) -> Launch:
    """NotFound in runc's words."""
    argv = list(command)
    while argv and argv[0].rpartition("/")[2] in WRAPPERS:
        del argv[0]
        while argv and argv[0].startswith("-"):
            del argv[0]
    if not argv:
        raise NotFound(start_error("", "no command specified"))
    settings = server_settings(argv, context.image, context.behaviour)
    if settings is not None:
        return _own("serve.py", argv, {"MINIK8S_SERVE": json.dumps(_placed(settings, context))})
    name = argv[0].rpartition("/")[2]
    if name in _table()["python"]:
        return Launch([sys.executable, *map(context.root.rewritten, argv[1:])], {})
    if name in _table()["stress"] or argv[0] in _table()["stress"]:
        return _own("stress.py", argv, {})
    program = _on_machine(argv[0], context)
    if program is None:
        raise NotFound(start_error(argv[0]))
    if name == "tar":
        return Launch([program, *tar_arguments(argv, context.root)[1:]], {})
    more = [_filled(word, context.place) for word in _table()["arguments"].get(name, ())]
    return Launch([program, *map(context.root.rewritten, argv[1:]), *more], {})


def server_settings(argv: list[str], image: Image, behaviour: Behaviour) -> dict[str, Any] | None:
    """Settings of programs/serve.py for a command that is a server to us, else None."""
    entry = next((e for e in _table()["servers"] if _fits(e, argv, image)), None)
    own = argv[0] in (*image.entrypoint, *image.command)
    if entry is None:
        if not own or behaviour.protocol != "http" or not behaviour.port:
            return None
        entry = {"port": behaviour.port, "term": "exit:0"}
    flags = {name: _flag(argv, option) for option, name in entry.get("flags", {}).items()}
    port = (flags.get("port") or "").rpartition(":")[2]
    body = flags.get("body")
    return {
        "port": int(port) if port.isdigit() else (behaviour.port if own and entry["port"] else 0) or entry["port"],
        "style": entry.get("style", ""),
        "body": entry.get("body") or behaviour.body if body is None else body + "\n",
        "root": entry.get("root") or behaviour.root,
        "routes": entry.get("routes", {}),
        "term": behaviour.term or entry["term"],
        "ready_after": 0.0 if behaviour.ready_after == _usual(image, "ready_after") else behaviour.ready_after,
        "latency": 0.0 if behaviour.latency == PLAIN.latency else behaviour.latency,
        "http": {path: list(answer) for path, answer in behaviour.http.items()},
        "logs": list(behaviour.logs),
        "log_every": behaviour.log_every,
        "exit_after": behaviour.exit_after,
        "exit_code": behaviour.exit_code,
        "tag": image.reference.tag,
    }


def _usual(image: Image, key: str) -> float:
    """What the simulation says for the image; the real program takes its own time."""
    return float(image.behaviour.get(key, 0.0))


def _placed(settings: Mapping[str, Any], context: Context) -> dict[str, Any]:
    root = settings["root"]
    real = context.root.place(root) if root else None
    return {**settings, "address": context.place.host, "real": context.place.port(settings["port"]),
            "root": str(real or root)}  # fmt: skip


def _fits(entry: Mapping[str, Any], argv: list[str], image: Image) -> bool:
    images = entry.get("images")
    if images is not None and image.reference.name not in images:
        return False
    return any(argv[: program.count(" ") + 1] == program.split(" ") or (
        "/" not in program and [argv[0].rpartition("/")[2], *argv[1 : program.count(" ") + 1]] == program.split(" ")
    ) for program in entry["programs"])  # fmt: skip


def _flag(argv: list[str], name: str) -> str | None:
    """`--name=VALUE`, `-name=VALUE` or `--name VALUE`."""
    for i, word in enumerate(argv):
        key, equals, value = word.lstrip("-").partition("=")
        if word.startswith("-") and key == name:
            return value if equals else argv[i + 1] if i + 1 < len(argv) else ""
    return None


def _own(script: str, argv: list[str], env: dict[str, str]) -> Launch:
    return Launch([sys.executable, "-I", "-S", str(PROGRAMS / script), *argv], env)


def _on_machine(word: str, context: Context) -> str | None:
    """A path into the container's own files, or a name (whatever its folder) in the machine's PATH."""
    if "/" in word:
        real = context.root.place(word)
        if real is not None:
            return str(real) if real.is_file() else None
    name = word.rpartition("/")[2]
    found = (shutil.which(each, path=context.path) for each in _table()["machine"].get(name, [name]))
    return next((path for path in found if path), None)


def _filled(word: str, place: Place) -> str:
    return _WANTED.sub(lambda m: str(place.port(int(m[1]))) if m[1] else place.host, word)


@cache
def _table() -> dict[str, Any]:
    text = files("minik8s.edge.process").joinpath("programs.json").read_text(encoding="utf-8")
    table: dict[str, Any] = json.loads(text)
    return table
