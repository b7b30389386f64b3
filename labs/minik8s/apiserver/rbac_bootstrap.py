"""The default RBAC objects, read from data/rbac.txt (kubernetes plugin/pkg/auth/authorizer/rbac/bootstrappolicy)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from importlib.resources import files
from typing import Any

from minik8s.objects.frozen import Object

GROUP = "rbac.authorization.k8s.io"
API_VERSION = f"{GROUP}/v1"
AUTOUPDATE = {"rbac.authorization.kubernetes.io/autoupdate": "true"}
DEFAULTS_LABEL = {"kubernetes.io/bootstrapping": "rbac-defaults"}
CONTROLLER_PREFIX = "system:controller:"

_VERBS = {
    "rw": ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"],
    "ro": ["get", "list", "watch"],
    "write": ["create", "delete", "deletecollection", "patch", "update"],
}

_BINDINGS: dict[str, list[tuple[str, str]]] = {
    "cluster-admin": [("Group", "system:masters")],
    "system:monitoring": [("Group", "system:monitoring")],
    "system:discovery": [("Group", "system:authenticated")],
    "system:basic-user": [("Group", "system:authenticated")],
    "system:public-info-viewer": [("Group", "system:authenticated"), ("Group", "system:unauthenticated")],
    "system:cluster-trust-bundle-discovery": [("Group", "system:serviceaccounts")],
    "system:node-proxier": [("User", "system:kube-proxy")],
    "system:kube-controller-manager": [("User", "system:kube-controller-manager")],
    "system:kube-dns": [("ServiceAccount", "kube-dns")],
    "system:kube-scheduler": [("User", "system:kube-scheduler")],
    "system:volume-scheduler": [("User", "system:kube-scheduler")],
    "system:node": [],
    "system:service-account-issuer-discovery": [("Group", "system:serviceaccounts")],
}
"""Which default role is bound to whom; controller roles are bound to their service accounts."""

_LEADERS = ("kube-controller-manager", "kube-scheduler")


def _meta(name: str, **labels: str) -> Object:
    return {"name": name, "labels": {**DEFAULTS_LABEL, **labels}, "annotations": dict(AUTOUPDATE)}


def _rule(line: str) -> Object:
    first, *rest = line.split()
    if first == "url":
        return {"verbs": _split(rest[0]), "nonResourceURLs": rest[1].split(",")}
    rule: Object = {"verbs": _split(first)}
    rule["apiGroups"] = ["" if group == "-" else group for group in rest[0].split(",")]
    rule["resources"] = rest[1].split(",")
    if len(rest) > 2:
        rule["resourceNames"] = rest[2].split(",")
    return rule


def _split(verbs: str) -> list[str]:
    return list(_VERBS.get(verbs) or verbs.split(","))


@lru_cache(maxsize=1)
def _read() -> list[tuple[str, list[str], list[str]]]:
    """(name, labels, rule lines) of each role in the file."""
    text = files("minik8s.apiserver").joinpath("data/rbac.txt").read_text(encoding="utf-8")
    found: list[tuple[str, list[str], list[str]]] = []
    for line in text.splitlines():
        if line.startswith("role "):
            name, *labels = line.split()[1:]
            found.append((name, labels, []))
        elif line.strip() and not line.startswith("#"):
            found[-1][2].append(line)
    return found


def cluster_roles() -> Iterator[Object]:
    """The default ClusterRoles; aggregated ones already hold the rules that the aggregation will give them."""
    rules = {name: [_rule(line) for line in lines] for name, _, lines in _read()}
    # What each aggregate gathers, in name order, as the aggregation controller finds it.
    members = {
        target: sorted(name for name, labels, _ in _read() if f"to-{target}" in labels)
        for target in ("admin", "edit", "view")
    }
    for target in ("view", "edit", "admin"):
        rules[target] = _union([rules[member] for member in members[target]])
    for name, labels, _ in _read():
        aggregate = {f"{GROUP}/aggregate-{label}": "true" for label in labels if label.startswith("to-")}
        role: Object = {"apiVersion": API_VERSION, "kind": "ClusterRole", "metadata": _meta(name, **aggregate)}
        if sources := [label.removeprefix("from-") for label in labels if label.startswith("from-")]:
            selector = {"matchLabels": {f"{GROUP}/aggregate-to-{sources[0]}": "true"}}
            role["aggregationRule"] = {"clusterRoleSelectors": [selector]}
        role["rules"] = rules[name]
        yield role


def _union(lists: list[list[Object]]) -> list[Object]:
    out: list[Object] = []
    for rules in lists:
        out.extend(rule for rule in rules if rule not in out)
    return out


def cluster_role_bindings() -> Iterator[Object]:
    """The default ClusterRoleBindings."""
    for name, subjects in _BINDINGS.items():
        yield _binding("ClusterRoleBinding", name, "ClusterRole", name, [_subject(*s) for s in subjects])
    for name, _, _ in _read():
        if name.startswith(CONTROLLER_PREFIX):
            account = _subject("ServiceAccount", name.removeprefix(CONTROLLER_PREFIX))
            yield _binding("ClusterRoleBinding", name, "ClusterRole", name, [account])


def _subject(kind: str, name: str) -> Object:
    if kind == "ServiceAccount":
        return {"kind": kind, "name": name, "namespace": "kube-system"}
    return {"apiGroup": GROUP, "kind": kind, "name": name}


def _binding(kind: str, name: str, role_kind: str, role: str, subjects: list[Any]) -> Object:
    binding: Object = {"apiVersion": API_VERSION, "kind": kind, "metadata": _meta(name)}
    binding["roleRef"] = {"apiGroup": GROUP, "kind": role_kind, "name": role}
    if subjects:
        binding["subjects"] = subjects
    return binding


def namespaced() -> Iterator[Object]:
    """The default Roles and RoleBindings of kube-system and kube-public."""
    yield from _pair("kube-system", "extension-apiserver-authentication-reader", [], [])
    for leader in _LEADERS:
        lines = ["watch - configmaps", f"get,update - configmaps {leader}"]
        who = [("User", f"system:{leader}")]
        yield from _pair("kube-system", f"system::leader-locking-{leader}", lines, who)
    controllers = {
        "bootstrap-signer": ["get,list,watch - secrets"],
        "cloud-provider": ["create,get,list,update,watch - configmaps"],
        "token-cleaner": ["delete,get,list,watch - secrets", "create,patch,update -,events.k8s.io events"],
    }
    for name, lines in controllers.items():
        yield from _pair("kube-system", CONTROLLER_PREFIX + name, lines, [("ServiceAccount", name)])
    lines = ["get,list,watch - configmaps", "update - configmaps cluster-info", "create,patch,update - events"]
    name = CONTROLLER_PREFIX + "bootstrap-signer"
    yield from _pair("kube-public", name, lines, [("ServiceAccount", "bootstrap-signer")])


def _pair(namespace: str, name: str, lines: list[str], who: list[tuple[str, str]]) -> Iterator[Object]:
    if name.startswith("extension-"):
        rules: list[Object] = [
            {
                "verbs": ["get", "list", "watch"],
                "apiGroups": [""],
                "resources": ["configmaps"],
                "resourceNames": ["extension-apiserver-authentication"],
            }
        ]
        binding = f"system:{name}"
        who = [("User", f"system:{leader}") for leader in _LEADERS]
    else:
        rules, binding = [_rule(line) for line in lines], name
    meta = {**_meta(name), "namespace": namespace}
    yield {"apiVersion": API_VERSION, "kind": "Role", "metadata": meta, "rules": rules}
    bound = _binding("RoleBinding", binding, "Role", name, [_subject(*s) for s in who])
    yield {**bound, "metadata": {**_meta(binding), "namespace": namespace}}
