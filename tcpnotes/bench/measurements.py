"""The measurements, by name."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import NamedTuple

from tcpnotes.bench.lives import CLIENT, PORT, SERVER, Lives
from tcpnotes.bench.measure import Figure, Goal, Size, Timing, compared, in_events, per_second, timed
from tcpnotes.world import World

RATE = "lives/s"


def lives(size: Size) -> Iterator[Figure]:
    """Lives of connections, with and without a trace, with many buckets standing, with many sockets open."""
    base, off, traced = Lives(), Lives(), Lives()
    for each in (base, off, traced):
        each.run(min(size.lives, 100))
    off.world.listen()
    off.run(1)
    off.world.unlisten()
    recorder = traced.world.listen()
    plain, silent, full = [], [], []
    for _ in range(size.runs):
        plain.append(_lives(base, size.lives, size))
        silent.append(_lives(off, size.lives, size))
        full.append(_lives(traced, max(size.lives // 4, 1), size))
        recorder.records.clear()
    yield per_second("lives", "trace off", RATE, plain, Goal(1 / 500, 1 / 250, True))
    yield per_second("lives", "full trace", RATE, full, Goal(1 / 1500, 1 / 500, True))
    yield compared("lives", "trace present but off", RATE, silent, plain, "trace off", Goal(0.95, 1.0, True))
    crowd = Lives(size.standing)
    # A slot of the slow wheel dies in each run, as it must.
    yield _beside(base, crowd, f"{size.standing:_} in TIME_WAIT", max(size.lives, size.standing // 7), size)
    del crowd
    yield _beside(base, Lives(opened=size.opened), f"{size.opened:_} sockets open", size.lives, size)


def _lives(world: Lives, count: int, size: Size) -> Timing:
    return timed(lambda: world.run(count), count, size)


def _beside(base: Lives, crowd: Lives, case: str, count: int, size: Size) -> Figure:
    crowd.run(min(size.lives, 100))
    few, many = [], []
    for _ in range(size.runs):
        few.append(_lives(base, size.lives, size))
        many.append(_lives(crowd, count, size))
    return compared("lives", case, RATE, many, few, "100 in TIME_WAIT", Goal(0.8, 0.9, True))


def _mid_close() -> World:
    """Two hosts, one FIN sent and acknowledged, the other on its way behind data."""
    world = World("linux-2.4.0")
    for host, call, *args in (
        (SERVER, "socket"), (SERVER, "bind", 3, PORT), (SERVER, "listen", 3, 5), (SERVER, "accept", 3),
        (CLIENT, "socket"), (CLIENT, "connect", 3, PORT),
    ):  # fmt: skip
        world.call(str(host), str(call), *args)
    world.run_until(200_000)
    world.call(CLIENT, "write", 3, 16)
    world.call(CLIENT, "close", 3)
    world.run_until(260_000)
    world.call(SERVER, "write", 4, 16)
    world.call(SERVER, "shutdown", 4, "SHUT_WR")
    return world


def fork(size: Size) -> Iterator[Figure]:
    """Copies of a world of two hosts in the middle of a close."""
    world = _mid_close()

    def forks() -> None:
        for _ in range(size.forks):
            world.fork()

    event = world.enabled()[0]

    def steps() -> None:
        for _ in range(size.forks):
            world.fork().apply(event)

    def prints() -> None:
        for _ in range(size.forks // 4 + 1):
            hash(world.freeze())

    cases: tuple[tuple[str, Callable[[], None], int, Goal | None], ...] = (
        ("fork", forks, size.forks, Goal(30, 12, False)),
        ("fork, and a segment arrives", steps, size.forks, None),
        ("freeze and hash", prints, size.forks // 4 + 1, None),
    )
    for case, doing, times, goal in cases:
        yield in_events("fork", case, [timed(doing, times, size) for _ in range(size.runs)], goal)


def imports(size: Size) -> Iterator[Figure]:
    """How long it takes to import the library, and the engine with it, in a fresh interpreter."""
    for module, goal in (("tcpnotes", Goal(100, 50, False, True)), ("tcpnotes.world", None)):
        script = f"from time import perf_counter as now\nstart = now()\nimport {module}\nprint(now() - start)"

        def once(script: str = script) -> Timing:
            seconds = 0.0

            def start() -> None:
                nonlocal seconds
                seconds = float(_python("-c", script))

            return Timing(1.0, timed(start, 1, size).calibration)._replace(seconds=seconds)

        taken = [once() for _ in range(size.runs)]
        yield in_events("import", f"import {module}", taken, goal, "ms", 1e3)


def buckets(size: Size) -> Iterator[Figure]:
    """TIME_WAIT buckets on the slow wheel: made, aged out, and what they weigh, in an interpreter of their own."""
    runs: list[dict[str, float]] = [
        json.loads(_python("-m", "tcpnotes.bench.buckets", str(size.buckets), str(size.events)))
        for _ in range(min(size.runs, 3))
    ]
    case = f"{size.buckets:_} buckets"

    def timings(name: str) -> list[Timing]:
        return [Timing(run[name], run["calibration"]) for run in runs]

    yield in_events("buckets", f"{case}: make one and let it die", timings("life"), Goal(9, 6, False))
    memory = median(run["megabytes"] for run in runs)
    empty = median(run["empty"] for run in runs)
    calibration = median(run["calibration"] for run in runs)
    yield Figure(
        "buckets", f"{case}: memory in all", memory, "MB", memory / empty, "of the memory without any",
        Goal(450, 330, False, True), calibration, len(runs),
    )  # fmt: skip
    tick = [Timing(run["tick"], run["calibration"]) for run in runs]
    bare = [Timing(run["bare_tick"], run["calibration"]) for run in runs]
    yield compared(
        "buckets",
        f"{case}: a tick at which none dies",
        "ticks/s",
        tick,
        bare,
        "a tick with one bucket",
        Goal(0.8, 0.9, True),
    )


def replay(size: Size) -> Iterator[Figure]:
    """Recordings of the released kernel replayed: rows of their outcome a second."""
    from tcpnotes.replay import perform, read_recordings

    folder = Path(__file__).parents[2] / "tests" / "golden"
    recordings = []
    for file in sorted([*folder.rglob("*.jsonl.gz"), *folder.rglob("*.json")]):
        recordings += list(read_recordings(file))
    if not recordings:
        return
    recordings = recordings[:: max(len(recordings) // size.recordings, 1)]
    rows = sum(len(perform(recording).rows) for recording in recordings)

    def doing() -> None:
        for recording in recordings:
            perform(recording)

    yield per_second("replay", "recordings", "rows/s", [timed(doing, rows, size) for _ in range(size.runs)])


def frames(size: Size) -> Iterator[Figure]:
    """What a frame costs: the whole world as it can be seen, after each record."""
    world = Lives()
    world.run(20)
    recorder = world.world.listen(frames=True)

    def once() -> Timing:
        recorder.frames.clear()
        taken = timed(lambda: world.run(max(size.lives // 100, 1)), 1, size)
        return taken._replace(seconds=taken.seconds / len(recorder.frames))

    yield in_events("frames", "a frame", [once() for _ in range(size.runs)])


def explore(size: Size) -> Iterator[Figure]:
    """A search through all states of a model: transitions a second.  It is fast where numpy is there."""
    from tcpnotes.explore import load_model
    from tcpnotes.explore.levels import new_search

    model = load_model(size.model)._replace(lose=0, double=0)

    def once() -> Timing:
        search = new_search(model, "linux-2.4.0")
        taken = timed(search.run, 1, size)
        return taken._replace(seconds=taken.seconds / search.transitions)

    fast = find_spec("numpy") is not None
    case = f"{model.name} without mishaps{'' if fast else ', and without numpy'}"
    goal = Goal(1 / 80, 1 / 35, True) if fast else None
    yield per_second("explore", case, "transitions/s", [once() for _ in range(size.runs)], goal)


def _python(*args: str) -> str:
    """What a fresh interpreter prints that finds the library where this one did."""
    from os import environ, pathsep

    here = str(Path(__file__).parents[2])
    path = pathsep.join([here, *([environ["PYTHONPATH"]] if environ.get("PYTHONPATH") else [])])
    done = subprocess.run(
        [sys.executable, *args], capture_output=True, text=True, check=True, env={**environ, "PYTHONPATH": path}
    )
    return done.stdout


class Measurement(NamedTuple):
    """One measurement: its name, what it is about, and how it is done."""

    name: str
    sentence: str
    take: Callable[[Size], Iterator[Figure]]


def _measurement(name: str, take: Callable[[Size], Iterator[Figure]]) -> Measurement:
    return Measurement(name, (take.__doc__ or "").strip(), take)


MEASUREMENTS = {
    name: _measurement(name, take)
    for name, take in (
        ("lives", lives), ("fork", fork), ("import", imports), ("buckets", buckets), ("replay", replay),
        ("frames", frames), ("explore", explore),
    )
}  # fmt: skip
