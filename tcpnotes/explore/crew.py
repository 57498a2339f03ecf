"""A search on several processes: Dask moves blocks of states between parts, level by level.

A state falls to the part that its key says (`part.Part`).  At each depth every part goes
on from its states (`part.expand`) and takes in what falls to it (`part.absorb`).  Both are
tasks that any process can do again from the blocks of earlier depths, so when a process
dies Dask has what it knew made anew by another, and nothing comes out differently.  The
client keeps no states; it asks the parts for the way to what they found, one state a depth.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from tcpnotes.explore.levels import np
from tcpnotes.explore.model import Model
from tcpnotes.explore.part import Block, Noted, Part, Records, Task, absorb, asked, expand, merged
from tcpnotes.explore.properties import PROPERTIES
from tcpnotes.explore.search import Found, Progress
from tcpnotes.workers import HERE, deaf

if TYPE_CHECKING:
    from distributed import Client, Future


class CrewError(RuntimeError):
    """Processes that cannot be had."""


@contextmanager
def processes(jobs: int, address: str | None = None) -> Iterator[Client]:
    """Processes to search with: ``jobs`` on this machine, or those of the Dask cluster at ``address``.

    CrewError when the cluster cannot be reached.  ImportError without the extra ``scale``.
    """
    if np is None:
        raise ImportError("numpy")
    import dask
    from distributed import Client, LocalCluster

    # A part stays with the process that has it.
    with dask.config.set({"distributed.scheduler.work-stealing": False, "distributed.comm.timeouts.connect": "10s"}):
        if address is not None:
            try:
                client = Client(address)
            except (OSError, ValueError) as error:
                raise CrewError(f"there is no Dask cluster at {address} ({str(error).splitlines()[0]})") from None
            with client:
                yield client
            return
        with deaf():
            cluster = LocalCluster(n_workers=jobs, memory_limit=0, **HERE)
        with cluster, Client(cluster) as client:
            yield client


class CrewSearch(Part):
    """A search whose states are in ``parts`` parts, with the same counts and verdicts as any other."""

    def __init__(
        self, client: Client, model: Model, profile: str = "source", *, reduce: bool = True, parts: int | None = None
    ) -> None:
        if parts is None:
            parts = max(len(client.scheduler_info(n_workers=-1)["workers"]), 1)
        super().__init__(Task(uuid4().hex, model, profile, reduce, parts), -1)
        self.client = client
        self.sizes = [1]  # of each depth, how many states there are
        self.worked = [0] * parts  # states that each part went on from
        self.moved = 0  # bytes of blocks that went from part to part
        first = self.block(np.array([self.space.first], dtype=np.uint64))
        home = int(self._owners(first)[0])
        empty = self.block(np.zeros(0, dtype=np.uint64))
        self._blocks: list[list[Future[Any] | Block]] = [[first if part == home else empty] for part in range(parts)]
        self._heard: list[Future[Any]] = []  # the records of each depth
        self._notes: list[Noted] = []
        self._cut = 0

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
        while not self.done:
            if limit is not None and sum(self.sizes) >= limit:
                return False
            self._level()
            if tell is not None:
                tell(self.progress())
            if end is not None and monotonic() > end:
                return False
            if names and any(
                one.name in names or ("*" in names and not PROPERTIES[one.name].hole) for one in self._ask("noted")
            ):
                return False
        return True

    def _home(self, part: int) -> dict[str, Any]:
        """Where a part is to be worked on: the processes that there are now take turns."""
        workers = sorted(self.client.scheduler_info(n_workers=-1)["workers"])
        return {"workers": [workers[part % len(workers)]], "allow_other_workers": True} if workers else {}

    def _submit(self, part: int, function: Callable[..., Any], *args: Any) -> Future[Any]:
        home = self._home(part) if part >= 0 else {}
        return self.client.submit(function, *args, pure=False, **home)

    def _level(self) -> None:
        """Go on from all states of the last depth."""
        parts = range(self.task.parts)
        gone = [
            self._submit(part, expand, self.task, part, self._blocks[part], self._heard) for part in parts
        ]  # fmt: skip
        pieces = [[self._submit(part, _piece, gone[part], other) for other in parts] for part in parts]
        records = self._submit(-1, merged, [self._submit(part, _records_of, gone[part]) for part in parts])
        counts = [self._submit(part, _counts, gone[part]) for part in parts]
        heard = [*self._heard, records]
        new = [
            self._submit(part, absorb, self.task, part, self._blocks[part], heard, [row[part] for row in pieces])
            for part in parts
        ]
        sizes = [self._submit(part, _size, block) for part, block in enumerate(new)]
        for part, (transitions, cut, sent) in enumerate(self.client.gather(counts)):
            self.transitions += transitions
            self._cut += cut
            self.moved += sum(size for other, size in enumerate(sent) if other != part)
        found = self.client.gather(sizes)
        for part, size in enumerate(found):
            self.worked[part] += size
        self.sizes.append(sum(found))
        self._heard.append(records)
        for part, block in enumerate(new):
            self._blocks[part].append(block)

    # -- afterwards -------------------------------------------------------------------------------------------

    def _ask(self, what: str, *args: Any) -> list[Any]:
        """Every part's answer to a question."""
        answers = [
            self._submit(part, asked, self.task, part, self._blocks[part], self._heard, what, *args)
            for part in range(self.task.parts)
        ]
        answered = self.client.gather(answers)
        return [one for answer in answered for one in answer] if what == "noted" else answered

    def results(self) -> list[Found]:
        self.hear(self.client.gather(self._heard))
        self.space.cut = self._cut
        best: dict[str, Noted] = {}
        for note in self._ask("noted"):
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
        way = [int(self.keys(state)[0])]
        for there in reversed(range(depth)):
            state = next(one for one in self._ask("before", there, state) if one is not None)
            way.append(int(self.keys(state)[0]))
        return way[::-1]

    def _circles(self, known: set[str]) -> list[Found]:
        """What may go on for ever: the states in which a property is denied come to the client."""
        from tcpnotes.explore.circles import _circle

        found = []
        for one in self.properties:
            if one.about != "ever" or one.name in known:
                continue
            levels = [
                np.concatenate([self.keys(block) for block in blocks])
                for blocks in zip(*self._ask("denying", one.name), strict=True)
            ]
            self.order = array("Q", np.concatenate(levels).tobytes())
            self.levels = array("Q", [0, *np.cumsum([len(level) for level in levels]).tolist()])
            index, circle = _circle(self, one)
            if circle:
                depth = next(depth for depth, end in enumerate(self.levels[1:]) if index < end)
                start = self.block(np.array([self.order[index]], dtype=np.uint64))
                found.append(Found(one, self._path(depth, start), None, circle))
        return found


def _steps(note: Noted) -> int:
    return note.depth + (note.event is not None)


def _piece(done: Any, part: int) -> Block:
    block: Block = done.blocks[part]
    return block


def _records_of(done: Any) -> Records:
    records: Records = done.records
    return records


def _counts(done: Any) -> tuple[int, int, list[int]]:
    return done.transitions, done.cut, [block.size if block.states else 0 for block in done.blocks]


def _size(block: Block) -> int:
    return block.states
