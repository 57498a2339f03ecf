"""How long things take: the times of include/net/tcp.h in the jiffies of a host, and a few sizes that go with them.

A jiffy is 10 ms at HZ = 100, 1 ms at HZ = 1000.  Which HZ a host has, and where versions
wait for different times, its profile says.  Where no call may be spent, the two conversions
here are written out: ``us * HZ // 1_000_000`` and ``jiffies * 100 // HZ``.
"""

from __future__ import annotations

from functools import lru_cache

from tcpnotes.kernel.profile import Profile

TCP_TWKILL_SLOTS = 8
TCP_TW_RECYCLE_SLOTS = 32


class Times:
    """Times in jiffies of ``1 / HZ`` seconds; ``tick`` is a jiffy in microseconds, rounded down.

    ``TCP_TW_RECYCLE_TICK`` is the step of the calendar of buckets, as a power of two: all 32 of them are some 4 s.
    """

    __slots__ = (
        "HZ", "TCP_ATO_MIN", "TCP_DELACK_MAX", "TCP_DELACK_MIN", "TCP_RESOURCE_PROBE_INTERVAL", "TCP_RTO_MAX",
        "TCP_RTO_MIN", "TCP_SYNQ_INTERVAL", "TCP_TIMEOUT_INIT", "TCP_TIMEWAIT_LEN", "TCP_TWKILL_PERIOD",
        "TCP_TW_RECYCLE_TICK", "tick",
    )  # fmt: skip

    def __init__(self, hz: int, timeout_init: int) -> None:
        self.HZ = hz
        self.tick = 1_000_000 // hz
        self.TCP_TIMEWAIT_LEN = 60 * hz
        self.TCP_RTO_MIN = hz // 5
        self.TCP_RTO_MAX = 120 * hz
        self.TCP_TIMEOUT_INIT = timeout_init * hz
        self.TCP_DELACK_MIN = self.TCP_ATO_MIN = hz // 25
        self.TCP_DELACK_MAX = hz // 5
        self.TCP_RESOURCE_PROBE_INTERVAL = hz // 2
        self.TCP_SYNQ_INTERVAL = hz // 5
        self.TCP_TWKILL_PERIOD = self.TCP_TIMEWAIT_LEN // TCP_TWKILL_SLOTS
        self.TCP_TW_RECYCLE_TICK = (hz - 1).bit_length() + 2 - (TCP_TW_RECYCLE_SLOTS - 1).bit_length()

    def moment(self, jiffy: int) -> int:
        """When a jiffy begins, in whole microseconds: for a HZ such as 300, the first of them that is within it."""
        return -(-jiffy * 1_000_000 // self.HZ)

    def in_10_ms(self, jiffies: int) -> int:
        """A time in the unit of records and pictures, rounded down."""
        return jiffies * 100 // self.HZ


@lru_cache
def times_of(profile: Profile) -> Times:
    """The times of a profile."""
    return Times(int(profile.hz), int(profile.timeout_init))
