"""pods/eviction: deletion that asks the disruption budgets first.

Source: kubernetes pkg/registry/core/pod/storage/eviction.go.
"""

from __future__ import annotations

from dataclasses import replace

from minik8s.apiserver import bodies, options
from minik8s.apiserver.call import Call
from minik8s.apiserver.options import DeleteOptions
from minik8s.apiserver.verbs import common, delete
from minik8s.objects import Object
from minik8s.objects.kinds import Kind
from minik8s.objects.meta import rfc3339
from minik8s.objects.selectors import SelectorError, from_label_selector
from minik8s.store import Key
from minik8s.wire import Response, StatusError, bad_request, forbidden, too_many_requests

EVICTION = Kind("policy", "v1", "Eviction", "evictions", "eviction", True)
BUDGETS = "poddisruptionbudgets.policy"
DISRUPTION_TARGET = "DisruptionTarget"
MAX_DISRUPTED = 2000
_AMBIGUOUS = {
    "kind": "Status",
    "apiVersion": "v1",
    "metadata": {},
    "status": "Failure",
    "message": "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.",
    "code": 500,
}
"""What upstream answers as the created object: a failure inside a 201."""

_EVICTED = {"reason": "EvictionByEvictionAPI", "message": "Eviction API: evicting"}
_WOULD_VIOLATE = "Cannot evict pod as it would violate the pod's disruption budget."


def create(call: Call) -> Response:
    """Evict the pod, or answer 429 when a budget does not allow it now."""
    call.options = options.write_options(call.request, "CreateOptions")
    eviction = bodies.read_object(call, EVICTION, also=("policy/v1beta1",))
    common.check_namespace(call, eviction)
    if eviction["metadata"].get("name") != call.info.name:
        raise bad_request("name in URL does not match name in Eviction object")
    wanted = _delete_options(call, eviction.get("deleteOptions"))
    pod = common.stored(call)
    if not _ignores_budgets(pod):
        budgets = [b for b in call.server.store.list(BUDGETS, call.info.namespace) if _covers(b, pod)]
        if len(budgets) > 1:
            return Response(201, _AMBIGUOUS)
        if budgets:
            _ask(call, pod, budgets[0])
        delete.check_preconditions(call, pod, wanted)
        if not call.options.dry_run:
            pod = _marked(call, pod)
            wanted.resource_version = None  # it was the one asked for, before this very write
    main = replace(call, info=replace(call.info, subresource=""))
    if not call.options.dry_run:
        delete.check_preconditions(main, pod, wanted)
        pod, wanted = _mark(call, pod), replace(wanted, resource_version=None)
    delete.delete_object(main, pod, wanted)
    return Response(201, {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201})


def _delete_options(call: Call, given: Object | None) -> DeleteOptions:
    wanted = options.delete_options(replace(call.request, query={}), given or {})
    if call.options.dry_run or wanted.dry_run:
        wanted.dry_run = call.options.dry_run = True
    return wanted


def _mark(call: Call, pod: Object) -> Object:
    """The pod with the condition that tells why it goes (addConditionAndDeletePod)."""
    conditions = list((pod.get("status") or {}).get("conditions") or ())
    new: Object = {"type": "DisruptionTarget", "status": "True", **_EVICTED}
    old = next((c for c in conditions if c["type"] == new["type"]), None)
    stamp = old["lastTransitionTime"] if old is not None and old["status"] == "True" else rfc3339(call.now)
    new |= {"lastProbeTime": None, "lastTransitionTime": stamp}
    rest = [c for c in conditions if c is not old]
    changed = {**pod, "status": {**(pod.get("status") or {}), "conditions": [*rest, new]}}
    return call.server.store.update(call.key(pod["metadata"]["name"]), changed)


def _ignores_budgets(pod: Object) -> bool:
    """A pod that does not run, or is going already, disrupts nothing any more."""
    phase = (pod.get("status") or {}).get("phase")
    return phase in ("Succeeded", "Failed", "Pending") or pod["metadata"].get("deletionTimestamp") is not None


def _ask(call: Call, pod: Object, budget: Object) -> None:
    status = budget.get("status") or {}
    if not _is_ready(pod) and _may_go_unready(budget, status):
        return
    _check_and_decrement(call, pod, budget, status)


def _marked(call: Call, pod: Object) -> Object:
    """The pod as stored with the condition that tells why it goes (addConditionAndDeletePod)."""
    status = pod.get("status") or {}
    conditions = status.get("conditions") or []
    old: Object = next((c for c in conditions if c["type"] == DISRUPTION_TARGET), {})
    since = old["lastTransitionTime"] if old.get("status") == "True" else rfc3339(call.now)
    new: Object = {"type": DISRUPTION_TARGET}
    if generation := pod["metadata"].get("generation"):
        new["observedGeneration"] = generation
    new |= {"status": "True", "lastProbeTime": None, "lastTransitionTime": since,
            "reason": "EvictionByEvictionAPI", "message": "Eviction API: evicting"}
    kept = [new if c is old else c for c in conditions] if old else [*conditions, new]
    key = Key("pods", call.info.namespace, pod["metadata"]["name"])
    return call.server.store.update(key, {**pod, "status": {**status, "conditions": kept}})


def _covers(budget: Object, pod: Object) -> bool:
    try:
        selector = from_label_selector((budget.get("spec") or {}).get("selector"))
    except SelectorError:
        return False
    return not selector.empty and selector.matches(pod["metadata"].get("labels"))


def _is_ready(pod: Object) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(c.get("type") == "Ready" and c.get("status") == "True" for c in conditions)


def _may_go_unready(budget: Object, status: Object) -> bool:
    """A pod that is not ready counts for nothing: it may go by policy, or when enough others are healthy."""
    if (budget.get("spec") or {}).get("unhealthyPodEvictionPolicy") == "AlwaysAllow":
        return True
    desired = status.get("desiredHealthy", 0)
    return bool(desired > 0 and status.get("currentHealthy", 0) >= desired)


def _check_and_decrement(call: Call, pod: Object, budget: Object, status: Object) -> None:
    meta = budget["metadata"]
    if status.get("observedGeneration", 0) < meta.get("generation", 0):
        raise _too_many(f"The disruption budget {meta['name']} is still being processed by the server.", 10)
    allowed = status.get("disruptionsAllowed", 0)
    if allowed < 0:
        raise forbidden("poddisruptionbudget", meta["name"], "pdb disruptions allowed is negative", "policy")
    disrupted = status.get("disruptedPods") or {}
    if len(disrupted) > MAX_DISRUPTED:
        why = "DisruptedPods map too big - too many evictions not confirmed by PDB controller"
        raise forbidden("poddisruptionbudget", meta["name"], why, "policy")
    if allowed == 0:
        raise _too_many(f"The disruption budget {meta['name']} {_why_none(status)}", 0)
    if call.options.dry_run:
        return
    now = rfc3339(call.now)
    new = {**status, "disruptionsAllowed": allowed - 1, "disruptedPods": {**disrupted, pod["metadata"]["name"]: now}}
    if allowed == 1:
        new["conditions"] = _disallowed(new.get("conditions") or [], meta.get("generation", 0), now)
    key = Key(BUDGETS, meta["namespace"], meta["name"])
    call.server.store.update(key, {**budget, "status": new})


def _why_none(status: Object) -> str:
    needs, has = status.get("desiredHealthy", 0), status.get("currentHealthy", 0)
    found: Object = next((c for c in status.get("conditions") or () if c.get("type") == "DisruptionAllowed"), {})
    reason, message = found.get("reason"), found.get("message") if found.get("status") == "False" else ""
    if message and reason == "SyncFailed":
        return f"does not allow evicting pods currently because it failed sync: {message}"
    if has <= needs:
        return f"needs {needs} healthy pods and has {has} currently"
    if message:
        return f"does not allow evicting pods currently ({reason}): {message}"
    return "does not allow evicting pods currently"


def _disallowed(conditions: list[Object], generation: int, now: str) -> list[Object]:
    """DisruptionAllowed turns False (UpdateDisruptionAllowedCondition)."""
    new = {
        "type": "DisruptionAllowed",
        "status": "False",
        "reason": "InsufficientPods",
        "message": "",
        "observedGeneration": generation,
        "lastTransitionTime": now,
    }
    return [*(c for c in conditions if c.get("type") != "DisruptionAllowed"), new]


def _too_many(cause: str, retry_after: int) -> StatusError:
    details: Object = {"causes": [{"reason": "DisruptionBudget", "message": cause}]}
    if retry_after:
        details["retryAfterSeconds"] = retry_after
    return too_many_requests(_WOULD_VIOLATE, retry_after, details)
