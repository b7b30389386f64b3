"""서버의 거절을 매니페스트의 줄에 놓는다: 무엇이, 몇 번째 줄에서, 어떻게 고치면 되는가."""

from __future__ import annotations

import re
from collections.abc import Iterator

import yaml

from minik8s.lab.yaml_mistakes import Mistake, marked
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
_TYPES = {"int32": "정수가", "int64": "정수가", "string": "글이", "bool": "true나 false가"}
_HAS = {"string": "글이", "number": "수가", "bool": "true/false가", "object": "키와 값이", "array": "목록이"}
"""With their particles."""
_UNMARSHAL = re.compile(r"cannot unmarshal (\w+) into Go struct field [A-Za-z0-9]+\.(\S+) of type (\S+)")
_QUANTITY = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([numkMGTPE]|[KMGTPE]i|[eE][+-]?\d+)?")


def at_lines(error: StatusError, text: str, node: yaml.Node | None = None) -> str:
    """The error with the line of `text` for every field that it names. `node`: the document it is about."""
    if node is None:
        node = _composed(text)
    saying = _REASONS.get(error.reason, "서버가 요청을 거절했다.")
    out = [f"거절됨({error.reason}): {saying}", f"  {error.message}"]
    out += [marked(mistake, text) for mistake in _mistakes(error, node)]
    return "\n".join(out)


def _mistakes(error: StatusError, node: yaml.Node | None) -> Iterator[Mistake]:
    for cause in (error.details or {}).get("causes") or []:
        field = cause.get("field", "").replace("spec.template.labels", "spec.template.metadata.labels")
        yield Mistake(*_place(node, field), explain(cause))
    kind = _kind(node)
    for found in re.finditer(r'(?:unknown|duplicate) field "([^"]+)"', error.message):
        if kind is not None:
            yield Mistake(*_place(node, found[1]), explain_strict(kind, found[0]))
    wrong = _UNMARSHAL.search(error.message)
    if wrong:
        yield _wrong_type(node, *wrong.groups())
    elif "quantities must match" in error.message:
        yield from _quantities(node)
    elif "illegal base64" in error.message:
        saying = "`data`의 값은 base64로 적는다. 글 그대로 적으려면 `stringData`를 쓰자."
        yield Mistake(*_place(node, "data"), saying)
    elif error.reason == "NotFound" and "namespaces" in error.message:
        saying = "그 네임스페이스가 없다. 이 줄을 지우거나 `%kubectl create namespace`로 먼저 만들자."
        yield Mistake(*_place(node, "metadata.namespace"), saying)


def _wrong_type(node: yaml.Node | None, has: str, path: str, wanted: str) -> Mistake:
    """A value of another type. The server's path has no indexes: take the first value there that has that type."""
    there = list(_all(node, path.split(".")))
    guilty = [child for key, child in there if _json_type(child) == has] or [child for _, child in there]
    if not guilty:
        return Mistake(0, 0, f"`{path}`에는 {_type(wanted)} 와야 하는데 {_HAS.get(has, has)} 왔다.")
    child = _inner(guilty[0], has)
    saying = f"`{path}`에는 {_type(wanted)} 와야 하는데 {_HAS.get(has, has)} 왔다."
    value = child.value if isinstance(child, yaml.ScalarNode) else ""
    if wanted == "string":
        saying += f' 따옴표로 감싸자: `"{value}"`. YAML은 따옴표 없는 yes, true, 80을 글로 읽지 않는다.'
    elif has == "string" and re.fullmatch(r"-?\d+", value):
        saying += f" 따옴표를 빼자: `{value}`."
    elif wanted.startswith("[]"):
        saying += " 항목마다 앞에 `- `를 붙이자."
    return Mistake(child.start_mark.line + 1, child.start_mark.column + 1, saying)


def _inner(node: yaml.Node, has: str) -> yaml.Node:
    """The value of a map that has the type, when the path ends at the map (`data`, `labels`)."""
    if isinstance(node, yaml.MappingNode) and has in {"number", "bool", "array"}:
        return next((child for _, child in node.value if _json_type(child) == has), node)
    if isinstance(node, yaml.SequenceNode) and has != "array":
        return next((child for child in node.value if _json_type(child) == has), node)
    return node


def _type(wanted: str) -> str:
    if wanted.startswith("[]"):
        return "목록이"
    return _TYPES.get(wanted, "키와 값이" if "." in wanted or wanted.startswith("map") else wanted)


def _json_type(node: yaml.Node) -> str:
    if isinstance(node, yaml.MappingNode):
        return "object"
    if isinstance(node, yaml.SequenceNode):
        return "array"
    scalars = {"int": "number", "float": "number", "bool": "bool", "null": "null"}
    return scalars.get(node.tag.rpartition(":")[2], "string")


def _all(node: yaml.Node | None, path: list[str]) -> Iterator[tuple[str, yaml.Node]]:
    """Every value at a path without indexes; a map may take the place of the last steps."""
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _all(item, path)
        if not path:
            yield "", node
    elif node is not None and not path:
        yield "", node
    elif isinstance(node, yaml.MappingNode):
        for key, child in node.value:
            if key.value == path[0]:
                yield from _all(child, path[1:])


def _quantities(node: yaml.Node | None) -> Iterator[Mistake]:
    """Values under requests, limits, capacity and hard that are no quantities."""
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _quantities(item)
    if not isinstance(node, yaml.MappingNode):
        return
    for key, child in node.value:
        if key.value in {"requests", "limits", "capacity", "hard", "default", "defaultRequest", "min", "max"}:
            for _, value in child.value if isinstance(child, yaml.MappingNode) else ():
                if isinstance(value, yaml.ScalarNode) and not _QUANTITY.fullmatch(value.value):
                    mark = value.start_mark
                    saying = f"`{value.value}`는 양이 아니다. CPU는 `500m`이나 `2`, 메모리는 `64Mi`나 `1Gi`처럼 적는다."
                    yield Mistake(mark.line + 1, mark.column + 1, saying)
        else:
            yield from _quantities(child)


def _composed(text: str) -> yaml.Node | None:
    try:
        return next(iter(yaml.compose_all(text)), None)
    except yaml.YAMLError:
        return None


def _kind(node: yaml.Node | None) -> Kind | None:
    if not isinstance(node, yaml.MappingNode):
        return None
    head = {key.value: value.value for key, value in node.value if isinstance(value, yaml.ScalarNode)}
    return next((k for k in KINDS if (k.api_version, k.kind) == (head.get("apiVersion"), head.get("kind"))), None)


def line_of(field: str, text: str) -> int:
    """The line (from 1) in a YAML text where `spec.containers[0].image` stands, or its nearest parent; 0: nowhere."""
    return _place(_composed(text), field)[0]


def _place(node: yaml.Node | None, field: str) -> tuple[int, int]:
    """(line, column) of a field, or of its nearest parent; (0, 0): nowhere."""
    place = 0, 0
    for name, index in re.findall(r"([^.\[\]]+)|\[(\d+)\]", field):
        step = _child(node, name, index)
        if step is None:
            break
        node, place = step
    return place


def _child(node: yaml.Node | None, name: str, index: str) -> tuple[yaml.Node, tuple[int, int]] | None:
    if isinstance(node, yaml.MappingNode):
        for key, child in node.value:
            if key.value == name:
                return child, (key.start_mark.line + 1, key.start_mark.column + 1)
    if isinstance(node, yaml.SequenceNode) and index and int(index) < len(node.value):
        child = node.value[int(index)]
        return child, (child.start_mark.line + 1, child.start_mark.column + 1)
    return None
