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
        "next", "packets", "port", "probes", "scale", "state", "states", "syn", "syn_again", "window",
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
        self.window = 0  # as it stands in the header
        self.scale: int | None = None  # the shift that its SYN offered
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
    for which the sender had no use; ``before`` are both states, ``sent`` is one past the last number
    that the sender had used.
    """

    by: int
    seen: Seen
    answer: bool
    cause: Seen | None
    before: tuple[str, str]
    sent: int


class Connection:
    """One connection, end 0 the one that opened it (or, when that was not seen, the one that sent the first packet)."""

    __slots__ = (
        "comments", "crossed", "ends", "first", "follows", "last", "middle", "number", "over", "packets", "reset",
        "reset_after", "resets", "strays", "taken_by", "taken_side", "was",
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
        self.was = ("?", "?")  # the states in which that one had left the end that asks and the end that is asked
        self.taken_by: Point | None = None  # the SYN that began the next one
        self.taken_side = 0  # and which end sent it
        self.comments: list[tuple[int, str]] = []

    # -- one segment -------------------------------------------------------------------------------------------

    def feed(self, side: int, seen: Seen) -> None:
        """Take in a segment that end ``side`` sent."""
        me, peer = self.ends[side], self.ends[1 - side]
        _, _, _, _, number, t, seq, ack, flags, window, length, _ = seen
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
        me.window = window
        if flags & ACK:
            if self.reset is not None and side != self.reset.by and 0 < (ack - self.reset.sent & _MASK) < _FAR:
                self._not_taken(self.reset)
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
            me.scale = _scale(seen.options)
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
        self.over = self.over or all(end.fin is not None and end.fin_acked is not None for end in self.ends)

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
        if self.reset is not None:
            return
        if not self._fits(me, peer, seen):
            if len(self.strays) < MOST:
                self.strays.append(Point(seen.number, seen.t))
            return
        found = Reset(
            side,
            seen,
            answer,
            cause,
            (self.ends[0].state, self.ends[1].state),
            seen.seq if me.next is None else me.next,
        )
        if self.over:
            self.reset_after = self.reset_after or found
        else:
            self.reset = found
        self.over = True
        for end in (me, peer):
            end.enter("CLOSE", seen.number, seen.t)

    def _fits(self, me: End, peer: End, seen: Seen) -> bool:
        """Could ``peer`` take the RST, by its number?  (One before the expected one is taken after a FIN.)"""
        if peer.acked is None or peer.state == "SYN_SENT":
            return True
        shifts = [end.scale if end.syn is not None else _LARGEST_SHIFT for end in (peer, me)]
        shift = shifts[0] if None not in shifts and shifts[0] is not None else 0
        distance = seen.seq - peer.acked & _MASK
        return distance <= max(peer.window << shift, 0xFFFF) or (distance == _MASK and me.fin is not None)

    def _not_taken(self, reset: Reset) -> None:
        """The connection went on after all, so the RST was not accepted."""
        self.reset = None
        self.over = False
        if len(self.strays) < MOST:
            self.strays.append(Point(reset.seen.number, reset.seen.t))
        for end, state in zip(self.ends, reset.before, strict=True):
            end.enter(state, self.last.number, self.last.t)


_EOL, _NOP, _WSCALE = 0, 1, 3
_LARGEST_SHIFT = 14
_FIN_ACKED = {"CLOSING": "TIME_WAIT", "LAST_ACK": "CLOSE"}
_OPENING = ("SYN_SENT", "SYN_RECV")


def _scale(options: bytes) -> int | None:
    """The window's shift in the options of a SYN."""
    at = 0
    while at < len(options):
        kind = options[at]
        if kind == _WSCALE and options[at + 1 : at + 2] == b"\x03":
            return min(options[at + 2], _LARGEST_SHIFT) if at + 2 < len(options) else None
        if kind == _EOL or (kind != _NOP and (at + 1 >= len(options) or options[at + 1] < 2)):
            return None
        at += 1 if kind == _NOP else options[at + 1]
    return None


def _hole(end: End, start: int, stop: int) -> None:
    end.holes_count += 1
    if len(end.holes) < MOST:
        end.holes.append((start, stop))
