"""The small groups: storage, scheduling, coordination, node, authentication, certificates.

Source: ``pkg/apis/<group>/validation/validation.go`` of each.
"""

from __future__ import annotations

from minik8s.objects.frozen import Object
from minik8s.objects.validation import meta, names, resources
from minik8s.objects.validation.field import (
    Errors,
    duplicate,
    forbidden,
    invalid,
    messages_invalid,
    not_supported,
    required,
    too_long,
)
from minik8s.objects.validation.pods import PREEMPTION
from minik8s.objects.validation.rules import Rules, plain, twice
from minik8s.objects.validation.scheduling import tolerations
from minik8s.objects.validation.volumes import driver_name

STORAGE = "storage.k8s.io"
HIGHEST_USER_PRIORITY = 1_000_000_000
SYSTEM_PRIORITIES = {"system-node-critical": 2_000_001_000, "system-cluster-critical": 2_000_000_000}


# -- storage --
def _provisioner(errors: Errors, name: str, path: str) -> None:
    if not name:
        errors.append(required(path))
    else:
        messages_invalid(errors, path, name, names.qualified_name(name.lower()))


def _parameters(errors: Errors, parameters: dict[str, str]) -> None:
    if len(parameters) > 512:
        errors.append(too_long("parameters", 512))
        return
    if "" in parameters:
        errors.append(invalid("parameters", "", "field can not be empty."))
    if sum(len(key.encode()) + len(value.encode()) for key, value in parameters.items()) > 256 * 1024:
        errors.append(too_long("parameters", 256 * 1024))


def volume_attributes_class(errors: Errors, obj: Object) -> None:
    meta.object_meta(errors, obj["metadata"], False, names.name_is_subdomain)
    _provisioner(errors, obj.get("driverName", ""), "driverName")
    _parameters(errors, obj.get("parameters") or {})
    if not obj.get("parameters"):
        errors.append(required("parameters", "must contain at least one key/value pair"))


def volume_attributes_class_update(errors: Errors, new: Object, old: Object) -> None:
    meta.object_meta_update(errors, new["metadata"], old["metadata"])
    for key in ("driverName", "parameters"):
        if new.get(key) != old.get(key):
            errors.append(forbidden(key, f"updates to {key} are forbidden."))
    volume_attributes_class(errors, new)


def storage_class(errors: Errors, obj: Object) -> None:
    meta.object_meta(errors, obj["metadata"], False, names.name_is_subdomain)
    _provisioner(errors, obj.get("provisioner", ""), "provisioner")
    _parameters(errors, obj.get("parameters") or {})
    policy = obj.get("reclaimPolicy", "")
    if policy and policy not in ("Delete", "Retain"):
        errors.append(not_supported("reclaimPolicy", policy, ("Delete", "Retain")))
    mode = obj.get("volumeBindingMode")
    if mode is None:
        errors.append(required("volumeBindingMode"))
    elif mode not in ("Immediate", "WaitForFirstConsumer"):
        errors.append(not_supported("volumeBindingMode", mode, ("Immediate", "WaitForFirstConsumer")))
    _topologies(errors, obj.get("allowedTopologies"))


def _topologies(errors: Errors, terms: list[Object] | None) -> None:
    for i, term in enumerate(terms or ()):
        keys = set()
        for j, expression in enumerate(term.get("matchLabelExpressions") or ()):
            at = f"allowedTopologies[{i}].matchLabelExpressions[{j}]"
            values = expression.get("values") or []
            if not values:
                errors.append(required(f"{at}.values"))
            for k, value in enumerate(values):
                if value in values[:k]:
                    errors.append(duplicate(f"{at}.values[{k}]", value))
            meta.label_name(errors, expression.get("key", ""), f"{at}.key")
            if expression.get("key") in keys:
                errors.append(duplicate(f"{at}.key", expression.get("key")))
            keys.add(expression.get("key"))


def storage_class_update(errors: Errors, new: Object, old: Object) -> None:
    meta.object_meta_update(errors, new["metadata"], old["metadata"])
    for key in ("parameters", "provisioner", "reclaimPolicy", "volumeBindingMode"):
        meta.immutable(errors, new.get(key), old.get(key), key)


def csi_driver(errors: Errors, obj: Object) -> None:
    meta.object_meta(errors, obj["metadata"], False, names.name_is_subdomain)
    driver_name(errors, obj["metadata"].get("name", ""), "name")
    _csi_driver_spec(errors, obj["spec"])


def csi_driver_update(errors: Errors, new: Object, old: Object) -> None:
    meta.object_meta_update(errors, new["metadata"], old["metadata"])
    spec, before = new["spec"], old["spec"]
    _csi_driver_spec(errors, spec)
    meta.immutable(errors, spec.get("attachRequired"), before.get("attachRequired"), "spec.attachedRequired")
    meta.immutable(errors, spec.get("volumeLifecycleModes"), before.get("volumeLifecycleModes"),
                   "spec.volumeLifecycleModes")


def _csi_driver_spec(errors: Errors, spec: Object) -> None:
    for key, shown in (("attachRequired", "attachedRequired"), ("podInfoOnMount",) * 2, ("storageCapacity",) * 2):
        if spec.get(key) is None:
            errors.append(required(f"spec.{shown}"))
    policy = spec.get("fsGroupPolicy")
    if policy is not None and policy not in ("File", "None", "ReadWriteOnceWithFSType"):
        errors.append(not_supported("spec.fsGroupPolicy", policy, ("File", "None", "ReadWriteOnceWithFSType")))
    for mode in spec.get("volumeLifecycleModes") or ():
        if mode not in ("Ephemeral", "Persistent"):
            errors.append(not_supported("spec.volumeLifecycleModes", mode, ("Ephemeral", "Persistent")))


def csi_node(errors: Errors, obj: Object) -> None:
    meta.object_meta(errors, obj["metadata"], False, names.name_is_subdomain)
    seen = set()
    for i, driver in enumerate(obj["spec"].get("drivers") or ()):
        driver_name(errors, driver.get("name", ""), f"spec.drivers[{i}].name")
        if not driver.get("nodeID"):
            errors.append(required(f"spec.drivers[{i}].nodeID"))
        if driver.get("name") in seen:
            errors.append(duplicate(f"spec.drivers[{i}].name", driver.get("name")))
        seen.add(driver.get("name"))


def csi_node_update(errors: Errors, new: Object, old: Object) -> None:
    csi_node(errors, new)
    known = {driver.get("name"): driver for driver in old["spec"].get("drivers") or ()}
    for driver in new["spec"].get("drivers") or ():
        rest, before = ({k: v for k, v in (d or {}).items() if k != "allocatable"}
                        for d in (driver, known.get(driver.get("name"))))
        if before:
            meta.immutable(errors, rest, before, "spec.drivers", "*storage.v1.CSINodeDriver")


def storage_capacity(errors: Errors, obj: Object) -> None:
    meta.object_meta(errors, obj["metadata"], True, names.name_is_subdomain)
    name = obj.get("storageClassName", "")
    messages_invalid(errors, "storageClassName", name, names.name_is_subdomain(name, False))
    meta.label_selector(errors, obj.get("nodeTopology"), "nodeTopology")
    if obj.get("capacity") is not None:
        resources.nonnegative_quantity(errors, obj["capacity"], "capacity")


def storage_capacity_update(errors: Errors, new: Object, old: Object) -> None:
    meta.object_meta_update(errors, new["metadata"], old["metadata"])
    storage_capacity(errors, new)
    meta.immutable(errors, new.get("nodeTopology"), old.get("nodeTopology"), "nodeTopology", "*meta.v1.LabelSelector")
    meta.immutable(errors, new.get("storageClassName"), old.get("storageClassName"), "storageClassName")


def volume_attachment(errors: Errors, obj: Object) -> None:
    meta.object_meta(errors, obj["metadata"], False, names.name_is_subdomain)
    spec = obj["spec"]
    if not spec.get("attacher"):
        errors.append(required("spec.attacher"))
    source = spec.get("source") or {}
    if not source:
        errors.append(required("spec.source", "must specify exactly one of inlineVolumeSpec and persistentVolumeName"))
    if not spec.get("nodeName"):
        errors.append(required("spec.nodeName"))


def volume_attachment_update(errors: Errors, new: Object, old: Object) -> None:
    meta.object_meta_update(errors, new["metadata"], old["metadata"])
    volume_attachment(errors, new)
    if new["spec"] != old["spec"]:
        errors.append(invalid("spec", new["spec"], meta.IMMUTABLE))


# -- scheduling, coordination, node --
def priority_class(errors: Errors, obj: Object) -> None:
    meta.object_meta(errors, obj["metadata"], False, names.name_is_subdomain)
    name, value = obj["metadata"].get("name", ""), obj.get("value", 0)
    if name.startswith("system-"):
        problem = _system_class_problem(name, value, bool(obj.get("globalDefault")))
        if problem:
            errors.append(forbidden("metadata.name", "priority class names with 'system-' prefix are reserved for "
                                    f"system use only. error: {problem}"))
    elif value > HIGHEST_USER_PRIORITY:
        errors.append(forbidden("value",
                                f"maximum allowed value of a user defined priority is {HIGHEST_USER_PRIORITY}"))
    policy = obj.get("preemptionPolicy")
    if policy is not None and policy not in PREEMPTION:
        errors.append(not_supported("preemptionPolicy", policy, PREEMPTION) if policy else required("preemptionPolicy"))


def _system_class_problem(name: str, value: int, default: bool) -> str:
    known = SYSTEM_PRIORITIES.get(name)
    if known is None:
        return f"{name} is not a known system priority class"
    if value != known:
        return f"value of {name} PriorityClass must be {known}"
    return f"globalDefault of {name} PriorityClass must be false" if default else ""


def priority_class_update(errors: Errors, new: Object, old: Object) -> None:
    meta.object_meta_update(errors, new["metadata"], old["metadata"])
    if new.get("value", 0) != old.get("value", 0):
        errors.append(forbidden("value", "may not be changed in an update."))
    meta.immutable(errors, new.get("preemptionPolicy"), old.get("preemptionPolicy"), "preemptionPolicy")


def lease(errors: Errors, obj: Object) -> None:
    meta.object_meta(errors, obj["metadata"], True, names.name_is_subdomain)
    spec = obj["spec"]
    seconds = spec.get("leaseDurationSeconds")
    if seconds is not None and seconds <= 0:
        errors.append(invalid("spec.leaseDurationSeconds", seconds, "must be greater than 0"))
    transitions = spec.get("leaseTransitions")
    if transitions is not None and transitions < 0:
        errors.append(invalid("spec.leaseTransitions", transitions, "must be greater than or equal to 0"))
    if spec.get("strategy") is None and spec.get("preferredHolder"):
        errors.append(forbidden("spec.preferredHolder", "may only be specified if `strategy` is defined"))


def lease_update(errors: Errors, new: Object, old: Object) -> None:
    meta.object_meta_update(errors, new["metadata"], old["metadata"])
    lease(errors, new)


def runtime_class(errors: Errors, obj: Object) -> None:
    meta.object_meta(errors, obj["metadata"], False, names.name_is_subdomain)
    handler = obj.get("handler", "")
    if not handler:
        errors.append(required("handler"))
    else:
        messages_invalid(errors, "handler", handler, names.dns1123_label(handler))
    overhead = obj.get("overhead")
    if overhead:
        resources.requirements(errors, {"limits": overhead.get("podFixed") or {}}, "overhead.podFixed")
    scheduling = obj.get("scheduling")
    if scheduling:
        meta.labels(errors, scheduling.get("nodeSelector"), "scheduling.nodeSelector")
        tolerations(errors, scheduling.get("tolerations"), "scheduling.tolerations")


def runtime_class_update(errors: Errors, new: Object, old: Object) -> None:
    meta.object_meta_update(errors, new["metadata"], old["metadata"])
    meta.immutable(errors, new.get("handler"), old.get("handler"), "handler")


def token_request(errors: Errors, obj: Object) -> None:
    seconds = obj["spec"].get("expirationSeconds")
    if seconds is not None and seconds < 600:
        errors.append(invalid("spec.expirationSeconds", seconds, "may not specify a duration less than 10 minutes"))
    if seconds is not None and seconds > 1 << 32:
        errors.append(invalid("spec.expirationSeconds", seconds,
                              "may not specify a duration larger than 2^32 seconds"))


RULES: dict[tuple[str, str], Rules] = {
    (STORAGE, "StorageClass"): Rules(storage_class, twice(storage_class, storage_class_update)),
    (STORAGE, "CSIDriver"): Rules(csi_driver, csi_driver_update),
    (STORAGE, "CSINode"): Rules(csi_node, csi_node_update),
    (STORAGE, "CSIStorageCapacity"): Rules(storage_capacity, storage_capacity_update),
    (STORAGE, "VolumeAttachment"): Rules(volume_attachment, volume_attachment_update),
    (STORAGE, "VolumeAttributesClass"): Rules(volume_attributes_class, volume_attributes_class_update),
    ("scheduling.k8s.io", "PriorityClass"): Rules(priority_class, priority_class_update),
    ("coordination.k8s.io", "Lease"): Rules(lease, lease_update),
    ("node.k8s.io", "RuntimeClass"): Rules(runtime_class, twice(runtime_class, runtime_class_update)),
    ("authentication.k8s.io", "TokenRequest"): Rules(token_request),
    ("flowcontrol.apiserver.k8s.io", "FlowSchema"): plain(names.name_is_subdomain, namespaced=False),
    ("flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration"): plain(names.name_is_subdomain, namespaced=False)}
