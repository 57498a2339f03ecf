"""Both ends at once: the reachable pairs of places as a picture, with the way to what went wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tcpnotes.explore.graph import Graph

if TYPE_CHECKING:
    import graphviz

_SHORT = {"bucket-FIN_WAIT2": "(FIN_WAIT2)", "TIME_WAIT": "(TIME_WAIT)"}  # buckets stand in brackets


def dot_source(graph: Graph) -> str:
    """The graph in DOT: dashed what only losing or doubling makes, bold the way."""
    numbers = {node: f"s{number}" for number, node in enumerate(graph.nodes)}
    taken = set(zip(graph.way, graph.way[1:], strict=False))
    lines = [
        "digraph joint {",
        '  graph [bgcolor=transparent, rankdir=TB, tooltip="Where both ends stand"]',
        '  node [shape=box, style=rounded, fontname=Arial, fontsize=11, margin="0.08,0.04", height=0.3]',
        "  edge [arrowsize=0.6]",
    ]
    for node, name in numbers.items():
        label = " | ".join(_SHORT.get(place, place) for place in node)
        lines.append(f'  {name} [label="{label}", id="{name}"{", penwidth=3" if node in graph.way else ""}]')
    for (tail, head), mishaps in graph.edges.items():
        look = []
        if mishaps:
            look.append('style=dashed, class="lossy"')
        if (tail, head) in taken:
            look.append("penwidth=3")
        lines.append(f"  {numbers[tail]} -> {numbers[head]}" + (f" [{', '.join(look)}]" if look else ""))
    return "\n".join([*lines, "}"]) + "\n"


def joint_states(graph: Graph) -> graphviz.Source:
    """The graph as an object of the ``graphviz`` package (needs tcpnotes[notebook])."""
    import graphviz

    return graphviz.Source(dot_source(graph))
