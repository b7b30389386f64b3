"""What the doctor says of a machine, and the commands that the wrappers print."""

import shlex

import pytest
import yaml

from minik8s.edge import cli, images
from minik8s.edge.doctor import GIB, Facts, Tool, gather, judge

GOOD = Facts(
    python=(3, 12),
    packages={"aiohttp": True, "kubernetes": True, "ipywidgets": True},
    memory=16 * GIB,
    disk=100 * GIB,
    tools={name: Tool(True, True, "v1") for name in ("docker", "podman", "kind", "minikube", "kubectl")},
    cgroup=2,
    registries={"docker.io": ""},
)


def findings(**changed):
    facts = Facts(**{**GOOD.__dict__, **changed})
    return {f.what: f for f in judge(facts) if f.level != "ok"}


def test_a_good_machine_has_nothing_to_fix():
    assert findings() == {}


@pytest.mark.parametrize(
    ("changed", "what", "level", "fix"),
    [
        ({"python": (3, 9)}, "파이썬", "bad", "python.org"),
        ({"packages": {"kubernetes": False}}, "kubernetes", "warn", "pip install"),
        ({"memory": GIB // 2}, "메모리", "bad", "끄자"),
        ({"memory": 4 * GIB}, "메모리", "warn", "--nodes 2"),
        ({"disk": GIB}, "디스크", "warn", "docker system prune"),
        ({"cgroup": 1}, "cgroup", "warn", "unified_cgroup_hierarchy"),
        ({"loopback": "Permission denied"}, "포트", "bad", "방화벽"),
        ({"registries": {"docker.io": "timed out"}}, "이미지", "warn", "--mirror"),
        ({"proxies": {"HTTPS_PROXY": "http://p:1"}}, "프록시", "bad", "NO_PROXY"),
        ({"tools": {}}, "컨테이너 엔진", "warn", "docker"),
        ({"tools": {"docker": Tool(True, False, "permission denied")}}, "docker", "warn", "usermod"),
        ({"tools": {"docker": Tool(True, False, "not running")}}, "docker", "warn", "systemctl start docker"),
        ({"tools": {"docker": Tool(True, False, "x")}, "system": "Darwin"}, "docker", "warn", "Docker Desktop"),
        ({"tools": {}}, "kind", "warn", "kind.sigs.k8s.io"),
    ],
)
def test_each_trouble_comes_with_what_fixes_it(changed, what, level, fix):
    found = findings(**changed)[what]
    assert found.level == level
    assert fix in found.fix


def test_a_proxy_that_spares_this_machine_is_fine():
    assert findings(proxies={"https_proxy": "http://p:1", "no_proxy": "localhost,127.0.0.1"}) == {}


def test_every_fact_can_be_gathered_here():
    facts = gather(network=False)
    assert facts.python >= (3, 11)
    assert facts.disk > 0
    assert judge(facts)


def test_the_command_reports_in_korean(capsys):
    cli.main(["doctor", "--offline"])
    out = capsys.readouterr().out
    assert "파이썬" in out and ("시작할 수 있다" in out or "먼저 고칠 것" in out)


# ---- kind, minikube, images ---------------------------------------------------------------
def printed(capsys, *argv):
    assert cli.main([*argv, "--dry-run"]) == 0
    return capsys.readouterr().out


def test_kind_up_prints_every_command(capsys):
    out = printed(capsys, "kind", "up", "--mirror", "http://mirror:5000")
    config = yaml.safe_load(out.partition("<<'EOF'\n")[2].partition("EOF")[0])
    assert [n["role"] for n in config["nodes"]] == ["control-plane", "worker", "worker"]
    commands = [shlex.split(line[2:]) for line in out.splitlines() if line.startswith("+ ")]
    assert {c[0] for c in commands} <= {"kind", "docker", "podman"}
    assert sum(c[1] == "update" and "--memory" in c for c in commands) == 3
    assert "hosts.toml" in out and "http://mirror:5000" in out
    loaded = next(c for c in commands if c[:3] == ["kind", "load", "docker-image"])
    assert {image.tagged for image in images.listed()} <= set(loaded)


def test_minikube_up_has_a_profile_of_its_own(capsys):
    out = printed(capsys, "minikube", "up", "--nodes", "2")
    assert "minikube start -p minikube-minik8s --keep-context --nodes 2" in out
    assert "minikube delete -p minikube-minik8s" in printed(capsys, "minikube", "down")


def test_a_missing_tool_is_told(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert cli.main(["kind", "down"]) == 127
    assert "설치 안내" in capsys.readouterr().err


def test_a_failing_tool_stops_the_rest(capsys, monkeypatch, tmp_path):
    tool = tmp_path / "kind"
    tool.write_text("#!/bin/sh\nexit 3\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    assert cli.main(["kind", "up"]) == 3
    captured = capsys.readouterr()
    assert captured.out.count("\n+ ") == 0
    assert "실패했다" in captured.err


def test_the_images_of_the_labs_are_listed(capsys):
    """Every image in a lab's manifest is in the one file, or is wrong on purpose."""
    import re
    from pathlib import Path

    labs = Path(__file__).parents[3] / "labs"
    sources = [*(labs / "notebooks").glob("*.md"), *(labs / "minik8s/lab/incidents").glob("*.py")]
    image = re.compile(r'image["\']?: "?([\w./-]+:[\w.-]+)')
    used = {name for path in sources for name in image.findall(path.read_text("utf-8"))}
    listed = {image.tagged.removeprefix("docker.io/library/") for image in images.listed()}
    assert {name for name in used if "no-such" not in name} <= listed


def test_images_go_where_they_are_sent(capsys):
    assert "kind load docker-image --name minik8s" in printed(capsys, "images", "preload", "--to", "kind-minik8s")
    assert "minikube -p minikube image load" in printed(capsys, "images", "preload", "--to", "minikube")
    assert " save -o box.tar " in printed(capsys, "images", "save", "--file", "box.tar")
    offline = printed(capsys, "images", "preload", "--file", "box.tar", "--to", "kind-room")
    assert " load -i box.tar" in offline and "kind load docker-image --name room" in offline and " pull " not in offline
    assert cli.main(["images"]) == 0


def test_an_image_with_a_digest_is_pulled_by_it_and_tagged():
    image = images.Image("docker.io/library/nginx", "1.27", "sha256:" + "0" * 64, "")
    steps = images.pull("docker", [image])
    assert [s.argv[1] for s in steps] == ["pull", "tag"]
    assert steps[0].argv[2].endswith("@sha256:" + "0" * 64)
