"""Structs inside messages, as ``json.Marshal`` prints Kubernetes' internal types.

Types of the API groups have no JSON tags internally: their Go field names appear, nothing is left out. Types of
``meta/v1`` are used as they are: their JSON names appear, empty values are left out.
"""

from __future__ import annotations

import json
from difflib import unified_diff
from typing import Any

from minik8s.objects.schema_types import Field, is_struct, resolve, struct
from minik8s.objects.validation.field import go_json

# Internal types that are not in the order of their v1 counterparts, by Go names.
_ORDER: dict[str, tuple[str, ...]] = {
    "core.v1.PodSpec": (
        "Volumes", "InitContainers", "Containers", "EphemeralContainers", "RestartPolicy",
        "TerminationGracePeriodSeconds", "ActiveDeadlineSeconds", "DNSPolicy", "NodeSelector", "ServiceAccountName",
        "AutomountServiceAccountToken", "NodeName", "SecurityContext", "ImagePullSecrets", "Hostname", "Subdomain",
        "SetHostnameAsFQDN", "Affinity", "SchedulerName", "Tolerations", "HostAliases", "PriorityClassName", "Priority",
        "PreemptionPolicy", "DNSConfig", "ReadinessGates", "RuntimeClassName", "Overhead", "EnableServiceLinks",
        "TopologySpreadConstraints", "OS", "SchedulingGates", "ResourceClaims", "Resources", "HostnameOverride",
        "SchedulingGroup"),
    "core.v1.PodSecurityContext": (
        "SELinuxOptions", "WindowsOptions", "RunAsUser", "RunAsGroup", "RunAsNonRoot", "SupplementalGroups",
        "SupplementalGroupsPolicy", "FSGroup", "FSGroupChangePolicy", "Sysctls", "SeccompProfile", "AppArmorProfile",
        "SELinuxChangePolicy"),
}
# Fields of v1's PodSpec that are internally part of its security context.
_HOST_FIELDS = {"hostNetwork": "HostNetwork", "hostPID": "HostPID", "hostIPC": "HostIPC",
                "shareProcessNamespace": "ShareProcessNamespace", "hostUsers": "HostUsers"}
_ZERO = {"string": '""', "bool": "false", "quantity": '"0"', "intstr": "0", "time": "null", "microtime": "null"}


def dump(value: Any, type_name: str) -> str:
    """A value of the type as it appears in messages."""
    if type_name.startswith("*"):
        return "null" if value is None else dump(value, type_name[1:])
    resolved = resolve(type_name)
    if resolved.startswith("[]"):
        return "null" if value is None else "[" + ",".join(dump(v, resolved[2:]) for v in value) + "]"
    if resolved.startswith("{"):
        inner = resolved[resolved.index("}") + 1:]
        if value is None:
            return "null"
        return "{" + ",".join(f"{go_json(k)}:{dump(value[k], inner)}" for k in sorted(value)) + "}"
    if not is_struct(resolved):
        if value is None:
            return _ZERO.get(resolved, "0" if "int" in resolved or "float" in resolved else "null")
        return go_json(value)
    return _external(value or {}, resolved) if resolved.startswith("meta.") else _internal(value or {}, resolved)


def _internal(value: dict[str, Any], name: str) -> str:
    fields: dict[str, Field] = {f.go: f for f in struct(name).fields}
    if name == "core.v1.PodSpec" and value.get("securityContext") is not None:
        host = {key: value[key] for key in _HOST_FIELDS if key in value}
        value = {**value, "securityContext": {**value["securityContext"], **host}}
    parts = []
    if name == "core.v1.PodSecurityContext":
        zero = {"hostNetwork": False, "hostPID": False, "hostIPC": False}
        parts = [f'"{go}":{go_json(value.get(key, zero.get(key)))}' for key, go in _HOST_FIELDS.items()]
    for go in _ORDER.get(name, fields):
        f = fields.get(go)
        if f is None:
            parts.append(f'"{go}":null')
        elif f.type == "meta.v1.ObjectMeta":  # embedded: its fields appear in the struct itself
            parts += filter(None, [_external(value.get(f.name) or {}, f.type)[1:-1]])
        else:
            parts.append(f'"{go}":{dump(value.get(f.name), f.type)}')
    return "{" + ",".join(parts) + "}"


def _external(value: dict[str, Any], name: str) -> str:
    parts = [f'"{f.name}":{dump(value.get(f.name), f.type)}' for f in struct(name).fields
             if f.name in value or not f.omitempty]
    return "{" + ",".join(parts) + "}"


def diff(old: Any, new: Any, type_name: str, only: tuple[str, ...] = ()) -> str:
    """What changed between two structs: a unified diff of their indented JSON (apimachinery ``pkg/util/diff``).
    ``only``: JSON names of the fields to compare, for a struct that is embedded in the type."""
    texts = [json.dumps(_tree(value, type_name, only), indent=1, ensure_ascii=False).splitlines(keepends=True)
             for value in (old, new)]
    for lines in texts:
        lines[-1] += "\n"
    return "".join(list(unified_diff(texts[0], texts[1]))[2:])


def _tree(value: Any, type_name: str, only: tuple[str, ...]) -> Any:
    tree = json.loads(dump(value, type_name))
    if only:
        names = [f.go for f in struct(type_name).fields if f.name in only]
        return {name: tree[name] for name in names}
    return tree
