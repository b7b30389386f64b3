"""표와 YAML과 JSON: 서버가 준 Table을 kubectl과 같은 글자로 찍는다."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

import yaml

from minik8s.objects import Object, thaw


def columns(rows: Iterable[Sequence[str]], padding: int = 3, minimum: int = 6) -> list[str]:
    """Rows aligned as Go's tabwriter does for kubectl: the last column is not padded."""
    table = [list(row) for row in rows]
    count = max((len(row) for row in table), default=0)
    widths = [max((len(row[i]) + padding for row in table if i < len(row) - 1), default=0) for i in range(count)]
    widths = [max(width, minimum) for width in widths]
    return [
        "".join(cell.ljust(widths[i]) if i < len(row) - 1 else cell for i, cell in enumerate(row)) for row in table
    ]


def table_rows(table: Object, *, wide: bool) -> tuple[list[str], list[list[str]]]:
    """Header and rows of a server Table, without the columns that only `-o wide` shows."""
    shown = [i for i, c in enumerate(table["columnDefinitions"]) if wide or c.get("priority", 0) == 0]
    header = [table["columnDefinitions"][i]["name"].upper() for i in shown]
    return header, [[cell(row["cells"][i]) for i in shown] for row in table.get("rows") or []]


def cell(value: Any) -> str:
    if value is None:
        return "<none>"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


class _Dumper(yaml.SafeDumper):
    """Quotes as sigs.k8s.io/yaml does: double where plain text would read as another type."""


def _string(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = None
    if "\n" in text:
        style = "|"
    elif text == "" or text in {"y", "Y", "n", "N", "~"} or not _plain(dumper, text):
        style = '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _plain(dumper: yaml.SafeDumper, text: str) -> bool:
    tag = dumper.resolve(yaml.ScalarNode, text, (True, False))  # type: ignore[no-untyped-call]
    return bool(tag == "tag:yaml.org,2002:str")


_Dumper.add_representer(str, _string)
_Dumper.ignore_aliases = lambda self, data: True  # type: ignore[method-assign]


def to_yaml(obj: Any) -> str:
    """An object as `kubectl get -o yaml` prints it: keys in order of the alphabet."""
    text: str = yaml.dump(thaw(obj), Dumper=_Dumper, default_flow_style=False, allow_unicode=True, width=10**6)
    return text


def to_json(obj: Any) -> str:
    """An object as `kubectl get -o json` prints it."""
    return json.dumps(obj, indent=4, ensure_ascii=False, sort_keys=True) + "\n"


def without_managed_fields(obj: Object) -> Object:
    meta = obj.get("metadata")
    if isinstance(meta, dict) and "managedFields" in meta:
        return {**obj, "metadata": {k: v for k, v in meta.items() if k != "managedFields"}}
    return obj


def tabbed(text: str, padding: int = 2) -> str:
    """Text whose tab-terminated cells are aligned in blocks of neighbouring lines, as Go's text/tabwriter does."""
    lines = [line.split("\t") for line in text.split("\n")]
    widths: list[list[int]] = [[] for _ in lines]
    _measure(lines, widths, 0, len(lines), 0, padding)
    out = []
    for cells, width in zip(lines, widths, strict=True):
        out.append("".join(c.ljust(w) for c, w in zip(cells[:-1], width, strict=False)) + cells[-1])
    return "\n".join(line.rstrip(" ") if line.strip() == "" else line for line in out)


def _measure(lines: list[list[str]], widths: list[list[int]], start: int, end: int, column: int, padding: int) -> None:
    at = start
    while at < end:
        if len(lines[at]) - 1 <= column:
            at += 1
            continue
        stop = at
        while stop < end and len(lines[stop]) - 1 > column:
            stop += 1
        widest = max(len(lines[i][column]) for i in range(at, stop))
        for i in range(at, stop):
            widths[i].append(widest + padding)
        _measure(lines, widths, at, stop, column + 1, padding)
        at = stop
