"""CEL: the rules of custom kinds and admission policies."""

from __future__ import annotations

from typing import Any

import pytest

from minik8s.apiserver import cel


@pytest.mark.parametrize(
    ("text", "variables", "value"),
    [
        ("1 + 2 * 3", {}, 7),
        ("-7 / 2", {}, -3),
        ("-7 % 2", {}, -1),
        ("1 == 1.0", {}, True),
        ("'a' + 'b' == \"ab\"", {}, True),
        ("r'\\d' == '\\\\d'", {}, True),
        ("true ? 1 : 2", {}, 1),
        ("[1, 2] + [3]", {}, [1, 2, 3]),
        ("{'a': 1}['a']", {}, 1),
        ("2 in [1, 2]", {}, True),
        ("has(self.a) || self.b == 1", {"self": {"b": 1}}, True),
        ("self.missing == 1 || true", {"self": {}}, True),
        ("self.l.all(x, x > 0)", {"self": {"l": [1, 2]}}, True),
        ("self.l.exists(i, x, i == 1 && x == 2)", {"self": {"l": [1, 2]}}, True),
        ("self.l.filter(x, x > 1).map(x, x * 2)", {"self": {"l": [1, 2]}}, [4]),
        ("self.m.all(k, k.startsWith('a'))", {"self": {"m": {"ab": 1}}}, True),
        ("self.?a.?b.orValue('z')", {"self": {}}, "z"),
        ("self.__namespace__", {"self": {"namespace": "n"}}, "n"),
        ("self.a__dash__b", {"self": {"a-b": 1}}, 1),
        ("size('한글')", {}, 2),
        ("'a,b'.split(',')", {}, ["a", "b"]),
        ("'%s-%d'.format(['x', 3])", {}, "x-3"),
        ("'abc'.matches('^a.c$')", {}, True),
        ("[3, 1].min()", {}, 1),
        ("quantity('1Gi').isGreaterThan(quantity('900Mi'))", {}, True),
        ("duration('90m') == duration('1h30m')", {}, True),
        ("timestamp('2026-01-02T00:00:00Z') - timestamp('2026-01-01T00:00:00Z') == duration('24h')", {}, True),
        ("cidr('10.0.0.0/8').containsIP(ip('10.1.2.3'))", {}, True),
        ("url('https://a.example.com:8443/x').getHost()", {}, "a.example.com:8443"),
        ("sets.contains([1, 2, 3], [2])", {}, True),
        ("type(1) == int", {}, True),
        ("string(1.0)", {}, "1"),
        ("cel.bind(x, 2, x * x)", {}, 4),
    ],
)
def test_expressions_have_values(text: str, variables: dict[str, Any], value: Any) -> None:
    assert cel.evaluate(text, variables) == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1 +", "Syntax error: mismatched input '<EOF>'"),
        ("self..a", "Syntax error: extraneous input '.'"),
        ("1 + 'a'", "no such overload"),
        ("1 / 0", "division by zero"),
        ("x", "undeclared reference to 'x' (in container '')"),
        ("self.a", "no such key: a"),
        ("[1][5]", "index out of bounds: 5"),
        ("9223372036854775807 + 1", "integer overflow"),
        ("nope(1)", "undeclared reference to 'nope' (in container '')"),
    ],
)
def test_what_fails_says_why(text: str, message: str) -> None:
    with pytest.raises(cel.CelError) as caught:
        cel.evaluate(text, {"self": {}})
    assert message in str(caught.value)


def test_variables_are_found_in_the_tree() -> None:
    assert cel.uses("self.a == oldSelf.a", "oldSelf")
    assert not cel.uses("self.oldSelf == 1", "oldSelf")
    assert not cel.uses("'oldSelf' == self", "oldSelf")
