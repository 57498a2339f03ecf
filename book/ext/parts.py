"""What else there is of a chapter, under its title: the notebook alive in the browser, slides, and both on paper.

The links lead out of the site, to where ``tools/publish.py`` puts the other parts.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform

from ext import nodes as make
from ext.chapters import files

if TYPE_CHECKING:
    from sphinx.application import Sphinx

FOLDER = "notebooks/"


def lite(doc: str) -> str:
    """Where a chapter's notebook opens in the browser, seen from the chapter's page."""
    return f"../lite/notebooks/index.html?path={quote(doc.removeprefix(FOLDER))}.ipynb"


def papers(doc: str) -> list[nodes.Node | str]:
    """Links to a chapter's slides and to what is printed of it, seen from the chapter's page."""
    name = quote(doc.removeprefix(FOLDER))
    own = ((f"../slides/{name}.html", "Slides of this chapter"), (f"../pdf/{name}.pdf", "the slides as PDF"))
    links = (
        *(own if name < "9" else ()),  # what is looked up has no slides
        ("../pdf/book.pdf", "The whole book as PDF"), ("../slides/index.html", "all slides"),
    )  # fmt: skip
    row: list[nodes.Node | str] = []
    for address, words in links:
        row += [" · "] if row else []
        row.append(nodes.reference("", words, refuri=address))
    return row


class Parts(SphinxPostTransform):
    """Put the row of links under a chapter's title."""

    default_priority = 5

    def run(self, **kwargs: Any) -> None:
        doc = self.env.docname
        if not self.config.tcpnotes_parts or not doc.startswith(FOLDER):
            return
        title = next(iter(self.document.findall(nodes.title)), None)
        if title is None or title.parent is None:
            return
        button = nodes.reference("", "Run it here", refuri=lite(doc), classes=["run-here"])
        note = (
            " Python starts in your browser: about 15 MB and, the first time, up to half a minute."
            " Nothing is installed, nothing is sent away."
        )
        rows = [make.paragraph([button, note], css="parts")]
        if doc in files(Path(self.app.srcdir) / "_toc.yml"):  # what is looked up has no slides
            rows.append(make.paragraph(papers(doc), css="parts"))
        for row in reversed(rows):
            title.parent.insert(title.parent.index(title) + 1, row)


def setup(app: Sphinx) -> None:
    """Hook in."""
    app.add_config_value("tcpnotes_parts", False, "env", bool)
    app.add_post_transform(Parts)
