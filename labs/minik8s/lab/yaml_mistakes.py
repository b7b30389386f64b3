"""매니페스트의 글에서 흔한 실수를 찾는다: 서버에 보내기 전에, 몇 번째 줄의 무엇을 어떻게 고칠지 말한다."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches
from typing import NamedTuple

import yaml

from minik8s.objects.kinds import KINDS


class Mistake(NamedTuple):
    """`line` and `column` from 1; 0 when it has no place. `saying` is Korean, with what to do."""

    line: int
    column: int
    saying: str


def marked(mistake: Mistake, text: str) -> str:
    """The mistake with its line as it stands in the text, and a mark below."""
    lines = text.splitlines()
    if not 1 <= mistake.line <= len(lines):
        return f"- {mistake.saying}"
    shown = lines[mistake.line - 1].replace("\t", "→")
    number = f"{mistake.line:>4} | "
    caret = " " * (len(number) + max(0, mistake.column - 1)) + "^"
    return f"- {mistake.line}번째 줄: {mistake.saying}\n{number}{shown}\n{caret}"


def documents(text: str) -> list[yaml.Node]:
    """The YAML trees of the documents that are not empty. MistakeError at what cannot be read."""
    try:
        return [node for node in yaml.compose_all(text) if node is not None and not _empty(node)]
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        raise MistakeError([_unreadable(text.splitlines(), line, column, str(error.problem))]) from None


class MistakeError(ValueError):
    """What is wrong with a manifest, before any server saw it."""

    def __init__(self, mistakes: list[Mistake]):
        super().__init__(mistakes[0].saying)
        self.mistakes = mistakes


def _empty(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:null"


# ---- what YAML itself refuses ----------------------------------------------------------
def _unreadable(lines: list[str], line: int, column: int, problem: str) -> Mistake:
    """The likely cause on the line that YAML stumbled over, or on the one before it."""
    if "'\\t'" in problem:
        return Mistake(line, column, "탭(→)으로 들여썼다. YAML은 탭을 들여쓰기로 받지 않으니 빈칸으로 바꾸자.")
    for number in (line, line - 1):
        if 1 <= number <= len(lines):
            found = _look(lines[number - 1])
            if found:
                return Mistake(number, *found)
    if "end of stream" in problem or "unexpected document" in problem or "scanning a quoted" in problem:
        number = next((i for i, one in enumerate(lines, 1) if one.count('"') % 2), line)
        return Mistake(number, lines[number - 1].find('"') + 1, "따옴표를 열고 닫지 않았다. 줄의 끝에서 닫자.")
    if "expected ',' or" in problem:
        opened = next((i for i in range(line, 0, -1) if _open(lines[i - 1])), line)
        return Mistake(opened, len(lines[opened - 1]), "중괄호나 대괄호를 열고 닫지 않았다. 짝을 맞추자.")
    before = next((one for one in reversed(lines[: line - 1]) if one.strip()), "")
    depth = len(before) - len(before.lstrip())
    saying = f"들여쓰기가 앞 줄(빈칸 {depth}개)과 맞지 않는다. 같은 층의 키는 같은 칸에서 시작해야 한다."
    return Mistake(line, column, saying)


def _open(line: str) -> bool:
    return line.count("{") > line.count("}") or line.count("[") > line.count("]")


def _look(line: str) -> tuple[int, str] | None:
    """(column, what is wrong) in a line that cannot stand alone."""
    found = re.match(r"\s*-(?=[A-Za-z])", line)
    if found:
        return found.end(), "목록의 `-` 뒤에 빈칸이 없다. `- name: …`처럼 띄어 쓰자."
    found = re.match(r"\s*(?:- )?[A-Za-z][\w./-]*:(?=[^\s/:])", line)
    if found and ": " not in line:
        return found.end(), "콜론 뒤에 빈칸이 없다. `키: 값`처럼 띄어 쓰자."
    found = re.match(r"\s*(?:- )?[\w./-]+:\s+(?=[*&@`%|>!])", line)
    if found and line[found.end()] not in "|>!":
        first = line[found.end()]
        return found.end() + 1, f"값이 `{first}`로 시작한다. YAML에서 뜻이 있는 글자이니 값을 따옴표로 감싸자."
    found = re.match(r"\s*(?:- )?[\w./-]+:\s+[^\s\"'{\[#][^\"'#]*?:(?=\s)", line)
    if found:
        return found.end(), "한 줄에 `: `가 두 번 있다. 값 속의 콜론 뒤를 붙여 쓰거나, 값을 따옴표로 감싸자."
    return None


# ---- what can be read and cannot be meant ------------------------------------------------
def check(nodes: list[yaml.Node]) -> list[Mistake]:
    """Mistakes in the heads of the documents, keys written twice, and objects named twice."""
    found: list[Mistake] = []
    seen: dict[tuple[str, ...], int] = {}
    for node in nodes:
        if not isinstance(node, yaml.MappingNode):
            found.append(_at(node, "매니페스트가 아니다. `apiVersion:`으로 시작하는 키와 값이어야 한다."))
            continue
        twice = list(_twice(node))
        joined = next((m for m in twice if m.saying.startswith(("`apiVersion`", "`kind`"))), None)
        if joined:
            saying = "여기서 새 오브젝트가 시작한다. 앞에 `---` 한 줄을 넣어 나누자."
            found.append(Mistake(joined.line, joined.column, saying))
            continue
        found += twice + _head(node)
        named = _named(node)
        if named and named in seen:
            saying = f"{seen[named]}번째 줄의 {named[0]}와 이름이 같다(`{named[-1]}`). 이름을 다르게 하자."
            found.append(_at(node, saying))
        elif named:
            seen[named] = node.start_mark.line + 1
    return found


def _at(node: yaml.Node, saying: str) -> Mistake:
    return Mistake(node.start_mark.line + 1, node.start_mark.column + 1, saying)


def _twice(node: yaml.Node) -> Iterator[Mistake]:
    if isinstance(node, yaml.MappingNode):
        lines: dict[str, int] = {}
        for key, value in node.value:
            if key.value in lines:
                yield _at(key, f"`{key.value}`를 {lines[key.value]}번째 줄에 이미 썼다. 하나만 남기자.")
            lines.setdefault(key.value, key.start_mark.line + 1)
            yield from _twice(value)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _twice(item)


def _fields(node: yaml.Node | None) -> dict[str, yaml.Node]:
    return {key.value: value for key, value in node.value} if isinstance(node, yaml.MappingNode) else {}


def _head(node: yaml.MappingNode) -> list[Mistake]:
    """apiVersion, kind and metadata: there, known, and of one another."""
    fields = _fields(node)
    missing = [name for name in ("apiVersion", "kind") if name not in fields]
    if missing:
        near = [found for name in missing for found in get_close_matches(name, list(fields), n=1, cutoff=0.6)]
        hint = f" 비슷한 키 `{near[0]}`가 있다." if near else ""
        known = str(fields["kind"].value) if "kind" in fields else ""
        right = next((k.api_version for k in KINDS if k.kind == known), "")
        want = f" {known}이라면 `apiVersion: {right}`이다." if right else ""
        return [_at(node, f"{'와 '.join(missing)} 줄이 없다. 어떤 종류의 어떤 판인지 적어야 한다.{hint}{want}")]
    if isinstance(fields.get("metadata"), yaml.ScalarNode):
        return [_at(fields["metadata"], "metadata가 비어 있다. `name:`을 그 아래에 빈칸 두 개 들여 쓰자.")]
    version, kind = fields["apiVersion"], fields["kind"]
    group = version.value.rpartition("/")[0]
    of_kind = [k for k in KINDS if k.kind == kind.value]
    if of_kind and version.value not in {k.api_version for k in of_kind}:
        right = " 또는 ".join(dict.fromkeys(f"`{k.api_version}`" for k in of_kind))
        return [_at(version, f"{kind.value}의 apiVersion은 {right}이다. `{version.value}`에는 그런 종류가 없다.")]
    if not of_kind and (group == "" or group in {k.group for k in KINDS}):
        names = {k.kind.lower(): k.kind for k in KINDS}
        near = get_close_matches(kind.value.lower(), list(names), n=1, cutoff=0.6)
        hint = f" `{names[near[0]]}`을(를) 쓰려던 것인지 보자. 대소문자도 같아야 한다." if near else ""
        return [_at(kind, f"`{kind.value}`라는 종류는 없다.{hint}")]
    return []


def _named(node: yaml.MappingNode) -> tuple[str, ...] | None:
    fields = _fields(node)
    meta = _fields(fields.get("metadata"))
    if "kind" not in fields or "name" not in meta:
        return None
    namespace = meta["namespace"].value if "namespace" in meta else ""
    return fields["kind"].value, namespace, meta["name"].value
