"""The history of a cluster, live or read from a file."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence

from minik8s.history.diff import Change, changes
from minik8s.history.why import explain
from minik8s.objects.frozen import Object, freeze
from minik8s.store import Event, Key, Store
from minik8s.trace import Record

VERSION = 1

Lines = list[str]


class Snapshot:
    """그때의 클러스터. 읽기만 한다."""

    def __init__(self, revision: int, time: float, objects: Mapping[Key, Object]):
        self.revision, self.time, self.objects = revision, time, objects

    def get(self, resource: str, namespace: str, name: str) -> Object | None:
        return self.objects.get(Key(resource, namespace, name))

    def list(self, resource: str, namespace: str | None = None) -> Sequence[Object]:
        """`resource`의 오브젝트들, (네임스페이스, 이름) 순으로."""
        keys = sorted(k for k in self.objects if k.resource == resource and namespace in (None, k.namespace))
        return [self.objects[k] for k in keys]

    def __len__(self) -> int:
        return len(self.objects)


class History:
    """저장소와 기록(trace)에서 읽는 지난 일. `records`는 부를 때마다 지금까지의 기록을 돌려주는 함수다."""

    def __init__(self, store: Store, records: Callable[[], Sequence[Record]], start: float, seed: int = 0):
        self._store, self._records = store, records
        self.start, self.seed = start, seed

    # ---- 그때 ------------------------------------------------------------------
    @property
    def first(self) -> int:
        """돌아갈 수 있는 가장 이른 리비전."""
        return self._store.compacted

    @property
    def last(self) -> int:
        return self._store.revision

    def at(self, revision: int) -> Snapshot:
        """리비전 `revision` 바로 뒤의 클러스터. 없는 리비전이면 ValueError."""
        if not self.first <= revision <= self.last:
            raise ValueError(f"리비전 {revision}(으)로는 돌아갈 수 없다. {self.first}부터 {self.last}까지 된다.")
        return Snapshot(revision, self.time_of(revision), self._store.at(revision))

    def at_time(self, time: float) -> Snapshot:
        """가상 시각 `time`(초)의 클러스터."""
        return self.at(self.revision_at(time))

    def revision_at(self, time: float) -> int:
        """그 시각까지 쓰인 마지막 리비전."""
        position = bisect_right(self._store.events, time, key=lambda e: e.time)
        return self._store.events[position - 1].revision if position else self.first

    def time_of(self, revision: int) -> float:
        position = bisect_right(self._store.events, revision, key=lambda e: e.revision)
        return self._store.events[position - 1].time if position else self.start

    def diff(self, before: int, after: int | None = None) -> list[Change]:
        """두 리비전 사이에 달라진 것. `after`가 없으면 지금까지."""
        late = self.last if after is None else after
        if before > late:
            raise ValueError(f"앞의 리비전({before})이 뒤의 리비전({late})보다 크다.")
        return changes(self.at(before).objects, self.at(late).objects)

    def events(self, since: int = 0, until: int | None = None) -> Sequence[Event]:
        """리비전이 `since`보다 크고 `until`보다 크지 않은 쓰기들."""
        events = self._store.events
        low = bisect_right(events, since, key=lambda e: e.revision)
        high = len(events) if until is None else bisect_right(events, until, key=lambda e: e.revision)
        return events[low:high]

    # ---- 왜 --------------------------------------------------------------------
    def why(self, question: str, *, namespace: str = "default", revision: int | None = None) -> Lines:
        """`why("pod/web is Pending")`: 기록된 결정과 이벤트를 따라가며 그 까닭을 말한다.

        물음의 첫 낱말은 `종류/이름`이다. 모르는 종류나 없는 이름이면 ValueError.
        """
        snapshot = self.at(self.last if revision is None else revision)
        records = [r for r in self._records() if r.time <= snapshot.time or revision is None]
        return explain(question, namespace, snapshot, records, self.events(0, snapshot.revision))

    # ---- 파일 ------------------------------------------------------------------
    def dump(self) -> str:
        """역사 전체를 JSON 글 하나로."""
        first = self.first
        body = {
            "minik8sHistory": VERSION,
            "seed": self.seed,
            "start": self.start,
            "revision": first,
            "objects": [[*key, obj] for key, obj in sorted(self._store.at(first).items())],
            "events": [[e.revision, e.type, *e.key, e.time, e.object] for e in self.events(first)],
            "trace": [[*r] for r in self._records()],
        }
        return json.dumps(body, ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def load(cls, text: str) -> History:
        """`dump`가 만든 글에서. 그런 글이 아니면 ValueError."""
        try:
            body = json.loads(text)
            if body["minik8sHistory"] != VERSION:
                raise ValueError(f"모르는 판이다: {body['minik8sHistory']!r}")
            store = _rebuilt(body)
            records = [Record(*entry) for entry in body["trace"]]
            return cls(store, lambda: records, float(body["start"]), int(body["seed"]))
        except (ValueError, KeyError, TypeError, IndexError) as error:
            raise ValueError(f"minik8s의 역사 파일이 아니거나 망가졌다: {error}") from None


def _rebuilt(body: Object) -> Store:
    store = Store()
    known: dict[Key, Object] = {}
    first = int(body["revision"])
    base = []
    for resource, namespace, name, obj in body["objects"]:
        key = Key(resource, namespace, name)
        known[key] = freeze(obj)
        base.append(Event(first, "ADDED", key, known[key], None, float(body["start"])))
    store.restore(base)
    later = []
    for revision, type_, resource, namespace, name, time, obj in body["events"]:
        key = Key(resource, namespace, name)
        frozen = freeze(obj)
        later.append(Event(revision, type_, key, frozen, known.get(key), time))
        if type_ == "DELETED":
            known.pop(key, None)
        else:
            known[key] = frozen
    store.restore(later)
    store.revision = max(store.revision, first)
    store.compacted = first
    del store.events[: len(base)]
    return store
