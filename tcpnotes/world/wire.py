"""The wire: segments on their way, each with the moment it would arrive."""

from __future__ import annotations

from heapq import heappop, heappush

from tcpnotes.trace.frames import InFlight
from tcpnotes.trace.segment import Segment


class Wire:
    """Segments in flight; ``delay`` is the way one way in microseconds, ``routes`` says whose an address is."""

    __slots__ = ("delay", "flying", "order", "routes", "sent")

    def __init__(self, delay: int, routes: dict[int, str]) -> None:
        self.delay = delay
        self.routes = routes  # replaced, never changed: copies share it
        self.sent = 0
        self.flying: dict[int, InFlight] = {}
        self.order: list[tuple[int, int]] = []  # heap of (due, number); what is no longer flying does not count

    def send(self, src: str, now: int, seg: Segment) -> int:
        """Put a segment on the wire; its number.  To an address that nobody has, it is gone at once."""
        self.sent = number = self.sent + 1
        dst = self.routes.get(seg.daddr)
        if dst is not None:
            due = now + self.delay
            self.flying[number] = tuple.__new__(InFlight, (number, src, dst, now, due, seg))
            heappush(self.order, (due, number))
        return number

    def duplicate(self, flight: InFlight) -> None:
        """Double a segment; the copy has a number of its own and arrives right behind it."""
        self.sent += 1
        self._put(flight._replace(wire=self.sent))

    def put_off(self, flight: InFlight, by: int) -> None:
        """Let a segment arrive ``by`` microseconds later."""
        self._put(flight._replace(due=flight.due + by))

    def _put(self, flight: InFlight) -> None:
        self.flying[flight.wire] = flight
        heappush(self.order, (flight.due, flight.wire))

    def next_due(self) -> InFlight | None:
        """The segment that arrives first."""
        order = self.order
        while order:
            due, number = order[0]
            flight = self.flying.get(number)
            if flight is not None and flight.due == due:
                return flight
            heappop(order)
        return None

    def clone(self) -> Wire:
        """A copy."""
        new = Wire.__new__(Wire)
        new.delay = self.delay
        new.routes = self.routes
        new.sent = self.sent
        new.flying = self.flying.copy()
        new.order = self.order[:]
        return new

    def freeze(self) -> tuple[object, ...]:
        """All of it as a tuple."""
        return (self.delay, tuple(sorted(self.routes.items())), self.sent, tuple(self.flying.values()))
