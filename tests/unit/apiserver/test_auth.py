"""Who is calling, and what they may do."""

from __future__ import annotations

from typing import Any

import pytest

from minik8s.apiserver import authn, authz, reviews
from minik8s.apiserver.bootstrap import bootstrap
from minik8s.apiserver.config import Config
from minik8s.apiserver.requestinfo import parse
from minik8s.clock import Clock
from minik8s.objects import Object
from minik8s.store import Key, Store
from minik8s.wire import Request, StatusError, UserInfo

RBAC = "rbac.authorization.k8s.io"
ADMIN = UserInfo("admin", "admin-uid", ("system:masters",))
JANE = UserInfo("jane", groups=("system:authenticated",))


class Server:
    """What authentication and authorization look at: a store, a clock, a configuration."""

    def __init__(self) -> None:
        self.store, self.clock = Store(), Clock()
        self.authorizer = authz.Authorizer(self.store)
        self.config = Config(tokens={"s3cret": ADMIN})

    def put(self, resource: str, name: str, namespace: str = "", **fields: Any) -> Object:
        meta = {"name": name, "uid": f"uid-{name}", **({"namespace": namespace} if namespace else {})}
        return self.store.create(Key(resource, namespace, name), {"metadata": meta, **fields})

    def grant(self, name: str, rules: list[Object], subject: Object, namespace: str = "default") -> None:
        """A Role with a RoleBinding of the same name."""
        self.put(f"roles.{RBAC}", name, namespace, rules=rules)
        reference = {"kind": "Role", "name": name, "apiGroup": RBAC}
        self.put(f"rolebindings.{RBAC}", name, namespace, roleRef=reference, subjects=[subject])


@pytest.fixture
def server() -> Server:
    server = Server()
    bootstrap(server)
    return server


def allowed(server: Server, user: UserInfo, method: str, path: str) -> bool:
    return authz.authorize(user, parse(method, path, {}), server)[0]


def call(server: Server, **headers: str) -> UserInfo:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return authn.authenticate(Request("GET", "/api", headers=named), server)


READ_PODS: Object = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]}
USER_JANE = {"kind": "User", "name": "jane", "apiGroup": RBAC}


# ---- authentication ----------------------------------------------------------------------


def test_a_static_token_names_its_user(server: Server) -> None:
    user = call(server, authorization="Bearer s3cret")
    assert (user.name, user.uid, user.groups) == ("admin", "admin-uid", ("system:masters", "system:authenticated"))


@pytest.mark.parametrize("header", ["Bearer wrong", "bearer s3cre", "Bearer s3cret2", "Bearer é"])
def test_a_wrong_token_is_401_and_never_anonymous(server: Server, header: str) -> None:
    with pytest.raises(StatusError) as caught:
        call(server, authorization=header)
    assert (caught.value.code, caught.value.message) == (401, "Unauthorized")


def test_without_credentials_one_is_anonymous_and_may_ask_for_health_only(server: Server) -> None:
    user = call(server)
    assert (user.name, user.groups) == ("system:anonymous", ("system:unauthenticated",))
    assert allowed(server, user, "GET", "/healthz") and allowed(server, user, "GET", "/version")
    assert not allowed(server, user, "GET", "/api") and not allowed(server, user, "GET", "/api/v1/pods")


def test_anonymous_requests_can_be_switched_off(server: Server) -> None:
    server.config.anonymous = False
    with pytest.raises(StatusError, match="Unauthorized"):
        call(server)


def test_impersonation_changes_the_user_of_those_who_may(server: Server) -> None:
    user = call(server, authorization="Bearer s3cret", impersonate_user="jane", impersonate_group="ops\ndev")
    assert (user.name, user.groups) == ("jane", ("ops", "dev", "system:authenticated"))
    account = call(server, authorization="Bearer s3cret", impersonate_user="system:serviceaccount:ns:sa")
    assert account.groups == ("system:serviceaccounts", "system:serviceaccounts:ns", "system:authenticated")


def test_impersonation_is_refused_to_others(server: Server) -> None:
    request = Request("GET", "/api", headers={"impersonate-user": "root"}, user=JANE)
    with pytest.raises(StatusError) as caught:
        authn.authenticate(request, server)
    why = 'User "jane" cannot impersonate resource "users" in API group "" at the cluster scope'
    assert caught.value.message == f'users "root" is forbidden: {why}'


# ---- RBAC ------------------------------------------------------------------------------------


def test_nothing_is_allowed_that_is_not_granted(server: Server) -> None:
    assert not allowed(server, JANE, "GET", "/api/v1/namespaces/default/pods")
    assert allowed(server, ADMIN, "DELETE", "/api/v1/namespaces/default/pods/x")


def test_a_role_grants_its_verbs_in_its_namespace(server: Server) -> None:
    server.grant("reader", [READ_PODS], USER_JANE)
    assert allowed(server, JANE, "GET", "/api/v1/namespaces/default/pods")
    assert not allowed(server, JANE, "DELETE", "/api/v1/namespaces/default/pods/x")
    assert not allowed(server, JANE, "GET", "/api/v1/namespaces/default/pods/x/log")
    assert not allowed(server, JANE, "GET", "/api/v1/namespaces/other/pods")
    assert not allowed(server, JANE, "GET", "/api/v1/pods")


def test_rules_are_looked_at_anew_when_they_change(server: Server) -> None:
    server.grant("reader", [READ_PODS], USER_JANE)
    assert allowed(server, JANE, "GET", "/api/v1/namespaces/default/pods")
    server.store.delete(Key(f"rolebindings.{RBAC}", "default", "reader"))
    assert not allowed(server, JANE, "GET", "/api/v1/namespaces/default/pods")


@pytest.mark.parametrize(
    ("rule", "path", "granted"),
    [
        ({"resources": ["pods/log"]}, "/api/v1/namespaces/default/pods/x/log", True),
        ({"resources": ["*/log"]}, "/api/v1/namespaces/default/pods/x/log", True),
        ({"resources": ["*"]}, "/api/v1/namespaces/default/pods/x/log", True),
        ({"resources": ["pods"], "resourceNames": ["x"]}, "/api/v1/namespaces/default/pods/x", True),
        ({"resources": ["pods"], "resourceNames": ["x"]}, "/api/v1/namespaces/default/pods/y", False),
        ({"resources": ["pods"], "apiGroups": ["apps"]}, "/api/v1/namespaces/default/pods/x", False),
    ],
)
def test_rules_name_groups_resources_and_names(server: Server, rule: Object, path: str, granted: bool) -> None:
    server.grant("r", [{"apiGroups": [""], "verbs": ["get"], **rule}], USER_JANE)
    assert allowed(server, JANE, "GET", path) is granted


def test_subjects_are_users_groups_and_service_accounts(server: Server) -> None:
    server.grant("group", [READ_PODS], {"kind": "Group", "name": "ops"}, "a")
    server.grant("account", [READ_PODS], {"kind": "ServiceAccount", "name": "sa"}, "b")
    assert allowed(server, UserInfo("x", groups=("ops",)), "GET", "/api/v1/namespaces/a/pods")
    assert allowed(server, UserInfo("system:serviceaccount:b:sa"), "GET", "/api/v1/namespaces/b/pods")
    assert not allowed(server, UserInfo("system:serviceaccount:a:sa"), "GET", "/api/v1/namespaces/b/pods")


def test_the_default_roles_aggregate(server: Server) -> None:
    reference = {"kind": "ClusterRole", "name": "edit", "apiGroup": RBAC}
    server.put(f"rolebindings.{RBAC}", "e", "default", roleRef=reference, subjects=[USER_JANE])
    assert allowed(server, JANE, "POST", "/apis/apps/v1/namespaces/default/deployments")
    assert allowed(server, JANE, "GET", "/api/v1/namespaces/default/secrets/s")
    assert not allowed(server, JANE, "POST", f"/apis/{RBAC}/v1/namespaces/default/roles")


def test_a_node_reads_only_what_its_pods_use(server: Server) -> None:
    node = UserInfo("system:node:n1", groups=("system:nodes", "system:authenticated"))
    volumes = [{"name": "v", "secret": {"secretName": "mine"}}]
    server.put("pods", "p", "default", spec={"nodeName": "n1", "volumes": volumes, "containers": []})
    assert allowed(server, node, "GET", "/api/v1/namespaces/default/secrets/mine")
    assert not allowed(server, node, "GET", "/api/v1/namespaces/default/secrets/other")
    assert allowed(server, node, "PATCH", "/api/v1/nodes/n1/status")


def test_a_refusal_says_who_what_and_where() -> None:
    error = authz.refuse(JANE, parse("GET", "/api/v1/namespaces/d/pods/x/log", {}))
    why = 'User "jane" cannot get resource "pods/log" in API group "" in the namespace "d"'
    assert error.message == f'pods "x" is forbidden: {why}'
    assert authz.refuse(JANE, parse("GET", "/api", {})).message == 'forbidden: User "jane" cannot get path "/api"'


# ---- reviews -----------------------------------------------------------------------------------


def review(server: Server, kind: str, spec: Object, user: UserInfo = JANE, namespace: str = "") -> Object:
    group = "authentication.k8s.io" if kind in ("TokenReview", "SelfSubjectReview") else "authorization.k8s.io"
    body = {"apiVersion": f"{group}/v1", "kind": kind, "spec": spec}
    return reviews.review(server, user, f"{kind.lower()}s.{group}", namespace, body)


def test_access_reviews_answer_for_oneself_and_for_others(server: Server) -> None:
    server.grant("reader", [READ_PODS], USER_JANE)
    wanted = {"namespace": "default", "verb": "list", "resource": "pods"}
    reason = 'RBAC: allowed by RoleBinding "reader/default" of Role "reader" to User "jane"'
    own = review(server, "SelfSubjectAccessReview", {"resourceAttributes": wanted})
    assert own["status"] == {"allowed": True, "reason": reason}
    other = review(server, "SubjectAccessReview", {"user": "joe", "resourceAttributes": wanted}, ADMIN)
    assert other["status"] == {"allowed": False}


@pytest.mark.parametrize(
    ("kind", "spec", "field"),
    [
        ("SelfSubjectAccessReview", {}, "spec.resourceAttributes"),
        ("SubjectAccessReview", {"nonResourceAttributes": {"path": "/", "verb": "get"}}, "spec.user"),
        (
            "LocalSubjectAccessReview",
            {"user": "x", "resourceAttributes": {"namespace": "other", "verb": "get", "resource": "pods"}},
            "spec.resourceAttributes.namespace",
        ),
    ],
)
def test_access_reviews_must_be_complete(server: Server, kind: str, spec: Object, field: str) -> None:
    with pytest.raises(StatusError) as caught:
        review(server, kind, spec, ADMIN, "default")
    assert caught.value.code == 422 and f"is invalid: {field}: " in caught.value.message


def test_access_reviews_name_every_fault(server: Server) -> None:
    spec = {"resourceAttributes": {"verb": "get", "fieldSelector": {}},
            "nonResourceAttributes": {"path": "/", "verb": "get"}}
    with pytest.raises(StatusError) as caught:
        review(server, "SubjectAccessReview", spec, ADMIN, "default")
    assert [(c["field"], c["message"]) for c in caught.value.details["causes"]] == [
        ("spec.nonResourceAttributes",
         'Invalid value: {"Path":"/","Verb":"get"}: cannot be specified in combination with resourceAttributes'),
        ("spec.user", 'Invalid value: "": at least one of user or group must be specified'),
        ("spec.resourceAttributes.fieldSelector.requirements",
         "Required value: when spec.resourceAttributes.fieldSelector is specified, requirements or rawSelector is"
         " required")]


def test_a_rules_review_lists_what_one_may(server: Server) -> None:
    server.grant("reader", [READ_PODS], USER_JANE)
    status = review(server, "SelfSubjectRulesReview", {"namespace": "default"})["status"]
    assert READ_PODS in status["resourceRules"] and status["incomplete"] is False
    assert any("/api/*" in rule["nonResourceURLs"] for rule in status["nonResourceRules"])


def test_a_self_review_tells_the_user(server: Server) -> None:
    status = review(server, "SelfSubjectReview", {})["status"]
    assert status == {"userInfo": {"username": "jane", "groups": ["system:authenticated"]}}


def test_a_token_review_tells_whose_a_token_is_and_never_repeats_a_wrong_one(server: Server) -> None:
    good = review(server, "TokenReview", {"token": "s3cret"}, ADMIN)["status"]
    assert good["authenticated"] is True and good["user"]["username"] == "admin"
    bad = review(server, "TokenReview", {"token": "wr0ng"}, ADMIN)["status"]
    assert bad == {"user": {}, "error": "invalid bearer token"}
