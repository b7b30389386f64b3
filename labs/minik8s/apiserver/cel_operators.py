"""Operators of CEL: equality, order, membership, arithmetic.

Source: cel-spec's standard definitions.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from minik8s.apiserver.cel_syntax import CelError, Uint
from minik8s.apiserver.cel_values import same, type_name

NO_OVERLOAD = "no such overload"


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def operate(name: str, values: list[Any]) -> Any:
    """The value of an operator."""
    if name == "!_":
        return not _bool(values[0])
    if name == "-_":
        if not _number(values[0]) and not isinstance(values[0], timedelta):
            raise CelError(NO_OVERLOAD)
        return -values[0]
    left, right = values
    if name in ("==", "!="):
        return same(left, right) is (name == "==")
    if name == "in":
        return contains(right, left)
    return order(name, left, right) if name in _ORDERS else arithmetic(name, left, right)


def _bool(value: Any) -> bool:
    if not isinstance(value, bool):
        raise CelError(NO_OVERLOAD)
    return value


def contains(container: Any, item: Any) -> bool:
    if not isinstance(container, list | dict):
        raise CelError(NO_OVERLOAD)
    return any(same(item, other) for other in container)


_ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


def order(name: str, left: Any, right: Any) -> bool:
    comparable = (_number(left) and _number(right)) or (
        type_name(left) == type_name(right) and isinstance(left, str | bytes | bool | datetime | timedelta)
    )
    if not comparable:
        raise CelError(NO_OVERLOAD)
    return _ORDERS[name](left, right)


def arithmetic(name: str, left: Any, right: Any) -> Any:
    if _number(left) and _number(right) and type_name(left) == type_name(right):
        return _floats(name, left, right) if isinstance(left, float) else _integers(name, left, right)
    if name == "+":
        joined = isinstance(left, str | bytes | list) and type_name(left) == type_name(right)
        if joined or _times(left, right, sum_=True):
            return left + right
    if name == "-" and _times(left, right, sum_=False):
        return left - right
    raise CelError(NO_OVERLOAD)


def _times(left: Any, right: Any, *, sum_: bool) -> bool:
    if isinstance(left, datetime):
        return isinstance(right, timedelta) or (not sum_ and isinstance(right, datetime))
    return isinstance(left, timedelta) and (isinstance(right, timedelta) or (sum_ and isinstance(right, datetime)))


def _floats(name: str, left: float, right: float) -> float:
    if name == "/":
        return left / right if right else math.copysign(math.inf, left) if left else math.nan
    if name == "%":
        raise CelError(NO_OVERLOAD)
    return left + right if name == "+" else left - right if name == "-" else left * right


def _integers(name: str, left: int, right: int) -> int:
    if name in "/%" and right == 0:
        raise CelError("division by zero" if name == "/" else "modulus by zero")
    if name == "/":
        result = abs(left) // abs(right) * (1 if (left < 0) == (right < 0) else -1)
    elif name == "%":
        result = int(math.fmod(left, right)) if abs(left) < 2**53 else abs(left) % abs(right) * (1 if left >= 0 else -1)
    else:
        result = left + right if name == "+" else left - right if name == "-" else left * right
    unsigned = isinstance(left, Uint)
    low, high = (0, 2**64) if unsigned else (-(2**63), 2**63)
    if not low <= result < high:
        raise CelError("integer overflow" if not unsigned else "unsigned integer overflow")
    return Uint(result) if unsigned else result
