"""What crosses the API: Request, Response, WatchEvent, and Status errors.

In-process callers pass Python objects as bodies; `edge` turns bytes into them and back.
Wording follows k8s.io/apimachinery/pkg/api/errors/errors.go.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from minik8s.objects.frozen import Object


@dataclass(slots=True)
class UserInfo:
    """Who is calling (authentication.k8s.io/v1 UserInfo)."""

    name: str
    uid: str = ""
    groups: tuple[str, ...] = ()
    extra: dict[str, list[str]] = field(default_factory=dict)


@dataclass(slots=True)
class Request:
    """One API call.

    headers  lower-case names
    query    a list of values per key, since keys may repeat
    user     None: still to be authenticated from the headers
    actor    who is calling, for the trace; also the default field manager
    """

    method: str
    path: str
    query: dict[str, list[str]] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None
    user: UserInfo | None = None
    actor: str = ""

    def param(self, name: str, default: str = "") -> str:
        """The first value of a query parameter."""
        values = self.query.get(name)
        return values[0] if values else default


class WatchEvent(NamedTuple):
    """One line of a watch: type is ADDED, MODIFIED, DELETED, BOOKMARK or ERROR."""

    type: str
    object: Object


class WatchStream(Protocol):
    """A queue of watch events that its holder drains; `wake` is called when it stops being empty."""

    wake: Callable[[], None] | None
    closed: bool

    def drain(self) -> list[WatchEvent]: ...

    def close(self) -> None: ...


@dataclass(slots=True)
class Response:
    """An answer. `stream` is set for a watch that was accepted; then `body` is None."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    stream: WatchStream | None = None


class StatusError(Exception):
    """A failed call: carries the metav1.Status that the API answers."""

    def __init__(
        self,
        code: int,
        reason: str,
        message: str,
        details: Object | None = None,
        headers: dict[str, str] | None = None,
    ):
        super().__init__(message)
        self.code, self.reason, self.message = code, reason, message
        self.details, self.headers = details, headers or {}

    def status(self) -> Object:
        """The Status object, as it goes over the wire."""
        out: Object = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure"}
        out["message"] = self.message
        if self.reason:
            out["reason"] = self.reason
        if self.details is not None:
            out["details"] = self.details
        out["code"] = self.code
        return out

    @classmethod
    def from_status(cls, body: Object, code: int = 500) -> StatusError:
        """The error that a Status body (of an answer >= 400) stands for; a body that is none gives a bare code."""
        if not isinstance(body, dict):
            return cls(code, "NotFound" if code == 404 else "", "the server could not find the requested resource")
        return cls(int(body.get("code") or code), body.get("reason", ""), body.get("message", ""), body.get("details"))


def _resource(resource: str, group: str) -> str:
    return f"{resource}.{group}" if group else resource


def _details(name: str, group: str, kind: str, **more: Any) -> Object:
    out: Object = {}
    if name:
        out["name"] = name
    if group:
        out["group"] = group
    if kind:
        out["kind"] = kind
    out.update(more)
    return out


def not_found(resource: str, name: str, group: str = "") -> StatusError:
    """404: `pods "a" not found`."""
    message = f'{_resource(resource, group)} "{name}" not found'
    return StatusError(404, "NotFound", message, _details(name, group, resource))


def path_not_found() -> StatusError:
    """404 for a path that no resource has."""
    message = "the server could not find the requested resource"
    return StatusError(404, "NotFound", message, {})


def already_exists(resource: str, name: str, group: str = "") -> StatusError:
    message = f'{_resource(resource, group)} "{name}" already exists'
    return StatusError(409, "AlreadyExists", message, _details(name, group, resource))


def conflict(resource: str, name: str, why: str, group: str = "") -> StatusError:
    """409: `Operation cannot be fulfilled on pods "a": ...`."""
    message = f'Operation cannot be fulfilled on {_resource(resource, group)} "{name}": {why}'
    return StatusError(409, "Conflict", message, _details(name, group, resource))


MODIFIED = "the object has been modified; please apply your changes to the latest version and try again"


def bad_request(message: str) -> StatusError:
    return StatusError(400, "BadRequest", message)


def unauthorized(message: str = "Unauthorized") -> StatusError:
    return StatusError(401, "Unauthorized", message)


def forbidden(resource: str, name: str, why: str, group: str = "") -> StatusError:
    """403: `pods "a" is forbidden: ...`."""
    what = _resource(resource, group)
    message = f'{what} "{name}" is forbidden: {why}' if name else f"{what} is forbidden: {why}"
    return StatusError(403, "Forbidden", message, _details(name, group, resource))


def method_not_supported(resource: str, action: str, group: str = "") -> StatusError:
    """405. `action` is the verb of the API: `delete is not supported on resources of kind "bindings"`."""
    message = f'{action} is not supported on resources of kind "{_resource(resource, group)}"'
    return StatusError(405, "MethodNotAllowed", message, _details("", group, resource))


def gone(message: str) -> StatusError:
    """410 with reason Expired, as for a resource version that was compacted."""
    return StatusError(410, "Expired", message)


def unsupported_media_type(message: str) -> StatusError:
    return StatusError(415, "UnsupportedMediaType", message)


def not_acceptable(message: str) -> StatusError:
    return StatusError(406, "NotAcceptable", message)


def too_large(message: str) -> StatusError:
    return StatusError(413, "RequestEntityTooLarge", message)


def too_many_requests(message: str, retry_after: int = 0, details: Object | None = None) -> StatusError:
    headers = {"retry-after": str(retry_after)} if retry_after else {}
    return StatusError(429, "TooManyRequests", message, details if details is not None else {}, headers)


def invalid(kind: str, name: str, causes: Sequence[Object], message: str, group: str = "") -> StatusError:
    """422. `causes` are metav1.StatusCause; `message` is the joined text of the field errors."""
    text = f'{kind}{"." + group if group else ""} "{name}" is invalid'
    if message:
        text += f": {message}"
    return StatusError(422, "Invalid", text, _details(name, group, kind, causes=list(causes)))


def internal_error(message: str) -> StatusError:
    return StatusError(500, "InternalError", f"Internal error occurred: {message}", {"causes": [{"message": message}]})
