"""Whatever HZ is, a second lasts a second, and records speak of 10 ms."""

from __future__ import annotations

from dataclasses import replace

import pytest
from story import PEER_ISN, Story, alone, connected

from tcpnotes.kernel.profile import LINUX_2_4_0, LINUX_6, Profile
from tcpnotes.kernel.times import times_of
from tcpnotes.trace.records import Bucket, Sent, Timer

RATES = (100, 250, 300, 1000, 1024)


def ticking(hz: int, kernel: Profile = LINUX_2_4_0, **other: str) -> Profile:
    return replace(kernel, name=f"{kernel.name}, {hz} ticks a second", hz=str(hz), **other)


@pytest.mark.parametrize("hz", RATES)
def test_a_syn_is_repeated_after_3_s__and_its_timer_is_told_in_10_ms(hz: int) -> None:
    s = Story(ticking(hz), hosts="A")
    s.A.socket()
    s.A.connect(80)
    s.wait(10)
    assert [r.t for r in s.recorder.records if isinstance(r, Sent)] == [0, 3_000_000, 9_000_000]
    told = [r.expires for r in s.recorder.records if isinstance(r, Timer) and (r.name, r.op) == ("retrans", "set")]
    assert told == [300, 900, 2100]


@pytest.mark.parametrize("hz", RATES)
def test_times_are_seen_in_10_ms(hz: int) -> None:
    s = connected(ticking(hz, initial_cwnd="10"))
    s.A.setsockopt("SOL_SOCKET", "SO_LINGER", (1, 7))
    assert s.world.snapshot()[0][0].socks[0].linger == 700
    assert s.A.net.sysctl["tcp_fin_timeout"] == 60 * hz


@pytest.mark.parametrize("hz", RATES)
def test_a_bucket_with_a_timer_of_its_own_lives_for_60_s(hz: int) -> None:
    s = alone(ticking(hz, LINUX_6))
    s.A.close()
    s.A.hears("FIN|ACK")
    scheduled = [r.timeout for r in s.recorder.records if isinstance(r, Bucket) and r.op in ("schedule", "reschedule")]
    assert scheduled[-1] == 6000
    s.mark()
    s.wait(59.99)
    assert s.A.bucket == ""
    s.wait(0.02)
    assert s.A.bucket == "killed"


@pytest.mark.parametrize("hz", [300, 1024])
def test_a_tick_that_is_no_whole_number_of_microseconds__does_not_drift(hz: int) -> None:
    times = times_of(ticking(hz))
    for jiffy in (0, 1, 2, hz - 1, hz, 3600 * hz + 1):
        assert times.moment(jiffy) * hz // 1_000_000 == jiffy
        assert jiffy == 0 or (times.moment(jiffy) - 1) * hz // 1_000_000 == jiffy - 1
    assert times.moment(3600 * hz) == 3_600_000_000


# -- the wheels of 2.4 on another clock --------------------------------------------------------------------------------


@pytest.mark.parametrize(("hz", "step"), [(100, 4), (128, 4), (250, 5), (1000, 7), (1024, 7)])
def test_the_calendar_is_some_4_s_long(hz: int, step: int) -> None:
    times = times_of(ticking(hz))
    assert (step, 15 * hz // 2) == (times.TCP_TW_RECYCLE_TICK, times.TCP_TWKILL_PERIOD)
    assert 4 <= (32 << step) / hz < 8.2


@pytest.mark.parametrize("hz", RATES)
def test_the_slow_wheel_turns_in_a_minute(hz: int) -> None:
    s = alone(ticking(hz))
    s.A.close()
    s.A.hears("FIN|ACK")
    s.wait(7.4)
    s.A.socket()
    s.A.connect(80)
    s.A.hears("SYN|ACK", seq=str(PEER_ISN))
    s.A.close()
    s.A.hears("FIN|ACK")
    s.mark()
    s.wait(52.5)
    assert s.A.bucket == ""
    s.wait(0.2)
    assert s.A.bucket == "killed killed"


@pytest.mark.parametrize("hz", RATES)
def test_short_lives_go_on_the_calendar(hz: int) -> None:
    s = connected(ticking(hz), sysctl={"tcp_fin_timeout": 2})
    s.A.close()
    s.world.run_until(s.world.now + 150_000)
    assert [tw.cell >= 8 for tw in s.A.buckets] == [True]
    s.mark()
    s.wait(1.7)
    assert s.A.bucket == ""
    s.wait(0.6)
    assert s.A.bucket == "killed"
