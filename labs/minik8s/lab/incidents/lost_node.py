# ruff: noqa: E501  (stories and hints are prose; Korean letters count twice)
"""노드 하나가 사라지고, 그 노드에 못 박힌 파드가 갈 곳을 잃었다."""

from minik8s.lab.conditions import condition
from minik8s.lab.controls import NotHere
from minik8s.lab.incidents import nodeloss
from minik8s.lab.incidents.problem import Check, Memory, Problem, answers, available
from minik8s.lab.session import Lab
from minik8s.objects import Object


def _workers(lab: Lab) -> list[str]:
    """Nodes that take any pod: ready, not cordoned, without taints that keep pods away."""

    def free(node: Object) -> bool:
        spec = node.get("spec") or {}
        kept = [t for t in spec.get("taints") or () if t["effect"] != "PreferNoSchedule"]
        return not spec.get("unschedulable") and not kept and condition(node, "Ready") == "True"

    return [node["metadata"]["name"] for node in lab.client.list("nodes") if free(node)]


def _choose(lab: Lab, memory: Memory) -> None:
    found = _workers(lab)
    if len(found) < 2:
        raise NotHere(
            "노드를 잃는 실습에는 파드를 받는 노드가 둘 이상 있어야 한다. 내장 클러스터(`lab.connect('embedded')`)에서 하거나, "
            "`minik8s kind up`으로 노드 셋짜리 클러스터를 만들자."
        )
    memory["node"] = found[-1]


def _lose(lab: Lab, memory: Memory) -> None:
    lab.wait("deployment/store", timeout=300)
    memory["notes"] = nodeloss.lose(lab, memory["node"], "app=store")


def _elsewhere(lab: Lab, memory: Memory) -> bool:
    """Two ready pods that do not depend on the lost node."""
    ready = [p for p in lab.pods("app=store") if condition(p, "Ready") == "True" and not _leaving(p)]
    return len([p for p in ready if p["spec"].get("nodeName") != memory["node"]]) >= 2


def _leaving(pod: Object) -> bool:
    return bool(pod["metadata"].get("deletionTimestamp"))


def _stuck(lab: Lab, memory: Memory) -> bool:
    return any(p["status"]["phase"] == "Pending" and not p["spec"].get("nodeName") for p in lab.pods("app=store"))


PROBLEM = Problem(
    name="lost-node",
    title="노드 하나가 사라졌다",
    story="""
밤사이 노드 하나가 사라졌다. 창고 store의 파드는 그 노드에만 있었다. 새 파드는 Pending이고 서비스는 대답하지 않는다.
다른 노드에는 자리가 넉넉한데 왜 옮겨 가지 않는지 찾고, 사라진 노드를 기다리지 말고 창고를 다시 열자.
""",
    prepare=_choose,
    manifest="""
apiVersion: apps/v1
kind: Deployment
metadata: {name: store}
spec:
  replicas: 2
  selector: {matchLabels: {app: store}}
  template:
    metadata: {labels: {app: store}}
    spec:
      nodeSelector: {kubernetes.io/hostname: "{node}"}
      terminationGracePeriodSeconds: 1
      tolerations:
        - {key: node.kubernetes.io/unreachable, operator: Exists, effect: NoExecute, tolerationSeconds: 5}
        - {key: node.kubernetes.io/not-ready, operator: Exists, effect: NoExecute, tolerationSeconds: 5}
      containers:
        - name: store
          image: nginx:1.27
          ports: [{containerPort: 80}]
          readinessProbe: {httpGet: {path: /, port: 80}, periodSeconds: 2}
---
apiVersion: v1
kind: Service
metadata: {name: store}
spec:
  selector: {app: store}
  ports: [{port: 80}]
""",
    breaking=_lose,
    undo=lambda lab, memory: nodeloss.find(lab, memory["node"]),
    hints=(
        "`%kubectl get nodes`와 `%kubectl get pods -o wide`를 보자. 어느 노드가 어떻게 되었는가?",
        "`%kubectl describe pod -l app=store`의 FailedScheduling에는 노드마다의 까닭이 있다. 살아 있는 노드는 왜 안 되는가?",
        "디플로이먼트의 nodeSelector가 파드를 한 노드에 못 박았다. "
        "`%kubectl patch deployment store -p '{\"spec\":{\"template\":{\"spec\":{\"nodeSelector\":null}}}}'`",
    ),
    checks=(
        Check("준비된 창고 파드 둘이 다른 노드에서 돈다", _elsewhere, "파드를 한 노드에 묶는 것이 템플릿에 남아 있는지 보자."),
        Check("서비스로 보낸 요청이 대답을 듣는다", lambda lab, memory: answers(lab, "store"), "준비된 파드가 있어야 한다."),
        Check("새 판이 다 나갔다", lambda lab, memory: available(lab, "store", 2), "`%kubectl rollout status deployment/store`"),
    ),
    broken=_stuck,
    patience=120.0,
)
