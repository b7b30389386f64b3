"""What must hold at every revision, and what must hold once everybody had time to recover."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from minik8s.client import Informers, WorkQueue
from minik8s.cluster import Cluster
from minik8s.kubelet.admission import pod_requests
from minik8s.objects.quantity import milli, value
from minik8s.store import Event

Object = dict[str, Any]
TRIES = 5
PROCESSES = ("kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy")


class Broken(AssertionError):
    """An invariant does not hold."""


def ended(pod: Object) -> bool:
    return (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")


def is_ready(pod: Object) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def check_revisions(cluster: Cluster) -> None:
    """Walk all writes: no pod changes its node, no node is given more than it has."""
    used: dict[str, dict[str, dict[str, int]]] = {}
    for event in cluster.store.events:
        if event.key.resource != "pods":
            continue
        _one_node(event)
        for name, uid, amounts in _booked(event):
            table = used.setdefault(name, {})
            if amounts is None:
                table.pop(uid, None)
            else:
                table[uid] = amounts
                _fits(cluster, name, table, event)


def _one_node(event: Event) -> None:
    if event.old is None or event.type == "DELETED":
        return
    before, after = event.old["spec"].get("nodeName"), event.object["spec"].get("nodeName")
    if before and before != after:
        raise Broken(f"{event.key.name} moved from {before} to {after} at revision {event.revision}")


def _booked(event: Event) -> Iterator[tuple[str, str, dict[str, int] | None]]:
    pod = event.object
    node = pod["spec"].get("nodeName")
    if node:
        gone = event.type == "DELETED" or ended(pod)
        yield node, pod["metadata"]["uid"], None if gone else pod_requests(pod["spec"])


def _fits(cluster: Cluster, node: str, table: dict[str, dict[str, int]], event: Event) -> None:
    have = cluster.fleet[node].config.allocatable()
    for resource, unit in (("cpu", milli), ("memory", value)):
        total = sum(amounts.get(resource, 0) for amounts in table.values())
        if total > unit(have[resource]):
            raise Broken(f"{node}: {resource} {total} of {have[resource]} booked at revision {event.revision}")
    if len(table) > value(have["pods"]):
        raise Broken(f"{node}: {len(table)} pods at revision {event.revision}")


def check_now(cluster: Cluster) -> None:
    """At any moment: a pod runs on one machine only, and names of stateful pods are used once."""
    places: dict[tuple[str, str], list[str]] = {}
    for kubelet in cluster.fleet.all():
        for worker in kubelet.pods.values():
            meta = worker.pod["metadata"]
            if any(c.running is not None for c in worker.containers()):
                places.setdefault((meta["namespace"], meta["name"]), []).append(f"{kubelet.name}:{meta['uid']}")
    for (_, name), found in places.items():
        if len({entry.partition(":")[2] for entry in found}) < len(found):
            raise Broken(f"pod {name} runs twice: {found}")


def unconverged(cluster: Cluster) -> list[str]:
    """What is still different from what was asked for."""
    out = []
    store = cluster.store
    for resource in ("deployments.apps", "replicasets.apps", "statefulsets.apps"):
        for obj in store.list(resource):
            wanted, status = _affordable(cluster, obj), obj.get("status") or {}
            if (status.get("readyReplicas") or 0) != wanted or (status.get("replicas") or 0) != wanted:
                ready = status.get("readyReplicas") or 0
                out.append(f"{resource}/{obj['metadata']['name']}: {ready} of {wanted} ready")
            if status.get("observedGeneration") != obj["metadata"].get("generation"):
                out.append(f"{resource}/{obj['metadata']['name']}: not observed")
    for obj in store.list("namespaces"):
        if obj["metadata"].get("deletionTimestamp"):
            out.append(f"namespaces/{obj['metadata']['name']}: deleting")
    for obj in store.list("persistentvolumeclaims"):
        if (obj.get("status") or {}).get("phase") != "Bound":
            out.append(f"persistentvolumeclaims/{obj['metadata']['name']}: not bound")
    for obj in store.list("resourcequotas"):
        used = ((obj.get("status") or {}).get("used") or {}).get("pods")
        there = sum(not ended(pod) for pod in store.list("pods", obj["metadata"]["namespace"]))
        if used != str(there):
            out.append(f"resourcequotas/{obj['metadata']['name']}: {used} used, {there} there")
    for obj in store.list("daemonsets.apps"):
        status = obj.get("status") or {}
        if (status.get("numberReady") or 0) != len(store.list("nodes")):
            out.append(f"daemonsets/{obj['metadata']['name']}: {status.get('numberReady') or 0} ready")
    for obj in store.list("jobs.batch"):
        if not any(c["type"] in ("Complete", "Failed") for c in (obj.get("status") or {}).get("conditions") or ()):
            out.append(f"jobs/{obj['metadata']['name']}: unfinished")
    for node in store.list("nodes"):
        ready = [c["status"] for c in node["status"]["conditions"] if c["type"] == "Ready"]
        if ready != ["True"] or node["spec"].get("taints"):
            out.append(f"nodes/{node['metadata']['name']}: {ready} {node['spec'].get('taints') or ''}")
    going = [p["metadata"]["name"] for p in store.list("pods") if p["metadata"].get("deletionTimestamp")]
    out += [f"pods/{name}: deleting" for name in going]
    return out


def _affordable(cluster: Cluster, obj: Object) -> int:
    """Replicas that are asked for, as far as a quota allows them."""
    wanted = int(obj["spec"].get("replicas", 1))
    for quota in cluster.store.list("resourcequotas", obj["metadata"]["namespace"]):
        wanted = min(wanted, int(quota["spec"]["hard"]["pods"]))
    return wanted


def check_settled(cluster: Cluster) -> None:
    """After recovery: no orphan in the API or on a machine, no cache that missed something."""
    _no_orphans(cluster)
    _machines_agree(cluster)
    _nobody_waits(cluster)
    for _ in range(TRIES):
        stale = [text for name in PROCESSES if (text := _stale_cache(cluster, name))]
        if not stale:
            return
        # A heartbeat may have been written this very moment; its news is still under way.
        cluster.advance(0.013)
    raise Broken(stale[0])


def _no_orphans(cluster: Cluster) -> None:
    known = {obj["metadata"]["uid"] for resource in cluster.store.resources() for obj in cluster.store.list(resource)}
    spaces = {obj["metadata"]["name"] for obj in cluster.store.list("namespaces")}
    for resource in cluster.store.resources():
        for obj in cluster.store.list(resource):
            if obj["metadata"].get("namespace", "default") not in spaces:
                raise Broken(f"{resource}/{obj['metadata']['name']} outlived its namespace")
            for owner in obj["metadata"].get("ownerReferences") or ():
                if owner["uid"] not in known:
                    raise Broken(f"{resource}/{obj['metadata']['name']} outlived its owner {owner['name']}")


def _machines_agree(cluster: Cluster) -> None:
    alive = {p["metadata"]["uid"]: p for p in cluster.store.list("pods")}
    for kubelet in cluster.fleet.all():
        for uid, worker in kubelet.pods.items():
            if any(c.running is not None for c in worker.containers()):
                pod = alive.get(uid)
                if pod is None or pod["spec"].get("nodeName") != kubelet.name:
                    raise Broken(f"{worker} runs on {kubelet.name}, but not in the API")
    for pod in alive.values():
        node = pod["spec"].get("nodeName")
        if node and not ended(pod) and pod["metadata"]["uid"] not in cluster.fleet[node].pods:
            raise Broken(f"pod {pod['metadata']['name']} is bound to {node}, whose kubelet does not know it")


def _nobody_waits(cluster: Cluster) -> None:
    """No controller holds a key that nothing will make it look at: a lost wake-up."""
    cluster.clock.run_ready()
    for process in PROCESSES:
        for part in cluster.controlplane.process(process).parts.values():
            queue = getattr(getattr(part.start, "__self__", None), "queue", None)
            if isinstance(queue, WorkQueue) and len(queue) and not queue._planned:
                raise Broken(f"{part.name} sleeps over {list(queue._waiting)}")


def _stale_cache(cluster: Cluster, process: str) -> str:
    informers: Informers | None = cluster.controlplane.process(process).informers
    if informers is None:
        return ""
    for resource in cluster.store.resources():
        if resource not in informers._made:
            continue
        cached = {(o["metadata"].get("namespace", ""), o["metadata"]["name"]): o for o in informers(resource).list()}
        stored = {(o["metadata"].get("namespace", ""), o["metadata"]["name"]): o for o in cluster.store.list(resource)}
        if {k: o["metadata"]["resourceVersion"] for k, o in cached.items()} != {
            k: o["metadata"]["resourceVersion"] for k, o in stored.items()
        }:
            return f"{process}'s cache of {resource} differs from the store"
    return ""


def check_watch(
    cluster: Cluster, resource: str, namespace: str | None, seen: list[tuple[str, str, str]], since: int
) -> None:
    """A watcher from revision `since` on has seen every write once, in order."""
    wanted = [(e.type, e.key.name, e.object["metadata"]["resourceVersion"]) for e in cluster.store.events
              if e.key.resource == resource and e.revision > since and namespace in (None, e.key.namespace)]
    if seen != wanted:
        pairs = enumerate(zip(seen, wanted, strict=False))
        at = next((i for i, (a, b) in pairs if a != b), min(len(seen), len(wanted)))
        raise Broken(f"watch of {resource} differs at event {at}: {seen[at:at + 1]} instead of {wanted[at:at + 1]}")
