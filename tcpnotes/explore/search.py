"""Breadth first through all states of a model: what is broken is broken by the shortest way there is.

Every state is one number in a set, one in an array in the order of discovery, and the
place of the state it was first reached from: some 100 bytes (`levels`: 20).  A search can be stopped at
any state and go on from there.
"""

from __future__ import annotations

import gc
from array import array
from collections.abc import Callable, Iterable
from time import monotonic
from typing import NamedTuple

from tcpnotes.explore.model import Model
from tcpnotes.explore.properties import PROPERTIES, Property
from tcpnotes.explore.space import LEFT_BITS, SIDE_BITS, Event, Space
from tcpnotes.explore.views import End, Pair, Step, Stimulus, Summary


def collect_seldom() -> tuple[int, int, int]:
    """Hosts go in circles, so garbage is to be collected; but states do not, so seldom.  How it was done before."""
    before = gc.get_threshold()
    gc.set_threshold(100_000, *before[1:])
    return before


class Found(NamedTuple):
    """A property that does not hold: the way there, and for what goes on for ever the way round."""

    property: Property
    path: list[int]  # states, the first one first; the property is broken in or on the way to the last
    last: Event | None = None  # what breaks it, if a step does
    circle: list[int] = []  # noqa: RUF012  (never changed)


class Progress(NamedTuple):
    """How far a search has come."""

    states: int
    frontier: int
    depth: int
    transitions: int


class Search:
    """A search through a model under a profile.  ``properties``: all that there are unless told."""

    pause = 2000  # states between two looks at the clock

    def __init__(
        self,
        model: Model,
        profile: str = "source",
        *,
        reduce: bool = True,
        properties: Iterable[Property] | None = None,
        whole: bool | None = None,
    ) -> None:
        self.model = model
        self.profile = profile
        self.properties = list(PROPERTIES.values() if properties is None else properties)
        self._alarms: list[tuple[Property, int, Stimulus]] = []
        self._by = {
            about: [one for one in self.properties if one.about == about] for about in ("end", "step", "pair", "rest")
        }
        self._bad_ends: dict[int, list[Property]] = {}
        self._summaries: dict[Summary, int] = {}
        self._summary_list: list[Summary] = []
        self._summary_of = array("I")  # of each end
        self._pairs: dict[int, list[Property]] = {}
        self._rests: dict[int, list[Property]] = {}
        self.space = Space(model, profile, reduce, self._judge if self._by["step"] else None, self._judge_end, whole)
        self.seen = {self.space.first}
        self.order = array("Q", [self.space.first])
        self.parents = array("I", [0])
        self.levels = array("Q", [0, 1])  # where in `order` each depth begins; the last one is open
        self.at = 0  # the next state to go on from
        self.transitions = 0
        self.found: dict[str, Found] = {}
        self._where: dict[str, int] = {}  # of each property that is broken, the state it was broken in or from
        self._look(self.space.first, 0)

    def restored(self) -> None:
        """What follows from `order`, once that has been filled from elsewhere."""
        self.seen = set(self.order)

    # -- judging ----------------------------------------------------------------------------------------------

    def _judge(self, step: Step, end: int, stimulus: Stimulus) -> None:
        for one in self._by["step"]:
            if not one.holds(step):
                self._alarms.append((one, end, stimulus))

    def _judge_end(self, end: End, number: int) -> None:
        bad = [one for one in self._by["end"] if not one.holds(end)]
        if bad:
            self._bad_ends[number] = bad
        summary = end.summary
        place = self._summaries.setdefault(summary, len(self._summaries))
        if place == len(self._summary_list):
            self._summary_list.append(summary)
        self._summary_of.append(place)

    def _look(self, key: int, index: int) -> None:
        """Judge a new state."""
        space = self.space
        a = space.side_end[key >> SIDE_BITS + LEFT_BITS]
        b = space.side_end[key >> LEFT_BITS & (1 << SIDE_BITS) - 1]
        first, second = self._summary_of[a], self._summary_of[b]
        code = first << 24 | second
        try:
            bad = self._pairs[code]
        except KeyError:
            bad = self._pairs[code] = self._judged("pair", first, second)
        if bad or a in self._bad_ends or b in self._bad_ends:
            for one in (*bad, *self._bad_ends.get(a, ()), *self._bad_ends.get(b, ())):
                self._note(one, index)
        if space.resting(key):
            for one in self._judged("rest", first, second):
                self._note(one, index)

    def _judged(self, about: str, first: int, second: int) -> list[Property]:
        return [one for one in self._by[about] if self.denies(one, first, second)]

    def denies(self, one: Property, first: int, second: int) -> bool:
        """Does a property of both ends not hold for two summaries?"""
        a, b = self._summary_list[first], self._summary_list[second]
        return not (one.holds(Pair(a, b)) and one.holds(Pair(b, a)))

    def stripped(self, one: Property, lively: set[int]) -> set[int]:
        """The states in which a property is denied, and may be for ever; ``lively``: `circles.lasting`."""
        from tcpnotes.explore.circles import strip

        return strip(self, one, lively)

    def _note(self, one: Property, index: int, event: Event | None = None) -> None:
        """A property is broken in state ``index``, or by an event in it; the fewest mishaps among the shortest win."""
        old = self._where.get(one.name)
        if old is not None:
            deeper = self._depth(index) + (event is not None) > self._depth(old) + (
                self.found[one.name].last is not None
            )
            left = (1 << LEFT_BITS) - 1
            if deeper or self.order[index] & left <= self.order[old] & left:
                return
        self._where[one.name] = index
        self.found[one.name] = Found(one, [], event)

    def _depth(self, index: int) -> int:
        low, high = 0, len(self.levels) - 1
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self.levels[middle] <= index else (low, middle)
        return low

    # -- searching --------------------------------------------------------------------------------------------

    @property
    def done(self) -> bool:
        """Have all states been gone on from?"""
        return self.at == len(self.order)

    @property
    def depth(self) -> int:
        """How many events the farthest state is away."""
        return self._depth(len(self.order) - 1)

    def progress(self) -> Progress:
        """How far it has come."""
        return Progress(len(self.order), len(self.order) - self.at, self.depth, self.transitions)

    def run(
        self,
        limit: int | None = None,
        timeout: float | None = None,
        tell: Callable[[Progress], None] | None = None,
        stop_at: Iterable[str] | None = None,
    ) -> bool:
        """Go on, until all states are known (True), or ``limit`` states, ``timeout`` seconds or Ctrl-C come first.

        ``stop_at``: names of properties; stop as soon as one of them is broken ("*": any that is no hole).
        """
        end = None if timeout is None else monotonic() + timeout
        names = set(stop_at or ())
        before = collect_seldom()
        try:
            while not self.done:
                if limit is not None and len(self.order) >= limit:
                    return False
                count = len(self.order) - self.at
                self._advance(min(self.pause, count if limit is None else min(count, limit - len(self.order))))
                if tell is not None:
                    tell(self.progress())
                if end is not None and monotonic() > end:
                    return False
                if names and any(
                    name in names or ("*" in names and not found.property.hole) for name, found in self.found.items()
                ):
                    return False
        finally:
            gc.set_threshold(*before)
        return True

    def _advance(self, count: int) -> None:
        """Go on from the next ``count`` states."""
        space, seen, order, parents = self.space, self.seen, self.order, self.parents
        successors, add, look, alarms = space.successors, seen.add, self._look, self._alarms
        for at in range(self.at, self.at + count):
            if at == self.levels[-1]:
                self.levels.append(len(order))
            key = order[at]
            there = successors(key)
            self.transitions += len(there)
            if alarms:
                self._sound(at, key)
            for new in there:
                if new not in seen:
                    add(new)
                    order.append(new)
                    parents.append(at)
                    look(new, len(order) - 1)
            self.at = at + 1

    def _sound(self, at: int, key: int) -> None:
        """Steps that break something were met for the first time: on the way from state ``at``."""
        ends = self.space.side_end
        sides = self.space.parts(key)
        for one, end, stimulus in self._alarms:
            side = 0 if ends[sides[0]] == end else 1
            self._note(one, at, Event(side, stimulus))
        self._alarms.clear()

    # -- afterwards -------------------------------------------------------------------------------------------

    def path(self, index: int) -> list[int]:
        """The states on the shortest way to a state, both ends included."""
        way = [index]
        while way[-1]:
            way.append(self.parents[way[-1]])
        return [self.order[place] for place in reversed(way)]

    def results(self) -> list[Found]:
        """What is broken, the shortest first; what goes on for ever is looked for once all states are known."""
        if self.done:
            from tcpnotes.explore.circles import search_circles

            search_circles(self)
        broken = []
        for name, found in self.found.items():
            broken.append(found._replace(path=self.path(self._where[name])))
        return sorted(broken, key=lambda found: (len(found.path) + (found.last is not None), found.property.name))
