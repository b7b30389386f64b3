# ruff: noqa: E501  (stories and hints are prose; Korean letters count twice)
"""네임스페이스의 리소스쿼터가 꽉 찼다."""

from minik8s.lab.incidents.problem import Check, Memory, Problem, available, events
from minik8s.lab.session import Lab


def _kept(lab: Lab, memory: Memory) -> bool:
    quota = lab.get("resourcequota/team")
    return int(quota["spec"]["hard"]["pods"]) <= 4


def _nothing_refused(lab: Lab, memory: Memory) -> bool:
    conditions = lab.get("deployment/web")["status"].get("conditions") or []
    return not any(c["type"] == "ReplicaFailure" and c["status"] == "True" for c in conditions)


PROBLEM = Problem(
    name="full-quota",
    title="파드가 더 생기지 않는다",
    story="""
행사를 앞두고 가게 web을 파드 셋으로 늘렸다. 하나만 돌고 나머지는 Pending조차 아니다. 아예 생기지 않는다.
팀의 쿼터(파드 넷)는 회사와 약속한 것이라 늘릴 수 없다. 가게 파드 셋이 돌게 하자. 실험용 experiment는 지금 아무도 쓰지 않는다.
""",
    manifest="""
apiVersion: v1
kind: ResourceQuota
metadata: {name: team}
spec: {hard: {pods: "4"}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: experiment}
spec:
  replicas: 3
  selector: {matchLabels: {app: experiment}}
  template:
    metadata: {labels: {app: experiment}}
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{name: pause, image: "registry.k8s.io/pause:3.10"}]
""",
    breaking=lambda lab, memory: _grow(lab),
    hints=(
        "`%kubectl get deployment,replicaset,pods`에서 원하는 수와 있는 수가 어긋나는 곳을 찾자.",
        "파드를 만드는 것은 레플리카셋이다. `%kubectl describe replicaset -l app=web`의 이벤트가 거절의 까닭을 말한다.",
        "`%kubectl describe resourcequota team`의 Used와 Hard를 보자. 누가 자리를 차지하고 있나?",
        "실험을 줄이면 자리가 난다: `%kubectl scale deployment experiment --replicas=1`. 거절당한 레플리카셋은 잠시 뒤 다시 해 본다.",
    ),
    checks=(
        Check("가게의 파드 셋이 준비되었다", lambda lab, memory: available(lab, "web", 3), "쿼터에 자리가 셋 나야 한다."),
        Check("거절당한 파드가 더는 없다", _nothing_refused, "`%kubectl describe deployment web`의 ReplicaFailure를 보자."),
        Check("쿼터는 약속한 대로 파드 넷이다", _kept, "쿼터를 늘리거나 지우지 말고 자리를 비우자."),
    ),
    broken=lambda lab, memory: events(lab, "web", "FailedCreate"),
    patience=60.0,
)

_WEB = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{name: web, image: "nginx:1.27"}]
"""


def _grow(lab: Lab) -> None:
    """The experiment is there first; then the shop asks for more than is left."""
    lab.wait("deployment/experiment", timeout=300)
    lab.apply(_WEB)
