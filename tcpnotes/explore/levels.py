"""The same search, a block of states at a time: tables of what each side may do, joined by numpy.

What an end does is still worked out by the engine, once (`ends`).  But there are a thousand
times as many states as states of an end, and to join two sides needs no engine: rows of a
table, repeated and packed into numbers, sorted, and held against what is known.  A state
takes 20 bytes: 8 where the known ones stand in order, 8 in the order of discovery, and the
place of the state it was first reached from.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from itertools import repeat
from typing import TYPE_CHECKING, Any, NamedTuple

from tcpnotes.explore.ends import FIRE
from tcpnotes.explore.model import Model
from tcpnotes.explore.properties import Property
from tcpnotes.explore.search import Search
from tcpnotes.explore.space import LEFT, LEFT_BITS, SIDE_BITS, SIDES, Event, Space
from tcpnotes.explore.tables import Column, Known, Numbered, Pairs, Rows, distinct, each, np
from tcpnotes.explore.views import Stimulus

if TYPE_CHECKING:
    from tcpnotes.explore.tables import Numbers

BLOCK = 1 << 17  # states that are gone on from at once
_LOSE, _DOUBLE, _LATE = 1, 8, 64  # as in `space`


class Turn(NamedTuple):
    """States in which something may reach one of the sides."""

    places: Numbers  # of the states
    me: Numbers
    other: Numbers
    left: Numbers
    second: bool  # is ``me`` the second side?


def sides_of(keys: Numbers) -> tuple[Numbers, Numbers]:
    """The two sides of each state."""
    return (keys >> SIDE_BITS + LEFT_BITS).astype(np.int64), (keys >> LEFT_BITS).astype(np.int64) & SIDES


class Joined:
    """What may come next, for many states of a space at once."""

    def __init__(self, space: Space) -> None:
        self.space = space
        ends = space.ends
        # Of ends, with the engine; of inboxes.
        self._end_calls = Rows(each(lambda end: [ends.packed(end, call) for call in ends.calls(end)]))
        self._end_fires = Rows(lambda numbers: self._led(numbers << 24 | ends.stimulus(FIRE)))
        self._end_ages = Rows(lambda numbers: self._led(self._steps("age", self._agings.keys[numbers])))
        self._end_segments = Rows(lambda numbers: self._led(self._steps("segment", self._arrivings.keys[numbers])))
        self._coming = Rows(each(lambda inbox: map(space.without, space.coming(inbox), repeat(inbox))))
        self._draining = Rows(each(lambda inbox: [space.without(space.draining(inbox), inbox)]))
        # Of sides, put together from these.
        self._calls = Rows(self._called)
        self._fires = Rows(self._fired)
        self._segments = Rows(lambda sides: self._arrived(sides, self._coming))
        self._drains = Rows(lambda sides: self._arrived(sides, self._draining))
        self._losses = Rows(each(lambda side: [lost for _, lost, _ in space.mishaps(side)]))
        self._doubles = Rows(each(lambda side: [both for _, _, both in space.mishaps(side) if both is not None]))
        self._puts = Rows(each(self._put))
        self._agings = Numbered()  # an end << 32, and after how many ticks another's timer fires
        self._arrivings = Numbered()  # an end << 32, and what reaches it
        self._parcels = Pairs()  # an inbox, and what is sent to it
        self._lefts = Pairs()  # such a pair, and what may still go wrong
        self._cuts = array("q")
        self._sides = Numbered()  # an end << 32, and an inbox: numbered as in the space
        self._ends_of, self._inboxes_of = Column(), Column()
        self.ends_of, self.inboxes_of = self._ends_of.all, self._inboxes_of.all
        self.dues: Numbers = np.zeros(0, dtype=np.int64)
        self.spent: Numbers = np.zeros(0, dtype=bool)
        self.refresh()

    def refresh(self) -> None:
        """Take note of sides and ends that are new."""
        space = self.space
        begin = len(self.ends_of)
        if begin != len(space.side_end):
            self._ends_of.extend(np.array(space.side_end[begin:]))
            self._inboxes_of.extend(np.array(space.side_inbox[begin:]))
            self.ends_of, self.inboxes_of = self._ends_of.all, self._inboxes_of.all
            self._sides.extend(self.ends_of[begin:] << 32 | self.inboxes_of[begin:])
        if len(self.dues) != len(space.ends.dues):
            self.dues = np.array(space.ends.dues, dtype=np.int64)
            self.spent = np.array(space.ends.spent, dtype=bool)

    # -- rows -------------------------------------------------------------------------------------------------

    def _led(self, steps: Numbers) -> tuple[Numbers, Numbers]:
        """Where steps of ends lead, one each."""
        made = self.space.ends.made
        return np.array([made(step) for step in steps.tolist()], dtype=np.int64), np.ones(len(steps), dtype=np.int64)

    def _called(self, sides: Numbers) -> tuple[Numbers, Numbers]:
        moves, owners = self._end_calls.take(self.ends_of[sides])
        return self._moved(moves, self.inboxes_of[sides][owners]), np.bincount(owners, minlength=len(sides))

    def _fired(self, sides: Numbers) -> tuple[Numbers, Numbers]:
        moves, _ = self._end_fires.take(self.ends_of[sides])
        return self._moved(moves, self.inboxes_of[sides]), np.ones(len(sides), dtype=np.int64)

    def _arrived(self, sides: Numbers, unpacking: Rows) -> tuple[Numbers, Numbers]:
        numbers, rest, owners = self._arrivals(sides, unpacking)
        moves, _ = self._end_segments.take(numbers)
        return self._moved(moves, rest), np.bincount(owners, minlength=len(sides))

    def _arrivals(self, sides: Numbers, unpacking: Rows) -> tuple[Numbers, Numbers, Numbers]:
        """Numbers of what reaches which end, what is then left of the inbox, and the place of the side of each."""
        coming, owners = unpacking.take(self.inboxes_of[sides])
        codes = self.ends_of[sides][owners] << 32 | coming >> 32
        return self._arrivings(codes), coming & 0xFFFFFFFF, owners

    def _moved(self, moves: Numbers, inboxes: Numbers) -> Numbers:
        """Steps of ends as moves of sides: ``new side << 24 | sent``."""
        return self.sides(moves >> 24, inboxes) << 24 | moves & 0xFFFFFF

    def _put(self, number: int) -> list[int]:
        """What becomes of an inbox: inboxes and what is left, ``inbox << 9 | left``."""
        parcel, left = self._lefts.known[number]
        fates, cut = self.space.posted(*self._parcels.known[parcel], left)
        self._cuts[number] = cut
        return [inbox << LEFT_BITS | left for inbox, left, _ in fates]

    def sides(self, ends: Numbers, inboxes: Numbers) -> Numbers:
        """The numbers of sides."""
        self.refresh()
        keys = ends << 32 | inboxes
        found = self._sides.find(keys)
        strange = found < 0
        if strange.any():
            some, back = np.unique(keys[strange], return_inverse=True)
            found[strange] = self.space.new_sides(some.tolist()) + back
        return found

    # -- joining ----------------------------------------------------------------------------------------------

    def successors(self, keys: Numbers, calls: bool = True) -> tuple[Numbers, Numbers]:
        """What may come next after ``keys``: all of it in a row, and the place of the state that each comes from."""
        self.refresh()
        found: list[tuple[Numbers, Numbers]] = []
        for rows, turn in self._turns(keys, calls):
            moves, owners = rows.take(turn.me)
            found.append(self._sent(moves, turn.places[owners], turn.other[owners], turn.left[owners], turn.second))
        for turn, due in self._firing(keys):
            moves, _ = self._fires.take(turn.me)
            waits = turn.other.copy()
            late = due > 0
            aged, _ = self._end_ages.take(self._age_number(waits[late], due[late]))
            waits[late] = self._moved(aged, self.inboxes_of[waits[late]]) >> 24
            found.append(self._sent(moves, turn.places, waits, turn.left, turn.second))
        if not self.space.reduce:
            found += self._mishaps(keys)
        return np.concatenate([new for new, _ in found]), np.concatenate([owner for _, owner in found])

    def asked(self, keys: Numbers) -> Numbers:
        """The steps (``state << 24 | stimulus``) that `successors` of ``keys`` asks for and nobody has made."""
        self.refresh()
        ends = self.space.ends
        keys = keys[~self._settled(keys)]
        found: list[Numbers] = []
        for rows, turn in self._turns(keys, True):
            sides = rows.unknown(turn.me)
            if rows is self._calls:
                some = self._end_calls.unknown(self.ends_of[sides]).tolist()
                found.append(
                    np.array(
                        [end << 24 | ends.stimulus(call) for end in some for call in ends.calls(end)], dtype=np.int64
                    )
                )
            else:
                numbers, _, _ = self._arrivals(sides, self._draining if rows is self._drains else self._coming)
                found.append(self._steps("segment", self._arrivings.keys[self._end_segments.unknown(numbers)]))
        fire = ends.stimulus(FIRE)
        for turn, due in self._firing(keys):
            found.append(self._end_fires.unknown(self.ends_of[turn.me]) << 24 | fire)
            late = due > 0
            numbers = self._age_number(turn.other[late], due[late])
            found.append(self._steps("age", self._agings.keys[self._end_ages.unknown(numbers)]))
        steps = distinct(np.concatenate(found))
        return steps[[not ends.knows(step) for step in steps.tolist()]]

    def _settled(self, keys: Numbers) -> Numbers:
        """Which of ``keys`` ask for nothing new, as far as is seen at once."""
        a, b, left = self._split(keys)
        called = self._calls.made(a) & self._calls.made(b)  # and what may arrive is made with it
        waiting = (self.inboxes_of[a] | self.inboxes_of[b]) > 0
        settled: Numbers = called & waiting & (left < _LATE)  # no timer fires
        return settled

    def _steps(self, what: str, codes: Numbers) -> Numbers:
        """Steps of ends from codes (``state << 32 | number``)."""
        numbers, back = np.unique(codes & 0xFFFFFFFF, return_inverse=True)
        stimuli = [self.space.ends.stimulus(Stimulus(what, "", number)) for number in numbers.tolist()]
        return codes >> 32 << 24 | np.array(stimuli, dtype=np.int64)[back]

    def _split(self, keys: Numbers) -> tuple[Numbers, Numbers, Numbers]:
        return *sides_of(keys), (keys & np.uint64(LEFT)).astype(np.int64)

    def _dry(self, a: Numbers, b: Numbers) -> tuple[Numbers, Numbers]:
        """Which states have something on its way to a side that has nothing left: of each side."""
        if not self.space.reduce:
            return (np.zeros(len(a), dtype=bool),) * 2
        first, second = ((self.inboxes_of[side] > 0) & self.spent[self.ends_of[side]] for side in (a, b))
        return first, second

    def _turns(self, keys: Numbers, calls: bool) -> Iterator[tuple[Rows, Turn]]:
        """Which sides may be reached by calls and segments, and where the lists of that are."""
        a, b, left = self._split(keys)
        dry_a, dry_b = self._dry(a, b)
        places = np.arange(len(keys))
        for me, other, dry, second in ((a, b, dry_a, False), (b, a, dry_b, True)):
            once = ~(self.space.symmetric & (a == b)) if second else np.ones(len(keys), dtype=bool)
            some = places[dry & once]
            yield self._drains, Turn(some, me[some], other[some], left[some], second)
            some = places[~(dry_a | dry_b) & once]
            turn = Turn(some, me[some], other[some], left[some], second)
            if calls:
                yield self._calls, turn
            yield self._segments, turn

    def _firing(self, keys: Numbers) -> Iterator[tuple[Turn, Numbers]]:
        """Which sides' timers may fire, and after how many ticks."""
        a, b, left = self._split(keys)
        dry_a, dry_b = self._dry(a, b)
        waiting = (self.inboxes_of[a] > 0) | (self.inboxes_of[b] > 0)
        places = np.flatnonzero(~(dry_a | dry_b) & (~waiting | (left >= _LATE)))
        left = left - _LATE * waiting
        for me, other, second in ((a, b, False), (b, a, True)):
            due, others = self.dues[self.ends_of[me[places]]], self.dues[self.ends_of[other[places]]]
            first = (due >= 0) & ~((others >= 0) & (others < due))
            some = places[first]
            yield Turn(some, me[some], other[some], left[some], second), due[first]

    def _age_number(self, sides: Numbers, dues: Numbers) -> Numbers:
        return self._agings(self.ends_of[sides] << 32 | dues)

    def _sent(
        self, moves: Numbers, places: Numbers, other: Numbers, left: Numbers, second: bool
    ) -> tuple[Numbers, Numbers]:
        """The states that moves (``side << 24 | sent``) lead to, with what becomes of what is sent."""
        self.refresh()
        side, sent = moves >> 24, moves & 0xFFFFFF
        quiet = sent == 0
        found = [(self.packed(side[quiet], other[quiet], left[quiet], second), places[quiet])]
        loud = ~quiet
        if loud.any():
            side, sent, other, left, places = side[loud], sent[loud], other[loud], left[loud], places[loud]
            numbers = self._lefts(self._parcels(self.inboxes_of[other], sent), left)
            self._cuts.extend([0] * (len(self._lefts.known) - len(self._cuts)))
            ways, owners = self._puts.take(numbers)
            self.space.cut += int(np.frombuffer(self._cuts, dtype=np.int64)[numbers].sum())
            there = self.sides(self.ends_of[other[owners]], ways >> LEFT_BITS)
            found.append((self.packed(side[owners], there, ways & LEFT, second), places[owners]))
        return np.concatenate([new for new, _ in found]), np.concatenate([owner for _, owner in found])

    def packed(self, side: Numbers, other: Numbers, left: Numbers, second: bool) -> Numbers:
        """The numbers of states; with ``second``, ``side`` stands behind ``other`` (unless they may be exchanged)."""
        if self.space.symmetric:
            first, last = np.minimum(side, other), np.maximum(side, other)
        else:
            first, last = (other, side) if second else (side, other)
        return ((first << SIDE_BITS | last) << LEFT_BITS | left).astype(np.uint64)

    def _mishaps(self, keys: Numbers) -> Iterator[tuple[Numbers, Numbers]]:
        """In the full space: segments on their way are lost or doubled."""
        a, b, left = self._split(keys)
        places = np.arange(len(keys))
        for me, other, second in ((a, b, False), (b, a, True)):
            for rows, may, one in ((self._losses, left & 7 > 0, _LOSE), (self._doubles, left >> 3 & 7 > 0, _DOUBLE)):
                there, owners = rows.take(me[may])
                yield self.packed(there, other[may][owners], left[may][owners] - one, second), places[may][owners]


class LevelSearch(Search):
    """A `Search` by blocks; it comes to the same states, depths and verdicts."""

    pause = BLOCK

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._known = Known()
        self._known.add(np.array([self.space.first], dtype=np.uint64))
        self._joined = Joined(self.space)

    def restored(self) -> None:
        self._known, self._joined = Known(), Joined(self.space)
        self._known.add(np.unique(np.array(self.order, dtype=np.uint64)))

    def _advance(self, count: int) -> None:
        if self.at == self.levels[-1]:
            self.levels.append(len(self.order))
        stop = min(self.at + count, self.levels[-1])
        keys = np.array(self.order[self.at : stop], dtype=np.uint64)
        there, owners = self._joined.successors(keys)
        self.transitions += len(there)
        if self._alarms:
            self._sound_all(keys)
        new, first = np.unique(there, return_index=True)
        fresh = self._known.missing(new)
        new, first = new[fresh], first[fresh]
        self._known.add(new)
        begin = len(self.order)
        self.order.frombytes(new.tobytes())
        self.parents.frombytes((owners[first] + self.at).astype(np.uint32).tobytes())
        self._look_at(new, begin)
        self.at = stop

    @staticmethod
    def pieces(keys: Numbers) -> Iterator[Numbers]:
        """Blocks of many states."""
        for begin in range(0, len(keys), BLOCK):
            yield keys[begin : begin + BLOCK]

    def _sound_all(self, keys: Numbers) -> None:
        """Steps that break something were met for the first time, somewhere among ``keys``."""
        joined = self._joined
        joined.refresh()
        sides = sides_of(keys)
        first, second = (joined.ends_of[side] for side in sides)
        for one, end, stimulus in self._alarms:
            if self._known_before(one):
                continue
            some = np.flatnonzero((first == end) | (second == end))
            if stimulus.what == "segment":
                held = np.array([stimulus.number in inbox for inbox in self.space.inboxes])
                some = some[held[joined.inboxes_of[sides[0][some]]] | held[joined.inboxes_of[sides[1][some]]]]
            for place in sorted(some.tolist(), key=lambda place: -int(keys[place] & np.uint64(LEFT))):
                key = int(keys[place])
                ends = [self.space.side_end[side] for side in self.space.parts(key)[:2]]
                event = next((event for event, _, _ in self.space.explained(key)
                              if event.stimulus == stimulus and ends[event.side] == end), None)  # fmt: skip
                if event is not None:
                    self._note(one, self.at + place, Event(event.side, stimulus))
                    break
        self._alarms.clear()

    def _known_before(self, one: Property) -> bool:
        """Is a property known to be broken by a shorter way than any that goes on from here?"""
        where = self._where.get(one.name)
        return where is not None and self._depth(where) + (self.found[one.name].last is not None) <= self._depth(
            self.at
        )

    def _look_at(self, keys: Numbers, begin: int) -> None:
        """Judge new states: `Search._look` for each pair of summaries, bad end and state at rest that is among them."""
        if not len(keys):
            return
        joined = self._joined
        joined.refresh()
        a, b = sides_of(keys)
        first, second = joined.ends_of[a], joined.ends_of[b]
        summaries = np.array(self._summary_of, dtype=np.int64)
        left = keys & np.uint64(LEFT)
        codes = summaries[first] << 24 | summaries[second]
        quiet = (joined.inboxes_of[a] | joined.inboxes_of[b]) == 0
        rest = quiet & (joined.dues[first] < 0) & (joined.dues[second] < 0)
        codes = codes << 1 | rest
        faults: dict[tuple[str, ...], int] = {}
        for end, broken in self._bad_ends.items():
            bad = (first == end) | (second == end)
            codes[bad] |= 1 << 50 + faults.setdefault(tuple([one.name for one in broken]), len(faults) % 12)
        order = np.lexsort((~left, codes))  # of each kind, one with the fewest mishaps
        kinds = codes[order]
        for place in order[np.concatenate([[True], kinds[1:] != kinds[:-1]])].tolist():
            self._look(int(keys[place]), begin + place)

    def stripped(self, one: Property, lively: set[int]) -> set[int]:
        keys = np.sort(self._denied(np.array(self.order, dtype=np.uint64), one, lively))
        alive = np.ones(len(keys), dtype=bool)
        witness = np.full(len(keys), -1, dtype=np.int32)  # of each state, one that may come next and is not stripped
        asking = np.arange(len(keys))
        while len(asking):
            witness[asking] = -1
            for some in self.pieces(asking):
                there, owners = self._joined.successors(keys[some], False)
                places = np.searchsorted(keys, there)
                places[places == len(keys)] = 0
                good = (keys[places] == there) & alive[places]
                witness[some[owners[good]]] = places[good]
            alive[asking[witness[asking] < 0]] = False
            asking = np.flatnonzero(alive & ~alive[witness])
        return set(keys[alive].tolist())

    def _denied(self, keys: Numbers, one: Property, lively: set[int]) -> Numbers:
        """Those of ``keys`` in which a property is denied, and an end may go on for ever."""
        self._joined.refresh()
        ends = self._joined.ends_of
        restless = np.zeros(len(self.space.ends.digests), dtype=bool)
        restless[list(lively)] = True
        a, b = sides_of(keys)
        some = restless[ends[a]] | restless[ends[b]]
        keys, a, b = keys[some], a[some], b[some]
        summaries = np.array(self._summary_of, dtype=np.int64)
        kinds, back = np.unique(summaries[ends[a]] << 24 | summaries[ends[b]], return_inverse=True)
        denied = [self.denies(one, kind >> 24, kind & 0xFFFFFF) for kind in kinds.tolist()]
        answer: Numbers = keys[np.array(denied, dtype=bool)[back]]
        return answer


def new_search(model: Model, profile: str = "source", **options: Any) -> Search:
    """A search: by blocks where numpy is there, else the plain one; both come to the same."""
    return (Search if np is None else LevelSearch)(model, profile, **options)


__all__ = ["LevelSearch", "new_search"]
