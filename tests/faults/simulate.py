"""Deterministic simulation: run seeds, shrink a failing one, print the command that replays it.

    python tests/faults/simulate.py --seed 17                 one seed, with its story
    python tests/faults/simulate.py --seed 17 --keep 0,2      only these steps of it
    python tests/faults/simulate.py --from 0 --count 1000     many, on all processors
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import sys
import time
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    root = Path(__file__).resolve().parents[2]
    sys.path[:0] = [str(root / "labs"), str(root / "tests")]

from faults import manifests
from faults.invariants import Broken, check_now, check_revisions, check_settled, check_watch, is_ready, unconverged
from faults.promises import check_budgets, check_rollouts
from faults.scenario import STRUCK_SECONDS, TEAM, Scenario, Step, scenario
from minik8s.client import Client
from minik8s.cluster import Cluster
from minik8s.wire import StatusError

RECOVERY_SECONDS = 1500.0
"""Long enough for a crash back-off, an eviction by taint, and a progress deadline, one after the other."""

WATCHED = (
    ("pods", None), ("pods", "default"), ("nodes", None), ("deployments.apps", None), ("replicasets.apps", None),
    ("jobs.batch", None), ("persistentvolumeclaims", None), ("namespaces", None), ("resourcequotas", None),
)  # fmt: skip
"""(resource, namespace or None for all) that somebody watches from the start."""

Object = dict[str, Any]


class Run:
    """One scenario, played."""

    def __init__(self, story: Scenario):
        self.story = story
        self.cluster = Cluster(nodes=story.nodes, seed=story.seed)
        self.client: Client = self.cluster.client("person")

    def play(self) -> None:
        """Broken when an invariant does not hold."""
        cluster = self.cluster
        witnesses = [Witness(self.client, resource, space) for resource, space in WATCHED]
        start = cluster.clock.now()
        for step in self.story.steps:
            cluster.clock.call_at(start + step["at"], self._do, step)
        cluster.clock.call_at(start + STRUCK_SECONDS / 2, lambda: witnesses.append(Witness(self.client, "pods", None)))
        while cluster.clock.now() < start + STRUCK_SECONDS:
            cluster.advance(10)
            check_now(cluster)
        cluster.faults.undo_all()
        self._suspend()
        recovered = cluster.run_until(lambda: not unconverged(cluster), RECOVERY_SECONDS)
        if not recovered:
            raise Broken(f"not recovered: {unconverged(cluster)}")
        cluster.advance(60)
        check_now(cluster)
        check_revisions(cluster)
        check_budgets(cluster, start + self.story.quiet("drain", "evict_pod"))
        check_rollouts(cluster, start + self.story.quiet())
        check_settled(cluster)
        for witness in witnesses:
            witness.check(cluster)

    # ---- steps -------------------------------------------------------------------
    def _do(self, step: Step) -> None:
        try:
            getattr(self, f"_{step['do']}")(step)
        except StatusError:
            # A person's request may well fail while the store does; nothing is asked twice.
            pass

    def _create(self, step: Step) -> None:
        resource, body = manifests.manifest(step)
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
        if pods:
            self._evict(pods[step["index"] % len(pods)])

    def _evict(self, pod: Object) -> None:
        space, name = pod["metadata"]["namespace"], pod["metadata"]["name"]
        body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name, "namespace": space}}
        self.client.create_subresource("pods", space, name, "eviction", body)

    # Kinds and deeds that came later; their objects are in faults.manifests.
    def _cronjob(self, step: Step) -> None:
        self.client.create("cronjobs.batch", manifests.cronjob(step))

    def _autoscale(self, step: Step) -> None:
        self.client.create("horizontalpodautoscalers.autoscaling", manifests.autoscaler(step))

    def _claims(self, step: Step) -> None:
        self.client.create("statefulsets.apps", manifests.stateful_with_claims(step))

    def _team(self, step: Step) -> None:
        for resource, body in manifests.team(step):
            self.client.create(resource, body)

    def _delete_team(self, step: Step) -> None:
        self.client.delete("namespaces", "", TEAM)

    def _drain(self, step: Step) -> None:
        """Cordon, evict what is there until it is gone (asking again as kubectl drain does), uncordon in the end."""
        self.cluster.clock.call_later(step["for"], self._uncordon, step["node"])
        self.client.patch("nodes", "", step["node"], {"spec": {"unschedulable": True}})
        self._evict_all(step["node"], self.cluster.clock.now() + step["for"])

    def _evict_all(self, node: str, end: float) -> None:
        if self.cluster.clock.now() >= end:
            return
        self.cluster.clock.call_later(5.0, self._evict_all, node, end)
        for pod in self.cluster.store.list("pods"):
            owner = (pod["metadata"].get("ownerReferences") or [{}])[0].get("kind")
            if pod["spec"].get("nodeName") == node and owner != "DaemonSet":
                try:
                    self._evict(pod)
                except StatusError:
                    pass  # its budget, or the store; in five seconds again

    def _uncordon(self, node: str) -> None:
        try:
            self.client.patch("nodes", "", node, {"spec": {"unschedulable": None}})
        except StatusError:
            self.cluster.clock.call_later(5.0, self._uncordon, node)

    def _suspend(self) -> None:
        """No new Jobs, so that the cluster can come to rest."""
        for job in self.client.list("cronjobs.batch"):
            self.client.patch("cronjobs.batch", "default", job["metadata"]["name"], {"spec": {"suspend": True}})

    def _fault(self, step: Step) -> None:
        options = {k: v for k, v in step.items() if k not in ("at", "do", "fault", "for", "index")}
        kind = step["fault"]
        if kind == "lost_answers":
            kind, options = "fail_store", {**options, "lost_answers": True}
        if kind in ("crash_container", "freeze_container"):
            pods = [p for p in self.cluster.store.list("pods", "default") if is_ready(p)]
            if not pods:
                return
            options = {"pod": f"default/{pods[step['index'] % len(pods)]['metadata']['name']}"}
        try:
            self.cluster.faults.inject(kind, seconds=step["for"], **options)
        except ValueError:
            pass


class Witness:
    """A watch of a person who listens from some moment on; in the end it must have told every write once, in order."""

    def __init__(self, client: Client, resource: str, namespace: str | None):
        try:
            _, version = client.list_with_version(resource, namespace)
            self.stream = client.watch(resource, namespace, resource_version=version)
        except StatusError:
            self.since = -1  # the store failed just then: nothing was promised
            return
        self.resource, self.namespace, self.since = resource, namespace, int(version)

    def check(self, cluster: Cluster) -> None:
        if self.since >= 0:
            seen = [(e.type, e.object["metadata"]["name"], e.object["metadata"]["resourceVersion"])
                    for e in self.stream.drain() if e.type != "BOOKMARK"]
            check_watch(cluster, self.resource, self.namespace, seen, self.since)


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


def many(seeds: range, jobs: int) -> int:
    """Examine all seeds, `jobs` at a time; each failure is printed as it is found. 1 when there was one."""
    begin, failed = time.monotonic(), 0
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        for report in pool.imap(examine, seeds, chunksize=4):
            if report:
                failed += 1
                print(report, end="\n\n", flush=True)
    rate = len(seeds) / (time.monotonic() - begin)
    verdict = f"{failed}개가 어겼다" if failed else "모두 지켰다"
    print(f"{len(seeds)}개의 시드를 돌렸고 {verdict} (초당 {rate:.1f}개).")
    return int(failed > 0)


def main() -> int:
    parser = argparse.ArgumentParser(description="고장 시뮬레이션")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--keep", default="")
    parser.add_argument("--from", dest="first", type=int, default=0)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="동시에 돌리는 프로세스 (기본: CPU의 수)")
    parser.add_argument("--narrow", action="store_true", help="나중에 더한 종류와 고장 없이")
    options = parser.parse_args()
    if options.seed is None:
        return many(range(options.first, options.first + options.count), options.jobs)
    story = scenario(options.seed, wide=not options.narrow)
    if options.keep:
        story = story.keep([int(i) for i in options.keep.split(",")])
    for step in story.steps:
        print(json.dumps(step, ensure_ascii=False))
    broken = failure(story)
    print(broken or "모두 지켰다.")
    return int(bool(broken))


if __name__ == "__main__":
    sys.exit(main())
