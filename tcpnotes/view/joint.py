"""Both ends at once: the reachable pairs of places as a picture, with the way to what went wrong.

Graphviz lays it out.  The graphs that the book shows are shipped laid out (``data/joint-….svg``, named after their
DOT source; ``tools/draw_states.py`` makes them anew), so showing them needs no Graphviz.  The way and the links are
put on afterwards: nothing moves when another way is shown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from hashlib import sha256
from importlib.resources import files

from tcpnotes.explore.graph import Graph, Node
from tcpnotes.view import theme
from tcpnotes.view.layout import Graph as Laid
from tcpnotes.view.layout import Piece, drawn
from tcpnotes.view.picture import Picture

_SHORT = {"bucket-FIN_WAIT2": "(FIN_WAIT2)", "TIME_WAIT": "(TIME_WAIT)"}  # buckets stand in brackets


STYLE = (
    ".tn svg .joint .node path,.tn svg .joint .node polygon{fill:var(--tn-bg);stroke:var(--tn-mute);stroke-width:1}"
    ".tn svg .joint .node text{text-anchor:middle;font-size:11px}"
    ".tn svg .joint .arc path{fill:none;stroke:var(--tn-mute);stroke-width:1}"
    ".tn svg .joint .arc .tip{fill:var(--tn-mute)}"
    ".tn svg .joint .lossy path{stroke-dasharray:4 3}"
    ".tn svg .joint .arc.way path,.tn svg .joint .node.way path,.tn svg .joint .node.way polygon"
    "{stroke:var(--tn-fg);stroke-width:3}"
    ".tn svg .joint .arc.way .tip{fill:var(--tn-fg);stroke:var(--tn-fg);stroke-width:2.5}"
    ".tn svg .joint .node.way text{font-weight:700}"
    ".tn svg .joint a text{text-decoration:underline}"
    ".tn svg .joint a:focus path,.tn svg .joint a:hover path{fill:var(--tn-panel)}"
    ".tn-picture:has(.joint){overflow-x:auto}.tn-picture:has(.joint) svg{min-width:540px}"  # a phone scrolls it
)


def node_label(node: Node) -> str:
    """Both places of a node as they are written in it; those of buckets in brackets."""
    return " | ".join(_SHORT.get(place, place) for place in node)


def _name(node: Node) -> str:
    return "--".join(node)


def dot_source(graph: Graph) -> str:
    """The graph in DOT: dashed what only losing or doubling makes, bold the way.

    It depends on nodes and edges alone, not on the order in which a search met them.
    """
    taken = set(zip(graph.way, graph.way[1:], strict=False))
    lines = [
        "digraph joint {",
        '  graph [bgcolor=transparent, rankdir=TB, tooltip="Where both ends stand"]',
        '  node [shape=box, style=rounded, fontname=Arial, fontsize=11, margin="0.08,0.04", height=0.3]',
        "  edge [arrowsize=0.6]",
    ]
    for node in sorted(graph.nodes):
        on_way = ', penwidth=3, class="way"' if node in graph.way else ""
        lines.append(f'  "{_name(node)}" [label="{node_label(node)}", id="n-{_name(node)}"{on_way}]')
    for (tail, head), mishaps in sorted(graph.edges.items()):
        look, kinds = [f'id="e-{_name(tail)}-{_name(head)}"'], []
        if mishaps:
            look.append("style=dashed")
            kinds.append("lossy")
        if (tail, head) in taken:
            look.append("penwidth=3")
            kinds.append("way")
        look += [f'class="{" ".join(kinds)}"'] if kinds else []
        lines.append(f'  "{_name(tail)}" -> "{_name(head)}" [{", ".join(look)}]')
    return "\n".join([*lines, "}"]) + "\n"


def shipped_name(graph: Graph) -> str:
    """The name of the file in which a graph is shipped laid out, if it is."""
    return f"joint-{sha256(dot_source(graph._replace(way=())).encode()).hexdigest()[:12]}.svg"


def lay_out(graph: Graph) -> str:
    """The graph laid out, to be shipped.  RuntimeError when there is no Graphviz."""
    laid = drawn(dot_source(graph._replace(way=())))
    groups = [
        f'<g id="{piece.id}" class="{" ".join(["arc" if piece.edge else "node", *sorted(piece.classes)])}">'
        f"{piece.markup}</g>"
        for piece in sorted(laid.pieces, key=lambda piece: (not piece.edge, piece.id))
    ]
    size = f"{theme.number(laid.width)} {theme.number(laid.height)}"
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}">\n' + "\n".join(groups) + "\n</svg>\n"


def _laid(graph: Graph) -> Laid:
    shipped = files("tcpnotes.view").joinpath(f"data/{shipped_name(graph)}")
    text = shipped.read_text(encoding="utf-8") if shipped.is_file() else lay_out(graph)
    box = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', text)
    assert box is not None
    pieces = [
        Piece(found[1], found[2].startswith("arc"), frozenset(found[2].split()[1:]), found[3])
        for found in re.finditer(r'^<g id="([^"]+)" class="([^"]+)">(.*)</g>$', text, re.MULTILINE)
    ]
    return Laid(float(box[1]), float(box[2]), tuple(pieces))


def joint_states(
    graph: Graph,
    *,
    title: str = "Where both ends stand",
    links: Mapping[Node, str] | None = None,
    stories: Mapping[Node, Sequence[str]] | None = None,
) -> Picture:
    """The graph as a picture, with its edges as text.  RuntimeError when there is no Graphviz to lay it out.

    ``links``: where a node leads (``"scenario@7"``: the seventh step of the stepper of that name on the page).
    ``stories``: the moves to each node; told when it is pointed at, and in the text.
    """
    links, stories = links or {}, stories or {}
    laid = _laid(graph)
    taken = set(zip(graph.way, graph.way[1:], strict=False))
    on_way = {f"n-{_name(node)}" for node in graph.way} | {f"e-{_name(tail)}-{_name(head)}" for tail, head in taken}
    nodes = {f"n-{_name(node)}": node for node in graph.nodes}
    body = []
    for piece in laid.pieces:
        kinds = " ".join(
            ["arc" if piece.edge else "node", *sorted(piece.classes), *(["way"] if piece.id in on_way else [])]
        )
        markup = piece.markup
        node = nodes.get(piece.id)
        if node is not None and node in stories:
            markup = f"<title>{theme.text(_told(node, stories))}</title>{markup}"
        if node is not None and node in links:
            markup = f"<a href={theme.attr('#' + links[node])}>{markup}</a>"
        body.append(f'<g id="{piece.id}" class="{kinds}">{markup}</g>')
    lines = [
        f"{node_label(tail)} → {node_label(head)}"
        + (", only with a loss or a duplicate" if mishaps else "") + (", on the way" if (tail, head) in taken else "")
        for (tail, head), mishaps in graph.edges.items()
    ]  # fmt: skip
    lines += ["", *(_told(node, stories) for node in graph.nodes if node in stories)] if stories else []
    description = (
        f"{len(graph.nodes)} pairs of places, {len(graph.edges)} ways between them"
        f"{'; dashed: only with a loss or a duplicate' if graph.lossy else ''}"
        f"{'; bold: the way to what was found' if graph.way else ''}."
    )
    return Picture(
        title, description, f'<style>{STYLE}</style><g class="joint">{"".join(body)}</g>', laid.width, laid.height,
        "\n".join(lines), max(560, round(laid.width)),
    )  # fmt: skip


def _told(node: Node, stories: Mapping[Node, Sequence[str]]) -> str:
    return f"{node_label(node)}: {'; '.join(stories[node]) or 'the beginning'}"
