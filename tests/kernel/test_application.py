"""What the application sees: end of file, errors, poll, signals."""

from __future__ import annotations

import pytest
from story import PEER_ISN, Story, alone, connected, listening

IN, OUT = "POLLIN", "POLLOUT"


def polls(*names: str) -> set[str]:
    return set("|".join(names).split("|"))


def polled(mask: str) -> set[str]:
    return set(mask.split("|"))


# -- reading -------------------------------------------------------------------------------------------------------


def test_read_that_meets_the_fin_returns_what_it_has__the_next_is_the_end_of_file() -> None:
    s = connected()
    s.B.write(10)
    s.B.close()
    s.deliver()
    assert [s.A.read(100), s.A.read(100), s.A.read(100)] == [10, 0, 0]


def test_fin__wakes_a_sleeping_reader_with_0() -> None:
    s = connected()
    task = s.A.call("read", 3, 100)
    s.B.close()
    s.deliver()
    answer = s.A.result(task)
    assert answer is not None and (answer.ret, answer.errno) == (0, None)


def test_fin_wakes_by_state_change_then_data_ready() -> None:
    s = alone()
    s.A.hears("FIN|ACK")
    assert s.A.wakes == "state_change data_ready"


def test_reset__econnreset_once_then_end() -> None:
    s = alone()
    s.A.hears("RST")
    assert s.A.wakes == "error_report state_change"
    assert [s.A.read(10), s.A.read(10)] == ["ECONNRESET", 0]


def test_reset__what_was_queued_can_still_be_read() -> None:
    s = alone()
    s.A.hears("ACK", len=10)
    s.A.hears("RST")
    assert [s.A.read(10), s.A.read(10), s.A.read(10)] == [10, "ECONNRESET", 0]


def test_reset_after_a_fin__end_of_file_wins__the_error_stays_for_others() -> None:
    s = alone()
    s.A.hears("FIN|ACK")
    s.A.hears("RST")
    assert s.A.read(10) == 0
    assert s.A.error == "EPIPE"


def test_reset__a_sleeping_reader() -> None:
    s = alone()
    task = s.A.call("read", 3, 100)
    s.A.hears("RST")
    answer = s.A.result(task)
    assert answer is not None and answer.errno == "ECONNRESET"


def test_read__never_connected__and_on_a_listener() -> None:
    s = alone()
    s.A.socket()
    assert s.A.read(10, fd=4) == "ENOTCONN"
    s.A.bind(90, fd=4)
    s.A.listen(1, fd=4)
    assert s.A.read(10, fd=4) == "ENOTCONN"


def test_read__without_waiting() -> None:
    s = alone()
    assert s.A.recv(10, "MSG_DONTWAIT") == "EAGAIN"
    s.A.fcntl("O_NONBLOCK")
    assert s.A.read(10) == "EAGAIN"


def test_peek_leaves_everything() -> None:
    s = alone()
    s.A.hears("FIN|ACK", len=10)
    assert s.A.recv(100, "MSG_PEEK") == 10
    assert s.A.read(100) == 10


def test_siocinq_does_not_count_the_fin() -> None:
    s = alone()
    s.A.hears("FIN|ACK", len=10)
    answer = s.A.result(s.A.call("ioctl", 3, "SIOCINQ"))
    assert answer is not None and answer.value == 10


# -- writing ---------------------------------------------------------------------------------------------------------


def test_write_in_close_wait__is_normal() -> None:
    s = alone()
    s.A.hears("FIN|ACK")
    s.mark()
    assert s.A.write(10) == 10
    assert s.A.sent == "PSH|ACK seq 1 ack 2 len 10"


@pytest.mark.parametrize("keepalive", [0, 1])
def test_write_after_shutdown__epipe__the_signal_only_with_keepalive(keepalive: int) -> None:
    s = alone()
    s.A.setsockopt("SOL_SOCKET", "SO_KEEPALIVE", keepalive)
    s.A.shutdown("SHUT_WR")
    assert s.A.write(10) == "EPIPE"
    assert s.A.signals == ["SIGPIPE"] * keepalive
    s.mark()
    assert s.A.send(10, "MSG_NOSIGNAL") == "EPIPE"
    assert s.A.signals == []


def test_write_after_reset__the_error_first__then_epipe() -> None:
    s = alone()
    s.A.hears("RST")
    assert [s.A.write(10), s.A.write(10)] == ["ECONNRESET", "EPIPE"]


def test_write_after_reset_in_close_wait__epipe_and_epipe() -> None:
    s = alone()
    s.A.hears("FIN|ACK")
    s.A.hears("RST")
    assert [s.A.write(10), s.A.write(10)] == ["EPIPE", "EPIPE"]


def test_writer_asleep__shutdown_ends_its_wait() -> None:
    s = alone(window=1000)
    task = s.A.call("write", 3, 50_000)
    assert s.A.result(task) is None
    s.A.shutdown("SHUT_WR")
    answer = s.A.result(task)
    assert answer is not None and 0 < answer.ret < 50_000


def test_writer_asleep__reset__what_was_taken_counts() -> None:
    s = alone(window=1000)
    task = s.A.call("write", 3, 50_000)
    s.A.hears("RST")
    answer = s.A.result(task)
    assert answer is not None and 0 < answer.ret < 50_000
    assert s.A.error == "ECONNRESET"


@pytest.mark.parametrize(("mss", "taken"), [(1460, 14600), (1000, 13000), (536, 10720)])
def test_write__takes_whole_buffers_up_to_sndbuf(mss: int, taken: int) -> None:
    s = Story(hosts="A")
    s.A.socket()
    s.A.connect(80)
    s.A.hears("SYN|ACK", seq=str(PEER_ISN), mss=mss)
    assert s.A.send(60_000, "MSG_DONTWAIT") == taken
    assert s.A.send(60_000, "MSG_DONTWAIT") == "EAGAIN"


# -- poll ------------------------------------------------------------------------------------------------------------


def test_poll__established() -> None:
    s = alone()
    assert polled(s.A.poll_mask) == polls(OUT)
    s.A.hears("ACK", len=10)
    assert polled(s.A.poll_mask) == polls(IN, OUT)


def test_poll__close_wait__no_hangup_yet() -> None:
    s = alone()
    s.A.hears("FIN|ACK")
    assert polled(s.A.poll_mask) == polls(IN, OUT)


def test_poll__our_direction_shut__never_writable() -> None:
    s = alone()
    s.A.shutdown("SHUT_WR")
    s.A.hears("ACK")
    assert s.A.poll_mask == "0"


def test_poll__both_directions_shut__hangup() -> None:
    s = alone()
    s.A.hears("FIN|ACK")
    s.A.shutdown("SHUT_WR")
    s.A.hears("ACK")
    assert polled(s.A.poll_mask) == polls(IN, "POLLHUP")


def test_poll__reset__hangup_and_error_until_it_is_taken() -> None:
    s = alone()
    s.A.hears("RST")
    assert polled(s.A.poll_mask) == polls(IN, "POLLHUP", "POLLERR")
    assert s.A.error == "ECONNRESET"
    assert polled(s.A.poll_mask) == polls(IN, "POLLHUP")


def test_poll__full_send_buffer() -> None:
    s = alone(window=1000)
    s.A.send(60_000, "MSG_DONTWAIT")
    assert s.A.poll_mask == "0"


# -- connecting ------------------------------------------------------------------------------------------------------


def test_connect__nobody_listens__refused() -> None:
    s = Story()
    s.A.socket()
    task = s.A.call("connect", 3, 80)
    s.deliver()
    answer = s.A.result(task)
    assert answer is not None and answer.errno == "ECONNREFUSED"
    assert s.B.sent == "RST|ACK seq 0 ack 1"


def test_connect__without_waiting__and_twice() -> None:
    s = listening()
    s.A.fcntl("O_NONBLOCK")
    assert [s.A.connect(80), s.A.connect(80)] == ["EINPROGRESS", "EALREADY"]
    s.deliver()
    assert [s.A.connect(80), s.A.connect(80)] == [0, "EISCONN"]


def test_writer_in_syn_sent__goes_on_when_connected() -> None:
    s = listening()
    s.A.call("connect", 3, 80)
    task = s.A.call("write", 3, 10)
    assert s.A.result(task) is None
    s.deliver()
    answer = s.A.result(task)
    assert answer is not None and answer.ret == 10


def test_linger_zero__the_peer_sees_econnreset() -> None:
    s = connected()
    s.A.setsockopt("SOL_SOCKET", "SO_LINGER", (1, 0))
    s.A.close()
    s.deliver()
    assert s.B.error == "ECONNRESET"
