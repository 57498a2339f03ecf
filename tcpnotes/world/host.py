"""A host: the kernel's TCP and the applications on it."""

from __future__ import annotations

from typing import Any, NamedTuple

from tcpnotes.kernel import mirror
from tcpnotes.kernel.inet_connection_sock import request_timer
from tcpnotes.kernel.inet_timewait_sock import bucket_timer
from tcpnotes.kernel.net import SYSCTL_IN_SECONDS, Net
from tcpnotes.kernel.profile import Profile
from tcpnotes.kernel.sock import (
    DELACK_TIMER,
    ERRNO_NAMES,
    KEEPALIVE_TIMER,
    REQUEST_TIMER,
    RETRANS_TIMER,
    TASK_TIMER,
    TW_TIMER,
    TWKILL_TIMER,
)
from tcpnotes.kernel.tcp_ipv4 import tcp_v4_rcv
from tcpnotes.kernel.tcp_minisocks import tcp_twcal_tick, tcp_twkill
from tcpnotes.kernel.tcp_timer import tcp_delack_timer, tcp_keepalive_timer, tcp_write_timer
from tcpnotes.trace.recorder import HostTrace, Recorder
from tcpnotes.trace.segment import Segment
from tcpnotes.world.outlet import Outlet
from tcpnotes.world.process import Processes, number

_PENDING_NAMES = ("retrans_idle", "retrans", "", "probe0", "", "tail_probe")


class Result(NamedTuple):
    """What a system call returned: -1 and the name of an errno, or a number; ``value`` for calls that give one."""

    ret: int
    errno: str | None
    value: Any


class Host:
    """One machine.  Everything that reaches it from outside is a stimulus: a call, a segment, a tick."""

    __slots__ = ("name", "net", "processes", "shared", "wire")

    wire: Outlet

    def __init__(self, name: str, address: int, profile: Profile, iss_base: int, wire: Outlet) -> None:
        self.name = name
        self.net = Net(name, address, profile, iss_base)
        self.processes = Processes(self.net)
        self.shared = False  # once several worlds have it, it never changes again
        self.connect(wire)

    def connect(self, wire: Outlet | None) -> None:
        """Lead what the host sends onto ``wire``."""
        if wire is not None:
            self.wire = wire
            self.net.output = self._send

    def _send(self, seg: Segment, sk: int | None) -> None:
        net = self.net
        number = self.wire.send(self.name, net.now, seg)
        if net.trace is not None:
            net.trace.sent(sk, seg, number)

    def listen(self, recorder: Recorder) -> HostTrace:
        """Write down from now on what happens here."""
        net = self.net
        net.trace = HostTrace(recorder, self.name, net)
        net.watched = {sk.id: (sk.err, sk.shutdown) for sk in net.socks.values()}
        return net.trace

    @property
    def address(self) -> int:
        """The host's IPv4 address as an integer."""
        return self.net.address

    def call(self, name: str, args: tuple[Any, ...]) -> int:
        """A system call; the number of its task."""
        net = self.net
        if mirror.worn is (net.trace is None):
            self._attend()
        task = self.processes.call(name, args)
        if net.run_queue or net.trace is not None:
            self._settle()
        return task

    def receive(self, seg: Segment, wire: int | None) -> None:
        """A segment arrives."""
        net = self.net
        trace = net.trace
        if mirror.worn is (trace is None):
            self._attend()
        if trace is not None:
            trace.stimulus("packet", seg.flag_letters)
            trace.received(seg, wire)
        tcp_v4_rcv(net, seg)
        if net.run_queue or trace is not None:
            self._settle()

    def tick(self, jiffies: int) -> None:
        """Run every timer that is due at tick ``jiffies``, first armed first; then the tasks they woke."""
        net = self.net
        if mirror.worn is (net.trace is None):
            self._attend()
        net.in_tick = True
        while (due := net.next_tick()) is not None and due <= jiffies:
            _, kind, owner = net.timers[due][0]
            self._fire(kind, owner)
            if net.trace is not None:
                self._report()
        net.in_tick = False
        self._settle()

    def _fire(self, kind: int, owner: int) -> None:
        net = self.net
        trace = net.trace
        if kind == TASK_TIMER:
            task = net.tasks[owner]
            assert task.timer is not None
            if trace is not None:
                trace.timer(None, "schedule_timeout", "fire", task.timer[0])
            task.timer, task.timeo = None, 0
            if task.asleep:
                task.asleep = False
                net.run_queue.append(task.id)
            return
        if kind == TW_TIMER:
            bucket_timer(net, owner)
            return
        if kind == REQUEST_TIMER:
            request_timer(net, owner)
            return
        if kind >= TWKILL_TIMER:
            mark = net.tw_timer if kind == TWKILL_TIMER else net.twcal_timer
            assert mark is not None
            if trace is not None:
                trace.stimulus("timer", "twkill" if kind == TWKILL_TIMER else "twcal")
                trace.timer(None, "twkill" if kind == TWKILL_TIMER else "twcal", "fire", mark[0])
            if kind == TWKILL_TIMER:
                net.tw_timer = None
                tcp_twkill(net)
            else:
                net.twcal_timer = None
                tcp_twcal_tick(net)
            return
        sk = net.socks[owner]
        if kind == RETRANS_TIMER:
            mark, name = sk.retransmit_timer, _PENDING_NAMES[sk.pending]
            sk.retransmit_timer = None
        elif kind == DELACK_TIMER:
            mark, name = sk.delack_timer, "delack"
            sk.delack_timer = None
        else:
            mark, name = sk.timer, "keepalive"
            sk.timer = None
        assert mark is not None
        if trace is not None:
            trace.stimulus("timer", name)
            trace.timer(sk.id, name, "fire", mark[0])
        if kind == RETRANS_TIMER:
            tcp_write_timer(sk)
        elif kind == DELACK_TIMER:
            tcp_delack_timer(sk)
        elif kind == KEEPALIVE_TIMER:
            tcp_keepalive_timer(sk)

    def _attend(self) -> None:
        """Something reaches the host: kernel functions are to be seen if somebody listens, and only then."""
        if self.net.trace is None:
            mirror.strip()
        else:
            mirror.instrument()

    def _report(self) -> None:
        """Tell the trace of errors and shutdown bits that are not what was reported last."""
        net = self.net
        trace = net.trace
        assert trace is not None
        watched = net.watched
        for id_, sk in net.socks.items():
            now = (sk.err, sk.shutdown)
            before = watched.get(id_, (0, 0))
            if now != before:
                watched[id_] = now
                if now[0] != before[0]:
                    trace.sock_err(id_, ERRNO_NAMES[sk.err] if sk.err else None)
                if now[1] != before[1]:
                    trace.sock_shutdown(id_, sk.shutdown)
        if len(watched) > len(net.socks):
            for id_ in watched.keys() - net.socks.keys():
                del watched[id_]

    def _settle(self) -> None:
        """After a stimulus: the tasks it woke go on, in the order they were woken."""
        net = self.net
        if net.trace is not None:
            self._report()
        while net.run_queue:
            task = net.tasks[net.run_queue.pop(0)]
            self.processes.resume(task)
            if net.trace is not None:
                self._report()

    def result(self, task: int) -> Result | None:
        """What the call returned; None while it sleeps."""
        answer = self.processes.results.get(task)
        return None if answer is None else tuple.__new__(Result, answer)

    def set_sysctl(self, name: str, value: Any) -> None:
        """Set a sysctl in the unit of /proc (seconds for timeouts); ValueError for an unknown name or a bad value."""
        name = name.rsplit(".", 1)[-1]
        if name not in self.net.sysctl:
            known = ", ".join(sorted(self.net.sysctl))
            raise ValueError(f"There is no sysctl {name!r}; there are: {known}.")
        number(value, f"the sysctl {name}", 0)
        value = value * self.net.times.HZ if name in SYSCTL_IN_SECONDS else value
        self.net.sysctl = {**self.net.sysctl, name: value}

    def clone(self, wire: Outlet | None) -> Host:
        """A copy that sends onto ``wire``."""
        new = Host.__new__(Host)
        new.name = self.name
        new.net = self.net.clone()
        new.processes = self.processes.clone(new.net)
        new.shared = False
        new.connect(wire)
        return new

    def freeze(self) -> tuple[object, ...]:
        """All of it as a tuple."""
        return (self.name, self.net.freeze(), self.processes.freeze())
