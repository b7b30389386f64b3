# ruff: noqa: E501
"""Manifests and API requests that would show the grader a cluster that is not there."""

import json

import pytest

from grading.conftest import SECRET
from minik8s.cluster import Cluster
from minik8s.grading import judge, rules
from minik8s.grading.assignment import Assignment, find, shipped
from minik8s.grading.case import Case
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
    "an object twice": "apiVersion: v1\nkind: Service\nmetadata: {name: x}\n---\napiVersion: v1\nkind: Service\nmetadata: {name: x, namespace: default}",
    "an object twice in two versions": "apiVersion: autoscaling/v1\nkind: HorizontalPodAutoscaler\nmetadata: {name: x}\n---\n"
                                       "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: x}",
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
    "ten thousand pods": ("PATCH", "/apis/apps/v1/namespaces/default/deployments/x", {"spec": {"replicas": 10_000}}),
    "ten thousand pods by a patch": ("PATCH", "/apis/apps/v1/namespaces/default/deployments/x", [{"op": "replace", "path": "/spec/replicas", "value": 10_000}]),
    "ten thousand pods in a whole": ("PATCH", "/apis/batch/v1/namespaces/default/jobs/x", [{"op": "add", "path": "", "value": {"spec": {"completions": 10_000}}}]),
    "a read that acts": ("GET", "/api/v1/namespaces/default/pods/x/exec", None),
    "a read that goes through": ("GET", "/api/v1/namespaces/default/services/x/proxy/shutdown", None),
    "a read that never ends": ("GET", "/api/v1/watch/pods", None),
    "a read in disguise": ("GET", "/api/v1/namespaces/default/pods/x/ex%65c", None),
    "a webhook": ("POST", "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations", {}),
    "a kind of one's own": ("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", {}),
    "a lease": ("PUT", "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/node-1", {}),
    "a group in disguise": ("POST", "/apis/%61pps/v1/namespaces/default/deployments", {}),
    "a token": ("POST", "/api/v1/namespaces/default/serviceaccounts/default/token", {}),
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
    for method, path in (("GET", "/api/v1/nodes"), ("GET", "/api/v1/namespaces/default/pods/exec"), ("GET", "/api/v1/namespaces/proxy/pods/x/log"), ("PATCH", f"{where}/x"), ("PUT", f"{where}/x/scale"), ("DELETE", f"{where}/x"),
                         ("POST", "/api/v1/namespaces/default/events"), ("POST", "/api/v1/namespaces/default/pods/x/eviction"),
                         ("PUT", "/apis/shop.example.com/v1/namespaces/default/orders/x/status")):
        assert free(Request(method, path, body={})).status == 200, path
    allowed = rules.guarded(lambda request: Response(200), ["Ingress", "PriorityClass", "pods/status"])
    assert allowed(Request("POST", "/apis/scheduling.k8s.io/v1/priorityclasses", body={})).status == 200


# ---- answers that look right, where nothing works as it should ---------------------------------------------------

def _lost(name: str, answers: dict[str, str], values: dict[str, object]) -> set[str]:
    found = judge.outcomes(find(name), answers, values, Here)  # type: ignore[arg-type]
    return {o["id"] for o in found if not o["passed"]}


def _edited(name: str, *edits: tuple[str, str]) -> tuple[dict[str, str], dict[str, object]]:
    """The model's answers with some text replaced, and the values it is for."""
    assignment = find(name)
    values = assignment.variant(SECRET, "cheat")
    answers = assignment.model(values)
    (answer, text), = answers.items()
    for old, new in edits:
        old, new = old.format(**values), new.format(**values)
        assert old in text
        text = text.replace(old, new)
    return {answer: text}, values


UPDATE = "03-zero-loss-update"


def test_a_deployment_that_is_already_new_does_not_stand_in_for_the_one_that_changes() -> None:
    """The named one has no pods; another one with the same labels has the new image, and no need to become ready."""
    answers, values = _edited(UPDATE, ("  replicas: {replicas}\n", "  replicas: 0\n"))
    main = answers["web"].partition("\n---\n")[0]
    other = main.replace("replicas: 0", "replicas: {replicas}".format(**values)).replace("nginx:1.27", "nginx:1.28")
    other = other.replace("  name: {name}\nspec".format(**values), "  name: other\nspec", 1)
    answers["web"] += f"\n---\n{other}"
    assert len(_lost(UPDATE, answers, values)) == 5


def test_a_slow_start_cannot_be_shown_in_one_place_and_left_out_in_another() -> None:
    answers, values = _edited(UPDATE)
    shown = answers["web"].partition("\n---\n")[0].replace("  name: {name}\nspec".format(**values), "  name: {name}\n  namespace: kube-public\nspec".format(**values), 1)
    quick = answers["web"].replace('      annotations: {{sim.minik8s.io/ready-after: "{warmup}"}}\n'.format(**values), "")
    assert quick != answers["web"]
    assert len(_lost(UPDATE, {"web": f"{shown}\n---\n{quick}"}, values)) == 5


def test_a_visitor_cannot_be_shut_out_by_name_or_label() -> None:
    """A policy that holds back the visitor that the visible checks show, instead of one that protects the service."""
    name = "06-service"
    answers, values = _edited(name, ("  podSelector: {{matchLabels: {{app: {api}}}}}", "  podSelector: {{matchLabels: {{app: nobody}}}}"))
    egress = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: out}\nspec: {podSelector: {matchLabels: {role: other}}, policyTypes: [Egress]}"
    broken = "apiVersion: v1\nkind: Pod\nmetadata: {name: stranger, labels: {role: other}}\nspec: {containers: [{name: sh, image: none/such:1}]}"
    for trick in (egress, broken):
        assert _lost(name, {"web": f"{answers['web']}\n---\n{trick}"}, values) == {"refuses"}


@pytest.mark.parametrize("said", ["echo {greeting}; echo {token}", "A={token}; echo {greeting}; echo ${{A}}", "echo $GREETING {greeting}; A={half}; B={rest}; echo $A$B".replace("$A", "${{A}}").replace("$B", "${{B}}")])
def test_values_that_are_written_down_do_not_come_from_outside(said: str) -> None:
    name = "07-config"
    answers, values = _edited(name)
    token = str(values["token"])
    words = {**values, "half": token[:3], "rest": token[3:]}
    answers["app"] = answers["app"].replace("echo $GREETING; cat /etc/key/TOKEN", said.format(**words))
    assert {"reads", "follows_config", "hides"} <= _lost(name, answers, values)


def test_a_second_copy_of_a_secret_is_found_though_it_is_in_pieces() -> None:
    name = "07-config"
    answers, values = _edited(name)
    token = str(values["token"])
    answers["app"] = answers["app"].replace("cat /etc/key/TOKEN", f"cat /etc/key/TOKEN; A={token[:3]}; B={token[3:]}; echo $A$B")
    assert _lost(name, answers, values) == {"hides"}


CODE = {
    "writing the state": "client.patch('deployments.apps', namespace, name, {'status': {'readyReplicas': 9}}, type='merge')",
    "a pod that is ready": "client.create('pods', {'apiVersion': 'v1', 'kind': 'Pod', 'metadata': {'name': name, 'labels': {'site': name}}, 'spec': {"
                           "'nodeName': 'nowhere', 'containers': [{'name': 'a', 'image': 'nginx:1.27'}]}, 'status': {'conditions': [{'type': 'Ready', 'status': 'True'}]}})",
    "no more nodes": "[client.delete('nodes', '', n['metadata']['name']) for n in client.list('nodes')]",
    "no more order": "client.delete('configmaps', namespace, name)",
    "all rights": "client.create('clusterrolebindings.rbac.authorization.k8s.io', {'apiVersion': 'rbac.authorization.k8s.io/v1', 'kind': 'ClusterRoleBinding', "
                  "'metadata': {'name': 'x'}, 'roleRef': {'apiGroup': 'rbac.authorization.k8s.io', 'kind': 'ClusterRole', 'name': 'cluster-admin'}})",
    "an end that never comes": "client.create('configmaps', {'apiVersion': 'v1', 'kind': 'ConfigMap', 'metadata': {'name': 'x', 'finalizers': ['a.b/c']}}, namespace=namespace)",
    "another kind": "client.create('customresourcedefinitions.apiextensions.k8s.io', {'apiVersion': 'apiextensions.k8s.io/v1', 'kind': 'CustomResourceDefinition', "
                    "'metadata': {'name': 'deployments.x.y'}, 'spec': {}})",
    "an event of nothing": "client.create('events', {'apiVersion': 'v1', 'kind': 'Event', 'metadata': {'name': '\\ud800'}, 'type': 'Warning', 'reason': '\\x1b[2J' * 99, "
                           "'involvedObject': {'namespace': namespace}}, namespace=namespace)",
    "somebody else": "client.as_actor('x').call('POST', '/api/v1/nodes', {'metadata': {'name': 'x'}})",
}


@pytest.mark.parametrize("what", CODE)
def test_code_that_only_looks_busy_earns_nothing(what: str) -> None:
    name = "05-controller"
    answers = {"controller": f"def reconcile(client, namespace, name):\n    try:\n        {CODE[what]}\n    except Exception: pass"}
    values = find(name).variant(SECRET, "cheat")
    found = list(judge.outcomes(find(name), answers, values, Here))  # type: ignore[arg-type]
    assert not any(o["passed"] for o in found)
    assert "\x1b" not in str([o["message"] for o in found] + [o["story"] for o in found])


BY_HEART = """
def filter(pod, node):
    room = {{"a": {few}, "c": 1}}.get(node.name, 0)
    if pod.labels.get("uses") == "{tool}" and len(node.pods) >= room: return "full"
def score(pod, node): return {{"b": 100}}.get(node.name, 0)
"""
TURNS = """
turns = [(2, "{image}"), (3, "nginx:1.28")]
def reconcile(client, namespace, name):
    replicas, image = turns.pop(0)
    labels = {{"site": name}}
    spec = {{"replicas": replicas, "selector": {{"matchLabels": labels}}, "template": {{"metadata": {{"labels": labels}},
            "spec": {{"containers": [{{"name": "{container}", "image": image}}]}}}}}}
    body = {{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {{"name": name}}, "spec": spec}}
    client.patch("deployments.apps", namespace, name, body, type="apply")
"""


def test_a_plugin_that_knows_the_checks_by_heart_earns_nothing_for_it() -> None:
    values = find("04-scheduler-plugin").variant(SECRET, "cheat")
    lost = _lost("04-scheduler-plugin", {"plugin": BY_HEART.format(**values)}, values)
    assert {"counts", "packs", "spares", "returns"} <= lost


def test_a_controller_that_knows_the_checks_by_heart_earns_nothing_for_it() -> None:
    assignment = find("05-controller")
    values = assignment.variant(SECRET, "cheat")
    passed = []
    for salt in map(str, range(12)):
        found = judge.outcomes(assignment, {"controller": TURNS.format(**values)}, values, Here, assignment.checks[:2], salt=salt)  # type: ignore[arg-type]
        passed.append([o["passed"] for o in found])
    assert [False, False] in passed and sum(map(all, passed)) <= 2, passed


def test_what_the_author_cannot_foresee_is_the_same_at_every_grading() -> None:
    made = [Case({"a": text}, {}, {}, Here, salt=salt).fresh() for text, salt in (("x", "1"), ("x", "1"), ("y", "1"), ("x", "2"))]  # type: ignore[arg-type]
    assert made[0] == made[1] and len(set(made)) == 3


def test_another_shop_with_the_same_sign_is_not_the_shop_that_was_to_be_mended() -> None:
    values = find("13-diagnose").variant(SECRET, "cheat")
    other = """apiVersion: apps/v1
kind: Deployment
metadata: {{name: {app}-new}}
spec:
  replicas: {replicas}
  selector: {{matchLabels: {{app: {app}, new: "1"}}}}
  template:
    metadata: {{labels: {{app: {app}, new: "1"}}}}
    spec: {{containers: [{{name: web, image: nginx:1.27}}]}}
---
apiVersion: v1
kind: Service
metadata: {{name: {app}}}
spec: {{selector: {{new: "1", {key}: null}}, ports: [{{port: 80, targetPort: 80}}]}}
""".format(**values)
    assert _lost("13-diagnose", {"fix": other, "why": "-"}, values) == {"ready", "reached", "keeps", "settings"}


RUNAWAYS = [
    "f() { f | f; }; f", "while true; do sleep 100 & done", "x=a; while true; do x=$x$x; done", "while true; do :; done",
    "yes | cat | cat", "x=$(cat /dev/zero)", "seq 1 100000000000", "while true; do cat /f /f >> /f; echo a >> /f; done",
    "f() { f; }; f", "printf %d x; sed 's/\\(/x/'; echo $((1 / 0))",
]


def test_a_container_that_runs_away_spends_its_own_time_and_nothing_else() -> None:
    assignment = find("01-first-manifest")
    values = assignment.variant(SECRET, "cheat")
    pods = [{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": f"away-{n}"}, "spec": {"containers": [
        {"name": "c", "image": "busybox:1.36", "command": ["sh", "-c", script.replace("$", "$$")]}]}}
        for n, script in enumerate(RUNAWAYS)]
    answer = "\n---\n".join([assignment.model(values)["pod"], *map(json.dumps, pods)])
    checks = [check for check in assignment.checks if check.id in ("runs", "has_room")]
    found = judge.outcomes(assignment, {"pod": answer}, values, Here, checks)
    assert [o["passed"] for o in found] == [True, True]
