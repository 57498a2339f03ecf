"""Every link of the site leads somewhere: to a page, a file or an anchor that is there."""

from __future__ import annotations

import os
import re
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from site_pages import pages

from tcpnotes.source import item_ids

_STEP = re.compile(r"([\w-]+?)(?:\.(\d+))?@(\d+)$")


class _Reader(HTMLParser):
    """Links, anchors, and steppers with their numbers of steps."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.steppers: list[list[object]] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if given.get("id"):
            self.anchors.add(str(given["id"]))
        for name in ("href", "src"):
            if given.get(name):
                self.links.append(str(given[name]))
        if tag == "tcpnotes-stepper":
            self.steppers.append([given["data-scenario"], 0])
            self._inside = True
        if tag == "li" and self._inside:
            self.steppers[-1][1] = int(str(self.steppers[-1][1])) + 1

    def handle_endtag(self, tag: str) -> None:
        if tag == "tcpnotes-stepper":
            self._inside = False


@cache
def _read(path: Path) -> _Reader:
    reader = _Reader()
    reader.feed(path.read_text(encoding="utf-8"))
    return reader


def _wrong(site: Path, page: str, link: str) -> str | None:
    parts = urlsplit(link)
    if parts.scheme in ("http", "https", "mailto", "data"):
        return None
    if parts.scheme or parts.netloc or parts.path.startswith("/"):
        return "does not work under any prefix"
    target = (site / page).parent / unquote(parts.path) if parts.path else site / page
    beside = os.path.relpath(target, site)  # what publishing puts beside the pages
    if beside == "notebooks.zip":
        return None
    if beside.startswith("lite/"):
        if beside == "lite/lab/index.html":
            return None
        notebook = Path(__file__).parents[2] / "notebooks" / parse_qs(parts.query)["path"][0]
        return None if beside == "lite/notebooks/index.html" and notebook.is_file() else "there is no such notebook"
    if beside.startswith(("slides/", "pdf/")):
        name = Path(beside).stem
        chapter = Path(__file__).parents[2] / "notebooks" / f"{name}.ipynb"
        known = name in ("index", "book") or (name < "9" and chapter.is_file())
        return None if known else "there is no such chapter"
    if not target.exists():
        return "there is no such file"
    fragment = unquote(parts.fragment)
    if not fragment or target.suffix != ".html":
        return None
    read = _read(target.resolve())
    step = _STEP.fullmatch(fragment)
    if step:
        found = [count for name, count in read.steppers if name == step[1]]
        nth = int(step[2] or 1)
        if nth > len(found) or not 1 <= int(step[3]) <= int(str(found[nth - 1])):
            return "no stepper of that name has that step"
    elif fragment not in read.anchors:
        return "there is no such anchor"
    return None


def test_no_link_is_broken(site: Path) -> None:
    seen: dict[tuple[str, str], str | None] = {}
    broken = []
    for page in pages(site):
        if page == "404.html":
            continue  # its links are made where it is shown; a test of its own looks at them
        folder = str(Path(page).parent)
        for link in _read((site / page).resolve()).links:
            key = (page if link.startswith("#") else folder, link)
            if key not in seen:
                seen[key] = _wrong(site, page, link)
            if seen[key]:
                broken.append(f"{page}: {link}: {seen[key]}")
    assert broken == []
    assert len(seen) > 1000


def test_no_page_names_another_host_but_to_link_to_it(site: Path) -> None:
    loading = re.compile(
        r"""<(?:script|img|iframe|source|link(?![^>]*rel="(?:canonical|author)"))[^>]*\b(?:src|href)="(?:https?:)?//[^"]+"""
    )
    found = [f"{page}: {hit[0]}" for page in pages(site) for hit in loading.finditer((site / page).read_text("utf-8"))]
    assert found == []


def test_every_page_says_what_it_may_load(site: Path) -> None:
    silent = [
        page for page in pages(site)
        if "script-src 'self'" not in (site / page).read_text("utf-8")[:3000]
    ]  # fmt: skip
    assert silent == []


def test_items_and_functions_lead_to_each_other(site: Path) -> None:
    assert "../functions/tcp_send_fin.html" in _read((site / "items/1.3.html").resolve()).links
    assert "../items/1.3.html" in _read((site / "functions/tcp_send_fin.html").resolve()).links


def test_a_chapter_leads_to_the_items_and_functions_it_names_and_they_lead_back(site: Path) -> None:
    chapter = "notebooks/01_what_does_close_do_first.html"
    links = _read((site / chapter).resolve()).links
    assert "../functions/tcp_close.html" in links
    assert "../items/1.3a.html" in links
    assert f"../{chapter}" in _read((site / "functions/tcp_close.html").resolve()).links
    assert f"../{chapter}" in _read((site / "items/1.3a.html").resolve()).links


def test_the_table_of_items_leads_to_the_frames_that_show_them(site: Path) -> None:
    page = "notebooks/93_where_is_each_item_shown.html"
    frames = [link for link in _read((site / page).resolve()).links if _STEP.search(unquote(link))]
    assert len(frames) == len([id for id in item_ids() if not id.endswith("fig")])
    assert not [link for link in _read((site / page).resolve()).links if "cell-id" in link]
