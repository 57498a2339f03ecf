"""Buffers: what stands in the queues of a socket.

A buffer here is the control block of an skb without its bytes: sequence numbers,
flags, when it was sent, and ``truesize``, the memory it is charged with.  True
sizes are those of a 32-bit build, because windows and buffer limits hang on them.
"""

from __future__ import annotations

from typing import Final

from tcpnotes.trace.segment import Segment

SIZEOF_SK_BUFF = 140
MAX_TCP_HEADER = 160

# skb.sacked, bits of the scoreboard
SACKED_ACKED = 1
SACKED_RETRANS = 2
LOST = 4
TAGBITS = 7
EVER_RETRANS = 8


_NONE: Final = Segment(0, 0, 0, 0, 0, 0, 0, 0)  # of a buffer that we send: nobody asks it for a segment


class SkBuff:
    """One buffer: ``seq`` up to ``end_seq`` (SYN and FIN counted), ``len`` payload bytes.

    ``when`` is the jiffy of the last transmission, ``ack_seq`` is snd_nxt at that
    time for one we sent, and the header's field for one received.  ``room`` is how
    many bytes the data area can hold.  ``seg`` is the segment of a received buffer.
    """

    __slots__ = ("ack_seq", "end_seq", "flags", "len", "room", "sacked", "seg", "seq", "truesize", "when")

    seg: Segment

    def __init__(self, seq: int, end_seq: int, length: int, flags: int, truesize: int, room: int = 0) -> None:
        self.seq = seq
        self.end_seq = end_seq
        self.len = length
        self.flags = flags
        self.truesize = truesize
        self.room = room
        self.when = 0
        self.ack_seq = 0
        self.sacked = 0
        self.seg = _NONE

    def clone(self) -> SkBuff:
        """A copy of its own (the segment is shared, it never changes)."""
        skb = SkBuff(self.seq, self.end_seq, self.len, self.flags, self.truesize, self.room)
        skb.when = self.when
        skb.ack_seq = self.ack_seq
        skb.sacked = self.sacked
        skb.seg = self.seg
        return skb

    def freeze(self) -> tuple[object, ...]:
        """All of it as a tuple."""
        return (
            self.seq, self.end_seq, self.len, self.flags, self.truesize, self.room,
            self.when, self.ack_seq, self.sacked, self.seg,
        )  # fmt: skip

    def __repr__(self) -> str:
        return f"SkBuff({self.seq}:{self.end_seq} len={self.len} flags={self.flags:#x})"


def skb_area(size: int) -> int:
    """Bytes of the data area that an allocation of ``size`` gets: the next multiple of 16."""
    return (size + 15) & ~15


def received_skb(seg: Segment) -> SkBuff:
    """The buffer a driver would hand up for ``seg``: room for the frame and no more."""
    seq, ack_seq, flags, _, length = seg[4:9]
    end_seq = (seq + length + (flags & 1) + (flags >> 1 & 1)) & 0xFFFFFFFF
    area = (40 + options_length(seg) + length + 16 + 15) & ~15
    skb = SkBuff(seq, end_seq, length, flags, area + SIZEOF_SK_BUFF)
    skb.ack_seq = ack_seq
    skb.seg = seg
    return skb


def slab_truesize(skb: SkBuff) -> int:
    """What 64-bit Linux charges for the frame of ``skb``: sk_buff, and a data area of a power of two (SKB_TRUESIZE)."""
    need = 40 + options_length(skb.seg) + skb.len + 64 + 320  # headers, payload, headroom, skb_shared_info
    return max(1 << (need - 1).bit_length(), 512) + 256


def options_length(seg: Segment) -> int:
    """Bytes of TCP options, padded to words (a multiple of 4)."""
    mss, wscale, sack_ok, ts, sacks = seg[9:14]
    length = 0
    if mss is not None:
        length += 4
    if ts is not None:
        length += 12
    elif sack_ok:
        length += 4
    if wscale is not None:
        length += 4
    if sacks:
        length += 4 + 8 * len(sacks)
    return length
