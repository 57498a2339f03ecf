"""Links that nobody writes: where prose names a kernel function, an item, a counter, an error or an RFC."""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging

from ext import chapters
from ext import nodes as make
from ext.pages import known

log = logging.getLogger(__name__)
_RFC = re.compile(r"\bRFC (\d+)\b")
_CELL = re.compile(r"(\d\d_\w+)\.ipynb#cell-id=[\w-]+")
_NOTEBOOK = re.compile(r"/.*/(notebooks/\d\d_\w+)")
_PAGE = re.compile(r"\.\./book/([\w-]+)\.md")
_FRAME = re.compile(r"[\w-]+(?:\.\d+)?@\d+")
_NOT_IN = (nodes.reference, nodes.title, nodes.literal_block, nodes.caption, nodes.citation)


class FindNames(SphinxPostTransform):
    """Make links of names, in chapters and in the pages that are made."""

    default_priority = 3  # before references are resolved

    def run(self, **kwargs: Any) -> None:
        doc = self.env.docname
        if doc.startswith("api/") or self.app.builder.format != "html":
            return
        for node in list(self.document.findall(nodes.literal)):
            target = self._of_code(node.astext())
            if target and target[0] != doc and not _inside(node, _NOT_IN):
                node.replace_self(make.link(node.deepcopy(), *target, css="fn"))
        for text in list(self.document.findall(nodes.Text)):
            if not _inside(text, (*_NOT_IN, nodes.literal, nodes.raw)):
                self._in_text(text, doc)

    def _of_code(self, text: str) -> tuple[str, str] | None:
        what = known(self.app).facts
        name = text.removesuffix("()")
        if f"functions/{name}" in self.env.found_docs:
            return f"functions/{name}", ""
        if text in what.counters:
            return "words", f"counter-{text}"
        if text in what.errors:
            return "words", f"error-{text}"
        return None

    def _in_text(self, node: nodes.Text, doc: str) -> None:
        text = node.astext()
        found: list[tuple[int, int, nodes.Node]] = []
        for start, end, id in chapters.item_ranges(text):
            if f"items/{id}" in self.env.found_docs and doc != f"items/{id}":
                found.append((start, end, make.item(id)))
        cited = getattr(self.env.get_domain("cite"), "citations", ())
        anchors = {entry.key: entry.citation_id for entry in cited}
        if doc != "bibliography":
            for match in _RFC.finditer(text):
                anchor = anchors.get(f"rfc{match[1]}")
                if anchor:
                    found.append((match.start(), match.end(), make.link(match[0], "bibliography", anchor)))
        if not found:
            return
        made: list[nodes.Node] = []
        at = 0
        for start, end, link in sorted(found, key=lambda one: one[0]):
            made += [nodes.Text(text[at:start]), link]
            at = end
        made.append(nodes.Text(text[at:]))
        assert node.parent is not None
        node.parent.replace(node, made)


class FindChapters(SphinxPostTransform):
    """Links between notebooks.  Where an output links to a cell: to the frame that the link names, or to the page."""

    default_priority = 2  # before references are resolved

    def run(self, **kwargs: Any) -> None:
        for node in list(self.document.findall(nodes.reference)):
            match = _CELL.fullmatch(node.get("refuri", ""))
            if match:
                frame = node.astext() if _FRAME.fullmatch(node.astext()) else ""
                node.replace_self(make.link(node.astext(), f"notebooks/{match[1]}", frame))
        for asked in self.document.findall(addnodes.pending_xref):
            # The folder of the notebooks is a link to where they are, which is outside of the book.
            match = _NOTEBOOK.fullmatch(asked["reftarget"] or "") if asked.get("refdomain") == "doc" else None
            if match:
                asked["reftarget"] = match[1]
        # And from there a page of the book is beside it; the parser of Jupyter Book does not find that by itself.
        for asked in list(self.document.findall(addnodes.pending_xref)):
            match = _PAGE.fullmatch(asked["reftarget"] or "")
            if match:
                asked.replace_self(make.link(asked.astext(), match[1]))


class Resolve(SphinxPostTransform):
    """Give the links that `ext.nodes` made their addresses."""

    default_priority = 4

    def run(self, **kwargs: Any) -> None:
        for node in list(self.document.findall(nodes.reference)):
            doc = node.get("book_doc")
            if doc is None:
                continue
            if doc not in self.env.found_docs:
                log.warning("there is no page %s to link to", doc, location=node)
                continue
            fragment = node["book_fragment"]
            if doc == self.env.docname:
                node["refuri"] = f"#{fragment}"
            else:
                node["refuri"] = self.app.builder.get_relative_uri(self.env.docname, doc) + (
                    f"#{fragment}" if fragment else ""
                )


def _inside(node: nodes.Node, kinds: tuple[type[nodes.Node], ...]) -> bool:
    parent = node.parent
    while parent is not None:
        if isinstance(parent, kinds):
            return True
        parent = parent.parent
    return False
