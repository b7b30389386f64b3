"""When a node was last heard of, and how fast nodes of a zone may be tainted (pkg/controller/nodelifecycle)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from minik8s.controllers.podutil import condition
from minik8s.objects import Object
from minik8s.objects.meta import labels, parse_time, rfc3339

MONITOR_PERIOD = 5.0
GRACE_PERIOD = 50.0
STARTUP_GRACE_PERIOD = 60.0
EVICTION_QPS = 0.1
SECONDARY_EVICTION_QPS = 0.01
LARGE_CLUSTER = 50
UNHEALTHY_SHARE = 0.55
WATCHED = ("Ready", "MemoryPressure", "DiskPressure", "PIDPressure")


@dataclass(slots=True)
class Health:
    """What the monitor knows of one node: the last ready condition it saw, its lease, and when either last moved."""

    ready: Object | None
    seen_at: float
    renewed: str = ""

    def observe(self, ready: Object | None, lease: Object | None, now: float) -> None:
        """Note a heartbeat: a new heartbeat time in the status, or a renewed lease."""
        old, new = (c.get("lastHeartbeatTime") if c is not None else None for c in (self.ready, ready))
        if old != new and ready is not None:
            self.seen_at = now
        self.ready = ready
        renewed = str(((lease or {}).get("spec") or {}).get("renewTime") or "")
        if renewed and (not self.renewed or parse_time(renewed) > parse_time(self.renewed)):
            self.renewed, self.seen_at = renewed, now


def first_health(node: Object, now: float) -> Health:
    """A node that never told its status has been silent since its creation."""
    ready = condition(node, "Ready")
    return Health(ready, now if ready is not None else parse_time(node["metadata"]["creationTimestamp"]))


def silent(health: Health, now: float) -> bool:
    """Whether the grace period passed without a heartbeat."""
    return now > health.seen_at + (GRACE_PERIOD if health.ready is not None else STARTUP_GRACE_PERIOD)


def unknown_conditions(node: Object, now: float) -> list[Object]:
    """The node's conditions, those the kubelet reports turned to Unknown."""
    conditions = [dict(c) for c in (node.get("status") or {}).get("conditions") or ()]
    by_type = {c["type"]: c for c in conditions}
    stamp = rfc3339(now)
    for kind in WATCHED:
        found = by_type.get(kind)
        if found is None:
            conditions.append(
                {
                    "type": kind,
                    "status": "Unknown",
                    "lastHeartbeatTime": node["metadata"]["creationTimestamp"],
                    "lastTransitionTime": stamp,
                    "reason": "NodeStatusNeverUpdated",
                    "message": "Kubelet never posted node status.",
                }
            )
        elif found["status"] != "Unknown":
            found["status"], found["lastTransitionTime"] = "Unknown", stamp
            found["reason"], found["message"] = "NodeStatusUnknown", "Kubelet stopped posting node status."
    return conditions


def zone_of(node: Object) -> str:
    """Region and zone as one key (component-helpers node/topology GetZoneKey)."""
    found = labels(node)
    region = found.get("topology.kubernetes.io/region", "")
    zone = found.get("topology.kubernetes.io/zone", "")
    return f"{region}:\x00:{zone}" if region or zone else ""


def zone_state(ready: Iterable[bool]) -> str:
    """Normal, PartialDisruption or FullDisruption of a zone, from whether each node is ready."""
    nodes = list(ready)
    bad = sum(1 for one in nodes if not one)
    if bad and bad == len(nodes):
        return "FullDisruption"
    return "PartialDisruption" if bad > 2 and bad / len(nodes) >= UNHEALTHY_SHARE else "Normal"


@dataclass
class Zone:
    """The nodes of a zone that wait for their NoExecute taint: one per 1/qps seconds, none when qps is 0."""

    state: str = "Initial"
    qps: float = EVICTION_QPS
    waiting: dict[str, None] = field(default_factory=dict)
    last: float = float("-inf")

    def set_state(self, state: str, size: int) -> None:
        self.state = state
        self.qps = EVICTION_QPS
        if state == "PartialDisruption":
            self.qps = SECONDARY_EVICTION_QPS if size > LARGE_CLUSTER else 0.0

    def next_in(self, now: float) -> float | None:
        """Seconds until the next node may be tainted; None when that is never."""
        if not self.waiting or self.qps <= 0:
            return None
        return max(0.0, self.last + 1 / self.qps - now)
