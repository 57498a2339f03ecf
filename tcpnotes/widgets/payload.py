"""The run as a stepper needs it: one ladder, one diagram, and for each step a short list of what is different.

Whatever repeats (parts of drawings, call trees, names) is kept once in a table and
spoken of by its number, so that forty steps stay well under 150 kB.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Hashable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Generic, TypeVar

from tcpnotes.source import language, say
from tcpnotes.trace import records as r
from tcpnotes.trace.frames import HostView
from tcpnotes.view import buckets, queues, states
from tcpnotes.view.calls import describe
from tcpnotes.view.caption import caption, moment
from tcpnotes.view.ladder import Ladder
from tcpnotes.view.story import Story, clock
from tcpnotes.widgets.assets import common, light
from tcpnotes.widgets.changes import changes

T = TypeVar("T", bound=Hashable)
VERSION = 2


class _Table(Generic[T]):
    def __init__(self) -> None:
        self.rows: list[T] = []
        self._at: dict[T, int] = {}

    def at(self, row: T) -> int:
        """The number of ``row``."""
        found = self._at.get(row)
        if found is None:
            found = self._at[row] = len(self.rows)
            self.rows.append(row)
        return found


def payload(
    story: Story,
    stops: Sequence[int],
    ladder: Ladder,
    *,
    title: str,
    scenario: str,
    item_texts: Mapping[str, str],
) -> dict[str, Any]:
    """Everything the page needs, made of lists, numbers and strings."""
    words: _Table[str] = _Table()
    drawings: _Table[tuple[str, tuple[int, ...]]] = _Table()
    parts: _Table[str] = _Table()
    trees: _Table[tuple[tuple[int, int], ...]] = _Table()
    walks = [states.walk(story, host) for host in story.hosts[:2]]
    steps = []
    previous = stops[0]
    for stop in stops:
        frame = story.frames[stop]
        record = story.records[stop]
        step: dict[str, Any] = {
            "f": stop,
            "t": clock(moment(story, stop)),
            "h": story.column(record.host),
            "c": caption(story, stop),
            "y": round(ladder.now[stop]),
            "k": _tree(story, stop, trees, words),
            "p": [],
            "q": [],
            "b": [],
        }
        if story.items[stop] and not story.beat_of[stop].untold:
            step["i"] = list(story.items[stop])
        for column, host in enumerate(story.hosts[:2]):
            step["p"].append(_place(walks[column], previous, stop, words))
            view = frame.host(host)
            label, drawn = _queues(view, language())
            step["q"].append(drawings.at((label, tuple(map(parts.at, drawn)))))
            if buckets.stirs(view):
                label, drawn = _wheels(view, language())
                step["b"].append(drawings.at((label, tuple(map(parts.at, drawn)))))
            else:
                step["b"].append(-1)
        made = changes(story, story.frames[previous], frame)
        if made:
            step["d"] = [[story.column(c.host), f"{c.host} {c.thing}", c.field, c.old, c.new] for c in made]
        steps.append(step)
        previous = stop
    functions = sorted({words.rows[number] for tree in trees.rows for _, number in tree})
    return {
        "v": VERSION,
        "title": title,
        "scenario": scenario,
        "hosts": list(story.hosts[:2]),
        "ladder": {
            "title": ladder.picture.title,
            "about": ladder.picture.description,
            "width": ladder.picture.width,
            "height": ladder.picture.height,
            "frame": light(ladder.frame),
            "arrows": list(map(light, ladder.arrows)),
            "beats": list(map(light, ladder.beats)),
        },
        **common(),
        "marks": _marks(story, stops),
        "words": words.rows,
        "drawings": [[label, list(numbers)] for label, numbers in drawings.rows],
        "parts": parts.rows,
        "idle": [_idle(story, host) for host in story.hosts[:2]],
        "trees": [list(map(list, tree)) for tree in trees.rows],
        "about": {name: list(describe(name)) for name in functions},
        "items": {key: item_texts[key] for key in _shown_items(story, stops) if key in item_texts},
        "steps": steps,
    }


def _shown_items(story: Story, stops: Sequence[int]) -> list[str]:
    return list(dict.fromkeys(key for stop in stops for key in story.items[stop]))


# What was drawn once is not drawn again when a run gets another end.
@lru_cache(maxsize=2048)
def _queues(view: HostView, language: str) -> tuple[str, tuple[str, ...]]:
    return _drawing(view.name, *queues.draw(view))


@lru_cache(maxsize=2048)
def _wheels(view: HostView, language: str) -> tuple[str, tuple[str, ...]]:
    return _drawing(view.name, *buckets.draw(view))


def _idle(story: Story, host: str) -> list[Any]:
    """The wheels of a host before its first bucket; nothing for one that never has any."""
    views = [view for frame in story.frames for view in frame.hosts if view.name == host]
    if not any(view.buckets for view in views):
        return []
    label, parts = _drawing(host, *buckets.draw(buckets.at_rest(views[0])))
    return [label, list(parts)]


def _drawing(host: str, parts: Sequence[str], words: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """What a drawing is called, and what stands in it."""
    return say("steps.label", name=host, words="; ".join(words)), tuple(map(light, parts))


def _place(walk: Sequence[states.Place], previous: int, stop: int, words: _Table[str]) -> list[Any]:
    """[current, previous, arcs of the last move, other sockets, way so far, who, gone, moved in this step]."""
    if stop >= len(walk):
        return [-1, -1, [], [], [], words.at(""), 0, 0]
    place = walk[stop]
    arcs = _arcs(place.arcs)
    # A step may span several moves: all of them belong to it.
    for between in walk[previous + 1 : stop]:
        if between.sk == place.sk and between.arcs != walk[previous].arcs:
            arcs = list(dict.fromkeys([*_arcs(between.arcs), *arcs]))
    return [
        states.NODES.index(place.current),
        states.NODES.index(place.previous) if place.previous else -1,
        arcs,
        [states.NODES.index(name) for name in place.also],
        list(dict.fromkeys(_arcs(place.way))),
        words.at(place.who),
        int(place.gone),
        int(place.current != walk[previous].current),
    ]


def _arcs(arcs: tuple[tuple[str, str], ...]) -> list[int]:
    return [states.ARCS.index(arc) for arc in arcs if arc in states.ARCS]


def _tree(story: Story, stop: int, trees: _Table[tuple[tuple[int, int], ...]], words: _Table[str]) -> list[int]:
    """[tree, how many of its lines are reached, depth from which on functions have been left]."""
    beat = story.beat_of[stop]
    if beat.untold:
        return [trees.at(()), 0, 0]
    whole = tuple((depth, words.at(name)) for _, depth, name in story.functions(beat.last))
    record = story.records[stop]
    depth = record.depth + (1 if isinstance(record, r.Enter) else 0)
    return [trees.at(whole), len(story.functions(stop)), depth]


def _marks(story: Story, stops: Sequence[int]) -> list[list[Any]]:
    """What to paint on the slider: [step, column, kind, words], kind s(tate), b(ucket) or x (lost)."""
    marks: list[list[Any]] = []
    seen = set()
    for beat in story.beats:
        if beat.untold or beat.last < stops[0]:
            continue
        column = min(story.column(beat.host), 1)
        for mark in beat.marks:
            if mark.kind in ("state", "bucket") and mark.index <= stops[-1]:
                step = bisect_left(stops, mark.index)
                text = say("trace.bucket", substate=mark.text) if mark.kind == "bucket" else mark.text
                words = say("steps.mark", host=beat.host, text=text)
                if (step, column) not in seen:
                    marks.append([step, column, mark.kind[0], words])
                    seen.add((step, column))
        for flight in beat.ended:
            if flight.fate == "lost" and flight.end is not None and flight.end <= stops[-1]:
                step = bisect_left(stops, flight.end)
                marks.append([step, min(story.column(flight.src), 1), "x", say("steps.lost", segment=flight.label)])
    return marks
