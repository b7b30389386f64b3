"""Volume mounts and devices of containers. Source: ``pkg/apis/core/validation/validation.go``."""

from __future__ import annotations

from minik8s.objects.frozen import Object
from minik8s.objects.validation.field import Errors, forbidden, invalid, not_found, not_supported, required
from minik8s.objects.validation.paths import local_descending_path

_PROPAGATION = ("Bidirectional", "HostToContainer", "None")
_RECURSIVE = ("Disabled", "Enabled", "IfPossible")


def volume_mounts(errors: Errors, c: Object, volumes: dict[str, Object], path: str) -> None:
    devices = {d.get("name", ""): d.get("devicePath", "") for d in c.get("volumeDevices") or ()}
    points = set()
    for i, mount in enumerate(c["volumeMounts"]):
        at, name, point = f"{path}[{i}]", mount.get("name", ""), mount.get("mountPath", "")
        if not name:
            errors.append(required(f"{at}.name"))
        if name not in volumes:
            errors.append(not_found(f"{at}.name", name))
        if not point:
            errors.append(required(f"{at}.mountPath"))
        if point in points:
            errors.append(invalid(f"{at}.mountPath", point, "must be unique"))
        points.add(point)
        if name in devices:
            errors.append(invalid(f"{at}.name", name, "must not already exist in volumeDevices"))
        if point in devices.values():
            errors.append(invalid(f"{at}.mountPath", point, "must not already exist as a path in volumeDevices"))
        if mount.get("subPath"):
            local_descending_path(errors, mount["subPath"], f"{path}.subPath")
        if mount.get("subPathExpr"):
            if mount.get("subPath"):
                errors.append(invalid(f"{at}.subPathExpr", mount["subPathExpr"],
                                      "subPathExpr and subPath are mutually exclusive"))
            local_descending_path(errors, mount["subPathExpr"], f"{path}.subPathExpr")
        if mount.get("mountPropagation") is not None:
            _propagation(errors, mount["mountPropagation"], c, f"{path}.mountPropagation")
        _recursive_read_only(errors, mount, f"{path}.recursiveReadOnly")


def _propagation(errors: Errors, mode: str, c: Object, path: str) -> None:
    if mode not in _PROPAGATION:
        errors.append(not_supported(path, mode, _PROPAGATION))
    if mode == "Bidirectional" and not (c.get("securityContext") or {}).get("privileged"):
        errors.append(forbidden(path, "Bidirectional mount propagation is available only to privileged containers"))


def _recursive_read_only(errors: Errors, mount: Object, path: str) -> None:
    mode = mount.get("recursiveReadOnly")
    if mode is None or mode == "Disabled":
        return
    if mode not in _RECURSIVE:
        errors.append(not_supported(path, mode, _RECURSIVE))
        return
    if not mount.get("readOnly"):
        errors.append(forbidden(path, "may only be specified when readOnly is true"))
    if mount.get("mountPropagation") not in (None, "None"):
        errors.append(forbidden(path, "may only be specified when mountPropagation is None or not specified"))


def volume_devices(errors: Errors, c: Object, volumes: dict[str, Object], path: str) -> None:
    mounts = {m.get("name", ""): m.get("mountPath", "") for m in c.get("volumeMounts") or ()}
    seen_names: set[str] = set()
    seen_paths: set[str] = set()
    for i, device in enumerate(c["volumeDevices"]):
        at, name, point = f"{path}[{i}]", device.get("name", ""), device.get("devicePath", "")
        volume = volumes.get(name)
        if not name:
            errors.append(required(f"{at}.name"))
        if name in seen_names:
            errors.append(invalid(f"{at}.name", name, "must be unique"))
        if volume is not None and "persistentVolumeClaim" not in volume and "ephemeral" not in volume:
            errors.append(invalid(f"{at}.name", name, "can only use volume source type of PersistentVolumeClaim or "
                                  "Ephemeral for block mode"))
        if volume is None:
            errors.append(not_found(f"{at}.name", name))
        if not point:
            errors.append(required(f"{at}.devicePath"))
        if point in seen_paths:
            errors.append(invalid(f"{at}.devicePath", point, "must be unique"))
        if ".." in point.split("/"):
            errors.append(invalid(f"{at}.devicePath", point, "can not contain backsteps ('..')"))
        else:
            seen_paths.add(point)
        if name in mounts:
            errors.append(invalid(f"{at}.name", name, "must not already exist in volumeMounts"))
        if point in mounts.values():
            errors.append(invalid(f"{at}.devicePath", point, "must not already exist as a path in volumeMounts"))
        if name:
            seen_names.add(name)
