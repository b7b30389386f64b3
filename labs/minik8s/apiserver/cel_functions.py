"""Functions and methods of CEL, with Kubernetes' libraries.

Sources: cel-spec's standard definitions, cel-go's ext/strings and ext/sets, k8s.io/apiserver/pkg/cel/library.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from typing import Any
from urllib.parse import parse_qs, urlsplit

from minik8s.apiserver.cel_operators import NO_OVERLOAD, arithmetic, contains, order
from minik8s.apiserver.cel_syntax import CelError, Uint
from minik8s.apiserver.cel_values import Optional, Quantity, TypeValue, duration, same, timestamp, type_name

TYPES: dict[str, TypeValue] = {
    name: TypeValue(name) for name in ("int", "uint", "double", "bool", "string", "bytes", "list", "map", "null_type")
} | {"type": TypeValue("type")}


# -- conversions ---------------------------------------------------------------------------------------------------


def _to_int(value: Any) -> int:
    try:
        if isinstance(value, datetime):
            return int(value.timestamp())
        if isinstance(value, str | float | int) and not isinstance(value, bool):
            return int(value)
    except (ValueError, OverflowError):
        pass
    raise CelError(f"type conversion error from '{type_name(value)}' to 'int'")


def _to_double(value: Any) -> float:
    try:
        if isinstance(value, str | float | int) and not isinstance(value, bool):
            return float(value)
    except ValueError:
        pass
    raise CelError(f"type conversion error from '{type_name(value)}' to 'double'")


def to_string(value: Any) -> str:
    """string(value)"""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e21 else repr(value)
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, timedelta):
        return f"{value.total_seconds():g}s"
    if isinstance(value, ipaddress.IPv4Address | ipaddress.IPv6Address | ipaddress.IPv4Network | ipaddress.IPv6Network):
        return str(value)
    raise CelError(f"type conversion error from '{type_name(value)}' to 'string'")


def _to_bool(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "t", "1", "false", "f", "0"):
        return value.lower() in ("true", "t", "1")
    raise CelError(f"type conversion error from '{type_name(value)}' to 'bool'")


def _size(value: Any) -> int:
    if isinstance(value, str | bytes | list | dict):
        return len(value)
    raise CelError(NO_OVERLOAD)


def _address(text: str) -> Any:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        raise CelError(f'IP Address {text!r} parse error during conversion from string: ParseAddr("{text}")') from None


def _network(text: str) -> Any:
    try:
        if "/" in text:
            return ipaddress.ip_network(text, strict=False)
    except ValueError:
        pass
    raise CelError(f'network address parse error during conversion from string: netip.ParsePrefix("{text}")')


def _possible(convert: Callable[[Any], Any]) -> Callable[[Any], bool]:
    def check(value: Any) -> bool:
        try:
            convert(value)
        except CelError:
            return False
        return True

    return check


def _url(text: str) -> Any:
    parts = urlsplit(text)
    if not parts.scheme and not text.startswith("/"):
        raise CelError(f'URL parse error during conversion from string: parse "{text}": invalid URI for request')
    return parts


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "size": _size,
    "int": _to_int,
    "uint": lambda value: Uint(_to_int(value)),
    "double": _to_double,
    "string": to_string,
    "bool": _to_bool,
    "bytes": lambda value: value if isinstance(value, bytes) else to_string(value).encode(),
    "type": lambda value: TypeValue(type_name(value)),
    "dyn": lambda value: value,
    "duration": lambda value: value if isinstance(value, timedelta) else duration(value),
    "timestamp": lambda value: value if isinstance(value, datetime) else timestamp(value),
    "matches": lambda value, pattern: _matches(value, pattern),
    "quantity": Quantity.parse,
    "isQuantity": _possible(Quantity.parse),
    "ip": _address,
    "isIP": _possible(_address),
    "ip.isCanonical": lambda value: str(_address(value)) == value,
    "cidr": _network,
    "isCIDR": _possible(_network),
    "url": _url,
    "isURL": _possible(_url),
    "optional.of": Optional.of,
    "optional.none": Optional.none,
    "optional.ofNonZeroValue": lambda value: Optional.of(value) if value else Optional.none(),
    "sets.contains": lambda left, right: all(contains(left, item) for item in right),
    "sets.intersects": lambda left, right: any(contains(left, item) for item in right),
    "sets.equivalent": lambda left, right: (
        all(contains(left, item) for item in right) and all(contains(right, item) for item in left)
    ),
    "math.greatest": lambda *values: max(values[0] if isinstance(values[0], list) else values),
    "math.least": lambda *values: min(values[0] if isinstance(values[0], list) else values),
}


def call(name: str, values: list[Any]) -> Any:
    """The value of a function."""
    function = FUNCTIONS.get(name)
    if function is None:
        raise CelError(f"undeclared reference to '{name}' (in container '')")
    return _run(function, values)


def method(name: str, target: Any, values: list[Any]) -> Any:
    """The value of a method."""
    if isinstance(target, Optional):
        return _run(_OPTIONAL.get(name, _unknown), [target, *values])
    for kind, table in _METHODS:
        if isinstance(target, kind) and not (kind is int and isinstance(target, bool)) and name in table:
            return _run(table[name], [target, *values])
    if name == "size":
        return _size(target)
    raise CelError(NO_OVERLOAD)


def _run(function: Callable[..., Any], values: list[Any]) -> Any:
    try:
        return function(*values)
    except (TypeError, ValueError, AttributeError, IndexError) as error:
        raise CelError(f"{NO_OVERLOAD}: {error}") from None


def _unknown(*_: Any) -> Any:
    raise CelError(NO_OVERLOAD)


# -- methods -------------------------------------------------------------------------------------------------------


def _matches(value: str, pattern: str) -> bool:
    try:
        return re.search(pattern, value) is not None
    except re.error as error:
        raise CelError(f"error parsing regexp: {error}") from None


def _substring(text: str, start: int, end: int | None = None) -> str:
    end = len(text) if end is None else end
    if not 0 <= start <= end <= len(text):
        raise CelError(f"index out of range: {start if not 0 <= start <= len(text) else end}")
    return text[start:end]


def _split(text: str, separator: str, limit: int = -1) -> list[str]:
    if limit == 0:
        return []
    parts = list(text) if not separator else text.split(separator)
    if 0 < limit < len(parts):
        return [*parts[: limit - 1], separator.join(parts[limit - 1 :])]
    return parts


def _replace(text: str, old: str, new: str, count: int = -1) -> str:
    return text.replace(old, new, count)


def _format(text: str, values: list[Any]) -> str:
    values = list(values)

    def clause(match: re.Match[str]) -> str:
        if match[0] == "%%":
            return "%"
        if not values:
            raise CelError(f"index {len(values)} out of range")
        value = values.pop(0)
        if match[2] == "s":
            return to_string(value) if not isinstance(value, list | dict) else _shown(value)
        if match[2] == "d":
            return str(int(value))
        return str(("%" + (match[1] or ".6") + match[2]) % value)

    return re.sub(r"%%|%(\.\d+)?([sdfexXob])", clause, text)


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(_shown(item) for item in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_shown(key)}: {_shown(item)}" for key, item in value.items()) + "}"
    return to_string(value)


def _find_all(text: str, pattern: str, limit: int = -1) -> list[str]:
    found = [match[0] for match in re.finditer(pattern, text)]
    return found if limit < 0 else found[:limit]


_STRINGS: dict[str, Callable[..., Any]] = {
    "startsWith": lambda text, other: text.startswith(other),
    "endsWith": lambda text, other: text.endswith(other),
    "contains": lambda text, other: other in text,
    "matches": _matches,
    "charAt": lambda text, index: text[index : index + 1],
    "indexOf": lambda text, other, start=0: text.find(other, start),
    "lastIndexOf": lambda text, other: text.rfind(other),
    "lowerAscii": lambda text: text.lower(),
    "upperAscii": lambda text: text.upper(),
    "replace": _replace,
    "split": _split,
    "substring": _substring,
    "trim": lambda text: text.strip(),
    "reverse": lambda text: text[::-1],
    "format": _format,
    "find": lambda text, pattern: (_find_all(text, pattern, 1) or [""])[0],
    "findAll": _find_all,
}


def _sum(items: list[Any]) -> Any:
    total = items[0] if items else 0
    for item in items[1:]:
        total = arithmetic("+", total, item)
    return total


def _position(items: list[Any], item: Any, *, last: bool = False) -> int:
    found = [index for index, other in enumerate(items) if same(other, item)]
    return -1 if not found else found[-1] if last else found[0]


def _best(items: list[Any], name: str) -> Any:
    if not items:
        raise CelError("min called on empty list" if name == "<" else "max called on empty list")
    best = items[0]
    for item in items[1:]:
        best = item if order(name, item, best) else best
    return best


def _distinct(items: list[Any]) -> list[Any]:
    return [item for index, item in enumerate(items) if _position(items[:index], item) < 0]


_LISTS: dict[str, Callable[..., Any]] = {
    "isSorted": lambda items: all(order("<=", a, b) for a, b in pairwise(items)),
    "sum": _sum,
    "min": lambda items: _best(items, "<"),
    "max": lambda items: _best(items, ">"),
    "indexOf": _position,
    "lastIndexOf": lambda items, item: _position(items, item, last=True),
    "join": lambda items, separator="": separator.join(items),
    "slice": lambda items, start, end: items[start:end],
    "distinct": _distinct,
    "sort": lambda items: sorted(items),
    "reverse": lambda items: items[::-1],
    "flatten": lambda items: [inner for item in items for inner in (item if isinstance(item, list) else [item])],
    "first": lambda items: Optional.of(items[0]) if items else Optional.none(),
    "last": lambda items: Optional.of(items[-1]) if items else Optional.none(),
}


def _compare(left: Quantity, right: Quantity) -> int:
    return (left.number > right.number) - (left.number < right.number)


def _quantity(value: Any) -> Fraction:
    return value.number if isinstance(value, Quantity) else Fraction(value)


_QUANTITIES: dict[str, Callable[..., Any]] = {
    "isGreaterThan": lambda a, b: a.number > b.number,
    "isLessThan": lambda a, b: a.number < b.number,
    "compareTo": _compare,
    "add": lambda a, b: Quantity(a.number + _quantity(b)),
    "sub": lambda a, b: Quantity(a.number - _quantity(b)),
    "sign": lambda a: (a.number > 0) - (a.number < 0),
    "isInteger": lambda a: a.number.denominator == 1,
    "asInteger": lambda a: int(a.number),
    "asApproximateFloat": lambda a: float(a.number),
}
_TIMESTAMPS: dict[str, Callable[..., Any]] = {
    "getFullYear": lambda t, zone="": t.year,
    "getMonth": lambda t, zone="": t.month - 1,
    "getDate": lambda t, zone="": t.day,
    "getDayOfMonth": lambda t, zone="": t.day - 1,
    "getDayOfWeek": lambda t, zone="": (t.weekday() + 1) % 7,
    "getDayOfYear": lambda t, zone="": t.timetuple().tm_yday - 1,
    "getHours": lambda t, zone="": t.hour,
    "getMinutes": lambda t, zone="": t.minute,
    "getSeconds": lambda t, zone="": t.second,
    "getMilliseconds": lambda t, zone="": t.microsecond // 1000,
}
_DURATIONS: dict[str, Callable[..., Any]] = {
    "getHours": lambda d: int(d.total_seconds() // 3600),
    "getMinutes": lambda d: int(d.total_seconds() // 60),
    "getSeconds": lambda d: int(d.total_seconds()),
    "getMilliseconds": lambda d: int(d.total_seconds() * 1000),
}
_ADDRESSES: dict[str, Callable[..., Any]] = {
    "family": lambda a: a.version,
    "isUnspecified": lambda a: a.is_unspecified,
    "isLoopback": lambda a: a.is_loopback,
    "isLinkLocalUnicast": lambda a: a.is_link_local,
    "isGlobalUnicast": lambda a: not (a.is_multicast or a.is_loopback or a.is_unspecified or a.is_link_local),
}


def _inside(network: Any, other: Any, convert: Callable[[str], Any]) -> bool:
    other = convert(other) if isinstance(other, str) else other
    if isinstance(other, ipaddress.IPv4Network | ipaddress.IPv6Network):
        return bool(other.version == network.version and other.subnet_of(network))
    return other in network


_NETWORKS: dict[str, Callable[..., Any]] = {
    "containsIP": lambda n, other: _inside(n, other, _address),
    "containsCIDR": lambda n, other: _inside(n, other, _network),
    "ip": lambda n: n.network_address,
    "masked": lambda n: n,
    "prefixLength": lambda n: n.prefixlen,
}
_URLS: dict[str, Callable[..., Any]] = {
    "getScheme": lambda u: u.scheme,
    "getHost": lambda u: u.netloc.rpartition("@")[2],
    "getHostname": lambda u: u.hostname or "",
    "getPort": lambda u: str(u.port or ""),
    "getEscapedPath": lambda u: u.path,
    "getQuery": lambda u: parse_qs(u.query, keep_blank_values=True),
}
_OPTIONAL: dict[str, Callable[..., Any]] = {
    "hasValue": lambda o: o.present,
    "value": lambda o: o.value if o.present else _unknown(),
    "orValue": lambda o, other: o.value if o.present else other,
    "or": lambda o, other: o if o.present else other,
}
_METHODS: tuple[tuple[Any, dict[str, Callable[..., Any]]], ...] = (
    (str, _STRINGS),
    (list, _LISTS),
    (Quantity, _QUANTITIES),
    (datetime, _TIMESTAMPS),
    (timedelta, _DURATIONS),
    ((ipaddress.IPv4Address, ipaddress.IPv6Address), _ADDRESSES),
    ((ipaddress.IPv4Network, ipaddress.IPv6Network), _NETWORKS),
    (tuple, _URLS),
)
