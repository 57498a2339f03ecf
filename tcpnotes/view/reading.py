"""Notes for reading the kernel: our function's text, what functions mean, how names are spelt.

Each is text first; the same as Markdown, which a notebook and a page set in their own type.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from textwrap import dedent
from typing import Any

from tcpnotes.source import item, items
from tcpnotes.view import theme
from tcpnotes.view.calls import describe


@dataclass(frozen=True)
class Note:
    """A piece of text, plain and as Markdown."""

    text: str
    markdown: str

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> Mapping[str, str]:
        return {"text/markdown": self.markdown, "text/plain": self.text}

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return self.text


def source_of(function: Callable[..., Any]) -> Note:
    """The text of one of our functions, as it runs."""
    text = dedent(inspect.getsource(function)).rstrip()
    return Note(text, f"```python\n{text}\n```")


def meanings(names: Iterable[str]) -> Note:
    """What kernel functions mean, one line each, in the order given; names that are not modelled are left out."""
    rows = []
    for name in dict.fromkeys(names):
        about = describe(name)
        if about.file:
            rows.append((name, about.file, about.meaning))
    return _table(("function", "file", "what it means"), rows, code=(0, 1))


def spellings(step: str) -> Note:
    """The names that the text of a step spells differently from the released kernel: ``spellings("1")``.

    A ValueError when there is no such step.
    """
    if not any(entry.step == step for entry in items()):
        raise ValueError(f"The source has no step {step!r}; items run from {items()[0].id} to {items()[-1].id}.")
    rows = [(entry.id, *pair) for entry in items() if entry.step == step for pair in item(entry.id).respelt]
    return _table(("item", "the text", "Linux 2.4.0"), rows, code=(1, 2))


def table(head: Sequence[str], rows: Sequence[Sequence[object]], code: Sequence[int] = ()) -> Note:
    """A table of whatever was found: a head, rows of as many cells, and which columns (from 0) are code.

    A ValueError for a row that has more or fewer cells than the head.
    """
    for row in rows:
        if len(row) != len(head):
            raise ValueError(f"The table has {len(head)} columns; this row has {len(row)} cells: {tuple(row)!r}.")
    return _table(tuple(head), [tuple(str(cell) for cell in row) for row in rows], tuple(code))


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]], code: tuple[int, ...]) -> Note:
    width = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
    lines = [head, tuple("-" * w for w in width), *rows]
    text = "\n".join("  ".join(cell.ljust(w) for cell, w in zip(line, width, strict=True)).rstrip() for line in lines)

    def dressed(column: int, cell: str) -> str:
        cell = cell.replace("|", "\\|")
        return f"`{cell}`" if column in code and cell else escape(cell, quote=False)

    marked = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    marked += ["| " + " | ".join(dressed(i, cell) for i, cell in enumerate(row)) + " |" for row in rows]
    return Note(text, "\n".join(marked))


@dataclass(frozen=True)
class Folded:
    """Something that a reader opens when they want to: on a page under its title, as text below it."""

    title: str
    inside: Any

    @property
    def text(self) -> str:
        """Title and text twin."""
        return f"{self.title}:\n{self.inside}"

    @property
    def html(self) -> str:
        """A fold; what has a form of its own for pages keeps it."""
        inside = getattr(self.inside, "html", None)
        body = inside if isinstance(inside, str) else f"<pre>{theme.text(self.inside)}</pre>"
        return f"<details><summary>{theme.text(self.title)}</summary>{body}</details>"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> Mapping[str, str]:
        return {"text/html": self.html, "text/plain": self.text}

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return self.text


def folded(inside: Any, title: str = "Solution") -> Folded:
    """Fold something away: ``folded(verdict)``.  Notebooks show outputs again when they run, whatever their tags."""
    return Folded(title, inside)
