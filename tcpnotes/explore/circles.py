"""What goes on for ever: runs that turn in a circle, found by stripping away all that must end.

States in which something may not last are stripped, last ones first, as long as every way
on from one (by network and clock; applications owe nothing) leads out or to one that is
stripped already.  What is left can go on for ever.  Timers fire only when the wire is
empty, and mishaps are few, so a run that goes on for ever delivers every segment and fires
every due timer: it is fair, unless the clock stands still and a segment waits in all of
the circle's states; such a circle does not count.

A circle of the whole is one of each end.  So the table of ends is asked first: most states
have no end that can come back to where it is (`lasting`), and need not be looked at.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from tcpnotes.explore.ends import Ends
from tcpnotes.explore.properties import Property

if TYPE_CHECKING:
    from tcpnotes.explore.search import Search


def search_circles(search: Search) -> None:
    """Look for every property about "ever" that is broken, and note it in the search."""
    from tcpnotes.explore.search import Found

    cut = search.space.cut  # what is left out was counted when the states were found
    lively = lasting(search.space.ends)
    for one in search.properties:
        if one.about != "ever" or one.name in search.found or not lively:
            continue
        index, circle = _circle(search, one, lively)
        if circle:
            search._where[one.name] = index
            search.found[one.name] = Found(one, [], None, circle)
    search.space.cut = cut


class _Edge(NamedTuple):
    """A step of an end that no application makes."""

    there: int
    next: int
    eaten: int | None  # the segment that arrives
    sent: tuple[int, ...]
    ages: bool  # only time passes


def lasting(ends: Ends) -> set[int]:
    """The states of an end in which more than time may go on for ever.

    Nothing is lost or doubled in a circle.  So it consists of steps that stay among states which lead to each
    other, that consume what one of them sends, and that send what one of them consumes.
    """
    edges = []
    for key, made in ends.steps():
        stimulus = ends.stimuli[key & 0xFFFFFF]
        if stimulus.what != "call":
            eaten = stimulus.number if stimulus.what == "segment" else None
            edges.append(_Edge(key >> 24, made >> 24, eaten, ends.outs[made & 0xFFFFFF], stimulus.what == "age"))
    count = len(edges) + 1
    parts: dict[int, int] = {}
    while len(edges) < count:
        count = len(edges)
        parts = _connected(edges)
        edges = [edge for edge in edges if parts[edge.there] == parts[edge.next]]
        sent = {number for edge in edges for number in edge.sent}
        eaten_ones = {edge.eaten for edge in edges}
        edges = [
            edge for edge in edges if (edge.eaten is None or edge.eaten in sent) and eaten_ones.issuperset(edge.sent)
        ]
    lively = {parts[edge.there] for edge in edges if not edge.ages}
    return {number for number, part in parts.items() if part in lively}


def _connected(edges: Iterable[_Edge]) -> dict[int, int]:
    """Of each state the number of its strongly connected part: all that lead to each other (Tarjan's way)."""
    onward: dict[int, list[int]] = {}
    for edge in edges:
        onward.setdefault(edge.there, []).append(edge.next)
    part: dict[int, int] = {}
    seen: dict[int, int] = {}  # when each was met
    low: dict[int, int] = {}  # the earliest that it leads back to
    open_ones: list[int] = []
    for root in onward:
        way = [root] if root not in seen else []
        while way:
            here = way[-1]
            if here not in seen:
                seen[here] = low[here] = len(seen)
                open_ones.append(here)
            ahead = onward.get(here, [])
            while ahead and ahead[-1] in seen:
                there = ahead.pop()
                if there not in part:
                    low[here] = min(low[here], low[there])
            if ahead:
                way.append(ahead[-1])
                continue
            way.pop()
            if low[here] == seen[here]:
                while here not in part:
                    part[open_ones.pop()] = seen[here]
    return part


def _circle(search: Search, one: Property, lively: set[int]) -> tuple[int, list[int]]:
    """The first state of the shortest way to a circle, and the circle; an empty one when there is none."""
    left = search.stripped(one, lively)
    for index, start in enumerate(search.order) if left else ():
        if start in left:
            circle = _walk(search, start, left)
            if circle:
                return search.order.index(circle[0]) if circle[0] != start else index, circle
    return 0, []


def strip(search: Search, one: Property, lively: set[int]) -> set[int]:
    """The states in which the property is denied, and may be for ever."""
    left = _inside(search, one, lively)
    successors = search.space.successors
    turn = list(reversed([key for key in search.order if key in left]))
    while turn:
        kept = []
        for key in turn:
            for there in successors(key, False):
                if there in left:
                    kept.append(key)
                    break
            else:
                left.discard(key)
        if len(kept) == len(turn):
            break
        turn = kept
    return left


def _inside(search: Search, one: Property, lively: set[int]) -> set[int]:
    """The states in which the property is denied, and an end may go on for ever."""
    space = search.space
    verdicts: dict[int, bool] = {}
    inside = set()
    for key in search.order:
        a, b = (space.side_end[side] for side in space.parts(key)[:2])
        if a not in lively and b not in lively:
            continue
        first, second = search._summary_of[a], search._summary_of[b]
        code = first << 24 | second
        denied = verdicts.get(code)
        if denied is None:
            denied = verdicts[code] = search.denies(one, first, second)
        if denied:
            inside.add(key)
    return inside


def _walk(search: Search, start: int, left: set[int]) -> list[int]:
    """Follow what is left until it repeats; the circle, if it is fair."""
    way: list[int] = []
    places: dict[int, int] = {}
    key = start
    while key not in places:
        places[key] = len(way)
        way.append(key)
        key = next((there for there in search.space.successors(key, False) if there in left), key)
    circle = way[places[key] :]
    return circle if _fair(search, circle) else []


def _fair(search: Search, circle: list[int]) -> bool:
    space = search.space
    waiting = None
    for key in circle:
        a, b, _ = space.parts(key)
        here = {(0, n) for n in space.inboxes[space.side_inbox[a]]} | {
            (0, n) for n in space.inboxes[space.side_inbox[b]]
        }
        waiting = here if waiting is None else waiting & here
    return not waiting
