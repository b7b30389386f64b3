"""What the words of a shell stand for: variables, `$(...)`, `$((...))`, quotes and file names."""

from __future__ import annotations

import fnmatch
from collections.abc import Generator

from minik8s.kubelet.programs import arithmetic, shellparse
from minik8s.kubelet.programs.shellparse import Node
from minik8s.kubelet.tasks import MAX_TEXT, Exited, Process, Program

Words = list[str]


class Expansion:
    """The part of a shell that reads words; `Shell` (shell.py) runs what they say."""

    p: Process
    variables: dict[str, str]
    arguments: Words
    name: str
    code: int
    last_job: int

    def _subshell(self, node: Node, p: Process) -> Program:
        raise NotImplementedError

    def expand_all(self, words: Words, p: Process) -> Generator[float | None, None, Words]:
        out: Words = []
        for word in words:
            if word in ('"$@"', "$@"):
                out += self.arguments
                continue
            text, quoted = yield from self._expand(word, p)
            if quoted:
                out.append(text)
                continue
            pieces = text.split() if "$" in word or "`" in word else [text]
            for piece in pieces:
                out += _glob(p, piece) if any(c in piece for c in "*?[") else [piece]
        return out

    def expand_one(self, word: str, p: Process) -> Generator[float | None, None, str]:
        text, _ = yield from self._expand(word, p)
        return text

    def _expand(self, word: str, p: Process) -> Generator[float | None, None, tuple[str, bool]]:
        """The word without quotes, with values in place of variables; and whether any part was quoted."""
        out: Words = []
        i, n, quoted, inside = 0, len(word), False, False
        if word.startswith("~") and (n == 1 or word[1] == "/"):
            out.append(self.variables.get("HOME", "/root"))
            i = 1
        while i < n:
            char = word[i]
            if char == '"':
                inside, quoted = not inside, True
                i += 1
            elif char == "'" and not inside:
                end = word.index("'", i + 1)
                out.append(word[i + 1 : end])
                quoted, i = True, end + 1
            elif char == "\\":
                follow = word[i + 1 : i + 2]
                out.append(follow if not inside or follow in '$`"\\\n' else "\\" + follow)
                quoted, i = quoted or not inside, i + 2
            elif char == "`":
                end = word.index("`", i + 1)
                out.append((yield from self._command_output(word[i + 1 : end], p)))
                i = end + 1
            elif char == "$" and i + 1 < n:
                text, i = yield from self._dollar(word, i, p)
                out.append(text)
            else:
                out.append(char)
                i += 1
        text = "".join(out)
        if len(text) > MAX_TEXT:
            raise MemoryError
        return text, quoted

    def _dollar(self, word: str, i: int, p: Process) -> Generator[float | None, None, tuple[str, int]]:
        follow = word[i + 1]
        if word.startswith("$((", i):
            end = shellparse._closing(word, i + 1, "(", ")")
            inner, _ = yield from self._expand(word[i + 3 : end - 2], p)
            try:
                return str(arithmetic.evaluate(inner, self.variables)), end
            except ArithmeticError as error:
                p.err(f"sh: {error}\n")
                raise Exited(2) from None
        if follow == "(":
            end = shellparse._closing(word, i + 1, "(", ")")
            return (yield from self._command_output(word[i + 2 : end - 1], p)), end
        if follow == "{":
            end = shellparse._closing(word, i + 1, "{", "}")
            return (yield from self._parameter(word[i + 2 : end - 1], p)), end
        if follow.isalpha() or follow == "_":
            end = i + 1
            while end < len(word) and (word[end].isalnum() or word[end] == "_"):
                end += 1
            return self.variable(word[i + 1 : end]), end
        if follow in "?#@*$!0123456789-":
            return self.variable(follow), i + 2
        return "$", i + 1

    def _parameter(self, text: str, p: Process) -> Generator[float | None, None, str]:
        if text.startswith("#") and len(text) > 1:
            return str(len(self.variable(text[1:])))
        name = text
        for operator in (":-", ":=", ":+", ":?", "-", "=", "+", "?", "##", "#", "%%", "%"):
            head, found, rest = text.partition(operator)
            if found and (head.isidentifier() or head.isdigit()):
                word = yield from self.expand_one(rest, p)
                if operator.endswith("?") and not (self.variable(head) or (operator == "?" and head in self.variables)):
                    p.err(f"sh: {head}: {word or 'parameter not set'}\n")
                    raise Exited(2)
                return self._operate(head, operator, word)
        return self.variable(name)

    def _operate(self, name: str, operator: str, word: str) -> str:
        value = self.variable(name)
        known = bool(value) or (name in self.variables and not operator.startswith(":"))
        if operator in (":-", "-"):
            return value if known else word
        if operator in (":+", "+"):
            return word if known else ""
        if operator in (":=", "="):
            if not known:
                self.variables[name] = word
            return self.variables[name]
        cuts = range(len(value) + 1) if operator in ("#", "%%") else range(len(value), -1, -1)
        for cut in cuts:
            head, tail = value[:cut], value[cut:]
            if operator.startswith("#") and fnmatch.fnmatchcase(head, word):
                return tail
            if operator.startswith("%") and fnmatch.fnmatchcase(tail, word):
                return head
        return value

    def variable(self, name: str) -> str:
        """A variable's or special parameter's value, "" when unset."""
        special = {"?": str(self.code), "#": str(len(self.arguments)), "@": " ".join(self.arguments),
                   "*": " ".join(self.arguments), "$": "1" if self.p.main else "17", "0": self.name, "-": "",
                   "!": str(self.last_job or "")}
        if name in special:
            return special[name]
        if name.isdigit():
            return self.arguments[int(name) - 1] if int(name) <= len(self.arguments) else ""
        if name == "RANDOM":
            return str(self.p.box.rng().randrange(32768))
        if name == "PWD":
            return self.p.cwd
        return self.variables.get(name, "")

    def _command_output(self, text: str, p: Process) -> Generator[float | None, None, str]:
        caught: Words = []
        size = 0

        def put(text: str) -> None:
            nonlocal size
            size += len(text)
            if size > MAX_TEXT:
                raise MemoryError
            caught.append(text)

        self.code = yield from self._subshell(shellparse.parse(text), p.child(p.argv, out=put))
        return "".join(caught).rstrip("\n")


def _glob(p: Process, pattern: str) -> Words:
    """File names that fit; the pattern itself when there are none."""
    folder, _, last = pattern.rpartition("/")
    if any(c in folder for c in "*?["):
        return [pattern]
    files = p.box.config.files
    place = p.path(folder or ("/" if pattern.startswith("/") else "."))
    if not files.is_dir(place):
        return [pattern]
    prefix = pattern[: len(pattern) - len(last)]
    names = [n for n in files.listdir(place) if fnmatch.fnmatchcase(n, last) and (last[0] == "." or n[0] != ".")]
    return [prefix + n for n in names] or [pattern]
