"""Field errors in the words of Kubernetes. Source: apimachinery ``pkg/util/validation/field/errors.go``."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from minik8s.objects.frozen import Object

REQUIRED = "FieldValueRequired"
INVALID = "FieldValueInvalid"
NOT_SUPPORTED = "FieldValueNotSupported"
DUPLICATE = "FieldValueDuplicate"
FORBIDDEN = "FieldValueForbidden"
TOO_LONG = "FieldValueTooLong"
TOO_MANY = "FieldValueTooMany"
TYPE_INVALID = "FieldValueTypeInvalid"
NOT_FOUND = "FieldValueNotFound"
INTERNAL = "InternalError"

_TITLES = {REQUIRED: "Required value", INVALID: "Invalid value", NOT_SUPPORTED: "Unsupported value",
           DUPLICATE: "Duplicate value", FORBIDDEN: "Forbidden", TOO_LONG: "Too long", TOO_MANY: "Too many",
           TYPE_INVALID: "Invalid value", NOT_FOUND: "Not found", INTERNAL: "Internal error"}
_WITHOUT_VALUE = frozenset({REQUIRED, FORBIDDEN, TOO_LONG, INTERNAL})


class _Omitted:
    """The bad value of an error that does not show it (``field.OmitValueType``)."""


OMITTED = _Omitted()


@dataclass(frozen=True)
class FieldError:
    """One fault: ``type`` is the cause's reason (``FieldValueInvalid``), ``field`` the path, ``bad_value`` a JSON value
    or :class:`GoValue`, ``detail`` what is wrong."""

    type: str
    field: str
    bad_value: Any = None
    detail: str = ""

    @property
    def body(self) -> str:
        """``Invalid value: "x": must be ...``: the cause's message."""
        text = _TITLES[self.type]
        if self.type not in _WITHOUT_VALUE and self.bad_value is not OMITTED:
            text += ": " + format_value(self.bad_value)
        return f"{text}: {self.detail}" if self.detail else text

    def __str__(self) -> str:
        return f"{self.field}: {self.body}"

    def cause(self) -> Object:
        """The StatusCause of ``details.causes``."""
        return {"reason": self.type, "message": self.body, "field": self.field}


Errors = list[FieldError]


def required(path: str, detail: str = "") -> FieldError:
    return FieldError(REQUIRED, path, "", detail)


def invalid(path: str, value: Any, detail: str) -> FieldError:
    return FieldError(INVALID, path, value, detail)


def not_supported(path: str, value: Any, supported: Iterable[str]) -> FieldError:
    """``supported`` in the order in which it is to be named (upstream sorts some lists, not all)."""
    names = ", ".join(quote(name) for name in supported)
    return FieldError(NOT_SUPPORTED, path, value, f"supported values: {names}" if names else "")


def duplicate(path: str, value: Any) -> FieldError:
    return FieldError(DUPLICATE, path, value)


def forbidden(path: str, detail: str) -> FieldError:
    return FieldError(FORBIDDEN, path, "", detail)


def too_long(path: str, limit: int) -> FieldError:
    return FieldError(TOO_LONG, path, "", f"may not be more than {limit} byte{'' if limit == 1 else 's'}")


def too_many(path: str, actual: int, limit: int) -> FieldError:
    return FieldError(TOO_MANY, path, actual, f"must have at most {limit} item{'' if limit == 1 else 's'}")


def not_found(path: str, value: Any) -> FieldError:
    return FieldError(NOT_FOUND, path, value)


def type_invalid(path: str, value: Any, detail: str) -> FieldError:
    return FieldError(TYPE_INVALID, path, value, detail)


def internal(path: str, detail: str) -> FieldError:
    return FieldError(INTERNAL, path, "", detail)


def messages_invalid(errors: Errors, path: str, value: Any, messages: Iterable[str]) -> None:
    """Add one Invalid per message."""
    errors.extend(invalid(path, value, message) for message in messages)


class GoValue:
    """A bad value that is a struct: printed as Go marshals it (``goformat.dump``)."""

    def __init__(self, value: Any, type: str) -> None:
        self.value, self.type = value, type

    def __str__(self) -> str:
        from minik8s.objects.validation.goformat import dump  # loaded when a message needs it
        return dump(self.value, self.type)


def format_value(value: Any) -> str:
    if isinstance(value, str):
        return quote(value)
    if isinstance(value, GoValue):
        return str(value)
    return go_json(value)


def go_json(value: Any) -> str:
    """``encoding/json.Marshal`` of plain data: no spaces, map keys sorted, ``<``, ``>`` and ``&`` escaped."""
    text = json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
    for char in "<>&":
        if char in text:
            text = text.replace(char, f"\\u{ord(char):04x}")
    return text


_ESCAPES = {"\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v",
            "\\": "\\\\", '"': '\\"'}


def quote(text: str) -> str:
    """``strconv.Quote``: what ``%q`` prints."""
    if text.isprintable() and '"' not in text and "\\" not in text and text.isascii():
        return f'"{text}"'
    return '"' + "".join(_escaped(char) for char in text) + '"'


def _escaped(char: str) -> str:
    if char in _ESCAPES:
        return _ESCAPES[char]
    if char.isprintable():
        return char
    code = ord(char)
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def aggregate(errors: Errors) -> str:
    """``utilerrors.Aggregate.Error()``: the one error, or ``[a, b]`` without repeats."""
    texts = list(dict.fromkeys(str(error) for error in errors))
    return texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"


def invalid_status(kind_name: str, group: str, name: str, errors: Errors) -> Object:
    """The Status body of 422 Invalid (``errors.NewInvalid``); ``kind_name`` is the bare kind."""
    qualified = f"{kind_name}.{group}" if group else kind_name
    details: Object = {"name": name} if name else {}
    if group:
        details["group"] = group
    details |= {"kind": kind_name, "causes": [error.cause() for error in errors]}
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": f'{qualified} "{name}" is invalid: {aggregate(errors)}', "reason": "Invalid",
            "details": details, "code": 422}
