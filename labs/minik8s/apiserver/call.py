"""One request on its way through the server, and the verbs' common steps."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from minik8s.apiserver.admission.attributes import Attributes
from minik8s.apiserver.negotiation import PLAIN, Output
from minik8s.apiserver.options import WriteOptions
from minik8s.apiserver.requestinfo import RequestInfo
from minik8s.objects import Object
from minik8s.objects.kinds import Kind
from minik8s.store import Key
from minik8s.wire import Request, UserInfo

if TYPE_CHECKING:
    from minik8s.apiserver.server import ApiServer


@dataclass(slots=True)
class Call:
    """The request with everything that was found out about it on the way."""

    server: ApiServer
    request: Request
    info: RequestInfo
    kind: Kind
    user: UserInfo
    output: Output = PLAIN
    options: WriteOptions = field(default_factory=WriteOptions)
    warnings: list[str] = field(default_factory=list)

    @property
    def now(self) -> float:
        return self.server.clock.now()

    @property
    def namespace(self) -> str:
        """The namespace under which the object is kept: "" for cluster-scoped kinds."""
        return self.info.namespace if self.kind.namespaced else ""

    def key(self, name: str = "") -> Key:
        return Key(self.kind.storage_resource, self.namespace, name or self.info.name)

    @property
    def in_process(self) -> bool:
        """Whether the body came as an object, from an actor of this process."""
        return not isinstance(self.request.body, bytes | str)

    @property
    def manager(self) -> str:
        """Who owns the fields that this request sets (managerOrUserAgent)."""
        if self.options.manager:
            return self.options.manager
        agent = self.request.headers.get("user-agent", "")
        prefix = agent.partition("/")[0]
        if prefix:
            return prefix[:128]
        return self.request.actor.partition("/")[0] or "unknown"

    def attributes(self, operation: str, obj: Object | None, old: Object | None, name: str = "") -> Attributes:
        """What admission is told."""
        return Attributes(
            operation=operation,
            kind=self.kind.kind,
            resource=self.kind.resource_name,
            subresource=self.info.subresource,
            namespace=self.info.namespace,
            name=name or self.info.name,
            object=obj,
            old_object=old,
            user=self.user,
            dry_run=self.options.dry_run,
            warnings=self.warnings,
        )
