"""What time brings next: a tick of a host at which a timer is due, or the arrival of a segment."""

from __future__ import annotations

from typing import Final

from tcpnotes.trace.frames import InFlight
from tcpnotes.world.host import Host
from tcpnotes.world.wire import Wire

_NEVER: Final = 1 << 62  # microseconds


def soonest(hosts: dict[str, Host], wire: Wire, now: int) -> tuple[int, str | None, InFlight | None]:
    """When the next thing happens, whose tick it is (None: a segment arrives), and the next segment; ticks come first.

    The first timers of a host may be ones that no longer count, so they are looked at only when their turn would
    have come.
    """
    flight = wire.next_due()
    at = _NEVER if flight is None else flight.due
    name = None
    for host in hosts.values():
        net = host.net
        ticks = net.timer_ticks
        if ticks and ticks[0] * net.times.tick <= at:  # never later than it is
            tick = net.next_tick()
            if tick is not None:
                due = -(-tick * 1_000_000 // net.times.HZ)
                if due < now:
                    due = now
                if due < at or (due == at and name is None):
                    at, name = due, host.name
    if name is None and at < now:
        at = now
    return at, name, flight
