"""Make the decks: one for each chapter, from the same cells, with nbconvert and the template in slides/.

    make_slides.py [DIR]        DIR: where to, book/_build/slides unless told

A cell's slide type says where it goes.  Beyond that: claims, exercises, solutions and asides stay in the book, and so
does a section whose heading has no slide type.  What is typed is shown only where the page shows it and nothing is
drawn beneath.  How much fits on a slide is found out in the browser (slides/fit.js).

What a speaker is to know stands in slides/notes/, a file for each chapter with the stem of its notebook: under the
title what belongs to the title slide, under `## ID` what belongs to the slide or sub-slide that cell ID begins.
"""

from __future__ import annotations

import argparse
import difflib
import html
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "book"), str(ROOT)]

from ext import chapters, policy, static  # noqa: E402  (they lie in book/)
from tcpnotes.source import item_ids  # noqa: E402

OWN = ROOT / "slides"
NOTES = OWN / "notes"
MODULES = ROOT / "node_modules"
SHARED = ROOT / "book" / "_static"
MINUTES = 45
NOT_SHOWN = frozenset({"claim", "exercise", "solution", "excursion", "remove-cell", "skip-slide"})
PLAIN_INPUT = frozenset({"hide-input", "remove-input", "hide-cell"})
END = {
    "heading": "To read on",
    "page": "The chapter, with exercises and background",
    "paper": "These slides on paper, with every step of every run",
    "decks": "All decks",
}


class Deck(NamedTuple):
    """What the template is told of a chapter."""

    name: str  # of its files: that of the notebook
    doc: str
    number: str
    title: str
    title_html: str
    opening_html: str
    items: tuple[str, ...]
    book: str
    plan: str
    said_html: str
    end: dict[str, str]


def order(found: set[str] | frozenset[str]) -> tuple[str, ...]:
    """Ids in the order of the text."""
    return tuple(id for id in item_ids() if id in found)


def on_slides(cells: list[Any]) -> list[Any]:
    """The cells of a notebook that its deck shows, with what the template needs to know of them."""
    kept: list[Any] = []
    left_out = False
    part = 0
    for cell in cells:
        kind = cell.metadata.get("slideshow", {}).get("slide_type", "-")
        if cell.cell_type == "markdown" and cell.source.startswith("## "):
            left_out = kind == "-"
        if left_out or kind == "skip" or NOT_SHOWN & set(cell.metadata.get("tags", ())):
            continue
        if kind in ("slide", "subslide"):
            part = 0
        elif kind == "fragment":
            part += 1
        cell.metadata.part = part
        cell.metadata.hidden = bool(PLAIN_INPUT & set(cell.metadata.get("tags", ()))) or says_enough(cell)
        kept.append(cell)
    return kept


def says_enough(cell: Any) -> bool:
    """Whether a cell's result needs no code above it: what is drawn, and what one line asked for."""
    if cell.cell_type != "code" or not cell.outputs:
        return False
    return "\n" not in cell.source or any(
        {"text/html", "text/markdown"} & set(output.get("data", ())) for output in cell.outputs
    )


def exporter() -> Any:
    """nbconvert's exporter of slides with our template; it asks for nothing outside this folder."""
    from nbconvert import SlidesExporter
    from traitlets.config import Config

    config = Config()
    config.NbConvertBase.display_data_priority = ["text/html", "text/markdown", "text/plain"]
    config.HTMLExporter.exclude_anchor_links = True
    made: Any = SlidesExporter
    return made(config=config, template_name="template", extra_template_basedirs=[str(OWN)])


def speaker_script() -> str:
    """The hash of the one script in reveal.js's speaker view, which is a page that its plugin writes."""
    node = ROOT / ".venv" / "bin" / "node"
    command = [str(node) if node.exists() else "node", str(OWN / "speaker.mjs"), str(plugin().with_suffix(".mjs"))]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return policy.hash_of(done.stdout)


def plugin() -> Path:
    """The plugin for speakers."""
    return MODULES / "reveal.js" / "dist" / "plugin" / "notes.js"


def split_opening(source: str) -> tuple[str, str]:
    """A chapter's first cell: its title, and what follows."""
    title, _, rest = source.partition("\n")
    return title.lstrip("# ").strip(), rest.strip()


def begins(cells: list[Any]) -> list[Any]:
    """Of the cells that a deck shows after its title: those that begin a slide or a sub-slide."""
    kinds = [cell.metadata.get("slideshow", {}).get("slide_type") for cell in cells]
    return [cell for at, cell in enumerate(cells) if at == 0 or kinds[at] in ("slide", "subslide")]


def read_notes(path: Path, title: str, ids: list[str]) -> dict[str, str]:
    """A chapter's notes by the id of the cell, the title slide's under ""; none without a file.

    ``ids`` are those of `begins`.  SystemExit when a note has no slide, or a heading no note.
    """
    if not path.is_file():
        return {}
    before, *parts = re.split(r"^(##? .*)$", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    name = f"{path.parent.name}/{path.name}"
    if before.strip() or not parts or parts[0].strip() != f"# {title}":
        sys.exit(f'{name}: it is to begin with the title of its chapter, "# {title}".')
    found: dict[str, str] = {}
    for at, (heading, text) in enumerate(zip(parts[::2], parts[1::2], strict=True)):
        id = heading.removeprefix("## ").strip() if at else ""
        where = f'{name}, "{heading.strip()}":'
        if at and id not in ids:
            near = difflib.get_close_matches(id, ids, 1)
            remedy = f'is "{near[0]}" meant?' if near else "name one by the id of its first cell."
            sys.exit(f"{where} no slide or sub-slide of {path.stem}.ipynb begins with this cell; {remedy}")
        if id in found:
            sys.exit(f"{where} this slide has notes already; put both under one heading.")
        if not text.strip():
            sys.exit(f"{where} nothing stands under it; write the note or take the heading out.")
        if policy.touch(f"<head>{rendered(text)}").strange:
            sys.exit(f"{where} it holds a script; set it as code, or take it out.")
        found[id] = text.strip()
    return found


def page(path: Path, doc: str, convert: Any, speaker: str, notes: Path = NOTES) -> tuple[Deck, str]:
    """A chapter's deck: what is said of it, and its page, with its notes from the folder ``notes``.

    SystemExit when a script in it is nobody's, or a note has no slide.
    """
    import nbformat

    chapter = chapters.read(path, doc, item_ids())
    notebook = nbformat.read(path, as_version=4)
    notebook.cells = on_slides(notebook.cells)
    if not notebook.cells or not notebook.cells[0].source.startswith("# "):
        sys.exit(f"{path.name}: its first cell is to be its title, on a slide; see the guide for authors.")
    title, opening = split_opening(notebook.cells.pop(0).source)
    if not notebook.cells:
        sys.exit(f"{path.name}: none of its cells has a slide type; see the guide for authors.")
    firsts = begins(notebook.cells)
    said = read_notes(notes / f"{path.stem}.md", title, [cell.id for cell in firsts])
    for cell in firsts:
        cell.metadata.said = said.get(cell.id, "")
    number = re.match(r"\d+", path.stem)
    deck = Deck(
        path.stem, doc, str(int(number[0])) if number else "", title,
        rendered(title).removeprefix("<p>").removesuffix("</p>"), rendered(opening), order(chapter.items), book_title(),
        f"A lecture of {MINUTES} minutes. The exercises and the background are in the chapter.",
        rendered(said.get("", "")), END,
    )  # fmt: skip
    body, _ = convert.from_notebook_node(notebook, {"deck": deck})
    touched = policy.touch(body)
    if touched.strange:
        sys.exit(f"{path.name}: an output holds a script that is not the book's: {touched.strange[0]}…")
    allowed = touched.html.replace("script-src 'self'", f"script-src 'self' 'sha256-{speaker}'", 1)
    return deck, allowed


def rendered(source: str) -> str:
    """Markdown as nbconvert renders it."""
    from nbconvert.filters import markdown2html

    return str(markdown2html(source)).strip() if source else ""


def book_title() -> str:
    """The title of the book."""
    import yaml

    return str(yaml.safe_load((ROOT / "book" / "_config.yml").read_text(encoding="utf-8"))["title"])


def write_shared(folder: Path) -> None:
    """Scripts and styles that all decks load."""
    reveal = MODULES / "reveal.js" / "dist"
    if not reveal.is_dir():
        sys.exit("make_slides.py: reveal.js is not in node_modules; make slides fetches it.")
    folder.mkdir(parents=True)
    shutil.copy(reveal / "reveal.js", folder)
    shutil.copy(reveal / "reveal.css", folder)
    shutil.copy(plugin(), folder)
    for file in (*OWN.glob("*.js"), *OWN.glob("*.css"), *SHARED.glob("filmstrip.*"), SHARED / "favicon.svg"):
        shutil.copy(file, folder)
    (folder / "tcpnotes.js").write_text(static.script(), encoding="utf-8")
    (folder / "tcpnotes.css").write_text(static.style() + pictures(), encoding="utf-8")


def pictures() -> str:
    """The style that pictures outside of steppers bring with them."""
    from tcpnotes.view import picture

    return f"{picture._FIGURE}{picture._GALLERY}\n"


def index(decks: list[Deck]) -> str:
    """The page that lists the decks."""
    rows = "".join(
        f'<li><a class="deck-name" href="{deck.name}.html">{deck.title_html}</a>'
        f"<p>{html.escape('Items ' + ', '.join(deck.items)) if deck.items else ''}</p>"
        f'<p><a href="../pdf/{deck.name}.pdf" aria-label="On paper: {html.escape(deck.title)}">on paper (PDF)</a> · '
        f'<a href="../{deck.doc}.html" aria-label="The chapter: {html.escape(deck.title)}">the chapter</a></p></li>'
        for deck in decks
    )
    head = (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Slides · {html.escape(book_title())}</title>\n"
        '<link rel="icon" href="_static/favicon.svg" type="image/svg+xml">\n'
        '<script src="_static/colours.js"></script>\n<link rel="stylesheet" href="_static/deck.css">\n</head>\n'
    )
    return policy.touch(
        f'{head}<body class="deck-list"><main>\n<h1>Slides</h1>\n'
        f'<p><a href="../index.html">{html.escape(book_title())}</a>: one deck a chapter, {MINUTES} minutes each, '
        "from the same cells. The steps of every run can be walked through on the slide. <kbd>s</kbd> opens the "
        "speaker's view with notes and a clock.</p>\n"
        f'<ol start="{decks[0].number or 1}">{rows}</ol>\n'
        '<p><a href="../pdf/book.pdf">The whole book on paper (PDF)</a></p>\n</main></body>\n</html>\n'
    ).html


def build(folder: Path) -> Iterator[Deck]:
    """Write all decks, their list and what they share; yields each deck as it is done."""
    # Sphinx tells of those that are missing.
    docs = [doc for doc in chapters.files(ROOT / "book" / "_toc.yml") if (ROOT / f"{doc}.ipynb").is_file()]
    for path in sorted(NOTES.glob("*.md")):
        if path.stem not in {Path(doc).name for doc in docs}:
            sys.exit(f"{NOTES.name}/{path.name}: there is no chapter of this name; name it like its notebook.")
    if folder.exists():
        shutil.rmtree(folder)
    write_shared(folder / "_static")
    convert, speaker = exporter(), speaker_script()
    decks = []
    for doc in docs:
        deck, text = page(ROOT / f"{doc}.ipynb", doc, convert, speaker)
        (folder / f"{deck.name}.html").write_text(text, encoding="utf-8")
        decks.append(deck)
        yield deck
    (folder / "index.html").write_text(index(decks), encoding="utf-8")


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="make_slides.py", description="One deck a chapter.")
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "book" / "_build" / "slides", metavar="DIR")
    folder = parser.parse_args(arguments).folder.resolve()
    if folder.exists() and any(folder.iterdir()) and not (folder / "_static" / "reveal.js").is_file():
        parser.error(f"{folder} holds files that are no decks; name an empty folder.")
    decks = list(build(folder))
    print(f"{len(decks)} decks: {folder / 'index.html'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
