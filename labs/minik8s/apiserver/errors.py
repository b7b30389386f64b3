"""Errors that the request flow answers by itself, beside those of `minik8s.wire`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from minik8s.objects import Object
from minik8s.wire import StatusError, invalid


class Fault(NamedTuple):
    """One field error: `field: <text>` with the reason of its cause (k8s.io/apimachinery/pkg/util/validation/field)."""

    field: str
    reason: str
    text: str


def value_invalid(field: str, value: Any, why: str) -> Fault:
    return Fault(field, "FieldValueInvalid", f"Invalid value: {json.dumps(value, ensure_ascii=False)}: {why}")


def value_forbidden(field: str, why: str) -> Fault:
    return Fault(field, "FieldValueForbidden", f"Forbidden: {why}")


def value_unsupported(field: str, value: Any, supported: Sequence[str]) -> Fault:
    names = ", ".join(json.dumps(name) for name in supported)
    text = f"Unsupported value: {json.dumps(value, ensure_ascii=False)}: supported values: {names}"
    return Fault(field, "FieldValueNotSupported", text)


def value_required(field: str, why: str = "") -> Fault:
    return Fault(field, "FieldValueRequired", f"Required value: {why}" if why else "Required value")


def invalid_faults(kind: str, name: str, faults: Sequence[Fault], group: str = "") -> StatusError:
    """422 with one cause for each fault; equal messages are told once, as an aggregate does."""
    causes: list[Object] = [{"reason": f.reason, "message": f.text, "field": f.field} for f in faults]
    texts = list(dict.fromkeys(f"{f.field}: {f.text}" for f in faults))
    message = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
    return invalid(kind, name, causes, message, group)


def invalid_options(kind: str, faults: Sequence[Fault]) -> StatusError:
    """422 about CreateOptions, ListOptions and the like."""
    return invalid_faults(kind, "", faults, "meta.k8s.io")


def invalid_patch(text: str, why: str) -> StatusError:
    """422 when a patched object cannot be decoded; `text` stands for the object, as upstream quotes it whole."""
    error = invalid_faults("", "", [value_invalid("patch", text, why)])
    error.details = {"causes": error.details["causes"]} if error.details else None
    return error


def generic(code: int, reason: str, message: str) -> StatusError:
    """A status with empty details, as the HTTP layer makes it before any resource is known."""
    return StatusError(code, reason, message, {})


def method_not_allowed() -> StatusError:
    return generic(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")


def resource_not_found() -> StatusError:
    return generic(404, "NotFound", "the server could not find the requested resource")


def unprocessable() -> StatusError:
    return generic(422, "Invalid", "the server rejected our request due to an error in our request")


def plain_error(message: str) -> StatusError:
    """An error that upstream did not type: 500 without a reason."""
    return StatusError(500, "", message)


def too_large_resource_version(wanted: int, current: int) -> StatusError:
    """504: the reader asks for a revision that has not happened yet (storage.NewTooLargeResourceVersionError)."""
    message = f"Timeout: Too large resource version: {wanted}, current: {current}"
    causes = [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]
    details: Object = {"causes": causes, "retryAfterSeconds": 1}
    return StatusError(504, "Timeout", message, details, {"retry-after": "1"})
