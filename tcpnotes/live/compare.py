"""The live kernel's run beside the engine's: what is equal, and each difference by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import Any, NamedTuple

from tcpnotes.live.causes import AT_ONCE, LATE, Pair, Thing, named
from tcpnotes.live.fitting import engine_run
from tcpnotes.live.numbers import relative
from tcpnotes.live.recording import LiveRun, Machine
from tcpnotes.scenarios import Scenario, load
from tcpnotes.scenarios.tables import HOSTS
from tcpnotes.trace import records as r
from tcpnotes.trace.segment import Segment

_BRIEF = 20_000  # a state that lasts less cannot be seen by who looks now and then
_LOOKS = 400_000  # and a bucket's end is seen this late
LEVELS = ("calls", "segments", "states", "buckets", "counters")


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
    """Set a live run beside the engine's under ``linux-6``.

    ``scenario`` is needed for one that does not come with the library.
    """
    found = load(live.scenario) if scenario is None else scenario
    done = engine_run(found)
    engine = relative(record for record in done.recorder.records if record.t <= live.end)
    steps = sorted({0, *(step.at for step in found.script)})
    pairs: list[Pair] = []
    for level, things in (("calls", _calls), ("segments", _segments), ("states", _states), ("buckets", _buckets)):
        ours, theirs = things(engine), things(live.records)
        keys = dict.fromkeys([*ours, *theirs])
        both = [pair for key in keys for pair in _beside(ours.get(key, []), theirs.get(key, []))]
        pairs += _judged(level, both, steps)
    totals = {name: host.net.mib for name, host in done.world.hosts.items()}
    ours_counted, theirs_counted = _counters(totals), _counters(_counted(live.records))
    for counter in sorted({*ours_counted, *theirs_counted}):
        counts = ours_counted.get(counter), theirs_counted.get(counter)
        pairs.append(Pair("counters", *counts, counts[0] == counts[1], None))
    order = {level: number for number, level in enumerate(LEVELS)}
    pairs.sort(key=lambda pair: (pair.level == "counters", pair.side.t, order[pair.level]))
    return Comparison(found, machine, engine, live.records, named(found, pairs))


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
    """Without the half-open beginning, what lasted too briefly to be seen, and a CLOSE with nothing before it.

    So a socket that was closed before it could be seen has no life: a half-open one, a connect that failed at once.
    """
    kept: list[tuple[int, str, bool]] = []
    for i, (t, state, bucket) in enumerate(life):
        following = life[i + 1][0] if i + 1 < len(life) else None
        if state == "SYN_RECV" or (following is not None and following - t < _BRIEF):
            continue
        if state == "CLOSE" and not kept:
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
        lives = [life for life in lives if life]
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


_OLD_NAMES = {"TimeWaited": "TW", "TimeWaitKilled": "TWKilled", "TimeWaitRecycled": "TWRecycled"}


def _counted(records: Sequence[r.Record]) -> dict[str, dict[str, int]]:
    """Host -> counter -> how often it moved."""
    found: dict[str, dict[str, int]] = {host: {} for host in HOSTS}
    for record in records:
        if isinstance(record, r.Count):
            found[record.host][record.name] = found[record.host].get(record.name, 0) + 1
    return found


def _counters(totals: Mapping[str, Mapping[str, int]]) -> dict[tuple[str, str], Thing]:
    """The counters of closing, by host and name."""
    found = {}
    for host, counters in totals.items():
        for old_name, times in counters.items():
            name = _OLD_NAMES.get(old_name, old_name)
            if name in _COUNTED and times:
                found[host, name] = Thing(0, host, (name, times), f"{name} +{times}")
    return found


# -- setting things side by side -------------------------------------------------------------------------------------


def _beside(ours: Sequence[Thing], theirs: Sequence[Thing]) -> list[tuple[Thing | None, Thing | None]]:
    """Pairs of what is the same, and where it is not, of what stands at the same place."""
    found: list[tuple[Thing | None, Thing | None]] = []
    matcher = SequenceMatcher(None, [t.what for t in ours], [t.what for t in theirs], autojunk=False)
    for _, i1, i2, j1, j2 in matcher.get_opcodes():
        found += zip_longest(ours[i1:i2], theirs[j1:j2])
    # Where one side has more of the same, those belong together that are nearest in time.
    for i, (one, other) in enumerate(found[1:]):
        before = found[i]
        if one is None or other is None or None not in before:
            continue
        lone = before[0] or before[1]
        if lone is None or not lone.what == one.what == other.what:
            continue
        if lone is before[0] and abs(lone.t - other.t) < abs(one.t - other.t):
            found[i], found[i + 1] = (lone, other), (one, None)
        elif lone is before[1] and abs(lone.t - one.t) < abs(one.t - other.t):
            found[i], found[i + 1] = (one, lone), (None, other)
    return found


def _judged(level: str, both: Sequence[tuple[Thing | None, Thing | None]], steps: Sequence[int]) -> list[Pair]:
    """Pairs with the verdict whether they are the same at nearly the same time.

    Nearly means: counted from the last step of the script, or from what came before, which may itself have been late.
    """
    found: list[Pair] = []
    before, late = 0, 0  # the last pair: when it was in the engine, and by how much the kernel was behind
    for one, other in sorted(both, key=lambda pair: (pair[0] or pair[1] or _NOTHING).t):
        equal = False
        if one is not None and other is not None and one.what == other.what:
            behind = other.t - one.t
            wait = AT_ONCE + round((one.t - before) * LATE)
            equal = abs(behind) <= room(one.t, steps, level) or abs(behind - late) <= wait
            if equal:
                before, late = one.t, behind
        found.append(Pair(level, one, other, equal, None))
    return found


_NOTHING = Thing(0, "", (), "")


def room(t: int, steps: Sequence[int], level: str) -> int:
    """By how much the kernel's time may differ from ``t``: a timer that has run since the last step may be late."""
    since = max(step for step in steps if step <= t)
    return (_LOOKS if level == "buckets" else AT_ONCE) + round((t - since) * LATE)
