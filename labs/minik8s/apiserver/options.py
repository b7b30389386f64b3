"""The query parameters of each verb, read and validated.

Sources: k8s.io/apimachinery/pkg/apis/meta/v1/validation, pkg/apis/meta/internalversion/validation.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from minik8s.apiserver.errors import invalid_options
from minik8s.objects import Object
from minik8s.objects.validation import field
from minik8s.objects.validation.field import Errors
from minik8s.wire import Request, bad_request


@dataclass(slots=True)
class WriteOptions:
    """CreateOptions, UpdateOptions and PatchOptions."""

    dry_run: bool = False
    manager: str = ""
    validation: str = "Warn"
    force: bool | None = None


@dataclass(slots=True)
class ListOptions:
    """ListOptions; `timeout` in seconds, 0 when not given."""

    label_selector: str = ""
    field_selector: str = ""
    resource_version: str = ""
    match: str = ""
    limit: int = 0
    token: str = ""
    bookmarks: bool = False
    initial_events: bool | None = None
    timeout: int = 0


@dataclass(slots=True)
class DeleteOptions:
    """DeleteOptions, from the body or the query."""

    grace: int | None = None
    propagation: str | None = None
    orphan: bool | None = None
    uid: str | None = None
    resource_version: str | None = None
    dry_run: bool = False


_DEFAULT_WRITE = WriteOptions()


def write_options(request: Request, kind: str, *, patch: str = "") -> WriteOptions:
    """The options of a create (`kind` CreateOptions), update or patch; `patch` is the patch's content type."""
    query = request.query
    apply = patch.startswith("application/apply-patch")
    if not query and not apply:
        return WriteOptions(manager="")
    faults = _dry_run_faults(query.get("dryRun"))
    manager = request.param("fieldManager")
    if patch:
        if not apply and "force" in query:
            faults.append(field.forbidden("force", "may not be specified for non-apply patch"))
        elif apply and not manager:
            faults.append(field.required("fieldManager", "is required for apply patch"))
    faults += _manager_faults(manager)
    validation = request.param("fieldValidation")
    if validation not in ("", "Ignore", "Strict", "Warn"):
        faults.append(field.not_supported("fieldValidation", validation, ["", "Ignore", "Strict", "Warn"]))
    if faults:
        raise invalid_options(kind, faults)
    force = boolean(query["force"]) if "force" in query else None
    return WriteOptions("dryRun" in query and "All" in query["dryRun"], manager, validation or "Warn", force)


def _dry_run_faults(values: Any) -> Errors:
    if values and any(value != "All" for value in values):
        return [field.not_supported("dryRun", list(values), ["All"])]
    return []


def _manager_faults(manager: str) -> Errors:
    if len(manager) > 128:
        return [field.too_long("fieldManager", 128)]
    for index, letter in enumerate(manager):
        if not letter.isprintable():
            why = f"invalid character U+{ord(letter):04X} (at position {index})"
            return [field.invalid("fieldManager", manager, why)]
    return []


def boolean(values: list[str]) -> bool:
    """A boolean parameter: anything but `false` and `0` is true."""
    return not values or values[0].lower() not in ("false", "0")


def _integer(request: Request, name: str) -> int | None:
    if name not in request.query:
        return None
    text = request.param(name)
    if not re.fullmatch(r"[+-]?[0-9]+", text):
        raise bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax')
    number = int(text)
    if not -(2**63) <= number < 2**63:
        raise bad_request(f'strconv.ParseInt: parsing "{text}": value out of range')
    return number


def list_options(request: Request, watching: bool) -> ListOptions:
    """The options of a list, watch or deletecollection."""
    query = request.query
    if not query:
        return ListOptions()
    out = ListOptions(
        label_selector=request.param("labelSelector"),
        field_selector=request.param("fieldSelector"),
        resource_version=request.param("resourceVersion"),
        match=request.param("resourceVersionMatch"),
        limit=_integer(request, "limit") or 0,
        token=request.param("continue"),
        bookmarks="allowWatchBookmarks" in query and boolean(query["allowWatchBookmarks"]),
        initial_events=boolean(query["sendInitialEvents"]) if "sendInitialEvents" in query else None,
        timeout=_integer(request, "timeoutSeconds") or 0,
    )
    if faults := _list_faults(out, watching):
        raise invalid_options("ListOptions", faults)
    return out


def _list_faults(options: ListOptions, watching: bool) -> Errors:
    faults: Errors = []
    match, version = options.match, options.resource_version
    if watching:
        return _watch_faults(options)
    if options.initial_events is not None:
        faults.append(field.forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list"))
        return faults
    if match:
        if not version:
            why = "resourceVersionMatch is forbidden unless resourceVersion is provided"
            faults.append(field.forbidden("resourceVersionMatch", why))
        if options.token:
            why = "resourceVersionMatch is forbidden when continue is provided"
            faults.append(field.forbidden("resourceVersionMatch", why))
        if match not in ("Exact", "NotOlderThan"):
            faults.append(field.not_supported("resourceVersionMatch", match, ["Exact", "NotOlderThan", ""]))
        if match == "Exact" and version == "0":
            why = 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'
            faults.append(field.forbidden("resourceVersionMatch", why))
    return faults


def _watch_faults(options: ListOptions) -> Errors:
    faults: Errors = []
    match = options.match
    if options.initial_events is not None:
        if match != "NotOlderThan":
            why = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
            faults.append(field.forbidden("resourceVersionMatch", why))
        if not options.bookmarks and options.initial_events:
            pass
        if options.token:
            faults.append(field.forbidden("continue", "sendInitialEvents is forbidden when continue is provided"))
    elif match:
        why = "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"
        faults.append(field.forbidden("resourceVersionMatch", why))
        if match not in ("Exact", "NotOlderThan"):
            faults.append(field.not_supported("resourceVersionMatch", match, ["Exact", "NotOlderThan", ""]))
    return faults


def delete_options(request: Request, body: Object | None) -> DeleteOptions:
    """The options of a delete: those of the body when there is one, else those of the query."""
    if body is None:
        propagation = request.param("propagationPolicy") if "propagationPolicy" in request.query else None
        orphan = boolean(request.query["orphanDependents"]) if "orphanDependents" in request.query else None
        out = DeleteOptions(
            grace=_integer(request, "gracePeriodSeconds"),
            propagation=propagation,
            orphan=orphan,
        )
        dry = request.query.get("dryRun") or []
    else:
        preconditions = body.get("preconditions") or {}
        out = DeleteOptions(
            grace=body.get("gracePeriodSeconds"),
            propagation=body.get("propagationPolicy"),
            orphan=body.get("orphanDependents"),
            uid=preconditions.get("uid"),
            resource_version=preconditions.get("resourceVersion"),
        )
        dry = body.get("dryRun") or request.query.get("dryRun") or []
    faults: Errors = []
    if out.orphan is not None and out.propagation is not None:
        why = "orphanDependents and deletionPropagation cannot be both set"
        faults.append(field.invalid("propagationPolicy", out.propagation, why))
    if out.propagation not in (None, "Foreground", "Background", "Orphan"):
        supported = ["Foreground", "Background", "Orphan", "nil"]
        faults.append(field.not_supported("propagationPolicy", out.propagation, supported))
    faults += _dry_run_faults(dry)
    if faults:
        raise invalid_options("DeleteOptions", faults)
    out.dry_run = bool(dry)
    if out.grace is not None and out.grace < 0:
        out.grace = 1
    return out
