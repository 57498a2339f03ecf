"""The clock, the wire and mishaps."""

from __future__ import annotations

import pytest
from story import Story, alone, connected, listening

from tcpnotes.world import HostCrashes, SegmentArrives, SegmentLost, TimerFires, World


def test_time_moves_only_forward() -> None:
    world = World()
    world.run_until(500)
    world.run_until(100)
    assert world.now == 500


def test_a_tick_is_10_ms__its_timers_run_before_what_arrives_at_that_moment() -> None:
    s = connected()
    s.A.hears("FIN|ACK")  # the ACK is due at the next tick
    task = s.world.next_due()
    assert task is not None
    at, event = task
    assert at % 10_000 == 0 and event == TimerFires("A")


def test_segments_arrive_in_the_order_they_left() -> None:
    s = connected()
    s.A.write(10)
    s.A.close()
    first, second = sorted(s.world.wire.flying)
    assert s.world.step() == SegmentArrives(first)
    assert s.world.step() == SegmentArrives(second)


def test_a_segment_can_overtake_another() -> None:
    s = connected()
    s.A.write(10)
    s.A.close()
    _, fin = sorted(s.world.wire.flying)
    s.world.apply(SegmentArrives(fin))
    assert s.B.states == ""  # the FIN waits for what is missing
    s.deliver()
    assert s.B.states == "CLOSE_WAIT"


def test_enabled__offers_what_can_happen() -> None:
    s = connected()
    s.A.close()
    (wire,) = s.world.wire.flying
    offered = s.world.enabled()
    assert SegmentArrives(wire) in offered and SegmentLost(wire) in offered and TimerFires("A") in offered
    for event in offered:
        s.world.fork().apply(event)  # none of them is refused


def test_nothing_left_to_happen() -> None:
    world = World()
    assert world.next_due() is None
    assert world.step() is None
    assert world.run() == 0
    assert world.enabled() == []


def test_crash__the_peer_is_reset_when_it_next_speaks() -> None:
    s = connected()
    s.world.apply(HostCrashes("B"))
    s.mark()
    s.A.write(10)
    s.deliver()
    assert (s.B.sent, s.A.states, s.A.error) == ("RST seq 1", "CLOSE", "ECONNRESET")
    assert s.B.close(fd=3) == "EBADF"


def test_crash__settings_of_the_machine_stay() -> None:
    s = Story()
    s.world.sysctl("B", "tcp_fin_timeout", 7)
    s.world.apply(HostCrashes("B"))
    assert s.B.net.sysctl["tcp_fin_timeout"] == 700


def test_a_host_alone__what_it_sends_goes_nowhere() -> None:
    s = alone()
    s.A.write(10)
    assert s.A.sent != "nothing"
    assert not s.world.wire.flying


@pytest.mark.parametrize("delay", [0, 1, 9_999, 10_000, 700_000])
def test_any_delay__a_close_completes(delay: int) -> None:
    s = listening(delay=delay / 1_000_000)
    s.A.connect(80)
    s.wait(3)
    s.A.close()
    s.wait(3)
    s.B.close()
    s.wait(3)
    assert s.A.bucket == "FIN_WAIT2 TIME_WAIT"
    assert s.B.states.endswith("CLOSE_WAIT LAST_ACK CLOSE")


def test_same_seed_same_numbers__another_seed_others() -> None:
    def numbers(seed: int) -> list[int]:
        s = connected(seed=seed)
        return [record.seg.seq for record in s.recorder.records if record.kind == "sent"]

    assert numbers(3) == numbers(3)
    assert numbers(3) != numbers(4)


def test_every_connection_starts_from_another_number() -> None:
    s = listening()
    for fd in (3, 4, 5):
        s.A.connect(80, fd=fd)
        s.deliver()
        s.A.socket()
    syns = [r.seg.seq for r in s.recorder.records if r.kind == "sent" and r.seg.flags == 0x02]
    assert len(set(syns)) == 3
