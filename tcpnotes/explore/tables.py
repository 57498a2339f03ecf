"""Tables of numbers that are looked up for many numbers at once, with numpy."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

try:
    import numpy as np
except ImportError:  # the plain search does without
    np = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[Any]

ODD = 0x9E3779B97F4A7C15  # 2^64 divided by the golden ratio: spreads numbers over all bits


class Column:
    """Numbers in a row that grows, with room to spare."""

    def __init__(self) -> None:
        self._room = np.zeros(64, dtype=np.int64)
        self._count = 0

    @property
    def all(self) -> Numbers:
        """The numbers so far."""
        return self._room[: self._count]

    def extend(self, numbers: Numbers) -> None:
        """Put more at the end."""
        count = self._count + len(numbers)
        if count > len(self._room):
            grown = np.zeros(max(count, 2 * len(self._room)), dtype=np.int64)
            grown[: self._count] = self.all
            self._room = grown
        self._room[self._count : count] = numbers
        self._count = count


class Numbered:
    """Numbers of 64 bits, of any sign, numbered from 0 on as they come: a table of places, found by multiplying."""

    def __init__(self) -> None:
        self._keys = Column()
        self._table = np.full(64, -1, dtype=np.int32)
        self._shift = np.uint64(58)

    @property
    def keys(self) -> Numbers:
        """The large numbers, in the order of their numbers."""
        return self._keys.all

    def find(self, keys: Numbers) -> Numbers:
        """The number of each of ``keys``; -1 for those that have none."""
        places = self._places(keys)
        numbers = self._table[places]
        known = self._keys.all if len(self._keys.all) else np.zeros(1, dtype=np.int64)
        astray = np.flatnonzero((numbers >= 0) & (known[numbers] != keys))
        while len(astray):  # taken by another: look at the next place
            places[astray] = (places[astray] + 1) % len(self._table)
            numbers[astray] = found = self._table[places[astray]]
            astray = astray[(found >= 0) & (known[found] != keys[astray])]
        return numbers.astype(np.int64)

    def extend(self, keys: Numbers) -> None:
        """Number more: different ones, that have no numbers yet."""
        begin = len(self.keys)
        self._keys.extend(keys)
        count = len(self.keys)
        if 2 * count > len(self._table):
            bits = int(4 * count).bit_length()
            self._table = np.full(1 << bits, -1, dtype=np.int32)
            self._shift = np.uint64(64 - bits)
            begin = 0
        numbers = np.arange(begin, count)
        places = self._places(self.keys[begin:])
        while len(numbers):
            free = self._table[places] < 0
            self._table[places[free]] = numbers[free]
            left = self._table[places] != numbers
            numbers, places = numbers[left], (places[left] + 1) % len(self._table)

    def __call__(self, keys: Numbers) -> Numbers:
        """The numbers of ``keys``; those that have none get theirs in order."""
        numbers = self.find(keys)
        strange = numbers < 0
        if strange.any():
            self.extend(distinct(keys[strange]))
            numbers[strange] = self.find(keys[strange])
        return numbers

    def _places(self, keys: Numbers) -> Numbers:
        return (keys.astype(np.uint64) * np.uint64(ODD) >> self._shift).astype(np.int64)


class Rows:
    """Lists of numbers under numbers: found for many numbers at once, each list made when first asked for.

    ``make`` makes the lists of some numbers, which are in order: all lists in a row, and their lengths.
    """

    def __init__(self, make: Callable[[Numbers], tuple[Numbers, Numbers]]) -> None:
        self._make = make
        self._flat = array("q")
        self._starts = np.full(1024, -1, dtype=np.int64)
        self._counts = np.zeros(1024, dtype=np.int64)

    def made(self, keys: Numbers) -> Numbers:
        """Which of ``keys`` have their lists already."""
        self._grow(keys)
        made: Numbers = self._starts[keys] >= 0
        return made

    def unknown(self, keys: Numbers) -> Numbers:
        """Those of ``keys`` whose lists are not made yet."""
        if not len(keys):
            return keys
        self._grow(keys)
        return packed(keys[self._starts[keys] < 0], len(self._starts))

    def _grow(self, keys: Numbers) -> None:
        """Have room for all of ``keys``."""
        top = int(keys.max(initial=0))
        if top >= len(self._starts):
            grow = max(top + 1, 2 * len(self._starts)) - len(self._starts)
            self._starts = np.concatenate([self._starts, np.full(grow, -1, dtype=np.int64)])
            self._counts = np.concatenate([self._counts, np.zeros(grow, dtype=np.int64)])

    def take(self, keys: Numbers) -> tuple[Numbers, Numbers]:
        """For each of ``keys`` its list: the numbers of all lists in a row, and the place of the key of each."""
        if not len(keys):
            return keys, keys
        unknown = self.unknown(keys)
        if len(unknown):
            made, counts = self._make(unknown)
            self._starts[unknown] = len(self._flat) + np.cumsum(counts) - counts
            self._counts[unknown] = counts
            self._flat.frombytes(made.astype(np.int64).tobytes())
        counts = self._counts[keys]
        owners = np.repeat(np.arange(len(keys)), counts)
        firsts = np.cumsum(counts) - counts
        places = self._starts[keys][owners] + np.arange(len(owners)) - firsts[owners]
        return np.array(np.frombuffer(self._flat, dtype=np.int64)[places]) if self._flat else places, owners


def each(make: Callable[[int], Iterable[int]]) -> Callable[[Numbers], tuple[Numbers, Numbers]]:
    """Lists made one by one, for `Rows`."""

    def made(keys: Numbers) -> tuple[Numbers, Numbers]:
        lists = [list(make(key)) for key in keys.tolist()]
        flat = [number for numbers in lists for number in numbers]
        return np.array(flat, dtype=np.int64), np.array([len(numbers) for numbers in lists], dtype=np.int64)

    return made


def distinct(keys: Numbers) -> Numbers:
    """The different ones among ``keys``, in order.  (For millions, `np.unique` is slow: it goes by a hash table.)"""
    keys = np.sort(keys, kind="stable")
    return keys[np.concatenate([[True], keys[1:] != keys[:-1]])] if len(keys) else keys


def packed(keys: Numbers, count: int) -> Numbers:
    """The different ones among ``keys``, which are below ``count``, in order."""
    if 16 * len(keys) < count:
        return distinct(keys)
    there = np.zeros(count, dtype=bool)
    there[keys] = True
    return np.flatnonzero(there)


class Known:
    """A set of numbers as a few sorted rows, each at least twice as long as the next."""

    def __init__(self) -> None:
        self.rows: list[Numbers] = []

    def missing(self, keys: Numbers) -> Numbers:
        """Which of ``keys`` (in order) are not in it."""
        new = np.ones(len(keys), dtype=bool)
        for row in self.rows:
            places = np.searchsorted(row, keys)
            places[places == len(row)] = 0
            new &= row[places] != keys
        return new

    def add(self, keys: Numbers) -> None:
        """Take in numbers that are in order, and not in it yet."""
        if not len(keys):
            return
        self.rows.append(keys)
        while len(self.rows) > 1 and len(self.rows[-2]) < 2 * len(self.rows[-1]):
            last = self.rows.pop()
            merged = np.concatenate([self.rows.pop(), last])
            merged.sort(kind="stable")  # two rows in order: merged in one go
            self.rows.append(merged)


class Pairs:
    """Pairs of small numbers, numbered: a table that is looked up for many at once."""

    def __init__(self) -> None:
        self.known: list[tuple[int, int]] = []
        self._table = np.full((64, 64), -1, dtype=np.int32)

    def __call__(self, first: Numbers, second: Numbers) -> Numbers:
        """The numbers of pairs, those of new ones in the order of the pairs."""
        if not len(first):
            return first
        rows, columns = self._table.shape
        need = int(first.max()) + 1, int(second.max()) + 1
        if need[0] > rows or need[1] > columns:
            grown = np.full((_room(need[0], rows), _room(need[1], columns)), -1, dtype=np.int32)
            grown[:rows, :columns] = self._table
            self._table = grown
        numbers = self._table[first, second]
        strange = numbers < 0
        if strange.any():
            new = distinct(first[strange].astype(np.int64) << 32 | second[strange])
            pairs = new >> 32, new & 0xFFFFFFFF
            self._table[pairs] = np.arange(len(self.known), len(self.known) + len(new))
            self.known.extend(zip(*(column.tolist() for column in pairs), strict=True))
            numbers = self._table[first, second]
        return numbers


def _room(need: int, have: int) -> int:
    return have if need <= have else max(need, 2 * have)


__all__ = ["ODD", "Column", "Known", "Numbered", "Pairs", "Rows", "distinct", "each", "np", "packed"]
