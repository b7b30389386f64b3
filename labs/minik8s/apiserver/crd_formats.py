"""The string formats that custom resource schemas may ask for.

Source: k8s.io/kube-openapi/pkg/validation/strfmt, apiextensions-apiserver/pkg/apiserver/validation/formats.go.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from collections.abc import Callable
from datetime import date, datetime
from urllib.parse import urlparse

_UUID = r"^[0-9a-f]{8}-?[0-9a-f]{4}-?%s[0-9a-f]{3}-?%s[0-9a-f]{3}-?[0-9a-f]{12}$"
_DURATION = re.compile(r"^[-+]?(\d+(\.\d+)?\s*(ns|us|µs|ms|s|m|h|d|w|[a-z]+)\s*)+$")
_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"


def fits(form: str, value: str) -> bool:
    """Whether `value` is of the format; formats that Kubernetes does not know fit everything."""
    check = _FORMATS.get(form)
    return check is None or check(value)


def _regular(pattern: str, flags: int = re.IGNORECASE) -> Callable[[str], bool]:
    compiled = re.compile(pattern, flags)
    return lambda value: compiled.match(value) is not None


def _address(version: int) -> Callable[[str], bool]:
    def check(value: str) -> bool:
        try:
            return ipaddress.ip_address(value).version == version
        except ValueError:
            return False

    return check


def _cidr(value: str) -> bool:
    try:
        ipaddress.ip_network(value, strict=False)
    except ValueError:
        return False
    return "/" in value


def _uri(value: str) -> bool:
    parsed = urlparse(value)
    return bool(parsed.scheme) or value.startswith("/")


def _base64(value: str) -> bool:
    try:
        base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


def _date(value: str) -> bool:
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return len(value) == 10


_DATE_TIME = re.compile(r"^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:?\d\d)?$")


def _date_time(value: str) -> bool:
    if not _DATE_TIME.match(value):
        return False
    try:
        datetime.fromisoformat(value.upper().replace("Z", "+00:00").replace(" ", "T"))
    except ValueError:
        return False
    return True


def _duration(value: str) -> bool:
    return value == "0" or _DURATION.match(value.lower()) is not None


_FORMATS: dict[str, Callable[[str], bool]] = {
    "bsonobjectid": _regular(r"^[0-9a-f]{24}$"),
    "byte": _base64,
    "cidr": _cidr,
    "creditcard": _regular(r"^\d{13,19}$"),
    "date": _date,
    "date-time": _date_time,
    "datetime": _date_time,
    "duration": _duration,
    "email": _regular(r"^[^@\s]+@[^@\s]+$"),
    "hexcolor": _regular(r"^#?([0-9a-f]{3}|[0-9a-f]{6})$"),
    "hostname": _regular(rf"^(?=.{{1,253}}$){_LABEL}(\.{_LABEL})*$"),
    "ipv4": _address(4),
    "ipv6": _address(6),
    "isbn": _regular(r"^(97[89])?[\d -]{9,13}[\dx]$"),
    "isbn10": _regular(r"^[\d -]{9,12}[\dx]$"),
    "isbn13": _regular(r"^97[89][\d -]{10,14}$"),
    "k8s-long-name": _regular(rf"^(?=.{{1,253}}$){_LABEL}(\.{_LABEL})*$", 0),
    "k8s-short-name": _regular(rf"^(?=.{{1,63}}$){_LABEL}$", 0),
    "mac": _regular(r"^([0-9a-f]{2}[:-]){5,7}[0-9a-f]{2}$|^([0-9a-f]{4}\.){2,3}[0-9a-f]{4}$"),
    "rgbcolor": _regular(r"^rgb\(\s*\d{1,3}\s*,\s*\d{1,3}\s*,\s*\d{1,3}\s*\)$"),
    "ssn": _regular(r"^\d{3}[- ]?\d{2}[- ]?\d{4}$"),
    "uri": _uri,
    "uuid": _regular(_UUID % ("[0-9a-f]", "[0-9a-f]")),
    "uuid3": _regular(_UUID % ("3", "[0-9a-f]")),
    "uuid4": _regular(_UUID % ("4", "[89ab]")),
    "uuid5": _regular(_UUID % ("5", "[89ab]")),
}
KNOWN = frozenset(_FORMATS) | {"int32", "int64", "float", "double", "password"}
