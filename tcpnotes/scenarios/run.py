"""Let a scenario happen in a world, and keep the trace."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from tcpnotes.kernel.profile import Profile
from tcpnotes.scenarios.forging import Forged, ForgingError
from tcpnotes.scenarios.loader import (
    Call,
    Crash,
    Inject,
    Lose,
    Play,
    Scenario,
    ScenarioError,
    SettingNotThere,
    Step,
    load,
)
from tcpnotes.scenarios.moves import happens
from tcpnotes.trace import Recorder, Segment
from tcpnotes.trace.segment import ACK, FIN, RST, SYN
from tcpnotes.world import Event, HostCrashes, SegmentLost, World

PORT = 80
LONGEST_RUN = 600_000_000  # microseconds, for scenarios that do not say when they end


class Run(NamedTuple):
    """A scenario that has happened: the world as it stands at the end, and the trace."""

    world: World
    recorder: Recorder
    scenario: Scenario


def run(
    scenario: str | Path | Scenario, *, profile: str | Profile | None = None, seed: int = 0, frames: bool = False
) -> Run:
    """Run a scenario (a name, a ``.toml`` file, or one that was loaded) under ``profile``, "source" unless told.

    ScenarioError for a bad scenario, also for one that sets what the profile's kernel does not have; ValueError for an
    unknown profile.
    """
    if not isinstance(scenario, Scenario):
        scenario = load(scenario)
    world = World(profile=profile or "source", seed=seed, delay=scenario.delay)
    recorder = world.listen(frames=frames)
    settle(world, scenario)
    stage = Stage(world, scenario)
    stage.open()
    for number, step in enumerate(scenario.script, 1):
        stage.advance(step.at)
        stage.do(step, number)
    if scenario.until is not None or not any(isinstance(step, Play) for step in scenario.script):
        stage.advance(scenario.until)
    return Run(world, recorder, scenario)


def settle(world: World, scenario: Scenario, more: Iterable[tuple[str, str, int]] = ()) -> None:
    """Set the sysctls of a scenario, and ``more``.  SettingNotThere where the profile's kernel does not have one."""
    for host, name, value in (*scenario.sysctl, *more):
        try:
            world.sysctl(host, name, value)
        except ValueError as error:
            message = f"not under the profile {world.profile.name}: {error}"
            raise SettingNotThere(scenario.name, host, name, message) from None


def opening(scenario: Scenario) -> list[Call]:
    """The calls with which an established connection begins, all at time 0; none with ``start = "none"``."""
    if scenario.start == "none":
        return []
    server, client = scenario.server, scenario.client
    bound = [Call(0, client, "bind", (3, scenario.client_port))] if scenario.client_port else []
    return [
        Call(0, server, "socket", ()),
        Call(0, server, "bind", (3, PORT)),
        Call(0, server, "listen", (3, 5)),
        Call(0, server, "accept", (3,)),
        Call(0, client, "socket", ()),
        *bound,
        Call(0, client, "connect", (3, PORT)),
    ]


class Rule:
    """A `Lose` step, and how many segments it may still take."""

    def __init__(self, step: Lose) -> None:
        self.step = step
        self.left = step.count

    def clone(self) -> Rule:
        """A copy."""
        new = Rule(self.step)
        new.left = self.left
        return new

    def takes(self, src: str, sent: int, seg: Segment) -> bool:
        """Is this segment to be lost?  Counts it if so."""
        step = self.step
        if src != step.src or sent < step.at or self.left == 0 or (step.until is not None and sent > step.until):
            return False
        if not _is(step.what, seg):
            return False
        if self.left is not None:
            self.left -= 1
        return True


def _is(what: str, seg: Segment) -> bool:
    match what:
        case "FIN":
            return bool(seg.flags & FIN)
        case "SYN":
            return bool(seg.flags & SYN)
        case "RST":
            return bool(seg.flags & RST)
        case "ACK":
            return not seg.flags & (FIN | SYN | RST) and bool(seg.flags & ACK) and not seg.len
        case "data":
            return seg.len > 0
    return True


class Stage:
    """Brings a world from step to step of its script."""

    def __init__(self, world: World, scenario: Scenario) -> None:
        self.world = world
        self.scenario = scenario
        self.rules: list[Rule] = []
        self.seen = 0  # the last segment on the wire that the rules have looked at
        self.doomed: dict[int, int] = {}  # wire number -> when it is lost

    def open(self) -> None:
        """The usual beginning: one side listens and accepts, the other connects."""
        for step in opening(self.scenario):
            self.world.call(step.host, step.call, *step.args)

    def do(self, step: Step, number: int) -> None:
        """Step ``number`` of the script happens, now.  ScenarioError when it cannot."""
        match step:
            case Call():
                self.world.call(step.host, step.call, *step.args)
            case Lose():
                self.rules.append(Rule(step))
            case Inject():
                self.world.inject(step.to, self.segment(step, number))
            case Crash():
                self.world.apply(HostCrashes(step.host))
            case Play(_, move):
                try:
                    self.world.apply(happens(move, self.world))
                except ValueError as error:
                    raise ScenarioError(self.scenario.file, "moves", f"{move.text} cannot be: {error}") from None

    def advance(self, until: int | None) -> None:
        """Let everything happen up to ``until``, losing what the rules take; None: until nothing is left."""
        end = self.world.now + LONGEST_RUN if until is None else until
        while (due := self.due()) is not None and due[0] <= end:
            self.happen(*due)
        if until is not None:
            self.world.run_until(until)

    def due(self) -> tuple[int, Event] | None:
        """What happens next without the script, and when: what time brings, or the loss of a segment."""
        self._look()
        due = self.world.next_due()
        flying = self.world.wire.flying
        doomed = ((moment, wire) for wire, moment in self.doomed.items() if wire in flying)
        lost = min(doomed, default=None)
        return due if lost is None or (due is not None and due[0] < lost[0]) else (lost[0], SegmentLost(lost[1]))

    def happen(self, moment: int, event: Event) -> None:
        """Let what is `due` happen."""
        if isinstance(event, SegmentLost):
            del self.doomed[event.wire]
            if moment > self.world.now:
                self.world.run_until(moment)
        self.world.apply(event)

    def clone(self, world: World) -> Stage:
        """The same for a copy of the world."""
        new = Stage(world, self.scenario)
        new.rules = [rule.clone() for rule in self.rules]
        new.seen = self.seen
        new.doomed = self.doomed.copy()
        return new

    def _look(self) -> None:
        """Apply the rules to the segments that went onto the wire since the last look."""
        wire = self.world.wire
        if wire.sent == self.seen:
            return
        for number in range(self.seen + 1, wire.sent + 1):
            flight = wire.flying.get(number)
            if flight is not None and any(rule.takes(flight.src, flight.sent, flight.seg) for rule in self.rules):
                # Half way, so that a picture shows it leave and not arrive.
                self.doomed[number] = flight.sent + wire.delay // 2
        self.seen = wire.sent

    def segment(self, step: Inject, number: int) -> Segment:
        """The segment of an `Inject` step, its numbers worked out from the latest connection of the host it reaches."""
        try:
            return Forged(step.to, step.flags, step.seq, step.ack, step.len, step.window).segment(self.world)
        except ForgingError as error:
            where = f"script[{number}].inject" + (f".{error.key}" if error.key else "")
            raise ScenarioError(self.scenario.file, where, str(error)) from None
