"""서버의 거절을 매니페스트의 줄에 놓는다: 무엇이, 몇 번째 줄에서, 어떻게 고치면 되는가."""

from __future__ import annotations

import re

import yaml

from minik8s.objects.kinds import KINDS, Kind
from minik8s.objects.suggest import explain, explain_strict
from minik8s.wire import StatusError

_REASONS: dict[str, str] = {
    "Invalid": "서버가 규칙에 맞지 않는 필드를 찾았다.",
    "AlreadyExists": "같은 이름의 오브젝트가 이미 있다. 이름을 바꾸거나 apply로 고치자.",
    "NotFound": "그런 오브젝트나 리소스가 없다. 이름과 네임스페이스, apiVersion을 살피자.",
    "Conflict": "그사이 다른 누군가가 이 오브젝트를 고쳤다. 다시 읽고 고쳐서 보내자.",
    "Forbidden": "권한이 없거나 쿼터와 보안 규칙이 막았다. 메시지의 끝을 읽자.",
    "BadRequest": "서버가 요청을 읽지 못했다. 필드의 이름과 값의 종류를 살피자.",
}


def at_lines(error: StatusError, text: str) -> str:
    """The error with the line of `text` for every field that it names."""
    saying = _REASONS.get(error.reason, "서버가 요청을 거절했다.")
    out = [f"거절됨({error.reason}): {saying}", f"  {error.message}"]
    for cause in (error.details or {}).get("causes") or []:
        out += _at_line(cause.get("field", ""), explain(cause), text)
    kind = _kind(text)
    for found in re.finditer(r'(?:unknown|duplicate) field "([^"]+)"', error.message):
        if kind is not None:
            out += _at_line(found[1], explain_strict(kind, found[0]), text)
    return "\n".join(out)


def _at_line(field: str, saying: str, text: str) -> list[str]:
    line = line_of(field, text)
    if not line:
        return [f"- {saying}"]
    return [f"- {line}번째 줄 {saying}", f"    {text.splitlines()[line - 1].strip()}"]


def _kind(text: str) -> Kind | None:
    document = next((doc for doc in yaml.safe_load_all(text) if isinstance(doc, dict)), {})
    return next(
        (k for k in KINDS if (k.api_version, k.kind) == (document.get("apiVersion"), document.get("kind"))), None
    )


def line_of(field: str, text: str) -> int:
    """The line (from 1) in a YAML text where `spec.containers[0].image` stands, or its nearest parent; 0: nowhere."""
    try:
        node = yaml.compose(text.partition("\n---")[0])
    except yaml.YAMLError:
        return 0
    line = 0
    for name, index in re.findall(r"([^.\[\]]+)|\[(\d+)\]", field):
        step = _child(node, name, index)
        if step is None:
            break
        node, line = step
    return line


def _child(node: yaml.Node | None, name: str, index: str) -> tuple[yaml.Node, int] | None:
    if isinstance(node, yaml.MappingNode):
        for key, child in node.value:
            if key.value == name:
                return child, key.start_mark.line + 1
    if isinstance(node, yaml.SequenceNode) and index and int(index) < len(node.value):
        child = node.value[int(index)]
        return child, child.start_mark.line + 1
    return None
