"""Deterministic simulation: run seeds, shrink a failing one, print the command that replays it.

    python tests/faults/simulate.py --seed 17                 one seed, with its story
    python tests/faults/simulate.py --seed 17 --keep 0,2      only these steps of it
    python tests/faults/simulate.py --from 0 --count 1000     many
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    root = Path(__file__).resolve().parents[2]
    sys.path[:0] = [str(root / "labs"), str(root / "tests")]

from faults.invariants import Broken, check_now, check_revisions, check_settled, check_watch, unconverged
from faults.scenario import STRUCK_SECONDS, Scenario, Step, scenario
from minik8s.client import Client
from minik8s.cluster import Cluster
from minik8s.wire import StatusError

RECOVERY_SECONDS = 1500.0
"""Long enough for a crash back-off, an eviction by taint, and a progress deadline, one after the other."""

Object = dict[str, Any]


class Run:
    """One scenario, played."""

    def __init__(self, story: Scenario):
        self.story = story
        self.cluster = Cluster(nodes=story.nodes, seed=story.seed)
        self.client: Client = self.cluster.client("person")
        self.evicted: list[tuple[int, str]] = []

    def play(self) -> None:
        """Broken when an invariant does not hold."""
        cluster = self.cluster
        since = cluster.store.revision
        stream = self.client.watch("pods", resource_version=str(since))
        start = cluster.clock.now()
        for step in self.story.steps:
            cluster.clock.call_at(start + step["at"], self._do, step)
        while cluster.clock.now() < start + STRUCK_SECONDS:
            cluster.advance(10)
            check_now(cluster)
        cluster.faults.undo_all()
        recovered = cluster.run_until(lambda: not unconverged(cluster), RECOVERY_SECONDS)
        if not recovered:
            raise Broken(f"not recovered: {unconverged(cluster)}")
        cluster.advance(60)
        check_now(cluster)
        check_revisions(cluster)
        check_settled(cluster)
        seen = [(e.type, e.object["metadata"]["name"], e.object["metadata"]["resourceVersion"])
                for e in stream.drain() if e.type != "BOOKMARK"]
        check_watch(cluster, seen, since)

    # ---- steps -------------------------------------------------------------------
    def _do(self, step: Step) -> None:
        try:
            getattr(self, f"_{step['do']}")(step)
        except StatusError:
            # A person's request may well fail while the store does; nothing is asked twice.
            pass

    def _create(self, step: Step) -> None:
        resource, body = manifest(step)
        self.client.create(resource, body)

    def _pdb(self, step: Step) -> None:
        self.client.create("poddisruptionbudgets.policy", {
            "apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
            "metadata": {"name": step["name"], "namespace": "default"},
            "spec": {"minAvailable": step["min"], "selector": {"matchLabels": {"app": step["name"]}}}})

    def _scale(self, step: Step) -> None:
        if step["kind"] in ("Deployment", "StatefulSet"):
            resource = f"{step['kind'].lower()}s.apps"
            self.client.patch(resource, "default", step["name"], {"spec": {"replicas": step["replicas"]}})

    def _update(self, step: Step) -> None:
        if step["kind"] in ("Deployment", "StatefulSet", "DaemonSet"):
            body = {"spec": {"template": {"spec": {"containers": [{"name": "app", "image": step["image"]}]}}}}
            self.client.patch(f"{step['kind'].lower()}s.apps", "default", step["name"], body, type="strategic")

    def _pods(self, step: Step) -> list[Object]:
        return self.client.list("pods", "default", label_selector=f"app={step['name']}")

    def _delete_pod(self, step: Step) -> None:
        pods = self._pods(step)
        if pods:
            self.client.delete("pods", "default", pods[step["index"] % len(pods)]["metadata"]["name"])

    def _force_delete_pod(self, step: Step) -> None:
        pods = self._pods(step)
        if pods and step["kind"] != "StatefulSet":
            self.client.delete("pods", "default", pods[step["index"] % len(pods)]["metadata"]["name"], grace=0)

    def _evict_pod(self, step: Step) -> None:
        pods = self._pods(step)
        if not pods:
            return
        name = pods[step["index"] % len(pods)]["metadata"]["name"]
        budget = self.client.find("poddisruptionbudgets.policy", "default", step["name"])
        body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name, "namespace": "default"}}
        ready = [p for p in pods if _is_ready(p)]
        self.client.create_subresource("pods", "default", name, "eviction", body)
        victim_ready = any(p["metadata"]["name"] == name and not p["metadata"].get("deletionTimestamp") for p in ready)
        if budget is not None and victim_ready and not (budget.get("status") or {}).get("disruptionsAllowed"):
            raise Broken(f"{name} was evicted against its budget")

    def _fault(self, step: Step) -> None:
        options = {k: v for k, v in step.items() if k not in ("at", "do", "fault", "for", "index")}
        kind = step["fault"]
        if kind == "lost_answers":
            kind, options = "fail_store", {**options, "lost_answers": True}
        if kind == "crash_container":
            pods = [p for p in self.cluster.store.list("pods", "default") if _is_ready(p)]
            if not pods:
                return
            options = {"pod": f"default/{pods[step['index'] % len(pods)]['metadata']['name']}"}
        try:
            self.cluster.faults.inject(kind, seconds=step["for"], **options)
        except ValueError:
            pass


def _is_ready(pod: Object) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def manifest(step: Step) -> tuple[str, Object]:
    """The resource and object of a `create` step."""
    kind, name = step["kind"], step["name"]
    container: Object = {"name": "app", "image": step["image"], "resources": {"requests": {"cpu": step["cpu"]}}}
    if kind == "Job":
        container |= {"image": "busybox:1.36", "command": ["sh", "-c", "sleep 5; exit 0"]}
    elif step["probe"]:
        container["readinessProbe"] = {"tcpSocket": {"port": 80}, "periodSeconds": 5}
    template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container]}}
    spec: Object = {"template": template}
    if kind == "Job":
        template["spec"] |= {"restartPolicy": "Never"}
        spec |= {"completions": step["replicas"], "backoffLimit": 50}
        return "jobs.batch", {"apiVersion": "batch/v1", "kind": kind,
                              "metadata": {"name": name, "namespace": "default"}, "spec": spec}
    spec["selector"] = {"matchLabels": {"app": name}}
    if kind != "DaemonSet":
        spec["replicas"] = step["replicas"]
    if kind == "StatefulSet":
        spec["serviceName"] = name
    return f"{kind.lower()}s.apps", {"apiVersion": "apps/v1", "kind": kind,
                                     "metadata": {"name": name, "namespace": "default"}, "spec": spec}


def failure(story: Scenario) -> str:
    """What is broken in this story, or ""."""
    try:
        Run(story).play()
    except Broken as broken:
        return str(broken)
    return ""


def shrink(story: Scenario) -> list[int]:
    """Indexes of the steps without which it would not fail: none of them can be left out."""
    keep = list(range(len(story.steps)))
    changed = True
    while changed:
        changed = False
        for index in reversed(keep):
            fewer = [i for i in keep if i != index]
            if failure(story.keep(fewer)):
                keep, changed = fewer, True
    return keep


def command(seed: int, keep: list[int] | None = None) -> str:
    """The line that plays it again."""
    tail = "" if keep is None else f" --keep {','.join(map(str, keep))}"
    return f"python tests/faults/simulate.py --seed {seed}{tail}"


def examine(seed: int) -> str:
    """"" when the seed holds; else what broke and the command that replays its smallest form."""
    story = scenario(seed)
    broken = failure(story)
    if not broken:
        return ""
    keep = shrink(story)
    steps = "\n".join(json.dumps(story.steps[i], ensure_ascii=False) for i in keep)
    return f"seed {seed}: {broken}\n{steps}\n{command(seed, keep)}"


def main() -> int:
    parser = argparse.ArgumentParser(description="고장 시뮬레이션")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--keep", default="")
    parser.add_argument("--from", dest="first", type=int, default=0)
    parser.add_argument("--count", type=int, default=100)
    options = parser.parse_args()
    if options.seed is None:
        reports = [r for seed in range(options.first, options.first + options.count) if (r := examine(seed))]
        print("\n\n".join(reports) or f"{options.count}개의 시드가 모두 지켰다.")
        return int(bool(reports))
    story = scenario(options.seed)
    if options.keep:
        story = story.keep([int(i) for i in options.keep.split(",")])
    for step in story.steps:
        print(json.dumps(step, ensure_ascii=False))
    broken = failure(story)
    print(broken or "모두 지켰다.")
    return int(bool(broken))


if __name__ == "__main__":
    sys.exit(main())
