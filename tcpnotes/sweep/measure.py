"""One run of a sweep: the scenario with its parameters put in, and what is measured in its trace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import NamedTuple

from tcpnotes.kernel.sock import CLOSE, LISTEN
from tcpnotes.scenarios.loader import Call, Lose, Scenario
from tcpnotes.scenarios.run import Rule, Stage, settle
from tcpnotes.sweep.grid import Spec, Value
from tcpnotes.trace import Record, Segment
from tcpnotes.trace import records as r
from tcpnotes.trace.segment import RST
from tcpnotes.world import World


class Measures(NamedTuple):
    """What is measured.  Times in seconds; None when the run ended before."""

    closed_a: float | None  # from the first close until A has nothing left of the connection, TIME_WAIT included
    closed_b: float | None
    close_took: float | None  # until the first call of close or shutdown came back: more than 0 when it lingers
    buckets: int  # that were made
    buckets_most: int  # at the same time, on both hosts together
    bucket_seconds: float  # the lives of all buckets together, up to the end of the run
    rsts: int  # segments with RST that were sent
    retransmissions: int  # segments that were sent again (the counter TcpRetransSegs)
    segments: int  # that were sent
    lost: int


class Chance(Rule):
    """Each segment is lost with the same chance: the seed and the segment's number decide, nothing else.

    So a segment that is lost at one chance is lost at every larger one, and runs can be compared.
    """

    def __init__(self, chance: float, seed: int, since: int) -> None:
        super().__init__(Lose(since, "", "any", None, None))
        self.limit = round(chance * (1 << 32))
        self.seed = seed
        self.asked = 0

    def takes(self, src: str, sent: int, seg: Segment) -> bool:
        """Is this segment to be lost?"""
        if sent < self.step.at:
            return False
        self.asked += 1
        digest = blake2b(f"{self.seed}/{self.asked}".encode(), digest_size=4).digest()
        return int.from_bytes(digest) < self.limit


def measure(spec: Spec, point: Sequence[Value]) -> Measures:
    """Run the scenario at a point of the grid.  ScenarioError when the script cannot be followed there."""
    values = dict(zip(spec.names, point, strict=True))
    scenario = _with_linger(spec.scenario, values)
    delay = round(float(values["delay"]) * 1_000_000) if "delay" in values else scenario.delay
    seed = int(values["seed"])
    world = World(profile=str(values["profile"]), seed=seed, delay=delay)
    recorder = world.listen()
    settle(world, scenario, _settings(world, values))
    stage = Stage(world, scenario)
    # First, so that it is asked about every segment, whatever the script's own losses say.
    stage.rules.append(Chance(float(values.get("loss", 0)), seed, scenario.script[0].at))
    stage.open()
    for number, step in enumerate(scenario.script, 1):
        if step.at > spec.until:
            break
        stage.advance(step.at)
        stage.do(step, number)
    stage.advance(max(spec.until, world.now))
    return _measured(recorder.records, world, spec.closes, spec.until)


def _with_linger(scenario: Scenario, values: Mapping[str, Value]) -> Scenario:
    """The script with SO_LINGER set right before the first close."""
    if "linger" not in values:
        return scenario
    script = list(scenario.script)
    at, close = next((i, s) for i, s in enumerate(script) if isinstance(s, Call) and s.call == "close")
    value = (0, 0) if values["linger"] == "off" else (1, int(values["linger"]))
    option = Call(close.at, close.host, "setsockopt", (close.args[0], "SOL_SOCKET", "SO_LINGER", value))
    return scenario._replace(script=(*script[:at], option, *script[at:]))


def _settings(world: World, values: Mapping[str, Value]) -> list[tuple[str, str, int]]:
    return [
        (host, name.removeprefix("sysctl."), int(value))
        for name, value in values.items()
        if name.startswith("sysctl.")
        for host in world.hosts
    ]


def _measured(records: Sequence[Record], world: World, closes: int, until: int) -> Measures:
    ends: dict[str, int] = {}
    born: dict[tuple[str, int | None], int] = {}
    made = most = lived = rsts = again = segments = lost = 0
    first: tuple[str, int] | None = None  # host and task of the first call that closes
    took: float | None = None
    for one in records:
        match one:
            case r.StateChange(t, host) if one.new == "CLOSE" and one.old != "LISTEN":
                ends[host] = t
            case r.Bucket(t, host) if one.op == "create":
                born[host, one.tw] = t
                made += 1
                most = max(most, len(born))
            case r.Bucket(t, host) if one.op == "kill" and (host, one.tw) in born:
                lived += t - born.pop((host, one.tw))
                ends[host] = t
            case r.Call(t, host) if first is None and one.call in ("close", "shutdown"):
                first = host, one.task
            case r.Return(t, host) if took is None and (host, one.task) == first:
                took = (t - closes) / 1_000_000
            case r.Sent():
                segments += 1
                rsts += bool(one.seg.flags & RST)
            case r.Lost():
                lost += 1
            case r.Count() if one.name == "TcpRetransSegs":
                again += 1
    lived += sum(until - t for t in born.values())
    closed: dict[str, float] = {}
    for name, there in world.hosts.items():
        left = there.net.tw_hash or any(sk.state not in (LISTEN, CLOSE) for sk in there.net.socks.values())
        if not left and name in ends:
            closed[name] = (ends[name] - closes) / 1_000_000
    return Measures(
        closed.get("A"), closed.get("B"), took, made, most, lived / 1_000_000, rsts, again, segments, lost
    )  # fmt: skip
