"""Sequence numbers counted from each side's SYN, so that two runs can be set side by side."""

from __future__ import annotations

from collections.abc import Iterable

from tcpnotes.trace.records import Lost, Received, Record, Sent
from tcpnotes.trace.segment import ACK, SYN, Segment
from tcpnotes.world.process import ADDRESSES

_OTHER = {"A": "B", "B": "A"}


class Numbers:
    """The first number of each direction, learnt from the SYNs that pass."""

    def __init__(self) -> None:
        self._first: dict[tuple[str, int, int], int] = {}

    def relative(self, src: str, seg: Segment) -> Segment:
        """The segment with numbers from 0 (that of the SYN) on, and the addresses of the engine's hosts.

        What its timestamps say is left out; that it has some is not.
        """
        here, there = (src, seg.sport, seg.dport), (_OTHER[src], seg.dport, seg.sport)
        if seg.flags & SYN:
            self._first[here] = seg.seq
            if not seg.flags & ACK:
                self._first.pop(there, None)
        own, peer = self._first.get(here, seg.seq), self._first.get(there, seg.ack_seq)
        return seg._replace(
            saddr=ADDRESSES[src], daddr=ADDRESSES[_OTHER[src]], seq=(seg.seq - own) & 0xFFFFFFFF,
            ack_seq=(seg.ack_seq - peer) & 0xFFFFFFFF if seg.flags & ACK else 0,
            ts=None if seg.ts is None else (0, 0),
            sacks=tuple(((a - peer) & 0xFFFFFFFF, (b - peer) & 0xFFFFFFFF) for a, b in seg.sacks),
        )  # fmt: skip


def relative(records: Iterable[Record]) -> list[Record]:
    """The same records with relative segments (see `Numbers`)."""
    numbers = Numbers()
    sent: dict[int, Segment] = {}
    found: list[Record] = []
    for record in records:
        match record:
            case Sent():
                sent[record.wire] = numbers.relative(record.host, record.seg)
                found.append(record._replace(seg=sent[record.wire]))
            case Received(wire=None):
                found.append(record._replace(seg=numbers.relative(_OTHER[record.host], record.seg)))
            case Received(wire=int(wire)) | Lost(wire=wire):
                found.append(record._replace(seg=sent[wire]))
            case _:
                found.append(record)
    return found
