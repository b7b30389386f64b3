"""The scheduler at work in a cluster: watches pods and nodes, decides about one pod per clock event, binds.

It meets the rest of the cluster only in the API: it reads through informers and writes bindings, conditions,
nominations, evictions and events as kube-scheduler does. Source: kube-scheduler `eventhandlers.go`, `schedule_one.go`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from minik8s.client import Context
from minik8s.clock import Timer
from minik8s.objects import Object
from minik8s.objects.meta import rfc3339
from minik8s.scheduler import cluster_events as cluster
from minik8s.scheduler import user_plugins
from minik8s.scheduler.config import Registry, profiles
from minik8s.scheduler.events import SchedulerEvents
from minik8s.scheduler.fast import FastScheduler
from minik8s.scheduler.framework import WAIT, CycleState, Handle, Nomination, PluginError, Profile, Status
from minik8s.scheduler.queue import INITIAL_BACKOFF, MAX_BACKOFF, Queued, SchedulingQueue
from minik8s.scheduler.record import Decision
from minik8s.scheduler.scheduler import Scheduler
from minik8s.scheduler.snapshot import PodInfo, Snapshot

NAME = "kube-scheduler"
MAX_DECISIONS = 10_000
"""Of so many pods, the last decision is at hand; all are in the trace."""
POLL_SECONDS = 1.0
"""How often a binding that waits (for volumes, for a Permit plugin) is looked at again when nothing happens."""


@dataclass
class Binding:
    """A pod whose place is reserved and whose binding is under way."""

    queued: Queued
    decision: Decision
    state: CycleState
    profile: Profile
    assumed: PodInfo
    todo: list[str] = field(default_factory=lambda: ["permit", "pre_bind", "bind"])
    poll: Timer | None = None


class InformerListers:
    """The plugins' view of other objects."""

    def __init__(self, ctx: Context) -> None:
        self._informers = ctx.informers

    def get(self, resource: str, namespace: str, name: str) -> Object | None:
        return self._informers(resource).get(namespace, name)

    def list(self, resource: str, namespace: str | None = None) -> list[Object]:
        return self._informers(resource).list(namespace)


class SchedulerActor:
    """kube-scheduler. `config`: a KubeSchedulerConfiguration as parsed YAML; `registry`: further plugins by name
    (None: those declared with user_plugins' decorators).

    `fast`: use the fast path where it gives the same answers (large clusters); decisions then carry no scores.
    """

    name = NAME

    def __init__(
        self,
        ctx: Context,
        config: Mapping[str, Any] | None = None,
        registry: Registry | None = None,
        *,
        fast: bool = True,
    ) -> None:
        self.ctx, self.client, self.clock = ctx, ctx.client, ctx.clock
        config = config if config is not None else ctx.options.get("config") or {}
        registry = registry if registry is not None else user_plugins.registry()
        self.snapshot = Snapshot()
        self.handle = Handle(self.snapshot, InformerListers(ctx), client=ctx.client, now=ctx.clock.now)
        self.profiles = profiles(self.handle, config, registry)
        self.scheduler: Scheduler = FastScheduler(self.snapshot, self.handle) if fast else Scheduler(self.snapshot)
        self.queue = SchedulingQueue(
            self._profile,
            float(config.get("podInitialBackoffSeconds") or INITIAL_BACKOFF),
            float(config.get("podMaxBackoffSeconds") or MAX_BACKOFF),
        )
        self.events = SchedulerEvents(ctx.client, ctx.clock)
        self.bindings: dict[str, Binding] = {}
        self.decisions: dict[str, Decision] = {}
        self._pods: dict[str, PodInfo] = {}
        self._timer: Timer | None = None
        self._running = False
        self._watch()

    # Start and stop

    def start(self) -> None:
        self._running = True
        self._wake()

    def stop(self) -> None:
        """Stop deciding; what is watched goes on being noted."""
        self._running = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _watch(self) -> None:
        informers = self.ctx.informers
        informers("nodes").on_change(self._node_changed)
        informers("pods").on_change(self._pod_changed)
        for resource in cluster.OTHERS:
            informers(resource).on_change(self._other(resource))
        for resource in ("services", "replicationcontrollers", "replicasets.apps", "statefulsets.apps"):
            informers(resource).on_change(self._selector_changed)
        for resource in ("namespaces", "poddisruptionbudgets.policy"):
            informers(resource)

    # What changes

    def _node_changed(self, old: Object | None, new: Object | None) -> None:
        if new is None:
            assert old is not None
            self.snapshot.remove_node(old["metadata"]["name"])
        elif old is None or cluster.node_events(old, new) or _images(old) != _images(new):
            self.snapshot.set_node(new)
        for event in cluster.node_events(old, new):
            self._move(event, old, new)

    def _pod_changed(self, old: Object | None, new: Object | None) -> None:
        """A pod is either on a node, or waits for one of our profiles, or is none of our business."""
        obj = new if new is not None else old
        assert obj is not None
        pod = PodInfo(obj)
        gone = new is None or cluster.is_finished(new)
        if pod.node_name:
            self._placed_changed(old, new, pod, gone)
        elif gone:
            self._forget(pod)
        elif self._is_ours(pod):
            self._pending_changed(old, pod)

    def _is_ours(self, pod: PodInfo) -> bool:
        return (pod.spec.get("schedulerName") or "default-scheduler") in self.profiles

    def _placed_changed(self, old: Object | None, new: Object | None, pod: PodInfo, gone: bool) -> None:
        binding = self.bindings.pop(pod.key, None)
        known = self._pods.pop(pod.key, None) or (binding.assumed if binding else None)
        if known is None and gone:
            self._forget(pod)
            return
        if known is not None:
            self.snapshot.remove_pod(known)
        if not gone:
            self._pods[pod.key] = pod
            self.snapshot.add_pod(pod)
        self._forget(pod)
        for event in cluster.pod_events(old, None if gone else new):
            self._move(event, old, new)

    def _pending_changed(self, old: Object | None, pod: PodInfo) -> None:
        if pod.nominated:
            self.handle.nominator.add(pod, pod.nominated)
        else:
            self.handle.nominator.remove(pod.key)
        if pod.key in self.bindings:
            return
        if old is None:
            self.queue.add(pod, self.clock.now())
        else:
            self.queue.update(pod, self.clock.now(), cluster.pending_events(old, pod.pod))
        self._wake()

    def _forget(self, pod: PodInfo) -> None:
        """A pod that waits no longer."""
        nominated = bool(pod.nominated)
        self.handle.nominator.remove(pod.key)
        self.queue.remove(pod.key)
        binding = self.bindings.pop(pod.key, None)
        if binding is not None:
            self._undo(binding)
        if nominated and not pod.node_name:
            self._move("pod/delete", pod.pod, None)

    def _selector_changed(self, old: Object | None, new: Object | None) -> None:
        """Services and controllers say which pods are siblings, for default spreading."""
        if old is None or new is None or old["spec"].get("selector") != new["spec"].get("selector"):
            self.handle.version += 1

    def _other(self, resource: str) -> Any:
        def changed(old: Object | None, new: Object | None) -> None:
            self._move(cluster.other_event(resource, old, new), old, new)
            for key in list(self.bindings):
                self._go_on_soon(key)

        return changed

    def _move(self, event: str, old: Object | None, new: Object | None) -> None:
        if self.queue.move(event, old, new, self.clock.now()):
            self._wake()

    # One pod per clock event

    def _wake(self) -> None:
        """Plan the next attempt: now if a pod is ready, else when the next one comes back by itself."""
        if not self._running:
            return
        now = self.clock.now()
        due: float | None = now if self.queue.ready(now) else self.queue.next_time()
        if self._timer is not None:
            if due is not None and not self._timer.cancelled and self._timer.when <= due:
                return
            self._timer.cancel()
        self._timer = None if due is None else self.clock.call_at(due, self._tick)

    def _tick(self) -> None:
        self._timer = None
        queued = self.queue.pop(self.clock.now())
        if queued is not None:
            self.schedule_one(queued)
        self._wake()

    def schedule_one(self, queued: Queued) -> None:
        """Try one pod: decide, then bind or say why not."""
        pod, profile = queued.pod, self._profile(queued.pod)
        if pod.terminating:
            note = f"skip schedule deleting pod: {pod.key}"
            self._event(pod, profile, "Warning", "FailedScheduling", "Scheduling", note)
            return
        decision, state = self.scheduler.schedule(pod, profile)
        decision.attempt = queued.attempts
        self._record(decision)
        if decision.node is None:
            self._fail(queued, decision, profile)
            return
        assumed = pod.on(decision.node)
        self.snapshot.add_pod(assumed)
        binding = Binding(queued, decision, state, profile, assumed)
        status = self.scheduler.reserve(decision, state, pod, profile)
        if status is not None:
            self.snapshot.remove_pod(assumed)
            self._reject(binding, status)
            return
        self.handle.nominator.remove(pod.key)
        self.bindings[pod.key] = binding
        self._go_on(pod.key)

    def _profile(self, pod: PodInfo) -> Profile:
        return self.profiles[pod.spec.get("schedulerName") or "default-scheduler"]

    def _record(self, decision: Decision) -> None:
        self.decisions.pop(decision.pod, None)
        self.decisions[decision.pod] = decision
        if len(self.decisions) > MAX_DECISIONS:
            del self.decisions[next(iter(self.decisions))]
        self.ctx.trace.record(NAME, "schedule", f"pods/{decision.pod}", **decision.to_json())

    # The binding cycle

    def _go_on_soon(self, key: str) -> None:
        self.clock.call_soon(self._go_on, key)

    def _go_on(self, key: str) -> None:
        """PreBind and Bind; a plugin that waits is asked again when something happens, or after a second."""
        binding = self.bindings.get(key)
        if binding is None or binding.queued.pod.key != key:
            return
        status = self._bind(binding)
        if status is None:
            return
        if status.code == WAIT:
            if binding.poll is not None:
                binding.poll.cancel()
            binding.poll = self.clock.call_later(POLL_SECONDS, self._go_on, key)
            return
        del self.bindings[key]
        self._undo(binding)
        self._reject(binding, status)

    def _bind(self, binding: Binding) -> Status | None:
        profile, state, pod = binding.profile, binding.state, binding.queued.pod
        node = binding.decision.node
        assert node is not None
        if not binding.todo:
            return None
        try:
            for point in binding.todo[:]:
                status = profile.run(point, state, pod, node)
                if status is not None:
                    return status
                binding.todo.remove(point)
        except PluginError as problem:
            return Status("Error", (str(problem),), problem.plugin)
        note = f"Successfully assigned {pod.key} to {node}"
        self._event(pod, profile, "Normal", "Scheduled", "Binding", note)
        for plugin in profile.points["post_bind"]:
            plugin.post_bind(state, pod, node)  # type: ignore[attr-defined]
        return None

    def _undo(self, binding: Binding) -> None:
        """Give the place back."""
        if not binding.todo:
            return
        self.snapshot.remove_pod(binding.assumed)
        try:
            binding.profile.unreserve(binding.state, binding.queued.pod, binding.decision.node or "")
        except PluginError as problem:
            self.ctx.trace.record(NAME, "error", f"pods/{binding.queued.pod.key}", message=str(problem))
        self._move("pod/delete", binding.assumed.pod, None)

    def _reject(self, binding: Binding, status: Status) -> None:
        """Reserve, Permit, PreBind or Bind said no: the pod goes back into the queue."""
        decision = binding.decision
        decision.outcome = "unschedulable" if status.rejected else "error"
        decision.message, decision.node = status.message, None
        decision.diagnosis.plugins = {status.plugin} if status.plugin else set()
        self._fail(binding.queued, decision, binding.profile)

    # When a pod cannot be placed

    def _fail(self, queued: Queued, decision: Decision, profile: Profile) -> None:
        """FailedScheduling: event, condition, nomination, and back into the queue."""
        pod, failed = queued.pod, decision.outcome == "error"
        if decision.nomination and decision.nomination.node:
            self._preempt(pod, decision.nomination, profile)
            self.handle.nominator.add(pod, decision.nomination.node)
        elif decision.nomination is not None:
            self.handle.nominator.remove(pod.key)
        self.queue.requeue(queued, set(decision.diagnosis.plugins), self.clock.now(), failed=failed)
        message = decision.message or ""
        self._event(pod, profile, "Warning", "FailedScheduling", "Scheduling", message)
        self._write_status(pod, "SchedulerError" if failed else "Unschedulable", message, decision.nomination)
        self._wake()

    def _write_status(self, pod: PodInfo, reason: str, message: str, nomination: Nomination | None) -> None:
        condition = {"type": "PodScheduled", "status": "False", "reason": reason, "message": message}
        status: Object = {}
        old: Object = next((c for c in pod.status.get("conditions") or () if c["type"] == "PodScheduled"), {})
        if any(old.get(key) != value for key, value in condition.items()):
            changed = old.get("status") != "False"
            since = rfc3339(self.clock.now()) if changed else old.get("lastTransitionTime")
            status["conditions"] = [{**condition, **_observed(pod), "lastProbeTime": None, "lastTransitionTime": since}]
        if nomination is not None and nomination.node != pod.nominated:
            status["nominatedNodeName"] = nomination.node or None
        if status:
            self._patch_status(pod, status)

    def _patch_status(self, pod: PodInfo, status: Object) -> None:
        try:
            self.client.patch(
                "pods", pod.namespace, pod.name, {"status": status}, type="strategic", subresource="status"
            )
        except Exception as problem:  # the pod may be gone; the next event about it sorts that out
            self.ctx.trace.record(NAME, "error", f"pods/{pod.key}", message=str(problem))

    def _preempt(self, pod: PodInfo, nomination: Nomination, profile: Profile) -> None:
        """Remove the victims, and take promises of the node back from pods that are less important."""
        self.ctx.trace.record(
            NAME, "preempt", f"pods/{pod.key}", node=nomination.node, victims=[v.key for v in nomination.victims]
        )
        for victim in nomination.victims:
            self._evict(victim, pod, profile)
            note = f"Preempted by pod {pod.pod['metadata'].get('uid', '')} on node {nomination.node}"
            self._event(victim, profile, "Normal", "Preempted", "Preempting", note, related=pod)
        for other in self.handle.nominator.on(nomination.node):
            if other.priority < pod.priority:
                self.handle.nominator.remove(other.key)
                self._patch_status(other, {"nominatedNodeName": None})

    def _evict(self, victim: PodInfo, pod: PodInfo, profile: Profile) -> None:
        if victim.key in self.bindings:  # not bound yet: it only has to give way
            binding = self.bindings.pop(victim.key)
            self._undo(binding)
            self._reject(binding, Status("Unschedulable", ("preempted",), profile.name))
            return
        message = f"{profile.name}: preempting to accommodate a higher priority pod"
        condition = {
            "type": "DisruptionTarget",
            "status": "True",
            "reason": "PreemptionByScheduler",
            "message": message,
            "lastProbeTime": None,
            "lastTransitionTime": rfc3339(self.clock.now()),
            **_observed(victim),
        }
        self._patch_status(victim, {"conditions": [condition]})
        try:
            self.client.delete("pods", victim.namespace, victim.name)
        except Exception as problem:
            self.ctx.trace.record(NAME, "error", f"pods/{victim.key}", message=str(problem))

    def _event(
        self,
        pod: PodInfo,
        profile: Profile,
        type: str,
        reason: str,
        action: str,
        note: str,
        related: PodInfo | None = None,
    ) -> None:
        self.events.event(pod.pod, related.pod if related else None, type, reason, action, note, profile.name)


def _observed(pod: PodInfo) -> Object:
    """What a condition says of the generation that it is about."""
    generation = pod.pod["metadata"].get("generation")
    return {"observedGeneration": generation} if generation else {}


def _images(node: Object) -> Any:
    return (node.get("status") or {}).get("images")
