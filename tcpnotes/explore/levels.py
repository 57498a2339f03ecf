"""The same search, a block of states at a time: tables of what each side may do, joined by numpy.

What an end does is still worked out by the engine, once (`ends`).  But there are a thousand
times as many states as states of an end, and to join two sides needs no engine: rows of a
table, repeated and packed into numbers, sorted, and held against what is known.  A state
takes 20 bytes: 8 where the known ones stand in order, 8 in the order of discovery, and the
place of the state it was first reached from.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from tcpnotes.explore.ends import FIRE
from tcpnotes.explore.model import Model
from tcpnotes.explore.properties import Property
from tcpnotes.explore.search import Search
from tcpnotes.explore.space import LEFT_BITS, SIDE_BITS, Event, Space
from tcpnotes.explore.views import Stimulus

try:
    import numpy as np
except ImportError:  # the plain search does the same
    np = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[Any]

BLOCK = 1 << 17  # states that are gone on from at once
_SIDES = (1 << SIDE_BITS) - 1
_LEFT = (1 << LEFT_BITS) - 1
_LOSE, _DOUBLE, _LATE = 1, 8, 64  # as in `space`


class Rows:
    """Lists of numbers under numbers: found for many numbers at once, each list made when first asked for."""

    def __init__(self, make: Callable[[int], Iterable[int]]) -> None:
        self._make = make
        self._flat = array("q")
        self._starts = np.full(1024, -1, dtype=np.int64)
        self._counts = np.zeros(1024, dtype=np.int64)

    def take(self, keys: Numbers) -> tuple[Numbers, Numbers]:
        """For each of ``keys`` its list: the numbers of all lists in a row, and the place of the key of each."""
        if not len(keys):
            return keys, keys
        top = int(keys.max())
        if top >= len(self._starts):
            grow = max(top + 1, 2 * len(self._starts)) - len(self._starts)
            self._starts = np.concatenate([self._starts, np.full(grow, -1, dtype=np.int64)])
            self._counts = np.concatenate([self._counts, np.zeros(grow, dtype=np.int64)])
        unknown = keys[self._starts[keys] < 0]
        if len(unknown):
            for key in np.unique(unknown).tolist():
                made = list(self._make(key))
                self._starts[key] = len(self._flat)
                self._counts[key] = len(made)
                self._flat.extend(made)
        counts = self._counts[keys]
        owners = np.repeat(np.arange(len(keys)), counts)
        firsts = np.cumsum(counts) - counts
        places = self._starts[keys][owners] + np.arange(len(owners)) - firsts[owners]
        return np.array(np.frombuffer(self._flat, dtype=np.int64)[places]) if self._flat else places, owners


class Known:
    """A set of numbers as a few sorted rows, each at least twice as long as the next."""

    def __init__(self) -> None:
        self.rows: list[Numbers] = []

    def missing(self, keys: Numbers) -> Numbers:
        """Which of ``keys`` (in order) are not in it."""
        new = np.ones(len(keys), dtype=bool)
        for row in self.rows:
            places = np.searchsorted(row, keys)
            places[places == len(row)] = 0
            new &= row[places] != keys
        return new

    def add(self, keys: Numbers) -> None:
        """Take in numbers that are in order, and not in it yet."""
        if not len(keys):
            return
        self.rows.append(keys)
        while len(self.rows) > 1 and len(self.rows[-2]) < 2 * len(self.rows[-1]):
            last = self.rows.pop()
            merged = np.concatenate([self.rows.pop(), last])
            merged.sort(kind="stable")  # two rows in order: merged in one go
            self.rows.append(merged)


class Joined:
    """What may come next, for many states of a space at once."""

    def __init__(self, space: Space) -> None:
        self.space = space
        self._calls = Rows(lambda side: space.moves_of(side)[0])
        self._segments = Rows(lambda side: space.moves_of(side)[1])
        self._drains = Rows(lambda side: [space.drain(side)])
        self._fires = Rows(lambda side: [space.packed(side, FIRE)])
        self._ages = Rows(self._aged)
        self._losses = Rows(lambda side: [lost for _, lost, _ in space.mishaps(side)])
        self._doubles = Rows(lambda side: [both for _, _, both in space.mishaps(side) if both is not None])
        self._puts = Rows(self._put)
        self._age_codes: list[int] = []
        self._age_numbers: dict[int, int] = {}
        self._put_codes: list[int] = []
        self._put_numbers: dict[int, int] = {}
        self._cuts = array("q")
        self._side_keys: Numbers = np.zeros(0, dtype=np.int64)
        self._side_places: Numbers = np.zeros(0, dtype=np.int64)
        self.ends_of: Numbers = np.zeros(0, dtype=np.int64)
        self.inboxes_of: Numbers = np.zeros(0, dtype=np.int64)
        self.refresh()

    def refresh(self) -> None:
        """Take note of sides and ends that are new."""
        space = self.space
        if len(self.ends_of) != len(space.side_end):
            self.ends_of = np.array(space.side_end, dtype=np.int64)
            self.inboxes_of = np.array(space.side_inbox, dtype=np.int64)
            keys = self.ends_of << 32 | self.inboxes_of
            self._side_places = np.argsort(keys)
            self._side_keys = keys[self._side_places]
        self.dues = np.array(space.ends.dues, dtype=np.int64)
        self.spent = np.array(space.ends.spent, dtype=bool)

    # -- rows -------------------------------------------------------------------------------------------------

    def _aged(self, number: int) -> list[int]:
        side, due = divmod(self._age_codes[number], 1 << 32)
        space = self.space
        end, _ = space.ends.step(space.side_end[side], Stimulus("age", "", due))
        return [space.side(end, space.side_inbox[side])]

    def _put(self, number: int) -> list[int]:
        """What becomes of an inbox: inboxes and what is left, ``inbox << 9 | left``."""
        code = self._put_codes[number]
        fates, cut = self.space.posted(code >> LEFT_BITS + 24, code >> LEFT_BITS & 0xFFFFFF, code & _LEFT)
        self._cuts[number] = cut
        return [inbox << LEFT_BITS | left for inbox, left, _ in fates]

    @staticmethod
    def _numbered(codes: Numbers, numbers: dict[int, int], known: list[int]) -> Numbers:
        """Small numbers for large ones."""
        some, back = np.unique(codes, return_inverse=True)
        small = []
        for code in some.tolist():
            number = numbers.get(code)
            if number is None:
                number = numbers[code] = len(known)
                known.append(code)
            small.append(number)
        return np.array(small, dtype=np.int64)[back]

    def sides(self, ends: Numbers, inboxes: Numbers) -> Numbers:
        """The numbers of sides."""
        keys = ends << 32 | inboxes
        places = np.searchsorted(self._side_keys, keys)
        places[places == len(self._side_keys)] = 0
        found = self._side_places[places]
        strange = self._side_keys[places] != keys
        if strange.any():
            some, back = np.unique(keys[strange], return_inverse=True)
            side = self.space.side
            made = np.array([side(key >> 32, key & 0xFFFFFFFF) for key in some.tolist()], dtype=np.int64)
            found[strange] = made[back]
        return found

    # -- joining ----------------------------------------------------------------------------------------------

    def successors(self, keys: Numbers, calls: bool = True) -> tuple[Numbers, Numbers]:
        """What may come next after ``keys``: all of it in a row, and the place of the state that each comes from."""
        self.refresh()
        a = (keys >> SIDE_BITS + LEFT_BITS).astype(np.int64)
        b = (keys >> LEFT_BITS).astype(np.int64) & _SIDES
        left = keys.astype(np.int64) & _LEFT
        places = np.arange(len(keys))
        dry_a, dry_b = ((self.inboxes_of[side] > 0) & self.spent[self.ends_of[side]] for side in (a, b))
        symmetric = self.space.symmetric
        if not self.space.reduce:
            dry_a = dry_b = np.zeros(len(keys), dtype=bool)
        found: list[tuple[Numbers, Numbers]] = []
        for me, other, dry, second in ((a, b, dry_a, False), (b, a, dry_b, True)):
            once = ~(symmetric & (a == b)) if second else np.ones(len(keys), dtype=bool)
            some = places[dry & once]
            found.append(self._moved(self._drains, some, me[some], other[some], left[some], second))
            some = places[~(dry_a | dry_b) & once]
            for rows in (self._calls, self._segments) if calls else (self._segments,):
                found.append(self._moved(rows, some, me[some], other[some], left[some], second))
        some = places[~(dry_a | dry_b)]
        found += self._fired(some, a[some], b[some], left[some])
        if not self.space.reduce:
            found += self._mishaps(places, a, b, left)
        return np.concatenate([new for new, _ in found]), np.concatenate([owner for _, owner in found])

    def _moved(
        self, rows: Rows, places: Numbers, me: Numbers, other: Numbers, left: Numbers, second: bool
    ) -> tuple[Numbers, Numbers]:
        moves, owners = rows.take(me)
        return self._sent(moves, places[owners], other[owners], left[owners], second)

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
            codes = (self.inboxes_of[other] << 24 | sent) << LEFT_BITS | left
            numbers = self._numbered(codes, self._put_numbers, self._put_codes)
            self._cuts.extend([0] * (len(self._put_codes) - len(self._cuts)))
            ways, owners = self._puts.take(numbers)
            self.space.cut += int(np.frombuffer(self._cuts, dtype=np.int64)[numbers].sum())
            there = self.sides(self.ends_of[other[owners]], ways >> LEFT_BITS)
            found.append((self.packed(side[owners], there, ways & _LEFT, second), places[owners]))
        return np.concatenate([new for new, _ in found]), np.concatenate([owner for _, owner in found])

    def packed(self, side: Numbers, other: Numbers, left: Numbers, second: bool) -> Numbers:
        """The numbers of states; with ``second``, ``side`` stands behind ``other`` (unless they may be exchanged)."""
        if self.space.symmetric:
            first, last = np.minimum(side, other), np.maximum(side, other)
        else:
            first, last = (other, side) if second else (side, other)
        return ((first << SIDE_BITS | last) << LEFT_BITS | left).astype(np.uint64)

    def _mishaps(self, places: Numbers, a: Numbers, b: Numbers, left: Numbers) -> Iterator[tuple[Numbers, Numbers]]:
        """In the full space: segments on their way are lost or doubled."""
        for me, other, second in ((a, b, False), (b, a, True)):
            for rows, may, one in ((self._losses, left & 7 > 0, _LOSE), (self._doubles, left >> 3 & 7 > 0, _DOUBLE)):
                there, owners = rows.take(me[may])
                yield self.packed(there, other[may][owners], left[may][owners] - one, second), places[may][owners]

    def _fired(self, places: Numbers, a: Numbers, b: Numbers, left: Numbers) -> Iterator[tuple[Numbers, Numbers]]:
        waiting = (self.inboxes_of[a] > 0) | (self.inboxes_of[b] > 0)
        may = ~waiting | (left >= _LATE)
        places, a, b, waiting = places[may], a[may], b[may], waiting[may]
        left = left[may] - _LATE * waiting
        for me, other, second in ((a, b, False), (b, a, True)):
            due, others = self.dues[self.ends_of[me]], self.dues[self.ends_of[other]]
            first = (due >= 0) & ~((others >= 0) & (others < due))
            moves, _ = self._fires.take(me[first])
            waits = other[first]
            late = due[first] > 0
            numbers = self._numbered(waits[late] << 32 | due[first][late], self._age_numbers, self._age_codes)
            aged, _ = self._ages.take(numbers)
            waits[late] = aged
            yield self._sent(moves, places[first], waits, left[first], second)


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
        sides = [(keys >> SIDE_BITS + LEFT_BITS).astype(np.int64), (keys >> LEFT_BITS).astype(np.int64) & _SIDES]
        for one, end, stimulus in self._alarms:
            some = np.flatnonzero((joined.ends_of[sides[0]] == end) | (joined.ends_of[sides[1]] == end))
            for place in sorted(some.tolist(), key=lambda place: -int(keys[place] & np.uint64(_LEFT))):
                key = int(keys[place])
                ends = [self.space.side_end[side] for side in self.space.parts(key)[:2]]
                event = next((event for event, _, _ in self.space.explained(key)
                              if event.stimulus == stimulus and ends[event.side] == end), None)  # fmt: skip
                if event is not None:
                    self._note(one, self.at + place, Event(event.side, stimulus))
                    break
        self._alarms.clear()

    def _look_at(self, keys: Numbers, begin: int) -> None:
        """Judge new states: `Search._look` for each pair of summaries, bad end and state at rest that is among them."""
        if not len(keys):
            return
        joined = self._joined
        joined.refresh()
        a, b = (keys >> SIDE_BITS + LEFT_BITS).astype(np.int64), (keys >> LEFT_BITS).astype(np.int64) & _SIDES
        first, second = joined.ends_of[a], joined.ends_of[b]
        summaries = np.array(self._summary_of, dtype=np.int64)
        left = keys & np.uint64(_LEFT)
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

    def stripped(self, one: Property) -> set[int]:
        keys = np.array(self.order, dtype=np.uint64)
        keys = np.sort(keys[self._denied(keys, one)])
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

    def _denied(self, keys: Numbers, one: Property) -> Numbers:
        self._joined.refresh()
        summaries = np.array(self._summary_of, dtype=np.int64)
        ends = self._joined.ends_of
        first = summaries[ends[(keys >> SIDE_BITS + LEFT_BITS).astype(np.int64)]]
        second = summaries[ends[(keys >> LEFT_BITS).astype(np.int64) & _SIDES]]
        kinds, back = np.unique(first << 24 | second, return_inverse=True)
        denied = [self.denies(one, kind >> 24, kind & 0xFFFFFF) for kind in kinds.tolist()]
        answer: Numbers = np.array(denied, dtype=bool)[back]
        return answer


def new_search(model: Model, profile: str = "source", **options: Any) -> Search:
    """A search: by blocks where numpy is there, else the plain one; both come to the same."""
    return (Search if np is None else LevelSearch)(model, profile, **options)


__all__ = ["LevelSearch", "new_search", "np"]
