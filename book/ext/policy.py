"""The last touch on every page: what it need not load goes, and it says what it may load.

A page's Content-Security-Policy names this host alone.  Scripts that stand inside a page run only when they are the
theme's own, which are known here by how they begin, and by their hash in the page.  What all steppers of a notebook
share comes from one file, so the copy in the notebook's output goes.  Any other script inside a page is an error.
Scripts from files come side by side, and run when the page is there.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from sphinx.util import logging

if TYPE_CHECKING:
    from sphinx.application import Sphinx

log = logging.getLogger(__name__)

_SCRIPT = re.compile(r"<script\b([^>]*)>(.*?)</script\s*>", re.DOTALL | re.IGNORECASE)
_TYPE = re.compile(r"""\btype\s*=\s*["']?([^"'\s>]+)""", re.IGNORECASE)
_OURS = ('(()=>{if(customElements.get("tcpnotes-',)
_THEME = (
    "document.documentElement.dataset.mode", "DOCUMENTATION_OPTIONS.", "window.MathJax", "// Activate the search field",
    "// Find the way home",
    # What Jupyter Book's extensions put into pages: settings of buttons, which the policy keeps from going elsewhere.
    "var togglebuttonSelector", "let toggleHintShow", "let toggleHintHide", "let toggleOpenOnPrint",
    "const THEBE_JS_URL",
    "const thebe_",
    "kernelName =",
)  # fmt: skip
# What is left of a notebook's cell whose output was the script above.
_EMPTY = re.compile(
    r'<div class="cell[^"]*"[^>]*>\s*<div class="cell_output[^"]*">\s*<div class="output text_html">'
    r"\s*</div>\s*</div>\s*</div>"
)
_MARK = '<meta http-equiv="Content-Security-Policy"'
_EXECUTED = ("text/javascript", "application/javascript", "module")
# The index of all words, half a megabyte, is for the page of results: the field that leads there does not need it.
_SEARCH = re.compile(
    r"\s*<script\b[^>]*\ssrc=\"[^\"]*(?:_static/searchtools|_static/language_data|searchindex)\.js[^>]*></script>"
)
# 1.5 MB that draw the theme's icons as SVG; its style sheet has them as a font too.
_ICONS = re.compile(
    r"\s*<script[^>]*\bscripts/fontawesome\.js[^>]*></script>(\s*<link[^>]*\bscripts/fontawesome\.js[^>]*>)?"
)


# Scripts for which the parser would stop, one after the other: with a policy in the page it does not look ahead.
_HEAD = re.compile(r"<head>.*?</head>", re.DOTALL)
_WAITS = re.compile(r"<script(?=[^>]*\ssrc=)(?![^>]*\s(?:async|defer|type)\b)")
# Settings that nothing reads but the theme's choice of versions and its results while one types: the book has neither.
_SETTINGS = re.compile(r"\s*<script>\s*DOCUMENTATION_OPTIONS\.[^<]*</script>")


class Touched(NamedTuple):
    """A page as it is published, and the scripts in it that are nobody's."""

    html: str
    strange: list[str]


def policy(hashes: list[str]) -> str:
    """What a page with these scripts inside may load."""
    scripts = " ".join(["'self'", *(f"'sha256-{one}'" for one in hashes)])
    return (
        f"default-src 'self'; script-src {scripts}; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "font-src 'self'; connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'"
    )


# Small things of the theme and of writers that keep a page from being accessible to everybody.
_REPAIRS = (
    # A button's name must contain what can be read on it.
    (re.compile(r'(<button class="[^"]*\bsearch-button-field\b[^"]*"[^>]*?)\s+aria-label="[^"]*"'), r"\1"),
    (re.compile(r'<summary aria-label="Toggle hidden content">'), "<summary>"),
    # The arrow of a page that has others under it in the contents.
    (re.compile(r'<summary>(?=<span class="toctree-toggle")'), '<summary aria-label="Pages under it">'),
    # A corner of a table that says nothing is no heading.
    (re.compile(r'<th class="head[^"]*"><p></p></th>'), "<td></td>"),
    # All that is on a page lies in some landmark.
    (
        re.compile(r'<div id="pst-primary-sidebar" '),
        '<div id="pst-primary-sidebar" role="complementary" aria-label="The book" ',
    ),
    # Roles that the standard has given up, or that their element cannot have.
    (re.compile(r' role="doc-biblioentry"'), ""),
    (re.compile(r'<div role="list" class="citation-list">'), '<div class="citation-list">'),
)


def touch(html: str, searching: bool = False) -> Touched:
    """A page with its policy, without what it need not load; ``searching``: it is the page of results."""
    strange: list[str] = []
    hashes: list[str] = []

    def look(match: re.Match[str]) -> str:
        attributes, text = match[1], match[2]
        kind = _TYPE.search(attributes)
        if re.search(r"\bsrc\s*=", attributes) or (kind and kind[1].lower() not in _EXECUTED):
            return match[0]
        body = text.strip()
        if body.startswith(_OURS):
            return ""
        if body.startswith(_THEME):
            digest = hash_of(text)
            if digest not in hashes:
                hashes.append(digest)
        elif body:
            strange.append(body[:60])
        return match[0]

    html = _ICONS.sub("", html)
    html = _EMPTY.sub("", _SCRIPT.sub(look, html if searching else _SEARCH.sub("", html)))
    for pattern, better in _REPAIRS:
        html = pattern.sub(better, html)
    meta = f'{_MARK} content="{policy(sorted(hashes))}">'
    head = re.search(r"<meta charset=[^>]*>", html)
    at = head.end() if head else html.index("<head>") + len("<head>")
    return Touched(f"{html[:at]}\n    {meta}{html[at:]}", strange)


def hurry(html: str) -> str:
    """A page whose scripts come side by side, and run when the page is there."""
    return _HEAD.sub(lambda head: _WAITS.sub("<script defer", _SETTINGS.sub("", head[0])), html, count=1)


def hash_of(script: str) -> str:
    """A script's hash as a policy spells it."""
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def pages(folder: Path) -> Iterator[Path]:
    """The pages of a site."""
    for path in sorted(folder.rglob("*.html")):
        if "_static" not in path.relative_to(folder).parts:
            yield path


def finish(app: Sphinx, error: Exception | None) -> None:
    """Touch all pages that were written."""
    if error or app.builder.name not in ("html", "dirhtml"):
        return
    for path in pages(Path(app.outdir)):
        html = path.read_text(encoding="utf-8")
        if _MARK in html:
            continue
        searching = path.name == "search.html"
        done = touch(html if searching else hurry(html), searching)
        for script in done.strange:
            log.warning("%s holds a script that is not the book's and will not run: %s…", path.name, script)
        path.write_text(done.html, encoding="utf-8")
    for name in ("fontawesome.js", "fontawesome.js.map"):
        (Path(app.outdir) / "_static" / "scripts" / name).unlink(missing_ok=True)


def setup(app: Sphinx) -> None:
    """Hook in."""
    app.connect("build-finished", finish)
