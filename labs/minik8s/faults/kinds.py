"""The kinds of faults: what each needs, does, and undoes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from minik8s.faults import connections

if TYPE_CHECKING:
    from minik8s.faults.faults import Fault, Faults

Undo = Callable[[], object]


class Kind(NamedTuple):
    """`do(faults, fault, **options)` begins the fault and returns what undoes it (None: nothing to undo)."""

    needs: tuple[str, ...]
    optional: tuple[str, ...]
    do: Callable[..., Undo | None]


# ---- containers ----------------------------------------------------------------------
def _crash_container(faults: Faults, fault: Fault, pod: str, container: str | None = None) -> None:
    running = faults.container(pod, container).running
    assert running is not None
    running.kill()


def _freeze_container(faults: Faults, fault: Fault, pod: str, container: str | None = None) -> Undo:
    running = faults.container(pod, container).running
    assert running is not None
    running.freeze()
    return running.thaw


# ---- nodes -----------------------------------------------------------------------------
def _kill_node(faults: Faults, fault: Fault, node: str) -> Undo:
    kubelet = faults.kubelet(node)
    kubelet.power_off()
    return kubelet.power_on


def _freeze_node(faults: Faults, fault: Fault, node: str) -> Undo:
    kubelet = faults.kubelet(node)
    kubelet.host.freeze()
    faults.network.fabric.down.add(node)

    def undo() -> None:
        faults.network.fabric.set_power(node, kubelet.powered)
        kubelet.thaw()

    return undo


def _partition_node(faults: Faults, fault: Fault, node: str) -> Undo:
    """The node reaches neither the API server nor other nodes; its pods go on."""
    kubelet, fabric = faults.kubelet(node), faults.network.fabric
    kubelet.disconnect()
    fabric.isolated.add(node)
    fabric.proxies.deafen(node)

    def undo() -> None:
        fabric.isolated.discard(node)
        fabric.proxies.undeafen(node)
        kubelet.reconnect()

    return undo


def _stop_kubelet(faults: Faults, fault: Fault, node: str) -> Undo:
    kubelet = faults.kubelet(node)
    kubelet.stop()
    return kubelet.start


def _skew_clock(faults: Faults, fault: Fault, node: str, by: float) -> Undo:
    kubelet = faults.kubelet(node)
    kubelet.host.skew += float(by)

    def undo() -> None:
        kubelet.host.skew -= float(by)

    return undo


def _fill_disk(faults: Faults, fault: Fault, node: str) -> Undo:
    kubelet = faults.kubelet(node)
    kubelet.evictions.foreign_disk += 1 << 60
    return lambda: kubelet.evictions.give_back(disk=1 << 60)


def _exhaust_memory(faults: Faults, fault: Fault, node: str) -> Undo:
    """A process outside of all pods takes all but 50 MiB of what is free."""
    kubelet = faults.kubelet(node)
    size = max(0, kubelet.evictions.memory_available() - (50 << 20))
    kubelet.evictions.foreign_memory += size
    return lambda: kubelet.evictions.give_back(memory=size)


# ---- the control plane -------------------------------------------------------------------
def _stop_part(faults: Faults, fault: Fault, part: str) -> Undo:
    faults.controlplane.stop(part)
    return lambda: faults.controlplane.start(part)


def _break_dns(faults: Faults, fault: Fault) -> Undo:
    dns = faults.network.fabric.dns
    dns.broken = True

    def undo() -> None:
        dns.broken = False

    return undo


def _cut_registry(faults: Faults, fault: Fault) -> Undo:
    registry = faults.fleet.world.registry
    registry.reachable = False

    def undo() -> None:
        registry.reachable = True

    return undo


KINDS: dict[str, Kind] = {
    "crash_container": Kind(("pod",), ("container",), _crash_container),
    "freeze_container": Kind(("pod",), ("container",), _freeze_container),
    "kill_node": Kind(("node",), (), _kill_node),
    "freeze_node": Kind(("node",), (), _freeze_node),
    "partition_node": Kind(("node",), (), _partition_node),
    "stop_kubelet": Kind(("node",), (), _stop_kubelet),
    "skew_clock": Kind(("node", "by"), (), _skew_clock),
    "fill_disk": Kind(("node",), (), _fill_disk),
    "exhaust_memory": Kind(("node",), (), _exhaust_memory),
    "slow_store": Kind((), ("by",), connections.slow_store),
    "fail_store": Kind((), ("rate", "lost_answers"), connections.fail_store),
    "drop_watch_events": Kind((), ("rate", "resource"), connections.drop_watch_events),
    "stop_part": Kind(("part",), (), _stop_part),
    "break_dns": Kind((), (), _break_dns),
    "cut_registry": Kind((), (), _cut_registry),
}


def anything(faults: Faults, value: Any, after: float) -> None:
    """No check."""


def _check_node(faults: Faults, value: Any, after: float) -> None:
    faults.kubelet(value)


def _check_pod(faults: Faults, value: Any, after: float) -> None:
    # A pod that is struck later may not exist yet.
    if after <= 0:
        faults.container(value, None)


def _check_part(faults: Faults, value: Any, after: float) -> None:
    parts = faults.controlplane.parts()
    if not any(value in (name, name.removesuffix("-controller")) for name in parts) and value not in (
        "kube-controller-manager", "controller-manager", "kube-scheduler", "kube-apiserver"
    ):
        raise ValueError(f"{value!r}라는 부품은 없다. 있는 것: {', '.join(parts)}")


def _check_rate(faults: Faults, value: Any, after: float) -> None:
    if not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ValueError(f"rate는 0에서 1 사이의 수여야 한다: {value!r}")


def _check_number(faults: Faults, value: Any, after: float) -> None:
    if not isinstance(value, int | float):
        raise ValueError(f"by는 초를 나타내는 수여야 한다: {value!r}")


CHECKS: dict[str, Callable[[Faults, Any, float], None]] = {
    "node": _check_node,
    "pod": _check_pod,
    "part": _check_part,
    "rate": _check_rate,
    "by": _check_number,
}
