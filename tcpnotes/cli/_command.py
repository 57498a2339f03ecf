"""What all commands share: how one is declared, how a mistake is told, how JSON and columns are written."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from textwrap import fill
from typing import Any, NoReturn, TypeAlias

from tcpnotes.cli._console import printable


class CommandError(Exception):
    """Something that the user can put right; the text is one sentence that names the place and the remedy."""


class Parser(argparse.ArgumentParser):
    """An argument parser that complains in one sentence, shows texts as they are written and knows the version."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(formatter_class=_Formatter, allow_abbrev=False, **settings)
        self.add_argument("--version", action=_Version, nargs=0, help="print the version and exit")

    def error(self, message: str) -> NoReturn:
        """Print one sentence to standard error and end with status 2."""
        print(f"{self.prog}: {printable(message.rstrip('.'))}; see '{self.prog} --help'.", file=sys.stderr)
        raise SystemExit(2)

    def options(self) -> list[str]:
        """The long options that there are."""
        return [option for action in self._actions for option in action.option_strings if option.startswith("--")]


class _Formatter(argparse.RawDescriptionHelpFormatter):
    def __init__(self, prog: str) -> None:
        super().__init__(prog)
        self._action_max_length = 16  # so that the longest command and its help stand on one line


class _Version(argparse.Action):
    def __call__(self, *_: Any) -> NoReturn:
        from tcpnotes import __version__

        print(f"tcpnotes {__version__}")
        raise SystemExit(0)


Subparsers: TypeAlias = "argparse._SubParsersAction[Parser]"


def command(
    subparsers: Subparsers, name: str, run: Callable[[argparse.Namespace], int], *, help: str, about: str, example: str
) -> Parser:
    """Declare a command; arguments are added to the parser that comes back.

    ``run`` does the work and gives the exit status; it raises `CommandError` for what the user can put right.
    ``example`` is shown under the help, one command a line.
    """
    example = "\n".join(f"  {line}" for line in example.strip().splitlines())
    parser = subparsers.add_parser(name, help=help, description=fill(about, 79), epilog=f"example:\n{example}\n")
    parser.set_defaults(run=run)
    return parser


# -- arguments that several commands take ----------------------------------------------------------------------


def add_profile(parser: Parser, default: str) -> None:
    """The option ``--profile``: a name that `profile_by_name` knows."""
    parser.add_argument(
        "--profile", metavar="P", type=_profile, default=default,
        help=f"whose behaviour, see 'tcpnotes profiles' (default: {default})",
    )  # fmt: skip


def add_json(parser: argparse._ActionsContainer) -> None:
    """The option ``--json``."""
    parser.add_argument("--json", action="store_true", help="one JSON object a line; the fields: docs/json.md")


def _profile(text: str) -> str:
    from tcpnotes.kernel.profile import PROFILES

    if text not in PROFILES:
        raise argparse.ArgumentTypeError(unknown("profile", text, PROFILES, f"choose one of: {', '.join(PROFILES)}"))
    return text


def whole_number(text: str) -> int:
    """The type of an argument that is a whole number."""
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None


def unknown(what: str, word: str, known: Iterable[str], remedy: str) -> str:
    """What to say of a name that does not exist: the names that are near, or else the remedy."""
    from difflib import get_close_matches

    near = [repr(name) for name in get_close_matches(word, list(known))]
    return f"there is no {what} {word!r}" + (f" (did you mean {' or '.join(near)}?)" if near else f"; {remedy}")


# -- output ----------------------------------------------------------------------------------------------------


def print_json(kind: str, **fields: Any) -> None:
    """One object on a line of its own, in ASCII, so that any output can carry it; what it is comes first."""
    print(json.dumps({"kind": kind} | {name: plain(value) for name, value in fields.items()}))


def plain(value: Any) -> Any:
    """A value in the terms of JSON: named tuples become objects, other tuples lists."""
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return {name: plain(part) for name, part in zip(value._fields, value, strict=True)}
    if isinstance(value, dict):
        return {str(name): plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    return value


def print_columns(rows: Sequence[Sequence[str]]) -> None:
    """Rows under each other, each column as wide as its widest cell."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
