"""A scenario on two live hosts: the clock is real, and the wire is a loop that holds every segment for its delay."""

from __future__ import annotations

import contextlib
import heapq
import os
import select
import threading
import time
from pathlib import Path
from typing import Any, NamedTuple

from tcpnotes.live.calls import Application
from tcpnotes.live.errors import LiveError
from tcpnotes.live.namespaces import Namespace
from tcpnotes.live.tracepoints import TracePoints, joined, traced
from tcpnotes.live.watch import Counters, Watcher
from tcpnotes.live.wire import Card
from tcpnotes.scenarios import Scenario
from tcpnotes.scenarios.expressions import evaluate
from tcpnotes.scenarios.loader import Call, Crash, Inject, Lose, Step
from tcpnotes.scenarios.run import Rule, opening
from tcpnotes.scenarios.tables import HOSTS
from tcpnotes.trace import records as r
from tcpnotes.trace.segment import ACK, RST, Segment

_LOOK = 1_000  # microseconds between two looks at whether a call sleeps
_SLEPT = 20_000  # a call that has taken longer slept, if nobody looked
_SLEEPS = 300_000  # a call that takes longer sleeps, whatever can be seen of it
_READY = 0.05  # seconds between the last preparation and time 0
_SYSCTLS = {"tcp_congestion_control": "reno", "tcp_no_metrics_save": "1"}


class _End:
    """What the wire tells of a host's latest connection."""

    def __init__(self, seg: Segment, sent: bool) -> None:
        self.ports = (seg.sport, seg.dport) if sent else (seg.dport, seg.sport)
        self.addresses = (seg.saddr, seg.daddr) if sent else (seg.daddr, seg.saddr)
        self.numbers: dict[str, int] = {}

    def sent(self, seg: Segment) -> None:
        if seg.flags & ACK and not seg.flags & RST:
            self.numbers["rcv_nxt"] = seg.ack_seq
        if "snd_nxt" not in self.numbers or (seg.end_seq - self.numbers["snd_nxt"]) & 0xFFFFFFFF < 1 << 31:
            self.numbers["snd_nxt"] = seg.end_seq

    def received(self, seg: Segment) -> None:
        if seg.flags & ACK:
            self.numbers["snd_una"] = seg.ack_seq


class _Due(NamedTuple):
    t: int
    number: int
    to: str
    seg: Segment
    packet: bytes | None  # None: it is lost now


class _UnderWay:
    """A call that has not returned."""

    def __init__(self, t: int) -> None:
        self.t = t
        self.thread: int | None = None
        self.sleeps = False

    def look(self, now: int) -> bool:
        """Does it sleep?  The kernel says where a thread sleeps; one that waits for the interpreter is in a futex."""
        if self.thread is not None:
            with contextlib.suppress(OSError):
                where = Path(f"/proc/self/task/{self.thread}/wchan").read_text(encoding="ascii")
                self.sleeps = where not in ("", "0") and not where.startswith("futex")
        self.sleeps = self.sleeps or now - self.t > _SLEEPS
        return self.sleeps


class LiveStage:
    """Two hosts, their applications and the wire between them; `run` lets a scenario happen and gives its records."""

    def __init__(self, scenario: Scenario, addresses: dict[str, str], points: TracePoints) -> None:
        self._scenario = scenario
        self._addresses = addresses
        self._points = points
        self._records: list[r.Record] = []
        self._lock = threading.Lock()
        self._start = time.monotonic()
        self._hosts = {name: Namespace(name, addresses[name], addresses[HOSTS[1 - i]]) for i, name in enumerate(HOSTS)}
        self._cards: dict[str, Card] = {}
        for host in HOSTS:
            self._boot(host)
        self._applications = {name: Application(host) for name, host in self._hosts.items()}
        self._watchers = {
            name: Watcher(host, self.now, self._add, states=not points.there) for name, host in self._hosts.items()
        }
        self._counters = {name: Counters(host) for name, host in self._hosts.items()}
        self.late = 0  # microseconds by which a step or an arrival was behind its time at most
        self._rules: list[Rule] = []
        self._due: list[_Due] = []
        self._sent = 0
        self._latest = dict.fromkeys(HOSTS, 0)  # when each host sent last
        self._ends: dict[str, _End] = {}
        self._tasks = dict.fromkeys(HOSTS, 0)
        self._calls: dict[tuple[str, int], _UnderWay] = {}
        self._answers: list[tuple[int, str, int, str, Any]] = []
        self._wake, self._waker = os.pipe()
        os.set_blocking(self._wake, False)

    def now(self) -> int:
        """Microseconds since the run began."""
        return round((time.monotonic() - self._start) * 1_000_000)

    def _add(self, record: r.Record) -> None:
        with self._lock:
            self._records.append(record)

    def _boot(self, host: str) -> None:
        namespace = self._hosts[host]
        outer = namespace.boot()
        if host in self._cards:
            self._cards[host].close()
        self._cards[host] = Card(host, outer)
        wanted = dict(_SYSCTLS)
        for where, name, value in self._scenario.sysctl:
            if where == host:
                wanted[name] = str(value)
        for name, text in wanted.items():
            namespace.do(lambda name=name, text=text: _set(namespace, name, text))  # type: ignore[misc]

    # -- the loop ------------------------------------------------------------------------------------------

    def run(self, end: int) -> list[r.Record]:
        """Let it happen until ``end`` (microseconds); the records in the order of time."""
        script: list[Step] = [*opening(self._scenario), *self._scenario.script]
        self._start = time.monotonic() + _READY
        for watcher in self._watchers.values():
            watcher.start()
        number = 0
        while (now := self.now()) < end:
            self._answer()
            self._deliver()
            self._catch()
            while number < len(script) and script[number].at <= now and not self._busy(script[number]):
                number += 1
                self.late = max(self.late, self.now() - script[number - 1].at)
                self._do(script[number - 1], number - len(opening(self._scenario)))
            due = [end]
            if self._due:
                due.append(self._due[0].t)
            if number < len(script):
                due.append(max(script[number].at, self._busy(script[number])))
            pause = max(min(due) - self.now(), 0) / 1_000_000
            files: list[Card | int] = [*self._cards.values(), self._wake]
            select.select(files, [], [], pause)
        return self._finish()

    def _finish(self) -> list[r.Record]:
        self._answer()
        for watcher in self._watchers.values():
            watcher.stop()
        t = self.now()
        for counters in self._counters.values():
            self._records += counters.moved(t)
        if not self._points.there:
            return sorted(self._records, key=lambda record: record.t)
        hosts = {address: name for name, address in self._addresses.items()}
        states, ports = traced(self._points.lines(), self._start, hosts)
        watched = self._watchers.items()
        buckets = {(name, tw): (name, *key) for name, watcher in watched for tw, key in watcher.ports.items()}
        return joined(states, ports, self._records, buckets)

    def _do(self, step: Step, number: int) -> None:
        match step:
            case Call():
                self._call(step)
            case Lose():
                self._rules.append(Rule(step))
            case Inject():
                self._inject(step, number)
            case Crash():
                t = self.now()
                self._add(r.Stimulus(t, step.host, 0, "crash", ""))
                self._applications[step.host].crash()
                self._watchers[step.host].boot(lambda: self._boot(step.host))
                self._counters[step.host] = Counters(self._hosts[step.host])

    # -- calls -----------------------------------------------------------------------------------------------

    def _call(self, step: Call) -> None:
        host = step.host
        self._tasks[host] += 1
        task = self._tasks[host]
        application = self._applications[host]
        t = self.now()
        self._add(r.Stimulus(t, host, 0, "call", step.call))
        self._add(r.Call(t, host, 0, task, step.call, step.args))
        under_way = self._calls[host, task] = _UnderWay(t)

        def go() -> None:
            under_way.thread = threading.get_native_id()
            answer = application.call(step.call, step.args)
            with self._lock:
                self._answers.append((self.now(), host, task, step.call, answer))
            os.write(self._waker, b".")

        threading.Thread(target=go, name=f"{host} {step.call}", daemon=True).start()

    def _busy(self, step: Step) -> int:
        """Until when a step waits, because an earlier call of its host has neither returned nor gone to sleep; or 0."""
        if not isinstance(step, Call):
            return 0
        now = self.now()
        for (host, _), call in self._calls.items():
            if host == step.host and not call.sleeps and not call.look(now):
                return now + _LOOK
        return 0

    def _answer(self) -> None:
        """Write down the calls that have returned."""
        with contextlib.suppress(BlockingIOError):
            os.read(self._wake, 4096)
        with self._lock:
            answers, self._answers = self._answers, []
        for t, host, task, call, answer in answers:
            made = self._calls.pop((host, task))
            slept = made.sleeps or t - made.t > _SLEPT
            if slept:
                self._add(r.Sleep(made.t, host, 0, task, call, 0, None))
            self._add(r.Return(t, host, 0, task, call, answer.ret, answer.errno, answer.value, slept))
            self._watchers[host].poke()

    # -- segments ----------------------------------------------------------------------------------------------

    def _catch(self) -> None:
        """Take what the hosts have sent onto the wire."""
        for host, card in self._cards.items():
            while (caught := card.catch()) is not None:
                # Stamps become times by two clocks that are read one after the other: the order of sending stands.
                t = max(self._latest[host], round((caught.stamp - self._start) * 1_000_000))
                self._latest[host] = t
                seg = caught.seg
                self._sent += 1
                self._add(r.Sent(t, host, 0, None, seg, self._sent, None))
                if host not in self._ends or self._ends[host].ports != (seg.sport, seg.dport):
                    self._ends[host] = _End(seg, True)
                self._ends[host].sent(seg)
                lost = any(rule.takes(host, t, seg) for rule in self._rules)
                arrives = t + (self._scenario.delay // 2 if lost else self._scenario.delay)
                other = HOSTS[1 - HOSTS.index(host)]
                heapq.heappush(self._due, _Due(arrives, self._sent, other, seg, None if lost else caught.frame))
                self._watchers[host].poke()

    def _deliver(self) -> None:
        """Let arrive, or be lost, what is due."""
        while self._due and self._due[0].t <= self.now():
            due = heapq.heappop(self._due)
            self.late = max(self.late, self.now() - due.t)
            if due.packet is None:
                src = HOSTS[1 - HOSTS.index(due.to)]
                self._add(r.Lost(due.t, src, 0, due.seg, due.number))
            else:
                self._arrive(due.to, due.seg, due.packet, due.number)

    def _arrive(self, to: str, seg: Segment, packet: bytes, wire: int | None) -> None:
        t = self.now()
        self._add(r.Stimulus(t, to, 0, "packet", seg.flag_letters))
        self._add(r.Received(t, to, 0, seg, wire))
        if to not in self._ends:
            self._ends[to] = _End(seg, False)
        self._ends[to].received(seg)
        self._cards[to].put(packet)
        self._watchers[to].poke()

    def _inject(self, step: Inject, number: int) -> None:
        end = self._ends.get(step.to)
        where = f"script[{number}].inject"
        if end is None:
            raise LiveError(f"{self._scenario.file}: {where}: host {step.to} has no connection at that time.")
        try:
            seq = evaluate(step.seq, end.numbers)
            ack = evaluate(step.ack, end.numbers) if step.flags & ACK else 0
        except KeyError as error:
            raise LiveError(f"{self._scenario.file}: {where}: the wire does not tell {error.args[0]} yet.") from None
        (here, there), (port, its_port) = end.addresses, end.ports
        seg = Segment(there, its_port, here, port, seq, ack, step.flags, step.window, step.len)
        self._arrive(step.to, seg, self._cards[step.to].packet(seg), None)


_ONE_OF_MANY = {  # what the engine calls by a name of its own -> the sysctl, and which of its numbers
    "tcp_rmem": ("tcp_rmem", 1), "tcp_wmem": ("tcp_wmem", 1),
    "ip_local_port_low": ("ip_local_port_range", 0), "ip_local_port_high": ("ip_local_port_range", 1),
}  # fmt: skip


def _set(host: Namespace, name: str, text: str) -> None:
    """Set a sysctl of net/ipv4."""
    name, place = _ONE_OF_MANY.get(name, (name, None))
    if place is not None:
        numbers = Path(f"/proc/sys/net/ipv4/{name}").read_text(encoding="ascii").split()
        numbers[place] = text
        if name != "ip_local_port_range":  # the least may not be more than what a buffer begins with
            numbers[0] = str(min(int(numbers[0]), int(text)))
        text = " ".join(numbers)
    host.sysctl(f"net/ipv4/{name}", text)
