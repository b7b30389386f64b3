"""How fast the whole engine is: start, idle time, a node's failure, and ten thousand pods on a thousand nodes.

    python -m minik8s.bench.engine                 every measurement, each in a process of its own
    python -m minik8s.bench.engine scale           one of them
    python -m minik8s.bench.engine scale --json F  the figures go to F, too

CPU seconds are those of the process, so that a busy machine does not change them; memory is the peak of the process.
The last line printed is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

Figures = dict[str, Any]
Object = dict[str, Any]

NODES, PODS = 1000, 10_000
STORY_SECONDS = 350.0


def peak_mib() -> float:
    """The most memory that this process ever held; 0.0 where the system does not tell (Windows)."""
    try:
        import resource
    except ImportError:
        return 0.0
    kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(kib / 1024 / (1024 if sys.platform == "darwin" else 1), 1)


def deployment(name: str, replicas: int) -> Object:
    """A Deployment of small web servers."""
    container = {
        "name": "web",
        "image": "nginx:1.27",
        "resources": {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"memory": "128Mi"}},
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container]}},
        },
    }


def ready_pods(cluster: Any) -> int:
    """Ready replicas of all Deployments together."""
    found = cluster.store.list("deployments.apps")
    return sum((obj.get("status") or {}).get("readyReplicas") or 0 for obj in found)


def _counts(cluster: Any) -> Figures:
    return {
        "revisions": cluster.store.revision,
        "events": cluster.clock.executed,
        "records": len(cluster.trace.records),
    }


def _wait(cluster: Any, pods: int, timeout: float) -> None:
    end = cluster.clock.now() + timeout
    while ready_pods(cluster) != pods and cluster.clock.now() < end:
        cluster.advance(0.5)  # looking after every single write would be most of the work
    if ready_pods(cluster) != pods:
        raise RuntimeError(f"only {ready_pods(cluster)} of {pods} pods became ready")


# ---- measurements -------------------------------------------------------------------------


def start() -> Figures:
    """Importing the package, then a cluster of three nodes until they are Ready."""
    begin = time.process_time()
    from minik8s.cluster import Cluster

    imported = time.process_time()
    cluster = Cluster(3)
    first = time.process_time()
    for _ in range(5):
        cluster = Cluster(3)
    again = (time.process_time() - first) / 5
    return {
        "import_ms": round(1000 * (imported - begin)),
        "first_cluster_ms": round(1000 * (first - imported)),
        "next_cluster_ms": round(1000 * again, 1),
        **_counts(cluster),
    }


def hour() -> Figures:
    """A virtual hour of three nodes with ten Deployments of three pods, all Ready and nobody touching them."""
    from minik8s.cluster import Cluster

    cluster = Cluster(3)
    client = cluster.client()
    for index in range(10):
        client.create("deployments.apps", deployment(f"web-{index}", 3))
    _wait(cluster, 30, 120)
    begin = time.process_time()
    cluster.advance(3600)
    spent = time.process_time() - begin
    return {"cpu_seconds": round(spent, 3), "times_real": round(3600 / spent), **_counts(cluster)}


def failure() -> Figures:
    """A node dies under a Deployment; 350 virtual seconds later its pods have moved. The best of five runs."""
    from minik8s.cluster import Cluster

    spent = []
    for seed in range(5):
        cluster = Cluster(3, seed=seed)
        cluster.client().create("deployments.apps", deployment("web", 3))
        _wait(cluster, 3, 120)
        begin = time.process_time()
        cluster.faults.inject("kill_node", node="node-2")
        cluster.advance(STORY_SECONDS)
        spent.append(time.process_time() - begin)
        _wait(cluster, 3, 30)
        if sum(pod["spec"].get("nodeName") != "node-2" for pod in cluster.store.list("pods")) != 3:
            raise RuntimeError("the pods of the dead node have not moved")
    best, middle = min(spent), sorted(spent)[2]
    return {
        "cpu_ms": round(1000 * best, 1),
        "median_ms": round(1000 * middle, 1),
        "times_real": round(STORY_SECONDS / best),
        **_counts(cluster),
    }


def scale(deployments: int = 100, nodes: int = NODES, pods: int = PODS) -> Figures:
    """1,000 nodes, then 100 Deployments of 100 pods, from apply until all are Ready."""
    from minik8s.cluster import Cluster

    begin = time.process_time()
    cluster = Cluster(nodes)
    joined = time.process_time()
    base, client, before = peak_mib(), cluster.client(), cluster.clock.now()
    for index in range(deployments):
        client.create("deployments.apps", deployment(f"web-{index:03d}", pods // deployments))
    _wait(cluster, pods, 600)
    return {
        "join_cpu_seconds": round(joined - begin, 1),
        "cpu_seconds": round(time.process_time() - joined, 1),
        "virtual_seconds": round(cluster.clock.now() - before, 1),
        "joined_mib": base,
        "peak_mib": peak_mib(),
        **_counts(cluster),
    }


def scale_one() -> Figures:
    """1,000 nodes, then one Deployment of 10,000 pods."""
    return scale(1)


MEASUREMENTS: dict[str, Callable[[], Figures]] = {
    "start": start,
    "hour": hour,
    "failure": failure,
    "scale": scale,
    "scale_one": scale_one,
}


def main(arguments: list[str] | None = None) -> Figures:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", choices=[[], *MEASUREMENTS], help="all when none is named")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    figures: Figures = {"python": platform.python_version()}
    for name in options.names or MEASUREMENTS:
        figures[name] = MEASUREMENTS[name]() if options.here else _apart(name)
        if not options.here:
            print(f"{name}: {json.dumps(figures[name])}", flush=True)
    line = json.dumps(figures)
    print(line)
    if options.json:
        options.json.write_text(line + "\n", encoding="utf-8")
    return figures


def _apart(name: str) -> Figures:
    """The measurement in a process of its own, so that memory and caches of others do not count."""
    command = [sys.executable, "-m", "minik8s.bench.engine", name, "--here"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found: Figures = json.loads(done.stdout.splitlines()[-1])[name]
    return found


if __name__ == "__main__":
    main()
