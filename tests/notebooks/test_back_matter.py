"""What is looked up (words, functions, literature, items) is complete, and says what the code and the chapters say."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tcpnotes.kernel.mirror import FUNCTIONS
from tcpnotes.source import glossary, item_ids, items, languages
from tcpnotes.view import shown

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = ROOT / "notebooks"
_RFC = re.compile(r"\bRFC (\d+)\b")


@cache
def _cells(number: str) -> list[dict[str, Any]]:
    [path] = NOTEBOOKS.glob(f"{number}_*.ipynb")
    cells: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return cells


def _prose(cells: list[dict[str, Any]]) -> str:
    return "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")


def _printed(number: str, kind: str = "text/plain") -> str:
    """All that the cells of a notebook show, as it is stored."""
    outputs = (output for cell in _cells(number) for output in cell.get("outputs", ()))
    return "\n".join("".join(output["data"].get(kind, "")) for output in outputs if "data" in output)


def _works() -> dict[str, dict[str, str]]:
    """The entries of the bibliography by key, with their fields; braces that keep capitals are taken out."""
    text = (ROOT / "book" / "references.bib").read_text(encoding="utf-8")
    found = {}
    for key, body in re.findall(r"^@\w+\{(\w+),\n(.*?)^\}", text, re.DOTALL | re.MULTILINE):
        fields = re.findall(r"^  (\w+) = \{(.*)\},$", body, re.MULTILINE)
        found[key] = {name: re.sub(r"[{}]", "", value) for name, value in fields}
    return found


def test_words__every_term_in_every_language() -> None:
    printed = _printed("90").splitlines()
    for language in languages("glossary"):
        for term in glossary(language):
            assert any(term.word in line.split(" / ") for line in printed), term.word
            assert f"    {term.meaning}" in printed


def test_functions__every_one_with_its_meaning_and_what_is_left_out() -> None:
    printed = _printed("91")
    listed = [line for line in printed.splitlines() if line in FUNCTIONS]
    assert sorted(listed) == sorted(FUNCTIONS)
    for entry in FUNCTIONS.values():
        [about] = re.findall(rf"^{entry.name}\n((?:    .*\n?)+)", printed, re.MULTILINE)
        assert about.startswith("    " + entry.doc.replace("`", "")), entry.name
        assert all(omitted.replace("`", "") in about for omitted in entry.omits), entry.name


def test_functions__stand_under_their_file() -> None:
    files = re.findall(r"^## `(.+)`$", _prose(_cells("91")), re.MULTILINE)
    assert files == sorted({entry.file for entry in FUNCTIONS.values()})
    for file, cell in zip(files, [c for c in _cells("91") if 'function_list("' in "".join(c["source"])], strict=True):
        assert f'"{file}"' in "".join(cell["source"])


@pytest.mark.parametrize("key", _works())
def test_literature__has_every_work_of_the_bibliography(key: str) -> None:
    prose = " ".join(_prose(_cells("92")).split()).lower()
    work = _works()[key]
    assert work["title"].partition(":")[0].lower() in prose
    assert work["year"] in prose or key == "posix"
    assert re.split(r",| and ", work["author"])[0].removeprefix("The ").lower() in prose


def test_literature__has_every_rfc_that_a_chapter_cites() -> None:
    cited = {
        number for path in sorted(NOTEBOOKS.glob("*.ipynb")) for number in _RFC.findall(_prose(_cells(path.name[:2])))
    }
    assert cited - {work.get("number") for work in _works().values()} == set()
    assert cited <= set(_RFC.findall(_prose(_cells("92"))))


def test_items__every_one_in_both_languages() -> None:
    printed = _printed("93")
    assert re.findall(r"^([1-7S]\.\w+)  ", printed, re.MULTILINE) == list(item_ids())
    for language in ("en", "ja"):
        assert all(f"    {one.text}\n" in printed + "\n" for one in items(language))


def test_items__every_one_has_a_cell_and_a_frame() -> None:
    rows = dict(re.findall(r"^([1-7S]\.\w+)  (.*)$", _printed("93"), re.MULTILINE))
    wrong = [
        (id, row) for id, row in rows.items()
        if not re.fullmatch(r"\d\d \[\d+\] " + ("the picture" if id.endswith("fig") else r"[\w-]+(\.\d+)?@\d+"), row)
    ]  # fmt: skip
    assert wrong == []


def test_items__stand_where_the_chapters_of_today_show_them() -> None:
    book = shown(NOTEBOOKS)
    printed = _printed("93").splitlines()
    stale = [id for id, places in book.items.items() if f"{id}  {places[0].text}" not in printed]
    assert stale == [], "run tools/notebooks.py run on the notebooks from 90 on"


def test_links_lead_to_a_file_and_a_cell_that_are_there() -> None:
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        number = path.name[:2]
        text = _prose(_cells(number)) + _printed(number, "text/markdown")
        for name, cell in re.findall(r"\]\(([\w./-]+)(?:#cell-id=([\w-]+))?\)", text):
            assert (NOTEBOOKS / name).is_file(), name
            assert not cell or cell in {one["id"] for one in _cells(name[:2])}, (name, cell)
