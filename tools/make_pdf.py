"""Print the decks and the book: one PDF a deck, and one of the whole book with bookmarks.

    make_pdf.py [DIR]           DIR: where to, book/_build/pdf unless told

Chromium prints what `make site` and `make slides` have built (every stepper is a film strip there); pypdf puts the
pages of the book together, with an outline, and turns links between them into links inside the one document.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote, urlsplit

import yaml
from serving import served, started

if TYPE_CHECKING:
    from playwright.sync_api import Browser
    from pypdf import PageObject, PdfReader, PdfWriter
    from pypdf.generic import ArrayObject

ROOT = Path(__file__).resolve().parents[1]
BUILT = ROOT / "book" / "_build"
SITE, SLIDES = BUILT / "site", BUILT / "slides"
HEADINGS = """[...document.querySelectorAll("h1, h2, h3, h4, h5")].map((one) => {
    const copy = one.cloneNode(true);
    copy.querySelectorAll(".headerlink").forEach((link) => link.remove());
    return copy.textContent.trim();
})"""
FOOT = (
    '<div style="width:100%;font:7pt Arial,sans-serif;color:#57606a;padding:0 15mm;display:flex">'
    '<span style="flex:1">{}</span><span class="pageNumber"></span></div>'
)


class Page(NamedTuple):
    """A page of the book: its document, the part of the book in which it stands."""

    doc: str
    part: str


def contents() -> list[Page]:
    """The pages of the book in their order; those that list modules are for the screen."""
    listed = yaml.safe_load((ROOT / "book" / "_toc.yml").read_text(encoding="utf-8"))
    pages = [Page(listed["root"], "")]
    for part in listed["parts"]:
        pages += [Page(entry["file"], part["caption"]) for entry in part["chapters"] if "file" in entry]
    return [page for page in pages if page.doc != "api" and (SITE / f"{page.doc}.html").is_file()]


def title() -> str:
    """The title of the book."""
    return str(yaml.safe_load((ROOT / "book" / "_config.yml").read_text(encoding="utf-8"))["title"])


def print_decks(browser: Browser, folder: Path) -> Iterator[Path]:
    """Every deck, a page for each slide and for each of its parts that appear later."""
    with served(SLIDES) as address:
        for deck in sorted(path.stem for path in SLIDES.glob("*.html") if path.stem != "index"):
            page = browser.new_page(viewport={"width": 1280, "height": 720}, color_scheme="light")
            page.goto(f"{address}{deck}.html?print-pdf")
            page.wait_for_selector("html.deck-ready", state="attached")
            page.wait_for_selector(".pdf-page")
            name = page.title()
            made = page.pdf(
                width="1280px", height="720px", print_background=True, outline=True, tagged=True,
                margin={"top": "0", "bottom": "0", "left": "0", "right": "0"},
            )  # fmt: skip
            page.close()
            target = folder / f"{deck}.pdf"
            target.write_bytes(described(made, name, address))
            yield target


def described(made: bytes, name: str, address: str) -> bytes:
    """A PDF that says what it is, without the hour and without the addresses of the machine that made it."""
    from pypdf import PdfReader, PdfWriter

    writer = PdfWriter(clone_from=PdfReader(BytesIO(made)))
    relink(writer, {}, address)
    return finished(writer, name)


def finished(writer: PdfWriter, name: str) -> bytes:
    """The bytes of a PDF, with its title."""
    from pypdf.generic import create_string_object

    writer.metadata = {"/Title": create_string_object(name), "/Author": "The tcpnotes authors"}
    writer.xmp_metadata = None
    out = BytesIO()
    writer.write(out)
    return out.getvalue()


def print_book(browser: Browser, folder: Path) -> Path:
    """The pages of the site as one document."""
    from pypdf import PdfReader, PdfWriter

    writer = PdfWriter()
    first: dict[str, int] = {}
    with served(SITE) as address:
        shelf: dict[str, Any] = {}
        for entry in contents():
            made, said = print_page(browser, address, entry.doc)
            reader = PdfReader(BytesIO(made))
            start = first[entry.doc] = add(writer, reader)
            if entry.part and entry.part not in shelf:
                shelf[entry.part] = writer.add_outline_item(title=entry.part, page_number=start)
            hang(writer, reader, reader.outline, start, shelf.get(entry.part), said)
        relink(writer, first, address)
    target = folder / "book.pdf"
    writer.compress_identical_objects()
    target.write_bytes(finished(writer, title()))
    return target


def print_page(browser: Browser, address: str, doc: str) -> tuple[bytes, dict[str, str]]:
    """One page of the site, and its headings by their letters: Chromium's bookmarks lose spaces where a line ends."""
    page = browser.new_page(viewport={"width": 900, "height": 1200}, color_scheme="light")
    page.goto(f"{address}{doc}.html")
    page.wait_for_load_state("load")
    said = {bare(line): line for line in page.evaluate(HEADINGS)}
    made = page.pdf(
        format="A4", margin={"top": "16mm", "bottom": "18mm", "left": "15mm", "right": "15mm"},
        print_background=True, outline=True, tagged=True, display_header_footer=True,
        header_template="<span></span>", footer_template=FOOT.format(title()),
    )  # fmt: skip
    page.close()
    return made, said


def bare(words: str) -> str:
    """The letters of a line."""
    return "".join(words.split())


def add(writer: PdfWriter, reader: PdfReader) -> int:
    """Append a document; the number of its first page."""
    from pypdf.generic import NameObject

    start = len(writer.pages)
    for page in reader.pages:
        writer.add_page(page)
    # Names of places are those of one page of the site; in the book they would mean many.
    named = reader.named_destinations
    for annotation in (one for page in writer.pages[start:] for one in over(page)):
        name = str(annotation.get("/Dest", ""))
        if name in named:
            number = reader.get_destination_page_number(named[name]) or 0
            annotation[NameObject("/Dest")] = place(writer, start + number, named[name].top)
    return start


def over(page: PageObject) -> list[Any]:
    """What lies over a page: links."""
    return [reference.get_object() for reference in page.get("/Annots") or ()]


def place(writer: PdfWriter, number: int, top: Any = None) -> ArrayObject:
    """A place in the document, as links and bookmarks name it."""
    from pypdf.generic import ArrayObject, FloatObject, NameObject, NullObject

    height = NullObject() if top is None else FloatObject(top)
    where = writer.pages[number].indirect_reference
    assert where is not None
    return ArrayObject([where, NameObject("/XYZ"), NullObject(), height, NullObject()])


def hang(writer: PdfWriter, reader: PdfReader, entries: Any, start: int, parent: Any, said: dict[str, str]) -> None:
    """Put an outline's entries into another, with what hangs below them; ``said``: headings by their letters."""
    from pypdf.generic import Fit

    made = parent
    for entry in entries:
        if isinstance(entry, list):
            hang(writer, reader, entry, start, made, said)
            continue
        number = start + (reader.get_destination_page_number(entry) or 0)
        top = Fit.xyz(top=float(entry.top)) if entry.top is not None else Fit.fit()
        name = said.get(bare(str(entry.title)), str(entry.title).strip())
        made = writer.add_outline_item(title=name, page_number=number, parent=parent, fit=top)


def relink(writer: PdfWriter, first: dict[str, int], address: str) -> None:
    """Links between pages of the book lead inside the document; those to pages that are not in it are taken away.

    Where the address at which the site will stand is known (the variable TCPNOTES_URL), they lead there.
    """
    from pypdf.generic import ArrayObject, DictionaryObject, NameObject, create_string_object

    base = os.environ.get("TCPNOTES_URL", "").rstrip("/")
    for page in writer.pages:
        kept = ArrayObject()
        for reference in page.get("/Annots") or ():
            annotation = reference.get_object()
            action = annotation.get("/A", DictionaryObject()).get_object()
            link = str(action.get("/URI", ""))
            if link.startswith(address):
                doc = unquote(urlsplit(link).path).lstrip("/").removesuffix(".html")
                if doc in first:
                    del annotation["/A"]
                    annotation[NameObject("/Dest")] = place(writer, first[doc])
                elif base:
                    action[NameObject("/URI")] = create_string_object(f"{base}/{link.removeprefix(address)}")
                else:
                    continue
            kept.append(reference)
        if "/Annots" in page:
            page[NameObject("/Annots")] = kept


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="make_pdf.py", description="Print the decks and the book.")
    parser.add_argument("folder", nargs="?", type=Path, default=BUILT / "pdf", metavar="DIR")
    folder = parser.parse_args(arguments).folder.resolve()
    for built, target in ((SITE / "index.html", "make site"), (SLIDES / "index.html", "make slides")):
        if not built.is_file():
            parser.error(f"there is nothing to print yet: {target}.")
    if folder.exists() and any(path.suffix != ".pdf" for path in folder.iterdir()):
        parser.error(f"{folder} holds files that are no PDFs; name an empty folder.")
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.pdf"):
        old.unlink()
    with started() as browser:
        for made in (*print_decks(browser, folder), print_book(browser, folder)):
            print(f"{made.name}: {made.stat().st_size / 1e6:.1f} MB", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
