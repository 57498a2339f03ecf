"""Is a segment one that a wire could carry?"""

from __future__ import annotations

from tcpnotes.trace.segment import Segment


def fits(value: object, bits: int) -> bool:
    """Is it a whole number from 0 on, of so many bits?"""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << bits


_BITS = {
    "saddr": 32, "daddr": 32, "seq": 32, "ack_seq": 32, "sport": 16, "dport": 16, "window": 16, "flags": 8, "len": 16,
    "urg_ptr": 16,
}  # fmt: skip


def check_segment(seg: Segment) -> None:
    """ValueError, in one sentence, for a segment whose fields no wire could carry."""
    if not isinstance(seg, Segment):
        raise ValueError(f"What reaches a host is a Segment, not {seg!r}.")
    for name, bits in _BITS.items():
        value = getattr(seg, name)
        if not fits(value, bits):
            raise ValueError(f"A segment's {name} must be a whole number from 0 to {(1 << bits) - 1}, not {value!r}.")
    for name, bits in (("mss", 16), ("wscale", 8)):
        value = getattr(seg, name)
        if value is not None and not fits(value, bits):
            raise ValueError(f"A segment's {name} must be None or from 0 to {(1 << bits) - 1}, not {value!r}.")
    if not isinstance(seg.sack_ok, bool):
        raise ValueError(f"A segment's sack_ok is True or False, not {seg.sack_ok!r}.")
    if seg.ts is not None and not _pair(seg.ts):
        raise ValueError(f"A segment's ts is None or a pair of numbers of 32 bits, not {seg.ts!r}.")
    if not isinstance(seg.sacks, tuple) or not all(_pair(block) for block in seg.sacks) or len(seg.sacks) > 4:
        raise ValueError(f"A segment's SACK blocks are up to 4 pairs of sequence numbers, not {seg.sacks!r}.")


def _pair(value: object) -> bool:
    return isinstance(value, tuple) and len(value) == 2 and all(fits(number, 32) for number in value)
