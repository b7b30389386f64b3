"""`-o go-template=...`: Go의 text/template 가운데 사람들이 kubectl 뒤에 치는 만큼.

Fields, variables, pipelines, `if`/`else`/`range`/`with`/`end`, and the functions of FUNCTIONS. Errors are ValueError.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

_ACTION = re.compile(r"\{\{(-\s)?\s*(.*?)\s*(\s-)?\}\}", re.DOTALL)
_WORD = re.compile(r'"(?:[^"\\]|\\.)*"|`[^`]*`|\(|\)|\||:=|=|,|[^\s()|,]+')
OPENING = ("if", "range", "with")


class Node(NamedTuple):
    """`text`, `print`, or one of OPENING with what it says, its body and its `else`."""

    kind: str
    said: str
    body: list[Node] = []
    other: list[Node] = []


def render(template: str, root: Any) -> str:
    """The text that a template makes of an object."""
    nodes, end = _parse(_pieces(template))
    if end:
        raise ValueError(f"template: unexpected {{{{{end}}}}}")
    return "".join(_run(nodes, root, {"$": root}))


def _pieces(template: str) -> Iterator[tuple[str, str]]:
    at, trim = 0, False
    for found in _ACTION.finditer(template):
        text = template[at : found.start()]
        text = text.lstrip() if trim else text
        yield "text", text.rstrip() if found[1] else text
        if not found[2].startswith("/*"):
            yield "action", found[2]
        at, trim = found.end(), bool(found[3])
    rest = template[at:]
    if "{{" in rest:
        raise ValueError("template: unclosed action")
    yield "text", rest.lstrip() if trim else rest


def _parse(pieces: Iterator[tuple[str, str]], inside: bool = False) -> tuple[list[Node], str]:
    """Nodes until `end` or `else` (which is the second value), or the end of the text."""
    out: list[Node] = []
    for kind, said in pieces:
        word, _, rest = said.partition(" ")
        if kind == "text":
            out.append(Node("text", said))
        elif word in OPENING:
            body, end = _parse(pieces, True)
            other: list[Node] = []
            if end.startswith("else if"):
                nested, last = _chain(end.removeprefix("else if").strip(), pieces)
                other, end = [nested], last
            elif end == "else":
                other, end = _parse(pieces, True)
            if end != "end":
                raise ValueError(f"template: unclosed {word}")
            out.append(Node(word, rest, body, other))
        elif word in {"end", "else"}:
            return out, said
        else:
            out.append(Node("print", said))
    if inside:
        raise ValueError("template: unexpected EOF")
    return out, ""


def _chain(said: str, pieces: Iterator[tuple[str, str]]) -> tuple[Node, str]:
    body, end = _parse(pieces, True)
    other: list[Node] = []
    if end.startswith("else if"):
        nested, end = _chain(end.removeprefix("else if").strip(), pieces)
        other = [nested]
    elif end == "else":
        other, end = _parse(pieces, True)
    return Node("if", said, body, other), end


def _run(nodes: list[Node], dot: Any, names: dict[str, Any]) -> Iterator[str]:
    for node in nodes:
        if node.kind == "text":
            yield node.said
        elif node.kind == "print":
            value, named = _assigned(node.said, dot, names)
            if not named:
                yield show(value)
        elif node.kind == "range":
            yield from _range(node, dot, names)
        else:
            value, _ = _assigned(node.said, dot, inner := dict(names))
            chosen = node.body if value else node.other
            yield from _run(chosen, value if node.kind == "with" and value else dot, inner)


def _range(node: Node, dot: Any, names: dict[str, Any]) -> Iterator[str]:
    variables, _, source = node.said.rpartition(":=")
    wanted = [one.strip() for one in variables.split(",") if one.strip()]
    value = _value(source, dot, names)
    pairs = sorted(value.items()) if isinstance(value, dict) else list(enumerate(value or ()))
    for key, item in pairs:
        given = (key, item) if len(wanted) == 2 else (item,)
        yield from _run(node.body, item, {**names, **dict(zip(wanted, given, strict=False))})
    if not pairs:
        yield from _run(node.other, dot, names)


def _assigned(said: str, dot: Any, names: dict[str, Any]) -> tuple[Any, bool]:
    found = re.fullmatch(r"(\$\w+)\s*:?=\s*(.*)", said, re.DOTALL)
    value = _value(found[2] if found else said, dot, names)
    if found:
        names[found[1]] = value
    return value, bool(found)


def _value(said: str, dot: Any, names: dict[str, Any]) -> Any:
    words = _WORD.findall(said)
    value = _pipeline(words, dot, names)
    if words:
        raise ValueError(f"template: unexpected {words[0]!r}")
    return value


def _pipeline(words: list[str], dot: Any, names: dict[str, Any]) -> Any:
    value = _command(words, dot, names, [])
    while words and words[0] == "|":
        words.pop(0)
        value = _command(words, dot, names, [value])
    return value


def _command(words: list[str], dot: Any, names: dict[str, Any], piped: list[Any]) -> Any:
    if not words:
        raise ValueError("template: missing value for command")
    if words[0] in FUNCTIONS:
        name, operands = words.pop(0), []
        while words and words[0] not in {"|", ")"}:
            operands.append(_operand(words, dot, names))
        return FUNCTIONS[name](*operands, *piped)
    return _operand(words, dot, names)


def _operand(words: list[str], dot: Any, names: dict[str, Any]) -> Any:
    word = words.pop(0)
    if word == "(":
        value = _pipeline(words, dot, names)
        if not words or words.pop(0) != ")":
            raise ValueError("template: unclosed left paren")
        return _fields(words.pop(0), value) if words and words[0].startswith(".") else value
    if word[0] in "\"`":
        return word[1:-1].encode().decode("unicode_escape") if "\\" in word and word[0] == '"' else word[1:-1]
    if re.fullmatch(r"-?\d+", word):
        return int(word)
    if word in {"true", "false", "nil"}:
        return {"true": True, "false": False, "nil": None}[word]
    if word.startswith("."):
        return _fields(word, dot)
    if word.startswith("$"):
        name, _, rest = word.partition(".")
        if name not in names:
            raise ValueError(f"template: undefined variable {name!r}")
        return _fields(f".{rest}", names[name])
    raise ValueError(f"template: function {word!r} not defined")


def _fields(path: str, value: Any) -> Any:
    for name in filter(None, path.split(".")):
        if value is not None and not isinstance(value, dict):
            raise ValueError(f"template: can't evaluate field {name} in {show(value)}")
        value = (value or {}).get(name)
    return value


def show(value: Any) -> str:
    """A value as Go's `%v` prints it."""
    if value is None:
        return "<no value>"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return f"map[{' '.join(f'{k}:{show(v)}' for k, v in sorted(value.items()))}]"
    if isinstance(value, list | tuple):
        return f"[{' '.join(map(show, value))}]"
    return str(value)


def _index(value: Any, *keys: Any) -> Any:
    for key in keys:
        if isinstance(value, dict):
            value = value.get(key)
        elif isinstance(key, int) and 0 <= key < len(value):
            value = value[key]
        else:
            raise ValueError(f"template: index out of range: {show(key)}")
    return value


def _printf(form: str, *values: Any) -> str:
    rest = list(values)

    def one(found: re.Match[str]) -> str:
        if found[2] == "%":
            return "%"
        value = rest.pop(0)
        text = f'"{value}"' if found[2] == "q" else show(value)
        return f"%{found[1]}s" % text

    return re.sub(r"%(-?\d*)([vsdq%])", one, form)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "and": lambda *v: next((one for one in v if not one), v[-1]),
    "or": lambda *v: next((one for one in v if one), v[-1]),
    "not": lambda v: not v,
    "eq": lambda a, *b: any(a == one for one in b),
    "ne": lambda a, b: a != b,
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
    "gt": lambda a, b: a > b,
    "ge": lambda a, b: a >= b,
    "len": len,
    "index": _index,
    "print": lambda *v: "".join(map(show, v)),
    "println": lambda *v: " ".join(map(show, v)) + "\n",
    "printf": _printf,
    "exists": lambda value, *keys: _there(value, keys),
    "base64decode": lambda v: base64.b64decode(v).decode(errors="replace"),
}
"""text/template's own, and the two that kubectl adds."""


def _there(value: Any, keys: tuple[Any, ...]) -> bool:
    try:
        return _index(value, *keys) is not None
    except (ValueError, TypeError):
        return False
