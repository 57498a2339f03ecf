"""The worked traces: what both ends send, and where they end up."""

from __future__ import annotations

import pytest
from story import Story, alone, connected, listening


def test_plain_close__slow_peer() -> None:
    s = connected()
    s.A.close()
    s.deliver()
    assert s.A.sent == "FIN|ACK seq 1 ack 1"
    assert (s.A.states, s.A.bucket) == ("FIN_WAIT1 FIN_WAIT2 CLOSE", "FIN_WAIT2")
    assert (s.B.states, s.B.sent) == ("CLOSE_WAIT", "ACK seq 1 ack 2")
    assert s.A.socks == 0  # the bucket is all that is left
    assert s.B.read(100) == 0
    s.mark()
    s.B.close()
    s.deliver()
    assert (s.B.states, s.B.sent) == ("LAST_ACK CLOSE", "FIN|ACK seq 1 ack 2")
    assert (s.A.bucket, s.A.sent) == ("TIME_WAIT", "ACK seq 2 ack 2")
    assert s.B.socks == 1  # the listener


def test_close_in_three_segments__the_fin_of_the_peer_acks_ours() -> None:
    s = alone()
    s.A.close()
    s.A.hears("FIN|ACK")
    assert s.A.states == "FIN_WAIT1 FIN_WAIT2 CLOSE"
    assert s.A.sent == "FIN|ACK seq 1 ack 1; ACK seq 2 ack 2"
    assert s.A.bucket == "TIME_WAIT"


def test_data_and_fin_that_ack_our_fin__reset() -> None:
    s = alone()
    s.A.close()
    s.A.hears("FIN|ACK", len=10)
    assert s.A.sent == "FIN|ACK seq 1 ack 1; RST seq 2"
    assert s.A.states == "FIN_WAIT1 FIN_WAIT2 CLOSE"
    assert (s.A.bucket, s.A.counted("TCPAbortOnData"), s.A.socks) == ("", 1, 0)


def test_simultaneous_close__both_ends_keep_a_bucket() -> None:
    s = connected()
    s.A.close()
    s.B.close()
    s.deliver()
    for end in (s.A, s.B):
        assert end.sent == "FIN|ACK seq 1 ack 1; ACK seq 2 ack 2"
        assert end.states == "FIN_WAIT1 CLOSING CLOSE"
        assert end.bucket == "TIME_WAIT"


def test_half_close__the_other_side_may_still_send() -> None:
    s = connected()
    s.A.shutdown("SHUT_WR")
    s.deliver()
    assert s.A.states == "FIN_WAIT1 FIN_WAIT2"
    s.B.write(100)
    s.deliver()
    s.B.close()
    s.deliver()
    assert (s.A.states, s.A.bucket) == ("FIN_WAIT1 FIN_WAIT2 CLOSE", "TIME_WAIT")
    assert s.A.read(60) == 60  # the socket is CLOSE, its queue can be read
    assert s.A.read(60) == 40
    assert s.A.read(60) == 0
    s.mark()
    assert s.A.close() == 0
    assert s.A.sent == "nothing"
    assert s.A.socks == 0


def test_half_close__closed_with_data_unread__resets_though_the_connection_is_over() -> None:
    s = connected()
    s.A.shutdown("SHUT_WR")
    s.B.write(100)
    s.deliver()
    s.B.close()
    s.deliver()
    s.mark()
    s.A.close()
    assert s.A.sent == "RST|ACK seq 2 ack 102"
    assert s.A.counted("TCPAbortOnClose") == 1


def test_unread_data__reset_instead_of_fin() -> None:
    s = connected()
    s.B.write(100)
    s.deliver()
    s.mark()
    assert s.A.close() == 0
    s.deliver()
    assert (s.A.states, s.A.sent, s.A.bucket) == ("CLOSE", "RST|ACK seq 1 ack 101", "")
    assert (s.A.counted("TCPAbortOnClose"), s.A.socks) == (1, 0)
    assert (s.B.states, s.B.error) == ("CLOSE", "ECONNRESET")


def test_unread_data_in_close_wait() -> None:
    s = connected()
    s.B.write(100)
    s.B.close()
    s.deliver()
    s.mark()
    s.A.close()
    assert (s.A.states, s.A.sent) == ("CLOSE", "RST|ACK seq 1 ack 102")


def test_a_lone_fin_is_not_unread_data() -> None:
    s = connected()
    s.B.close()
    s.deliver()
    s.mark()
    s.A.close()
    assert (s.A.states, s.A.sent) == ("LAST_ACK", "FIN|ACK seq 1 ack 2")


def test_a_partly_read_buffer_is_unread() -> None:
    s = connected()
    s.B.write(100)
    s.deliver()
    s.A.read(99)
    s.mark()
    s.A.close()
    assert s.A.sent == "RST|ACK seq 1 ack 101"


def test_unread_data_comes_before_linger_zero() -> None:
    s = connected()
    s.A.setsockopt("SOL_SOCKET", "SO_LINGER", (1, 0))
    s.B.write(100)
    s.deliver()
    s.A.close()
    assert (s.A.counted("TCPAbortOnClose"), s.A.counted("TCPAbortOnData")) == (1, 0)


def test_lost_last_ack__the_bucket_acks_again_and_starts_anew() -> None:
    s = connected()
    s.A.close()
    s.deliver()
    s.B.close()
    s.wait(0.06)  # the FIN reached the bucket, its ACK is on the way
    s.lose()
    died = s.A.buckets[0].ttd
    s.mark()
    s.wait(1.0)
    assert s.B.sent == "FIN|ACK seq 1 ack 2"
    assert s.A.sent == "ACK seq 2 ack 2"
    assert s.A.buckets[0].ttd > died
    assert s.B.states == "CLOSE"


def test_lost_ack_of_the_first_fin__it_is_acked_at_once_when_it_comes_again() -> None:
    s = connected()
    s.A.close()
    s.wait(0.07)
    s.lose()
    s.mark()
    s.wait(1.0)
    assert s.A.sent == "FIN|ACK seq 1 ack 1"
    assert s.B.sent == "ACK seq 1 ack 2"
    assert s.B.states == ""
    assert s.A.states == "FIN_WAIT2 CLOSE"


def test_zero_window__the_fin_waits_and_is_probed_for() -> None:
    s = alone(window=1000)
    s.A.hears("ACK", window=0, len=1)
    assert s.A.read(1) == 1
    s.wait(0.1)
    s.mark()
    s.A.close()
    assert (s.A.states, s.A.sent) == ("FIN_WAIT1", "nothing")
    s.wait(3.0)
    assert s.A.sent == "ACK seq 0 ack 2"  # one below snd_una
    s.mark()
    s.A.hears("ACK", window=0)
    assert s.A.sent == "nothing"
    s.A.hears("ACK", window=1)
    assert s.A.sent == "FIN|ACK seq 1 ack 2"


def test_lingering_close__wakes_with_the_ack_of_the_fin() -> None:
    s = connected()
    s.A.setsockopt("SOL_SOCKET", "SO_LINGER", (1, 5))
    assert s.A.close() == "asleep"
    s.wait(0.09)
    assert s.A.net.tasks
    s.deliver()
    assert not s.A.net.tasks
    assert (s.A.states, s.A.bucket) == ("FIN_WAIT1 FIN_WAIT2 CLOSE", "FIN_WAIT2")


def test_lingering_close__time_is_up__returns_0_and_goes_on_in_the_background() -> None:
    s = alone()
    s.A.setsockopt("SOL_SOCKET", "SO_LINGER", (1, 2))
    task = s.A.call("close", 3)
    s.wait(1.99)
    assert s.A.result(task) is None
    s.wait(0.02)
    answer = s.A.result(task)
    assert answer is not None and answer.ret == 0
    assert s.A.states == "FIN_WAIT1"
    assert s.A.net.orphan_count == 1
    s.A.hears("ACK")
    assert s.A.bucket == "FIN_WAIT2"


def test_lingering_close__both_fins_came__nothing_is_left_but_the_bucket() -> None:
    s = alone()
    s.A.setsockopt("SOL_SOCKET", "SO_LINGER", (1, 5))
    s.A.close()
    s.A.hears("FIN|ACK")
    assert (s.A.states, s.A.bucket, s.A.socks) == ("FIN_WAIT1 FIN_WAIT2 CLOSE", "TIME_WAIT", 0)


def test_lingering_close__data_arrives__resets_and_close_returns_0() -> None:
    s = alone()
    s.A.setsockopt("SOL_SOCKET", "SO_LINGER", (1, 5))
    task = s.A.call("close", 3)
    s.A.hears("ACK", ack="snd_una", len=100)
    answer = s.A.result(task)
    assert answer is not None and answer.ret == 0
    assert (s.A.states, s.A.socks) == ("FIN_WAIT1 CLOSE", 0)


def test_linger_zero__reset_and_everything_pending_is_thrown_away() -> None:
    s = alone(window=500)
    s.A.write(5000)
    s.A.setsockopt("SOL_SOCKET", "SO_LINGER", (1, 0))
    s.mark()
    assert s.A.close() == 0
    assert s.A.states == "CLOSE"
    assert s.A.sent.startswith("RST|ACK seq")
    assert "purge" in s.A.queue("write_queue")
    assert (s.A.counted("TCPAbortOnData"), s.A.socks) == (1, 0)


def test_bucket_table_full__no_time_wait_at_all() -> None:
    s = connected(sysctl={"tcp_max_tw_buckets": 0})
    s.A.close()
    s.deliver()
    assert s.A.log == ["TCP: time wait bucket table overflow"]
    assert (s.A.bucket, s.A.socks, s.A.buckets) == ("overflow", 0, [])
    s.mark()
    s.B.close()
    s.deliver()
    assert s.A.sent == "RST seq 2"
    assert s.B.states == "LAST_ACK CLOSE"


def test_unaccepted_connections_are_reset_half_open_ones_vanish() -> None:
    s = listening()
    s.A.connect(80)
    s.deliver()  # accept takes this one
    s.A.socket()
    s.A.connect(80, fd=4)
    s.deliver()  # nobody takes this one
    s.A.socket()
    s.A.connect(80, fd=5)
    s.wait(0.06)
    s.lose()  # its SYN|ACK: half open
    s.mark()
    assert s.B.close(fd=3) == 0
    assert s.B.sent == "RST|ACK seq 1 ack 1"
    assert s.B.states == "CLOSE CLOSE"  # the listener and the child that nobody had accepted
    assert s.B.socks == 1
    assert s.B.net.orphan_count == 0


def test_half_open_connection_of_a_closed_listener__its_next_ack_is_reset() -> None:
    s = Story()
    s.B.socket()
    s.B.bind(80, fd=3)
    s.B.listen(5, fd=3)
    s.A.socket()
    s.A.connect(80)
    s.wait(0.06)  # the SYN|ACK is on the way
    assert s.B.close(fd=3) == 0
    s.mark()
    s.deliver()
    assert s.A.sent == "ACK seq 1 ack 1"
    assert s.B.sent == "RST seq 1"
    assert s.A.states == "ESTABLISHED CLOSE"


@pytest.mark.parametrize(("how", "wakes"), [("SHUT_RD", 1), ("SHUT_WR", 1), ("SHUT_RDWR", 1)])
def test_shutdown_always_wakes(how: str, wakes: int) -> None:
    s = alone()
    s.A.shutdown(how)
    assert s.A.wakes.split().count("state_change") == wakes


def test_shutdown_for_reading_tells_the_peer_nothing() -> None:
    s = connected()
    s.A.shutdown("SHUT_RD")
    s.deliver()
    assert s.A.sent == "nothing"
    s.B.write(100)
    s.deliver()
    assert s.A.sent == "ACK seq 1 ack 101"
    assert s.A.read(1000) == 100
    assert s.A.read(1000) == 0


def test_shutdown_both_ways__data_resets_though_the_descriptor_is_open() -> None:
    s = alone()
    s.A.shutdown("SHUT_RDWR")
    s.A.hears("ACK")
    s.mark()
    s.A.hears("ACK", len=10)
    assert (s.A.states, s.A.sent, s.A.error) == ("CLOSE", "RST seq 2", "ECONNRESET")


def test_shutdown__unconnected__fails_but_sets_the_bits() -> None:
    s = alone()
    s.A.hears("RST")
    assert s.A.error == "ECONNRESET"
    assert s.A.shutdown("SHUT_WR") == "ENOTCONN"
    assert s.A.shutdown(7) == "EINVAL"


def test_out_of_order_fin__waits_for_the_hole_to_be_filled() -> None:
    s = alone()
    s.A.hears("FIN|ACK", "rcv_nxt+10", len=5)
    assert (s.A.states, s.A.sent) == ("", "ACK seq 1 ack 1")
    s.A.hears("ACK", len=10)
    s.wait(0.3)
    assert s.A.states == "CLOSE_WAIT"
    assert s.A.sent == "ACK seq 1 ack 1; ACK seq 1 ack 17"


def test_fin__purges_what_lies_beyond_it() -> None:
    s = alone()
    s.A.hears("ACK", "rcv_nxt+20", len=5)
    s.A.hears("FIN|ACK")
    assert s.A.states == "CLOSE_WAIT"
    assert s.A.queue("out_of_order_queue") == ["add", "purge"]


def test_fin_rides_on_the_unsent_tail() -> None:
    s = alone()
    s.A.setsockopt("SOL_TCP", "TCP_CORK", 1)
    s.A.write(10)
    assert s.A.sent == "nothing"
    s.A.close()
    assert s.A.sent == "FIN|PSH|ACK seq 1 ack 1 len 10"


def test_fin_behind_several_unsent_segments__leaves_with_the_last() -> None:
    s = alone(window=1000)  # segments of 500
    s.A.write(2000)
    s.mark()
    s.A.close()
    assert (s.A.states, s.A.sent) == ("FIN_WAIT1", "nothing")
    s.A.hears("ACK")
    s.A.hears("ACK")
    assert s.A.sent.split("; ")[-1].startswith("FIN|")


def test_syn_sent__close__nothing_is_sent() -> None:
    s = listening()
    s.A.fcntl("O_NONBLOCK")
    s.A.connect(80)
    s.lose()
    s.mark()
    s.A.close()
    assert (s.A.states, s.A.sent, s.A.socks) == ("CLOSE", "nothing", 0)


def test_close_while_another_call_sleeps_on_the_descriptor__waits_for_that_call() -> None:
    s = connected()
    assert s.A.read(10) == "asleep"
    assert s.A.close() == 0
    s.deliver()
    assert s.A.sent == "nothing"
    s.B.write(10)
    s.deliver()
    assert s.A.states.startswith("FIN_WAIT1")
