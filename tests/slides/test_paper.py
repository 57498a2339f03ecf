"""What is printed: every step of every run is a frame, the book has bookmarks, no link leads to who made it."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from deck_walk import ROOT, listed

pytestmark = pytest.mark.browser

DECKS = listed()
_DATA = re.compile(r'<tcpnotes-stepper.*?<script\b[^>]*class="tn-data"[^>]*>(.*?)</script>', re.DOTALL)


@cache
def read(path: Path) -> Any:
    from pypdf import PdfReader

    return PdfReader(path)


@cache
def text(path: Path) -> str:
    """The text of a PDF without the white space that setting it has put in."""
    return bare(" ".join(page.extract_text() for page in read(path).pages))


def bare(words: str) -> str:
    return re.sub(r"\s+", "", words)


def frames(html: str) -> Counter[str]:
    """The sentences of all steps of all steppers of a page, and how often each is there."""
    return Counter(bare(step["c"]) for data in _DATA.findall(html) for step in json.loads(data)["steps"])


def missing(wanted: Counter[str], printed: str) -> list[str]:
    return [said for said, times in wanted.items() if printed.count(said) < times]


def links(reader: Any) -> Iterator[str]:
    for page in reader.pages:
        for reference in page.get("/Annots") or ():
            action = reference.get_object().get("/A")
            if action is not None and "/URI" in action.get_object():
                yield str(action.get_object()["/URI"])


def headings(entries: Any, depth: int = 0) -> Iterator[tuple[int, str]]:
    for entry in entries:
        if isinstance(entry, list):
            yield from headings(entry, depth + 1)
        else:
            yield depth, str(entry.title)


@pytest.mark.parametrize("name", DECKS)
def test_a_printed_deck_has_every_frame(name: str, papers: Path, slides: Path) -> None:
    wanted = frames((slides / f"{name}.html").read_text(encoding="utf-8"))
    assert wanted
    assert missing(wanted, text(papers / f"{name}.pdf")) == []


@pytest.mark.parametrize("name", DECKS)
def test_a_printed_slide_is_a_page(name: str, papers: Path) -> None:
    sizes = {tuple(round(float(side)) for side in page.mediabox[2:]) for page in read(papers / f"{name}.pdf").pages}
    assert sizes == {(960, 540)}


def test_the_printed_book_has_every_frame_of_every_chapter(papers: Path, site: Path) -> None:
    printed = text(papers / "book.pdf")
    for name in DECKS:
        wanted = frames((site / "notebooks" / f"{name}.html").read_text(encoding="utf-8"))
        assert missing(wanted, printed) == [], name


def test_bookmarks_lead_to_every_chapter_and_its_sections(papers: Path) -> None:
    reader = read(papers / "book.pdf")
    found = list(headings(reader.outline))
    said = {title for _, title in found}
    for name in DECKS:
        cells = json.loads((ROOT / "notebooks" / f"{name}.ipynb").read_text(encoding="utf-8"))["cells"]
        title = "".join(cells[0]["source"]).splitlines()[0].lstrip("# ").replace("`", "")
        assert title in said, name
    assert (0, "The close, step by step") in found
    assert any(depth == 2 and title == "Takeaways" for depth, title in found)


@pytest.mark.parametrize("name", [*DECKS, "book"])
def test_no_link_leads_to_the_machine_that_printed_it(name: str, papers: Path) -> None:
    strange = [link for link in links(read(papers / f"{name}.pdf")) if not link.startswith(("https://", "http://www."))]
    assert strange == []


def test_links_between_chapters_lead_inside_the_book(papers: Path) -> None:
    inside = 0
    for page in read(papers / "book.pdf").pages:
        inside += sum("/Dest" in reference.get_object() for reference in page.get("/Annots") or ())
    assert inside > 20


@pytest.mark.parametrize("name", [*DECKS, "book"])
def test_a_pdf_says_what_it_is_and_not_when_or_where_it_was_made(name: str, papers: Path) -> None:
    said = read(papers / f"{name}.pdf").metadata
    assert said.title and said.author == "The tcpnotes authors"
    assert "/CreationDate" not in said
