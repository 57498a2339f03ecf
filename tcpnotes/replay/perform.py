"""Give a recording's stimuli to the engine, each at its own time, and write down what comes out as rows.

One host; the peer is whatever the recording says it sent.  The first sequence
numbers of both sides and the age of the host are fixed here and taken off again in
the rows, as the recordings have it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from tcpnotes.kernel.mirror import FUNCTIONS
from tcpnotes.kernel.profile import Profile
from tcpnotes.replay.recordings import (
    FIRST_PEER_PORT,
    LOCAL_PORT,
    CallMade,
    Recording,
    SegmentCame,
)
from tcpnotes.replay.rows import Row, silent_counter, silent_timer
from tcpnotes.trace import Record, Segment
from tcpnotes.trace import records as r
from tcpnotes.trace.segment import ACK, SYN
from tcpnotes.trace.words import option_words, relative
from tcpnotes.world import World
from tcpnotes.world.process import ADDRESSES

OURS, PEERS = 1_000_000_000, 3_000_000_000  # first sequence numbers
_UP = 360_000  # how many jiffies the host has been up when the recording begins


class Performance(NamedTuple):
    """What the engine made of a recording: rows as in `rows`, and the trace they were made from.

    ``at`` gives for each row the index of its record.
    """

    recording: Recording
    rows: list[Row]
    at: list[int]
    records: list[Record]


def perform(recording: Recording, profile: str | Profile = "linux-2.4.0") -> Performance:
    """Run the engine on the stimuli of ``recording``; ValueError for what no host could be given."""
    world = World(profile, hosts=("A",))
    net = world.hosts["A"].net
    net.iss_base, net.iss_moves, net.ts_base = OURS, False, _UP
    for name, value in recording.sysctls:
        world.sysctl("A", name, value)
    recorder = world.listen()
    ends = _Ends()
    starts: list[int] = []  # where the records of each stimulus begin
    seen = 0
    for stimulus in recording.stimuli:
        world.run_until(stimulus.t)
        seen = ends.learn(recorder.records, seen)
        starts.append(len(recorder.records))
        if isinstance(stimulus, CallMade):
            world.call("A", stimulus.call, *stimulus.args)
        else:
            world.inject("A", ends.segment(stimulus))
    world.run_until(recording.until)
    records = list(recorder.records)
    rows, at = _Writer(records, starts, ends).write()
    return Performance(recording, rows, at, records)


@dataclass
class _Ends:
    """Which ports the scenario speaks of: the first peer port, and our own."""

    peer: int = FIRST_PEER_PORT
    ours: int = LOCAL_PORT

    def learn(self, records: list[Record], seen: int) -> int:
        """A connection that we open says both; how many records were read."""
        for record in records[seen:]:
            if isinstance(record, r.Sent) and record.seg.flags & (SYN | ACK) == SYN:
                self.peer, self.ours = record.seg.dport, record.seg.sport
        return len(records)

    def segment(self, came: SegmentCame) -> Segment:
        """The segment with absolute numbers; a raw 0 stays 0."""
        ours, peers = ADDRESSES["A"], ADDRESSES["B"]
        ack = 0 if came.ack is None else (OURS + came.ack) & 0xFFFFFFFF
        ts = came.ts
        if ts is not None and came.flags & ACK:  # a first SYN echoes nothing
            ts = (ts[0], (ts[1] + _UP) & 0xFFFFFFFF)
        return Segment(
            peers, came.peer_port or self.peer, ours, self.ours, (PEERS + came.seq) & 0xFFFFFFFF, ack, came.flags,
            came.win, came.len, came.mss, came.wscale, came.sack_ok, ts,
            tuple([((OURS + a) & 0xFFFFFFFF, (OURS + b) & 0xFFFFFFFF) for a, b in came.sacks]),
        )  # fmt: skip


def _relative(number: int, base: int) -> int:
    return relative(number, base) if number else 0  # a raw 0 stays 0


def _seconds(t: int) -> float:
    return round(t / 1_000_000, 6)


def _from_jiffies(jiffies: int | None) -> float | None:
    return None if jiffies is None else round(jiffies / 100, 6)


class _Writer:
    """Turns a trace into rows."""

    def __init__(self, records: list[Record], starts: list[int], ends: _Ends) -> None:
        self.records = records
        self.starts = set(starts)
        self.ends = ends
        self.rows: list[Row] = []
        self.at: list[int] = []
        self.stimulus = -1
        self.listening: set[int] = set()
        self.index_of: dict[int, int] = {}  # task -> index of its stimulus
        self.row_of: dict[int, int] = {}  # task -> its call row
        self.functions: list[tuple[int, str]] = []
        self.inlines: list[int] = []  # depths of open header inlines, which a recording does not show

    def write(self) -> tuple[list[Row], list[int]]:
        """All rows, and for each the index of its record."""
        for index, record in enumerate(self.records):
            if index in self.starts:
                self.stimulus += 1
            if isinstance(record, r.Stimulus) or (index and record.t != self.records[index - 1].t):
                self._end_of_calls(index)
            if isinstance(record, r.Enter):
                self._enter(record)
            elif isinstance(record, r.Return):
                self._returned(index, record)
            else:
                row = self._row(record)
                if row is not None:
                    self._add(index, row)
        self._end_of_calls(len(self.records))
        return self.rows, self.at

    def _add(self, index: int, row: Row) -> None:
        self.rows.append(row)
        self.at.append(index)

    # -- calls of functions: one row for each stimulus that ran any -----------------------------------------

    def _enter(self, record: r.Enter) -> None:
        while self.inlines and self.inlines[-1] >= record.depth:
            self.inlines.pop()
        if FUNCTIONS[record.fn].inline:
            self.inlines.append(record.depth)
        else:
            self.functions.append((record.depth - len(self.inlines), record.fn))

    def _end_of_calls(self, index: int) -> None:
        if self.functions:
            t = self.records[index - 1].t
            self._add(index - 1, ("calls", _seconds(t), tuple(self.functions)))
        self.functions = []
        self.inlines = []

    # -- everything else --------------------------------------------------------------------------------------

    def _returned(self, index: int, record: r.Return) -> None:
        at = self.row_of[record.task]
        call = self.rows[at]
        if record.call == call[3]:
            value = 0 if record.call == "getsockopt" and record.value is None and not record.errno else record.value
            self.rows[at] = (*call[:4], record.ret, record.errno, _seconds(record.t), value)
        if record.blocked:
            ret = ("return", _seconds(record.t), self.index_of[record.task], record.call, record.ret, record.errno)
            self._add(index, ret)

    def _row(self, record: Record) -> Row | None:
        t = _seconds(record.t)
        match record:
            case r.Call():
                self.index_of[record.task] = self.stimulus
                self.row_of[record.task] = len(self.rows)
                return ("call", t, self.stimulus, record.call, None, None, None, None)
            case r.Received():
                return ("in", t, self.stimulus)
            case r.Sent():
                seg = record.seg
                ack = _relative(seg.ack_seq, PEERS) if seg.flags & ACK else None
                port = None if seg.dport == self.ends.peer else seg.dport
                return (
                    "out", t, seg.flag_letters, _relative(seg.seq, OURS), seg.len, ack, seg.window,
                    option_words(seg, _UP, PEERS),
                    record.fn, port,
                )  # fmt: skip
            case r.StateChange():
                if record.new == "LISTEN":
                    self.listening.add(record.sk)
                elif record.old == "LISTEN":
                    self.listening.discard(record.sk)
                return ("state", t, record.sk, record.fd, record.old, record.new, record.fn)
            case r.Child():
                return ("child", t, record.sk, record.parent)
            case r.Bucket():
                return ("tw", t, record.tw, record.op, record.substate, _from_jiffies(record.timeout))
            case r.Timer():
                if silent_timer(record.name, record.op) or record.sk in self.listening:
                    return None
                return ("timer", t, record.sk, record.name, record.op, _from_jiffies(record.expires))
            case r.Count():
                return None if silent_counter(record.name) else ("count", t, record.name)
            case r.Wake():
                return ("wake", t, record.sk, record.which)
            case r.Purged():
                return ("purge", t, record.skbs, record.fn)
            case r.SockErr():
                return ("sk_err", t, record.sk, record.err or 0)
            case r.SockShutdown():
                return ("sk_shutdown", t, record.sk, record.bits)
            case r.Freed():
                return ("sk_free", t, record.sk)
            case r.Signal():
                return ("signal", t, record.name)
            case r.Printk():
                return ("printk", t, record.text)
        return None
