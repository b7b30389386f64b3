"""node-lifecycle-controller: notices silent nodes and taints nodes by condition (pkg/controller/nodelifecycle).

Keys: `monitor` (all nodes, every 5 s), `taint/NODE` (NoSchedule taints and labels), `zone/ZONE` (NoExecute taints, at
a limited rate), `pod/NAMESPACE/NAME` (a pod bound to a node that may be down).
"""

from __future__ import annotations

from minik8s.client.controller import Context, Controller
from minik8s.controllers.nodehealth import (
    MONITOR_PERIOD,
    Health,
    Zone,
    first_health,
    silent,
    unknown_conditions,
    zone_of,
    zone_state,
)
from minik8s.controllers.podutil import condition, is_ready, with_pod_condition
from minik8s.controllers.taints import (
    CONDITION_TAINTS,
    NOT_READY,
    UNREACHABLE,
    UNSCHEDULABLE,
    has_taint,
    swap_taints,
    taints_of,
)
from minik8s.objects import Object
from minik8s.objects.meta import key, labels, name, rfc3339
from minik8s.wire import StatusError

BY_NODE = "node"
LABEL_PAIRS = (
    ("kubernetes.io/os", "beta.kubernetes.io/os"),
    ("kubernetes.io/arch", "beta.kubernetes.io/arch"),
)
EXCLUDED = "node.kubernetes.io/exclude-disruption"


def node_of(pod: Object) -> list[str]:
    node = pod["spec"].get("nodeName")
    return [node] if node else []


class NodeLifecycleController(Controller):
    name = "node-lifecycle-controller"
    component = "node-controller"

    def __init__(self, ctx: Context):
        super().__init__(ctx)
        self.nodes = ctx.informers("nodes")
        self.leases = ctx.informers("leases.coordination.k8s.io")
        self.pods = ctx.informers("pods")
        self.pods.add_index(BY_NODE, node_of)
        self._health: dict[str, Health] = {}
        self._known: dict[str, str] = {}
        self._retry: set[str] = set()
        self._zones: dict[str, Zone] = {}
        self.nodes.on_change(self._node_changed)
        self.pods.on_change(self._pod_changed)
        self.enqueue("monitor")

    def _node_changed(self, old: Object | None, new: Object | None) -> None:
        if new is None:
            return
        if old is None or _taint_facts(old) != _taint_facts(new):
            self.enqueue("taint/" + name(new))

    def _pod_changed(self, old: Object | None, new: Object | None) -> None:
        if new is None or not node_of(new) or (old is not None and node_of(old)):
            return
        health = self._health.get(new["spec"]["nodeName"])
        if health is not None and health.ready is not None and health.ready["status"] != "True":
            self.enqueue("pod/" + key(new))

    def reconcile(self, work: str) -> float | None:
        what, _, rest = work.partition("/")
        if what == "monitor":
            self._monitor()
            return MONITOR_PERIOD
        if what == "taint":
            node = self.nodes.get("", rest)
            if node is not None:
                self._taint_no_schedule(node)
                self._reconcile_labels(node)
        elif what == "zone":
            return self._taint_no_execute(rest)
        else:
            self._new_pod(*rest.split("/"))
        return None

    # ---- NoSchedule: at once, by condition -----------------------------------------
    def _taint_no_schedule(self, node: Object) -> None:
        wanted = _condition_taints(node)
        if node["spec"].get("unschedulable"):
            wanted.append(UNSCHEDULABLE)
        ours = {*CONDITION_TAINTS.values(), UNSCHEDULABLE}
        present = {t["key"] for t in taints_of(node) if t["effect"] == "NoSchedule" and t["key"] in ours}
        add = [(taint, "NoSchedule") for taint in wanted if taint not in present]
        remove = [(taint, "NoSchedule") for taint in sorted(present) if taint not in wanted]
        if add or remove:
            swap_taints(self.client, node, add, remove, self.clock.now())

    def _reconcile_labels(self, node: Object) -> None:
        found = labels(node)
        missing = {old: found[new] for new, old in LABEL_PAIRS if new in found and found.get(old) != found[new]}
        if missing:
            self.client.patch("nodes", "", name(node), {"metadata": {"labels": missing}})

    # ---- the monitor -----------------------------------------------------------------
    def _monitor(self) -> None:
        nodes = self.nodes.list()
        self._classify(nodes)
        zones: dict[str, list[bool]] = {}
        for node in nodes:
            current = self._check(node)
            if EXCLUDED not in labels(node):
                zones.setdefault(zone_of(node), []).append(current is not None and current["status"] == "True")
        self._handle_disruption(nodes, zones)
        for zone in self._zones:
            self.enqueue("zone/" + zone)

    def _classify(self, nodes: list[Object]) -> None:
        for node in nodes:
            self._zones.setdefault(zone_of(node), Zone())
            if name(node) not in self._known:
                self._known[name(node)] = node["metadata"]["uid"]
                self._tell(name(node), node["metadata"]["uid"], "RegisteredNode", "Registered Node {} in Controller")
                self._mark_reachable(node)
        present = {name(node) for node in nodes}
        for gone in [n for n in self._known if n not in present]:
            self._tell(gone, self._known.pop(gone), "RemovingNode", "Removing Node {} from Controller")
            self._health.pop(gone, None)

    def _tell(self, node: str, uid: str, reason: str, what: str) -> None:
        about: Object = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": node, "uid": uid}}
        self.ctx.recorder.event(about, "Normal", reason, f"Node {node} event: {what.format(node)}")

    def _check(self, node: Object) -> Object | None:
        """Look at one node. Returns its Ready condition after the check."""
        try:
            observed, current = self._update_health(node)
        except StatusError:
            return condition(node, "Ready")  # the next round sees the newer node
        if current is None:
            return None
        before = observed["status"] if observed is not None else "Unknown"
        self._decide_eviction(node, current["status"])
        went_down = current["status"] != "True" and before == "True"
        if went_down:
            about = {
                "apiVersion": "v1",
                "kind": "Node",
                "metadata": {"name": name(node), "uid": node["metadata"]["uid"]},
            }
            self.ctx.recorder.event(about, "Normal", "NodeNotReady", f"Node {name(node)} status is now: NodeNotReady")
        if went_down or (name(node) in self._retry and before != "True"):
            self._retry.discard(name(node))
            try:
                for pod in self.pods.by_index(BY_NODE, name(node)):
                    self._mark_not_ready(pod)
            except StatusError:
                self._retry.add(name(node))
        return current

    def _update_health(self, node: Object) -> tuple[Object | None, Object | None]:
        """(the Ready condition the kubelet left, the one that holds now)."""
        now, observed = self.clock.now(), condition(node, "Ready")
        health = self._health.get(name(node))
        if health is None:
            health = self._health[name(node)] = first_health(node, now)
        health.observe(observed, self.leases.get("kube-node-lease", name(node)), now)
        if not silent(health, now):
            return observed, observed
        conditions = unknown_conditions(node, now)
        current = next(c for c in conditions if c["type"] == "Ready")
        if current != observed:
            changed = {**node, "status": {**(node.get("status") or {}), "conditions": conditions}}
            self.client.update("nodes", changed, subresource="status")
            health.ready = current
        return observed, current

    def _decide_eviction(self, node: Object, ready: str) -> None:
        zone = self._zones[zone_of(node)]
        if ready == "True":
            self._mark_reachable(node)
            return
        wanted, other = (NOT_READY, UNREACHABLE) if ready == "False" else (UNREACHABLE, NOT_READY)
        if has_taint(node, other, "NoExecute"):
            swap_taints(self.client, node, [(wanted, "NoExecute")], [(other, "NoExecute")], self.clock.now())
        elif not has_taint(node, wanted, "NoExecute"):
            zone.waiting.setdefault(name(node))

    def _mark_reachable(self, node: Object) -> None:
        swap_taints(self.client, node, [], [(UNREACHABLE, "NoExecute"), (NOT_READY, "NoExecute")], self.clock.now())
        self._zones[zone_of(node)].waiting.pop(name(node), None)

    def _handle_disruption(self, nodes: list[Object], zones: dict[str, list[bool]]) -> None:
        """When no node at all answers, the fault is more likely ours: evict nobody."""
        states = {zone: zone_state(ready) for zone, ready in zones.items()}
        for zone in [z for z in self._zones if z not in states]:
            del self._zones[zone]
        was_full = bool(self._zones) and all(z.state == "FullDisruption" for z in self._zones.values())
        is_full = bool(states) and all(state == "FullDisruption" for state in states.values())
        if was_full and is_full:
            return
        if is_full:
            for node in nodes:
                if zone_of(node) in self._zones:
                    self._mark_reachable(node)
            for each in self._zones.values():
                each.state, each.qps = "FullDisruption", 0.0
            return
        if was_full:
            for health in self._health.values():
                health.seen_at = self.clock.now()
        for zone_name, state in states.items():
            if self._zones[zone_name].state != state:
                self._zones[zone_name].set_state(state, len(zones[zone_name]))

    # ---- NoExecute: at a limited rate ------------------------------------------------
    def _taint_no_execute(self, zone_name: str) -> float | None:
        zone, now = self._zones.get(zone_name), self.clock.now()
        if zone is None:
            return None
        wait = zone.next_in(now)
        if wait is None or wait > 0:
            return wait
        node = self.nodes.get("", next(iter(zone.waiting)))
        zone.waiting.pop(next(iter(zone.waiting)))
        ready = condition(node, "Ready") if node is not None else None
        if node is not None and ready is not None and ready["status"] != "True":
            zone.last = now
            wanted, other = (NOT_READY, UNREACHABLE) if ready["status"] == "False" else (UNREACHABLE, NOT_READY)
            swap_taints(self.client, node, [(wanted, "NoExecute")], [(other, "NoExecute")], now)
        return zone.next_in(now)

    # ---- pods of a silent node --------------------------------------------------------
    def _new_pod(self, namespace: str, pod_name: str) -> None:
        pod = self.pods.get(namespace, pod_name)
        if pod is None:
            return
        health = self._health.get(pod["spec"].get("nodeName", ""))
        if health is not None and health.ready is not None and health.ready["status"] != "True":
            self._mark_not_ready(pod)

    def _mark_not_ready(self, pod: Object) -> None:
        """Nobody can say that a pod on a silent node still serves: take it out of the Services."""
        if not is_ready(pod):
            return
        old = condition(pod, "Ready") or {}
        changed = with_pod_condition(pod, {**old, "status": "False"}, rfc3339(self.clock.now()))
        try:
            self.client.update("pods", changed, subresource="status")
        except StatusError as error:
            if error.code == 404:
                return
            raise
        self.ctx.recorder.event(pod, "Warning", "NodeNotReady", "Node is not ready")


def _taint_facts(node: Object) -> tuple[object, ...]:
    return node["spec"], labels(node), _condition_taints(node)


def _condition_taints(node: Object) -> list[str]:
    conditions = (node.get("status") or {}).get("conditions") or ()
    return [CONDITION_TAINTS[pair] for c in conditions if (pair := (c["type"], c["status"])) in CONDITION_TAINTS]
