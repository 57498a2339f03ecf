"""Hold what the engine did against what was recorded, row by row, and find the first difference."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import zip_longest
from typing import NamedTuple

from tcpnotes.kernel.mirror import FUNCTIONS
from tcpnotes.replay.perform import Performance
from tcpnotes.replay.recordings import Recording
from tcpnotes.replay.rows import KINDS, Row, comparable


class Comparison(NamedTuple):
    """The outcome: None for both rows when all are equal, else the first that differ (None: there is none).

    ``before`` is how many rows of the performance come before the difference.
    """

    name: str
    level: str
    expected: Row | None
    actual: Row | None
    before: int

    @property
    def passed(self) -> bool:
        """Is there no difference?"""
        return self.expected is None and self.actual is None


def compare(performance: Performance, level: str = "L1") -> Comparison:
    """Compare with the recording at ``level`` (L1, L2, L3; ValueError for another).

    At L3 a recording must have call trees; one of the compact form is compared at L2.
    """
    if level not in KINDS:
        raise ValueError(f"There is no level {level!r}; choose one of: {', '.join(KINDS)}.")
    recording = performance.recording
    if level == "L3" and not recording.has_calls:
        level = "L2"
    wanted = list(comparable(_known_calls(recording.rows), level))
    done = list(comparable(_known_calls(performance.rows), level))
    for expected, actual in zip_longest(wanted, done):
        if expected is None or actual is None or expected[1] != actual[1]:
            before = len(performance.rows) if actual is None else actual[0]
            return Comparison(
                recording.name, level, None if expected is None else _original(recording.rows, expected[0]),
                None if actual is None else _original(performance.rows, actual[0]), before,
            )  # fmt: skip
    return Comparison(recording.name, level, None, None, len(performance.rows))


def _original(rows: Iterable[Row], index: int) -> Row:
    return list(_known_calls(rows))[index]


def _known_calls(rows: Iterable[Row]) -> Iterable[Row]:
    """Call trees restricted to functions that the engine has; what an unknown one calls moves up to its place."""
    for row in rows:
        if row[0] != "calls":
            yield row
            continue
        tree = restricted(row[2])
        # An empty tree stays in its place as a row that no level asks for, so that indexes are those of the rows.
        yield ("calls", row[1], tree) if tree else ("in", row[1], None)


def restricted(tree: Iterable[tuple[int, str]]) -> tuple[tuple[int, str], ...]:
    """A call tree without the functions that the engine lacks."""
    kept = []
    missing: list[int] = []  # depths of open functions that are left out
    for depth, name in tree:
        while missing and missing[-1] >= depth:
            missing.pop()
        if known(name):
            kept.append((depth - len(missing), name))
        else:
            missing.append(depth)
    return tuple(kept)


def known(name: str) -> bool:
    """Has the engine a function of this name that a recording would show?"""
    entry = FUNCTIONS.get(name)
    return entry is not None and not entry.inline


# -- the share of the kernel's functions -----------------------------------------------------------------------------


class Coverage(NamedTuple):
    """How many of the function names in recordings the engine has, and which it lacks."""

    recorded: int
    known: int
    lacking: tuple[str, ...]


def coverage(recordings: Iterable[Recording]) -> Coverage:
    """Count the function names in the call trees of ``recordings``."""
    names = {name for recording in recordings for row in recording.rows if row[0] == "calls" for _, name in row[2]}
    lacking = tuple(sorted(name for name in names if not known(name)))
    return Coverage(len(names), len(names) - len(lacking), lacking)
