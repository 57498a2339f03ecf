"""The state diagram of Linux 2.4: laid out once, then only restyled, so that nothing ever jumps.

Eleven states are numbered in the kernel, but a full socket is never in TIME_WAIT:
that is a bucket's state, and so is FIN_WAIT2 once nobody holds the descriptor.
Buckets therefore stand apart, in another shape, and FIN_WAIT2 stands twice.
CLOSE stands twice as well, as the beginning and as the end.  Arcs that lead to
CLOSE by force (a reset, linger 0, unread data, giving up) are there but drawn only
when they are taken.

The layout is made by Graphviz from `dot_source` and shipped as ``data/states.svg``
(``tools/draw_states.py`` makes it anew); showing it needs no Graphviz.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from tcpnotes.source import say
from tcpnotes.trace import records as r
from tcpnotes.trace.frames import HostView
from tcpnotes.view import theme
from tcpnotes.view.layout import drawn
from tcpnotes.view.picture import Picture
from tcpnotes.view.story import Story, main_sock

if TYPE_CHECKING:
    import graphviz

Arc: TypeAlias = tuple[str, str]
START, GONE, BUCKET_FW2 = "START", "CLOSE", "bucket-FIN_WAIT2"

# name: (x, y) in points; y grows upwards
_NODES: Mapping[str, tuple[int, int]] = {
    START: (166, 462),
    "LISTEN": (62, 414), "SYN_SENT": (270, 414), "SYN_RECV": (110, 352), "ESTABLISHED": (166, 288),
    "FIN_WAIT1": (230, 224), "CLOSE_WAIT": (62, 224), "FIN_WAIT2": (176, 160), "CLOSING": (296, 160),
    "LAST_ACK": (62, 104), BUCKET_FW2: (170, 104), "TIME_WAIT": (284, 64), GONE: (132, 12),
}  # fmt: skip
_BUCKETS = frozenset({BUCKET_FW2, "TIME_WAIT"})

_ARCS: tuple[tuple[str, str, str], ...] = (
    (START, "LISTEN", "listen"),
    (START, "SYN_SENT", "connect"),
    ("LISTEN", "SYN_RECV", "SYN, then ACK"),
    ("SYN_SENT", "SYN_RECV", "SYN"),
    ("SYN_SENT", "ESTABLISHED", "SYN,ACK"),
    ("SYN_RECV", "ESTABLISHED", "ACK"),
    ("SYN_RECV", "FIN_WAIT1", "close"),
    ("SYN_RECV", "CLOSE_WAIT", "FIN"),
    ("ESTABLISHED", "FIN_WAIT1", "close"),
    ("ESTABLISHED", "CLOSE_WAIT", "FIN"),
    ("FIN_WAIT1", "FIN_WAIT2", "ACK"),
    ("FIN_WAIT1", "CLOSING", "FIN"),
    ("FIN_WAIT2", BUCKET_FW2, "no owner"),
    ("FIN_WAIT2", "TIME_WAIT", "FIN"),
    ("CLOSING", "TIME_WAIT", "ACK"),
    (BUCKET_FW2, "TIME_WAIT", "FIN"),
    ("CLOSE_WAIT", "LAST_ACK", "close"),
    ("LAST_ACK", GONE, "ACK"),
    ("TIME_WAIT", GONE, "60 s"),
    (BUCKET_FW2, GONE, "60 s"),
)
_BY_FORCE = ("LISTEN", "SYN_SENT", "SYN_RECV", "ESTABLISHED", "FIN_WAIT1", "FIN_WAIT2", "CLOSING", "CLOSE_WAIT")

NODES: tuple[str, ...] = tuple(_NODES)
ARCS: tuple[tuple[str, str], ...] = tuple((a, b) for a, b, _ in _ARCS) + tuple((a, GONE) for a in _BY_FORCE)
_CAPTION: Mapping[str, str] = {START: "CLOSE", BUCKET_FW2: "FIN_WAIT2"}


def node_label(node: str) -> str:
    """What is written in a node."""
    return _CAPTION.get(node, node)


def dot_source() -> str:
    """The diagram in DOT, with fixed places; Graphviz routes the arcs."""
    lines = [
        "digraph states {",
        '  graph [splines=true, esep="+5", bgcolor=transparent, pad=0.05]',
        '  node [shape=box, style=rounded, fontname=Arial, fontsize=12, margin="0.08,0.04", height=0.3, pin=true]',
        "  edge [fontname=Arial, fontsize=9, arrowsize=0.6]",
    ]
    for name, (x, y) in _NODES.items():
        shape = ", shape=cylinder, style=solid" if name in _BUCKETS else ""
        lines.append(f'  "{name}" [label="{node_label(name)}", id="n-{name}", pos="{x},{y}!"{shape}]')
    for tail, head, label in _ARCS:
        lines.append(f'  "{tail}" -> "{head}" [label="{label}", id="e-{tail}-{head}", class="arc"]')
    for tail in _BY_FORCE:
        lines.append(f'  "{tail}" -> "{GONE}" [id="e-{tail}-{GONE}", class="arc force"]')
    lines.append("}")
    return "\n".join(lines) + "\n"


def graph() -> graphviz.Source:
    """The diagram as an object of the ``graphviz`` package (needs tcpnotes[notebook])."""
    import graphviz

    return graphviz.Source(dot_source())


class Layout(NamedTuple):
    """The laid-out diagram: what stands inside ``<svg>``, and its size."""

    body: str
    width: float
    height: float


def lay_out() -> str:
    """The diagram as Graphviz lays it out, to be shipped.  RuntimeError when neither graphviz-pure nor dot is there."""
    laid = drawn(dot_source(), "neato", "-n2")
    arcs, nodes = [], []
    for piece in laid.pieces:
        if piece.edge:
            kind = "arc force" if "force" in piece.classes else "arc"
            arcs.append(f'<g id="{piece.id}" class="{kind}">{piece.markup}</g>')
        else:
            kind = "node bucket" if piece.id[2:] in _BUCKETS else "node"
            nodes.append(f'<g id="{piece.id}" class="{kind}">{piece.markup}</g>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {theme.number(laid.width)} {theme.number(laid.height)}" '
        f'data-source="{source_mark()}">\n' + "\n".join(arcs + nodes) + "\n</svg>\n"
    )


def source_mark() -> str:
    """A short hash of the DOT source, kept in the shipped file to see whether it is current."""
    return sha256(dot_source().encode()).hexdigest()[:12]


def layout() -> Layout:
    """The shipped layout, with the words of its arcs in the language spoken now."""
    laid = _shipped()
    body = laid.body
    for key in ("no owner", "SYN, then ACK", "60 s"):
        body = body.replace(f">{key}<", f">{theme.text(say(_ARC_WORDS[key]))}<")
    return laid._replace(body=body)


_ARC_WORDS = {"no owner": "place.no_owner", "SYN, then ACK": "place.then", "60 s": "place.minute"}


@cache
def _shipped() -> Layout:
    svg = files("tcpnotes.view").joinpath("data/states.svg").read_text(encoding="utf-8")
    box = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg)
    assert box is not None
    body = svg[svg.index(">") + 1 : svg.rindex("</svg>")].replace("\n", "")
    return Layout(body, float(box[1]), float(box[2]))


STYLE = (
    ".tn svg .node path,.tn svg .node polygon{fill:var(--tn-bg);stroke:var(--tn-mute);stroke-width:1}"
    ".tn svg .node text,.tn svg .arc text{text-anchor:middle}"
    ".tn svg .bucket path{fill:var(--tn-panel)}"
    ".tn svg .arc path{fill:none;stroke:var(--tn-line);stroke-width:1.1}.tn svg .arc .tip{fill:var(--tn-line)}"
    ".tn svg .arc text{font-size:9px;fill:var(--tn-mute);paint-order:stroke;stroke:var(--tn-bg);stroke-width:3px}"
    ".tn svg .force{visibility:hidden}"
    ".tn svg .been path,.tn svg .been polygon{stroke:var(--c);stroke-width:1.2}"
    ".tn svg .arc.been .tip,.tn svg .arc.taken .tip{fill:var(--c)}"
    ".tn svg .previous path,.tn svg .previous polygon{stroke:var(--c);stroke-width:1.6;stroke-dasharray:4 3}"
    ".tn svg .also path,.tn svg .also polygon{stroke:var(--tn-fg);stroke-width:1.6;stroke-dasharray:1 2}"
    ".tn svg .node.current path,.tn svg .node.current polygon"
    "{fill:var(--f);stroke:var(--c);stroke-width:3.4;stroke-dasharray:none}"
    ".tn svg .node.current text{font-weight:700}"
    ".tn svg .arc.taken{visibility:visible}.tn svg .arc.taken path{stroke:var(--c);stroke-width:3}"
    ".tn svg .arc.been{visibility:visible}.tn svg .arc.taken text{fill:var(--tn-fg);font-weight:700}"
)


class Place(NamedTuple):
    """Where a host stands in the diagram at some record, and how it came there.

    Arcs are moves of the socket that is shown and of its bucket, never of another.
    """

    current: str
    previous: str | None
    arcs: tuple[Arc, ...]  # the last move, in order
    way: tuple[Arc, ...]  # all moves so far
    also: tuple[str, ...]  # other sockets of the host
    gone: bool  # nothing is left of the connection
    who: str  # in words
    sk: int | None  # the socket that is shown, or was the last one


class _Life:
    """The moves of one socket and of the bucket that takes its place."""

    def __init__(self, at: str = START, way: tuple[Arc, ...] = ()) -> None:
        self.at = at
        self.way = way
        self.last: tuple[Arc, ...] = ()
        self._beat = -1

    def move(self, node: str, beat: int) -> None:
        if node == self.at:
            return
        arc = (START if self.at == GONE else self.at, node)
        # Several moves in one beat (FIN_WAIT1 → FIN_WAIT2 → bucket) are shown as one way.
        self.last = (*self.last, arc) if beat == self._beat else (arc,)
        self.way = (*self.way, arc)
        self.at, self._beat = node, beat


class _Lives:
    """All sockets of a host, as its records tell of them."""

    def __init__(self, story: Story, host: str, view: HostView) -> None:
        born = [record for record in story.records if isinstance(record, r.Child) and record.host == host]
        self._parents = {record.sk: record.parent for record in born}
        self._owners: dict[int, int] = {}  # bucket: the socket that it stands for
        self._of = {sk.id: _Life(START if sk.state == "CLOSE" else sk.state) for sk in view.socks}
        self._of |= {tw.id: _Life(_vessel(tw.substate)) for tw in view.buckets}

    def owner(self, tw: int) -> int:
        """The socket that a bucket stands for; itself where that was before the records."""
        return self._owners.get(tw, tw)

    def of(self, sk: int, beat: int) -> _Life:
        """The life of a socket up to now.  A child is a copy of its listener: it has come the same way."""
        if sk not in self._of:
            parent = self._parents.get(sk)
            self._of[sk] = _Life() if parent is None else _Life("LISTEN", self.of(parent, beat).way)
            if parent is not None:
                self._of[sk].move("SYN_RECV", beat)
        return self._of[sk]

    def read(self, record: r.Record, beat: int) -> None:
        """Go on by one record of this host."""
        match record:
            case r.StateChange() if record.sk not in self._owners.values():
                self.of(record.sk, beat).move(record.new, beat)
            case r.Bucket(op="create" | "substate" | "kill", tw=int(tw)):
                if record.of_sk is not None:
                    self._owners[tw] = record.of_sk
                node = GONE if record.op == "kill" else _vessel(record.substate)
                self.of(self.owner(tw), beat).move(node, beat)


def _vessel(substate: str | None) -> str:
    return "TIME_WAIT" if substate == "TIME_WAIT" else BUCKET_FW2


def walk(story: Story, host: str) -> list[Place]:
    """For every frame of the story, where ``host`` stands."""
    places: list[Place] = []
    current = START
    shown: int | None = None
    lives: _Lives | None = None
    coming: r.Bucket | None = None
    quiet = False  # the last record was another host's, and this one stood still
    for index, frame in enumerate(story.frames):
        record = frame.record
        if quiet and record.host != host:
            places.append(places[-1])
            continue
        view = next((v for v in frame.hosts if v.name == host), None)
        if view is None:
            continue
        beat = story.beat_of[index].first
        lives = lives or _Lives(story, host, view)
        if record.host == host:
            lives.read(record, beat)
        node, who, sk = _stands(view, current, lives, beat)
        if isinstance(record, r.Bucket) and record.op == "create" and record.host == host:
            coming = record  # written a moment before the bucket stands in the table
        if coming is not None:
            if any(tw.id == coming.tw for tw in view.buckets):
                coming = None
            else:
                node, sk = _vessel(coming.substate), coming.of_sk
                who = say("place.bucket", id=coming.tw, substate=coming.substate)
        gone = node is None
        current = node or (GONE if current != START else START)
        shown = shown if sk is None else sk
        life = _Life() if shown is None else lives.of(shown, beat)
        previous, arcs = life.way[-1][0] if life.way else None, life.last
        if gone and life.at not in (START, GONE):  # a host that crashes takes its sockets with it: no move of theirs
            previous, arcs = life.at, ()
        also = tuple(dict.fromkeys(_others(view, current)))
        place = Place(current, previous, arcs, life.way, also, gone, who, shown)
        quiet = bool(places) and record.host != host and place == places[-1] and coming is None
        places.append(place)
    return places


def _stands(view: HostView, before: str, lives: _Lives, beat: int) -> tuple[str | None, str, int | None]:
    """The node of the socket or bucket that is shown (None when nothing is left), in words, and whose it is."""
    sk = main_sock(view.socks)
    tw = max(view.buckets, key=lambda b: b.id, default=None)
    if tw is not None and (sk is None or sk.state == "CLOSE" or tw.id > sk.id or not sk.rport):
        return _vessel(tw.substate), say("place.bucket", id=tw.id, substate=tw.substate), lives.owner(tw.id)
    if sk is None or (not sk.rport and before not in (START, "LISTEN", GONE) and sk.state in ("LISTEN", "CLOSE")):
        return None, say("place.nothing"), None
    if sk.state == "CLOSE":
        fresh = lives.of(sk.id, beat).at == START and not sk.dead
        return (START if fresh else GONE), say("place.socket", id=sk.id, state="CLOSE"), sk.id
    if not sk.rport and before == GONE:
        return None, say("place.nothing"), None
    return sk.state, say("place.orphan" if sk.dead else "place.socket", id=sk.id, state=sk.state), sk.id


def _others(view: HostView, node: str) -> Iterable[str]:
    for sk in view.socks:
        if sk.state != node and sk.state in _NODES and sk.state != "CLOSE":
            yield sk.state


def picture(story: Story, host: str, index: int = -1) -> Picture:
    """One host's diagram as it stands at a frame (the last one if not said)."""
    places = walk(story, host)
    if not places:
        raise ValueError("A state diagram needs frames: attach the recorder with frames=True.")
    place = places[index]
    body = styled(place)
    where = node_label(place.current)
    description = say("place.about", host=host, who=place.who)
    if place.previous:
        description += " " + say("place.before", state=node_label(place.previous))
    column = theme.host_class(story.column(host))
    laid, title = layout(), say("place.title", host=host, state=where)
    return Picture(
        title, description, f'<style>{STYLE}</style><g class="{column}">{body}</g>',
        laid.width, laid.height, description, 420,
    )  # fmt: skip


def styled(place: Place) -> str:
    """The layout with classes for a place."""
    classes: dict[str, str] = {}
    for tail, head in place.way:
        classes[f"e-{tail}-{head}"] = "been"
        classes[f"n-{tail}"] = classes[f"n-{head}"] = "been"
    for tail, head in place.arcs:
        classes[f"e-{tail}-{head}"] = "taken"
    for name in place.also:
        classes[f"n-{name}"] = "also"
    if place.previous:
        classes[f"n-{place.previous}"] = "previous"
    classes[f"n-{place.current}"] = "current"
    return re.sub(
        r'id="([^"]+)" class="([^"]+)"',
        lambda found: f'id="{found[1]}" class="{found[2]}{" " + classes[found[1]] if found[1] in classes else ""}"',
        layout().body,
    )
