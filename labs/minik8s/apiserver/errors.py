"""Errors that the request flow answers by itself, beside those of `minik8s.wire`."""

from __future__ import annotations

from minik8s.objects import Object
from minik8s.objects.validation import field
from minik8s.objects.validation.field import Errors
from minik8s.wire import StatusError, invalid


def invalid_fields(kind: str, name: str, errors: Errors, group: str = "") -> StatusError:
    """422 with one cause for each field error."""
    return invalid(kind, name, [error.cause() for error in errors], field.aggregate(errors), group)


def invalid_options(kind: str, errors: Errors) -> StatusError:
    """422 about CreateOptions, ListOptions and the like."""
    return invalid_fields(kind, "", errors, "meta.k8s.io")


def invalid_patch(text: str, why: str) -> StatusError:
    """422 when a patched object cannot be decoded; `text` stands for the object, as upstream quotes it whole."""
    error = invalid_fields("", "", [field.invalid("patch", text, why)])
    error.details = {"causes": (error.details or {})["causes"]}
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
