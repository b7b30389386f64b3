"""What one API server is started with."""

from __future__ import annotations

from dataclasses import dataclass, field

from minik8s.wire import UserInfo


@dataclass
class Config:
    """Settings of an ApiServer.

    service_cidr / node_ports   the ranges from which Services get addresses and ports
    event_ttl                   seconds after which Events are forgotten (kube-apiserver --event-ttl)
    bookmark_period             seconds between bookmarks (a real server: 60); 0: none, for watchers in this process
    watch_timeout               seconds after which a watch ends that names no timeout (a real server: 1800 to 3600);
                                0: never
    anonymous                   whether requests without credentials are system:anonymous (else 401)
    tokens                      static bearer tokens and whose they are
    token_key                   key that signs service account tokens; empty: one drawn from the clock's seed
    """

    service_cidr: str = "10.96.0.0/16"
    node_ports: tuple[int, int] = (30000, 32767)
    event_ttl: float = 3600.0
    bookmark_period: float = 0.0
    watch_timeout: float = 0.0
    anonymous: bool = True
    tokens: dict[str, UserInfo] = field(default_factory=dict)
    token_key: bytes = b""
