"""The ladder: time runs down, hosts left and right, segments between, states in the margins.

Rows are events, not seconds: a minute of silence takes no more room than it needs
to be noticed.  Everything that appears at some record carries ``data-s`` (and
``data-e`` where it ends), so that a stepper can show the ladder as it stood then
without drawing anything anew.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from tcpnotes.source import say
from tcpnotes.trace.frames import Frame
from tcpnotes.trace.records import Record
from tcpnotes.view import theme
from tcpnotes.view.lettering import cut, lines, squeezed, width
from tcpnotes.view.picture import Picture
from tcpnotes.view.story import Beat, Flight, RecorderLike, Story, clock
from tcpnotes.view.text import TextTrace
from tcpnotes.view.theme import number as n

WIDTH, MARGIN = 440, 114
LEFT, RIGHT = MARGIN, WIDTH - MARGIN
_LINE, _TOP = 16, 62
_AGAIN = 13  # from a line to the next one of the same words
_ROOM = MARGIN - 10  # for what stands beside a line of life
_EVENT, _NOTE, _NAME = 12, 11, 14  # letters as they are set on a narrow screen, where they need most room (see theme)
_SILENCE = 1_000_000  # a gap longer than this is worth a remark


@dataclass
class _Place:
    """Where things came to stand: y of each sending and arrival, y of the now-line after each record."""

    sent: dict[int, float] = field(default_factory=dict)
    ended: dict[int, float] = field(default_factory=dict)
    now: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Ladder:
    """A ladder, what it is made of, and for each record the height at which "now" is.

    The same run with another end has the same first ``arrows`` and ``beats``.
    """

    picture: Picture
    now: tuple[float, ...]
    frame: str  # hosts and their lines of life
    arrows: tuple[str, ...]
    beats: tuple[str, ...]


def ladder(
    frames: RecorderLike | Iterable[Frame] | Iterable[Record], *, title: str = "Ladder", since: int = 0
) -> Picture:
    """The run from ``since`` (microseconds) on as a time-down ladder.  Takes a recorder, its frames or its records."""
    return draw(Story(frames, since=since), title).picture


def draw(story: Story, title: str) -> Ladder:
    """The ladder of a story, with what a stepper needs to know about it."""
    place = _Place()
    parts: list[str] = []
    y = float(_TOP)
    last_t: int | None = None
    for beat in story.beats:
        if beat.shown:
            if last_t is not None and beat.t - last_t > _SILENCE:
                parts.append(_silence(y, beat.t - last_t, beat.first))
                y += 26
            y = _beat(story, beat, y, last_t, parts, place)
            last_t = beat.t
        place.now += [y - 6] * (beat.last - beat.first + 1)
    height = y + 14
    arrows = [_flight(story, flight, place, height) for flight in story.flights if story.tells(flight)]
    frame = _frame(story, height)
    body = frame + "".join(arrows) + "".join(parts)
    picture = Picture(title, _description(story), body, WIDTH, height, str(TextTrace(story)), 560)
    return Ladder(picture, tuple(place.now), frame, tuple(filter(None, arrows)), tuple(parts))


def _frame(story: Story, height: float) -> str:
    out = []
    for i, host in enumerate(story.hosts[:2]):
        x = (LEFT, RIGHT)[i]
        name = theme.text(cut(say("stepper.host", name=host), 66, _NAME))
        out.append(
            f'<g class="{theme.host_class(i)}"><rect class="p" x="{x - 36}" y="6" width="72" height="24" rx="5"/>'
            f'<text class="h" x="{x}" y="23" text-anchor="middle">{name}</text>'
            f'<path class="life" d="M{x} 30V{n(height - 4)}"/></g>'
        )
    return "".join(out)


def _beat(story: Story, beat: Beat, y: float, last_t: int | None, parts: list[str], place: _Place) -> float:
    """Write one beat from ``y`` down; the y where the next may begin."""
    column = min(story.column(beat.host), 1)
    x = (LEFT - 8, RIGHT + 8)[column]
    anchor = ("end", "start")[column]
    out: list[str] = []
    line = y
    if beat.t != last_t:
        place_at = f'x="{x}" y="{n(line)}" text-anchor="{anchor}"'
        time = theme.text(say("changes.seconds", time=clock(beat.t)))
        out.append(f'<text class="m" data-s="{beat.first}" {place_at}>{time}</text>')
        line += _LINE - 3
    top = line
    todo: list[tuple[int, str, object]] = [(m.index, "mark", m) for m in _merged(beat)]
    todo += [(f.index, "send", f) for f in beat.sent]
    todo.sort(key=lambda entry: entry[0])
    # An answer leaves a little below what it answers, so that its label does not lie on the arriving line.
    send_line = top + 14 if beat.ended else top
    for flight in beat.ended:
        place.ended[id(flight)] = top - 4
    for _, what, thing in todo:
        if what == "send":
            at = max(send_line, line - _LINE)
            place.sent[id(thing)] = at - 4
            send_line = at + _LINE + 2
            continue
        assert isinstance(thing, _Words)
        if thing.kind in ("state", "bucket"):
            out.append(_pill(thing, x, line, column))
            line += _LINE + (4 if thing.kind == "state" else 7)
        else:
            said = _lines(thing)
            out.append(_mark(thing, said, x, line, anchor))
            line += _LINE + _AGAIN * (len(said) - 1)
    parts.append(f'<g class="{theme.host_class(column)}">{"".join(out)}</g>')
    if beat.what == "lost":
        return max(line, y) + 10
    return max(line, send_line) + 8


@dataclass(frozen=True)
class _Words:
    index: int
    kind: str
    text: str
    what: str = ""


def _merged(beat: Beat) -> list[_Words]:
    """Marks of a beat, with a call and its result on one line where nothing slept in between and both fit."""
    out: list[_Words] = []
    for mark in beat.marks:
        if beat.what == "resume" and mark.kind == "result":
            out = [w for w in out if w.kind != "event"]
            out.append(_Words(mark.index, "event", say("trace.returns", call=beat.detail, result=mark.text)))
        elif mark.kind == "result" and out and out[0].kind == "event" and not any(w.what == "sleeps" for w in out):
            joined = f"{out[0].text} = {mark.text}"
            if mark.text == "0" or width(joined, _EVENT) <= _ROOM:
                out[0] = _Words(out[0].index, "event", joined)
            else:
                out.append(_Words(mark.index, "event", f"= {mark.text}"))
        elif mark.kind == "result":
            out.append(_Words(mark.index, "event", f"= {mark.text}"))
        else:
            out.append(_Words(mark.index, mark.kind, mark.text, mark.what))
    return out


def _said(text: str) -> str:
    """A call as there is room for it: what was set or asked for matters, not how."""
    if option := re.match(r"setsockopt\(\d+, \w+, (\w+), (.*)\) = 0$", text):
        return f"{option[1]} {option[2]}"
    if option := re.match(r"getsockopt\(\d+, \w+, (\w+)\)$", text):
        return option[1]
    if direction := re.match(r"shutdown\(\d+, (\w+)\) = 0$", text):
        return f"shutdown {direction[1]}"
    return text


def _lines(thing: _Words) -> list[str]:
    """What stands beside a line of life, in as many lines as there is need of."""
    return lines(_said(thing.text), _ROOM, _EVENT if thing.kind == "event" else _NOTE)


def _mark(thing: _Words, said: list[str], x: float, y: float, anchor: str) -> str:
    full = "" if " ".join(said) == thing.text else f"<title>{theme.text(thing.text)}</title>"
    style = "" if thing.kind == "event" else ' class="m"'  # notes are set smaller
    return "".join(
        f'<text{style} data-s="{thing.index}" x="{x}" y="{n(y + _AGAIN * i)}" text-anchor="{anchor}">'
        f"{full}{theme.text(line)}</text>"
        for i, line in enumerate(said)
    )


def _pill(thing: _Words, x: float, y: float, column: int) -> str:
    """A state, or a bucket's substate: a vessel, not a socket."""
    wide = 7.1 * len(thing.text) + 10
    left = x - wide if column == 0 else x
    middle = left + wide / 2
    round_ = 7 if thing.kind == "state" else 1
    lid = ""
    if thing.kind == "bucket":
        y += 4
        lid = f'<path class="p" d="M{n(left)} {n(y - 12)}q{n(wide / 2)} -8 {n(wide)} 0z"/>'
    return (
        f'<g data-s="{thing.index}"><rect class="p" x="{n(left)}" y="{n(y - 12)}" width="{n(wide)}" height="16" '
        f'rx="{round_}"/>{lid}<text class="b" x="{n(middle)}" y="{n(y)}" text-anchor="middle">'
        f"{theme.text(thing.text)}</text></g>"
    )


def _flight(story: Story, flight: Flight, place: _Place, height: float) -> str:
    column = min(story.column(flight.src), 1)
    x1, x2 = (float(LEFT), float(RIGHT)) if column == 0 else (float(RIGHT), float(LEFT))
    y1 = place.sent.get(id(flight))
    y2 = place.ended.get(id(flight))
    if y1 is None and y2 is None:
        return ""
    if y1 is None:
        assert y2 is not None
        y1 = y2 - 10  # from nowhere
        x1 = (LEFT + RIGHT) / 2
    classes = [theme.host_class(column), flight.fate]
    if flight.answer:
        classes.append("ans")
    side = 1 if x2 > x1 else -1
    tail = ""
    if y2 is None or flight.fate == "flying":  # on its way still, where the telling ends
        y2 = height - 8
        x2 = x1 + side * (RIGHT - LEFT) * 0.8
    elif flight.fate == "lost":
        x2 = x1 + side * 150
        y2 = min(y2, y1 + 22)
        at = f'x="{n(x2 + side * 11)}" y="{n(y2 + 4)}" text-anchor="{"start" if side > 0 else "end"}"'
        tail = (
            f'<g class="end"><path class="x" d="M{n(x2 - 6)} {n(y2 - 6)}l12 12m0 -12l-12 12"/>'
            f'<text class="s xt" {at}>{theme.text(say("trace.lost"))}</text></g>'
        )
    else:
        tail = _head(x1, y1, x2, y2, side)
    anchor = "start" if side > 0 else "end"
    slope = (y2 - y1) / (x2 - x1)
    lx = x1 + side * min(10.0, max(3.0, (RIGHT - LEFT - width(flight.label, _NOTE)) / 2))
    ly = y1 + slope * (lx - x1) - 5 if flight.fate == "lost" or y2 - y1 < 24 else y1 - 3
    if place.sent.get(id(flight)) is None:  # half an arrow: what it says has room before its head only
        anchor = "end" if side > 0 else "start"
        lx, ly = x2 - side * 14, y1 - 4
    dash = " dash" if flight.fate == "flying" else ""
    end = "" if flight.end is None else f' data-e="{flight.end}"'
    hint = theme.text(f"{flight.label} ({flight.detail})")
    return (
        f'<g class="seg {" ".join(classes)}" data-s="{flight.index}"{end}><title>{hint}</title>'
        f'<path class="l{dash}" d="M{n(x1)} {n(y1)}L{n(x2)} {n(y2)}"/>{tail}'
        f'<text class="s t halo" x="{n(lx)}" y="{n(ly)}" text-anchor="{anchor}"'
        f"{squeezed(flight.label, RIGHT - LEFT - 6, _NOTE)}>{theme.text(flight.label)}</text></g>"
    )


def _head(x1: float, y1: float, x2: float, y2: float, side: int) -> str:
    """An arrow head at (x2, y2) along the line."""
    dx, dy = x2 - x1, y2 - y1
    length = (dx * dx + dy * dy) ** 0.5
    ux, uy = dx / length, dy / length
    bx, by = x2 - 10 * ux - side, y2 - 10 * uy
    px, py = -uy * 4.5, ux * 4.5
    return f'<path class="head end" d="M{n(x2 - side)} {n(y2)}L{n(bx + px)} {n(by + py)}L{n(bx - px)} {n(by - py)}Z"/>'


def _silence(y: float, gap: int, index: int) -> str:
    middle = (LEFT + RIGHT) // 2
    lines = "".join(f'<path class="gap" d="M{x - 6} {n(y - 2)}l12 -5m-12 9l12 -5"/>' for x in (LEFT, RIGHT))
    words = theme.text(say("trace.later", seconds=f"{gap / 1_000_000:.1f}".removesuffix(".0")))
    said = f'<text class="m" x="{middle}" y="{n(y)}" text-anchor="middle">⋯ {words} ⋯</text>'
    return f'<g data-s="{index}">{lines}{said}</g>'


def _description(story: Story) -> str:
    flights = [flight for flight in story.flights if story.tells(flight)]
    sent = len(flights)
    lost = sum(flight.fate == "lost" for flight in flights)
    states = []
    for host in story.hosts:
        names = [say("ladder.bucket", substate=m.text) if m.kind == "bucket" else m.text
                 for b in story.beats if b.host == host and b.shown
                 for m in b.marks if m.kind in ("state", "bucket")]  # fmt: skip
        through = ", ".join(names) or say("ladder.no_change")
        states.append(say("ladder.states", host=host, states=through))
    return say("ladder.about", sent=sent, lost=lost, states="; ".join(states))
