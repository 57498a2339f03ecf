"""Why the engine and a live kernel differ where they do: each cause has a name, and docs/live.md says more of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from tcpnotes.scenarios import Scenario
from tcpnotes.scenarios.loader import Lose

LATE = 0.125  # a live timer may fire later by this share of its time
AT_ONCE = 60_000  # microseconds by which what needs no timer may differ

CAUSES = {
    "small_receive_buffer": "A very small receive buffer grows each time it runs over. When that is hangs on how many "
    "bytes of memory each segment is charged, so the moments drift apart.",
    "late_timer": "A live timer fires up to an eighth late; here the path is whole again by then.",
    "counter_time_wait": "TW is counted when a bucket begins to wait (TWKilled if that is to be for 4 s at most); "
    "in 2.4 and in the engine, when its time is up.",
    "counter_resets": "Current kernels count RESETs in more places: those that a close sends (OutRsts), and "
    "connections that end from ESTABLISHED or CLOSE_WAIT (EstabResets), or half-open (AttemptFails).",
}
_COUNTERS = {
    "TW": "counter_time_wait", "TWKilled": "counter_time_wait", "TcpOutRsts": "counter_resets",
    "TcpEstabResets": "counter_resets", "TcpAttemptFails": "counter_resets",
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


def _small_buffer(scenario: Scenario, pair: Pair, differing: Sequence[Pair]) -> bool:
    """Any segment, where a buffer holds a few of them only: windows and the rhythm of ACKs hang on its last bytes."""
    small = any(name == "tcp_rmem" and value < _SMALL for _, name, value in scenario.sysctl)
    return small and pair.level == "segments"


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


_TESTS: dict[str, Callable[[Scenario, Pair, Sequence[Pair]], bool]] = {
    "small_receive_buffer": _small_buffer, "late_timer": _late_timer,
}  # fmt: skip
