"""Reviews: questions to the API server about identity and permission, answered and never stored.

authentication.k8s.io and authorization.k8s.io v1 (kubernetes pkg/registry/authorization, pkg/registry/authentication).
"""

from __future__ import annotations

from collections.abc import Callable

from minik8s import wire
from minik8s.apiserver import authn, authz, tokens
from minik8s.apiserver.errors import invalid_fields
from minik8s.objects.frozen import Object
from minik8s.objects.meta import rfc3339
from minik8s.objects.validation import field
from minik8s.objects.validation.field import Errors
from minik8s.wire import UserInfo

AUTHORIZATION, AUTHENTICATION = "authorization.k8s.io", "authentication.k8s.io"

Review = Callable[[authz.Server, UserInfo, str, Object], Object]


def review(server: authz.Server, user: UserInfo, resource: str, namespace: str, body: Object) -> Object:
    """The answer (201) to a POST of `resource`, one of REVIEWS. `namespace` is the URL's. Raises StatusError."""
    return REVIEWS[resource](server, user, namespace, body)


def _answer(body: Object, status: Object, spec: Object | None = None) -> Object:
    meta = {k: v for k, v in (body.get("metadata") or {}).items() if v is not None}
    out: Object = {"kind": body["kind"], "apiVersion": body["apiVersion"], "metadata": meta}
    out["spec"] = body.get("spec") or {} if spec is None else spec
    out["status"] = status
    return out


# ---- access reviews ------------------------------------------------------------------


def _self_subject_access(server: authz.Server, user: UserInfo, namespace: str, body: Object) -> Object:
    _refuse("SelfSubjectAccessReview", _faults(body, needs_user=False))
    return _answer(body, _decide(server, user, body["spec"]))


def _subject_access(server: authz.Server, user: UserInfo, namespace: str, body: Object) -> Object:
    _refuse("SubjectAccessReview", _faults(body, needs_user=True))
    return _answer(body, _decide(server, _subject(body["spec"]), body["spec"]))


def _local_subject_access(server: authz.Server, user: UserInfo, namespace: str, body: Object) -> Object:
    kind, spec = "LocalSubjectAccessReview", body.get("spec") or {}
    meta = {**(body.get("metadata") or {}), "namespace": (body.get("metadata") or {}).get("namespace") or namespace}
    body = {**body, "metadata": meta}
    faults = _faults(body, needs_user=True, local=True)
    asked = spec.get("resourceAttributes")
    if asked is not None and asked.get("namespace", "") != meta["namespace"]:
        at = "spec.resourceAttributes.namespace"
        faults.append(field.invalid(at, asked.get("namespace", ""), "must match metadata.namespace"))
    if (plain := spec.get("nonResourceAttributes")) is not None:
        faults.append(field.invalid("spec.nonResourceAttributes", _shown(plain), "disallowed on this kind of request"))
    _refuse(kind, faults)
    return _answer(body, _decide(server, _subject(spec), spec))


def _subject(spec: Object) -> UserInfo:
    return UserInfo(spec.get("user", ""), spec.get("uid", ""), tuple(spec.get("groups") or ()), spec.get("extra") or {})


def _decide(server: authz.Server, user: UserInfo, spec: Object) -> Object:
    allowed, reason = authz.authorize(user, _ask(spec), server)
    return {"allowed": allowed, "reason": reason} if reason else {"allowed": allowed}


def _ask(spec: Object) -> authz.Ask:
    wanted = spec.get("resourceAttributes")
    if wanted is None:
        plain = spec["nonResourceAttributes"]
        return authz.Ask(plain.get("verb", ""), path=plain.get("path", ""))
    return authz.Ask(
        wanted.get("verb", ""),
        wanted.get("resource", ""),
        wanted.get("group", ""),
        wanted.get("namespace", ""),
        wanted.get("name", ""),
        wanted.get("subresource", ""),
        version=wanted.get("version", ""),
    )


def _faults(body: Object, *, needs_user: bool, local: bool = False) -> Errors:
    """``pkg/apis/authorization/validation/validation.go``."""
    errors: Errors = []
    spec, meta = body.get("spec") or {}, body.get("metadata") or {}
    resource, plain = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
    if resource is not None and plain is not None:
        why = "cannot be specified in combination with resourceAttributes"
        errors.append(field.invalid("spec.nonResourceAttributes", _shown(plain), why))
    if resource is None and plain is None:
        why = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
        errors.append(field.invalid("spec.resourceAttributes", None, why))
    if needs_user and not spec.get("user") and not spec.get("groups"):
        why = "at least one of user or group must be specified"
        errors.append(field.invalid("spec.user", spec.get("user", ""), why))
    for key in ("fieldSelector", "labelSelector"):
        if (selector := (resource or {}).get(key)) is not None:
            _selector(errors, selector, f"spec.resourceAttributes.{key}")
    allowed = {"namespace", "managedFields"} if local else {"managedFields"}
    if any(value for key, value in meta.items() if key not in allowed):
        why = "must be empty except for namespace" if local else "must be empty"
        errors.append(field.invalid("metadata", dict(meta), why))
    return errors


def _selector(errors: Errors, selector: Object, path: str) -> None:
    raw, requirements = selector.get("rawSelector") or "", selector.get("requirements")
    if raw and requirements:
        errors.append(field.invalid(f"{path}.rawSelector", raw, "may not specified at the same time as requirements"))
    if not raw and not requirements:
        why = f"when {path} is specified, requirements or rawSelector is required"
        errors.append(field.required(f"{path}.requirements", why))


def _shown(plain: Object) -> Object:
    """nonResourceAttributes as the internal type prints them."""
    return {"Path": plain.get("path", ""), "Verb": plain.get("verb", "")}


def _refuse(kind: str, errors: Errors) -> None:
    if errors:
        raise invalid_fields(kind, "", errors, AUTHORIZATION)


def _self_subject_rules(server: authz.Server, user: UserInfo, namespace: str, body: Object) -> Object:
    space = (body.get("spec") or {}).get("namespace", "")
    if not space:
        raise wire.bad_request("no namespace on request")
    resource_rules: list[Object] = []
    other_rules: list[Object] = []
    for rule in server.authorizer.rules_for(user, space):
        if rule.get("nonResourceURLs"):
            other_rules.append({"verbs": rule.get("verbs"), "nonResourceURLs": rule["nonResourceURLs"]})
        if rule.get("resources"):
            keep = ("verbs", "apiGroups", "resources", "resourceNames")
            resource_rules.append({key: rule[key] for key in keep if rule.get(key)})
    status = {"resourceRules": resource_rules, "nonResourceRules": other_rules, "incomplete": False}
    return _answer(body, status, {})


# ---- identity ------------------------------------------------------------------------


def user_object(user: UserInfo) -> Object:
    """authentication/v1 UserInfo, empty fields left out."""
    out: Object = {"username": user.name, "uid": user.uid, "groups": list(user.groups)}
    out["extra"] = {key: list(values) for key, values in user.extra.items()}
    return {key: value for key, value in out.items() if value}


def _self_subject(server: authz.Server, user: UserInfo, namespace: str, body: Object) -> Object:
    meta = {"creationTimestamp": rfc3339(server.clock.now())}
    out: Object = {"kind": "SelfSubjectReview", "apiVersion": body["apiVersion"], "metadata": meta}
    out["status"] = {"userInfo": user_object(user)}
    return out


def _token(server: authz.Server, user: UserInfo, namespace: str, body: Object) -> Object:
    spec = body.get("spec") or {}
    token, audiences = spec.get("token", ""), list(spec.get("audiences") or ())
    if not token:
        raise wire.bad_request("token is required for TokenReview in authentication")
    status: Object
    try:
        found, good_for = _authenticate(server, token, audiences)
        status = {"authenticated": True, "user": user_object(found), "audiences": good_for}
    except tokens.TokenError as error:
        status = {"user": {}, "error": str(error)}
    return _answer(body, status)


def _authenticate(server: authz.Server, token: str, audiences: list[str]) -> tuple[UserInfo, list[str]]:
    if not audiences or tokens.AUDIENCE in audiences:
        found = authn.user_of_token(token, server)
        if found is not None:
            return found, [tokens.AUDIENCE]
    user, good_for = tokens.user_of(server, token, audiences)
    return authn.authenticated(user), good_for


REVIEWS: dict[str, Review] = {
    f"selfsubjectaccessreviews.{AUTHORIZATION}": _self_subject_access,
    f"subjectaccessreviews.{AUTHORIZATION}": _subject_access,
    f"localsubjectaccessreviews.{AUTHORIZATION}": _local_subject_access,
    f"selfsubjectrulesreviews.{AUTHORIZATION}": _self_subject_rules,
    f"selfsubjectreviews.{AUTHENTICATION}": _self_subject,
    f"tokenreviews.{AUTHENTICATION}": _token,
}
