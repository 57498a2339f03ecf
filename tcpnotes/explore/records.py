"""What the parts of a search tell each other: in no part's own numbers, so that everybody can read it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from tcpnotes.explore.views import App, Stimulus, Summary
from tcpnotes.trace.segment import Segment

if TYPE_CHECKING:
    from tcpnotes.explore.tables import Numbers


class Block(NamedTuple):
    """States that mean the same to everybody: 10 bytes each, and 12 for each side that they consist of."""

    ends: Numbers  # of each side: the digest of its end, and which of `contents` is on its way to it
    inboxes: Numbers
    contents: Numbers  # rows of digests of segments, 0 where there are fewer
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


class EndRecord(NamedTuple):
    """What a state of an end is like; a host in that state is made when one is needed."""

    app: App
    due: int
    spent: int
    calls: tuple[Stimulus, ...]
    summary: Summary
    broken: tuple[str, ...]  # names of properties
    step: int  # the place of the step that first led to it


class Deed(NamedTuple):
    """What reaches a state of an end (by its digest), as everybody can read it."""

    end: bytes
    stimulus: Stimulus
    segment: Segment | None


class Steps(NamedTuple):
    """Steps of ends, as everybody can read them."""

    stimuli: list[tuple[Stimulus, Segment | None]]  # what may reach an end, with the segment that arrives
    ends: Numbers  # of each step the digest of the state (64 bits, as in a `Block`),
    what: Numbers  # and the place of what reaches it


class Records(NamedTuple):
    """What came of steps that were made for the first time."""

    steps: Steps
    outs: list[tuple[Segment, ...]]  # rows of segments that leave at once
    there: Numbers  # of each step the digest of the state that it leads to,
    sent: Numbers  # and the place of what is sent
    ends: dict[bytes, EndRecord]  # the states that are new
    alarms: list[tuple[str, Deed]]  # properties that a step breaks


class Past:
    """What a part has come to know up to a depth: its states there, what was heard there of steps, and all before.

    Within a process a later one shares the earlier ones, so each depth costs no more than what is new.
    """

    __slots__ = ("before", "block", "depth", "heard")

    def __init__(self, before: Past | None, block: Block, heard: list[Records]) -> None:
        self.before = before
        self.block = block
        self.heard = heard
        self.depth: int = 0 if before is None else before.depth + 1

    def since(self, depth: int) -> list[Past]:
        """It and those before it, back to a depth; the earliest first."""
        found: list[Past] = []
        past: Past | None = self
        while past is not None and past.depth >= depth:
            found.append(past)
            past = past.before
        return found[::-1]

    def __reduce__(self) -> tuple[Any, ...]:
        return _chained, ([(past.block, past.heard) for past in self.since(0)],)


def _chained(depths: list[tuple[Block, list[Records]]]) -> Past | None:
    past = None
    for block, heard in depths:
        past = Past(past, block, heard)
    return past


class Expanded(NamedTuple):
    """What came of going on from all states of a part at one depth."""

    asked: Steps  # the steps needed to go on from all that, which nobody has made
    transitions: int
    cut: int


class Noted(NamedTuple):
    """A property that is broken: how deep, in which state, and by which event in it."""

    name: str
    depth: int
    left: int
    state: Block
    event: Deed | None
