"""The cluster's network: Services, DNS, Ingress and Gateway routes, NetworkPolicy, and the traffic of a lab."""

from minik8s.network.apiproxy import ApiProxy
from minik8s.network.fabric import ClusterFabric
from minik8s.network.loadbalancers import LoadBalancers
from minik8s.network.network import Network
from minik8s.network.traffic import Load, Result, Traffic

__all__ = ["ApiProxy", "ClusterFabric", "Load", "LoadBalancers", "Network", "Result", "Traffic"]
