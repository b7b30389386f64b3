"""run과 create의 깃발들."""

import pytest

from minik8s import lab


@pytest.fixture
def k():
    return lab.connect(nodes=1)


def test_run_gives_the_words_after_the_dashes_to_the_image_or_takes_its_place(k):
    k.kubectl("run args --image=busybox:1.36 -- sleep 60")
    k.kubectl("run command --image=busybox:1.36 --command -- sleep 60")
    one, other = (k.get(f"pod/{name}")["spec"]["containers"][0] for name in ("args", "command"))
    assert (one.get("args"), one.get("command")) == (["sleep", "60"], None)
    assert (other.get("args"), other.get("command")) == (None, ["sleep", "60"])


def test_a_role_for_one_secret_lets_no_other_be_read(k):
    k.kubectl("create role one --verb=get --resource=secrets --resource-name=mine")
    k.kubectl("create rolebinding one --role=one --user=robot")
    asked = ("get secret/mine", "get secret/other", "list secrets")
    answers = [k.kubectl(f"auth can-i {question} --as=robot").stdout.strip() for question in asked]
    assert answers == ["yes", "no", "no"]


def test_a_token_for_a_service_account_is_printed(k):
    assert k.kubectl("create token default --duration=10m").stdout.count(".") == 2
    assert "not found" in k.kubectl("create token nobody").stderr
