"""What else there is of a chapter, under its title: the notebook alive in the browser.

The links lead out of the site, to where ``tools/publish.py`` puts the other parts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform

from ext import nodes as make

if TYPE_CHECKING:
    from sphinx.application import Sphinx

FOLDER = "notebooks/"


def lite(doc: str) -> str:
    """Where a chapter's notebook opens in the browser, seen from the chapter's page."""
    return f"../lite/notebooks/index.html?path={quote(doc.removeprefix(FOLDER))}.ipynb"


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
        note = " Python starts in your browser: 20 MB, half a minute the first time. Nothing is installed, nothing is sent away."
        title.parent.insert(title.parent.index(title) + 1, make.paragraph([button, note], css="parts"))


def setup(app: Sphinx) -> None:
    """Hook in."""
    app.add_config_value("tcpnotes_parts", False, "env", bool)
    app.add_post_transform(Parts)
