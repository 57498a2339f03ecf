"""A segment that takes longer: it arrives later, and others may overtake it."""

from __future__ import annotations

import pytest

from tcpnotes.trace.records import Received
from tcpnotes.world import SegmentDelayed, World


def _two_on_the_wire() -> tuple[World, int, int]:
    """A connection on which A has just sent data and, right behind, its FIN."""
    world = World()
    world.call("B", "socket")
    world.call("B", "bind", 3, 80)
    world.call("B", "listen", 3, 5)
    world.call("B", "accept", 3)
    world.call("A", "socket")
    world.call("A", "connect", 3, 80)
    world.run_until(1_000_000)
    world.call("A", "write", 3, 100)
    world.call("A", "close", 3)
    data, fin = world.wire.flying
    return world, data, fin


def test_delayed__arrives_so_much_later() -> None:
    world, data, _ = _two_on_the_wire()
    world.apply(SegmentDelayed(data, 30_000))
    assert world.wire.flying[data].due == world.now + world.wire.delay + 30_000


def test_delayed__what_left_later_overtakes_it() -> None:
    world, data, fin = _two_on_the_wire()
    recorder = world.listen()
    world.apply(SegmentDelayed(data, 30_000))
    world.run_until(1_060_000)
    assert [rec.wire for rec in recorder.records if isinstance(rec, Received) and rec.host == "B"] == [fin]
    world.run_until(1_100_000)
    assert [rec.wire for rec in recorder.records if isinstance(rec, Received) and rec.host == "B"] == [fin, data]


def test_delayed__a_fork_goes_its_own_way() -> None:
    world, data, _ = _two_on_the_wire()
    other = world.fork()
    other.apply(SegmentDelayed(data, 30_000))
    assert world.wire.flying[data].due != other.wire.flying[data].due and world != other


@pytest.mark.parametrize(
    ("wire", "by", "said"), [(999, 1, "Segment number 999 is not on the wire"), (None, -1, "not by -1")]
)
def test_delayed__what_cannot_be(wire: int | None, by: int, said: str) -> None:
    world, data, _ = _two_on_the_wire()
    before = world.freeze()
    with pytest.raises(ValueError, match=said):
        world.apply(SegmentDelayed(data if wire is None else wire, by))
    assert world.freeze() == before
