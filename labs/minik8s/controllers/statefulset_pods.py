"""The identity and the storage of a StatefulSet's pods (pkg/controller/statefulset/stateful_set_utils.go)."""

from __future__ import annotations

import re

from minik8s.controllers.history import REVISION_LABEL, template_of
from minik8s.controllers.podcontrol import pod_from_template
from minik8s.controllers.podutil import is_available, is_ready, phase
from minik8s.objects import Object
from minik8s.objects.meta import labels, owner_ref

POD_NAME = "statefulset.kubernetes.io/pod-name"
POD_INDEX = "apps.kubernetes.io/pod-index"
_NAME = re.compile(r"(.*)-([0-9]+)")


def start_ordinal(owner: Object) -> int:
    return int((owner["spec"].get("ordinals") or {}).get("start", 0))


def parent_and_ordinal(pod: Object) -> tuple[str, int]:
    """("db", 2) of a pod named db-2; ordinal -1 when the name has none."""
    found = _NAME.fullmatch(pod["metadata"]["name"])
    return (found[1], int(found[2])) if found else ("", -1)


def ordinal(pod: Object) -> int:
    return parent_and_ordinal(pod)[1]


def is_member(owner: Object, pod: Object) -> bool:
    return bool(parent_and_ordinal(pod)[0] == owner["metadata"]["name"])


def revision_of(pod: Object) -> str:
    return labels(pod).get(REVISION_LABEL, "")


def is_running_and_ready(pod: Object) -> bool:
    return phase(pod) == "Running" and is_ready(pod)


def is_running_and_available(pod: Object, minimum: int, now: float) -> bool:
    return is_available(pod, minimum, now)


def is_unavailable(pod: Object, minimum: int, now: float) -> bool:
    return not is_available(pod, minimum, now) or "deletionTimestamp" in pod["metadata"]


def claim_name(owner: Object, template: Object, number: int) -> str:
    return f"{template['metadata']['name']}-{owner['metadata']['name']}-{number}"


def claim_templates(owner: Object) -> list[Object]:
    return list(owner["spec"].get("volumeClaimTemplates") or ())


def claims_of(owner: Object, pod: Object) -> list[Object]:
    """The PersistentVolumeClaims that a pod needs, as they are to be created."""
    out = []
    selected = owner["spec"]["selector"].get("matchLabels") or {}
    for template in claim_templates(owner):
        own = template["metadata"]
        meta: Object = {
            "name": claim_name(owner, template, ordinal(pod)),
            "namespace": owner["metadata"]["namespace"],
            "labels": {**(own.get("labels") or {}), **selected},
        }
        if own.get("annotations"):
            meta["annotations"] = own["annotations"]
        out.append({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": meta, "spec": template["spec"]})
    return out


def new_pod(owner: Object, revision: Object, number: int) -> Object:
    """Pod `number` as the template of `revision` wants it, with its name, hostname and volumes."""
    pod = pod_from_template(template_of(revision), owner)
    name = f"{owner['metadata']['name']}-{number}"
    meta = {k: v for k, v in pod["metadata"].items() if k != "generateName"}
    meta["name"] = name
    meta["labels"] = {
        **(meta.get("labels") or {}),
        POD_NAME: name,
        POD_INDEX: str(number),
        REVISION_LABEL: revision["metadata"]["name"],
    }
    spec = {**pod["spec"], "hostname": name}
    if owner["spec"].get("serviceName"):
        spec["subdomain"] = owner["spec"]["serviceName"]
    return with_storage(owner, {**pod, "metadata": meta, "spec": spec})


def with_storage(owner: Object, pod: Object) -> Object:
    """`pod` with the volumes of the claim templates in place of those of the same names."""
    templates = claim_templates(owner)
    if not templates:
        return pod
    names = {t["metadata"]["name"] for t in templates}
    volumes: list[Object] = [
        {
            "name": t["metadata"]["name"],
            "persistentVolumeClaim": {"claimName": claim_name(owner, t, ordinal(pod)), "readOnly": False},
        }
        for t in templates
    ]
    volumes += [v for v in pod["spec"].get("volumes") or () if v["name"] not in names]
    return {**pod, "spec": {**pod["spec"], "volumes": volumes}}


def identity_matches(owner: Object, pod: Object) -> bool:
    found, name = labels(pod), pod["metadata"]["name"]
    return is_member(owner, pod) and found.get(POD_NAME) == name and found.get(POD_INDEX) == str(ordinal(pod))


def with_identity(pod: Object) -> Object:
    meta = pod["metadata"]
    marks = {POD_NAME: meta["name"], POD_INDEX: str(ordinal(pod))}
    return {**pod, "metadata": {**meta, "labels": {**labels(pod), **marks}}}


def retention(owner: Object) -> tuple[str, str]:
    """(whenDeleted, whenScaled), each Retain or Delete (KEP-1847)."""
    policy = owner["spec"].get("persistentVolumeClaimRetentionPolicy") or {}
    return policy.get("whenDeleted", "Retain"), policy.get("whenScaled", "Retain")


def claim_owners(owner: Object, pod: Object, claim: Object, *, condemned: bool) -> list[Object]:
    """The owner references that a claim must have: its set, its condemned pod, or neither."""
    when_deleted, when_scaled = retention(owner)
    ours = (("StatefulSet", owner["metadata"]["name"]), ("Pod", pod["metadata"]["name"]))
    references = [dict(r) for r in claim["metadata"].get("ownerReferences") or ()]
    kept = [r for r in references if (r["kind"], r["name"]) not in ours]
    if (when_deleted, when_scaled) != ("Retain", "Retain") and any(r.get("controller") for r in kept):
        return kept  # another controller manages the claim: the policy is not ours to enforce
    if condemned and when_scaled == "Delete":
        kept.append(owner_ref(pod))
    elif when_deleted == "Delete":
        kept.append(owner_ref(owner))
    return kept


def claim_is_stale(claim: Object | None, pod: Object) -> bool:
    """Whether a claim still belongs to an earlier pod of this name and will go with it."""
    if claim is None:
        return False
    meta = pod["metadata"]
    references = claim["metadata"].get("ownerReferences") or ()
    return any(r["kind"] == "Pod" and r["name"] == meta["name"] and r["uid"] != meta.get("uid") for r in references)
