"""Shell arithmetic: integers, the usual operators, names of variables."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Mapping

_BINARY: dict[type[ast.operator], Callable[[int, int], int]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul,
    ast.FloorDiv: lambda a, b: int(a / b), ast.Div: lambda a, b: int(a / b), ast.Mod: lambda a, b: a - b * int(a / b),
    ast.LShift: lambda a, b: a << min(b, 63), ast.RShift: operator.rshift,
    ast.BitAnd: operator.and_, ast.BitOr: operator.or_, ast.BitXor: operator.xor,
    ast.Pow: lambda a, b: a ** min(b, 64),
}  # fmt: skip
_COMPARE: dict[type[ast.cmpop], Callable[[int, int], bool]] = {
    ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge, ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}  # fmt: skip


def evaluate(text: str, variables: Mapping[str, str]) -> int:
    """The value; 0 for what cannot be read or divided."""
    text = text.strip().replace("&&", " and ").replace("||", " or ")
    text = re.sub(r"!(?!=)", " not ", text)
    try:
        return _value(ast.parse(text or "0", mode="eval").body, variables)
    except (SyntaxError, ValueError, ZeroDivisionError, KeyError, OverflowError):
        return 0


def _value(node: ast.expr, variables: Mapping[str, str]) -> int:
    if isinstance(node, ast.Constant):
        return int(node.value)  # type: ignore[arg-type]
    if isinstance(node, ast.Name):
        return int(variables.get(node.id) or 0)
    if isinstance(node, ast.BinOp):
        return _BINARY[type(node.op)](_value(node.left, variables), _value(node.right, variables))
    if isinstance(node, ast.UnaryOp):
        value = _value(node.operand, variables)
        return -value if isinstance(node.op, ast.USub) else int(not value) if isinstance(node.op, ast.Not) else value
    if isinstance(node, ast.BoolOp):
        values = [bool(_value(v, variables)) for v in node.values]
        return int(all(values) if isinstance(node.op, ast.And) else any(values))
    if isinstance(node, ast.Compare):
        left, right = _value(node.left, variables), _value(node.comparators[0], variables)
        return int(_COMPARE[type(node.ops[0])](left, right))
    raise ValueError(node)
