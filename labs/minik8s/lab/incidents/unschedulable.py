# ruff: noqa: E501  (stories and hints are prose; Korean letters count twice)
"""어떤 노드에도 들어가지 않을 만큼 큰 요청."""

from minik8s.lab.incidents.problem import Check, Memory, Problem, available, container
from minik8s.lab.session import Lab
from minik8s.objects.quantity import milli


def _pending(lab: Lab, memory: Memory) -> bool:
    conditions = [c for pod in lab.pods("app=report") for c in pod["status"].get("conditions") or ()]
    return any(c.get("reason") == "Unschedulable" for c in conditions)


def _still_asks(lab: Lab, memory: Memory) -> bool:
    return milli(container(lab, "report")["resources"]["requests"]["cpu"]) > 0


PROBLEM = Problem(
    name="unschedulable",
    title="보고서 서버가 몇 시간째 Pending이다",
    story="""
보고서 서버 report를 올렸는데 파드가 Pending에서 움직이지 않는다. 만든 사람은 “CPU 500이면 넉넉하겠지”라고 적었다고 한다.
CPU를 얼마나 요청했는지, 그런 노드가 있는지 보고, 파드가 돌게 하자. 요청을 아예 없애지는 말자.
""",
    manifest="""
apiVersion: apps/v1
kind: Deployment
metadata: {name: report}
spec:
  replicas: 1
  selector: {matchLabels: {app: report}}
  template:
    metadata: {labels: {app: report}}
    spec:
      containers:
        - name: report
          image: nginx:1.27
          resources: {requests: {cpu: "500"}}
""",
    hints=(
        "`%kubectl describe pod -l app=report`의 마지막 이벤트가 노드마다의 까닭을 말한다.",
        "노드가 줄 수 있는 양은 `%kubectl describe nodes`의 Allocatable에 있다. 단위를 보자: CPU 500과 500m은 천 배 다르다.",
        "`%kubectl set resources deployment report --requests=cpu=50m`",
    ),
    checks=(
        Check("보고서 서버가 쓸 수 있는 상태다", lambda lab, memory: available(lab, "report"),
              "파드의 이벤트에 FailedScheduling이 남아 있는지 보자."),
        Check("CPU 요청이 여전히 적혀 있다", _still_asks, "요청을 지우지 말고 알맞은 값으로 고치자."),
    ),
    broken=_pending,
)
