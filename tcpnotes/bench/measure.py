"""What a measurement is: something done several times, each time between two readings of the yardstick."""

from __future__ import annotations

import gc
from collections.abc import Callable
from statistics import median
from time import process_time
from typing import NamedTuple

from tcpnotes.bench.calibration import EVENTS, events_per_second


class Figure(NamedTuple):
    """One result.

    ``value`` is in ``unit``; ``ratio`` is the figure that machines share, and ``meaning`` says what it is a ratio of.
    ``goal`` is what the ratio (or, with ``absolute``, the value) should come to: at least when ``more``, else at
    most; None when nothing was set.  ``runs`` says of how many runs it is the median.
    """

    measurement: str
    case: str
    value: float
    unit: str
    ratio: float
    meaning: str
    goal: float | None
    more: bool
    absolute: bool
    calibration: float
    runs: int

    @property
    def reached(self) -> bool | None:
        """Does it come to its goal?  None without a goal."""
        if self.goal is None:
            return None
        figure = self.value if self.absolute else self.ratio
        return figure >= self.goal if self.more else figure <= self.goal


class Timing(NamedTuple):
    """Seconds of processor time for one doing, and the yardstick's mean around them, in events a second."""

    seconds: float
    calibration: float

    @property
    def events(self) -> float:
        """The time in events of the yardstick."""
        return self.seconds * self.calibration


class Size(NamedTuple):
    """How much is done: ``runs`` runs, and how large each is; `QUICK` proves only that it all works."""

    runs: int
    lives: int
    standing: int
    opened: int
    buckets: int
    forks: int
    recordings: int
    events: int = EVENTS


FULL = Size(runs=5, lives=3000, standing=100_000, opened=20_000, buckets=1_000_000, forks=20_000, recordings=1000)
QUICK = Size(
    runs=1, lives=20, standing=200, opened=20, buckets=2_000, forks=50, recordings=3, events=2_000
)  # fmt: skip
MILLION = FULL._replace(standing=1_000_000, runs=3)


def timed(doing: Callable[[], object], times: int, size: Size) -> Timing:
    """Time ``doing``, which does a thing ``times`` times, between two readings of the yardstick."""
    gc.collect()
    first = events_per_second(size.events)
    start = process_time()
    doing()
    seconds = process_time() - start
    return Timing(max(seconds, 1e-9) / times, (first + events_per_second(size.events)) / 2)


def middle(timings: list[Timing]) -> Timing:
    """The timing in the middle, by its length in events; seconds and calibration are medians of their own."""
    return Timing(median(t.seconds for t in timings), median(t.events for t in timings) / median(t.seconds for t in timings))


def per_second(
    measurement: str, case: str, unit: str, timings: list[Timing], goal: float | None = None
) -> Figure:
    """A figure for a rate: how many a second, and that divided by the yardstick's events a second."""
    taken = middle(timings)
    return Figure(
        measurement, case, 1 / taken.seconds, unit, 1 / taken.events, "of the events a second", goal, True, False,
        taken.calibration, len(timings),
    )  # fmt: skip


def in_events(
    measurement: str, case: str, timings: list[Timing], goal: float | None = None, unit: str = "µs", scale: float = 1e6
) -> Figure:
    """A figure for a time: in ``unit`` (``scale`` of them a second), and in events of the yardstick."""
    taken = middle(timings)
    return Figure(
        measurement, case, taken.seconds * scale, unit, taken.events, "events long", goal, False, False,
        taken.calibration, len(timings),
    )  # fmt: skip


def compared(measurement: str, case: str, unit: str, timings: list[Timing], base: list[Timing], to: str,
             goal: float | None) -> Figure:  # fmt: skip
    """A figure for a rate, compared with that of another case: run by run, as each pair was taken together."""
    taken = middle(timings)
    ratio = median(b.events / t.events for b, t in zip(base, timings, strict=True))
    return Figure(
        measurement, case, 1 / taken.seconds, unit, ratio, f"of {to}", goal, True, False, taken.calibration, len(timings)
    )
