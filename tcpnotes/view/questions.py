"""The question marks of a hidden trace, one by one: what is asked, what is right, what one could think.

`questions` numbers them from 1 in the order of the trace, and lays the trace out in rows in which
each of them stands in its place.  Text and form of a prediction are both made of these rows.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple, TypeAlias

from tcpnotes.source import say
from tcpnotes.view.story import Beat, Flight, Story, clock, flags_of
from tcpnotes.view.text import _arrow, _from_nowhere, _lost, _pieces, _wrap, as_columns

KINDS = ("state", "result", "reply", "arrival")  # what is asked unless told
SENT = "sent"  # asked only when wanted: what a call or a timer sends
ALL = (*KINDS, SENT)
NOTHING = ""  # the answer of a host to which nothing happens
_STATES = ("ESTABLISHED", "FIN_WAIT1", "FIN_WAIT2", "CLOSING", "CLOSE_WAIT", "LAST_ACK")
_RESULTS = ("0", "-1 EPIPE", "-1 ECONNRESET")
_ARRIVALS = ("ACK", "FIN,ACK", "RST,ACK", "RST")
MOST = 9  # choices of one question


class Question(NamedTuple):
    """One ``?``: its number, its kind (one of `ALL`), when and where, what is right, what may be chosen."""

    number: int
    kind: str
    t: int
    host: str
    answer: str
    choices: tuple[str, ...]

    @property
    def label(self) -> str:
        """What is asked for, in words."""
        return f"{clock(self.t)} s, {say(f'predict.{self.kind}', host=self.host)}"


Cell: TypeAlias = tuple[str, Question | None, str]  # what stands before the question, the question, what stands behind


class AskedRow(NamedTuple):
    """What happens at one moment: cells of the left host, of the wire, of the right host."""

    time: str
    cells: tuple[tuple[Cell, ...], tuple[Cell, ...], tuple[Cell, ...]]


class _Open(NamedTuple):
    """A question before all choices are known."""

    kind: str
    t: int
    host: str
    answer: str


def questions(story: Story, kinds: Collection[str] = KINDS) -> tuple[list[AskedRow], list[Question]]:
    """Rows and questions of a story; kinds that are not asked stand there filled in.

    ValueError for a kind that is not one of `ALL`.
    """
    for kind in kinds:
        if kind not in ALL:
            raise ValueError(f"There is no kind of question {kind!r}; there are: {', '.join(ALL)}.")
    raw: list[tuple[str, list[list[tuple[str, _Open | None, str]]]]] = []
    asked: list[_Open] = []
    for beat in (beat for beat in story.beats if beat.shown):
        cells = _cells(story, beat, kinds)
        asked += [open_ for column in cells for _, open_, _ in column if open_ is not None]
        raw.append((clock(beat.t, 3 if beat.t % 1000 == 0 else 6), cells))
    choices = {kind: _choices(kind, story, [open_.answer for open_ in asked if open_.kind == kind]) for kind in ALL}
    found: list[Question] = []
    rows: list[AskedRow] = []
    for time, cells in raw:
        made: list[list[Cell]] = [[(before, None, behind) for before, _, behind in column] for column in cells]
        # Numbered as one reads: a line of the wire at a time, and what stands beside a host in its first.
        places = [(i if column == 1 else 0, column, i) for column, line in enumerate(cells) for i in range(len(line))]
        for _, column, i in sorted(places):
            before, open_, behind = cells[column][i]
            if open_ is not None:
                offered = _offer(open_.answer, choices[open_.kind])
                question = Question(len(found) + 1, *open_, offered)
                found.append(question)
                made[column][i] = (before, question, behind)
        rows.append(AskedRow(time, (tuple(made[0]), tuple(made[1]), tuple(made[2]))))
    return rows, found


def _cells(story: Story, beat: Beat, kinds: Collection[str]) -> list[list[tuple[str, _Open | None, str]]]:
    """Left, wire and right of one beat."""
    side: list[tuple[str, _Open | None, str]] = []
    results = [mark.text for mark in beat.marks if mark.kind == "result"]
    arrived = next((mark for mark in beat.marks if mark.what == "arrives"), None)
    arrival = next((flags_of(flight.seg) for flight in beat.ended if arrived and flight.end == arrived.index), "")
    before, _, behind = say("trace.arrives", segment="?").partition("?")
    for piece in _pieces(story, beat, True):
        if piece == f"{before}?{behind}":
            side.append(_asked(before, "arrival", beat, arrival, behind, kinds))
        elif arrived and piece == arrived.text and SENT in kinds and any(_asks(story, flight) for flight in beat.ended):
            # What was asked for when it left is not told where it comes to.
            if "arrival" in kinds:
                side.append(_asked(before, "arrival", beat, arrival, behind, kinds))
            else:
                side.append((say("predict.some_arrives"), None, ""))
        elif piece == "?":
            if "state" not in kinds and _outcome(beat) == NOTHING:
                continue
            side.append(_asked("", "state", beat, _outcome(beat), "", kinds))
        elif "?" in piece and results:
            said, _, after = piece.rpartition("?")
            side.append(_asked(said, "result", beat, results.pop(0), after, kinds))
        else:
            side.append((piece, None, ""))
    wire: list[tuple[str, _Open | None, str]] = [
        (_from_nowhere(story, flight), None, "") for flight in beat.ended if flight.fate == "injected"
    ]
    wire += [_on_wire(story, flight, _arrow(story, flight, False), beat, kinds) for flight in beat.sent]
    wire += [
        _on_wire(story, flight, _lost(story, flight, False), beat, kinds)
        for flight in beat.ended
        if flight.fate == "lost"
    ]
    return [side, wire, []] if story.column(beat.host) == 0 else [[], wire, side]


def _asked(
    before: str, kind: str, beat: Beat, answer: str, behind: str, kinds: Collection[str]
) -> tuple[str, _Open | None, str]:
    open_ = _Open(kind, beat.t, beat.host, answer) if kind in kinds else None
    return (before, open_, behind) if open_ else (f"{before}{answer}{behind}", None, "")


def _on_wire(
    story: Story, flight: Flight, shown: str, beat: Beat, kinds: Collection[str]
) -> tuple[str, _Open | None, str]:
    kind = "reply" if flight.answer else SENT
    if kind not in kinds:
        return shown, None, ""
    before, behind = shown.split(flight.label, 1)
    return before, _Open(kind, beat.t, flight.src, flight.label), behind


def _asks(story: Story, flight: Flight) -> bool:
    """Is this a segment that a host has sent of itself, in the part that is told?"""
    return not flight.answer and flight.fate != "injected" and flight.t >= story.since


def _outcome(beat: Beat) -> str:
    """What a host comes to in a beat: its states, buckets and notes; `NOTHING` when nothing changes."""
    told = [
        say("trace.bucket", substate=mark.text) if mark.kind == "bucket" else mark.text
        for mark in beat.marks
        if mark.kind not in ("event", "result")
    ]
    return ", ".join(told)


def _choices(kind: str, story: Story, answers: Iterable[str]) -> list[str]:
    """What could be thought of: the answers of the whole trace first, then what such a trace might have had."""
    found = list(dict.fromkeys(answers))
    match kind:
        case "state":
            more = [NOTHING, *_STATES, say("trace.bucket", substate="TIME_WAIT")]
        case "result":
            more = list(_RESULTS)
        case "arrival":
            more = list(_ARRIVALS)
        case "sent":
            more = [f"{flags} {label.partition(' ')[2]}" for label in found for flags in _ARRIVALS]
        case _:
            more = [flight.label for flight in story.flights if not flight.answer]
            more += [label.replace("ACK ", "RST,ACK ", 1) for label in found if label.startswith("ACK ")]
    return list(dict.fromkeys([*found, *more]))


def _offer(answer: str, pool: list[str]) -> tuple[str, ...]:
    """The right answer among at most `MOST` choices, in an order that does not give it away."""
    others = [choice for choice in pool if choice != answer]
    return tuple(sorted([answer, *others[: MOST - 1]], key=lambda choice: (choice == NOTHING, choice)))


def as_text(story: Story, rows: Iterable[AskedRow]) -> str:
    """The rows as a text trace, the questions as ``?1``, ``?2`` …"""
    made = []
    for row in rows:
        left, wire, right = (
            [before + (f"?{question.number}" if question else "") + behind for before, question, behind in cells]
            for cells in row.cells
        )
        made.append((row.time, _wrap(left), wire, _wrap(right)))
    return as_columns(story.hosts, made)
