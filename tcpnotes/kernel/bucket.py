"""What stays of a connection in TIME_WAIT."""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Final

from tcpnotes.kernel.copies import copier
from tcpnotes.kernel.sock import MAXSEQ, NEVER, STATE_NAMES, Sock

if TYPE_CHECKING:
    pass


class _Number:
    """A field of a bucket that stands in its `numbers`: where, and in what form (as in `struct`)."""

    __slots__ = ("begin", "end", "form")

    def __init__(self, form: str, begin: int) -> None:
        self.form = Struct("<" + form)
        self.begin = begin
        self.end = begin + self.form.size

    def __get__(self, tw: TwBucket, owner: type | None = None) -> int:
        value: int = self.form.unpack_from(tw.numbers, self.begin)[0]
        return value

    def __set__(self, tw: TwBucket, value: int) -> None:
        numbers = tw.numbers
        tw.numbers = numbers[: self.begin] + self.form.pack(value) + numbers[self.end :]


_TW_NUMBERS = Struct("<8IQI3B")


class TwBucket:
    """What is left of a connection in TIME_WAIT: `struct tcp_tw_bucket`.

    It has no queues, no error and no owner.  ``substate`` is FIN_WAIT2 or
    TIME_WAIT; ``key`` is the connection (see `Net.key`); ``cell`` is the slot it
    hangs in (0–7 slow wheel, 8–39 calendar, -1 none).  As there may be a million
    of them, their numbers are packed as in C: one string of bytes for each bucket.
    ``timer`` is its own where there are no wheels.
    """

    __slots__ = ("cell", "key", "last_oow_ack", "net", "numbers", "timer")

    rcv_nxt = _Number("I", 0)
    snd_nxt = _Number("I", 4)
    syn_seq = _Number("I", 8)
    rcv_wnd = _Number("I", 12)
    ts_recent = _Number("I", 16)
    ts_recent_stamp = _Number("I", 20)  # seconds
    id = _Number("I", 24)
    entered = _Number("I", 28)  # jiffy at which its time began, modulo 2^32
    ttd = _Number("Q", 32)  # jiffy at which its time is over
    timeout = _Number("I", 40)  # jiffies
    substate = _Number("B", 44)
    reuse = _Number("B", 45)
    rcv_wscale = _Number("B", 46)

    def __init__(self, sk: Sock, substate: int, rcv_wnd: int, timeout: int) -> None:
        """A bucket for the connection of ``sk``, not yet in the hash nor on a wheel."""
        net = sk.net
        self.net = net
        self.key = (sk.rcv_saddr << 32 | sk.daddr) << 32 | sk.num << 16 | sk.dport
        self.cell = -1
        self.timer: tuple[int, int] | None = None
        self.last_oow_ack = NEVER
        net.next_id = number = net.next_id + 1
        self.numbers = _TW_NUMBERS.pack(
            sk.rcv_nxt, sk.snd_nxt, sk.syn_seq, rcv_wnd, sk.ts_recent, sk.ts_recent_stamp, number,
            net.jiffies & MAXSEQ, net.jiffies, timeout, substate, sk.reuse, sk.rcv_wscale,
        )  # fmt: skip

    def freeze(self) -> tuple[object, ...]:
        """All of it as a tuple."""
        return (self.key, self.cell, self.timer, self.last_oow_ack, *_TW_NUMBERS.unpack(self.numbers))

    @property
    def rcv_saddr(self) -> int:
        """Our address."""
        return self.key >> 64

    @property
    def daddr(self) -> int:
        """The peer's address."""
        return self.key >> 32 & MAXSEQ

    @property
    def num(self) -> int:
        """Our port."""
        return self.key >> 16 & 0xFFFF

    @property
    def dport(self) -> int:
        """The peer's port."""
        return self.key & 0xFFFF

    def __repr__(self) -> str:
        return f"TwBucket({self.id}, {STATE_NAMES[self.substate]}, {self.num}→{self.dport})"


copy_bucket = copier(TwBucket, TwBucket.__slots__)
EMPTY_CELL: Final[dict[TwBucket, None]] = {}  # stands for every slot that holds nothing, and is never filled
