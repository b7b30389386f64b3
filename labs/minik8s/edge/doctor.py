"""`minik8s doctor`가 보는 것: 이 컴퓨터에서 사실을 모으고(gather), 사실만 보고 판단한다(judge)."""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from minik8s.edge import plan

GIB = 1 << 30
LEAST_PYTHON = (3, 11)
TOOLS = ("docker", "podman", "kind", "minikube", "kubectl")
ASKED = {
    "docker": ["docker", "version", "--format", "{{.Server.Version}}"],
    "podman": ["podman", "version", "--format", "{{.Client.Version}}"],
    "kind": ["kind", "version"],
    "minikube": ["minikube", "version", "--short"],
    "kubectl": ["kubectl", "version", "--client"],
}
REGISTRIES = {"docker.io": "registry-1.docker.io", "registry.k8s.io": "registry.k8s.io"}
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")
LABEL = {"ok": "좋음", "warn": "주의", "bad": "문제"}


class Finding(NamedTuple):
    """level: ok, warn or bad. `fix` is a command or what to do, "" when there is nothing to do."""

    level: str
    what: str
    detail: str
    fix: str = ""


class Tool(NamedTuple):
    """A program: whether it is here, whether it answered, and what it said."""

    here: bool
    works: bool = False
    said: str = ""


@dataclass(frozen=True)
class Facts:
    """What is so on this machine. Bytes; None where it cannot be known."""

    system: str = "Linux"
    python: tuple[int, int] = LEAST_PYTHON
    packages: Mapping[str, bool] = field(default_factory=dict)
    memory: int | None = None
    disk: int | None = None
    tools: Mapping[str, Tool] = field(default_factory=dict)
    cgroup: int | None = None
    proxies: Mapping[str, str] = field(default_factory=dict)
    loopback: str = ""
    registries: Mapping[str, str] = field(default_factory=dict)


# ---- gathering ----------------------------------------------------------------------
def gather(*, network: bool = True, timeout: float = 5.0) -> Facts:
    """The facts of this machine. Every question has a time limit."""
    return Facts(
        system=platform.system(),
        python=(sys.version_info.major, sys.version_info.minor),
        packages={name: importlib.util.find_spec(name) is not None for name in ("aiohttp", "kubernetes", "ipywidgets")},
        memory=_memory(),
        disk=shutil.disk_usage(Path.home() if Path.home().exists() else "/").free,
        tools={name: _tool(name, timeout) for name in TOOLS},
        cgroup=_cgroup(),
        proxies={name: os.environ[name] for name in PROXIES if os.environ.get(name)},
        loopback=_loopback(),
        registries={name: _reach(host, timeout) for name, host in REGISTRIES.items()} if network else {},
    )


def _tool(name: str, timeout: float) -> Tool:
    if shutil.which(name) is None:
        return Tool(False)
    try:
        done = subprocess.run(ASKED[name], capture_output=True, text=True, timeout=timeout, check=False)
    except subprocess.TimeoutExpired:
        return Tool(True, False, f"{timeout:g}초 안에 대답하지 않았다")
    except OSError as error:
        return Tool(True, False, str(error.strerror or error))
    said = (done.stdout if done.returncode == 0 else done.stderr).strip().splitlines()
    return Tool(True, done.returncode == 0, said[0] if said else "")


def _memory() -> int | None:
    try:
        text = Path("/proc/meminfo").read_text(encoding="ascii")
        return next(int(line.split()[1]) * 1024 for line in text.splitlines() if line.startswith("MemAvailable:"))
    except (OSError, StopIteration, ValueError):
        pass
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # not on Windows
        return None


def _cgroup() -> int | None:
    if not Path("/sys/fs/cgroup").exists():
        return None
    return 2 if Path("/sys/fs/cgroup/cgroup.controllers").exists() else 1


def _loopback() -> str:
    """ "" when a server can listen on the loopback address; else why not."""
    try:
        with socket.socket() as server:
            server.bind(("127.0.0.1", 0))
            server.listen(1)
            with socket.create_connection(server.getsockname(), timeout=2):
                return ""
    except OSError as error:
        return str(error.strerror or error)


def _reach(host: str, timeout: float) -> str:
    """ "" when the registry (or the proxy to it) takes a connection; else why not."""
    proxy = os.environ.get("HTTPS_PROXY") or os.environ.get("https_proxy") or ""
    parts = urlsplit(proxy if "://" in proxy else f"//{proxy}")
    try:
        place = (parts.hostname, parts.port or 3128) if proxy and parts.hostname else (host, 443)
        with socket.create_connection(place, timeout=timeout):
            return ""
    except OSError as error:
        return str(error.strerror or error)
    except ValueError:
        return f"프록시 주소를 읽을 수 없다: {proxy}"


# ---- judging -------------------------------------------------------------------------
def judge(facts: Facts) -> list[Finding]:
    """What the facts mean, each with what fixes it."""
    return [finding for look in LOOKS for finding in look(facts)]


def _python(facts: Facts) -> list[Finding]:
    version = ".".join(map(str, facts.python))
    if facts.python < LEAST_PYTHON:
        return [
            Finding(
                "bad",
                "파이썬",
                f"{version}은 너무 낡았다(3.11부터)",
                "https://www.python.org/downloads/ 에서 새 판을 설치",
            )
        ]
    found = [Finding("ok", "파이썬", version)]
    needs = {
        "aiohttp": ("minik8s up", "server"),
        "kubernetes": ("실제 클러스터에 잇는 실습", "lab"),
        "ipywidgets": ("노트북의 위젯", "lab"),
    }
    for name, here in facts.packages.items():
        if not here:
            use, extra = needs[name]
            found.append(Finding("warn", name, f"없다. {use}에 든다", f'python -m pip install -e ".[{extra}]"'))
    return found


def _room(facts: Facts) -> list[Finding]:
    found = []
    if facts.memory is not None:
        size = f"{facts.memory / GIB:.1f} GiB"
        if facts.memory < GIB:
            found.append(Finding("bad", "메모리", f"{size}. 내장 클러스터도 버거울 수 있다", "다른 프로그램을 끄자"))
        elif facts.memory < 6 * GIB:
            found.append(
                Finding(
                    "warn",
                    "메모리",
                    f"{size}. 노드 셋짜리 kind에는 6 GiB가 좋다",
                    "minik8s kind up --nodes 2 --memory 1g",
                )
            )
        else:
            found.append(Finding("ok", "메모리", size))
    if facts.disk is not None:
        size = f"남은 곳 {facts.disk / GIB:.0f} GiB"
        if facts.disk < 10 * GIB:
            clean = f"{_engine(facts) or 'docker'} system prune"
            found.append(Finding("warn", "디스크", f"{size}. 이미지를 받으려면 10 GiB가 좋다", clean))
        else:
            found.append(Finding("ok", "디스크", size))
    return found


def _engines(facts: Facts) -> list[Finding]:
    found = []
    for name in ("docker", "podman"):
        tool = facts.tools.get(name, Tool(False))
        if tool.works:
            found.append(Finding("ok", name, tool.said))
        elif tool.here:
            found.append(
                Finding("warn", name, f"있지만 대답하지 않는다: {tool.said}", _wake(name, facts.system, tool.said))
            )
    if not found:
        text = "docker도 podman도 없다. 내장 클러스터에는 필요 없고, kind와 minikube에는 하나가 든다"
        found.append(Finding("warn", "컨테이너 엔진", text, plan.INSTALL["docker"]))
    return found


def _wake(name: str, system: str, said: str) -> str:
    if "permission denied" in said.lower():
        return "sudo usermod -aG docker $USER 뒤에 다시 로그인"
    if system == "Linux":
        return "sudo systemctl start docker" if name == "docker" else "systemctl --user start podman.socket"
    return "Docker Desktop을 켜자" if name == "docker" else "podman machine start"


def _clusters(facts: Facts) -> list[Finding]:
    found = []
    for name, use in (("kind", "진짜 클러스터 실습"), ("minikube", "진짜 클러스터 실습"), ("kubectl", "진짜 kubectl")):
        tool = facts.tools.get(name, Tool(False))
        if tool.works:
            found.append(Finding("ok", name, tool.said))
        elif tool.here:
            found.append(Finding("warn", name, f"있지만 돌지 않는다: {tool.said}", plan.INSTALL[name]))
        else:
            found.append(Finding("warn", name, f"없다. {use}에 쓴다(없어도 내장 클러스터는 된다)", plan.INSTALL[name]))
    return found


def _kernel(facts: Facts) -> list[Finding]:
    if facts.cgroup is None:
        return []
    if facts.cgroup == 1:
        fix = "sudo grubby --update-kernel=ALL --args=systemd.unified_cgroup_hierarchy=1 뒤에 다시 켜기"
        return [Finding("warn", "cgroup", "v1이다. 쿠버네티스 1.35부터 kubelet은 v1에서 뜨지 않는다", fix)]
    return [Finding("ok", "cgroup", "v2")]


def _network(facts: Facts) -> list[Finding]:
    found = []
    used = {name.upper(): value for name, value in facts.proxies.items()}
    if "HTTP_PROXY" in used or "HTTPS_PROXY" in used:
        kept = {part.strip() for part in used.get("NO_PROXY", "").split(",")}
        if not {"127.0.0.1", "localhost"} <= kept:
            fix = 'export NO_PROXY="$NO_PROXY,127.0.0.1,localhost,10.96.0.0/12,.svc,.cluster.local"'
            found.append(
                Finding(
                    "bad",
                    "프록시",
                    "NO_PROXY에 127.0.0.1과 localhost가 없다. 이 컴퓨터의 서버를 밖에서 찾게 된다",
                    fix,
                )
            )
        else:
            found.append(Finding("ok", "프록시", used.get("HTTPS_PROXY") or used.get("HTTP_PROXY", "")))
    if facts.loopback:
        found.append(
            Finding(
                "bad", "포트", f"127.0.0.1에 서버를 띄울 수 없다: {facts.loopback}", "방화벽이나 보안 프로그램을 살피자"
            )
        )
    else:
        found.append(Finding("ok", "포트", "127.0.0.1에 서버를 띄울 수 있다"))
    for name, why in facts.registries.items():
        if why:
            fix = "minik8s kind up --mirror http://교실-미러:5000, 또는 minik8s images preload --file 묶음.tar"
            found.append(Finding("warn", "이미지", f"{name}에 닿지 않는다({why})", fix))
        else:
            found.append(Finding("ok", "이미지", f"{name}에 닿는다"))
    return found


def _engine(facts: Facts) -> str:
    return next((name for name in ("docker", "podman") if facts.tools.get(name, Tool(False)).works), "")


Look = Callable[[Facts], list[Finding]]
LOOKS: tuple[Look, ...] = (_python, _room, _engines, _clusters, _kernel, _network)
