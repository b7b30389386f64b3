"""Reading the metrics of a HorizontalPodAutoscaler through the API (pkg/controller/podautoscaler/metrics)."""

from __future__ import annotations

from typing import NamedTuple

from minik8s.client.api import Client
from minik8s.controllers.disruption import go_selector
from minik8s.controllers.hpa_replicas import (
    NoMetrics,
    Sample,
    Tolerance,
    average_ratio,
    group,
    replicas_for,
    requests_of,
    utilization_ratio,
)
from minik8s.objects import Object
from minik8s.objects.meta import name, parse_time
from minik8s.objects.quantity import canonical, from_milli, milli
from minik8s.wire import StatusError


class Proposal(NamedTuple):
    """What one metric asks for: a count, the metric's name for events, and its currentMetrics entry."""

    replicas: int
    metric: str
    status: Object


class MetricError(Exception):
    """A metric that gives no proposal: reason and message of the ScalingActive condition, and the summary's words."""

    def __init__(self, reason: str, message: str, what: str):
        super().__init__(message)
        self.reason, self.message, self.summary = reason, message, f"failed to get {what}: {message}"


def pod_metrics(client: Client, namespace: str, selector: str, resource: str, container: str = "") -> dict[str, Sample]:
    """Use of `resource` by pod, from metrics.k8s.io."""
    try:
        found = client.list("pods.metrics.k8s.io", namespace, label_selector=selector)
    except StatusError as error:
        call = " (get pods.metrics.k8s.io)" if error.code == 404 else ""
        raise NoMetrics(f"unable to fetch metrics from resource metrics API: {error.message}{call}") from error
    if not found:
        raise NoMetrics("no metrics returned from resource metrics API")
    out: dict[str, Sample] = {}
    for entry in found:
        uses = [c["usage"].get(resource) for c in entry["containers"] if not container or c["name"] == container]
        if uses and None not in uses:
            window = float(str(entry.get("window", "30s")).rstrip("s") or 30)
            out[name(entry)] = Sample(sum(milli(u) for u in uses), parse_time(entry["timestamp"]), window)
    return out


def propose(
    client: Client, namespace: str, spec: Object, current: int, selector: str, now: float, tolerance: Tolerance
) -> Proposal:
    """The proposal of one entry of spec.metrics. MetricError when it has none."""
    kind = spec["type"]
    if kind in ("Resource", "ContainerResource"):
        return _resource(client, namespace, spec, current, selector, now, tolerance)
    raise _no_adapter(namespace, spec)


def _no_adapter(namespace: str, spec: Object) -> MetricError:
    """Custom and external metrics come from adapters, which a cluster does not have of its own."""
    kind = spec["type"]
    source = spec[kind.lower()]
    metric, target = source["metric"]["name"], source["target"]
    each = target.get("averageValue") is not None
    if kind == "External":
        selector = source["metric"].get("selector")
        which = f"{namespace}/{metric}/{go_selector(selector) if selector is not None else 'nil'}"
        why = f"the server could not find the requested resource (get {metric}.external.metrics.k8s.io)"
        why = f"unable to get external metric {which}: unable to fetch metrics from external metrics API: {why}"
        why = f"failed to get {f'{metric} external metric' if each else f'external metric {metric}'}: {why}"
        return MetricError("FailedGetExternalMetric", why, f"{metric} external metric value")
    api = "unable to fetch metrics from custom metrics API: no custom metrics API (custom.metrics.k8s.io) registered"
    if kind == "Pods":
        return MetricError("FailedGetPodsMetric", f"unable to get metric {metric}: {api}", "pods metric value")
    about = source["describedObject"]
    why = f"unable to get metric {metric}: {api} on {about['kind']} {namespace}/{about['name']}"
    what = "object metric value" + (f": failed to get {metric} object metric" if each else "")
    return MetricError("FailedGetObjectMetric", why, what)


def _resource(
    client: Client, namespace: str, spec: Object, current: int, selector: str, now: float, tolerance: Tolerance
) -> Proposal:
    contained = spec["type"] == "ContainerResource"
    source = spec["containerResource" if contained else "resource"]
    resource, container, target = source["name"], source.get("container", ""), source["target"]
    utilized = target.get("averageUtilization") is not None
    what = f"failed to get {resource} {'utilization' if utilized else 'usage'}"
    whole = f"{container} container metric value" if contained else f"{resource} resource metric value"
    try:
        metrics = pod_metrics(client, namespace, selector, resource, container)
    except NoMetrics as error:
        why = f"{what}: unable to get metrics for resource {resource}: {error}"
        raise MetricError(f"FailedGet{spec['type']}Metric", why, whole) from error
    try:
        count, value = _calculate(
            client, namespace, selector, metrics, target, current, resource, container, now, tolerance
        )
    except NoMetrics as error:
        raise MetricError(f"FailedGet{spec['type']}Metric", f"{what}: {error}", whole) from error
    label = f"{resource} resource"
    if utilized:  # only here upstream tells a container's metric from a pod's
        label = f"{resource}{' container' if contained else ''} resource utilization (percentage of request)"
    status = {"name": resource, "current": value} | ({"container": container} if contained else {})
    return Proposal(count, label, {"type": spec["type"], "containerResource" if contained else "resource": status})


def _calculate(
    client: Client,
    namespace: str,
    selector: str,
    metrics: dict[str, Sample],
    target: Object,
    current: int,
    resource: str,
    container: str,
    now: float,
    tolerance: Tolerance,
) -> tuple[int, Object]:
    pods = client.list("pods", namespace, label_selector=selector)
    if not pods:
        raise NoMetrics("no pods returned by selector while calculating replica count")
    groups = group(pods, metrics, resource, now)
    usable = {pod: m for pod, m in metrics.items() if pod not in (*groups.ignored, *groups.unready)}
    if not usable:
        raise NoMetrics("did not receive metrics for targeted pods (pods might be unready)")
    percent = target.get("averageUtilization")
    if percent is None:
        goal = milli(target["averageValue"])
        ratio, average = average_ratio(usable, goal)
        full = dict.fromkeys(groups.missing, goal)
        count = replicas_for(current, groups, usable, ratio, lambda m: average_ratio(m, goal)[0], (full, {}), tolerance)
        return count, {"averageValue": canonical(from_milli(average))}
    requests = requests_of(pods, resource, container)
    ratio, used, average = utilization_ratio(usable, requests, percent)
    full = {pod: requests.get(pod, 0) * max(100, percent) // 100 for pod in groups.missing}
    again = lambda m: utilization_ratio(m, requests, percent)[0]  # noqa: E731
    count = replicas_for(current, groups, usable, ratio, again, (full, {}), tolerance)
    return count, {"averageUtilization": used, "averageValue": canonical(from_milli(average))}
