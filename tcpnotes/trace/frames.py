"""What can be seen of a world after each record: the frames that steppers and pictures show."""

from __future__ import annotations

from typing import NamedTuple

from tcpnotes.trace.records import Record
from tcpnotes.trace.segment import Segment


class SkbView(NamedTuple):
    """One buffer in a queue; sequence numbers absolute, ``len`` payload bytes."""

    seq: int
    end_seq: int
    len: int
    flags: int
    sent: bool
    retransmitted: bool
    sacked: bool


class TimerView(NamedTuple):
    """A running timer; ``expires`` in jiffies of 10 ms, as all times here, whatever the host's own tick."""

    name: str
    expires: int


class SockView(NamedTuple):
    """The fields of ``sk`` that the book speaks of.  ``iss`` and ``irs`` make numbers relative."""

    id: int
    fd: int | None
    state: str
    dead: bool
    done: bool
    shutdown: int
    err: str | None
    lport: int
    rport: int
    iss: int
    irs: int
    rcv_nxt: int
    copied_seq: int
    fin_seq: int
    rcv_wnd: int
    snd_una: int
    snd_nxt: int
    snd_wnd: int
    write_seq: int
    rto: int
    backoff: int
    retransmits: int
    probes_out: int
    cwnd: int
    pingpong: int
    hashed: bool
    bound: bool
    linger: int | None  # jiffies of 10 ms, None when off
    receive_queue: tuple[SkbView, ...]
    write_queue: tuple[SkbView, ...]
    send_head: int | None  # index into write_queue
    out_of_order_queue: tuple[SkbView, ...]
    accept_queue: tuple[int, ...]
    half_open: int
    timers: tuple[TimerView, ...]


class BucketView(NamedTuple):
    """A ``tcp_tw_bucket``; ``slot`` counts from the hand of its wheel, ``wheel`` is slow or calendar."""

    id: int
    of_sk: int
    substate: str
    lport: int
    rport: int
    rcv_nxt: int
    snd_nxt: int
    iss: int
    irs: int
    timeout: int
    ttd: int
    wheel: str | None
    slot: int | None


class TaskView(NamedTuple):
    """A process asleep in a system call."""

    id: int
    call: str
    fd: int
    until: int | None  # microseconds


class HostView(NamedTuple):
    """One host at one moment.  ``hand`` is the slow wheel's slot, ``cal_hand`` the calendar's (-1 idle)."""

    name: str
    socks: tuple[SockView, ...]
    buckets: tuple[BucketView, ...]
    tasks: tuple[TaskView, ...]
    orphans: int
    hand: int
    cal_hand: int
    twkill_expires: int | None
    counters: tuple[tuple[str, int], ...]


class InFlight(NamedTuple):
    """A segment on the wire; ``due`` is when it would arrive, in microseconds."""

    wire: int
    src: str
    dst: str
    sent: int
    due: int
    seg: Segment


class Frame(NamedTuple):
    """The world just after record number ``index`` of the trace."""

    index: int  # type: ignore[assignment]  # hides tuple.index
    record: Record
    hosts: tuple[HostView, ...]
    wire: tuple[InFlight, ...]

    def host(self, name: str) -> HostView:
        """The view of the host called ``name`` (KeyError when there is none)."""
        for view in self.hosts:
            if view.name == name:
                return view
        raise KeyError(name)
