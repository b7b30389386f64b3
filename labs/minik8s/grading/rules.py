"""What an answer may ask of a cluster: what people who run applications write, and what the assignment adds.

A grader watches a cluster through its API. Whoever may write nodes, endpoints, statuses, webhooks or the simulator's
own annotations could show it a cluster that is not there; no answer needs them unless the rubric says so (`allows`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator
from typing import Any

from minik8s.objects import Object
from minik8s.wire import Request, Response, StatusError

KINDS = {
    "ConfigMap": "configmaps", "CronJob": "cronjobs", "DaemonSet": "daemonsets", "Deployment": "deployments",
    "HorizontalPodAutoscaler": "horizontalpodautoscalers", "Job": "jobs", "NetworkPolicy": "networkpolicies",
    "PersistentVolumeClaim": "persistentvolumeclaims", "Pod": "pods", "PodDisruptionBudget": "poddisruptionbudgets",
    "ReplicaSet": "replicasets", "Secret": "secrets", "Service": "services", "ServiceAccount": "serviceaccounts",
    "StatefulSet": "statefulsets",
}
"""Kinds that every answer may have, and their resources."""
SIMULATOR = "sim.minik8s.io/"
MAX_PODS = 60
MAX_DOCUMENTS = 40
MAX_DEPTH = 60
_COUNTS = ("replicas", "parallelism", "completions", "minReplicas", "maxReplicas")
_PATH = re.compile(r"/(?:api/v1|apis/(?P<group>[^/]+)/[^/]+)/(?:namespaces/[^/]+/(?!status$|finalize$))?"
                   r"(?P<resource>[^/]+)(?:/[^/]+(?:/(?P<sub>[^/]+))?)?$")
_CONNECTS = re.compile(r"/(pods|services|nodes)/[^/]+/(exec|attach|portforward|proxy)(/|$)|/v1/(watch|proxy)(/|$)")
"""Reads that are none: they act in a container, or never end."""
_OWN_GROUP = re.compile(r"(?!.*\.k8s\.io$)[a-z0-9-]+(\.[a-z0-9-]+)+$")


class Refused(ValueError):
    """An answer asks for what it may not; the message is for its author."""


def objects(documents: list[Any], allows: Collection[str] = ()) -> list[Object]:
    """Documents that are objects; a List is its items. Refused with what is wrong."""
    out: list[Object] = []
    for document in documents:
        many = document.get("items") if isinstance(document, dict) and document.get("kind") == "List" else None
        out += many if isinstance(many, list) else [document]
    if len(out) > MAX_DOCUMENTS:
        raise Refused(f"오브젝트가 너무 많다: {len(out)}개.")
    for obj in list[Any](out):
        _words(obj)
        check(obj, allows)
    _once(out)
    _sums(out)
    return out


def _once(found: list[Object]) -> None:
    """Refused for an object that is there twice: one would be looked at, the other would count."""
    seen = set()
    for obj in found:
        meta, group = obj["metadata"], str(obj["apiVersion"]).rpartition("/")[0]
        key = (group, obj["kind"], meta.get("namespace") or "default", meta["name"])
        if key in seen:
            raise Refused(f"{obj['kind']} {meta['name']}이(가) 답에 두 번 있다. 하나만 남기자.")
        seen.add(key)


def _words(obj: Any) -> None:
    meta = obj.get("metadata") if isinstance(obj, dict) else None
    words = [obj.get("kind"), obj.get("apiVersion"), meta.get("name")] if isinstance(meta, dict) else [None]
    if not isinstance(meta, dict) or not all(isinstance(word, str) for word in words):
        raise Refused("매니페스트가 아니다: apiVersion, kind, metadata.name이 있어야 한다.")
    if not re.fullmatch(r"[A-Za-z]{1,60}", obj["kind"]) or not isinstance(meta.get("namespace", ""), str):
        raise Refused("매니페스트의 kind나 namespace가 낱말이 아니다.")
    if not re.fullmatch(r"[A-Za-z0-9.-]{1,253}(/[a-z0-9]{1,60})?", obj["apiVersion"]):
        raise Refused("매니페스트의 apiVersion이 그룹과 버전이 아니다.")
    for word in (meta["name"], meta.get("namespace", "")):
        if re.search(r"[/%\x00-\x20\x7f]", word) or word in (".", ".."):
            raise Refused("매니페스트의 이름에 쓸 수 없는 글자가 있다.")


def check(obj: Object, allows: Collection[str] = ()) -> None:
    """Refused for a kind, an annotation or an owner that the answer may not write."""
    kind, group = obj.get("kind"), str(obj.get("apiVersion")).rpartition("/")[0]
    if kind not in KINDS and kind not in allows and not _OWN_GROUP.match(group):
        raise Refused(f"이 과제의 답에는 {kind}을(를) 둘 수 없다.")
    for part in _parts(obj, 0):
        if str(part.get("priorityClassName", "")).startswith("system-"):
            raise Refused("이 과제의 답에는 system-으로 시작하는 우선순위를 쓸 수 없다.")
        meta = part.get("metadata")
        if not isinstance(meta, dict):
            continue
        if meta.get("ownerReferences") and "ownerReferences" not in allows:
            raise Refused("이 과제의 매니페스트에는 ownerReferences를 적을 수 없다.")
        notes = meta.get("annotations")
        for name in notes if isinstance(notes, dict) else ():
            if str(name).startswith(SIMULATOR) and name not in allows:
                raise Refused(f"애너테이션 {name}은 시뮬레이터의 것이라 이 과제의 답에 둘 수 없다.")


def _parts(value: Any, depth: int) -> Iterator[dict[str, Any]]:
    """Every mapping at any depth: what a template says counts as said by the object."""
    if depth > MAX_DEPTH:
        raise Refused(f"매니페스트가 너무 깊다({MAX_DEPTH}겹까지).")
    if isinstance(value, dict):
        yield value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _parts(item, depth + 1)


def _sums(found: list[Any]) -> None:
    """Refused for more pods than a class needs."""
    total = 0
    for obj in found:
        spec = obj.get("spec")
        counts = [spec[f] for f in _COUNTS if isinstance(spec, dict) and isinstance(spec.get(f), int)]
        if any(count > MAX_PODS for count in counts):
            raise Refused(f"{obj['kind']}의 수 {max(counts)}은(는) 이 과제에 너무 크다(많아야 {MAX_PODS}).")
        total += max(counts, default=0)
    if total > 2 * MAX_PODS:
        raise Refused(f"파드가 모두 {total}개다. 이 과제에 너무 많다(많아야 {2 * MAX_PODS}).")


def guarded(handle: Callable[[Request], Response], allows: Collection[str] = ()) -> Callable[[Request], Response]:
    """The API server as code in the box may use it: reads everything, writes what an answer may write. StatusError."""

    def serve(request: Request) -> Response:
        try:
            if "%" in request.path:  # no path needs one: what it stands for is not looked at here
                raise Refused(f"{request.path}: 경로에 `%`를 쓸 수 없다.")
            if request.method != "GET":
                _write(request, allows)
            elif _CONNECTS.search(request.path):
                raise Refused("이 과제의 코드는 컨테이너에 들어가거나 watch를 걸어 둘 수 없다.")
        except Refused as why:
            return Response(403, StatusError(403, "Forbidden", str(why)).status())
        return handle(request)

    return serve


def _write(request: Request, allows: Collection[str]) -> None:
    found = _PATH.match(request.path)
    if not found:
        raise Refused(f"{request.path}에는 쓸 수 없다.")
    if not _OWN_GROUP.match(found["group"] or ""):
        resource, sub = found["resource"], found["sub"]
        extra = {name.lower() for name in allows}
        if resource not in {*KINDS.values(), "events", *extra, *(f"{n}s" for n in extra), *(f"{n}es" for n in extra)}:
            raise Refused(f"이 과제의 코드는 {resource}에 쓸 수 없다.")
        if sub not in (None, "scale", "eviction") and f"{resource}/{sub}" not in allows:
            raise Refused(f"이 과제의 코드는 {resource}/{sub}에 쓸 수 없다.")
    if not isinstance(request.body, dict | list | None):
        raise Refused("요청의 본문이 오브젝트가 아니다.")
    for part in request.body if isinstance(request.body, list) else [{"value": request.body}]:
        if isinstance(part, dict):
            value, last = part.get("value"), str(part.get("path")).rpartition("/")[2]
            _sums([{"kind": "오브젝트", **value} if isinstance(value, dict) else {"kind": "", "spec": {last: value}}])
    text = json.dumps(request.body, ensure_ascii=False)
    for name in allows:
        text = text.replace(name, "").replace(name.replace("/", "~1"), "")
    if SIMULATOR.rstrip("/") in text:
        raise Refused(f"{SIMULATOR} 애너테이션은 시뮬레이터의 것이라 이 과제의 코드가 쓸 수 없다.")
