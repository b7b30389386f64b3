"""Authentication and authorization of a request, before anything else is looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from minik8s.apiserver import authn, authz
from minik8s.apiserver.requestinfo import RequestInfo
from minik8s.wire import Request, UserInfo

if TYPE_CHECKING:
    from minik8s.apiserver.server import ApiServer


def admit(server: ApiServer, request: Request, info: RequestInfo) -> UserInfo:
    """Who calls, when they may do what they ask for. StatusError 401 or 403."""
    user = authn.authenticate(request, server)
    request.user = user
    allowed, reason = authz.authorize(user, info, server)
    if not allowed:
        raise authz.refuse(user, info, reason)
    return user
