"""The one place where a run is written down.

A `Recorder` holds the records of a world in order.  Each host writes through a
`HostTrace` of its own, which knows the host's clock and which kernel functions
are open.  With nobody listening a host has no `HostTrace` at all, and the
kernel layer runs as it stands, without a test a call (see `kernel.mirror`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tcpnotes.trace import records as r
from tcpnotes.trace.frames import Frame, HostView, InFlight
from tcpnotes.trace.segment import Segment

Snapshot = Callable[[], tuple[tuple[HostView, ...], tuple[InFlight, ...]]]


class Recorder:
    """Keeps the records of a world, and on wish what could be seen after each of them."""

    def __init__(self, snapshot: Snapshot | None = None) -> None:
        self.records: list[r.Record] = []
        self.frames: list[Frame] = []
        self._snapshot = snapshot

    def add(self, record: r.Record) -> None:
        """Write one record; with frames on, also what the world looks like right after it."""
        self.records.append(record)
        if self._snapshot is not None:
            hosts, wire = self._snapshot()
            self.frames.append(Frame(len(self.records) - 1, record, hosts, wire))


class HostTrace:
    """What one host writes with.  ``depth`` counts open kernel functions; ``open`` names them."""

    __slots__ = ("_add", "asleep", "depth", "host", "net", "open")

    def __init__(self, recorder: Recorder, host: str, net: Any) -> None:
        self.host = host
        self.net = net
        self.depth = 0
        self.open: list[str] = []
        self.asleep: dict[int, list[str]] = {}  # task -> what was open when it went to sleep
        self._add: Callable[[Any], None] = recorder.records.append if recorder._snapshot is None else recorder.add

    @property
    def fn(self) -> str | None:
        """The innermost open function with a body in a ``.c`` file."""
        return self.open[-1] if self.open else None

    def enter(self, fn: str, sk: int | None, inline: bool) -> None:
        self._add(r.Enter(self.net.now, self.host, self.depth, fn, sk))
        self.depth += 1
        self.open.append((self.open[-1] if self.open else fn) if inline else fn)

    def leave(self) -> None:
        self.depth -= 1
        self.open.pop()

    def stimulus(self, what: str, detail: str) -> None:
        self._add(r.Stimulus(self.net.now, self.host, 0, what, detail))

    def resumed(self, task: int, call: str) -> None:
        """A task goes on where it slept; functions are open again until `rest`."""
        self.open = self.asleep.pop(task, [])
        self.depth = len(self.open)
        self._add(r.Stimulus(self.net.now, self.host, self.depth, "resume", call, task))

    def rest(self) -> None:
        """The task that went on has left the kernel, or sleeps again."""
        self.open = []
        self.depth = 0

    def call(self, task: int, call: str, args: tuple[Any, ...]) -> None:
        self._add(r.Call(self.net.now, self.host, self.depth, task, call, args))

    def returned(self, task: int, call: str, ret: int, errno: str | None, value: Any, blocked: bool) -> None:
        self._add(r.Return(self.net.now, self.host, self.depth, task, call, ret, errno, value, blocked))

    def sleep(self, task: int, call: str, sk: int, until: int | None) -> None:
        self.asleep[task] = self.open[:]
        self._add(r.Sleep(self.net.now, self.host, self.depth, task, call, sk, until))

    def state(self, sk: int, fd: int | None, old: str, new: str) -> None:
        self._add(r.StateChange(self.net.now, self.host, self.depth, sk, fd, old, new, self.fn))

    def child(self, sk: int, parent: int) -> None:
        self._add(r.Child(self.net.now, self.host, self.depth, sk, parent))

    def sent(self, sk: int | None, seg: Segment, wire: int) -> None:
        self._add(r.Sent(self.net.now, self.host, self.depth, sk, seg, wire, self.fn))

    def received(self, seg: Segment, wire: int | None) -> None:
        self._add(r.Received(self.net.now, self.host, self.depth, seg, wire))

    def lost(self, seg: Segment, wire: int) -> None:
        self._add(r.Lost(self.net.now, self.host, self.depth, seg, wire))

    def queue(self, sk: int, queue: str, op: str, seq: int, end_seq: int, length: int) -> None:
        self._add(r.Queue(self.net.now, self.host, self.depth, sk, queue, op, seq, end_seq, length, self.fn))

    def timer(self, sk: int | None, name: str, op: str, expires: int | None) -> None:
        if expires is not None:
            expires //= self.net.times.factor
        self._add(r.Timer(self.net.now, self.host, self.depth, sk, name, op, expires, self.fn))

    def wake(self, sk: int, which: str) -> None:
        self._add(r.Wake(self.net.now, self.host, self.depth, sk, which, self.fn))

    def count(self, name: str) -> None:
        self._add(r.Count(self.net.now, self.host, self.depth, name, self.fn))

    def bucket(self, tw: int | None, of_sk: int | None, op: str, substate: str | None, timeout: int | None) -> None:
        if timeout is not None:
            timeout //= self.net.times.factor
        self._add(r.Bucket(self.net.now, self.host, self.depth, tw, of_sk, op, substate, timeout, self.fn))

    def freed(self, sk: int) -> None:
        self._add(r.Freed(self.net.now, self.host, self.depth, sk, self.fn))

    def purged(self, sk: int, skbs: int) -> None:
        self._add(r.Purged(self.net.now, self.host, self.depth, sk, skbs, self.fn))

    def sock_err(self, sk: int, err: str | None) -> None:
        self._add(r.SockErr(self.net.now, self.host, 0, sk, err))

    def sock_shutdown(self, sk: int, bits: int) -> None:
        self._add(r.SockShutdown(self.net.now, self.host, 0, sk, bits))

    def signal(self, name: str) -> None:
        self._add(r.Signal(self.net.now, self.host, self.depth, name))

    def printk(self, text: str) -> None:
        self._add(r.Printk(self.net.now, self.host, self.depth, text))
