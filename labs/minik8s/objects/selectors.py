"""Selectors: which labels (or fields) an object must carry.

Sources: apimachinery `pkg/labels/selector.go` (string form), `meta/v1/helpers.go` (LabelSelector),
component-helpers `scheduling/corev1/nodeaffinity` (node selector terms).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

IN, NOT_IN, EXISTS, DOES_NOT_EXIST = "in", "notin", "exists", "!"
EQUALS, DOUBLE_EQUALS, NOT_EQUALS, GREATER_THAN, LESS_THAN = "=", "==", "!=", "gt", "lt"

_BINARY_OPERATORS = (IN, NOT_IN, EQUALS, DOUBLE_EQUALS, NOT_EQUALS, GREATER_THAN, LESS_THAN)
_API_OPERATORS = {
    "In": IN,
    "NotIn": NOT_IN,
    "Exists": EXISTS,
    "DoesNotExist": DOES_NOT_EXIST,
    "Gt": GREATER_THAN,
    "Lt": LESS_THAN,
}
_INT64 = re.compile(r"[+-]?[0-9]+", re.ASCII)


class SelectorError(ValueError):
    """A selector that cannot be read; the message is apimachinery's."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """One condition on one key. `operator` is apimachinery's (`in`, `notin`, `=`, `exists`, `!`, `gt`, ...)."""

    key: str
    operator: str
    values: tuple[str, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether a set of labels meets the condition; an absent key meets NotIn and DoesNotExist only."""
        found = labels.get(self.key)
        match self.operator:
            case "in" | "=" | "==":
                return found is not None and found in self.values
            case "notin" | "!=":
                return found is None or found not in self.values
            case "exists":
                return found is not None
            case "!":
                return found is None
            case "gt" | "lt":
                return found is not None and self._compares(found)
        return False

    def _compares(self, found: str) -> bool:
        left, right = _int64(found), _int64(self.values[0]) if len(self.values) == 1 else None
        if left is None or right is None:
            return False
        return left > right if self.operator == GREATER_THAN else left < right

    def __str__(self) -> str:
        values = ",".join(sorted(self.values)) if len(self.values) > 1 else "".join(self.values)
        match self.operator:
            case "exists":
                return self.key
            case "!":
                return "!" + self.key
            case "in" | "notin":
                return f"{self.key} {self.operator} ({values})"
            case "gt":
                return f"{self.key}>{values}"
            case "lt":
                return f"{self.key}<{values}"
        return f"{self.key}{self.operator}{values}"


class Selector:
    """A conjunction of requirements. `Selector(())` matches everything; `Selector(None)` matches nothing."""

    __slots__ = ("requirements",)

    def __init__(self, requirements: Iterable[Requirement] | None) -> None:
        self.requirements: tuple[Requirement, ...] | None = None if requirements is None else tuple(requirements)

    def matches(self, labels: Mapping[str, str] | None) -> bool:
        """Whether the labels meet every requirement."""
        if self.requirements is None:
            return False
        labels = labels or {}
        return all(requirement.matches(labels) for requirement in self.requirements)

    @property
    def empty(self) -> bool:
        """Whether it restricts nothing."""
        return self.requirements == ()

    def exact_value(self, key: str) -> str | None:
        """RequiresExactMatch: the single value that the key must have, if there is just one."""
        for requirement in self.requirements or ():
            if requirement.key == key:
                exact = requirement.operator in (EQUALS, DOUBLE_EQUALS, IN) and len(requirement.values) == 1
                return requirement.values[0] if exact else None
        return None

    def __str__(self) -> str:
        return ",".join(map(str, self.requirements or ()))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Selector) and self.requirements == other.requirements

    def __hash__(self) -> int:
        return hash(self.requirements)

    def __repr__(self) -> str:
        return "Selector(None)" if self.requirements is None else f"Selector({str(self)!r})"


EVERYTHING = Selector(())
NOTHING = Selector(None)


def matches(label_selector: Mapping[str, Any] | None, labels: Mapping[str, str] | None) -> bool:
    """Whether labels match a LabelSelector object: None matches nothing, {} matches everything."""
    return from_label_selector(label_selector).matches(labels)


def match_labels(wanted: Mapping[str, str] | None, labels: Mapping[str, str] | None) -> bool:
    """Whether every wanted label is there with its value (a Service's selector, a nodeSelector). Empty matches."""
    have = labels or {}
    return all(have.get(key) == value for key, value in (wanted or {}).items())


def from_label_selector(label_selector: Mapping[str, Any] | None) -> Selector:
    """LabelSelectorAsSelector: requirements sorted by key. Raises SelectorError for an unknown operator."""
    if label_selector is None:
        return NOTHING
    found = [Requirement(k, IN, (v,)) for k, v in (label_selector.get("matchLabels") or {}).items()]
    for expression in label_selector.get("matchExpressions") or ():
        found.append(_expression(expression, ("In", "NotIn", "Exists", "DoesNotExist"), "label selector operator"))
    return Selector(sorted(found, key=lambda requirement: requirement.key))


def from_set(labels: Mapping[str, str] | None) -> Selector:
    """SelectorFromSet: `a=b` for each label."""
    return Selector(Requirement(key, EQUALS, (value,)) for key, value in sorted((labels or {}).items()))


def format_label_selector(label_selector: Mapping[str, Any] | None) -> str:
    """FormatLabelSelector: the text kubectl shows; `<none>` for an empty selector, `<error>` for a broken one."""
    try:
        text = ",".join(_formatted(from_label_selector(label_selector)))
    except SelectorError:
        return "<error>"
    return text or "<none>"


def _formatted(selector: Selector) -> list[str]:
    """matchLabels print as `a=b`, as kubectl does, though they are kept as `a in (b)`."""
    return [str(_as_equals(requirement)) for requirement in selector.requirements or ()]


def _as_equals(requirement: Requirement) -> Requirement:
    if requirement.operator == IN and len(requirement.values) == 1:
        return Requirement(requirement.key, EQUALS, requirement.values)
    return requirement


def _expression(expression: Mapping[str, Any], allowed: Sequence[str], what: str) -> Requirement:
    operator = expression.get("operator", "")
    if operator not in allowed:
        raise SelectorError(f'"{operator}" is not a valid {what}')
    return Requirement(expression["key"], _API_OPERATORS[operator], tuple(expression.get("values") or ()))


# Node selectors


class NodeSelectorTerm:
    """One term of a NodeSelector: all its expressions and all its fields must match. An empty term matches nothing."""

    __slots__ = ("empty", "expressions", "fields")

    def __init__(self, term: Mapping[str, Any]) -> None:
        self.expressions = [_node_expression(e) for e in term.get("matchExpressions") or ()]
        self.fields = [_node_expression(e) for e in term.get("matchFields") or ()]
        self.empty = not self.expressions and not self.fields

    def matches(self, node: Mapping[str, Any]) -> bool:
        """Whether a Node meets the term; the only field there is, is metadata.name."""
        if self.empty:
            return False
        metadata = node["metadata"]
        labels = metadata.get("labels") or {}
        if not all(requirement.matches(labels) for requirement in self.expressions):
            return False
        fields = {"metadata.name": metadata["name"]}
        return all(requirement.matches(fields) for requirement in self.fields)


def _node_expression(expression: Mapping[str, Any]) -> Requirement:
    return _expression(expression, tuple(_API_OPERATORS), "node selector operator")


def node_selector_terms(node_selector: Mapping[str, Any] | None) -> list[NodeSelectorTerm]:
    """The terms of a NodeSelector that can match at all (empty ones are left out)."""
    terms = [NodeSelectorTerm(term) for term in (node_selector or {}).get("nodeSelectorTerms") or ()]
    return [term for term in terms if not term.empty]


def node_selector_matches(node_selector: Mapping[str, Any], node: Mapping[str, Any]) -> bool:
    """Whether a Node meets a NodeSelector: at least one term."""
    return any(term.matches(node) for term in node_selector_terms(node_selector))


# The string form


def parse_selector(text: str) -> Selector:
    """labels.Parse: `a=b,c in (x,y),!d,e>5`. Requirements come out sorted by key. Raises SelectorError."""
    return Selector(sorted(_Parser(text).requirements(), key=lambda requirement: requirement.key))


def to_string(selector: Selector | Mapping[str, Any] | None) -> str:
    """A Selector or LabelSelector object in string form, as `kubectl get -l` takes it."""
    return str(selector if isinstance(selector, Selector) else from_label_selector(selector))


_TOKEN = re.compile(r"(?P<space>[ \t\r\n]+)|(?P<symbol>==|!=|[=!(),><])|(?P<word>[^ \t\r\n=!(),><\x00]+)")
_END = ("end", "")


class _Parser:
    """Recursive descent over the tokens, one method for each rule of the grammar in selector.go."""

    def __init__(self, text: str) -> None:
        self.tokens: list[tuple[str, str]] = []
        for found in _TOKEN.finditer(text):
            if found.lastgroup == "symbol":
                self.tokens.append((found[0], found[0]))
            elif found.lastgroup == "word":
                self.tokens.append((found[0] if found[0] in (IN, NOT_IN) else "word", found[0]))
        self.tokens.append(_END)
        self.position = 0

    def peek(self) -> tuple[str, str]:
        """The next token; `in` and `notin` count as words where a value may stand."""
        kind, text = self.tokens[min(self.position, len(self.tokens) - 1)]
        return ("word" if kind in (IN, NOT_IN) else kind), text

    def take(self) -> tuple[str, str]:
        token = self.peek()
        self.position += 1
        return token

    def requirements(self) -> list[Requirement]:
        found: list[Requirement] = []
        while True:
            kind, text = self.peek()
            if kind == "end":
                return found
            if kind not in ("word", "!"):
                raise SelectorError(f"found '{text}', expected: !, identifier, or 'end of string'")
            try:
                found.append(self.requirement())
            except SelectorError as error:
                raise SelectorError(f"unable to parse requirement: {error}") from None
            kind, text = self.take()
            if kind == "end":
                return found
            if kind != ",":
                raise SelectorError(f"found '{text}', expected: ',' or 'end of string'")
            kind, text = self.peek()
            if kind not in ("word", "!"):
                raise SelectorError(f"found '{text}', expected: identifier after ','")

    def requirement(self) -> Requirement:
        kind, text = self.take()
        negated = kind == "!"
        if negated:
            kind, text = self.take()
        if kind != "word":
            raise SelectorError(f"found '{text}', expected: identifier")
        _raise_all(_label_key_errors(text, "<nil>"))
        if negated or self.peek()[0] in ("end", ","):
            return new_requirement(text, DOES_NOT_EXIST if negated else EXISTS, ())
        operator = self.operator()
        values = self.values() if operator in (IN, NOT_IN) else self.exact_value()
        return new_requirement(text, operator, sorted(set(values)))

    def operator(self) -> str:
        kind, text = self.tokens[self.position]
        self.position += 1
        if kind in (IN, NOT_IN, EQUALS, DOUBLE_EQUALS, NOT_EQUALS):
            return kind
        if kind in (">", "<"):
            return GREATER_THAN if kind == ">" else LESS_THAN
        raise SelectorError(f"found '{text}', expected: {', '.join(_BINARY_OPERATORS)}")

    def values(self) -> list[str]:
        kind, text = self.take()
        if kind != "(":
            raise SelectorError(f"found '{text}' expected: '('")
        kind, text = self.peek()
        if kind == ")":
            self.take()
            return [""]
        if kind not in ("word", ","):
            raise SelectorError(f"found '{text}', expected: ',', ')' or identifier")
        found = self.identifiers()
        if self.take()[0] != ")":
            raise SelectorError(f"found '{text}', expected: ')'")
        return found

    def identifiers(self) -> list[str]:
        found: list[str] = []
        while True:
            kind, text = self.take()
            if kind == "word":
                found.append(text)
                kind, text = self.peek()
                if kind == ")":
                    return found
                if kind != ",":
                    raise SelectorError(f"found '{text}', expected: ',' or ')'")
            elif kind == ",":
                if not found:
                    found.append("")
                kind = self.peek()[0]
                if kind in (")", ","):
                    found.append("")
                if kind == ")":
                    return found
            else:
                raise SelectorError(f"found '{text}', expected: ',', or identifier")

    def exact_value(self) -> list[str]:
        if self.peek()[0] in ("end", ","):
            return [""]
        kind, text = self.take()
        if kind != "word":
            raise SelectorError(f"found '{text}', expected: identifier")
        return [text]


def new_requirement(key: str, operator: str, values: Sequence[str]) -> Requirement:
    """NewRequirement: a checked condition. Raises SelectorError with every fault found."""
    errors = _label_key_errors(key, "key")
    if operator in (IN, NOT_IN) and not values:
        errors.append(_invalid("values", list(values), "for 'in', 'notin' operators, values set can't be empty"))
    elif operator in (EQUALS, DOUBLE_EQUALS, NOT_EQUALS) and len(values) != 1:
        errors.append(_invalid("values", list(values), "exact-match compatibility requires one single value"))
    elif operator in (EXISTS, DOES_NOT_EXIST) and values:
        errors.append(_invalid("values", list(values), "values set must be empty for exists and does not exist"))
    elif operator in (GREATER_THAN, LESS_THAN):
        errors.extend(_comparison_errors(values))
    elif operator not in (*_BINARY_OPERATORS, EXISTS, DOES_NOT_EXIST):
        supported = ", ".join(json.dumps(name) for name in sorted((*_BINARY_OPERATORS, EXISTS, DOES_NOT_EXIST)))
        errors.append(f"operator: Unsupported value: {json.dumps(operator)}: supported values: {supported}")
    for index, value in enumerate(values):
        if faults := label_value_faults(value):
            errors.append(_invalid(f"values[{index}][{key}]", value, "; ".join(faults)))
    _raise_all(errors)
    return Requirement(key, operator, tuple(values))


def _comparison_errors(values: Sequence[str]) -> list[str]:
    errors = []
    if len(values) != 1:
        errors.append(_invalid("values", list(values), "for 'Gt', 'Lt' operators, exactly one value is required"))
    for index, value in enumerate(values):
        if _int64(value) is None:
            detail = "for 'Gt', 'Lt' operators, the value must be an integer"
            errors.append(_invalid(f"values[{index}]", value, detail))
    return errors


# What labels may look like (content.IsLabelKey, content.IsLabelValue)

_NAME = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_DNS_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = _DNS_LABEL + r"(\." + _DNS_LABEL + ")*"
_NAME_RULE = (
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"
    f" (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '{_NAME}')"
)
_VALUE_RULE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and "
    "end with an alphanumeric character"
    f" (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '({_NAME})?')"
)
_SUBDOMAIN_RULE = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and "
    f"end with an alphanumeric character (e.g. 'example.com', regex used for validation is '{_SUBDOMAIN}')"
)


def label_key_faults(key: str) -> list[str]:
    """What is wrong with a label key ([prefix/]name); empty when it is fine."""
    prefix, slash, name = key.rpartition("/")
    if "/" in prefix:
        return [
            f"a valid label key {_NAME_RULE} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
        ]
    faults = []
    if slash and not prefix:
        faults.append("prefix part must be non-empty")
    elif prefix:
        faults.extend("prefix part " + fault for fault in _subdomain_faults(prefix))
    if not name:
        faults.append("name part must be non-empty")
    elif len(name.encode()) > 63:
        faults.append("name part must be no more than 63 bytes")
    if not re.fullmatch(_NAME, name):
        faults.append("name part " + _NAME_RULE)
    return faults


def label_value_faults(value: str) -> list[str]:
    """What is wrong with a label value; empty when it is fine."""
    faults = []
    if len(value.encode()) > 63:
        faults.append("must be no more than 63 bytes")
    if not re.fullmatch(f"({_NAME})?", value):
        faults.append(_VALUE_RULE)
    return faults


def _subdomain_faults(prefix: str) -> list[str]:
    faults = []
    if len(prefix.encode()) > 253:
        faults.append("must be no more than 253 bytes")
    if not re.fullmatch(_SUBDOMAIN, prefix):
        faults.append(_SUBDOMAIN_RULE)
    return faults


def _label_key_errors(key: str, path: str) -> list[str]:
    faults = label_key_faults(key)
    return [_invalid(path, key, "; ".join(faults))] if faults else []


def _invalid(path: str, bad: object, detail: str) -> str:
    return f"{path}: Invalid value: {json.dumps(bad, ensure_ascii=False, separators=(',', ':'))}: {detail}"


def _raise_all(errors: Sequence[str]) -> None:
    """field.ErrorList.ToAggregate: one message as it is, several in brackets, repetitions once."""
    unique = list(dict.fromkeys(errors))
    if unique:
        raise SelectorError(unique[0] if len(unique) == 1 else "[" + ", ".join(unique) + "]")


def _int64(text: str) -> int | None:
    """strconv.ParseInt(text, 10, 64), or None."""
    if not _INT64.fullmatch(text):
        return None
    number = int(text)
    return number if -(2**63) <= number < 2**63 else None
