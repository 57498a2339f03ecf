"""Which chapter of the book explains an item of the source."""

from __future__ import annotations

from functools import cache
from pathlib import Path

_BY_STEP = {"1": 1, "2": 2, "3": 3, "4": 4, "5": 5, "6": 5, "7": 5}
_BESIDE = {"S.1": 6, "S.2": 10, "S.3": 8, "S.4": 9, "S.5": 9, "S.6": 7, "S.7": 11}
_ITEMS = {"1.1": 7, "1.1a": 7, "1.1b": 7, "1.2": 7, "4.1": 7, "4.1a": 7, "4.1b": 7, "S.4d": 8}


@cache
def chapter(item: str) -> int:
    """The number of the chapter that explains ``item`` where it ends a connection."""
    if item in _ITEMS:
        return _ITEMS[item]
    return _BESIDE[item[:3]] if item.startswith("S.") else _BY_STEP[item.partition(".")[0]]


@cache
def link(item: str) -> str:
    """Where to read about ``item``: the chapter's notebook where the book is at hand, else the chapter's number."""
    number = f"{chapter(item):02}"
    folder = Path(__file__).parents[2] / "notebooks"
    found = sorted(path.name for path in folder.glob(f"{number}_*.ipynb")) if folder.is_dir() else []
    return f"notebooks/{found[0]}" if found else f"chapter {number}"
