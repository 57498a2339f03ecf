"""The source, item by item.

The book follows one text: the chapter on closing a TCP connection in a walk
through the network code of Linux 2.4 (December 2000).  Each thing that the text
says has an id that never changes; library, notebooks, tests and slides all speak
of it by that id.  Ids, steps and names stand in ``items.toml``, the sentences, one
file for each language, in ``items.en.toml`` and its like; another language is
another such file.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple


class Item(NamedTuple):
    """One thing that the source says.

    ``names`` are the functions, fields and states as the text spells them, and
    ``released`` are the same as Linux 2.4.0 spells them, place by place.
    """

    id: str
    step: str
    text: str
    names: tuple[str, ...]
    released: tuple[str, ...]

    @property
    def respelt(self) -> tuple[tuple[str, str], ...]:
        """The names that the released code spells differently: pairs (text, released)."""
        return tuple((ours, theirs) for ours, theirs in zip(self.names, self.released, strict=True) if ours != theirs)


def read_toml(name: str) -> dict[str, Any]:
    """A file of this package as a dictionary."""
    return tomllib.loads(files(__package__).joinpath(name).read_text(encoding="utf-8"))


@cache
def languages(what: str = "items") -> tuple[str, ...]:
    """The languages that there are sentences in."""
    names = (entry.name.split(".") for entry in files(__package__).iterdir())
    return tuple(sorted(name[1] for name in names if len(name) == 3 and name[0] == what and name[2] == "toml"))


@cache
def items(language: str = "en") -> tuple[Item, ...]:
    """All items in the order of the text, in ``language``; ValueError when there is no text in that language."""
    if language not in languages():
        raise ValueError(f"There is no text in language {language!r}; there are: {', '.join(languages())}.")
    texts = read_toml(f"items.{language}.toml")
    found = []
    for entry in read_toml("items.toml")["item"]:
        names = tuple(entry.get("names", ()))
        behind = entry.get("released", {})
        released = tuple(behind.get(name, name) for name in names)
        found.append(Item(entry["id"], entry["step"], texts[entry["id"]], names, released))
    return tuple(found)


@cache
def item_ids() -> tuple[str, ...]:
    """The ids in the order of the text."""
    return tuple(entry.id for entry in items())


def item(id: str, language: str = "en") -> Item:
    """The item with that id; a ValueError that says how ids look when there is none."""
    for entry in items(language):
        if entry.id == id:
            return entry
    raise ValueError(f"There is no item {id!r} in the source; ids run from {item_ids()[0]} to {item_ids()[-1]}.")
