"""PodSecurity: the Pod Security Standards by namespace label, to enforce, audit or warn (pod-security-admission)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from minik8s import wire
from minik8s.apiserver.admission.attributes import CREATE, UPDATE, Attributes, Server, forbidden
from minik8s.apiserver.admission.plugin import Plugin
from minik8s.apiserver.admission.podsecuritychecks import LATEST, evaluate
from minik8s.objects.frozen import Object
from minik8s.store import Key

PREFIX = "pod-security.kubernetes.io/"
LEVELS = ("privileged", "baseline", "restricted")
_VERSION = re.compile(r"v1\.(0|[1-9][0-9]*)")
_IGNORED_SUBRESOURCES = frozenset({"exec", "attach", "binding", "eviction", "log", "portforward", "proxy", "status"})
_MAX_PODS = 3000

TEMPLATES = {
    "replicationcontrollers": ("spec", "template"),
    "podtemplates": ("template",),
    "replicasets.apps": ("spec", "template"),
    "deployments.apps": ("spec", "template"),
    "statefulsets.apps": ("spec", "template"),
    "daemonsets.apps": ("spec", "template"),
    "jobs.batch": ("spec", "template"),
    "cronjobs.batch": ("spec", "jobTemplate", "spec", "template"),
}
"""Where controllers keep the pod that they will make."""


@dataclass(frozen=True, slots=True)
class LevelVersion:
    """`restricted:latest`; minor is None for latest."""

    level: str = "privileged"
    minor: int | None = None

    def __str__(self) -> str:
        return f"{self.level}:{'latest' if self.minor is None else f'v1.{self.minor}'}"

    def violations(self, meta: Object, spec: Object) -> list[tuple[str, str]]:
        """(reason, detail) of every check that the pod fails."""
        return evaluate(self.level, LATEST if self.minor is None else self.minor, meta, spec)


@dataclass(frozen=True, slots=True)
class Policy:
    """What a namespace's labels ask for."""

    enforce: LevelVersion
    audit: LevelVersion
    warn: LevelVersion


class PodSecurity(Plugin):
    name = "PodSecurity"
    operations = frozenset({"CREATE", "UPDATE"})
    resources = frozenset({"namespaces", "pods", *TEMPLATES})

    def validate(self, a: Attributes, server: Server) -> None:
        if a.object is None:
            return
        if a.resource == "namespaces":
            if not a.subresource:
                _check_namespace(a, server)
        elif a.resource == "pods":
            if a.subresource not in _IGNORED_SUBRESOURCES and (a.operation == CREATE or _significant(a)):
                self._judge(a, server, a.object["metadata"], a.object["spec"], enforce=True)
        elif not a.subresource:
            template = _template(a.object, TEMPLATES[a.resource])
            if template is not None:
                self._judge(a, server, template.get("metadata") or {}, template["spec"], enforce=False)

    def _judge(self, a: Attributes, server: Server, meta: Object, spec: Object, *, enforce: bool) -> None:
        namespace = server.store.get(Key("namespaces", "", a.namespace))
        labels = (namespace or {}).get("metadata", {}).get("labels") or {}
        if not any(label.startswith(PREFIX) for label in labels):
            return
        policy, _ = parse_policy(labels)
        if enforce:
            a.audit[PREFIX + "enforce-policy"] = str(policy.enforce)
            found = policy.enforce.violations(meta, spec)
            if found:
                raise forbidden(a, f'violates PodSecurity "{policy.enforce}": {_detail(found)}')
        if found := policy.audit.violations(meta, spec):
            a.audit[PREFIX + "audit-violations"] = f'would violate PodSecurity "{policy.audit}": {_detail(found)}'
        if found := policy.warn.violations(meta, spec):
            a.warnings.append(f'would violate PodSecurity "{policy.warn}": {_detail(found)}')


def _detail(violations: list[tuple[str, str]]) -> str:
    return ", ".join(f"{reason} ({detail})" if detail else reason for reason, detail in violations)


def _template(obj: Object, path: tuple[str, ...]) -> Object | None:
    found: object = obj
    for step in path:
        found = (found or {}).get(step) if isinstance(found, dict) else None
    return found if isinstance(found, dict) and found.get("spec") else None


def _significant(a: Attributes) -> bool:
    """Updates that change which images run, or add containers; nothing else of a pod's spec can get worse."""
    if a.old_object is None or a.object is None:
        return True
    new, old = a.object["spec"], a.old_object["spec"]
    for field in ("containers", "initContainers"):
        ours, theirs = new.get(field) or [], old.get(field) or []
        if [c.get("image") for c in ours] != [c.get("image") for c in theirs]:
            return True
    images = {c["name"]: c.get("image") for c in old.get("ephemeralContainers") or ()}
    added = new.get("ephemeralContainers") or ()
    return any(c["name"] not in images or images[c["name"]] != c.get("image") for c in added)


# ---- namespace labels ------------------------------------------------------------


def parse_policy(labels: Object) -> tuple[Policy, list[Object]]:
    """The policy of a namespace, and the causes for labels that cannot be read (then the strict side is taken)."""
    causes: list[Object] = []
    modes: dict[str, LevelVersion] = {}
    valid: dict[str, bool] = {}
    for mode in ("enforce", "audit", "warn"):
        level, version = labels.get(PREFIX + mode), labels.get(f"{PREFIX}{mode}-version")
        valid[mode] = level in LEVELS
        minor: int | None = None
        if level is not None and not valid[mode]:
            causes.append(_cause(PREFIX + mode, level, f"must be one of {', '.join(LEVELS)}"))
            level = "restricted" if mode == "enforce" else "privileged"
        if version is not None and version != "latest":
            if _VERSION.fullmatch(version):
                minor = int(version[3:])
            else:
                causes.append(_cause(f"{PREFIX}{mode}-version", version, 'must be "latest" or "v1.x"'))
        modes[mode] = LevelVersion(level or "privileged", minor)
    enforce, warn = modes["enforce"], modes["warn"]
    if PREFIX + "warn" not in labels and valid["enforce"] and _stricter(enforce, warn):
        minor = warn.minor if PREFIX + "warn-version" in labels else enforce.minor
        modes["warn"] = LevelVersion(enforce.level, minor)
    return Policy(enforce, modes["audit"], modes["warn"]), causes


def _stricter(one: LevelVersion, other: LevelVersion) -> bool:
    return LEVELS.index(one.level) > LEVELS.index(other.level)


def _cause(label: str, value: str, detail: str) -> Object:
    message = f'Invalid value: "{value}": {detail}'
    return {"reason": "FieldValueInvalid", "message": message, "field": f"metadata.labels[{label}]"}


def _check_namespace(a: Attributes, server: Server) -> None:
    labels = a.meta().get("labels") or {}
    policy, causes = parse_policy(labels)
    old, old_causes = parse_policy((a.old_object or {}).get("metadata", {}).get("labels") or {})
    if causes and (a.operation == CREATE or causes != old_causes):
        texts = [f"{c['field']}: {c['message']}" for c in causes]
        message = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
        raise wire.invalid("Namespace", a.name or a.meta().get("name", ""), causes, message)
    if a.operation != UPDATE or policy.enforce == old.enforce or policy.enforce.level == "privileged":
        return
    same_version = policy.enforce.minor == old.enforce.minor
    if same_version and not _stricter(policy.enforce, old.enforce):
        return
    a.warnings.extend(_existing_violations(a, policy.enforce, server))


def _existing_violations(a: Attributes, enforce: LevelVersion, server: Server) -> list[str]:
    """Warnings about pods that are there already and would not be let in again."""
    name = a.name or a.meta().get("name", "")
    pods = server.store.list("pods", name)
    by_reason: dict[str, list[str]] = {}
    for pod in pods[:_MAX_PODS]:
        found = enforce.violations(pod["metadata"], pod["spec"])
        if found:
            by_reason.setdefault(", ".join(reason for reason, _ in found), []).append(pod["metadata"]["name"])
    out: list[str] = []
    if len(pods) > _MAX_PODS:
        checked = f"checked against the first {_MAX_PODS} of {len(pods)} existing pods"
        out.append(f"new PodSecurity enforce level only {checked}")
    if by_reason:
        out.append(f'existing pods in namespace "{name}" violate the new PodSecurity enforce level "{enforce}"')
    return out + sorted(_named(names, reason) for reason, names in by_reason.items())


def _named(names: list[str], reason: str) -> str:
    first, others = min(names), len(names) - 1
    if not others:
        return f"{first}: {reason}"
    return f"{first} (and {others} other {'pod' if others == 1 else 'pods'}): {reason}"
