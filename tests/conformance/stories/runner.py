"""Plays one controller story in virtual time, in this process, and says what was seen."""

from __future__ import annotations

import re
from typing import Any

from conformance.stories.normalise import Normaliser, differences
from conformance.stories.observe import QUIET, items, observe
from conformance.stories.world import World
from minik8s.client.api import PATCH_TYPES
from minik8s.objects import Object
from minik8s.wire import StatusError

POLL, STILL, STILL_TIMEOUT = 0.05, 1.2, 20.0
_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]|\['([^']+)'\]")
PLURALS = {
    "NetworkPolicy": "networkpolicies",
    "Ingress": "ingresses",
    "PodDisruptionBudget": "poddisruptionbudgets",
    "Endpoints": "endpoints",
    "PriorityClass": "priorityclasses",
    "StorageClass": "storageclasses",
}
CLUSTER_SCOPED = {"PersistentVolume", "Node", "PriorityClass", "StorageClass", "Namespace"}
PATCHES = {"merge": "merge", "json": "json", "smp": "strategic"}


def lookup(value: Any, path: str) -> Any:
    """a.b[0].c or a.b['x.y/z'] in a JSON value; None when absent."""
    for word, number, quoted in _STEP.findall(path):
        try:
            value = value[int(number)] if number else value[word or quoted]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def collection(obj: Object, namespace: str) -> str:
    version = obj["apiVersion"]
    base = "/api/v1" if version == "v1" else "/apis/" + version
    plural = PLURALS.get(obj["kind"], obj["kind"].lower() + "s")
    return f"{base}/{plural}" if obj["kind"] in CLUSTER_SCOPED else f"{base}/namespaces/{namespace}/{plural}"


class Tracker:
    """Follows the pods and ReplicaSets of a selector: the order of what happens, and the extremes."""

    def __init__(self, world: World, namespace: str, selector: str):
        self._world = world
        self._pods: dict[str, dict[str, bool]] = {}
        self._sizes: dict[str, int] = {}
        self.order: list[str] = []
        self.least: int | None = None
        self.most_desired = 0
        for resource, seen in (("pods", self._pod), ("replicasets.apps", self._set)):
            found, version = world.client.list_with_version(resource, namespace, selector)
            for obj in found:
                seen("ADDED", obj)
            stream = world.client.watch(resource, namespace, resource_version=version, label_selector=selector)
            stream.wake = lambda s=stream, f=seen: world.clock.call_soon(self._drain, s, f)  # type: ignore[misc]
        self.order = []
        self._count()

    def _drain(self, stream: Any, seen: Any) -> None:
        for event in stream.drain():
            if event.type in ("ADDED", "MODIFIED", "DELETED"):
                seen(event.type, event.object)

    def _set(self, kind: str, obj: Object) -> None:
        if kind != "DELETED":
            self._sizes[obj["metadata"]["name"]] = obj["spec"]["replicas"]
            self.most_desired = max(self.most_desired, sum(self._sizes.values()))

    def _count(self) -> None:
        ready = sum(1 for p in self._pods.values() if p["ready"] and not p["gone"] and not p["ended"])
        self.least = ready if self.least is None else min(self.least, ready)

    def _pod(self, kind: str, pod: Object) -> None:
        name, status = pod["metadata"]["name"], pod.get("status") or {}
        now = {
            "ready": any(c["type"] == "Ready" and c["status"] == "True" for c in status.get("conditions") or ()),
            "gone": "deletionTimestamp" in pod["metadata"] or kind == "DELETED",
            "ended": status.get("phase") in ("Succeeded", "Failed"),
        }
        old = self._pods.get(name)
        if kind == "DELETED":
            self._pods.pop(name, None)
            self.order.append("deleted " + name)
        else:
            self._pods[name] = now
            if old is None:
                self.order.append("created " + name)
                old = {"ready": False, "gone": False}
            if now["gone"] and not old["gone"]:
                self.order.append("terminating " + name)
            elif now["ready"] and not old["ready"]:
                self.order.append("ready " + name)
        if self.least is not None:
            self._count()


class Story:
    """One story: `play` returns what was seen, in the form of its `expect`."""

    def __init__(self, world: World, story: Object):
        self.world, self.story, self.namespace = world, story, story["namespace"]
        self.normaliser = Normaliser(story["steps"])
        self.trackers: dict[str, Tracker] = {}
        self.seen: list[Object] = []

    def play(self) -> list[Object]:
        self._make_namespace()
        try:
            for step in self.story["steps"]:
                getattr(self, "_" + step["do"].replace("-", "_"), self._pod_step)(step)
        finally:
            for path in self.story.get("cleanup", ()):
                self._call("DELETE", path)
            self._call("DELETE", "/api/v1/namespaces/" + self.namespace)
        return self.seen

    def _make_namespace(self) -> None:
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.namespace}}
        self._call("POST", "/api/v1/namespaces", body)
        self._until(
            lambda: all(
                self.world.client.find(resource, self.namespace, name) is not None
                for resource, name in (("serviceaccounts", "default"), ("configmaps", "kube-root-ca.crt"))
            ),
            10,
        )

    # ---- helpers ---------------------------------------------------------------
    def _call(self, method: str, path: str, body: Any = None, type: str | None = None) -> tuple[int, Object]:
        path, _, _ = path.partition("?")
        try:
            return 200, self.world.client.call(method, path, body, content_type=type)
        except StatusError as error:
            return error.code, error.status()

    def _until(self, condition: Any, timeout: float) -> bool:
        end = self.world.clock.now() + timeout
        while not condition():
            if self.world.clock.now() > end:
                return False
            self.world.advance(POLL)
        return True

    # ---- steps -----------------------------------------------------------------
    def _create(self, step: Object) -> None:
        for obj in step["objects"]:
            self._call("POST", step.get("path") or collection(obj, self.namespace), obj)

    def _patch(self, step: Object) -> None:
        kind = PATCH_TYPES[PATCHES[step.get("type", "merge")]]
        code, body = self._call("PATCH", step["path"], step["body"], kind)
        if code >= 400:
            self.seen.append({"step": "patch refused", "code": code, "message": body.get("message")})

    def _delete(self, step: Object) -> None:
        body: Object = {"kind": "DeleteOptions", "apiVersion": "v1"}
        if step.get("propagation"):
            body["propagationPolicy"] = step["propagation"]
        if step.get("grace") is not None:
            body["gracePeriodSeconds"] = step["grace"]
        self._call("DELETE", step["path"], body)

    def _evict_pod(self, step: Object) -> None:
        pods = self.world.client.list("pods", self.namespace, label_selector=step["selector"])
        for index in step.get("indexes") or [step.get("index", 0)]:
            name = pods[index]["metadata"]["name"]
            meta = {"name": name, "namespace": self.namespace}
            body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": meta}
            path = f"/api/v1/namespaces/{self.namespace}/pods/{name}/eviction"
            code, answer = self._call("POST", path, body)
            self.seen.append({"call": "eviction", "code": 201 if code == 200 else code, "reason": answer.get("reason")})

    def _pod_step(self, step: Object) -> None:
        pods = self.world.client.list("pods", self.namespace, label_selector=step["selector"])
        path = f"/api/v1/namespaces/{self.namespace}/pods/{pods[step.get('index', 0)]['metadata']['name']}"
        merge, unready = PATCH_TYPES["merge"], [{"type": "Ready", "status": "False"}]
        match step["do"]:
            case "delete-pod":
                self._call("DELETE", path)
            case "relabel-pod":
                self._call("PATCH", path, {"metadata": {"labels": step["labels"]}}, merge)
            case "unready-pod":
                body = {"status": {"conditions": unready}}
                self._call("PATCH", path + "/status", body, PATCH_TYPES["strategic"])
            case "fail-pod" | "succeed-pod":
                phase = "Failed" if step["do"] == "fail-pod" else "Succeeded"
                status = {"phase": phase, "reason": step.get("reason"), "conditions": unready}
                self._call("PATCH", path + "/status", {"status": status}, merge)
            case other:
                raise ValueError(f"unknown step {other}")

    def _node(self, step: Object) -> None:
        self.world.kubelet.node_ready(step["name"], step["ready"])

    def _sleep(self, step: Object) -> None:
        self.world.advance(step["seconds"])

    def _wait(self, step: Object) -> None:
        def reached() -> bool:
            code, body = self._call("GET", step["path"])
            if code != step.get("status", 200):
                return False
            for path, wanted in (step.get("until") or {}).items():
                got = lookup(body, path)
                if path.endswith(".length"):
                    got = len(lookup(body, path[:-7]) or [])
                if got != wanted:
                    return False
            return True

        if not self._until(reached, step.get("timeout", 20)):
            self.seen.append({"wait": step["path"].split("/")[-1], "reached": False})

    def _track(self, step: Object) -> None:
        self.trackers[step["id"]] = Tracker(self.world, self.namespace, step["selector"])

    def _tracked(self, step: Object) -> None:
        tracker = self.trackers.pop(step["id"])
        self.world.advance(0.3)
        out: Object = {"invariants": step["id"]}
        if bounds := step.get("bounds"):
            least = tracker.least or 0
            out["withinBounds"] = tracker.most_desired <= bounds["maxDesired"] and least >= bounds["minReady"]
        if wanted := step.get("order"):
            out["order"] = [self.normaliser.suffixes(e) for e in tracker.order if e.split()[0] in wanted]
        self.seen.append(out)

    def _snapshot(self, step: Object) -> None:
        self._quiesce(step.get("still", STILL), step.get("timeout", STILL_TIMEOUT))
        state = observe(self.world.client, self.namespace, step["kinds"], self.normaliser)
        self.seen.append({"snapshot": step["label"], "state": state})

    def _quiesce(self, still: float, timeout: float) -> None:
        clock = self.world.clock
        last, since, end = None, clock.now(), clock.now() + timeout
        while clock.now() < end:
            now = [
                (kind, o["metadata"]["uid"], o["metadata"]["resourceVersion"])
                for kind in QUIET
                for o in items(self.world.client, self.namespace, kind)
            ]
            if now != last:
                last, since = now, clock.now()
            elif clock.now() - since > still:
                return
            self.world.advance(0.2)


def compare(want: list[Object], got: list[Object]) -> list[list[tuple[str, Any, Any]]]:
    """The differences of each point of a story; events seen only sometimes may be absent or present."""
    out: list[list[tuple[str, Any, Any]]] = []
    for i, wanted in enumerate(want):
        if i >= len(got):
            out.append([("", wanted, "<absent>")])
            continue
        w, g = dict(wanted), dict(got[i])
        if "state" in w and "state" in g:
            w["state"], g["state"] = dict(w["state"]), dict(g["state"])
        some = set(w.pop("eventsSometimes", ()))
        for ignored in ("observed", "maxPods", "minReady", "maxDesired") if w.get("invariants") else ():
            w.pop(ignored, None)
            g.pop(ignored, None)
        for kind in w.pop("unstable", ()):
            (w.get("state") or w).pop(kind, None)
            (g.get("state") or g).pop(kind, None)
        if some and "state" in g:
            for one in (w, g):
                one["state"]["events"] = [e for e in one["state"].get("events", []) if e not in some]
        out.append(differences(w, g))
    return out + [[("", "<absent>", extra)] for extra in got[len(want) :]]
