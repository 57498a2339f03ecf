"""Fast copies of plain data: functions written once for each class, from the names of its fields."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any


def copier(
    cls: type, fields: Iterable[str], copied: Mapping[str, str] | None = None, **known: Any
) -> Callable[[Any], Any]:
    """Build a function that copies an ``old`` thing of class ``cls``, field by field.

    Fields are shared with the copy, but for those in ``copied``, which says by what expression they are; ``known``
    are names that these need.
    """
    copied = copied or {}
    lines = ["def copy(old):", "    new = make(cls)"]
    for name in fields:
        lines.append(f"    new.{name} = {copied.get(name, 'old.' + name)}")
    lines.append("    return new")
    space: dict[str, Any] = {"make": cls.__new__, "cls": cls, **known}
    exec("\n".join(lines), space)  # our own text, made from the fields above
    made: Callable[[Any], Any] = space["copy"]
    return made


def freezer(fields: Iterable[str]) -> Callable[[Any], tuple[object, ...]]:
    """Build a function that gives the ``fields`` of a thing as a tuple."""
    made: Callable[[Any], tuple[object, ...]] = eval(  # our own text, made from the names of fields
        f"lambda thing: ({', '.join(f'thing.{name}' for name in fields)},)"
    )
    return made
