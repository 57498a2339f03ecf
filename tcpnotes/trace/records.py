"""What can be written down while a world runs: one small frozen value for each thing that happens.

A trace is a list of these records in order.  Every view, every test and every
comparison reads that list; nothing is kept twice.  All records begin alike:

``t``      simulated time in microseconds since the world began
``host``   name of the host it happened on (``"A"``, ``"B"``)
``depth``  how many kernel functions were open when it happened

``fn`` is the kernel function that did it: the nearest open one that has a body
in one of the ``net/ipv4`` files (the inlines of the headers are looked through).
``sk`` and ``tw`` are numbers in order of creation, one counter a host for
sockets and buckets together.  That a function was left is not written down: it is
open until a record stands at its own depth or above.  A system call that slept goes
on inside the functions it slept in: what it does then stands at their depth.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

from tcpnotes.trace.segment import Segment


class Stimulus(NamedTuple):
    """Something reached a host from outside: a call, a segment, a due timer, a woken task."""

    t: int
    host: str
    depth: int
    what: str  # "call", "packet", "timer", "resume", "crash"; "note": something was done to the wire
    detail: str
    task: int | None = None  # the one that goes on
    kind: str = "stimulus"


class Enter(NamedTuple):
    """A kernel function was entered; ``sk`` is the socket or bucket it works on, if any."""

    t: int
    host: str
    depth: int
    fn: str
    sk: int | None
    kind: str = "enter"


class Call(NamedTuple):
    """An application entered a system call; ``task`` numbers the calls of a host."""

    t: int
    host: str
    depth: int
    task: int
    call: str
    args: tuple[Any, ...]
    kind: str = "call"


class Return(NamedTuple):
    """A system call returned: ``ret`` is -1 on an error, then ``errno`` names it."""

    t: int
    host: str
    depth: int
    task: int
    call: str
    ret: int
    errno: str | None
    value: Any
    blocked: bool  # it had slept at least once
    kind: str = "return"


class Sleep(NamedTuple):
    """A system call went to sleep; ``until`` is its deadline in microseconds, or None."""

    t: int
    host: str
    depth: int
    task: int
    call: str
    sk: int
    until: int | None
    kind: str = "sleep"


class StateChange(NamedTuple):
    """``sk`` went from one state to another (spelt as Linux spells them)."""

    t: int
    host: str
    depth: int
    sk: int
    fd: int | None
    old: str
    new: str
    fn: str | None
    kind: str = "state"


class Child(NamedTuple):
    """A socket in SYN_RECV was made from an open request of ``parent``."""

    t: int
    host: str
    depth: int
    sk: int
    parent: int
    kind: str = "child"


class Sent(NamedTuple):
    """A segment left the host; ``sk`` is None when no socket stands behind it."""

    t: int
    host: str
    depth: int
    sk: int | None
    seg: Segment
    wire: int  # its number on the wire
    fn: str | None
    kind: str = "sent"


class Received(NamedTuple):
    """A segment reached the host."""

    t: int
    host: str
    depth: int
    seg: Segment
    wire: int | None
    kind: str = "received"


class Lost(NamedTuple):
    """A segment sent by ``host`` was lost on the wire."""

    t: int
    host: str
    depth: int
    seg: Segment
    wire: int
    kind: str = "lost"


class Queue(NamedTuple):
    """A queue of ``sk`` changed: ``op`` is add, unlink, purge, trim, flag or send_head."""

    t: int
    host: str
    depth: int
    sk: int
    queue: str  # receive_queue, write_queue, out_of_order_queue, prequeue, backlog, accept_queue, syn_table
    op: str
    seq: int
    end_seq: int
    length: int  # buffers in the queue afterwards
    fn: str | None
    kind: str = "queue"


class Timer(NamedTuple):
    """A timer was set, cleared or fired; ``expires`` in jiffies of 10 ms (None when not meaningful)."""

    t: int
    host: str
    depth: int
    sk: int | None
    name: str  # retrans, probe0, retrans_idle, delack, keepalive, twkill, twcal, schedule_timeout
    op: str  # set, clear, fire
    expires: int | None
    fn: str | None
    kind: str = "timer"


class Wake(NamedTuple):
    """The sleepers of ``sk`` were called: state_change, data_ready, error_report, write_space, tcp_new_space."""

    t: int
    host: str
    depth: int
    sk: int
    which: str
    fn: str | None
    kind: str = "wake"


class Count(NamedTuple):
    """An SNMP or Linux MIB counter went up by one."""

    t: int
    host: str
    depth: int
    name: str
    fn: str | None
    kind: str = "count"


class Bucket(NamedTuple):
    """A ``tcp_tw_bucket``: create, schedule, reschedule, substate, deschedule, kill, overflow.

    ``timeout`` in jiffies of 10 ms where the operation has one.
    """

    t: int
    host: str
    depth: int
    tw: int | None
    of_sk: int | None
    op: str
    substate: str | None
    timeout: int | None
    fn: str | None
    kind: str = "tw"


class Freed(NamedTuple):
    """A socket's last reference went; it no longer exists."""

    t: int
    host: str
    depth: int
    sk: int
    fn: str | None
    kind: str = "free"


class Purged(NamedTuple):
    """``skbs`` buffers were thrown away at once."""

    t: int
    host: str
    depth: int
    sk: int
    skbs: int
    fn: str | None
    kind: str = "purge"


class SockErr(NamedTuple):
    """``sk->err`` after a stimulus differs from before it (an errno name, or None when cleared)."""

    t: int
    host: str
    depth: int
    sk: int
    err: str | None
    kind: str = "sk_err"


class SockShutdown(NamedTuple):
    """``sk->shutdown`` after a stimulus differs from before it (RCV 1, SEND 2)."""

    t: int
    host: str
    depth: int
    sk: int
    bits: int
    kind: str = "sk_shutdown"


class Signal(NamedTuple):
    """A signal was raised in the calling process."""

    t: int
    host: str
    depth: int
    name: str
    kind: str = "signal"


class Printk(NamedTuple):
    """The kernel wrote a line to its log."""

    t: int
    host: str
    depth: int
    text: str
    kind: str = "printk"


Record: TypeAlias = (
    Stimulus
    | Enter
    | Call
    | Return
    | Sleep
    | StateChange
    | Child
    | Sent
    | Received
    | Lost
    | Queue
    | Timer
    | Wake
    | Count
    | Bucket
    | Freed
    | Purged
    | SockErr
    | SockShutdown
    | Signal
    | Printk
)
