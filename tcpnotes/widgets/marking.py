"""Exercises that mark themselves: what is wrong is said, what would be right is not.

`check` compares values, sequences of states, traces and functions; `check_kernel` runs
scenarios with a reader's kernel function in place of the engine's.  A `Verdict` is true
when all is right, and its text depends on nothing but what was compared.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from tcpnotes.exercises import patched
from tcpnotes.scenarios import run
from tcpnotes.source import say
from tcpnotes.trace import records as r
from tcpnotes.trace.records import Record
from tcpnotes.view import theme
from tcpnotes.view.caption import caption
from tcpnotes.view.story import Story, clock
from tcpnotes.widgets import cards

_SEPARATORS = re.compile(r"\s*(?:->|→|,|;)\s*|\s+")


class Verdict:
    """Right or not, and a sentence about it."""

    def __init__(self, right: bool, text: str) -> None:
        self.right = right
        self.text = ("✓ " if right else "✕ ") + text

    def __bool__(self) -> bool:
        return self.right

    @property
    def html(self) -> str:
        """The sentence in a box."""
        css = "tn-good" if self.right else "tn-bad"
        return cards.box(css, f'<span role="status">{theme.text(self.text)}</span>')

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {"text/plain": self.text, "text/html": self.html}

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return self.text


def check(what: str, given: Any, wanted: Any, *, cases: Iterable[Any] | None = None, tolerance: float = 0.0) -> Verdict:
    """Mark ``given`` against ``wanted``; ``what`` names the exercise.

    Numbers may differ by ``tolerance``.  A string given where a sequence is wanted is split at spaces, commas and
    arrows.  Traces (a recorder, a run, records) are compared moment by moment.  With ``cases`` both are functions,
    and each case (a tuple: its arguments) must give the same: how many do is said, and the first that does not.
    """
    if cases is not None:
        return _functions(what, given, wanted, list(cases))
    records = _records(wanted)
    if records is not None:
        theirs = _records(given)
        if theirs is None:
            return _wrong("type", what, wanted=say("check.a_trace"), given=type(given).__name__)
        return _traces(what, theirs, records)
    if isinstance(wanted, Mapping):
        return _mappings(what, given, wanted)
    if isinstance(wanted, set | frozenset):
        return _sets(what, given, wanted)
    if isinstance(wanted, list | tuple):
        return _sequences(what, given, wanted)
    return _values(what, given, wanted, tolerance)


def check_kernel(
    scenarios: str | Sequence[str], *, what: str | None = None, profile: str = "source", **functions: Callable[..., Any]
) -> Verdict:
    """Mark kernel functions of the reader's: every scenario must go as it goes with the engine's own.

    ``check_kernel(["half_close", "simultaneous_close"], tcp_fin=mine)``.  Names the first moment that differs.
    How the function does its work is its own business: only what hosts and applications can tell is compared.
    ValueError for a function that the engine does not have.
    """
    names = what or ", ".join(functions)
    for name in [scenarios] if isinstance(scenarios, str) else scenarios:
        wanted = run(name, profile=profile).recorder.records
        try:
            with patched(**functions):
                given = run(name, profile=profile).recorder.records
        except Exception as error:
            if not any(_raised_in(error, function) for function in functions.values()):
                raise
            return _wrong("raised", names, case=name, error=f"{type(error).__name__}: {error}")
        verdict = _traces(say("check.in_scenario", what=names, scenario=name), given, wanted, inside=False)
        if not verdict:
            return verdict
    return _right(names)


def _raised_in(error: BaseException, function: Callable[..., Any]) -> bool:
    """Does the error come through a function of the reader's?"""
    code = getattr(function, "__code__", None)
    step = error.__traceback__
    while step is not None:
        if step.tb_frame.f_code is code:
            return True
        step = step.tb_next
    return False


def _right(what: str) -> Verdict:
    return Verdict(True, say("check.good", what=what))


def _wrong(key: str, what: str, **values: object) -> Verdict:
    return Verdict(False, say(f"check.{key}", what=what, **values))


def _values(what: str, given: Any, wanted: Any, tolerance: float) -> Verdict:
    if isinstance(wanted, str) and isinstance(given, str):
        same = " ".join(given.split()).casefold() == " ".join(wanted.split()).casefold()
        if same:
            return _right(what)
        return _wrong("value", what, kind=say("check.different"), amount=repr(given))
    number = isinstance(wanted, int | float) and not isinstance(wanted, bool)
    if number and isinstance(given, int | float) and not isinstance(given, bool):
        if abs(given - wanted) <= tolerance:
            return _right(what)
        kind = say("check.too_small") if given < wanted else say("check.too_large")
        return _wrong("value", what, kind=kind, amount=given)
    if type(given) is not type(wanted):
        return _wrong("type", what, wanted=_kind(wanted), given=_kind(given))
    return _right(what) if given == wanted else _wrong("value", what, kind=say("check.different"), amount=repr(given))


def _kind(value: Any) -> str:
    match value:
        case bool():
            return say("check.a_bool")
        case int() | float():
            return say("check.a_number")
        case str():
            return say("check.a_text")
        case list() | tuple():
            return say("check.a_sequence")
    return say("check.nothing") if value in (None, ...) else type(value).__name__


def _sequences(what: str, given: Any, wanted: Sequence[Any]) -> Verdict:
    if isinstance(given, str):
        given = [part for part in _SEPARATORS.split(given.strip()) if part]
    if not isinstance(given, list | tuple):
        return _wrong("type", what, wanted=_kind(wanted), given=_kind(given))
    for i, (mine, right) in enumerate(zip(given, wanted, strict=False)):
        if mine != right:
            return _wrong("place" if i else "first", what, count=i, next=i + 1, given=mine)
    if len(given) < len(wanted):
        return _wrong("length_short", what, count=len(given))
    if len(given) > len(wanted):
        return _wrong("length_long", what, count=len(wanted) + 1)
    return _right(what)


def _sets(what: str, given: Any, wanted: set[Any] | frozenset[Any]) -> Verdict:
    if isinstance(given, str) or not isinstance(given, Iterable):
        return _wrong("type", what, wanted=say("check.a_set"), given=_kind(given))
    mine = set(given)
    if mine == wanted:
        return _right(what)
    extra, missing = len(mine - wanted), len(wanted - mine)
    return _wrong("set", what, extra=extra, missing=missing)


def _mappings(what: str, given: Any, wanted: Mapping[Any, Any]) -> Verdict:
    if not isinstance(given, Mapping):
        return _wrong("type", what, wanted=say("check.a_dictionary"), given=_kind(given))
    for key, right in wanted.items():
        verdict = check(f"{what}, {key}", given.get(key, ...), right)
        if not verdict:
            return verdict
    strange = [key for key in given if key not in wanted]
    return _wrong("key", what, given=strange[0]) if strange else _right(what)


def _functions(what: str, given: Any, wanted: Any, cases: list[Any]) -> Verdict:
    if not callable(given):
        return _wrong("type", what, wanted=say("check.a_function"), given=_kind(given))
    right, first = 0, None
    for number, case in enumerate(cases):
        arguments = case if isinstance(case, tuple) else (case,)
        shown = f"({', '.join(repr(argument) for argument in arguments)})"
        expected = wanted(*arguments) if callable(wanted) else wanted[number]
        try:
            mine = given(*arguments)
        except Exception as error:  # the reader's code may do anything
            first = first or ("stopped", {"case": shown, "error": type(error).__name__})
            continue
        if mine == expected:
            right += 1
        else:
            first = first or ("function", {"case": shown, "given": repr(mine)})
    if first is None:
        return _right(what)
    key, values = first
    return _wrong(key, what, count=right, total=len(cases), **values)


# -- traces ------------------------------------------------------------------------------------------------------


def _records(source: Any) -> list[Record] | None:
    """The records of a run, a recorder, a telling, or of a list of records; None when it is no trace."""
    source = getattr(source, "recorder", source)
    records = getattr(source, "records", None)
    if records is None and isinstance(source, list) and source and hasattr(source[0], "kind"):
        records = source
    return records if isinstance(records, list) else None


def _visible(records: list[Record], inside: bool) -> list[tuple[int, Record]]:
    """What is compared, with its place: all of it, or only what hosts and applications could tell."""
    if inside:
        return list(enumerate(records))
    told = []
    for i, record in enumerate(records):
        if record.kind in _INSIDE or (isinstance(record, r.Timer) and record.op == "clear"):
            continue
        fields: dict[str, Any] = {"depth": 0} | ({"fn": None} if "fn" in record._fields else {})
        told.append((i, record._replace(**fields)))
    return told


_INSIDE = ("enter", "queue", "count", "purge")


def _traces(what: str, given: list[Record], wanted: list[Record], inside: bool = True) -> Verdict:
    mine, right = _visible(given, inside), _visible(wanted, inside)
    pairs = zip(mine, right, strict=False)
    at = next((i for i, (one, other) in enumerate(pairs) if one[1] != other[1]), min(len(mine), len(right)))
    if at >= len(mine):
        if at >= len(right):
            return _right(what)
        last = mine[-1][1].t if mine else 0
        return _wrong("trace_short", what, time=clock(last), host=right[at][1].host)
    index, record = mine[at]
    told = caption(Story(given[: index + 1]), index).removesuffix(".")
    if at >= len(right):
        return _wrong("trace_long", what, time=clock(record.t), host=record.host, given=told)
    moment = min(record, right[at][1], key=lambda candidate: candidate.t)
    return _wrong("trace", what, time=clock(moment.t), host=moment.host, given=f"{clock(record.t)} s, {told}")
