"""Sequence numbers are modulo 2^32, and scenario files can name them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcpnotes.kernel.sock import after, before, between
from tcpnotes.scenarios.expressions import NAMES, check_expression, evaluate

NUMBERS = st.one_of(st.integers(0, 0xFFFFFFFF), st.sampled_from((0, 1, 0x7FFFFFFF, 0x80000000, 0x80000001, 0xFFFFFFFF)))
NEAR = st.integers(1, 0x7FFFFFFF)
HALF = 0x80000000
MASK = 0xFFFFFFFF


@given(NUMBERS, NEAR)
def test_before_and_after__half_the_circle_each_way(a: int, distance: int) -> None:
    b = (a + distance) & MASK
    assert before(a, b) and after(b, a)
    assert not before(b, a) and not after(a, b)


@given(NUMBERS)
def test_no_number_is_before_or_after_itself(a: int) -> None:
    assert not before(a, a) and not after(a, a)


@given(NUMBERS)
def test_the_opposite_number_is_before__as_in_c(a: int) -> None:
    assert before(a, a ^ HALF) and before(a ^ HALF, a)


@given(NUMBERS, NUMBERS, NUMBERS)
def test_turning_the_circle_changes_nothing(a: int, b: int, turn: int) -> None:
    turned = [(x + turn) & MASK for x in (a, b)]
    assert before(a, b) == before(*turned)
    assert after(a, b) == after(*turned)


@given(NUMBERS, NUMBERS)
def test_sums_that_run_over_need_no_mask(a: int, b: int) -> None:
    assert before(a + (1 << 32), b) == before(a, b) == before(a, b - (1 << 32))


@given(NUMBERS, st.integers(0, MASK), st.integers(0, MASK))
def test_between__counts_from_low(low: int, width: int, offset: int) -> None:
    assert between((low + offset) & MASK, low, (low + width) & MASK) == (offset <= width)


# -- expressions -----------------------------------------------------------------------------------------------------

VALUES = dict.fromkeys(NAMES, 0)
TERMS = st.lists(
    st.tuples(st.sampled_from("+-"), st.one_of(st.sampled_from(NAMES), st.integers(0, 9_999_999_999).map(str))),
    min_size=1, max_size=6,
)  # fmt: skip


@given(TERMS, st.fixed_dictionaries(dict.fromkeys(NAMES, NUMBERS)), st.sampled_from(("", " ", "  ")))
def test_expression__is_the_sum_of_its_terms(terms: list[tuple[str, str]], values: dict[str, int], gap: str) -> None:
    text = gap.join(part for term in terms for part in term)
    wanted = sum((-1 if sign == "-" else 1) * (values[name] if name in values else int(name)) for sign, name in terms)
    assert check_expression(text) is None
    assert evaluate(text, values) == wanted % (1 << 32)


@given(st.text(max_size=40))
def test_any_text__is_an_expression_or_told_to_be_none(text: str) -> None:
    problem = check_expression(text)
    if problem is None:
        assert 0 <= evaluate(text, VALUES) <= MASK
    else:
        assert problem.endswith(".")


@pytest.mark.parametrize(
    "text",
    ["", " ", "+", "rcv_nxt+", "rcv_nxt rcv_nxt", "1 2", "rcv_nxt*2", "x", "٣", "1e3", "__import__", "rcv_nxt.real"],
)
def test_not_an_expression(text: str) -> None:
    assert check_expression(text)
