"""Columns of custom resources: `additionalPrinterColumns` and the simple JSONPath they are written in.

Sources: apiextensions-apiserver tableconvertor.go, k8s.io/client-go/util/jsonpath.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import Any

from minik8s.apiserver.tables.format import UNKNOWN, human_duration
from minik8s.objects import Object
from minik8s.objects.meta import parse_time

_TOKEN = re.compile(
    r"""\.(?P<field>(?:\\.|[^.\[\]\\*])+)
      | \.\*(?P<every_field>)
      | \[(?P<index>-?\d+)\]
      | \[\*(?P<every>)\]
      | \[['"](?P<quoted>[^'"]*)['"]\]
      | \[\?\(\s*@(?P<path>[.\w\-/\\\[\]'"]+)\s*(?:(?P<op>==|!=)\s*(?P<value>'[^']*'|"[^"]*"|[\w.\-]+))?\s*\)\]""",
    re.VERBOSE,
)
Step = tuple[str, Any]


@lru_cache(maxsize=1024)
def parse(path: str) -> tuple[Step, ...] | None:
    """The steps of a JSONPath such as `.status.conditions[?(@.type=="Ready")].status`; None if it is not one."""
    text = path.strip().removeprefix("{").removesuffix("}").removeprefix("$")
    steps: list[Step] = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            return None
        steps.append(_step(match))
        at = match.end()
    return tuple(steps)


def _step(match: re.Match[str]) -> Step:
    if match["field"] is not None:
        return "field", re.sub(r"\\(.)", r"\1", match["field"])
    if match["quoted"] is not None:
        return "field", match["quoted"]
    if match["index"] is not None:
        return "index", int(match["index"])
    if match["path"] is not None:
        return "filter", (match["path"], match["op"], match["value"])
    return "every", None


def find(value: Any, steps: tuple[Step, ...]) -> list[Any]:
    """Every value the steps lead to; missing keys lead to none."""
    values = [value]
    for what, how in steps:
        values = [found for item in values for found in _follow(item, what, how)]
    return values


def _follow(item: Any, what: str, how: Any) -> list[Any]:
    if what == "field":
        return [item[how]] if isinstance(item, dict) and how in item else []
    if what == "index":
        return [item[how]] if isinstance(item, list) and -len(item) <= how < len(item) else []
    children = list(item.values()) if isinstance(item, dict) else item if isinstance(item, list) else []
    return children if what == "every" else [child for child in children if _matches(child, *how)]


def _matches(item: Any, path: str, operator: str | None, literal: str | None) -> bool:
    found = find(item, parse(path) or ())
    if operator is None or literal is None:
        return bool(found)
    wanted: Any = literal[1:-1] if literal[0] in "'\"" else json.loads(literal) if literal[:1].isdigit() else literal
    if wanted in ("true", "false") and literal[0] not in "'\"":
        wanted = wanted == "true"
    equal = bool(found) and found[0] == wanted and type(found[0]) is type(wanted)
    return equal if operator == "==" else bool(found) and not equal


def definitions(columns: list[Object]) -> list[Object]:
    """Table column definitions of `additionalPrinterColumns`."""
    return [
        {
            "name": column["name"],
            "type": column["type"],
            "format": column.get("format", ""),
            "description": column.get("description")
            or f"Custom resource definition column (in JSONPath format): {column['jsonPath']}",
            "priority": column.get("priority", 0),
        }
        for column in columns
    ]


def cells(obj: Object, columns: list[Object], now: float) -> list[Any]:
    """The cells of the additional columns of one object."""
    out = []
    for column in columns:
        steps = parse(column["jsonPath"])
        found = find(obj, steps) if steps is not None else []
        out.append(_cell(column["type"], found[0], now) if found else None)
    return out


def _cell(kind: str, value: Any, now: float) -> Any:
    if kind == "string":
        return _text(value)
    if kind == "boolean":
        return value if isinstance(value, bool) else None
    if kind in ("integer", "number"):
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        return int(value) if kind == "integer" else value
    if kind == "date" and isinstance(value, str):
        return date(value, now)
    return None


def date(value: str, now: float) -> str:
    if not value:
        return UNKNOWN
    try:
        return human_duration(now - parse_time(value))
    except ValueError:
        return "<invalid>"


def _text(value: Any) -> str:
    if isinstance(value, dict | list):
        return json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
    if value is None:
        return "<nil>"
    return str(value).lower() if isinstance(value, bool) else str(value)
