"""The audit record: every request leaves one entry in the trace, without bodies."""

from __future__ import annotations

from minik8s.apiserver.requestinfo import RequestInfo
from minik8s.trace import Trace
from minik8s.wire import Request, Response


class Audit:
    """Writes the trace's entries for requests."""

    def __init__(self, trace: Trace):
        self._trace = trace

    def record(self, request: Request, info: RequestInfo, response: Response) -> None:
        """`who verb resource/namespace/name`, the answer's code, and the revision that a write made."""
        actor = request.actor or (request.user.name if request.user else "system:anonymous")
        detail: dict[str, object] = {"code": response.status}
        if not info.resource:
            self._trace.record(actor, info.verb, info.path, **detail)
            return
        name = info.name
        body = response.body
        if info.verb in _WRITES and response.status < 300 and isinstance(body, dict):
            meta = body.get("metadata")
            if meta:
                name = name or meta.get("name", "")
                if "resourceVersion" in meta:
                    detail["resource_version"] = meta["resourceVersion"]
        if info.subresource:
            detail["subresource"] = info.subresource
        place = f"{info.namespace}/{name}" if info.namespace else name
        self._trace.record(
            actor, info.verb, f"{info.group_resource}/{place}" if place else info.group_resource, **detail
        )


_WRITES = frozenset({"create", "update", "patch", "delete"})
