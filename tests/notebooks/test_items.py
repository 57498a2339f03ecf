"""Every item that a chapter is about is shown by a cell of it: by id, in the data of a stepper or of a ladder's run."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tcpnotes.source import item_ids

ROOT = Path(__file__).resolve().parents[2]

# chapter -> the step, or the beginning of the ids, that it explains
CHAPTERS = {
    "01": ("1.",), "02": ("2.",), "03": ("3.",), "04": ("4.", "6."), "05": ("5.", "7."), "06": ("S.1",), "07": ("S.6",),
    "08": ("S.3",), "09": ("S.4", "S.5"), "10": ("S.2",), "11": ("S.7",),
}  # fmt: skip
_DATA = re.compile(r'<script type="application/json" class="tn-data">(.*?)</script>', re.DOTALL)


def notebook(number: str) -> dict[str, Any]:
    [path] = (ROOT / "notebooks").glob(f"{number}_*.ipynb")
    loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


def shown(book: dict[str, Any]) -> dict[str, list[tuple[str, int]]]:
    """Where a notebook shows items: id → (cell, step counted from 1), from the data that its steppers carry."""
    found: dict[str, list[tuple[str, int]]] = {}
    for cell in book["cells"]:
        for output in cell.get("outputs", ()):
            html = "".join(output.get("data", {}).get("text/html", ""))
            for data in _DATA.findall(html):
                for number, step in enumerate(json.loads(data).get("steps", ()), 1):
                    for id in step.get("i", ()):
                        found.setdefault(id, []).append((cell["id"], number))
    return found


def figures(book: dict[str, Any]) -> list[str]:
    """Ids of figures that a Markdown cell announces and the cell after it draws as a ladder."""
    found = []
    for before, after in zip(book["cells"], book["cells"][1:], strict=False):
        drawn = any("tn-picture" in "".join(o.get("data", {}).get("text/html", "")) for o in after.get("outputs", ()))
        if before["cell_type"] == "markdown" and drawn:
            found += re.findall(r"\b(\d\.fig)\b", "".join(before["source"]))
    return found


@pytest.mark.parametrize("number", sorted(CHAPTERS))
def test_all_items_are_shown(number: str) -> None:
    book = notebook(number)
    wanted = [id for id in item_ids() if id.startswith(CHAPTERS[number])]
    there = {*shown(book), *figures(book)}
    assert [id for id in wanted if id not in there] == []


@pytest.mark.parametrize("number", sorted(CHAPTERS))
def test_the_prose_names_all_items(number: str) -> None:
    prose = "\n".join("".join(cell["source"]) for cell in notebook(number)["cells"] if cell["cell_type"] == "markdown")
    wanted = [id for id in item_ids() if id.startswith(CHAPTERS[number])]
    assert [id for id in wanted if not re.search(rf"(?<![\w.]){re.escape(id)}(?![\w])", prose)] == []


@pytest.mark.parametrize("number", sorted(CHAPTERS))
def test_items_first_appear_in_the_order_of_the_text(number: str) -> None:
    """In prose: the first heading paragraph of each item follows the text, sub-items with their item."""
    cells = [c for c in notebook(number)["cells"] if c["cell_type"] == "markdown"]
    pattern = r"\*\*Items? ([^*]*?)\. The (?:text says|released kernel)"
    told = [group for c in cells for group in re.findall(pattern, "".join(c["source"]))]
    steps = [re.findall(r"[\dS]\.\d+[a-z]?", group)[0] for group in told]
    if CHAPTERS[number][0][0].isdigit():  # of an item with its sub-items only the item
        steps = [step.rstrip("abcdefgh") for step in steps]
    wanted = [id for id in item_ids() if id.startswith(CHAPTERS[number])]
    assert steps == sorted(steps, key=item_ids().index) and len(steps) >= min(5, len(wanted))
