"""Service account tokens: TokenRequest, and reading tokens back (kubernetes pkg/serviceaccount, KEP-1205).

A token is a JWT signed with HMAC-SHA256. The key is drawn from the cluster's seed, so that a history can be replayed;
a server that others can reach sets `config.token_key` to a secret of its own.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import TYPE_CHECKING, Any, Protocol

from minik8s import wire
from minik8s.objects.frozen import Object
from minik8s.objects.meta import parse_time, rfc3339
from minik8s.store import Key
from minik8s.wire import UserInfo

if TYPE_CHECKING:
    from minik8s.clock import Clock
    from minik8s.store import Store

AUDIENCE = "https://kubernetes.default.svc"
ISSUER = "https://kubernetes.default.svc"
INJECTED_SECONDS = 3607
EXTENDED_SECONDS = 365 * 24 * 3600
LEEWAY = 60
_MAX_SECONDS = 1 << 32
_GROUP = "authentication.k8s.io"


class Server(Protocol):
    @property
    def store(self) -> Store: ...

    @property
    def clock(self) -> Clock: ...


class TokenError(Exception):
    """A token that is not (or no longer) good; the text says why, never the token."""


# ---- signing ---------------------------------------------------------------------


def signing_key(server: Server) -> bytes:
    """The cluster's key: `config.token_key`, or one derived from the seed."""
    key = getattr(getattr(server, "config", None), "token_key", None)
    return key or hashlib.sha256(f"minik8s service account key {server.clock.seed}".encode()).digest()


def sign(claims: Object, key: bytes) -> str:
    """A compact JWT of the claims."""
    header = {"alg": "HS256", "kid": hashlib.sha256(key).hexdigest()[:16], "typ": "JWT"}
    head, body = (_encode(json.dumps(part, separators=(",", ":")).encode()) for part in (header, claims))
    return f"{head}.{body}.{_signature(f'{head}.{body}', key)}"


def read(token: str, key: bytes) -> Object:
    """The claims of a token that this key signed. TokenError otherwise."""
    head, _, rest = token.partition(".")
    body, _, signature = rest.partition(".")
    if not signature or not hmac.compare_digest(signature.encode(), _signature(f"{head}.{body}", key).encode()):
        raise TokenError("invalid bearer token")
    try:
        claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    except ValueError as error:
        raise TokenError("invalid bearer token") from error
    if not isinstance(claims, dict):
        raise TokenError("invalid bearer token")
    return claims


def _signature(text: str, key: bytes) -> str:
    return _encode(hmac.new(key, text.encode(), hashlib.sha256).digest())


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


# ---- TokenRequest ------------------------------------------------------------------


def create_token(server: Server, namespace: str, name: str, body: Object) -> Object:
    """POST serviceaccounts/NAME/token: the TokenRequest with its status. Raises StatusError."""
    account = server.store.get(Key("serviceaccounts", namespace, name))
    if account is None:
        raise wire.not_found("serviceaccounts", name)
    spec, meta = dict(body.get("spec") or {}), dict(body.get("metadata") or {})
    seconds = spec.get("expirationSeconds")
    seconds = 3600 if seconds is None else seconds
    _validate(meta, seconds, namespace, name)
    audiences = list(spec.get("audiences") or [AUDIENCE])
    bound, reference = _bound_object(server, account, spec.get("boundObjectRef"))
    now = int(server.clock.now())
    lifetime, warn = seconds, None
    if seconds == INJECTED_SECONDS and "pod" in bound and audiences == [AUDIENCE]:
        lifetime, warn = EXTENDED_SECONDS, now + seconds
    claims = _claims(server, account, audiences, now, lifetime)
    claims["kubernetes.io"] |= bound
    if warn is not None:
        claims["kubernetes.io"]["warnafter"] = warn
    uid = server.clock.uid()
    created = {"creationTimestamp": rfc3339(now), "name": name, "namespace": namespace, "uid": uid}
    return {
        "kind": "TokenRequest",
        "apiVersion": f"{_GROUP}/v1",
        "metadata": {**meta, **created},
        "spec": {"audiences": audiences, "expirationSeconds": seconds, "boundObjectRef": reference},
        "status": {
            "token": sign(claims, signing_key(server)),
            "expirationTimestamp": rfc3339(warn if warn is not None else now + lifetime),
        },
    }


def _claims(server: Server, account: Object, audiences: list[str], now: int, lifetime: int) -> Object:
    meta = account["metadata"]
    return {
        "aud": audiences,
        "exp": now + lifetime,
        "iat": now,
        "iss": ISSUER,
        "jti": server.clock.uid(),
        "kubernetes.io": {
            "namespace": meta["namespace"],
            "serviceaccount": {"name": meta["name"], "uid": meta["uid"]},
        },
        "nbf": now,
        "sub": f"system:serviceaccount:{meta['namespace']}:{meta['name']}",
    }


def _validate(meta: Object, seconds: Any, namespace: str, name: str) -> None:
    causes = []
    if isinstance(seconds, int) and seconds < 600:
        causes.append(("spec.expirationSeconds", seconds, "may not specify a duration less than 10 minutes"))
    elif isinstance(seconds, int) and seconds > _MAX_SECONDS:
        causes.append(("spec.expirationSeconds", seconds, "may not specify a duration larger than 2^32 seconds"))
    if meta.get("name", name) != name:
        causes.append(("metadata.name", meta["name"], "must match the service account name if specified"))
    if meta.get("namespace", namespace) != namespace:
        why = "must match the service account namespace if specified"
        causes.append(("metadata.namespace", meta["namespace"], why))
    if not causes:
        return
    details = [
        {"reason": "FieldValueInvalid", "message": f"Invalid value: {json.dumps(value)}: {why}", "field": field}
        for field, value, why in causes
    ]
    texts = [f"{cause['field']}: {cause['message']}" for cause in details]
    message = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
    raise wire.invalid("TokenRequest", "", details, message, _GROUP)


_BINDABLE = {("v1", "Pod"): "pods", ("v1", "Secret"): "secrets", ("v1", "Node"): "nodes"}


def _bound_object(server: Server, account: Object, reference: Object | None) -> tuple[Object, Object | None]:
    """The private claims for spec.boundObjectRef, and the reference with its UID filled in."""
    if not reference:
        return {}, None
    kind, version, name = reference.get("kind", ""), reference.get("apiVersion", ""), reference.get("name", "")
    resource = _BINDABLE.get((version, kind))
    if resource is None:
        group, _, short = version.rpartition("/")
        raise wire.bad_request(f"cannot bind token to object of type {group}/{short}, Kind={kind}")
    namespace, owner = account["metadata"]["namespace"], account["metadata"]["name"]
    found = server.store.get(Key(resource, "" if resource == "nodes" else namespace, name))
    if found is None:
        raise wire.not_found(resource, name)
    uid = found["metadata"]["uid"]
    if reference.get("uid") and reference["uid"] != uid:
        why = (
            f"the UID in the bound object reference ({reference['uid']}) does not match the UID in record. "
            "The object might have been deleted and then recreated"
        )
        raise wire.conflict(kind, name, why)
    claims: Object = {kind.lower(): {"name": name, "uid": uid}}
    if resource == "pods":
        used = found["spec"].get("serviceAccountName", "")
        if used != owner:
            text = f'cannot bind token for serviceaccount "{owner}" to pod running with different serviceaccount name.'
            raise wire.bad_request(text)
        node = server.store.get(Key("nodes", "", found["spec"].get("nodeName", "")))
        if node is not None:
            claims["node"] = {"name": node["metadata"]["name"], "uid": node["metadata"]["uid"]}
    return claims, {"kind": kind, "apiVersion": version, "name": name, "uid": reference.get("uid", uid)}


# ---- reading -----------------------------------------------------------------------


def user_of(server: Server, token: str, audiences: list[str] | None = None) -> tuple[UserInfo, list[str]]:
    """Who a token speaks for, and for which of the wanted audiences. TokenError when it is not good now."""
    claims = read(token, signing_key(server))
    wanted = audiences or [AUDIENCE]
    good_for = [audience for audience in wanted if audience in (claims.get("aud") or ())]
    if not good_for:
        raise TokenError(f"token audiences {claims.get('aud')} is invalid for the target audiences {wanted}")
    now = server.clock.now()
    if now > claims.get("exp", 0) + LEEWAY:
        raise TokenError("service account token has expired")
    if now + LEEWAY < claims.get("nbf", 0):
        raise TokenError("service account token is not valid yet")
    private = claims.get("kubernetes.io") or {}
    namespace, reference = private.get("namespace", ""), private.get("serviceaccount") or {}
    _still_there(server, "serviceaccounts", namespace, reference, "service account")
    for field, resource in (("secret", "secrets"), ("pod", "pods"), ("node", "nodes")):
        if field in private and not (field == "node" and "pod" in private):
            _still_there(server, resource, "" if field == "node" else namespace, private[field], field)
    return _user(namespace, reference, private, claims), good_for


def _still_there(server: Server, resource: str, namespace: str, reference: Object, what: str) -> None:
    name = reference.get("name", "")
    found = server.store.get(Key(resource, namespace, name))
    if found is None:
        gone = f'serviceaccounts "{name}" not found' if resource == "serviceaccounts" else ""
        raise TokenError(gone or "service account token has been invalidated")
    deleted = found["metadata"].get("deletionTimestamp")
    if deleted and parse_time(deleted) < server.clock.now() - LEEWAY:
        raise TokenError("service account token has been invalidated")
    if found["metadata"].get("uid") != reference.get("uid"):
        uid = found["metadata"].get("uid")
        raise TokenError(f"{what} UID ({uid}) does not match claim ({reference.get('uid')})")


def _user(namespace: str, reference: Object, private: Object, claims: Object) -> UserInfo:
    extra = {"authentication.kubernetes.io/credential-id": [f"JTI={claims.get('jti', '')}"]}
    for field in ("pod", "node"):
        if field in private:
            extra[f"authentication.kubernetes.io/{field}-name"] = [private[field]["name"]]
            extra[f"authentication.kubernetes.io/{field}-uid"] = [private[field]["uid"]]
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}")
    name = f"system:serviceaccount:{namespace}:{reference.get('name', '')}"
    return UserInfo(name, str(reference.get("uid", "")), groups, extra)
