"""클러스터에 일어난 일을 되짚는다: 저장소의 기록에서 시간표와 여정을 만든다.

The embedded cluster remembers every write. On a real cluster the lab remembers what it has watched
(remote.py gives the same list of changes).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from minik8s.lab.views import map as cluster_map
from minik8s.lab.views.journey import Step
from minik8s.lab.views.timeline import Row
from minik8s.objects import Object
from minik8s.trace import Record


class Change(NamedTuple):
    """One write, as a lab sees it: time in seconds since the Unix epoch; type ADDED, MODIFIED or DELETED."""

    time: float
    type: str
    resource: str
    object: Object
    actor: str = ""


def pod_rows(changes: Iterable[Change], start: float, end: float) -> list[Row]:
    """A row per pod: what it was called in `kubectl get pods` terms, from when to when."""
    rows: dict[str, Row] = {}
    open_: dict[str, tuple[float, str, str]] = {}
    for change in changes:
        if change.resource != "pods":
            continue
        uid, t = change.object["metadata"]["uid"], change.time - start
        row = rows.setdefault(uid, Row(_label(change.object)))
        row.name = _label(change.object)
        word, fill = cluster_map.state(change.object)
        before = open_.get(uid)
        if change.type == "DELETED":
            if before:
                row.segments.append((before[0], t, *before[1:]))
            open_.pop(uid, None)
        elif before is None or before[1] != word:
            if before:
                row.segments.append((before[0], t, *before[1:]))
            open_[uid] = (t, word, fill)
    for uid, (since, word, fill) in open_.items():
        rows[uid].segments.append((since, end - start, word, fill))
    return list(rows.values())


def _label(pod: Object) -> str:
    node = pod["spec"].get("nodeName")
    name: str = pod["metadata"]["name"]
    return f"{name} @{node}" if node else name


SUBJECTS = ("deployments.apps", "replicasets.apps", "statefulsets.apps", "daemonsets.apps", "jobs.batch", "pods")


def family(changes: list[Change], resource: str, name: str, namespace: str) -> set[tuple[str, str]]:
    """(resource, name) of an object and of everything that it owns, directly or not."""
    uids = {
        c.object["metadata"]["uid"]
        for c in changes
        if c.resource == resource
        and c.object["metadata"]["name"] == name
        and c.object["metadata"].get("namespace", "") in {namespace, ""}
    }
    out = {(resource, name)}
    grown = True
    while grown:
        grown = False
        for change in changes:
            meta = change.object["metadata"]
            if meta["uid"] not in uids and any(o["uid"] in uids for o in meta.get("ownerReferences") or ()):
                uids.add(meta["uid"])
                out.add((change.resource, meta["name"]))
                grown = True
    return out


_VERBS = {"create": "만든다", "update": "고친다", "patch": "고친다", "delete": "지운다"}


def journey(records: Iterable[Record], members: set[tuple[str, str]], start: float) -> list[Step]:
    """The writes to the members, in order, in words."""
    steps = []
    seen: set[object] = set()
    for record in records:
        if record.verb not in _VERBS or record.detail.get("code", 200) >= 300:
            continue
        resource, _, rest = record.object.partition("/")
        name = rest.rpartition("/")[2]
        if (resource, name) not in members:
            continue
        version = record.detail.get("resource_version")
        if version in seen:
            continue  # a write that changed nothing
        if version is not None:
            seen.add(version)
        did = "만든다" if record.detail.get("code") == 201 else _VERBS[record.verb]
        sub = record.detail.get("subresource")
        if sub:
            did = {"binding": "노드에 묶는다", "status": "상태를 알린다", "scale": "크기를 바꾼다"}.get(
                str(sub), f"{sub}:"
            )
        steps.append(Step(record.time - start, record.actor, did, f"{resource.partition('.')[0]}/{name}"))
    return steps
