"""The wire: segments on their way, each with the moment it would arrive."""

from __future__ import annotations

from tcpnotes.trace.frames import InFlight
from tcpnotes.trace.segment import Segment


class Wire:
    """Segments in flight between hosts; ``delay`` is the way one way, in microseconds."""

    __slots__ = ("delay", "flying", "sent")

    def __init__(self, delay: int) -> None:
        self.delay = delay
        self.sent = 0
        self.flying: dict[int, InFlight] = {}

    def send(self, src: str, dst: str | None, now: int, seg: Segment) -> int:
        """Put a segment on the wire; its number.  Without a destination it is gone at once."""
        self.sent += 1
        if dst is not None:
            self.flying[self.sent] = InFlight(self.sent, src, dst, now, now + self.delay, seg)
        return self.sent

    def next_due(self) -> InFlight | None:
        """The segment that arrives first."""
        first: InFlight | None = None
        for flight in self.flying.values():
            if first is None or (flight.due, flight.wire) < (first.due, first.wire):
                first = flight
        return first

    def clone(self) -> Wire:
        """A copy."""
        new = Wire(self.delay)
        new.sent = self.sent
        new.flying = self.flying.copy()
        return new

    def freeze(self) -> tuple[object, ...]:
        """All of it as a tuple."""
        return (self.delay, self.sent, tuple(self.flying.values()))
