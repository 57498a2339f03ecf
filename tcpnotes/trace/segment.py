"""A TCP segment as it is on the wire."""

from __future__ import annotations

from typing import NamedTuple

FIN, SYN, RST, PSH, ACK, URG, ECE, CWR = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80
_LETTERS = ((FIN, "F"), (SYN, "S"), (RST, "R"), (PSH, "P"), (ACK, "."), (URG, "U"), (ECE, "E"), (CWR, "W"))
_NAMES = (
    (FIN, "FIN"),
    (SYN, "SYN"),
    (RST, "RST"),
    (PSH, "PSH"),
    (ACK, "ACK"),
    (URG, "URG"),
    (ECE, "ECE"),
    (CWR, "CWR"),
)
_LETTERS_OF = tuple("".join(letter for bit, letter in _LETTERS if flags & bit) for flags in range(256))


class Segment(NamedTuple):
    """One segment, frozen: copies of a world share it.

    Addresses are IPv4 addresses as integers, ``seq`` and ``ack_seq`` sequence
    numbers modulo 2^32 (``ack_seq`` is 0 without the ACK flag), ``len`` payload
    bytes, ``window`` the raw 16-bit field.  Options: ``mss`` and ``wscale`` None
    when absent, ``ts`` the pair (value, echo), ``sacks`` pairs of sequence numbers.
    """

    saddr: int
    sport: int
    daddr: int
    dport: int
    seq: int
    ack_seq: int
    flags: int
    window: int
    len: int = 0
    mss: int | None = None
    wscale: int | None = None
    sack_ok: bool = False
    ts: tuple[int, int] | None = None
    sacks: tuple[tuple[int, int], ...] = ()
    urg_ptr: int = 0

    @property
    def end_seq(self) -> int:
        """The number after the last one this segment takes up (SYN and FIN count one each)."""
        flags = self.flags
        return (self.seq + self.len + (flags & 1) + (flags >> 1 & 1)) & 0xFFFFFFFF

    @property
    def flag_letters(self) -> str:
        """The flags as tcpdump writes them: ``F.``, ``S``, ``R.``, ``.``"""
        return _LETTERS_OF[self.flags]

    @property
    def flag_names(self) -> str:
        """The flags in words: ``FIN,ACK``."""
        return ",".join(name for bit, name in _NAMES if self.flags & bit)


def make_segment(fields: tuple[object, ...]) -> Segment:
    """A segment from all of its fields in order, without the cost of naming them."""
    return tuple.__new__(Segment, fields)
