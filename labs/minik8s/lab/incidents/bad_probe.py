# ruff: noqa: E501  (stories and hints are prose; Korean letters count twice)
"""준비성 프로브가 없는 길을 묻는다."""

from minik8s.lab.incidents.problem import Check, Memory, Problem, answers, available, container, events
from minik8s.lab.session import Lab


def _still_probes(lab: Lab, memory: Memory) -> bool:
    return bool(container(lab, "menu").get("readinessProbe"))


PROBLEM = Problem(
    name="bad-probe",
    title="돌고 있는데 준비되지 않는다",
    story="""
메뉴판 menu의 파드는 Running인데 READY가 0/1이다. 다시 시작하지도 않는다. 서비스 menu로는 아무도 들어오지 못한다.
서버 자신은 멀쩡하다고 로그가 말한다. 누가 준비되지 않았다고 하는지 찾고, 손님이 들어오게 하자. 프로브를 없애지는 말자.
""",
    manifest="""
apiVersion: apps/v1
kind: Deployment
metadata: {name: menu}
spec:
  replicas: 2
  selector: {matchLabels: {app: menu}}
  template:
    metadata: {labels: {app: menu}}
    spec:
      containers:
        - name: menu
          image: nginx:1.27
          ports: [{containerPort: 80}]
          readinessProbe:
            httpGet: {path: /healthz/ready, port: 80}
            periodSeconds: 2
---
apiVersion: v1
kind: Service
metadata: {name: menu}
spec:
  selector: {app: menu}
  ports: [{port: 80}]
""",
    hints=(
        "`%kubectl describe pod -l app=menu`의 이벤트에서 Unhealthy를 찾자. 상태 코드가 적혀 있다.",
        "프로브가 묻는 길은 어디인가? 이 서버가 대답하는 길은 `/`뿐이다.",
        "`%kubectl patch deployment menu --type=json -p '[{\"op\":\"replace\",\"path\":"
        "\"/spec/template/spec/containers/0/readinessProbe/httpGet/path\",\"value\":\"/\"}]'`",
    ),
    checks=(
        Check("파드 둘이 준비되었다", lambda lab, memory: available(lab, "menu", 2), "프로브가 묻는 길을 서버가 아는가?"),
        Check("서비스로 보낸 요청이 대답을 듣는다", lambda lab, memory: answers(lab, "menu"), "준비된 파드가 있어야 한다."),
        Check("준비성 프로브가 여전히 있다", _still_probes, "프로브를 지우지 말고 고치자."),
    ),
    broken=lambda lab, memory: events(lab, "menu", "Unhealthy"),
)
