"""The world: hosts, a wire, a clock that is only a number.

`enabled` lists what can happen next, `apply` makes it happen, `fork` copies the
whole, `run_until` lets everything happen in the order of time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

from tcpnotes.kernel.mirror import instrument
from tcpnotes.kernel.profile import Profile, profile_by_name
from tcpnotes.trace.frames import HostView, InFlight
from tcpnotes.trace.recorder import HostTrace, Recorder
from tcpnotes.trace.segment import Segment
from tcpnotes.world.events import (
    AppCalls,
    Event,
    HostCrashes,
    SegmentArrives,
    SegmentDelayed,
    SegmentDuplicated,
    SegmentInjected,
    SegmentLost,
    TimerFires,
)
from tcpnotes.world.host import Host, Result
from tcpnotes.world.process import ADDRESSES, CallError
from tcpnotes.world.snapshot import view_host
from tcpnotes.world.wire import Wire

TICK = 10_000  # microseconds in a jiffy


class World:
    """Two hosts (or one) on a wire.

    ``profile`` is a name or a `Profile`; ``seed`` decides the initial sequence
    numbers; ``delay`` is the way from host to host in microseconds.
    """

    __slots__ = ("hosts", "now", "profile", "recorder", "seed", "wire")

    def __init__(
        self,
        profile: str | Profile = "source",
        seed: int = 0,
        hosts: Iterable[str] = ("A", "B"),
        delay: int = 50_000,
    ) -> None:
        self.profile = profile_by_name(profile)
        self.seed = seed
        self.now = 0
        self.wire = Wire(delay)
        self.recorder: Recorder | None = None
        self.hosts: dict[str, Host] = {}
        for name in hosts:
            self.hosts[name] = Host(name, ADDRESSES[name], self.profile, _first_iss(seed, name))
        self._connect()

    def _connect(self) -> None:
        """Lead what hosts send onto the wire."""
        for host in self.hosts.values():
            host.net.output = _Output(self, host)

    # -- listening -----------------------------------------------------------------------------------

    def listen(self, frames: bool = False) -> Recorder:
        """Attach a `Recorder`, with a frame for each record on wish."""
        instrument()
        self.recorder = Recorder(self.snapshot if frames else None)
        for host in self.hosts.values():
            host.net.trace = HostTrace(self.recorder, host.name, host.net)
        return self.recorder

    def snapshot(self) -> tuple[tuple[HostView, ...], tuple[InFlight, ...]]:
        """What can be seen now: every host, and what is on the wire."""
        return tuple(view_host(host) for host in self.hosts.values()), tuple(self.wire.flying.values())

    # -- happening -------------------------------------------------------------------------------------

    def _set_clock(self, now: int) -> None:
        if now < self.now:
            now = self.now
        self.now = now
        jiffies = now // TICK
        for host in self.hosts.values():
            host.net.now = now
            host.net.jiffies = jiffies

    def host(self, name: str) -> Host:
        """The host called ``name``; a ValueError that lists the hosts when there is none."""
        try:
            return self.hosts[name]
        except KeyError:
            raise ValueError(f"There is no host {name!r}; there are: {', '.join(self.hosts)}.") from None

    def sysctl(self, host: str, name: str, value: int) -> None:
        """Set a sysctl on a host (seconds for timeouts)."""
        self.host(host).set_sysctl(name, value)

    def call(self, host: str, name: str, *args: Any) -> int:
        """A system call on ``host``, now; the number of its task."""
        return self.host(host).call(name, args)

    def result(self, host: str, task: int) -> Result | None:
        """What a call returned; None while it sleeps."""
        return self.host(host).result(task)

    def inject(self, host: str, seg: Segment) -> None:
        """A segment from nowhere reaches ``host`` now.  ValueError for one that cannot exist."""
        check_segment(seg)
        self.host(host).receive(seg, None)

    def enabled(self) -> list[Event]:
        """What can happen next: segments, timers, and closes of open descriptors (not: delays, of any length)."""
        events: list[Event] = []
        for wire in self.wire.flying:
            events += [SegmentArrives(wire), SegmentLost(wire), SegmentDuplicated(wire)]
        for name, host in self.hosts.items():
            if host.net.next_tick() is not None:
                events.append(TimerFires(name))
            for fd in host.processes.files:
                events.append(AppCalls(name, "close", (fd,)))
        return events

    def apply(self, event: Event) -> int | None:
        """Make ``event`` happen; for a call the number of its task.  ValueError when it cannot happen."""
        match event:
            case AppCalls(host, name, args):
                return self.call(host, name, *args)
            case SegmentArrives(wire):
                flight = self._flight(wire)
                del self.wire.flying[wire]
                self._set_clock(flight.due)
                self.hosts[flight.dst].receive(flight.seg, wire)
            case SegmentLost(wire):
                flight = self._flight(wire)
                del self.wire.flying[wire]
                trace = self.hosts[flight.src].net.trace
                if trace is not None:
                    trace.lost(flight.seg, wire)
            case SegmentDuplicated(wire):
                flight = self._flight(wire)
                self.wire.sent += 1
                self.wire.flying[self.wire.sent] = flight._replace(wire=self.wire.sent)
            case SegmentDelayed(wire, by):
                flight = self._flight(wire)
                if by < 0:
                    raise ValueError(f"A segment is delayed by a number of microseconds from 0 on, not by {by}.")
                self.wire.flying[wire] = flight._replace(due=flight.due + by)
            case SegmentInjected(host, seg):
                self.inject(host, seg)
            case TimerFires(name):
                host_ = self.host(name)
                tick = host_.net.next_tick()
                if tick is None:
                    raise ValueError(f"No timer is running on host {name}.")
                self._set_clock(tick * TICK)
                host_.tick(self.now // TICK)
            case HostCrashes(name):
                self._crash(name)
        return None

    def _flight(self, wire: int) -> InFlight:
        try:
            return self.wire.flying[wire]
        except KeyError:
            raise ValueError(f"Segment number {wire} is not on the wire.") from None

    def _crash(self, name: str) -> None:
        old = self.host(name)
        fresh = Host(name, old.address, self.profile, (old.net.iss_base + 1_000_000) & 0xFFFFFFFF)
        fresh.net.sysctl = old.net.sysctl
        fresh.net.now, fresh.net.jiffies = old.net.now, old.net.jiffies
        self.hosts[name] = fresh
        fresh.net.output = _Output(self, fresh)
        if self.recorder is not None:
            fresh.net.trace = HostTrace(self.recorder, name, fresh.net)
            fresh.net.trace.stimulus("crash", "")

    # -- in the order of time -----------------------------------------------------------------------------

    def next_due(self) -> tuple[int, Event] | None:
        """What time brings next, and when: a tick with a timer due, or a segment; ticks come first."""
        best: tuple[int, int, Event] | None = None
        for name, host in self.hosts.items():
            tick = host.net.next_tick()
            if tick is not None:
                at = max(tick * TICK, self.now)
                if best is None or at < best[0]:
                    best = (at, 0, TimerFires(name))
        flight = self.wire.next_due()
        if flight is not None and (best is None or flight.due < best[0]):
            best = (max(flight.due, self.now), 1, SegmentArrives(flight.wire))
        return None if best is None else (best[0], best[2])

    def step(self) -> Event | None:
        """Let the next thing happen that time brings; None when nothing will."""
        due = self.next_due()
        if due is None:
            return None
        self.apply(due[1])
        return due[1]

    def run_until(self, t: int) -> None:
        """Let everything happen up to and including microsecond ``t``, and set the clock there."""
        while (due := self.next_due()) is not None and due[0] <= t:
            self.apply(due[1])
        self._set_clock(t)

    def run(self, steps: int | None = None, limit: int = 100_000) -> int:
        """Let things happen until nothing is left to happen, or ``steps`` of them; how many did."""
        done = 0
        while done < (limit if steps is None else steps) and self.step() is not None:
            done += 1
        return done

    # -- copies ----------------------------------------------------------------------------------------------

    def fork(self) -> World:
        """A copy that goes its own way; nobody listens to it yet."""
        new = object.__new__(World)
        new.profile = self.profile
        new.seed = self.seed
        new.now = self.now
        new.recorder = None
        new.wire = self.wire.clone()
        new.hosts = {name: host.clone() for name, host in self.hosts.items()}
        new._connect()
        return new

    def freeze(self) -> tuple[object, ...]:
        """Everything that decides how this world goes on, as nested tuples."""
        hosts = tuple(host.freeze() for host in self.hosts.values())
        return (self.profile, self.seed, self.now, self.wire.freeze(), hosts)

    def digest(self) -> str:
        """128 bits that stand for `freeze`, the same in every run, as hexadecimal."""
        return hashlib.blake2b(repr(self.freeze()).encode(), digest_size=16).hexdigest()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, World) and self.freeze() == other.freeze()

    def __hash__(self) -> int:
        return hash(self.freeze())

    def __getstate__(self) -> dict[str, Any]:
        return {"copy": self.fork()._bare()}

    def _bare(self) -> dict[str, Any]:
        for host in self.hosts.values():
            host.net.output = None  # type: ignore[assignment]
        return {"profile": self.profile, "seed": self.seed, "now": self.now, "wire": self.wire, "hosts": self.hosts}

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in state["copy"].items():
            setattr(self, name, value)
        self.recorder = None
        self._connect()


class _Output:
    """Where a host's segments go: onto the wire, and into the trace."""

    __slots__ = ("host", "world")

    def __init__(self, world: World, host: Host) -> None:
        self.world = world
        self.host = host

    def __call__(self, seg: Segment, sk: int | None) -> None:
        world = self.world
        dst = None
        for name, other in world.hosts.items():
            if other.net.address == seg.daddr:
                dst = name
        wire = world.wire.send(self.host.name, dst, world.now, seg)
        trace = self.host.net.trace
        if trace is not None:
            trace.sent(sk, seg, wire)


def _first_iss(seed: int, name: str) -> int:
    digest = hashlib.blake2b(f"{seed}/{name}".encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big")


def check_segment(seg: Segment) -> None:
    """ValueError, in one sentence, for a segment whose fields no wire could carry."""
    for name, high in (("saddr", 32), ("daddr", 32), ("seq", 32), ("ack_seq", 32), ("sport", 16), ("dport", 16),
                       ("window", 16), ("flags", 8), ("len", 16), ("urg_ptr", 16)):  # fmt: skip
        value = getattr(seg, name)
        if not isinstance(value, int) or not 0 <= value < 1 << high:
            raise ValueError(f"A segment's {name} must be a number from 0 to {(1 << high) - 1}, not {value!r}.")
    if len(seg.sacks) > 4:
        raise ValueError(f"A segment has room for 4 SACK blocks, not {len(seg.sacks)}.")


__all__ = ["CallError", "World", "check_segment"]
