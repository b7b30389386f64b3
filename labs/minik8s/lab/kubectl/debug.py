"""`kubectl debug POD --image=…`: 도는 파드에 들여다볼 컨테이너(임시 컨테이너)를 더한다."""

from __future__ import annotations

import hashlib

from minik8s.lab.kubectl.args import UsageError
from minik8s.lab.kubectl.session import Session
from minik8s.objects import Object


def debug(s: Session) -> None:
    """Add an ephemeral container; with `-- COMMAND` it runs that. Attaching (`-it`) needs a terminal: use `exec`."""
    names = [w for w in s.args.words if w not in s.args.command]
    if len(names) != 1 or "/" in names[0].removeprefix("pod/"):
        raise UsageError("error: debug에는 파드의 이름을 하나 쓴다: kubectl debug POD --image=IMAGE")
    if not s.args.get("image"):
        raise UsageError("error: you must specify --image when not using --copy-to.")
    pod = s.client.get("pods", s.namespace, names[0].removeprefix("pod/"))
    there: list[Object] = list(pod["spec"].get("ephemeralContainers") or ())
    name = s.args.get("container") or _name(pod, len(there))
    new: Object = {"name": name, "image": s.args.get("image"), "stdin": s.args.on("stdin"), "tty": s.args.on("tty")}
    if s.args.get("target"):
        new["targetContainerName"] = s.args.get("target")
        s.err.write(
            f'Targeting container "{s.args.get("target")}". If you don\'t see processes from this container it may be '
            "because the container runtime doesn't support this feature.\n"
        )
    if s.args.command:
        new["command"] = list(s.args.command)
    if not s.args.get("container"):
        s.err.write(f"Defaulting debug container name to {name}.\n")
    body = {"spec": {"ephemeralContainers": [*there, new]}}
    s.client.patch("pods", s.namespace, pod["metadata"]["name"], body, subresource="ephemeralcontainers")


def _name(pod: Object, index: int) -> str:
    """`debugger-xxxxx`, the same for the same pod and number."""
    found = hashlib.sha256(f"{pod['metadata']['uid']}/{index}".encode()).hexdigest()
    return "debugger-" + "".join("bcdfghjklmnpqrstvwxz2456789"[int(c, 16)] for c in found[:5])
