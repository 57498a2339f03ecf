"""The world: hosts, a wire, a clock that is only a number.

`enabled` lists what can happen next, `apply` makes it happen, `fork` copies the
whole, `run_until` lets everything happen in the order of time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

from tcpnotes.kernel.profile import Profile, profile_by_name
from tcpnotes.trace.frames import HostView, InFlight
from tcpnotes.trace.recorder import Recorder
from tcpnotes.trace.segment import Segment
from tcpnotes.world.checking import check_segment, fits
from tcpnotes.world.clock import soonest
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
        self.recorder: Recorder | None = None
        names = _checked(tuple(hosts), delay)
        self.wire = Wire(delay, {ADDRESSES[name]: name for name in names})
        # For looking.  Who wants to change a host takes it with `host`: worlds share hosts, see `fork`.
        self.hosts: dict[str, Host] = {}
        for name in names:
            self.hosts[name] = Host(name, ADDRESSES[name], self.profile, _first_iss(seed, name), self.wire)

    # -- listening -----------------------------------------------------------------------------------

    def listen(self, frames: bool = False) -> Recorder:
        """Attach a `Recorder`, with a frame for each record on wish."""
        self.recorder = Recorder(self.snapshot if frames else None)
        for name in self.hosts:
            self.host(name).listen(self.recorder)
        return self.recorder

    def unlisten(self) -> None:
        """Write nothing down any more; what the recorder has stays with it."""
        self.recorder = None
        for name in self.hosts:
            self.host(name).net.trace = None

    def snapshot(self) -> tuple[tuple[HostView, ...], tuple[InFlight, ...]]:
        """What can be seen now: every host, and what is on the wire."""
        return tuple([view_host(host) for host in self.hosts.values()]), tuple(self.wire.flying.values())

    # -- happening -------------------------------------------------------------------------------------

    def host(self, name: str) -> Host:
        """The host called ``name``, at the time it is now and this world's alone.

        A ValueError that lists the hosts when there is none of that name.
        """
        try:
            host = self.hosts[name]
        except KeyError:
            raise ValueError(f"There is no host {name!r}; there are: {', '.join(self.hosts)}.") from None
        if host.shared:
            host = self.hosts[name] = host.clone(self.wire)
            if self.recorder is not None:
                host.listen(self.recorder)
        net = host.net
        if net.now != self.now:
            net.now = self.now
            net.jiffies = self.now * net.times.HZ // 1_000_000
        return host

    def route(self, address: int, host: str) -> None:
        """Let segments to ``address`` reach ``host``, as if it had that address too; it sends from its first one."""
        self.host(host)
        self.wire.routes = {**self.wire.routes, address: host}

    def sysctl(self, host: str, name: str, value: int) -> None:
        """Set a sysctl on a host (seconds for timeouts)."""
        self.host(host).set_sysctl(name, value)

    def call(self, host: str, name: str, *args: Any) -> int:
        """A system call on ``host``, now; the number of its task."""
        return self.host(host).call(name, args)

    def result(self, host: str, task: int) -> Result | None:
        """What a call returned; None while it sleeps.  Only the latest results of a host are kept (`process.KEPT`)."""
        try:
            return self.hosts[host].result(task)
        except KeyError:
            raise ValueError(f"There is no host {host!r}; there are: {', '.join(self.hosts)}.") from None

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
            case SegmentArrives(wire):
                self._deliver(self._flight(wire))
            case TimerFires(name):
                tick = self.host(name).net.next_tick()
                if tick is None:
                    raise ValueError(f"No timer is running on host {name}.")
                self._tick(name, tick)
            case AppCalls(host, name, args):
                return self.call(host, name, *args)
            case SegmentLost(wire):
                flight = self._flight(wire)
                del self.wire.flying[wire]
                trace = self.host(flight.src).net.trace
                if trace is not None:
                    trace.lost(flight.seg, wire)
            case SegmentDuplicated(wire):
                self.wire.duplicate(self._flight(wire))
            case SegmentDelayed(wire, by):
                flight = self._flight(wire)
                if by < 0:
                    raise ValueError(f"A segment is delayed by a number of microseconds from 0 on, not by {by}.")
                self.wire.put_off(flight, by)
            case SegmentInjected(host, seg):
                self.inject(host, seg)
            case HostCrashes(name):
                self._crash(name)
            case _:
                raise ValueError(f"{event!r} is no event; those of tcpnotes.world are: AppCalls and more.")
        return None

    def _flight(self, wire: int) -> InFlight:
        try:
            return self.wire.flying[wire]
        except KeyError:
            raise ValueError(f"Segment number {wire} is not on the wire.") from None

    def _deliver(self, flight: InFlight) -> None:
        number, _, dst, _, due, seg = flight
        del self.wire.flying[number]
        if due > self.now:
            self.now = due
        self.host(dst).receive(seg, number)

    def _tick(self, name: str, tick: int) -> None:
        at = self.hosts[name].net.times.moment(tick)
        if at > self.now:
            self.now = at
        host = self.host(name)
        host.tick(host.net.jiffies)

    def _crash(self, name: str) -> None:
        old = self.host(name)
        fresh = Host(name, old.address, self.profile, (old.net.iss_base + 1_000_000) & 0xFFFFFFFF, self.wire)
        fresh.net.sysctl = old.net.sysctl
        self.hosts[name] = fresh
        if self.recorder is not None:
            self.host(name).listen(self.recorder).stimulus("crash", "")

    # -- in the order of time -----------------------------------------------------------------------------

    def next_due(self) -> tuple[int, Event] | None:
        """What time brings next, and when: a tick with a timer due, or a segment; ticks come first."""
        at, name, flight = soonest(self.hosts, self.wire, self.now)
        if name is not None:
            return at, TimerFires(name)
        return None if flight is None else (at, SegmentArrives(flight.wire))

    def step(self) -> Event | None:
        """Let the next thing happen that time brings; None when nothing will."""
        due = self.next_due()
        if due is None:
            return None
        self.apply(due[1])
        return due[1]

    def run_until(self, t: int) -> None:
        """Let everything happen up to and including microsecond ``t``, and set the clock there."""
        while True:
            at, name, flight = soonest(self.hosts, self.wire, self.now)
            if at > t:
                break
            if name is not None:
                self._tick(name, at * self.hosts[name].net.times.HZ // 1_000_000)
            else:
                assert flight is not None
                self._deliver(flight)
        if t > self.now:
            self.now = t

    def run(self, steps: int | None = None, limit: int = 100_000) -> int:
        """Let things happen until nothing is left to happen, or ``steps`` of them; how many did."""
        done = 0
        while done < (limit if steps is None else steps) and self.step() is not None:
            done += 1
        return done

    # -- copies ----------------------------------------------------------------------------------------------

    def fork(self) -> World:
        """A copy that goes its own way; nobody listens to it yet.

        Hosts are copied when they are about to change (`host`): until then both worlds have the same ones.
        """
        new = World.__new__(World)
        new.profile = self.profile
        new.seed = self.seed
        new.now = self.now
        new.recorder = None
        new.wire = self.wire.clone()
        new.hosts = self.hosts.copy()
        for host in new.hosts.values():
            host.shared = True
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
        hosts = {name: host.clone(None) for name, host in self.hosts.items()}
        return {"profile": self.profile, "seed": self.seed, "now": self.now, "wire": self.wire, "hosts": hosts}

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            setattr(self, name, value)
        self.recorder = None
        for host in self.hosts.values():
            host.connect(self.wire)


def _first_iss(seed: int, name: str) -> int:
    digest = hashlib.blake2b(f"{seed}/{name}".encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big")


def _checked(hosts: tuple[str, ...], delay: object) -> tuple[str, ...]:
    """``hosts``; a ValueError when no world can be made of them."""
    for name in hosts:
        if name not in ADDRESSES:
            raise ValueError(f"There is no host {name!r}; a world has some of: {', '.join(ADDRESSES)}.")
        if hosts.count(name) > 1:
            raise ValueError(f"A world has each host once, not {name} twice.")
    if not hosts:
        raise ValueError(f"A world has hosts, one or more of: {', '.join(ADDRESSES)}.")
    if not fits(delay, 63):
        raise ValueError(f"The delay is a whole number of microseconds from 0 on, not {delay!r}.")
    return hosts


__all__ = ["CallError", "World", "check_segment"]
