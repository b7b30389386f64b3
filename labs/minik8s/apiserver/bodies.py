"""Request bodies: bytes in JSON or YAML, or objects of this process, turned into objects of the expected kind.

The order of checks and their words follow k8s.io/apiserver/pkg/endpoints/handlers/{create,update,rest}.go.
"""

from __future__ import annotations

from typing import Any

from minik8s.apiserver import gojson, negotiation, protobuf, scheme, yamlform
from minik8s.apiserver.call import Call
from minik8s.objects import Object
from minik8s.objects.kinds import Kind
from minik8s.wire import StatusError, bad_request, too_large

MAX_BODY = 3 * 1024 * 1024
"""The largest body in bytes (MaxRequestBodyBytes of k8s.io/apiserver)."""

LEGACY_SCHEME = "pkg/api/legacyscheme/scheme.go:30"
META_SCHEME = "k8s.io/apimachinery/pkg/apis/meta/internalversion/scheme/register.go:27"
_VERSION_KIND = (
    'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }'
)


def read_object(call: Call, kind: Kind, old: Object | None = None, also: tuple[str, ...] = ()) -> Object:
    """The body as an object of `kind`, with unknown fields dropped, warned of or refused. StatusError 4xx.

    `old`: the stored object that the body changes. `also`: other apiVersions in which the kind is accepted.
    """
    body = call.request.body
    if isinstance(body, dict):
        obj, repeated = body, _NONE
    else:
        obj, repeated = _parse(call, body, kind)
    if also and obj.get("apiVersion") in also:
        obj = {**obj, "apiVersion": kind.api_version}
    group_kind = check_type(call, obj, kind)
    if not isinstance(body, dict) or "kind" not in obj or "apiVersion" not in obj:
        obj = _with_type(obj, kind)
    result = scheme.decode(kind, obj, old)
    if result.error:
        raise _cannot_handle(group_kind, kind.kind, result.error)
    if repeated or result.strict:
        _strict(call, group_kind, kind, [*result.strict, *(r for r in repeated if r not in result.strict)])
    return result.object


_NONE: list[str] = []


def _with_type(obj: Object, kind: Kind) -> Object:
    """`obj` with apiVersion and kind; a marked dict keeps its marks."""
    if obj.get("kind") and obj.get("apiVersion"):
        return obj
    out = obj if hasattr(obj, "duplicates") else dict(obj)
    out["apiVersion"] = obj.get("apiVersion") or kind.api_version
    out["kind"] = obj.get("kind") or kind.kind
    return out


def size_checked(body: bytes | str | None) -> bytes:
    """The raw body. StatusError 413."""
    data = body.encode() if isinstance(body, str) else body or b""
    if len(data) > MAX_BODY:
        raise too_large(f"Request entity too large: limit is {MAX_BODY}")
    return data


def _parse(call: Call, body: Any, kind: Kind) -> tuple[Object, list[str]]:
    data = size_checked(body)
    media = negotiation.content_type(call.request.headers.get("content-type", ""))
    if media not in ("", negotiation.JSON, negotiation.YAML, negotiation.PROTOBUF):
        raise negotiation.unknown_body()
    try:
        if media == negotiation.PROTOBUF:
            return protobuf.decode(data), _NONE
        return parse_document(data, media == negotiation.YAML)
    except ValueError as error:
        raise _unrecognized(kind.kind, str(error), data) from None


def parse_document(data: bytes, is_yaml: bool) -> tuple[Object, list[str]]:
    """(the object in `data`, the notes about repeated keys). ValueError with upstream's text."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{'yaml: ' if is_yaml else _JSON_ERROR}invalid UTF-8 at byte {error.start}") from None
    if is_yaml:
        value, repeated = yamlform.loads(text)
        if value is not None and gojson.too_deep(value):
            raise ValueError("yaml: exceeded max depth")
    else:
        try:
            value, repeated = gojson.loads(text)
        except gojson.JsonError as error:
            raise ValueError(f"{_JSON_ERROR}{error}") from None
    if value is None:
        value = {}
    if not isinstance(value, dict):
        name = "array" if isinstance(value, list) else _json_name(value)
        raise ValueError(f"{_JSON_ERROR}json: cannot unmarshal {name} into Go value of type {_VERSION_KIND}")
    for field, wanted in (("apiVersion", "APIVersion"), ("kind", "Kind")):
        if field in value and not isinstance(value[field], str | None):
            what = f"{_json_name(value[field])} into Go struct field .{field} of type string"
            raise ValueError(f"{_JSON_ERROR}json: cannot unmarshal {what}")
        del wanted
    return value, repeated


_JSON_ERROR = "couldn't get version/kind; json parse error: "


def _json_name(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    for kind, name in ((str, "string"), (int | float, "number"), (list, "array"), (dict, "object")):
        if isinstance(value, kind):
            return name
    return "null"


def _summary(data: bytes) -> str:
    if not data:
        return "<empty>"
    return f"{data[:30].hex()} ..." if len(data) > 30 else data.hex()


def _unrecognized(wanted: str, why: str, data: bytes) -> StatusError:
    return bad_request(f"the object provided is unrecognized (must be of type {wanted}): {why} ({_summary(data)})")


def _cannot_handle(given: tuple[str, str], wanted: str, why: str) -> StatusError:
    api_version, name = given
    version = api_version.rpartition("/")[2]
    return bad_request(f'{name} in version "{version}" cannot be handled as a {wanted}: {why}')


def check_type(call: Call, obj: Object, kind: Kind) -> tuple[str, str]:
    """(apiVersion, kind) of the object, each defaulted to what is expected; refuses any other kind."""
    given = (obj.get("apiVersion") or kind.api_version, obj.get("kind") or kind.kind)
    if given == (kind.api_version, kind.kind):
        return given
    if kind.custom:
        _check_custom(given, kind)
        return given
    known = call.server.registry.by_kind(*given)
    if known is None and given != ("v1", "List"):
        why = f'no kind "{given[1]}" is registered for version "{given[0]}" in scheme "{LEGACY_SCHEME}"'
        raise _cannot_handle(given, kind.kind, why)
    if given[1] != kind.kind or not _same_family(given[0], kind):
        package = internal_package(kind.group)
        why = f"converting ({_go_name(given)}) to ({package}.{kind.kind}): unknown conversion"
        raise _cannot_handle(given, kind.kind, why)
    message = f"the API version in the data ({given[0]}) does not match the expected API version ({kind.api_version})"
    raise bad_request(message)


def _check_custom(given: tuple[str, str], kind: Kind) -> None:
    """Custom resources are read without a scheme: only the names are compared."""
    if given[0] != kind.api_version and given[1] == kind.kind:
        raise bad_request(
            f"the API version in the data ({given[0]}) does not match the expected API version ({kind.api_version})"
        )
    wanted = f"{kind.kind}.{kind.group}"
    text = f"{given[1]}.{given[0].rpartition('/')[0]}"
    raise bad_request(
        f'{given[1]} in version "{given[0].rpartition("/")[2]}" cannot be handled as a {kind.kind}: '
        f"the kind in the data ({text}) does not match the expected kind ({wanted})"
    )


def _same_family(api_version: str, kind: Kind) -> bool:
    """Whether the given group is kept with the kind's own (core and events.k8s.io Events, autoscaling versions)."""
    group = api_version.rpartition("/")[0]
    return group == kind.group or (kind.kind == "Event" and {group, kind.group} == {"", "events.k8s.io"})


def _go_name(given: tuple[str, str]) -> str:
    return f"{given[0].rpartition('/')[2]}.{given[1]}"


def internal_package(group: str) -> str:
    """The Go package of a group's internal types."""
    special = {"": "core", "events.k8s.io": "core", "rbac.authorization.k8s.io": "rbac"}
    return special.get(group, group.partition(".")[0])


def _strict(call: Call, given: tuple[str, str], kind: Kind, notes: list[str]) -> None:
    if call.options.validation == "Strict":
        raise _cannot_handle(given, kind.kind, f"strict decoding error: {', '.join(notes)}")
    if call.options.validation == "Warn":
        call.warnings.extend(notes)


def read_delete_options(call: Call) -> Object | None:
    """The DeleteOptions in the body, or None when there is no body. StatusError 4xx."""
    body = call.request.body
    if isinstance(body, dict):
        obj = body
    else:
        data = size_checked(body)
        if not data:
            return None
        media = negotiation.content_type(call.request.headers.get("content-type", ""))
        if media not in ("", negotiation.JSON, negotiation.YAML, negotiation.PROTOBUF):
            raise negotiation.unknown_body()
        try:
            if media == negotiation.PROTOBUF:
                obj = protobuf.decode(data)
            else:
                obj, _ = parse_document(data, media == negotiation.YAML)
        except ValueError as error:
            raise bad_request(str(error)) from None
    kind, version = obj.get("kind") or "DeleteOptions", obj.get("apiVersion") or "meta.k8s.io/v1"
    if kind != "DeleteOptions":
        raise bad_request(f'no kind "{kind}" is registered for version "{version}" in scheme "{META_SCHEME}"')
    result = scheme.decode_type("meta.v1.DeleteOptions", obj)
    if result.error:
        raise bad_request(result.error)
    return result.object
