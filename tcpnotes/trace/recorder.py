"""The one place where a run is written down.

A `Recorder` holds the records of a world in order.  Each host writes through a
`HostTrace` of its own, which knows the host's clock and which kernel functions
are open.  With nobody listening a host has no `HostTrace` at all, and the
kernel layer runs as it stands, without a test a call (see `kernel.mirror`).

A host writes plain tuples, the fields of a record in order (see `written`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tcpnotes.trace.frames import Frame, HostView, InFlight
from tcpnotes.trace.segment import Segment
from tcpnotes.trace.written import Written

Snapshot = Callable[[], tuple[tuple[HostView, ...], tuple[InFlight, ...]]]


class Recorder:
    """Keeps the records of a world, and on wish what could be seen after each of them."""

    def __init__(self, snapshot: Snapshot | None = None) -> None:
        self.records = Written()
        self.frames: list[Frame] = []
        self._snapshot = snapshot
        self.looks = snapshot is not None

    def add(self, fields: Any) -> None:
        """Write one record, or its fields; with frames on, also what the world looks like right after it."""
        records = self.records
        records.append(fields)
        if self._snapshot is not None:
            hosts, wire = self._snapshot()
            self.frames.append(Frame(len(records) - 1, records[-1], hosts, wire))


class HostTrace:
    """What one host writes with.  ``open`` holds for each open function the innermost with a body in a ``.c`` file."""

    __slots__ = ("add", "asleep", "host", "looks", "net", "open", "written")

    def __init__(self, recorder: Recorder, host: str, net: Any) -> None:
        self.host = host
        self.net = net
        self.open: list[str] = []
        self.asleep: dict[int, list[str]] = {}  # task -> what was open when it went to sleep
        self.written: list[Any] = recorder.records
        self.looks = recorder.looks
        self.add: Callable[[Any], None] = recorder.add if self.looks else self.written.append

    @property
    def depth(self) -> int:
        """How many kernel functions are open."""
        return len(self.open)

    def leave(self) -> None:
        """The innermost open function returns (the others are entered and left by `kernel.mirror`)."""
        self.open.pop()

    def stimulus(self, what: str, detail: str) -> None:
        self.add((self.net.now, self.host, 0, what, detail, None, "stimulus"))

    def resumed(self, task: int, call: str) -> None:
        """A task goes on where it slept; functions are open again until `rest`."""
        self.open = self.asleep.pop(task, [])
        opened = self.open
        self.add((self.net.now, self.host, len(opened), "resume", call, task, "stimulus"))

    def rest(self) -> None:
        """The task that went on has left the kernel, or sleeps again."""
        self.open = []

    def call(self, task: int, call: str, args: tuple[Any, ...]) -> None:
        opened = self.open
        self.add((self.net.now, self.host, len(opened), task, call, args, "call"))

    def returned(self, task: int, call: str, ret: int, errno: str | None, value: Any, blocked: bool) -> None:
        opened = self.open
        self.add((
            self.net.now, self.host, len(opened), task, call, ret, errno, value, blocked, "return",
        ))  # fmt: skip

    def sleep(self, task: int, call: str, sk: int, until: int | None) -> None:
        self.asleep[task] = self.open[:]
        opened = self.open
        self.add((self.net.now, self.host, len(opened), task, call, sk, until, "sleep"))

    def state(self, sk: int, fd: int | None, old: str, new: str) -> None:
        opened = self.open
        self.add((
            self.net.now, self.host, len(opened), sk, fd, old, new, opened[-1] if opened else None, "state",
        ))  # fmt: skip

    def child(self, sk: int, parent: int) -> None:
        opened = self.open
        self.add((self.net.now, self.host, len(opened), sk, parent, "child"))

    def sent(self, sk: int | None, seg: Segment, wire: int) -> None:
        opened = self.open
        self.add((
            self.net.now, self.host, len(opened), sk, seg, wire, opened[-1] if opened else None, "sent",
        ))  # fmt: skip

    def received(self, seg: Segment, wire: int | None) -> None:
        opened = self.open
        self.add((self.net.now, self.host, len(opened), seg, wire, "received"))

    def lost(self, seg: Segment, wire: int) -> None:
        opened = self.open
        self.add((self.net.now, self.host, len(opened), seg, wire, "lost"))

    def queue(self, sk: int, queue: str, op: str, seq: int, end_seq: int, length: int) -> None:
        opened = self.open
        self.add((
            self.net.now, self.host, len(opened), sk, queue, op, seq, end_seq, length, opened[-1] if opened else None,
            "queue",
        ))  # fmt: skip

    def timer(self, sk: int | None, name: str, op: str, expires: int | None) -> None:
        if expires is not None:
            expires = expires * 100 // self.net.times.HZ
        opened = self.open
        self.add((
            self.net.now, self.host, len(opened), sk, name, op, expires, opened[-1] if opened else None, "timer",
        ))  # fmt: skip

    def wake(self, sk: int, which: str) -> None:
        opened = self.open
        self.add((
            self.net.now, self.host, len(opened), sk, which, opened[-1] if opened else None, "wake",
        ))  # fmt: skip

    def count(self, name: str) -> None:
        opened = self.open
        self.add((self.net.now, self.host, len(opened), name, opened[-1] if opened else None, "count"))

    def bucket(self, tw: int | None, of_sk: int | None, op: str, substate: str | None, timeout: int | None) -> None:
        if timeout is not None:
            timeout = timeout * 100 // self.net.times.HZ
        opened = self.open
        self.add((
            self.net.now, self.host, len(opened), tw, of_sk, op, substate, timeout, opened[-1] if opened else None,
            "tw",
        ))  # fmt: skip

    def freed(self, sk: int) -> None:
        opened = self.open
        self.add((self.net.now, self.host, len(opened), sk, opened[-1] if opened else None, "free"))

    def purged(self, sk: int, skbs: int) -> None:
        opened = self.open
        self.add((
            self.net.now, self.host, len(opened), sk, skbs, opened[-1] if opened else None, "purge",
        ))  # fmt: skip

    def sock_err(self, sk: int, err: str | None) -> None:
        self.add((self.net.now, self.host, 0, sk, err, "sk_err"))

    def sock_shutdown(self, sk: int, bits: int) -> None:
        self.add((self.net.now, self.host, 0, sk, bits, "sk_shutdown"))

    def signal(self, name: str) -> None:
        opened = self.open
        self.add((self.net.now, self.host, len(opened), name, "signal"))

    def printk(self, text: str) -> None:
        opened = self.open
        self.add((self.net.now, self.host, len(opened), text, "printk"))
