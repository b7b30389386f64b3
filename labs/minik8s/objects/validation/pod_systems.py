"""What goes with a pod's operating system, and its host name. Source: ``pkg/apis/core/validation/validation.go``."""

from __future__ import annotations

from minik8s.objects.frozen import Object
from minik8s.objects.validation import names
from minik8s.objects.validation.field import (
    Errors,
    forbidden,
    messages_invalid,
    not_supported,
    required,
    too_long,
)

_LINUX_ONLY = "cannot be set for a windows pod"
_WINDOWS_ONLY = "windows options cannot be set for a linux pod"
# Where the internal type keeps them together with the security context, in the order in which they are looked at.
_POD = ("securityContext.appArmorProfile", "securityContext.seLinuxOptions", "hostUsers", "hostPID", "hostIPC",
        "securityContext.seccompProfile", "securityContext.fsGroup", "securityContext.fsGroupChangePolicy",
        "securityContext.sysctls", "shareProcessNamespace", "securityContext.runAsUser", "securityContext.runAsGroup",
        "securityContext.supplementalGroups", "securityContext.supplementalGroupsPolicy",
        "securityContext.seLinuxChangePolicy")
_CONTAINER = ("appArmorProfile", "seLinuxOptions", "seccompProfile", "capabilities", "readOnlyRootFilesystem",
              "privileged", "allowPrivilegeEscalation", "procMount", "runAsUser", "runAsGroup")


def system(errors: Errors, spec: Object, path: str) -> None:
    """The ``os`` field and what does not go with it."""
    name = spec["os"].get("name", "")
    if not name:
        errors.append(required(f"{path}.os.name"))
    elif name not in ("linux", "windows"):
        errors.append(not_supported(f"{path}.os", name, ("linux", "windows")))
    contexts = [(c.get("securityContext") or {}, f"{path}.{key}[{i}].securityContext")
                for key in ("initContainers", "containers", "ephemeralContainers")
                for i, c in enumerate(spec.get(key) or ())]
    security = spec.get("securityContext") or {}
    if name == "linux":
        for context, at in ((security, f"{path}.securityContext"), *contexts):
            if context.get("windowsOptions") is not None:
                errors.append(forbidden(f"{at}.windowsOptions", _WINDOWS_ONLY))
    elif name == "windows":
        for field in _POD:
            holder, _, key = field.rpartition(".")
            value = (security if holder else spec).get(key)
            if value if key in ("hostPID", "hostIPC", "sysctls") else value is not None:
                errors.append(forbidden(f"{path}.{field}", _LINUX_ONLY))
        for context, at in contexts:
            errors.extend(forbidden(f"{at}.{key}", _LINUX_ONLY) for key in _CONTAINER if context.get(key) is not None)


def host_name_override(errors: Errors, spec: Object, path: str) -> None:
    if (name := spec.get("hostnameOverride")) is None:
        return
    at = f"{path}.hostnameOverride"
    if spec.get("setHostnameAsFQDN"):
        errors.append(forbidden(at, "may not be specified when setHostnameAsFQDN is true"))
    if spec.get("hostNetwork"):
        errors.append(forbidden(at, "may not be specified when hostNetwork is true"))
    if len(name) > 64:
        errors.append(too_long(at, 64))
    messages_invalid(errors, at, name, names.dns1123_subdomain(name))
