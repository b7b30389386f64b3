"""What may change in a pod, by which way: update, status, ephemeralcontainers, resize, binding.

Source: ``pkg/apis/core/validation/validation.go``.
"""

from __future__ import annotations

from typing import Any

from minik8s.objects.frozen import Object
from minik8s.objects.validation import meta, names
from minik8s.objects.validation.field import (
    Errors,
    GoValue,
    forbidden,
    invalid,
    messages_invalid,
    not_supported,
    required,
)
from minik8s.objects.validation.goformat import diff
from minik8s.objects.validation.ips import valid_ip
from minik8s.objects.validation.meta import MAX_INT32
from minik8s.objects.validation.pods import MIRROR, metadata_and_spec, pod_annotations, qos_class
from minik8s.objects.validation.scheduling import tolerations

_UPDATABLE = ("pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
              "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
              "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)\n")


def update(errors: Errors, new: Object, old: Object) -> None:
    meta.object_meta_update(errors, new["metadata"], old["metadata"])
    spec, before = new["spec"], old["spec"]
    if spec is before:
        own = new["metadata"]
        if own is not old["metadata"]:
            meta.object_meta(errors, own, True, names.name_is_subdomain)
            _annotation_updates(errors, new, old)
        return
    metadata_and_spec(errors, new)
    _annotation_updates(errors, new, old)
    for key in ("containers", "initContainers"):
        if not _same_containers(errors, spec.get(key) or [], before.get(key) or [], f"spec.{key}"):
            return
    if not _active_deadline(errors, spec.get("activeDeadlineSeconds"), before.get("activeDeadlineSeconds")):
        return
    _only_added_tolerations(errors, spec.get("tolerations") or [], before.get("tolerations") or [])
    _only_deleted_gates(errors, spec.get("schedulingGates") or [], before.get("schedulingGates") or [])
    if spec == before:
        return
    munged = _munged(spec, before)
    if before.get("schedulingGates"):
        _gated(errors, munged, before)
    if munged != before:
        errors.append(forbidden("spec", _UPDATABLE + diff(before, munged, "core.v1.PodSpec")))


def _same_containers(errors: Errors, new: list[Object], old: list[Object], path: str) -> bool:
    if len(new) != len(old):
        errors.append(forbidden(path, "pod updates may not add or remove containers"))
        return False
    for i, c in enumerate(new):
        image = c.get("image", "")
        if not image:
            errors.append(required(f"{path}[{i}].image"))
        if image != image.strip():
            errors.append(invalid(f"{path}[{i}].image", image, "must not have leading or trailing whitespace"))
    return True


def _active_deadline(errors: Errors, new: int | None, old: int | None) -> bool:
    path = "spec.activeDeadlineSeconds"
    if new is not None:
        if not 0 <= new <= MAX_INT32:
            errors.append(invalid(path, new, names.in_range(0, MAX_INT32)))
            return False
        if old is not None and old < new:
            errors.append(invalid(path, new, "must be less than or equal to previous value"))
            return False
    elif old is not None:
        errors.append(invalid(path, None, "must not update from a positive integer to nil value"))
    return True


def _only_added_tolerations(errors: Errors, new: list[Object], old: list[Object]) -> None:
    def key(toleration: Object) -> Object:
        return {k: v for k, v in toleration.items() if k != "tolerationSeconds"}

    present = [key(t) for t in new]
    if any(key(t) not in present for t in old):
        errors.append(forbidden("spec.tolerations",
                                "existing toleration can not be modified except its tolerationSeconds"))
        return
    tolerations(errors, new, "spec.tolerations")


def _only_deleted_gates(errors: Errors, new: list[Object], old: list[Object]) -> None:
    known = {gate.get("name") for gate in old}
    for i, gate in enumerate(new):
        if gate.get("name") not in known:
            errors.append(forbidden(f"spec.schedulingGates[{i}].name",
                                    f"only deletion is allowed, but found new scheduling gate '{gate.get('name')}'"))


def _munged(spec: Object, before: Object) -> Object:
    """The new spec with everything that may change put back."""
    munged = dict(spec)
    for key in ("containers", "initContainers"):
        if spec.get(key):
            munged[key] = [{**c, "image": o.get("image", "")} for c, o in zip(spec[key], before[key], strict=True)]
    for key in ("activeDeadlineSeconds", "schedulingGates", "tolerations"):
        munged.pop(key, None)
        if key in before:
            munged[key] = before[key]
    if before.get("terminationGracePeriodSeconds", 0) < 0 and spec.get("terminationGracePeriodSeconds") == 1:
        munged["terminationGracePeriodSeconds"] = before["terminationGracePeriodSeconds"]
    return munged


def _gated(errors: Errors, munged: Object, before: Object) -> None:
    """Pods that are not yet scheduled may be narrowed further."""
    selector, old_selector = munged.get("nodeSelector") or {}, before.get("nodeSelector") or {}
    if selector != old_selector:
        if any(selector.get(k) != v for k, v in old_selector.items()):
            errors.append(invalid("spec.nodeSelector", selector,
                                  "only additions to spec.nodeSelector are allowed (no mutations or deletions)"))
        munged.pop("nodeSelector", None)
        if old_selector:
            munged["nodeSelector"] = old_selector
    new_affinity, old_affinity = munged.get("affinity") or {}, before.get("affinity") or {}
    if new_affinity.get("nodeAffinity") != old_affinity.get("nodeAffinity"):
        _node_affinity_mutation(errors, new_affinity.get("nodeAffinity"), old_affinity.get("nodeAffinity"))
        rest = {k: v for k, v in new_affinity.items() if k != "nodeAffinity"}
        if "nodeAffinity" in old_affinity:
            rest["nodeAffinity"] = old_affinity["nodeAffinity"]
        munged.pop("affinity", None)
        if rest or "affinity" in before:
            munged["affinity"] = rest


def _node_affinity_mutation(errors: Errors, new: Object | None, old: Object | None) -> None:
    required_key = "requiredDuringSchedulingIgnoredDuringExecution"
    if not old or not old.get(required_key):
        return
    path = f"spec.affinity.nodeAffinity.{required_key}.nodeSelectorTerms"
    old_terms = old[required_key].get("nodeSelectorTerms") or []
    new_terms = ((new or {}).get(required_key) or {}).get("nodeSelectorTerms") or []
    if old_terms and len(old_terms) != len(new_terms):
        errors.append(invalid(path, GoValue(new_terms, "[]core.v1.NodeSelectorTerm"),
                              "no additions/deletions to non-empty NodeSelectorTerms list are allowed"))
        return
    for i, term in enumerate(old_terms):
        kept = all((new_terms[i].get(k) or [])[:len(v)] == v for k, v in term.items() if v)
        if not kept or (not any(term.values()) and any(new_terms[i].values())):
            errors.append(invalid(f"{path}[{i}]", GoValue(new_terms[i], "core.v1.NodeSelectorTerm"),
                                  "only additions are allowed (no mutations or deletions)"))


_APP_ARMOR = "container.apparmor.security.beta.kubernetes.io/"


def _annotation_updates(errors: Errors, new: Object, old: Object) -> None:
    now, before = new["metadata"].get("annotations") or {}, old["metadata"].get("annotations") or {}
    for key, value in before.items():
        if now.get(key) != value:
            if key.startswith(_APP_ARMOR):
                errors.append(forbidden(f"metadata.annotations[{key}]",
                                        "may not remove or update AppArmor annotations"))
            if key == MIRROR:
                errors.append(forbidden(f"metadata.annotations[{key}]",
                                        "may not remove or update mirror pod annotation"))
    for key in now:
        if key not in before:
            if key.startswith(_APP_ARMOR):
                errors.append(forbidden(f"metadata.annotations[{key}]", "may not add AppArmor annotations"))
            if key == MIRROR:
                errors.append(forbidden(f"metadata.annotations[{key}]", "may not add mirror pod annotation"))
    pod_annotations(errors, now, new["spec"], "metadata.annotations")


_SYSTEM_CONDITIONS = frozenset({"PodScheduled", "Ready", "Initialized"})


def status_update(errors: Errors, new: Object, old: Object) -> None:
    meta.object_meta_update(errors, new["metadata"], old["metadata"])
    _annotation_updates(errors, new, old)
    status, before = new["status"], old["status"]
    for i, condition in enumerate(status.get("conditions") or ()):
        kind = condition.get("type", "")
        if kind not in _SYSTEM_CONDITIONS:
            messages_invalid(errors, f"metadata.conditions[{i}].Type", kind, names.qualified_name(kind))
    if new["spec"].get("nodeName") != old["spec"].get("nodeName"):
        errors.append(forbidden("status.nodeName", "may not be changed directly"))
    nominated = status.get("nominatedNodeName", "")
    if nominated and nominated != before.get("nominatedNodeName"):
        messages_invalid(errors, "status.nominatedNodeName", nominated, names.name_is_subdomain(nominated, False))
    meta.immutable(errors, status.get("qosClass", ""), before.get("qosClass", ""), "status.qosClass")
    policy = old["spec"].get("restartPolicy", "Always")
    sidecars = {c.get("name") for c in old["spec"].get("initContainers") or () if c.get("restartPolicy") == "Always"}
    own_policy = {c.get("name") for c in old["spec"].get("containers") or () if c.get("restartPolicy") is not None}
    _transitions(errors, status, before, "containerStatuses", policy, own_policy)
    _transitions(errors, status, before, "initContainerStatuses", policy, sidecars)
    _transitions(errors, status, before, "ephemeralContainerStatuses", "Never", set())
    _ips(errors, status, "podIPs")
    _ips(errors, status, "hostIPs")
    hosts = status.get("hostIPs") or []
    if hosts and status.get("hostIP") != hosts[0].get("ip"):
        errors.append(invalid("status.hostIPs[0].ip", hosts[0].get("ip", ""), "must be equal to `hostIP`"))


def _transitions(errors: Errors, new: Object, old: Object, key: str, policy: str, exempt: set[Any]) -> None:
    if policy == "Always":
        return
    now = {s.get("name"): s for s in new.get(key) or ()}
    for i, status in enumerate(old.get(key) or ()):
        ended = (status.get("state") or {}).get("terminated")
        if ended is None or status.get("name") in exempt:
            continue
        if ended.get("exitCode", 0) != 0 and policy == "OnFailure":
            continue
        found = now.get(status.get("name"))
        if found is not None and (found.get("state") or {}).get("terminated") is None:
            errors.append(forbidden(f"status.{key}[{i}].state", "may not be transitioned to non-terminated state"))


def _ips(errors: Errors, status: Object, key: str) -> None:
    items = status.get(key) or []
    for i, item in enumerate(items):
        valid_ip(errors, item.get("ip", ""), f"status.{key}[{i}]", legacy=True)
    families = [":" in item.get("ip", "") for item in items]
    if len(items) > 2 or len(set(families)) < len(items):
        errors.append(invalid(f"status.{key}", items, "may specify no more than one IP for each IP family"))


def ephemeral_update(errors: Errors, new: Object, old: Object) -> None:
    """The ``ephemeralcontainers`` subresource: containers may be added, never changed."""
    meta.object_meta_update(errors, new["metadata"], old["metadata"])
    metadata_and_spec(errors, new)
    if MIRROR in (old["metadata"].get("annotations") or {}):
        errors[:] = [forbidden("", "static pods do not support ephemeral containers")]
        return
    now = {c.get("name"): c for c in new["spec"].get("ephemeralContainers") or ()}
    for c in old["spec"].get("ephemeralContainers") or ():
        name = c.get("name")
        if name not in now:
            errors.append(forbidden("spec.ephemeralContainers",
                                    f'existing ephemeral containers "{name}" may not be removed\n'))
        elif now[name] != c:
            changes = diff(c, now[name], "core.v1.EphemeralContainer")
            errors.append(forbidden("spec.ephemeralContainers",
                                    f'existing ephemeral containers "{name}" may not be changed\n{changes}'))


_RESIZABLE = ("cpu", "memory")


def resize_update(errors: Errors, new: Object, old: Object) -> None:
    """The ``resize`` subresource: only cpu and memory of containers."""
    meta.object_meta_update(errors, new["metadata"], old["metadata"])
    metadata_and_spec(errors, new)
    if MIRROR in (old["metadata"].get("annotations") or {}):
        errors[:] = [forbidden("", "static pods cannot be resized")]
        return
    spec, before = new["spec"], old["spec"]
    if (before.get("os") or {}).get("name") == "windows":
        errors[:] = [forbidden("", "windows pods cannot be resized")]
        return
    if qos_class(before) != qos_class(spec):
        errors.append(invalid("spec", new["status"].get("qosClass", ""),
                              "Pod QOS Class may not change as a result of resizing"))
    if any((c.get("state") or {}).get("running") is not None and c.get("resources") is None
           for c in (old["status"].get("containerStatuses") or ())[:1]):
        errors.append(forbidden("spec", "Pod running on node without support for resize"))
    put_back = dict(spec)
    _pod_level(errors, put_back, before)
    if _rearranged(errors, spec, before):
        return
    pairs = {key: list(zip(spec.get(key) or (), before.get(key) or (), strict=True))
             for key in ("initContainers", "containers")}
    for key, both in pairs.items():
        for i, (c, o) in enumerate(both):
            _resized(errors, c, o, f"spec.{key}[{i}].resources")
    for c, o in pairs["containers"]:
        if _with_resources_of(c, o) != o:
            errors.append(forbidden("spec", "only cpu and memory resources are mutable"))
    for i, (c, o) in enumerate(pairs["initContainers"]):
        _resized_init(errors, c, o, f"spec.initContainers[{i}]")
    for key, both in pairs.items():
        if both:
            put_back[key] = [_with_resources_of(c, o) for c, o in both]
    if not errors and put_back != before:
        errors.append(forbidden("spec", "only cpu and memory resources are mutable"))


def _rearranged(errors: Errors, new: Object, old: Object) -> bool:
    """Whether containers came, went or changed places (``validatePodResizeContainerOrdering``)."""
    count = len(errors)
    for key in ("containers", "initContainers"):
        now, before = ([c.get("name") for c in spec.get(key) or ()] for spec in (new, old))
        if len(now) != len(before):
            errors.append(forbidden(f"spec.{key}", f"{key} may not be added or removed on resize"))
            continue
        errors.extend(forbidden(f"spec.{key}[{i}].name", f"{key} may not be renamed or reordered on resize")
                      for i, (name, was) in enumerate(zip(now, before, strict=True)) if name != was)
    return len(errors) > count


def _pod_level(errors: Errors, put_back: Object, old: Object) -> None:
    """Amounts of the whole pod; they are put back in ``put_back`` (``validatePodLevelResourcesResize``)."""
    now, before = put_back.get("resources"), old.get("resources")
    if not any((value or {}).get(key) for value in (now, before) for key in ("requests", "limits")):
        return
    if before is not None and now is None:
        errors.append(forbidden("spec.resources", "pod-level resources cannot be removed"))
        return
    for key in ("requests", "limits"):
        if set((before or {}).get(key) or ()) - set((now or {}).get(key) or ()):
            errors.append(forbidden(f"spec.resources.{key}", f"pod-level resource {key} cannot be removed"))
    put_back["resources"] = _with_resources_of(put_back, old)["resources"]
    if before is None:
        del put_back["resources"]
    elif put_back["resources"] != before:
        errors.append(forbidden("spec", "only cpu and memory resources are mutable at pod-level"))


def _resized_init(errors: Errors, new: Object, old: Object, path: str) -> None:
    if _with_resources_of(new, old) != old:
        why = "only cpu and memory resources for init or sidecar containers are mutable"
        errors.append(forbidden(path, why))
    restarts = any(item.get("restartPolicy") == "RestartContainer" for item in new.get("resizePolicy") or ())
    if new != old and new.get("restartPolicy") != "Always" and restarts:
        why = "non-sidecar init containers with a resize policy of RestartContainer cannot be resized"
        errors.append(forbidden(path, why))


def _with_resources_of(c: Object, old: Object) -> Object:
    """``c`` with the old amounts of cpu and memory."""
    if "restartPolicy" not in c and c == old:
        return c
    resources = {}
    for key in ("limits", "requests"):
        now, before = (c.get("resources") or {}).get(key) or {}, (old.get("resources") or {}).get(key)
        if before is None:
            continue
        kept = {k: v for k, v in now.items() if k not in _RESIZABLE}
        resources[key] = kept | {k: before[k] for k in _RESIZABLE if k in before}
    claims = (c.get("resources") or {}).get("claims")
    return {**c, "resources": resources | ({"claims": claims} if claims else {}),
            **({"resizePolicy": c["resizePolicy"]} if "resizePolicy" in c else {})}


def _resized(errors: Errors, new: Object, old: Object, path: str) -> None:
    now, before = new.get("resources") or {}, old.get("resources") or {}
    for key, what in (("requests", "resource requests"), ("limits", "resource limits")):
        if set(before.get(key) or ()) - set(now.get(key) or ()):
            errors.append(forbidden(f"{path}.{key}", f"{what} cannot be removed"))


def binding(errors: Errors, obj: Object) -> None:
    target = obj.get("target") or {}
    if target.get("kind") and target["kind"] != "Node":
        errors.append(not_supported("target.kind", target["kind"], ("Node", "<empty>")))
    if not target.get("name"):
        errors.append(required("target.name"))
