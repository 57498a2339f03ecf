"""The states of both ends as a graph small enough to be looked at: only where each end stands in the state diagram."""

from __future__ import annotations

from typing import NamedTuple

from tcpnotes.explore.properties import Property
from tcpnotes.explore.search import Found, Search
from tcpnotes.explore.space import LEFT_BITS

Node = tuple[str, str]


class Graph(NamedTuple):
    """Nodes (place of A, place of B), edges with the fewest mishaps that they need, and the nodes of a way."""

    nodes: tuple[Node, ...]  # as they were met: the nearest first
    edges: dict[tuple[Node, Node], int]
    way: tuple[Node, ...]

    @property
    def lossy(self) -> set[tuple[Node, Node]]:
        """The edges that only losing or doubling makes."""
        return {edge for edge, mishaps in self.edges.items() if mishaps}


def joint_graph(search: Search, found: Found | None = None) -> Graph:
    """The graph of a finished search, and in it the way to what was found.

    Where the hosts may be exchanged, two nodes that differ by that are one, in a search without reduction too.
    """
    space = search.space
    full = space.first & (1 << LEFT_BITS) - 1
    edges: dict[tuple[Node, Node], int] = {}
    nodes: dict[Node, None] = {}
    for key in search.order:
        here = _node(search, key)
        nodes[here] = None
        for there in space.successors(key):
            node = _node(search, there)
            if node != here:
                left = there & (1 << LEFT_BITS) - 1
                spent = sum((full >> shift & 7) - (left >> shift & 7) for shift in (0, 3))
                edges[here, node] = min(spent, edges.get((here, node), spent))
    way = [_node(search, key) for key in _keys(search, found)] if found is not None else []
    return Graph(tuple(nodes), edges, tuple(node for i, node in enumerate(way) if not i or node != way[i - 1]))


def _keys(search: Search, found: Found) -> list[int]:
    """The states on the way to what was found, with the one to which the step leads that breaks it."""
    if found.last is None:
        return found.path
    last = next(
        there
        for event, there, _ in search.space.explained(found.path[-1])
        if event[:2] == found.last[:2]  # whatever becomes of what it sends
    )
    return [*found.path, last]


def way_to(search: Search, node: Node) -> Found:
    """The shortest way to a node, to be told as a story (`story.tell`, `story.scenario_of`).

    Of several that are as short, the first with the fewest mishaps.  ValueError for a node that was not met.
    """
    left = (1 << LEFT_BITS) - 1
    there = [index for index, key in enumerate(search.order) if _node(search, key) == node]
    if not there:
        raise ValueError(f"The search has met no {' | '.join(node)}; write both places in the order of the alphabet.")
    depth = search._depth(there[0])
    best = max((i for i in there if search._depth(i) == depth), key=lambda index: (search.order[index] & left, -index))
    name = f"{node[0]} and {node[1]}"
    return Found(Property(name, "pair", "", f"Both ends stand at {name}.", lambda pair: True), search.path(best))


def _node(search: Search, key: int) -> Node:
    space = search.space
    a, b, _ = space.parts(key)
    places = [search._summary_list[search._summary_of[space.side_end[side]]].place for side in (a, b)]
    if search.model.symmetric:
        places.sort()
    return places[0], places[1]
