"""Security contexts of pods and containers. Source: ``pkg/apis/core/validation/validation.go``."""

from __future__ import annotations

import re

from minik8s.objects.frozen import Object
from minik8s.objects.validation import names
from minik8s.objects.validation.field import (
    Errors,
    GoValue,
    duplicate,
    forbidden,
    invalid,
    not_supported,
    required,
    too_long,
)
from minik8s.objects.validation.meta import MAX_INT32
from minik8s.objects.validation.paths import local_descending_path

_PROFILES = ("Localhost", "RuntimeDefault", "Unconfined")
_SYSCTL = "([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?"


def _ids(errors: Errors, context: Object, path: str, *keys: str) -> None:
    for key in keys:
        value = context.get(key)
        if value is not None and not 0 <= value <= MAX_INT32:
            errors.append(invalid(f"{path}.{key}", value, names.in_range(0, MAX_INT32)))


def container_security(errors: Errors, context: Object, path: str, host_users: bool) -> None:
    _ids(errors, context, path, "runAsUser", "runAsGroup")
    mount = context.get("procMount")
    if mount is not None:
        if mount not in ("Default", "Unmasked"):
            errors.append(not_supported(f"{path}.procMount", mount, ("Default", "Unmasked")))
        if host_users and mount == "Unmasked":
            errors.append(invalid(f"{path}.procMount", mount, "`hostUsers` must be false to use `Unmasked`"))
    _seccomp(errors, context.get("seccompProfile"), f"{path}.seccompProfile")
    if context.get("allowPrivilegeEscalation") is False:
        shown = GoValue(context, "core.v1.SecurityContext")
        if context.get("privileged"):
            errors.append(invalid(path, shown,
                                  "cannot set `allowPrivilegeEscalation` to false and `privileged` to true"))
        if "CAP_SYS_ADMIN" in ((context.get("capabilities") or {}).get("add") or ()):
            errors.append(invalid(path, shown, "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` "
                                  "CAP_SYS_ADMIN"))
    _windows(errors, context.get("windowsOptions"), f"{path}.windowsOptions")
    _app_armor(errors, context.get("appArmorProfile"), f"{path}.appArmorProfile")


def pod_security(errors: Errors, spec: Object, path: str) -> None:
    context = spec.get("securityContext")
    if not context:
        return
    _ids(errors, context, path, "fsGroup", "runAsUser", "runAsGroup")
    for i, group in enumerate(context.get("supplementalGroups") or ()):
        if not 0 <= group <= MAX_INT32:
            errors.append(invalid(f"{path}.supplementalGroups[{i}]", group, names.in_range(0, MAX_INT32)))
    _sysctls(errors, context, spec, f"{path}.sysctls")
    _enum(errors, context, path, "fsGroupChangePolicy", ("Always", "OnRootMismatch"))
    _seccomp(errors, context.get("seccompProfile"), f"{path}.seccompProfile")
    _windows(errors, context.get("windowsOptions"), f"{path}.windowsOptions")
    _app_armor(errors, context.get("appArmorProfile"), f"{path}.appArmorProfile")
    _enum(errors, context, path, "supplementalGroupsPolicy", ("Merge", "Strict"))
    _enum(errors, context, path, "seLinuxChangePolicy", ("MountOption", "Recursive"))


def _enum(errors: Errors, context: Object, path: str, key: str, known: tuple[str, ...]) -> None:
    if context.get(key) is not None and context[key] not in known:
        errors.append(not_supported(f"{path}.{key}", context[key], known))


def share_process_namespace(errors: Errors, spec: Object, path: str) -> None:
    if spec.get("shareProcessNamespace") and spec.get("hostPID"):
        errors.append(invalid(f"{path}.shareProcessNamespace", True,
                              "ShareProcessNamespace and HostPID cannot both be enabled"))


def _sysctls(errors: Errors, context: Object, spec: Object, path: str) -> None:
    seen = set()
    for i, sysctl in enumerate(context.get("sysctls") or ()):
        name = sysctl.get("name", "")
        at = f"{path}[{i}].name"
        if not name:
            errors.append(required(at))
        elif len(name) > 253 or not re.fullmatch(_SYSCTL, name):
            errors.append(invalid(at, name, f"must have at most 253 characters and match regex ^{_SYSCTL}$"))
        elif name in seen:
            errors.append(duplicate(at, name))
        seen.add(name)
        dotted = name.replace("/", ".")
        if spec.get("hostNetwork") and dotted.startswith("net."):
            errors.append(invalid(at, name, "may not be specified when 'hostNetwork' is true"))
        elif spec.get("hostIPC") and (dotted.startswith(("kernel.shm", "kernel.msg", "fs.mqueue.")) or
                                      dotted == "kernel.sem"):
            errors.append(invalid(at, name, "may not be specified when 'hostIPC' is true"))


def _seccomp(errors: Errors, profile: Object | None, path: str) -> None:
    if profile is None:
        return
    kind = profile.get("type", "")
    if not kind:
        errors.append(required(f"{path}.type", "type is required when seccompProfile is set"))
    elif kind not in _PROFILES:
        errors.append(not_supported(f"{path}.type", kind, _PROFILES))
    local = profile.get("localhostProfile")
    if kind == "Localhost":
        if local is None:
            errors.append(required(f"{path}.localhostProfile", "must be set when seccomp type is Localhost"))
        else:
            local_descending_path(errors, local, f"{path}.localhostProfile")
    elif local is not None:
        errors.append(invalid(f"{path}.localhostProfile", GoValue(profile, "core.v1.SeccompProfile"),
                              "can only be set when seccomp type is Localhost"))


def _app_armor(errors: Errors, profile: Object | None, path: str) -> None:
    if profile is None:
        return
    kind, local = profile.get("type", ""), profile.get("localhostProfile")
    at = f"{path}.localhostProfile"
    if kind == "Localhost":
        if local is None or not local.strip():
            errors.append(required(at, "must be set when AppArmor type is Localhost"))
        elif local.strip() != local:
            errors.append(invalid(at, local, "must not be padded with whitespace"))
        if local is not None and len(local) > 4095:
            errors.append(too_long(at, 4095))
    elif kind in ("RuntimeDefault", "Unconfined"):
        if local is not None:
            errors.append(invalid(at, local, "can only be set when AppArmor type is Localhost"))
    elif not kind:
        errors.append(required(f"{path}.type", "type is required when appArmorProfile is set"))
    else:
        errors.append(not_supported(f"{path}.type", kind, _PROFILES))


def _windows(errors: Errors, options: Object | None, path: str) -> None:
    if not options:
        return
    name = options.get("gmsaCredentialSpecName")
    if name is not None:
        errors += [invalid(f"{path}.gmsaCredentialSpecName", name, m) for m in names.dns1123_subdomain(name)]
    spec = options.get("gmsaCredentialSpec")
    if spec is not None and not spec:
        errors.append(invalid(f"{path}.gmsaCredentialSpec", spec, "gmsaCredentialSpec cannot be an empty string"))


def host_users(errors: Errors, spec: Object, path: str) -> None:
    if spec.get("hostUsers") is False:
        for key, shown in (("hostNetwork", "hostNetwork"), ("hostPID", "HostPID"), ("hostIPC", "HostIPC")):
            if spec.get(key):
                errors.append(forbidden(f"{path}.{shown}", "when `hostUsers` is false"))
