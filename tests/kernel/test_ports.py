"""Ports that connect chooses under linux-6: what may be shared, what a bucket keeps, and for how long."""

from __future__ import annotations

from dataclasses import replace

import pytest
from story import PEER_ISN, Story

from tcpnotes.kernel.profile import LINUX_6
from tcpnotes.trace.records import Bucket, Count, Printk
from tcpnotes.world.process import ADDRESSES

LOOPBACK = 0x7F000002


def one_port(ts: tuple[int, int] | None = (1000, 0), profile: object = "linux-6", **sysctl: int) -> Story:
    """A has one port to choose, and closes a connection from it first."""
    s = Story(profile, hosts="A")  # type: ignore[arg-type]
    for name, value in {"ip_local_port_low": 40_000, "ip_local_port_high": 40_000, **sysctl}.items():
        s.world.sysctl("A", name, value)
    s.A.socket()
    s.A.connect(80)
    s.A.hears("SYN|ACK", seq=str(PEER_ISN), ts=ts)
    s.A.close()
    s.A.hears("FIN|ACK", ts=ts)
    s.A.socket()
    s.mark()
    return s


def test_tw_reuse__a_second_after_time_wait_began() -> None:
    s = one_port(tcp_tw_reuse=1)
    first = s.A.buckets[0]
    s.wait(1)
    assert s.A.connect(80) == "EADDRNOTAVAIL"
    s.wait(0.001)
    assert s.A.connect(80) == "asleep"
    assert (s.A.sock.sport, s.A.buckets, s.A.counted("TimeWaitRecycled")) == (40_000, [], 1)
    assert s.A.sock.iss == (first.snd_nxt + 65537) & 0xFFFFFFFF


def test_tw_reuse_delay__is_in_milliseconds() -> None:
    s = one_port(tcp_tw_reuse=1, tcp_tw_reuse_delay=5000)
    s.wait(4.9)
    assert s.A.connect(80) == "EADDRNOTAVAIL"
    s.wait(0.2)
    assert s.A.connect(80) == "asleep"


@pytest.mark.parametrize("reuse", [0, 2])
def test_tw_reuse__off_or_for_loopback_only__the_bucket_keeps_its_port(reuse: int) -> None:
    s = one_port(tcp_tw_reuse=reuse)
    s.wait(59)
    assert s.A.connect(80) == "EADDRNOTAVAIL"
    s.wait(2)
    assert s.A.connect(80) == "asleep"


def test_tw_reuse__2_means_loopback() -> None:
    s = Story("linux-6")
    for name in ("ip_local_port_low", "ip_local_port_high"):
        s.world.sysctl("A", name, 40_000)
    s.world.route(LOOPBACK, "B")
    s.B.socket()
    s.B.bind(80, fd=3)
    s.B.listen(5, fd=3)
    s.A.socket()
    s.A.connect(80, LOOPBACK)
    s.deliver()
    s.A.close()
    assert s.B.accept(fd=3) == 4
    s.B.close(fd=4)
    s.deliver()
    assert [tw.daddr for tw in s.A.buckets] == [LOOPBACK]
    s.wait(1.01)
    s.A.socket()
    assert s.A.connect(80, LOOPBACK) == "asleep"


def test_tw_reuse__without_timestamps_nobody_may() -> None:
    s = one_port(ts=None, tcp_tw_reuse=1)
    s.wait(30)
    assert s.A.connect(80) == "EADDRNOTAVAIL"


def test_tw_reuse__not_while_the_bucket_waits_for_a_fin() -> None:
    s = Story("linux-6", hosts="A")
    for name, value in {"ip_local_port_low": 40_000, "ip_local_port_high": 40_000, "tcp_tw_reuse": 1}.items():
        s.world.sysctl("A", name, value)
    s.A.socket()
    s.A.connect(80)
    s.A.hears("SYN|ACK", seq=str(PEER_ISN), ts=(1000, 0))
    s.A.close()
    s.A.hears("ACK", ts=(1000, 0))
    s.wait(5)
    s.A.socket()
    assert (s.A.buckets[0].substate, s.A.connect(80)) == (5, "EADDRNOTAVAIL")


def test_a_port_is_shared_by_connections_to_different_peers() -> None:
    s = one_port()
    assert s.A.connect(80) == "EADDRNOTAVAIL"
    assert s.A.connect(81) == "asleep"
    s.A.socket()
    assert s.A.connect(80, ADDRESSES["B"] + 1, fd=4) == "asleep"
    assert [sk.sport for sk in s.A.net.socks.values()] == [40_000, 40_000]


def test_a_port_that_somebody_was_bound_to__is_left_alone() -> None:
    s = Story("linux-6", hosts="A")
    for name in ("ip_local_port_low", "ip_local_port_high"):
        s.world.sysctl("A", name, 40_000)
    s.A.socket()
    assert s.A.bind(40_000) == 0
    s.A.socket()
    assert s.A.connect(80, fd=4) == "EADDRNOTAVAIL"


def test_2_4_0_wants_a_port_that_nobody_holds() -> None:
    s = one_port(profile="linux-2.4.0")
    s.wait(30)
    assert s.A.connect(80) == s.A.connect(81) == "EAGAIN"


def test_one_behaviour_alone__any_bucket_with_timestamps_may_be_taken() -> None:
    s = one_port(profile=replace(LINUX_6, name="mine", time_wait_reuse="with timestamps"))
    assert s.A.connect(80) == "asleep"


# -- the table of buckets is full -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("profile", "counted", "logged"),
    [("linux-2.4.0", 0, ["TCP: time wait bucket table overflow"]), ("linux-6", 1, [])],
)
def test_no_room_for_a_bucket__over_at_once__a_line_or_a_counter(profile: str, counted: int, logged: list[str]) -> None:
    s = one_port(profile=profile, tcp_max_tw_buckets=0)
    records = s.recorder.records
    assert [r.op for r in records if isinstance(r, Bucket)] == ["overflow"] and not s.A.buckets
    assert sum(isinstance(r, Count) and r.name == "TCPTimeWaitOverflow" for r in records) == counted
    assert [r.text for r in records if isinstance(r, Printk)] == logged
    assert s.A.connect(80) == "asleep"


def test_linux_6_knows_no_tcp_tw_recycle() -> None:
    s = Story("linux-6")
    with pytest.raises(ValueError, match="There is no sysctl 'tcp_tw_recycle'"):
        s.world.sysctl("A", "tcp_tw_recycle", 1)
