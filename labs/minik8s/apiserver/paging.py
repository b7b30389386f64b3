"""Continue tokens: where a list in pieces goes on, and at which revision.

Source: k8s.io/apiserver/pkg/storage/continue.go.
"""

from __future__ import annotations

import base64
import binascii
import json

from minik8s.apiserver import gojson
from minik8s.objects import Object
from minik8s.wire import StatusError, bad_request

_EXPIRED = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without"
    " the continue parameter, or use the continue token in this response to retrieve the remainder of the results."
    " Continuing with the provided token results in an inconsistent list - objects that were created, modified, or"
    " deleted between the time the first chunk was returned and now may show up in the list."
)


def encode(revision: int, namespace: str, name: str, *, within_namespace: bool) -> str:
    """The token after the object `namespace/name`. `revision` -1: go on with whatever is current."""
    start = name if within_namespace or not namespace else f"{namespace}/{name}"
    text = json.dumps({"v": "meta.k8s.io/v1", "rv": revision, "start": start + "\0"}, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode(token: str) -> tuple[int, str]:
    """(revision, the key after which to go on). StatusError 400."""
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        raise _bad("illegal base64 data at input byte 0") from None
    try:
        value, _ = gojson.loads(raw.decode("utf-8", "surrogateescape"))
    except gojson.JsonError as error:
        raise _bad(str(error)) from None
    if not isinstance(value, dict):
        raise _bad("json: cannot unmarshal value into Go value of type storage.continueToken")
    revision, start = value.get("rv", 0), value.get("start", "")
    if value.get("v") != "meta.k8s.io/v1":
        version = value.get("v", "")
        raise bad_request(f'invalid continue token: server does not recognize this encoded version "{version}"')
    if not isinstance(revision, int) or revision == 0:
        raise bad_request("invalid continue token: incorrect encoded start resourceVersion (version meta.k8s.io/v1)")
    if not isinstance(start, str) or not start:
        raise bad_request("invalid continue token: continue key is not valid: encoded start key empty"
                          " (version meta.k8s.io/v1)")  # fmt: skip
    if ".." in start.split("/"):
        raise bad_request(f"invalid continue token: continue key is not valid: {start}")
    return revision, start.rstrip("\0")


def _bad(why: str) -> StatusError:
    return bad_request(f"invalid continue token: continue key is not valid: {why}")


class Expired(StatusError):
    """410 with a token by which the rest can be had from the current state."""

    def __init__(self, token: str):
        super().__init__(410, "Expired", _EXPIRED)
        self._token = token

    def status(self) -> Object:
        return {**super().status(), "metadata": {"continue": self._token}}
