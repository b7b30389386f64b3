"""The syntax of CEL, the Common Expression Language: text to a tree.

Grammar: https://github.com/google/cel-spec/blob/master/doc/langdef.md. Nodes are tuples whose first item names them:
("lit", value) ("id", name) ("sel", node, field, optional) ("index", node, node, optional)
("call", target|None, name, args) ("list", items) ("map", pairs) ("struct", name, pairs)
("?:", a, b, c) ("&&", a, b) ("||", a, b) ("op", name, args).
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

Node = tuple[Any, ...]
_MAX_DEPTH = 250


class CelError(Exception):
    """A text that is no CEL, or an evaluation that failed; its words are for the API's messages."""


class Uint(int):
    """An unsigned integer (`1u`)."""


_TOKEN = re.compile(
    r"""(?P<space>[ \t\r\n\f]+|//[^\n]*)
      | (?P<float>\d+\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+|\.\d+(?:[eE][+-]?\d+)?)
      | (?P<int>0x[0-9a-fA-F]+[uU]?|\d+[uU]?)
      | (?P<string>(?:[bB][rR]?|[rR][bB]?)?(?:\"\"\"(?:\\.|[^\\])*?\"\"\"|'''(?:\\.|[^\\])*?'''
            |"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'))
      | (?P<name>[_a-zA-Z][_a-zA-Z0-9]*)
      | (?P<quoted>`[^`]+`)
      | (?P<op>\.\?|\[\?|&&|\|\||==|!=|<=|>=|[-+*/%!<>?:.,(){}\[\]])""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-3][0-7]{2}|.)", re.DOTALL)
_SIMPLE = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_RELATIONS = ("==", "!=", "<=", ">=", "<", ">", "in")
_RESERVED = frozenset(
    [
        *("as", "break", "const", "continue", "else", "for", "function", "if", "import", "let", "loop", "package"),
        *("namespace", "return", "var", "void", "while"),
    ]
)


def _tokens(text: str) -> list[tuple[str, str, int]]:
    out, at = [], 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise _fault(text, at, f"token recognition error at: '{text[at]}'")
        kind = match.lastgroup or ""
        if kind != "space":
            out.append((kind, match.group(), at))
        at = match.end()
    out.append(("end", "<EOF>", len(text)))
    return out


def _fault(text: str, at: int, why: str) -> CelError:
    line = text.count("\n", 0, at) + 1
    column = at - (text.rfind("\n", 0, at) + 1)
    return CelError(f"ERROR: <input>:{line}:{column + 1}: Syntax error: {why}")


@lru_cache(maxsize=1024)
def parse(text: str) -> Node:
    """The tree of an expression. CelError for a syntax error."""
    return _Parser(text).whole()


class _Parser:
    def __init__(self, text: str):
        self.text, self.tokens, self.at, self.depth = text, _tokens(text), 0, 0

    def whole(self) -> Node:
        node = self.expression()
        if self.tokens[self.at][0] != "end":
            raise self.unexpected()
        return node

    # -- tokens
    def unexpected(self) -> CelError:
        kind, value, at = self.tokens[self.at]
        if kind == "end":
            return _fault(self.text, at, "mismatched input '<EOF>'")
        return _fault(self.text, at, f"extraneous input '{value}'")

    def take(self, *values: str) -> str:
        kind, value, _ = self.tokens[self.at]
        if value in values and kind in ("op", "name"):
            self.at += 1
            return value
        return ""

    def expect(self, value: str) -> None:
        if not self.take(value):
            raise self.unexpected()

    # -- operators, loosest first
    def expression(self) -> Node:
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise CelError("expression recursion limit exceeded: 250")
        node = self.either()
        if self.take("?"):
            yes = self.either()
            self.expect(":")
            node = ("?:", node, yes, self.expression())
        self.depth -= 1
        return node

    def either(self) -> Node:
        node = self.both()
        while self.take("||"):
            node = ("||", node, self.both())
        return node

    def both(self) -> Node:
        node = self.relation()
        while self.take("&&"):
            node = ("&&", node, self.relation())
        return node

    def relation(self) -> Node:
        node = self.sum()
        while operator := self.take(*_RELATIONS):
            node = ("op", operator, (node, self.sum()))
        return node

    def sum(self) -> Node:
        node = self.product()
        while operator := self.take("+", "-"):
            node = ("op", operator, (node, self.product()))
        return node

    def product(self) -> Node:
        node = self.unary()
        while operator := self.take("*", "/", "%"):
            node = ("op", operator, (node, self.unary()))
        return node

    def unary(self) -> Node:
        if self.take("!"):
            return ("op", "!_", (self.unary(),))
        if self.take("-"):
            inner = self.unary()
            if inner[0] == "lit" and type(inner[1]) in (int, float):
                return ("lit", -inner[1])
            return ("op", "-_", (inner,))
        return self.member()

    def member(self) -> Node:
        node = self.primary()
        while True:
            if dot := self.take(".", ".?"):
                name = self.field()
                if dot == "." and self.take("("):
                    node = ("call", node, name, self.arguments(")"))
                else:
                    node = ("sel", node, name, dot == ".?")
            elif bracket := self.take("[", "[?"):
                key = self.expression()
                self.expect("]")
                node = ("index", node, key, bracket == "[?")
            elif node[0] in ("id", "sel") and self._starts_struct(node):
                node = ("struct", _dotted(node), self.pairs(fields=True))
            else:
                return node

    def _starts_struct(self, node: Node) -> bool:
        name = _dotted(node)
        if name and name.rpartition(".")[2][:1].isupper() and self.tokens[self.at][1] == "{":
            self.at += 1
            return True
        return False

    def field(self) -> str:
        kind, value, _ = self.tokens[self.at]
        if kind not in ("name", "quoted"):
            raise self.unexpected()
        self.at += 1
        return value.strip("`")

    def primary(self) -> Node:
        kind, value, _ = self.tokens[self.at]
        self.at += 1
        if kind == "int":
            return ("lit", _integer(value))
        if kind == "float":
            return ("lit", float(value))
        if kind == "string":
            return ("lit", _string(value))
        if kind == "name":
            return self._name(value)
        if value == "(":
            node = self.expression()
            self.expect(")")
            return node
        if value == "[":
            return ("list", self.arguments("]"))
        if value == "{":
            return ("map", self.pairs(fields=False))
        if value == "." and self.tokens[self.at][0] == "name":
            return ("id", self.field())
        self.at -= 1
        raise self.unexpected()

    def _name(self, value: str) -> Node:
        if value in ("true", "false", "null"):
            return ("lit", {"true": True, "false": False, "null": None}[value])
        if value in _RESERVED:
            self.at -= 1
            raise _fault(self.text, self.tokens[self.at][2], f"reserved identifier: {value}")
        if self.take("("):
            return ("call", None, value, self.arguments(")"))
        return ("id", value)

    def arguments(self, end: str) -> tuple[Node, ...]:
        out: list[Node] = []
        while not self.take(end):
            if out:
                self.expect(",")
                if end == "]" and self.take(end):
                    break
            self.take("?")
            out.append(self.expression())
        return tuple(out)

    def pairs(self, *, fields: bool) -> tuple[tuple[Any, Node], ...]:
        out: list[tuple[Any, Node]] = []
        while not self.take("}"):
            if out:
                self.expect(",")
                if self.take("}"):
                    break
            self.take("?")
            key: Any = self.field() if fields else self.expression()
            self.expect(":")
            out.append((key, self.expression()))
        return tuple(out)


def _dotted(node: Node) -> str:
    if node[0] == "id":
        return str(node[1])
    inner = _dotted(node[1]) if node[0] == "sel" else ""
    return f"{inner}.{node[2]}" if inner else ""


def _integer(text: str) -> int:
    unsigned = text[-1] in "uU"
    number = int(text.rstrip("uU"), 0) if text[:2] == "0x" else int(text.rstrip("uU"))
    return Uint(number) if unsigned else number


def _string(text: str) -> str | bytes:
    prefix = text[: min(text.index(q) for q in "'\"" if q in text)].lower()
    body = text[len(prefix) :]
    body = body[3:-3] if body[:3] in ('"""', "'''") else body[1:-1]
    if "r" not in prefix:
        body = _ESCAPE.sub(_unescape, body)
    return body.encode("latin-1" if "\\x" in text else "utf-8") if "b" in prefix else body


def _unescape(match: re.Match[str]) -> str:
    code = match[1]
    if code[0] in "xuU" and len(code) > 1:
        return chr(int(code[1:], 16))
    if len(code) == 3:
        return chr(int(code, 8))
    return _SIMPLE.get(code, code)
