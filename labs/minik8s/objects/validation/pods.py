"""Pods and pod templates. Source: ``pkg/apis/core/validation/validation.go``."""

from __future__ import annotations

from typing import Any

from minik8s.objects.defaults.pods import aggregate_requests
from minik8s.objects.frozen import Object
from minik8s.objects.quantity import parse_quantity
from minik8s.objects.validation import meta, names, pod_systems, resources
from minik8s.objects.validation.containers import (
    PodContext,
    container_common,
    ephemeral_containers,
    host_port_conflicts,
    image_whitespace,
    probes,
    restart_policy,
)
from minik8s.objects.validation.field import (
    Errors,
    GoValue,
    duplicate,
    forbidden,
    invalid,
    messages_invalid,
    not_supported,
    required,
)
from minik8s.objects.validation.ips import valid_ip
from minik8s.objects.validation.meta import MAX_INT32
from minik8s.objects.validation.scheduling import affinity, tolerations, topology_spread
from minik8s.objects.validation.security import host_users, pod_security, share_process_namespace
from minik8s.objects.validation.volumes import pod_volumes

RESTART = ("Always", "OnFailure", "Never")
_DNS_POLICIES = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")
PREEMPTION = ("PreemptLowerPriority", "Never")
DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"
MIRROR = "kubernetes.io/config.mirror"


def pod_spec(errors: Errors, spec: Object, path: str, *, pod_name: str = "", is_pod: bool = False) -> None:
    """A pod's spec, in a pod (``is_pod``) or in a template."""
    grace = spec.get("terminationGracePeriodSeconds")
    if grace is None:
        errors.append(required(f"{path}.terminationGracePeriodSeconds"))
    volumes = pod_volumes(errors, spec.get("volumes"), pod_name, f"{path}.volumes")
    claims = _resource_claims(errors, spec.get("resourceClaims"), f"{path}.resourceClaims")
    pod = PodContext(volumes, grace, spec.get("restartPolicy", ""), spec.get("hostUsers") is not False, claims)
    _containers(errors, spec, path, pod)
    _init_containers(errors, spec, path, pod)
    if spec.get("ephemeralContainers"):
        ephemeral_containers(errors, spec, f"{path}.ephemeralContainers", pod)
    if spec.get("resources") is not None:
        _pod_resources(errors, spec, f"{path}.resources")
    if spec.get("hostNetwork"):
        _host_network(errors, spec, path, is_pod)
    _enum(errors, spec.get("restartPolicy", ""), RESTART, f"{path}.restartPolicy")
    _enum(errors, spec.get("dnsPolicy", ""), _DNS_POLICIES, f"{path}.dnsPolicy")
    meta.labels(errors, spec.get("nodeSelector"), f"{path}.nodeSelector")
    pod_security(errors, spec, f"{path}.securityContext")
    share_process_namespace(errors, spec, f"{path}.securityContext")
    affinity(errors, spec.get("affinity"), f"{path}.affinity")
    if spec.get("dnsConfig") is not None or spec.get("dnsPolicy") == "None":
        _dns_config(errors, spec, f"{path}.dnsConfig")
    for i, gate in enumerate(spec.get("readinessGates") or ()):
        kind = gate.get("conditionType", "")
        messages_invalid(errors, f"{path}.readinessGates[{i}].conditionType", kind, names.qualified_name(kind))
    if spec.get("schedulingGates"):
        _scheduling_gates(errors, spec["schedulingGates"], f"{path}.schedulingGates")
    if spec.get("topologySpreadConstraints"):
        topology_spread(errors, spec["topologySpreadConstraints"], f"{path}.topologySpreadConstraints")
    host_users(errors, spec, path)
    pod_systems.host_name_override(errors, spec, path)
    _names(errors, spec, path)


def _enum(errors: Errors, value: str, known: tuple[str, ...], path: str) -> None:
    if value not in known:
        errors.append(not_supported(path, value, known) if value else required(path))


def _names(errors: Errors, spec: Object, path: str) -> None:
    """The many small fields behind the containers."""
    for key in ("serviceAccountName", "nodeName"):
        if value := spec.get(key):
            messages_invalid(errors, f"{path}.{key}", value, names.name_is_subdomain(value, False))
    seconds = spec.get("activeDeadlineSeconds")
    if seconds is not None and not 1 <= seconds <= MAX_INT32:
        errors.append(invalid(f"{path}.activeDeadlineSeconds", seconds, names.in_range(1, MAX_INT32)))
    for key in ("hostname", "subdomain"):
        if value := spec.get(key):
            messages_invalid(errors, f"{path}.{key}", value, names.dns1123_label(value))
    if spec.get("tolerations"):
        tolerations(errors, spec["tolerations"], f"{path}.tolerations")
    for i, alias in enumerate(spec.get("hostAliases") or ()):
        valid_ip(errors, alias.get("ip", ""), f"{path}.hostAliases[{i}].ip", legacy=True)
        for j, host in enumerate(alias.get("hostnames") or ()):
            messages_invalid(errors, f"{path}.hostAliases[{i}].hostnames[{j}]", host, names.dns1123_subdomain(host))
    if value := spec.get("priorityClassName"):
        messages_invalid(errors, f"{path}.priorityClassName", value, names.name_is_subdomain(value, False))
    if (value := spec.get("runtimeClassName")) is not None:
        messages_invalid(errors, f"{path}.runtimeClassName", value, names.name_is_subdomain(value, False))
    if (value := spec.get("preemptionPolicy")) is not None:
        _enum(errors, value, PREEMPTION, f"{path}.preemptionPolicy")
    if spec.get("overhead"):
        resources.requirements(errors, {"limits": spec["overhead"]}, f"{path}.overhead")
    if spec.get("os") is not None:
        pod_systems.system(errors, spec, path)


def _containers(errors: Errors, spec: Object, path: str, pod: PodContext) -> None:
    containers = spec.get("containers") or []
    if not containers:
        errors.append(required(f"{path}.containers"))
        return
    seen = set()
    for i, c in enumerate(containers):
        at, name = f"{path}.containers[{i}]", c.get("name", "")
        container_common(errors, c, at, pod)
        if name in seen:
            errors.append(duplicate(f"{at}.name", name))
        seen.add(name)
        probes(errors, c, at, pod)
        if "restartPolicy" in c or "restartPolicyRules" in c:
            restart_policy(errors, c, at)
    host_port_conflicts(errors, containers, f"{path}.containers")


_NOT_FOR_INIT = "may not be set for init containers without restartPolicy=Always"


def _init_containers(errors: Errors, spec: Object, path: str, pod: PodContext) -> None:
    seen = {c.get("name", "") for c in spec.get("containers") or ()}
    for i, c in enumerate(spec.get("initContainers") or ()):
        at, name = f"{path}.initContainers[{i}]", c.get("name", "")
        container_common(errors, c, at, pod)
        if "restartPolicy" in c or "restartPolicyRules" in c:
            restart_policy(errors, c, at)
        if name in seen:
            errors.append(duplicate(f"{at}.name", name))
        elif name:
            seen.add(name)
        host_port_conflicts(errors, [c], f"{path}.initContainers")
        if c.get("restartPolicy") == "Always":
            probes(errors, c, at, pod)
        else:
            for key in ("lifecycle", "livenessProbe", "readinessProbe", "startupProbe"):
                if c.get(key) is not None:
                    errors.append(forbidden(f"{at}.{key}", _NOT_FOR_INIT))


def _resource_claims(errors: Errors, items: list[Object] | None, path: str) -> frozenset[str]:
    seen: set[str] = set()
    for i, claim in enumerate(items or ()):
        at, name = f"{path}[{i}]", claim.get("name", "")
        if not name:
            errors.append(required(f"{at}.name"))
        elif name in seen:
            errors.append(duplicate(f"{at}.name", name))
        else:
            messages_invalid(errors, f"{at}.name", name, names.dns1123_label(name))
        sources = [claim.get("resourceClaimName"), claim.get("resourceClaimTemplateName")]
        shown = GoValue(claim, "core.v1.PodResourceClaim")
        if all(s is not None for s in sources):
            errors.append(invalid(at, shown, "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be "
                                  "specified"))
        if all(s is None for s in sources):
            errors.append(invalid(at, shown, "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`"))
        seen.add(name)
    return frozenset(seen - {""})


def _pod_resources(errors: Errors, spec: Object, path: str) -> None:
    value = spec["resources"]
    if value.get("claims"):
        errors.append(forbidden(f"{path}.claims", "claims may not be set for Resources at pod-level"))
    resources.requirements(errors, {k: v for k, v in value.items() if k != "claims"}, path,
                           rule=resources.pod_resource_name)
    requests = value.get("requests") or {}
    for key, needed in sorted(aggregate_requests(spec).items()):
        own = parse_quantity(requests.get(key, "0"))
        if needed > own:
            errors.append(invalid(f"{path}.requests[{key}]", str(own),
                                  f"must be greater than or equal to aggregate container requests of {needed}"))
    for i, c in enumerate(spec.get("containers") or ()):
        for key, text in ((c.get("resources") or {}).get("limits") or {}).items():
            most = (value.get("limits") or {}).get(key)
            if most is not None and parse_quantity(text) > parse_quantity(most):
                errors.append(invalid(f"{path}.containers[{i}][{key}].limits", text,
                                      f"must be less than or equal to pod limits of {most}"))


def _host_network(errors: Errors, spec: Object, path: str, is_pod: bool) -> None:
    for i, c in enumerate(spec.get("containers") or ()):
        for j, port in enumerate(c.get("ports") or ()):
            host, own = port.get("hostPort", 0), port.get("containerPort", 0)
            if (is_pod or host) and host != own:
                errors.append(invalid(f"{path}.containers[{i}].ports[{j}].hostPort", host,
                                      "must match `containerPort` when `hostNetwork` is true"))


def _scheduling_gates(errors: Errors, gates: list[Object], path: str) -> None:
    seen = set()
    for i, gate in enumerate(gates):
        name = gate.get("name", "")
        messages_invalid(errors, f"{path}[{i}]", name, names.qualified_name(name))
        if name in seen:
            errors.append(duplicate(f"{path}[{i}]", name))
        seen.add(name)


def _dns_config(errors: Errors, spec: Object, path: str) -> None:
    config = spec.get("dnsConfig")
    servers = (config or {}).get("nameservers") or []
    if spec.get("dnsPolicy") == "None":
        if config is None:
            errors.append(required(path, "must provide `dnsConfig` when `dnsPolicy` is None"))
            return
        if not servers:
            errors.append(required(f"{path}.nameservers",
                                   "must provide at least one DNS nameserver when `dnsPolicy` is None"))
            return
    assert config is not None
    if len(servers) > 3:
        errors.append(invalid(f"{path}.nameservers", servers, "must not have more than 3 nameservers"))
    for i, server in enumerate(servers):
        valid_ip(errors, server, f"{path}.nameservers[{i}]", legacy=True)
    searches = config.get("searches") or []
    if len(searches) > 32:
        errors.append(invalid(f"{path}.searches", searches, "must not have more than 32 search paths"))
    if len(" ".join(searches)) > 2048:
        errors.append(invalid(f"{path}.searches", searches,
                              "must not have more than 2048 characters (including spaces) in the search list"))
    for i, search in enumerate(searches):
        if search != ".":
            text = search.removesuffix(".")
            messages_invalid(errors, f"{path}.searches[{i}]", text, names.dns1123_subdomain_underscore(text))
    for i, option in enumerate(config.get("options") or ()):
        if not option.get("name"):
            errors.append(required(f"{path}.options[{i}]", "must not be empty"))


def pod_annotations(errors: Errors, annotations: dict[str, str] | None, spec: Object, path: str) -> None:
    if not annotations:
        return
    if MIRROR in annotations and not spec.get("nodeName"):
        errors.append(invalid(f"{path}[{MIRROR}]", annotations[MIRROR],
                              "must set spec.nodeName if mirror pod annotation is set"))
    cost = annotations.get(DELETION_COST)
    if cost is not None and not _is_int32(cost):
        errors.append(invalid(f"{path}[{DELETION_COST}]", cost, "must be a 32bit integer"))


def _is_int32(text: str) -> bool:
    digits = text.removeprefix("-")
    canonical = digits.isdigit() and digits.isascii() and (digits == "0" or not digits.startswith("0"))
    return canonical and text != "-0" and -MAX_INT32 - 1 <= int(text) <= MAX_INT32


def pod_template_spec(errors: Errors, template: Object, path: str) -> None:
    own = template.get("metadata") or {}
    meta.labels(errors, own.get("labels"), f"{path}.labels")
    meta.annotation_map(errors, own.get("annotations"), f"{path}.annotations")
    spec = template.get("spec") or {}
    pod_annotations(errors, own.get("annotations"), spec, f"{path}.annotations")
    pod_spec(errors, spec, f"{path}.spec")
    if spec.get("ephemeralContainers"):
        errors.append(forbidden(f"{path}.spec.ephemeralContainers", "ephemeral containers not allowed in pod template"))


def metadata_and_spec(errors: Errors, pod: Object) -> None:
    own, spec = pod["metadata"], pod["spec"]
    meta.object_meta(errors, own, True, names.name_is_subdomain)
    pod_annotations(errors, own.get("annotations"), spec, "metadata.annotations")
    pod_spec(errors, spec, "spec", pod_name=own.get("name", ""), is_pod=True)
    if not spec.get("serviceAccountName"):
        _no_token_without_account(errors, spec)
    for key in ("containers", "initContainers"):
        for i, c in enumerate(spec.get(key) or ()):
            image_whitespace(errors, c, f"spec.{key}[{i}]")


def _no_token_without_account(errors: Errors, spec: Object) -> None:
    for i, volume in enumerate(spec.get("volumes") or ()):
        for j, source in enumerate((volume.get("projected") or {}).get("sources") or ()):
            if source.get("serviceAccountToken") is not None:
                errors.append(forbidden(f"spec.volumes[{i}].projected.sources[{j}].serviceAccountToken",
                                        "must not be specified when serviceAccountName is not set"))


def create(errors: Errors, pod: Object) -> None:
    metadata_and_spec(errors, pod)
    spec = pod["spec"]
    if spec.get("ephemeralContainers"):
        errors.append(forbidden("spec.ephemeralContainers", "cannot be set on create"))
    if spec.get("nodeName") and spec.get("schedulingGates"):
        errors.append(forbidden("spec.nodeName", "cannot be set until all schedulingGates have been cleared"))


def pod_template_create(errors: Errors, obj: Object) -> None:
    meta.object_meta(errors, obj["metadata"], True, names.name_is_subdomain)
    pod_template_spec(errors, obj.get("template") or {}, "template")


def pod_template_update(errors: Errors, new: Object, old: Object) -> None:
    meta.object_meta_update(errors, new["metadata"], old["metadata"])
    pod_template_spec(errors, new.get("template") or {}, "template")


def qos_class(spec: dict[str, Any]) -> str:
    """Guaranteed, Burstable or BestEffort (``component-helpers/resource``, ``helper/qos``)."""
    if (pod_level := spec.get("resources") or {}) and (pod_level.get("requests") or pod_level.get("limits")):
        return _qos([pod_level])
    containers = [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]
    return _qos([c.get("resources") or {} for c in containers])


def _qos(requirements: list[dict[str, Any]]) -> str:
    any_set, guaranteed = False, True
    requests: dict[str, int] = {}
    limits: dict[str, int] = {}
    for item in requirements:
        for total, key in ((requests, "requests"), (limits, "limits")):
            found = {name: parse_quantity(text).nanos for name, text in (item.get(key) or {}).items()
                     if name in ("cpu", "memory") and parse_quantity(text).nanos > 0}
            any_set = any_set or bool(found)
            for name, amount in found.items():
                total[name] = total.get(name, 0) + amount
            if key == "limits" and len(found) < 2:
                guaranteed = False
    if not any_set:
        return "BestEffort"
    return "Guaranteed" if guaranteed and requests == limits else "Burstable"
