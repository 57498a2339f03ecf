"""The states of both ends and the network together, each packed into one number.

A *side* is an end with what is on its way to it (its inbox: numbers of segments, sorted
when they may overtake each other).  A state is two sides and what may still go wrong:
how many segments may be lost and doubled, how many timers may fire early.

*Quick network*: a timer fires only when it is the earliest of both hosts and nothing is
on the wire, so segments take no time against timers; a model's ``late`` allows so many
exceptions.

The *reduced* space leaves out what only repeats: two states that differ by an exchange of
the hosts are one (in a symmetric model), and whether a segment is lost or doubled is
decided when it is sent, because that commutes with everything that may happen before it
would arrive; and what is on its way to an end that has nothing left of the connection
arrives before anything else happens: such an end answers every segment as it will always
answer it, so the order does not matter; and states of an end that differ only in what has no more
influence are one (`shape.dead_fields`).  The *full* space has all of that apart, and losing and doubling as events.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from tcpnotes.explore.ends import FIRE, Ends
from tcpnotes.explore.model import Model
from tcpnotes.explore.views import End, Step, Stimulus
from tcpnotes.kernel.profile import Profile

SIDE_BITS, LEFT_BITS = 27, 9
SIDES = (1 << SIDE_BITS) - 1
LEFT = (1 << LEFT_BITS) - 1
_LOSE, _DOUBLE, _LATE = 1, 8, 64  # one of each in the budget ``left``
CACHED = 400_000  # entries of a table that can be worked out again
PASSED, LOST, DOUBLED = "passed", "lost", "doubled"


class Event(NamedTuple):
    """What leads from a state to the next: to which side (0 or 1), what, and what becomes of the segments it sends."""

    side: int
    stimulus: Stimulus  # "lose" and "double", of segment ``number``, in the full space
    fates: tuple[str, ...] = ()


class Space:
    """All states of a model under a profile."""

    def __init__(
        self,
        model: Model,
        profile: str | Profile,
        reduce: bool = True,
        judge: Callable[[Step, int, Stimulus], None] | None = None,
        judge_state: Callable[[End, int], None] | None = None,
        whole: bool | None = None,
    ) -> None:
        self.model = model
        self.reduce = reduce
        self.symmetric = reduce and model.symmetric
        self.ends = Ends(model, judge, judge_state, whole=not reduce if whole is None else whole)
        self.inboxes: list[tuple[int, ...]] = []
        self.side_end = array("I")
        self.side_inbox = array("I")
        self._inbox_numbers: dict[tuple[int, ...], int] = {}
        self._side_numbers: dict[int, int] = {}
        self._moves: dict[int, tuple[tuple[int, ...], tuple[int, ...]]] = {}
        self._puts: dict[int, tuple[tuple[int, ...], int]] = {}
        self.cut = 0  # transitions left out because too much would have been on its way
        self._inbox(())  # number 0
        world = model.open(profile)
        first = [self.ends.first(world.host(name)) for name in ("A", "B")]
        inboxes: list[list[int]] = [[], []]
        for flight in world.wire.flying.values():
            number = self.ends.segment(flight.seg._replace(saddr=0, daddr=0))
            inboxes[0 if flight.dst == "A" else 1].append(number)
        a, b = (self.side(end, self._inbox(tuple(inbox))) for end, inbox in zip(first, inboxes, strict=True))
        left = model.lose * _LOSE + model.double * _DOUBLE + model.late * _LATE
        self.first, self.first_swapped = self._key(a, b, left)

    # -- numbers ----------------------------------------------------------------------------------------------

    def _inbox(self, inbox: tuple[int, ...]) -> int:
        if self.model.reorder:
            inbox = tuple(sorted(inbox))
        number = self._inbox_numbers.get(inbox)
        if number is None:
            number = self._inbox_numbers[inbox] = len(self.inboxes)
            self.inboxes.append(inbox)
        return number

    def side(self, end: int, inbox: int) -> int:
        """The number of a side."""
        key = end << 32 | inbox
        number = self._side_numbers.get(key)
        if number is None:
            number = self.new_sides([key])
        return number

    def new_sides(self, keys: Sequence[int]) -> int:
        """Number sides (``end << 32 | inbox``) that have no numbers yet, one after the other; the first of these."""
        begin, end = len(self.side_end), len(self.side_end) + len(keys)
        if end > SIDES + 1:
            raise OverflowError("The model has more sides than a state has room for.")
        self._side_numbers.update(zip(keys, range(begin, end), strict=True))
        self.side_end.extend([key >> 32 for key in keys])
        self.side_inbox.extend([key & 0xFFFFFFFF for key in keys])
        return begin

    def _key(self, a: int, b: int, left: int) -> tuple[int, bool]:
        """The state's number, and whether the sides stand the other way round in it."""
        if a > b and self.symmetric:
            return (b << SIDE_BITS | a) << LEFT_BITS | left, True
        return (a << SIDE_BITS | b) << LEFT_BITS | left, False

    @staticmethod
    def parts(key: int) -> tuple[int, int, int]:
        """The two sides of a state, and what may still go wrong."""
        return key >> SIDE_BITS + LEFT_BITS, key >> LEFT_BITS & SIDES, key & LEFT

    # -- moves ------------------------------------------------------------------------------------------------

    def moves_of(self, side: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """What may reach a side: calls, and segments that arrive; each as ``new side << 24 | sent``."""
        moves = self._moves.get(side)
        if moves is None:
            if len(self._moves) > CACHED:
                self._moves.clear()
            some = self.ends.calls(self.side_end[side]), self._arriving(side)
            made = [[self.packed(side, stimulus) for stimulus in stimuli] for stimuli in some]
            moves = self._moves[side] = (tuple(made[0]), tuple(made[1]))
        return moves

    def coming(self, inbox: int) -> Iterable[int]:
        """Which of the segments on their way may arrive first."""
        segments = self.inboxes[inbox]
        return dict.fromkeys(segments if self.model.reorder else segments[:1])

    def draining(self, inbox: int) -> int:
        """Which arrives first where the order does not matter: the same whatever the numbers are."""
        numbers, segments = self.inboxes[inbox], self.ends.segments
        return min(numbers, key=lambda number: repr(segments[number])) if self.model.reorder else numbers[0]

    def without(self, segment: int, inbox: int) -> int:
        """A segment of an inbox, and what is left of that when it has arrived: ``segment << 32 | inbox``."""
        return segment << 32 | self._without(inbox, segment)

    def _arriving(self, side: int) -> list[Stimulus]:
        return [Stimulus("segment", "", number) for number in self.coming(self.side_inbox[side])]

    def packed(self, side: int, stimulus: Stimulus) -> int:
        """Where a stimulus leads a side, as ``new side << 24 | sent``."""
        end, sent = self.ends.step(self.side_end[side], stimulus)
        inbox = self.side_inbox[side]
        if stimulus.what == "segment":
            inbox = self._without(inbox, stimulus.number)
        return self.side(end, inbox) << 24 | sent

    def _without(self, inbox: int, segment: int) -> int:
        left = list(self.inboxes[inbox])
        left.remove(segment)
        return self._inbox(tuple(left))

    def _puts_of(self, side: int, sent: int, left: int) -> tuple[tuple[int, ...], int]:
        """What becomes of a side when ``sent`` is sent to it, each as ``side << 9 | left``; and how many are cut."""
        key = (sent << SIDE_BITS | side) << LEFT_BITS | left
        puts = self._puts.get(key)
        if puts is None:
            if len(self._puts) > CACHED:
                self._puts.clear()
            found = [put for put, _ in self._fates(side, sent, left)]
            puts = self._puts[key] = (tuple(found), self._cut)
        return puts

    def _fates(self, side: int, sent: int, left: int) -> list[tuple[int, tuple[str, ...]]]:
        """The same with what became of each segment; `_cut` counts what the bound leaves out."""
        found, self._cut = self.posted(self.side_inbox[side], sent, left)
        end = self.side_end[side]
        return [(self.side(end, inbox) << LEFT_BITS | rest, fates) for inbox, rest, fates in found]

    def posted(self, inbox: int, sent: int, left: int) -> tuple[list[tuple[int, int, tuple[str, ...]]], int]:
        """What an inbox may become when ``sent`` is sent to it: inbox, what is left, fates; and how many are cut."""
        ways: list[tuple[tuple[int, ...], int, tuple[str, ...]]] = [(self.inboxes[inbox], left, ())]
        for number in self.ends.outs[sent]:
            longer = []
            for coming, rest, fates in ways:
                longer.append(((*coming, number), rest, (*fates, PASSED)))
                if self.reduce and rest & 7:
                    longer.append((coming, rest - _LOSE, (*fates, LOST)))
                if self.reduce and rest >> 3 & 7:
                    longer.append(((*coming, number, number), rest - _DOUBLE, (*fates, DOUBLED)))
            ways = longer
        fitting = [way for way in ways if len(way[0]) <= self.model.in_flight]
        found: dict[tuple[int, int], tuple[str, ...]] = {}
        for coming, rest, fates in fitting:
            found.setdefault((self._inbox(coming), rest), fates)
        return [(*way, fates) for way, fates in found.items()], len(ways) - len(fitting)

    _cut = 0

    def _timers(self, a: int, b: int, left: int) -> Iterator[tuple[int, int, int, int, int]]:
        """Which timers may fire: (0 or 1, that side then, what it sends, the other side then, what is left)."""
        ends, inboxes = self.ends, self.side_inbox
        if inboxes[a] or inboxes[b]:
            if not left >> 6:
                return
            left -= _LATE
        dues = ends.dues
        for me, side, other in ((0, a, b), (1, b, a)):
            due, others = dues[self.side_end[side]], dues[self.side_end[other]]
            if due < 0 or 0 <= others < due:
                continue
            end, sent = ends.step(self.side_end[side], FIRE)
            if due:
                aged, _ = ends.step(self.side_end[other], Stimulus("age", "", due))
                waiting = self.side(aged, inboxes[other])
            else:
                waiting = other
            yield me, self.side(end, inboxes[side]), sent, waiting, left

    def resting(self, key: int) -> bool:
        """Is nothing on the wire and no timer running?"""
        a, b, _ = self.parts(key)
        dues, ends = self.ends.dues, self.side_end
        return not (self.side_inbox[a] or self.side_inbox[b]) and dues[ends[a]] < 0 and dues[ends[b]] < 0

    def successors(self, key: int, calls: bool = True) -> list[int]:
        """The states that may come next; without ``calls``, those to which network and clock lead."""
        b, left = key >> LEFT_BITS & SIDES, key & LEFT
        a = key >> SIDE_BITS + LEFT_BITS
        symmetric = self.symmetric
        found: list[int] = []
        add = found.append
        puts, moves = self._puts, self._moves
        if self.reduce:
            spent, inboxes = self.ends.spent, self.side_inbox
            if (inboxes[a] and spent[self.side_end[a]]) or (inboxes[b] and spent[self.side_end[b]]):
                return [there for _, there, _ in self._drained(a, b, left, True)]
        for me, other, second in ((a, b, False), (b, a, True)):
            try:
                mine = moves[me]
            except KeyError:
                mine = self.moves_of(me)
            for row in mine if calls else mine[1:]:
                for move in row:
                    side, sent = move >> 24, move & 0xFFFFFF
                    if sent:
                        try:
                            ways, cut = puts[(sent << SIDE_BITS | other) << LEFT_BITS | left]
                        except KeyError:
                            ways, cut = self._puts_of(other, sent, left)
                        self.cut += cut
                    else:
                        ways = (other << LEFT_BITS | left,)
                    for way in ways:
                        # Side, side, budget in one number; in a symmetric model the smaller side first.
                        there = way >> LEFT_BITS
                        if side > there if symmetric else second:
                            add(there << SIDE_BITS + LEFT_BITS | side << LEFT_BITS | way & LEFT)
                        else:
                            add(side << SIDE_BITS + LEFT_BITS | way)
            if a == b and symmetric:
                break
        if not self.reduce:
            found += [there for _, there, _ in self._mishaps(a, b, left)]
        for me, side, sent, other, rest in self._timers(a, b, left):
            ways, cut = self._puts_of(other, sent, rest)
            self.cut += cut
            found += [self._ordered(me, side, way)[0] for way in ways]
        return found

    def _drained(self, a: int, b: int, left: int, count: bool = False) -> Iterator[tuple[Event, int, bool]]:
        """A segment reaches an end that has nothing left; see above."""
        for me, side, other in ((0, a, b), (1, b, a)):
            if not self.side_inbox[side] or not self.ends.spent[self.side_end[side]]:
                continue
            stimulus = Stimulus("segment", "", self.draining(self.side_inbox[side]))
            move = self.packed(side, stimulus)
            ways = self._fates(other, move & 0xFFFFFF, left)
            self.cut += self._cut if count else 0
            for way, fates in ways:
                yield Event(me, stimulus, fates), *self._ordered(me, move >> 24, way)
            if a == b and self.symmetric:
                break

    def _ordered(self, me: int, side: int, way: int) -> tuple[int, bool]:
        other, left = way >> LEFT_BITS, way & LEFT
        return self._key(other, side, left) if me else self._key(side, other, left)

    def mishaps(self, side: int) -> Iterator[tuple[int, int, int | None]]:
        """What a side becomes when a segment on its way to it is lost, and when doubled (None beyond the bound)."""
        end, inbox = self.side_end[side], self.inboxes[self.side_inbox[side]]
        for place, number in enumerate(inbox):
            if number in inbox[:place]:
                continue
            both = None
            if len(inbox) < self.model.in_flight:
                both = self.side(end, self._inbox((*inbox[:place], number, *inbox[place:])))
            yield number, self.side(end, self._without(self.side_inbox[side], number)), both

    def _mishaps(self, a: int, b: int, left: int) -> Iterator[tuple[Event, int, bool]]:
        """In the full space: segments on their way are lost or doubled."""
        for me, side, other in ((0, a, b), (1, b, a)):
            for number, lost, both in self.mishaps(side):
                if left & 7:
                    way = other << LEFT_BITS | left - _LOSE
                    yield Event(me, Stimulus("lose", "", number)), *self._ordered(me, lost, way)
                if left >> 3 & 7 and both is not None:
                    way = other << LEFT_BITS | left - _DOUBLE
                    yield Event(me, Stimulus("double", "", number)), *self._ordered(me, both, way)

    def explained(self, key: int, calls: bool = True) -> Iterator[tuple[Event, int, bool]]:
        """The same as `successors` with the event that leads there, and whether the sides change places."""
        a, b, left = self.parts(key)
        spent = self.ends.spent
        if self.reduce and any(self.side_inbox[side] and spent[self.side_end[side]] for side in (a, b)):
            yield from self._drained(a, b, left)
            return
        for me, side, other in ((0, a, b), (1, b, a)):
            for stimulus in (*(self.ends.calls(self.side_end[side]) if calls else ()), *self._arriving(side)):
                move = self.packed(side, stimulus)
                for way, fates in self._fates(other, move & 0xFFFFFF, left):
                    yield Event(me, stimulus, fates), *self._ordered(me, move >> 24, way)
        if not self.reduce:
            yield from self._mishaps(a, b, left)
        for me, side, sent, other, rest in self._timers(a, b, left):
            for way, fates in self._fates(other, sent, rest):
                yield Event(me, FIRE, fates), *self._ordered(me, side, way)
