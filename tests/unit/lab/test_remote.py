"""Which clusters a lab may use, and what it reads and copies of the user's kubeconfig."""

import os

import pytest
import yaml

from minik8s import lab
from minik8s.lab import contexts, remote
from minik8s.lab.choose import options


def write(path, *names, user=None, **cluster):
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": n, "cluster": {"server": "https://127.0.0.1:1", **cluster}} for n in names],
        "users": [{"name": n, "user": user or {}} for n in names],
        "contexts": [{"name": n, "context": {"cluster": n, "user": n}} for n in names],
        "current-context": names[0] if names else "",
    }
    path.write_text(yaml.safe_dump(config))
    return path


@pytest.fixture
def kubeconfig(tmp_path, monkeypatch):
    path = write(tmp_path / "config", "production", "kind-dev", "minikube")
    monkeypatch.setenv("KUBECONFIG", str(path))
    monkeypatch.delenv(contexts.OPT_IN, raising=False)
    return path


@pytest.mark.parametrize("name", ["kind-a", "minikube", "k3d-x", "docker-desktop", "orbstack", "colima-1", "minik8s"])
def test_practice_clusters_are_allowed(name):
    contexts.check_context(name, [name])


@pytest.mark.parametrize("name", ["production", "gke_a_b_c", "minikube2", "my-kind-a"])
def test_others_are_refused_with_the_way_in(name, monkeypatch):
    monkeypatch.delenv(contexts.OPT_IN, raising=False)
    with pytest.raises(contexts.ContextRefused, match=contexts.OPT_IN):
        contexts.check_context(name, [name])


def test_opting_in_names_the_context(monkeypatch):
    monkeypatch.setenv(contexts.OPT_IN, "production")
    contexts.check_context("production", ["production"])
    with pytest.raises(contexts.ContextRefused):
        contexts.check_context("production-2", ["production-2"])


def test_a_wrong_context_is_told_with_the_known_ones(kubeconfig):
    with pytest.raises(contexts.ContextRefused, match="kind-dev"):
        lab.connect("kind-typo")


def test_a_refused_context_is_not_even_called(kubeconfig):
    with pytest.raises(contexts.ContextRefused, match="연습용"):
        lab.connect("production")


def test_a_dead_cluster_is_told_in_one_line(kubeconfig):
    with pytest.raises(remote.Unusable, match="닿지 않는다") as told:
        lab.connect("kind-dev")
    assert "\n" not in str(told.value)


def test_no_kubeconfig(tmp_path, monkeypatch):
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    with pytest.raises(contexts.ContextRefused, match="kubeconfig 파일이 없다"):
        lab.connect("minikube")


def test_a_broken_kubeconfig(tmp_path, monkeypatch):
    (tmp_path / "config").write_text("contexts: [")
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))
    with pytest.raises(contexts.ContextRefused, match="읽을 수 없다"):
        lab.connect("minikube")


def test_a_kubeconfig_without_its_certificate_file(tmp_path, monkeypatch):
    write(tmp_path / "config", "kind-dev", **{"certificate-authority": "gone.crt"})
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))
    with pytest.raises(contexts.ContextRefused, match="온전하지 않다"):
        lab.connect("kind-dev")


def test_a_kubeconfig_that_is_no_text(tmp_path, monkeypatch):
    (tmp_path / "config").write_bytes(b"\x80\x81\xff")
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))
    with pytest.raises(contexts.ContextRefused, match="읽을 수 없다"):
        lab.connect("minikube")


def test_a_folder_is_no_kubeconfig(tmp_path, monkeypatch):
    monkeypatch.setenv("KUBECONFIG", str(tmp_path))
    with pytest.raises(contexts.ContextRefused, match="읽을 수 없다"):
        lab.connect("minikube")


def test_a_login_program_that_is_not_installed(tmp_path, monkeypatch):
    plugin = {"apiVersion": "client.authentication.k8s.io/v1", "command": "no-such-login", "installHint": "brew"}
    write(tmp_path / "config", "kind-dev", user={"exec": plugin})
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))
    with pytest.raises(contexts.ContextRefused, match=r"no-such-login.*없다.*brew"):
        lab.connect("kind-dev")


@pytest.mark.parametrize(("section", "told"), [("users", "users"), ("clusters", "clusters")])
def test_a_context_that_leads_nowhere(section, told, tmp_path, monkeypatch):
    path = write(tmp_path / "config", "kind-dev")
    config = yaml.safe_load(path.read_text())
    config[section] = []
    path.write_text(yaml.safe_dump(config))
    monkeypatch.setenv("KUBECONFIG", str(path))
    with pytest.raises(contexts.ContextRefused, match=f"온전하지 않다.*{told}"):
        lab.connect("kind-dev")


def test_the_file_that_knows_the_context_is_taken(tmp_path, monkeypatch):
    first, second = write(tmp_path / "a", "production"), write(tmp_path / "b", "kind-dev")
    monkeypatch.setenv("KUBECONFIG", f"{first}{os.pathsep}{second}")
    assert contexts.user_kubeconfig("kind-dev") == second
    assert contexts.user_kubeconfig() == first


def test_the_copy_changes_nothing_of_the_original(kubeconfig):
    before = kubeconfig.read_text()
    copy = contexts.private_copy(kubeconfig, "kind-dev", "minik8s-lab-1")
    config = yaml.safe_load(copy.read_text())
    assert config["current-context"] == "kind-dev"
    assert [c["context"].get("namespace") for c in config["contexts"]] == [None, "minik8s-lab-1", None]
    assert copy.stat().st_mode & 0o077 == 0 or os.name == "nt"
    assert kubeconfig.read_text() == before


def test_relative_certificates_still_lead_to_their_files(tmp_path):
    source = write(tmp_path / "config", "kind-dev", **{"certificate-authority": "ca.crt"})
    config = yaml.safe_load(contexts.private_copy(source, "kind-dev", "x").read_text())
    assert config["clusters"][0]["cluster"]["certificate-authority"] == str(tmp_path / "ca.crt")


def test_the_menu_marks_what_is_not_for_practice(kubeconfig):
    assert options() == [
        ("내장 클러스터", "embedded"),
        ("production (연습용이 아니다)", "production"),
        ("kind-dev", "kind-dev"),
        ("minikube", "minikube"),
    ]


def test_the_widget_connects_or_says_why_not(kubeconfig):
    choice = lab.choose()
    assert choice.k.place.name == "embedded"
    choice.menu.value = "production"
    choice.button.click()
    with pytest.raises(RuntimeError, match="잇지 못했다"):
        _ = choice.k
