"""``tcpnotes packetdrill``: scripts that say what a kernel must send, run against the engine."""

from __future__ import annotations

import sys
from argparse import Namespace
from typing import TYPE_CHECKING

from tcpnotes.cli._command import CommandError, Subparsers, add_json, add_profile, command, print_json
from tcpnotes.cli._console import printable

if TYPE_CHECKING:
    from tcpnotes.packetdrill import Outcome


def add(subparsers: Subparsers) -> None:
    """Declare the command."""
    parser = command(
        subparsers, "packetdrill", run,
        help="run packetdrill scripts against the engine",
        about="Runs scripts in the language of packetdrill: the calls and inbound segments of each happen at their "
        "times, and what leaves is compared with what the script expects. A failure prints the story so far and the "
        "first difference, expected beside actual. Commands in a script are never run; those that set kernel "
        "parameters (sysctl) are read and set in the engine. What of the language is understood: docs/packetdrill.md.",
        example="tcpnotes packetdrill tests/packetdrill/scripts/001-active-close-server-side.pkt\n"
        "tcpnotes packetdrill --profile linux-2.4.0 --ladder close.pkt",
    )  # fmt: skip
    parser.add_argument("files", metavar="FILE", nargs="+", help="scripts (.pkt)")
    add_profile(parser, "linux-6")
    parser.add_argument(
        "-D", "--define", metavar="WORD=VALUE", action="append", default=[], type=_definition,
        help="give a word of the scripts another value",
    )  # fmt: skip
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--ladder", action="store_true", help="draw what happened, with times, calls, states, segments")
    form.add_argument("--quiet", action="store_true", help="print no stories, only the sum")
    add_json(form)


def _definition(text: str) -> tuple[str, str]:
    from argparse import ArgumentTypeError

    word, equals, value = text.partition("=")
    if not equals or not word.isidentifier():
        raise ArgumentTypeError(f"{text!r} is not WORD=VALUE")
    return word, value


def run(args: Namespace) -> int:
    """Run the scripts; 1 when one fails, 2 when one cannot be read."""
    from tcpnotes.packetdrill import ScriptError, read_script, run_script

    passed = failed = unread = 0
    defines = dict(args.define)
    for file in args.files:
        try:
            script = read_script(file, defines)
        except ScriptError as error:
            unread += 1
            print(f"tcpnotes packetdrill: {printable(str(error))}", file=sys.stderr)
            continue
        except ImportError as error:
            raise CommandError(str(error)) from None
        outcome = run_script(script, args.profile)
        passed += outcome.passed
        failed += not outcome.passed
        _print(args, outcome)
    if not args.json:
        print(f"{passed} passed, {failed} failed")
    return 2 if unread else 1 if failed else 0


def _print(args: Namespace, outcome: Outcome) -> None:
    from tcpnotes.packetdrill import ladder_records

    if args.json:
        difference, refusal = outcome.difference, outcome.refusal
        print_json(
            "script", name=outcome.script.name, profile=outcome.profile, passed=outcome.passed, line=outcome.place,
            expected=None if difference is None else difference.expected,
            actual=None if difference is None else difference.actual,
            fields=() if difference is None else difference.fields,
            refused=None if refusal is None else refusal.sentence, events=len(outcome.steps),
        )  # fmt: skip
    elif args.ladder:
        from tcpnotes.view.text import text_trace

        print(printable(outcome.script.name))
        print(text_trace(ladder_records(outcome)))
        if not outcome.passed:
            _print_story(outcome)
        print()
    elif not outcome.passed and not args.quiet:
        _print_story(outcome)
        print()
    elif not args.quiet:
        for step in outcome.ignored:
            print(f"{printable(outcome.script.name)}:{step.event.place.line}: {printable(step.note)}")


def _print_story(outcome: Outcome) -> None:
    from tcpnotes.packetdrill import story

    for line in story(outcome):
        print(printable(line))
