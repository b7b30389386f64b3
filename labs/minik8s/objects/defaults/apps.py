"""Defaults of apps/v1. Source: ``pkg/apis/apps/v1/defaults.go``."""

from __future__ import annotations

from collections.abc import Callable

from minik8s.objects.defaults.core import persistent_volume_claim
from minik8s.objects.defaults.pods import default, pod_template
from minik8s.objects.frozen import Object


def _deployment(obj: Object) -> None:
    spec = obj["spec"]
    default(spec, "replicas", 1)
    strategy = spec["strategy"]
    default(strategy, "type", "RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        default(strategy, "rollingUpdate", {})
        default(strategy["rollingUpdate"], "maxUnavailable", "25%")
        default(strategy["rollingUpdate"], "maxSurge", "25%")
    default(spec, "revisionHistoryLimit", 10)
    default(spec, "progressDeadlineSeconds", 600)
    pod_template(spec["template"])


def _replica_set(obj: Object) -> None:
    default(obj["spec"], "replicas", 1)
    pod_template(obj["spec"]["template"])


def _daemon_set(obj: Object) -> None:
    spec = obj["spec"]
    strategy = spec["updateStrategy"]
    default(strategy, "type", "RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        default(strategy, "rollingUpdate", {})
        default(strategy["rollingUpdate"], "maxUnavailable", 1)
        default(strategy["rollingUpdate"], "maxSurge", 0)
    default(spec, "revisionHistoryLimit", 10)
    pod_template(spec["template"])


def _stateful_set(obj: Object) -> None:
    spec = obj["spec"]
    default(spec, "podManagementPolicy", "OrderedReady")
    strategy = spec["updateStrategy"]
    if "type" not in strategy:
        strategy["type"] = "RollingUpdate"
        if strategy.get("rollingUpdate") is None:
            strategy["rollingUpdate"] = {"partition": 0}
    if strategy["type"] == "RollingUpdate" and strategy.get("rollingUpdate") is not None:
        default(strategy["rollingUpdate"], "partition", 0)
    policy = spec.get("persistentVolumeClaimRetentionPolicy")
    if policy is None:
        policy = spec["persistentVolumeClaimRetentionPolicy"] = {}
    default(policy, "whenDeleted", "Retain")
    default(policy, "whenScaled", "Retain")
    default(spec, "replicas", 1)
    default(spec, "revisionHistoryLimit", 10)
    pod_template(spec["template"])
    for claim in spec.get("volumeClaimTemplates") or ():
        default(claim, "kind", "PersistentVolumeClaim")
        default(claim, "apiVersion", "v1")
        persistent_volume_claim(claim)


DEFAULTS: dict[tuple[str, str, str], Callable[[Object], None]] = {
    ("apps", "v1", "Deployment"): _deployment, ("apps", "v1", "ReplicaSet"): _replica_set,
    ("apps", "v1", "DaemonSet"): _daemon_set, ("apps", "v1", "StatefulSet"): _stateful_set}
