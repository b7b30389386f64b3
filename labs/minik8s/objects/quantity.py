"""Quantities (`500m`, `1536Mi`, `1e3`), exact, as Kubernetes reads and prints them.

Source: apimachinery `pkg/api/resource/quantity.go`. A quantity is a whole number of nanos (nothing finer is kept:
parsing rounds away from zero) and remembers its suffix family, in which it is printed again in canonical form:
no precision lost, no fractional digits, the largest suffix that fits.
"""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache, total_ordering

DECIMAL_EXPONENT = "DecimalExponent"
BINARY_SI = "BinarySI"
DECIMAL_SI = "DecimalSI"

NANOS = 10**9
MAX_INT64 = 2**63 - 1
# Exponents beyond this are stored as this one: nobody orders 10^1000 bytes, and exact integers would fill the memory.
_MAX_EXPONENT = 1000

_BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY_SUFFIX = {exponent: suffix for suffix, exponent in _BINARY.items()}
_DECIMAL_SUFFIX = {exponent: suffix for suffix, exponent in _DECIMAL.items()}

_FORMAT = r"^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$"
ERR_FORMAT_WRONG = f"quantities must match the regular expression '{_FORMAT}'"
ERR_NUMERIC = "unable to parse numeric part of quantity"
ERR_SUFFIX = "unable to parse quantity's suffix"

# What upstream's scanner takes: sign, leading zeros, digits, an optional fraction, a suffix. Every part may be empty.
_SCAN = re.compile(r"([+-]?)0*([0-9]*)(\.[0-9]*)?([eEinumkKMGTP]*[-+]?[0-9]*)", re.ASCII)
_EXPONENT = re.compile(r"[eE]([+-]?[0-9]+)", re.ASCII)


class QuantityError(ValueError):
    """A string that is no quantity; the message is apimachinery's."""


@total_ordering
class Quantity:
    """An immutable amount. Compares, adds, subtracts; `str()` is Kubernetes' canonical form."""

    __slots__ = ("_text", "format", "nanos")

    def __init__(self, nanos: int, format: str = DECIMAL_SI, _text: str | None = None) -> None:
        self.nanos = nanos
        self.format = format
        self._text = _text

    def __str__(self) -> str:
        if self._text is None:
            self._text = _canonical(self.nanos, self.format)
        return self._text

    def __repr__(self) -> str:
        return f"Quantity({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Quantity) and self.nanos == other.nanos

    def __hash__(self) -> int:
        return hash(self.nanos)

    def __lt__(self, other: Quantity) -> bool:
        return self.nanos < other.nanos

    def __bool__(self) -> bool:
        return self.nanos != 0

    def __neg__(self) -> Quantity:
        return Quantity(-self.nanos, self.format)

    def __add__(self, other: Quantity) -> Quantity:
        return Quantity(self.nanos + other.nanos, self.format if self.nanos else other.format)

    def __sub__(self, other: Quantity) -> Quantity:
        return Quantity(self.nanos - other.nanos, self.format if self.nanos else other.format)

    def __mul__(self, factor: int) -> Quantity:
        return Quantity(self.nanos * factor, self.format)

    @property
    def exact(self) -> Fraction:
        """The amount as a fraction, for arithmetic beyond sums."""
        return Fraction(self.nanos, NANOS)

    def milli(self) -> int:
        """MilliValue(): thousandths, rounded up away from zero."""
        return _round_up(self.nanos, 10**6)

    def value(self) -> int:
        """Value(): whole units, rounded up away from zero."""
        return _round_up(self.nanos, NANOS)


def parse_quantity(text: str | int | float | Quantity) -> Quantity:
    """Read a quantity; numbers are taken as their decimal text (JSON `cpu: 1` is legal). Raises QuantityError."""
    if isinstance(text, Quantity):
        return text
    if isinstance(text, bool):
        raise QuantityError(ERR_FORMAT_WRONG)
    if isinstance(text, float):
        text = str(int(text)) if text.is_integer() else repr(text)
    return _parse(str(text))


def is_quantity(text: str | int | float) -> bool:
    """Whether parse_quantity would take it."""
    try:
        parse_quantity(text)
    except QuantityError:
        return False
    return True


def canonical(text: str | int | float | Quantity) -> str:
    """The text as the API server stores it: Quantity.String() of the parsed value."""
    return str(parse_quantity(text))


def milli(text: str | int | float | Quantity) -> int:
    """Thousandths, rounded up: `milli("0.1") == 100`."""
    return parse_quantity(text).milli()


def value(text: str | int | float | Quantity) -> int:
    """Whole units, rounded up: `value("1500m") == 2`, `value("1Ki") == 1024`."""
    return parse_quantity(text).value()


def compare(a: str | int | float | Quantity, b: str | int | float | Quantity) -> int:
    """-1, 0 or 1, as Quantity.Cmp."""
    left, right = parse_quantity(a).nanos, parse_quantity(b).nanos
    return (left > right) - (left < right)


def from_value(units: int, format: str = DECIMAL_SI) -> Quantity:
    """NewQuantity: a whole number of units."""
    return Quantity(units * NANOS, format)


def from_milli(thousandths: int, format: str = DECIMAL_SI) -> Quantity:
    """NewMilliQuantity: a number of thousandths."""
    return Quantity(thousandths * 10**6, format)


@lru_cache(maxsize=65536)
def _parse(text: str) -> Quantity:
    if not text:
        raise QuantityError(ERR_FORMAT_WRONG)
    scan = _SCAN.fullmatch(text)
    if scan is None:
        raise QuantityError(ERR_FORMAT_WRONG)
    sign, digits, fraction, suffix = scan.groups()
    digits, fraction = digits or "0", (fraction or ".")[1:]
    base, exponent, format = _interpret(suffix)
    mantissa = int(digits + fraction)
    exact = mantissa * NANOS * (2**exponent if base == 2 else 10 ** max(exponent, 0))
    nanos = _round_up(exact, 10 ** (len(fraction) + (max(-exponent, 0) if base == 10 else 0)))
    if base == 2:
        nanos = min(nanos, MAX_INT64 * NANOS)
        if "." in text and 0 < nanos < NANOS:
            format = DECIMAL_SI
    kept = text if _keeps_text(digits, fraction, exponent, format, "." in text) else None
    return Quantity(-nanos if sign == "-" else nanos, format, kept)


def _interpret(suffix: str) -> tuple[int, int, str]:
    """A suffix as (base, exponent, format)."""
    if suffix in _DECIMAL:
        return 10, _DECIMAL[suffix], DECIMAL_SI
    if suffix in _BINARY:
        return 2, _BINARY[suffix], BINARY_SI
    found = _EXPONENT.fullmatch(suffix)
    if found is None or abs(int(found[1])) > MAX_INT64:
        raise QuantityError(ERR_SUFFIX)
    return 10, max(-_MAX_EXPONENT, min(_MAX_EXPONENT, int(found[1]))), DECIMAL_EXPONENT


def _keeps_text(digits: str, fraction: str, exponent: int, format: str, dotted: bool) -> bool:
    """Upstream's parser hands short texts through unchanged where it takes them for canonical (`1.500` stays)."""
    if format == BINARY_SI:
        short = 15 - len(digits) - exponent * 3 // 10 - 1 >= 0
        return short and not fraction and int(digits) & 7 != 0
    shifted, scale = digits + fraction, exponent - len(fraction)
    if len(shifted) > 18 or scale < -9:
        return False
    return scale % 3 == 0 and not shifted.endswith("000") and shifted[0] != "0"


def _canonical(nanos: int, format: str) -> str:
    if nanos == 0:
        return "0"
    whole, rest = divmod(nanos, NANOS)
    if format == BINARY_SI and rest == 0 and not -1024 < whole < 1024:
        number, power = _without_factors(whole, 1024)
        return f"{number}{_BINARY_SUFFIX.get(power * 10, '')}"
    number, power = _without_factors(nanos, 10)
    exponent = power - 9
    while exponent % 3:
        number, exponent = number * 10, exponent - 1
    if format == DECIMAL_EXPONENT:
        return f"{number}e{exponent}" if exponent else str(number)
    return f"{number}{_DECIMAL_SUFFIX.get(exponent, '')}"


def _without_factors(number: int, factor: int) -> tuple[int, int]:
    times = 0
    while number % factor == 0:
        number, times = number // factor, times + 1
    return number, times


def _round_up(number: int, unit: int) -> int:
    """Divide, rounding away from zero."""
    return -(-number // unit) if number >= 0 else number // unit
