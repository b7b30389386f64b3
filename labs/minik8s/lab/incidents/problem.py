"""장애 하나를 이루는 것: 이야기, 고장 난 매니페스트, 힌트, 그리고 나았는지 보는 확인."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from minik8s.lab.session import Lab
from minik8s.wire import StatusError

Memory = dict[str, Any]
"""What an incident remembers between its breaking and its checks (the name of the lost node, for example)."""


class Check(NamedTuple):
    """`test(lab, memory)` says whether the cluster *behaves*; it may raise while things are half done."""

    name: str
    test: Callable[[Lab, Memory], bool]
    hint: str


@dataclass(frozen=True)
class Problem:
    """One incident.

    manifest   YAML to apply; `{namespace}` is the lab's namespace
    broken     whether the symptom can be seen by now
    prepare    runs before the manifest and fills the memory (and may refuse with NotHere)
    breaking   runs after the manifest has been applied
    undo       gives back what does not go with the lab's namespace
    """

    name: str
    title: str
    story: str
    manifest: str
    hints: tuple[str, ...]
    checks: tuple[Check, ...]
    broken: Callable[[Lab, Memory], bool]
    prepare: Callable[[Lab, Memory], None] | None = None
    breaking: Callable[[Lab, Memory], None] | None = None
    undo: Callable[[Lab, Memory], None] | None = None
    patience: float = 90.0


# ---- what the tests of several incidents need ------------------------------------------
def available(lab: Lab, name: str, replicas: int = 1) -> bool:
    """Whether the newest template of a Deployment runs with at least so many available replicas."""
    obj = lab.get(f"deployment/{name}")
    status = obj.get("status") or {}
    fresh = status.get("observedGeneration", 0) >= obj["metadata"]["generation"]
    enough = min(status.get("updatedReplicas", 0), status.get("availableReplicas", 0)) >= replicas
    return bool(fresh and enough and obj["spec"].get("replicas", 1) >= replicas)


def answers(lab: Lab, service: str, port: int = 80) -> bool:
    """Whether a Service gives an answer, asked through the API server's proxy."""
    path = f"/api/v1/namespaces/{lab.namespace}/services/{service}:{port}/proxy/"
    try:
        lab.client.call("GET", path)
    except StatusError:
        return False
    return True


def events(lab: Lab, name: str, reason: str) -> bool:
    """Whether an event of this reason was told about objects whose names begin with `name`."""
    return any(
        e["reason"] == reason and e["involvedObject"].get("name", "").startswith(name) for e in lab.list("events")
    )


def container(lab: Lab, name: str) -> dict[str, Any]:
    """The first container of a Deployment's template."""
    found: dict[str, Any] = lab.get(f"deployment/{name}")["spec"]["template"]["spec"]["containers"][0]
    return found
