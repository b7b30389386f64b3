"""실습이 실제 클러스터에 남기는 것: 이름표를 붙여 만들고, 남은 것을 찾고, 제 것만 지운다.

A namespace names its owner (user@machine/hardware address:process), so that neither a lab that still runs nor
another student's is taken for a leftover, not even between machines that were copied with their host name.
"""

from __future__ import annotations

import getpass
import os
import socket
import subprocess
import sys
import time
import uuid

from minik8s.client import Client
from minik8s.objects import Object
from minik8s.objects.meta import parse_time
from minik8s.wire import StatusError

LABEL = "minik8s.io/lab"
OWNER = "minik8s.io/owner"
CORDONED = "minik8s.io/cordoned"
PAUSED = "minik8s.io/paused"
"""Annotations of a lab's namespace: a node to give back, should the notebook die before it does."""

STUCK_SECONDS = 60.0
CLUSTER_SCOPED = (
    "persistentvolumes",
    "storageclasses.storage.k8s.io",
    "namespaces",
    "priorityclasses.scheduling.k8s.io",
    "clusterrolebindings.rbac.authorization.k8s.io",
    "clusterroles.rbac.authorization.k8s.io",
    "customresourcedefinitions.apiextensions.k8s.io",
)


def namespace(name: str, lab: str) -> Object:
    """The lab's own namespace, as it is created."""
    meta = {"name": name, "labels": {LABEL: lab}, "annotations": {OWNER: f"{_self()}:{os.getpid()}"}}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": meta}


def leftovers(client: Client) -> list[str]:
    """Namespaces of this user's labs whose process is gone."""
    return [ns["metadata"]["name"] for ns in client.list("namespaces", label_selector=LABEL) if _left(ns)]


def stuck(client: Client) -> list[tuple[str, str]]:
    """(name, why) of lab namespaces that have been going away for too long."""
    found = []
    for ns in client.list("namespaces", label_selector=LABEL):
        since = ns["metadata"].get("deletionTimestamp")
        if since and time.time() - parse_time(since) > STUCK_SECONDS:
            conditions = (ns.get("status") or {}).get("conditions") or ()
            why = [c.get("message", "") for c in conditions if c.get("status") == "True"]
            found.append((ns["metadata"]["name"], "; ".join(filter(None, why))))
    return found


def tidy(client: Client) -> None:
    """Clear away what this user's dead labs left, and tell of it. Who may not list namespaces is told nothing."""
    try:
        for name in leftovers(client):
            remove(client, name)
            print(f"지난 실습이 치우지 못하고 끝난 네임스페이스 {name}을 지웠다.")
        for name, why in stuck(client):
            print(
                f"네임스페이스 {name}이 지워지다 멈춰 있다({why or '까닭이 적혀 있지 않다'}). "
                "이번 실습에는 지장이 없다. "
                f"`kubectl get namespace {name} -o yaml`의 conditions와 finalizers를 보자."
            )
    except StatusError as error:
        if error.code != 403:
            raise


def traces(client: Client) -> list[str]:
    """`kind/name` of everything that is still there of this user's labs, whether they run or not."""
    spaces = {ns["metadata"]["name"]: ns for ns in client.list("namespaces", label_selector=LABEL)}
    mine = {name for name, ns in spaces.items() if _owner(ns)[0] == _self()}
    found = [f"namespaces/{name}" for name in sorted(mine)]
    for resource in CLUSTER_SCOPED:
        for obj in client.list(resource, label_selector=LABEL):
            home, name = obj["metadata"]["labels"][LABEL], obj["metadata"]["name"]
            if name not in mine and (home in mine or (home not in spaces and home.startswith("minik8s-"))):
                found.append(f"{resource}/{name}")
    return found


def remove(client: Client, name: str) -> None:
    """Delete a lab's namespace and what it has outside, and give back its node."""
    own = client.find("namespaces", "", name)
    owed = (own or {}).get("metadata", {}).get("annotations") or {}
    if owed.get(CORDONED):
        client.patch("nodes", "", owed[CORDONED], {"spec": {"unschedulable": None}})
    if owed.get(PAUSED):
        engine("unpause", owed[PAUSED])
    for resource in CLUSTER_SCOPED:
        try:
            found = client.list(resource, label_selector=f"{LABEL}={name}")
        except StatusError:
            continue  # not allowed to read it: then the lab has made none
        for obj in found:
            forget(client, resource, "", obj["metadata"]["name"])
    forget(client, "namespaces", "", name)


def engine(verb: str, node: str) -> None:
    """Pause or wake the container that is a kind node; the command is shown, and a failure told."""
    print(f"+ docker {verb} {node}")
    try:
        subprocess.run(["docker", verb, node], check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"되지 않았다: {getattr(error, 'stderr', '') or error}")


def forget(client: Client, resource: str, namespace: str, name: str) -> None:
    """Delete what may be gone already."""
    try:
        client.delete(resource, namespace, name, propagation="Background")
    except StatusError as error:
        if error.code != 404:
            raise


def await_usable(client: Client, name: str, timeout: float = 15.0) -> None:
    """Until the namespace has its default service account: no pod can be made before."""
    end = time.time() + timeout
    while time.time() < end:
        try:
            if client.find("serviceaccounts", name, "default") is not None:
                return
        except StatusError:
            return  # not allowed to look; the first pod will tell
        time.sleep(0.1)


def _left(ns: Object) -> bool:
    owner, process = _owner(ns)
    return not ns["metadata"].get("deletionTimestamp") and owner == _self() and not _alive(process)


def _owner(ns: Object) -> tuple[str, int]:
    """(who, process) of a lab's namespace; ("", 0) when it does not say."""
    owner, _, process = ((ns["metadata"].get("annotations") or {}).get(OWNER) or "").rpartition(":")
    return (owner, int(process)) if process.isdigit() else ("", 0)


def _self() -> str:
    try:
        user = getpass.getuser()
    except (OSError, KeyError):  # no name for this user id
        user = "unknown"
    return f"{user}@{socket.gethostname()}/{uuid.getnode():012x}"


def _alive(process: int) -> bool:
    if sys.platform == "win32":  # signal 0 would end the process there
        import ctypes

        handle = ctypes.windll.kernel32.OpenProcess(0x1000, False, process)
        if handle:
            ctypes.windll.kernel32.CloseHandle(handle)
        return bool(handle)
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
