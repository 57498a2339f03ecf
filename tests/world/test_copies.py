"""Copies of a world: a fork, a pickle, a hash.  Hosts are shared until one side changes them, and nobody notices."""

from __future__ import annotations

import copy
import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tcpnotes.bench.buckets import make
from tcpnotes.kernel import mirror, tcp_ipv4
from tcpnotes.kernel.bucket import EMPTY_CELL
from tcpnotes.world import AppCalls, Event, SegmentInjected, World

SEEDS = range(8)
STEPS = 60


def opened(seed: int) -> World:
    """A world with a listener, a process in accept, and a connection on its way."""
    world = World("linux-2.4.0" if seed % 2 else "source", seed=seed)
    for host, call, *args in (
        ("B", "socket"), ("B", "bind", 3, 80), ("B", "listen", 3, 1), ("B", "accept", 3),
        ("A", "socket"), ("A", "connect", 3, 80), ("A", "socket"), ("A", "fcntl", 4, "O_NONBLOCK"),
        ("A", "connect", 4, 80),
    ):  # fmt: skip
        world.call(str(host), str(call), *args)
    return world


def choose(world: World, random: Random) -> Event:
    """Something that can happen now: mostly what `World.enabled` offers, sometimes a call or a foreign segment."""
    host = random.choice("AB")
    fds = list(world.hosts[host].processes.files) or [3]
    fd = random.choice(fds)
    flying = list(world.wire.flying.values())
    calls: list[Event] = [
        AppCalls(host, "write", (fd, random.choice((1, 100, 5000)))),
        AppCalls(host, "read", (fd, 100)),
        AppCalls(host, "shutdown", (fd, "SHUT_WR")),
        AppCalls(host, "setsockopt", (fd, "SOL_SOCKET", "SO_LINGER", (1, random.choice((0, 5))))),
        AppCalls("B", "accept", (3,)),
    ]
    if flying:
        calls.append(SegmentInjected(flying[0].dst, flying[0].seg))
    return random.choice([*world.enabled(), *calls])


def moments(seed: int) -> Iterator[World]:
    """A world in many states, one after the other (always the same object)."""
    world, random = opened(seed), Random(seed)
    for _ in range(STEPS):
        world.apply(choose(world, random))
        yield world


@pytest.mark.parametrize("seed", SEEDS)
def test_a_fork_is_equal_and_has_the_same_hash(seed: int) -> None:
    for world in moments(seed):
        fork = world.fork()
        assert fork == world and hash(fork) == hash(world) and fork.digest() == world.digest()


@pytest.mark.parametrize("seed", SEEDS)
def test_a_fork_goes_its_own_way(seed: int) -> None:
    for step, world in enumerate(moments(seed)):
        fork, before, random = world.fork(), world.freeze(), Random(step)
        for _ in range(5):
            fork.apply(choose(fork, random))
        assert world.freeze() == before
        assert fork.freeze() != before


@pytest.mark.parametrize("seed", SEEDS)
def test_a_fork_keeps_what_the_original_leaves(seed: int) -> None:
    world, random = opened(seed), Random(seed)
    kept: list[tuple[World, tuple[object, ...]]] = []
    for _ in range(STEPS):
        kept.append((world.fork(), world.freeze()))
        world.apply(choose(world, random))
    for fork, frozen in kept:
        assert fork.freeze() == frozen


@pytest.mark.parametrize("seed", SEEDS)
def test_the_same_events_lead_both_to_the_same_place(seed: int) -> None:
    for step, world in enumerate(moments(seed)):
        if step % 10 == 9:
            one, other = world.fork(), world.fork()
            first, second = Random(step), Random(step)
            for _ in range(20):
                one.apply(choose(one, first))
                other.apply(choose(other, second))
            assert one == other


def slots(thing: Any) -> list[str]:
    """The names of a thing's slots, those of its base classes too."""
    return [name for cls in type(thing).__mro__ for name in getattr(cls, "__slots__", ())]


OURS = tuple(f"tcpnotes.kernel.{name}" for name in ("sock", "net", "task", "bucket", "skbuff"))  # what changes
LEFT_OUT = {"trace", "output", "watched", "doomed"}  # what a copy of a host's stack begins without


def outline(thing: Any, seen: dict[int, int]) -> Any:
    """A thing's contents all the way down as tuples; what was met before is named by its number."""
    if isinstance(thing, tuple):
        return tuple(outline(part, seen) for part in thing)
    if isinstance(thing, list | dict) or (slots(thing) and type(thing).__module__ in OURS):
        if id(thing) in seen:
            return ("seen", seen[id(thing)])
        seen[id(thing)] = len(seen)
    if isinstance(thing, list):
        return ["list", *(outline(part, seen) for part in thing)]
    if isinstance(thing, dict):
        return ["dict", *((outline(key, seen), outline(value, seen)) for key, value in thing.items())]
    if type(thing).__module__ in (*OURS, "tcpnotes.kernel.times") and slots(thing):
        fields = [(name, outline(getattr(thing, name), seen)) for name in slots(thing) if name not in LEFT_OUT]
        return [type(thing).__name__, *fields]
    return thing


def things(thing: Any, found: dict[int, Any]) -> dict[int, Any]:
    """All that can change in a thing, all the way down, by identity."""
    parts: list[Any] = []
    if isinstance(thing, tuple):
        parts = list(thing)
    elif id(thing) not in found:
        if isinstance(thing, list):
            parts = thing
        elif isinstance(thing, dict):
            parts = [*thing, *thing.values()]
        elif type(thing).__module__ in OURS and slots(thing):
            parts = [getattr(thing, name) for name in slots(thing) if name not in LEFT_OUT]
        else:
            return found
        found[id(thing)] = thing
    for part in parts:
        things(part, found)
    return found


@pytest.mark.skipif(mirror.COMPILED, reason="compiled classes do not tell their fields")
@pytest.mark.parametrize("seed", SEEDS)
def test_the_copy_of_a_host_is_what_deepcopy_makes(seed: int) -> None:
    for step, world in enumerate(moments(seed)):
        if step % 6 == 5:
            for host in world.hosts.values():
                deep = copy.deepcopy(host.net)
                assert outline(host.net.clone(), {}) == outline(deep, {}) == outline(host.net, {})


@pytest.mark.parametrize("seed", SEEDS)
def test_the_copy_of_a_host_shares_nothing_that_changes(seed: int) -> None:
    for step, world in enumerate(moments(seed)):
        if step % 6 == 5:
            for host in world.hosts.values():
                ours, theirs = things(host.net, {}), things(host.net.clone(), {})
                shared = [ours[number] for number in ours.keys() & theirs.keys()]
                # These are replaced when something changes, and never changed themselves.
                assert all(thing is host.net.sysctl or thing is EMPTY_CELL for thing in shared)


def test_setting_a_sysctl_leaves_copies_alone() -> None:
    world = World()
    fork = world.fork()
    world.sysctl("A", "tcp_fin_timeout", 7)
    assert world.hosts["A"].net.sysctl["tcp_fin_timeout"] == 700
    assert fork.hosts["A"].net.sysctl["tcp_fin_timeout"] == 6000


@pytest.mark.parametrize("seed", SEEDS)
def test_a_pickle_comes_back_equal_and_goes_on(seed: int) -> None:
    for step, world in enumerate(moments(seed)):
        if step % 10 == 9:
            back = pickle.loads(pickle.dumps(world))
            assert back == world
            first, second, fork = Random(step), Random(step), world.fork()
            for _ in range(10):
                back.apply(choose(back, first))
                fork.apply(choose(fork, second))
            assert back == fork


def test_the_digest_is_the_same_in_every_process() -> None:
    script = (
        "from tcpnotes.world import World\nworld = World(seed=3)\n"
        "world.call('B', 'socket'); world.call('B', 'bind', 3, 80); world.call('B', 'listen', 3, 5)\n"
        "world.call('A', 'socket'); world.call('A', 'connect', 3, 80); world.run_until(400_000)\nprint(world.digest())"
    )
    root = str(Path(__file__).parents[2])
    digests = {
        subprocess.run(
            [sys.executable, "-c", script], check=True, capture_output=True, text=True,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": root},
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(digests) == 1 and len(digests.pop().strip()) == 32


def test_nobody_listens_to_a_fork__and_the_original_is_still_heard() -> None:
    world = opened(0)
    recorder = world.listen()
    fork = world.fork()
    heard = len(recorder.records)
    fork.run_until(400_000)
    assert len(recorder.records) == heard
    world.run_until(400_000)
    assert len(recorder.records) > heard
    assert world == fork


def test_unlisten__writes_nothing_down_any_more() -> None:
    world, silent = opened(0), opened(0)
    recorder = world.listen()
    world.run_until(100_000)
    world.unlisten()
    heard = len(recorder.records)
    world.run_until(400_000)
    silent.run_until(400_000)
    assert len(recorder.records) == heard
    assert world == silent


@pytest.mark.skipif(mirror.COMPILED, reason="compiled functions have their shells within")
def test_a_host_to_which_nobody_listens_runs_without_shells() -> None:
    heard, silent = World(), World()
    heard.listen()
    heard.call("A", "socket")
    assert tcp_ipv4.tcp_v4_init_sock is not mirror.FUNCTIONS["tcp_v4_init_sock"].function
    silent.call("A", "socket")
    assert tcp_ipv4.tcp_v4_init_sock is mirror.FUNCTIONS["tcp_v4_init_sock"].function


def test_copies_of_many_buckets_keep_their_order_on_the_wheel() -> None:
    world = World("linux-2.4.0")
    net = world.host("A").net
    make(world.host("A"), 40)
    copied = net.clone()
    assert [[tw.key for tw in cell] for cell in copied.tw_cells] == [[tw.key for tw in cell] for cell in net.tw_cells]
    assert copied.freeze() == net.freeze()


def test_the_empty_slot_that_all_wheels_share_is_never_filled() -> None:
    world = World("linux-2.4.0")
    make(world.host("A"), 40)
    assert not EMPTY_CELL
