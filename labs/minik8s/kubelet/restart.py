"""Whether a container that has ended runs again: restart policies, of the pod, of containers, and their rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from minik8s.kubelet.lifecycle import ContainerEvent
from minik8s.objects.frozen import Object

if TYPE_CHECKING:
    from minik8s.kubelet.container import ContainerWorker


def should_restart(spec: Object, kind: str, pod_policy: str, code: int) -> bool:
    """By KEP-5307's rules first, then the container's own policy, then the pod's."""
    for rule in spec.get("restartPolicyRules") or ():
        wanted = rule.get("exitCodes") or {}
        listed = code in (wanted.get("values") or ())
        if rule.get("action") == "Restart" and listed == (wanted.get("operator") == "In"):
            return True
    if kind == "ephemeral":
        return False
    if kind == "sidecar":
        return True
    policy = spec.get("restartPolicy") or pod_policy
    if policy == "Always" and kind == "init":
        policy = "OnFailure"
    return policy == "Always" or (policy == "OnFailure" and code != 0)


def exit_event(container: ContainerWorker) -> ContainerEvent:
    """What follows an exit."""
    pod, instance = container.pod, container.current
    code = instance.exit.code if instance is not None and instance.exit is not None else 0
    policy = pod.pod["spec"].get("restartPolicy", "Always")
    pod.record("exit", **container.detail())
    if pod.stopping or not should_restart(container.spec, container.kind, policy, code):
        return ContainerEvent.FINISH
    if pod.backoff_left(container) > 0:
        return ContainerEvent.RESTART_LATER
    pod.backoff.next(container.name, pod.host.true_now())
    return ContainerEvent.RESTART
