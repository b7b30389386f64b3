"""The scheduler's events: Scheduled, FailedScheduling, Preempted, in the newer form with eventTime, action and series.

Source: client-go `tools/events` (event_broadcaster.go), which kube-scheduler uses.
"""

from __future__ import annotations

from minik8s.client import Client
from minik8s.clock import Clock
from minik8s.objects import Object
from minik8s.objects.meta import rfc3339_micro
from minik8s.wire import StatusError

SERIES_ENDS_AFTER = 360.0
REFRESH_EVERY = 1800.0
MAX_NOTE = 1024


class SchedulerEvents:
    """Writes events; repetitions within six minutes become a series on the first one."""

    def __init__(self, client: Client, clock: Clock, host: str = "controlplane") -> None:
        self._client, self._clock, self._host = client, clock, host
        self._seen: dict[tuple[str, ...], _Series] = {}

    def event(
        self, pod: Object, related: Object | None, type: str, reason: str, action: str, note: str, component: str
    ) -> None:
        """Tell about a pod. A write that fails is dropped, as upstream drops it."""
        note = note if len(note) <= MAX_NOTE else note[: MAX_NOTE - 4] + " ..."
        about = _reference(pod)
        identity = (component, type, reason, action, *map(str, about.values()))
        now = self._clock.now()
        known = self._seen.get(identity)
        try:
            if known is not None and now - known.last < SERIES_ENDS_AFTER:
                self._repeat(known, now)
            else:
                self._seen[identity] = self._create(about, related, type, reason, action, note, component)
        except StatusError:
            self._seen.pop(identity, None)

    def _repeat(self, known: _Series, now: float) -> None:
        known.count += 1
        known.last = now
        if known.count == 2 or now - known.written >= REFRESH_EVERY:
            known.written = now
            series = {"count": known.count, "lastObservedTime": rfc3339_micro(now)}
            self._client.patch("events", known.namespace, known.name, {"series": series})

    def _create(
        self, about: Object, related: Object | None, type: str, reason: str, action: str, note: str, component: str
    ) -> _Series:
        now = self._clock.now()
        namespace = about.get("namespace") or "default"
        name = f"{about['name']}.{int(now * 1e9) + self._clock.rng('events').getrandbits(20):x}"
        body: Object = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": name, "namespace": namespace},
            "involvedObject": about,
            "reason": reason,
            "message": note,
            "source": {},
            "firstTimestamp": None,
            "lastTimestamp": None,
            "type": type,
            "eventTime": rfc3339_micro(now),
            "action": action,
            "reportingComponent": component,
            "reportingInstance": f"{component}-{self._host}",
        }
        if related is not None:
            body["related"] = _reference(related)
        self._client.create("events", body, namespace=namespace)
        return _Series(namespace, name, now)


class _Series:
    def __init__(self, namespace: str, name: str, now: float) -> None:
        self.namespace, self.name = namespace, name
        self.count, self.last, self.written = 1, now, now


def _reference(obj: Object) -> Object:
    meta = obj["metadata"]
    found: Object = {"kind": obj.get("kind", "Pod")}
    found |= {key: meta[key] for key in ("namespace", "name", "uid") if meta.get(key)}
    found["apiVersion"] = obj.get("apiVersion", "v1")
    if meta.get("resourceVersion"):
        found["resourceVersion"] = meta["resourceVersion"]
    return found
