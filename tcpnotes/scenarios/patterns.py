"""A small language for what a trace must contain to show something.

A `Scene` is everything that one stimulus (a call, a segment, a due timer, a task
that goes on) sets off on one host: an ordered list of matchers, which must be found
in that order, and a list of matchers that must not be found at all.  A `Pattern` is
scenes in the order of time, on hosts that play roles: ``me``, and ``peer``, which is
always another host.  Scenes need not follow each other at once; ``not_before_next``
says what must not happen on the scene's host until the next one.

A matcher (`Match`) asks for one kind of record and tests some of its fields, what
functions are open around it, what state its socket is in, and, with frames, how the
socket or the host looks right after it.  A value to be tested is a plain value, a
set, or a `Test`; the variables that tests bind hold for the whole pattern.  Unless
told otherwise, all records of a role that speak of a socket must speak of the same
one, and all that speak of a bucket of the same bucket.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Any, TypeAlias

from tcpnotes.trace import Frame, HostView, Record
from tcpnotes.trace.frames import SockView
from tcpnotes.trace.records import Bucket, Enter, Sleep, StateChange, Stimulus

Env: TypeAlias = dict[str, Any]

# -- tests of values --------------------------------------------------------------------------------------------


class Test:
    """Something that a value can pass or fail; passing may bind variables."""

    __test__ = False  # not a test of pytest's

    def passes(self, value: Any, env: Env) -> Env | None:
        """The variables after the test; None when the value fails."""
        raise NotImplementedError


@dataclass(frozen=True)
class Var(Test):
    """The value of a variable, moved by ``plus`` in sequence space; a variable met first takes the value."""

    name: str
    plus: int = 0

    def passes(self, value: Any, env: Env) -> Env | None:
        if self.name not in env:
            return {**env, self.name: value} if not self.plus else None
        bound = env[self.name]
        if self.plus:
            bound = (bound + self.plus) & 0xFFFFFFFF
        return env if value == bound else None


@dataclass(frozen=True)
class Has(Test):
    """Flags: all of ``letters`` (as tcpdump writes them) are set, and none of ``lacks``."""

    letters: str
    lacks: str = ""

    def passes(self, value: Any, env: Env) -> Env | None:
        here = {letter for letter, bit in _BITS.items() if value & bit}
        return env if here >= set(self.letters) and not here & set(self.lacks) else None


_BITS = {"F": 0x01, "S": 0x02, "R": 0x04, "P": 0x08, ".": 0x10, "U": 0x20}


@dataclass(frozen=True)
class Between(Test):
    """A number from ``low`` to ``high``."""

    low: float
    high: float = float("inf")

    def passes(self, value: Any, env: Env) -> Env | None:
        return env if value is not None and self.low <= value <= self.high else None


@dataclass(frozen=True)
class Since(Test):
    """A time ``low`` to ``high`` seconds after the one in a variable."""

    name: str
    low: float
    high: float

    def passes(self, value: Any, env: Env) -> Env | None:
        return env if self.low <= (value - env[self.name]) / 1_000_000 <= self.high else None


@dataclass(frozen=True)
class Doubled(Test):
    """A time as long after ``second`` as twice the time from ``first`` to ``second`` (to a jiffy)."""

    first: str
    second: str

    def passes(self, value: Any, env: Env) -> Env | None:
        first, second = env[self.first], env[self.second]
        return env if abs((value - second) - 2 * (second - first)) <= 10_000 else None


@dataclass(frozen=True)
class Times(Test):
    """A variable multiplied by ``factor``, and up to ``slack`` more."""

    name: str
    factor: int
    slack: int = 0

    def passes(self, value: Any, env: Env) -> Env | None:
        low = env[self.name] * self.factor
        return env if low <= value <= low + self.slack else None


@dataclass(frozen=True)
class After(Test):
    """A time as many seconds after the one in ``start`` as another variable says, and up to ``slack`` more."""

    start: str
    seconds: str
    slack: float

    def passes(self, value: Any, env: Env) -> Env | None:
        late = (value - env[self.start]) / 1_000_000 - env[self.seconds]
        return env if 0 <= late <= self.slack else None


@dataclass(frozen=True)
class NotBefore(Test):
    """A sequence number at or after the one in a variable."""

    name: str

    def passes(self, value: Any, env: Env) -> Env | None:
        return env if (value - env[self.name]) & 0x80000000 == 0 else None


@dataclass(frozen=True)
class NotAfter(Test):
    """A sequence number at or before the one in a variable."""

    name: str

    def passes(self, value: Any, env: Env) -> Env | None:
        return env if (env[self.name] - value) & 0x80000000 == 0 else None


@dataclass(frozen=True)
class Args(Test):
    """The first arguments of a call, each a plain value or a test; what follows may be anything."""

    wanted: tuple[Any, ...]

    def passes(self, value: Any, env: Env) -> Env | None:
        if len(value) < len(self.wanted):
            return None
        for want, have in zip(self.wanted, value, strict=False):
            now = test(want, have, env)
            if now is None:
                return None
            env = now
        return env


@dataclass(frozen=True)
class Payload(Test):
    """A queue of a frame that holds ``low`` to ``high`` bytes."""

    low: int
    high: float = float("inf")

    def passes(self, value: Any, env: Env) -> Env | None:
        return env if self.low <= sum(skb.len for skb in value) <= self.high else None


@dataclass(frozen=True)
class Anything(Test):
    """Whatever it is."""

    def passes(self, value: Any, env: Env) -> Env | None:
        return env


ANY = Anything()


def test(want: Any, have: Any, env: Env) -> Env | None:
    """Test a value against a plain value, a set, or a `Test`."""
    if isinstance(want, Test):
        return want.passes(have, env)
    if isinstance(want, frozenset):
        return env if have in want else None
    return env if have == want else None


# -- matchers -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Match:
    """One record: its kind, tests of its fields (``seg.len`` reaches into a segment), and what is around it."""

    kind: str
    fields: tuple[tuple[str, Any], ...] = ()
    inside: tuple[str, ...] = ()  # functions that are open
    state: str | None = None  # the socket's state, or the bucket's substate, at that moment
    view: tuple[tuple[str, Any], ...] = ()  # tests of the socket in the frame
    host_view: tuple[tuple[str, Any], ...] = ()  # tests of the host in the frame
    shown: bool = True  # False: needed, but not itself what is to be seen

    @property
    def needs_frames(self) -> bool:
        """Can this be matched only where frames were kept?"""
        return bool(self.view or self.host_view)


def context(match: Match) -> Match:
    """The same matcher, for a record that must be there but is not itself what is to be seen."""
    return replace(match, shown=False)


@dataclass(frozen=True)
class Scene:
    """What one stimulus sets off on one host, in order.  ``cause`` finds the record that says what the stimulus was."""

    cause: Match | None
    steps: tuple[Match, ...]
    role: str = "me"
    never: tuple[Match, ...] = ()
    not_before_next: tuple[Match, ...] = ()


@dataclass(frozen=True)
class Pattern:
    """Scenes in the order of time."""

    scenes: tuple[Scene, ...]

    @property
    def needs_frames(self) -> bool:
        """Can this be matched only where frames were kept?"""
        return any(
            match.needs_frames
            for scene in self.scenes
            for match in (*scene.steps, *scene.never, *scene.not_before_next)
        )


# -- a trace, prepared ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Group:
    """Records ``first`` to ``last`` of one host that belong to one stimulus."""

    host: str
    first: int
    last: int


class Prepared:
    """A trace with what matching needs: groups, open functions, and the states of sockets and buckets."""

    def __init__(self, records: Sequence[Record], frames: Sequence[Frame] = ()) -> None:
        self.records = records
        self.frames: Mapping[int, Frame] = {frame.index: frame for frame in frames}
        self.groups: list[Group] = []
        self.open: list[tuple[str, ...]] = []
        self.states: list[str | None] = []  # of the record's own socket or bucket, just before the record
        self._read()

    def _read(self) -> None:
        states: dict[tuple[str, int], str] = {}
        for record in self.records:
            if isinstance(record, StateChange):
                states.setdefault((record.host, record.sk), record.old)
        stacks: dict[str, list[str]] = {}
        asleep: dict[tuple[str, int], list[str]] = {}
        first = 0
        for index, record in enumerate(self.records):
            before = self.records[index - 1] if index else record
            if isinstance(record, Stimulus) or (record.host, record.t) != (before.host, before.t):
                if index > first:
                    self.groups.append(Group(before.host, first, index - 1))
                first = index
            stack = stacks.setdefault(record.host, [])
            if isinstance(record, Stimulus) and record.task is not None:
                stack[:] = asleep.pop((record.host, record.task), [])
            del stack[record.depth :]
            self.open.append(tuple(stack))
            owner = _owner(record)
            self.states.append(None if owner is None else states.get((record.host, owner)))
            if isinstance(record, Enter):
                stack.append(record.fn)
            elif isinstance(record, Sleep):
                asleep[record.host, record.task] = stack[:]
            elif isinstance(record, StateChange):
                states[record.host, record.sk] = record.new
            elif isinstance(record, Bucket) and record.tw is not None and record.substate is not None:
                states[record.host, record.tw] = record.substate
        if self.records:
            self.groups.append(Group(self.records[-1].host, first, len(self.records) - 1))

    # -- matching ----------------------------------------------------------------------------------------------

    def matches(self, match: Match, index: int, role: str, env: Env) -> Env | None:
        """The variables if record ``index`` is what ``match`` asks for; None if it is not."""
        record = self.records[index]
        if record.kind != match.kind:
            return None
        if match.state is not None and self.states[index] != match.state:
            return None
        if match.inside:
            around = self.open[index]
            if any(fn not in around for fn in match.inside):
                return None
        for path, want in match.fields:
            ours = isinstance(want, Var) and want.name in ("sk", "tw")
            now = test(Var(f"{role}.{want.name}") if ours else want, _get(path)(record), env)
            if now is None:
                return None
            env = now
        if match.needs_frames:
            return self._matches_frame(match, index, role, env)
        return env

    def _matches_frame(self, match: Match, index: int, role: str, env: Env) -> Env | None:
        frame = self.frames.get(index)
        if frame is None:
            return None
        host = frame.host(self.records[index].host)
        tests: list[tuple[HostView | SockView, str, Any]]
        tests = [(host, path, want) for path, want in match.host_view]
        if match.view:
            sk = env.get(f"{role}.sk")
            view = next((view for view in host.socks if view.id == sk), None)
            if view is None:
                return None
            tests += [(view, path, want) for path, want in match.view]
        for thing, path, want in tests:
            now = test(want, _get(path)(thing), env)
            if now is None:
                return None
            env = now
        return env

    def _scene(self, scene: Scene, group: Group, env: Env) -> Iterator[tuple[list[int], Env]]:
        """The ways to find ``scene`` in ``group``: indexes of what is shown, and the variables."""
        who = f"@{scene.role}"
        if env.get(who, group.host) != group.host:
            return
        if any(name.startswith("@") and name != who and host == group.host for name, host in env.items()):
            return
        wanted = (*(() if scene.cause is None else (context(scene.cause),)), *scene.steps)
        for shown, found in self._steps(wanted, 0, group.first, group, scene.role, {**env, who: group.host}):
            indexes = range(group.first, group.last + 1)
            if not any(self.matches(bad, i, scene.role, found) is not None for bad in scene.never for i in indexes):
                yield shown, found

    def _steps(
        self, wanted: tuple[Match, ...], at: int, start: int, group: Group, role: str, env: Env
    ) -> Iterator[tuple[list[int], Env]]:
        if at == len(wanted):
            yield [], env
            return
        match = wanted[at]
        for index in range(start, group.last + 1):
            now = self.matches(match, index, role, env)
            if now is not None:
                for rest, found in self._steps(wanted, at + 1, index + 1, group, role, now):
                    yield ([index, *rest] if match.shown else rest), found

    def _scenes(self, pattern: Pattern, at: int, start: int, env: Env) -> Iterator[list[int]]:
        if at == len(pattern.scenes):
            yield []
            return
        for number in range(start, len(self.groups)):
            if at:
                before = pattern.scenes[at - 1]
                # What must not happen between the scenes is looked for in the group just passed.
                if number > start and self._spoils(before, self.groups[number - 1], env):
                    return
            for shown, found in self._scene(pattern.scenes[at], self.groups[number], env):
                for rest in self._scenes(pattern, at + 1, number + 1, found):
                    yield [*shown, *rest]
                    return

    def _spoils(self, scene: Scene, group: Group, env: Env) -> bool:
        if group.host != env[f"@{scene.role}"]:
            return False
        return any(
            self.matches(bad, index, scene.role, env) is not None
            for bad in scene.not_before_next
            for index in range(group.first, group.last + 1)
        )

    def find(self, pattern: Pattern) -> Iterator[tuple[str, tuple[int, ...]]]:
        """Every place where ``pattern`` begins and can be followed to its end: the host ``me``, and the indexes."""
        for number, group in enumerate(self.groups):
            first = pattern.scenes[0]
            for shown, env in self._scene(first, group, {}):
                rest = next(self._scenes(pattern, 1, number + 1, env), None)
                if rest is not None:
                    yield env.get("@me", group.host), tuple(dict.fromkeys([*shown, *rest]))
                    break


_GETTERS: dict[str, Any] = {}


def _get(path: str) -> Any:
    getter = _GETTERS.get(path)
    if getter is None:
        getter = _GETTERS[path] = attrgetter(path)
    return getter


def _owner(record: Record) -> int | None:
    if isinstance(record, Bucket):
        return record.tw
    return getattr(record, "sk", None)
