"""GET: one object, or a list."""

from __future__ import annotations

from typing import Any

from minik8s.apiserver import paging
from minik8s.apiserver.call import Call
from minik8s.apiserver.encoding import ObjectList
from minik8s.apiserver.errors import too_large_resource_version
from minik8s.apiserver.options import ListOptions, list_options
from minik8s.apiserver.selectors import FieldSelectorError, Predicate, exact_name, field_predicate, parse_labels
from minik8s.apiserver.verbs import common
from minik8s.objects import Object
from minik8s.objects.selectors import SelectorError
from minik8s.store import Compacted
from minik8s.wire import Response, StatusError, bad_request, gone


def get(call: Call) -> Response:
    """One object; `resourceVersion` in the query is a lower bound."""
    if version := call.request.param("resourceVersion"):
        _not_older_than(call, version)
    return Response(200, common.stored(call))


def parse_version(version: str) -> int:
    """A resourceVersion parameter as a number. StatusError 400."""
    if not version.isdigit():
        why = f'strconv.ParseUint: parsing "{version}": invalid syntax'
        raise bad_request(f'invalid resource version: resourceVersion: Invalid value: "{version}": {why}')
    return int(version)


def _not_older_than(call: Call, version: str) -> int:
    wanted, current = parse_version(version), call.server.store.revision
    if wanted > current:
        raise too_large_resource_version(wanted, current)
    return wanted


def predicate(call: Call, options: ListOptions) -> Predicate | None:
    """What the selectors of a list or watch let through; None: everything. StatusError 400."""
    try:
        labels = parse_labels(options.label_selector) if options.label_selector else None
        fields = field_predicate(call.kind, options.field_selector) if options.field_selector else None
    except (SelectorError, FieldSelectorError) as error:
        raise bad_request(str(error)) from None
    if labels is None:
        return fields
    if fields is None:
        return lambda obj: labels.matches(obj["metadata"].get("labels"))
    return lambda obj: labels.matches(obj["metadata"].get("labels")) and fields(obj)


def list_(call: Call) -> Response:
    """All objects of the collection that the selectors let through, in pieces when `limit` is given."""
    options = list_options(call.request, False)
    keep = predicate(call, options)
    namespace = _scope(call)
    revision, after, snapshot = _revision(call, options)
    items = _items(call, options, namespace, snapshot)
    return Response(200, _page(call, options, items, keep, namespace, revision, after))


def _scope(call: Call) -> str | None:
    return call.info.namespace or None if call.kind.namespaced else ""


def _items(call: Call, options: ListOptions, namespace: str | None, snapshot: int | None) -> list[Object]:
    server, resource = call.server, call.kind.storage_resource
    if snapshot is not None and snapshot != server.store.revision:
        try:
            return server.list_at(resource, namespace, snapshot)
        except Compacted:
            if options.token:
                raise paging.Expired(_inconsistent(options.token)) from None
            raise gone("The provided resource version is too old.") from None
    if namespace and options.field_selector and (name := exact_name(options.field_selector)):
        obj = server.store.get(call.key(name))
        return [obj] if obj is not None else []
    return server.store.list(resource, namespace)


def _inconsistent(token: str) -> str:
    start = paging.decode(token)[1]
    return paging.encode(-1, "", start, within_namespace=True)


def _revision(call: Call, options: ListOptions) -> tuple[int, str, int | None]:
    """(revision to answer, key after which to go on, revision of the snapshot to read or None for now)."""
    current = call.server.store.revision
    if options.token:
        if options.resource_version not in ("", "0"):
            raise bad_request("specifying resource version is not allowed when using continue")
        revision, after = paging.decode(options.token)
        if revision < 0:
            return current, after, None
        return revision, after, revision
    if not options.resource_version:
        return current, "", None
    wanted = _not_older_than(call, options.resource_version)
    exact = options.match == "Exact" or (options.limit > 0 and wanted > 0 and not options.match)
    if exact:
        return wanted, "", wanted
    return current, "", None


def _page(
    call: Call, options: ListOptions, items: list[Object], keep: Predicate | None, namespace: str | None,
    revision: int, after: str,
) -> Object:  # fmt: skip
    within = bool(namespace) or not call.kind.namespaced
    kind = call.kind
    convert = call.server.versioned if kind.storage is not None else None
    if after:
        items = [obj for obj in items if _key(obj, within) > after]
    limit = 0 if options.resource_version == "0" and not options.token else options.limit
    meta: dict[str, Any] = {"resourceVersion": str(revision)}
    if convert is not None:
        items = [convert(kind, obj) for obj in items]
    if limit <= 0 and keep is None:
        return _body(call, items, meta)
    chosen: list[Object] = []
    for index, obj in enumerate(items):
        if keep is not None and not keep(obj):
            continue
        if limit > 0 and len(chosen) == limit:
            last = chosen[-1]["metadata"]
            meta["continue"] = paging.encode(revision, last.get("namespace", ""), last["name"], within_namespace=within)
            if keep is None:
                meta["remainingItemCount"] = len(items) - index
            break
        chosen.append(obj)
    return _body(call, chosen, meta)


def _key(obj: Object, within_namespace: bool) -> str:
    meta = obj["metadata"]
    if within_namespace or not meta.get("namespace"):
        return str(meta["name"])
    return f"{meta['namespace']}/{meta['name']}"


def _body(call: Call, items: list[Object], meta: Object) -> Object:
    kind = call.kind
    if kind.custom:
        meta = {"continue": "", **meta}  # lists without a Go type write it always
    body = {"kind": kind.list_kind, "apiVersion": kind.api_version, "metadata": meta, "items": items}
    return body if kind.custom else ObjectList(body)


def unsupported(call: Call) -> StatusError:
    """405 for a verb that the kind does not have."""
    return StatusError(405, "MethodNotAllowed", "the server does not allow this method on the requested resource", {})
