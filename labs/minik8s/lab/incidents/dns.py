# ruff: noqa: E501  (stories and hints are prose; Korean letters count twice)
"""다른 네임스페이스로 옮긴 서비스를 짧은 이름으로 부른다."""

from minik8s.lab.incidents.problem import Check, Memory, Problem, available, events
from minik8s.lab.session import Lab


def _moved(lab: Lab, memory: Memory) -> None:
    memory["moved"] = f"{lab.namespace}-pay"


def _stays(lab: Lab, memory: Memory) -> bool:
    return lab.find("service/payments") is None and lab.find("service/payments", memory["moved"]) is not None


PROBLEM = Problem(
    name="dns",
    title="결제 서비스를 찾을 수 없다",
    story="""
결제 서비스 payments가 지난밤 다른 네임스페이스로 이사했다. 계산대 checkout은 어제까지 http://payments 로 잘 부르던 것을 오늘은 찾지 못한다.
이사는 되돌릴 수 없다. 계산대가 결제 서비스를 다시 찾게 하자. 부르는 주소는 환경 변수 PAYMENTS_URL에 있다.
""",
    prepare=_moved,
    manifest="""
apiVersion: v1
kind: Namespace
metadata: {name: "{moved}"}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: payments, namespace: "{moved}"}
spec:
  replicas: 1
  selector: {matchLabels: {app: payments}}
  template:
    metadata: {labels: {app: payments}}
    spec:
      containers: [{name: payments, image: "nginx:1.27", ports: [{containerPort: 80}]}]
---
apiVersion: v1
kind: Service
metadata: {name: payments, namespace: "{moved}"}
spec:
  selector: {app: payments}
  ports: [{port: 80}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: checkout}
spec:
  replicas: 1
  selector: {matchLabels: {app: checkout}}
  template:
    metadata: {labels: {app: checkout}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
        - name: checkout
          image: busybox:1.36
          env: [{name: PAYMENTS_URL, value: "http://payments"}]
          command: [sh, -c]
          args: ['while true; do wget -q -T 2 -O /dev/null "$PAYMENTS_URL" && echo "payments: ok"; sleep 2; done']
          readinessProbe:
            exec: {command: [sh, -c, 'wget -q -T 2 -O /dev/null "$PAYMENTS_URL"']}
            timeoutSeconds: 4
            periodSeconds: 2
""",
    hints=(
        "`%kubectl logs deployment/checkout`이 무엇을 찾지 못한다고 하는가?",
        "파드 안에서 이름을 물어보자: `%kubectl exec deployment/checkout -- nslookup payments`. "
        "짧은 이름은 제 네임스페이스에서만 찾는다.",
        "`%kubectl get services -A`로 결제 서비스가 어디에 있는지 보자. 다른 네임스페이스의 서비스는 이름.네임스페이스로 부른다.",
        "`%kubectl set env deployment/checkout PAYMENTS_URL=http://payments.<네임스페이스>`",
    ),
    checks=(
        Check("계산대가 결제 서비스의 대답을 듣는다", lambda lab, memory: available(lab, "checkout"),
              "계산대의 준비성 프로브는 PAYMENTS_URL을 불러 본다. 그 이름을 찾을 수 있는가?"),
        Check("결제 서비스는 이사한 곳에 그대로 있다", _stays, "옛 자리에 서비스를 새로 만들지 말고 부르는 이름을 고치자."),
    ),
    broken=lambda lab, memory: events(lab, "checkout", "Unhealthy"),
)
