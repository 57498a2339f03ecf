"""What goes on for ever: runs that turn in a circle, found by stripping away all that must end.

States in which something may not last are stripped, last ones first, as long as every way
on from one (by network and clock; applications owe nothing) leads out or to one that is
stripped already.  What is left can go on for ever.  Timers fire only when the wire is
empty, and mishaps are few, so a run that goes on for ever delivers every segment and fires
every due timer: it is fair, unless the clock stands still and a segment waits in all of
the circle's states; such a circle does not count.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tcpnotes.explore.properties import Property
from tcpnotes.explore.space import LEFT_BITS, SIDE_BITS

if TYPE_CHECKING:
    from tcpnotes.explore.search import Search


def search_circles(search: Search) -> None:
    """Look for every property about "ever" that is broken, and note it in the search."""
    from tcpnotes.explore.search import Found

    cut = search.space.cut  # what is left out was counted when the states were found
    for one in search.properties:
        if one.about != "ever" or one.name in search.found:
            continue
        index, circle = _circle(search, one)
        if circle:
            search._where[one.name] = index
            search.found[one.name] = Found(one, [], None, circle)
    search.space.cut = cut


def _circle(search: Search, one: Property) -> tuple[int, list[int]]:
    """The first state of the shortest way to a circle, and the circle; an empty one when there is none."""
    left = search.stripped(one)
    for index, start in enumerate(search.order) if left else ():
        if start in left:
            circle = _walk(search, start, left)
            if circle:
                return search.order.index(circle[0]) if circle[0] != start else index, circle
    return 0, []


def strip(search: Search, one: Property) -> set[int]:
    """The states in which the property is denied, and may be for ever."""
    left = _inside(search, one)
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


def _inside(search: Search, one: Property) -> set[int]:
    """The states in which the property is denied."""
    space = search.space
    verdicts: dict[int, bool] = {}
    inside = set()
    for key in search.order:
        first = search._summary_of[space.side_end[key >> SIDE_BITS + LEFT_BITS]]
        second = search._summary_of[space.side_end[key >> LEFT_BITS & (1 << SIDE_BITS) - 1]]
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
