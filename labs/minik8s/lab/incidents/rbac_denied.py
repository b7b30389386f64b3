# ruff: noqa: E501  (stories and hints are prose; Korean letters count twice)
"""롤바인딩이 다른 서비스어카운트를 가리킨다."""

from minik8s.lab.incidents.problem import Check, Memory, Problem
from minik8s.lab.session import Lab


def _may(lab: Lab, verb: str, resource: str, account: str = "reporter") -> bool:
    """Asks the API server, as `kubectl auth can-i --as` does."""
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {
            "user": f"system:serviceaccount:{lab.namespace}:{account}",
            "groups": ["system:serviceaccounts", f"system:serviceaccounts:{lab.namespace}", "system:authenticated"],
            "resourceAttributes": {"namespace": lab.namespace, "verb": verb, "resource": resource},
        },
    }
    answer = lab.client.call("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", review)
    return bool(answer["status"]["allowed"])


def _no_more(lab: Lab, memory: Memory) -> bool:
    return not _may(lab, "delete", "pods") and not _may(lab, "get", "secrets")


PROBLEM = Problem(
    name="rbac-denied",
    title="통계 봇이 거절당한다",
    story="""
통계 봇은 서비스어카운트 reporter로 파드의 목록을 읽는다. 오늘 아침부터 Forbidden을 받는다. 롤은 어제와 같다고 한다.
봇이 파드를 다시 읽게(get, list, watch) 하되, 꼭 필요한 것만 허락하자. 지우거나 시크릿을 읽게 하면 안 된다.
""",
    manifest="""
apiVersion: v1
kind: ServiceAccount
metadata: {name: reporter}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: pod-reader}
rules:
  - apiGroups: [""]
    resources: [pods]
    verbs: [get, list, watch]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: reporter-reads-pods}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: pod-reader}
subjects:
  - {kind: ServiceAccount, name: reporters, namespace: "{namespace}"}
""",
    hints=(
        "봇의 처지에서 물어보자: `%kubectl auth can-i list pods --as=system:serviceaccount:<네임스페이스>:reporter`",
        "롤은 무엇을 할 수 있는지, 롤바인딩은 누가 할 수 있는지 적는다. `%kubectl describe rolebinding reporter-reads-pods`를 보자.",
        "없는 사람을 가리켜도 API 서버는 나무라지 않는다. subjects의 이름을 서비스어카운트의 이름과 견주자.",
        "`%kubectl create rolebinding reporter-reads --role=pod-reader --serviceaccount=<네임스페이스>:reporter`",
    ),
    checks=(
        Check("봇이 파드를 읽을 수 있다",
              lambda lab, memory: all(_may(lab, verb, "pods") for verb in ("get", "list", "watch")),
              "롤바인딩의 subjects가 reporter를 가리켜야 한다."),
        Check("봇은 그 밖의 것을 할 수 없다", _no_more, "cluster-admin이나 edit 대신 pod-reader를 쓰자."),
    ),
    broken=lambda lab, memory: not _may(lab, "list", "pods"),
)
