"""Run a script against the engine: its calls and inbound segments at their times, its expectations in between.

One host stands in a world of its own; the peer is what the script says comes in.
Time is the world's, so a script takes no longer than its events.  The first thing
that is not as the script has it ends the run.

Timing follows packetdrill: ``+t`` counts from the moment the event before was done,
and what leaves may differ from its time by the larger of ``--tolerance_usecs`` (4 ms)
and an eighth of the time waited for it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from tcpnotes.kernel.profile import Profile
from tcpnotes.kernel.tcp import POLLERR, POLLHUP, tcp_poll
from tcpnotes.packetdrill.assertions import AssertionBroken, Assertions, CodeRefused
from tcpnotes.packetdrill.calls import CallRefused, Planned, Polled, translate
from tcpnotes.packetdrill.commands import CommandRefused, numbers, understand
from tcpnotes.packetdrill.info import info_of
from tcpnotes.packetdrill.outcome import Differs, Outcome, Refusal, Refused, Step
from tcpnotes.packetdrill.script import Array, Call, Code, Command, Event, Foreign, Packet, Script, Struct, seconds
from tcpnotes.packetdrill.segments import OURS, Segments, merged
from tcpnotes.trace import records as r
from tcpnotes.world import World
from tcpnotes.world.host import Result
from tcpnotes.world.process import (
    SOL_SOCKET_NAMES,
    SOL_TCP_NAMES,
    CallError,
    poll_mask,
    poll_names,
)

TOLERANCE = 4_000  # microseconds
PATIENCE = 600_000_000  # how long a segment is waited for when a script sets no time, and a call that must return
_OPTIONS = frozenset(SOL_SOCKET_NAMES + SOL_TCP_NAMES)
_MESSAGES = frozenset({"MSG_PEEK", "MSG_DONTWAIT", "MSG_WAITALL", "MSG_NOSIGNAL", "MSG_OOB", "MSG_MORE", "MSG_TRUNC"})
_UNABLE = ("udp_encaps", "so_filename", "so_flags")  # options of packetdrill that ask for another stack


def run_script(script: Script, profile: str | Profile = "linux-6", frames: bool = False) -> Outcome:
    """Run ``script`` under a profile; with ``frames`` the recorder of the outcome can be stepped through."""
    return _Run(script, profile, frames).run()


class _Waiting(NamedTuple):
    """A call that has not returned: what it must bring, when it must return (None: whenever)."""

    event: Event
    planned: Planned
    finished: Callable[[], Result | None]
    since: int
    until: int | None


class _Run:
    def __init__(self, script: Script, profile: str | Profile, frames: bool) -> None:
        self.script = script
        self.world = World(profile, hosts=("A",))
        net = self.world.host("A").net
        net.iss_base, net.iss_moves = OURS, False
        self.recorder = self.world.listen(frames)
        self.outcome = Outcome(script, self.world.profile.name, self.recorder)
        self.sent: list[r.Sent] = []
        self.seen = 0  # records looked at
        self.next = 0  # of `sent`, the first that no event has claimed
        self.base = 0  # when the event before was done
        self.fds: dict[int, int] = {}  # the script's descriptors -> the engine's
        self.epolls: dict[int, dict[int, Polled]] = {}  # descriptor -> what it watches
        self.watched: int | None = None  # whose tcp_info is asserted
        self.waiting: list[_Waiting] = []
        self.assertions = Assertions()
        self.tolerance = self._number("tolerance_usecs", TOLERANCE)
        self.segments = Segments(self.tolerance, self._number("tcp_ts_tick_usecs", 0))

    def _number(self, option: str, otherwise: int) -> int:
        text = self.script.options.get(option)
        if text is None:
            return otherwise
        if not (text.isascii() and text.isdigit()) or len(text) > 12:
            self.outcome.refusal = Refusal(None, f"the option --{option} takes a number, not {text!r}.")
            return otherwise
        return int(text)

    # -- the whole -------------------------------------------------------------------------------------------------

    def run(self) -> Outcome:
        outcome = self.outcome
        if outcome.refusal is not None:
            return outcome
        try:
            self._check_options()
            for event in self.script.events:
                self._event(event)
            self._await_all()
        except Differs as end:
            outcome.difference = end.difference
        except Refused as end:
            outcome.refusal = end.refusal
        if outcome.passed and (difference := self.segments.judge()) is not None:
            outcome.difference = difference
            at = next(i for i, step in enumerate(outcome.steps) if step.event is difference.event)
            del outcome.steps[at:]
        return outcome

    def _check_options(self) -> None:
        options = self.script.options
        version = options.get("ip_version", "ipv4")
        if version not in ("ipv4", ""):
            raise Refused(None, f"the engine speaks IPv4 only, not {version} (--ip_version).")
        for name in _UNABLE:
            if name in options:
                raise Refused(None, f"the option --{name} asks for something that the engine has not.")
        if options.get("mtu", "1500") != "1500":
            raise Refused(None, "the engine's device takes packets of 1500 bytes: --mtu must be 1500.")

    def _event(self, event: Event) -> None:
        action = event.action
        match action:
            case Command():
                self._command(event, action)
            case Packet(outbound=True):
                self._expect(event, action)
            case Packet():
                self._go_to(event)
                self._inject(event, action)
            case Call():
                self._go_to(event)
                self._call(event, action)
            case Code():
                self._go_to(event)
                self._code(event, action)
            case Foreign():
                raise Refused(event, f"the engine has nothing for {action.what}.")

    def _done(self, event: Event, note: str = "") -> None:
        self.base = self.world.now
        self.outcome.steps.append(Step(event, self.world.now, note))

    # -- time ------------------------------------------------------------------------------------------------------

    def _go_to(self, event: Event) -> None:
        """Let time pass up to an event that is ours to make."""
        assert event.when is not None
        at = event.when.first + (self.base if event.when.kind == "relative" else 0)
        self._advance(at)
        self.base = self.world.now

    def _advance(self, t: int) -> None:
        """Let everything happen up to microsecond ``t``; calls that return meanwhile are looked at at once."""
        world = self.world
        while (due := world.next_due()) is not None and due[0] <= t:
            world.apply(due[1])
            self._look()
        if t > world.now:
            world.run_until(t)
        self._look()

    def _look(self) -> None:
        """Collect what has left, and check calls that have returned."""
        records = self.recorder.records
        for record in records[self.seen :]:
            if isinstance(record, r.Sent):
                self.sent.append(record)
                self.segments.learn(record.seg)
        self.seen = len(records)
        for waiting in list(self.waiting):
            result = waiting.finished()
            if result is not None:
                self.waiting.remove(waiting)
                self._check_return(waiting, result)

    # -- commands and code -----------------------------------------------------------------------------------------

    def _command(self, event: Event, command: Command) -> None:
        if event.when is not None:
            self._go_to(event)
        try:
            understood = understand(command.text)
        except CommandRefused as error:
            raise Refused(event, str(error)) from None
        left_out = list(understood.ignored)
        for name, value in understood.sysctls:
            if not self._sysctl(name, value):
                left_out.append(f"{name}={value}")
        self._done(event, f"left out: {'; '.join(left_out)}" if left_out else "")
        if left_out:
            self.outcome.ignored.append(self.outcome.steps[-1])

    def _sysctl(self, name: str, value: str) -> bool:
        """Set a kernel parameter; False when the engine has none of that name."""
        known = self.world.host("A").net.sysctl
        found = numbers(value)
        if len(found) == 3 and f"{name}_max" in known:
            self.world.sysctl("A", name, found[1])
            self.world.sysctl("A", f"{name}_max", found[2])
            return True
        if name == "ip_local_port_range" and len(found) == 2:
            self.world.sysctl("A", "ip_local_port_low", found[0])
            self.world.sysctl("A", "ip_local_port_high", found[1])
            return True
        if name not in known or len(found) != 1:
            return False
        self.world.sysctl("A", name, found[0])
        return True

    def _code(self, event: Event, code: Code) -> None:
        info: dict[str, Any] = {}
        if self.watched is not None:
            processes = self.world.host("A").processes
            file = processes.files.get(self.fds.get(self.watched, -1))
            if file is not None:
                info = info_of(self.world.host("A").net.socks[file.sk])
        try:
            self.assertions.run(code.text, info)
        except AssertionBroken as broken:
            raise Differs(event, f"assert {broken}", broken.values or "it does not hold") from None
        except CodeRefused as error:
            sentence = str(error)
            if not info and "tcpi_" in sentence:
                sentence = "there is no connection whose tcp_info could be looked at."
            raise Refused(event, sentence) from None
        self._done(event)

    # -- calls -----------------------------------------------------------------------------------------------------

    def _call(self, event: Event, call: Call) -> None:
        while self.waiting:  # one process makes all calls: the one before must have returned
            self._await(self.waiting[0])
        try:
            planned = translate(call, _OPTIONS, _MESSAGES)
            finished = self._make(planned, event)
        except (CallRefused, CallError) as error:
            raise Refused(event, str(error)) from None
        until = call.until
        if until is not None and event.when is not None and event.when.kind == "relative":
            until += self.base - event.when.first
        waiting = _Waiting(event, planned, finished, self.world.now, until)
        result = finished()
        if until is not None and result is None:
            self.waiting.append(waiting)
            self._look()
            self._done(event, "asleep")
            return
        if result is None:
            self.waiting.append(waiting)
            self._await(waiting)
        else:
            self._look()
            self._check_return(waiting, result)
        self._done(event)

    def _make(self, planned: Planned, event: Event) -> Callable[[], Result | None]:
        """Make the call; what comes back says whether it has returned."""
        world = self.world
        host = world.host("A")
        match planned.name:
            case "poll":
                return self._poll(planned, event)
            case "epoll_create":
                return lambda: Result(0, None, None)
            case "epoll_ctl" | "epoll_wait":
                return self._epoll(planned, event)
            case "close" if planned.fd in self.epolls:
                del self.epolls[planned.fd]
                return lambda: Result(0, None, None)
        args = planned.args
        if planned.fd is not None:
            live = self.fds.get(planned.fd)
            if live is None:
                live = -1 if planned.fd < 0 else 1_000_000 + planned.fd  # a descriptor that is not open
            args = (live, *args)
        if planned.name in ("F_GETFL", "passed over"):
            file = host.processes.files.get(args[0])
            if file is None:
                return lambda: Result(-1, "EBADF", None)
            flags = 2 | (0o4000 if file.nonblock else 0)
            return lambda: Result(flags if planned.name == "F_GETFL" else 0, None, None)
        if planned.name == "listen":
            self.segments.fresh = True
        if planned.name == "connect":
            self.segments.connecting = True
        if planned.name == "bind":
            self.segments.our_port = planned.args[0]
        task = world.call("A", planned.name, *args)
        return lambda: world.result("A", task)

    def _poll(self, planned: Planned, event: Event) -> Callable[[], Result | None]:
        entries: tuple[Polled, ...]
        entries, patience = planned.args
        end = None if patience < 0 else self.world.now + patience * 1000

        def finished() -> Result | None:
            names = [self._ready(entry.fd, entry.events) for entry in entries]
            count = sum(map(bool, names))
            if not count and patience and (end is None or self.world.now < end):
                return None
            for entry, actual in zip(entries, names, strict=True):
                if entry.revents is not None and actual != entry.revents:
                    wanted, got = ("|".join(sorted(mask)) or "0" for mask in (entry.revents, actual))
                    raise Differs(event, f"revents={wanted}", f"revents={got}", ("revents",))
            return Result(count, None, None)

        return finished

    def _ready(self, fd: int, events: str) -> frozenset[str]:
        """What poll says of one descriptor, asked in silence: looking changes nothing."""
        host = self.world.host("A")
        file = host.processes.files.get(self.fds.get(fd, -1))
        if file is None:
            return frozenset({"POLLNVAL"})
        mask = tcp_poll(host.net.socks[file.sk]) & (poll_mask(events) | POLLERR | POLLHUP)
        return frozenset(poll_names(mask).split("|")) - {"0"}

    def _epoll(self, planned: Planned, event: Event) -> Callable[[], Result | None]:
        watched = self.epolls.get(planned.fd if planned.fd is not None else -1)
        if watched is None:
            return lambda: Result(-1, "EBADF", None)
        if planned.name == "epoll_ctl":
            operation, fd, entry = planned.args
            known = fd in watched
            if fd not in self.fds:
                return lambda: Result(-1, "EBADF", None)
            if known is (operation == "EPOLL_CTL_ADD"):
                return lambda: Result(-1, "EEXIST" if known else "ENOENT", None)
            watched.pop(fd, None)
            if entry is not None:
                watched[fd] = entry
            return lambda: Result(0, None, None)
        expected: tuple[Polled, ...]
        expected, patience = planned.args
        end = None if patience < 0 else self.world.now + patience * 1000

        def finished() -> Result | None:
            found = []
            for fd, entry in watched.items():
                names = {f"E{name}" for name in self._ready(fd, entry.events.replace("EPOLL", "POLL"))}
                if names and fd in self.fds:
                    found.append(Polled(entry.fd, "|".join(sorted(names)), None))
            if not found and patience and (end is None or self.world.now < end):
                return None
            for wanted, actual in zip(expected, found, strict=False):
                if wanted.fd != actual.fd or wanted.revents != frozenset(actual.events.split("|")):
                    raise Differs(
                        event, f"events={wanted.events}, fd={wanted.fd}", f"events={actual.events}, fd={actual.fd}",
                        ("events",),
                    )  # fmt: skip
            return Result(len(found), None, None)

        return finished

    def _await(self, waiting: _Waiting) -> None:
        """Let time pass until a call returns."""
        world = self.world
        limit = world.now + PATIENCE
        while waiting in self.waiting:
            due = world.next_due()
            if due is None or due[0] > limit:
                raise Differs(waiting.event, f"{_said(waiting.planned)}", "the call never returns", ("time",))
            world.apply(due[1])
            self._look()

    def _await_all(self) -> None:
        while self.waiting:
            self._await(self.waiting[0])

    def _check_return(self, waiting: _Waiting, result: Result) -> None:
        event, planned = waiting.event, waiting.planned
        actual = f"{result.ret} {result.errno}" if result.errno else str(result.ret)
        if waiting.until is not None:
            allowed = self._allowed(waiting.until - waiting.since)
            if abs(self.world.now - waiting.until) > allowed:
                raise Differs(
                    event, f"returns at {seconds(waiting.until)} s (± {seconds(allowed)})",
                    f"returned at {seconds(self.world.now)} s", ("time",),
                )  # fmt: skip
        if planned.opens and result.ret >= 0:
            self._new_fd(event, planned, result.ret)
            return
        if planned.expected is not None and result.ret != planned.expected:
            raise Differs(event, _said(planned), actual, ("result",))
        if planned.errno is not None and result.errno != planned.errno:
            raise Differs(event, _said(planned), actual, ("errno",))
        if planned.value is not None and result.ret >= 0 and planned.name != "setsockopt":
            value = result.value
            if str(value) != str(planned.value) and not (value == 0 and planned.value in ("0", 0)):
                raise Differs(event, f"value {planned.value}", f"value {value}", ("value",))
        if planned.name == "close" and planned.fd is not None:
            self.fds.pop(planned.fd, None)
        if planned.name == "connect":
            self.watched = planned.fd

    def _new_fd(self, event: Event, planned: Planned, live: int) -> None:
        """A call gave a descriptor: the lowest free one, or another that the script then uses in its place."""
        lowest = 3
        while lowest in self.fds or lowest in self.epolls:
            lowest += 1
        wanted = lowest if planned.expected is None else planned.expected
        if wanted != lowest:
            used = _descriptors_used(self.script.events, event)
            if wanted < 0 or wanted in self.fds or wanted in self.epolls or wanted not in used or lowest in used:
                raise Differs(event, _said(planned), str(lowest), ("result",))
        if planned.name == "epoll_create":
            self.epolls[wanted] = {}
            return
        self.fds[wanted] = live
        if planned.nonblock:
            self.world.host("A").processes.files[live].nonblock = True
        if planned.name == "accept":
            self.watched = wanted

    # -- segments that come in -------------------------------------------------------------------------------------

    def _inject(self, event: Event, packet: Packet) -> None:
        if packet.options is not None and packet.options.foreign:
            raise Refused(event, f"the engine has no TCP option {packet.options.foreign}.")
        self.world.inject("A", self.segments.inbound(packet))
        self._look()
        self._done(event)

    # -- segments that go out --------------------------------------------------------------------------------------

    def _expect(self, event: Event, packet: Packet) -> None:
        when = event.when
        assert when is not None
        if packet.options is not None and packet.options.foreign:
            raise Refused(event, f"the engine has no TCP option {packet.options.foreign}.")
        base = self.base if when.kind == "relative" else 0
        first, last = base + when.first, base + (when.first if when.last is None else when.last)
        allowed = self._allowed(max(last - self.base, 0))
        sent = self._next_sent(self.world.now + PATIENCE if when.kind == "any" else last + allowed)
        if sent is None:
            sent = self._next_sent(max(self.world.now, last) + PATIENCE)
            said = (
                "nothing leaves"
                if sent is None
                else f"nothing until {self.segments.shown(sent)} at {seconds(sent.t)} s"
            )
            raise Differs(event, f"{packet} at {_span(first, last)}", said, ("time",))
        seg, count = merged(self.sent[self.next :], packet)
        self.segments.compare(event, packet, sent, seg, first if when.kind != "any" else sent.t)
        if when.kind != "any" and not first - allowed <= sent.t <= last + allowed:
            raise Differs(
                event, f"at {_span(first, last)} (± {seconds(allowed)})", f"at {seconds(sent.t)} s", ("time",)
            )  # fmt: skip
        self.next += count
        self._done(event, "" if count == 1 else f"{count} segments")

    def _allowed(self, waited: int) -> int:
        return max(self.tolerance, waited // 8)

    def _next_sent(self, limit: int) -> r.Sent | None:
        """The next segment that no event has claimed, letting time pass up to ``limit``."""
        world = self.world
        self._look()
        while self.next >= len(self.sent):
            due = world.next_due()
            if due is None or due[0] > limit:
                return None
            world.apply(due[1])
            self._look()
        return self.sent[self.next]


def _descriptors_used(events: tuple[Event, ...], after: Event) -> set[int]:
    """The descriptors that calls after an event use, up to where one opens them anew."""
    used: set[int] = set()
    opened: set[int] = set()
    at = next(i for i, event in enumerate(events) if event is after)
    for event in events[at + 1 :]:
        call = event.action
        if not isinstance(call, Call):
            continue
        for arg in call.args[:1]:
            if isinstance(arg, int) and arg not in opened:
                used.add(arg)
            elif isinstance(arg, Array):
                found = [item.field("fd") for item in arg.items if isinstance(item, Struct)]
                used |= {fd for fd in found if isinstance(fd, int)}
        if call.name in ("socket", "accept", "accept4", "epoll_create") and isinstance(call.result, int):
            opened.add(call.result)
    return used


def _span(first: int, last: int) -> str:
    return f"{seconds(first)} s" if first == last else f"{seconds(first)} to {seconds(last)} s"


def _said(planned: Planned) -> str:
    expected = "..." if planned.expected is None else str(planned.expected)
    return f"{expected} {planned.errno}" if planned.errno else expected
