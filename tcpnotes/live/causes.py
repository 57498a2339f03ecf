"""Why the engine and a live kernel differ where they do: each cause has a name, and docs/live.md says more of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from tcpnotes.scenarios import Scenario
from tcpnotes.scenarios.loader import Lose

LATE = 0.125  # a live timer may fire later by this share of its time
AT_ONCE = 60_000  # microseconds by which what needs no timer may differ

CAUSES = {
    "bucket_under_bound_port": "A socket that was bound to its port may connect over a bucket with timestamps, "
    "whatever tcp_tw_reuse says; the engine asks tcp_tw_reuse in any case.",
    "no_free_port": "A connect that finds no free port fails with EADDRNOTAVAIL; in 2.4 and in the engine with EAGAIN.",
    "small_receive_buffer": "The engine enlarges a very small receive buffer to four segments, as 2.4 does; "
    "Linux since 5.0 leaves it as it is, and its peer sends segments of half the window.",
    "loss_by_time": "A segment counts as lost when one that was sent clearly later has arrived (RACK, RFC 8985), so "
    "the kernel sends again at the first SACK; the engine waits for three, or for a timer.",
    "late_timer": "A live timer fires up to an eighth late; here the path is whole again by then.",
    "counter_time_wait": "TW is counted when a bucket begins to wait (TWKilled if that is to be for 4 s at most); "
    "in 2.4 and in the engine, when its time is up.",
    "counter_resets": "Current kernels count RESETs in more places: those that a close sends (OutRsts), and "
    "connections that end from ESTABLISHED or CLOSE_WAIT (EstabResets), or half-open (AttemptFails).",
    "counter_overflow": "TCPTimeWaitOverflow: the engine has no counter for a bucket that found no room.",
}
_COUNTERS = {
    "TW": "counter_time_wait", "TWKilled": "counter_time_wait", "TcpOutRsts": "counter_resets",
    "TcpEstabResets": "counter_resets", "TcpAttemptFails": "counter_resets", "TCPTimeWaitOverflow": "counter_overflow",
}  # fmt: skip
_SMALL = 4 * 1460  # bytes


class Thing(NamedTuple):
    """Something that happened: ``what`` is compared, ``t`` with room for late timers, ``words`` is how it is told."""

    t: int
    host: str
    what: tuple[Any, ...]
    words: str


class Pair(NamedTuple):
    """The engine's side and the kernel's of one thing (None: nothing).

    ``equal`` says whether they are the same at nearly the same time; if not, ``cause`` is the name of why, where known.
    """

    level: str
    engine: Thing | None
    live: Thing | None
    equal: bool
    cause: str | None

    @property
    def side(self) -> Thing:
        """The engine's side, or the kernel's where the engine has none."""
        found = self.engine or self.live
        assert found is not None
        return found


def named(scenario: Scenario, pairs: Sequence[Pair]) -> list[Pair]:
    """The same pairs, each difference with the name of its cause where that is known.

    What comes after a difference that is explained follows from it and bears its name; so do the counters, unless they
    have a reason of their own.
    """
    differing = [pair for pair in pairs if not pair.equal and pair.level != "counters"]
    root = min(((pair.side.t, name) for pair in differing for name in _roots(scenario, pair, differing)), default=None)
    found = []
    for pair in pairs:
        cause = None
        if not pair.equal:
            if pair.level == "counters":
                cause = _COUNTERS.get(pair.side.what[0], root[1] if root else None)
            elif root is not None and pair.side.t >= root[0]:
                cause = root[1]
        found.append(pair._replace(cause=cause))
    return found


def _roots(scenario: Scenario, pair: Pair, differing: Sequence[Pair]) -> list[str]:
    return [name for name, test in _TESTS.items() if test(scenario, pair, differing)]


def _connects(pair: Pair) -> tuple[str | None, str | None] | None:
    """What connect gave on both sides, if this is about one."""
    if pair.level != "calls" or pair.engine is None or pair.live is None or pair.engine.what[0] != "connect":
        return None
    errors = [side.what[3] if len(side.what) > 3 else None for side in (pair.engine, pair.live)]
    return errors[0], errors[1]


def _bound_port(scenario: Scenario, pair: Pair, differing: Sequence[Pair]) -> bool:
    return _connects(pair) == ("EADDRNOTAVAIL", None)


def _no_free_port(scenario: Scenario, pair: Pair, differing: Sequence[Pair]) -> bool:
    return _connects(pair) == ("EAGAIN", "EADDRNOTAVAIL")


def _small_buffer(scenario: Scenario, pair: Pair, differing: Sequence[Pair]) -> bool:
    """Any segment, where a buffer holds a few of them only: windows and the rhythm of ACKs hang on its last bytes."""
    small = any(name == "tcp_rmem" and value < _SMALL for _, name, value in scenario.sysctl)
    return small and pair.level == "segments"


def _loss_by_time(scenario: Scenario, pair: Pair, differing: Sequence[Pair]) -> bool:
    """Data that were lost, sent again by the kernel before the engine's timer; or what the engine sends till then."""
    lost = {step.src for step in scenario.script if isinstance(step, Lose) and step.what == "data"}
    return any(
        other.level == "segments" and other.side.host in lost and other.engine is not None and other.live is not None
        and other.engine.what == other.live.what and _length(other.engine) > 0
        and other.live.t <= pair.side.t <= other.engine.t
        for other in differing
    )  # fmt: skip


def _late_timer(scenario: Scenario, pair: Pair, differing: Sequence[Pair]) -> bool:
    """A segment that the engine loses just before the path is whole, and that the kernel sends just after."""
    one = pair.engine
    if pair.level != "segments" or one is None or pair.live is not None or "(lost)" not in one.words:
        return False
    whole = [step.until for step in scenario.script if isinstance(step, Lose) and step.until is not None]
    return any(
        other.live is not None and other.live.what[2:6] == one.what[2:6]
        and one.t <= until <= other.live.t <= one.t + LATE * one.t + AT_ONCE
        for other in differing for until in whole
    )  # fmt: skip


def _length(thing: Thing) -> int:
    """The bytes of a segment."""
    length: int = thing.what[5]
    return length


_TESTS: dict[str, Callable[[Scenario, Pair, Sequence[Pair]], bool]] = {
    "bucket_under_bound_port": _bound_port, "no_free_port": _no_free_port, "small_receive_buffer": _small_buffer,
    "loss_by_time": _loss_by_time, "late_timer": _late_timer,
}  # fmt: skip
