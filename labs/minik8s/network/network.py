"""The network as one part of a cluster: the fabric, and the actors that write its status."""

from __future__ import annotations

from minik8s.client import Context
from minik8s.network.fabric import ClusterFabric
from minik8s.network.gateways import Gateways
from minik8s.network.loadbalancers import LoadBalancers
from minik8s.network.traffic import Traffic


class Network:
    """`fabric` goes into the kubelets' world; `traffic` is what a lab sends load with.

    The actors that write to the API wait for `start`: a bare control plane has no load balancers, and neither has a
    cluster on bare metal (the option `loadbalancers` is False) until somebody installs one.
    """

    def __init__(self, ctx: Context):
        self._gives_addresses = bool(ctx.options.get("loadbalancers", True))
        self.fabric = ClusterFabric(ctx.clock, ctx.informers)
        self.loadbalancers = LoadBalancers(ctx)
        self.gateways = Gateways(ctx, self.fabric)
        self.traffic = Traffic(ctx.clock, self.fabric, ctx.informers, ctx.trace)
        self.stop()

    def start(self) -> None:
        if self._gives_addresses:
            self.loadbalancers.start()
        self.gateways.start()

    def stop(self) -> None:
        self.loadbalancers.stop()
        self.gateways.stop()
