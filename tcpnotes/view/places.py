"""Where the chapters show an item or a kernel function: read from the notebooks as they were run.

Nothing is listed by hand: the steppers that are stored in a notebook carry the ids of the items and the call trees
of their steps, and those are read.  The folder is the one in which the notebooks stand together.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from html import unescape
from pathlib import Path
from typing import Any, NamedTuple

from tcpnotes.source import item_ids

_CHAPTER = re.compile(r"(0[1-9]|[1-8]\d)_\w+\.ipynb$")  # 00 is the guide, from 90 on stands what is looked up
_STEPPER = re.compile(
    r'<tcpnotes-stepper\b[^>]*\bdata-scenario="([^"]*)".*?'
    r'<script type="application/json" class="tn-data">(.*?)</script>',
    re.DOTALL,
)
_ANNOUNCED = re.compile(r"\*\*Items? ([^*]+)")
_ID = re.compile(r"\b(?:[1-7]\.(?:\d+[a-z]?|fig)|S\.\d+[a-z]?)\b")
_HIDDEN = {"remove-cell", "remove-output"}


class Place(NamedTuple):
    """A cell that shows something, and the frame of its stepper that does (none where the cell is one picture).

    ``number`` is the one beside the cell; ``frame`` is ``scenario@step``, counted from 1, or ``scenario.2@step``
    in the second stepper of that scenario in the notebook.
    """

    notebook: str
    cell: str
    number: int
    frame: str

    @property
    def chapter(self) -> str:
        """The chapter's number."""
        return self.notebook[:2]

    @property
    def text(self) -> str:
        """In words."""
        return f"{self.chapter} [{self.number}] {self.frame or 'the picture'}"

    @property
    def markdown(self) -> str:
        """A link that leads to the cell in JupyterLab, and on the book's site to the very frame."""
        name = self.frame or "the picture"
        return f"{self.chapter} \\[{self.number}\\] [{name}]({self.notebook}#cell-id={self.cell})"


class Shown(NamedTuple):
    """All places, by id of an item and by name of a kernel function; the best one is the first."""

    items: Mapping[str, Sequence[Place]]
    functions: Mapping[str, Sequence[Place]]


def shown(folder: str | Path = ".") -> Shown:
    """Read the chapters in ``folder``.  A ValueError when there are none, or one of them cannot be read."""
    paths = sorted(path for path in Path(folder).glob("*.ipynb") if _CHAPTER.match(path.name))
    if not paths:
        raise ValueError(f"There are no chapters in {str(folder)!r}: name the folder with the book's notebooks.")
    told: dict[str, list[Place]] = defaultdict(list)  # places in a chapter that says the item is its matter
    met: dict[str, list[Place]] = defaultdict(list)
    functions: dict[str, list[Place]] = defaultdict(list)
    for path in paths:
        announced: dict[str, int] = {}
        found: dict[str, list[tuple[int, Place]]] = defaultdict(list)
        for at, place, ids, names in _read(path, announced):
            for id in ids:
                found[id].append((at, place))
            for name in names:
                functions[name].append(place)
        for id, places in found.items():
            if id in announced:  # best: the first cell after the words that announce it
                told[id] += [place for _, place in sorted(places, key=lambda one: one[0] < announced[id])]
            else:
                met[id] += [place for _, place in places]
    return Shown({id: told[id] + met[id] for id in item_ids() if id in told or id in met}, functions)


def _read(path: Path, announced: dict[str, int]) -> Iterator[tuple[int, Place, Sequence[str], Sequence[str]]]:
    """(number of the cell, place, ids, functions) for everything that is first seen there; fills ``announced``."""
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    except (OSError, ValueError, KeyError) as error:
        raise ValueError(f"{path.name} is not a notebook that can be read: {error}.") from error
    steppers: Counter[str] = Counter()
    before = ""
    for at, cell in enumerate(cells):
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            for ids in _ANNOUNCED.findall(source):
                for id in _ID.findall(ids):
                    announced.setdefault(id, at)
            before = source
        elif not _HIDDEN & set(cell["metadata"].get("tags", ())):
            for output in cell.get("outputs", ()):
                html = "".join(output.get("data", {}).get("text/html", ""))
                where = Place(path.name, cell["id"], cell.get("execution_count") or 0, "")
                if "tn-picture" in html:
                    yield at, where, [id for id in _ID.findall(before) if id.endswith("fig")], ()
                for name, data in _STEPPER.findall(html):
                    scenario = unescape(name)
                    steppers[scenario] += 1
                    nth = f".{steppers[scenario]}" if steppers[scenario] > 1 else ""
                    for step, ids, names in _steps(json.loads(data)):
                        yield at, where._replace(frame=f"{scenario}{nth}@{step}"), ids, names
            before = ""


def _steps(data: Mapping[str, Any]) -> Iterator[tuple[int, Sequence[str], Sequence[str]]]:
    """The steps of a stepper, from 1, with the items and the functions that are first seen at them."""
    seen: set[int] = set()
    told: set[str] = set()
    for number, step in enumerate(data["steps"], 1):
        tree, lines, _ = step["k"]
        fresh = dict.fromkeys(word for _, word in data["trees"][tree][:lines] if word not in seen)
        seen.update(fresh)
        ids = [id for id in step.get("i", ()) if id not in told]
        told.update(ids)
        yield number, ids, [data["words"][word] for word in fresh]
