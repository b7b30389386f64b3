"""The controller-level state of a namespace, without anything random."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from conformance.stories.normalise import Normaliser
from minik8s.client.api import Client
from minik8s.objects import Object
from minik8s.wire import StatusError

RESOURCES = {
    "deployments": "deployments.apps",
    "replicasets": "replicasets.apps",
    "statefulsets": "statefulsets.apps",
    "daemonsets": "daemonsets.apps",
    "controllerrevisions": "controllerrevisions.apps",
    "jobs": "jobs.batch",
    "cronjobs": "cronjobs.batch",
    "endpointslices": "endpointslices.discovery.k8s.io",
    "horizontalpodautoscalers": "horizontalpodautoscalers.autoscaling",
    "poddisruptionbudgets": "poddisruptionbudgets.policy",
}
QUIET = (
    "deployments",
    "replicasets",
    "statefulsets",
    "daemonsets",
    "jobs",
    "cronjobs",
    "pods",
    "endpointslices",
    "persistentvolumeclaims",
    "poddisruptionbudgets",
    "replicationcontrollers",
    "configmaps",
    "serviceaccounts",
)
RACY_EVENTS = {
    "FailedToUpdateEndpointSlices",
    "FailedToUpdateEndpoint",
    "FailedToCreateEndpoint",
    "FailedAttachVolume",
    "Starting",
    "RegisteredNode",
    "FailedBinding",
    "WaitForFirstConsumer",
    "NodeNotReady",
}
REVISION = "deployment.kubernetes.io/"


def items(client: Client, namespace: str, kind: str) -> list[Object]:
    try:
        return client.list(RESOURCES.get(kind, kind), namespace)
    except StatusError:
        return []


def conditions(obj: Object, *, message: bool = True) -> list[Object]:
    fields = ("type", "status", "reason", "message") if message else ("type", "status", "reason")
    found = (obj.get("status") or {}).get("conditions") or ()
    rows = [{f: c[f] for f in fields if c.get(f) is not None} for c in found]
    return sorted(rows, key=lambda c: c["type"])


def fields(obj: Object, *names: str) -> Object:
    status = obj.get("status") or {}
    return {name: status[name] for name in names if status.get(name) is not None}


def _pod(pod: Object) -> Object:
    rows = (pod.get("status") or {}).get("conditions") or ()
    out: Object = {
        "phase": (pod.get("status") or {}).get("phase"),
        "ready": any(c["type"] == "Ready" and c["status"] == "True" for c in rows),
        "scheduled": bool(pod["spec"].get("nodeName")),
        "image": pod["spec"]["containers"][0].get("image"),
        **fields(pod, "reason"),
    }
    for row in rows:
        if row["type"] == "DisruptionTarget" or (row["type"] == "PodScheduled" and row["status"] != "True"):
            out[row["type"]] = f"{row['status']} {row.get('reason')}"
    index = (pod["metadata"].get("labels") or {}).get("batch.kubernetes.io/job-completion-index")
    return out | ({"index": index} if index else {})


def _deployment(obj: Object) -> Object:
    return {
        "revision": (obj["metadata"].get("annotations") or {}).get(REVISION + "revision"),
        "generation": obj["metadata"]["generation"],
        "observed": (obj.get("status") or {}).get("observedGeneration"),
        "desired": obj["spec"]["replicas"],
        "conditions": conditions(obj),
        **fields(
            obj,
            "replicas",
            "updatedReplicas",
            "readyReplicas",
            "availableReplicas",
            "unavailableReplicas",
            "collisionCount",
            "terminatingReplicas",
        ),
    }


def _replica_set(obj: Object) -> Object:
    notes = obj["metadata"].get("annotations") or {}
    out = {
        "revision": notes.get(REVISION + "revision"),
        "desiredAnnotation": notes.get(REVISION + "desired-replicas"),
        "history": notes.get(REVISION + "revision-history"),
        "maxAnnotation": notes.get(REVISION + "max-replicas"),
        "desired": obj["spec"]["replicas"],
        "conditions": conditions(obj),
        "image": obj["spec"]["template"]["spec"]["containers"][0].get("image"),
        **fields(obj, "replicas", "fullyLabeledReplicas", "readyReplicas", "availableReplicas"),
    }
    return {key: value for key, value in out.items() if value is not None}


def _stateful_set(obj: Object) -> Object:
    status = obj["status"]
    return {
        "desired": obj["spec"]["replicas"],
        "sameRevision": status.get("currentRevision") == status.get("updateRevision"),
        **fields(
            obj,
            "replicas",
            "readyReplicas",
            "currentReplicas",
            "updatedReplicas",
            "availableReplicas",
            "observedGeneration",
        ),
    }


def _job(obj: Object) -> Object:
    status = obj.get("status") or {}
    return {
        "conditions": conditions(obj),
        "suspend": obj["spec"].get("suspend"),
        **fields(obj, "active", "ready", "succeeded", "failed", "completedIndexes", "failedIndexes", "terminating"),
        "started": bool(status.get("startTime")),
        "completed": bool(status.get("completionTime")),
    }


def _cron_job(obj: Object) -> Object:
    status = obj.get("status") or {}
    return {
        "active": len(status.get("active") or []),
        "scheduled": bool(status.get("lastScheduleTime")),
        "successful": bool(status.get("lastSuccessfulTime")),
        "suspend": obj["spec"].get("suspend"),
    }


def _slice(obj: Object) -> Object:
    counts: dict[str, int] = {}
    endpoints = obj.get("endpoints") or []
    for endpoint in endpoints:
        state = endpoint.get("conditions") or {}
        kind = " ".join(t for t in ("ready", "serving", "terminating") if state.get(t)) or "none"
        counts[kind] = counts.get(kind, 0) + len(endpoint.get("addresses") or [])
    labels = obj["metadata"].get("labels") or {}
    return {
        "service": labels.get("kubernetes.io/service-name"),
        "endpoints": counts,
        "managedBy": labels.get("endpointslice.kubernetes.io/managed-by"),
        "ports": sorted(f"{p.get('name') or '-'} {p.get('port')}/{p.get('protocol')}" for p in obj.get("ports") or []),
        "targets": sorted({(e.get("targetRef") or {}).get("kind", "-") for e in endpoints}),
    }


def _claim(obj: Object) -> Object:
    volume = obj["spec"].get("volumeName")
    return fields(obj, "phase") | ({"volumeName": volume} if volume is not None else {})


READERS: dict[str, Callable[[Object], Object]] = {
    "pods": _pod,
    "deployments": _deployment,
    "replicasets": _replica_set,
    "replicationcontrollers": _replica_set,
    "statefulsets": _stateful_set,
    "daemonsets": lambda o: {k: v for k, v in o["status"].items() if isinstance(v, int)},
    "jobs": _job,
    "cronjobs": _cron_job,
    "endpointslices": _slice,
    "persistentvolumeclaims": _claim,
    "poddisruptionbudgets": lambda o: {
        "conditions": conditions(o, message=False),
        **fields(o, "currentHealthy", "desiredHealthy", "disruptionsAllowed", "expectedPods"),
    },
    "horizontalpodautoscalers": lambda o: {
        "conditions": conditions(o),
        **fields(o, "currentReplicas", "desiredReplicas"),
    },
    "controllerrevisions": lambda o: {"revision": o["revision"]},
    "resourcequotas": lambda o: fields(o, "used", "hard"),
}


def observe(client: Client, namespace: str, kinds: list[str], normaliser: Normaliser) -> Object:
    out: Object = {}
    for kind in kinds:
        match kind:
            case "events":
                out[kind] = _events(client, namespace, normaliser)
            case "nodes":
                out[kind] = [_node(node) for node in client.list("nodes")]
            case "namespace":
                found = client.find("namespaces", "", namespace)
                out[kind] = found["status"]["phase"] if found is not None else 404
            case "persistentvolumes":
                out[kind] = [_volume(v) for v in client.list(kind, label_selector=f"story={namespace}")]
            case _:
                out[kind] = _grouped([normaliser.loose(_row(kind, o)) for o in items(client, namespace, kind)])
    return out


def _row(kind: str, obj: Object) -> Object:
    meta = obj["metadata"]
    row: Object = {"name": meta["name"]}
    owners = [f"{r['kind']}/{r['name']}" for r in meta.get("ownerReferences") or ()]
    if owners:
        row["owners"] = owners
    if meta.get("deletionTimestamp"):
        row["deleting"] = True
    reader = READERS.get(kind)
    if kind == "endpointslices":
        return _slice(obj)
    return row | (reader(obj) if reader is not None else {})


def _grouped(rows: list[Any]) -> list[Any]:
    rows.sort(key=lambda row: json.dumps(row, sort_keys=True))
    out: list[list[Any]] = []
    for row in rows:
        if out and out[-1][0] == row:
            out[-1][1] += 1
        else:
            out.append([row, 1])
    return [{**row, "count": count} if count > 1 else row for row, count in out]


def _node(node: Object) -> Object:
    return {
        "name": node["metadata"]["name"],
        "unschedulable": node["spec"].get("unschedulable", False),
        "taints": sorted(f"{t['key']}={t.get('value', '')}:{t['effect']}" for t in node["spec"].get("taints") or ()),
        "ready": [c["status"] for c in node["status"].get("conditions") or () if c["type"] == "Ready"],
    }


def _volume(volume: Object) -> Object:
    claim = (volume["spec"].get("claimRef") or {}).get("name")
    return {"name": volume["metadata"]["name"], "claim": claim, **fields(volume, "phase")}


def _events(client: Client, namespace: str, normaliser: Normaliser) -> list[str]:
    seen = set()
    for event in client.list("events", namespace):
        if event["reason"] in RACY_EVENTS or (event.get("source") or {}).get("component") == "kubelet":
            continue
        who = event["involvedObject"]
        name = f"{who['kind']}/{normaliser.suffixes(who.get('name', ''))}"
        message = normaliser.event_message(event.get("message") or "")
        seen.add(" | ".join((event["type"], event["reason"], name, message)))
    return sorted(seen)
