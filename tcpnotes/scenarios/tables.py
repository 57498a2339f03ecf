"""Files in TOML, taken apart and checked to the last key: what is wrong is told with file, key and remedy."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

HOSTS = ("A", "B")
LONGEST = 100_000  # seconds


class FileError(ValueError):
    """A file that cannot be read or used: which file, where in it, and what is allowed there."""

    def __init__(self, file: str, where: str, message: str) -> None:
        self.file = file
        self.where = where
        self.message = message
        super().__init__(f"{file}: {where + ': ' if where else ''}{message}")

    def __reduce__(self) -> tuple[type[FileError], tuple[str, str, str]]:
        return type(self), (self.file, self.where, self.message)  # so that it comes back from another process


def read_toml(content: bytes, file: str, error: type[FileError], what: str) -> dict[str, Any]:
    """The tables of a file; an ``error`` when it is not TOML.  ``what``: "a scenario file"."""
    try:
        return tomllib.loads(content.decode("utf-8"))
    except UnicodeDecodeError as problem:
        raise error(file, f"byte {problem.start}", f"{what} is text in UTF-8.") from None
    except (tomllib.TOMLDecodeError, RecursionError) as problem:
        raise error(file, "", f"this is not TOML: {str(problem).rstrip('.') or 'nested too deep'}.") from None


def toml_names(folder: Traversable) -> tuple[str, ...]:
    """The TOML files of a folder of the library, without the ending, in alphabetical order."""
    return tuple(sorted(entry.name[:-5] for entry in folder.iterdir() if entry.name.endswith(".toml")))


def read_own(name: str | Path, known: Iterable[str], error: type[FileError], kind: str) -> bytes:
    """A file that is not one of the library's, which are ``known``.  An ``error`` when it cannot be read."""
    text = str(name)
    if not text.endswith(".toml"):
        raise error(text, "", f"there is no {kind} of that name; there are: {', '.join(known)}; or give a .toml file.")
    try:
        return Path(name).read_bytes()
    except OSError as problem:
        raise error(text, "", f"the file cannot be read: {problem.strerror or problem}.") from None


class TableReader:
    """Takes a table apart; whatever is wrong becomes an error of the class ``error`` that names file and key."""

    error: type[FileError]

    def __init__(self, file: str) -> None:
        self.file = file

    def fail(self, where: str, message: str) -> FileError:
        return self.error(self.file, where, message)

    def keys(self, table: dict[str, Any], allowed: tuple[str, ...], where: str) -> None:
        for key in table:
            if key not in allowed:
                place = f"{where}.{key}" if where else key
                raise self.fail(place, f"there is no such key; allowed here: {', '.join(allowed)}.")

    def text(self, table: dict[str, Any], key: str, where: str, default: str | None = None) -> str:
        value = table.get(key, default)
        place = f"{where}.{key}" if where else key
        if value is None:
            raise self.fail(place, "this key is missing; it takes a text.")
        if not isinstance(value, str):
            raise self.fail(place, f"this takes a text, not {value!r}.")
        return value

    def choice(self, value: Any, choices: tuple[str, ...], where: str) -> str:
        if not isinstance(value, str) or value not in choices:
            raise self.fail(where, f"{value!r} is not allowed; choose one of: {', '.join(choices)}.")
        return value

    def number(self, value: Any, low: int, high: int, where: str) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise self.fail(where, f"this takes a whole number from {low} to {high}, not {value!r}.")
        return value

    def seconds(self, value: Any, where: str) -> int:
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= LONGEST:
            raise self.fail(where, f"this takes seconds, a number from 0 to {LONGEST}, not {value!r}.")
        return round(value * 1_000_000)

    def listed(self, value: Any, where: str) -> list[Any]:
        if not isinstance(value, list):
            raise self.fail(where, f"this takes a list, not {value!r}.")
        return value

    def table(self, value: Any, where: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise self.fail(where, f"this takes a table, not {value!r}.")
        return value
