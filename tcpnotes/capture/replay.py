"""One connection of a capture as records and frames, so that the ladder and the stepper can show it.

The observer sees each segment once; it is told as sent and received at that moment.  A segment that came again
before anything acked it is told as lost.  Of the sockets only what the wire shows is filled in: states and
sequence numbers; queues and timers stay empty, since nobody saw them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tcpnotes.capture.connection import Connection, End
from tcpnotes.capture.errors import CaptureError
from tcpnotes.capture.explain import Explained
from tcpnotes.capture.files import CaptureFile
from tcpnotes.capture.follow import Follower
from tcpnotes.capture.layers import Layers, Seen
from tcpnotes.capture.verdict import NAMES, judge
from tcpnotes.trace.frames import Frame, HostView, SockView
from tcpnotes.trace.records import Lost, Received, Record, Sent, StateChange, Stimulus
from tcpnotes.trace.segment import ACK, FIN, RST, SYN, Segment

MOST_SEGMENTS = 2_000
_UNSEEN = ("?", "not seen", "CLOSE")


@dataclass
class Replayed:
    """A connection with its records and frames; ``packets`` gives the number in the file → the record that sent it.

    ``left_out`` segments in the middle are not told, because there are more than `MOST_SEGMENTS`.
    """

    explained: Explained
    records: list[Record]
    frames: list[Frame]
    packets: dict[int, int]
    left_out: int

    def items(self) -> dict[int, tuple[str, ...]]:
        """Record → items of the source, from the evidence of the verdict's statements."""
        found: dict[int, dict[str, None]] = {}
        for said in self.explained.verdict.statements:
            for number in said.packets[-1:]:
                if number in self.packets:
                    found.setdefault(self.packets[number], {}).update(dict.fromkeys(said.items))
        return {index: tuple(ids) for index, ids in sorted(found.items()) if ids}


def replay(file: str | Path, number: int) -> Replayed:
    """Read connection ``number`` of a capture once more; a `CaptureError` when it has none of that number."""
    found: Connection | None = None
    first: list[Seen] = []
    last: list[Seen] = []
    left_out = until = 0
    with CaptureFile(file) as capture:
        layers = Layers()
        follower = Follower(lambda _: None)
        for packet in capture:
            seen = layers.segment(packet)
            if isinstance(seen, str):
                continue
            until = max(until, seen.t)
            connection = follower.feed(seen)
            if connection.number != number:
                continue
            found = connection
            if len(first) < MOST_SEGMENTS // 2:
                first.append(seen)
            else:
                last.append(seen)
                if len(last) > MOST_SEGMENTS:
                    left_out += len(last) - MOST_SEGMENTS // 2
                    del last[: -MOST_SEGMENTS // 2]
    if found is None:
        raise CaptureError(f"{file}: there is no connection {number}; 'tcpnotes explain --brief' lists them.")
    written = _Writer(found, [*first, *last])
    return Replayed(Explained(found, judge(found, until)), written.records, written.frames, written.packets, left_out)


class _Writer:
    """Writes the records of a connection by letting it happen again."""

    def __init__(self, found: Connection, segments: Sequence[Seen]) -> None:
        self.records: list[Record] = []
        self.frames: list[Frame] = []
        self.packets: dict[int, int] = {}
        self._c = Connection(found.number, segments[0])
        self._sides = {(end.addr, end.port): side for side, end in enumerate(self._c.ends)}
        self._start = segments[0].t
        lost = _lost(segments)
        self._told = [0, 0]  # how many changes of state of each end
        self._state = ["CLOSE", "CLOSE"]
        for place, seen in enumerate(segments):
            self._segment(seen, place in lost)

    def _segment(self, seen: Seen, lost: bool) -> None:
        side = self._sides[seen.saddr, seen.sport]
        me, peer = NAMES[side], NAMES[1 - side]
        seg = _segment(seen, side)
        t = (seen.t - self._start) // 1000
        self._c.feed(side, seen)
        # The sender's state changes before its segment leaves, the receiver's when it arrives.
        self._change(t, side)
        self.packets[seen.number] = len(self.records)
        self._add(Sent(t, me, 0, None, seg, seen.number, None))
        if lost:
            self._add(Lost(t, me, 0, seg, seen.number))
            return
        self._add(Stimulus(t, peer, 0, "packet", seg.flag_names))
        self._add(Received(t, peer, 0, seg, seen.number))
        self._change(t, 1 - side)

    def _change(self, t: int, side: int) -> None:
        states = self._c.ends[side].states
        for change in states[self._told[side] :]:
            if change.state not in _UNSEEN or change.state == "CLOSE":
                old, self._state[side] = self._state[side], change.state
                self._add(StateChange(t, NAMES[side], 0, 1, None, old, change.state, None))
        self._told[side] = len(states)

    def _add(self, record: Record) -> None:
        self.records.append(record)
        hosts = tuple(
            HostView(name, _sockets(end, peer, state), (), (), 0, 0, -1, None, ())
            for name, end, peer, state in zip(NAMES, self._c.ends, self._c.ends[::-1], self._state, strict=True)
        )
        self.frames.append(Frame(len(self.records) - 1, record, hosts, ()))


def _segment(seen: Seen, side: int) -> Segment:
    # The pictures want numbers for addresses, and IPv6 has larger ones than the trace knows.
    return Segment(
        1 + side, seen.sport, 2 - side, seen.dport, seen.seq, seen.ack if seen.flags & ACK else 0, seen.flags,
        seen.window, seen.len,
    )  # fmt: skip


def _sockets(end: End, peer: End, state: str) -> tuple[SockView, ...]:
    if state in _UNSEEN or end.next is None:
        return ()
    peer_first = peer.iss if peer.iss is not None else 0
    una = peer.acked if peer.acked is not None else end.next
    return (
        SockView(
            id=1, fd=None, state=state, dead=False, done=False, shutdown=0, err=None, lport=end.port,
            rport=peer.port, iss=end.iss or 0, irs=peer_first, rcv_nxt=end.acked or 0, copied_seq=0,
            fin_seq=peer.fin_end if peer.fin is not None else 0, rcv_wnd=0, snd_una=una, snd_nxt=end.next, snd_wnd=0,
            write_seq=end.next, rto=0, backoff=0, retransmits=0, probes_out=0, cwnd=0, pingpong=0, hashed=True,
            bound=True, linger=None, receive_queue=(), write_queue=(), send_head=None, out_of_order_queue=(),
            accept_queue=(), half_open=0, timers=(),
        ),
    )  # fmt: skip


def _lost(segments: Sequence[Seen]) -> set[int]:
    """Places of segments that came again while nothing had acked them: they, or what acked them, were lost."""
    lost: set[int] = set()
    open_: dict[tuple[bytes, int, int, int, int], int] = {}
    for place, seen in enumerate(segments):
        if seen.len or seen.flags & (SYN | FIN):
            key = (seen.saddr, seen.sport, seen.seq, seen.len, seen.flags & (SYN | FIN | RST))
            if key in open_:
                lost.add(open_[key])
            open_[key] = place
        if seen.flags & ACK:
            for key in [k for k in open_ if k[0] != seen.saddr or k[1] != seen.sport]:
                end = key[2] + key[3] + (1 if key[4] & (SYN | FIN) else 0)
                if (seen.ack - end) & 0xFFFFFFFF < 1 << 30:
                    del open_[key]
    return lost
