"""Reading shell text: tokens, then a tree. The part of POSIX sh that container commands and lessons use."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

OPERATORS = (
    "&&", "||", ";;", ">>", "2>&1", "2>>", "2>", "&>", "1>&2", ">&2", ">&1", "<<<", "<<-", "<<",
    ";", "&", "|", "(", ")", "<", ">", "\n",
)  # fmt: skip
REDIRECTIONS = frozenset({">", ">>", "<", "2>", "2>>", "2>&1", "&>", "1>&2", ">&2", ">&1", "<<<", "<<"})
BARE = frozenset({"2>&1", "1>&2", ">&2", ">&1"})
RESERVED = frozenset({"if", "then", "elif", "else", "fi", "while", "until", "do", "done", "for", "in", "case", "esac",
                      "{", "}", "!", "function"})


class ShellSyntaxError(Exception):
    """`syntax error: unexpected ...`; `unfinished`: more lines could make it right."""

    @property
    def unfinished(self) -> bool:
        return "end of file" in str(self) or "unterminated" in str(self)


class Token(NamedTuple):
    """kind: word or op. A word keeps its quotes; they are removed when it is expanded."""

    kind: str
    text: str


@dataclass
class Simple:
    assignments: list[tuple[str, str]] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    redirections: list[tuple[str, str]] = field(default_factory=list)


@dataclass
class Pipeline:
    parts: list[Node]
    negated: bool = False


@dataclass
class AndOr:
    first: Node
    rest: list[tuple[str, Node]]


@dataclass
class Sequence:
    items: list[tuple[Node, bool]]


@dataclass
class If:
    clauses: list[tuple[Node, Node]]
    otherwise: Node | None


@dataclass
class While:
    condition: Node
    body: Node
    until: bool = False


@dataclass
class For:
    name: str
    words: list[str] | None
    body: Node


@dataclass
class Case:
    word: str
    branches: list[tuple[list[str], Node]]


@dataclass
class Group:
    body: Node
    subshell: bool = False
    redirections: list[tuple[str, str]] = field(default_factory=list)


@dataclass
class Function:
    name: str
    body: Node


Node = Simple | Pipeline | AndOr | Sequence | If | While | For | Case | Group | Function


def tokenize(text: str, whole: bool = True) -> list[Token]:
    """ShellSyntaxError for a quote that is not closed. A here-document becomes one word, after its operator `<<`.

    One that does not end goes to the end of the text, if that is `whole`.
    """
    tokens: list[Token] = []
    waiting: list[tuple[int, str]] = []  # here-documents whose text comes after this line
    i, n = 0, len(text)
    while i < n:
        if waiting and text[i] == "\n":
            i = _here(text, i + 1, tokens, waiting, whole)
            tokens.append(Token("op", "\n"))
            continue
        char = text[i]
        if char in " \t\r":
            i += 1
        elif text[i : i + 2] == "\\\n":
            i += 2
        elif char == "#":
            i = text.find("\n", i) if "\n" in text[i:] else n
        else:
            operator = next((o for o in OPERATORS if text.startswith(o, i) and _is_operator(o, text, i)), None)
            if operator in ("<<", "<<-"):
                start = i + len(operator)
                start += len(text[start:]) - len(text[start:].lstrip(" \t"))
                i = _word_end(text, start)
                tokens += [Token("op", "<<"), Token("word", text[start:i])]
                waiting.append((len(tokens) - 1, operator))
            elif operator is not None:
                tokens.append(Token("op", operator))
                i += len(operator)
            else:
                end = _word_end(text, i)
                tokens.append(Token("word", text[i:end]))
                i = end
    if waiting:
        _here(text, n, tokens, waiting, whole)
    return tokens


def _is_operator(operator: str, text: str, i: int) -> bool:
    return operator[0] not in "12" or i == 0 or text[i - 1] in " \t\n;&|"


def _here(text: str, i: int, tokens: list[Token], waiting: list[tuple[int, str]], whole: bool) -> int:
    """Put the texts of the here-documents, which begin at `i`, into their tokens; the index after them."""
    for at, operator in waiting:
        mark = tokens[at].text
        plain = any(c in mark for c in "'\"\\")
        end, lines = mark.strip("'\"").replace("\\", ""), []
        while i < len(text):
            line, _, _ = text[i:].partition("\n")
            i += len(line) + 1
            line = line.lstrip("\t") if operator == "<<-" else line
            if line == end:
                break
            lines.append(line + "\n")
        else:
            if not whole:
                raise ShellSyntaxError("unterminated here-document")
        body = "".join(lines)
        quote, inner = ("'", "'\\''") if plain else ('"', '\\"')
        tokens[at] = Token("word", quote + body.replace(quote, inner) + quote)
    waiting.clear()
    return i


def _word_end(text: str, i: int) -> int:
    n = len(text)
    while i < n and text[i] not in " \t\r\n;&|()<>":
        char = text[i]
        if char == "\\":
            i += 2
        elif char in "'\"`":
            i = _quote_end(text, i)
        elif text.startswith("$(", i):
            i = _closing(text, i + 1, "(", ")")
        elif text.startswith("${", i):
            i = _closing(text, i + 1, "{", "}")
        else:
            i += 1
    return min(i, n)


def _quote_end(text: str, i: int) -> int:
    quote = text[i]
    i += 1
    while i < len(text) and text[i] != quote:
        if text[i] == "\\" and quote != "'":
            i += 1
        elif quote == '"' and text.startswith("$(", i):
            i = _closing(text, i + 1, "(", ")") - 1
        i += 1
    if i >= len(text):
        raise ShellSyntaxError("unterminated quoted string")
    return i + 1


def _closing(text: str, i: int, opening: str, closing: str) -> int:
    """The index after the bracket that closes the one at `i`."""
    depth = 0
    while i < len(text):
        char = text[i]
        if char == "\\":
            i += 1
        elif char in "'\"":
            i = _quote_end(text, i) - 1
        elif char == opening:
            depth += 1
        elif char == closing:
            depth -= 1
            if depth == 0:
                return i + 1
        i += 1
    raise ShellSyntaxError("unterminated substitution")


def parse(text: str, whole: bool = True) -> Node:
    """The tree of a whole script, or of lines to which more could come."""
    parser = _Parser(tokenize(text, whole))
    node = parser.sequence(frozenset())
    if parser.peek() is not None:
        raise parser.unexpected()
    return node


class _Parser:
    def __init__(self, tokens: list[Token]):
        self.tokens, self.i = tokens, 0

    def peek(self) -> Token | None:
        return self.tokens[self.i] if self.i < len(self.tokens) else None

    def take(self) -> Token:
        token = self.peek()
        if token is None:
            raise ShellSyntaxError("unexpected end of file")
        self.i += 1
        return token

    def unexpected(self) -> ShellSyntaxError:
        token = self.peek()
        shown = "newline" if token and token.text == "\n" else token.text if token else "end of file"
        return ShellSyntaxError(f'unexpected "{shown}"')

    def is_op(self, *texts: str) -> bool:
        token = self.peek()
        return token is not None and token.kind == "op" and token.text in texts

    def is_word(self, *texts: str) -> bool:
        token = self.peek()
        return token is not None and token.kind == "word" and token.text in texts

    def expect(self, word: str) -> None:
        if not self.is_word(word):
            raise self.unexpected()
        self.i += 1

    def newlines(self) -> None:
        while self.is_op("\n", ";"):
            self.i += 1

    def sequence(self, ends: frozenset[str]) -> Node:
        items: list[tuple[Node, bool]] = []
        self.newlines()
        while (token := self.peek()) is not None:
            if (token.kind == "word" and token.text in ends) or (token.kind == "op" and token.text in (")", ";;")):
                break
            node = self.and_or()
            background = self.is_op("&")
            if background:
                self.i += 1
            items.append((node, background))
            if not background and not self.is_op(";", "\n") and self.peek() is not None:
                token = self.peek()
                if token is not None and not (token.text in ends or token.text in (")", ";;")):
                    raise self.unexpected()
            self.newlines()
        return items[0][0] if len(items) == 1 and not items[0][1] else Sequence(items)

    def filled(self, ends: frozenset[str]) -> Node:
        """A sequence of at least one command."""
        node = self.sequence(ends)
        if isinstance(node, Sequence) and not node.items:
            raise self.unexpected()
        return node

    def and_or(self) -> Node:
        first = self.pipeline()
        rest: list[tuple[str, Node]] = []
        while self.is_op("&&", "||"):
            operator = self.take().text
            while self.is_op("\n"):
                self.i += 1
            rest.append((operator, self.pipeline()))
        return AndOr(first, rest) if rest else first

    def pipeline(self) -> Node:
        negated = self.is_word("!")
        if negated:
            self.i += 1
        parts = [self.command()]
        while self.is_op("|"):
            self.i += 1
            while self.is_op("\n"):
                self.i += 1
            parts.append(self.command())
        return Pipeline(parts, negated) if len(parts) > 1 or negated else parts[0]

    def command(self) -> Node:
        token = self.peek()
        if token is None:
            raise self.unexpected()
        if token.kind == "op":
            if token.text == "(":
                self.i += 1
                body = self.sequence(frozenset())
                if not self.is_op(")"):
                    raise self.unexpected()
                self.i += 1
                return Group(body, True, self.redirections())
            if token.text not in REDIRECTIONS:
                raise self.unexpected()
        readers = {"if": self.if_, "while": self.while_, "until": self.while_, "for": self.for_, "case": self.case}
        if token.kind == "word" and token.text in readers:
            node = readers[token.text]()
            redirections = self.redirections()
            return Group(node, False, redirections) if redirections else node
        if token.kind == "word" and token.text == "{":
            self.i += 1
            body = self.sequence(frozenset({"}"}))
            self.expect("}")
            return Group(body, False, self.redirections())
        if token.kind == "word" and token.text in ("then", "do", "done", "fi", "else", "elif", "esac", "}"):
            raise self.unexpected()
        return self.simple()

    def redirections(self) -> list[tuple[str, str]]:
        out: list[tuple[str, str]] = []
        while self.is_op(*REDIRECTIONS):
            operator = self.take().text
            out.append((operator, "" if operator in BARE else self.take().text))
        return out

    def simple(self) -> Node:
        node = Simple()
        while (token := self.peek()) is not None:
            if token.kind == "op":
                if token.text not in REDIRECTIONS:
                    if token.text == "(" and len(node.words) == 1 and not node.assignments:
                        return self.function(node.words[0])
                    break
                node.redirections += self.redirections()
                continue
            name, equals, value = token.text.partition("=")
            if equals and not node.words and name.isidentifier():
                node.assignments.append((name, value))
            else:
                node.words.append(token.text)
            self.i += 1
        return node

    def function(self, name: str) -> Node:
        self.i += 1
        if not self.is_op(")"):
            raise self.unexpected()
        self.i += 1
        while self.is_op("\n"):
            self.i += 1
        return Function(name, self.command())

    def if_(self) -> Node:
        clauses: list[tuple[Node, Node]] = []
        otherwise: Node | None = None
        self.i += 1
        while True:
            condition = self.filled(frozenset({"then"}))
            self.expect("then")
            clauses.append((condition, self.sequence(frozenset({"elif", "else", "fi"}))))
            if self.is_word("elif"):
                self.i += 1
                continue
            if self.is_word("else"):
                self.i += 1
                otherwise = self.sequence(frozenset({"fi"}))
            self.expect("fi")
            return If(clauses, otherwise)

    def while_(self) -> Node:
        until = self.take().text == "until"
        condition = self.filled(frozenset({"do"}))
        self.expect("do")
        body = self.filled(frozenset({"done"}))
        self.expect("done")
        return While(condition, body, until)

    def for_(self) -> Node:
        self.i += 1
        name = self.take().text
        words: list[str] | None = None
        if self.is_word("in"):
            self.i += 1
            words = []
            while (token := self.peek()) is not None and token.kind == "word":
                words.append(self.take().text)
        self.newlines()
        self.expect("do")
        body = self.filled(frozenset({"done"}))
        self.expect("done")
        return For(name, words, body)

    def case(self) -> Node:
        self.i += 1
        word = self.take().text
        self.expect("in")
        self.newlines()
        branches: list[tuple[list[str], Node]] = []
        while not self.is_word("esac"):
            if self.is_op("("):
                self.i += 1
            patterns = [self.take().text]
            while self.is_op("|"):
                self.i += 1
                patterns.append(self.take().text)
            if not self.is_op(")"):
                raise self.unexpected()
            self.i += 1
            branches.append((patterns, self.sequence(frozenset({"esac"}))))
            if self.is_op(";;"):
                self.i += 1
            self.newlines()
        self.expect("esac")
        return Case(word, branches)
