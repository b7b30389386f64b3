"""horizontal-pod-autoscaler-controller: sizes a target by its metrics, every 15 s (pkg/controller/podautoscaler)."""

from __future__ import annotations

from minik8s.client.controller import Context, Controller
from minik8s.controllers import hpa_limits as limits
from minik8s.controllers.hpa_metrics import MetricError, propose
from minik8s.controllers.hpa_replicas import Tolerance
from minik8s.controllers.podutil import condition, set_condition
from minik8s.controllers.resources import Resources
from minik8s.objects import Object
from minik8s.objects.meta import key, labels, rfc3339
from minik8s.objects.selectors import parse_selector
from minik8s.wire import StatusError

PERIOD = 15.0
AUTOSCALERS = "horizontalpodautoscalers.autoscaling"
ABLE, ACTIVE, LIMITED = "AbleToScale", "ScalingActive", "ScalingLimited"


class HorizontalPodAutoscalerController(Controller):
    name = "horizontal-pod-autoscaler-controller"
    component = "horizontal-pod-autoscaler"

    def __init__(self, ctx: Context):
        super().__init__(ctx)
        self.autoscalers = ctx.informers(AUTOSCALERS)
        self.resources = Resources(ctx.informers("customresourcedefinitions.apiextensions.k8s.io"))
        self.memories: dict[str, limits.Memory] = {}
        self.autoscalers.on_change(self._changed)

    def _changed(self, old: Object | None, new: Object | None) -> None:
        if new is None:
            self.memories.pop(key(old or {}), None)
        elif old is None or old["spec"] != new["spec"]:
            # Upstream's queue lets every key wait a whole period, also the first time (NewDefaultHPARateLimiter).
            self.queue.add_after(key(new), PERIOD)

    def reconcile(self, name: str) -> float | None:
        namespace, _, short = name.partition("/")
        autoscaler = self.autoscalers.get(namespace, short)
        if autoscaler is None:
            return None
        memory = self.memories.setdefault(name, limits.Memory())
        _Round(self, autoscaler, memory).run()
        return PERIOD


class _Round:
    """One evaluation of one autoscaler."""

    def __init__(self, controller: HorizontalPodAutoscalerController, autoscaler: Object, memory: limits.Memory):
        self.controller, self.autoscaler, self.memory = controller, autoscaler, memory
        self.client, self.now = controller.client, controller.clock.now()
        self.namespace, self.spec = autoscaler["metadata"]["namespace"], autoscaler["spec"]
        self.least, self.most = self.spec.get("minReplicas", 1), self.spec["maxReplicas"]
        self.status: Object = {"currentMetrics": None, "desiredReplicas": 0, **(autoscaler.get("status") or {})}
        if "generation" in autoscaler["metadata"]:
            self.status["observedGeneration"] = autoscaler["metadata"]["generation"]

    def run(self) -> None:
        try:
            self._evaluate()
        finally:
            if self.status != (self.autoscaler.get("status") or {}):
                changed = {**self.autoscaler, "status": self.status}
                self.client.update(AUTOSCALERS, changed, subresource="status")

    def _condition(self, kind: str, value: str, reason: str, message: str) -> None:
        old, stamp = condition({"status": self.status}, kind), rfc3339(self.now)
        if old is not None and old["status"] == value:
            stamp = old["lastTransitionTime"]
        fresh = {"type": kind, "status": value, "lastTransitionTime": stamp, "reason": reason, "message": message}
        self.status["conditions"] = set_condition(self.status.get("conditions") or (), fresh)

    def _warn(self, reason: str, message: str) -> None:
        self.controller.ctx.recorder.event(self.autoscaler, "Warning", reason, message)

    def _evaluate(self) -> None:
        try:
            path = self._scale_path()
            scale = self.client.call("GET", path)
        except StatusError as error:
            self._warn("FailedGetScale", error.message)
            why = f"the HPA controller was unable to get the target's current scale: {error.message}"
            self._condition(ABLE, "False", "FailedGetScale", why)
            return
        got = "the HPA controller was able to get the target's current scale"
        self._condition(ABLE, "True", "SucceededGetScale", got)
        current = int(scale["spec"].get("replicas", 0))
        if not self.memory.recommendations:
            self.memory.recommendations.append((self.now, current))
        decision = self._decide(scale, current)
        if decision is None:
            return
        desired, reason = decision
        if desired != current:
            self._rescale(path, scale, current, desired, reason)
        self._sizes(current, desired)

    def _scale_path(self) -> str:
        target = self.spec["scaleTargetRef"]
        resource = self.controller.resources.of_reference({"apiVersion": target.get("apiVersion", "v1"), **target})
        if resource is None:
            what = f'no matches for kind "{target["kind"]}" in group "{target.get("apiVersion", "").partition("/")[0]}"'
            raise StatusError(404, "NotFound", what)
        return self.client.paths.object(resource.name, self.namespace, target["name"], "scale")

    def _sizes(self, current: int, desired: int) -> None:
        self.status["desiredReplicas"] = desired
        self.status.pop("currentReplicas", None)
        if current:
            self.status["currentReplicas"] = current

    # ---- the decision ----------------------------------------------------------------
    def _decide(self, scale: Object, current: int) -> tuple[int, str] | None:
        """(desired size, why it changes), or None when the metrics say nothing."""
        if current == 0 and self.least != 0:
            message = "scaling is disabled since the replica count of the target is zero"
            self._condition(ACTIVE, "False", "ScalingDisabled", message)
            return 0, ""
        if current > self.most:
            return self.most, "Current number of replicas above Spec.MaxReplicas"
        if current < self.least:
            return self.least, "Current number of replicas below Spec.MinReplicas"
        found = self._from_metrics(scale, current)
        if found is None:
            return None
        wanted, metric = found
        reason = f"{metric} above target" if wanted > current else "All metrics below target"
        return self._normalize(current, wanted), reason

    def _from_metrics(self, scale: Object, current: int) -> tuple[int, str] | None:
        selector = (scale.get("status") or {}).get("selector", "")
        if not selector:
            self._warn("SelectorRequired", "selector is required")
            message = "the HPA target's scale is missing a selector"
            self._warn("FailedComputeMetricsReplicas", "selector is required")
            self._condition(ACTIVE, "False", "InvalidSelector", message)
            self._sizes(current, self.status["desiredReplicas"])
            return None
        if self._shares_pods(selector):
            self._sizes(current, self.status["desiredReplicas"])
            return None
        best, entries, errors = (-1, ""), list[Object](), list[MetricError]()
        metrics, tolerance = self.spec.get("metrics") or (), Tolerance.of(self.spec.get("behavior"))
        for metric in metrics:
            try:
                proposal = propose(self.client, self.namespace, metric, current, selector, self.now, tolerance)
            except MetricError as error:
                errors.append(error)
                self._warn(error.reason, error.message)
                entries.append({"type": ""})  # upstream leaves an empty entry where a metric has no value
                continue
            entries.append(proposal.status)
            best = max(best, (proposal.replicas, proposal.metric), key=lambda b: b[0])
        self.status["currentMetrics"] = entries or None
        if errors and (len(errors) >= len(metrics) or best[0] < current):
            first = errors[0]
            why = f"the HPA was unable to compute the replica count: {first.message}"
            self._condition(ACTIVE, "False", first.reason, why)
            summary = f"invalid metrics ({len(errors)} invalid out of {len(metrics)}), first error is: {first.summary}"
            self._warn("FailedComputeMetricsReplicas", summary)
            self._sizes(current, self.status["desiredReplicas"])
            return None
        message = f"the HPA was able to successfully calculate a replica count from {best[1]}"
        self._condition(ACTIVE, "True", "ValidMetricFound", message)
        return best

    def _shares_pods(self, selector: str) -> bool:
        """Whether another autoscaler sizes the same pods: then neither may."""
        self.memory.selector = selector
        pods = self.client.list("pods", self.namespace, label_selector=selector)
        rivals = [key(self.autoscaler)]
        for other, memory in self.controller.memories.items():
            if memory.selector and memory is not self.memory and other.startswith(self.namespace + "/"):
                chosen = parse_selector(memory.selector)
                if any(chosen.matches(labels(pod)) for pod in pods):
                    rivals.append(other)
        if len(rivals) == 1:
            return False
        names = " ".join(f"{{{rival.partition('/')[2]} {self.namespace}}}" for rival in sorted(rivals))
        message = f"pods by selector {selector} are controlled by multiple HPAs: [{names}]"
        self._warn("AmbiguousSelector", message)
        self._warn("FailedComputeMetricsReplicas", message)
        self._condition(ACTIVE, "False", "AmbiguousSelector", message)
        return True

    def _normalize(self, current: int, wanted: int) -> int:
        behavior = self.spec.get("behavior")
        if behavior is None:
            stable, reason, message = limits.stabilize(self.memory, wanted, self.now)
            self._condition(ABLE, "True", reason, message)
            found, reason, message = limits.limit(current, stable, self.least, self.most)
        else:
            stable, reason, message = limits.stabilize_with(self.memory, behavior, current, wanted, self.now)
            self._condition(ABLE, "True", reason, message)
            found, reason, message = limits.limit_with(
                self.memory, behavior, current, stable, self.least, self.most, self.now
            )
        self._condition(LIMITED, "False" if reason == "DesiredWithinRange" else "True", reason, message)
        return found

    def _rescale(self, path: str, scale: Object, current: int, desired: int, reason: str) -> None:
        try:
            self.client.call("PUT", path, {**scale, "spec": {**scale["spec"], "replicas": desired}})
        except StatusError as error:
            self._warn("FailedRescale", f"New size: {desired}; reason: {reason}; error: {error.message}")
            why = f"the HPA controller was unable to update the target scale: {error.message}"
            self._condition(ABLE, "False", "FailedUpdateScale", why)
            return
        done = f"the HPA controller was able to update the target scale to {desired}"
        self._condition(ABLE, "True", "SucceededRescale", done)
        message = f"New size: {desired}; reason: {reason}"
        self.controller.ctx.recorder.event(self.autoscaler, "Normal", "SuccessfulRescale", message)
        events = self.memory.ups if desired > current else self.memory.downs
        events.append((self.now, abs(desired - current)))
        self.status["lastScaleTime"] = rfc3339(self.now)
