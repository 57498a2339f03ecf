"""Text of scenarios stays text: in the page, in the data of its stepper, in titles, in drawings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from docutils import nodes
from markdown_it import MarkdownIt

from ext import nodes as make
from ext.pages import plain
from ext.static import script, style
from tcpnotes.scenarios import load
from tcpnotes.widgets import play

WILD = (
    "</script><script>hit(1)</script> <img src=x onerror=hit(2)> \"q\" 'r' ]]> <!-- "
    "\u202egnp.exe\u202c &amp; {{3}} `a` *b* \\"
)


def wild(tmp_path: Path) -> Any:
    text = WILD.replace("\\", "\\\\").replace('"', '\\"')
    path = tmp_path / "wild.toml"
    path.write_text(
        f'title = "{text}"\nabout = "{text}"\nshows = []\nscript = [{{ at = 1.0, host = "A", call = "close" }}]\n',
        "utf-8",
    )
    return load(path)


def test_a_wild_title_is_data_in_the_page(tmp_path: Path) -> None:
    html = play(wild(tmp_path)).stepper().page(alone=False)
    assert "<script>hit" not in html
    assert "<img src=x" not in html
    assert html.count("</script>") == 1


@pytest.mark.browser
def test_a_wild_title_is_shown_as_it_stands(
    tmp_path: Path, visit: Callable[..., Any], serve: Callable[[Path], str]
) -> None:
    stepper = play(wild(tmp_path)).stepper().page(alone=False)
    (tmp_path / "index.html").write_text(
        f"<!doctype html><meta charset=utf-8><style>{style()}</style><script>window.hits = []; "
        f"window.hit = (n) => hits.push(n);</script><script>{script()}</script>{stepper}",
        encoding="utf-8",
    )
    seen = visit()
    seen.page.goto(serve(tmp_path), wait_until="load")
    root = seen.page.locator("tcpnotes-stepper")
    root.locator("[data-action=last]").click()
    assert root.locator(".tn-title").text_content() == WILD
    assert seen.page.evaluate("window.hits") == []
    assert seen.errors == []


def test_made_pages_hold_text_as_text() -> None:
    paragraph = make.paragraph(WILD.replace("`a`", "a"))
    assert paragraph.astext() == WILD.replace("`a`", "a")
    assert not list(paragraph.findall(nodes.raw))


def test_a_wild_title_makes_no_mark_up() -> None:
    html = MarkdownIt().render(f"# {plain(WILD)}")
    assert "<script" not in html
    assert "<img" not in html
    assert "<em>" not in html
    assert "<code>" not in html
