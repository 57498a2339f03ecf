"""How long things take: the times of include/net/tcp.h in the jiffies of a host, and a few sizes that go with them.

A jiffy is 10 ms at HZ = 100, 1 ms at HZ = 1000.  Which HZ a host has, and where versions
wait for different times, its profile says.
"""

from __future__ import annotations

from functools import lru_cache

from tcpnotes.kernel.profile import Profile


class Times:
    """Times in jiffies of ``1 / HZ`` seconds; ``tick`` is a jiffy in microseconds.

    ``factor`` is how many of these jiffies make one of 10 ms, the unit of records and pictures.
    """

    __slots__ = (
        "HZ", "TCP_ATO_MIN", "TCP_DELACK_MAX", "TCP_DELACK_MIN", "TCP_RESOURCE_PROBE_INTERVAL", "TCP_RTO_MAX",
        "TCP_RTO_MIN", "TCP_TIMEOUT_INIT", "TCP_TIMEWAIT_LEN", "factor", "tick",
    )  # fmt: skip

    def __init__(self, hz: int, timeout_init: int) -> None:
        self.HZ = hz
        self.tick = 1_000_000 // hz
        self.factor = hz // 100
        self.TCP_TIMEWAIT_LEN = 60 * hz
        self.TCP_RTO_MIN = hz // 5
        self.TCP_RTO_MAX = 120 * hz
        self.TCP_TIMEOUT_INIT = timeout_init * hz
        self.TCP_DELACK_MIN = self.TCP_ATO_MIN = hz // 25
        self.TCP_DELACK_MAX = hz // 5
        self.TCP_RESOURCE_PROBE_INTERVAL = hz // 2


@lru_cache
def times_of(profile: Profile) -> Times:
    """The times of a profile."""
    return Times(int(profile.hz), int(profile.timeout_init))
