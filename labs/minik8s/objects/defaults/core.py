"""Defaults of the core group beside pods. Source: ``pkg/apis/core/v1/defaults.go``."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable

from minik8s.objects.defaults.pods import (
    default,
    pod,
    pod_template,
    resource_list,
    resource_requirements,
    volume_source,
)
from minik8s.objects.frozen import Object


def _service(obj: Object) -> None:
    spec = obj["spec"]
    default(spec, "sessionAffinity", "None")
    if spec["sessionAffinity"] == "None":
        if "sessionAffinityConfig" in spec:
            del spec["sessionAffinityConfig"]
    elif spec["sessionAffinity"] == "ClientIP":
        config = (spec.get("sessionAffinityConfig") or {}).get("clientIP") or {}
        if config.get("timeoutSeconds") is None:
            spec["sessionAffinityConfig"] = {"clientIP": {"timeoutSeconds": 10800}}
    default(spec, "type", "ClusterIP")
    for port in spec.get("ports") or ():
        default(port, "protocol", "TCP")
        if port["targetPort"] in (0, ""):
            port["targetPort"] = port.get("port", 0)
    kind = spec["type"]
    outside = kind in ("LoadBalancer", "NodePort") or (kind == "ClusterIP" and spec.get("externalIPs"))
    if outside:
        default(spec, "externalTrafficPolicy", "Cluster")
    if kind in ("NodePort", "LoadBalancer", "ClusterIP"):
        default(spec, "internalTrafficPolicy", "Cluster")
    if kind == "LoadBalancer":
        default(spec, "allocateLoadBalancerNodePorts", True)
        for ingress in (obj["status"].get("loadBalancer") or {}).get("ingress") or ():
            if ingress.get("ip"):
                default(ingress, "ipMode", "VIP")


def _replication_controller(obj: Object) -> None:
    spec = obj["spec"]
    template = spec.get("template")
    labels = (template or {}).get("metadata", {}).get("labels")
    if labels:
        default(spec, "selector", dict(labels))
        default(obj["metadata"], "labels", dict(labels))
    default(spec, "replicas", 1)
    pod_template(template)


def _secret(obj: Object) -> None:
    default(obj, "type", "Opaque")
    plain = obj.get("stringData")
    if plain:  # write-only convenience: it becomes data, before anything is checked
        obj["data"] = {**(obj.get("data") or {}), **{k: b64encode(v.encode()).decode() for k, v in plain.items()}}
        del obj["stringData"]


def _persistent_volume(obj: Object) -> None:
    default(obj["status"], "phase", "Pending")
    spec = obj["spec"]
    default(spec, "persistentVolumeReclaimPolicy", "Retain")
    default(spec, "volumeMode", "Filesystem")
    volume_source(spec)
    resource_list(spec.get("capacity"))


def claim_spec(spec: Object) -> None:
    default(spec, "volumeMode", "Filesystem")
    resource_requirements(spec.get("resources"))


def persistent_volume_claim(obj: Object) -> None:
    default(obj["status"], "phase", "Pending")
    claim_spec(obj["spec"])
    resource_list(obj["status"].get("capacity"))
    resource_list(obj["status"].get("allocatedResources"))


def _endpoints(obj: Object) -> None:
    for subset in obj.get("subsets") or ():
        for port in subset.get("ports") or ():
            default(port, "protocol", "TCP")


def _namespace(obj: Object) -> None:
    meta = obj["metadata"]
    if (name := meta.get("name")) and (meta.get("labels") or {}).get("kubernetes.io/metadata.name") != name:
        meta["labels"] = {**(meta.get("labels") or {}), "kubernetes.io/metadata.name": name}
    default(obj["status"], "phase", "Active")


def _node(obj: Object) -> None:
    status = obj["status"]
    if status.get("capacity"):
        resource_list(status["capacity"])
        default(status, "allocatable", dict(status["capacity"]))
    resource_list(status.get("allocatable"))


def _limit_range(obj: Object) -> None:
    for item in obj["spec"].get("limits") or ():
        for key in ("max", "min", "default", "defaultRequest", "maxLimitRequestRatio"):
            resource_list(item.get(key))
        if item.get("type") != "Container":
            continue
        limit = {**(item.get("max") or {}), **(item.get("default") or {})}
        request = {**(item.get("min") or {}), **limit, **(item.get("defaultRequest") or {})}
        if limit and limit != item.get("default"):
            item["default"] = limit
        if request and request != item.get("defaultRequest"):
            item["defaultRequest"] = request


def _resource_quota(obj: Object) -> None:
    resource_list(obj["spec"].get("hard"))
    resource_list(obj["status"].get("hard"))
    resource_list(obj["status"].get("used"))


def _pod_template(obj: Object) -> None:
    pod_template(obj.get("template"))


DEFAULTS: dict[tuple[str, str, str], Callable[[Object], None]] = {
    ("", "v1", kind): function for kind, function in {
        "Pod": pod, "PodTemplate": _pod_template, "Service": _service, "Secret": _secret, "Node": _node,
        "ReplicationController": _replication_controller, "PersistentVolume": _persistent_volume,
        "PersistentVolumeClaim": persistent_volume_claim, "Endpoints": _endpoints, "Namespace": _namespace,
        "LimitRange": _limit_range, "ResourceQuota": _resource_quota,
    }.items()}
