"""Bad input to a world: the errno that Linux gives, or one clear sentence; and nothing has changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from story import Story, connected

from tcpnotes.trace import Segment
from tcpnotes.world import (
    AppCalls,
    HostCrashes,
    SegmentArrives,
    SegmentDuplicated,
    SegmentInjected,
    SegmentLost,
    TimerFires,
    World,
)


@contextmanager
def refused(s: Story, *words: str) -> Iterator[None]:
    """A ValueError of one sentence with these words, and neither world nor trace have changed."""
    before, records = s.world.digest(), len(s.recorder.records)
    with pytest.raises(ValueError) as caught:
        yield
    sentence = str(caught.value)
    assert all(word in sentence for word in words), sentence
    assert sentence.endswith(".") and "\n" not in sentence
    assert s.world.digest() == before
    assert len(s.recorder.records) == records


GOOD = Segment(0xC0000201, 80, 0xC0A80001, 1024, 1, 1, 0x10, 100)


# -- worlds ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"profile": "linux-9"}, ("linux-9", "linux-2.4.0")), ({"hosts": ("A", "C")}, ("'C'", "A, B")),
        ({"delay": -1}, ("delay", "-1")), ({"delay": 0.5}, ("delay", "0.5")), ({"hosts": ()}, ("hosts",)),
        ({"hosts": "AA"}, ("twice", "A")),
    ],
)  # fmt: skip
def test_no_such_world(how: dict[str, Any], words: tuple[str, ...]) -> None:
    with pytest.raises(ValueError) as caught:
        World(**how)
    assert all(word in str(caught.value) for word in words), str(caught.value)


def test_unknown_host() -> None:
    s = connected()
    acts: list[Callable[[World], object]] = [
        lambda w: w.call("C", "socket"), lambda w: w.result("C", 1), lambda w: w.sysctl("C", "tcp_sack", 1),
        lambda w: w.inject("C", GOOD), lambda w: w.apply(AppCalls("C", "socket")), lambda w: w.apply(HostCrashes("C")),
        lambda w: w.apply(TimerFires("C")), lambda w: w.apply(SegmentInjected("C", GOOD)), lambda w: w.host("C"),
    ]  # fmt: skip
    for act in acts:
        with refused(s, "'C'", "A, B"):
            act(s.world)


@pytest.mark.parametrize("event", [SegmentArrives(99_999), SegmentLost(99_999), SegmentDuplicated(99_999)])
def test_segment_that_is_not_on_the_wire(event: Any) -> None:
    s = connected()
    with refused(s, "99999", "not on the wire"):
        s.world.apply(event)


def test_no_timer_is_running() -> None:
    s = Story()
    with refused(s, "timer", "A"):
        s.world.apply(TimerFires("A"))


@pytest.mark.parametrize("value", [-1, 1 << 31, "5", 2.5, None, True])
def test_sysctl__impossible_value(value: Any) -> None:
    s = connected()
    with refused(s, "tcp_fin_timeout", "whole number"):
        s.world.sysctl("A", "tcp_fin_timeout", value)


def test_sysctl__unknown() -> None:
    s = connected()
    with refused(s, "tcp_fin_time'", "tcp_fin_timeout"):
        s.world.sysctl("A", "tcp_fin_time", 5)


# -- calls -----------------------------------------------------------------------------------------------------------


CALLS: dict[str, tuple[Any, ...]] = {
    "bind": (80,), "listen": (5,), "accept": (), "connect": (80,), "read": (10,), "recv": (10, "MSG_PEEK"),
    "write": (10,), "send": (10, "MSG_OOB"), "shutdown": ("SHUT_WR",), "close": (), "poll": ("POLLIN",),
    "fcntl": ("O_NONBLOCK",), "ioctl": ("SIOCINQ",), "setsockopt": ("SOL_TCP", "TCP_NODELAY", 1),
    "getsockopt": ("SOL_SOCKET", "SO_ERROR"),
}  # fmt: skip


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("fd", [3, 77, -1])
def test_closed_descriptor__ebadf(call: str, fd: int) -> None:
    s = connected()
    s.A.close()
    s.deliver()
    s.mark()
    sent, mib = s.world.wire.sent, dict(s.A.net.mib)
    assert getattr(s.A, call)(*CALLS[call], fd=fd) == "EBADF"
    assert (s.A.states, s.A.sent, s.world.wire.sent, s.A.net.mib) == ("", "nothing", sent, mib)


@pytest.mark.parametrize(
    ("call", "args", "words"),
    [
        ("open", (), ("'open'", "socket")), ("socket", (1,), ("0 arguments",)), ("close", (), ("1 arguments",)),
        ("close", ("3",), ("descriptor", "'3'")), ("close", (True,), ("descriptor",)), ("bind", (3, 65536), ("port",)),
        ("bind", (3, -1), ("port",)), ("bind", (3, 80, 1 << 32), ("address",)), ("connect", (3, 0), ("port",)),
        ("read", (3, -1), ("length",)), ("write", (3, 1.5), ("length",)), ("send", (3, 1, "MSG_NONE"), ("MSG_NONE",)),
        ("send", (3, 1, "MSG_PEEK|tcp_close"), ("tcp_close",)), ("send", (3, 1, None), ("flags",)),
        ("shutdown", (3, "SHUT_UP"), ("direction",)), ("listen", (3, "many"), ("backlog",)),
        ("ioctl", (3, "SIOCOUTQ"), ("SIOCINQ",)), ("ioctl", (3, []), ("SIOCINQ",)),
        ("setsockopt", (3, "SOL_IP", "IP_TTL", 1), ("SOL_TCP",)),
        ("setsockopt", (3, "SOL_TCP", "TCP_INFO", 1), ("TCP_INFO",)),
        ("setsockopt", (3, "SOL_SOCKET", "SO_LINGER", 5), ("pair",)),
        ("setsockopt", (3, [], "SO_LINGER", 5), ("SOL_TCP",)),
        ("setsockopt", (3, "SOL_SOCKET", "SO_LINGER", (1, "x")), ("seconds",)),
        ("getsockopt", (3, "SOL_TCP", []), ("[]",)),
        ("setsockopt", (3, "SOL_SOCKET", "SO_RCVBUF", None), ("SO_RCVBUF",)), ("shutdown", (3, []), ("direction",)),
        ("poll", (3, None), ("events",)), ("poll", (3, []), ("events",)), ("fcntl", (3, []), ("fcntl",)),
    ],
)  # fmt: skip
def test_calls_that_no_application_could_make(call: str, args: tuple[Any, ...], words: tuple[str, ...]) -> None:
    s = connected()
    with refused(s, *words):
        s.world.call("A", call, *args)


# -- segments --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "field", ["saddr", "sport", "daddr", "dport", "seq", "ack_seq", "flags", "window", "len", "urg_ptr"]
)
@pytest.mark.parametrize("value", [-1, 1 << 32, 1.5, None, "1", True])
def test_segment__impossible_number(field: str, value: Any) -> None:
    s = connected()
    with refused(s, field):
        s.world.inject("A", GOOD._replace(**{field: value}))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("mss", -1), ("mss", 65536), ("mss", "1460"), ("wscale", -1), ("wscale", 256), ("wscale", 2.0),
        ("ts", (1,)), ("ts", 5), ("ts", (-1, 0)), ("ts", (0, 1 << 32)), ("ts", ("a", "b")), ("sack_ok", 7),
        ("sacks", ((1, 2),) * 5), ("sacks", ((1,),)), ("sacks", ((1, -2),)), ("sacks", 5),
        ("sacks", (3, 4)), ("sacks", None),
    ],
)  # fmt: skip
def test_segment__impossible_option(field: str, value: Any) -> None:
    s = connected()
    with refused(s, field if field != "sacks" else "SACK"):
        s.world.inject("A", GOOD._replace(**{field: value}))


def test_segment__not_one_at_all() -> None:
    s = connected()
    with refused(s, "Segment"):
        s.world.inject("A", (1, 2, 3))  # type: ignore[arg-type]


def test_segment__urgent_and_every_flag__is_odd_but_possible() -> None:
    s = connected()
    s.world.inject("A", GOOD._replace(flags=0xFB))
    assert s.A.sent == "ACK seq 1 ack 1"  # not acceptable: it does not start in the window
