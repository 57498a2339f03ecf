"""``tcpnotes functions``: the kernel's functions that the engine has, and what it leaves out of them."""

from __future__ import annotations

from argparse import Namespace
from itertools import groupby
from typing import TYPE_CHECKING

from tcpnotes.cli._command import CommandError, Subparsers, add_json, command, print_json, unknown

if TYPE_CHECKING:
    from tcpnotes.kernel.mirror import Mirrored


def add(subparsers: Subparsers) -> None:
    """Declare the command."""
    parser = command(
        subparsers, "functions", run,
        help="list the kernel functions of the engine",
        about="Lists the functions of Linux 2.4.0 that the engine has a counterpart of, file by file: "
        "what each means, and what ours leaves out.",
        example="tcpnotes functions --omits\ntcpnotes functions tcp_close tcp_fin",
    )  # fmt: skip
    parser.add_argument("names", metavar="NAME", nargs="*", help="only these functions")
    parser.add_argument("--omits", action="store_true", help="only those that leave something out")
    add_json(parser)


def run(args: Namespace) -> int:
    """Print the list, file by file."""
    import tcpnotes.world  # noqa: F401 - brings in every file of the kernel layer
    from tcpnotes.kernel.mirror import FUNCTIONS

    for name in args.names:
        if name not in FUNCTIONS:
            raise CommandError(unknown("function", name, FUNCTIONS, "'tcpnotes functions' lists them") + ".")
    chosen = [entry for entry in FUNCTIONS.values() if not args.names or entry.name in args.names]
    listed = sorted((entry for entry in chosen if entry.omits or not args.omits), key=lambda e: (e.file, e.name))
    if args.json:
        for entry in listed:
            print_json("function", name=entry.name, file=entry.file, meaning=_meaning(entry), omits=entry.omits)
        return 0
    for file, entries in groupby(listed, key=lambda entry: entry.file):
        print(file)
        for entry in entries:
            print(f"  {entry.name}: {_meaning(entry)}")
            if entry.omits:
                print(f"    left out: {'; '.join(entry.omits)}")
        print()
    omitting = sum(1 for entry in listed if entry.omits)
    print(f"{len(listed)} functions; {omitting} of them leave something out.")
    return 0


def _meaning(entry: Mirrored) -> str:
    return entry.doc.replace("``", "")
