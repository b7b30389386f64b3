"""What the API server asks of others: logs and processes of kubelets, and the metrics of what runs.

The API server checks the request and finds the pod; what comes then is the provider's. They are set where a cluster is
wired; without one the API answers as a real server does that cannot reach a kubelet.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from minik8s.objects import Object
from minik8s.wire import Request, Response


class LogProvider(Protocol):
    """Serves pods/log."""

    def logs(self, pod: Object, container: str, options: Object) -> Response:
        """The text (or a stream when `options["follow"]`). options: PodLogOptions by their JSON names."""
        ...


class StreamProvider(Protocol):
    """Serves pods/exec, pods/attach and pods/portforward."""

    def connect(self, pod: Object, subresource: str, options: Object, request: Request) -> Response:
        """What the edge turns into a WebSocket: a Response whose `stream` or body the edge understands."""
        ...


class ProxyProvider(Protocol):
    """Serves pods/proxy, services/proxy and nodes/proxy."""

    def proxy(self, obj: Object, port: str, path: str, request: Request) -> Response: ...


class MetricsProvider(Protocol):
    """Serves metrics.k8s.io."""

    def node_metrics(self, node: Object) -> Object | None: ...

    def pod_metrics(self, pod: Object) -> Object | None: ...


@dataclass
class Providers:
    """The providers of one cluster; None where there is none."""

    logs: LogProvider | None = None
    streams: StreamProvider | None = None
    proxy: ProxyProvider | None = None
    metrics: MetricsProvider | None = None


def unreachable(node: str, what: str) -> str:
    """The text of a kubelet that cannot be reached."""
    return f'Get "https://{node}:10250/{what}": dial tcp: lookup {node}: no such host'


__all__ = ["Any", "LogProvider", "MetricsProvider", "Providers", "ProxyProvider", "StreamProvider", "unreachable"]
