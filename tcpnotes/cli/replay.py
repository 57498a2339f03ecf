"""``tcpnotes replay``: recorded runs of the released kernel, and how the engine fares on the same stimuli."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tcpnotes.cli._command import CommandError, Subparsers, add_json, add_profile, command, print_json

if TYPE_CHECKING:
    from tcpnotes.replay import Comparison, Performance, Recording

_STORY = 25  # rows of the story that are printed before a difference


def add(subparsers: Subparsers) -> None:
    """Declare the command."""
    parser = command(
        subparsers, "replay", run,
        help="compare the engine with recorded runs of the real kernel",
        about="Gives the calls and segments of each recording to the engine, each at its recorded time, and compares "
        "what comes out, record by record. L1: results, segments, states, buckets; L2: also windows, timers, counters, "
        "wake-ups, errors; L3: also every function called, where the recording has call trees (others are compared at "
        "L2). A failure prints the story so far and the first record that differs.",
        example="tcpnotes replay tests/golden/scripts.jsonl.gz --level L3\n"
        "tcpnotes replay --emit tests/golden/random.jsonl.gz > emitted.jsonl",
    )  # fmt: skip
    parser.add_argument("files", metavar="FILE", nargs="+", help="recordings: .json, .jsonl or .jsonl.gz")
    add_profile(parser, "linux-2.4.0")
    parser.add_argument("--level", choices=("L1", "L2", "L3"), default="L1", help="how much is compared (default: L1)")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--emit", action="store_true", help="print what the engine did, one JSON object a scenario")
    form.add_argument("--quiet", action="store_true", help="print no stories, only the sums")
    add_json(form)


def run(args: Namespace) -> int:
    """Compare or emit; 1 when something differs."""
    from tcpnotes.replay import compare
    from tcpnotes.replay.emit import emission

    if args.emit:
        for done in _performances(args):
            print(json.dumps(emission(done), separators=(",", ":")))
        return 0
    sums: dict[str, list[int]] = {}
    recordings: list[Recording] = []
    for done in _performances(args):
        outcome = compare(done, args.level)
        folder = done.recording.name.rpartition("/")[0] or "scripts"
        passed = sums.setdefault(folder, [0, 0])
        passed[not outcome.passed] += 1
        if done.recording.has_calls:
            recordings.append(done.recording)
        if args.json:
            _print_object(outcome)
        elif not outcome.passed and not args.quiet:
            _print_story(done, outcome)
    _print_sums(args, sums, recordings)
    return 1 if any(failed for _, failed in sums.values()) else 0


def _performances(args: Namespace) -> Iterator[Performance]:
    from tcpnotes.replay import RecordingError, perform, read_recordings

    for file in args.files:
        try:
            for recording in read_recordings(file):
                try:
                    yield perform(recording, args.profile)
                except ValueError as error:
                    raise CommandError(f"{file}: {recording.name}: {str(error).rstrip('.')}.") from None
        except RecordingError as error:
            raise CommandError(str(error)) from None


def _print_object(outcome: Comparison) -> None:
    print_json(
        "comparison", name=outcome.name, level=outcome.level, passed=outcome.passed,
        expected=outcome.expected, actual=outcome.actual,
    )  # fmt: skip


def _print_story(done: Performance, outcome: Comparison) -> None:
    from tcpnotes.replay.rows import KINDS
    from tcpnotes.replay.words import row_words

    told = [row for row in done.rows[: outcome.before] if row[0] in KINDS[outcome.level] or row[0] == "in"]
    print(f"{outcome.name}: differs at {outcome.level}")
    first = max(len(told) - _STORY, 0)
    if first:
        print(f"  … {first} records before")
    for number, row in enumerate(told[first:], first + 1):
        print(f"  {number:4}  {row_words(row, done.recording)}")
    print(f"  expected: {row_words(outcome.expected, done.recording)}")
    print(f"  actual:   {row_words(outcome.actual, done.recording)}\n")


def _print_sums(args: Namespace, sums: dict[str, list[int]], recordings: list[Recording]) -> None:
    from tcpnotes.replay import coverage

    passed, failed = (sum(counts[i] for counts in sums.values()) for i in (0, 1))
    share = coverage(recordings)
    if args.json:
        print_json(
            "replay", profile=args.profile, level=args.level, passed=passed, failed=failed,
            functions_recorded=share.recorded, functions_known=share.known, functions_lacking=share.lacking,
        )  # fmt: skip
        return
    if len(sums) > 1:
        for name, (well, badly) in sorted(sums.items()):
            print(f"{name:>12}  {100 * well / (well + badly):6.2f} %  {well} passed, {badly} failed")
    if share.recorded:
        lacking = ", ".join(share.lacking) or "none"
        print(f"{share.known} of {share.recorded} recorded function names; without: {lacking}")
    print(f"{passed} passed, {failed} failed")
