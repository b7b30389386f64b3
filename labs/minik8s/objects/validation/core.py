"""The other kinds of the core group. Source: ``pkg/apis/core/validation/validation.go``, ``events.go``."""

from __future__ import annotations

import json
from base64 import b64decode
from typing import Any

from minik8s.objects.frozen import Object
from minik8s.objects.validation import events, meta, names, pod_updates, pods, quotas, resources, services, storage_core
from minik8s.objects.validation.field import (
    DUPLICATE,
    Errors,
    FieldError,
    GoValue,
    duplicate,
    forbidden,
    invalid,
    messages_invalid,
    not_supported,
    required,
    too_long,
)
from minik8s.objects.validation.ips import valid_cidr
from minik8s.objects.validation.rules import Rules, metadata_update, plain, twice
from minik8s.objects.validation.scheduling import taint_effect

MAX_SECRET = 1024 * 1024
_LOCKED = "field is immutable when `immutable` is set"


# -- configuration --
def config_map(errors: Errors, obj: Object) -> None:
    meta.object_meta(errors, obj["metadata"], True, names.name_is_subdomain)
    data, binary = obj.get("data") or {}, obj.get("binaryData") or {}
    size = 0
    for key, value in data.items():
        messages_invalid(errors, f"data[{key}]", key, names.config_map_key(key))
        if key in binary:
            errors.append(invalid(f"data[{key}]", key, "duplicate of key present in binaryData"))
        size += len(value.encode())
    for key, value in binary.items():
        messages_invalid(errors, f"binaryData[{key}]", key, names.config_map_key(key))
        size += _decoded_length(value)
    if size > MAX_SECRET:
        errors.append(too_long("", MAX_SECRET))


def _decoded_length(text: str | None) -> int:
    return len(text) * 3 // 4 - text.count("=") if text else 0


def config_map_update(errors: Errors, new: Object, old: Object) -> None:
    meta.object_meta_update(errors, new["metadata"], old["metadata"])
    _locked(errors, new, old, ("data", "binaryData"))
    config_map(errors, new)


def _locked(errors: Errors, new: Object, old: Object, keys: tuple[str, ...]) -> None:
    if old.get("immutable"):
        if not new.get("immutable"):
            errors.append(forbidden("immutable", _LOCKED))
        for key in keys:
            if new.get(key) != old.get(key):
                errors.append(forbidden(key, _LOCKED))


_SECRET_NEEDS = {"kubernetes.io/tls": ("tls.crt", "tls.key")}
_DOCKER = {"kubernetes.io/dockercfg": ".dockercfg", "kubernetes.io/dockerconfigjson": ".dockerconfigjson"}
_ACCOUNT_NAME = "kubernetes.io/service-account.name"


def secret(errors: Errors, obj: Object) -> None:
    meta.object_meta(errors, obj["metadata"], True, names.name_is_subdomain)
    data, kind = obj.get("data") or {}, obj.get("type", "")
    for key in data:
        messages_invalid(errors, f"data[{key}]", key, names.config_map_key(key))
    if sum(_decoded_length(value) for value in data.values()) > MAX_SECRET:
        errors.append(too_long("data", MAX_SECRET))
    if kind == "kubernetes.io/service-account-token":
        if not (obj["metadata"].get("annotations") or {}).get(_ACCOUNT_NAME):
            errors.append(required(f"metadata.annotations[{_ACCOUNT_NAME}]"))
    elif kind in _DOCKER:
        _docker_config(errors, data, _DOCKER[kind])
    elif kind == "kubernetes.io/basic-auth":
        if "username" not in data and "password" not in data:
            errors += [required("data[username]"), required("data[password]")]
    elif kind == "kubernetes.io/ssh-auth":
        if not data.get("ssh-privatekey"):
            errors.append(required("data[ssh-privatekey]"))
    else:
        errors += [required(f"data[{key}]") for key in _SECRET_NEEDS.get(kind, ()) if key not in data]


def _docker_config(errors: Errors, data: dict[str, str], key: str) -> None:
    if key not in data:
        errors.append(required(f"data[{key}]"))
        return
    problem = _json_problem(b64decode(data[key] or ""))
    if problem:
        errors.append(invalid(f"data[{key}]", "<secret contents redacted>", problem))


def _json_problem(content: bytes) -> str:
    """Go's words for content that is no JSON object."""
    text = content.decode("utf-8", "replace")
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        if error.pos >= len(text):
            return "unexpected end of JSON input"
        where = "beginning of value" if error.pos == len(text) - len(text.lstrip()) else "object key string"
        return f"invalid character '{text[error.pos]}' looking for {where}"
    kinds = {list: "array", str: "string", int: "number", float: "number", bool: "bool"}
    if value is None or isinstance(value, dict):
        return ""
    return f"json: cannot unmarshal {kinds[type(value)]} into Go value of type map[string]interface {{}}"


def secret_update(errors: Errors, new: Object, old: Object) -> None:
    meta.object_meta_update(errors, new["metadata"], old["metadata"])
    meta.immutable(errors, new.get("type", ""), old.get("type", ""), "type")
    _locked(errors, new, old, ("data",))
    secret(errors, new)


# -- nodes and namespaces --
def node(errors: Errors, obj: Object) -> None:
    meta.object_meta(errors, obj["metadata"], False, names.name_is_subdomain)
    _taints(errors, obj["spec"].get("taints"))
    _node_resources(errors, obj)
    for i, cidr in enumerate(obj["spec"].get("podCIDRs") or ()):
        valid_cidr(errors, cidr, f"spec.podCIDRs[{i}]", legacy=True)


def _node_resources(errors: Errors, obj: Object) -> None:
    for key in ("capacity", "allocatable"):
        for name, text in (obj["status"].get(key) or {}).items():
            resources.quantity_value(errors, name, text, f"status.{key}.{name}")


def _taints(errors: Errors, taints: list[Object] | None) -> None:
    seen = set()
    for i, taint in enumerate(taints or ()):
        at = f"metadata.taints[{i}]"
        meta.label_name(errors, taint.get("key", ""), f"{at}.key")
        if messages := names.label_value(taint.get("value", "")):
            errors.append(invalid(f"{at}.value", taint["value"], ";".join(messages)))
        taint_effect(errors, taint.get("effect", ""), f"{at}.effect")
        key = (taint.get("key"), taint.get("effect"))
        if key in seen:
            errors.append(FieldError(DUPLICATE, at, GoValue(taint, "core.v1.Taint"),
                                     "taints must be unique by key and effect pair"))
        seen.add(key)


def node_update(errors: Errors, new: Object, old: Object) -> None:
    meta.object_meta_update(errors, new["metadata"], old["metadata"])
    _node_resources(errors, new)
    seen: list[Any] = []
    for i, address in enumerate(new["status"].get("addresses") or ()):
        if address in seen:
            errors.append(duplicate(f"status.addresses[{i}]", GoValue(address, "core.v1.NodeAddress")))
        seen.append(address)
    spec, before = new["spec"], old["spec"]
    if before.get("podCIDRs") and spec.get("podCIDRs") != before["podCIDRs"]:
        errors.append(forbidden("spec.podCIDRs", 'node updates may not change podCIDR except from "" to valid'))
    if before.get("providerID") and spec.get("providerID") != before["providerID"]:
        errors.append(forbidden("spec.providerID", 'node updates may not change providerID except from "" to valid'))
    _taints(errors, spec.get("taints"))


def namespace(errors: Errors, obj: Object) -> None:
    meta.object_meta(errors, obj["metadata"], False, names.name_is_label)
    for finalizer in obj["spec"].get("finalizers") or ():
        meta.finalizer_name(errors, finalizer, "spec.finalizers")


def namespace_status_update(errors: Errors, new: Object, old: Object) -> None:
    meta.object_meta_update(errors, new["metadata"], old["metadata"])
    phase, ending = new["status"].get("phase", ""), bool(new["metadata"].get("deletionTimestamp"))
    if not ending and phase != "Active":
        errors.append(invalid("status.Phase", phase, "may only be 'Active' if `deletionTimestamp` is empty"))
    if ending and phase != "Terminating":
        errors.append(invalid("status.Phase", phase, "may only be 'Terminating' if `deletionTimestamp` is not empty"))


def namespace_finalize_update(errors: Errors, new: Object, old: Object) -> None:
    meta.object_meta_update(errors, new["metadata"], old["metadata"])
    for i, finalizer in enumerate(new["spec"].get("finalizers") or ()):
        meta.finalizer_name(errors, finalizer, f"spec.finalizers[{i}]")


# -- replication controllers --
def replication_controller(errors: Errors, obj: Object) -> None:
    meta.object_meta(errors, obj["metadata"], True, names.name_is_subdomain)
    _controller_spec(errors, obj["spec"])


def _controller_spec(errors: Errors, spec: Object) -> None:
    meta.nonnegative(errors, spec.get("minReadySeconds"), "spec.minReadySeconds")
    selector = spec.get("selector") or {}
    if not selector:
        errors.append(required("spec.selector"))
    replicas = spec.get("replicas")
    if replicas is None:
        errors.append(required("spec.replicas"))
    meta.nonnegative(errors, replicas, "spec.replicas")
    template = spec.get("template")
    if template is None:
        errors.append(required("spec.template"))
        return
    labels = (template.get("metadata") or {}).get("labels")
    if selector and any((labels or {}).get(k) != v for k, v in selector.items()):
        errors.append(invalid("spec.template.metadata.labels", labels, "`selector` does not match template `labels`"))
    pods.pod_template_spec(errors, template, "spec.template")
    template_restart_always(errors, template, "spec.template", "ReplicationController")


def template_restart_always(errors: Errors, template: Object, path: str, kind: str) -> None:
    policy = template["spec"].get("restartPolicy", "")
    if policy != "Always":
        errors.append(not_supported(f"{path}.spec.restartPolicy", policy, ("Always",)))
    if template["spec"].get("activeDeadlineSeconds") is not None:
        errors.append(forbidden(f"{path}.spec.activeDeadlineSeconds",
                                f"activeDeadlineSeconds in {kind} is not Supported"))


def replication_controller_update(errors: Errors, new: Object, old: Object) -> None:
    meta.object_meta_update(errors, new["metadata"], old["metadata"])
    _controller_spec(errors, new["spec"])


def replicas_status(errors: Errors, status: Object, keys: tuple[str, ...]) -> None:
    """Counts in a status: not negative, and none above ``replicas``."""
    for key in ("replicas", *keys, "observedGeneration"):
        meta.nonnegative(errors, status.get(key), f"status.{key}")
    total = status.get("replicas", 0)
    for key in keys:
        if status.get(key, 0) > total:
            errors.append(invalid(f"status.{key}", status.get(key, 0), "cannot be greater than status.replicas"))
    if "availableReplicas" in keys and status.get("availableReplicas", 0) > status.get("readyReplicas", 0):
        errors.append(invalid("status.availableReplicas", status.get("availableReplicas", 0),
                              "cannot be greater than readyReplicas"))


def replica_status_update(errors: Errors, new: Object, old: Object) -> None:
    meta.object_meta_update(errors, new["metadata"], old["metadata"])
    replicas_status(errors, new["status"], ("fullyLabeledReplicas", "readyReplicas", "availableReplicas"))


RULES: dict[tuple[str, str], Rules] = {
    ("", "Pod"): Rules(pods.create, pod_updates.update, pod_updates.status_update, {
        "ephemeralcontainers": pod_updates.ephemeral_update, "resize": pod_updates.resize_update}),
    ("", "Binding"): Rules(pod_updates.binding),
    ("", "PodTemplate"): Rules(pods.pod_template_create, pods.pod_template_update),
    ("", "Service"): Rules(services.create, services.update, services.status_update),
    ("", "Endpoints"): Rules(services.endpoints_create, services.endpoints_update),
    ("", "ConfigMap"): Rules(config_map, config_map_update),
    ("", "Secret"): Rules(secret, secret_update),
    ("", "ServiceAccount"): plain(names.name_is_subdomain),
    ("", "Node"): Rules(node, twice(node, node_update), node_update),
    ("", "Namespace"): Rules(namespace, twice(namespace, metadata_update), namespace_status_update,
                             {"finalize": namespace_finalize_update}),
    ("", "ReplicationController"): Rules(
        replication_controller, twice(replication_controller, replication_controller_update), replica_status_update),
    ("", "LimitRange"): Rules(quotas.limit_range, quotas.limit_range_update),
    ("", "ResourceQuota"): Rules(quotas.quota, quotas.quota_update, quotas.quota_status_update),
    ("", "PersistentVolume"): Rules(
        storage_core.volume_create, twice(storage_core.volume_create, storage_core.volume_update),
        storage_core.volume_status_update),
    ("", "PersistentVolumeClaim"): Rules(
        storage_core.claim_create, twice(storage_core.claim_create, storage_core.claim_update),
        storage_core.claim_status_update),
    ("", "Event"): Rules(events.legacy, events.legacy_update),
    ("events.k8s.io", "Event"): Rules(events.create, events.update),
}
