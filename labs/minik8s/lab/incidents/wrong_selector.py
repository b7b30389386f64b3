# ruff: noqa: E501  (stories and hints are prose; Korean letters count twice)
"""서비스의 셀렉터가 파드의 레이블과 다르다."""

from minik8s.lab.incidents.problem import Check, Problem, answers, available

PROBLEM = Problem(
    name="wrong-selector",
    title="가게는 열렸는데 손님이 들어오지 못한다",
    story="""
가게 shop의 파드는 모두 Running이고 준비되었다. 그런데 서비스 shop으로 들어온 손님은 아무 대답도 듣지 못한다.
어제 누가 레이블 이름을 정리했다고 한다. 손님이 다시 들어오게 하자.
""",
    manifest="""
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  replicas: 2
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop, tier: frontend}}
    spec:
      containers:
        - name: shop
          image: nginx:1.27
          ports: [{containerPort: 80}]
          readinessProbe: {httpGet: {path: /, port: 80}, periodSeconds: 2}
---
apiVersion: v1
kind: Service
metadata: {name: shop}
spec:
  selector: {app: shop, tier: front}
  ports: [{port: 80, targetPort: 80}]
""",
    hints=(
        "서비스가 요청을 보낼 곳은 `%kubectl get endpointslices`에 있다. 비어 있지 않은가?",
        "`%kubectl describe service shop`의 Selector와 `%kubectl get pods --show-labels`를 나란히 놓고 견주자.",
        "셀렉터는 `%kubectl patch service shop -p '{\"spec\":{\"selector\":{\"tier\":\"...\"}}}'`로 고친다.",
    ),
    checks=(
        Check("가게의 파드 둘이 준비되었다", lambda lab, memory: available(lab, "shop", 2), "파드를 지우지는 않았는가?"),
        Check("서비스로 보낸 요청이 대답을 듣는다", lambda lab, memory: answers(lab, "shop"),
              "서비스의 셀렉터와 파드의 레이블이 글자까지 같아야 한다."),
    ),
    broken=lambda lab, memory: available(lab, "shop", 2) and not answers(lab, "shop"),
)
