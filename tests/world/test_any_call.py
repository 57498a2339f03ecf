"""Whatever is thrown at a world: it happens, or it is refused with a ValueError and nothing has changed."""

from __future__ import annotations

from functools import cache
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from story import connected

from tcpnotes.trace import Segment
from tcpnotes.world import AppCalls, SegmentInjected, World
from tcpnotes.world.process import CALLS, SOL_SOCKET_NAMES, SOL_TCP_NAMES

settings.register_profile("world", deadline=None, derandomize=True, database=None)

WORDS = (
    "SHUT_RD", "SHUT_WR", "SHUT_RDWR", "O_NONBLOCK", "MSG_PEEK|MSG_DONTWAIT", "MSG_OOB", "POLLIN|POLLOUT", "SIOCINQ",
    "SOL_SOCKET", "SOL_TCP", "", "|", "\x00", *SOL_SOCKET_NAMES, *SOL_TCP_NAMES,
)  # fmt: skip
VALUES = st.one_of(
    st.integers(-2, 6), st.integers(-(1 << 33), 1 << 33), st.sampled_from(WORDS), st.booleans(), st.none(), st.floats(),
    st.text(max_size=5), st.binary(max_size=3), st.tuples(st.integers(-1, 3), st.integers(-1, 70)),
    st.lists(st.integers(), max_size=2),
)  # fmt: skip
FIELDS = dict.fromkeys(
    ("mss", "wscale", "sack_ok", "ts", "sacks", "urg_ptr", "len", "window", "flags", "seq", "sport"), VALUES
)


@cache
def _start() -> World:
    return connected().world


def happens_or_is_refused(event: Any) -> None:
    world = _start().fork()
    before = world.digest()
    try:
        world.apply(event)
    except ValueError as error:
        assert str(error).endswith(".") and "\n" not in str(error), str(error)
        assert world.digest() == before


@given(st.one_of(st.sampled_from(CALLS), st.text(max_size=4)), st.lists(VALUES, max_size=5))
@settings(settings.get_profile("world"), max_examples=400)
def test_any_call(name: str, args: list[Any]) -> None:
    happens_or_is_refused(AppCalls("A", name, tuple(args)))


@given(st.sampled_from(("setsockopt", "getsockopt")), st.sampled_from(WORDS), st.sampled_from(WORDS), VALUES)
@settings(settings.get_profile("world"), max_examples=300)
def test_any_option(name: str, level: str, option: str, value: Any) -> None:
    args = (3, level, option, value) if name == "setsockopt" else (3, level, option)
    happens_or_is_refused(AppCalls("A", name, args))


@given(st.fixed_dictionaries({}, optional=FIELDS))
@settings(settings.get_profile("world"), max_examples=300)
def test_any_segment(fields: dict[str, Any]) -> None:
    good = Segment(0xC0000201, 80, 0xC0A80001, 1024, 1, 1, 0x10, 100)
    happens_or_is_refused(SegmentInjected("A", good._replace(**fields)))


@given(st.one_of(VALUES, st.tuples(VALUES), st.just(object())))
def test_anything_but_an_event(event: Any) -> None:
    world = _start().fork()
    before = world.digest()
    try:
        world.apply(event)
    except ValueError as error:
        assert "event" in str(error)
    else:
        raise AssertionError(f"{event!r} is no event, and was taken for one")
    assert world.digest() == before
