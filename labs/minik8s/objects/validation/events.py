"""Events of both groups. Source: ``pkg/apis/core/validation/events.go``.

Core Events are checked leniently unless they carry ``eventTime``; events.k8s.io asks for everything.
"""

from __future__ import annotations

from typing import Any

from minik8s.objects.frozen import Object
from minik8s.objects.validation import meta, names
from minik8s.objects.validation.field import Errors, invalid, messages_invalid, required

_SYSTEM_NAMESPACES = ("default", "kube-system")
_AT_MOST = "can have at most {} characters"
_OLD = ("firstTimestamp", "lastTimestamp", "count", "source")


def legacy(errors: Errors, obj: Object) -> None:
    """A core/v1 Event."""
    before = len(errors)
    _common(errors, obj, "involvedObject", "reportingComponent", "message")
    if len(errors) == before:
        meta.object_meta(errors, obj["metadata"], True, names.path_segment_name, core_finalizers=False)


def _common(errors: Errors, obj: Object, about: str, controller: str, text: str) -> None:
    own, other = obj["metadata"].get("namespace", ""), (obj.get(about) or {}).get("namespace", "")
    path = "involvedObject.namespace"
    if obj.get("eventTime") is None:
        lenient = not other and own in ("", *_SYSTEM_NAMESPACES)
        if own != other and not lenient:
            errors.append(invalid(path, other, "does not match event.namespace"))
        return
    if not other and own not in _SYSTEM_NAMESPACES:
        errors.append(invalid(path, other, "does not match event.namespace"))
    name = obj.get(controller, "")
    if not name:
        errors.append(required(controller))
    messages_invalid(errors, controller, name, names.qualified_name(name))
    for key in ("reportingInstance", "action", "reason"):
        value = obj.get(key, "")
        if not value:
            errors.append(required(key))
        if len(value) > 128:
            errors.append(invalid(key, "", _AT_MOST.format(128)))
    if len(obj.get(text, "")) > 1024:
        errors.append(invalid("message", "", _AT_MOST.format(1024)))


def legacy_update(errors: Errors, new: Object, old: Object) -> None:
    legacy(errors, new)


def create(errors: Errors, obj: Object) -> None:
    """An events.k8s.io/v1 Event."""
    _common(errors, obj, "regarding", "reportingController", "note")
    meta.object_meta(errors, obj["metadata"], True, names.name_is_subdomain)
    _series(errors, obj.get("series"))
    if obj.get("eventTime") is None:
        errors.append(required("eventTime"))
    if obj.get("type") not in ("Normal", "Warning"):
        errors.append(invalid("type", "", f"has invalid value: {obj.get('type', '')}"))
    for key in _OLD:
        if obj.get(f"deprecated{key[0].upper()}{key[1:]}"):
            errors.append(invalid(key, "", "needs to be unset"))


def _series(errors: Errors, series: Any) -> None:
    if series is None:
        return
    if series.get("count", 0) < 2:
        errors.append(invalid("series.count", "", "should be at least 2"))
    if series.get("lastObservedTime") is None:
        errors.append(required("series.lastObservedTime"))


_FIXED = ("regarding", "reason", "action", "related", "note", "type", "eventTime", "reportingController",
          "reportingInstance")
_NAMES = {"regarding": "involvedObject", "note": "message"}


def update(errors: Errors, new: Object, old: Object) -> None:
    """Only the series of an event goes on."""
    meta.object_meta_update(errors, new["metadata"], old["metadata"])
    _series(errors, new.get("series"))
    for key in _FIXED:
        meta.immutable(errors, new.get(key), old.get(key), _NAMES.get(key, key))
