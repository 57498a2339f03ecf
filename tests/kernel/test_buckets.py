"""Buckets: what they answer, how long they live, what they keep others from."""

from __future__ import annotations

import pytest
from story import PEER_ISN, Story, alone, connected

from tcpnotes.trace import Segment
from tcpnotes.trace.records import Sent
from tcpnotes.world.process import ADDRESSES


def time_wait(**how: object) -> Story:
    """A has closed first and has nothing but a bucket in TIME_WAIT; some time has passed since."""
    s = alone(**how)  # type: ignore[arg-type]
    s.A.close()
    s.A.hears("FIN|ACK")
    s.wait(5)
    s.mark()
    return s


def served(ts: tuple[int, int] | None = None) -> Story:
    """A listens on port 80, and has a bucket of a connection to that port that it closed first."""
    s = Story(hosts="A")
    s.A.socket()
    s.A.bind(80)
    s.A.listen(5)
    start = Segment(ADDRESSES["B"], 999, ADDRESSES["A"], 80, PEER_ISN, 0, 0x02, 5840, ts=ts)
    s.world.inject("A", start)
    isn = s.A._since(Sent)[-1].seg.seq
    s.world.inject("A", start._replace(seq=PEER_ISN + 1, ack_seq=(isn + 1) & 0xFFFFFFFF, flags=0x10))
    assert s.A.accept() == 4
    s.A.close(fd=4)
    s.A.hears("FIN|ACK", ts=ts)
    s.mark()
    return s


def restarted(s: Story) -> bool:
    return bool(s.A.buckets) and s.A.buckets[0].ttd == s.A.net.jiffies + 6000


# -- answers of a bucket in TIME_WAIT ------------------------------------------------------------------------------


def test_bare_ack__silence__starts_anew() -> None:
    s = time_wait()
    s.A.hears("ACK")
    assert (s.A.sent, restarted(s)) == ("nothing", True)


@pytest.mark.parametrize(
    ("flags", "seq", "length"), [("FIN|ACK", "rcv_nxt-1", 0), ("ACK", "rcv_nxt", 10), ("SYN|ACK", "rcv_nxt-9", 0)]
)
def test_anything_with_an_ack_but_that__is_acked__starts_anew(flags: str, seq: str, length: int) -> None:
    s = time_wait()
    s.A.hears(flags, seq, len=length)
    assert (s.A.sent, restarted(s)) == ("ACK seq 2 ack 2", True)


def test_old_syn__is_acked__starts_nothing_anew() -> None:
    s = time_wait()
    s.A.hears("SYN", "rcv_nxt-9")
    assert (s.A.sent, restarted(s), len(s.A.buckets)) == ("ACK seq 2 ack 2", False, 1)


def test_rst_at_rcv_nxt__assassination() -> None:
    s = time_wait()
    s.A.hears("RST")
    assert (s.A.sent, s.A.bucket, s.A.buckets) == ("nothing", "killed", [])


def test_rst_at_rcv_nxt__rfc1337__stays_and_starts_anew() -> None:
    s = time_wait(sysctl={"tcp_rfc1337": 1})
    s.A.hears("RST")
    assert (s.A.sent, restarted(s)) == ("nothing", True)


def test_rst_elsewhere__is_ignored() -> None:
    s = time_wait()
    s.A.hears("RST", "rcv_nxt+1")
    assert (s.A.sent, restarted(s), len(s.A.buckets)) == ("nothing", False, 1)


def test_fin_wait2_bucket__rst__kills_even_with_rfc1337() -> None:
    s = alone(sysctl={"tcp_rfc1337": 1})
    s.A.close()
    s.A.hears("ACK")
    s.mark()
    s.A.hears("RST", "rcv_nxt+5")
    assert (s.A.sent, s.A.bucket) == ("nothing", "killed")


def test_fin_wait2_bucket__fin_beyond_a_hole__resets() -> None:
    s = alone()
    s.A.close()
    s.A.hears("ACK")
    s.mark()
    s.A.hears("FIN|ACK", "rcv_nxt+5")
    assert (s.A.sent, s.A.bucket) == ("RST seq 2", "killed")


def test_fin_wait2_bucket__fin_without_ack__is_taken() -> None:
    s = alone()
    s.A.close()
    s.A.hears("ACK")
    s.mark()
    s.A.hears("FIN")
    assert (s.A.sent, s.A.bucket) == ("ACK seq 2 ack 2", "TIME_WAIT")


# -- reuse ---------------------------------------------------------------------------------------------------------


def test_new_syn__with_a_listener__takes_the_place_of_the_bucket() -> None:
    s = served()
    old = s.A.buckets[0].snd_nxt
    s.A.hears("SYN", "rcv_nxt+10")
    assert (s.A.bucket, s.A.buckets) == ("killed", [])
    (answer,) = (record.seg for record in s.A._since(Sent))
    assert (answer.flags, answer.seq) == (0x12, (old + 65537) & 0xFFFFFFFF)


def test_new_syn__without_a_listener__is_acked() -> None:
    s = time_wait()
    s.A.hears("SYN", "rcv_nxt+10")
    assert (s.A.sent, len(s.A.buckets)) == ("ACK seq 2 ack 2", 1)


def with_timestamps(**how: object) -> Story:
    s = Story(hosts="A")
    for name, value in how.items():
        s.world.sysctl("A", name, value)  # type: ignore[arg-type]
    s.A.socket()
    s.A.connect(80)
    s.A.hears("SYN|ACK", seq=str(PEER_ISN), ts=(1000, 0))
    s.mark()
    return s


@pytest.mark.parametrize(("stamp", "answer", "buckets"), [(1001, "SYN|ACK", 0), (1000, "ACK", 1), (999, "ACK", 1)])
def test_old_syn__only_a_newer_timestamp_reopens(stamp: int, answer: str, buckets: int) -> None:
    s = served(ts=(1000, 0))
    s.A.hears("SYN", "rcv_nxt-9", ts=(stamp, 0))
    assert s.A.sent.split()[0] == answer
    assert len(s.A.buckets) == buckets


def connect_again(ts: tuple[int, int] | None) -> Story:
    """A closes a connection from port 1500 first and connects from there again."""
    s = Story(hosts="A")
    for _ in range(2):
        s.mark()
        s.A.socket()
        s.A.setsockopt("SOL_SOCKET", "SO_REUSEADDR", 1)
        assert s.A.bind(1500) == 0
        answer = s.A.connect(80)
        if answer != "asleep" or s.A.counted("TimeWaitRecycled"):
            break
        s.A.hears("SYN|ACK", seq=str(PEER_ISN), ts=ts)
        s.A.close()
        s.A.hears("FIN|ACK", ts=ts)
    return s


def test_connect__bucket_with_a_timestamp__is_taken_over() -> None:
    s = connect_again(ts=(1000, 0))
    assert (s.A.states, s.A.bucket, s.A.buckets) == ("SYN_SENT", "killed", [])
    first, second = (r.seg.seq for r in s.recorder.records if isinstance(r, Sent) and r.seg.flags == 0x02)
    assert second == (first + 2 + 65537) & 0xFFFFFFFF


def test_connect__bucket_without_a_timestamp__is_in_the_way() -> None:
    s = connect_again(ts=None)
    assert (s.A.states, s.A.sent, len(s.A.buckets)) == ("SYN_SENT CLOSE", "nothing", 1)
    assert s.A.connect(80) == "EADDRNOTAVAIL"


def test_bind__a_bucket_holds_its_port() -> None:
    s = time_wait()
    port = s.A.buckets[0].num
    s.A.socket()
    assert s.A.bind(port) == "EADDRINUSE"
    s.wait(60)
    assert s.A.bind(port) == 0


@pytest.mark.parametrize(
    ("first", "second", "answer"), [(0, 0, "EADDRINUSE"), (1, 0, "EADDRINUSE"), (0, 1, "EADDRINUSE"), (1, 1, 0)]
)
def test_bind__reuse_must_be_wanted_by_both(first: int, second: int, answer: int | str) -> None:
    s = Story(hosts="A")
    s.A.socket()
    s.A.setsockopt("SOL_SOCKET", "SO_REUSEADDR", first)
    s.A.bind(1500)
    s.A.connect(80)
    s.A.hears("SYN|ACK", seq=str(PEER_ISN))
    s.A.close()
    s.A.hears("FIN|ACK")
    assert len(s.A.buckets) == 1
    s.A.socket()
    s.A.setsockopt("SOL_SOCKET", "SO_REUSEADDR", second)
    assert s.A.bind(1500) == answer


# -- how long -------------------------------------------------------------------------------------------------------


def test_lone_bucket__exactly_60_s() -> None:
    s = alone()
    s.A.close()
    s.A.hears("FIN|ACK")
    s.mark()
    s.wait(59.99)
    assert s.A.bucket == ""
    s.wait(0.02)
    assert s.A.bucket == "killed"


@pytest.mark.parametrize(("later", "lives"), [(0.5, 59.5), (7.0, 53.0), (7.49, 52.51)])
def test_second_bucket__shares_the_slots_of_the_first(later: float, lives: float) -> None:
    s = alone()
    s.A.close()
    s.A.hears("FIN|ACK")
    s.wait(later)
    s.A.socket()
    s.A.connect(80)
    s.A.hears("SYN|ACK", seq=str(PEER_ISN))
    s.A.close()
    s.A.hears("FIN|ACK")
    second = max(s.A.buckets, key=lambda tw: tw.id)
    s.wait(lives - 0.01)
    assert second in s.A.buckets
    s.wait(0.02)
    assert second not in s.A.buckets


def test_recycle__three_and_a_half_timeouts_on_the_calendar() -> None:
    s = connected(sysctl={"tcp_tw_recycle": 1}, delay=0.005)
    s.A.close()
    s.B.close()
    s.deliver()
    (bucket,) = s.A.buckets
    rto = 21  # 10 ms and the 200 ms that are added at least
    assert bucket.timeout == (rto << 2) - (rto >> 1)
    s.mark()
    s.wait(0.75)
    assert s.A.bucket == ""
    s.wait(0.1)
    assert s.A.bucket == "killed"


def test_recycle__a_stamp_older_than_the_last_of_that_peer_is_refused() -> None:
    s = Story(hosts="A")
    s.world.sysctl("A", "tcp_tw_recycle", 1)
    s.A.socket()
    s.A.bind(80)
    s.A.listen(5)
    s.A.net.peers[ADDRESSES["B"]] = (5000, s.A.net.seconds)
    s.mark()
    syn = Segment(ADDRESSES["B"], 999, ADDRESSES["A"], 80, 1, 0, 0x02, 5840, ts=(4000, 0))
    s.world.inject("A", syn)
    assert (s.A.sent, s.A.counted("PAWSPassiveRejected")) == ("nothing", 1)
    s.wait(61)
    s.world.inject("A", syn)
    assert s.A.sent == "SYN|ACK seq 0 ack 1"


# -- timestamps ------------------------------------------------------------------------------------------------------


def test_paws__old_stamp__is_acked_and_dropped() -> None:
    s = with_timestamps()
    s.A.hears("ACK", len=10, ts=(990, 0))
    assert (s.A.sent, s.A.counted("PAWSEstabRejected"), s.A.sock.rcv_nxt) == ("ACK seq 1 ack 1", 1, PEER_ISN + 1)


def test_paws__one_tick_back_is_forgiven() -> None:
    s = with_timestamps()
    s.A.hears("ACK", len=10, ts=(999, 0))
    assert (s.A.counted("PAWSEstabRejected"), s.A.sock.rcv_nxt) == (0, PEER_ISN + 11)


def test_paws__a_rst_passes() -> None:
    s = with_timestamps()
    s.A.hears("RST", ts=(10, 0))
    assert s.A.states == "CLOSE"


def test_paws__bucket__old_stamp_is_counted_and_acked() -> None:
    s = with_timestamps()
    s.A.close()
    s.A.hears("FIN|ACK", ts=(1001, 0))
    s.mark()
    s.A.hears("ACK", ts=(10, 0))
    assert (s.A.sent, s.A.counted("PAWSEstabRejected")) == ("ACK seq 2 ack 2", 1)
