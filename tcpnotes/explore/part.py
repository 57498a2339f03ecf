"""One part of a search that several processes share: the states whose keys fall to it.

Every part has tables of its own, so its numbers mean nothing to others.  What passes
between parts is a `Block`: sides by the digest of their end and the segments on their way
(64 bits each: among a million of them two are taken for one with a probability of 10⁻⁷),
states as pairs of places among these sides.  The engine's work is shared out as well: with
the states that it came to a part says which steps of ends these ask for; each part makes
its share of all that (`work`), and all of them learn what came of it (`Records`).  All
functions for tasks are pure as seen from outside: a part that a process does not have, or
has lost, is built again from what it knew at each depth (`Past`).
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from hashlib import blake2b
from threading import RLock
from typing import TYPE_CHECKING, Any, NamedTuple

from tcpnotes.explore.levels import LevelSearch, sides_of
from tcpnotes.explore.model import Model
from tcpnotes.explore.properties import PROPERTIES, Property
from tcpnotes.explore.records import Block, Deed, EndRecord, Expanded, Noted, Past, Records, Steps
from tcpnotes.explore.search import collect_seldom
from tcpnotes.explore.space import LEFT, Event
from tcpnotes.explore.tables import ODD, Numbered, distinct, np, packed

if TYPE_CHECKING:
    from tcpnotes.explore.tables import Numbers
    from tcpnotes.explore.views import Stimulus
    from tcpnotes.trace.segment import Segment

_NONE: Numbers = [] if np is None else np.zeros(0, dtype=np.int64)


class Task(NamedTuple):
    """What all parts of a search have in common."""

    run: str  # a name that no other search has
    model: Model
    profile: str
    reduce: bool
    parts: int
    properties: tuple[str, ...]


def _property(name: str) -> Property:
    try:
        return PROPERTIES[name]
    except KeyError:
        raise LookupError(
            f"A process of the search does not know the property {name}: "
            "put it into a module that every process imports, or search with one process."
        ) from None


def _digest(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little")


class Part(LevelSearch):
    """The states of one part, with tables of its own."""

    def __init__(self, task: Task, number: int) -> None:
        properties = [_property(name) for name in task.properties]
        super().__init__(task.model, task.profile, reduce=task.reduce, properties=properties)
        self.task, self.number = task, number
        self._known.rows.clear()
        self.order, self.levels = array("Q"), array("Q", [0])
        self.found.clear()
        self._where.clear()
        self._ends = Numbered()  # digests, numbered as in the table of ends
        self._segment_digests: list[int] = []
        self._segment_places: dict[int, int] = {}
        self._contents: Numbers = np.zeros((0, 1), dtype=np.uint64)  # of each inbox
        self._inbox_marks: Numbers = np.zeros(0, dtype=np.uint64)
        self._side_marks: Numbers = np.zeros(0, dtype=np.uint64)
        self.heard: list[list[Records]] = []  # of each depth, from each part
        self._makers: dict[int, int] = {}  # of each end, the first part that came to it: it has the host at hand
        self._own: tuple[int, Records] | None = None  # what this part worked last; asked for again if others lose it
        self._gone_on: tuple[int, tuple[Expanded, list[Numbers]]] | None = None  # at which depth, and what came of it

    # -- what others know ------------------------------------------------------------------------------------

    def _index(self) -> None:
        """Take note of ends, segments, inboxes and sides that are new."""
        ends, space = self.space.ends, self.space
        begin = len(self._ends.keys)
        if begin < len(ends.digests):
            self._ends.extend(np.frombuffer(b"".join([digest[:8] for digest in ends.digests[begin:]]), dtype=np.int64))
        for number in range(len(self._segment_digests), len(ends.segments)):
            digest = _digest(repr(ends.segments[number]))
            self._segment_digests.append(digest)
            self._segment_places[digest] = number
        begin = len(self._contents)
        if begin < len(space.inboxes):
            rows = [self._content(inbox) for inbox in space.inboxes[begin:]]
            width = max(self._contents.shape[1], *map(len, rows))
            grown = np.zeros((len(space.inboxes), width), dtype=np.uint64)
            grown[:begin, : self._contents.shape[1]] = self._contents
            for number, row in enumerate(rows, begin):
                grown[number, : len(row)] = row
            self._contents = grown
            self._inbox_marks = _marks_of_inboxes(grown)
        self._joined.refresh()
        begin = len(self._side_marks)
        if begin < len(self._joined.ends_of):
            joined = self._joined.ends_of[begin:], self._joined.inboxes_of[begin:]
            new = _marks_of_sides(self._ends.keys[joined[0]], self._inbox_marks[joined[1]])
            self._side_marks = np.concatenate([self._side_marks, new])

    def _content(self, inbox: tuple[int, ...]) -> list[int]:
        digests = [self._segment_digests[number] for number in inbox]
        return sorted(digests) if self.model.reorder else digests

    def block(self, keys: Numbers) -> Block:
        """States as others can read them."""
        self._index()
        sides, (first, second) = _packed(len(self._side_marks), *sides_of(keys))
        inboxes, (inbox_places,) = _packed(len(self._contents), self._joined.inboxes_of[sides])
        return Block(
            self._ends.keys[self._joined.ends_of[sides]], inbox_places, self._contents[inboxes], first, second,
            (keys & np.uint64(LEFT)).astype(np.uint16),
        )  # fmt: skip

    def keys(self, block: Block) -> Numbers:
        """States as this part numbers them."""
        self._index()
        known = self._segment_places
        inboxes = np.array(
            [self.space._inbox(tuple([known[mark] for mark in row if mark])) for row in block.contents.tolist()],
            dtype=np.int64,
        )
        sides = self._joined.sides(self._ends.find(block.ends), inboxes[block.inboxes])
        left = block.left.astype(np.int64)
        return self._joined.packed(sides[block.first], sides[block.second], left, False)

    def marks(self, keys: Numbers) -> Numbers:
        """A number for each state that is the same with all parts."""
        self._index()
        first, second = (self._side_marks[sides] for sides in sides_of(keys))
        return self._marks(first, second, keys & np.uint64(LEFT))

    def marks_of(self, block: Block) -> Numbers:
        """The same for states as others have them."""
        sides = _marks_of_sides(block.ends, _marks_of_inboxes(block.contents)[block.inboxes])
        return self._marks(sides[block.first], sides[block.second], block.left.astype(np.uint64))

    def _marks(self, first: Numbers, second: Numbers, left: Numbers) -> Numbers:
        both = first + second if self.space.symmetric else first * np.uint64(3) + second
        marks: Numbers = (both + left) * np.uint64(ODD)
        return marks

    def _owners(self, keys: Numbers) -> Numbers:
        """To which part each state falls."""
        return (self.marks(keys) >> np.uint64(33)) % np.uint64(self.task.parts)

    # -- the engine's work --------------------------------------------------------------------------------------

    def _told_of(self, stimulus: Stimulus) -> tuple[Stimulus, Segment | None]:
        """A stimulus as everybody can read it."""
        if stimulus.what != "segment":
            return stimulus, None
        return stimulus._replace(number=0), self.space.ends.segments[stimulus.number]

    def _heard_of(self, stimulus: Stimulus, segment: Segment | None) -> Stimulus:
        """A stimulus in this part's numbers."""
        return stimulus if segment is None else stimulus._replace(number=self.space.ends.segment(segment))

    def _steps(self, codes: Numbers) -> Steps:
        """Steps (``state << 24 | stimulus``) as everybody can read them."""
        self._index()
        ends = self.space.ends
        what, places = np.unique(codes & 0xFFFFFF, return_inverse=True)
        stimuli = [self._told_of(ends.stimuli[number]) for number in what.tolist()]
        return Steps(stimuli, self._ends.keys[codes >> 24], places.astype(np.uint32))

    def _read(self, steps: Steps) -> Numbers:
        """Steps in this part's numbers."""
        self._index()
        ends = self.space.ends
        stimuli = [ends.stimulus(self._heard_of(*one)) for one in steps.stimuli]
        return self._ends.find(steps.ends) << 24 | np.array(stimuli, dtype=np.int64)[steps.what]

    def _asked(self, keys: Numbers, depth: int) -> Steps:
        """The steps that states at a depth ask for, and that nobody had made before.

        Told again later, as the answer was lost, it has all steps that were made then.
        """
        made = self.heard[depth] if depth < len(self.heard) else []
        if self._own is not None and self._own[0] == depth:
            made = [*made, self._own[1]]
        again = [self._read(records.steps) for records in made]
        asked = [self._joined.asked(some) for some in self.pieces(keys)]
        return self._steps(distinct(np.concatenate([_NONE, *again, *asked])))

    def work(self, depth: int, asked: Iterable[Steps]) -> Records:
        """Make this part's share of the steps that the states at a depth ask for."""
        if depth < len(self.heard):
            return self.heard[depth][self.number]
        if self._own is None or self._own[0] != depth:
            self._own = depth, self._worked(self._mine(asked))
        return self._own[1]

    def _worked(self, codes: Numbers) -> Records:
        ends = self.space.ends
        begin = len(ends.digests)
        made = np.array([ends.made(code) for code in codes.tolist()], dtype=np.int64)
        sent, places = np.unique(made & 0xFFFFFF, return_inverse=True)
        outs = [tuple([ends.segments[number] for number in ends.outs[out]]) for out in sent.tolist()]
        alarms = [(one.name, Deed(ends.digests[end], *self._told_of(stimulus))) for one, end, stimulus in self._alarms]
        self._alarms.clear()
        new = range(begin, len(ends.digests))
        firsts = np.array([ends.parents[number] << 24 | ends.causes[number] for number in new], dtype=np.int64)
        steps = np.searchsorted(codes, firsts).tolist()
        records = {ends.digests[end]: self._end_record(end, step) for end, step in zip(new, steps, strict=True)}
        told = self._steps(codes)
        return Records(told, outs, self._ends.keys[made >> 24], places.astype(np.uint32), records, alarms)

    def _mine(self, asked: Iterable[Steps]) -> Numbers:
        """Of the steps asked for those that fall to this part: of ends that it made, and about as many as to others."""
        codes = distinct(np.concatenate([_NONE, *map(self._read, asked)]))
        ends, counts = np.unique(codes >> 24, return_counts=True)
        order = np.argsort(self._ends.keys[ends])
        shares: list[list[tuple[int, int]]] = [[] for _ in range(self.task.parts)]
        for end, count in zip(ends[order].tolist(), counts[order].tolist(), strict=True):
            shares[self._makers.get(end, 0)].append((end, count))
        loads = [sum(count for _, count in share) for share in shares]
        fair = sum(loads) / len(loads)
        for number, share in enumerate(shares):
            while share and loads[number] - share[-1][1] >= fair:
                least = min(range(len(loads)), key=loads.__getitem__)
                loads[number] -= share[-1][1]
                loads[least] += share[-1][1]
                shares[least].append(share.pop())
        mine = np.zeros(len(self.space.ends.digests), dtype=bool)
        mine[[end for end, _ in shares[self.number]]] = True
        ours: Numbers = codes[mine[codes >> 24]]
        return ours

    def _end_record(self, number: int, step: int) -> EndRecord:
        ends = self.space.ends
        broken = tuple([one.name for one in self._bad_ends.get(number, ())])
        summary = self._summary_list[self._summary_of[number]]
        return EndRecord(
            ends.apps[number], ends.dues[number], ends.spent[number], ends.calls(number), summary, broken, step
        )  # fmt: skip

    def hear(self, level: list[Records]) -> None:
        """Take in what came of the steps that all parts asked for at the next depth."""
        depth = len(self.heard)
        ends = self.space.ends
        own = self._own is not None and self._own[0] == depth
        for number, records in enumerate(level):
            if not (own and number == self.number):
                self._learn(records)
            for digest in records.ends:
                self._makers.setdefault(ends.number(digest), number)
            for name, deed in records.alarms:
                stimulus = self._heard_of(deed.stimulus, deed.segment)
                self._alarms.append((PROPERTIES[name], ends.number(deed.end), stimulus))
        self.heard.append(level)
        if depth + 1 < len(self.levels):
            self.at = self.levels[depth]
            self._sound_all(self.at_depth(depth))
        self._alarms.clear()

    def _learn(self, records: Records) -> None:
        ends = self.space.ends
        codes = self._read(records.steps)
        for digest, record in records.ends.items():
            if not ends.has(digest):
                self._learn_end(digest, record, int(codes[record.step]))
        self._index()
        outs = [ends.out(tuple([ends.segment(one) for one in out])) for out in records.outs]
        made = self._ends.find(records.there) << 24 | np.array(outs, dtype=np.int64)[records.sent]
        ends.learn(zip(codes.tolist(), made.tolist(), strict=True))

    def _learn_end(self, digest: bytes, record: EndRecord, step: int) -> None:
        ends = self.space.ends
        number = ends.learn_state(
            digest, record.app, step >> 24, step & 0xFFFFFF, record.due, record.spent, record.calls
        )
        place = self._summaries.setdefault(record.summary, len(self._summaries))
        if place == len(self._summary_list):
            self._summary_list.append(record.summary)
        self._summary_of.append(place)
        if record.broken:
            self._bad_ends[number] = [PROPERTIES[name] for name in record.broken]

    # -- searching --------------------------------------------------------------------------------------------

    def absorb(self, known: list[Numbers]) -> Block:
        """Take in what falls to this part; what of it is new, at the next depth."""
        keys = distinct(np.concatenate([np.sort(some, kind="stable") for some in known]))
        new = keys[self._known.missing(keys)]
        self._known.add(new)
        begin = len(self.order)
        self.order.frombytes(new.tobytes())
        self.levels.append(len(self.order))
        self._look_at(new, begin)
        return self.block(new)

    def at_depth(self, depth: int) -> Numbers:
        """The states at a depth."""
        return np.array(self.order[self.levels[depth] : self.levels[depth + 1]], dtype=np.uint64)

    def expand(self, depth: int) -> Expanded:
        """Go on from all states at a depth; `gone` has those that may come next."""
        return self._expanded(depth)[0]

    def gone(self, depth: int, owner: int) -> Numbers:
        """The states that may come after those at a depth, and fall to a part."""
        return self._expanded(depth)[1][owner]

    def _expanded(self, depth: int) -> tuple[Expanded, list[Numbers]]:
        if self._gone_on is not None and self._gone_on[0] == depth:
            return self._gone_on[1]
        self.space.cut = transitions = 0
        found = []
        for keys in self.pieces(self.at_depth(depth)):
            there, _ = self._joined.successors(keys)
            transitions += len(there)
            found.append(there)
        new = distinct(np.concatenate(found)) if found else np.zeros(0, dtype=np.uint64)
        done = Expanded(self._asked(new, depth + 1), transitions, self.space.cut)
        owners = self._owners(new)
        came = done, [new[owners == part] for part in range(self.task.parts)]
        self._gone_on = depth, came
        return came

    def noted(self) -> list[Noted]:
        """What is broken in this part's states."""
        notes = []
        for name, found in self.found.items():
            index = self._where[name]
            event = None
            if found.last is not None:
                side = self.space.parts(self.order[index])[found.last.side]
                end = self.space.ends.digests[self.space.side_end[side]]
                event = Deed(end, *self._told_of(found.last.stimulus))
            key = np.array([self.order[index]], dtype=np.uint64)
            notes.append(Noted(name, self._depth(index), int(key[0]) & LEFT, self.block(key), event))
        return notes

    def before(self, depth: int, found: list[Block | None]) -> Block | None:
        """A state at a depth from which the first that was ``found`` may come next, if this part has one."""
        target = self.keys(first_of(found))
        may = self._near(target)
        for keys in self.pieces(self.at_depth(depth)):
            first, second = (may[sides] for sides in sides_of(keys))
            near = keys[((first | second) & 1 | first & second & 2) > 0]
            there, owners = self._joined.successors(near)
            hits = owners[there == target[0]]
            if len(hits):
                return self.block(near[hits.min() :][:1])
        return None

    def _near(self, target: Numbers) -> Numbers:
        """Of each side, where it may be just before ``target``: 1, in any state; 2, with another such.

        All events but timers leave one end as it is, and timers fire when nothing is on its way.
        """
        self._joined.refresh()
        ends, inboxes = self._joined.ends_of, self._joined.inboxes_of
        still = np.isin(ends, ends[np.concatenate(sides_of(target))]) | (self.model.late > 0)
        near: Numbers = still.astype(np.uint8) | (inboxes == 0).astype(np.uint8) << 1
        return near

    def lasting(self) -> list[bytes]:
        """The states of ends in which more than time may go on for ever."""
        from tcpnotes.explore.circles import lasting

        ends = self.space.ends
        return [ends.digests[number] for number in lasting(ends)]

    def denying(self, name: str, lively: list[bytes], depths: int) -> list[Block]:
        """The states, depth by depth, in which a property of both ends is denied, and may be for ever."""
        numbers = {self.space.ends.number(digest) for digest in lively}
        levels = [self.at_depth(depth) for depth in range(depths)]  # a part may have gone on already
        return [self.block(self._denied(keys, PROPERTIES[name], numbers)) for keys in levels]

    def event(self, note: Noted) -> Event | None:
        """The event that another part noted, as it looks with this part's numbers."""
        if note.event is None:
            return None
        end = self.space.ends.number(note.event.end)
        stimulus = self._heard_of(note.event.stimulus, note.event.segment)
        key = int(self.keys(note.state)[0])
        ends = [self.space.side_end[side] for side in self.space.parts(key)[:2]]
        side = next(event.side for event, _, _ in self.space.explained(key)
                    if event.stimulus == stimulus and ends[event.side] == end)  # fmt: skip
        return Event(side, stimulus)


def first_of(found: Iterable[Block | None]) -> Block:
    """The first state that a part has found."""
    return next(one for one in found if one is not None)


def _marks_of_inboxes(contents: Numbers) -> Numbers:
    marks = np.zeros(len(contents), dtype=np.uint64)
    for column in contents.T:
        marks = np.where(column > 0, (marks ^ column) * np.uint64(ODD), marks)  # however wide the rows are
    return marks


def _marks_of_sides(ends: Numbers, inboxes: Numbers) -> Numbers:
    marks = (ends.astype(np.uint64) * np.uint64(ODD) ^ inboxes) * np.uint64(ODD)
    return marks ^ marks >> np.uint64(29)


def _packed(count: int, *rows: Numbers) -> tuple[Numbers, list[Numbers]]:
    """The numbers below ``count`` that occur, and of each row the places of its numbers among them."""
    some = packed(np.concatenate(rows), count)
    if 16 * len(some) < count:
        return some, [np.searchsorted(some, row).astype(np.uint32) for row in rows]
    places = np.zeros(count, dtype=np.uint32)
    places[some] = np.arange(len(some), dtype=np.uint32)
    return some, [places[row] for row in rows]


# -- tasks: what a process is asked to do; it keeps the parts that it has worked on --------------------------------

_parts: dict[tuple[str, int], Part] = {}
_lock = RLock()


def _part(task: Task, number: int, past: Past | None, block: Block | None = None) -> Part:
    """A part as it is once it knows all of ``past``, and its states at the depth after it."""
    for key in [key for key in _parts if key[0] != task.run]:
        del _parts[key]  # of a search before
    part = _parts.get((task.run, number))
    if part is None:
        collect_seldom()
        part = _parts[task.run, number] = Part(task, number)
    for one in past.since(min(len(part.levels) - 1, len(part.heard))) if past is not None else ():
        if one.depth + 1 >= len(part.levels):
            part.absorb([part.keys(one.block)])
        if one.depth >= len(part.heard):
            part.hear(one.heard)
    if block is not None and _after(past) + 1 >= len(part.levels):
        part.absorb([part.keys(block)])
    return part


def _after(past: Past | None) -> int:
    """The depth that comes next."""
    return 0 if past is None else past.depth + 1


def work(task: Task, number: int, past: Past | None, done: list[Expanded]) -> Records:
    """This part's share of the steps that all parts asked for when they went on."""
    with _lock:
        return _part(task, number, past).work(_after(past), [one.asked for one in done])


def expand(task: Task, number: int, past: Past | None, block: Block, heard: list[Records]) -> Expanded:
    """What may come next after ``block``, now that it was heard what the steps lead to."""
    with _lock:
        return _part(task, number, Past(past, block, heard)).expand(_after(past))


def piece(task: Task, number: int, past: Past, owner: int, done: Expanded) -> Block:
    """Those of the states it came to (``done``) that fall to another part."""
    with _lock:
        part = _part(task, number, past)
        return part.block(part.gone(past.depth, owner))


def absorb(task: Task, number: int, past: Past, coming: list[Block], before: Iterable[object] = ()) -> Block:
    """What this part did not have of ``coming``, and of what it came to itself; ``before`` that, other tasks."""
    with _lock:
        part = _part(task, number, past)
        if len(part.levels) - 1 > past.depth + 1:  # done before, and its answer was lost on the way
            return part.block(part.at_depth(past.depth + 1))
        own = part.gone(past.depth, number)
        return part.absorb([own, *(part.keys(block) for block in coming)])


def asked(task: Task, number: int, past: Past | None, block: Block, what: str, *args: Any) -> Any:
    """A question to a part: ``noted``, ``before``, ``lasting`` or ``denying``."""
    with _lock:
        return getattr(_part(task, number, past, block), what)(*args)
