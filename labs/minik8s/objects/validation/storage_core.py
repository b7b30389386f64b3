"""PersistentVolumes and claims. Source: ``pkg/apis/core/validation/validation.go``."""

from __future__ import annotations

import posixpath

from minik8s.objects.frozen import Object
from minik8s.objects.quantity import parse_quantity
from minik8s.objects.validation import meta, names, resources
from minik8s.objects.validation.field import (
    Errors,
    GoValue,
    forbidden,
    invalid,
    messages_invalid,
    not_supported,
    required,
)
from minik8s.objects.validation.goformat import diff
from minik8s.objects.validation.scheduling import node_selector
from minik8s.objects.validation.volumes import PERSISTENT_SOURCES, needs, sources

ACCESS_MODES = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")
_RECLAIM = ("Delete", "Recycle", "Retain")
_VOLUME_MODES = ("Block", "Filesystem")
_BETA_CLASS = "volume.beta.kubernetes.io/storage-class"


def _access_modes(errors: Errors, spec: Object, path: str) -> None:
    modes = spec.get("accessModes") or ()
    for mode in modes:
        if mode not in ACCESS_MODES:
            errors.append(not_supported(f"{path}.accessModes", mode, ACCESS_MODES))
    if "ReadWriteOncePod" in modes and any(m in ACCESS_MODES and m != "ReadWriteOncePod" for m in modes):
        errors.append(forbidden(f"{path}.accessModes", "may not use ReadWriteOncePod with other access modes"))


def _class_name(errors: Errors, name: str | None, path: str) -> None:
    if name:
        messages_invalid(errors, path, name, names.name_is_subdomain(name, False))


def volume_create(errors: Errors, obj: Object) -> None:
    meta.object_meta(errors, obj["metadata"], False, names.name_is_subdomain)
    _volume_spec(errors, obj["spec"], "spec")


def _volume_spec(errors: Errors, spec: Object, path: str) -> None:
    if not spec.get("accessModes"):
        errors.append(required(f"{path}.accessModes"))
    _access_modes(errors, spec, path)
    capacity = spec.get("capacity")
    if not capacity:
        errors.append(required(f"{path}.capacity"))
    if not capacity or set(capacity) != {"storage"}:
        errors.append(not_supported(f"{path}.capacity", capacity or None, ("storage",)))
    for name, text in (capacity or {}).items():
        resources.basic_resource(errors, text, f"{path}.capacity[{name}]")
        resources.positive_quantity(errors, text, f"{path}.capacity[{name}]")
    policy = spec.get("persistentVolumeReclaimPolicy", "")
    if policy and policy not in _RECLAIM:
        errors.append(not_supported(f"{path}.persistentVolumeReclaimPolicy", policy, _RECLAIM))
    affinity = spec.get("nodeAffinity")
    if affinity is not None:
        if affinity.get("required") is None:
            errors.append(required(f"{path}.nodeAffinity.required", "must specify required node constraints"))
        else:
            node_selector(errors, affinity["required"], f"{path}.nodeAffinity.required")
    found = sources(errors, spec, path, PERSISTENT_SOURCES)
    if found[:1] == ["local"]:
        needs("path")(errors, spec["local"], f"{path}.local")
        if affinity is None:
            errors.append(required(f"{path}.nodeAffinity", "Local volume requires node affinity"))
    host = spec.get("hostPath")
    if host is not None and posixpath.normpath(host.get("path") or ".") == "/" and policy == "Recycle":
        errors.append(forbidden(f"{path}.persistentVolumeReclaimPolicy",
                                "may not be 'recycle' for a hostPath mount of '/'"))
    _class_name(errors, spec.get("storageClassName"), f"{path}.storageClassName")
    mode = spec.get("volumeMode")
    if mode is not None and mode not in _VOLUME_MODES:
        errors.append(not_supported(f"{path}.volumeMode", mode, _VOLUME_MODES))
    attributes = spec.get("volumeAttributesClassName")
    if attributes is not None:
        if not attributes:
            errors.append(required(f"{path}.volumeAttributesClassName", "an empty string is disallowed"))
        _class_name(errors, attributes, f"{path}.volumeAttributesClassName")
        if spec.get("csi") is None:
            errors.append(required(f"{path}.csi", "has to be specified when using volumeAttributesClassName"))


def volume_update(errors: Errors, new: Object, old: Object) -> None:
    volume_create(errors, new)
    spec, before = new["spec"], old["spec"]
    now = {k: spec[k] for k in PERSISTENT_SOURCES if k in spec}
    was = {k: before[k] for k in PERSISTENT_SOURCES if k in before}
    if "csi" in now and "csi" in was and "controllerExpandSecretRef" not in was["csi"]:
        now["csi"] = {k: v for k, v in now["csi"].items() if k != "controllerExpandSecretRef"}
    if now != was:
        changes = diff(was, now, "core.v1.PersistentVolumeSpec", tuple(PERSISTENT_SOURCES))
        errors.append(forbidden("spec.persistentvolumesource",
                                f"spec.persistentvolumesource is immutable after creation\n{changes}"))
    meta.immutable(errors, spec.get("volumeMode"), before.get("volumeMode"), "volumeMode")
    if before.get("nodeAffinity") is not None and spec.get("nodeAffinity") != before["nodeAffinity"]:
        errors.append(invalid("nodeAffinity", GoValue(spec.get("nodeAffinity"), "*core.v1.VolumeNodeAffinity"),
                              "field is immutable, except for updating from beta label to GA"))
    if before.get("volumeAttributesClassName") is not None and spec.get("volumeAttributesClassName") is None:
        errors.append(forbidden("spec.volumeAttributesClassName", "update from non-nil value to nil is forbidden"))


def volume_status_update(errors: Errors, new: Object, old: Object) -> None:
    meta.object_meta_update(errors, new["metadata"], old["metadata"])
    if not new["metadata"].get("resourceVersion"):
        errors.append(required("resourceVersion"))


# -- claims --
def claim_create(errors: Errors, obj: Object) -> None:
    meta.object_meta(errors, obj["metadata"], True, names.name_is_subdomain)
    claim_spec(errors, obj["spec"], "spec")


def claim_spec(errors: Errors, spec: Object, path: str) -> None:
    if not spec.get("accessModes"):
        errors.append(required(f"{path}.accessModes", "at least 1 access mode is required"))
    meta.label_selector(errors, spec.get("selector"), f"{path}.selector")
    _access_modes(errors, spec, path)
    storage = ((spec.get("resources") or {}).get("requests") or {}).get("storage")
    if storage is None:
        errors.append(required(f"{path}.resources[storage]"))
    elif resources.positive_quantity(errors, storage, f"{path}.resources[storage]"):
        resources.quantity_value(errors, "storage", storage, f"{path}.resources[storage]")
    _class_name(errors, spec.get("storageClassName"), f"{path}.storageClassName")
    mode = spec.get("volumeMode")
    if mode is not None and mode not in _VOLUME_MODES:
        errors.append(not_supported(f"{path}.volumeMode", mode, _VOLUME_MODES))
    for key in ("dataSource", "dataSourceRef"):
        if spec.get(key) is not None:
            _data_source(errors, spec[key], f"{path}.{key}")
    source, reference = spec.get("dataSource"), spec.get("dataSourceRef")
    if source is not None and reference is not None and not reference.get("namespace") and any(
            source.get(k) != reference.get(k) for k in ("apiGroup", "kind", "name")):
        errors.append(invalid(path, f"{path}.dataSource", "must match dataSourceRef"))
    _class_name(errors, spec.get("volumeAttributesClassName"), f"{path}.volumeAttributesClassName")


def _data_source(errors: Errors, source: Object, path: str) -> None:
    needs("name", "kind")(errors, source, path)
    group, kind = source.get("apiGroup") or "", source.get("kind", "")
    if not group and kind != "PersistentVolumeClaim":
        errors.append(invalid(path, kind, "must be 'PersistentVolumeClaim' when referencing the default apiGroup"))
    if group:
        messages_invalid(errors, f"{path}.apiGroup", group, names.dns1123_subdomain(group))
    if source.get("namespace"):
        messages_invalid(errors, f"{path}.namespace", source["namespace"],
                         names.name_is_label(source["namespace"], False))


def claim_template(errors: Errors, template: Object, path: str) -> None:
    """The claim inside a generic ephemeral volume: only labels and annotations of metadata count."""
    own = template.get("metadata") or {}
    meta.annotation_map(errors, own.get("annotations"), f"{path}.metadata.annotations")
    meta.labels(errors, own.get("labels"), f"{path}.metadata.labels")
    for key in own:
        if key not in ("annotations", "labels"):
            errors.append(forbidden(f"{path}.metadata.{key}", "cannot be set"))
    claim_spec(errors, template.get("spec") or {}, f"{path}.spec")


def claim_update(errors: Errors, new: Object, old: Object) -> None:
    meta.object_meta_update(errors, new["metadata"], old["metadata"])
    claim_create(errors, new)
    spec, before = new["spec"], old["spec"]
    now, was = dict(spec), dict(before)
    if not before.get("volumeName") and "volumeName" in spec:
        was["volumeName"] = spec["volumeName"]
    old_class = (old["metadata"].get("annotations") or {}).get(_BETA_CLASS)
    new_class = (new["metadata"].get("annotations") or {}).get(_BETA_CLASS)
    if (old_class or "") != (new_class or ""):
        errors.append(invalid(f"metadata.annotations.{_BETA_CLASS}", new_class or "", meta.IMMUTABLE))
    if "storageClassName" in spec and "storageClassName" not in before and old_class in (None,
                                                                                         spec["storageClassName"]):
        now.pop("storageClassName")
    new_size = resources.quantity_of((spec.get("resources") or {}).get("requests"), "storage")
    old_size = resources.quantity_of((before.get("resources") or {}).get("requests"), "storage")
    if new["status"].get("phase") == "Bound":
        _put_back_bound(now, was)
    if now != was:
        changes = diff(was, now, "core.v1.PersistentVolumeClaimSpec")
        errors.append(forbidden("spec", "spec is immutable after creation except resources.requests and "
                                f"volumeAttributesClassName for bound claims\n{changes}"))
    if new_size is not None and old_size is not None and new_size < old_size:
        capacity = (old["status"].get("capacity") or {}).get("storage", "0")
        if new_size <= parse_quantity(capacity):
            errors.append(forbidden("spec.resources.requests.storage", "field can not be less than status.capacity"))
    meta.immutable(errors, spec.get("volumeMode"), before.get("volumeMode"), "volumeMode")
    if before.get("volumeAttributesClassName") is not None and not spec.get("volumeAttributesClassName"):
        what = "nil" if spec.get("volumeAttributesClassName") is None else "an empty string"
        errors.append(forbidden("spec.volumeAttributesClassName", f"update from non-nil value to {what} is forbidden"))


def _put_back_bound(now: Object, was: Object) -> None:
    """Bound claims may ask for another size and class of attributes."""
    if (now.get("resources") or {}).get("requests") is not None:
        size = ((was.get("resources") or {}).get("requests") or {}).get("storage", "0")
        now["resources"] = {**now["resources"], "requests": {**now["resources"]["requests"], "storage": size}}
    if "volumeAttributesClassName" in now:
        now.pop("volumeAttributesClassName")
        if "volumeAttributesClassName" in was:
            now["volumeAttributesClassName"] = was["volumeAttributesClassName"]


def claim_status_update(errors: Errors, new: Object, old: Object) -> None:
    meta.object_meta_update(errors, new["metadata"], old["metadata"])
    if not new["metadata"].get("resourceVersion"):
        errors.append(required("resourceVersion"))
    if not new["spec"].get("accessModes"):
        errors.append(required("Spec.accessModes"))
    for name, text in (new["status"].get("capacity") or {}).items():
        resources.basic_resource(errors, text, f"status.capacity[{name}]")


