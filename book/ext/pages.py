"""The files of pages that nobody writes: one for each kernel function, item, scenario and module.

Each holds a title and one directive; the directive makes the page (`ext.reference`).  A file changes when what its page
says does, and only then: that is what makes a second build short.
"""

from __future__ import annotations

import hashlib
import pkgutil
import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from sphinx.util import logging

import tcpnotes
from ext import chapters, facts
from ext.chapters import Chapter
from tcpnotes.kernel.mirror import FUNCTIONS
from tcpnotes.source import item_ids

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.config import Config


log = logging.getLogger(__name__)


class Known(NamedTuple):
    """All that pages are made of."""

    facts: facts.Facts
    chapters: list[Chapter]

    def speak_of(self, item: str | None = None, code: str | None = None) -> list[Chapter]:
        """The chapters that speak of an item, or of a word that is set as code."""
        return [one for one in self.chapters if item in one.items or code in one.code]


def known(app: Sphinx) -> Known:
    """What is known in this build; read once."""
    found = getattr(app, "tcpnotes_known", None)
    if found is None:
        book = Path(app.srcdir)
        found = Known(facts.gather(book / "_build"), chapters.read_all(book, item_ids()))
        app.tcpnotes_known = found  # type: ignore[attr-defined]
    return found


@cache
def modules() -> tuple[str, ...]:
    """The public modules of the library, packages before what is in them; those that cannot be loaded are told of."""
    found = ["tcpnotes"]
    for module in pkgutil.walk_packages(tcpnotes.__path__, "tcpnotes.", onerror=lambda _: None):
        if any(part.startswith("_") for part in module.name.split(".")):
            continue
        try:
            import_module(module.name)
        except ImportError as error:
            log.warning("%s cannot be loaded and has no page: %s", module.name, error)
        else:
            found.append(module.name)
    return tuple(sorted(found))


def plain(text: str) -> str:
    """A line of text in Markdown, in which nothing is mark-up."""
    return re.sub(r"([\\`*_{}\[\]<>$&#])", r"\\\1", " ".join(text.split()))


def _markdown(title: str, directive: str, argument: str, digest: str) -> str:
    bare = "" if directive == "kernel-function" else "html_theme.sidebar_secondary.remove: true\n"
    return f"---\norphan: true\n{bare}---\n\n# {title}\n\n```{{{directive}}} {argument}\n:state: {digest}\n```\n"


def _rest(module: str) -> str:
    """The page of a module: what is defined in it, and, for a package, what it takes from its modules."""
    title = f"``{module}``"
    text = f":orphan:\n\n{title}\n{'=' * len(title)}\n\n:doc:`All modules </api>`\n\n"
    text += (
        f".. automodule:: {module}\n   :members:\n   :undoc-members:\n   :show-inheritance:\n   :ignore-module-all:\n"
    )
    offered = _offered(module)
    if offered:
        text += "\nIt offers: " + ", ".join(offered) + ".\n"
    return text


def _offered(module: str) -> list[str]:
    """Links to what a package offers by its own name and has from elsewhere."""
    loaded = import_module(module)
    found = []
    for name in getattr(loaded, "__all__", ()):
        thing = getattr(loaded, name)
        home = getattr(thing, "__module__", None)
        if home != module:
            plain = isinstance(thing, type) or callable(thing)
            found.append(f":py:obj:`{name} <{home}.{thing.__name__}>`" if plain and home else f"``{name}``")
    return found


def generated(what: Known) -> Iterator[tuple[str, str]]:
    """Path under the book and text of every generated file."""

    def digest(*parts: object) -> str:
        return hashlib.sha256(repr((what.facts.digest, parts)).encode()).hexdigest()[:12]

    for name in FUNCTIONS:
        state = digest([chapter.doc for chapter in what.speak_of(code=name)])
        yield f"functions/{name}.md", _markdown(f"`{name}`", "kernel-function", name, state)
    for id in what.facts.items:
        state = digest([chapter.doc for chapter in what.speak_of(item=id)])
        yield f"items/{id}.md", _markdown(f"Item {id}", "item", id, state)
    from tcpnotes.scenarios import load

    for name in what.facts.profiles:
        state = digest([chapter.doc for chapter in what.chapters if name in chapter.scenarios])
        yield f"scenarios/{name}.md", _markdown(plain(load(name).title), "scenario", name, state)
    for module in modules():
        yield f"api/{module}.rst", _rest(module)


FOLDERS = ("functions", "items", "scenarios", "api")


def write(app: Sphinx, config: Config) -> None:
    """Bring the generated files up to date: write what differs, remove what is not wanted any more."""
    book = Path(app.srcdir)
    wanted = dict(generated(known(app)))
    for path, text in wanted.items():
        file = book / path
        file.parent.mkdir(exist_ok=True)
        if not file.is_file() or file.read_text(encoding="utf-8") != text:
            file.write_text(text, encoding="utf-8")
    for folder in FOLDERS:
        for file in (book / folder).iterdir():
            if f"{folder}/{file.name}" not in wanted:
                file.unlink()


def sweep(app: Sphinx, error: Exception | None) -> None:
    """Take away the pages of an earlier build whose files are gone."""
    if error or app.builder.name != "html":
        return
    for folder in (*FOLDERS, "notebooks"):
        for page in (Path(app.outdir) / folder).glob("*.html"):
            if f"{folder}/{page.stem}" not in app.env.found_docs:
                page.unlink()
