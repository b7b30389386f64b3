"""What an admission plugin is told about a write (k8s.io/apiserver/pkg/admission/attributes.go)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from minik8s import wire
from minik8s.objects.frozen import Object
from minik8s.wire import StatusError, UserInfo

if TYPE_CHECKING:
    from minik8s.apiserver.authz import Authorizer
    from minik8s.clock import Clock
    from minik8s.store import Store

CREATE, UPDATE, DELETE, CONNECT = "CREATE", "UPDATE", "DELETE", "CONNECT"


class Server(Protocol):
    """What plugins need of the API server: its objects, its clock, and who may do what."""

    @property
    def store(self) -> Store: ...

    @property
    def clock(self) -> Clock: ...

    @property
    def authorizer(self) -> Authorizer: ...


@dataclass(slots=True)
class Attributes:
    """One write on its way in.

    operation   CREATE, UPDATE, DELETE or CONNECT
    kind        the kind's name: "Pod"
    resource    "pods" or "deployments.apps"
    object      the new object, defaulted, free to be changed by `mutate`; None for DELETE
    old_object  the stored object for UPDATE and DELETE (frozen)
    warnings    texts for Warning headers that plugins add
    audit       annotations for the audit record that plugins add
    """

    operation: str
    kind: str
    resource: str
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    object: Object | None = None
    old_object: Object | None = None
    user: UserInfo | None = None
    dry_run: bool = False
    options: Object = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    audit: dict[str, str] = field(default_factory=dict)

    @property
    def plural(self) -> str:
        return self.resource.partition(".")[0]

    @property
    def group(self) -> str:
        return self.resource.partition(".")[2]

    def meta(self) -> dict[str, Any]:
        """The new object's metadata, to change."""
        if self.object is None:
            return {}
        found = self.object.get("metadata")
        if found is None:
            found = self.object["metadata"] = {}
        return found


def forbidden(a: Attributes, why: str) -> StatusError:
    """admission.NewForbidden: `pods "web" is forbidden: ...`; before a name is generated, its prefix is shown."""
    meta = (a.object or {}).get("metadata") or {}
    name = a.name or meta.get("name") or meta.get("generateName") or "Unknown"
    return wire.forbidden(a.plural, name, why, a.group)
