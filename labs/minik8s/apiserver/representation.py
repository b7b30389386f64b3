"""The form in which an answer is given: the object itself, a Table, or its metadata alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minik8s.apiserver import partial, tables
from minik8s.apiserver.bodies import internal_package
from minik8s.apiserver.call import Call
from minik8s.objects import Object
from minik8s.wire import Response, WatchEvent, bad_request, not_acceptable


def represent(call: Call, response: Response) -> Response:
    """The response in the form that the client asked for."""
    if "content-type" not in response.headers and response.status != 204:
        response.headers["content-type"] = call.output.media
    form = call.output.form
    if not form or response.stream is not None or response.status >= 300 or not isinstance(response.body, dict):
        return response
    if response.body.get("kind") == "Status":
        return response
    response.body = shaped(call, response.body)
    return response


def shaped(call: Call, body: Object) -> Object:
    """One object or list as the Table or the metadata that the call asks for."""
    items: list[Object] = body["items"] if "items" in body and body.get("kind", "").endswith("List") else [body]
    is_list = items is body.get("items")
    form = call.output.form
    if form == "Table":
        return _table(call, items, body["metadata"])
    if is_list != (form == "PartialObjectMetadataList"):
        what = "is a list" if is_list else "is not a list"
        go_type = f"*{internal_package(call.kind.group)}.{body['kind']}"
        raise not_acceptable(f"you requested {form}, but the requested object {what} ({go_type})")
    if not is_list:
        return partial.metadata(body)
    return partial.metadata_list(items, body["metadata"])


def _table(call: Call, items: list[Object], meta: Any) -> Object:
    include = call.request.param("includeObject") or "Metadata"
    if include not in ("Metadata", "Object", "None"):
        why = "must be 'Metadata', 'Object', 'None', or empty"
        raise bad_request(f'Unable to convert to Table as requested: includeObject: Invalid value: "{include}": {why}')
    kept = {k: v for k, v in meta.items() if k in ("resourceVersion", "continue", "remainingItemCount")}
    return tables.render(call.kind, items, call.now, include_object=include, list_meta=kept)


def watch_shape(call: Call) -> Callable[[WatchEvent], WatchEvent] | None:
    """How each event of the call's watch is represented."""
    if not call.output.form:
        return None
    first = True

    def shape(event: WatchEvent) -> WatchEvent:
        nonlocal first
        if event.type in ("ERROR",):
            return event
        if call.output.form != "Table":
            return WatchEvent(event.type, partial.metadata(event.object))
        rows = [event.object] if event.type != "BOOKMARK" else []
        table = _table(call, rows, event.object["metadata"])
        if not first:
            table = {**table, "columnDefinitions": None}
        first = False
        return WatchEvent(event.type, table)

    return shape
