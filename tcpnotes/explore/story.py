"""From states back to a story: the way to what is broken as moves in a world, and as a scenario file.

The world is the same that the search began with, only not clamped to one number: a run of
the scenario goes through the same shapes as the search did, and a test says so.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import NamedTuple

from tcpnotes.explore.ends import FIRE, descriptor, spelt
from tcpnotes.explore.search import Found, Search
from tcpnotes.explore.space import DOUBLED, LOST, Event
from tcpnotes.scenarios.loader import Scenario, parse
from tcpnotes.scenarios.moves import happens, move
from tcpnotes.scenarios.tables import HOSTS
from tcpnotes.trace.segment import Segment
from tcpnotes.world import World


class Told(NamedTuple):
    """A way through the states as it looks from outside: moves, and the world at the end of them."""

    moves: list[str]
    world: World
    marks: list[int]  # how many moves were made at each state


def events(search: Search, found: Found) -> Iterator[tuple[str, Event]]:
    """What happens, and on which host, on the way to what is broken, and once round the circle if there is one."""
    space = search.space
    way = [*found.path, *found.circle[1:], *found.circle[:1]]
    names = ("B", "A") if space.first_swapped else ("A", "B")
    for key, there in zip(way, way[1:], strict=False):
        event, swapped = next((event, swapped) for event, to, swapped in space.explained(key) if to == there)
        yield names[event.side], event
        if swapped:
            names = names[1], names[0]
    if found.last is not None:
        yield names[found.last.side], found.last


def tell(search: Search, found: Found) -> Told:
    """Make it happen in a world, move by move."""
    world = search.model.open(search.profile)
    moves: list[str] = []
    marks = [0]
    for host, event in events(search, found):
        for text in _moves(search, world, host, event):
            _make(world, text)
            moves.append(text)
        marks.append(len(moves))
    return Told(moves, world, marks)


def _moves(search: Search, world: World, host: str, event: Event) -> Iterator[str]:
    """The moves that an event consists of; each is made before the next one is asked for."""
    stimulus = event.stimulus
    before = world.wire.sent
    if stimulus.what == "call":
        owner = search.model.owners[HOSTS.index(host)]
        for call, args in spelt(stimulus.name, descriptor(world.hosts[host]), owner.bytes):
            yield _call_text(host, call, args)
    elif stimulus == FIRE:
        yield f"fire({host})"
    else:
        seg = search.space.ends.segments[stimulus.number]
        verb = {"segment": "arrive"}.get(stimulus.what, stimulus.what)
        yield f"{verb}({_number(world, host, seg)})"
    for number, fate in zip(range(before + 1, world.wire.sent + 1), event.fates, strict=False):
        if fate in (LOST, DOUBLED):
            yield f"{'lose' if fate == LOST else 'double'}({number})"


def _call_text(host: str, call: str, args: tuple[object, ...]) -> str:
    if call == "setsockopt":
        return f"{host}.linger({args[0]},0)"
    return f"{host}.{call}({','.join(str(arg) for arg in args)})"


def _number(world: World, dst: str, seg: Segment) -> int:
    """The first segment on its way to ``dst`` that is like ``seg``."""
    return next(
        flight.wire
        for flight in world.wire.flying.values()
        if flight.dst == dst and flight.seg._replace(saddr=0, daddr=0) == seg
    )


def _make(world: World, text: str) -> None:
    world.apply(happens(move(text), world))


def scenario_text(search: Search, found: Found) -> str:
    """The way to what is broken as the text of a scenario file."""
    told = tell(search, found)
    model = search.model
    about = f"{found.property.sentence}  ({found.property.origin})  Found by exploring {model.name} under the profile "
    lines = [
        f"title = {json.dumps(f'How it comes about: {found.property.name}')}",
        f"about = {json.dumps(about + search.profile + '.')}",
        'start = "none"',
        "delay = 0.000001",
        f"until = {max(told.world.now / 1_000_000, 1.0)!r}",
        "script = [",
    ]
    for host, call, args in model.calls():
        fd = f", fd = {args[0]}" if args else ""
        rest = json.dumps(list(args[1:]))
        lines.append(f'    {{ at = 0, host = "{host}", call = "{call}"{fd}, args = {rest} }},')
    if model.start == "established":
        lines.append("    # No SYN comes any more: this only lets the handshake be over before the moves begin.")
        lines.append('    { at = 1, lose = "SYN", from = "A", count = 1 },')
    lines += ["]", "moves = ["]
    for low, high in zip(told.marks, told.marks[1:], strict=False):
        if high > low:
            lines.append("    " + ", ".join(f'"{text}"' for text in told.moves[low:high]) + ",")
    lines.append("]")
    for host in HOSTS:
        settings = ", ".join(f"{name} = {value}" for name, value in model.sysctl)
        lines += [f"[sysctl.{host}]", *settings.split(", ")]
    return "\n".join(lines) + "\n"


def scenario_of(search: Search, found: Found) -> Scenario:
    """The same as a scenario, ready to run."""
    return parse(scenario_text(search, found).encode(), found.property.name, f"{found.property.name}.toml")
