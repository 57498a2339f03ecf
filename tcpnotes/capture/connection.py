"""A connection as the wire shows it: what each end has sent and acked, and what state that puts it in.

Nothing here looks at more than one segment at a time, and nothing grows with the length of a connection.
"""

from __future__ import annotations

from typing import NamedTuple

from tcpnotes.capture.layers import Seen
from tcpnotes.trace.segment import ACK, FIN, RST, SYN

_MASK, _HALF = 0xFFFFFFFF, 0x80000000
_FAR = 1 << 30  # further away than any window: not a number of this connection
MOST = 8  # of each kind of thing that is remembered one by one


class Point(NamedTuple):
    """A packet: its number in the file and its time in nanoseconds."""

    number: int
    t: int


class Change(NamedTuple):
    """An end's state from a packet on."""

    number: int
    t: int
    state: str


class End:
    """One end of a connection; ``next`` and ``acked`` are modulo 2^32 and None until they are known."""

    __slots__ = (
        "acked", "addr", "again", "again_points", "data", "fin", "fin_acked", "fin_again", "fin_again_count",
        "fin_data", "fin_end", "fin_knew", "holes", "holes_count", "iss", "last", "last_data", "late", "late_bytes",
        "next", "packets", "port", "probes", "state", "states", "syn", "syn_again",
    )  # fmt: skip

    def __init__(self, addr: bytes, port: int) -> None:
        self.addr = addr
        self.port = port
        self.packets = 0
        self.iss: int | None = None
        self.syn: Point | None = None
        self.syn_again = 0
        self.next: int | None = None  # one past the last number it was seen to use
        self.acked: int | None = None  # the last number that it expects
        self.data = 0  # new payload bytes, seen or acked
        self.again = 0  # segments that it sent again
        self.again_points: list[Point] = []  # the last ones in a row, unanswered
        self.holes: list[tuple[int, int]] = []  # numbers that were used but not seen
        self.holes_count = 0
        self.probes = 0  # keepalive probes in a row, unanswered
        self.last: Seen | None = None
        self.last_data: Seen | None = None
        self.fin: Point | None = None
        self.fin_end = -1
        self.fin_data = 0  # payload bytes on the FIN
        self.fin_knew = False  # it had the peer's FIN already
        self.fin_again: list[Point] = []
        self.fin_again_count = 0
        self.fin_acked: Point | None = None
        self.late: Point | None = None  # its first data after it had the peer's FIN
        self.late_bytes = 0
        self.state = "?"
        self.states: list[Change] = []

    def enter(self, state: str, number: int, t: int) -> None:
        """The end is in ``state`` from this packet on."""
        if state != self.state:
            self.state = state
            if len(self.states) < 4 * MOST:
                self.states.append(Change(number, t, state))


class Reset(NamedTuple):
    """A RST and how things stood when it came.

    ``by`` is the end that sent it; ``answer`` is True when it has the form of an answer to ``cause``, a segment
    for which the sender had no use; ``before`` are both states.
    """

    by: int
    seen: Seen
    answer: bool
    cause: Seen | None
    before: tuple[str, str]


class Connection:
    """One connection, end 0 the one that opened it (or, when that was not seen, the one that sent the first packet)."""

    __slots__ = (
        "comments", "crossed", "ends", "first", "follows", "last", "middle", "number", "over", "packets", "reset",
        "reset_after", "resets", "strays", "taken_by", "was",
    )  # fmt: skip

    def __init__(self, number: int, seen: Seen) -> None:
        self.number = number
        self.ends = (End(seen.saddr, seen.sport), End(seen.daddr, seen.dport))
        if seen.flags & (SYN | ACK) == SYN | ACK:  # the answer to a SYN that was not seen
            self.ends = (self.ends[1], self.ends[0])
        self.first = Point(seen.number, seen.t)
        self.last = self.first
        self.packets = 0
        self.middle = not seen.flags & SYN  # its beginning was not seen
        self.crossed = False  # both FINs were on their way at once
        self.reset: Reset | None = None
        self.reset_after: Reset | None = None  # one that came when all was over
        self.resets = 0
        self.over = False  # nothing more is expected
        self.strays: list[Point] = []  # RSTs outside the window
        self.follows: int | None = None  # the connection of the same addresses and ports before it
        self.was = "?"  # the state in which that one had left the end that is asked
        self.taken_by: Point | None = None  # the SYN that began the next one
        self.comments: list[tuple[int, str]] = []

    # -- one segment -------------------------------------------------------------------------------------------

    def feed(self, side: int, seen: Seen) -> None:
        """Take in a segment that end ``side`` sent."""
        me, peer = self.ends[side], self.ends[1 - side]
        _, _, _, _, number, t, seq, ack, flags, _, length, _ = seen
        self.packets += 1
        self.last = Point(number, t)
        me.packets += 1
        if flags & RST:
            self._reset(side, seen)
            me.last = seen
            return
        if flags & SYN:
            self._syn(me, peer, seen)
        if me.next is None:
            me.next = seq
            if me.state == "?":
                me.enter("not seen", number, t)
        fresh = 0
        end = seq + length & _MASK
        ahead = end - me.next & _MASK
        if ahead and not flags & SYN:
            if ahead < _FAR:
                fresh = ahead if ahead < length else length
                if ahead > length:
                    _hole(me, me.next, seq)
                me.next = end
                me.data += fresh
                me.again_points.clear()
                peer.again_points.clear()
            elif ahead > _MASK - _FAR:
                self._again(me, peer, seen, end)
        elif length and not flags & SYN:
            self._again(me, peer, seen, end)
        if length:
            me.last_data = seen
        if flags & ACK:
            if me.acked is None or ack - me.acked & _MASK < _FAR:
                me.acked = ack
                if peer.next is None:
                    peer.next = ack
                else:
                    ahead = ack - peer.next & _MASK
                    if 0 < ahead < _FAR and not (peer.fin is not None and ack == peer.fin_end):
                        _hole(peer, peer.next, ack)
                        peer.next = ack
                        peer.data += ahead
            peer.again_points.clear()
            peer.probes = 0
        if flags & FIN or me.fin or peer.fin:
            self._closing(me, peer, seen, fresh)
        elif flags & SYN or me.state in _OPENING or peer.state in _OPENING:
            self._opening(me, peer, seen)
        me.last = seen

    def _syn(self, me: End, peer: End, seen: Seen) -> None:
        if me.syn is not None:
            me.syn_again += 1
            me.again_points = [*me.again_points[-MOST:], Point(seen.number, seen.t)]
        else:
            me.syn = Point(seen.number, seen.t)
            me.iss = seen.seq
            me.next = seen.seq + 1 + seen.len & _MASK
            me.data = seen.len
            if not seen.flags & ACK:
                me.enter("SYN_SENT", seen.number, seen.t)

    def _opening(self, me: End, peer: End, seen: Seen) -> None:
        both = seen.flags & (SYN | ACK)
        if both == SYN | ACK:
            me.enter("SYN_RECV", seen.number, seen.t)
        elif both == ACK:
            for end in (me, peer):
                if end.state in _OPENING:
                    end.enter("ESTABLISHED", seen.number, seen.t)

    def _again(self, me: End, peer: End, seen: Seen, end: int) -> None:
        """Something that was sent before: a retransmission, a probe, or what the capture had missed until now."""
        for i, (start, stop) in enumerate(me.holes):
            if (seen.seq - start & _MASK) < _FAR and (stop - end & _MASK) < _FAR:
                del me.holes[i]
                if seen.seq != start:
                    me.holes.append((start, seen.seq))
                if end != stop:
                    me.holes.append((end, stop))
                return
        if me.next is not None and seen.len <= 1 and seen.seq == me.next - 1 & _MASK and not seen.flags & (SYN | FIN):
            me.probes += 1
        elif seen.len:
            me.again += 1
            me.again_points = [*me.again_points[-MOST:], Point(seen.number, seen.t)]

    # -- closing -----------------------------------------------------------------------------------------------

    def _closing(self, me: End, peer: End, seen: Seen, fresh: int) -> None:
        number, t = seen.number, seen.t
        point = Point(number, t)
        # Does it have the peer's FIN?
        knows = peer.fin is not None and bool(seen.flags & ACK) and (seen.ack - peer.fin_end & _MASK) < _FAR
        if knows and peer.fin_acked is None:
            peer.fin_acked = point
            if self.crossed:
                me.enter("CLOSING", number, t)
            if me.fin is None:
                me.enter("CLOSE_WAIT", number, t)
            elif me.fin_acked is not None:
                me.enter("TIME_WAIT", number, t)
            if peer.state in _FIN_ACKED:
                peer.enter(_FIN_ACKED[peer.state], number, t)
            elif not self.crossed:
                peer.enter("FIN_WAIT2", number, t)
        if fresh and peer.fin is not None and (knows or peer.fin_acked is not None):
            me.late = me.late or point
            me.late_bytes += fresh
        if seen.flags & FIN:
            self._fin(me, peer, seen, peer.fin_acked is not None)
        self.over = all(end.fin is not None and end.fin_acked is not None for end in self.ends)

    def _fin(self, me: End, peer: End, seen: Seen, knows: bool) -> None:
        point = Point(seen.number, seen.t)
        if me.fin is not None:
            me.fin_again_count += 1
            if len(me.fin_again) < MOST:
                me.fin_again.append(point)
            else:  # the first ones, and the last two
                me.fin_again[-2:] = [me.fin_again[-1], point]
            return
        me.fin = point
        me.fin_end = seen.seq + seen.len + 1 & _MASK
        me.fin_data = seen.len
        me.fin_knew = knows
        me.next = me.fin_end
        if peer.fin is not None and not knows:
            self.crossed = True
        me.enter("LAST_ACK" if knows else "FIN_WAIT1", seen.number, seen.t)

    def _reset(self, side: int, seen: Seen) -> None:
        me, peer = self.ends[side], self.ends[1 - side]
        self.resets += 1
        cause = peer.last
        # What answers a segment takes its number from that segment's ACK field and has no ACK of its own.
        answer = not seen.flags & ACK or (seen.seq == 0 and cause is not None and not cause.flags & ACK)
        if not seen.flags & ACK:
            fits = [s for s in (peer.last_data, peer.last) if s is not None and s.flags & ACK and s.ack == seen.seq]
            cause = fits[0] if fits else cause
        if peer.acked is not None and peer.state != "SYN_SENT" and not _fits(seen.seq - peer.acked & _MASK):
            self.strays.append(Point(seen.number, seen.t)) if len(self.strays) < MOST else None
            return
        found = Reset(side, seen, answer, cause, (self.ends[0].state, self.ends[1].state))
        if self.over:
            self.reset_after = self.reset_after or found
        elif self.reset is None:
            self.reset = found
        else:
            return
        self.over = True
        for end in (me, peer):
            end.enter("CLOSE", seen.number, seen.t)


_FIN_ACKED = {"CLOSING": "TIME_WAIT", "LAST_ACK": "CLOSE"}
_OPENING = ("SYN_SENT", "SYN_RECV")


def _fits(distance: int) -> bool:
    """Would a RST that far from the expected number be taken?  (One before it is, after a FIN.)"""
    return distance < _FAR or distance == _MASK


def _hole(end: End, start: int, stop: int) -> None:
    end.holes_count += 1
    if len(end.holes) < MOST:
        end.holes.append((start, stop))
