"""서버의 거절을 배우는 사람의 말로: 무엇이, 몇 번째 줄에서, 어떻게 고치면 되는가."""

from __future__ import annotations

import re

import yaml

from minik8s.objects import Object
from minik8s.wire import StatusError

_SAYINGS: dict[str, str] = {
    "FieldValueRequired": "꼭 있어야 하는 값이 없다. 이 필드를 채우자.",
    "FieldValueInvalid": "값이 규칙에 맞지 않는다.",
    "FieldValueNotSupported": "쓸 수 있는 값 가운데 하나를 골라야 한다.",
    "FieldValueDuplicate": "같은 값이 두 번 나왔다. 하나를 지우거나 이름을 바꾸자.",
    "FieldValueForbidden": "여기서는 쓸 수 없는 필드다.",
    "FieldValueTooLong": "값이 너무 길다.",
    "FieldValueTypeInvalid": "값의 종류가 다르다. 숫자와 글자, 목록과 사전을 살피자.",
}
_REASONS: dict[str, str] = {
    "AlreadyExists": "같은 이름의 오브젝트가 이미 있다. 이름을 바꾸거나 apply로 고치자.",
    "NotFound": "그런 오브젝트나 리소스가 없다. 이름과 네임스페이스, apiVersion을 살피자.",
    "Conflict": "그사이 다른 누군가가 이 오브젝트를 고쳤다. 다시 읽고 고쳐서 보내자.",
    "Forbidden": "권한이 없거나 쿼터와 보안 규칙이 막았다. 메시지의 끝을 읽자.",
    "BadRequest": "서버가 요청을 읽지 못했다. 필드의 이름과 값의 종류를 살피자.",
}


def korean(error: StatusError) -> str:
    """One Korean sentence on what to do about an API error."""
    if error.reason == "Invalid":
        return "서버가 규칙에 맞지 않는 필드를 찾았다. 아래에 필드마다 까닭이 있다."
    return _REASONS.get(error.reason, "서버가 요청을 거절했다.")


def at_lines(error: StatusError, text: str) -> str:
    """The error with the line of `text` for every field that it names."""
    out = [f"거절됨({error.reason}): {korean(error)}", f"  {error.message}"]
    causes = (error.details or {}).get("causes") or []
    for cause in causes:
        line = line_of(cause.get("field", ""), text)
        where = f"{line}번째 줄 " if line else ""
        out.append(f"- {where}{cause.get('field', '')}: {_SAYINGS.get(cause.get('reason', ''), '')}")
        if line:
            out.append(f"    {text.splitlines()[line - 1].strip()}")
    if not causes:
        out += _unknown_fields(error, text)
    return "\n".join(out)


def _unknown_fields(error: StatusError, text: str) -> list[str]:
    from minik8s.objects.suggest import nearest_field

    out = []
    for field in re.findall(r'unknown field "([^"]+)"', error.message):
        line = line_of(field, text)
        near = nearest_field(field, _document(text))
        hint = f" `{near}`를 쓰려 했을까?" if near else ""
        out.append(f"- {f'{line}번째 줄 ' if line else ''}{field}: 이런 이름의 필드는 없다.{hint}")
    return out


def _document(text: str) -> Object:
    found = next((doc for doc in yaml.safe_load_all(text) if isinstance(doc, dict)), {})
    out: Object = found
    return out


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
