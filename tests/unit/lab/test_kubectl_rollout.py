"""`kubectl rollout undo`는 앞선 템플릿과 그때의 어노테이션으로 돌아가고, 멈춘 것은 되돌리지 않는다."""

import pytest

from minik8s import lab


@pytest.fixture
def k():
    k = lab.connect(nodes=1)
    k.apply("manifests/web.yaml")
    k.wait("deployment/web")
    return k


def test_a_paused_deployment_is_not_rolled_back(k):
    k.kubectl("set image deployment/web web=nginx:1.28")
    k.kubectl("rollout status deployment/web")
    k.kubectl("rollout pause deployment/web")
    refused = k.kubectl("rollout undo deployment/web")
    assert refused.code == 1 and "you cannot rollback a paused deployment" in refused.stderr


def test_the_cause_of_a_revision_comes_back_with_it(k):
    k.kubectl("annotate deployment/web kubernetes.io/change-cause=first")
    k.sleep(1)
    k.kubectl("set image deployment/web web=nginx:1.28")
    k.kubectl("annotate --overwrite deployment/web kubernetes.io/change-cause=second")
    k.kubectl("rollout status deployment/web")
    k.kubectl("rollout undo deployment/web")
    k.kubectl("rollout status deployment/web")
    k.sleep(5)
    lines = k.kubectl("rollout history deployment/web").stdout.splitlines()
    assert [line.split() for line in lines[2:4]] == [["2", "second"], ["3", "first"]]
