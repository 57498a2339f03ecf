"""What a measurement is: something done several times, each time between two readings of the yardstick."""

from __future__ import annotations

import gc
from collections.abc import Callable
from statistics import median
from time import process_time
from typing import NamedTuple

from tcpnotes.bench.calibration import EVENTS, events_per_second


class Goal(NamedTuple):
    """What a figure should come to: at least (``more``) or at most ``must``; ``aim`` is what would be better still.

    It is asked of the ratio, or, with ``absolute``, of the value.
    """

    must: float
    aim: float
    more: bool
    absolute: bool = False


class Figure(NamedTuple):
    """One result.

    ``value`` is in ``unit``; ``ratio`` is the figure that machines share, and ``meaning`` says what it is a ratio of.
    ``calibration`` is the yardstick in events a second; ``runs`` says of how many runs these are medians.
    """

    measurement: str
    case: str
    value: float
    unit: str
    ratio: float
    meaning: str
    goal: Goal | None
    calibration: float
    runs: int

    @property
    def reached(self) -> bool | None:
        """Does it come to what it must?  None without a goal."""
        goal = self.goal
        if goal is None:
            return None
        figure = self.value if goal.absolute else self.ratio
        return figure >= goal.must if goal.more else figure <= goal.must


class Timing(NamedTuple):
    """Seconds of processor time for one doing, and the yardstick's mean around them, in events a second."""

    seconds: float
    calibration: float

    @property
    def events(self) -> float:
        """The time in events of the yardstick."""
        return self.seconds * self.calibration


class Size(NamedTuple):
    """How much is done: ``runs`` runs, and how large each is; `QUICK` proves only that it all works.

    ``model`` is the one that `explore` searches.
    """

    runs: int
    lives: int
    standing: int
    opened: int
    buckets: int
    forks: int
    recordings: int
    model: str = "close_anytime"
    events: int = EVENTS


FULL = Size(runs=5, lives=3000, standing=100_000, opened=20_000, buckets=1_000_000, forks=20_000, recordings=1000)
QUICK = Size(
    runs=1, lives=20, standing=200, opened=20, buckets=2_000, forks=50, recordings=3, model="close_lossy", events=2_000
)  # fmt: skip
MILLION = FULL._replace(standing=1_000_000, runs=3)


def timed(doing: Callable[[], object], times: int, size: Size) -> Timing:
    """Time ``doing``, which does a thing ``times`` times, between two readings of the yardstick.

    As in `timeit`, the collector of cycles does not run meanwhile.
    """
    gc.collect()
    first = events_per_second(size.events)
    gc.disable()
    try:
        start = process_time()
        doing()
        seconds = process_time() - start
    finally:
        gc.enable()
    return Timing(max(seconds, 1e-9) / times, (first + events_per_second(size.events)) / 2)


def middle(timings: list[Timing]) -> Timing:
    """The medians of the seconds and of the events."""
    seconds = median(timing.seconds for timing in timings)
    return Timing(seconds, median(timing.events for timing in timings) / seconds)


def per_second(measurement: str, case: str, unit: str, timings: list[Timing], goal: Goal | None = None) -> Figure:
    """A figure for a rate: how many a second, and that divided by the yardstick's events a second."""
    taken = middle(timings)
    return Figure(
        measurement, case, 1 / taken.seconds, unit, 1 / taken.events, "of H", goal, taken.calibration, len(timings)
    )


def in_events(
    measurement: str, case: str, timings: list[Timing], goal: Goal | None = None, unit: str = "µs", scale: float = 1e6
) -> Figure:
    """A figure for a time: in ``unit`` (``scale`` of them a second), and in events of the yardstick."""
    taken = middle(timings)
    return Figure(
        measurement, case, taken.seconds * scale, unit, taken.events, "events", goal, taken.calibration, len(timings)
    )


def compared(
    measurement: str, case: str, unit: str, timings: list[Timing], base: list[Timing], to: str, goal: Goal | None
) -> Figure:
    """A figure for a rate, compared with that of another case: run by run, as each pair was taken together."""
    taken = middle(timings)
    ratio = median(b.events / t.events for b, t in zip(base, timings, strict=True))
    return Figure(measurement, case, 1 / taken.seconds, unit, ratio, f"of {to}", goal, taken.calibration, len(timings))
