"""What legitimately differs from run to run, replaced by placeholders: two runs can then be compared field by field.

One `Normaliser` per scenario sees the answers in order. Placeholders:

  <uid:N>     a UUID; N counts distinct values by first appearance, so that "the same uid as before" is checked
  <rv:N>      the resourceVersion of an object; N counts the versions of *that* object
  <rv>        the resourceVersion of a list, a bookmark, a reference
  <time> <ip> <port> <continue> <token> <ca> <age> <server> <build> <hex>
  <rand:N>    the suffix behind metadata.generateName
  <diff> <object>  dumps of Go values inside messages

What a request of the scenario names literally is kept. metadata.managedFields are dropped unless a step keeps them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
_UID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
_TIME = re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)")
_IP = re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])")
_SUFFIX = re.compile(r"^[a-z0-9]{5}$")
_EVENT_HEX = re.compile(r"\.[0-9a-f]{15,16}(?![0-9a-z])")
_GO_DIFF = re.compile(r"\n@@ -\d+(?:,\d+)? \+\d+(?:,\d+)? @@.*", re.S)
_GO_OBJECT = re.compile(r'Invalid value: "\{.*\}(?:\\n)?": ', re.S)
_TOKEN_VOLUME = re.compile(r"kube-api-access-[a-z0-9]{5}")
_VERSION_IN_TEXT = re.compile(r'(resourceVersion[\\"]*: ?[\\"]+)\d+')
_VERSION_ERROR = re.compile(r"(too old|Too large) resource version: \d+(?: \(\d+\)|, current: \d+)")
_AGES = {"Age", "Last Seen", "First Seen", "Duration", "Last Schedule"}
_BUILD = {"gitVersion", "gitCommit", "gitTreeState", "buildDate", "goVersion", "compiler", "platform"}
_FOREIGN = "openshift-service-ca.crt"
"""A projected source and a config map that only the recorded build has."""


def _scalars(value: Any, into: set[str]) -> None:
    if isinstance(value, dict):
        for key, item in value.items():
            into.add(str(key))
            _scalars(item, into)
    elif isinstance(value, list):
        for item in value:
            _scalars(item, into)
    elif value is not None and not isinstance(value, bool):
        into.add(str(value))


class Normaliser:
    """Sees the answers of one scenario in order."""

    def __init__(self, requests: Iterable[Any]):
        """`requests`: what the scenario sends, captures not yet filled in."""
        self._literals: set[str] = set()
        sent = list(requests)
        for request in sent:
            _scalars(request, self._literals)
        self._blob = "\n".join(sorted(self._literals))
        self._uids: dict[str, str] = {}
        self._versions: dict[str, list[str]] = {}
        self._names: dict[str, str] = {}
        self._generated: list[str] = []
        self._columns: list[str] = []
        for request in sent:
            self._learn(request)

    def value(self, value: Any, keep: Iterable[str] = ()) -> Any:
        """A JSON value with placeholders; `keep` may name "managedFields"."""
        self._learn(value)
        return self._value(value, tuple(keep), None)

    # ---- text ------------------------------------------------------------
    def _text(self, text: str) -> str:
        if text in self._literals:
            return text
        text = _GO_DIFF.sub("\n<diff>", text)
        text = _GO_OBJECT.sub('Invalid value: "<object>": ', text)
        text = _VERSION_IN_TEXT.sub(r"\1<rv>", text)
        text = _VERSION_ERROR.sub(r"\1 resource version: <rv>", text)
        for base in self._generated:
            pattern = re.escape(base[:58]) + f"[{_ALPHABET}]{{5}}(?![a-z0-9])"
            for name in re.findall(pattern, text):
                if name not in self._literals:
                    self._names.setdefault(name, f"{base[:58]}<rand:{len(self._names) + 1}>")
        text = _UID.sub(self._uid, text)
        text = _TIME.sub(lambda found: self._unless_sent(found[0], "<time>"), text)
        text = _IP.sub(lambda found: self._unless_sent(found[0], "<ip>"), text)
        text = _TOKEN_VOLUME.sub("kube-api-access-<rand>", text)
        for name in sorted(self._names, key=len, reverse=True):
            text = text.replace(name, self._names[name])
        return _EVENT_HEX.sub(".<hex>", text)

    def _uid(self, found: re.Match[str]) -> str:
        uid = found[0]
        return uid if uid in self._blob else self._uids.setdefault(uid, f"<uid:{len(self._uids) + 1}>")

    def _unless_sent(self, text: str, placeholder: str) -> str:
        return text if text in self._blob else placeholder

    # ---- generated names ---------------------------------------------------
    def _learn(self, value: Any) -> None:
        if isinstance(value, dict):
            meta = value.get("metadata")
            if isinstance(meta, dict):
                self._learn_name(meta.get("generateName"), meta.get("name"))
            for key in sorted(value):
                self._learn(value[key])
            base = value.get("generateName")
            if isinstance(base, str) and base and base not in self._generated:
                self._generated.append(base)
        elif isinstance(value, list):
            for item in value:
                self._learn(item)

    def _learn_name(self, base: Any, name: Any) -> None:
        if not (isinstance(base, str) and base and isinstance(name, str) and name.startswith(base[:58])):
            return
        if _SUFFIX.match(name[len(base[:58]) :]) and name not in self._literals:
            self._names.setdefault(name, f"{base[:58]}<rand:{len(self._names) + 1}>")

    # ---- values ------------------------------------------------------------
    def _value(self, value: Any, keep: tuple[str, ...], key: str | None) -> Any:
        if isinstance(value, dict):
            if value.get("kind") == "Table" and "columnDefinitions" in value:
                return self._table(value, keep)
            if "goVersion" in value:
                return {k: "<build>" if k in _BUILD else v for k, v in value.items()}
            return self._object(value, keep)
        if isinstance(value, list):
            return [self._value(item, keep, key) for item in value]
        return self._text(value) if isinstance(value, str) else value

    def _object(self, value: dict[str, Any], keep: tuple[str, ...]) -> dict[str, Any]:
        meta = value.get("metadata")
        is_list = isinstance(value.get("items"), list) or str(value.get("kind", "")).endswith("List")
        if isinstance(meta, dict) and "k8s.io/initial-events-end" in (meta.get("annotations") or {}):
            is_list = True
        out: dict[str, Any] = {}
        for key in sorted(value):
            item = value[key]
            if key == "metadata" and isinstance(item, dict):
                out[key] = self._meta(item, keep, is_list)
            else:
                out[key] = self._member(key, item, keep)
        return out

    def _member(self, key: str, item: Any, keep: tuple[str, ...]) -> Any:
        if key == "resourceVersion" and isinstance(item, str) and item not in ("", "0"):
            return "<rv>"
        if key in ("nodePort", "healthCheckNodePort") and isinstance(item, int) and item:
            return item if str(item) in self._literals else "<port>"
        if key == "serverAddress":
            return "<server>"
        if key == "token" and isinstance(item, str) and item not in self._literals:
            return "<token>"
        if key == "ca.crt" and isinstance(item, str) and len(item) > 100:
            return "<ca>"
        if key in ("resourceRules", "nonResourceRules") and isinstance(item, list):
            return sorted((self._value(rule, keep, key) for rule in item), key=_sorted_json)
        if key == "sources" and isinstance(item, list):
            item = [s for s in item if not (isinstance(s, dict) and (s.get("configMap") or {}).get("name") == _FOREIGN)]
        if key == "items" and isinstance(item, list):
            item = [i for i in item if not (isinstance(i, dict) and (i.get("metadata") or {}).get("name") == _FOREIGN)]
        return self._value(item, keep, key)

    def _meta(self, meta: dict[str, Any], keep: tuple[str, ...], is_list: bool) -> dict[str, Any]:
        out: dict[str, Any] = {}
        for key in sorted(meta):
            value = meta[key]
            if key == "managedFields":
                if "managedFields" in keep:  # their order on the wire is by time
                    out[key] = sorted((self._value(entry, keep, key) for entry in value), key=_sorted_json)
            elif key == "resourceVersion" and isinstance(value, str):
                out[key] = self._version(meta, is_list)
            elif key == "continue" and value:
                out[key] = "<continue>"
            else:
                out[key] = self._value(value, keep, key)
        return out

    def _version(self, meta: dict[str, Any], is_list: bool) -> str:
        version, uid = str(meta["resourceVersion"]), meta.get("uid")
        if version in ("", "0"):
            return version
        if is_list or not uid:
            return "<rv>"
        seen = self._versions.setdefault(uid, [])
        if version not in seen:
            seen.append(version)
        return f"<rv:{seen.index(version) + 1}>"

    def _table(self, table: dict[str, Any], keep: tuple[str, ...]) -> dict[str, Any]:
        names = [column.get("name") for column in table.get("columnDefinitions") or []]
        columns = names or self._columns
        rows = []
        for row in table.get("rows") or []:
            shown = dict(row)
            shown["cells"] = [
                self._cell(cell, columns[i] if i < len(columns) else "", keep)
                for i, cell in enumerate(row.get("cells") or [])
            ]
            if "object" in row:
                shown["object"] = self._value(row["object"], keep, "object")
            rows.append(shown)
        if names:
            self._columns = names
        out = {k: self._value(v, keep, k) for k, v in sorted(table.items()) if k not in ("rows", "metadata")}
        out["metadata"] = self._meta(table.get("metadata") or {}, keep, True)
        out["rows"] = rows
        return out

    def _cell(self, cell: Any, column: str, keep: tuple[str, ...]) -> Any:
        if column in _AGES and isinstance(cell, str) and not cell.startswith("<"):
            return "<age>"
        return self._value(cell, keep, None)


def _sorted_json(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def differences(want: Any, got: Any, path: str = "", limit: int = 50) -> list[tuple[str, Any, Any]]:
    """(path, wanted, got) of the fields that differ between two JSON values."""
    if isinstance(want, dict) and isinstance(got, dict):
        out: list[tuple[str, Any, Any]] = []
        for key in sorted({*want, *got}, key=str):
            inner = f"{path}.{key}" if path else str(key)
            if key not in got:
                out.append((inner, want[key], "<absent>"))
            elif key not in want:
                out.append((inner, "<absent>", got[key]))
            else:
                out += differences(want[key], got[key], inner, limit - len(out))
            if len(out) >= limit:
                break
        return out
    if isinstance(want, list) and isinstance(got, list):
        out = []
        for index, (left, right) in enumerate(zip(want, got, strict=False)):
            out += differences(left, right, f"{path}[{index}]", limit)
        if len(want) != len(got):
            out.append((f"{path}.length", len(want), len(got)))
        return out[:limit]
    same = want == got and type(want) is type(got)
    return [] if same else [(path, want, got)]
