"""What the chapters speak of: read from the notebooks as they are, so that a new chapter needs no entry anywhere."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import yaml

ITEM = r"(?:[1-7]\.(?:\d+[a-z]?|fig)|S\.\d+[a-z]?)"
_ITEMS = re.compile(rf"\b[Ii]tems?\s+({ITEM}(?:(?:\s*,\s*|\s+and\s+|\s*,\s*and\s+|\s+or\s+|\s+to\s+){ITEM})*)")
_CODE = re.compile(r"`([^`\n]+)`")
_RUN = re.compile(r"""\b(?:play|step|run)\(\s*["']([a-z][a-z0-9_]*)["']""")


class Chapter(NamedTuple):
    """A chapter: the document's name, its title (a question), its first sentences, and what it speaks of."""

    doc: str
    title: str
    opening: str
    items: frozenset[str]
    code: frozenset[str]  # words that are set as code
    scenarios: frozenset[str]


def item_ranges(text: str) -> list[tuple[int, int, str]]:
    """Where a text names items after the word "item(s)": (start, end, id)."""
    found = []
    for match in _ITEMS.finditer(text):
        for one in re.finditer(ITEM, match[1]):
            start = match.start(1) + one.start()
            found.append((start, start + len(one[0]), one[0]))
    return found


def named_items(text: str, known: Iterable[str]) -> set[str]:
    """The items that a text names; "items 1.0 to 1.6" names all of them that are known."""
    order = list(known)
    found = set()
    for match in _ITEMS.finditer(text):
        ids = [one for one in re.findall(ITEM, match[1]) if one in order]
        found.update(ids)
        for first, last in re.findall(rf"({ITEM})\s+to\s+({ITEM})", match[1]):
            if first in order and last in order:
                found.update(order[order.index(first) : order.index(last) + 1])
    return found


def read(path: Path, doc: str, known: Iterable[str]) -> Chapter:
    """A chapter from its notebook; ``known`` are the ids of all items, in order."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    texts = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"]
    codes = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    title, _, opening = (texts[0] if texts else "").partition("\n")
    whole = "\n\n".join(texts)
    return Chapter(
        doc,
        title.lstrip("# ").strip() or path.stem,
        opening.strip().split("\n\n")[0].replace("\n", " "),
        frozenset(named_items(whole, known)),
        frozenset(word.removesuffix("()") for word in _CODE.findall(whole)),
        frozenset(name for code in codes for name in _RUN.findall(code)),
    )


def files(contents: Path) -> list[str]:
    """The guide and the chapters under ``notebooks/`` that the contents list, in order; what is looked up is none."""
    listed = yaml.safe_load(contents.read_text(encoding="utf-8"))
    entries = [entry for part in listed["parts"] for entry in part["chapters"]]
    return [entry["file"] for entry in entries if re.match(r"notebooks/[0-8]\d_", entry.get("file", ""))]


def read_all(book: Path, known: Iterable[str]) -> list[Chapter]:
    """All chapters in their order; ``book`` is the folder with ``_toc.yml``."""
    order = list(known)
    found = [(doc, book / f"{doc}.ipynb") for doc in files(book / "_toc.yml")]
    return [read(path, doc, order) for doc, path in found if path.is_file()]  # Sphinx tells of those that are missing
