"""What all explanations share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from minik8s.objects.frozen import Object
from minik8s.store import Key
from minik8s.trace import Record

if TYPE_CHECKING:
    from minik8s.history.history import Snapshot

Lines = list[str]


class Case(NamedTuple):
    """The object asked about, the state around it, and all records up to then."""

    key: Key
    obj: Object
    snapshot: Snapshot
    records: Sequence[Record]

    @property
    def title(self) -> str:
        return f"{self.obj.get('kind', self.key.resource)} {self.key.name}"

    @property
    def path(self) -> str:
        """As the trace names it."""
        return "/".join(part for part in self.key if part)

    def about(self, resource: str, namespace: str, name: str) -> Case | None:
        """The same question about another object."""
        key = Key(resource, namespace, name)
        obj = self.snapshot.objects.get(key)
        return None if obj is None else self._replace(key=key, obj=obj)

    def last(self, actor: str, verb: str) -> Record | None:
        """The newest record of `verb` by `actor` about the object."""
        path = self.path
        return next((r for r in reversed(self.records)
                     if r.verb == verb and r.actor == actor and r.object == path), None)


def condition(obj: Object, type: str) -> Object | None:
    conditions = (obj.get("status") or {}).get("conditions") or ()
    return next((c for c in conditions if c["type"] == type), None)


def unfinished_conditions(case: Case) -> Lines:
    """Conditions with a message that are not what one wants."""
    out = []
    for entry in (case.obj.get("status") or {}).get("conditions") or ():
        if entry.get("message") and entry.get("status") != "True":
            reason = entry.get("reason", "")
            out.append(f"조건 {entry['type']}이(가) {entry['status']}이다: {entry['message']} ({reason})")
    return out


def events_of(case: Case, *, warnings_only: bool = True, limit: int = 5) -> Lines:
    """The newest Events about the object."""
    uid = case.obj["metadata"].get("uid")
    found = [e for e in case.snapshot.list("events", case.key.namespace or "default")
             if (e.get("involvedObject") or {}).get("uid") == uid and (not warnings_only or e.get("type") == "Warning")]
    found.sort(key=lambda e: (e.get("lastTimestamp") or "", e["metadata"]["name"]))
    out = []
    for event in found[-limit:]:
        times = f" ({event['count']}번)" if (event.get("count") or 1) > 1 else ""
        out.append(f"이벤트 {event['reason']}{times}: {event['message'].strip()}")
    return out


def faults_on(case: Case, words: Sequence[str]) -> Lines:
    """Faults that were injected and not undone, whose options name one of `words`."""
    active: dict[int, Record] = {}
    for record in case.records:
        if record.actor != "fault":
            continue
        number = record.detail.get("number")
        if record.verb == "inject" and number is not None:
            active[number] = record
        elif record.verb == "undo" and number is not None:
            active.pop(number, None)
    return [f"고장 {r.object}이(가) 일어나 있다: {_options(r)}" for r in active.values()
            if any(str(v) in words for v in r.detail.values())]


def _options(record: Record) -> str:
    return ", ".join(f"{k}={v}" for k, v in record.detail.items() if k != "number")
