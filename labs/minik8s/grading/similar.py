"""Pairs of submissions that are more alike than chance and the handout explain.

Every answer becomes a set of shapes that a disguise does not change, by its kind:

    yaml    each leaf as its path and value, lists without their order: reordering and indenting change nothing
    python  runs of WINDOW tokens with all names that the answer itself makes put to one: renaming changes nothing
    text    runs of WINDOW words

Values of the student's own variant become the names of their fields. What the handout gives everybody, or most of the
class shares, does not count: the shape of a task is not a copy. In YAML, where the task leaves little to choose, the
leaves of the model solution do not count either; what remains are the choices that nobody was told to make.
"""

from __future__ import annotations

import builtins
import io
import keyword
import re
import tokenize
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any, NamedTuple

import yaml

_TOKEN = re.compile(r"[A-Za-z가-힣_][\w가-힣.\-/]*|\d+|[^\s\w]")
_COMMENT = re.compile(r"(^|\s)#.*$", re.MULTILINE)
_MADE = re.compile(
    r"\b(?:def|class|for|as|lambda|import)\s+(\w+)|\b(\w+)\s*(?::[^=\n]{0,80})?=(?!=)|[(,]\s*(\w+)\s*(?=[,)=:])"
)
WINDOW = 5
COMMON = 0.5
MAX_TEXT = 50_000
"""Characters of an answer that are looked at."""
MAX_ALIASES = 8
"""References in a YAML answer; what says more by them than it writes is read as words."""
Shape = tuple[str, ...]


class Pair(NamedTuple):
    """`likeness` 0..1 of what is their own; `foreign`: values of the other's variant found in an answer."""

    first: str
    second: str
    likeness: float
    same: bool
    foreign: tuple[str, ...]


def pairs(
    answers: Mapping[str, Mapping[str, str]],
    values: Mapping[str, Mapping[str, Any]],
    given: str = "",
    threshold: float = 0.6,
    kinds: Mapping[str, str] | None = None,
    model: tuple[Mapping[str, str], Mapping[str, Any]] = ({}, {}),
) -> list[Pair]:
    """Suspicious pairs, most suspicious first.

    answers, values   by student
    given             the text of the handout
    kinds             of the answers, by name: yaml, python or text
    model             the model solution's answers, and the values they were written for
    """
    prints = {who: _prints(texts, values.get(who, {}), kinds or {}) for who, texts in answers.items()}
    counts = Counter(shape for found in prints.values() for shape in found)
    usual = _runs(given, {}) | python_shapes(given, {})
    forced = {name: text for name, text in model[0].items() if (kinds or {}).get(name) == "yaml"}
    usual |= _prints(forced, model[1], kinds or {})
    usual |= {shape for shape, n in counts.items() if n > max(2, COMMON * len(prints))}
    own = {who: found - usual for who, found in prints.items()}
    out = []
    for first, second in combinations(sorted(answers), 2):
        both, either = own[first] & own[second], own[first] | own[second]
        likeness = len(both) / len(either) if len(both) >= WINDOW else 0.0
        foreign = (*_foreign(answers[first], values, first, second), *_foreign(answers[second], values, second, first))
        same = bool(prints[first]) and dict(answers[first]) == dict(answers[second])
        if likeness >= threshold or foreign or same:
            out.append(Pair(first, second, round(likeness, 3), same, foreign))
    return sorted(out, key=lambda p: (not p.same, -len(p.foreign), -p.likeness, p.first, p.second))


def _prints(texts: Mapping[str, str], values: Mapping[str, Any], kinds: Mapping[str, str]) -> set[Shape]:
    shapes = {"yaml": yaml_shapes, "python": python_shapes}
    return {shape for name, text in texts.items()
            for shape in shapes.get(kinds.get(name, ""), _runs)(text[:MAX_TEXT], values)}


def _fields(values: Mapping[str, Any]) -> dict[str, str]:
    return {str(value): f"<{name}>" for name, value in values.items()}


def _runs(text: str, values: Mapping[str, Any]) -> set[Shape]:
    """Runs of WINDOW words, comments gone."""
    fields = _fields(values)
    return _windows([fields.get(t, t) for t in _TOKEN.findall(_COMMENT.sub("", text))])


def _windows(tokens: list[str]) -> set[Shape]:
    return {tuple(tokens[i : i + WINDOW]) for i in range(len(tokens) - WINDOW + 1)}


def yaml_shapes(text: str, values: Mapping[str, Any]) -> set[Shape]:
    """Every leaf of every object: kind, path, value. Text that is no YAML counts as words."""
    fields = sorted(_fields(values).items(), key=lambda pair: -len(pair[0]))
    out: set[Shape] = set()
    try:
        for document in yaml.load_all(text, _Loader):
            kind = str(document.get("kind", "")) if isinstance(document, dict) else ""
            out |= {(kind, *leaf) for leaf in _leaves(document, (), fields)}
    except Exception:  # an answer can be wrong in every way that PyYAML knows, and in some that it does not
        return _runs(text, values)
    return out


class _Loader(yaml.SafeLoader):
    """Gives up where references would make much of little."""

    aliases = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        self.aliases += self.check_event(yaml.AliasEvent)
        if self.aliases > MAX_ALIASES:
            raise yaml.YAMLError("aliases")
        return super().compose_node(parent, index)


def _leaves(value: Any, path: Shape, fields: list[tuple[str, str]]) -> Iterator[Shape]:
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _leaves(item, (*path, str(key)), fields)
    elif isinstance(value, list) and value:
        for item in value:
            yield from _leaves(item, (*path, "[]"), fields)
    else:
        text = str(value)
        for own, name in fields:
            if text == own or len(own) > 3:
                text = text.replace(own, name)
        yield (*path, text)


def python_shapes(text: str, values: Mapping[str, Any]) -> set[Shape]:
    """Runs of tokens without comments, docstrings and layout; names that the code makes are all alike."""
    fields = _fields(values)
    made = {name for found in _MADE.findall(text) for name in found if name} - set(dir(builtins))
    tokens: list[str] = []
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.NAME and not keyword.iskeyword(token.string):
                tokens.append("<a name>" if token.string in made else token.string)
            elif token.type == tokenize.STRING and token.string.startswith(('"""', "'''")):
                continue
            elif token.type in (tokenize.NAME, tokenize.NUMBER, tokenize.STRING, tokenize.OP):
                bare = token.string.strip("\"'")
                tokens.append(fields.get(bare, bare))
    except (tokenize.TokenError, SyntaxError, ValueError, RecursionError):
        return _runs(text, values)
    return _windows(tokens)


def _foreign(texts: Mapping[str, str], values: Mapping[str, Mapping[str, Any]], who: str, other: str) -> list[str]:
    """Words of the other's variant that stand in this answer, though not in its author's own variant."""
    words = set(_TOKEN.findall("\n".join(texts.values())))
    mine = {str(v) for v in values.get(who, {}).values()}
    theirs = {str(v) for v in values.get(other, {}).values() if isinstance(v, str) and len(v) > 3}
    own_of_others = Counter(str(v) for w, found in values.items() if w != who for v in set(map(str, found.values())))
    return [f"{who}의 답에 {other}의 값 {word}" for word in sorted((theirs - mine) & words) if own_of_others[word] == 1]
