"""사용자의 kubeconfig: 허락된 컨텍스트인지 보고, 이 실습만의 사본을 만든다. 원본은 읽기만 한다."""

from __future__ import annotations

import atexit
import fnmatch
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import yaml

ALLOWED = (
    "kind-*",
    "minikube",
    "minikube-minik8s",
    "k3d-*",
    "docker-desktop",
    "rancher-desktop",
    "orbstack",
    "colima*",
    "minik8s",
)
"""Contexts that are known to be for practice."""

OPT_IN = "MINIK8S_ALLOW_CONTEXT"


class ContextRefused(RuntimeError):
    """이 컨텍스트에는 잇지 않는다. 까닭과 할 일이 글에 있다."""


def check_context(context: str, known: list[str]) -> None:
    """ContextRefused unless the context exists and is for practice, or the user opted in by name."""
    if context not in known:
        there = ", ".join(known) or "없음"
        raise ContextRefused(f"kubeconfig에 {context!r}라는 컨텍스트가 없다. 있는 것: {there}")
    if any(fnmatch.fnmatchcase(context, pattern) for pattern in ALLOWED) or os.environ.get(OPT_IN) == context:
        return
    raise ContextRefused(
        f"{context!r}은 연습용으로 알려진 컨텍스트가 아니라서 잇지 않는다(아는 것: {', '.join(ALLOWED)}). "
        f"정말로 이 클러스터에서 실습하려면 환경 변수 {OPT_IN}에 이 이름을 그대로 넣고 다시 실행하자."
    )


def contexts(path: Path) -> list[str]:
    """The contexts of a kubeconfig file. ContextRefused when it cannot be read."""
    try:
        config = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        return [str(entry["name"]) for entry in config.get("contexts") or []]
    except OSError as error:
        raise ContextRefused(f"kubeconfig를 읽을 수 없다: {path} ({error.strerror}).") from None
    except (UnicodeDecodeError, yaml.YAMLError, KeyError, TypeError, AttributeError):
        raise ContextRefused(f"kubeconfig를 읽을 수 없다: {path}. YAML이 깨졌는지 살피자.") from None


def user_kubeconfig(context: str = "") -> Path:
    """The file of $KUBECONFIG (or ~/.kube/config) that knows the context; else the first that exists."""
    named = [Path(p) for p in os.environ.get("KUBECONFIG", "").split(os.pathsep) if p]
    there = [path for path in named or [Path.home() / ".kube" / "config"] if path.exists()]
    for path in there:
        if context in contexts(path):
            return path
    if there:
        return there[0]
    looked = f"(찾은 곳: {', '.join(map(str, named))})" if named else "(~/.kube/config)"
    raise ContextRefused(
        f"kubeconfig 파일이 없다{looked}. `minik8s up`이나 `kind create cluster`로 클러스터를 먼저 만들자."
    )


def private_copy(source: Path, context: str, namespace: str) -> Path:
    """A copy for this lab only, with the context and namespace chosen; removed at exit.

    ContextRefused when the context leads nowhere, or when its user needs a program that is not there.
    """
    config = yaml.safe_load(source.read_text(encoding="utf-8")) or {}
    user = _followed(config, context)
    _check_plugin(user, context)
    base = source.parent
    for section, part, keys in (
        ("clusters", "cluster", ("certificate-authority",)),
        ("users", "user", ("client-certificate", "client-key", "tokenFile")),
    ):
        for entry in config.get(section) or []:
            for name in keys:
                if (entry.get(part) or {}).get(name):
                    entry[part][name] = str((base / entry[part][name]).resolve())
    for entry in config.get("contexts") or []:
        if entry["name"] == context:
            entry["context"]["namespace"] = namespace
    config["current-context"] = context
    folder = Path(tempfile.mkdtemp(prefix="minik8s-lab-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = folder / "config"
    path.touch(mode=0o600)
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    return path


def _followed(config: dict[str, Any], context: str) -> dict[str, Any]:
    """The user of a context, whose cluster must be there too."""
    found = _named(config, "contexts", context, context).get("context") or {}
    cluster = _named(config, "clusters", str(found.get("cluster") or ""), context).get("cluster") or {}
    if not cluster.get("server"):
        raise ContextRefused(f"kubeconfig의 {context!r} 항목이 온전하지 않다: 클러스터의 주소(server)가 없다.")
    user: dict[str, Any] = _named(config, "users", str(found.get("user") or ""), context).get("user") or {}
    return user


def _named(config: dict[str, Any], section: str, name: str, context: str) -> dict[str, Any]:
    for entry in config.get(section) or []:
        if isinstance(entry, dict) and entry.get("name") == name:
            return entry
    raise ContextRefused(f"kubeconfig의 {context!r} 항목이 온전하지 않다: {section}에 {name!r}라는 항목이 없다.")


def _check_plugin(user: dict[str, Any], context: str) -> None:
    command = str((user.get("exec") or {}).get("command") or "")
    if command and shutil.which(command) is None:
        hint = str((user.get("exec") or {}).get("installHint") or "").strip()
        raise ContextRefused(
            f"{context!r}에 로그인하는 프로그램 {command!r}이 이 컴퓨터에 없다(kubeconfig의 exec). "
            f"설치하고 다시 실행하자.{f' 안내: {hint}' if hint else ''}"
        )
