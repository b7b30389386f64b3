"""`%kubectl`을 치다가 Tab을 누르면: 명령, 종류와 짧은 이름, 오브젝트와 컨테이너와 네임스페이스의 이름, 옵션."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from minik8s.client import Client
from minik8s.lab import pipes, refs
from minik8s.lab.kubectl import make
from minik8s.objects import Object
from minik8s.objects.kinds import KINDS
from minik8s.wire import StatusError

SUBCOMMANDS = {
    "rollout": ("history", "pause", "restart", "resume", "status", "undo"),
    "set": ("env", "image", "resources", "selector", "serviceaccount"),
    "top": ("nodes", "pods"),
    "auth": ("can-i", "whoami"),
    "config": ("current-context", "get-contexts", "set-context", "view"),
    "create": tuple(make.MAKERS),
}
KINDS_OF = {
    "rollout": ("daemonsets", "deployments", "statefulsets"),
    "scale": ("deployments", "replicasets", "statefulsets"),
    "autoscale": ("deployments", "replicasets", "statefulsets"),
    "expose": ("deployments", "pods", "replicasets", "services"),
    "set": ("cronjobs", "daemonsets", "deployments", "jobs", "pods", "replicasets", "services", "statefulsets"),
}
"""Commands that take only some kinds; the others take all."""

ABOUT_PODS = {"logs", "exec", "debug"}
ABOUT_NODES = {"cordon", "uncordon", "drain"}
NAMELESS = {"apply", "replace", "diff", "run", "version", "cluster-info", "api-resources", "config", "events", "create"}
COMMON = ("--as", "--context", "--help", "--namespace", "-n")
CHANGING = ("--dry-run", "--output", "-o")
PICKING = ("--all", "--all-namespaces", "-A", "--field-selector", "--selector", "-l")
FILES = ("--filename", "-f", "--recursive", "-R", "--server-side", "--force-conflicts")
FLAGS = {
    "get": (*PICKING[1:], "--output", "-o", "--watch", "-w", "--show-labels", "--label-columns", "-L", "--sort-by",
            "--no-headers", "--ignore-not-found", "--show-kind", "--raw", "--filename", "-f"),
    "describe": PICKING[1:],
    "apply": (*FILES, *CHANGING),
    "replace": ("--filename", "-f", "--force", *CHANGING),
    "diff": ("--filename", "-f", "--server-side"),
    "delete": (*PICKING, "--filename", "-f", "--force", "--grace-period", "--cascade", "--now", "--wait",
               "--ignore-not-found"),
    "create": ("--image", "--replicas", "--port", "--from-literal", "--from-file", "--schedule", "--filename", "-f",
               *CHANGING),
    "run": ("--image", "--port", "--labels", "-l", "--env", "--restart", "--command", "--rm", "-i", "-t", *CHANGING),
    "expose": ("--port", "--target-port", "--type", "--name", "--selector", "--protocol", *CHANGING),
    "scale": ("--replicas", "--current-replicas", *CHANGING),
    "autoscale": ("--min", "--max", "--cpu", "--name", *CHANGING),
    "set": (*PICKING, "--containers", "-c", "--env", "--limits", "--requests", *CHANGING),
    "label": (*PICKING, "--overwrite", "--list", *CHANGING),
    "annotate": (*PICKING, "--overwrite", "--list", *CHANGING),
    "patch": ("--patch", "-p", "--type", "--subresource", *CHANGING),
    "rollout": ("--to-revision", "--revision", "--timeout", "--watch", "-w"),
    "logs": ("--container", "-c", "--previous", "-p", "--follow", "-f", "--tail", "--since", "--timestamps",
             "--all-containers", "--prefix", "--selector", "-l"),
    "exec": ("--container", "-c", "--stdin", "-i", "--tty", "-t"),
    "debug": ("--image", "--target", "--container", "-c", "-i", "-t"),
    "top": ("--containers", "--sort-by", "--selector", "-l", "--all-namespaces", "-A", "--no-headers"),
    "wait": ("--for", "--timeout", *PICKING),
    "drain": ("--ignore-daemonsets", "--delete-emptydir-data", "--force", "--grace-period", "--timeout",
              "--disable-eviction", "--pod-selector"),
    "taint": ("--all", "--overwrite", "--selector", "-l"),
    "events": ("--for", "--types", "--watch", "-w", "--all-namespaces", "-A", "--no-headers"),
    "explain": ("--recursive", "--api-version"),
    "auth": ("--list", "--all-namespaces", "-A", "--as", "--as-group"),
    "api-resources": ("--api-group", "--namespaced", "--output", "-o", "--no-headers", "--verbs", "--sort-by"),
}  # fmt: skip
VALUES = {
    "--output": ("custom-columns=", "go-template=", "json", "jsonpath=", "name", "wide", "yaml"),
    "--dry-run": ("client", "server"),
    "--cascade": ("background", "foreground", "orphan"),
    "--type": ("json", "merge", "strategic", "ClusterIP", "NodePort", "LoadBalancer"),
    "--restart": ("Always", "Never", "OnFailure"),
    "--for": ("condition=Available", "condition=Ready", "condition=Complete", "create", "delete", "jsonpath="),
    "--types": ("Normal", "Warning"),
}
LONG = {"-n": "--namespace", "-o": "--output", "-c": "--container", "-l": "--selector"}
WITH_VALUE = {"-n", "-o", "-c", "-l", "-f", "-L", "-p", "--sort-by", "--tail", "--image", "--replicas", "--port",
              "--to-revision", "--revision", "--timeout", "--field-selector", *VALUES,
              "--namespace", "--selector", "--container", "--filename", "--as", "--target", "--patch"}  # fmt: skip


class Line(NamedTuple):
    """A command up to the cursor: its whole words, and the word that is being typed."""

    words: list[str]
    typed: str


def complete(client: Client, namespace: str, line: str, commands: Iterable[str]) -> list[str]:
    """What the last word of `line` (a command without `kubectl`, up to the cursor) may become, in order."""
    *_, last = line.rpartition("|")
    if last != line:
        return _fitting(pipes.FILTERS, last.lstrip()) if " " not in last.strip() else []
    words = re.findall(r"\S+", line)
    typed = words.pop() if words and not line[-1:].isspace() else ""
    try:
        return _Completion(client, namespace, Line(words, typed), tuple(commands)).found()
    except (StatusError, ValueError):
        return []  # the cluster does not answer, or the kind is not known: nothing to offer


def _fitting(offered: Iterable[str], typed: str) -> list[str]:
    return sorted({word for word in offered if word.startswith(typed)})


class _Completion:
    def __init__(self, client: Client, namespace: str, line: Line, commands: tuple[str, ...]):
        self._client, self._line, self._commands = client, line, commands
        words = line.words
        self._namespace = self._option("--namespace", "-n") or namespace
        self._plain = [
            word
            for i, word in enumerate(words)
            if not word.startswith("-") and (i == 0 or words[i - 1] not in WITH_VALUE)
        ]

    def _option(self, *names: str) -> str:
        words = [*self._line.words, ""]
        for i, word in enumerate(words):
            name, equals, value = word.partition("=")
            if name in names:
                return value if equals else words[i + 1]
        return ""

    def found(self) -> list[str]:
        words, typed = self._line
        if words and words[-1] in WITH_VALUE:
            return self._value(words[-1], typed)
        if typed.startswith("--") and "=" in typed:
            name, _, value = typed.partition("=")
            return [f"{name}={one}" for one in self._value(name, value)]
        if not self._plain:
            return _fitting(self._commands, typed)
        command = self._plain[0]
        if typed.startswith("-"):
            return _fitting((*FLAGS.get(command, ()), *COMMON), typed)
        return self._word(command, self._plain[1:], typed)

    def _value(self, flag: str, typed: str) -> list[str]:
        name = LONG.get(flag, flag)
        if name == "--namespace":
            return _fitting(self._names("namespaces"), typed)
        if name == "--container":
            return _fitting(self._containers(), typed)
        if name == "--selector":
            return _fitting(self._labels(), typed)
        if name in {"--filename", "-f"}:
            return _fitting(_files(), typed)
        return _fitting(VALUES.get(name, ()), typed)

    def _word(self, command: str, before: list[str], typed: str) -> list[str]:
        if command in SUBCOMMANDS:
            if not before:
                return _fitting(SUBCOMMANDS[command], typed)
            if command == "top":
                return _fitting(self._names(before[0]), typed)
            before = before[1:]
        if command in NAMELESS or command == "auth":
            return []
        if command in ABOUT_NODES:
            return _fitting(self._names("nodes"), typed)
        if command in ABOUT_PODS and "/" not in typed:
            return _fitting((*self._names("pods"), "deployment/", "job/", "service/"), typed) if not before else []
        if command == "set" and before and self._line.words[1:2] == ["image"]:
            return _fitting((f"{name}=" for name in self._containers(before[0])), typed)
        return self._object(command, before, typed)

    def _object(self, command: str, before: list[str], typed: str) -> list[str]:
        kind, slash, _ = typed.partition("/")
        if slash:
            return _fitting((f"{kind}/{name}" for name in self._names(kind)), typed)
        if not before:
            head, comma, tail = typed.rpartition(",")
            return [f"{head}{comma}{word}" for word in _fitting(self._kinds(command), tail)]
        if "/" in before[0] or command == "explain":
            return []
        return [name for name in _fitting(self._names(before[0]), typed) if name not in before[1:]]

    def _kinds(self, command: str) -> set[str]:
        """Plural and short names; `all` where it is understood."""
        allowed = KINDS_OF.get(command)
        words = {"all"} if command in {"get", "delete"} else set()
        for kind in KINDS:
            if kind.plural in allowed if allowed else "list" in kind.verbs or command == "explain":
                words |= {kind.plural, *kind.short_names}
        return words | {d["spec"]["names"]["plural"] for d in self._definitions()} if allowed is None else words

    def _definitions(self) -> list[Object]:
        return self._list("customresourcedefinitions.apiextensions.k8s.io", None)

    def _list(self, resource: str, namespace: str | None) -> list[Object]:
        return self._client.list(resource, namespace)

    def _names(self, word: str) -> list[str]:
        """Names of all objects of the kinds `word` (`pods`, `deploy,svc`), in the namespace that is meant."""
        found = [refs.resource(one, self._client) for one in word.split(",") if one != "all"]
        return [obj["metadata"]["name"] for one in found for obj in self._list(one, self._namespace)]

    def _containers(self, target: str = "") -> list[str]:
        """Containers of the object that the line names."""
        word = target or next((w for w in self._plain[1:] if w not in SUBCOMMANDS["set"]), "")
        kind, slash, name = word.partition("/")
        ref = refs.Ref(refs.resource(kind, self._client), name) if slash else refs.Ref("pods", word)
        spec = self._client.get(ref.resource, self._namespace, ref.name)["spec"]
        spec = spec.get("template", {}).get("spec", spec)
        return [c["name"] for part in ("containers", "initContainers") for c in spec.get(part) or ()]

    def _labels(self) -> set[str]:
        """`key=value` of the pods here."""
        pods = self._list("pods", self._namespace)
        return {f"{k}={v}" for pod in pods for k, v in (pod["metadata"].get("labels") or {}).items()}


def _files() -> list[str]:
    """Manifests in this folder and among those that come with the labs."""
    from pathlib import Path

    from minik8s.lab.manifests import SHIPPED

    here = [str(p) for pattern in ("*.y*ml", "*/*.y*ml") for p in Path().glob(pattern)]
    return here + [f"manifests/{p.relative_to(folder)}" for folder in SHIPPED for p in folder.rglob("*.y*ml")]
