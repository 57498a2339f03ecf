"""A run that can be played with: go back and forth in it, and act at any moment.

A `Game` starts as a scenario that has run to its end.  Its moves are the events that
came, one by one; between any two of them the player may do something else.  Acting in
the past makes a fork: what came after is dropped (and can be had back), and a new
future begins, which is empty until time is let run on.  All of it follows from the
scenario, the profile, the seed and the moves; `link` writes these down in a line.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import NamedTuple, TypeAlias

from tcpnotes.kernel.sock import LISTEN
from tcpnotes.scenarios import load
from tcpnotes.scenarios.loader import Lose, Scenario, ScenarioError, Step
from tcpnotes.scenarios.moves import MOST, NEXT, SKIP, Move, happens, move, read_link, written
from tcpnotes.scenarios.run import LONGEST_RUN, Stage, settle
from tcpnotes.source import say
from tcpnotes.trace import Frame, Record
from tcpnotes.trace.records import Stimulus
from tcpnotes.view.story import Story
from tcpnotes.widgets.gamewords import move_words, segment_words
from tcpnotes.world import Event, SegmentDelayed, SegmentDuplicated, World

DELAY = 0.2  # seconds; what a choice offers
WRITE, READ, LINGER = 100, 10_000, 5
INJECTED = ("RST", "SYN", "FIN+ACK", "ACK")  # from nowhere; what a choice offers
_QUIET = ("stimulus", "timer", "enter")


class _Point(NamedTuple):
    """A moment between two moves: world and stage, the next step of the script, and how many records led there.

    ``asleep`` is what each host's trace knows of sleeping calls: the world itself is kept without a trace.
    """

    stage: Stage
    step: int
    told: int
    asleep: dict[str, dict[int, list[str]]]

    @property
    def world(self) -> World:
        """The world at this moment."""
        return self.stage.world


_Kept: TypeAlias = tuple[list[Record], list[Frame], list[Move], list[_Point], int]


class Game:
    """Play with a scenario.  ``moves``: those of a link; without them the scenario runs to its end by itself.

    ScenarioError for a bad scenario, ValueError for an unknown profile or a move that cannot be.
    """

    def __init__(
        self,
        scenario: str | Path | Scenario,
        *,
        profile: str = "source",
        seed: int = 0,
        moves: Sequence[Move] | None = None,
    ) -> None:
        self.scenario = scenario if isinstance(scenario, Scenario) else load(scenario)
        self.profile = profile
        self.seed = seed
        self.message = ""
        self.records: list[Record] = []
        self.frames: list[Frame] = []
        self.moves: list[Move] = []
        self._points: list[_Point] = []
        self._at = 0
        self._undo: list[_Kept] = []
        self._redo: list[_Kept] = []
        self._open()
        if moves is None:
            self.run_on()
            self._undo.clear()
        for one in moves or ():
            self._apply(one)
        self.goto(0)

    # -- where the player stands --------------------------------------------------------------------------

    @property
    def at(self) -> int:
        """How many moves were made before this moment."""
        return self._at

    @property
    def count(self) -> int:
        """How many moves there are."""
        return len(self.moves)

    def goto(self, at: int) -> int:
        """Go to the moment after ``at`` moves; beyond either end, to that end.  Nothing changes by looking."""
        self._at = min(max(at, 0), self.count)
        self.message = ""
        return self._at

    def back(self) -> int:
        """One move back."""
        return self.goto(self._at - 1)

    def forward(self) -> int:
        """One move forward."""
        return self.goto(self._at + 1)

    @property
    def world(self) -> World:
        """The world at this moment; to be looked at, not to be changed."""
        return self._points[self._at].world

    @property
    def in_the_past(self) -> bool:
        """True when moves come after this moment: acting now would drop them."""
        return self._at < self.count

    # -- acting --------------------------------------------------------------------------------------------

    def act(self, text: str) -> str:
        """Make a move at this moment, and go to the moment after it; what happened, in words.

        In the past this forks.  A move that cannot be leaves everything as it is, and the words say why.
        ValueError for a text that is no move.
        """
        one = move(text)
        words = move_words(self, one)
        dropped = self.count - self._at
        before = self._keep()
        try:
            self._cut(self._at)
            self._apply(one)
        except ValueError as error:
            self._restore(before)
            self.message = say("playground.cannot", why=str(error))
            return self.message
        self._undo.append(before)
        self._redo.clear()
        self.message = say("playground.done", what=words)
        if dropped:
            self.message += " " + say("playground.forked", count=dropped)
        return self.message

    def run_on(self) -> int:
        """Let scenario and time run to the end; how many moves that took.  The player stays where they are.

        In the past nothing is dropped: the run already goes on from here.
        """
        stood, before = self._at, self._keep()
        done = 0
        try:
            while self.count < MOST and self._at_end_comes_more():
                self._apply(move(NEXT))
                done += 1
        except ValueError as error:  # a step of the script that this run has made impossible
            self.message = say("playground.cannot", why=str(error))
        self._at = stood
        if done:
            self._undo.append(before)
            self._redo.clear()
        return done

    def _at_end_comes_more(self) -> bool:
        self._at = self.count
        return self.coming() != (None, None)

    @property
    def can_undo(self) -> bool:
        """Is there an act to take back?"""
        return bool(self._undo)

    @property
    def can_redo(self) -> bool:
        """Was an act taken back that could be done again?"""
        return bool(self._redo)

    def undo(self) -> bool:
        """Take the last act back, whatever it dropped included; False when there was none."""
        return self._swap(self._undo, self._redo)

    def redo(self) -> bool:
        """Do again what was taken back; False when there is nothing."""
        return self._swap(self._redo, self._undo)

    def _swap(self, source: list[_Kept], other: list[_Kept]) -> bool:
        if not source:
            return False
        other.append(self._keep())
        self._restore(source.pop())
        self.message = ""
        return True

    def _keep(self) -> _Kept:
        """The game as it stands.  Its lists are never changed, only replaced."""
        return self.records, self.frames, self.moves, self._points, self._at

    def _restore(self, kept: _Kept) -> None:
        self.records, self.frames, self.moves, self._points, self._at = kept
        self._tell()

    def switch(self, profile: str) -> str:
        """The same moves from the start under another profile; words about how far they go.

        Stops at the first move that cannot be made there.  ValueError for an unknown profile.
        """
        moves, at = self.moves[:], self._at
        try:
            fresh = Game(self.scenario, profile=profile, seed=self.seed, moves=())
        except ScenarioError as error:
            self.message = say("playground.cannot", why=str(error))
            return self.message
        self.__dict__.update(fresh.__dict__)
        self._tell()
        self.message = say("playground.done", what=say("playground.profile", name=profile))
        for one in moves:
            try:
                self._apply(one)
            except ValueError as error:
                self.message = say("playground.cannot", why=str(error))
                break
        self._at = min(at, self.count)
        return self.message

    # -- how moves are made ----------------------------------------------------------------------------------

    def _open(self) -> None:
        """The moment before the scenario's first step."""
        world = World(profile=self.profile, seed=self.seed, delay=self.scenario.delay)
        recorder = world.listen(frames=True)
        settle(world, self.scenario)
        stage = Stage(world, self.scenario)
        stage.open()
        script = self.scenario.script
        self.since = script[0].at if self.scenario.start != "none" and script else 0
        stage.advance(self.since)
        if not recorder.records:
            _note(world, say("playground.begin"))
        self.records, self.frames = recorder.records, recorder.frames
        self._points = [_point(stage, 0)]

    def _cut(self, at: int) -> None:
        """Drop the moves after the first ``at``.  Lists are made anew, so that who holds the old ones keeps them."""
        count = self._points[at].told
        self.records, self.frames = self.records[:count], self.frames[:count]
        self.moves, self._points = self.moves[:at], self._points[: at + 1]
        self._at = at
        self._tell()

    def _apply(self, one: Move) -> None:
        """Make a move at the end.  ValueError when it cannot be; then nothing has changed."""
        if self.count >= MOST:
            raise ValueError(say("playground.most", count=MOST))
        last = self._points[-1]
        world = last.world.fork()
        stage = last.stage.clone(world)
        recorder = world.listen(frames=True)
        recorder.records[:], recorder.frames[:] = self.records, self.frames
        for name, host in world.hosts.items():
            if host.net.trace is not None:
                host.net.trace.asleep = {task: opened[:] for task, opened in last.asleep[name].items()}
        step = last.step
        if one.text == NEXT:
            step = self._natural(world, stage, step)
        elif one.text == SKIP:
            if step >= len(self.scenario.script):
                raise ValueError(say("playground.no_step"))
            _note(world, say("playground.left_out", step=step + 1))
            step += 1
        else:
            world.apply(happens(one, world))
            if isinstance(one.event, SegmentDelayed | SegmentDuplicated):
                flight = world.wire.flying[one.event.wire]
                segment = segment_words(Story(recorder), flight.wire, flight.seg)
                if isinstance(one.event, SegmentDelayed):
                    done = say("playground.was_delayed", segment=segment, time=f"{one.event.by / 1e6:g}")
                else:
                    done = say("playground.was_doubled", segment=segment)
                _note(world, done, flight.src)
        if len(recorder.records) == last.told:
            _note(world, say("playground.quiet"))
        self.records, self.frames = recorder.records, recorder.frames
        self.moves = [*self.moves, one]
        self._points = [*self._points, _point(stage, step)]
        self._at = self.count
        self._tell()

    @property
    def _end(self) -> int:
        """When the run ends that is left to itself, in microseconds."""
        script, until = self.scenario.script, self.scenario.until
        if until is not None and all(one.text == NEXT for one in self.moves[: self._at]):
            return until
        return (script[-1].at if script else 0) + LONGEST_RUN

    def _natural(self, world: World, stage: Stage, step: int) -> int:
        """The next thing that scenario or time brings and that can be seen; where the script stands afterwards."""
        script = self.scenario.script
        recorder = world.recorder
        assert recorder is not None
        before = len(recorder.records)
        while True:
            due = stage.due()
            if step < len(script) and (due is None or due[0] > script[step].at):
                world.run_until(script[step].at)
                stage.do(script[step], step + 1)
                step += 1
                if isinstance(script[step - 1], Lose):
                    continue
            elif due is None or due[0] > self._end:
                if len(recorder.records) == before:
                    raise ValueError(say("playground.over"))
            else:
                stage.happen(*due)
                if all(record.kind in _QUIET for record in recorder.records[before:]):
                    continue
            return step

    # -- what is shown ----------------------------------------------------------------------------------------

    def _tell(self) -> None:
        self.__dict__.pop("story", None)

    @cached_property
    def story(self) -> Story:
        """The run with all moves, as the views take it."""
        return Story(self, since=self.since)

    @property
    def stops(self) -> list[int]:
        """The record at which each moment stands: the start, and after each move."""
        return [point.told - 1 for point in self._points]

    @property
    def times(self) -> list[int]:
        """What the clock says at each moment, in microseconds."""
        return [point.world.now for point in self._points]

    def coming(self) -> tuple[Step | None, Event | None]:
        """What comes by itself after this moment: a step of the script, or an event of time; both None at the end."""
        point = self._points[self._at]
        due = point.stage.clone(point.world).due()
        step = next((step for step in self.scenario.script[point.step :] if not isinstance(step, Lose)), None)
        if step is not None and (due is None or due[0] > step.at):
            return step, None
        return None, due[1] if due is not None and due[0] <= self._end else None

    def choices(self) -> list[str]:
        """The moves that can be made at this moment, what comes by itself first."""
        point = self._points[self._at]
        world = point.world
        found = [NEXT] if self.coming() != (None, None) else []
        if point.step < len(self.scenario.script):
            found.append(SKIP)
        for wire in world.wire.flying:
            found += [f"arrive({wire})", f"lose({wire})", f"double({wire})", f"delay({wire},{DELAY})"]
        for name, host in world.hosts.items():
            if host.net.next_tick() is not None:
                found.append(f"fire({name})")
            for fd, file in sorted(host.processes.files.items()):
                found.append(f"{name}.close({fd})")
                if host.net.socks[file.sk].state != LISTEN:
                    found += [f"{name}.shutdown({fd},SHUT_WR)", f"{name}.write({fd},{WRITE})"]
                    found += [f"{name}.read({fd},{READ})", f"{name}.linger({fd},0)"]
                    found += [f"{name}.linger({fd},{LINGER})", f"{name}.linger({fd},off)"]
            found.append(f"crash({name})")
            if host.net.ehash or host.net.tw_hash:
                found += [f"inject({name},{flags},rcv_nxt)" for flags in INJECTED]
        return found

    @property
    def script_step(self) -> int:
        """How many steps of the scenario's script lie behind this moment."""
        return self._points[self._at].step

    # -- a line that leads here --------------------------------------------------------------------------------

    @property
    def link(self) -> str:
        """``scenario@step``, then what differs from the plain run: ``profile=… seed=… moves=…``."""
        parts = [f"{self.scenario.name}@{self._at + 1}"]
        if self.profile != "source":
            parts.append(f"profile={self.profile}")
        if self.seed:
            parts.append(f"seed={self.seed}")
        if any(one.text != NEXT for one in self.moves) or not self.finished:
            parts.append(f"moves={written(self.moves)}")
        return " ".join(parts)

    @classmethod
    def from_link(cls, link: str, scenario: Scenario | None = None) -> Game:
        """The game that a `link` leads to; ``scenario`` for one that does not come with the library.

        ValueError for a text that is no link.
        """
        found = read_link(link)
        game = cls(scenario or found.scenario, profile=found.profile, seed=found.seed, moves=found.moves)
        if not 1 <= found.step <= game.count + 1:
            raise ValueError(f"There is no step {found.step}; the run of this link has steps 1 to {game.count + 1}.")
        game.goto(found.step - 1)
        return game

    @property
    def finished(self) -> bool:
        """Has the run come to its end, so that nothing more happens by itself?"""
        at = self._at
        more = self._at_end_comes_more()
        self._at = at
        return not more

    def __repr__(self) -> str:
        return f"Game({self.link!r})"


def _point(stage: Stage, step: int) -> _Point:
    """The moment at which a stage stands; the stage may go on."""
    recorder = stage.world.recorder
    assert recorder is not None
    traces = {name: host.net.trace for name, host in stage.world.hosts.items()}
    asleep = {name: trace.asleep.copy() for name, trace in traces.items() if trace is not None}
    return _Point(stage.clone(stage.world.fork()), step, len(recorder.records), asleep)


def _note(world: World, text: str, host: str | None = None) -> None:
    """Write down what was done to the wire or to the script, which no host notices."""
    if world.recorder is not None:
        world.recorder.add(Stimulus(world.now, host or next(iter(world.hosts)), 0, "note", text))
