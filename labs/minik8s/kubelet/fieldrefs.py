"""The downward API: fields of the pod and of its containers' resources as text (pkg/fieldpath)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from minik8s.objects.frozen import Object
from minik8s.objects.quantity import milli, parse_quantity, value

if TYPE_CHECKING:
    from minik8s.kubelet.pod import PodWorker

_SUBSCRIPT = re.compile(r"metadata\.(labels|annotations)\['([^']*)'\]")


def field_value(pod: PodWorker, path: str) -> str:
    """The value of a `fieldRef`; "" where there is none."""
    meta, spec = pod.pod["metadata"], pod.pod["spec"]
    subscript = _SUBSCRIPT.fullmatch(path)
    if subscript:
        return str((meta.get(subscript[1]) or {}).get(subscript[2], ""))
    if path in ("metadata.labels", "metadata.annotations"):
        table = meta.get(path.partition(".")[2]) or {}
        return "\n".join(f'{k}="{_escaped(table[k])}"' for k in sorted(table))
    known = {
        "metadata.name": meta["name"],
        "metadata.namespace": meta["namespace"],
        "metadata.uid": meta["uid"],
        "spec.nodeName": spec.get("nodeName", ""),
        "spec.serviceAccountName": spec.get("serviceAccountName", ""),
        "status.hostIP": pod.host_ip,
        "status.hostIPs": pod.host_ip,
        "status.podIP": pod.address,
        "status.podIPs": pod.address,
    }
    return str(known.get(path, ""))


def resource_value(pod: PodWorker, spec: Object, reference: Object) -> str:
    """The value of a `resourceFieldRef`: whole units of the divisor, rounded up; node allocatable where no limit is."""
    name = reference.get("containerName")
    if name:
        everyone = (*pod.pod["spec"]["containers"], *(pod.pod["spec"].get("initContainers") or ()))
        spec = next((c for c in everyone if c["name"] == name), spec)
    kind, _, resource = reference["resource"].partition(".")
    amounts = (spec.get("resources") or {}).get(kind) or {}
    amount = amounts.get(resource)
    if amount is None:
        amount = pod.kubelet.config.allocatable().get(resource, "0") if kind == "limits" else "0"
    divisor = parse_quantity(reference.get("divisor") or "1")
    if divisor.nanos == 0:
        divisor = parse_quantity("1")
    if resource == "cpu":
        return str(-(-milli(amount) // max(1, divisor.milli())))
    return str(-(-value(amount) // max(1, divisor.value())))


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
