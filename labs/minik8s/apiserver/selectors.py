"""Field selectors as they stand in a query, `metadata.name=x,status.phase!=Running`, and what each kind knows.

The grammar follows k8s.io/apimachinery/pkg/fields/selector.go; which fields a kind has follows the field label
conversion functions in kubernetes/pkg/apis/*/v1/conversion.go and the `GetAttrs` of its registry. The grammar of
label selectors is in `minik8s.objects.selectors`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from minik8s.objects import Object
from minik8s.objects.kinds import Kind
from minik8s.objects.selectors import Selector, parse_selector

Predicate = Callable[[Object], bool]


class FieldSelectorError(ValueError):
    """The selector's text is wrong, or names a field that the kind does not have."""


@dataclass(slots=True, frozen=True)
class FieldTerm:
    """One condition of a field selector: `path` equals (or, when `negated`, differs from) `value`."""

    path: str
    value: str
    negated: bool


@lru_cache(maxsize=1024)
def parse_labels(text: str) -> Selector | None:
    """The label selector of a query; None when it restricts nothing. SelectorError."""
    selector = parse_selector(text)
    return None if selector.empty else selector


@lru_cache(maxsize=1024)
def parse_fields(text: str) -> tuple[FieldTerm, ...]:
    """The terms of a field selector, in the order of their text. FieldSelectorError."""
    terms = []
    for part in sorted(re.findall(r"(?:\\.|[^,\\]|\\$)+", text)):
        found = re.search(r"!=|==|=", part)
        if found is None:
            raise FieldSelectorError(f"invalid selector: '{text}'; can't understand '{part}'")
        terms.append(FieldTerm(part[: found.start()], _unescape(part[found.end() :]), found.group() == "!="))
    return tuple(terms)


def _unescape(text: str) -> str:
    out, at = [], 0
    while at < len(text):
        letter = text[at]
        if letter == "\\":
            at += 1
            letter = text[at : at + 1]
            if letter not in ("\\", ",", "=") or not letter:
                raise FieldSelectorError(f"invalid field selector: invalid escape sequence: \\{letter}")
        elif letter in ",=":
            raise FieldSelectorError(f"invalid field selector: unescaped character in value: {ord(letter)}")
        out.append(letter)
        at += 1
    return "".join(out)


def _at(*path: str) -> Callable[[Object], str]:
    """Reads a string (or a number or boolean as text) at `path`; "" when it is absent."""

    def read(obj: Object) -> str:
        value: Any = obj
        for step in path:
            value = value.get(step) if isinstance(value, dict) else None
        return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)

    return read


def _paths(*names: str) -> dict[str, Callable[[Object], str]]:
    return {name: _at(*name.split(".")) for name in names}


_NAME, _NAMESPACE = _paths("metadata.name"), _paths("metadata.namespace")
_INVOLVED = ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")
_EVENT = _paths(*(f"involvedObject.{name}" for name in _INVOLVED), "reason", "type")


def _source(obj: Object) -> str:
    return str((obj.get("source") or {}).get("component") or obj.get("reportingComponent") or "")


def _unschedulable(obj: Object) -> str:
    return "true" if (obj.get("spec") or {}).get("unschedulable") else "false"


def _pod_host_network(obj: Object) -> str:
    return "true" if (obj.get("spec") or {}).get("hostNetwork") else "false"


def _host(obj: Object) -> str:
    return str((obj.get("spec") or {}).get("nodeName") or "")


def _replicas(obj: Object) -> str:
    return str((obj.get("status") or {}).get("replicas", 0))


def _successful(obj: Object) -> str:
    return str((obj.get("status") or {}).get("succeeded", 0))


def _pod_ip(obj: Object) -> str:
    status = obj.get("status") or {}
    return str(status.get("podIP") or "")


# Kinds with fields of their own; they answer an unknown one with "field label not supported".
_FIELDS: dict[str, dict[str, Callable[[Object], str]]] = {
    "pods": _paths(
        "spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName", "status.phase",
        "status.nominatedNodeName",
    )
    | {"status.podIP": _pod_ip, "status.podIPs": _pod_ip, "spec.hostNetwork": _pod_host_network, "spec.host": _host},
    "nodes": {"spec.unschedulable": _unschedulable},
    "replicationcontrollers": {"status.replicas": _replicas},
    "events": _EVENT | {"source": _source, "reportingComponent": _source},
    "events.events.k8s.io": _paths(*(f"regarding.{name}" for name in _INVOLVED), "reason", "type")
    | {"reportingController": _source},
    "namespaces": _paths("status.phase"),
    "secrets": _paths("type"),
    "services": _paths("spec.clusterIP", "spec.type"),
    "jobs.batch": {"status.successful": _successful},
    "certificatesigningrequests.certificates.k8s.io": _paths("spec.signerName"),
    "ipaddresses.networking.k8s.io": _paths("spec.parentRef.group", "spec.parentRef.resource"),
}  # fmt: skip


def _known(kind: Kind) -> dict[str, Callable[[Object], str]]:
    own = _FIELDS.get(kind.resource_name)
    if own is None:
        return _NAME | _NAMESPACE
    return _NAME | (_NAMESPACE if kind.namespaced else {}) | own


def field_predicate(kind: Kind, text: str) -> Predicate | None:
    """A predicate over objects, or None when `text` selects everything. FieldSelectorError."""
    terms = parse_fields(text)
    if not terms:
        return None
    known = _known(kind)
    tests = []
    for term in terms:
        read = known.get(term.path)
        if read is None:
            raise FieldSelectorError(_unknown_field(kind, term.path))
        tests.append((read, term.value, term.negated))
    return lambda obj: all((read(obj) == value) is not negated for read, value, negated in tests)


def _unknown_field(kind: Kind, path: str) -> str:
    if kind.resource_name == "jobs.batch":
        return f'field label "{path}" not supported for Job'
    if kind.custom or (kind.resource_name in _FIELDS and kind.group != "networking.k8s.io"):
        return f"field label not supported: {path}"
    return f'"{path}" is not a known field selector: only "metadata.name", "metadata.namespace"'


def exact_name(text: str) -> str:
    """The name that a field selector demands by `metadata.name=`, or ""."""
    for term in parse_fields(text):
        if term.path == "metadata.name" and not term.negated:
            return term.value
    return ""
