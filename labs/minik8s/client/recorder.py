"""Events: what an actor tells about an object, repeated tellings counted on one Event.

Names, fields and counting follow client-go's tools/events and tools/record (EventCorrelator).
"""

from __future__ import annotations

from minik8s.client.api import Client
from minik8s.clock import Clock
from minik8s.objects.frozen import Object
from minik8s.objects.meta import rfc3339
from minik8s.wire import StatusError

MAX_MESSAGE = 1024


class EventRecorder:
    """Writes core/v1 Events as `component` (and `host`, for node agents)."""

    def __init__(self, client: Client, clock: Clock, component: str, host: str = ""):
        self._client, self._clock, self._component, self._host = client, clock, component, host
        self._seen: dict[tuple[str, ...], tuple[str, str, int]] = {}

    def event(self, obj: Object, type: str, reason: str, message: str, *, field_path: str = "") -> None:
        """Tell `reason: message` about `obj`; type is Normal or Warning. A failed write is dropped, as upstream."""
        reference = _reference(obj, field_path)
        message = message[:MAX_MESSAGE]
        about = tuple(str(value) for field, value in reference.items() if field != "resourceVersion")
        identity = (*about, type, reason, message)
        namespace = reference.get("namespace") or "default"
        try:
            if not self._count(identity, namespace):
                self._create(identity, namespace, reference, type, reason, message)
        except StatusError:
            self._seen.pop(identity, None)

    def _count(self, identity: tuple[str, ...], namespace: str) -> bool:
        known = self._seen.get(identity)
        if known is None:
            return False
        _, name, count = known
        body = {"count": count + 1, "lastTimestamp": rfc3339(self._clock.now())}
        try:
            self._client.patch("events", namespace, name, body, type="strategic")
        except StatusError as error:
            if error.code == 404:
                return False
            raise
        self._seen[identity] = (namespace, name, count + 1)
        return True

    def _create(
        self, identity: tuple[str, ...], namespace: str, reference: Object, type: str, reason: str, message: str
    ) -> None:
        now = self._clock.now()
        name = f"{reference['name']}.{int(now * 1e9) + self._clock.rng('events').getrandbits(20):x}"
        source = {"component": self._component} | ({"host": self._host} if self._host else {})
        body: Object = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": name, "namespace": namespace},
            "involvedObject": reference,
            "reason": reason,
            "message": message,
            "source": source,
            "firstTimestamp": rfc3339(now),
            "lastTimestamp": rfc3339(now),
            "count": 1,
            "type": type,
            "eventTime": None,
            "reportingComponent": self._component,
            "reportingInstance": self._host,
        }
        self._client.create("events", body, namespace=namespace)
        self._seen[identity] = (namespace, name, 1)


def _reference(obj: Object, field_path: str) -> Object:
    meta = obj["metadata"]
    out: Object = {"kind": obj["kind"]}
    if meta.get("namespace"):
        out["namespace"] = meta["namespace"]
    out["name"] = meta["name"]
    if meta.get("uid"):
        out["uid"] = meta["uid"]
    out["apiVersion"] = obj["apiVersion"]
    if meta.get("resourceVersion"):
        out["resourceVersion"] = meta["resourceVersion"]
    if field_path:
        out["fieldPath"] = field_path
    return out
