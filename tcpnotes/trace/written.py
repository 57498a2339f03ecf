"""The list in which a run is written down: plain tuples as hosts write them, records for whoever looks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, SupportsIndex, get_args

from tcpnotes.trace.records import Record

_CLASSES: dict[str, Any] = {cls._field_defaults["kind"]: cls for cls in get_args(Record)}


class Written(list[Record]):
    """Records in order.

    A host appends a plain tuple, the fields of a record in order, the last of them its kind: that takes half the
    time, and most are never looked at.  By whatever way somebody looks, there are records.
    """

    __slots__ = ()

    def look(self) -> Written:
        """The list itself, once all in it are records."""
        plain: list[Any] = self
        at = len(plain)
        while at > 0 and type(fields := list.__getitem__(plain, at - 1)) is tuple:
            at -= 1
            list.__setitem__(plain, at, tuple.__new__(_CLASSES[fields[-1]], fields))
        return self

    def __iter__(self) -> Iterator[Record]:
        return list.__iter__(self.look())

    def __reversed__(self) -> Iterator[Record]:
        return list.__reversed__(self.look())

    def __getitem__(self, place: SupportsIndex | slice) -> Any:
        return list.__getitem__(self.look(), place)

    def __add__(self, more: list[Any]) -> list[Any]:
        return [*self, *more]

    def __radd__(self, before: list[Any]) -> list[Any]:
        return [*before, *self]

    def __repr__(self) -> str:
        return list.__repr__(self.look())

    def copy(self) -> list[Record]:
        """A plain list of them."""
        return list(self)

    def pop(self, place: SupportsIndex = -1) -> Record:
        """Take one out."""
        return list.pop(self.look(), place)
