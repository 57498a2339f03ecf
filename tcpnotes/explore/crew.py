"""A search on several processes: Dask moves blocks of states between parts, level by level.

A state falls to the part that its key says (`part.Part`).  At each depth every part goes on
from its states (`part.expand`), which tells which steps of ends are needed next; hands out
what falls to others (`part.piece`); does its share of those steps (`part.work`); and takes in
what falls to it (`part.absorb`).  All are tasks that any process can do again from the
blocks and records of earlier depths, so when a process dies Dask has what it knew made anew
by another, and nothing comes out differently.  The client keeps no states; it asks the parts
for the way to what they found, and goes it with the engine.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from time import monotonic
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import uuid4

from tcpnotes.explore.model import Model
from tcpnotes.explore.part import Part, Task, absorb, asked, expand, first_of, piece, work
from tcpnotes.explore.properties import PROPERTIES
from tcpnotes.explore.records import Block, Expanded, Noted, Past
from tcpnotes.explore.search import Found, Progress
from tcpnotes.explore.tables import np
from tcpnotes.workers import local

if TYPE_CHECKING:
    from distributed import Client, Future


_SETTINGS = {
    "distributed.scheduler.work-stealing": False,  # a part stays with the process that has it
    "distributed.comm.timeouts.connect": "10s",
    "distributed.worker.profile.enabled": False,  # nobody looks at it
    "distributed.admin.tick.interval": "1s",
    "distributed.admin.system-monitor.interval": "10s",
}


class CrewError(RuntimeError):
    """Processes that cannot be had."""


@contextmanager
def processes(jobs: int, address: str | None = None) -> Iterator[Client]:
    """Processes to search with: ``jobs`` on this machine, or those of the Dask cluster at ``address``.

    CrewError when the cluster cannot be reached.  ImportError without the extra ``scale``.
    """
    if np is None:
        raise ImportError("numpy")
    if address is None:
        with local(jobs, ["tcpnotes.explore.part"], _SETTINGS, memory_limit=0) as client:
            yield client
        return
    import dask
    from distributed import Client

    with dask.config.set(_SETTINGS):
        try:
            client = Client(address)
        except (OSError, ValueError) as error:
            raise CrewError(f"there is no Dask cluster at {address} ({str(error).splitlines()[0]})") from None
        with client:
            yield client


class _Level(NamedTuple):
    """Of a depth, for each part:"""

    blocks: Sequence[Future[Any] | Block]  # the states there,
    pasts: Sequence[Future[Any] | None]  # what the part knew when it came there,
    records: Sequence[Future[Any]]  # what came of its share of the steps needed to go on,
    counts: Sequence[Future[Any]]  # and how many there are of what


class CrewSearch(Part):
    """A search whose states are in ``parts`` parts, with the same counts and verdicts as any other."""

    def __init__(
        self, client: Client, model: Model, profile: str = "source", *, reduce: bool = True, parts: int | None = None
    ) -> None:
        if parts is None:
            parts = max(len(client.scheduler_info(n_workers=-1)["workers"]), 1)
        super().__init__(Task(uuid4().hex, model, profile, reduce, parts, tuple(PROPERTIES)), -1)
        self.client = client
        self.sizes = [1]  # of each depth, how many states there are
        self.worked = [0] * parts  # states that each part has, but for the first one
        self.moved = 0  # bytes of blocks that went from part to part
        start = np.array([self.space.first], dtype=np.uint64)
        first, home = self.block(start), int(self._owners(start)[0])
        empty = self.block(np.zeros(0, dtype=np.uint64))
        blocks = [first if part == home else empty for part in range(parts)]
        self._cut = 0
        self._workers: list[str] = []
        self._look_around()
        first_steps = Expanded(self._steps(self._joined.asked(start)), 0, 0)
        worked = [self._submit(part, work, self.task, part, None, [first_steps]) for part in range(parts)]
        self._levels = [_Level(blocks, [None] * parts, worked, [])]

    # -- searching --------------------------------------------------------------------------------------------

    @property
    def done(self) -> bool:
        return self.sizes[-1] == 0

    @property
    def depth(self) -> int:
        return len(self.sizes) - 1 - self.done

    def progress(self) -> Progress:
        return Progress(sum(self.sizes), self.sizes[-1], self.depth, self.transitions)

    def run(
        self, limit: int | None = None, timeout: float | None = None, tell: Callable[[Progress], None] | None = None,
        stop_at: Iterable[str] | None = None,
    ) -> bool:  # fmt: skip
        end = None if timeout is None else monotonic() + timeout
        names = set(stop_at or ())
        to_its_end = limit is None and end is None and not names
        begun: list[_Level] = []
        while not self.done:
            if limit is not None and sum(self.sizes) >= limit:
                return False
            begun = begun or [self._go_on(self._levels[-1])]
            if to_its_end:  # the processes need not wait until this one has counted
                begun.append(self._go_on(begun[0]))
            self._count(begun.pop(0))
            if tell is not None:
                tell(self.progress())
            if end is not None and monotonic() > end:
                return False
            if names and any(
                one.name in names or ("*" in names and not PROPERTIES[one.name].hole) for one in self._noted()
            ):
                return False
        return True

    def _look_around(self) -> None:
        """Which processes there are now."""
        self._workers = sorted(self.client.scheduler_info(n_workers=-1)["workers"])

    def _submit(self, part: int, function: Callable[..., Any], *args: Any, soon: bool = False) -> Future[Any]:
        """A task for a part: the processes take turns.  ``soon``: before what is long, because others wait for it."""
        home = {}
        if part >= 0 and self._workers:
            home = {"workers": [self._workers[part % len(self._workers)]], "allow_other_workers": True}
        return self.client.submit(function, *args, pure=False, priority=int(soon), **home)

    def _go_on(self, last: _Level) -> _Level:
        """Have all parts go on from all states of a depth."""
        parts = range(self.task.parts)
        task, pasts, blocks, heard = self.task, last.pasts, last.blocks, last.records
        self._look_around()
        past = [self._submit(part, Past, pasts[part], blocks[part], heard) for part in parts]
        gone = [self._submit(part, expand, task, part, pasts[part], blocks[part], heard) for part in parts]
        coming = [
            [self._submit(other, piece, task, other, past[other], part, gone[other], soon=True)
             for other in parts if other != part]
            for part in parts
        ]  # fmt: skip
        worked = [self._submit(part, work, task, part, past[part], gone, soon=True) for part in parts]
        # The states come while the engine works; what came of that comes while they are taken in.
        there = [self._submit(part, _there, coming[part]) for part in parts]
        learnt = [self._submit(part, _there, worked) for part in parts]
        new = [
            self._submit(part, absorb, task, part, past[part], coming[part], (there[part], worked[part]))
            for part in parts
        ]
        counts = [
            self._submit(part, _counts, gone[part], coming[part], new[part], learnt[part], soon=True) for part in parts
        ]
        return _Level(new, past, worked, counts)

    def _count(self, level: _Level) -> None:
        """Wait for a depth, and count what is there."""
        counts = self.client.gather(level.counts)
        self.sizes.append(0)
        for part, (states, transitions, cut, moved) in enumerate(counts):
            self.worked[part] += states
            self.sizes[-1] += states
            self.transitions += transitions
            self._cut += cut
            self.moved += moved
        self._levels.append(level)

    # -- afterwards -------------------------------------------------------------------------------------------

    def _asking(self, part: int, what: str, *args: Any) -> Future[Any]:
        """A part's answer to a question."""
        last = self._levels[-1]
        return self._submit(part, asked, self.task, part, last.pasts[part], last.blocks[part], what, *args)

    def _ask(self, what: str, *args: Any) -> list[Any]:
        """Every part's answer to a question."""
        self._look_around()
        answers: list[Any] = self.client.gather([self._asking(part, what, *args) for part in range(self.task.parts)])
        return answers

    def _noted(self) -> Iterator[Noted]:
        """What is broken in the states of any part."""
        return chain.from_iterable(self._ask("noted"))

    def results(self) -> list[Found]:
        self.space.cut = self._cut
        best: dict[str, Noted] = {}
        for note in self._noted():
            old = best.get(note.name)
            if old is None or (_steps(note), -note.left) < (_steps(old), -old.left):
                best[note.name] = note
        found = [
            Found(PROPERTIES[name], self._path(note.depth, note.state), self.event(note)) for name, note in best.items()
        ]
        if self.done:
            found += self._circles(set(best))
        self.space.cut = self._cut
        return sorted(found, key=lambda one: (len(one.path) + (one.last is not None), one.property.name))

    def _path(self, depth: int, state: Block) -> list[int]:
        """The states on a shortest way to a state."""
        parts = range(self.task.parts)
        way: list[list[Any]] = [[state]]
        for there in reversed(range(depth)):
            way.append([self._asking(part, "before", there, way[-1]) for part in parts])
        found = [state, *map(first_of, self.client.gather(way[1:]))]
        keys = [self.space.first]
        for state in found[-2::-1]:  # the engine tells which of those that may come next it is
            after, _ = self._joined.successors(np.array(keys[-1:], dtype=np.uint64))
            keys.append(int(after[self.marks(after) == self.marks_of(state)][0]))
        self._alarms.clear()
        return keys

    def _circles(self, known: set[str]) -> list[Found]:
        """What may go on for ever: the states in which a property is denied come to the client."""
        from tcpnotes.explore.circles import _circle

        found: list[Found] = []
        (digests,) = self.client.gather([self._asking(0, "lasting")])
        if not digests:
            return found
        for records in self.client.gather([level.records for level in self._levels[len(self.heard) :]]):
            self.hear(records)
        lively = {self.space.ends.number(digest) for digest in digests}
        for one in self.properties:
            if one.about != "ever" or one.name in known:
                continue
            levels = [
                np.concatenate([self.keys(block) for block in blocks])
                for blocks in zip(*self._ask("denying", one.name, digests, len(self._levels)), strict=True)
            ]
            self.order = array("Q", np.concatenate(levels).tobytes())
            self.levels = array("Q", [0, *np.cumsum([len(level) for level in levels]).tolist()])
            index, circle = _circle(self, one, lively)
            if circle:
                depth = next(depth for depth, end in enumerate(self.levels[1:]) if index < end)
                start = self.block(np.array([self.order[index]], dtype=np.uint64))
                found.append(Found(one, self._path(depth, start), None, circle))
        return found


def _steps(note: Noted) -> int:
    return note.depth + (note.event is not None)


def _there(coming: list[Any]) -> None:
    """It has come."""


def _counts(done: Expanded, coming: list[Block], new: Block, learnt: None) -> tuple[int, int, int, int]:
    moved = sum(block.size for block in coming if block.states)
    return new.states, done.transitions, done.cut, moved
