"""`kubectl debug`는 도는 파드에 임시 컨테이너를 더하고, 앱은 다시 시작하지 않는다."""

import pytest

from minik8s import lab


@pytest.fixture
def k():
    k = lab.connect(nodes=1)
    k.kubectl("run web --image=nginx:1.27")
    k.wait("pod/web", "ready")
    return k


def test_a_debug_container_shares_the_network_of_the_pod(k):
    done = k.kubectl("debug web --image=busybox:1.36 --target=web -c box -- sleep 60")
    assert done.code == 0 and done.stderr.startswith('Targeting container "web".')
    k.sleep(5)
    assert "Welcome to nginx!" in k.kubectl("exec web -c box -- wget -qO- http://localhost/").stdout
    status = k.get("pod/web")["status"]
    assert status["containerStatuses"][0]["restartCount"] == 0
    assert status["ephemeralContainerStatuses"][0]["ready"] is False


def test_a_name_is_made_up_when_none_is_given(k):
    for _ in range(2):
        assert k.kubectl("debug web --image=busybox:1.36").code == 0
    names = [c["name"] for c in k.get("pod/web")["spec"]["ephemeralContainers"]]
    assert len(set(names)) == 2 and all(name.startswith("debugger-") and len(name) == 14 for name in names)


def test_an_image_is_needed(k):
    assert k.kubectl("debug web").stderr.startswith("error: you must specify --image")


def test_between_restarts_the_timeline_says_how_the_container_ended(k):
    k.kubectl("run crash --image=busybox:1.36 -- sh -c 'exit 3'")
    k.sleep(20)
    said = k.timeline("run=crash").text
    assert "Error" in said and "준비 안 됨" not in said.split("Error")[1]
