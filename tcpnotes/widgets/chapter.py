"""What a chapter's cells call: a run that is told from where it gets interesting, as text, ladder or stepper.

A cell is one line: ``play("linger_wait").trace``, ``step("linger_wait", items="1")``.
All views of a `Telling` come from one run; how the connection came about is not told.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from tcpnotes.kernel.profile import Profile
from tcpnotes.scenarios import run
from tcpnotes.scenarios.loader import Scenario, parse
from tcpnotes.scenarios.proof import annotate
from tcpnotes.source import item, language
from tcpnotes.trace.frames import Frame
from tcpnotes.trace.records import Enter, Record
from tcpnotes.view.buckets import wheels
from tcpnotes.view.ladder import draw
from tcpnotes.view.lives import lives
from tcpnotes.view.picture import Picture
from tcpnotes.view.story import RecorderLike, Story
from tcpnotes.view.text import TextTrace
from tcpnotes.widgets.stepper import Stepper
from tcpnotes.world import World


class Telling:
    """A run with frames, the items that it shows, and the stretch of it that is told."""

    def __init__(
        self,
        recorder: RecorderLike,
        *,
        title: str,
        scenario: str,
        profile: str,
        since: int = 0,
        until: int | None = None,
        world: World | None = None,
    ) -> None:
        self.records: list[Record] = recorder.records
        self.frames: list[Frame] = recorder.frames
        self.title = title
        self.scenario = scenario
        self.profile = profile
        self.since = since  # microseconds
        self.until = until
        self.world = world

    @cached_property
    def items(self) -> dict[int, tuple[str, ...]]:
        """For each record that shows something, the ids of the items."""
        return annotate(self.records, self.frames, self.profile)

    @property
    def shown(self) -> tuple[str, ...]:
        """The ids of all items that the run shows, in the order of the run."""
        return tuple(dict.fromkeys(id for ids in self.items.values() for id in ids))

    @cached_property
    def story(self) -> Story:
        """What the views are made of."""
        return Story(self, self.items, since=self.since, until=self.until)

    def between(self, start: float, end: float | None = None, title: str | None = None) -> Telling:
        """The same run, told from ``start`` to ``end`` (seconds) only, perhaps under another title."""
        return Telling(
            self, title=title or self.title, scenario=self.scenario, profile=self.profile,
            since=round(start * 1e6), until=None if end is None else round(end * 1e6), world=self.world,
        )  # fmt: skip

    @property
    def trace(self) -> TextTrace:
        """The trace in columns; ``.hide()`` puts question marks, ``.reveal()`` fills them in."""
        return TextTrace(self.story)

    @property
    def ladder(self) -> Picture:
        """The run as a ladder."""
        return draw(self.story, self.title).picture

    def wheels(self, host: str, at: float, title: str | None = None) -> Picture:
        """Where the buckets of ``host`` wait at a moment (seconds of the run), drawn as two wheels."""
        return wheels(self.at(at).host(host), title or f"Host {host} at {at:.2f} s", column=self.story.column(host))

    def lives(self, host: str, title: str = "The lives of buckets") -> Picture:
        """The buckets of ``host`` from when they were made to their end, a bar for each."""
        return lives(self.records, host, title, self.story.column(host))

    def functions(self, host: str, call: str = "close") -> tuple[str, ...]:
        """The kernel functions entered, in order, while an application of ``host`` makes its first ``call``.

        A ValueError when it never makes it.
        """
        for beat in self.story.beats:
            if beat.host == host and any(m.kind == "event" and m.text.startswith(f"{call}(") for m in beat.marks):
                records = self.records[beat.first : beat.last + 1]
                return tuple(record.fn for record in records if isinstance(record, Enter))
        raise ValueError(f"Host {host} makes no call of {call} in {self.scenario}.")

    def entered(self, host: str, at: float) -> tuple[str, ...]:
        """The kernel functions entered, in order, on ``host`` at a moment (seconds): what a segment sets off, say.

        A ValueError when nothing happens there then.
        """
        t = round(at * 1e6)
        names = tuple(r.fn for r in self.records if isinstance(r, Enter) and r.host == host and r.t == t)
        if not names:
            raise ValueError(f"Nothing happens on host {host} at {at:.3f} s in {self.scenario}.")
        return names

    def at(self, at: float) -> Frame:
        """How everything stands at a moment (seconds), after what happens then; before the run the first frame."""
        t = round(at * 1e6)
        count = bisect_right(self.frames, t, key=lambda frame: frame.record.t)
        return self.frames[max(count - 1, 0)]

    def stepper(self, items: str | Sequence[str] | None = None, *, stops: str | Sequence[int] = "beat") -> Stepper:
        """Step through it.

        ``items``: stop where these are shown: ``"1"`` for all of step 1, or a list of ids; all of them unless told.
        ``stops`` as for `choose_stops`; ``"beat"`` adds one stop for everything else that happens.
        """
        chosen = _chosen(self.items, items)
        texts = {id: item(id, language()).text for ids in chosen.values() for id in ids}
        return Stepper(
            self, title=self.title, scenario=self.scenario, items=chosen, item_texts=texts, stops=stops,
            since=self.since, until=self.until,
        )  # fmt: skip

    def __repr__(self) -> str:
        return f"Telling({self.scenario!r}, profile {self.profile!r})"


def _chosen(found: Mapping[int, Sequence[str]], items: str | Sequence[str] | None) -> dict[int, tuple[str, ...]]:
    """Of the items found, those asked for."""
    if items is None:
        return {index: tuple(ids) for index, ids in found.items()}
    wanted = {id for ids in found.values() for id in ids}
    if isinstance(items, str):
        wanted = {id for id in wanted if id.startswith(f"{items}.")}
    else:
        for id in items:
            item(id)  # a ValueError for one that does not exist
        wanted &= set(items)
    kept = {index: tuple(id for id in ids if id in wanted) for index, ids in found.items()}
    return {index: ids for index, ids in kept.items() if ids}


def play(scenario: str | Scenario, *, profile: str | Profile = "source", seed: int = 0, whole: bool = False) -> Telling:
    """Run a scenario and tell it from its first step on (``whole``: with the handshake before it).

    ScenarioError for a bad scenario, ValueError for an unknown profile.
    """
    played = run(scenario, profile=profile, seed=seed, frames=True)
    script = played.scenario.script
    since = 0 if whole or played.scenario.start == "none" or not script else script[0].at
    name = profile if isinstance(profile, str) else profile.name
    return Telling(
        played.recorder, title=played.scenario.title, scenario=played.scenario.name, profile=name, since=since,
        world=played.world,
    )  # fmt: skip


def step(
    scenario: str | Scenario,
    items: str | Sequence[str] | None = None,
    *,
    profile: str | Profile = "source",
    seed: int = 0,
    stops: str | Sequence[int] = "beat",
) -> Stepper:
    """`play` a scenario and step through it; see `Telling.stepper`."""
    return play(scenario, profile=profile, seed=seed).stepper(items, stops=stops)


def scene(*steps: str, until: float | None = None, title: str = "A scene") -> Scenario:
    """A scenario of a few steps for one cell: ``play(scene('{ at = 2.0, host = "A", call = "close" }'))``.

    Each step is a table as in the script of a scenario file; ``until`` ends the run (seconds).
    ScenarioError when one is not as it must be.
    """
    head = {"title": title, "about": "", "shows": [], **({} if until is None else {"until": until})}
    lines = [f"{key} = {json.dumps(value)}" for key, value in head.items()]
    text = "\n".join([*lines, "script = [", *(f"{step}," for step in steps), "]"])
    return parse(text.encode(), "scene", "scene")


MOST = 8192  # bytes: what fits into the windows of both sides at once


def closing(*, profile: str = "source", linger: int | None = None, unread: int = 0, unsent: int = 0) -> Telling:
    """A connection that A closes two seconds after it was made: a world made from a few settings.

    ``unread``: bytes from B that A never reads.  ``unsent``: bytes that A writes just before it closes, behind
    100 others that are still on their way, so that Nagle's rule holds them back.  ``linger``: None when
    SO_LINGER is off, else seconds.  B reads what there is half a second later and closes one second later.
    A ValueError when more bytes are wanted than `MOST`.
    """
    for name, size in (("unread", unread), ("unsent", unsent)):
        if not 0 <= size <= MOST:
            raise ValueError(f"{name} takes 0 to {MOST} bytes, not {size}.")
    world = World(profile=profile)
    recorder = world.listen(frames=True)
    calls: list[tuple[float, str, str, tuple[Any, ...]]] = [
        (0, "B", "socket", ()), (0, "B", "bind", (3, 80)), (0, "B", "listen", (3, 5)), (0, "B", "accept", (3,)),
        (0, "A", "socket", ()), (0, "A", "connect", (3, 80)),
    ]  # fmt: skip
    since = 1.0
    if unread:
        calls.append((since, "B", "write", (4, unread)))
    if linger is not None:
        calls.append((1.9, "A", "setsockopt", (3, "SOL_SOCKET", "SO_LINGER", (1, linger))))
    if unsent:
        calls += [(1.98, "A", "write", (3, 100)), (1.99, "A", "write", (3, unsent))]
    calls += [(2.0, "A", "close", (3,)), (2.5, "B", "read", (4, MOST + 100)), (3.0, "B", "close", (4,))]
    for at, host, name, args in calls:
        world.run_until(round(at * 1_000_000))
        world.call(host, name, *args)
    world.run_until(70_000_000)
    title = f"A closes with {unread} bytes unread and {unsent} bytes unsent"
    return Telling(recorder, title=title, scenario="closing", profile=profile, since=round(since * 1e6), world=world)


def row_of_closes(
    *, profile: str = "source", count: int = 10, apart: float = 3.0, sysctl: Mapping[str, int] | None = None
) -> Telling:
    """``count`` connections of A, one every ``apart`` seconds; A closes each after 0.2 s, B 0.2 s after that.

    ``sysctl``: settings of host A.  A ValueError for fewer than 1 or more than 40, or closer than a second.
    """
    if not 1 <= count <= 40 or apart < 1:
        raise ValueError(f"A row has 1 to 40 closes at least a second apart, not {count} at {apart:g} s.")
    world = World(profile=profile)
    recorder = world.listen(frames=True)
    for name, value in (sysctl or {}).items():
        world.sysctl("A", name, value)
    listening: tuple[tuple[Any, ...], ...] = (("socket",), ("bind", 3, 80), ("listen", 3, 5))
    for call in listening:
        world.call("B", *call)
    for number in range(count):
        world.run_until(round((1 + number * apart) * 1e6))
        world.call("B", "accept", 3)
        world.call("A", "socket")
        world.call("A", "connect", 3, 80)
        for host, fd in (("A", 3), ("B", 4)):
            world.run_until(world.now + 200_000)
            world.call(host, "close", fd)
    world.run_until(world.now + 80_000_000)
    title = f"A closes {count} connections, one every {apart:g} seconds"
    return Telling(recorder, title=title, scenario="row_of_closes", profile=profile, since=0, world=world)
