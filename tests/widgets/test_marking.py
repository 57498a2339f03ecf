"""Marking: what is wrong is said, what would be right is not."""

from __future__ import annotations

from typing import Any

import pytest

from tcpnotes.exercises import bugs, original
from tcpnotes.scenarios import run
from tcpnotes.widgets import check, check_kernel


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (60, 60),
        ("fin_wait1 ", "FIN_WAIT1"),
        ("FIN_WAIT1 -> CLOSING → TIME_WAIT", ["FIN_WAIT1", "CLOSING", "TIME_WAIT"]),
        (("a", "b"), ["a", "b"]),
        ([2, 1], {1, 2}),
        ({"A": 1}, {"A": 1}),
    ],
)
def test_right(given: Any, wanted: Any) -> None:
    verdict = check("It", given, wanted)
    assert verdict and str(verdict) == "✓ It: Right."


@pytest.mark.parametrize(
    ("given", "wanted", "said"),
    [
        (52.5, 60, "✕ It: not yet. Yours is too small: 52.5."),
        (61, 60, "✕ It: not yet. Yours is too large: 61."),
        (..., 60, "✕ It: a number is wanted here, yours is nothing yet."),
        (True, 1, "✕ It: a number is wanted here, yours is True or False."),
        ("FIN_WAIT1 CLOSE", ["FIN_WAIT1", "CLOSING"], "✕ It: right up to number 1; look at number 2 again: CLOSE."),
        ("x", ["FIN_WAIT1"], "✕ It: it goes wrong at once; look at number 1 again: x."),
        (["a"], ["a", "b"], "✕ It: all you have is right, but it stops too early (after 1)."),
        (["a", "b"], ["a"], "✕ It: right so far, but it goes on after it should have ended (at number 2)."),
        ({1, 3}, {1, 2, 4}, "✕ It: 2 missing, 1 too many."),
        ({"A": 2}, {"A": 1}, "✕ It, A: not yet. Yours is too large: 2."),
        ({"A": 1, "C": 1}, {"A": 1}, "✕ It: there should be no entry C."),
    ],
)
def test_wrong__named_but_not_given_away(given: Any, wanted: Any, said: str) -> None:
    verdict = check("It", given, wanted)
    assert not verdict and repr(verdict) == said
    assert check("It", given, wanted)._repr_mimebundle_() == verdict._repr_mimebundle_()


def test_numbers__within_a_tolerance() -> None:
    assert check("It", 59.9, 60, tolerance=0.2) and not check("It", 59.7, 60, tolerance=0.2)


def test_functions__all_cases_count_and_the_first_that_differs_is_named() -> None:
    verdict = check("double", lambda x: x + x if x < 3 else 0, lambda x: 2 * x, cases=[1, 2, 3])
    assert str(verdict) == "✕ double: right for 2 of 3 cases; look at the case (3): yours gives 0."
    assert check("sum", lambda a, b: a + b, [3, 5], cases=[(1, 2), (2, 3)])
    broken = check("double", lambda x: x / 0, lambda x: x, cases=[1])
    assert str(broken) == "✕ double: right for 0 of 1 cases; in the case (1) it stops with ZeroDivisionError."
    late = check("double", lambda x: 0 if x == 1 else 2 * x, lambda x: 2 * x, cases=range(1, 17))
    assert str(late) == "✕ double: right for 15 of 16 cases; look at the case (1): yours gives 0."


def test_traces__the_first_moment_that_differs() -> None:
    assert check("The run", run("half_close"), run("half_close").recorder)
    verdict = check("The run", run("orderly_close"), run("half_close"))
    assert str(verdict).startswith(
        "✕ The run: the same until 1.000 s on host A; then yours has: 1.000 s, A's application"
    )
    assert "a trace is wanted" in str(check("The run", 5, run("half_close")))


def test_kernel__the_engines_own_function_is_right() -> None:
    assert check_kernel(["half_close", "orderly_close"], tcp_fin=original("tcp_fin"))


@pytest.mark.parametrize("bug", bugs(), ids=lambda bug: bug.name)
def test_kernel__every_bug_of_the_museum_is_noticed(bug: Any) -> None:
    verdict = check_kernel(bug.scenario, **{bug.function: bug.variant})
    assert not verdict and "the same until" in str(verdict)


def test_kernel__an_error_of_the_reader_is_told_not_thrown() -> None:
    verdict = check_kernel("half_close", tcp_fin=lambda sk, skb: 1 / 0)
    assert str(verdict) == "✕ tcp_fin: in the case half_close it stops with ZeroDivisionError: division by zero."
    with pytest.raises(ValueError, match="no kernel function"):
        check_kernel("half_close", tcp_finn=len)


def test_html__foreign_text_stays_text() -> None:
    html = check("<b>", "<i>", ["x"]).html
    assert "<i>" not in html and "&lt;i&gt;" in html
