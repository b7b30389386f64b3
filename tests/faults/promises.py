"""What evictions and rollouts promise, walked write by write: budgets, quotas, surge and availability.

Promises of these kinds hold for what the controllers know. So the strict form is checked up to the moment `quiet`, at
which the first fault strikes or somebody takes a pod away; after it what must hold even then.
"""

from __future__ import annotations

from typing import Any

from faults.invariants import Broken, ended, is_ready
from minik8s.cluster import Cluster
from minik8s.store import Event

Object = dict[str, Any]
Place = tuple[str, str]


def healthy(pod: Object) -> bool:
    """Ready and staying."""
    return is_ready(pod) and not pod["metadata"].get("deletionTimestamp") and not ended(pod)


def check_budgets(cluster: Cluster, quiet: float) -> None:
    """No eviction without an allowance; before `quiet` the pods that stay are enough; quotas are never exceeded."""
    pods: dict[Place, Object] = {}
    budgets: dict[Place, Object] = {}
    limits: dict[str, int] = {}
    for event in cluster.store.events:
        place = (event.key.namespace, event.key.name)
        if event.key.resource == "poddisruptionbudgets.policy":
            _spent(budgets.get(place), event)
            budgets[place] = event.object
        elif event.key.resource == "resourcequotas":
            limits[place[0]] = int(event.object["spec"]["hard"]["pods"])
        elif event.key.resource == "pods":
            if _evicted_now(event) and event.time < quiet:
                _enough_stay(event, pods, budgets)
            pods[place] = event.object
            if event.type == "DELETED":
                del pods[place]
            if event.type == "ADDED" and place[0] in limits:
                _within_quota(event, pods, limits[place[0]])


def _spent(before: Object | None, event: Event) -> None:
    allowed = (event.object.get("status") or {}).get("disruptionsAllowed") or 0
    if allowed < 0:
        raise Broken(f"budget {event.key.name} allows {allowed} disruptions at revision {event.revision}")
    disrupted = (event.object.get("status") or {}).get("disruptedPods") or {}
    earlier = ((before or {}).get("status") or {}).get("disruptedPods") or {}
    had = ((before or {}).get("status") or {}).get("disruptionsAllowed") or 0
    if set(disrupted) - set(earlier) and allowed > had - 1:
        raise Broken(f"an eviction cost budget {event.key.name} nothing at revision {event.revision}")


def _evicted_now(event: Event) -> bool:
    """Whether this write marks a healthy pod as evicted through the API."""
    if event.type != "MODIFIED" or event.old is None or not healthy(event.old):
        return False
    conditions = (event.object.get("status") or {}).get("conditions") or ()
    reasons = [c.get("reason") for c in conditions if c["type"] == "DisruptionTarget" and c["status"] == "True"]
    return "EvictionByEvictionAPI" in reasons and not _marked(event.old)


def _marked(pod: Object) -> bool:
    return any(c["type"] == "DisruptionTarget" for c in (pod.get("status") or {}).get("conditions") or ())


def _enough_stay(event: Event, pods: dict[Place, Object], budgets: dict[Place, Object]) -> None:
    labels = event.object["metadata"].get("labels") or {}
    for (space, name), budget in budgets.items():
        wanted = budget["spec"]["selector"]["matchLabels"]
        if space != event.key.namespace or any(labels.get(k) != v for k, v in wanted.items()):
            continue
        staying = [
            other for (home, other), pod in pods.items()
            if home == space and other != event.key.name and healthy(pod) and not _marked(pod)
            and all((pod["metadata"].get("labels") or {}).get(k) == v for k, v in wanted.items())
        ]  # fmt: skip
        if len(staying) < budget["spec"]["minAvailable"]:
            raise Broken(f"{event.key.name} was evicted against budget {name} at revision {event.revision}")


def _within_quota(event: Event, pods: dict[Place, Object], limit: int) -> None:
    count = sum(1 for (space, _), pod in pods.items() if space == event.key.namespace and not ended(pod))
    if count > limit:
        raise Broken(f"{count} pods in {event.key.namespace}, whose quota is {limit}, at revision {event.revision}")


class Rollout:
    """One Deployment during the walk: what is wanted, its ReplicaSets and its pods that are healthy."""

    def __init__(self, uid: str, name: str) -> None:
        self.uid, self.name = uid, name
        self.wanted = self.most = 0
        self.changed = 0.0
        self.sets: dict[str, int] = {}
        self.up: set[str] = set()
        self.floor = self.ceiling = 0

    def read(self, event: Event) -> None:
        """The Deployment's own write: bounds from its strategy, 25 % unless it says otherwise."""
        wanted = event.object["spec"].get("replicas", 1)
        if wanted != self.wanted:
            self.changed = event.time
        self.wanted, self.most = wanted, max(self.most, wanted)
        self.floor = wanted - wanted // 4
        self.ceiling = wanted + -(-wanted // 4)

    def scaled(self, event: Event, quiet: float) -> None:
        """A ReplicaSet's write: growing it must not lead above the surge."""
        before = self.sets.get(event.key.name, 0)
        now = 0 if event.type == "DELETED" else event.object["spec"].get("replicas", 1)
        self.sets[event.key.name] = now
        settled = event.time > self.changed + 1  # the controller may not have heard of a new size yet
        ceiling = self.ceiling if event.time < quiet and settled else self.most + -(-self.most // 4)
        if now > before and sum(self.sets.values()) > ceiling:
            raise Broken(f"{self.name}: replica sets {self.sets} go over {ceiling} at revision {event.revision}")

    def pod(self, event: Event, quiet: float) -> None:
        """A pod's write: taking a healthy one away must not lead below what has to be available."""
        was = len(self.up)
        self.up.discard(event.key.name)
        if event.type != "DELETED" and healthy(event.object):
            self.up.add(event.key.name)
        if len(self.up) < was and event.time < quiet and len(self.up) < self.floor <= was:
            raise Broken(f"{self.name}: {len(self.up)} of {self.wanted} available at revision {event.revision}")


def check_rollouts(cluster: Cluster, quiet: float) -> None:
    """Never above desired + maxSurge; before `quiet` never below desired - maxUnavailable."""
    rollouts: dict[str, Rollout] = {}
    parents: dict[str, Rollout] = {}
    for event in cluster.store.events:
        uid = event.object["metadata"]["uid"]
        if event.key.resource == "deployments.apps":
            rollouts.setdefault(uid, Rollout(uid, event.key.name)).read(event)
        elif event.key.resource == "replicasets.apps":
            rollout = _parent(event.object, rollouts)
            if rollout is not None:
                parents[uid] = rollout
                rollout.scaled(event, quiet)
        elif event.key.resource == "pods":
            rollout = _parent(event.object, parents)
            if rollout is not None:
                rollout.pod(event, quiet)


def _parent(obj: Object, known: dict[str, Rollout]) -> Rollout | None:
    owners = [known.get(owner["uid"]) for owner in obj["metadata"].get("ownerReferences") or ()]
    return owners[0] if owners else None
