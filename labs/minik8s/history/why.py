"""`why`: from a question about an object to Korean sentences, along what was recorded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from minik8s.history.why_others import why_deployment, why_job, why_node, why_replicaset, why_service, why_volume_claim
from minik8s.history.why_pod import why_pod
from minik8s.history.whybase import Case, events_of, unfinished_conditions
from minik8s.objects.kinds import KINDS
from minik8s.store import Event, Key
from minik8s.trace import Record

if TYPE_CHECKING:
    from minik8s.history.history import Snapshot

Lines = list[str]

EXPLAINERS: dict[str, Callable[[Case], Lines]] = {
    "pods": why_pod,
    "deployments.apps": why_deployment,
    "replicasets.apps": why_replicaset,
    "statefulsets.apps": why_replicaset,
    "daemonsets.apps": why_replicaset,
    "jobs.batch": why_job,
    "nodes": why_node,
    "services": why_service,
    "persistentvolumeclaims": why_volume_claim,
}


def explain(
    question: str, namespace: str, snapshot: Snapshot, records: Sequence[Record], events: Sequence[Event]
) -> Lines:
    """Sentences, in the order of causes. ValueError (Korean) for an unknown kind or name."""
    key = _subject(question, namespace)
    obj = snapshot.objects.get(key)
    if obj is None:
        return _gone(key, records, events, snapshot)
    case = Case(key, obj, snapshot, records)
    explainer = EXPLAINERS.get(key.resource)
    lines = explainer(case) if explainer is not None else _anything(case)
    return lines or [f"{case.title}에는 이상이 없다."]


def _subject(question: str, namespace: str) -> Key:
    words = question.split()
    first = words[0] if words else ""
    if "/" not in first and len(words) > 1:
        first = f"{words[0]}/{words[1]}"
    kind, _, name = first.partition("/")
    name = name.rstrip("?,.은는이가")
    for entry in KINDS:
        if kind.lower() in (entry.plural, entry.singular, entry.kind.lower(), entry.resource_name, *entry.short_names):
            return Key(entry.resource_name, namespace if entry.namespaced else "", name)
    raise ValueError(f"무엇을 묻는지 알 수 없다: {question!r}. '종류/이름'으로 시작하자. 예: pod/web is Pending")


def _gone(key: Key, records: Sequence[Record], events: Sequence[Event], snapshot: Snapshot) -> Lines:
    place = f"{key.resource}/{key.namespace}/{key.name}" if key.namespace else f"{key.resource}/{key.name}"
    deleted = [e for e in events if e.key == key and e.type == "DELETED"]
    if not deleted:
        near = sorted(k.name for k in snapshot.objects if k.resource == key.resource and k.namespace == key.namespace)
        known = ", ".join(near[:10]) or "없음"
        raise ValueError(f"{place}라는 것은 없었다. 있는 것: {known}")
    lines = [f"{place}는 리비전 {deleted[-1].revision}에서 지워졌다."]
    for record in records:
        if record.object == place and record.verb == "delete" and record.detail.get("code") in (200, 202):
            lines.append(f"지우라고 한 것은 {record.actor}이다.")
            break
    return lines


def _anything(case: Case) -> Lines:
    return [*unfinished_conditions(case), *events_of(case)]
