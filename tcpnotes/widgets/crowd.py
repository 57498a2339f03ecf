"""A server and many clients, one after the other: what a program does to a host, as a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from tcpnotes.widgets.chapter import Telling
from tcpnotes.world import World

Steps: TypeAlias = Sequence[tuple[Any, ...]]
MOST = 40  # clients


class _Due(NamedTuple):
    at: int
    order: int
    host: str
    client: int
    call: tuple[Any, ...]


def crowd(
    client: Steps,
    server: Steps,
    *,
    count: int = 12,
    apart: float = 1.0,
    until: float = 100.0,
    profile: str = "source",
    sysctl: Mapping[str, Mapping[str, int]] | None = None,
    title: str = "A server and many clients",
) -> Telling:
    """``count`` clients on A connect to a server on B, one every ``apart`` seconds; both sides do their steps.

    A step is ``(after, call, *arguments)``: seconds after connect was called, and a system call without its descriptor:
    ``(0.4, "write", 500)``.  A client whose connect fails does nothing more.  ``sysctl``: settings of each host.
    A ValueError for fewer than 1 or more than 40 clients.
    """
    if not 1 <= count <= MOST or apart <= 0:
        raise ValueError(f"A crowd has 1 to {MOST} clients, one after the other, not {count} at {apart:g} s.")
    world = World(profile=profile)
    recorder = world.listen(frames=True)
    for host, settings in (sysctl or {}).items():
        for name, value in settings.items():
            world.sysctl(host, name, value)
    for call in (("socket",), ("bind", 3, 80), ("listen", 3, MOST)):
        world.call("B", *call)
    agenda: list[_Due] = []
    for number in range(count):
        start = 1 + number * apart
        both: list[tuple[str, tuple[Any, ...]]] = [("B", (0, "accept")), ("A", (0, "connect", 80))]
        both += [(host, tuple(step)) for host, steps in (("A", client), ("B", server)) for step in steps]
        for host, step in both:
            agenda.append(_Due(round((start + step[0]) * 1e6), len(agenda), host, number, step[1:]))
    ends: dict[tuple[str, int], int] = {}  # (host, client) -> descriptor
    tasks: dict[tuple[str, int], int] = {}  # (host, client) -> the accept or connect
    for due in sorted(agenda, key=lambda due: (due.at, due.order)):
        world.run_until(due.at)
        name, *args = due.call
        key = (due.host, due.client)
        if name == "accept":
            tasks[key] = world.call("B", "accept", 3)
        elif name == "connect":
            made = world.result("A", world.call("A", "socket"))
            assert made is not None
            ends[key] = made.ret
            tasks[key] = world.call("A", "connect", made.ret, *args)
        elif _is_connected(world, key, tasks, ends):
            world.call(due.host, name, ends[key], *args)
    world.run_until(round(until * 1e6))
    return Telling(recorder, title=title, scenario="crowd", profile=profile, since=900_000, world=world)


def _is_connected(
    world: World, key: tuple[str, int], tasks: Mapping[tuple[str, int], int], ends: dict[tuple[str, int], int]
) -> bool:
    """Whether the accept or connect of this end has succeeded; an accept also gives the descriptor."""
    host, _ = key
    if host == "B" and key in ends:
        return True
    result = world.result(host, tasks[key])
    if result is None or result.errno:
        return False
    if host == "B":
        ends[key] = result.ret
    return True
