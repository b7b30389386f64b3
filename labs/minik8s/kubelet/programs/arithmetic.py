"""Shell arithmetic, `$((...))`: 64-bit integers, the operators of C, names of variables."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, MutableMapping

_TOKEN = re.compile(r"\s*(0[xX][0-9a-fA-F]+|\d+|[A-Za-z_]\w*|\+\+|--|<<=|>>=|\*\*|<<|>>|&&|\|\||[-+*/%&|^<>=!]=|\S)")


def _divide(a: int, b: int) -> int:
    if b == 0:
        raise ArithmeticError("divide by zero")
    return abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)


def _power(a: int, b: int) -> int:
    if b < 0:
        raise ArithmeticError("exponent less than 0")
    return pow(a, b, 1 << 64)


# From the loosest to the tightest.
_LEVELS: list[dict[str, Callable[[int, int], int]]] = [
    {"||": lambda a, b: int(bool(a or b))},
    {"&&": lambda a, b: int(bool(a and b))},
    {"|": operator.or_},
    {"^": operator.xor},
    {"&": operator.and_},
    {"==": operator.eq, "!=": operator.ne},
    {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge},
    {"<<": lambda a, b: a << (b & 63), ">>": lambda a, b: a >> (b & 63)},
    {"+": operator.add, "-": operator.sub},
    {"*": operator.mul, "/": _divide, "%": lambda a, b: a - b * _divide(a, b)},
    {"**": _power},
]
_BINARY = {name: fn for level in _LEVELS for name, fn in level.items()}
_ASSIGN = {f"{name}=": name for name in ("+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>")} | {"=": ""}
_SYNTAX = "arithmetic syntax error"


def evaluate(text: str, variables: MutableMapping[str, str]) -> int:
    """The value; assignments change `variables`. ArithmeticError with the shell's words for what has none."""
    if not text.strip():
        return 0
    reader = _Reader(_TOKEN.findall(text), variables)
    value = reader.assignment()
    if reader.peek():
        raise ArithmeticError(_SYNTAX)
    return value


class _Reader:
    def __init__(self, tokens: list[str], variables: MutableMapping[str, str]):
        self.tokens, self.variables, self.i = tokens, variables, 0

    def peek(self, ahead: int = 0) -> str:
        return self.tokens[self.i + ahead] if self.i + ahead < len(self.tokens) else ""

    def take(self) -> str:
        self.i += 1
        return self.tokens[self.i - 1] if self.i <= len(self.tokens) else ""

    def expect(self, token: str) -> None:
        if self.take() != token:
            raise ArithmeticError(_SYNTAX)

    def value_of(self, name: str) -> int:
        text = self.variables.get(name, "").strip()
        return _number(text) if text else 0

    def assign(self, name: str, value: int) -> int:
        self.variables[name] = str(_wrap(value))
        return _wrap(value)

    def assignment(self) -> int:
        if self.peek().isidentifier() and self.peek(1) in _ASSIGN:
            name, sign = self.take(), _ASSIGN[self.take()]
            value = self.assignment()
            return self.assign(name, _BINARY[sign](self.value_of(name), value) if sign else value)
        value = self.binary(0)
        if self.peek() == "?":
            self.take()
            yes = self.assignment()
            self.expect(":")
            no = self.assignment()
            return yes if value else no
        return value

    def binary(self, level: int) -> int:
        if level == len(_LEVELS):
            return self.unary()
        value = self.binary(level + 1)
        while self.peek() in _LEVELS[level]:
            sign = self.take()
            value = _wrap(int(_LEVELS[level][sign](value, self.binary(level + 1))))
        return value

    def unary(self) -> int:
        token = self.take()
        if token in ("++", "--"):
            name = self.take()
            return self.assign(name, self.value_of(name) + (1 if token == "++" else -1))
        if token in ("-", "+", "!", "~"):
            value = self.unary()
            return _wrap({"-": -value, "+": value, "!": int(not value), "~": ~value}[token])
        if token == "(":
            value = self.assignment()
            self.expect(")")
            return value
        if not token.isidentifier():
            return _number(token)
        value = self.value_of(token)
        if self.peek() in ("++", "--"):
            self.assign(token, value + (1 if self.take() == "++" else -1))
        return value


def _number(text: str) -> int:
    try:
        return _wrap(int(text, 8 if re.fullmatch(r"-?0\d+", text) else 0))
    except ValueError:
        raise ArithmeticError(_SYNTAX) from None


def _wrap(value: int) -> int:
    return (value + (1 << 63)) % (1 << 64) - (1 << 63)
