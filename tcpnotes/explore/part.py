"""One part of a search that several processes share: the states whose keys fall to it.

Every part has tables of its own, so its numbers mean nothing to others.  What passes
between parts is a `Block`: sides by digests of their end and inbox (64 bits each: among a
million of them two are taken for one with a probability of 10⁻⁷), states as pairs of
places among these sides.  New states of an end travel beside them as records: how each came about, so
whoever needs a host in that state makes it anew.  All functions for tasks are pure as seen
from outside: a part that a process does not have, or has lost, is built again from its
blocks and the records of all levels so far.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from hashlib import blake2b
from threading import RLock
from typing import TYPE_CHECKING, Any, NamedTuple

from tcpnotes.explore.levels import LevelSearch, np
from tcpnotes.explore.model import Model
from tcpnotes.explore.properties import PROPERTIES
from tcpnotes.explore.space import LEFT_BITS, SIDE_BITS, Event
from tcpnotes.explore.views import App, Stimulus, Summary
from tcpnotes.trace.segment import Segment

if TYPE_CHECKING:
    from tcpnotes.explore.levels import Numbers

_SIDES = (1 << SIDE_BITS) - 1
_LEFT = (1 << LEFT_BITS) - 1


class Task(NamedTuple):
    """What all parts of a search have in common."""

    run: str  # a name that no other search has
    model: Model
    profile: str
    reduce: bool
    parts: int


class Block(NamedTuple):
    """States that mean the same to everybody: 10 bytes each, and 16 for each side that they consist of."""

    ends: Numbers
    inboxes: Numbers
    first: Numbers  # of each state, the place of its first side, and of its second
    second: Numbers
    left: Numbers

    @property
    def states(self) -> int:
        """So many states."""
        return len(self.left)

    @property
    def size(self) -> int:
        """So many bytes."""
        return sum(column.nbytes for column in self)


class Records(NamedTuple):
    """What was met for the first time: states of an end, and inboxes."""

    ends: list[tuple[Any, ...]]  # digest, app, due, spent, summary, names of what is broken, parent, what led there
    inboxes: list[tuple[Segment, ...]]


class Expanded(NamedTuple):
    """What came of going on from all states of a part at one depth."""

    blocks: list[Block]  # one for each part
    records: Records
    transitions: int
    cut: int


class Noted(NamedTuple):
    """A property that is broken: how deep, in which state, and by which event in it."""

    name: str
    depth: int
    left: int
    state: Block
    event: tuple[bytes, Stimulus, Segment | None] | None  # what reaches which state of an end


def digest_of(inbox: Iterable[Segment]) -> int:
    """A number for an inbox, whatever the numbers of its segments."""
    mark = blake2b("\n".join(map(repr, inbox)).encode(), digest_size=8)
    return int.from_bytes(mark.digest(), "little")


class Part(LevelSearch):
    """The states of one part, with tables of its own."""

    def __init__(self, task: Task, number: int) -> None:
        super().__init__(task.model, task.profile, reduce=task.reduce)
        self.task, self.number = task, number
        self._known.rows.clear()
        self.order, self.levels = array("Q"), array("Q", [0])
        self.found.clear()
        self._where.clear()
        self._end_digests: Numbers = np.zeros(0, dtype=np.uint64)
        self._inbox_digests: Numbers = np.zeros(0, dtype=np.uint64)
        self._end_places: dict[int, int] = {}
        self._inbox_places: dict[int, int] = {}
        self.heard: list[Records] = []  # of each depth
        self._own: dict[int, Records] = {}  # what this part met first, at a depth; asked for again if others lose it
        self.told: dict[int, Expanded] = {}
        self._marks = (len(self.space.ends.digests), len(self.space.inboxes))  # everybody begins with these

    # -- what others know ------------------------------------------------------------------------------------

    def _index(self) -> None:
        ends, space = self.space.ends, self.space
        begin = len(self._end_digests)
        if begin < len(ends.digests):
            new = np.frombuffer(b"".join([digest[:8] for digest in ends.digests[begin:]]), dtype=np.uint64)
            self._end_places.update(zip(new.tolist(), range(begin, len(ends.digests)), strict=True))
            self._end_digests = np.concatenate([self._end_digests, new])
        begin = len(self._inbox_digests)
        if begin < len(space.inboxes):
            marks = [digest_of(self._content(inbox)) for inbox in space.inboxes[begin:]]
            self._inbox_places.update(zip(marks, range(begin, len(space.inboxes)), strict=True))
            self._inbox_digests = np.concatenate([self._inbox_digests, np.array(marks, dtype=np.uint64)])

    def _content(self, inbox: tuple[int, ...]) -> list[Segment]:
        segments = [self.space.ends.segments[number] for number in inbox]
        return sorted(segments, key=repr) if self.model.reorder else segments

    def block(self, keys: Numbers) -> Block:
        """States as others can read them."""
        self._index()
        self._joined.refresh()
        sides = [(keys >> SIDE_BITS + LEFT_BITS).astype(np.int64), (keys >> LEFT_BITS).astype(np.int64) & _SIDES]
        some, back = np.unique(np.concatenate(sides), return_inverse=True)
        back = back.astype(np.uint32)
        return Block(
            self._end_digests[self._joined.ends_of[some]], self._inbox_digests[self._joined.inboxes_of[some]],
            back[: len(keys)], back[len(keys) :], (keys & np.uint64(_LEFT)).astype(np.uint16),
        )  # fmt: skip

    def keys(self, block: Block) -> Numbers:
        """States as this part numbers them."""
        self._index()
        self._joined.refresh()
        ends = np.array([self._end_places[mark] for mark in block.ends.tolist()], dtype=np.int64)
        inboxes = np.array([self._inbox_places[mark] for mark in block.inboxes.tolist()], dtype=np.int64)
        sides = self._joined.sides(ends, inboxes)
        left = block.left.astype(np.int64)
        return self._joined.packed(sides[block.first], sides[block.second], left, False)

    def _owners(self, block: Block) -> Numbers:
        """To which part each state falls."""
        odd = np.uint64(0x9E3779B97F4A7C15)
        side = (block.ends * odd ^ block.inboxes) * odd
        side ^= side >> np.uint64(29)
        first, second = side[block.first], side[block.second]
        mark = first + second if self.space.symmetric else first * np.uint64(3) + second
        mark = (mark + block.left.astype(np.uint64)) * odd
        return (mark >> np.uint64(33)) % np.uint64(self.task.parts)

    # -- records ----------------------------------------------------------------------------------------------

    def hear(self, levels: list[Records]) -> None:
        """Take in what others met, level by level."""
        for records in levels[len(self.heard) :]:
            for record in records.ends:
                self._learn(*record)
            for inbox in records.inboxes:
                self.space._inbox(tuple([self.space.ends.segment(seg) for seg in inbox]))
            self.heard.append(records)
        self._marks = (len(self.space.ends.digests), len(self.space.inboxes))

    def _learn(
        self, digest: bytes, app: App, due: int, spent: int, summary: Summary, broken: list[str], parent: bytes,
        stimulus: Stimulus, segment: Segment | None,
    ) -> None:  # fmt: skip
        ends = self.space.ends
        if digest in ends._numbers:
            return
        if segment is not None:
            stimulus = stimulus._replace(number=ends.segment(segment))
        number = ends._numbers[digest] = len(ends.digests)
        ends.digests.append(digest)
        ends.apps.append(app)
        ends.parents.append(ends._numbers[parent])
        ends.causes.append(ends.stimulus(stimulus))
        ends.dues.append(due)
        ends.spent.append(spent)
        place = self._summaries.setdefault(summary, len(self._summaries))
        if place == len(self._summary_list):
            self._summary_list.append(summary)
        self._summary_of.append(place)
        if broken:
            self._bad_ends[number] = [PROPERTIES[name] for name in broken]

    def _records(self) -> Records:
        ends, space = self.space.ends, self.space
        made = []
        for number in range(self._marks[0], len(ends.digests)):
            stimulus = ends.stimuli[ends.causes[number]]
            segment = ends.segments[stimulus.number] if stimulus.what == "segment" else None
            broken = [one.name for one in self._bad_ends.get(number, ())]
            made.append((
                ends.digests[number], ends.apps[number], ends.dues[number], ends.spent[number],
                self._summary_list[self._summary_of[number]], broken, ends.digests[ends.parents[number]], stimulus,
                segment,
            ))  # fmt: skip
        return Records(made, [tuple(self._content(inbox)) for inbox in space.inboxes[self._marks[1] :]])

    # -- searching --------------------------------------------------------------------------------------------

    def absorb(self, blocks: list[Block]) -> Block:
        """Take in what falls to this part; what of it is new, at the next depth."""
        known = [self.keys(block) for block in blocks if block.states]
        new = np.unique(np.concatenate(known)) if known else np.zeros(0, dtype=np.uint64)
        new = new[self._known.missing(new)]
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
        """Go on from all states at a depth."""
        if depth in self.told:
            return self.told[depth]
        self.at = self.levels[depth]
        self.space.cut = transitions = 0
        found = []
        for keys in self.pieces(self.at_depth(depth)):
            there, _ = self._joined.successors(keys)
            transitions += len(there)
            if self._alarms:
                self._sound_all(keys)
            found.append(np.unique(there))
            self.at += len(keys)
        new = np.unique(np.concatenate(found)) if found else np.zeros(0, dtype=np.uint64)
        owners = self._owners(self.block(new))
        blocks = [self.block(new[owners == part]) for part in range(self.task.parts)]
        if depth not in self._own:
            self._own[depth] = self.heard[depth] if depth < len(self.heard) else self._records()
        done = Expanded(blocks, self._own[depth], transitions, self.space.cut)
        self.told = {depth: done}
        return done

    def noted(self) -> list[Noted]:
        """What is broken in this part's states."""
        notes = []
        for name, found in self.found.items():
            index = self._where[name]
            event = None
            if found.last is not None:
                stimulus = found.last.stimulus
                segment = self.space.ends.segments[stimulus.number] if stimulus.what == "segment" else None
                side = self.space.parts(self.order[index])[found.last.side]
                event = (self.space.ends.digests[self.space.side_end[side]], stimulus, segment)
            key = np.array([self.order[index]], dtype=np.uint64)
            notes.append(Noted(name, self._depth(index), int(key[0]) & _LEFT, self.block(key), event))
        return notes

    def before(self, depth: int, state: Block) -> Block | None:
        """A state at a depth from which ``state`` may come next, if this part has one."""
        target = self.keys(state)[0]
        for keys in self.pieces(self.at_depth(depth)):
            there, owners = self._joined.successors(keys)
            hits = owners[there == target]
            if len(hits):
                return self.block(keys[hits.min() :][:1])
        return None

    def denying(self, name: str) -> list[Block]:
        """The states in which a property of both ends is denied, depth by depth."""
        levels = [self.at_depth(depth) for depth in range(len(self.levels) - 1)]
        return [self.block(keys[self._denied(keys, PROPERTIES[name])]) for keys in levels]

    def event(self, note: Noted) -> Event | None:
        """The event that another part noted, as it looks with this part's numbers."""
        if note.event is None:
            return None
        digest, stimulus, segment = note.event
        if segment is not None:
            stimulus = stimulus._replace(number=self.space.ends.segment(segment))
        key = int(self.keys(note.state)[0])
        ends = [self.space.ends.digests[self.space.side_end[side]] for side in self.space.parts(key)[:2]]
        side = next(event.side for event, _, _ in self.space.explained(key)
                    if event.stimulus == stimulus and ends[event.side] == digest)  # fmt: skip
        return Event(side, stimulus)


# -- tasks: what a process is asked to do; it keeps the parts that it has worked on --------------------------------

_parts: dict[tuple[str, int], Part] = {}
_lock = RLock()


def _part(task: Task, number: int, blocks: list[Block], levels: list[Records]) -> Part:
    """A part as it is once it has absorbed ``blocks`` (one for each depth) and heard ``levels``."""
    for key in [key for key in _parts if key[0] != task.run]:
        del _parts[key]  # of a search before
    part = _parts.get((task.run, number))
    if part is None:
        part = _parts[task.run, number] = Part(task, number)
    for depth, block in enumerate(blocks):
        if depth + 1 >= len(part.levels):
            part.hear(levels[:depth])
            part.absorb([block])
    part.hear(levels)
    return part


def expand(task: Task, number: int, blocks: list[Block], levels: list[Records]) -> Expanded:
    """What may come next after the last of ``blocks``."""
    with _lock:
        return _part(task, number, blocks, levels).expand(len(blocks) - 1)


def absorb(task: Task, number: int, blocks: list[Block], levels: list[Records], new: list[Block]) -> Block:
    """What of ``new`` this part did not have."""
    with _lock:
        part = _part(task, number, blocks, levels)
        if len(part.levels) - 1 > len(blocks):  # done before, and its answer was lost on the way
            return part.block(part.at_depth(len(blocks)))
        return part.absorb(new)


def merged(records: list[Records]) -> Records:
    """The records of all parts of a level."""
    return Records([end for one in records for end in one.ends], [inbox for one in records for inbox in one.inboxes])


def asked(task: Task, number: int, blocks: list[Block], levels: list[Records], what: str, *args: Any) -> Any:
    """A question to a part: ``noted``, ``before`` or ``denying``."""
    with _lock:
        return getattr(_part(task, number, blocks, levels), what)(*args)
