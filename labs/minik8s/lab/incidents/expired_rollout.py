# ruff: noqa: E501  (stories and hints are prose; Korean letters count twice)
"""새 판의 이미지가 없어서 롤아웃이 기한을 넘겼다."""

from minik8s.lab.incidents.problem import Check, Memory, Problem, answers, available
from minik8s.lab.session import Lab


def _update(lab: Lab, memory: Memory) -> None:
    lab.wait("deployment/news", timeout=300)
    image = {"name": "news", "image": "nginx:1.27-no-such-tag"}
    lab.patch("deployment/news", {"spec": {"template": {"spec": {"containers": [image]}}}})


def _progress(lab: Lab) -> tuple[str, str]:
    for c in lab.get("deployment/news")["status"].get("conditions") or ():
        if c["type"] == "Progressing":
            return str(c["status"]), str(c.get("reason"))
    return "", ""


PROBLEM = Problem(
    name="expired-rollout",
    title="새 판이 나가다 멈췄다",
    story="""
소식지 news의 새 판을 내보냈는데 배포가 끝나지 않는다. 옛 판은 아직 손님을 맞고 있어서 아무도 눈치채지 못했다.
디플로이먼트는 기한(progressDeadlineSeconds) 안에 나아가지 못했다고 말한다. 까닭을 찾고, 모든 파드가 한 판으로 돌게 하자.
""",
    manifest="""
apiVersion: apps/v1
kind: Deployment
metadata: {name: news}
spec:
  replicas: 2
  progressDeadlineSeconds: 8
  selector: {matchLabels: {app: news}}
  template:
    metadata: {labels: {app: news}}
    spec:
      containers:
        - name: news
          image: nginx:1.27
          ports: [{containerPort: 80}]
          readinessProbe: {httpGet: {path: /, port: 80}, periodSeconds: 1}
---
apiVersion: v1
kind: Service
metadata: {name: news}
spec:
  selector: {app: news}
  ports: [{port: 80}]
""",
    breaking=_update,
    hints=(
        "`%kubectl rollout status deployment/news --timeout=1s`와 `%kubectl get replicasets`를 보자. 두 판이 함께 있다.",
        "새 레플리카셋의 파드가 왜 뜨지 못하는지 `%kubectl describe pod -l app=news`의 이벤트를 읽자.",
        "옛 판으로 되돌린다: `%kubectl rollout undo deployment/news`. 기한을 넘겼다고 저절로 되돌아가지는 않는다.",
    ),
    checks=(
        Check("모든 파드가 같은 판으로 돌고 있다",
              lambda lab, memory: available(lab, "news", 2) and lab.get("deployment/news")["status"]["replicas"] == 2,
              "`%kubectl get replicasets`에 파드가 있는 것이 하나여야 한다."),
        Check("롤아웃이 끝났다고 디플로이먼트가 말한다",
              lambda lab, memory: _progress(lab) == ("True", "NewReplicaSetAvailable"),
              "`%kubectl describe deployment news`의 Progressing을 보자."),
        Check("서비스로 보낸 요청이 대답을 듣는다", lambda lab, memory: answers(lab, "news"), "준비된 파드가 있어야 한다."),
    ),
    broken=lambda lab, memory: _progress(lab) == ("False", "ProgressDeadlineExceeded"),
)
