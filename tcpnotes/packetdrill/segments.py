"""Segments of a script and of the engine: numbers from one to the other, and what differs.

A script counts from the first numbers of either side, and its timestamps of ours from
whatever it likes; here is kept how far that is from the engine's.
"""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from tcpnotes.packetdrill.calls import PORT
from tcpnotes.packetdrill.outcome import Difference, Differs
from tcpnotes.packetdrill.script import Event, Packet
from tcpnotes.trace import Segment
from tcpnotes.trace import records as r
from tcpnotes.trace.segment import ACK, PSH, SYN
from tcpnotes.trace.words import option_words, relative
from tcpnotes.world.process import ADDRESSES

OURS, PEERS = 1_000_000_000, 3_000_000_000  # first sequence numbers of both sides
FIRST_PEER_PORT = 50_000
_STAMPS = 5  # timestamps that left, from which on one of them can stand out


class _Stamp(NamedTuple):
    """A timestamp that left: how far the engine's is from the script's, what more is allowed, is its echo right."""

    differs: Differs
    distance: int
    allowed: int
    echo: bool


class Segments:
    """Which ports and numbers the script speaks of; ``tolerance`` in microseconds, ``tick`` of a timestamp (0: any)."""

    def __init__(self, tolerance: int, tick: int) -> None:
        self.tolerance = tolerance
        self.tick = tick
        self.peer_port, self.our_port = FIRST_PEER_PORT - 1, PORT
        self.fresh = False  # a listener that no SYN has reached yet
        self.first: dict[tuple[int, int], int] = {}  # our port and the peer's -> our first sequence number
        self.connecting = False  # a connect whose SYN has not left yet
        self.stamps: dict[int, int] = {}  # timestamps of ours in the script -> in the engine
        self.stamp_base: int | None = None
        self.last_stamp = 0
        self.stamped: list[_Stamp] = []

    def learn(self, seg: Segment) -> None:
        """A segment has left: a SYN says first number and ports, a timestamp what time it is."""
        if seg.flags & SYN:
            if self.connecting and not seg.flags & ACK:  # a new socket counts from its own SYN
                self.first[seg.sport, seg.dport] = seg.seq
                self.connecting = False
            self.first.setdefault((seg.sport, seg.dport), seg.seq)
            if not seg.flags & ACK:
                self.our_port, self.peer_port = seg.sport, seg.dport
        if seg.ts is not None:
            self.last_stamp = seg.ts[0]

    # -- in --------------------------------------------------------------------------------------------------------

    def inbound(self, packet: Packet) -> Segment:
        """The segment that comes in for ``packet``."""
        options = packet.options
        assert options is not None
        if packet.ports is not None:
            self.peer_port, self.our_port = packet.ports
        elif packet.flags & SYN and not packet.flags & ACK and self.fresh:
            self.peer_port += 1
        if packet.flags & SYN and not packet.flags & ACK:
            self.fresh = False
        ours = self.first.get((self.our_port, self.peer_port), OURS)
        ack = 0 if packet.ack is None else (ours + packet.ack) & 0xFFFFFFFF
        ts = options.ts
        if ts is not None and packet.flags & ACK:
            ts = (ts[0], self._live_stamp(ts[1]))
        return Segment(
            ADDRESSES["B"], self.peer_port, ADDRESSES["A"], self.our_port, (PEERS + packet.seq) & 0xFFFFFFFF, ack,
            packet.flags, packet.window or 0, packet.length, options.mss, options.wscale, options.sack_ok, ts,
            tuple([((ours + a) & 0xFFFFFFFF, (ours + b) & 0xFFFFFFFF) for a, b in options.sacks]), packet.urgent or 0,
        )  # fmt: skip

    def _live_stamp(self, script: int) -> int:
        """A timestamp of ours as the engine knows it, from the script's."""
        if script in self.stamps:
            return self.stamps[script]
        if self.stamp_base is not None:
            return (script + self.stamp_base) & 0xFFFFFFFF
        return self.last_stamp or script

    # -- out -------------------------------------------------------------------------------------------------------

    def compare(self, event: Event, packet: Packet, sent: r.Sent, seg: Segment, planned: int) -> None:
        """Hold a segment that left, ``planned`` at a time, against what was expected: `Differs` says in what."""
        ours = self.first.get((seg.sport, seg.dport), OURS)
        fields = []
        # Where a device cuts segments itself, PSH depends on where; so it does not count then.
        if (seg.flags ^ packet.flags) & ~(PSH if seg.len > sent.seg.len else 0):
            fields.append("flags")
        seq = relative(seg.seq, ours) if seg.seq else 0  # a RESET without a connection starts at a raw 0
        if seq != packet.seq:
            fields.append("seq")
        if seg.len != packet.length:
            fields.append("length")
        ack = relative(seg.ack_seq, PEERS) if seg.flags & ACK else 0
        if ack != (packet.ack or 0):
            fields.append("ack")
        if packet.window is not None and seg.window != packet.window:
            fields.append("win")
        if packet.urgent is not None and seg.urg_ptr != packet.urgent:
            fields.append("urg")
        if packet.ports is not None and (seg.sport, seg.dport) != packet.ports:
            fields.append("ports")
        if any(mark in ("ect0", "ect1", "ce", "ect01") for mark in packet.marks):
            fields.append("mark")
        if packet.options is not None:
            actual = self._option_words(seg)
            if [_kind(word) for word in actual] != [_kind(word) for word in packet.options.words]:
                fields.append("options")
        if fields:
            raise Differs(event, packet, f"{self.shown(sent, seg)}", tuple(fields))
        if packet.options is not None and packet.options.ts is not None and seg.ts is not None:
            differs = Differs(event, packet, self.shown(sent, seg), ("timestamp",))
            self._compare_stamps(differs, packet.options.ts, seg.ts, abs(sent.t - planned))

    def _compare_stamps(self, differs: Differs, script: tuple[int, int], live: tuple[int, int], late: int) -> None:
        """Note a timestamp for `judge`; one that the script asks to be checked must fit now."""
        distance = (live[0] - script[0]) & 0xFFFFFFFF
        if self.stamp_base is None:
            self.stamp_base = distance
        self.stamps[script[0]] = live[0]
        if self.tick and abs(relative(distance, self.stamp_base)) * self.tick > self.tolerance + late:
            raise differs
        self.stamped.append(_Stamp(differs, distance, late // 1000 + 1 if late else 0, live[1] == script[1]))

    def judge(self) -> Difference | None:
        """One timestamp alone that does not fit is a mistake; scripts that do not mean them have more of those."""
        if len(self.stamped) < _STAMPS:
            return None
        usual, _ = Counter(stamp.distance for stamp in self.stamped).most_common(1)[0]
        wrong = [s for s in self.stamped if not s.echo or abs(relative(s.distance, usual)) > s.allowed]
        return wrong[0].differs.difference if len(wrong) == 1 else None

    def _option_words(self, seg: Segment) -> tuple[str, ...]:
        return option_words(seg, self.stamp_base or 0, PEERS)

    def shown(self, sent: r.Sent, seg: Segment | None = None) -> str:
        """A segment as the script would write it, with the function that sent it."""
        seg = seg or sent.seg
        ours = self.first.get((seg.sport, seg.dport), OURS)
        seq = 0 if seg.seq == 0 else relative(seg.seq, ours)
        parts = [">", seg.flag_letters or "-", f"{seq}:{seq + seg.len}({seg.len})"]
        if seg.flags & ACK:
            parts.append(f"ack {relative(seg.ack_seq, PEERS)}")
        parts.append(f"win {seg.window}")
        words = self._option_words(seg)
        if words:
            parts.append(f"<{','.join(words)}>")
        return " ".join(parts) + (f", by {sent.fn}" if sent.fn else "")


def merged(waiting: list[r.Sent], packet: Packet) -> tuple[Segment, int]:
    """What a device that cuts segments itself would be given: several in a row that left at once, as one."""
    sent = waiting[0]
    seg, count = sent.seg, 1
    while seg.len < packet.length and count < len(waiting):
        following = waiting[count]
        other = following.seg
        if (
            following.t != sent.t or other.seq != seg.end_seq or not other.len or other.ack_seq != seg.ack_seq
            or (other.sport, other.dport, other.ts) != (seg.sport, seg.dport, seg.ts)
        ):  # fmt: skip
            break
        seg = seg._replace(len=seg.len + other.len, flags=seg.flags | other.flags)
        count += 1
    return seg, count


def _kind(word: str) -> str:
    """An option as far as it must agree to the letter: all of it, but of a timestamp only that it is one."""
    return "TS" if word.startswith("TS ") else word
