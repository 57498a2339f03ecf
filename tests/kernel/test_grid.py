"""The grid: every state, everything that can happen in it.

One host, and a peer that the test plays: no options, no data yet, RTO 3 s.  Each state
is reached by what leads to it in life.  A cell says ``states; bucket; what is sent``,
with ``-`` where nothing changes or leaves: silence is checked, too.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from story import Story, alone

from tcpnotes.kernel.sock import CLOSING, FIN_WAIT1, LAST_ACK
from tcpnotes.trace import Segment
from tcpnotes.trace.records import Sent
from tcpnotes.world.process import ADDRESSES


def close() -> Story:
    s = alone()
    s.A.hears("RST")
    return s


def listen() -> Story:
    s = Story(hosts="A")
    s.A.socket()
    s.A.bind(80)
    s.A.listen(5)
    return s


def syn_sent() -> Story:
    s = Story(hosts="A")
    s.A.socket()
    s.A.fcntl("O_NONBLOCK")
    s.A.connect(80)
    return s


def syn_recv() -> Story:
    s = syn_sent()
    s.A.hears("SYN", seq="5000000")
    return s


def established() -> Story:
    return alone()


def fin_wait1() -> Story:
    """After close: nobody can read any more."""
    s = alone()
    s.A.close()
    return s


def fin_wait1_shut() -> Story:
    """After shutdown: the descriptor is open, and can be read."""
    s = alone()
    s.A.shutdown("SHUT_WR")
    return s


def fin_wait2() -> Story:
    """After shutdown: a full socket."""
    s = fin_wait1_shut()
    s.A.hears("ACK")
    return s


def fin_wait2_bucket() -> Story:
    """After close: only a bucket."""
    s = fin_wait1()
    s.A.hears("ACK")
    return s


def close_wait() -> Story:
    s = alone()
    s.A.hears("FIN|ACK")
    s.wait(0.3)  # its ACK has left
    return s


def last_ack() -> Story:
    s = close_wait()
    s.A.close()
    return s


def closing() -> Story:
    s = fin_wait1()
    s.A.hears("FIN|ACK", ack="snd_una")
    return s


def time_wait() -> Story:
    s = fin_wait2_bucket()
    s.A.hears("FIN|ACK")
    return s


def hears(*args: str, **more: int) -> Callable[[Story], None]:
    return lambda s: s.A.hears(*args, **more)


def elapses(s: Story) -> None:
    s.wait(3.0)


def before_our_fin(s: Story) -> str:
    """An acknowledgement of everything but our FIN, if that is out."""
    return "snd_una" if any(sk.state in (FIN_WAIT1, CLOSING, LAST_ACK) for sk in s.A.net.socks.values()) else "snd_nxt"


EVENTS: dict[str, Callable[[Story], object]] = {
    "FIN": lambda s: s.A.hears("FIN|ACK", ack=before_our_fin(s)),
    "old FIN": hears("FIN|ACK", "rcv_nxt-1"),
    "ACK of all": hears("ACK"),
    "data": lambda s: s.A.hears("ACK", ack=before_our_fin(s), len=100),
    "RST in window": hears("RST", "rcv_nxt+10"),
    "RST outside": hears("RST", "rcv_nxt+100000"),
    "SYN in window": hears("SYN", "rcv_nxt+10"),
    "close": lambda s: s.A.close(),
    "shutdown": lambda s: s.A.shutdown("SHUT_WR"),
    "3 s": elapses,
}
# As the fact sheets of 2.4.0 say: a RST or SYN in the window kills in every state; one outside is dropped by sockets,
# but acked by a FIN_WAIT2 bucket; old FINs are acked at once, and their ACK field is not looked at; text that comes
# after our close resets in FIN_WAIT1, is ignored behind the peer's FIN, and is acked by a TIME_WAIT bucket.
GRID: dict[Callable[[], Story], dict[str, str]] = {
    close: {
        "FIN": "-; -; RST seq 1",
        "old FIN": "-; -; RST seq 1",
        "ACK of all": "-; -; RST seq 1",
        "data": "-; -; RST seq 1",
        "RST in window": "-; -; -",
        "RST outside": "-; -; -",
        "SYN in window": "-; -; RST|ACK seq 0 ack 12",
        "close": "-; -; -",
        "shutdown": "-; -; -",
        "3 s": "-; -; -",
    },
    syn_sent: {
        "FIN": "-; -; -",
        "old FIN": "-; -; -",
        "ACK of all": "-; -; -",
        "data": "-; -; -",
        "RST in window": "-; -; -",
        "RST outside": "-; -; -",
        "SYN in window": "SYN_RECV; -; SYN|ACK seq 0 ack 1",
        "close": "CLOSE; -; -",
        "shutdown": "CLOSE; -; -",
        "3 s": "-; -; SYN seq 0",
    },
    syn_recv: {
        "FIN": "ESTABLISHED CLOSE_WAIT; -; ACK seq 1 ack 2",
        "old FIN": "-; -; ACK seq 1 ack 1",
        "ACK of all": "ESTABLISHED; -; -",
        "data": "ESTABLISHED; -; ACK seq 1 ack 101",
        "RST in window": "CLOSE; -; -",
        "RST outside": "-; -; -",
        "SYN in window": "CLOSE; -; RST|ACK seq 0 ack 12",
        "close": "FIN_WAIT1; -; FIN|ACK seq 1 ack 1",
        "shutdown": "FIN_WAIT1; -; FIN|ACK seq 1 ack 1",
        "3 s": "-; -; SYN|ACK seq 0 ack 1",
    },
    established: {
        "FIN": "CLOSE_WAIT; -; ACK seq 1 ack 2",
        "old FIN": "-; -; ACK seq 1 ack 1",
        "ACK of all": "-; -; -",
        "data": "-; -; ACK seq 1 ack 101",
        "RST in window": "CLOSE; -; -",
        "RST outside": "-; -; -",
        "SYN in window": "CLOSE; -; RST|ACK seq 0 ack 12",
        "close": "FIN_WAIT1; -; FIN|ACK seq 1 ack 1",
        "shutdown": "FIN_WAIT1; -; FIN|ACK seq 1 ack 1",
        "3 s": "-; -; -",
    },
    fin_wait1: {
        "FIN": "CLOSING; -; ACK seq 2 ack 2",
        "old FIN": "-; -; ACK seq 2 ack 1",
        "ACK of all": "FIN_WAIT2 CLOSE; FIN_WAIT2; -",
        "data": "CLOSE; -; RST seq 1",
        "RST in window": "CLOSE; -; -",
        "RST outside": "-; -; -",
        "SYN in window": "CLOSE; -; RST|ACK seq 0 ack 12",
        "close": "-; -; -",
        "shutdown": "-; -; -",
        "3 s": "-; -; FIN|ACK seq 1 ack 1",
    },
    fin_wait1_shut: {
        "FIN": "CLOSING; -; ACK seq 2 ack 2",
        "old FIN": "-; -; ACK seq 2 ack 1",
        "ACK of all": "FIN_WAIT2; -; -",
        "data": "-; -; ACK seq 2 ack 101",
        "RST in window": "CLOSE; -; -",
        "RST outside": "-; -; -",
        "SYN in window": "CLOSE; -; RST|ACK seq 0 ack 12",
        "close": "-; -; -",
        "shutdown": "-; -; -",
        "3 s": "-; -; FIN|ACK seq 1 ack 1",
    },
    fin_wait2: {
        "FIN": "CLOSE; TIME_WAIT; ACK seq 2 ack 2",
        "old FIN": "-; -; ACK seq 2 ack 1",
        "ACK of all": "-; -; -",
        "data": "-; -; ACK seq 2 ack 101",
        "RST in window": "CLOSE; -; -",
        "RST outside": "-; -; -",
        "SYN in window": "CLOSE; -; RST|ACK seq 0 ack 12",
        "close": "CLOSE; FIN_WAIT2; -",
        "shutdown": "-; -; -",
        "3 s": "-; -; -",
    },
    fin_wait2_bucket: {
        "FIN": "-; TIME_WAIT; ACK seq 2 ack 2",
        "old FIN": "-; -; ACK seq 2 ack 1",
        "ACK of all": "-; -; -",
        "data": "-; killed; RST seq 2",
        "RST in window": "-; killed; -",
        "RST outside": "-; -; ACK seq 2 ack 1",
        "SYN in window": "-; killed; RST|ACK seq 0 ack 12",
        "close": "-; -; -",
        "shutdown": "-; -; -",
        "3 s": "-; -; -",
    },
    close_wait: {
        "FIN": "-; -; -",
        "old FIN": "-; -; ACK seq 1 ack 2",
        "ACK of all": "-; -; -",
        "data": "-; -; -",
        "RST in window": "CLOSE; -; -",
        "RST outside": "-; -; -",
        "SYN in window": "CLOSE; -; RST|ACK seq 0 ack 13",
        "close": "LAST_ACK; -; FIN|ACK seq 1 ack 2",
        "shutdown": "LAST_ACK; -; FIN|ACK seq 1 ack 2",
        "3 s": "-; -; -",
    },
    last_ack: {
        "FIN": "-; -; -",
        "old FIN": "-; -; ACK seq 2 ack 2",
        "ACK of all": "CLOSE; -; -",
        "data": "-; -; -",
        "RST in window": "CLOSE; -; -",
        "RST outside": "-; -; -",
        "SYN in window": "CLOSE; -; RST|ACK seq 0 ack 13",
        "close": "-; -; -",
        "shutdown": "-; -; -",
        "3 s": "-; -; FIN|ACK seq 1 ack 2",
    },
    closing: {
        "FIN": "-; -; -",
        "old FIN": "-; -; ACK seq 2 ack 2",
        "ACK of all": "CLOSE; TIME_WAIT; -",
        "data": "-; -; -",
        "RST in window": "CLOSE; -; -",
        "RST outside": "-; -; -",
        "SYN in window": "CLOSE; -; RST|ACK seq 0 ack 13",
        "close": "-; -; -",
        "shutdown": "-; -; -",
        "3 s": "-; -; FIN|ACK seq 1 ack 2",
    },
    time_wait: {
        "FIN": "-; -; ACK seq 2 ack 2",
        "old FIN": "-; -; ACK seq 2 ack 2",
        "ACK of all": "-; -; -",
        "data": "-; -; ACK seq 2 ack 2",
        "RST in window": "-; -; -",
        "RST outside": "-; -; -",
        "SYN in window": "-; -; ACK seq 2 ack 2",
        "close": "-; -; -",
        "shutdown": "-; -; -",
        "3 s": "-; -; -",
    },
}  # fmt: skip


def outcome(reach: Callable[[], Story], event: str) -> str:
    """What an event does in a state, within 0.3 s."""
    s = reach()
    s.wait(0.01)
    s.mark()
    EVENTS[event](s)
    s.wait(0.3)
    return f"{s.A.states or '-'}; {s.A.bucket or '-'}; {s.A.sent.replace('nothing', '-')}"


CELLS = [(state, event) for state, row in GRID.items() for event in row]


@pytest.mark.parametrize(("state", "event"), CELLS, ids=[f"{state.__name__}__{event}" for state, event in CELLS])
def test_cell(state: Callable[[], Story], event: str) -> None:
    assert outcome(state, event) == GRID[state][event]


def test_grid_has_no_empty_cell() -> None:
    assert all(set(row) == set(EVENTS) for row in GRID.values())


# -- what the application sees -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "error"),
    [
        (syn_recv, "ECONNRESET"), (established, "ECONNRESET"), (fin_wait1_shut, "ECONNRESET"),
        (fin_wait2, "ECONNRESET"), (close_wait, "EPIPE"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("event", ["RST in window", "SYN in window"])
def test_reset__error_by_state(state: Callable[[], Story], error: str, event: str) -> None:
    s = state()
    EVENTS[event](s)
    assert s.A.error == error
    assert s.A.error == 0  # it is told once


def test_syn_sent__rst_with_the_right_ack__refused() -> None:
    s = syn_sent()
    s.mark()
    s.A.hears("RST|ACK", seq="0")
    assert s.A.states == "CLOSE"
    assert s.A.sent == "nothing"
    assert s.A.error == "ECONNREFUSED"


def test_syn_sent__ack_of_something_else__is_answered_with_a_reset() -> None:
    s = syn_sent()
    s.mark()
    s.A.hears("SYN|ACK", seq="5000000", ack="snd_nxt+7")
    assert (s.A.states, s.A.sent) == ("", "RST seq 8")


def test_syn_recv__ack_of_something_else__is_answered_with_a_reset() -> None:
    s = syn_recv()
    s.mark()
    s.A.hears("ACK", ack="snd_nxt+7")
    assert (s.A.states, s.A.sent) == ("", "RST seq 8")


# -- a listener has no peer ---------------------------------------------------------------------------------------


def to_listener(s: Story, flags: int, length: int = 0) -> None:
    s.world.inject(
        "A", Segment(ADDRESSES["B"], 5000, ADDRESSES["A"], 80, 100, 7 if flags & 0x10 else 0, flags, 5840, length)
    )


@pytest.mark.parametrize(
    ("name", "flags", "length", "sent"),
    [
        ("SYN", 0x02, 0, "SYN|ACK seq 0 ack 1"), ("FIN", 0x01, 0, "nothing"), ("RST", 0x04, 0, "nothing"),
        ("data without ACK", 0x00, 100, "nothing"),
    ],
)  # fmt: skip
def test_listen(name: str, flags: int, length: int, sent: str) -> None:
    s = listen()
    s.mark()
    to_listener(s, flags, length)
    s.wait(0.3)
    assert (s.A.states, s.A.sent) == ("", sent)


@pytest.mark.parametrize("flags", [0x10, 0x11, 0x12])
def test_listen__ack__is_answered_with_a_reset_at_that_number(flags: int) -> None:
    s = listen()
    s.mark()
    to_listener(s, flags)
    (answer,) = (record.seg for record in s.A._since(Sent))
    assert (answer.flags, answer.seq, answer.window) == (0x04, 7, 0)


def test_listen__close_and_shutdown() -> None:
    s = listen()
    s.mark()
    assert s.A.shutdown("SHUT_WR") == 0  # for a listener only the receiving side means anything
    assert s.A.states == ""
    assert s.A.shutdown("SHUT_RD") == 0
    assert s.A.states == "CLOSE"
    s = listen()
    s.mark()
    assert s.A.close() == 0
    assert (s.A.states, s.A.sent, s.A.socks) == ("CLOSE", "nothing", 0)


# -- the profiles ---------------------------------------------------------------------------------------------------


def test_data_before_the_ack_of_our_fin__source__is_dropped_and_acked() -> None:
    s = alone("source")
    s.A.close()
    s.mark()
    s.A.hears("ACK", ack="snd_una", len=100)
    assert (s.A.states, s.A.sent) == ("", "ACK seq 2 ack 1")
    assert s.A.counted("TCPAbortOnData") == 0
    s.A.hears("ACK")
    assert s.A.states == "FIN_WAIT2 CLOSE"


def test_data_before_the_ack_of_our_fin__released__resets() -> None:
    s = alone("linux-2.4.0")
    s.A.close()
    s.mark()
    s.A.hears("ACK", ack="snd_una", len=100)
    assert (s.A.states, s.A.sent) == ("CLOSE", "RST seq 1")
    assert s.A.counted("TCPAbortOnData") == 1


@pytest.mark.parametrize(("profile", "past"), [("source", 0), ("linux-2.4.0", 1)])
def test_fin_seq__the_fins_own_number_or_one_past_it(profile: str, past: int) -> None:
    s = alone(profile)
    fin = s.A.sock.rcv_nxt
    s.A.hears("FIN|ACK")
    assert s.A.sock.fin_seq == (fin + past) & 0xFFFFFFFF


@pytest.mark.parametrize(("profile", "sent"), [("source", "nothing"), ("linux-2.4.0", "RST seq 1")])
def test_text_that_starts_on_the_fins_number(profile: str, sent: str) -> None:
    s = alone(profile)
    s.A.hears("FIN|ACK")
    s.wait(0.3)
    s.mark()
    s.A.hears("ACK", "rcv_nxt-1", len=100)
    assert s.A.sent == sent
