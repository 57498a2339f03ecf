"""The live kernel's run beside the engine's: what is equal, and each difference by name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import Any, NamedTuple

from tcpnotes.live.causes import cause_of
from tcpnotes.live.fitting import LATE, engine_run
from tcpnotes.live.numbers import relative
from tcpnotes.live.recording import LiveRun, Machine
from tcpnotes.scenarios import Scenario, load
from tcpnotes.scenarios.tables import HOSTS
from tcpnotes.trace import records as r
from tcpnotes.trace.segment import Segment

AT_ONCE = 60_000  # microseconds by which what needs no timer may differ
_BRIEF = 20_000  # a state that lasts less cannot be seen by who looks now and then
_LOOKS = 400_000  # and a bucket's end is seen this late
LEVELS = ("calls", "segments", "states", "buckets", "counters")


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


class Comparison(NamedTuple):
    """A scenario compared: all things of both runs in the order of time, and the records they come from.

    In the records numbers are counted from each side's SYN.
    """

    scenario: Scenario
    machine: Machine
    engine: list[r.Record]
    live: list[r.Record]
    pairs: list[Pair]

    @property
    def differences(self) -> list[Pair]:
        """The pairs that are not equal."""
        return [pair for pair in self.pairs if not pair.equal]

    @property
    def verdict(self) -> str:
        """``equal``, ``explained`` when each difference has a cause, or ``different``."""
        if not self.differences:
            return "equal"
        return "different" if any(pair.cause is None for pair in self.differences) else "explained"

    @property
    def same_wire(self) -> bool:
        """Are the results of the calls and the segments equal?"""
        return not any(pair.level in ("calls", "segments") for pair in self.differences)


def compare(live: LiveRun, machine: Machine, scenario: Scenario | None = None) -> Comparison:
    """Set a live run beside the engine's under ``linux-6`` with the machine's tick.

    ``scenario`` is needed for one that does not come with the library.
    """
    found = load(live.scenario) if scenario is None else scenario
    done = engine_run(found, machine.hz)
    engine = relative(record for record in done.recorder.records if record.t <= live.end)
    steps = sorted({0, *(step.at for step in found.script)})
    beside: list[tuple[str, Thing | None, Thing | None, bool]] = []
    for level, things in (("calls", _calls), ("segments", _segments), ("states", _states), ("buckets", _buckets)):
        ours, theirs = things(engine), things(live.records)
        for key in dict.fromkeys([*ours, *theirs]):
            for one, other in _beside(ours.get(key, []), theirs.get(key, [])):
                beside.append((level, one, other, _equal(one, other, steps, level)))
    ours_counted, theirs_counted = _counters(engine), _counters(live.records)
    for counter in dict.fromkeys([*ours_counted, *theirs_counted]):
        one, other = ours_counted.get(counter), theirs_counted.get(counter)
        beside.append(("counters", one, other, one is not None and other is not None and one.what == other.what))
    pairs = [
        Pair(level, one, other, equal, None if equal else cause_of(found, level, one, other))
        for level, one, other, equal in beside
    ]
    order = {level: number for number, level in enumerate(LEVELS)}
    pairs.sort(key=lambda pair: (pair.level == "counters", pair.side.t, order[pair.level]))
    return Comparison(found, machine, engine, live.records, pairs)


# -- what is compared ------------------------------------------------------------------------------------------------


def _calls(records: Sequence[r.Record]) -> dict[Any, list[Thing]]:
    """The calls of each host in the order in which they were made, each with its result."""
    answers = {(a.host, a.task): a for a in records if isinstance(a, r.Return)}
    found: dict[Any, list[Thing]] = {}
    for record in records:
        if not isinstance(record, r.Call):
            continue
        answer = answers.get((record.host, record.task))
        args = ", ".join("{" + ", ".join(map(str, a)) + "}" if isinstance(a, tuple) else str(a) for a in record.args)
        words = f"{record.call}({args})"
        if answer is None:
            thing = Thing(record.t, record.host, (record.call, record.args, None), f"{words} sleeps")
        else:
            value = "" if answer.value is None else f" ({answer.value})"
            result = f"{answer.ret} {answer.errno}" if answer.errno else f"{answer.ret}{value}"
            what = (record.call, record.args, answer.ret, answer.errno, answer.value)
            thing = Thing(answer.t, record.host, what, f"{words} = {result}")
        found.setdefault(record.host, []).append(thing)
    return found


def segment_words(seg: Segment) -> str:
    """A segment as it is told: ``FIN,ACK seq=1 ack=1``."""
    parts = [seg.flag_names or "no flags", f"seq={_signed(seg.seq)}"]
    if seg.ack_seq or "ACK" in seg.flag_names:
        parts.append(f"ack={_signed(seg.ack_seq)}")
    if seg.len:
        parts.append(f"len={seg.len}")
    if not seg.window and "RST" not in seg.flag_names:
        parts.append("win=0")
    return " ".join(parts)


def _signed(number: int) -> int:
    return number - (1 << 32) if number >= 1 << 31 else number


def _segments(records: Sequence[r.Record]) -> dict[Any, list[Thing]]:
    """What each host sent, in order; ephemeral ports are named by the order in which they appear."""
    found: dict[Any, list[Thing]] = {}
    ports: dict[int, int] = {}
    fates = {record.wire: record.kind for record in records if isinstance(record, r.Received | r.Lost)}
    for record in records:
        if isinstance(record, r.Sent):
            seg = record.seg
            pair = tuple(p if p < 30_000 else ports.setdefault(p, len(ports)) for p in (seg.sport, seg.dport))
            fate = " (lost)" if fates.get(record.wire) == "lost" else ""
            what = (*pair, seg.flags, seg.seq, seg.ack_seq, seg.len, seg.window == 0, fate)
            words = f"{segment_words(seg)}{fate}"
            found.setdefault(record.host, []).append(Thing(record.t, record.host, what, words))
    return found


def _lives(records: Sequence[r.Record]) -> dict[tuple[str, int], list[tuple[int, str, bool]]]:
    """For each socket with all buckets that came of it: (when, state, whether it is a bucket)."""
    found: dict[tuple[str, int], list[tuple[int, str, bool]]] = {}
    of_bucket: dict[tuple[str, int], int] = {}
    over: set[tuple[str, int]] = set()
    for record in records:
        match record:
            case r.StateChange(sk=sk, new=new):
                key = (record.host, sk)
                if key not in over:
                    found.setdefault(key, []).append((record.t, new, False))
            case r.Bucket(op="create", tw=int(tw)):
                sk = record.of_sk if record.of_sk is not None else tw
                of_bucket[record.host, tw] = sk
                over.add((record.host, sk))
                found.setdefault((record.host, sk), []).append((record.t, record.substate or "?", True))
            case r.Bucket(op="substate" | "kill", tw=int(tw)):
                sk = of_bucket.get((record.host, tw), tw)
                state = "gone" if record.op == "kill" else record.substate or "?"
                found.setdefault((record.host, sk), []).append((record.t, state, True))
            case _:
                pass
    return found


def _lasting(life: Sequence[tuple[int, str, bool]]) -> list[tuple[int, str, bool]]:
    """Without the half-open beginning and what lasted too briefly to be seen."""
    kept: list[tuple[int, str, bool]] = []
    for i, (t, state, bucket) in enumerate(life):
        following = life[i + 1][0] if i + 1 < len(life) else None
        if state == "SYN_RECV" or (following is not None and following - t < _BRIEF):
            continue
        if not kept or kept[-1][1:] != (state, bucket):
            kept.append((t, state, bucket))
    return kept


def _states(records: Sequence[r.Record]) -> dict[Any, list[Thing]]:
    """The states of the sockets of each host, in the order in which the sockets were first seen."""
    return _paths(records, False)


def _buckets(records: Sequence[r.Record]) -> dict[Any, list[Thing]]:
    """The same for buckets."""
    return _paths(records, True)


def _paths(records: Sequence[r.Record], buckets: bool) -> dict[Any, list[Thing]]:
    found: dict[Any, list[Thing]] = {}
    for host in HOSTS:
        lives = [_lasting(life) for (where, _), life in _lives(records).items() if where == host]
        # One that was closed before it could be seen is not a life: a half-open one, a connect that failed at once.
        lives = [life for life in lives if life and life[0][1] != "CLOSE"]
        listeners = [life for life in lives if life[0][1] == "LISTEN"]
        others = sorted([life for life in lives if life[0][1] != "LISTEN"], key=lambda life: life[0][0])
        for number, life in enumerate([*listeners, *others]):
            things = [
                Thing(t, host, (state,), f"{'bucket ' if bucket else ''}{state}")
                for t, state, bucket in life
                if bucket is buckets
            ]
            if things:
                found[host, number] = things
    return found


_COUNTED = {
    "TCPAbortOnClose", "TCPAbortOnData", "TCPAbortOnLinger", "TCPAbortOnMemory", "TCPAbortOnTimeout",
    "TCPAbortFailed", "TcpOutRsts", "TcpRetransSegs", "TcpAttemptFails", "TcpEstabResets", "TCPTimeWaitOverflow", "TW",
    "TWKilled", "TWRecycled", "TCPLossProbes", "DelayedACKs", "DelayedACKLost", "ListenDrops", "TCPChallengeACK",
}  # fmt: skip


def _counters(records: Sequence[r.Record]) -> dict[tuple[str, str], Thing]:
    """How often each counter of closing moved."""
    counted = Counter((c.host, c.name) for c in records if isinstance(c, r.Count) and c.name in _COUNTED)
    last = max([record.t for record in records], default=0)
    return {
        (host, name): Thing(last, host, (name, times), f"{name} +{times}") for (host, name), times in counted.items()
    }


# -- setting things side by side -------------------------------------------------------------------------------------


def _beside(ours: Sequence[Thing], theirs: Sequence[Thing]) -> list[tuple[Thing | None, Thing | None]]:
    """Pairs of what is the same, and where it is not, of what stands at the same place."""
    found: list[tuple[Thing | None, Thing | None]] = []
    matcher = SequenceMatcher(None, [t.what for t in ours], [t.what for t in theirs], autojunk=False)
    for _, i1, i2, j1, j2 in matcher.get_opcodes():
        found += zip_longest(ours[i1:i2], theirs[j1:j2])
    return found


def _equal(one: Thing | None, other: Thing | None, steps: Sequence[int], level: str) -> bool:
    """The same, and at nearly the same time."""
    if one is None or other is None or one.what != other.what:
        return False
    return abs(one.t - other.t) <= room(one.t, steps, level)


def room(t: int, steps: Sequence[int], level: str) -> int:
    """By how much the kernel's time may differ from ``t``: a timer that has run since the last step may be late."""
    since = max(step for step in steps if step <= t)
    return (_LOOKS if level == "buckets" else AT_ONCE) + round((t - since) * LATE)
