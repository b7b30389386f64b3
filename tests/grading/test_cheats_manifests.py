# ruff: noqa: E501
"""Manifests and API requests that would show the grader a cluster that is not there."""

import pytest

from grading.conftest import SECRET
from minik8s.cluster import Cluster
from minik8s.grading import judge, rules
from minik8s.grading.assignment import Assignment, find, shipped
from minik8s.grading.inside import Here
from minik8s.grading.sandbox import STUDENT
from minik8s.wire import Request, Response

ALLOWED = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: more}\n"
FORBIDDEN = {
    "a node": "apiVersion: v1\nkind: Node\nmetadata: {name: big}\nstatus: {allocatable: {cpu: 999}}",
    "an endpoint slice": "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: x}\naddressType: IPv4\nendpoints: []",
    "endpoints": "apiVersion: v1\nkind: Endpoints\nmetadata: {name: x}\nsubsets: []",
    "a webhook": "apiVersion: admissionregistration.k8s.io/v1\nkind: MutatingWebhookConfiguration\nmetadata: {name: x}\nwebhooks: []",
    "a policy": "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicy\nmetadata: {name: x}\nspec: {}",
    "a role": "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: x}\nrules: []",
    "a priority": "apiVersion: scheduling.k8s.io/v1\nkind: PriorityClass\nmetadata: {name: x}\nvalue: 1000000000",
    "a namespace": "apiVersion: v1\nkind: Namespace\nmetadata: {name: kube-system}",
    "a quota": "apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: x}\nspec: {hard: {pods: 1}}",
    "a limit range": "apiVersion: v1\nkind: LimitRange\nmetadata: {name: x}\nspec: {limits: []}",
    "a lease": "apiVersion: coordination.k8s.io/v1\nkind: Lease\nmetadata: {name: node-1, namespace: kube-node-lease}",
    "a kind of one's own": "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: pods.x.y}",
    "an event": "apiVersion: v1\nkind: Event\nmetadata: {name: x}",
    "a binding": "apiVersion: v1\nkind: Binding\nmetadata: {name: x}\ntarget: {kind: Node, name: node-1}",
    "a volume": "apiVersion: v1\nkind: PersistentVolume\nmetadata: {name: x}\nspec: {}",
    "a pod with an owner": "apiVersion: v1\nkind: Pod\nmetadata: {name: x, ownerReferences: [{kind: ReplicaSet, name: y, uid: z}]}\nspec: {}",
    "a pod before all others": "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec: {priorityClassName: system-node-critical}",
    "a pod that answers by itself": "apiVersion: v1\nkind: Pod\nmetadata: {name: x, annotations: {sim.minik8s.io/http: '200'}}\nspec: {}",
    "a template that answers by itself": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x}\nspec: {template: {metadata: {annotations: "
                                         "{sim.minik8s.io/web.ready-after: '0'}}}}",
    "a template in a template": "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: x}\nspec: {jobTemplate: {spec: {template: {metadata: "
                                "{annotations: {sim.minik8s.io/exit-after: '1'}}}}}}",
    "too many of one": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x}\nspec: {replicas: 1000000000}",
    "too many together": "\n---\n".join(f"apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: x{n}}}\nspec: {{replicas: 60}}" for n in range(3)),
    "ten thousand": "\n---\n".join(["apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}"] * 10_000),
    "a list of ten thousand": "kind: List\nitems: [" + "{a: 1}, " * 10_000 + "]",
    "a name that is a path": "apiVersion: v1\nkind: Pod\nmetadata: {name: ../../nodes/node-1}",
    "a namespace that is a path": "apiVersion: v1\nkind: Pod\nmetadata: {name: x, namespace: a/b}",
    "a version that is a path": "apiVersion: v1/namespaces/x\nkind: Pod\nmetadata: {name: x}",
    "a kind that is a path": "apiVersion: v1\nkind: Pod/../../secrets\nmetadata: {name: x}",
    "depth": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: " + "{a: " * 100 + "1" + "}" * 100,
    "no object": "- 1", "no name": "apiVersion: v1\nkind: Pod", "a number for a name": "apiVersion: v1\nkind: Pod\nmetadata: {name: 1}",
}


def _models() -> list[Assignment]:
    return [a for a in shipped() if "yaml" in a.answers.values()]


@pytest.mark.parametrize("what", FORBIDDEN)
def test_a_manifest_that_touches_the_graders_view_is_refused(what: str) -> None:
    with Here() as box, pytest.raises(rules.Refused):
        rules.objects(box.yaml(FORBIDDEN[what]))


@pytest.mark.parametrize("assignment", _models(), ids=lambda a: a.name)
def test_every_model_is_allowed_and_stays_so_beside_a_harmless_object(assignment: Assignment) -> None:
    values = assignment.variant(SECRET, "누구")
    model = assignment.model(values)
    with Here() as box:
        for name, kind in assignment.answers.items():
            if kind == "yaml":
                assert rules.objects(box.yaml(f"{model[name]}\n---\n{ALLOWED}"), assignment.allows)


STATUS = "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, labels: {{app: {name}, tier: {tier}}}}}\nspec: {{nodeName: nowhere, containers: [{{name: a, image: nginx}}]}}\n" \
         "status: {{phase: Running, conditions: [{{type: Ready, status: 'True'}}], podIP: 10.0.0.1, containerStatuses: []}}"


def test_a_status_in_a_manifest_is_not_believed() -> None:
    assignment = find("01-first-manifest")
    values = assignment.variant(SECRET, "cheat")
    check = [c for c in assignment.checks if c.id == "runs"]
    answers = {"pod": STATUS.format(**values)}
    assert [o["passed"] for o in judge.outcomes(assignment, answers, values, Here, check)] == [False]  # type: ignore[arg-type]


WRITES = {
    "a pod's status": ("PATCH", "/api/v1/namespaces/default/pods/x/status", {"status": {}}),
    "a node": ("PATCH", "/api/v1/nodes/node-1", {"spec": {}}),
    "a node's status": ("PUT", "/api/v1/nodes/node-1/status", {}),
    "a binding": ("POST", "/api/v1/namespaces/default/pods/x/binding", {}),
    "a namespace": ("DELETE", "/api/v1/namespaces/default", None),
    "a namespace's end": ("PUT", "/api/v1/namespaces/default/finalize", {}),
    "an endpoint slice": ("POST", "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices", {}),
    "a role": ("POST", "/apis/rbac.authorization.k8s.io/v1/clusterroles", {}),
    "a deployment's status": ("PUT", "/apis/apps/v1/namespaces/default/deployments/x/status", {}),
    "an annotation": ("PATCH", "/apis/apps/v1/namespaces/default/deployments/x",
                      [{"op": "add", "path": "/spec/template/metadata/annotations/sim.minik8s.io~1http", "value": "200"}]),
    "text": ("POST", "/api/v1/namespaces/default/pods", "{}"),
    "another path": ("POST", "/api/v1/namespaces/default/pods/../../../nodes", {}),
    "everything": ("DELETE", "/", None),
}


@pytest.mark.parametrize("what", WRITES)
def test_code_cannot_write_what_the_grader_looks_at(what: str) -> None:
    method, path, body = WRITES[what]
    asked: list[Request] = []
    handle = rules.guarded(lambda request: asked.append(request) or Response(200))  # type: ignore[func-returns-value]
    answer = handle(Request(method, path, body=body))
    assert answer.status == 403 and answer.body["reason"] == "Forbidden" and asked == []


def test_code_may_do_what_controllers_do() -> None:
    cluster = Cluster(nodes=1)
    handle = rules.guarded(cluster.handle)
    deployment = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "x"}, "spec": {
        "replicas": 1, "selector": {"matchLabels": {"a": "b"}},
        "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "nginx"}]}}}}
    where = "/apis/apps/v1/namespaces/default/deployments"
    assert handle(Request("POST", where, body=deployment, user=STUDENT)).status == 201
    free = rules.guarded(lambda request: Response(200))
    for method, path in (("GET", "/api/v1/nodes"), ("PATCH", f"{where}/x"), ("PUT", f"{where}/x/scale"), ("DELETE", f"{where}/x"),
                         ("POST", "/api/v1/namespaces/default/events"), ("POST", "/api/v1/namespaces/default/pods/x/eviction"),
                         ("PUT", "/apis/shop.example.com/v1/namespaces/default/orders/x/status")):
        assert free(Request(method, path, body={})).status == 200, path
    allowed = rules.guarded(lambda request: Response(200), ["Ingress", "PriorityClass", "pods/status"])
    assert allowed(Request("POST", "/apis/scheduling.k8s.io/v1/priorityclasses", body={})).status == 200
