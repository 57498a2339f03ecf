"""The state diagram as explorations know it: which ways there are between places, and which of them were seen.

A place is a state of a socket, "bucket-FIN_WAIT2" or "TIME_WAIT" of a bucket, or "gone".
"""

from __future__ import annotations

from functools import cache

from tcpnotes.explore.views import GONE

WAYS: tuple[tuple[str, str], ...] = (
    ("LISTEN", "SYN_RECV"), ("SYN_SENT", "SYN_RECV"), ("SYN_SENT", "ESTABLISHED"), ("SYN_RECV", "ESTABLISHED"),
    ("SYN_RECV", "FIN_WAIT1"), ("SYN_RECV", "CLOSE_WAIT"), ("ESTABLISHED", "FIN_WAIT1"), ("ESTABLISHED", "CLOSE_WAIT"),
    ("FIN_WAIT1", "FIN_WAIT2"), ("FIN_WAIT1", "CLOSING"), ("FIN_WAIT2", "bucket-FIN_WAIT2"),
    ("FIN_WAIT2", "TIME_WAIT"), ("CLOSING", "TIME_WAIT"), ("bucket-FIN_WAIT2", "TIME_WAIT"), ("CLOSE_WAIT", "LAST_ACK"),
)  # fmt: skip
_LAST = ("CLOSE", GONE)  # by force from everywhere, and at the end


@cache
def leads(old: str, new: str) -> bool:
    """Can what stands at ``old`` stand at ``new`` after one stimulus, that is, after a few of the ways?"""
    if old == new or new in _LAST:
        return old != GONE or new == GONE
    if old == GONE:
        return new == "SYN_RECV" or leads("SYN_RECV", new)  # a listener's child
    reached, fresh = {old}, {old}
    while fresh:
        fresh = {head for tail, head in WAYS if tail in fresh} - reached
        reached |= fresh
    return new in reached
