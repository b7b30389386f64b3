# ruff: noqa: E501  (stories and hints are prose; Korean letters count twice)
"""클레임이 없는 스토리지클래스를 부른다."""

from minik8s.lab.incidents.problem import Check, Memory, Problem, available
from minik8s.lab.session import Lab


def _waiting(lab: Lab, memory: Memory) -> bool:
    pods = lab.pods("app=ledger")
    return bool(pods) and lab.get("pvc/ledger")["status"]["phase"] == "Pending" and pods[0]["status"]["phase"] == "Pending"


PROBLEM = Problem(
    name="pvc-pending",
    title="장부가 디스크를 기다린다",
    story="""
장부 서버 ledger가 Pending이다. 노드에는 자리가 넉넉하다. 다른 회사에서 쓰던 매니페스트를 그대로 가져왔다고 한다.
장부가 무엇을 기다리는지 찾고, 디스크를 얻어 돌게 하자. 장부에는 아직 아무것도 적혀 있지 않다.
""",
    manifest="""
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: ledger}
spec:
  storageClassName: premium-ssd
  accessModes: [ReadWriteOnce]
  resources: {requests: {storage: 64Mi}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: ledger}
spec:
  replicas: 1
  strategy: {type: Recreate}
  selector: {matchLabels: {app: ledger}}
  template:
    metadata: {labels: {app: ledger}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
        - name: ledger
          image: busybox:1.36
          command: [sh, -c, 'echo open > /data/ledger; while true; do sleep 1; done']
          readinessProbe: {exec: {command: [cat, /data/ledger]}, periodSeconds: 2}
          volumeMounts: [{name: data, mountPath: /data}]
      volumes: [{name: data, persistentVolumeClaim: {claimName: ledger}}]
""",
    hints=(
        "`%kubectl describe pod -l app=ledger`의 이벤트는 파드가 무엇을 기다린다고 하는가?",
        "`%kubectl describe pvc ledger`와 `%kubectl get storageclasses`를 견주자.",
        "묶이기 전이라도 storageClassName은 고칠 수 없다. 요청을 지우고, 있는 클래스로(또는 그 줄을 빼서 기본 클래스로) 다시 만들자. "
        "기본 클래스가 없으면 퍼시스턴트볼륨을 손으로 만든다.",
        "쓰는 파드가 있으면 요청은 지워지지 않고 기다린다. 디플로이먼트를 잠시 0으로 줄이자.",
    ),
    checks=(
        Check("클레임이 볼륨에 묶였다", lambda lab, memory: lab.get("pvc/ledger")["status"]["phase"] == "Bound",
              "`%kubectl describe pvc ledger`의 이벤트를 읽자."),
        Check("장부 서버가 디스크에 썼다", lambda lab, memory: available(lab, "ledger"),
              "준비성 프로브는 /data/ledger를 읽어 본다."),
    ),
    broken=_waiting,
)
