"""A capture in a notebook: a table of its connections, each of which can be stepped through.

from tcpnotes.widgets.captured import explain
capture = explain("close.pcapng", filter="not how=orderly")
capture            # the table
capture.step(3)    # connection 3, segment by segment
"""

from __future__ import annotations

from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

from tcpnotes.capture import CaptureFile, Explained, Explainer
from tcpnotes.capture.filters import parse_filter
from tcpnotes.capture.replay import Replayed, replay
from tcpnotes.capture.words import place, sentence, totals, word
from tcpnotes.source import item
from tcpnotes.view import theme
from tcpnotes.view.ladder import draw
from tcpnotes.view.picture import Picture
from tcpnotes.view.story import Story
from tcpnotes.view.text import TextTrace
from tcpnotes.widgets.stepper import Stepper

MOST = 1_000  # connections that are kept for the table


class Captured:
    """What `explain` found: ``connections`` (the first `MOST` of those chosen), ``counts`` by how they ended.

    ``skipped`` says what in the file could not be used, reason → how often.
    """

    def __init__(self, file: str | Path, filter: str | None = None) -> None:
        self.file = file
        self.connections: list[Explained] = []
        self.counts: Counter[str] = Counter()
        chosen = None if filter is None else parse_filter(filter)
        with CaptureFile(file) as capture:
            for explained in Explainer(capture):
                if chosen is None or chosen(explained):
                    self.counts[explained.verdict.how] += 1
                    if len(self.connections) < MOST:
                        self.connections.append(explained)
            self.skipped = dict(capture.skipped)
        self.connections.sort(key=lambda explained: explained.connection.number)
        self._replay = cache(lambda number: replay(file, number))

    # -- one connection ----------------------------------------------------------------------------------------

    def replay(self, number: int) -> Replayed:
        """Connection ``number`` as records and frames; a `CaptureError` when there is none of that number."""
        return self._replay(number)

    def trace(self, number: int) -> TextTrace:
        """Connection ``number`` in columns."""
        return TextTrace(self._story(number))

    def ladder(self, number: int) -> Picture:
        """Connection ``number`` as a ladder."""
        return draw(self._story(number), self.title(number)).picture

    def step(self, number: int, *, stops: str = "event") -> Stepper:
        """Step through connection ``number``; ``stops`` as for `choose_stops`."""
        found = self.replay(number)
        items = found.items()
        texts = {id: item(id).text for ids in items.values() for id in ids}
        return Stepper(
            found, title=self.title(number), scenario=f"connection {number}", items=items, item_texts=texts,
            stops=stops, hosts=("A", "B"),
        )  # fmt: skip

    def title(self, number: int) -> str:
        """Who, with whom, and how it ended."""
        connection, verdict = self.replay(number).explained
        a, b = connection.ends
        return f"Connection {number}: A {place(a)}, B {place(b)}: {word('how', verdict.how)}"

    def _story(self, number: int) -> Story:
        found = self.replay(number)
        return Story(found, found.items(), ("A", "B"))

    # -- the table ---------------------------------------------------------------------------------------------

    def rows(self) -> list[tuple[str, ...]]:
        """Number, A, B, packets, seconds, who closed first, how; one row a connection."""
        return [
            (
                str(c.number), *map(place, c.ends), str(c.packets), f"{(c.last.t - c.first.t) / 1e9:.3f}",
                verdict.closer or "", "; ".join((word("how", verdict.how), *(word("tag", t) for t in verdict.tags))),
            )
            for c, verdict in self.connections
        ]  # fmt: skip

    @property
    def text(self) -> str:
        """Table and totals as text."""
        rows = [_HEAD, *self.rows()]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ["  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in rows]
        return "\n".join([*lines, "", *self._notes()])

    @property
    def html(self) -> str:
        """The same for a page; the statements of each connection are the hint of its last cell."""
        head = "".join(f'<th scope="col">{theme.text(name)}</th>' for name in _HEAD)
        body = []
        for row, (_, verdict) in zip(self.rows(), self.connections, strict=True):
            hint = theme.attr("\n".join(sentence(said) for said in verdict.statements))
            cells = "".join(f"<td>{theme.text(cell)}</td>" for cell in row[:-1])
            body.append(f"<tr>{cells}<td title={hint}>{theme.text(row[-1])}</td></tr>")
        notes = "".join(f"<p>{theme.text(note)}</p>" for note in self._notes())
        caption = f"<caption>{theme.text(f'Connections of {self.file}')}</caption>"
        table = f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table>"
        return f'<div class="tn tn-captured" style="overflow-x:auto">{table}{notes}</div>'

    def _notes(self) -> list[str]:
        notes = [totals(self.counts)]
        if sum(self.counts.values()) > len(self.connections):
            notes.append(f"The table has the first {len(self.connections)}; a filter chooses others.")
        notes += [f"Left out: {reason}, {count} times." for reason, count in self.skipped.items()]
        return notes

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        return {"text/plain": self.text, "text/html": self.html}

    def __repr__(self) -> str:
        return f"Captured({str(self.file)!r}, {sum(self.counts.values())} connections)"


_HEAD = ("no.", "A", "B", "packets", "seconds", "closed first", "how")


def explain(file: str | Path, *, filter: str | None = None) -> Captured:
    """Explain a capture in a notebook; ``filter`` as for ``tcpnotes explain --filter``.  `CaptureError` if bad."""
    return Captured(file, filter)
