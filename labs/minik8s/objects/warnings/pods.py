"""Warnings about pods and pod templates. Source: ``pkg/api/pod/warnings.go``, ``pkg/api/node/util.go``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from minik8s.objects import quantity
from minik8s.objects.frozen import Object
from minik8s.objects.validation import names
from minik8s.objects.validation.field import quote
from minik8s.objects.warnings.addresses import of_ip

NODE_LABELS = {
    "beta.kubernetes.io/arch": 'deprecated since v1.14; use "kubernetes.io/arch" instead',
    "beta.kubernetes.io/os": 'deprecated since v1.14; use "kubernetes.io/os" instead',
    "failure-domain.beta.kubernetes.io/region": 'deprecated since v1.17; use "topology.kubernetes.io/region" instead',
    "failure-domain.beta.kubernetes.io/zone": 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
    "beta.kubernetes.io/instance-type": 'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead',
    "app.kubernetes.io/created-by": "deprecated since v1.9",
    "scheduler.alpha.kubernetes.io/preferAvoidPods": "deprecated since v1.22; use Taints and Tolerations instead",
    "node-role.kubernetes.io/master": 'use "node-role.kubernetes.io/control-plane" instead',
}
_ANNOTATIONS = {
    "scheduler.alpha.kubernetes.io/critical-pod": 'non-functional in v1.16+; use the "priorityClassName" field instead',
    "security.alpha.kubernetes.io/sysctls": 'non-functional in v1.11+; use the "sysctls" field instead',
    "security.alpha.kubernetes.io/unsafe-sysctls": 'non-functional in v1.11+; use the "sysctls" field instead',
}
_VOLUMES = {
    "photonPersistentDisk": "deprecated in v1.11, non-functional in v1.16+",
    "gitRepo": "deprecated in v1.11, and disabled by default in v1.33+",
    "scaleIO": "deprecated in v1.16, non-functional in v1.22+",
    "flocker": "deprecated in v1.22, non-functional in v1.25+",
    "storageos": "deprecated in v1.22, non-functional in v1.25+",
    "quobyte": "deprecated in v1.22, non-functional in v1.25+",
    "glusterfs": "deprecated in v1.25, non-functional in v1.26+",
    "cephfs": "deprecated in v1.28, non-functional in v1.31+",
    "rbd": "deprecated in v1.28, non-functional in v1.31+",
}
_SECCOMP = 'non-functional in v1.27+; use the "seccompProfile" field instead'
_BYTES = ("memory", "ephemeral-storage")
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"


def of_pod(pod: Object, prefix: str = "") -> list[str]:
    """Of a pod, or of a template; `prefix` is the template's place with a dot behind it."""
    spec: Object = pod.get("spec") or {}
    at = f"{prefix}spec"
    annotations: Object = (pod.get("metadata") or {}).get("annotations") or {}
    containers = list(_containers(spec, at))
    notes = _placement(spec, at)
    notes += [f"{prefix}metadata.annotations[{k}]: {_ANNOTATIONS[k]}" for k in _ANNOTATIONS if k in annotations]
    notes += _volumes(spec.get("volumes") or (), at)
    notes += _repeated(spec, at)
    notes += fractions(spec.get("overhead"), f"{at}.overhead")
    if annotations:
        notes += _seccomp(spec, annotations, prefix)
    for c, path in containers:
        notes += _container(c, path, annotations, prefix)
    notes += _ports(containers)
    if (spec.get("terminationGracePeriodSeconds") or 0) < 0:
        why = "must be >= 0; negative values are invalid and will be treated as 1"
        notes.append(f"{at}.terminationGracePeriodSeconds: {why}")
    notes += _null_selectors(spec.get("affinity") or {}, f"{at}.affinity")
    for i, server in enumerate((spec.get("dnsConfig") or {}).get("nameservers") or ()):
        notes += of_ip(server, f"{at}.dnsConfig.nameservers[{i}]")
    for i, alias in enumerate(spec.get("hostAliases") or ()):
        notes += of_ip(alias.get("ip", ""), f"{at}.hostAliases[{i}].ip")
    return notes


def _containers(spec: Object, at: str) -> Iterator[tuple[Object, str]]:
    for key in ("initContainers", "containers", "ephemeralContainers"):
        for i, c in enumerate(spec.get(key) or ()):
            yield c, f"{at}.{key}[{i}]"


def fractions(amounts: Object | None, path: str, resources: tuple[str, ...] = _BYTES) -> list[str]:
    """Amounts of bytes that are no whole number."""
    return [f"{path}[{name}]: fractional byte value {quote(quantity.canonical(amounts[name]))} is invalid,"
            " must be an integer"
            for name in resources if amounts and name in amounts and quantity.milli(amounts[name]) % 1000]


def selector_term(term: Object, path: str, *, values: bool = False) -> list[str]:
    """Node labels of old that a term of a node selector asks for; with `values`, values that no label can have."""
    notes = []
    for i, wanted in enumerate(term.get("matchExpressions") or ()):
        key = wanted.get("key", "")
        if key in NODE_LABELS:
            notes.append(f"{path}.matchExpressions[{i}].key: {key} is {NODE_LABELS[key]}")
        if values:
            notes += [f"{path}.matchExpressions[{i}].values[{j}]: {value} is invalid, {message}"
                      for j, value in enumerate(wanted.get("values") or ()) for message in names.label_value(value)]
    return notes


def _placement(spec: Object, at: str) -> list[str]:
    notes = [f"{at}.nodeSelector[{k}]: {NODE_LABELS[k]}" for k in spec.get("nodeSelector") or () if k in NODE_LABELS]
    node = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    for i, term in enumerate((node.get(_REQUIRED) or {}).get("nodeSelectorTerms") or ()):
        notes += selector_term(term, f"{at}.affinity.nodeAffinity.{_REQUIRED}.nodeSelectorTerms[{i}]")
    for i, term in enumerate(node.get(_PREFERRED) or ()):
        path = f"{at}.affinity.nodeAffinity.{_PREFERRED}[{i}].preference"
        notes += selector_term(term.get("preference") or {}, path, values=True)
    for i, spread in enumerate(spec.get("topologySpreadConstraints") or ()):
        key, path = spread.get("topologyKey", ""), f"{at}.topologySpreadConstraints[{i}]"
        if key in NODE_LABELS:
            notes.append(f"{path}.topologyKey: {key} is {NODE_LABELS[key]}")
        if spread.get("labelSelector") is None:
            notes.append(f"{path}.labelSelector: a null labelSelector results in matching no pod")
    return notes


def _null_selectors(affinity: Object, at: str) -> list[str]:
    notes = []
    for kind in ("podAffinity", "podAntiAffinity"):
        terms = affinity.get(kind) or {}
        paths = [(f"{at}.{kind}.{_REQUIRED}[{i}]", t) for i, t in enumerate(terms.get(_REQUIRED) or ())]
        paths += [(f"{at}.{kind}.{_PREFERRED}[{i}].podAffinityTerm", t.get("podAffinityTerm") or {})
                  for i, t in enumerate(terms.get(_PREFERRED) or ())]
        notes += [f"{path}.labelSelector: a null labelSelector results in matching no pod"
                  for path, term in paths if term.get("labelSelector") is None]
    return notes


def _repeated(spec: Object, at: str) -> list[str]:
    """Host aliases and pull secrets that are named more than once, or have no name."""
    notes, seen = [], set()
    for i, alias in enumerate(spec.get("hostAliases") or ()):
        if (ip := alias.get("ip", "")) in seen:
            notes.append(f"{at}.hostAliases[{i}].ip: duplicate ip {quote(ip)}")
        seen.add(ip)
    seen = set()
    secrets = [s.get("name") or "" for s in spec.get("imagePullSecrets") or ()]
    for i, name in enumerate(secrets):
        if name in seen:
            notes.append(f"{at}.imagePullSecrets[{i}].name: duplicate name {quote(name)}")
        seen.add(name)
    return notes + [f'{at}.imagePullSecrets[{i}].name: invalid empty name ""' for i, n in enumerate(secrets) if not n]


def _seccomp(spec: Object, annotations: Object, prefix: str) -> list[str]:
    key = "seccomp.security.alpha.kubernetes.io/pod"
    if key not in annotations or (spec.get("securityContext") or {}).get("seccompProfile") is not None:
        return []
    return [f"{prefix}metadata.annotations[{key}]: {_SECCOMP}"]


def _container(c: Object, path: str, annotations: Object, prefix: str) -> list[str]:
    notes = []
    if annotations:
        security, name = c.get("securityContext") or {}, c.get("name", "")
        seccomp, armor = (f"{tool}.kubernetes.io/{name}" for tool in (
            "container.seccomp.security.alpha", "container.apparmor.security.beta"))
        if seccomp in annotations and security.get("seccompProfile") is None:
            notes.append(f"{prefix}metadata.annotations[{seccomp}]: {_SECCOMP}")
        if armor in annotations and security.get("appArmorProfile") is None:
            why = 'deprecated since v1.30; use the "appArmorProfile" field instead'
            notes.append(f"{prefix}metadata.annotations[{armor}]: {why}")
    if resources := c.get("resources"):
        for name in _BYTES:
            for key in ("limits", "requests"):
                notes += fractions(resources.get(key), f"{path}.resources.{key}", (name,))
    variables = c.get("env") or ()
    if len(variables) > 1:
        notes += _env(variables, path)
    return notes


def _env(variables: Any, path: str) -> list[str]:
    notes, seen = [], set()
    for i, variable in enumerate(variables):
        name, value = variable.get("name", ""), variable.get("value") or ""
        reference = f"$({name})"
        if name in seen and (variable.get("valueFrom") is not None or value == reference or reference not in value):
            why = f"hides previous definition of {quote(name)}, which may be dropped when using apply"
            notes.append(f"{path}.env[{i}]: {why}")
        seen.add(name)
    return notes


def _ports(containers: list[tuple[Object, str]]) -> list[str]:
    ports = [(p, f"{path}.ports[{i}]") for c, path in containers for i, p in enumerate(c.get("ports") or ())]
    notes: list[str] = []
    known: dict[tuple[int, str], list[tuple[str, int, str]]] = {}
    for port, path in ports:
        ip, host = port.get("hostIP") or "", port.get("hostPort") or 0
        if ip and not host:
            shown = (f"{{Name:{port.get('name', '')} HostPort:0 ContainerPort:{port.get('containerPort', 0)}"
                     f" Protocol:{port.get('protocol', '')} HostIP:{ip}}}")
            notes.append(f"{path}: hostIP set without hostPort: {shown}")
        others = known.setdefault((port.get("containerPort", 0), port.get("protocol", "")), [])
        for other_ip, other_host, other in others:
            if (ip, host) == (other_ip, other_host):
                notes.append(f"{path}: duplicate port definition with {other}")
            elif not host or not other_host:
                notes.append(f"{path}: overlapping port definition with {other}")
            elif host == other_host and (not ip) != (not other_ip):
                notes.append(f"{path}: dangerously ambiguous port definition with {other}")
        others.append((ip, host, path))
    by_name: dict[str, str] = {}
    for port, path in ports:
        if name := port.get("name"):
            first = by_name.setdefault(name, path)
            if first != path:
                notes.append(f"{path}: duplicate port name {quote(name)} with {first}, services and probes that select"
                             f" ports by name will use {first}")
    return notes


def _volumes(volumes: Any, at: str) -> list[str]:
    notes: list[str] = []
    for i, volume in enumerate(volumes):
        notes += [f"{at}.volumes[{i}].{'storageOS' if key == 'storageos' else key}: {why}"
                  for key, why in _VOLUMES.items() if volume.get(key) is not None]
        template = (volume.get("ephemeral") or {}).get("volumeClaimTemplate")
        if template is not None:
            notes += claim(template.get("spec") or {}, f"{at}.volumes[{i}].ephemeral.volumeClaimTemplate.spec")
    for volume in volumes:
        notes += _overlaps(volume)
    return notes


def claim(spec: Object, path: str) -> list[str]:
    """Of the spec of a claim (``pkg/api/persistentvolumeclaim/util.go``)."""
    wanted = spec.get("resources") or {}
    return [note for key in ("requests", "limits")
            for note in fractions(wanted.get(key), f"{path}.resources.{key}", ("storage",))]


_Path = tuple[str, str]  # path, where it comes from


def _overlaps(volume: Object) -> list[str]:
    """Files of one volume that would lie on or in one another."""
    name = quote(volume.get("name", ""))
    for key, shown in (("configMap", "ConfigMap"), ("secret", "Secret"), ("downwardAPI", "DownwardAPI")):
        if (source := volume.get(key)) is not None:
            of = source.get("secretName" if key == "secret" else "name") or ""
            title = shown if key == "downwardAPI" else f"{shown} {quote(of)}"
            paths = [(item.get("path", ""), "") for item in source.get("items") or ()]
            return [f"volume {name} ({title}): overlapping paths: {clash}" for clash in _clashes([], paths)]
    if (projected := volume.get("projected")) is None:
        return []
    notes: list[str] = []
    before: list[_Path] = []
    for source in projected.get("sources") or ():
        if not source:
            notes.append(f"volume {name} (Projected) has no sources provided")
            continue
        clashes = _clashes(before, _paths(source))
        notes += [f"volume {name} (Projected): overlapping paths: {clash}" for clash in clashes]
    return notes


def _paths(source: Object) -> list[_Path]:
    for key, shown in (("configMap", "ConfigMap"), ("secret", "Secret"), ("downwardAPI", "DownwardAPI")):
        if (part := source.get(key)) is not None and part.get("items") is not None:
            title = shown if key == "downwardAPI" else f"{shown} {quote(part.get('name') or '')}"
            return [(item.get("path", ""), title) for item in part["items"]]
    if (token := source.get("serviceAccountToken")) is not None:
        return [(token.get("path", ""), "ServiceAccountToken")]
    if (bundle := source.get("clusterTrustBundle")) is not None:
        of = bundle.get("name") or bundle.get("signerName") or ""
        return [(bundle.get("path", ""), f"ClusterTrustBundle {quote(of)}")]
    cert = source.get("podCertificate") or {}
    return [(cert[key], f"PodCertificate {what}") for key, what in (
        ("certificateChainPath", "chain"), ("keyPath", "key"), ("credentialBundlePath", "credential bundle"))
        if cert.get(key)]


def _clashes(before: list[_Path], paths: list[_Path]) -> list[str]:
    """Texts of clashes of `paths` with one another and with those `before`, to which they are added."""
    def shown(item: _Path) -> str:
        return f"{quote(item[0])} ({item[1]})" if item[1] else quote(item[0])
    clashes = []
    for full, source in paths:
        path = full.rstrip("/")
        for item in before if path else ():
            other = item[0]
            if other and (f"{other}/".startswith(f"{path}/") or f"{path}/".startswith(f"{other}/")):
                clashes.append(f"{shown((path, source))} with {shown(item)}")
        before.append((path, source))
    return clashes
