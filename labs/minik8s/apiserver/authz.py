"""Authorization: who may do what. system:masters, then the Node authorizer, then RBAC (plugin/pkg/auth/authorizer).

RBAC is purely additive: nothing is refused, only not allowed. Rules are found once per user and namespace and kept
until an RBAC object changes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from minik8s.objects.frozen import Object
from minik8s.store import Key
from minik8s.wire import StatusError, UserInfo, forbidden

if TYPE_CHECKING:
    from minik8s.clock import Clock
    from minik8s.store import Store

MASTERS = "system:masters"
RBAC_GROUP = "rbac.authorization.k8s.io"
ROLES, CLUSTER_ROLES = f"roles.{RBAC_GROUP}", f"clusterroles.{RBAC_GROUP}"
ROLE_BINDINGS, CLUSTER_ROLE_BINDINGS = f"rolebindings.{RBAC_GROUP}", f"clusterrolebindings.{RBAC_GROUP}"


class Server(Protocol):
    """What authorization needs of the API server."""

    @property
    def store(self) -> Store: ...

    @property
    def clock(self) -> Clock: ...

    @property
    def authorizer(self) -> Authorizer: ...


class RequestAttributes(Protocol):
    """What is asked for; requestinfo.RequestInfo is one. `resource` is "" for a path that is no resource."""

    @property
    def verb(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def group(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def resource(self) -> str: ...
    @property
    def subresource(self) -> str: ...
    @property
    def namespace(self) -> str: ...
    @property
    def name(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Ask:
    """RequestAttributes made by hand: for reviews, impersonation and escalation checks."""

    verb: str
    resource: str = ""
    group: str = ""
    namespace: str = ""
    name: str = ""
    subresource: str = ""
    path: str = ""
    version: str = "v1"


class Grant(NamedTuple):
    """A rule and the binding that gives it."""

    rule: Object
    source: str


def authorize(user: UserInfo, attributes: RequestAttributes, server: Server) -> tuple[bool, str]:
    """Whether `user` may do it, and why (the reason text of a SubjectAccessReview)."""
    if MASTERS in user.groups:
        return True, ""
    return server.authorizer.authorize(user, attributes)


def refuse(user: UserInfo, attributes: RequestAttributes, reason: str = "") -> StatusError:
    """The 403 for a request that was not allowed (endpoints/handlers/responsewriters/errors.go)."""
    who = f'User "{user.name}" cannot {attributes.verb}'
    if not attributes.resource:
        why = f'{who} path "{attributes.path}"'
    else:
        what = attributes.resource + (f"/{attributes.subresource}" if attributes.subresource else "")
        where = f'in the namespace "{attributes.namespace}"' if attributes.namespace else "at the cluster scope"
        why = f'{who} resource "{what}" in API group "{attributes.group}" {where}'
    why = why.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    if reason:
        why = f"{why}: {reason}"
    if not attributes.resource:
        return StatusError(403, "Forbidden", f"forbidden: {why}", {})
    return forbidden(attributes.resource, attributes.name, why, attributes.group)


class Authorizer:
    """RBAC over the objects in a store, with the rules of each user kept until one of these objects changes."""

    def __init__(self, store: Store):
        self._store = store
        self._rules: dict[tuple[str, tuple[str, ...], str], tuple[list[Grant], list[str]]] = {}
        for resource in (ROLES, CLUSTER_ROLES, ROLE_BINDINGS, CLUSTER_ROLE_BINDINGS):
            watcher = store.watch(resource)
            watcher.wake = lambda watcher=watcher: self._forget(watcher)

    def _forget(self, watcher: Any) -> None:
        watcher.drain()
        self._rules.clear()

    def authorize(self, user: UserInfo, attributes: RequestAttributes) -> tuple[bool, str]:
        """(allowed, reason). The reason of a refusal names roles that are bound but missing."""
        if MASTERS in user.groups:
            return True, ""
        if user.name.startswith("system:node:") and "system:nodes" in user.groups and self._node_may(user, attributes):
            return True, ""
        grants, errors = self.grants(user, attributes.namespace)
        for grant in grants:
            if rule_allows(grant.rule, attributes):
                return True, f"RBAC: allowed by {grant.source}"
        return False, f"RBAC: {_aggregate(errors)}" if errors else ""

    def rules_for(self, user: UserInfo, namespace: str) -> list[Object]:
        """Every rule that applies to a user in a namespace ("": cluster-wide ones only)."""
        return [grant.rule for grant in self.grants(user, namespace)[0]]

    def grants(self, user: UserInfo, namespace: str) -> tuple[list[Grant], list[str]]:
        """The rules of a user with their sources, and the errors met on the way."""
        key = (user.name, user.groups, namespace)
        found = self._rules.get(key)
        if found is None:
            grants: list[Grant] = []
            errors: list[str] = []
            for binding, subject in self._bindings(user, namespace):
                self._collect(binding, subject, grants, errors)
            if len(self._rules) > 4096:
                self._rules.clear()
            found = self._rules[key] = (grants, errors)
        return found

    def role_rules(self, reference: Object, namespace: str) -> Sequence[Object]:
        """The rules of a roleRef. LookupError with upstream's text when the role is absent."""
        name = reference.get("name", "")
        if reference.get("kind") == "Role":
            role = self._store.get(Key(ROLES, namespace, name))
        else:
            role = self._store.get(Key(CLUSTER_ROLES, "", name))
        if role is None:
            raise LookupError(f'{str(reference.get("kind")).lower()}.{RBAC_GROUP} "{name}" not found')
        return role.get("rules") or ()

    def _bindings(self, user: UserInfo, namespace: str) -> Iterator[tuple[Object, Object]]:
        bindings = self._store.list(CLUSTER_ROLE_BINDINGS)
        if namespace:
            bindings = bindings + self._store.list(ROLE_BINDINGS, namespace)
        for binding in bindings:
            space = binding["metadata"].get("namespace", "")
            for subject in binding.get("subjects") or ():
                if _is_subject(user, subject, space):
                    yield binding, subject
                    break

    def _collect(self, binding: Object, subject: Object, grants: list[Grant], errors: list[str]) -> None:
        space = binding["metadata"].get("namespace", "")
        try:
            rules = self.role_rules(binding["roleRef"], space)
        except LookupError as error:
            errors.append(str(error))
            return
        source = _describe(binding, subject, space)
        grants.extend(Grant(rule, source) for rule in rules)

    def _node_may(self, user: UserInfo, attributes: RequestAttributes) -> bool:
        """The Node authorizer: system:node's rules, but only the secrets, config maps and claims of its own pods."""
        node = user.name.removeprefix("system:node:")
        if attributes.group == "" and attributes.resource in _POD_BOUND and not attributes.subresource:
            return attributes.verb in ("get", "list", "watch") and self._used_on(node, attributes)
        try:
            rules = self.role_rules({"kind": "ClusterRole", "name": "system:node"}, "")
        except LookupError:
            return False
        return any(rule_allows(rule, attributes) for rule in rules)

    def _used_on(self, node: str, attributes: RequestAttributes) -> bool:
        keep = _POD_BOUND[attributes.resource]
        for pod in self._store.list("pods", attributes.namespace):
            if pod["spec"].get("nodeName") == node and attributes.name in keep(pod["spec"]):
                return True
        return False


# ---- which secrets, config maps and claims a pod names -------------------------------


def _references(spec: Object, volume_key: tuple[str, str], env_keys: tuple[str, str]) -> set[str]:
    found: set[str] = set()
    for volume in spec.get("volumes") or ():
        found.add((volume.get(volume_key[0]) or {}).get(volume_key[1], ""))
        for source in (volume.get("projected") or {}).get("sources") or ():
            found.add((source.get(volume_key[0]) or {}).get("name", ""))
    for field in ("containers", "initContainers", "ephemeralContainers"):
        for container in spec.get(field) or ():
            for env in container.get("env") or ():
                found.add(((env.get("valueFrom") or {}).get(env_keys[0]) or {}).get("name", ""))
            for source in container.get("envFrom") or ():
                found.add((source.get(env_keys[1]) or {}).get("name", ""))
    return found - {""}


def _secrets(spec: Object) -> set[str]:
    pull = {reference.get("name", "") for reference in spec.get("imagePullSecrets") or ()}
    return pull | _references(spec, ("secret", "secretName"), ("secretKeyRef", "secretRef"))


def _config_maps(spec: Object) -> set[str]:
    return _references(spec, ("configMap", "name"), ("configMapKeyRef", "configMapRef"))


def _claims(spec: Object) -> set[str]:
    volumes = spec.get("volumes") or ()
    return {(volume.get("persistentVolumeClaim") or {}).get("claimName", "") for volume in volumes} - {""}


_POD_BOUND = {"secrets": _secrets, "configmaps": _config_maps, "persistentvolumeclaims": _claims}


# ---- rules -----------------------------------------------------------------------------


def rule_allows(rule: Object, a: RequestAttributes) -> bool:
    """Whether one PolicyRule covers a request (plugin/pkg/auth/authorizer/rbac/rbac.go)."""
    verbs = rule.get("verbs") or ()
    if a.verb not in verbs and "*" not in verbs:
        return False
    if not a.resource:
        return any(_url_matches(url, a.path) for url in rule.get("nonResourceURLs") or ())
    groups = rule.get("apiGroups") or ()
    if a.group not in groups and "*" not in groups:
        return False
    names = rule.get("resourceNames") or ()
    return _resource_matches(rule.get("resources") or (), a) and (not names or a.name in names)


def _resource_matches(resources: Sequence[str], a: RequestAttributes) -> bool:
    if "*" in resources:
        return True
    if not a.subresource:
        return a.resource in resources
    return f"{a.resource}/{a.subresource}" in resources or f"*/{a.subresource}" in resources


def _url_matches(pattern: str, path: str) -> bool:
    return pattern in ("*", path) or (pattern.endswith("*") and path.startswith(pattern.rstrip("*")))


def _is_subject(user: UserInfo, subject: Object, namespace: str) -> bool:
    kind, name = subject.get("kind"), subject.get("name", "")
    if kind == "User":
        return bool(user.name == name)
    if kind == "Group":
        return name in user.groups
    space = subject.get("namespace") or namespace
    return kind == "ServiceAccount" and bool(space) and user.name == f"system:serviceaccount:{space}:{name}"


def _describe(binding: Object, subject: Object, namespace: str) -> str:
    name = binding["metadata"]["name"]
    kind = "RoleBinding" if namespace else "ClusterRoleBinding"
    who = subject.get("name", "")
    if subject.get("kind") == "ServiceAccount":
        who = f"{who}/{subject.get('namespace') or namespace}"
    where = f"{name}/{namespace}" if namespace else name
    reference = binding["roleRef"]
    role = f'{reference.get("kind")} "{reference.get("name")}"'
    return f'{kind} "{where}" of {role} to {subject.get("kind")} "{who}"'


def _aggregate(errors: list[str]) -> str:
    unique = list(dict.fromkeys(errors))
    return unique[0] if len(unique) == 1 else f"[{', '.join(unique)}]"
