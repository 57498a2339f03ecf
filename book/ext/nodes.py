"""Small pieces that the generated pages are made of.  All text goes in as text nodes, so nothing needs escaping."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TypeAlias

from docutils import nodes

Content: TypeAlias = "str | nodes.Node | Sequence[Content]"


def inline(content: Content) -> list[nodes.Node]:
    """Words with ``code`` and `code` in backticks, nodes, or a row of both."""
    if isinstance(content, nodes.Node):
        return [content]
    if not isinstance(content, str):
        return [node for part in content for node in inline(part)]
    made: list[nodes.Node] = []
    for i, piece in enumerate(re.split(r"``(.+?)``|`(.+?)`", content)):
        if piece:
            made.append(nodes.Text(piece) if i % 3 == 0 else code(piece))
    return made


def code(text: str) -> nodes.literal:
    """Something set as code."""
    return nodes.literal(text, text)


def link(content: Content, doc: str, fragment: str = "", css: str = "") -> nodes.reference:
    """A link to another page of the book; `ext.links` makes an address of it, and complains if there is none."""
    made = nodes.reference("", "", *inline(content), internal=True, book_doc=doc, book_fragment=fragment)
    if css:
        made["classes"] += css.split()
    return made


def function(name: str) -> nodes.reference:
    """A link to the page of a kernel function."""
    return link(code(name), f"functions/{name}", css="fn")


def item(id: str) -> nodes.reference:
    """A link to the page of an item."""
    return link(id, f"items/{id}", css="item")


def scenario(name: str, step: int | None = None, nth: int = 1) -> nodes.reference:
    """A link to the page of a scenario, at a step of its ``nth`` stepper."""
    at = f"{name}{'' if nth == 1 else f'.{nth}'}@{step}" if step else ""
    words: list[str | nodes.Node] = [code(name), f", step {step}"] if step else [code(name)]
    return link(words, f"scenarios/{name}", at)


def listed(values: Iterable[Content], separator: str = ", ") -> list[nodes.Node]:
    """Values in a row."""
    made: list[nodes.Node] = []
    for value in values:
        made += [nodes.Text(separator)] if made else []
        made += inline(value)
    return made


def paragraph(*content: Content, css: str = "") -> nodes.paragraph:
    """A paragraph."""
    made = nodes.paragraph("", "", *inline(content))
    if css:
        made["classes"] += css.split()
    return made


def bullets(values: Iterable[Content]) -> nodes.bullet_list:
    """A list with bullets."""
    return nodes.bullet_list("", *(nodes.list_item("", paragraph(value)) for value in values))


def section(title: Content, id: str, *body: nodes.Node) -> nodes.section:
    """A section with a heading."""
    return nodes.section("", nodes.title("", "", *inline(title)), *body, ids=[id], names=[id])


def fields(rows: Iterable[tuple[str, Content]]) -> nodes.table:
    """A table of names and values."""
    return table(None, [(name, value) for name, value in rows], css="facts", stub=True)


def table(
    head: Sequence[str] | None, rows: Iterable[Sequence[Content]], css: str = "", ids: Sequence[str] = (),
    stub: bool = False,
) -> nodes.table:  # fmt: skip
    """A table; ``ids`` are anchors, one a row; ``stub``: the first column holds headings."""
    rows = list(rows)
    columns = len(head or rows[0])
    specs = [nodes.colspec(colwidth=1) for _ in range(columns)]
    if stub:
        specs[0]["stub"] = 1
    group = nodes.tgroup("", *specs, cols=columns)
    if head:
        group += nodes.thead("", _row(head))
    body = nodes.tbody("")
    for number, row in enumerate(rows):
        made = _row(row)
        if ids:
            made["ids"] = [ids[number]]
            # Writers leave out the id of a row: the first cell carries it.
            first = made[0]
            assert isinstance(first, nodes.entry)
            first.insert(0, nodes.target("", "", ids=[ids[number]]))
            made["ids"] = []
        body += made
    group += body
    return nodes.table("", group, classes=["table", *css.split()])


def _row(cells: Iterable[Content]) -> nodes.row:
    return nodes.row("", *(nodes.entry("", paragraph(cell)) for cell in cells))


def source(text: str, language: str, caption: str = "") -> nodes.literal_block:
    """A listing that can be copied."""
    made = nodes.literal_block(text, text, language=language)
    if caption:
        made["names"] = [caption]
    return made
