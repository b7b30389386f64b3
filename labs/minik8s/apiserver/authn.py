"""Authentication: who is calling. Bearer tokens, service account tokens, impersonation, else anonymous.

Anonymous callers are let through as `system:anonymous`, as kube-apiserver does; RBAC gives them no more than
the health and version paths. A wrong token is 401, never anonymous.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol
from urllib.parse import unquote

from minik8s.apiserver import authz, tokens
from minik8s.wire import Request, UserInfo, bad_request, unauthorized

if TYPE_CHECKING:
    from minik8s.apiserver.authz import Authorizer
    from minik8s.clock import Clock
    from minik8s.store import Store

ANONYMOUS, AUTHENTICATED, UNAUTHENTICATED = "system:anonymous", "system:authenticated", "system:unauthenticated"
_EXTRA_PREFIX = "impersonate-extra-"


class Server(Protocol):
    @property
    def store(self) -> Store: ...

    @property
    def clock(self) -> Clock: ...

    @property
    def authorizer(self) -> Authorizer: ...


def authenticate(request: Request, server: Server) -> UserInfo:
    """The user of a request, after impersonation. StatusError 401 for a bad token, 403 for a refused impersonation.

    A caller in the same process sets `request.user` and needs no token.
    """
    user = request.user
    if user is None:
        user = _from_token(request.headers.get("authorization", ""), server)
    if any(name.startswith("impersonate-") for name in request.headers):
        return _impersonate(user, request, server)
    return user


def authenticated(user: UserInfo) -> UserInfo:
    """The user with group system:authenticated added, as every successful authentication does."""
    if AUTHENTICATED in user.groups or user.name == ANONYMOUS:
        return user
    return UserInfo(user.name, user.uid, (*user.groups, AUTHENTICATED), user.extra)


def _from_token(header: str, server: Server) -> UserInfo:
    scheme, _, token = header.strip().partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        if not getattr(getattr(server, "config", None), "anonymous", True):
            raise unauthorized()
        return UserInfo(ANONYMOUS, "", (UNAUTHENTICATED,))
    user = user_of_token(token.strip(), server)
    if user is None:
        raise unauthorized()
    return user


def user_of_token(token: str, server: Server) -> UserInfo | None:
    """The user behind a bearer token for this API server, or None."""
    static: dict[str, UserInfo] = getattr(getattr(server, "config", None), "tokens", None) or {}
    found = None
    for known, user in static.items():  # every one is compared, so that time tells nothing about them
        if hmac.compare_digest(known.encode(), token.encode()):
            found = user
    if found is not None:
        return authenticated(found)
    try:
        return authenticated(tokens.user_of(server, token)[0])
    except tokens.TokenError:
        return None


# ---- impersonation (endpoints/filters/impersonation) -----------------------------------


def _impersonate(user: UserInfo, request: Request, server: Server) -> UserInfo:
    headers = request.headers
    name, uid = headers.get("impersonate-user", ""), headers.get("impersonate-uid", "")
    groups = _values(headers.get("impersonate-group", ""))
    extra = {
        unquote(header[len(_EXTRA_PREFIX) :]): _values(value)
        for header, value in headers.items()
        if header.startswith(_EXTRA_PREFIX)
    }
    if not name:
        if groups or uid or extra:
            raise bad_request("requested impersonation of groups, extra or uid without impersonating a user")
        return user
    for ask in _asks(name, uid, groups, extra):
        allowed, reason = authz.authorize(user, ask, server)
        if not allowed:
            raise authz.refuse(user, ask, reason)
    account = _service_account(name)
    if account and not groups:
        groups = ["system:serviceaccounts", f"system:serviceaccounts:{account[0]}"]
    group = UNAUTHENTICATED if name == ANONYMOUS else AUTHENTICATED
    if group not in groups and UNAUTHENTICATED not in groups:
        groups.append(group)
    return UserInfo(name, uid, tuple(groups), extra)


def _asks(name: str, uid: str, groups: list[str], extra: dict[str, list[str]]) -> Iterator[authz.Ask]:
    account = _service_account(name)
    if account:
        yield authz.Ask("impersonate", "serviceaccounts", namespace=account[0], name=account[1])
    else:
        yield authz.Ask("impersonate", "users", name=name)
    for group in groups:
        yield authz.Ask("impersonate", "groups", name=group)
    for key, values in extra.items():
        for value in values:
            yield authz.Ask("impersonate", "userextras", "authentication.k8s.io", name=value, subresource=key)
    if uid:
        yield authz.Ask("impersonate", "uids", "authentication.k8s.io", name=uid)


def _service_account(name: str) -> tuple[str, str] | None:
    parts = name.split(":")
    return (parts[2], parts[3]) if len(parts) == 4 and parts[:2] == ["system", "serviceaccount"] else None


def _values(header: str) -> list[str]:
    """The values of a header that may be repeated; the edge joins repetitions with a newline."""
    return [value for value in header.split("\n") if value]
