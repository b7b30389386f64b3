"""disruption-controller: how many pods a PodDisruptionBudget lets go now (pkg/controller/disruption)."""

from __future__ import annotations

from minik8s.client.controller import Context, Controller
from minik8s.controllers.deployment_math import scaled_value
from minik8s.controllers.owners import in_namespace, index_by_label, index_by_namespace, with_labels
from minik8s.controllers.podutil import condition, is_finished, is_ready, set_condition, with_pod_condition
from minik8s.objects import Object
from minik8s.objects.meta import controller_of, key, labels, parse_time, rfc3339
from minik8s.objects.selectors import matches
from minik8s.wire import StatusError

BUDGETS = "poddisruptionbudgets.policy"
DELETION_TIMEOUT = 120.0
"""How long an evicted pod may take until its deletion shows; afterwards it counts again."""
STALE_TIMEOUT = 120.0
"""How long a pod is believed to be about to go; afterwards its DisruptionTarget condition is taken back."""
SCALED = {
    ("apps", "ReplicaSet"): "replicasets.apps",
    ("", "ReplicationController"): "replicationcontrollers",
    ("apps", "StatefulSet"): "statefulsets.apps",
    ("apps", "Deployment"): "deployments.apps",
}
UNMANAGED = (
    "Pods selected by this PodDisruptionBudget (selector: {}) were found to be unmanaged. As a result, the status of "
    "the PDB cannot be calculated correctly, which may result in undefined behavior. To account for these pods please "
    'set ".spec.minAvailable" field of the PDB to an integer value.'
)


class DisruptionController(Controller):
    name = "disruption-controller"
    component = "controllermanager"

    def __init__(self, ctx: Context):
        super().__init__(ctx)
        self.budgets = index_by_namespace(ctx.informers(BUDGETS))
        self.pods = index_by_label(index_by_namespace(ctx.informers("pods")))
        self.owners = {resource: ctx.informers(resource) for resource in SCALED.values()}
        self.budgets.on_change(lambda old, new: self.enqueue(key(new)) if new is not None else None)
        self.pods.on_change(self._pod_changed)

    def _pod_changed(self, old: Object | None, new: Object | None) -> None:
        if old is not None and new is not None and _facts(old) == _facts(new):
            return
        pods = [pod for pod in (old, new) if pod is not None]
        if new is not None and (left := self._stale_in(new)) is not None:
            self.queue.add_after("pod/" + key(new), left)
        for budget in in_namespace(self.budgets, pods[0]["metadata"]["namespace"]):
            if any(_selects(budget, pod) for pod in pods):
                self.enqueue(key(budget))

    def _stale_in(self, pod: Object) -> float | None:
        """Seconds until a pod that was to be disrupted and was not is one like all others; None when it is already."""
        found = condition(pod, "DisruptionTarget")
        if found is None or found["status"] != "True" or found.get("reason") == "TerminationByKubelet":
            return None
        if "deletionTimestamp" in pod["metadata"] or is_finished(pod):
            return None
        return max(0.0, parse_time(found["lastTransitionTime"]) + STALE_TIMEOUT - self.clock.now())

    def _take_back(self, namespace: str, pod_name: str) -> float | None:
        pod = self.pods.get(namespace, pod_name)
        left = self._stale_in(pod) if pod is not None else None
        if pod is None or left is None or left > 0:
            return left
        changed = with_pod_condition(pod, {"type": "DisruptionTarget", "status": "False"}, rfc3339(self.clock.now()))
        self.client.update("pods", changed, subresource="status")
        return None

    def reconcile(self, name: str) -> float | None:
        if name.startswith("pod/"):
            return self._take_back(*name.removeprefix("pod/").split("/"))
        namespace, _, short = name.partition("/")
        budget = self.budgets.get(namespace, short)
        if budget is None:
            return None
        selector = budget["spec"].get("selector")
        pods = with_labels(self.pods, namespace, selector) if selector is not None else []
        if not pods:
            self.ctx.recorder.event(budget, "Normal", "NoPods", "No matching pods found")
        try:
            expected, desired = self._expected(budget, pods)
        except _NoScale as error:
            message = f"Failed to calculate the number of expected pods: {error}"
            self.ctx.recorder.event(budget, "Warning", "CalculateExpectedPodCountFailed", message)
            self._fail_safe(budget, str(error))
            return None
        disrupted, again = self._disrupted(budget, pods)
        healthy = self._healthy(pods, disrupted)
        allowed = max(0, healthy - desired) if expected > 0 else 0
        self._write(budget, healthy, desired, expected, allowed, disrupted)
        return again

    # ---- how many there should be ------------------------------------------------------
    def _expected(self, budget: Object, pods: list[Object]) -> tuple[int, int]:
        """(expected pods, desired healthy pods)."""
        spec = budget["spec"]
        if (most := spec.get("maxUnavailable")) is not None:
            expected = self._scale(budget, pods)
            return expected, max(0, expected - scaled_value(most, expected, round_up=True))
        least = spec.get("minAvailable", 0)
        if isinstance(least, int):
            return len(pods), least
        expected = self._scale(budget, pods)
        return expected, scaled_value(least, expected, round_up=True)

    def _scale(self, budget: Object, pods: list[Object]) -> int:
        """The sum of the sizes of the pods' controllers."""
        sizes: dict[str, int] = {}
        unmanaged = False
        for pod in pods:
            reference = controller_of(pod)
            if reference is None:
                unmanaged = True
            elif reference["uid"] not in sizes:
                uid, size = self._size(pod, reference)
                sizes[reference["uid"]] = sizes[uid] = size
                if uid != reference["uid"]:
                    sizes[reference["uid"]] = 0  # counted with the Deployment behind it
        if unmanaged:
            message = UNMANAGED.format(go_selector(budget["spec"].get("selector") or {}))
            self.ctx.recorder.event(budget, "Warning", "UnmanagedPods", message)
        return sum(sizes.values())

    def _size(self, pod: Object, reference: Object) -> tuple[str, int]:
        group, namespace = reference["apiVersion"].rpartition("/")[0], pod["metadata"]["namespace"]
        resource = SCALED.get((group, reference["kind"]))
        if resource is None:
            return self._scale_subresource(namespace, reference)
        owner = self.owners[resource].get(namespace, reference["name"])
        if owner is None or owner["metadata"]["uid"] != reference["uid"]:
            raise _NoScale(f'found no controllers for pod "{pod["metadata"]["name"]}"')
        above = controller_of(owner)
        if reference["kind"] == "ReplicaSet" and above is not None and above["kind"] == "Deployment":
            found = self.owners["deployments.apps"].get(namespace, above["name"])
            if found is not None and found["metadata"]["uid"] == above["uid"]:
                return above["uid"], int(found["spec"].get("replicas", 1))
        return reference["uid"], int(owner["spec"].get("replicas", 1))

    def _scale_subresource(self, namespace: str, reference: Object) -> tuple[str, int]:
        plural = reference["kind"].lower() + "s"
        path = f"/apis/{reference['apiVersion']}/namespaces/{namespace}/{plural}/{reference['name']}/scale"
        try:
            scale = self.client.call("GET", path)
        except StatusError as error:
            what = f"{reference['kind'].lower()}s.{reference['apiVersion'].rpartition('/')[0]}"
            raise _NoScale(f"{what} does not implement the scale subresource") from error
        return reference["uid"], int(scale["spec"].get("replicas", 0))

    # ---- how many there are -------------------------------------------------------------
    def _disrupted(self, budget: Object, pods: list[Object]) -> tuple[dict[str, str], float | None]:
        """Evicted pods whose deletion does not show yet, and when to look at them again."""
        marked = (budget.get("status") or {}).get("disruptedPods") or {}
        now, kept, waits = self.clock.now(), dict[str, str](), list[float]()
        for pod in pods:
            stamp = marked.get(pod["metadata"]["name"])
            if stamp is None or "deletionTimestamp" in pod["metadata"]:
                continue
            left = parse_time(stamp) + DELETION_TIMEOUT - now
            if left < 0:
                namespace = budget["metadata"]["namespace"]  # twice: upstream means to name the budget
                message = f"Pod was expected by PDB {namespace}/{namespace} to be deleted but it wasn't"
                self.ctx.recorder.event(pod, "Warning", "NotDeleted", message)
                continue
            kept[pod["metadata"]["name"]] = stamp
            waits.append(left)
        return kept, min(waits, default=None)

    def _healthy(self, pods: list[Object], disrupted: dict[str, str]) -> int:
        return sum(
            1
            for pod in pods
            if is_ready(pod) and "deletionTimestamp" not in pod["metadata"] and pod["metadata"]["name"] not in disrupted
        )

    # ---- status --------------------------------------------------------------------------
    def _write(
        self, budget: Object, healthy: int, desired: int, expected: int, allowed: int, disrupted: dict[str, str]
    ) -> None:
        old = budget.get("status") or {}
        reason = "SufficientPods" if allowed else "InsufficientPods"
        status: Object = {
            **{f: v for f, v in old.items() if f != "disruptedPods"},
            "observedGeneration": budget["metadata"].get("generation", 0),
            "currentHealthy": healthy,
            "desiredHealthy": desired,
            "expectedPods": expected,
            "disruptionsAllowed": allowed,
            "conditions": self._conditions(budget, "True" if allowed else "False", reason, ""),
        }
        if disrupted:
            status["disruptedPods"] = disrupted
        if status != old:
            self.client.update(BUDGETS, {**budget, "status": status}, subresource="status")

    def _fail_safe(self, budget: Object, message: str) -> None:
        """When nobody can say how many pods there should be, no eviction is allowed."""
        old = budget.get("status") or {}
        conditions = self._conditions(budget, "False", "SyncFailed", message)
        counts = {f: old.get(f, 0) for f in ("currentHealthy", "desiredHealthy", "expectedPods")}
        status = {**old, **counts, "disruptionsAllowed": 0, "conditions": conditions}
        if status != old:
            self.client.update(BUDGETS, {**budget, "status": status}, subresource="status")

    def _conditions(self, budget: Object, value: str, reason: str, message: str) -> list[Object]:
        old, generation = condition(budget, "DisruptionAllowed"), budget["metadata"].get("generation", 0)
        stamp = rfc3339(self.clock.now())
        if old is not None and old["status"] == value:
            stamp = old["lastTransitionTime"]
        fresh = {
            "type": "DisruptionAllowed",
            "status": value,
            "observedGeneration": generation,
            "lastTransitionTime": stamp,
            "reason": reason,
            "message": message,
        }
        return set_condition((budget.get("status") or {}).get("conditions") or (), fresh)


def go_selector(selector: Object) -> str:
    """A LabelSelector as Go's `%v` prints it."""
    pairs = "".join(f"{k}: {v}," for k, v in sorted((selector.get("matchLabels") or {}).items()))
    rules = ""
    for rule in selector.get("matchExpressions") or ():
        values = " ".join(rule.get("values") or ())
        rules += f"LabelSelectorRequirement{{Key:{rule['key']},Operator:{rule['operator']},Values:[{values}],}},"
    expressions = f"[]LabelSelectorRequirement{{{rules}}}"
    return f"&LabelSelector{{MatchLabels:map[string]string{{{pairs}}},MatchExpressions:{expressions},}}"


class _NoScale(Exception):
    """A pod's controller does not say how large it is."""


def _selects(budget: Object, pod: Object) -> bool:
    selector = budget["spec"].get("selector")
    return selector is not None and matches(selector, labels(pod))


def _facts(pod: Object) -> tuple[object, ...]:
    leaving = (condition(pod, "DisruptionTarget") or {}).get("status")
    return is_ready(pod), "deletionTimestamp" in pod["metadata"], labels(pod), controller_of(pod), leaving
