"""The user's kubeconfig: cluster, user and context `minik8s` merged in, everything else left as it is."""

from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import Any

import yaml

from minik8s.edge.pki import write_private

NAME = "minik8s"


class KubeconfigError(Exception):
    """A kubeconfig that cannot be read or written; the text is for the user."""


def default_path() -> Path:
    """Where kubectl looks: the first entry of $KUBECONFIG, else ~/.kube/config."""
    entries = [entry for entry in os.environ.get("KUBECONFIG", "").split(os.pathsep) if entry]
    return Path(entries[0]) if entries else Path.home() / ".kube" / "config"


def entries(server: str, ca: bytes, token: str) -> dict[str, dict[str, Any]]:
    """The three entries that make the context."""
    cluster = {"server": server, "certificate-authority-data": base64.b64encode(ca).decode()}
    return {
        "clusters": {"name": NAME, "cluster": cluster},
        "users": {"name": NAME, "user": {"token": token}},
        "contexts": {"name": NAME, "context": {"cluster": NAME, "user": NAME}},
    }


def merge(path: Path, server: str, ca: bytes, token: str, *, use: bool = False) -> None:
    """Write context `minik8s` into `path` (mode 0600, all or nothing). `use` makes it the current one."""
    config = read(path)
    for section, entry in entries(server, ca, token).items():
        kept = [item for item in config.get(section) or [] if item.get("name") != NAME]
        old = next((item for item in config.get(section) or [] if item.get("name") == NAME), None)
        if section == "contexts" and old and (old.get("context") or {}).get("namespace"):
            entry["context"]["namespace"] = old["context"]["namespace"]
        config[section] = [*kept, entry]
    if use or not config.get("current-context"):
        config["current-context"] = NAME
    _write(path, config)


def remove(path: Path) -> bool:
    """Take context `minik8s` out again. False when it was not there."""
    config = read(path)
    found = False
    for section in ("clusters", "users", "contexts"):
        kept = [item for item in config.get(section) or [] if item.get("name") != NAME]
        found = found or len(kept) != len(config.get(section) or [])
        config[section] = kept
    if not found:
        return False
    if config.get("current-context") == NAME:
        config["current-context"] = ""
    _write(path, config)
    return True


def read(path: Path) -> dict[str, Any]:
    """The kubeconfig as a dict, an empty one when there is no file. KubeconfigError."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        text = ""
    except (OSError, UnicodeDecodeError) as error:
        raise KubeconfigError(f"kubeconfig {path}를 읽을 수 없다: {error}") from None
    try:
        config = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)) or {}
    except yaml.YAMLError as error:
        raise KubeconfigError(f"kubeconfig {path}가 YAML이 아니다: {error}") from None
    sections = ("clusters", "users", "contexts")
    if not isinstance(config, dict) or any(not isinstance(config.get(s) or [], list) for s in sections):
        raise KubeconfigError(f"kubeconfig {path}의 꼴이 낯설어 손대지 않았다")
    return {"apiVersion": "v1", "kind": "Config", **config}


def _write(path: Path, config: dict[str, Any]) -> None:
    path = Path(os.path.realpath(path))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_private(path, yaml.safe_dump(config, sort_keys=False, allow_unicode=True).encode())
    except OSError as error:
        raise KubeconfigError(f"kubeconfig {path}를 쓸 수 없다: {error}") from None
