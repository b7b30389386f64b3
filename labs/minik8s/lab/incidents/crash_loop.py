# ruff: noqa: E501  (stories and hints are prose; Korean letters count twice)
"""컨테이너가 뜨자마자 끝난다: 있어야 할 환경 변수가 없다."""

from minik8s.lab.incidents.problem import Check, Memory, Problem, available
from minik8s.lab.session import Lab


def _restarting(lab: Lab, memory: Memory) -> bool:
    return any(s["restartCount"] >= 1 for pod in lab.pods("app=orders") for s in pod["status"]["containerStatuses"])


def _calm(lab: Lab, memory: Memory) -> bool:
    """Every container has run for some seconds, and none is between two restarts."""
    states = [s for pod in lab.pods("app=orders") for s in pod["status"]["containerStatuses"]]
    return bool(states) and all("running" in s["state"] and s["restartCount"] == 0 for s in states)


PROBLEM = Problem(
    name="crash-loop",
    title="주문 서버가 자꾸 죽는다",
    story="""
새 주문 서버 orders를 올렸다. 이미지는 잘 받았는데 파드가 켜졌다 꺼졌다 한다. 개발자는 “내 컴퓨터에서는 된다”고 말한다.
무엇이 빠졌는지 로그에서 찾고, 파드가 꾸준히 돌게 하자.
""",
    manifest="""
apiVersion: apps/v1
kind: Deployment
metadata: {name: orders}
spec:
  replicas: 1
  selector: {matchLabels: {app: orders}}
  template:
    metadata: {labels: {app: orders}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
        - name: orders
          image: busybox:1.36
          command: [sh, -c]
          args:
            - |
              if [ -z "$DB_HOST" ]; then echo "fatal: environment variable DB_HOST is not set"; exit 1; fi
              echo "orders: using database $DB_HOST"
              while true; do sleep 1; done
""",
    hints=(
        "`%kubectl get pods`의 STATUS와 RESTARTS를 보자. 이미지 문제일 때와 무엇이 다른가?",
        "죽은 컨테이너의 마지막 말은 `%kubectl logs deployment/orders`나 `--previous`로 듣는다.",
        "디플로이먼트의 환경 변수는 `kubectl set env deployment/orders 이름=값`으로 넣는다. 데이터베이스의 이름은 db다.",
    ),
    checks=(
        Check("주문 서버가 쓸 수 있는 상태다", lambda lab, memory: available(lab, "orders"),
              "`%kubectl logs deployment/orders`가 까닭을 말한다."),
        Check("컨테이너가 다시 시작하지 않고 돈다", _calm, "RESTARTS가 늘고 있는지 `%kubectl get pods`로 보자."),
        Check("서버가 데이터베이스의 이름을 안다",
              lambda lab, memory: "using database" in lab.kubectl("logs deployment/orders").stdout,
              "시작한 뒤의 로그에 using database가 있어야 한다."),
    ),
    broken=_restarting,
)
