"""Quantities: read, compared and printed as Kubernetes' resource.Quantity."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minik8s.objects.quantity import (
    QuantityError,
    canonical,
    compare,
    from_milli,
    from_value,
    is_quantity,
    milli,
    parse_quantity,
    value,
)


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("0", "0"),
        ("0Mi", "0"),
        ("1.5", "1500m"),
        ("1.5Gi", "1536Mi"),
        ("0.5", "500m"),
        (".5", "500m"),
        ("1024Ki", "1Mi"),
        ("1000Mi", "1000Mi"),
        ("1000k", "1M"),
        ("1000m", "1"),
        ("100m", "100m"),
        ("0.1m", "100u"),
        ("1e3", "1e3"),
        ("1E3", "1E3"),
        ("1.1e5", "110e3"),
        ("12e6", "12e6"),
        ("0.5Mi", "512Ki"),
        ("0.0001Ki", "102400u"),
        ("-1.5Gi", "-1536Mi"),
        ("8Ei", "9223372036854775807"),
        ("100E", "100E"),
        ("0.0000000001", "1n"),
        (2, "2"),
        (0.5, "500m"),
        (1.0, "1"),
    ],
)
def test_canonical_form(text: str | float, printed: str) -> None:
    assert canonical(text) == printed


@pytest.mark.parametrize("text", ["1.500", "+5", "01Mi", "5.", "1e-3"])
def test_short_texts_that_upstream_takes_for_canonical_stay(text: str) -> None:
    assert canonical(text) == text


@pytest.mark.parametrize(
    ("text", "thousandths", "units"),
    [("1500m", 1500, 2), ("100u", 1, 1), ("1Ki", 1_024_000, 1024), ("-1500m", -1500, -2), ("2", 2000, 2), ("1n", 1, 1)],
)
def test_values_are_rounded_away_from_zero(text: str, thousandths: int, units: int) -> None:
    assert (milli(text), value(text)) == (thousandths, units)


@pytest.mark.parametrize("text", ["", "abc", "1x", "1.5.5", " 1", "1 ", "1_000", "١"])
def test_what_is_no_quantity_is_refused_in_kubernetes_words(text: str) -> None:
    with pytest.raises(QuantityError, match="quantities must match the regular expression"):
        parse_quantity(text)
    assert not is_quantity(text)


@pytest.mark.parametrize("text", ["1KiKi", "1e", "1E+", "1Ki5", "1mm"])
def test_wrong_suffixes(text: str) -> None:
    with pytest.raises(QuantityError, match="unable to parse quantity's suffix"):
        parse_quantity(text)


def test_huge_exponents_do_not_fill_the_memory() -> None:
    assert parse_quantity("1e999999999") > parse_quantity("1E")


def test_beyond_exa_the_suffix_is_lost_as_upstream_loses_it() -> None:
    assert canonical("1000E") == "1"


def test_sums_keep_the_format_of_the_first_that_is_not_zero() -> None:
    assert str(parse_quantity("1Gi") + parse_quantity("512M")) == "1548576Ki"
    assert str(parse_quantity("1Gi") + parse_quantity("1Gi")) == "2Gi"
    assert str(parse_quantity("0") + parse_quantity("1Mi")) == "1Mi"
    assert str(parse_quantity("1") - parse_quantity("250m")) == "750m"
    assert str(-parse_quantity("1Gi")) == "-1Gi"


def test_comparison_is_by_amount() -> None:
    assert compare("1024Mi", "1Gi") == 0
    assert compare("1G", "1Gi") == -1
    assert parse_quantity("1000m") == parse_quantity("1")
    assert max(parse_quantity("1k"), parse_quantity("1Ki")) == parse_quantity("1Ki")


def test_from_numbers() -> None:
    assert str(from_milli(1500)) == "1500m"
    assert str(from_value(2**30, "BinarySI")) == "1Gi"
    assert parse_quantity("1500m").exact == Fraction(3, 2)


@given(st.integers(-(10**9), 10**9), st.sampled_from(["", "m", "k", "M", "Ki", "Mi", "n", "u"]))
def test_printing_loses_nothing_and_is_stable(number: int, suffix: str) -> None:
    quantity = parse_quantity(f"{number}{suffix}")
    again = parse_quantity(str(quantity))
    assert again == quantity
    assert canonical(str(again)) == str(again)
