"""What a check is given: the student's answers, the student's values, and fresh clusters to try them on.

    def keeps_serving(case: Case) -> None:
        stage = case.stage(nodes=3)
        stage.apply("web")
        stage.cluster.faults.kill_node("node-1")
        stage.advance(400)
        case.need(len(stage.ready(app="web")) == case.v.replicas, "노드 하나를 잃은 뒤 파드가 모자란다.")
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from minik8s.client import Client
from minik8s.cluster import Cluster
from minik8s.grading import rules, story
from minik8s.grading.sandbox import Box, BoxDied, BoxError
from minik8s.network.traffic import Load
from minik8s.objects import Object
from minik8s.wire import StatusError

PATIENCE = 40.0
"""Seconds of waiting for the code of one answer, all checks together; more is not waited for again."""
TIRED = "답하지 않는다: 검사들이 기다린 실제 시간이 모두 합해 너무 길다."
LOST = {"refused": "연결 거절", "timeout": "시간 초과", "reset": "연결 끊김", "dns": "이름을 찾지 못함",
        "unreachable": "닿지 못함"}


class Failed(AssertionError):
    """A check does not hold; the message tells the student what happened, not what the check looks for."""


class Case:
    """One submission before one check. `box` makes a sandbox: box(handle) -> Box. `allows`: see rules.py.

    salt   a word that the author does not know, for `fresh`; the same at every grading
    """

    def __init__(self, answers: Mapping[str, str], kinds: Mapping[str, str], values: Mapping[str, Any],
                 box: Callable[..., Box], allows: Collection[str] = (), salt: str = ""):
        self.answers, self.kinds, self.values, self.allows = answers, kinds, values, allows
        self.v, self._salt = SimpleNamespace(**values), salt
        self.stages: list[Stage] = []
        self._box, self._documents, self._boxes = box, dict[str, list[Object] | str](), list[tuple[str, Box]]()
        self._dead: dict[str, str] = {}
        self._waited: dict[str, float] = {}

    # ---- verdicts ---------------------------------------------------------------------
    def need(self, holds: object, message: str) -> None:
        """Failed with the message unless it holds."""
        if not holds:
            raise Failed(message)

    # ---- answers ----------------------------------------------------------------------
    def text(self, answer: str) -> str:
        """What the student wrote. Failed when that is nothing."""
        text = self.answers.get(answer, "")
        self.need(any(line.strip() and not line.strip().startswith("#") for line in text.splitlines()),
                  f"답 `{answer}`이 비어 있다.")
        return text

    def fresh(self, what: str = "") -> str:
        """A word that stands in no answer: nobody can write what depends on all that was written, or on a secret."""
        text = repr((self._salt, what, sorted(self.answers.items())))
        return f"w{hashlib.sha256(text.encode('utf-8', 'replace')).hexdigest()[:10]}"

    def pick(self, choices: Sequence[Any], what: str) -> Any:
        """One of the choices, that the author cannot foresee."""
        return choices[int(self.fresh(what)[1:], 16) % len(choices)]

    def documents(self, answer: str) -> list[Object]:
        """The objects of a YAML answer. Failed when it is none, or asks for more than a class needs."""
        text = self.text(answer)
        if answer not in self._documents:
            try:
                with self._box(None) as box:
                    self._documents[answer] = rules.objects(box.yaml(text), self.allows)
            except (BoxError, rules.Refused) as error:
                self._documents[answer] = str(error)
        found = self._documents[answer]
        if isinstance(found, str):
            raise Failed(found)
        copy: list[Object] = json.loads(json.dumps(found))
        return copy

    def one(self, answer: str, kind: str, name: str | None = None, namespace: str = "default") -> Object:
        """The answer's object of this kind (and name). Failed when it is missing."""
        for obj in self.documents(answer):
            meta = obj["metadata"]
            here = (meta.get("namespace") or "default") == namespace
            if obj["kind"] == kind and here and name in (None, meta["name"]):
                return obj
        raise Failed(f"답 `{answer}`에 {kind}{f' {name}' if name else ''}이(가) 없다.")

    def code(self, answer: str, stage: Stage | None = None) -> Code:
        """The student's Python, in a box of its own. Failed when it does not even load."""
        text = self.text(answer)
        if answer in self._dead:
            raise Failed(self._dead[answer])
        try:
            box = self._box(rules.guarded(stage.cluster.handle, self.allows) if stage else None)
            self._boxes.append((answer, box))
            box.load(text)
        except BoxDied as error:
            self._dead[answer] = str(error)
            raise
        return Code(box, lambda why: self._dead.__setitem__(answer, why))

    # ---- clusters -----------------------------------------------------------------------
    def stage(self, nodes: int | Iterable[Any] = 3, seed: int = 7, **options: Any) -> Stage:
        """A fresh cluster."""
        made = Stage(self, Cluster(nodes=nodes, seed=seed, **options))
        self.stages.append(made)
        return made

    def close(self) -> None:
        """End the boxes and drop the clusters of the check that is over."""
        for answer, box in self._boxes:
            box.close()
            self._waited[answer] = self._waited.get(answer, 0.0) + box.waited
            if self._waited[answer] > PATIENCE:
                self._dead.setdefault(answer, TIRED)
        self._boxes.clear()
        self.stages.clear()


class Code:
    """Functions of the student's, to be called like a dictionary of functions: code("score", pod, node)."""

    def __init__(self, box: Box, dead: Callable[[str], None]):
        self._box, self._dead = box, dead

    @property
    def writes(self) -> int:
        """How often the code asked the API server to change something."""
        return self._box.writes

    def __call__(self, name: str, *args: Any) -> Any:
        try:
            return self._box.call(name, *args)
        except BoxDied as error:
            self._dead(str(error))
            raise


class Stage:
    """A cluster with shorthands. Time passes only by `advance`, `until` and `load`."""

    def __init__(self, case: Case, cluster: Cluster):
        self.case, self.cluster = case, cluster
        self.client: Client = cluster.client("student")
        self.faults = cluster.faults
        self.started = cluster.clock.now()

    def apply(self, answer: str, *, settle: float = 60.0) -> list[Object]:
        """Apply all objects of an answer and let the cluster work. Failed with the API's message if it refuses one."""
        return self.put(self.case.documents(answer), settle=settle)

    def put(self, objects: Iterable[Object], *, settle: float = 60.0) -> list[Object]:
        """Apply objects. Failed with the API server's own message when it refuses one."""
        out = []
        for obj in objects:
            resource, name = resource_of(obj), obj["metadata"]["name"]
            space = obj["metadata"].get("namespace") or "default"
            try:
                out.append(self.client.patch(resource, space, name, obj, type="apply", force=True))
            except StatusError as error:
                raise Failed(f"API 서버가 {obj['kind']} {name}을(를) 받지 않았다: {error.message}") from None
            if obj["kind"] in ("Namespace", "CustomResourceDefinition"):
                self.advance(1)
        if settle:
            self.cluster.settle(still=5.0, timeout=settle)
        return out

    def advance(self, seconds: float) -> None:
        self.cluster.advance(seconds)

    def until(self, test: Callable[[], bool], timeout: float = 120.0) -> bool:
        return self.cluster.run_until(test, timeout)

    def pods(self, namespace: str = "default", **labels: str) -> list[Object]:
        """Pods that are not being deleted, by labels."""
        selector = ",".join(f"{k}={v}" for k, v in labels.items())
        found = self.client.list("pods", namespace, label_selector=selector)
        return [pod for pod in found if not pod["metadata"].get("deletionTimestamp")]

    def of(self, deployment: str) -> list[Object]:
        """Ready pods that the deployment has made, whatever their labels say."""
        sets = [r for r in self.client.list("replicasets.apps", "default") if _owned(r, "Deployment", deployment)]
        return [pod for pod in self.ready() if any(_owned(pod, "ReplicaSet", r["metadata"]["name"]) for r in sets)]

    def ready(self, namespace: str = "default", **labels: str) -> list[Object]:
        """Pods that are Ready."""
        return [pod for pod in self.pods(namespace, **labels) if condition(pod, "Ready") == "True"]

    def find(self, resource: str, name: str, namespace: str = "default") -> Object | None:
        found: Object | None = self.client.find(resource, namespace, name)
        return found

    def log(self, pod: str, container: str = "", namespace: str = "default") -> str:
        """What a container has written. Failed when there is no such pod."""
        self.case.need(self.find("pods", pod, namespace), f"파드 {pod}이(가) 없다.")
        query = {"container": [container]} if container else None
        found = self.client.call("GET", f"/api/v1/namespaces/{namespace}/pods/{pod}/log", query=query)
        return found.decode() if isinstance(found, bytes) else str(found)

    def load(self, target: str, *, rate: float = 20.0, duration: float = 10.0, **options: Any) -> Load:
        """Requests at a service, to their end."""
        options.setdefault("namespace", "default")
        return self.cluster.traffic.run(target, self.cluster.advance, rate=rate, duration=duration, **options)

    def story(self) -> list[story.Line]:
        """What happened here, for the feedback."""
        return story.tell(self.cluster, self.started)


def _owned(obj: Object, kind: str, name: str) -> bool:
    owners = obj["metadata"].get("ownerReferences") or ()
    return any((owner["kind"], owner["name"]) == (kind, name) for owner in owners)


def told(load: Load) -> str:
    """How the requests that were lost ended, most frequent first: `연결 거절 3번, 503 2번`."""
    errors = load.summary()["errors"]
    ranked = sorted(errors.items(), key=lambda pair: (-pair[1], pair[0]))
    return ", ".join(f"{LOST.get(name, name)} {count}번" for name, count in ranked)


def unfit(error: Exception) -> str:
    """Why a check could not even look at an answer."""
    if isinstance(error, KeyError) and error.args and isinstance(error.args[0], str):
        return f"답에 있어야 할 `{error.args[0]}`이(가) 없다."
    return f"검사가 답을 다루지 못했다. 답의 꼴을 다시 살피자(안쪽의 오류: {type(error).__name__})."


def condition(obj: Object, kind: str) -> str:
    """The status of a condition, or ""."""
    found = (c["status"] for c in (obj.get("status") or {}).get("conditions") or () if c["type"] == kind)
    return next(found, "")


def resource_of(obj: Object) -> str:
    """`deployments.apps` of a Deployment."""
    kind = str(obj["kind"]).lower()
    plural = re.sub(r"(?<=[^aeiou])y$", "ie", kind)
    if not kind.endswith("endpoints"):
        plural += "es" if re.search(r"(s|x|ch)$", plural) else "s"
    group = str(obj["apiVersion"]).partition("/")[0] if "/" in str(obj["apiVersion"]) else ""
    return f"{plural}.{group}" if group else plural
