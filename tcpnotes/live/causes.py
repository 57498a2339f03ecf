"""Why the engine and a live kernel differ where they do: each cause has a name, and docs/live.md says more of it."""

from __future__ import annotations

from typing import Any

from tcpnotes.scenarios import Scenario

CAUSES = {
    "bucket_under_bound_port": "A socket that was bound to its port may connect over a bucket with timestamps, "
    "whatever tcp_tw_reuse says; the engine asks tcp_tw_reuse in any case.",
    "small_receive_buffer": "The engine enlarges a very small receive buffer to four segments, as 2.4 does; "
    "Linux since 5.0 leaves it as it is, and its peer sends segments of half the window.",
    "counter_time_wait": "TW is counted when a bucket begins to wait; in 2.4 and in the engine, when its time is up.",
    "counter_resets": "Current kernels count RESETs in more places: those that a close sends (OutRsts), and "
    "connections that end from ESTABLISHED or CLOSE_WAIT (EstabResets, AttemptFails for the half-open).",
    "counter_overflow": "TCPTimeWaitOverflow: the engine has no counter for a bucket that found no room.",
}
_COUNTERS = {
    "TW": "counter_time_wait", "TWKilled": "counter_time_wait", "TcpOutRsts": "counter_resets",
    "TcpEstabResets": "counter_resets", "TcpAttemptFails": "counter_resets", "TCPTimeWaitOverflow": "counter_overflow",
}  # fmt: skip


def cause_of(scenario: Scenario, level: str, engine: Any, live: Any) -> str | None:
    """The name of the cause of a difference, or None when it is not explained."""
    return None
