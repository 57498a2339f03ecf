"""The command ``tcpnotes``: one module for each command, found by its function ``add``.

A module of this package whose name does not begin with an underscore is a command
(or a few that belong together).  Its ``add(subparsers)`` declares it with
`tcpnotes.cli._command.command`; what the command needs of the library is imported
when it runs, so that ``tcpnotes --help`` stays quick.

Exit status: 0 done; 1 done, and the answer is no; 2 bad usage or bad input;
130 interrupted; 141 whoever read the output went away.
"""

from __future__ import annotations

import argparse
import pkgutil
import sys
from collections.abc import Sequence
from importlib import import_module

from tcpnotes.cli._command import CommandError, Parser, Subparsers, unknown
from tcpnotes.cli._console import abandon, flush, printable, soften

MISTAKE, INTERRUPTED, BROKEN_PIPE = 2, 130, 141

_EXAMPLES = """\
examples:
  tcpnotes scenarios                    what there is to run
  tcpnotes run orderly_close --hide     a trace with question marks, to fill in yourself
  tcpnotes run orderly_close            the same trace filled in
  tcpnotes items                        what the book explains, and where each item is shown
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line (that of the process unless given) and give the exit status.

    What a user can cause ends in one sentence on standard error and the status 2, never in an exception.
    """
    soften(sys.stdout)
    try:
        status = _run(list(sys.argv[1:] if argv is None else argv))
        flush(sys.stdout)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        abandon(sys.stdout)
        return BROKEN_PIPE
    except OSError as error:
        # Files that a command reads are its own care, so without a name this is the output.
        if error.filename is None:
            abandon(sys.stdout)
        place = "standard output" if error.filename is None else str(error.filename)
        return _complain("tcpnotes", f"{place}: {error.strerror or error}.")
    return status


def _run(argv: list[str]) -> int:
    try:
        args = _parse(argv)
    except SystemExit as end:  # argparse has printed the help, the version or what is wrong
        return end.code if isinstance(end.code, int) else 0
    try:
        status: int = args.run(args)
    except CommandError as error:
        return _complain(f"tcpnotes {args.command}", str(error))
    return status


def _complain(who: str, sentence: str) -> int:
    print(f"{who}: {printable(sentence)}", file=sys.stderr)
    return MISTAKE


def _parse(argv: list[str]) -> argparse.Namespace:
    top = Parser(
        prog="tcpnotes",
        description="Runs the close of a TCP connection as Linux 2.4 runs it, on two simulated hosts.",
        epilog=_EXAMPLES,
    )
    commands = _add_commands(top)
    # No option before the command takes a value: the first word that is not an option must be a command.
    name = next((word for word in argv if not word.startswith("-")), None)
    if name is None or argv[0] in commands:
        pass
    elif argv[0].startswith("-") and argv[0] not in ("-h", *top.options()):
        top.error(f"options such as {argv[0]} stand behind the command")
    elif name not in commands:
        top.error(unknown("command", name, commands, f"there are: {', '.join(commands)}"))
    args, rest = top.parse_known_args(argv)
    chosen = top if name is None else commands[name]
    if rest and rest[0].startswith("-"):
        options = chosen.options()
        chosen.error(unknown("option", rest[0].partition("=")[0], options, f"there are: {', '.join(options)}"))
    if rest:
        chosen.error(f"{rest[0]!r} is one argument too many")
    if name is None:
        top.error(f"a command is missing; there are: {', '.join(commands)}")
    return args


def _add_commands(top: Parser) -> dict[str, Parser]:
    subparsers: Subparsers = top.add_subparsers(
        metavar="COMMAND", dest="command", title="commands", parser_class=Parser
    )
    for name in sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_")):
        import_module(f"{__name__}.{name}").add(subparsers)
    return dict(subparsers.choices)
