"""Which segment belongs to which connection.  What is over is handed out and forgotten, so that memory stays flat."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import TypeAlias

from tcpnotes.capture.connection import Connection, Point
from tcpnotes.capture.layers import Seen
from tcpnotes.trace.segment import ACK, SYN

MOST_OPEN = 50_000
MOST_OVER = 4_000  # that are kept for what may still come: a FIN once more, a RST, a new SYN
LINGER = 120 * 1_000_000_000  # nanoseconds; twice the life of a bucket

_Key: TypeAlias = tuple[bytes, int, bytes, int]


class Follower:
    """Sorts segments into connections and gives each to ``done`` when nothing more is to be expected of it.

    ``dropped`` counts connections that were handed out while still open, because more than ``most_open`` were.
    """

    def __init__(
        self, done: Callable[[Connection], None], *, most_open: int = MOST_OPEN, most_over: int = MOST_OVER
    ) -> None:
        self._done = done
        self._most_open = most_open
        self._most_over = most_over
        self._open: OrderedDict[_Key, Connection] = OrderedDict()
        self._over: OrderedDict[_Key, Connection] = OrderedDict()
        self._sides: dict[_Key, tuple[_Key, int]] = {}  # both ways of each connection
        self.count = 0
        self.dropped = 0

    def feed(self, seen: Seen) -> Connection:
        """Take in a segment; the connection that it belongs to."""
        found = self._sides.get(seen[:4])
        if found is None:
            connection, key, side = self._begin(seen)
        else:
            key, side = found
            connection = self._open.get(key) or self._over[key]
            if seen.flags & (SYN | ACK) == SYN and connection.ends[side].iss != seen.seq:
                connection, key, side = self._begin_again(connection, key, side, seen)
        was_over = connection.over
        connection.feed(side, seen)
        held = self._over if was_over else self._open
        if connection.over is was_over:
            held.move_to_end(key)
        else:  # it is over, or it goes on after a RST that was not taken
            del held[key]
            (self._open if was_over else self._over)[key] = connection
            self._retire(seen.t)
        return connection

    def finish(self) -> None:
        """The capture ends: hand out the rest in the order in which they began."""
        rest = [*self._open.values(), *self._over.values()]
        self._open.clear()
        self._over.clear()
        self._sides.clear()
        for connection in sorted(rest, key=lambda c: c.number):
            self._done(connection)

    def _begin(self, seen: Seen) -> tuple[Connection, _Key, int]:
        self.count += 1
        connection = Connection(self.count, seen)
        there = (seen.daddr, seen.dport, seen.saddr, seen.sport)
        key = seen[:4]
        side = 0
        if connection.ends[0].addr != seen.saddr or connection.ends[0].port != seen.sport:
            side = 1
        # A segment from an end to itself has one name for both ways.
        self._sides[there] = (key, 1 - side)
        self._sides[key] = (key, side)
        self._open[key] = connection
        if len(self._open) > self._most_open:
            oldest = next(iter(self._open))
            self.dropped += 1
            self._drop(oldest, self._open.pop(oldest))
        return connection, key, side

    def _begin_again(self, old: Connection, key: _Key, side: int, seen: Seen) -> tuple[Connection, _Key, int]:
        """A new SYN between the same ends."""
        old.taken_by = Point(seen.number, seen.t)
        old.taken_side = side
        (self._over if old.over else self._open).pop(key)
        self._drop(key, old)
        connection, key, side = self._begin(seen)
        connection.follows = old.number
        connection.was = (old.ends[old.taken_side].state, old.ends[1 - old.taken_side].state)
        return connection, key, side

    def _retire(self, now: int) -> None:
        while self._over:
            key, oldest = next(iter(self._over.items()))
            if len(self._over) <= self._most_over and now - oldest.last.t < LINGER:
                return
            del self._over[key]
            self._drop(key, oldest)

    def _drop(self, key: _Key, connection: Connection) -> None:
        self._sides.pop(key, None)
        self._sides.pop((key[2], key[3], key[0], key[1]), None)
        self._done(connection)
