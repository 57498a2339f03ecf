"""What a host needs of whatever takes its segments."""

from __future__ import annotations

from typing import Protocol

from tcpnotes.trace.segment import Segment


class Outlet(Protocol):
    """Where a host's segments go: a wire, or who wants to see them."""

    def send(self, src: str, now: int, seg: Segment) -> int:
        """Take a segment that host ``src`` sends at microsecond ``now``; its number."""
        ...
