"""A notebook that nobody has trusted yet: JupyterLab takes scripts, styles, drawings and our elements out.

What remains tells all the same.  `Cleaned` does to an output what JupyterLab's cleaning does: of some tags nothing
stays, of unknown ones their contents.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html import escape
from html.parser import HTMLParser
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))

KEPT = {
    "a", "b", "blockquote", "br", "button", "caption", "code", "col", "colgroup", "dd", "details", "div", "dl",
    "dt", "em", "fieldset", "figcaption", "figure", "form", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "img",
    "input", "kbd", "label", "legend", "li", "ol", "option", "p", "pre", "q", "s", "samp", "section", "select",
    "small", "span", "strong", "sub", "summary", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "u",
    "ul",
}  # fmt: skip
GONE = {"script", "style", "svg", "textarea", "noscript"}
ALONE = {"br", "col", "hr", "img", "input"}
ATTRIBUTES = {"alt", "class", "dir", "href", "id", "lang", "name", "open", "src", "title", "type", "value"}
_STEPPER = re.compile(r"<tcpnotes-stepper\b.*?</tcpnotes-stepper>", re.DOTALL)
_DATA = re.compile(r'<script type="application/json" class="tn-data">(.*?)</script>', re.DOTALL)


class Cleaned(HTMLParser):
    """What is left of an output."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._inside: list[str] = []  # tags of which nothing stays
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in GONE:
            self._inside.append(tag)
        elif not self._inside and tag in KEPT:
            kept = "".join(f' {name}="{escape(value or "")}"' for name, value in attrs if name in ATTRIBUTES)
            self.parts.append(f"<{tag}{kept}>")

    def handle_endtag(self, tag: str) -> None:
        if tag in GONE:
            if self._inside and self._inside[-1] == tag:
                self._inside.pop()
        elif not self._inside and tag in KEPT - ALONE:
            self.parts.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        if not self._inside:
            self.parts.append(escape(data, quote=False))

    @property
    def html(self) -> str:
        return "".join(self.parts)

    @property
    def words(self) -> str:
        return " ".join(re.sub(r"<[^>]*>", " ", self.html).split())


def outputs(path: Path) -> Iterator[str]:
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        for output in cell.get("outputs", ()):
            html = "".join(output.get("data", {}).get("text/html", ""))
            if html:
                yield html


def test_cleaning__takes_out_what_could_act() -> None:
    inside = '<style>a{}</style><p onclick="x()">here <svg><text>drawn</text></svg></p>'
    cleaned = Cleaned(f'<my-box onclick="x()">{inside}</my-box><script>x()</script>')
    assert cleaned.html == "<p>here </p>" and cleaned.words == "here"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_each_stepper_has_its_list_of_steps_and_its_ladder(path: Path) -> None:
    for html in outputs(path):
        for stepper in _STEPPER.findall(html):
            [data] = _DATA.findall(stepper)
            steps = json.loads(data)["steps"]
            left = Cleaned(stepper).html
            [listed] = re.findall(r"<ol>(.*?)</ol>", left, re.DOTALL)
            lines = re.findall(r"<li>(.*?)</li>", listed, re.DOTALL)
            assert len(lines) == len(steps) > 0
            for line, step in zip(lines, steps, strict=True):
                assert re.match(r"\d+\.\d{3} s  \S", line)
                assert escape(step["c"], quote=False) in line and line.startswith(f"{step['t']} s  ")
                assert all(f"[{id}]" in line for id in step.get("i", ()))
            assert re.search(r'<details[^>]* open=""><summary>[^<]+: all \d+ steps as text</summary>', left)
            assert re.search(r'<img alt="[^"]+" src="data:image/svg\+xml;base64,[\w+/=]+">', left)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_each_picture_keeps_its_words(path: Path) -> None:
    for html in outputs(path):
        if "tn-picture" in html:
            [twin] = re.findall(r"<pre>(.*?)</pre>", Cleaned(html).html, re.DOTALL)
            assert len(twin.split()) > 5


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_each_question_keeps_its_choices_and_its_answer(path: Path) -> None:
    for html in outputs(path):
        left = Cleaned(html)
        if "<tcpnotes-quiz" in html:
            choices = re.findall(r"<li>.*?</li>", left.html, re.DOTALL)
            assert len(choices) >= 4 and "✓" in left.html and "<summary>" in left.html
        if "<tcpnotes-predict" in html:
            asked = set(re.findall(r">(\?\d+)<", left.html))
            [answers] = re.findall(r"<pre>(.*?)</pre>", left.html, re.DOTALL)
            assert asked and "?" not in answers
