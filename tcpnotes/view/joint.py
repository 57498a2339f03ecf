"""Both ends at once: the reachable pairs of places as a picture, with the way to what went wrong."""

from __future__ import annotations

from tcpnotes.explore.graph import Graph, Node
from tcpnotes.view.layout import drawn
from tcpnotes.view.picture import Picture

_SHORT = {"bucket-FIN_WAIT2": "(FIN_WAIT2)", "TIME_WAIT": "(TIME_WAIT)"}  # buckets stand in brackets


STYLE = (
    ".tn svg .node path,.tn svg .node polygon{fill:var(--tn-bg);stroke:var(--tn-mute)}"
    ".tn svg .node text{text-anchor:middle;font-size:11px}"
    ".tn svg .arc path{fill:none;stroke:var(--tn-mute)}.tn svg .arc .tip{fill:var(--tn-mute)}"
    ".tn svg .lossy path{stroke-dasharray:4 3}"
    ".tn svg .way path,.tn svg .node.way polygon{stroke:var(--tn-fg);stroke-width:3}"
    ".tn svg .arc.way .tip{fill:var(--tn-fg)}"
)


def _label(node: Node) -> str:
    return " | ".join(_SHORT.get(place, place) for place in node)


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
        on_way = ', penwidth=3, class="way"' if node in graph.way else ""
        lines.append(f'  {name} [label="{_label(node)}", id="{name}"{on_way}]')
    for (tail, head), mishaps in graph.edges.items():
        look, kinds = [], []
        if mishaps:
            look.append("style=dashed")
            kinds.append("lossy")
        if (tail, head) in taken:
            look.append("penwidth=3")
            kinds.append("way")
        look += [f'class="{" ".join(kinds)}"'] if kinds else []
        lines.append(f"  {numbers[tail]} -> {numbers[head]}" + (f" [{', '.join(look)}]" if look else ""))
    return "\n".join([*lines, "}"]) + "\n"


def joint_states(graph: Graph) -> Picture:
    """The graph as a picture, with its edges as text.  RuntimeError when there is no Graphviz to lay it out."""
    laid = drawn(dot_source(graph))
    body = []
    for piece in sorted(laid.pieces, key=lambda piece: not piece.edge):
        kinds = " ".join(["arc" if piece.edge else "node", *sorted(piece.classes)])
        body.append(f'<g class="{kinds}">{piece.markup}</g>')
    taken = set(zip(graph.way, graph.way[1:], strict=False))
    lines = [
        f"{_label(tail)} → {_label(head)}"
        + (", only with a loss or a duplicate" if mishaps else "") + (", on the way" if (tail, head) in taken else "")
        for (tail, head), mishaps in graph.edges.items()
    ]  # fmt: skip
    description = (
        f"{len(graph.nodes)} pairs of places, {len(graph.edges)} ways between them; dashed: only with a loss or a "
        f"duplicate{'; bold: the way to what was found' if graph.way else ''}."
    )
    return Picture(
        "Where both ends stand", description, f"<style>{STYLE}</style>{''.join(body)}", laid.width, laid.height,
        "\n".join(lines), max(560, round(laid.width)),
    )  # fmt: skip
