"""apps/v1. Source: ``pkg/apis/apps/validation/validation.go`` and the strategies' ``ValidateUpdate``."""

from __future__ import annotations

from typing import Any

from minik8s.objects.frozen import Object
from minik8s.objects.selectors import SelectorError, matches
from minik8s.objects.validation import meta, names, pods
from minik8s.objects.validation.core import replicas_status, template_restart_always
from minik8s.objects.validation.field import (
    Errors,
    GoValue,
    forbidden,
    invalid,
    messages_invalid,
    not_supported,
    required,
)
from minik8s.objects.validation.rules import Rules, twice
from minik8s.objects.validation.storage_core import claim_spec

_MISMATCH = "`selector` does not match template `labels`"
SELECTOR = "*meta.v1.LabelSelector"


def selector_and_template(errors: Errors, spec: Object, kind: str, invalid_words: str) -> bool:
    """The selector, and that the template's labels fit it; False when the selector cannot be understood."""
    selector = spec.get("selector")
    if selector is None:
        errors.append(required("spec.selector"))
    else:
        meta.label_selector(errors, selector, "spec.selector")
        if not selector.get("matchLabels") and not selector.get("matchExpressions"):
            errors.append(invalid("spec.selector", GoValue(selector, SELECTOR),
                                  f"empty selector is invalid for {kind}"))
    labels = (spec["template"].get("metadata") or {}).get("labels")
    try:
        fits = selector is not None and matches(selector, labels or {})
    except SelectorError:
        errors.append(invalid("spec.selector", GoValue(selector, SELECTOR), invalid_words))
        return False
    if not fits:
        errors.append(invalid("spec.template.metadata.labels", labels, _MISMATCH))
    return True


def positive_int_or_percent(errors: Errors, value: Any, path: str) -> None:
    if isinstance(value, str):
        messages_invalid(errors, path, value, names.percent(value))
    elif value is not None and value < 0:
        errors.append(invalid(path, value, meta.NEGATIVE))


def not_above_100_percent(errors: Errors, value: Any, path: str) -> None:
    if isinstance(value, str) and not names.percent(value) and int(value[:-1]) > 100:
        errors.append(invalid(path, value, "must not be greater than 100%"))


def amount(value: Any) -> int:
    """The number in an int-or-percent, 0 when there is none."""
    if isinstance(value, str):
        return int(value[:-1]) if not names.percent(value) else 0
    return value or 0


# -- Deployment, ReplicaSet --
def _deployment_spec(errors: Errors, spec: Object) -> None:
    meta.nonnegative(errors, spec.get("replicas"), "spec.replicas")
    if selector_and_template(errors, spec, "deployment", "invalid label selector"):
        pods.pod_template_spec(errors, spec["template"], "spec.template")
        template_restart_always(errors, spec["template"], "spec.template", "ReplicaSet")
    _deployment_strategy(errors, spec.get("strategy") or {}, "spec.strategy")
    for key in ("minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds"):
        meta.nonnegative(errors, spec.get(key), f"spec.{key}")
    deadline = spec.get("progressDeadlineSeconds")
    if deadline is not None and deadline <= spec.get("minReadySeconds", 0):
        errors.append(invalid("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds"))


def _deployment_strategy(errors: Errors, strategy: Object, path: str) -> None:
    kind, rolling = strategy.get("type", ""), strategy.get("rollingUpdate")
    if kind == "Recreate":
        if rolling is not None:
            errors.append(forbidden(f"{path}.rollingUpdate", "may not be specified when strategy `type` is 'Recreate'"))
    elif kind == "RollingUpdate":
        if rolling is None:
            errors.append(required(f"{path}.rollingUpdate", "this should be defaulted and never be nil"))
            return
        unavailable, surge = rolling.get("maxUnavailable"), rolling.get("maxSurge")
        positive_int_or_percent(errors, unavailable, f"{path}.rollingUpdate.maxUnavailable")
        positive_int_or_percent(errors, surge, f"{path}.rollingUpdate.maxSurge")
        if amount(unavailable) == 0 and amount(surge) == 0:
            errors.append(invalid(f"{path}.rollingUpdate.maxUnavailable", unavailable,
                                  "may not be 0 when `maxSurge` is 0"))
        not_above_100_percent(errors, unavailable, f"{path}.rollingUpdate.maxUnavailable")
    else:
        errors.append(not_supported(path, GoValue(strategy, "apps.v1.DeploymentStrategy"),
                                    ("Recreate", "RollingUpdate")))


def deployment(errors: Errors, obj: Object) -> None:
    meta.object_meta(errors, obj["metadata"], True, names.name_is_subdomain)
    _deployment_spec(errors, obj["spec"])


def deployment_update(errors: Errors, new: Object, old: Object) -> None:
    meta.object_meta_update(errors, new["metadata"], old["metadata"])
    if new["spec"] is not old["spec"]:
        _deployment_spec(errors, new["spec"])
        meta.immutable(errors, new["spec"].get("selector"), old["spec"].get("selector"), "spec.selector", SELECTOR)


def deployment_status_update(errors: Errors, new: Object, old: Object) -> None:
    meta.object_meta_update(errors, new["metadata"], old["metadata"])
    replicas_status(errors, new["status"], ("updatedReplicas", "readyReplicas", "availableReplicas"))
    _collisions(errors, new["status"], old["status"])


def _collisions(errors: Errors, status: Object, old: Object) -> None:
    now, before = status.get("collisionCount"), old.get("collisionCount")
    if before is not None and (now is None or now < before):
        errors.append(invalid("status.collisionCount", now or 0, "cannot be decremented"))


def _replica_set_spec(errors: Errors, spec: Object) -> None:
    meta.nonnegative(errors, spec.get("replicas"), "spec.replicas")
    meta.nonnegative(errors, spec.get("minReadySeconds"), "spec.minReadySeconds")
    if selector_and_template(errors, spec, "deployment", "invalid label selector"):
        pods.pod_template_spec(errors, spec["template"], "spec.template")
        template_restart_always(errors, spec["template"], "spec.template", "ReplicaSet")


def replica_set(errors: Errors, obj: Object) -> None:
    meta.object_meta(errors, obj["metadata"], True, names.name_is_subdomain)
    _replica_set_spec(errors, obj["spec"])


def replica_set_update(errors: Errors, new: Object, old: Object) -> None:
    meta.object_meta_update(errors, new["metadata"], old["metadata"])
    if new["spec"] is not old["spec"]:
        _replica_set_spec(errors, new["spec"])
        meta.immutable(errors, new["spec"].get("selector"), old["spec"].get("selector"), "spec.selector", SELECTOR)


def replica_set_status_update(errors: Errors, new: Object, old: Object) -> None:
    meta.object_meta_update(errors, new["metadata"], old["metadata"])
    replicas_status(errors, new["status"], ("fullyLabeledReplicas", "readyReplicas", "availableReplicas"))


# -- DaemonSet --
def _daemon_set_spec(errors: Errors, spec: Object) -> None:
    if selector_and_template(errors, spec, "daemonset", ""):
        pods.pod_template_spec(errors, spec["template"], "spec.template")
        template_restart_always(errors, spec["template"], "spec.template", "DaemonSet")
    meta.nonnegative(errors, spec.get("minReadySeconds"), "spec.minReadySeconds")
    _daemon_set_strategy(errors, spec.get("updateStrategy") or {}, "spec.updateStrategy")
    meta.nonnegative(errors, spec.get("revisionHistoryLimit"), "spec.revisionHistoryLimit")


def _daemon_set_strategy(errors: Errors, strategy: Object, path: str) -> None:
    kind, rolling = strategy.get("type", ""), strategy.get("rollingUpdate")
    if kind == "OnDelete":
        return
    if kind != "RollingUpdate":
        errors.append(not_supported(path, GoValue(strategy, "apps.v1.DaemonSetUpdateStrategy"),
                                    ("RollingUpdate", "OnDelete")))
        return
    at = f"{path}.rollingUpdate"
    if rolling is None:
        errors.append(required(at))
        return
    unavailable, surge = rolling.get("maxUnavailable"), rolling.get("maxSurge")
    positive_int_or_percent(errors, unavailable, f"{at}.maxUnavailable")
    positive_int_or_percent(errors, surge, f"{at}.maxSurge")
    if amount(unavailable) and amount(surge):
        errors.append(invalid(f"{at}.maxSurge", surge, "may not be set when maxUnavailable is non-zero"))
    elif not amount(unavailable) and not amount(surge):
        errors.append(required(f"{at}.maxUnavailable", "cannot be 0 when maxSurge is 0"))
    not_above_100_percent(errors, unavailable, f"{at}.maxUnavailable")
    not_above_100_percent(errors, surge, f"{at}.maxSurge")


def daemon_set(errors: Errors, obj: Object) -> None:
    meta.object_meta(errors, obj["metadata"], True, names.name_is_subdomain)
    _daemon_set_spec(errors, obj["spec"])


def daemon_set_update(errors: Errors, new: Object, old: Object) -> None:
    meta.object_meta_update(errors, new["metadata"], old["metadata"])
    if new["spec"] is not old["spec"]:
        _daemon_set_spec(errors, new["spec"])
        meta.immutable(errors, new["spec"].get("selector"), old["spec"].get("selector"), "spec.selector", SELECTOR)


_DAEMON_COUNTS = ("currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled", "numberReady",
                  "observedGeneration", "updatedNumberScheduled", "numberAvailable", "numberUnavailable")


def daemon_set_status_update(errors: Errors, new: Object, old: Object) -> None:
    meta.object_meta_update(errors, new["metadata"], old["metadata"])
    for key in _DAEMON_COUNTS:
        meta.nonnegative(errors, new["status"].get(key), f"status.{key}")
    _collisions(errors, new["status"], old["status"])


# -- StatefulSet --
_MANAGEMENT = ("OrderedReady", "Parallel")
_RETENTION = ("Retain", "Delete")
_UPDATABLE = ("updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', "
              "'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden")
_UPDATABLE_KEYS = ("replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit",
                   "persistentVolumeClaimRetentionPolicy", "minReadySeconds")


def _stateful_set_spec(errors: Errors, spec: Object, *, on_create: bool) -> None:
    management = spec.get("podManagementPolicy", "")
    if management not in _MANAGEMENT:
        errors.append(invalid("spec.podManagementPolicy", management, "must be 'OrderedReady' or 'Parallel'")
                      if management else required("spec.podManagementPolicy"))
    _stateful_set_strategy(errors, spec.get("updateStrategy") or {}, "spec.updateStrategy")
    for key, value in (spec.get("persistentVolumeClaimRetentionPolicy") or {}).items():
        if value not in _RETENTION:
            errors.append(not_supported(f"spec.persistentVolumeClaimRetentionPolicy.{key}", value, _RETENTION))
    meta.nonnegative(errors, spec.get("replicas"), "spec.replicas")
    meta.nonnegative(errors, spec.get("minReadySeconds"), "spec.minReadySeconds")
    if spec.get("ordinals") is not None:
        meta.nonnegative(errors, spec["ordinals"].get("start"), "spec.ordinals.start")
    if on_create and (service := spec.get("serviceName")):
        messages_invalid(errors, "spec.serviceName", service, names.name_is_label(service, False))
    if selector_and_template(errors, spec, "statefulset", ""):
        _stateful_template(errors, spec, on_create)
    template = spec["template"]["spec"]
    if template.get("restartPolicy") != "Always":
        errors.append(not_supported("spec.template.spec.restartPolicy", template.get("restartPolicy", ""), ("Always",)))
    if template.get("activeDeadlineSeconds") is not None:
        errors.append(forbidden("spec.template.spec.activeDeadlineSeconds",
                                "activeDeadlineSeconds in StatefulSet is not Supported"))
    if on_create:
        for i, claim in enumerate(spec.get("volumeClaimTemplates") or ()):
            claim_spec(errors, claim.get("spec") or {}, f"spec.volumeClaimTemplates[{i}].spec")


def _stateful_template(errors: Errors, spec: Object, on_create: bool) -> None:
    template = spec["template"]
    if not on_create:
        own = template.get("metadata") or {}
        meta.labels(errors, own.get("labels"), "spec.template.labels")
        meta.annotation_map(errors, own.get("annotations"), "spec.template.annotations")
        return
    # Claim templates become volumes of the pods: mounts may name them.
    claims = [c["metadata"].get("name", "") for c in spec.get("volumeClaimTemplates") or () if c.get("metadata")]
    if claims:
        volumes = [v for v in template["spec"].get("volumes") or () if v.get("name") not in claims]
        volumes += [{"name": c, "persistentVolumeClaim": {"claimName": c}} for c in dict.fromkeys(claims) if c]
        template = {**template, "spec": {**template["spec"], "volumes": volumes}}
    pods.pod_template_spec(errors, template, "spec.template")


def _stateful_set_strategy(errors: Errors, strategy: Object, path: str) -> None:
    kind, rolling = strategy.get("type", ""), strategy.get("rollingUpdate")
    if not kind:
        errors.append(required(path))
    elif kind == "OnDelete":
        if rolling is not None:
            errors.append(invalid(f"{path}.rollingUpdate",
                                  GoValue(rolling, "apps.v1.RollingUpdateStatefulSetStrategy"),
                                  "only allowed for updateStrategy 'RollingUpdate'"))
    elif kind == "RollingUpdate":
        if rolling is not None:
            meta.nonnegative(errors, rolling.get("partition"), f"{path}.rollingUpdate.partition")
            unavailable = rolling.get("maxUnavailable")
            if unavailable is not None:
                positive_int_or_percent(errors, unavailable, f"{path}.rollingUpdate.maxUnavailable")
                if amount(unavailable) == 0:
                    errors.append(invalid(f"{path}.rollingUpdate.maxUnavailable", unavailable, "cannot be 0"))
                not_above_100_percent(errors, unavailable, f"{path}.rollingUpdate.maxUnavailable")
    else:
        errors.append(invalid(path, GoValue(strategy, "apps.v1.StatefulSetUpdateStrategy"),
                              "must be 'RollingUpdate' or 'OnDelete'"))


def stateful_set(errors: Errors, obj: Object) -> None:
    meta.object_meta(errors, obj["metadata"], True, names.name_is_subdomain)
    _stateful_set_spec(errors, obj["spec"], on_create=True)


def stateful_set_update(errors: Errors, new: Object, old: Object) -> None:
    meta.object_meta_update(errors, new["metadata"], old["metadata"])
    spec, before = new["spec"], old["spec"]
    if spec is before:
        return
    _stateful_set_spec(errors, spec, on_create=False)
    rest = {k: v for k, v in spec.items() if k not in _UPDATABLE_KEYS}
    if rest != {k: v for k, v in before.items() if k not in _UPDATABLE_KEYS}:
        errors.append(forbidden("spec", _UPDATABLE))


def stateful_set_status_update(errors: Errors, new: Object, old: Object) -> None:
    status = new["status"]
    for key in ("replicas", "readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas",
                "observedGeneration", "collisionCount"):
        meta.nonnegative(errors, status.get(key), f"status.{key}")
    for key in ("readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas"):
        if status.get(key, 0) > status.get("replicas", 0):
            errors.append(invalid(f"status.{key}", status[key], "cannot be greater than status.replicas"))
    if status.get("availableReplicas", 0) > status.get("readyReplicas", 0):
        errors.append(invalid("status.availableReplicas", status["availableReplicas"],
                              "cannot be greater than status.readyReplicas"))
    meta.object_meta_update(errors, new["metadata"], old["metadata"])
    _collisions(errors, status, old["status"])


def controller_revision(errors: Errors, obj: Object) -> None:
    meta.object_meta(errors, obj["metadata"], True, names.name_is_subdomain)
    if obj.get("data") is None:
        errors.append(required("data", "data is mandatory"))
    meta.nonnegative(errors, obj.get("revision"), "revision")


def controller_revision_update(errors: Errors, new: Object, old: Object) -> None:
    meta.object_meta_update(errors, new["metadata"], old["metadata"])
    controller_revision(errors, new)
    meta.immutable(errors, new.get("data"), old.get("data"), "data")


RULES: dict[tuple[str, str], Rules] = {
    ("apps", "Deployment"): Rules(deployment, deployment_update, deployment_status_update),
    ("apps", "ReplicaSet"): Rules(replica_set, twice(replica_set, replica_set_update), replica_set_status_update),
    ("apps", "DaemonSet"): Rules(daemon_set, twice(daemon_set, daemon_set_update), daemon_set_status_update),
    ("apps", "StatefulSet"): Rules(stateful_set, stateful_set_update, stateful_set_status_update),
    ("apps", "ControllerRevision"): Rules(controller_revision, controller_revision_update)}
