"""The trace in columns: the truth that notebooks keep and tests compare."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import TypeAlias
from unicodedata import east_asian_width

from tcpnotes.source import say
from tcpnotes.trace.records import Record
from tcpnotes.view import theme
from tcpnotes.view.story import Beat, Flight, RecorderLike, Story, clock

_CELL = 30  # beside a host, lines are broken at this width where they can be


@dataclass(frozen=True)
class TextTrace:
    """A trace as text.  With ``hidden``, a ``?`` stands wherever the reader predicts."""

    story: Story
    hidden: bool = False

    def hide(self) -> TextTrace:
        """The same trace with question marks for states, results and answers."""
        return TextTrace(self.story, True)

    def reveal(self) -> TextTrace:
        """The same trace filled in."""
        return TextTrace(self.story, False)

    def __str__(self) -> str:
        return _render(self.story, self.hidden)

    def __repr__(self) -> str:
        return str(self)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> Mapping[str, str]:
        # text/plain alone: the page's own fixed-width style is the right one.
        return {"text/plain": str(self)}

    def html(self) -> str:
        """The text in a ``<pre>`` that scrolls sideways on narrow pages."""
        return f'<pre class="tn-text" style="overflow-x:auto">{theme.text(self)}</pre>'


def text_trace(records: RecorderLike | Iterable[Record], *, hide: bool = False, since: int = 0) -> TextTrace:
    """The trace in columns, from ``since`` (microseconds) on.

    A recorder with frames gives exact relative numbers, bare records good guesses.
    """
    return TextTrace(Story(records, since=since), hide)


def _render(story: Story, hidden: bool) -> str:
    digits = 3 if all(beat.t % 1000 == 0 for beat in story.beats) else 6
    shown = [beat for beat in story.beats if beat.shown]
    rows: list[Row] = []
    for beat in shown:
        left: list[str] = []
        right: list[str] = []
        cell = left if story.column(beat.host) == 0 else right
        cell += _wrap(_pieces(story, beat, hidden))
        wire = [_from_nowhere(story, flight) for flight in beat.ended if flight.fate == "injected"]
        wire += [_arrow(story, flight, hidden) for flight in beat.sent]
        wire += [_lost(story, flight, hidden) for flight in beat.ended if flight.fate == "lost"]
        rows.append((clock(beat.t, digits), left, wire, right))
    return as_columns(story.hosts, rows)


Row: TypeAlias = tuple[str, list[str], list[str], list[str]]


def as_columns(hosts: Sequence[str], rows: Sequence[Row]) -> str:
    """Rows (time, lines of the left host, of the wire, of the right host) as a table of text."""
    names = [*hosts, "", ""][:2]
    hosts = [say("trace.head", host=name) if name else "" for name in names]
    heads = [say("trace.time"), hosts[0], say("trace.wire"), *filter(None, hosts[1:])]
    columns: list[list[str]] = [[], [], [], []]
    for time, left, wire, right in rows:
        for a, b, c, d in zip_longest([time], left, wire, right, fillvalue=""):
            for column, value in zip(columns, (a, b, c, d), strict=True):
                column.append(value)
    width = [max(map(_wide, [head, *column])) for head, column in zip(heads, columns, strict=False)]
    lines = [" | ".join(_left(head, w) for head, w in zip(heads, width, strict=True)).rstrip()]
    lines.append("-+-".join("-" * w for w in width))
    for cells in zip(*columns, strict=True):
        first, *rest = cells[: len(width)]
        padded = [first.rjust(width[0])] + [_left(cell, w) for cell, w in zip(rest, width[1:], strict=True)]
        lines.append(" | ".join(padded).rstrip())
    return "\n".join(lines)


def _wide(text: str) -> int:
    """How many columns a text takes: letters of East Asia take two."""
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)


def _left(text: str, width: int) -> str:
    """``text`` with room behind it, up to ``width`` columns."""
    return text + " " * (width - _wide(text))


def _pieces(story: Story, beat: Beat, hidden: bool) -> list[str]:
    pieces: list[str] = []
    states_hidden = False
    for mark in beat.marks:
        if mark.kind == "event":
            seen = _was_hidden(beat, mark.index) and hidden
            pieces.append(say("trace.arrives", segment="?") if seen else mark.text)
        elif mark.kind == "result":
            text = "= ?" if hidden else f"= {mark.text}"
            if beat.what == "call" and len(pieces) and beat.marks[0].kind == "event" and not _asleep(beat):
                pieces[0] += f" {text}"
            elif beat.what == "resume":
                pieces = [say("trace.returns", call=beat.detail, result=text[2:]), *pieces[1:]]
            else:
                pieces.append(text)
        elif not hidden:
            pieces.append(say("trace.bucket", substate=mark.text) if mark.kind == "bucket" else mark.text)
        elif not states_hidden:
            states_hidden = True
            pieces.append("?")
    if hidden and not states_hidden and beat.what == "packet":
        pieces.append("?")  # nothing changes here, but that is for the reader to say
    return pieces


def _asleep(beat: Beat) -> bool:
    return any(mark.what == "sleeps" for mark in beat.marks)


def _was_hidden(beat: Beat, index: int) -> bool:
    return any(flight.end == index and flight.answer for flight in beat.ended)


def _wrap(pieces: list[str]) -> list[str]:
    lines: list[str] = []
    for piece in pieces:
        if lines and _wide(lines[-1]) + 2 + _wide(piece) <= _CELL:
            lines[-1] += f", {piece}"
        else:
            lines.append(piece if not lines else f"  {piece}")
    return lines


def _arrow(story: Story, flight: Flight, hidden: bool) -> str:
    label = "?" if hidden and flight.answer else flight.label
    return f"{label} -->" if story.column(flight.src) == 0 else f"<-- {label}"


def _lost(story: Story, flight: Flight, hidden: bool) -> str:
    label = "?" if hidden and flight.answer else flight.label
    lost = say("trace.lost")
    return f"{label} --X {lost}" if story.column(flight.src) == 0 else f"{lost} X-- {label}"


def _from_nowhere(story: Story, flight: Flight) -> str:
    """A segment that no host of the run has sent."""
    nowhere = f"({say('trace.nowhere')})"
    return f"{nowhere} {flight.label} -->" if story.column(flight.src) == 0 else f"<-- {flight.label} {nowhere}"
