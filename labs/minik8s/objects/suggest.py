"""학습자에게 보이는 설명: 모르는 필드에 가장 가까운 이름, 필드 오류 하나하나의 뜻과 할 일.

`explain(오류)`는 무엇이 어디에서 왜 틀렸고 무엇을 해야 하는지를 한국어 평어체로 돌려준다. 오류는 `FieldError`이거나
Status의 `details.causes`에 든 dict다. API가 돌려주는 영어 메시지는 바꾸지 않는다.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from minik8s.objects.kinds import Kind
from minik8s.objects.schema_types import Struct, element, is_struct, resolve, struct, type_of
from minik8s.objects.validation import field
from minik8s.objects.validation.field import FieldError

_STRICT = re.compile(r'(unknown|duplicate) field "([^"]+)"')
_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")


def nearest_field(kind: Kind | str, path: str) -> str | None:
    """`spec.replica` -> `spec.replicas`. 스키마에서 가장 가까운 필드의 전체 경로이며, 비슷한 것이 없으면 None이다.

    `kind`는 종류이거나 구조체의 짧은 이름(`core.v1.PodSpec`)이다.
    """
    expression = kind if isinstance(kind, str) else type_of(kind)
    done = ""
    for match in _STEP.finditer(path):
        if match[2] is not None:
            expression = element(expression)
            done += f"[{match[2]}]"
            continue
        shape = _struct(expression)
        if shape is None:
            return None
        known = shape.by_name.get(match[1])
        if known is None:
            found = _closest(match[1], shape)
            return f"{done}.{found}".lstrip(".") if found else None
        expression = known.type
        done += f".{match[1]}"
    return done.lstrip(".")


def _struct(expression: str) -> Struct | None:
    name = resolve(expression.lstrip("*")) if expression else ""
    return struct(name) if name and is_struct(name) else None


def _closest(word: str, shape: Struct) -> str | None:
    names = {name.lower(): name for name in shape.by_name}
    if word.lower() in names:
        return names[word.lower()]
    found = get_close_matches(word.lower(), list(names), n=1, cutoff=0.6)
    return names[found[0]] if found else None


def explain_strict(kind: Kind, message: str) -> str:
    """`unknown field "spec.replica"` 같은 경고나 오류 한 줄을 풀어 쓴다."""
    match = _STRICT.search(message)
    if match is None:
        return message
    path = match[2]
    if match[1] == "duplicate":
        return f"`{path}` 필드를 두 번 썼다. 나중 값만 남으므로 하나를 지운다."
    near = nearest_field(kind, path)
    if near and near != path:
        return f"`{path}`라는 필드는 {kind.kind}에 없다. `{near}`를 쓰려던 것인지 확인한다."
    return f"`{path}`라는 필드는 {kind.kind}에 없다. 들여쓰기가 한 칸 어긋나면 다른 오브젝트의 필드로 읽힌다."


_WHAT = {
    field.REQUIRED: "꼭 있어야 하는 값이 비어 있다",
    field.INVALID: "값이 규칙에 맞지 않는다",
    field.NOT_SUPPORTED: "고를 수 있는 값이 아니다",
    field.DUPLICATE: "겹치면 안 되는 값이 겹친다",
    field.FORBIDDEN: "여기에는 쓸 수 없는 값이다",
    field.TOO_LONG: "값이 너무 길다",
    field.TOO_MANY: "항목이 너무 많다",
    field.TYPE_INVALID: "값의 형이 다르다",
    field.NOT_FOUND: "가리키는 것이 없다",
    field.INTERNAL: "서버 안에서 생긴 문제다",
}
_TODO = {
    field.REQUIRED: "이 필드를 채운다.",
    field.INVALID: "값을 규칙에 맞게 고친다.",
    field.NOT_SUPPORTED: "아래 값 가운데 하나를 고른다. 대소문자도 똑같아야 한다.",
    field.DUPLICATE: "이름이나 번호를 서로 다르게 바꾼다.",
    field.FORBIDDEN: "이 필드를 지우거나, 함께 쓴 다른 필드와의 관계를 살핀다.",
    field.TOO_LONG: "값을 줄인다.",
    field.TOO_MANY: "항목을 줄인다.",
    field.TYPE_INVALID: "따옴표를 넣거나 빼서 형을 맞춘다.",
    field.NOT_FOUND: "이름의 철자를 맞추거나, 가리키는 것을 먼저 정의한다.",
    field.INTERNAL: "같은 요청을 다시 보내 본다.",
}
# 자주 만나는 까닭: 메시지의 한 조각과 그 뜻.
_REASONS: tuple[tuple[str, str], ...] = (
    ("`selector` does not match template `labels`",
     "셀렉터의 레이블이 파드 템플릿의 `metadata.labels`에 그대로 있어야 자기가 만든 파드를 찾을 수 있다."),
    ("field is immutable", "만든 뒤에는 바꿀 수 없는 필드다. 바꾸려면 오브젝트를 지우고 다시 만든다."),
    ("lowercase RFC 1123 subdomain", "이름에는 영어 소문자, 숫자, `-`, `.`만 쓰고 처음과 끝은 소문자나 숫자여야 한다."),
    ("lowercase RFC 1123 label", "이름에는 영어 소문자, 숫자, `-`만 쓰고 처음과 끝은 소문자나 숫자여야 한다."),
    ("a valid label must be",
     "레이블 값은 63자 이하의 영문자, 숫자, `-`, `_`, `.`이고 처음과 끝은 영문자나 숫자여야 한다."),
    ("must be no more than", "길이 제한을 넘었다."),
    ("must be greater than or equal to 0", "0보다 작은 수는 쓸 수 없다."),
    ("limit of", "요청(request)은 한도(limit)보다 클 수 없다."),
    ("must be between", "허용된 범위를 벗어난 수다."),
    ("pod updates may not change fields",
     "파드는 이미지 같은 몇 필드만 바꿀 수 있다. 나머지는 파드를 새로 만들어야 한다."),
    ("may not specify more than 1", "여럿 가운데 하나만 쓸 수 있다."),
    ("must be a valid IP", "IP 주소 모양이 아니다."),
    ("expected exactly 5 fields", "크론 일정은 분 시 일 월 요일의 다섯 칸이다."),
    ("must specify a handler type", "`exec`, `httpGet`, `tcpSocket`, `grpc` 가운데 하나를 정해야 한다."),
    ("must be a standard resource", "`cpu`, `memory`, `ephemeral-storage`가 아니면 `example.com/이름`처럼 쓴다."),
)


def explain(error: FieldError | Mapping[str, Any]) -> str:
    """필드 오류 하나를 풀어 쓴다: 어디, 무엇, 왜, 할 일."""
    if isinstance(error, FieldError):
        reason, path, message = error.type, error.field, error.body
    else:
        reason, path, message = error.get("reason", ""), error.get("field", ""), error.get("message", "")
    where = f"`{path}`" if path else "오브젝트 전체"
    why = next((text for words, text in _REASONS if words in message), "")
    parts = [f"{where}: {_WHAT.get(reason, '받아들일 수 없는 값이다')}."]
    if why:
        parts.append(why)
    parts.append(_TODO.get(reason, "값을 고친다."))
    supported = message.partition("supported values: ")[2]
    if supported:
        parts.append(f"쓸 수 있는 값: {supported}")
    return " ".join(parts)


def explain_status(status: Mapping[str, Any]) -> list[str]:
    """422 Status의 원인마다 한 줄씩. 같은 말은 한 번만 한다."""
    causes = (status.get("details") or {}).get("causes") or []
    return list(dict.fromkeys(explain(cause) for cause in causes))
