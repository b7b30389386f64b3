"""kubectl의 JSONPath: `{.items[*].metadata.name}`, `{range ...}{end}`, `[?(@.type=="Ready")]`.

The part of k8s.io/client-go/util/jsonpath that people type. Errors are ValueError.
"""

from __future__ import annotations

import json
import re
from typing import Any

_TOKEN = re.compile(
    r"\.\.|\.?(?P<star>\*)|\.(?P<name>(?:[\w/-]|\\.)+)|\[(?P<index>-?\d+)\]|\[(?P<slice>-?\d*:-?\d*(?::\d+)?)\]"
    r"|\[(?P<all>\*)\]|\['(?P<quoted>[^']+)'\]|\[\?\((?P<filter>.*?)\)\]|(?P<bare>[\w-]+)"
)


def render(template: str, root: Any) -> str:
    """The text that a template makes of a value."""
    out, _ = _render(_parts(template), 0, root, root)
    return out


def find(path: str, root: Any) -> list[Any]:
    """All values at a path such as `.spec.containers[*].image`."""
    return _walk(path.strip().removeprefix("$"), [root], root)


def _parts(template: str) -> list[tuple[str, str]]:
    """Text and {expressions} in turn."""
    out: list[tuple[str, str]] = []
    at = 0
    while at < len(template):
        start = template.find("{", at)
        if start < 0:
            out.append(("text", template[at:]))
            break
        if start > at:
            out.append(("text", template[at:start]))
        end, depth, quote = start + 1, 1, ""
        while end < len(template) and depth:
            char = template[end]
            if quote:
                quote = "" if char == quote else quote
            elif char in "\"'":
                quote = char
            else:
                depth += {"{": 1, "}": -1}.get(char, 0)
            end += 1
        if depth:
            raise ValueError("unclosed action")
        out.append(("expr", template[start + 1 : end - 1].strip()))
        at = end
    return out


def _render(parts: list[tuple[str, str]], at: int, here: Any, root: Any) -> tuple[str, int]:
    out: list[str] = []
    while at < len(parts):
        kind, text = parts[at]
        at += 1
        if kind == "text":
            out.append(text)
        elif text == "end":
            return "".join(out), at
        elif text.startswith("range"):
            values = _walk(text[5:].strip(), [here], root)
            after = at
            for value in values:
                piece, after = _render(parts, at, value, root)
                out.append(piece)
            at = after if values else _skip(parts, at)
        elif text[:1] in "\"'":
            out.append(text[1:-1].replace("\\n", "\n").replace("\\t", "\t"))
        else:
            out.append(" ".join(show(value) for value in _walk(text.removeprefix("$"), [here], root)))
    return "".join(out), at


def _skip(parts: list[tuple[str, str]], at: int) -> int:
    depth = 1
    while at < len(parts) and depth:
        kind, text = parts[at]
        depth += (kind == "expr" and text.startswith("range")) - (kind == "expr" and text == "end")
        at += 1
    return at


def _walk(path: str, values: list[Any], root: Any) -> list[Any]:
    if path.startswith("@"):
        path = path[1:]
    at = 0
    while at < len(path):
        match = _TOKEN.match(path, at)
        if match is None:
            if path[at] == ".":
                at += 1
                continue
            raise ValueError(f"unrecognized character in action: {path[at:]!r}")
        at = match.end()
        if match.group() == "..":
            values = [deep for value in values for deep in _descend(value)]
        else:
            values = [found for value in values for found in _one(match, value, root)]
    return values


def _one(match: re.Match[str], value: Any, root: Any) -> list[Any]:
    name = match["name"] or match["quoted"] or match["bare"]
    if name is not None:
        name = name.replace("\\.", ".")
        return [value[name]] if isinstance(value, dict) and name in value else []
    if match["star"] or match["all"]:
        return list(value.values()) if isinstance(value, dict) else list(value) if isinstance(value, list) else []
    if not isinstance(value, list):
        return []
    if match["index"] is not None:
        index = int(match["index"])
        return [value[index]] if -len(value) <= index < len(value) else []
    if match["slice"] is not None:
        return value[slice(*(int(p) if p else None for p in match["slice"].split(":")))]
    return [item for item in value if _holds(match["filter"], item, root)]


def _holds(condition: str, item: Any, root: Any) -> bool:
    match = re.fullmatch(r"\s*(.+?)\s*(==|!=|>=|<=|>|<)\s*(.+?)\s*", condition)
    if match is None:
        return bool(_walk(condition.strip(), [item], root))
    left = _walk(match[1], [item], root)
    right = match[3][1:-1] if match[3][0] in "\"'" else json.loads(match[3])
    if not left:
        return False
    a: Any = left[0]
    tests = {"==": a == right, "!=": a != right}
    if match[2] in tests:
        return bool(tests[match[2]])
    return bool({">": a > right, "<": a < right, ">=": a >= right, "<=": a <= right}[match[2]])


def _descend(value: Any) -> list[Any]:
    children = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    return [value, *(deep for child in children for deep in _descend(child))]


def show(value: Any) -> str:
    """A value as kubectl prints it: text as it is, everything else as compact JSON."""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
