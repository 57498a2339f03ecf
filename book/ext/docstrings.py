"""Docstrings as they are written here: paragraphs, ``Moves: …`` lines, columns, bullets, examples.

They are prose for people who read the code, not reStructuredText: a stray underscore or an indented line is no mark-up.
So they are read as what they look like, once, for function pages and library reference alike.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from textwrap import dedent
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from sphinx.application import Sphinx

_FIELD = re.compile(r"([A-Z][\w ]{1,20}):\s+(\S.*)$")
_COLUMNS = re.compile(r"((?:\S+ )*\S+)\s{2,}(\S.*)$")
_BULLET = re.compile(r"[*-] +(\S.*)$")
_CODE = re.compile(r"(``.+?``|`[^`]+?`)")


class Block(NamedTuple):
    """A piece of a docstring: ``kind`` is text, fields, bullets or listing."""

    kind: str
    rows: list[tuple[str, str]]  # (name, value); names are empty but for fields


def blocks(doc: str) -> Iterator[Block]:
    """The pieces of a docstring, in order."""
    for piece in re.split(r"\n\s*\n", inspect.cleandoc(doc)):
        lines = dedent(piece).rstrip().split("\n")
        indented = piece.startswith("  ")
        if lines == [""]:
            continue
        if lines[0].startswith(">>> "):
            yield Block("listing", [("", dedent(piece).rstrip())])
        elif rows := _rows(lines, _BULLET):
            yield Block("bullets", [("", name) for name, _ in rows])
        elif rows := _rows(lines, _FIELD):
            yield Block("fields", rows)
        elif len(rows := _rows(lines, _COLUMNS)) > 1 and not any(name.endswith((".", ",", ";")) for name, _ in rows):
            yield Block("fields", rows)
        elif indented:
            yield Block("listing", [("", "\n".join(lines))])
        else:
            yield Block("text", [("", " ".join(line.strip() for line in lines))])


def _rows(lines: list[str], pattern: re.Pattern[str]) -> list[tuple[str, str]]:
    """The rows of a piece when each of its lines begins one or, indented, goes on with one; else none."""
    rows: list[tuple[str, str]] = []
    for line in lines:
        match = pattern.match(line)
        if match:
            rows.append((match[1], match[2] if pattern.groups > 1 else ""))
        elif rows and line.startswith("  "):
            name, value = rows[-1]
            rows[-1] = (name, f"{value} {line.strip()}") if pattern.groups > 1 else (f"{name} {line.strip()}", "")
        else:
            return []
    return rows


def as_rest(doc: str) -> list[str]:
    """The same as reStructuredText."""
    lines: list[str] = []
    for kind, rows in blocks(doc):
        for name, value in rows:
            if kind == "text":
                lines += [rest(value.removesuffix("::") + (":" if value.endswith("::") else ""))]
            elif kind == "bullets":
                lines += [f"* {rest(value)}"]
            elif kind == "fields":
                lines += [f":{rest(name)}: {rest(value)}"]
            else:
                language = "pycon" if value.startswith(">>>") else "text"
                lines += [f".. code-block:: {language}", "", *(f"   {line}" for line in value.split("\n"))]
        lines.append("")
    return lines


def rest(text: str) -> str:
    """A line of prose in which nothing is mark-up but code in backticks."""
    made = []
    for piece in _CODE.split(text):
        if not _CODE.fullmatch(piece):
            made.append(re.sub(r"([\\*_|`:])", r"\\\1", piece))
        elif piece.startswith("``"):
            made.append(piece)
        elif re.fullmatch(r"`[A-Za-z_][\w.]*`", piece):
            made.append(piece)  # the default role links it where it can
        else:
            made.append(f"`{piece}`")
    return _apart("".join(made))


def _apart(line: str) -> str:
    """Inline mark-up needs a break on both sides; where there is none, put one that is not seen."""
    return re.sub(r"(``.+?``|`[^`]+?`)(?=[\w(])", r"\1\\ ", re.sub(r"(?<=[\w=/])(``.+?``|`[^`]+?`)", r"\\ \1", line))


def process(app: Sphinx, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    """What autodoc calls for every docstring."""
    text = "\n".join(lines)
    lines[:] = [] if text.startswith("Alias for field number") else as_rest(text)


def setup(app: Sphinx) -> None:
    """Hook in."""
    app.connect("autodoc-process-docstring", process)
