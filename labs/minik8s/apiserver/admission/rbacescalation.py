"""Nobody grants what they do not hold: checks on roles and bindings (pkg/registry/rbac/*/policybased, validation).

Not an admission plugin upstream but part of these resources' storage; the moment and the effect are the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence

from minik8s import wire
from minik8s.apiserver import authz
from minik8s.apiserver.admission.attributes import UPDATE, Attributes, Server, forbidden
from minik8s.apiserver.admission.plugin import Plugin
from minik8s.objects.frozen import Object

_ALL = [
    {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]},
    {"verbs": ["*"], "nonResourceURLs": ["*"]},
]
_GC_FIELDS = ("ownerReferences", "finalizers")


class RBACEscalation(Plugin):
    name = "RBACEscalation"
    operations = frozenset({"CREATE", "UPDATE"})
    resources = frozenset({authz.ROLES, authz.CLUSTER_ROLES, authz.ROLE_BINDINGS, authz.CLUSTER_ROLE_BINDINGS})

    def validate(self, a: Attributes, server: Server) -> None:
        user = a.user
        if user is None or authz.MASTERS in user.groups or a.object is None or _only_collector_fields(a):
            return
        if a.resource in (authz.ROLES, authz.CLUSTER_ROLES):
            self._check_role(a, user, server)
        else:
            self._check_binding(a, user, server)

    def _check_role(self, a: Attributes, user: wire.UserInfo, server: Server) -> None:
        role = a.object or {}
        name = a.name or role["metadata"].get("name", "")
        if authz.authorize(user, authz.Ask("escalate", a.plural, a.group, a.namespace, name), server)[0]:
            return
        held = server.authorizer.rules_for(user, a.namespace)
        aggregation = role.get("aggregationRule")
        if aggregation and aggregation != (a.old_object or {}).get("aggregationRule") and missing(held, _ALL):
            raise forbidden(a, "must have cluster-admin privileges to use an aggregationRule")
        _must_hold(a, user, held, role.get("rules") or ())

    def _check_binding(self, a: Attributes, user: wire.UserInfo, server: Server) -> None:
        reference = (a.object or {}).get("roleRef") or {}
        plural = "roles" if reference.get("kind") == "Role" else "clusterroles"
        ask = authz.Ask("bind", plural, a.group, a.namespace, reference.get("name", ""))
        if authz.authorize(user, ask, server)[0]:
            return
        authorizer = server.authorizer
        try:
            rules = authorizer.role_rules(reference, a.namespace)
        except LookupError:
            raise wire.not_found(plural, reference.get("name", ""), a.group) from None
        _must_hold(a, user, authorizer.rules_for(user, a.namespace), rules)


def _must_hold(a: Attributes, user: wire.UserInfo, held: Sequence[Object], wanted: Iterable[Object]) -> None:
    lacking = missing(held, wanted)
    if lacking:
        lines = sorted({_shown(rule) for rule in _compact(lacking)})
        who = f"user {json.dumps(user.name)} (groups={_list(user.groups)})"
        text = f"{who} is attempting to grant RBAC permissions not currently held:\n" + "\n".join(lines)
        raise forbidden(a, text)


def _only_collector_fields(a: Attributes) -> bool:
    """Whether an update changes nothing but what the garbage collector needs."""
    if a.operation != UPDATE or a.old_object is None or a.object is None:
        return False

    def rest(obj: Object) -> Object:
        meta = {k: v for k, v in obj["metadata"].items() if k not in (*_GC_FIELDS, "managedFields", "resourceVersion")}
        return {**obj, "metadata": meta}

    return rest(a.object) == rest(a.old_object)


# ---- covering ---------------------------------------------------------------------------


def missing(held: Sequence[Object], wanted: Iterable[Object]) -> list[Object]:
    """The single permissions of `wanted` that no rule of `held` covers."""
    return [atom for rule in wanted for atom in _atoms(rule) if not any(_covers(own, atom) for own in held)]


def _atoms(rule: Object) -> Iterator[Object]:
    for group in rule.get("apiGroups") or ():
        for resource in rule.get("resources") or ():
            for verb in rule.get("verbs") or ():
                atom = {"apiGroups": [group], "resources": [resource], "verbs": [verb]}
                for name in rule.get("resourceNames") or ():
                    yield {**atom, "resourceNames": [name]}
                if not rule.get("resourceNames"):
                    yield atom
    for url in rule.get("nonResourceURLs") or ():
        for verb in rule.get("verbs") or ():
            yield {"nonResourceURLs": [url], "verbs": [verb]}


def _covers(own: Object, atom: Object) -> bool:
    if not _has(own.get("verbs"), atom["verbs"][0]):
        return False
    if "nonResourceURLs" in atom:
        url = atom["nonResourceURLs"][0]
        patterns = own.get("nonResourceURLs") or ()
        return any(p in ("*", url) or (p[-1:] == "*" and url.startswith(p[:-1])) for p in patterns)
    if not _has(own.get("apiGroups"), atom["apiGroups"][0]):
        return False
    resource, names = atom["resources"][0], own.get("resourceNames") or ()
    _, slash, sub = resource.partition("/")
    resources = own.get("resources") or ()
    if not (_has(resources, resource) or (slash and f"*/{sub}" in resources)):
        return False
    return not names or ("resourceNames" in atom and atom["resourceNames"][0] in names)


def _has(values: Sequence[str] | None, wanted: str) -> bool:
    return wanted in (values or ()) or "*" in (values or ())


def _compact(atoms: list[Object]) -> list[Object]:
    """Permissions on the same resource written as one rule."""
    merged: dict[tuple[str, ...], Object] = {}
    out: list[Object] = []
    for atom in atoms:
        if "nonResourceURLs" in atom:
            out.append(atom)
            continue
        key = (atom["apiGroups"][0], atom["resources"][0], *atom.get("resourceNames", ()))
        if key in merged:
            if atom["verbs"][0] not in merged[key]["verbs"]:
                merged[key]["verbs"].append(atom["verbs"][0])
        else:
            merged[key] = {**atom, "verbs": list(atom["verbs"])}
            out.append(merged[key])
    return out


_SHOWN = (
    ("apiGroups", "APIGroups"),
    ("resources", "Resources"),
    ("nonResourceURLs", "NonResourceURLs"),
    ("resourceNames", "ResourceNames"),
    ("verbs", "Verbs"),
)


def _shown(rule: Object) -> str:
    return "{" + ", ".join(f"{label}:{_list(rule[field])}" for field, label in _SHOWN if rule.get(field)) + "}"


def _list(values: Iterable[str]) -> str:
    return "[" + " ".join(json.dumps(value) for value in values) + "]"
