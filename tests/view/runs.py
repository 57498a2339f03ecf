"""Small runs to draw: each a world driven by a few calls, recorded with frames."""

from __future__ import annotations

from functools import cache

from tcpnotes.trace import Recorder
from tcpnotes.world import SegmentLost, World


def connected(delay: int = 50_000) -> World:
    """A connection from A (fd 3) to B (fd 4, its listener is fd 3), nobody listening yet."""
    w = World(delay=delay)
    w.call("B", "socket")
    w.call("B", "bind", 3, 80)
    w.call("B", "listen", 3, 5)
    w.call("B", "accept", 3)
    w.call("A", "socket")
    w.call("A", "connect", 3, 80)
    w.run()
    return w


@cache
def plain_close() -> Recorder:
    """The whole life: handshake, 16 bytes, A closes, B closes, TIME_WAIT ends."""
    w = World()
    rec = w.listen(frames=True)
    w.call("B", "socket")
    w.call("B", "bind", 3, 80)
    w.call("B", "listen", 3, 5)
    w.call("B", "accept", 3)
    w.call("A", "socket")
    w.call("A", "connect", 3, 80)
    w.run()
    w.call("A", "write", 3, 16)
    w.run()
    w.call("B", "read", 4, 100)
    w.call("A", "close", 3)
    w.run_until(w.now + 300_000)
    w.call("B", "read", 4, 100)
    w.call("B", "close", 4)
    w.run()
    return rec


@cache
def simultaneous_close() -> Recorder:
    """Both sides close at once."""
    w = connected()
    rec = w.listen(frames=True)
    w.call("A", "close", 3)
    w.call("B", "close", 4)
    w.run_until(w.now + 1_000_000)
    return rec


@cache
def lost_fin() -> Recorder:
    """A's first FIN is lost and sent again; at the end segments are still on the wire."""
    w = connected(delay=150_000)
    rec = w.listen(frames=True)
    w.call("A", "close", 3)
    w.run_until(w.now + 20_000)
    w.apply(SegmentLost(next(iter(w.wire.flying))))
    w.run_until(w.now + 1_500_000)
    w.call("B", "close", 4)
    return rec


@cache
def lingering_close() -> Recorder:
    """A lingers five seconds at most, with more queued than the window lets go."""
    w = connected()
    rec = w.listen(frames=True)
    w.call("A", "setsockopt", 3, "SOL_SOCKET", "SO_LINGER", (1, 5))
    w.call("A", "write", 3, 9000)
    w.call("A", "close", 3)
    w.run_until(w.now + 900_000)
    return rec


@cache
def unread_close() -> Recorder:
    """A closes with data unread: a reset."""
    w = connected()
    rec = w.listen(frames=True)
    w.call("B", "write", 4, 100)
    w.run_until(w.now + 500_000)
    w.call("A", "close", 3)
    w.run_until(w.now + 500_000)
    return rec


@cache
def half_close() -> Recorder:
    """A shuts down for writing, B sends and closes, A reads to the end and closes."""
    w = connected()
    rec = w.listen(frames=True)
    w.call("A", "shutdown", 3, "SHUT_WR")
    w.run_until(w.now + 300_000)
    w.call("B", "write", 4, 50)
    w.call("B", "close", 4)
    w.run_until(w.now + 300_000)
    w.call("A", "read", 3, 100)
    w.call("A", "close", 3)
    w.run_until(w.now + 300_000)
    return rec


ALL = (plain_close, simultaneous_close, lost_fin, lingering_close, unread_close, half_close)
