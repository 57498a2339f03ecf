"""The states of one end: a host with its application, every step worked out once by the engine itself.

Both hosts of a model run the same code, so one table serves both.  A state is known by
a digest of its `shape` (128 bits: among a million of them two are mistaken for one with
a probability of 10⁻²⁷).  The table keeps for every state how it came about, so a host in
that state can be had again at any time; the latest ones are kept as they are.
"""

from __future__ import annotations

import marshal
from array import array
from collections.abc import Callable, Iterable
from hashlib import blake2b
from typing import Any

from tcpnotes.explore.model import Model
from tcpnotes.explore.shape import Shape, shape
from tcpnotes.explore.views import ABORTED, CLOSED, EOF, ERROR, LATE, OPEN, App, End, Step, Stimulus
from tcpnotes.kernel.bucket import TwBucket
from tcpnotes.kernel.net import Net
from tcpnotes.kernel.sock import CLOSE, LISTEN, NEVER, Sock
from tcpnotes.trace.segment import Segment
from tcpnotes.world.host import Host, Result
from tcpnotes.world.process import peer_address

ENOUGH = 10_000  # bytes that a read asks for
KEPT = 50_000  # hosts that are kept as they are: they share most of what they hold
FIRE = Stimulus("fire")
_NO_TIMER = -1
_GAUGES = ("TcpCurrEstab",)  # a counter that also goes down


class _Outbox:
    """A wire that keeps what is sent, without addresses, so that both hosts' segments are alike."""

    delay = 0

    def __init__(self) -> None:
        self.sent: list[Segment] = []

    def send(self, src: str, now: int, seg: Segment) -> int:
        self.sent.append(seg._replace(saddr=0, daddr=0))
        return len(self.sent)


def happen(
    host: Host, app: App, model: Model, stimulus: Stimulus, segment: Segment | None
) -> tuple[App, Result | None]:
    """Let ``stimulus`` reach ``host``: the application as it is then, and what its call returned."""
    net = host.net
    match stimulus.what:
        case "segment":
            assert segment is not None
            host.receive(segment._replace(saddr=peer_address(net), daddr=net.address), None)
        case "fire":
            tick = net.next_tick()
            assert tick is not None
            _grow_older(host, max(tick - net.jiffies, 0))
            host.tick(net.jiffies)
        case "age":
            _grow_older(host, stimulus.number)
        case _:
            return _call(host, app, model, stimulus.name)
    return app, None


def _grow_older(host: Host, ticks: int) -> None:
    host.net.now += host.net.times.moment(ticks)
    host.net.jiffies += ticks


def _call(host: Host, app: App, model: Model, name: str) -> tuple[App, Result | None]:
    owner = model.owners[0 if host.name == "A" else 1]
    fd = descriptor(host)
    if name == "accept":
        host.call("accept", (3,))
        return app, None
    for call, args in spelt(name, fd, owner.bytes):
        task = host.call(call, args)
    result = host.result(task)
    ret = result.ret if result is not None else 0
    match name:
        case "write":
            return app._replace(write=app.write - 1, sent=app.sent + max(ret, 0)), result
        case "shutdown":
            return app._replace(write=0, shutdown=False), result
        case "read":
            if ret > 0:
                return app._replace(taken=app.taken + ret, end=LATE if app.end else app.end), result
            return app._replace(end=app.end or (EOF if ret == 0 else ERROR)), result
    gone = CLOSED if name == "close" else ABORTED
    return App(0, False, False, False, False, app.sent, app.taken, app.end, gone), result


def spelt(name: str, fd: int, amount: int) -> list[tuple[str, tuple[Any, ...]]]:
    """The system calls that an application's deed consists of."""
    match name:
        case "accept":
            return [("accept", (3,))]
        case "write":
            return [("write", (fd, amount))]
        case "read":
            return [("read", (fd, ENOUGH))]
        case "shutdown":
            return [("shutdown", (fd, "SHUT_WR"))]
        case "abort":
            return [("setsockopt", (fd, "SOL_SOCKET", "SO_LINGER", (1, 0))), ("close", (fd,))]
    return [("close", (fd,))]


def descriptor(host: Host) -> int:
    """The descriptor of the connection; -1 when there is none."""
    socks = host.net.socks
    fds = (fd for fd, file in host.processes.files.items() if socks[file.sk].state != LISTEN)
    return max(fds, default=-1)


def possible(host: Host, app: App) -> list[str]:
    """What the application may do now."""
    fd = descriptor(host)
    if fd < 0:
        return ["accept"] if any(sk.accept_queue for sk in host.net.socks.values()) else []
    sk = host.net.socks[host.processes.files[fd].sk]
    deeds = [name for name in ("write", "shutdown", "close", "abort") if getattr(app, name)]
    queued = any(skb.len for skb in sk.receive_queue)
    if app.read and (
        queued if app.end else (sk.receive_queue or sk.shutdown & 1 or sk.err or sk.state == CLOSE)
    ):  # fmt: skip
        deeds.append("read")
    return deeds


def essence(host: Host, app: App) -> Shape:
    """All of a host with its application that still matters."""
    return shape(host, not app.write)


def _whole_shape(host: Host, app: App) -> Shape:
    return shape(host)


class Ends:
    """The table of states of an end.  ``judge`` sees every new step, ``judge_state`` every new state.

    With ``whole``, states that differ only in what has no more influence are kept apart.
    """

    def __init__(
        self,
        model: Model,
        judge: Callable[[Step, int, Stimulus], None] | None = None,
        judge_state: Callable[[End, int], None] | None = None,
        kept: int = KEPT,
        whole: bool = False,
    ) -> None:
        self.model = model
        self.judge = judge
        self.judge_state = judge_state
        self.segments: list[Segment] = []
        self.stimuli: list[Stimulus] = []
        self.digests: list[bytes] = []
        self.apps: list[App] = []
        self.parents = array("I")  # the state from which each came, and
        self.causes = array("I")  # what reached it there: how to come by a host in that state
        self.dues = array("i")  # ticks to the next timer, _NO_TIMER if there is none
        self.spent = bytearray()  # is nothing left of the connection, and nobody who could do anything?
        self.outs: list[tuple[int, ...]] = []  # what may be sent at once: numbers of segments
        self.worked = 0
        self.known_by = _whole_shape if whole else essence
        self._kept = kept
        self._numbers: dict[bytes, int] = {}
        self._segment_numbers: dict[Segment, int] = {}
        self._stimulus_numbers: dict[Stimulus, int] = {}
        self._out_numbers: dict[tuple[int, ...], int] = {}
        self._steps: dict[int, int] = {}  # state << 24 | stimulus  →  state << 24 | sent
        self._calls: dict[int, tuple[Stimulus, ...]] = {}  # what the application may do, where that has been asked
        self._firsts: dict[int, Host] = {}  # states that nothing led to
        self._hosts: dict[int, Host] = {}
        self.out(())

    # -- numbers ----------------------------------------------------------------------------------------------

    def segment(self, seg: Segment) -> int:
        """The number of a segment."""
        number = self._segment_numbers.get(seg)
        if number is None:
            number = self._segment_numbers[seg] = len(self.segments)
            self.segments.append(seg)
        return number

    def stimulus(self, stimulus: Stimulus) -> int:
        """The number of a stimulus."""
        number = self._stimulus_numbers.get(stimulus)
        if number is None:
            number = self._stimulus_numbers[stimulus] = len(self.stimuli)
            self.stimuli.append(stimulus)
        return number

    def out(self, sent: tuple[int, ...]) -> int:
        """The number of a row of segments that leave at once; 0 is none."""
        number = self._out_numbers.get(sent)
        if number is None:
            number = self._out_numbers[sent] = len(self.outs)
            self.outs.append(sent)
        return number

    # -- states -----------------------------------------------------------------------------------------------

    def first(self, host: Host) -> int:
        """A state to begin with."""
        owner = self.model.owners[0 if host.name == "A" else 1]
        app = App(owner.write, owner.shutdown, owner.close, owner.abort, owner.read)
        number = self._intern(host.clone(None), app, 0, 0)
        self._firsts.setdefault(number, host.clone(None))
        return number

    def _intern(self, host: Host, app: App, parent: int, cause: int) -> int:
        digest = blake2b(marshal.dumps((self.known_by(host, app), tuple(app)), 2), digest_size=16).digest()
        number = self._numbers.get(digest)
        if number is None:
            net = host.net
            tick = net.next_tick()
            due = _NO_TIMER if tick is None else max(tick - net.jiffies, 0)
            spent = app.gone != OPEN and not (net.socks or net.tw_hash or net.tasks)
            number = self._add(digest, app, parent, cause, due, spent)
            self._keep(number, host)
            if self.judge_state is not None:
                self.judge_state(End(host, app, self.model), number)
        return number

    def _add(self, digest: bytes, app: App, parent: int, cause: int, due: int, spent: int) -> int:
        number = self._numbers[digest] = len(self.digests)
        self.digests.append(digest)
        self.apps.append(app)
        self.parents.append(parent)
        self.causes.append(cause)
        self.dues.append(due)
        self.spent.append(spent)
        return number

    # -- what others have worked out ------------------------------------------------------------------------------

    def has(self, digest: bytes) -> bool:
        """Is this state in the table?"""
        return digest in self._numbers

    def number(self, digest: bytes) -> int:
        """The number of a state that is in the table.  KeyError otherwise."""
        return self._numbers[digest]

    def learn_state(
        self, digest: bytes, app: App, parent: int, cause: int, due: int, spent: int,
        calls: tuple[Stimulus, ...],
    ) -> int:  # fmt: skip
        """Take in a state as another table has it; its number."""
        number = self._add(digest, app, parent, cause, due, spent)
        self._calls[number] = calls
        return number

    def learn(self, steps: Iterable[tuple[int, int]]) -> None:
        """Take in where steps lead: ``state << 24 | stimulus``, ``state << 24 | sent``."""
        self._steps.update(steps)

    # -- hosts ------------------------------------------------------------------------------------------------

    def _keep(self, number: int, host: Host) -> None:
        hosts = self._hosts
        if len(hosts) >= self._kept:
            for old in list(hosts)[: self._kept // 4]:
                del hosts[old]
        hosts[number] = host

    def host(self, number: int) -> Host:
        """A host in that state, to be looked at; who wants to change it clones it."""
        way = []
        while (host := self._hosts.get(number) or self._firsts.get(number)) is None:
            way.append(number)
            number = self.parents[number]
        for number in reversed(way):
            host = host.clone(_Outbox())
            stimulus = self.stimuli[self.causes[number]]
            happen(host, self.apps[self.parents[number]], self.model, stimulus, self._segment_of(stimulus))
            _slim(host)
            self._keep(number, host)
        return host

    def end(self, number: int) -> End:
        """The end in that state."""
        return End(self.host(number), self.apps[number], self.model)

    def _segment_of(self, stimulus: Stimulus) -> Segment | None:
        return self.segments[stimulus.number] if stimulus.what == "segment" else None

    # -- steps ------------------------------------------------------------------------------------------------

    def calls(self, number: int) -> tuple[Stimulus, ...]:
        """What the application may do."""
        calls = self._calls.get(number)
        if calls is None:
            app = self.apps[number]
            names = possible(self.host(number), app) if app.gone == OPEN else ()
            calls = self._calls[number] = tuple([Stimulus("call", name) for name in names])
        return calls

    def knows(self, step: int) -> bool:
        """Has a step (``state << 24 | stimulus``) been made?"""
        return step in self._steps

    def made(self, step: int) -> int:
        """Where a step (``state << 24 | stimulus``) leads, and the number of what is sent: ``state << 24 | sent``."""
        known = self._steps.get(step)
        if known is None:
            known = self._steps[step] = self._work(step >> 24, step & 0xFFFFFF)
        return known

    def packed(self, number: int, stimulus: Stimulus) -> int:
        """The same for a stimulus that may be new."""
        return self.made(number << 24 | self.stimulus(stimulus))

    def step(self, number: int, stimulus: Stimulus) -> tuple[int, int]:
        """The same, as two numbers."""
        known = self.packed(number, stimulus)
        return known >> 24, known & 0xFFFFFF

    def steps(self) -> Iterable[tuple[int, int]]:
        """All steps so far: state << 24 | stimulus, state << 24 | sent."""
        return self._steps.items()

    def _work(self, number: int, code: int) -> int:
        self.worked += 1
        stimulus = self.stimuli[code]
        before = self.host(number)
        outbox = _Outbox()
        host = before.clone(outbox)
        segment = self._segment_of(stimulus)
        app = self.apps[number]
        new_app, result = happen(host, app, self.model, stimulus, segment)
        _slim(host)
        known = len(self.digests)
        there = self._intern(host, new_app, number, code)
        if self.judge is not None and stimulus.what != "age":
            step = Step(
                End(before, app, self.model), stimulus, segment, End(host, new_app, self.model), outbox.sent, result,
                before,
            )  # fmt: skip
            self.judge(step, number, stimulus)
        if there < known:
            _open(host, before.net)
        return there << 24 | self.out(tuple([self.segment(seg) for seg in outbox.sent]))


def _slim(host: Host) -> None:
    """Drop what no later step asks for."""
    net = host.net
    host.processes.results = {}
    net.mib = {name: net.mib[name] for name in _GAUGES if name in net.mib}
    net.run_queue = []
    host.wire = None  # type: ignore[assignment]  # a clone gets one of its own
    net.output = _nowhere
    running = net.running()
    net.timers = {}
    for tick, number, kind, owner in running:
        net.timers.setdefault(tick, []).append((number, kind, owner))
    net.timer_ticks = list(net.timers)


def _open(host: Host, other: Net) -> None:
    """A host that nobody needs goes in circles; opened (all hang on another stack), its memory is free at once."""
    net = host.net
    holders: tuple[Sock | TwBucket | Net, ...] = (*net.socks.values(), *net.tw_hash.values(), net)
    for one in holders:
        one.net = other


def _nowhere(seg: Segment, sk: int | None) -> None:
    """Where a kept host's segments would go."""


__all__ = ["ENOUGH", "FIRE", "NEVER", "Ends", "descriptor", "happen", "possible", "spelt"]
