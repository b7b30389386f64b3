"""Containers: ports, environment, mounts, probes, lifecycle. Source: ``pkg/apis/core/validation/validation.go``."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from minik8s.objects.frozen import Object
from minik8s.objects.quantity import parse_quantity
from minik8s.objects.validation import names, resources
from minik8s.objects.validation.field import (
    Errors,
    duplicate,
    forbidden,
    invalid,
    messages_invalid,
    not_found,
    not_supported,
    required,
    too_many,
)
from minik8s.objects.validation.meta import nonnegative
from minik8s.objects.validation.mounts import volume_devices, volume_mounts
from minik8s.objects.validation.security import container_security

PROTOCOLS = ("SCTP", "TCP", "UDP")
PULL_POLICIES = ("Always", "IfNotPresent", "Never")
_SCHEMES = ("HTTP", "HTTPS")
_TERMINATION = ("File", "FallbackToLogsOnError")
RESTART_POLICIES = ("Always", "Never", "OnFailure")
_RESIZE = ("NotRequired", "RestartContainer")
_ENV_FIELD_PATHS = ("metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName",
                    "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs")
_DOWNWARD_LABELS = frozenset(_ENV_FIELD_PATHS) | {"metadata.annotations", "metadata.labels", "spec.restartPolicy",
                                                  "spec.schedulerName", "status.phase"}
_RESOURCE_FIELDS = ("limits.cpu", "limits.ephemeral-storage", "limits.memory", "requests.cpu",
                    "requests.ephemeral-storage", "requests.memory")
_BYTE_DIVISORS = frozenset(["1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"])
_BYTE_DIVISORS_TEXT = "1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei"


@dataclass
class PodContext:
    """What checks of containers need to know of their pod."""

    volumes: dict[str, Object]
    grace: int | None
    restart_policy: str
    host_users: bool = True
    claims: Collection[str] = field(default_factory=frozenset)


def container_common(errors: Errors, c: Object, path: str, pod: PodContext) -> None:
    """What holds for every container."""
    name = c.get("name", "")
    if not name:
        errors.append(required(f"{path}.name"))
    else:
        messages_invalid(errors, f"{path}.name", name, names.dns1123_label(name))
    if not c.get("image"):
        errors.append(required(f"{path}.image"))
    policy = c.get("terminationMessagePolicy", "")
    if policy not in _TERMINATION:
        errors.append(not_supported(f"{path}.terminationMessagePolicy", policy, _TERMINATION) if policy
                      else required(f"{path}.terminationMessagePolicy"))
    if c.get("ports"):
        container_ports(errors, c["ports"], f"{path}.ports")
    if c.get("env"):
        _env(errors, c["env"], f"{path}.env")
    if c.get("envFrom"):
        _env_from(errors, c["envFrom"], f"{path}.envFrom")
    if c.get("volumeMounts"):
        volume_mounts(errors, c, pod.volumes, f"{path}.volumeMounts")
    if c.get("volumeDevices"):
        volume_devices(errors, c, pod.volumes, f"{path}.volumeDevices")
    pull_policy(errors, c.get("imagePullPolicy", ""), f"{path}.imagePullPolicy")
    resources.requirements(errors, c.get("resources"), f"{path}.resources", pod.claims)
    if c.get("resizePolicy"):
        _resize_policy(errors, c["resizePolicy"], f"{path}.resizePolicy", pod.restart_policy)
    if c.get("securityContext"):
        container_security(errors, c["securityContext"], f"{path}.securityContext", pod.host_users)


def pull_policy(errors: Errors, policy: str, path: str) -> None:
    if policy not in PULL_POLICIES:
        errors.append(not_supported(path, policy, PULL_POLICIES) if policy else required(path))


def container_ports(errors: Errors, ports: list[Object], path: str) -> None:
    seen = set()
    for i, port in enumerate(ports):
        at, name = f"{path}[{i}]", port.get("name", "")
        if name:
            if messages := names.port_name(name):
                messages_invalid(errors, f"{at}.name", name, messages)
            elif name in seen:
                errors.append(duplicate(f"{at}.name", name))
            else:
                seen.add(name)
        number = port.get("containerPort", 0)
        if number == 0:
            errors.append(required(f"{at}.containerPort"))
        elif not 1 <= number <= 65535:
            errors.append(invalid(f"{at}.containerPort", number, names.in_range(1, 65535)))
        host = port.get("hostPort", 0)
        if host and not 1 <= host <= 65535:
            errors.append(invalid(f"{at}.hostPort", host, names.in_range(1, 65535)))
        protocol(errors, port, at)


def protocol(errors: Errors, port: Object, path: str) -> None:
    value = port.get("protocol", "")
    if value not in PROTOCOLS:
        errors.append(not_supported(f"{path}.protocol", value, PROTOCOLS) if value else required(f"{path}.protocol"))


def host_port_conflicts(errors: Errors, containers: list[Object], path: str) -> None:
    seen = set()
    for i, c in enumerate(containers):
        for j, port in enumerate(c.get("ports") or ()):
            if port.get("hostPort"):
                key = f"{port.get('protocol', '')}/{port.get('hostIP', '')}/{port['hostPort']}"
                if key in seen:
                    errors.append(duplicate(f"{path}[{i}].ports[{j}].hostPort", key))
                seen.add(key)


# -- environment --
def _env(errors: Errors, items: list[Object], path: str) -> None:
    for i, env in enumerate(items):
        name = env.get("name", "")
        if not name:
            errors.append(required(f"{path}[{i}].name"))
        else:
            messages_invalid(errors, f"{path}[{i}].name", name, names.env_var_name(name))
        if env.get("valueFrom") is not None:
            _value_from(errors, env, f"{path}[{i}].valueFrom")


def _value_from(errors: Errors, env: Object, path: str) -> None:
    source = env["valueFrom"]
    for key, value in source.items():
        at = f"{path}.{key}"
        if key == "fieldRef":
            field_selector(errors, value, _ENV_FIELD_PATHS, at)
        elif key == "resourceFieldRef":
            resource_field_selector(errors, value, at, in_volume=False)
        elif key in ("configMapKeyRef", "secretKeyRef"):
            _key_selector(errors, value, at)
        elif key == "fileKeyRef":
            _file_key(errors, value, at)
    if not source:
        errors.append(invalid(path, "", "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, "
                              "`secretKeyRef` or `fileKeyRef`"))
    elif env.get("value"):
        errors.append(invalid(path, "", "may not be specified when `value` is not empty"))
    elif len(source) > 1:
        errors.append(invalid(path, "", "may not have more than one field specified at a time"))


def _key_selector(errors: Errors, ref: Object, path: str) -> None:
    name, key = ref.get("name", ""), ref.get("key", "")
    messages_invalid(errors, f"{path}.name", name, names.name_is_subdomain(name, False))
    if not key:
        errors.append(required(f"{path}.key"))
    else:
        messages_invalid(errors, f"{path}.key", key, names.config_map_key(key))


def _file_key(errors: Errors, ref: Object, path: str) -> None:
    from minik8s.objects.validation.paths import local_non_reserved_path
    for name in ("key", "volumeName", "path"):
        if not ref.get(name):
            errors.append(required(f"{path}.{name}"))
    if ref.get("key"):
        messages_invalid(errors, f"{path}.key", ref["key"], names.env_var_name(ref["key"]))
    if ref.get("path"):
        local_non_reserved_path(errors, ref["path"], f"{path}.path")


def field_selector(errors: Errors, ref: Object, allowed: tuple[str, ...], path: str) -> None:
    """``fieldRef``; ``allowed`` are the paths in alphabetical order."""
    if not ref.get("apiVersion"):
        errors.append(required(f"{path}.apiVersion"))
        return
    field_path = ref.get("fieldPath", "")
    if not field_path:
        errors.append(required(f"{path}.fieldPath"))
        return
    match = re.fullmatch(r"(.*)\['(.*)'\]", field_path, re.S)
    plain = match[1] if match else field_path
    if plain == "spec.host":
        plain = "spec.nodeName"
    if ref["apiVersion"] != "v1":
        errors.append(invalid(f"{path}.fieldPath", field_path,
                              f"error converting fieldPath: unsupported pod version: {ref['apiVersion']}"))
    elif plain not in (("metadata.annotations", "metadata.labels") if match else _DOWNWARD_LABELS):
        errors.append(invalid(f"{path}.fieldPath", field_path,
                              f"error converting fieldPath: field label not supported: {field_path}"))
    elif match:
        subscript = match[2].lower() if plain == "metadata.annotations" else match[2]
        messages_invalid(errors, path, subscript, names.qualified_name(subscript))
    elif plain not in allowed:
        errors.append(not_supported(f"{path}.fieldPath", plain, allowed))


def resource_field_selector(errors: Errors, ref: Object, path: str, *, in_volume: bool) -> None:
    resource = ref.get("resource", "")
    if in_volume and not ref.get("containerName"):
        errors.append(required(f"{path}.containerName"))
    elif not resource:
        errors.append(required(f"{path}.resource"))
    elif resource not in _RESOURCE_FIELDS and not resource.startswith(("limits.hugepages-", "requests.hugepages-")):
        errors.append(not_supported(f"{path}.resource", resource, _RESOURCE_FIELDS))
    divisor = ref.get("divisor", "0")
    if not parse_quantity(divisor).nanos:
        return
    kind = resource.partition(".")[2]
    if kind == "cpu" and divisor not in ("1m", "1"):
        errors.append(invalid(f"{path}.divisor", resource,
                              "only divisor's values 1m and 1 are supported with the cpu resource"))
    what = {"memory": "memory", "ephemeral-storage": "local ephemeral storage"}.get(
        kind, "hugepages" if kind.startswith("hugepages-") else "")
    if what and divisor not in _BYTE_DIVISORS:
        errors.append(invalid(f"{path}.divisor", resource, f"only divisor's values {_BYTE_DIVISORS_TEXT} are supported "
                              f"with the {what} resource"))


def _env_from(errors: Errors, items: list[Object], path: str) -> None:
    for i, source in enumerate(items):
        if source.get("prefix"):
            messages_invalid(errors, f"{path}[{i}].prefix", source["prefix"], names.env_var_name(source["prefix"]))
        found = [key for key in ("configMapRef", "secretRef") if source.get(key) is not None]
        for key in found:
            name = source[key].get("name", "")
            if not name:
                errors.append(required(f"{path}[{i}].{key}.name"))
            else:
                messages_invalid(errors, f"{path}[{i}].{key}.name", name, names.name_is_subdomain(name, True))
        if not found:
            errors.append(invalid(path, "", "must specify one of: `configMapRef` or `secretRef`"))
        elif len(found) > 1:
            errors.append(invalid(path, "", "may not have more than one field specified at a time"))


# -- probes and handlers --
def probes(errors: Errors, c: Object, path: str, pod: PodContext) -> None:
    """Lifecycle and the three probes, in the order in which they are looked at."""
    if c.get("lifecycle") is not None:
        for name in ("postStart", "preStop"):
            if (action := c["lifecycle"].get(name)) is not None:
                handler(errors, action, pod.grace, f"{path}.lifecycle.{name}")
        _stop_signal(errors, c["lifecycle"], f"{path}.lifecycle")
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        probe = c.get(name)
        if probe is None:
            continue
        _probe(errors, probe, pod.grace, f"{path}.{name}")
        if name != "readinessProbe":
            if probe.get("successThreshold", 0) != 1:
                errors.append(invalid(f"{path}.{name}.successThreshold", probe.get("successThreshold", 0), "must be 1"))
        elif probe.get("terminationGracePeriodSeconds") is not None:
            errors.append(invalid(f"{path}.{name}.terminationGracePeriodSeconds",
                                  probe["terminationGracePeriodSeconds"],
                                  "must not be set for readinessProbes"))


def _stop_signal(errors: Errors, lifecycle: Object, path: str) -> None:
    signal = lifecycle.get("stopSignal")
    if signal is not None and not re.fullmatch(r"SIG[A-Z0-9]+([+-][0-9]+)?", signal):
        errors.append(invalid(f"{path}.stopSignal", signal, "must be a valid signal"))


def _probe(errors: Errors, probe: Object, grace: int | None, path: str) -> None:
    handler(errors, probe, grace, path)
    for key in ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"):
        if probe.get(key, 0) < 0:
            nonnegative(errors, probe[key], f"{path}.{key}")
    seconds = probe.get("terminationGracePeriodSeconds")
    if seconds is not None and seconds <= 0:
        errors.append(invalid(f"{path}.terminationGracePeriodSeconds", seconds, "must be greater than 0"))


def handler(errors: Errors, value: Object, grace: int | None, path: str) -> None:
    found = [key for key in ("exec", "httpGet", "tcpSocket", "grpc", "sleep") if value.get(key) is not None]
    for i, key in enumerate(found):
        if i:
            errors.append(forbidden(f"{path}.{key}", "may not specify more than 1 handler type"))
        else:
            _action(errors, key, value[key], grace, f"{path}.{key}")
    if not found:
        errors.append(required(path, "must specify a handler type"))


def _action(errors: Errors, key: str, action: Object, grace: int | None, path: str) -> None:
    if key == "exec":
        if not action.get("command"):
            errors.append(required(f"{path}.command"))
    elif key == "httpGet":
        if not action.get("path"):
            errors.append(required(f"{path}.path"))
        port_number_or_name(errors, action.get("port", 0), f"{path}.port")
        if action.get("scheme") not in _SCHEMES:
            errors.append(not_supported(f"{path}.scheme", action.get("scheme", ""), _SCHEMES))
        for header in action.get("httpHeaders") or ():
            messages_invalid(errors, f"{path}.httpHeaders", header.get("name", ""),
                             names.http_header(header.get("name", "")))
    elif key == "sleep":
        seconds = action.get("seconds", 0)
        if grace is not None and not 0 <= seconds <= grace:
            errors.append(invalid(path, seconds,
                                  f"must be non-negative and less than terminationGracePeriodSeconds ({grace})"))
    else:
        port_number_or_name(errors, action.get("port", 0), f"{path}.port")


def port_number_or_name(errors: Errors, port: Any, path: str) -> None:
    messages_invalid(errors, path, port, names.port_number(port) if isinstance(port, int) else names.port_name(port))


def restart_policy(errors: Errors, c: Object, path: str) -> None:
    """A container's own restart policy and restart rules (KEP-5307)."""
    policy, rules = c.get("restartPolicy"), c.get("restartPolicyRules") or ()
    if policy is None:
        if rules:
            errors.append(required(f"{path}.restartPolicy", "must specify restartPolicy when restart rules are used"))
    elif policy not in RESTART_POLICIES:
        errors.append(not_supported(f"{path}.restartPolicy", policy, RESTART_POLICIES))
    if len(rules) > 20:
        errors.append(too_many(f"{path}.restartPolicyRules", len(rules), 20))
    for i, rule in enumerate(rules):
        at = f"{path}.restartPolicyRules[{i}]"
        if rule.get("action") not in ("Restart", "RestartAllContainers"):
            errors.append(not_supported(f"{at}.action", rule.get("action", ""), ("Restart", "RestartAllContainers")))
        codes = rule.get("exitCodes")
        if codes is None:
            errors.append(required(f"{at}.exitCodes", "must be specified"))
            continue
        if codes.get("operator") not in ("In", "NotIn"):
            errors.append(not_supported(f"{at}.exitCodes.operator", codes.get("operator", ""), ("In", "NotIn")))
        if len(codes.get("values") or ()) > 255:
            errors.append(too_many(f"{at}.exitCodes.values", len(codes["values"]), 255))


def _resize_policy(errors: Errors, items: list[Object], path: str, pod_restart: str) -> None:
    seen = set()
    for i, item in enumerate(items):
        name, policy = item.get("resourceName", ""), item.get("restartPolicy", "")
        if name in seen:
            errors.append(duplicate(f"{path}[{i}]", name))
        seen.add(name)
        if name not in ("cpu", "memory"):
            errors.append(not_supported(path, name, ("cpu", "memory")) if name else required(path))
        if policy not in _RESIZE:
            errors.append(not_supported(path, policy, _RESIZE) if policy else required(path))
        if pod_restart == "Never" and policy != "NotRequired":
            errors.append(invalid(path, policy, "must be 'NotRequired' when `restartPolicy` is 'Never'"))


_EPHEMERAL_FORBIDDEN = ("ports", "resources", "livenessProbe", "readinessProbe", "startupProbe", "lifecycle",
                        "resizePolicy", "restartPolicy", "restartPolicyRules")


def ephemeral_containers(errors: Errors, spec: Object, path: str, pod: PodContext) -> None:
    others = {c.get("name", "") for key in ("containers", "initContainers") for c in spec.get(key) or ()}
    taken = set(others)
    for i, c in enumerate(spec.get("ephemeralContainers") or ()):
        at, name = f"{path}[{i}]", c.get("name", "")
        container_common(errors, c, at, pod)
        image_whitespace(errors, c, at)
        if name in taken:
            errors.append(duplicate(f"{at}.name", name))
        taken.add(name)
        target = c.get("targetContainerName")
        if target and target not in others:
            errors.append(not_found(f"{at}.targetContainerName", target))
        for key in _EPHEMERAL_FORBIDDEN:
            if c.get(key):
                errors.append(forbidden(f"{at}.{key}", "cannot be set for an Ephemeral Container"))
        for j, mount in enumerate(c.get("volumeMounts") or ()):
            for key in ("subPath", "subPathExpr"):
                if mount.get(key):
                    errors.append(forbidden(f"{at}.volumeMounts[{j}].{key}",
                                            "cannot be set for an Ephemeral Container"))


def image_whitespace(errors: Errors, c: Object, path: str) -> None:
    image = c.get("image", "")
    if image != image.strip():
        errors.append(invalid(f"{path}.image", image, "must not have leading or trailing whitespace"))
