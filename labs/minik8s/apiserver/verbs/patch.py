"""PATCH: JSON patch, merge patch, strategic merge patch, server-side apply.

Source: k8s.io/apiserver/pkg/endpoints/handlers/patch.go.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Protocol

from minik8s.apiserver import bodies, gojson, negotiation, options, scheme, yamlform
from minik8s.apiserver.call import Call
from minik8s.apiserver.errors import invalid_patch, plain_error, unprocessable
from minik8s.apiserver.patch.jsonpatch import JsonPatchError, json_patch
from minik8s.apiserver.patch.merge import merge_patch
from minik8s.apiserver.patch.schema import patch_schema
from minik8s.apiserver.patch.strategic import BadPatch, PatchFailed, Unprocessable, go_map, strategic_merge
from minik8s.apiserver.patch.unstructured import conversion_error
from minik8s.apiserver.verbs import common
from minik8s.apiserver.verbs.create import create_object
from minik8s.apiserver.verbs.update import replace, version_conflict
from minik8s.objects import Object
from minik8s.wire import Response, bad_request, too_large, unsupported_media_type

JSON_PATCH, MERGE, STRATEGIC, APPLY = negotiation.PATCH_TYPES
MAX_OPERATIONS = 10_000


class Storing(Protocol):
    """How the result is stored: as the whole object, or as its status only."""

    def __call__(self, call: Call, old: Object, new: Object, *, tracked: bool = True) -> Object: ...


def patch(call: Call, store: Storing = replace) -> Response:
    """Change the object by the body, in the format that the content type names; subresources `store` their own part."""
    media = check_media(call)
    call.options = options.write_options(call.request, "PatchOptions", patch=media)
    old = call.server.current(call.kind, call.key())
    if media == APPLY:
        return apply(call, old, store)
    body, repeated = read_patch(call, media)
    if old is None:
        raise common.missing(call)
    new = patched(call, media, old, body, repeated)
    return Response(200, store(call, old, new))


def check_media(call: Call) -> str:
    """The patch type of the request. StatusError 415."""
    media = negotiation.content_type(call.request.headers.get("content-type", ""))
    if call.kind.custom and media == STRATEGIC:
        known = ", ".join(name for name in negotiation.PATCH_TYPES if name != STRATEGIC)
        why = f"the body of the request was in an unknown format - accepted media types include: {known}"
        raise unsupported_media_type(why)
    if media not in negotiation.PATCH_TYPES:
        raise negotiation.unknown_patch()
    return media


def read_patch(call: Call, media: str) -> tuple[Any, list[str]]:
    """(the patch document, notes on keys that it repeats). StatusError 400."""
    body = call.request.body
    if isinstance(body, dict | list):
        value, repeated = body, list[str]()
    else:
        data = bodies.size_checked(body)
        try:
            value, repeated = gojson.loads(data.decode("utf-8"))
        except UnicodeDecodeError as error:
            raise bad_request(f"error decoding patch: invalid UTF-8 at byte {error.start}") from None
        except gojson.JsonError as error:
            why = str(error) if media == STRATEGIC else f"error decoding patch: {error}"
            raise bad_request(why) from None
    wanted = list if media == JSON_PATCH else dict
    if value is None:
        value = wanted()
    if not isinstance(value, wanted):
        what = {list: "array", dict: "object", str: "string", bool: "bool"}.get(type(value), "number")
        into = "[]handlers.jsonPatchOp" if media == JSON_PATCH else "map[string]interface {}"
        why = f"json: cannot unmarshal {what} into Go value of type {into}"
        raise bad_request(why if media == STRATEGIC else f"error decoding patch: {why}")
    return value, repeated


def patched(call: Call, media: str, old: Object, body: Any, repeated: list[str]) -> Object:
    """`old` with the patch in it, decoded and defaulted. StatusError."""
    if media == STRATEGIC:
        new, repeated, shown = _strategic(call, old, body, repeated)
    else:
        new, repeated, shown = _by_json(media, old, body, repeated)
    result = scheme.decode(call.kind, new, old)
    if result.error:
        why = (conversion_error(call.kind, new) if media == STRATEGIC else "") or result.error
        raise invalid_patch(shown(new), why)
    notes = [*repeated, *(sorted(result.strict) if media == STRATEGIC else result.strict)]
    if notes and call.options.validation == "Strict":
        raise invalid_patch(shown(new), f"strict decoding error: {', '.join(notes)}")
    if notes and call.options.validation == "Warn":
        call.warnings.extend(notes)
    obj = result.object
    check_target(call, obj, old)
    return scheme.default(call.kind, obj, old)


def check_target(call: Call, obj: Object, old: Object) -> None:
    """The patch may not turn the object into another one."""
    if obj.get("kind") != old.get("kind") or obj.get("apiVersion") != old.get("apiVersion"):
        bodies.check_type(call, obj, call.kind)
    common.check_namespace(call, obj)
    common.check_name(call, obj)


def _json_text(obj: Object) -> str:
    return json.dumps(obj, separators=(",", ":"), sort_keys=True, ensure_ascii=False)


Shown = Callable[[Object], str]


def _by_json(media: str, old: Object, body: Any, repeated: list[str]) -> tuple[Object, list[str], Shown]:
    if media == MERGE:
        return merge_patch(old, body), repeated, _json_text
    for operation in body:
        _check_operation(operation)
    if len(body) > MAX_OPERATIONS:
        why = f"The allowed maximum operations in a JSON patch is {MAX_OPERATIONS}, got {len(body)}"
        raise too_large(f"Request entity too large: {why}")
    unknown = [
        f'json patch unknown field "[{i}].{key}"'
        for i, operation in enumerate(body)
        for key in operation
        if key not in ("op", "path", "from", "value")
    ]
    try:
        new = json_patch(old, body)
    except JsonPatchError:
        raise unprocessable() from None
    if not isinstance(new, dict):
        raise unprocessable()
    return new, [*(f"json patch {note}" for note in repeated), *unknown], _json_text


def _check_operation(operation: Any) -> None:
    """The operation has the shape of handlers.jsonPatchOp. StatusError 400."""
    if not isinstance(operation, dict):
        into = "Go value of type handlers.jsonPatchOp"
        raise bad_request(f"error decoding patch: json: cannot unmarshal {_kind_of(operation)} into {into}")
    for name in ("op", "path", "from"):
        if not isinstance(operation.get(name, ""), str | None):
            into = f"Go struct field jsonPatchOp.{name} of type string"
            raise bad_request(f"error decoding patch: json: cannot unmarshal {_kind_of(operation[name])} into {into}")


def _kind_of(value: Any) -> str:
    return {list: "array", dict: "object", str: "string", bool: "bool"}.get(type(value), "number")


def _strategic(call: Call, old: Object, body: Object, repeated: list[str]) -> tuple[Object, list[str], Shown]:
    try:
        new = strategic_merge(old, body, patch_schema(call.kind))
    except BadPatch as error:
        raise bad_request(str(error)) from None
    except Unprocessable:
        raise unprocessable() from None
    except PatchFailed as error:
        raise plain_error(str(error)) from None
    return new, repeated, lambda _: go_map(body)


def apply(call: Call, old: Object | None, store: Storing) -> Response:
    """Server-side apply; creates the object when there is none (but not by way of a subresource)."""
    body, repeated = _applied_body(call)
    if old is None and call.info.subresource:
        raise common.missing(call)
    if old is None and (body.get("metadata") or {}).get("resourceVersion"):
        raise version_conflict(call)
    new = scheme.apply(call, old, body)
    if repeated and call.options.validation == "Strict":
        raise bad_request(f"error strict decoding patch: {', '.join(repeated)}")
    if new is not old:
        new = _converted(call, old, dict(new))
        common.check_namespace(call, new)
        common.check_name(call, new)
        new = scheme.default(call.kind, scheme.decode(call.kind, new).object)
    if old is None:
        return Response(201, create_object(call, new, tracked=True))
    return Response(200, old if new is old else store(call, old, new, tracked=False))


def _converted(call: Call, old: Object | None, new: Object) -> Object:
    """What was merged, as the kind's own type. StatusError 400."""
    result = scheme.decode(call.kind, new, old)
    if result.error:
        kind = call.kind
        what = f"{call.namespace}/{call.info.name}; {kind.group}/{kind.version}, Kind={kind.kind}"
        raise bad_request(
            f"failed to convert new object ({what}) to proper version ({kind.api_version}): {result.error}"
        )
    return result.object


def _applied_body(call: Call) -> tuple[Object, list[str]]:
    body = call.request.body
    if isinstance(body, dict):
        value, repeated = body, list[str]()
    else:
        try:
            value, repeated = yamlform.loads(bodies.size_checked(body).decode("utf-8"))
        except (UnicodeDecodeError, yamlform.YamlError) as error:
            raise bad_request(f"error decoding patch: {error}") from None
        if not isinstance(value, dict):
            raise bad_request("error decoding patch: json: cannot unmarshal value into Go value of type map[string]any")
        if gojson.too_deep(value):
            raise bad_request("error decoding patch: exceeded max depth")
    if not isinstance(value.get("metadata", {}), dict):
        into = "Go struct field .metadata of type map[string]interface {}"
        raise bad_request(f"error decoding patch: json: cannot unmarshal {_kind_of(value['metadata'])} into {into}")
    return {"metadata": {}, **value}, repeated
