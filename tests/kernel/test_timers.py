"""When nobody answers: retransmission, probes, keepalive, orphans, and the end of FIN_WAIT2.  Times are seconds."""

from __future__ import annotations

import pytest
from story import Story, alone, connected

from tcpnotes.kernel.tcp_ipv4 import tcp_v4_synq_hash
from tcpnotes.trace import Segment
from tcpnotes.world.process import ADDRESSES

FROM_3_S = [0, 3, 9, 21, 45, 93, 189]


def test_fin_of_an_orphan__from_3_s__given_up_after_309_s_without_a_word() -> None:
    s = alone()
    s.A.close()
    s.wait(308.99)
    assert s.A.sent_at("FIN") == FROM_3_S
    assert (s.A.socks, s.A.net.orphan_count) == (1, 1)
    s.wait(0.02)
    assert (s.A.socks, s.A.net.orphan_count) == (0, 0)
    assert "RST" not in s.A.sent
    assert s.A.counted("TCPAbortOnTimeout") == 1


def measured(rtt: float) -> Story:
    """A has measured one round trip."""
    s = alone()
    s.A.write(10)
    s.wait(rtt)
    s.A.hears("ACK")
    s.mark()
    return s


@pytest.mark.parametrize(
    ("rtt", "rto", "fins", "gone"), [(0.01, 0.21, 9, 107.31), (0.1, 0.5, 9, 247.5), (0.4, 2.0, 7, 246)]
)
def test_fin_of_an_orphan__from_a_measured_timeout(rtt: float, rto: float, fins: int, gone: float) -> None:
    s = measured(rtt)
    s.A.close()
    s.wait(gone - 0.02)
    assert s.A.sent_at("FIN") == [round(rto * (2**n - 1), 2) for n in range(fins)]
    assert s.A.socks == 1
    s.wait(0.04)
    assert s.A.socks == 0


def test_sysctl_orphan_retries() -> None:
    s = alone(sysctl={"tcp_orphan_retries": 2})
    s.A.close()
    s.wait(100)
    assert s.A.sent_at("FIN") == [0, 3, 9]
    assert s.A.socks == 0


def test_owned_connection__fifteen_retransmissions_then_etimedout() -> None:
    s = alone()
    s.A.write(10)
    s.wait(1388.9)
    assert len(s.A.sent.split("; ")) == 16
    assert s.A.states == ""
    s.wait(0.2)
    assert (s.A.states, s.A.error, s.A.counted("TCPAbortOnTimeout")) == ("CLOSE", "ETIMEDOUT", 1)
    assert s.A.wakes.split()[-2:] == ["error_report", "state_change"]


def test_connect__given_up_after_189_s() -> None:
    s = Story(hosts="A")
    s.A.socket()
    s.mark()
    task = s.A.call("connect", 3, 80)
    s.wait(188.9)
    assert s.A.sent_at("SYN") == [0, 3, 9, 21, 45, 93]
    assert s.A.result(task) is None
    s.wait(0.2)
    answer = s.A.result(task)
    assert answer is not None and answer.errno == "ETIMEDOUT"


def test_half_open_connection__its_timer_comes_round_every_eighth_of_the_table() -> None:
    s = Story(hosts="A")
    s.A.socket()
    s.A.bind(80)
    s.A.listen(5)
    peer = ADDRESSES["B"]
    port = next(p for p in range(5000, 6000) if 32 <= tcp_v4_synq_hash(s.A.net, peer, p) < 40)
    s.mark()
    s.world.inject("A", Segment(peer, port, ADDRESSES["A"], 80, 100, 0, 0x02, 5840))
    s.wait(190)
    assert s.A.sent_at("SYN") == [0, 3.8, 10.2, 23.0, 47.0, 95.0]
    s.wait(3)
    listener = next(iter(s.A.net.socks.values()))
    assert listener.listen_opt.qlen == 0
    assert "RST" not in s.A.sent


def test_backed_off_timer_is_reset_by_an_ack() -> None:
    s = alone()
    s.A.write(10)
    s.wait(10)
    assert s.A.sent_at() == [0, 3, 9]
    s.A.hears("ACK")
    s.mark()
    s.A.write(10)
    s.wait(60)
    # Karn: no sample from what was sent twice, the doubled RTO stays.
    assert s.A.sent_at() == [0, 12, 36]


# -- the closed window ------------------------------------------------------------------------------------------


def shut_window() -> Story:
    """A has something to send, and the peer's window is shut."""
    s = alone()
    s.A.hears("ACK", window=0, len=1)
    s.A.read(1)
    s.wait(0.1)
    s.mark()
    return s


def test_probes__owned__doubling_up_to_two_minutes() -> None:
    s = shut_window()
    s.A.write(10)
    s.wait(450)
    assert s.A.sent_at() == [3, 9, 21, 45, 93, 189, 309, 429]
    assert set(s.A.sent.split("; ")) == {"ACK seq 0 ack 2"}


def test_probes__orphan_of_a_silent_peer__given_up_at_309_s() -> None:
    s = shut_window()
    s.A.close()
    s.wait(400)
    assert s.A.sent_at() == [3, 9, 21, 45, 93, 189]
    assert s.A.socks == 0
    assert s.A.counted("TCPAbortOnTimeout") == 1


def test_probes__a_peer_that_answers_keeps_an_orphan_for_ever() -> None:
    s = connected()
    s.B.setsockopt("SOL_SOCKET", "SO_RCVBUF", 2048)
    s.A.fcntl("O_NONBLOCK")
    s.A.write(60_000)
    s.wait(60)
    s.A.write(60_000)
    s.A.close()
    s.wait(7200)
    assert s.A.states == "FIN_WAIT1"
    assert s.A.sock.probes_out <= 1


# -- limits -------------------------------------------------------------------------------------------------------


def test_too_many_orphans__fin_then_reset_in_the_same_call() -> None:
    s = alone(sysctl={"tcp_max_orphans": 0})
    s.A.close()
    assert s.A.sent == "FIN|ACK seq 1 ack 1"  # the count before this socket decides
    s.A.socket()
    s.A.connect(80)
    s.A.hears("SYN|ACK", seq="5000000")
    s.mark()
    s.A.close()
    assert s.A.sent == "FIN|ACK seq 1 ack 1; RST|ACK seq 2 ack 1"
    assert (s.A.states, s.A.counted("TCPAbortOnMemory")) == ("FIN_WAIT1 CLOSE", 1)
    assert s.A.log == ["TCP: too many of orphaned sockets"]


def test_too_many_orphans__noticed_at_a_retransmission() -> None:
    s = alone()
    s.A.close()
    s.world.sysctl("A", "tcp_max_orphans", 1)
    s.mark()
    s.wait(3.1)
    assert s.A.sent == "RST|ACK seq 2 ack 1"
    assert (s.A.states, s.A.socks, s.A.counted("TCPAbortOnMemory")) == ("CLOSE", 0, 1)


# -- FIN_WAIT2 ------------------------------------------------------------------------------------------------------


def test_fin_wait2__orphan__60_s_as_a_bucket() -> None:
    s = alone()
    s.A.close()
    s.A.hears("ACK")
    s.mark()
    s.wait(59.99)
    assert s.A.bucket == ""
    s.wait(0.02)
    assert (s.A.bucket, s.A.sent) == ("killed", "nothing")


@pytest.mark.parametrize(("timeout", "as_socket"), [(90, 30), (180, 120)])
def test_fin_wait2__timeout_above_60_s__socket_for_the_rest_then_bucket(timeout: int, as_socket: int) -> None:
    s = alone(sysctl={"tcp_fin_timeout": timeout})
    s.A.close()
    s.A.hears("ACK")
    s.mark()
    s.wait(as_socket - 0.01)
    assert (s.A.states, s.A.bucket, s.A.socks) == ("", "", 1)
    s.wait(0.02)
    assert (s.A.states, s.A.bucket, s.A.socks) == ("CLOSE", "FIN_WAIT2", 0)
    s.wait(68)
    assert s.A.bucket == "FIN_WAIT2 killed"


def test_fin_wait2__timeout_above_60_s__closed_late__the_full_time_first() -> None:
    s = alone(sysctl={"tcp_fin_timeout": 90})
    s.A.shutdown("SHUT_WR")
    s.A.hears("ACK")
    s.A.close()
    s.mark()
    s.wait(89.99)
    assert (s.A.states, s.A.bucket) == ("", "")
    s.wait(0.02)
    assert s.A.bucket == "FIN_WAIT2"


def test_fin_wait2__owned__waits_for_ever() -> None:
    s = alone()
    s.A.shutdown("SHUT_WR")
    s.A.hears("ACK")
    s.mark()
    s.wait(100_000)
    assert (s.A.states, s.A.sent) == ("", "nothing")


def test_linger2_negative__in_fin_wait2__close_resets() -> None:
    s = alone()
    s.A.setsockopt("SOL_TCP", "TCP_LINGER2", -1)
    s.A.shutdown("SHUT_WR")
    s.A.hears("ACK")
    s.mark()
    s.A.close()
    assert (s.A.states, s.A.sent, s.A.bucket) == ("CLOSE", "RST|ACK seq 2 ack 1", "")
    assert s.A.counted("TCPAbortOnLinger") == 1


def test_linger2_negative__the_ack_of_the_fin_resets() -> None:
    s = alone()
    s.A.setsockopt("SOL_TCP", "TCP_LINGER2", -1)
    s.A.close()
    s.mark()
    s.A.hears("ACK")
    assert (s.A.states, s.A.sent, s.A.bucket) == ("FIN_WAIT2 CLOSE", "RST seq 2", "")
    assert (s.A.counted("TCPAbortOnLinger"), s.A.counted("TCPAbortOnData")) == (0, 1)


def test_linger2__shorter__on_the_calendar() -> None:
    s = alone()
    s.A.setsockopt("SOL_TCP", "TCP_LINGER2", 1)
    s.A.close()
    s.A.hears("ACK")  # a round trip of one tick: 3.5 timeouts are less than 1 s
    s.mark()
    s.wait(1.11)
    assert s.A.bucket == ""
    s.wait(0.02)
    assert s.A.bucket == "killed"


def test_linger2__shorter__but_at_least_three_and_a_half_timeouts() -> None:
    s = alone()
    s.A.setsockopt("SOL_TCP", "TCP_LINGER2", 1)
    s.A.close()
    s.wait(3.5)  # sent again; the timeout is 6 s now, and what was sent twice gives no sample
    s.A.hears("ACK")
    s.mark()
    s.wait(29.99)  # 21 s are four turns of the slow wheel
    assert s.A.bucket == ""
    s.wait(0.02)
    assert s.A.bucket == "killed"


@pytest.mark.parametrize(("asked", "kept"), [(1, 100), (60, 6000), (61, 0), (0, 0), (-5, -1)])
def test_linger2__can_only_shorten(asked: int, kept: int) -> None:
    s = alone()
    s.A.setsockopt("SOL_TCP", "TCP_LINGER2", asked)
    assert s.A.sock.linger2 == kept


# -- keepalive -------------------------------------------------------------------------------------------------------


def test_keepalive__probes_then_reset_and_etimedout() -> None:
    s = alone()
    for name, value in (("TCP_KEEPIDLE", 10), ("TCP_KEEPINTVL", 2), ("TCP_KEEPCNT", 3)):
        s.A.setsockopt("SOL_TCP", name, value)
    s.A.setsockopt("SOL_SOCKET", "SO_KEEPALIVE", 1)
    s.wait(15.9)
    assert s.A.sent_at() == [10, 12, 14]
    assert s.A.sent == "; ".join(["ACK seq 0 ack 1"] * 3)
    s.wait(0.2)
    assert s.A.sent.endswith("RST|ACK seq 1 ack 1")
    assert (s.A.states, s.A.error) == ("CLOSE", "ETIMEDOUT")


def test_keepalive__an_answer_starts_it_anew() -> None:
    s = alone()
    s.A.setsockopt("SOL_TCP", "TCP_KEEPIDLE", 10)
    s.A.setsockopt("SOL_SOCKET", "SO_KEEPALIVE", 1)
    s.wait(11)
    s.A.hears("ACK")
    s.wait(88)
    assert s.A.states == ""
    assert s.A.sent_at()[1] > 20


# -- delayed ACKs ----------------------------------------------------------------------------------------------------


def test_ack_of_a_bare_fin__next_tick() -> None:
    s = alone()
    s.A.hears("FIN|ACK")
    assert s.A.sent == "nothing"
    s.wait(0.02)
    assert s.A.sent_at() == [0.01]
    assert s.A.counted("DelayedACKs") == 1


def test_ack_of_a_fin__after_data__40_ms() -> None:
    s = alone()
    s.A.hears("ACK", len=100)  # the first data is acked at once
    s.wait(1)
    s.mark()
    s.A.hears("FIN|ACK")
    s.wait(0.3)
    assert s.A.sent_at() == [0.04]


def test_ack_of_a_fin_rides_on_our_own_fin() -> None:
    s = alone()
    s.A.hears("FIN|ACK")
    s.A.close()
    s.wait(0.3)
    assert s.A.sent == "FIN|ACK seq 1 ack 2"
