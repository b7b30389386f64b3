"""ValidatingAdmissionPolicy: CEL expressions that writes must satisfy (KEP-3488; apiserver admission/plugin/policy)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from minik8s.apiserver import cel
from minik8s.apiserver.admission.attributes import CREATE, DELETE, Attributes, Server, forbidden
from minik8s.apiserver.admission.plugin import Plugin
from minik8s.objects.frozen import Object
from minik8s.objects.selectors import matches
from minik8s.store import Key

GROUP = "admissionregistration.k8s.io"
POLICIES, BINDINGS = f"validatingadmissionpolicies.{GROUP}", f"validatingadmissionpolicybindings.{GROUP}"
AUDIT_KEY = "validation.policy.admission.k8s.io/validation_failure"
_CODES = {"Forbidden": 403, "Unauthorized": 401, "RequestEntityTooLarge": 413}


class ValidatingAdmissionPolicy(Plugin):
    name = "ValidatingAdmissionPolicy"
    operations = frozenset({"CREATE", "UPDATE", "DELETE", "CONNECT"})

    def concerns(self, operation: str, resource: str) -> bool:
        return not resource.endswith(f"policies.{GROUP}") and not resource.endswith(f"policybindings.{GROUP}")

    def validate(self, a: Attributes, server: Server) -> None:
        if not server.store.count(BINDINGS):
            return
        audited: list[Object] = []
        denied: list[tuple[str, str]] = []
        for binding in server.store.list(BINDINGS):
            policy = server.store.get(Key(POLICIES, "", binding["spec"].get("policyName", "")))
            if policy is None or not _matches(policy["spec"].get("matchConstraints"), a, server, needs_rules=True):
                continue
            if _matches(binding["spec"].get("matchResources"), a, server, needs_rules=False):
                _judge(a, server, policy, binding, denied, audited)
        if audited:
            a.audit[AUDIT_KEY] = json.dumps(audited)
        if denied:
            message, reason = denied[0]
            error = forbidden(a, message)
            error.code, error.reason = _CODES.get(reason, 422), reason
            error.details = {**(error.details or {}), "causes": [{"message": message}]}
            raise error


def _judge(
    a: Attributes, server: Server, policy: Object, binding: Object,
    denied: list[tuple[str, str]], audited: list[Object],
) -> None:  # fmt: skip
    """Evaluate a policy for one binding: each failed validation is denied, warned of or audited."""
    name, bound = policy["metadata"]["name"], binding["metadata"]["name"]
    actions = binding["spec"].get("validationActions") or ()
    for index, (message, reason) in enumerate(_failures(a, server, policy, binding)):
        if "Deny" in actions:
            text = f"ValidatingAdmissionPolicy '{name}' with binding '{bound}' denied request: {message}"
            denied.append((text, reason))
        if "Warn" in actions:
            what = f"Validation failed for ValidatingAdmissionPolicy '{name}' with binding '{bound}'"
            a.warnings.append(f"{what}: {message}")
        if "Audit" in actions:
            entry = {"message": message, "policy": name, "binding": bound, "expressionIndex": index}
            audited.append({**entry, "validationActions": list(actions)})


# ---- which writes ---------------------------------------------------------------------------


def _matches(constraints: Object | None, a: Attributes, server: Server, *, needs_rules: bool) -> bool:
    constraints = constraints or {}
    rules = constraints.get("resourceRules")
    if rules is None and needs_rules:
        return False
    if rules and not any(_rule_matches(rule, a) for rule in rules):
        return False
    if any(_rule_matches(rule, a) for rule in constraints.get("excludeResourceRules") or ()):
        return False
    selector = constraints.get("namespaceSelector")
    if selector and a.namespace:
        namespace = a.object if a.resource == "namespaces" and a.object else _namespace(a, server)
        if namespace is None or not matches(selector, namespace["metadata"].get("labels")):
            return False
    selector = constraints.get("objectSelector")
    objects = [obj for obj in (a.object, a.old_object) if obj is not None]
    return not selector or any(matches(selector, (o.get("metadata") or {}).get("labels")) for o in objects)


def _rule_matches(rule: Object, a: Attributes) -> bool:
    resource = f"{a.plural}/{a.subresource}" if a.subresource else a.plural
    version = str((a.object or a.old_object or {}).get("apiVersion", "")).rpartition("/")[2]
    wanted = {resource, "*/*", f"{a.plural}/*", f"*/{a.subresource}" if a.subresource else "*"}
    scope = rule.get("scope") or "*"
    return (
        _among(rule.get("apiGroups"), a.group)
        and (not version or _among(rule.get("apiVersions"), version))
        and _among(rule.get("operations"), a.operation)
        and not wanted.isdisjoint(rule.get("resources") or ())
        and (not rule.get("resourceNames") or a.name in rule["resourceNames"])
        and (scope == "*" or (scope == "Namespaced") == bool(a.namespace and a.resource != "namespaces"))
    )


def _among(values: Any, wanted: str) -> bool:
    return wanted in (values or ()) or "*" in (values or ())


def _namespace(a: Attributes, server: Server) -> Object | None:
    return server.store.get(Key("namespaces", "", a.namespace))


# ---- evaluation ------------------------------------------------------------------------------


def _failures(a: Attributes, server: Server, policy: Object, binding: Object) -> Iterator[tuple[str, str]]:
    """(message, reason) of each validation that does not hold."""
    spec = policy["spec"]
    fails = spec.get("failurePolicy", "Fail") != "Ignore"
    base = _scope(a, server)
    parameters, error = _parameters(a, server, spec, binding["spec"])
    if error and fails:
        yield error, "Invalid"
    for params in parameters:
        scope = {**base, "params": params}
        scope["variables"] = _evaluated(spec.get("variables"), scope)
        try:
            conditions = spec.get("matchConditions") or ()
            if not all(cel.evaluate(c["expression"], scope) for c in conditions):
                continue
        except cel.CelError as failure:
            if fails:
                yield str(failure), "Invalid"
            continue
        for validation in spec.get("validations") or ():
            yield from _validated(validation, scope, fails)


def _evaluated(definitions: Any, scope: dict[str, Any]) -> dict[str, Any]:
    """The variables that can be evaluated, each seeing those before it."""
    values: dict[str, Any] = {}
    scope = {**scope, "variables": values}
    for definition in definitions or ():
        try:
            values[definition["name"]] = cel.evaluate(definition["expression"], scope)
        except cel.CelError:
            continue  # an expression that uses it will fail, others need not
    return values


def _validated(validation: Object, scope: dict[str, Any], fails: bool) -> Iterator[tuple[str, str]]:
    expression, reason = validation["expression"], validation.get("reason") or "Invalid"
    try:
        if cel.evaluate(expression, scope) is True:
            return
    except cel.CelError as failure:
        if fails:
            yield f"expression '{expression}' resulted in error: {failure}", reason
        return
    message = ""
    if validation.get("messageExpression"):
        try:
            found = cel.evaluate(validation["messageExpression"], scope)
            message = found.strip() if isinstance(found, str) and "\n" not in found.strip() else ""
        except cel.CelError:
            message = ""
    yield message or (validation.get("message") or "").strip() or f"failed expression: {expression.strip()}", reason


def _scope(a: Attributes, server: Server) -> dict[str, Any]:
    info: Object = {}
    if a.user is not None:
        info = {"username": a.user.name, "uid": a.user.uid, "groups": list(a.user.groups), "extra": a.user.extra}
    version = str((a.object or a.old_object or {}).get("apiVersion", "v1")).rpartition("/")[2]
    resource = {"group": a.group, "version": version, "resource": a.plural}
    request = {
        "kind": {"group": a.group, "version": version, "kind": a.kind},
        "resource": resource,
        "subResource": a.subresource,
        "name": a.name,
        "namespace": a.namespace,
        "operation": a.operation,
        "userInfo": info,
        "dryRun": a.dry_run,
    }
    return {
        "object": None if a.operation == DELETE else a.object,
        "oldObject": None if a.operation == CREATE else a.old_object,
        "request": request,
        "namespaceObject": _namespace(a, server) if a.namespace else None,
    }


def _parameters(a: Attributes, server: Server, policy: Object, binding: Object) -> tuple[list[Object | None], str]:
    """The objects that a binding's paramRef names ([None] without one), and what went wrong."""
    kind, reference = policy.get("paramKind"), binding.get("paramRef")
    if not kind or not reference:
        return [None], ""
    wanted = (kind.get("apiVersion"), kind.get("kind"))
    namespace = reference.get("namespace") or a.namespace
    found = [
        obj
        for resource in server.store.resources()
        for obj in server.store.list(resource)
        if (obj.get("apiVersion"), obj.get("kind")) == wanted
        and obj["metadata"].get("namespace", namespace) == namespace
        and reference.get("name", obj["metadata"]["name"]) == obj["metadata"]["name"]
        and (not reference.get("selector") or matches(reference["selector"], obj["metadata"].get("labels")))
    ]
    if found:
        return list(found), ""
    if reference.get("parameterNotFoundAction") == "Deny":
        text = "no params found for policy binding with `Deny` parameterNotFoundAction"
        return [], f"failed to configure binding: {text}"
    return [None] if reference.get("parameterNotFoundAction") is None else [], ""
