"""Admission plugins, each through the chain, on a bare store and clock."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from minik8s.apiserver.admission import AdmissionChain, Attributes
from minik8s.apiserver.authz import Authorizer
from minik8s.apiserver.bootstrap import bootstrap
from minik8s.clock import Clock
from minik8s.objects import Object, thaw
from minik8s.store import Key, Store
from minik8s.wire import StatusError, UserInfo


@dataclass(eq=False)
class Server:
    """What plugins look at."""

    store: Store = field(default_factory=Store)
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        self.authorizer = Authorizer(self.store)

    def put(self, resource: str, name: str, namespace: str = "default", **fields: Any) -> Object:
        meta = {"name": name, "uid": f"uid-{name}", **({"namespace": namespace} if namespace else {})}
        meta |= fields.pop("metadata", {})
        return self.store.create(Key(resource, namespace, name), {"metadata": meta, **fields})


@pytest.fixture
def server() -> Server:
    server = Server()
    bootstrap(server)
    server.put("serviceaccounts", "default")
    return server


def pod(name: str = "p", **spec: Any) -> Object:
    containers = spec.pop("containers", [{"name": "app", "image": "nginx"}])
    return {"metadata": {"name": name, "namespace": "default"}, "spec": {"containers": containers, **spec}}


def write(server: Server, obj: Object, resource: str = "pods", operation: str = "CREATE", **more: Any) -> Attributes:
    """Both halves of the chain, as a write runs them."""
    attributes = Attributes(operation, "", resource, namespace=more.pop("namespace", "default"), object=obj, **more)
    chain = AdmissionChain(server)
    chain.mutate(attributes)
    chain.validate(attributes)
    return attributes


def refusal(server: Server, obj: Object, resource: str = "pods", **more: Any) -> StatusError:
    with pytest.raises(StatusError) as caught:
        write(server, obj, resource, **more)
    return caught.value


# ---- NamespaceLifecycle --------------------------------------------------------------


def test_nothing_is_created_in_an_absent_namespace(server: Server) -> None:
    error = refusal(server, pod(), namespace="nope")
    assert (error.code, error.message) == (404, 'namespaces "nope" not found')


def test_nothing_is_created_in_a_namespace_that_is_going(server: Server) -> None:
    server.put("namespaces", "going", "", status={"phase": "Terminating"})
    error = refusal(server, pod(), namespace="going")
    why = "unable to create new content in namespace going because it is being terminated"
    assert error.message == f'pods "p" is forbidden: {why}'
    assert error.details is not None and error.details["causes"][0]["reason"] == "NamespaceTerminating"


def test_the_system_namespaces_cannot_be_deleted(server: Server) -> None:
    with pytest.raises(StatusError, match='namespaces "default" is forbidden: this namespace may not be deleted'):
        AdmissionChain(server).mutate(Attributes("DELETE", "Namespace", "namespaces", name="default"))


# ---- ServiceAccount --------------------------------------------------------------------


def test_a_pod_gets_its_account_and_the_token_volume(server: Server) -> None:
    spec = (write(server, pod()).object or {})["spec"]
    assert spec["serviceAccountName"] == spec["serviceAccount"] == "default"
    mount = spec["containers"][0]["volumeMounts"][0]
    assert mount["mountPath"] == "/var/run/secrets/kubernetes.io/serviceaccount"
    assert spec["volumes"][0]["name"] == mount["name"]


def test_a_missing_account_refuses_the_pod(server: Server) -> None:
    error = refusal(server, pod(serviceAccountName="ghost"))
    why = 'error looking up service account default/ghost: serviceaccount "ghost" not found'
    assert error.message == f'pods "p" is forbidden: {why}'


@pytest.mark.parametrize("holder", ["pod", "account"])
def test_the_token_can_be_declined_by_pod_or_account(server: Server, holder: str) -> None:
    server.put("serviceaccounts", "shy", automountServiceAccountToken=holder != "account" or False)
    spec: Object = {"serviceAccountName": "shy"}
    if holder == "pod":
        spec["automountServiceAccountToken"] = False
    assert "volumes" not in (write(server, pod(**spec)).object or {})["spec"]


# ---- Priority, tolerations, runtime class -------------------------------------------------


def test_priority_comes_from_the_class(server: Server) -> None:
    spec = (write(server, pod(priorityClassName="system-node-critical")).object or {})["spec"]
    assert (spec["priority"], spec["preemptionPolicy"]) == (2000001000, "PreemptLowerPriority")


def test_priority_is_never_the_authors_to_choose(server: Server) -> None:
    error = refusal(server, pod(priority=7))
    assert error.message.endswith(
        "the integer value of priority (7) must not be provided in pod spec; "
        "priority admission controller computed 0 from the given PriorityClass name"
    )
    error = refusal(server, pod(priorityClassName="ghost"))
    assert error.message == 'pods "p" is forbidden: no PriorityClass with name ghost was found'


def test_only_one_priority_class_is_the_default(server: Server) -> None:
    server.put("priorityclasses.scheduling.k8s.io", "one", "", value=1, globalDefault=True)
    error = refusal(
        server,
        {"metadata": {"name": "two"}, "value": 2, "globalDefault": True},
        "priorityclasses.scheduling.k8s.io",
        namespace="",
    )
    assert "PriorityClass one is already marked as default. Only one default can exist" in error.message


def test_pods_tolerate_a_bad_node_for_five_minutes_unless_they_say_otherwise(server: Server) -> None:
    own = {"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute"}
    found = (write(server, pod(tolerations=[own])).object or {})["spec"]["tolerations"]
    assert [t["key"] for t in found] == ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"]
    assert found[0] == own and found[1]["tolerationSeconds"] == 300
    everything = [{"operator": "Exists"}]
    assert (write(server, pod(tolerations=everything)).object or {})["spec"]["tolerations"] == everything


def test_a_runtime_class_brings_overhead_and_nodes(server: Server) -> None:
    server.put(
        "runtimeclasses.node.k8s.io",
        "vm",
        "",
        overhead={"podFixed": {"memory": "64Mi"}},
        scheduling={"nodeSelector": {"vm": "yes"}},
    )
    spec = (write(server, pod(runtimeClassName="vm")).object or {})["spec"]
    assert spec["overhead"] == {"memory": "64Mi"} and spec["nodeSelector"] == {"vm": "yes"}
    assert 'pod rejected: RuntimeClass "ghost" not found' in refusal(server, pod(runtimeClassName="ghost")).message


# ---- LimitRanger ------------------------------------------------------------------------------


def test_limit_ranges_fill_in_what_is_missing_and_say_so(server: Server) -> None:
    item = {"type": "Container", "default": {"cpu": "500m"}, "defaultRequest": {"cpu": "100m", "memory": "64Mi"}}
    server.put("limitranges", "l", spec={"limits": [item]})
    done = write(server, pod()).object or {}
    wanted = {"limits": {"cpu": "500m"}, "requests": {"cpu": "100m", "memory": "64Mi"}}
    assert done["spec"]["containers"][0]["resources"] == wanted
    assert done["metadata"]["annotations"]["kubernetes.io/limit-ranger"] == (
        "LimitRanger plugin set: cpu, memory request for container app; cpu limit for container app"
    )


@pytest.mark.parametrize(
    ("item", "resources", "why"),
    [
        ({"max": {"cpu": "1"}}, {"limits": {"cpu": "2"}}, "maximum cpu usage per Container is 1, but limit is 2"),
        ({"max": {"cpu": "1"}}, {}, "maximum cpu usage per Container is 1.  No limit is specified"),
        (
            {"min": {"memory": "1Gi"}},
            {"requests": {"memory": "1Mi"}},
            "minimum memory usage per Container is 1Gi, but request is 1Mi",
        ),
        ({"min": {"memory": "1Gi"}}, {}, "minimum memory usage per Container is 1Gi.  No request is specified"),
        (
            {"maxLimitRequestRatio": {"cpu": "2"}},
            {"requests": {"cpu": "100m"}, "limits": {"cpu": "1"}},
            "cpu max limit to request ratio per Container is 2, but provided ratio is 10.000000",
        ),
    ],
)
def test_limit_ranges_bound_containers(server: Server, item: Object, resources: Object, why: str) -> None:
    server.put("limitranges", "l", spec={"limits": [{"type": "Container", **item}]})
    error = refusal(server, pod(containers=[{"name": "app", "resources": resources}]))
    assert error.message == f'pods "p" is forbidden: {why}'


def test_limit_ranges_bound_claims(server: Server) -> None:
    server.put("limitranges", "l", spec={"limits": [{"type": "PersistentVolumeClaim", "max": {"storage": "2Gi"}}]})
    claim = {"metadata": {"name": "big"}, "spec": {"resources": {"requests": {"storage": "5Gi"}}}}
    why = "maximum storage usage per PersistentVolumeClaim is 2Gi, but request is 5Gi"
    error = refusal(server, claim, "persistentvolumeclaims")
    assert error.message == f'persistentvolumeclaims "big" is forbidden: {why}'


# ---- ResourceQuota -----------------------------------------------------------------------------


def quota(server: Server, hard: Object, used: Object | None = None, **spec: Any) -> None:
    used = dict.fromkeys(hard, "0") if used is None else used
    server.put("resourcequotas", "q", spec={"hard": hard, **spec}, status={"hard": hard, "used": used})


def used(server: Server) -> Object:
    found = server.store.get(Key("resourcequotas", "default", "q"))
    assert found is not None
    return dict(found["status"]["used"])


def sized(cpu: str, name: str = "p") -> Object:
    return pod(name, containers=[{"name": "app", "resources": {"requests": {"cpu": cpu}}}])


def test_a_pod_is_charged_when_it_is_admitted(server: Server) -> None:
    quota(server, {"requests.cpu": "1", "pods": "5"})
    write(server, sized("600m"))
    assert used(server) == {"pods": "1", "requests.cpu": "600m"}
    error = refusal(server, sized("600m", "more"))
    assert error.message == (
        'pods "more" is forbidden: exceeded quota: q, requested: requests.cpu=600m, '
        "used: requests.cpu=600m, limited: requests.cpu=1"
    )
    assert used(server) == {"pods": "1", "requests.cpu": "600m"}


def test_a_quota_on_cpu_makes_every_container_name_it(server: Server) -> None:
    quota(server, {"requests.cpu": "1", "limits.memory": "1Gi"})
    error = refusal(server, pod())
    assert error.message.endswith(
        "failed quota: q: must specify limits.memory for: app; requests.cpu for: app"
    )


def test_nothing_is_admitted_before_the_quota_has_been_counted(server: Server) -> None:
    quota(server, {"pods": "1"}, {})
    assert refusal(server, pod()).message.endswith("status unknown for quota: q, resources: pods")


def test_dry_runs_and_taken_names_are_not_charged(server: Server) -> None:
    quota(server, {"pods": "2"})
    write(server, pod(), dry_run=True)
    server.put("pods", "p", spec={"containers": []})
    write(server, pod("p"))
    assert used(server) == {"pods": "0"}


@pytest.mark.parametrize(
    ("scopes", "charged"),
    [(["BestEffort"], "0"), (["NotBestEffort"], "1"), (["Terminating"], "0"), (["NotTerminating"], "1")],
)
def test_scopes_choose_which_pods_count(server: Server, scopes: list[str], charged: str) -> None:
    quota(server, {"pods": "5"}, scopes=scopes)
    write(server, sized("1m"))
    assert used(server) == {"pods": charged}


def test_services_are_charged_by_difference(server: Server) -> None:
    quota(server, {"services.nodeports": "1"})
    old = server.put("services", "s", spec={"type": "ClusterIP", "ports": [{"port": 80}]})
    new = {**thaw(old), "spec": {"type": "NodePort", "ports": [{"port": 80}]}}
    write(server, new, "services", "UPDATE", old_object=old, name="s")
    assert used(server) == {"services.nodeports": "1"}
    two = {**new, "spec": {"type": "NodePort", "ports": [{"port": 80}, {"port": 81}]}}
    with pytest.raises(StatusError, match=r"requested: services\.nodeports=1, used: services\.nodeports=1"):
        write(server, two, "services", "UPDATE", old_object=new | {"metadata": old["metadata"]}, name="s")


def test_any_resource_can_be_counted(server: Server) -> None:
    quota(server, {"count/deployments.apps": "0"})
    error = refusal(server, {"metadata": {"name": "web"}, "spec": {}}, "deployments.apps")
    assert "requested: count/deployments.apps=1, used: count/deployments.apps=0" in error.message


# ---- PodSecurity ---------------------------------------------------------------------------------


def guard(server: Server, **modes: str) -> None:
    labels = {f"pod-security.kubernetes.io/{mode}": level for mode, level in modes.items()}
    server.put("namespaces", "guarded", "", metadata={"labels": labels})
    server.put("serviceaccounts", "default", "guarded")


def test_enforce_refuses_and_warn_warns(server: Server) -> None:
    guard(server, enforce="baseline", warn="restricted")
    bad = pod(containers=[{"name": "app", "securityContext": {"privileged": True}}])
    error = refusal(server, bad, namespace="guarded")
    detail = 'privileged (container "app" must not set securityContext.privileged=true)'
    assert error.message == f'pods "p" is forbidden: violates PodSecurity "baseline:latest": {detail}'
    assert write(server, pod(), namespace="guarded").warnings == [
        'would violate PodSecurity "restricted:latest": '
        'allowPrivilegeEscalation != false (container "app" must set securityContext.allowPrivilegeEscalation=false), '
        'unrestricted capabilities (container "app" must set securityContext.capabilities.drop=["ALL"]), '
        'runAsNonRoot != true (pod or container "app" must set securityContext.runAsNonRoot=true), '
        'seccompProfile (pod or container "app" must set securityContext.seccompProfile.type to '
        '"RuntimeDefault" or "Localhost")'
    ]


def test_controllers_are_warned_about_never_refused(server: Server) -> None:
    guard(server, enforce="restricted")
    deployment = {"metadata": {"name": "web"}, "spec": {"template": pod()}}
    warnings = write(server, deployment, "deployments.apps", namespace="guarded").warnings
    assert warnings and warnings[0].startswith('would violate PodSecurity "restricted:latest"')


def test_a_restricted_pod_passes_restricted(server: Server) -> None:
    guard(server, enforce="restricted")
    context = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    good = pod(
        containers=[{"name": "app", "securityContext": context}],
        securityContext={"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
    )
    assert write(server, good, namespace="guarded").warnings == []


def test_a_namespace_label_must_name_a_level(server: Server) -> None:
    labels = {"pod-security.kubernetes.io/enforce": "strict"}
    error = refusal(server, {"metadata": {"name": "x", "labels": labels}}, "namespaces", name="x", namespace="x")
    assert error.code == 422
    assert error.message == (
        'Namespace "x" is invalid: metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: "strict": '
        "must be one of privileged, baseline, restricted"
    )


def test_tightening_a_namespace_warns_about_pods_that_are_there(server: Server) -> None:
    server.put("namespaces", "open", "")
    server.put("pods", "old", "open", spec={"hostNetwork": True, "containers": []})
    labels = {"pod-security.kubernetes.io/enforce": "baseline"}
    old = server.store.get(Key("namespaces", "", "open"))
    new = {"metadata": {"name": "open", "labels": labels}}
    warnings = write(server, new, "namespaces", "UPDATE", old_object=old, name="open", namespace="open").warnings
    assert warnings == [
        'existing pods in namespace "open" violate the new PodSecurity enforce level "baseline:latest"',
        "old: host namespaces",
    ]


# ---- storage and network ------------------------------------------------------------------------


def test_claims_get_a_finalizer_and_the_newest_default_class(server: Server) -> None:
    for name, created in (("old", "2026-01-01T00:00:00Z"), ("new", "2026-02-01T00:00:00Z")):
        meta = {"creationTimestamp": created, "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}}
        server.put("storageclasses.storage.k8s.io", name, "", metadata=meta)
    done = write(server, {"metadata": {"name": "c"}, "spec": {}}, "persistentvolumeclaims").object or {}
    assert done["spec"]["storageClassName"] == "new"
    assert done["metadata"]["finalizers"] == ["kubernetes.io/pvc-protection"]


def test_only_bound_claims_of_an_expandable_class_grow(server: Server) -> None:
    def claim(size: str, phase: str) -> Object:
        spec = {"storageClassName": "sc", "resources": {"requests": {"storage": size}}}
        return {"metadata": {"name": "c"}, "spec": spec, "status": {"phase": phase}}

    def grow(phase: str) -> None:
        new, old = claim("2Gi", phase), claim("1Gi", phase)
        write(server, new, "persistentvolumeclaims", "UPDATE", old_object=old, name="c")

    with pytest.raises(StatusError, match="Only bound persistent volume claims can be expanded"):
        grow("Pending")
    with pytest.raises(StatusError, match="only dynamically provisioned pvc can be resized"):
        grow("Bound")
    server.put("storageclasses.storage.k8s.io", "sc", "", allowVolumeExpansion=True)
    grow("Bound")


def test_a_new_node_starts_tainted(server: Server) -> None:
    done = write(server, {"metadata": {"name": "n"}}, "nodes", namespace="").object or {}
    assert done["spec"]["taints"] == [{"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}]


# ---- RBAC escalation -----------------------------------------------------------------------------


def test_nobody_grants_what_they_do_not_hold(server: Server) -> None:
    role = {"metadata": {"name": "r"}, "rules": [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}]}
    eve = UserInfo("eve", groups=("system:authenticated",))
    resource = "roles.rbac.authorization.k8s.io"
    error = refusal(server, role, resource, user=eve, name="r")
    assert error.message == (
        'roles.rbac.authorization.k8s.io "r" is forbidden: user "eve" (groups=["system:authenticated"]) is attempting '
        'to grant RBAC permissions not currently held:\n{APIGroups:[""], Resources:["secrets"], Verbs:["get"]}'
    )
    write(server, role, resource, user=UserInfo("admin", groups=("system:masters",)), name="r")


# ---- ValidatingAdmissionPolicy -----------------------------------------------------------------

PODS_RULE: Object = {"apiGroups": [""], "apiVersions": ["*"], "operations": ["CREATE"], "resources": ["pods"]}


def policy(server: Server, *validations: Object, actions: list[str] | None = None, **spec: Any) -> None:
    group = "admissionregistration.k8s.io"
    body = {"matchConstraints": {"resourceRules": [PODS_RULE]}, "validations": list(validations), **spec}
    server.put(f"validatingadmissionpolicies.{group}", "rule", "", spec=body)
    bound = {"policyName": "rule", "validationActions": actions or ["Deny"]}
    server.put(f"validatingadmissionpolicybindings.{group}", "bound", "", spec=bound)


NO_LATEST = {"expression": "object.spec.containers.all(c, !c.image.endsWith(':latest'))", "message": "no latest"}


def test_a_policy_denies_what_does_not_satisfy_it(server: Server) -> None:
    policy(server, NO_LATEST)
    write(server, pod())
    error = refusal(server, pod(containers=[{"name": "app", "image": "nginx:latest"}]))
    why = "ValidatingAdmissionPolicy 'rule' with binding 'bound' denied request: no latest"
    assert (error.code, error.reason, error.message) == (422, "Invalid", f'pods "p" is forbidden: {why}')


def test_a_policy_may_warn_instead(server: Server) -> None:
    policy(server, {"expression": "false"}, actions=["Warn"])
    what = "Validation failed for ValidatingAdmissionPolicy 'rule' with binding 'bound': failed expression: false"
    assert write(server, pod()).warnings == [what]


def test_a_policy_looks_at_who_asks_and_where(server: Server) -> None:
    expression = "request.userInfo.username == 'jane' && namespaceObject.metadata.name == 'default' && variables.n == 1"
    variables = [{"name": "n", "expression": "object.spec.containers.size()"}]
    policy(server, {"expression": expression, "reason": "Forbidden"}, variables=variables)
    write(server, pod(), user=UserInfo("jane"))
    assert refusal(server, pod(), user=UserInfo("joe")).code == 403


@pytest.mark.parametrize(("failure_policy", "denied"), [("Fail", True), ("Ignore", False)])
def test_a_broken_expression_fails_as_the_policy_says(server: Server, failure_policy: str, denied: bool) -> None:
    policy(server, {"expression": "object.spec.nope.x == 1"}, failurePolicy=failure_policy)
    if denied:
        assert "resulted in error" in refusal(server, pod()).message
    else:
        write(server, pod())


def test_a_policy_concerns_only_what_it_matches(server: Server) -> None:
    conditions = [{"name": "c", "expression": "has(object.spec.hostNetwork)"}]
    policy(server, {"expression": "false"}, matchConditions=conditions)
    write(server, pod())
    write(server, {"metadata": {"name": "c"}}, "configmaps")
    refusal(server, pod(hostNetwork=True))
