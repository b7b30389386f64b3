"""Selectors: LabelSelector objects, node selector terms, and the string form of labels.Parse."""

from __future__ import annotations

import pytest

from minik8s.objects.selectors import (
    Requirement,
    SelectorError,
    format_label_selector,
    match_labels,
    matches,
    new_requirement,
    node_selector_matches,
    parse_selector,
    to_string,
)

WEB = {"app": "web", "tier": "front"}


@pytest.mark.parametrize(
    ("selector", "met"),
    [
        (None, False),
        ({}, True),
        ({"matchLabels": {"app": "web"}}, True),
        ({"matchLabels": {"app": "db"}}, False),
        ({"matchExpressions": [{"key": "app", "operator": "In", "values": ["web", "db"]}]}, True),
        ({"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["web"]}]}, False),
        ({"matchExpressions": [{"key": "zone", "operator": "NotIn", "values": ["a"]}]}, True),
        ({"matchExpressions": [{"key": "zone", "operator": "DoesNotExist"}]}, True),
        ({"matchExpressions": [{"key": "zone", "operator": "Exists"}]}, False),
        ({"matchLabels": {"app": "web"}, "matchExpressions": [{"key": "tier", "operator": "Exists"}]}, True),
    ],
)
def test_label_selectors(selector: dict[str, object] | None, met: bool) -> None:
    assert matches(selector, WEB) is met


def test_an_unknown_operator_is_refused() -> None:
    with pytest.raises(SelectorError, match='"Is" is not a valid label selector operator'):
        matches({"matchExpressions": [{"key": "a", "operator": "Is"}]}, WEB)


def test_match_labels_wants_all_of_them() -> None:
    assert match_labels({"app": "web"}, WEB)
    assert match_labels({}, WEB) and match_labels(None, None)
    assert not match_labels({"app": "web", "x": "y"}, WEB)


def term(*expressions: dict[str, object], fields: list[dict[str, object]] | None = None) -> dict[str, object]:
    return {"nodeSelectorTerms": [{"matchExpressions": list(expressions), "matchFields": fields or []}]}


NODE = {"metadata": {"name": "n1", "labels": {"cores": "16", "disk": "ssd", "word": "many"}}}


@pytest.mark.parametrize(
    ("key", "operator", "values", "met"),
    [
        ("cores", "Gt", ["8"], True),
        ("cores", "Gt", ["16"], False),
        ("cores", "Lt", ["32"], True),
        ("word", "Gt", ["8"], False),
        ("absent", "Lt", ["8"], False),
        ("cores", "Gt", ["x"], False),
        ("disk", "In", ["ssd"], True),
        ("absent", "NotIn", ["ssd"], True),
    ],
)
def test_node_selector_operators(key: str, operator: str, values: list[str], met: bool) -> None:
    assert node_selector_matches(term({"key": key, "operator": operator, "values": values}), NODE) is met


def test_fields_and_expressions_must_both_match() -> None:
    name = {"key": "metadata.name", "operator": "In", "values": ["n1"]}
    disk = {"key": "disk", "operator": "In", "values": ["hdd"]}
    assert node_selector_matches(term(fields=[name]), NODE)
    assert not node_selector_matches(term(disk, fields=[name]), NODE)


def test_terms_are_alternatives_and_empty_ones_match_nothing() -> None:
    disk = {"matchExpressions": [{"key": "disk", "operator": "Exists"}]}
    assert node_selector_matches({"nodeSelectorTerms": [{}, disk]}, NODE)
    assert not node_selector_matches({"nodeSelectorTerms": [{}]}, NODE)


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("", ""),
        ("a=b,c in (y,x),!d", "a=b,c in (x,y),!d"),
        ("b,a", "a,b"),
        ("x>5, y < 3", "x>5,y<3"),
        ("a == b", "a==b"),
        ("a!=b", "a!=b"),
        ("a notin (z,,w)", "a notin (,w,z)"),
        ("a in ()", "a in ()"),
        ("a=", "a="),
        ("in in (in)", "in in (in)"),
        ("x in (notin)", "x in (notin)"),
        ("example.com/a=b", "example.com/a=b"),
    ],
)
def test_the_string_form(text: str, printed: str) -> None:
    assert str(parse_selector(text)) == printed


@pytest.mark.parametrize(
    ("text", "met"),
    [
        ("app=web", True),
        ("app!=web", False),
        ("zone!=a", True),
        ("app in (web,db),tier", True),
        ("!app", False),
        ("!zone", True),
        ("app notin (db)", True),
    ],
)
def test_the_string_form_selects(text: str, met: bool) -> None:
    assert parse_selector(text).matches(WEB) is met


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (",", "found ',', expected: !, identifier, or 'end of string'"),
        ("a b", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"),
        ("a in x", "unable to parse requirement: found 'x' expected: '('"),
        ("a in (b", "unable to parse requirement: found '', expected: ',' or ')'"),
        ("a=b c", "found 'c', expected: ',' or 'end of string'"),
        ("a=b,", "found '', expected: identifier after ','"),
        ("!a=b", "found '=', expected: ',' or 'end of string'"),
        (
            "x>abc",
            'unable to parse requirement: values[0]: Invalid value: "abc": '
            "for 'Gt', 'Lt' operators, the value must be an integer",
        ),
        ("/a", 'unable to parse requirement: <nil>: Invalid value: "/a": prefix part must be non-empty'),
    ],
)
def test_mistakes_are_told_in_apimachinerys_words(text: str, message: str) -> None:
    with pytest.raises(SelectorError) as caught:
        parse_selector(text)
    assert str(caught.value) == message


def test_a_value_that_is_no_label_value_is_refused() -> None:
    with pytest.raises(SelectorError, match=r'values\[0\]\[a\]: Invalid value: "-b": a valid label must be an empty'):
        parse_selector("a=-b")


def test_a_requirement_tells_all_that_is_wrong() -> None:
    with pytest.raises(SelectorError, match=r"^\[key: .*, values: Invalid value: \[\]: for 'in', 'notin'"):
        new_requirement("-", "in", ())
    assert new_requirement("a", "exists", ()) == Requirement("a", "exists")


def test_kubectls_form_of_a_label_selector() -> None:
    selector = {"matchLabels": {"b": "2", "a": "1"}, "matchExpressions": [{"key": "c", "operator": "Exists"}]}
    assert format_label_selector(selector) == "a=1,b=2,c"
    assert format_label_selector({}) == "<none>"
    assert to_string({"matchLabels": {"a": "1"}}) == "a in (1)"


def test_the_single_value_that_a_selector_demands() -> None:
    assert parse_selector("a=b").exact_value("a") == "b"
    assert parse_selector("a in (b,c)").exact_value("a") is None
    assert parse_selector("x").exact_value("a") is None
