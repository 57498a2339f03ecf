"""Listeners: how many may wait, what happens to those that may not, and the handshake's odd ways."""

from __future__ import annotations

import pytest
from story import PEER_ISN, Story

from tcpnotes.trace import Segment
from tcpnotes.trace.records import Sent
from tcpnotes.world.process import ADDRESSES


def listening(backlog: int, **sysctl: int) -> Story:
    s = Story(hosts="A")
    for name, value in sysctl.items():
        s.world.sysctl("A", name, value)
    s.A.socket()
    s.A.bind(80)
    s.A.listen(backlog)
    s.A.fcntl("O_NONBLOCK")
    s.mark()
    return s


def syn(s: Story, port: int) -> int | None:
    """A SYN from ``port``; the number that its SYN|ACK starts from, None when there is none."""
    before = len(s.recorder.records)
    s.world.inject("A", Segment(ADDRESSES["B"], port, ADDRESSES["A"], 80, PEER_ISN, 0, 0x02, 5840))
    answers = [r.seg.seq for r in s.recorder.records[before:] if isinstance(r, Sent)]
    return answers[0] if answers else None


def ack(s: Story, port: int, isn: int, flags: int = 0x10, **fields: int) -> None:
    seg = Segment(ADDRESSES["B"], port, ADDRESSES["A"], 80, PEER_ISN + 1, (isn + 1) & 0xFFFFFFFF, flags, 5840)
    s.world.inject("A", seg._replace(**fields))


def connect(s: Story, port: int) -> None:
    isn = syn(s, port)
    assert isn is not None
    ack(s, port, isn)


def listener(s: Story):  # type: ignore[no-untyped-def]
    return next(sk for sk in s.A.net.socks.values() if sk.listen_opt is not None)


def test_accept_queue__holds_one_more_than_the_backlog() -> None:
    s = listening(1)
    connect(s, 1001)
    connect(s, 1002)
    third = syn(s, 1003)
    assert third is not None  # one young request may still wait
    s.mark()
    ack(s, 1003, third)
    assert (s.A.sent, s.A.states) == ("nothing", "")
    assert (s.A.counted("ListenOverflows"), s.A.counted("ListenDrops")) == (1, 1)
    assert [s.A.accept(), s.A.accept(), s.A.accept()] == [4, 5, "EAGAIN"]


def test_accept_queue_full__the_request_stays__a_later_ack_completes_it() -> None:
    s = listening(0)
    connect(s, 1001)
    isn = syn(s, 1002)
    assert isn is not None
    ack(s, 1002, isn)
    assert listener(s).listen_opt.qlen == 1
    assert s.A.accept() == 4
    s.mark()
    ack(s, 1002, isn)
    assert s.A.states == "ESTABLISHED"
    assert s.A.accept() == 5


def test_accept_queue_full__abort_on_overflow__resets() -> None:
    s = listening(0, tcp_abort_on_overflow=1)
    connect(s, 1001)
    isn = syn(s, 1002)
    assert isn is not None
    s.mark()
    ack(s, 1002, isn)
    assert s.A.sent == "RST seq 1"
    assert listener(s).listen_opt.qlen == 0


def test_accept_queue_full_and_two_young_requests__a_syn_is_dropped_in_silence() -> None:
    s = listening(0)
    connect(s, 1001)
    assert syn(s, 1002) is not None
    assert syn(s, 1003) is not None
    s.mark()
    assert syn(s, 1004) is None
    assert s.A.counted("TcpAttemptFails") == 1
    s.mark()
    ack(s, 1004, 77)  # the peer of the dropped SYN speaks: nobody knows it
    assert [r.seg.flags for r in s.A._since(Sent)] == [0x04]


def test_same_syn_again__is_answered_again() -> None:
    s = listening(5)
    assert syn(s, 1001) == syn(s, 1001)
    assert listener(s).listen_opt.qlen == 1


@pytest.mark.parametrize(
    ("flags", "fields", "sent", "left"),
    [
        (0x04, {}, "nothing", 0),  # RST in the window: forgotten
        (0x02, {"seq": PEER_ISN + 9}, "RST|ACK seq 0 ack 10", 0),  # another SYN in the window
        (0x10, {"ack_seq": 5}, "RST", 1),  # the ACK of something else: the request stays
        (0x01, {}, "nothing", 1),  # no ACK: ignored
        (0x10, {"seq": PEER_ISN + 100_000}, "ACK seq 1 ack 1", 1),  # outside the window
    ],
)
def test_half_open__what_else_may_come(flags: int, fields: dict[str, int], sent: str, left: int) -> None:
    s = listening(5)
    isn = syn(s, 1001)
    assert isn is not None
    s.mark()
    ack(s, 1001, isn, flags, **fields)
    assert s.A.sent.startswith(sent)
    assert listener(s).listen_opt.qlen == left
    assert s.A.states == ""


def test_defer_accept__the_bare_ack_is_not_enough() -> None:
    s = listening(5)
    s.A.setsockopt("SOL_TCP", "TCP_DEFER_ACCEPT", 3)
    isn = syn(s, 1001)
    assert isn is not None
    s.mark()
    ack(s, 1001, isn)
    assert (s.A.states, s.A.accept()) == ("", "EAGAIN")
    ack(s, 1001, isn, 0x18, len=10)
    assert s.A.states == "ESTABLISHED"
    assert s.A.accept() == 4
    assert s.A.read(100, fd=4) == 10


def test_data_and_fin_with_the_last_ack_of_the_handshake() -> None:
    s = listening(5)
    isn = syn(s, 1001)
    assert isn is not None
    ack(s, 1001, isn, 0x19, len=10)
    assert s.A.states == "ESTABLISHED CLOSE_WAIT"
    assert s.A.accept() == 4
    assert [s.A.read(100, fd=4), s.A.read(100, fd=4)] == [10, 0]


def test_a_child_inherits_what_its_listener_was_told() -> None:
    s = listening(5)
    s.A.setsockopt("SOL_SOCKET", "SO_LINGER", (1, 0))
    connect(s, 1001)
    assert s.A.accept() == 4
    s.mark()
    s.A.close(fd=4)
    assert s.A.sent == "RST|ACK seq 1 ack 1"


def test_one_waiter_for_each_connection() -> None:
    s = listening(5)
    s.A.fcntl(0)
    first, second = (s.A.call("accept", 3) for _ in range(2))
    connect(s, 1001)
    answer = s.A.result(first)
    assert answer is not None and answer.ret == 4
    assert s.A.result(second) is None


def test_close_of_a_listener__wakes_who_waits_in_accept() -> None:
    s = listening(5)
    s.A.fcntl(0)
    task = s.A.call("accept", 3)
    s.A.shutdown("SHUT_RD")
    answer = s.A.result(task)
    assert answer is not None and answer.errno == "EINVAL"
