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
    name = cls.__name__
    lines = [f"def copy(old: {name}) -> {name}:", f"    new = {name}.__new__({name})"]
    lines += [f"    new.{field} = {copied.get(field, 'old.' + field)}" for field in fields]
    text = "\n".join([*lines, "    return new"])
    space: dict[str, Any] = {name: cls, **known}
    exec("from __future__ import annotations\n" + text, space)  # our own text, made from the fields above
    made: Any = space["copy"]
    made.text = text  # a compiled engine has it written out (tools/native.py)
    return made  # type: ignore[no-any-return]


def freezer(fields: Iterable[str]) -> Callable[[Any], tuple[object, ...]]:
    """Build a function that gives the ``fields`` of a thing as a tuple."""
    made: Callable[[Any], tuple[object, ...]] = eval(  # our own text, made from the names of fields
        f"lambda thing: ({', '.join(f'thing.{name}' for name in fields)},)"
    )
    return made
