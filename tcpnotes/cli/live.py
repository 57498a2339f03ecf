"""``tcpnotes live``: the scenarios on the kernel of this machine, beside the engine."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from tcpnotes.cli._command import CommandError, Subparsers, command, print_columns, whole_number
from tcpnotes.cli._console import printable
from tcpnotes.cli._progress import Progress

if TYPE_CHECKING:
    from tcpnotes.live import Comparison, Fit, LiveRun, Machine

NOT_HERE = 3
_LONGEST = 400


def add(subparsers: Subparsers) -> None:
    """Declare the command."""
    parser = command(
        subparsers, "live", run,
        help="run scenarios on the kernel of this machine",
        about="Runs scenarios on the kernel of this machine, between two network namespaces made for it, and sets "
        "calls, segments, states, buckets and counters beside those of the engine under linux-6. The wire between the "
        "hosts delays, loses and injects as the scenario says. An ordinary user may do this where user namespaces are "
        "allowed; for root, trace points of the kernel add the moment of every change of state and why a RESET was "
        "sent. Ends with 1 where a difference is not explained, with 3 where the machine lacks the rights. See "
        "docs/live.md.",
        example="tcpnotes live orderly_close\n"
        "tcpnotes live --all --json today.jsonl\n"
        "tcpnotes live --from today.jsonl simultaneous_close",
    )  # fmt: skip
    parser.add_argument("scenarios", metavar="SCENARIO", nargs="*", help="a name, or a .toml file")
    parser.add_argument("--all", action="store_true", help="every scenario that makes sense on a live kernel")
    parser.add_argument("--list", action="store_true", help="only say which do, how long they take, why others do not")
    parser.add_argument("--from", dest="file", metavar="FILE", help="compare what was recorded; needs no Linux")
    parser.add_argument(
        "--json", metavar="FILE", help="write what the kernel did to a file (.jsonl, .jsonl.gz; - prints it)"
    )
    parser.add_argument("--brief", action="store_true", help="print the table alone, no time lines")
    parser.add_argument("--jobs", metavar="N", type=whole_number, default=8, help="scenarios at once (default: 8)")
    parser.add_argument(
        "--longest", metavar="S", type=whole_number, default=_LONGEST,
        help=f"with --all, leave out what takes longer, in seconds (default: {_LONGEST})",
    )  # fmt: skip


def run(args: Namespace) -> int:
    """Run or read, compare, print."""
    from tcpnotes.live import LiveError, NotHere, Recording, write_recording
    from tcpnotes.live.recording import lines
    from tcpnotes.scenarios import ScenarioError

    _check(args)
    failed: list[str] = []
    try:
        if args.list:
            return _list(args)
        machine, runs = _recorded(args) if args.file else _live(args, failed)
        if args.json == "-":
            for line in lines(Recording(machine, sorted(runs))):
                print(line)
            return _told(failed)
        done: list[LiveRun] = []
        status = _print(args, machine, _kept(runs, done))
        if args.json:
            write_recording(Recording(machine, sorted(done)), args.json)
    except NotHere as error:
        print(f"tcpnotes live: {printable(str(error))}", file=sys.stderr)
        return NOT_HERE
    except (LiveError, ScenarioError) as error:
        raise CommandError(str(error)) from None
    return max(status, _told(failed))


def _told(failed: list[str]) -> int:
    """Tell what could not be run; the status for it."""
    for sentence in failed:
        print(f"tcpnotes live: not run: {printable(sentence)}", file=sys.stderr)
    return 1 if failed else 0


def _check(args: Namespace) -> None:
    from tcpnotes.cli.run import _check_name

    for name in args.scenarios:
        _check_name(name)
    if args.jobs < 1:
        raise CommandError("--jobs: at least one scenario runs at a time.")
    if args.json and args.json != "-" and not Path(args.json).resolve().parent.is_dir():
        raise CommandError(f"{args.json}: there is no such folder; make it first.")
    if args.all and args.scenarios:
        raise CommandError(f"{args.scenarios[0]}: with --all no scenario is named.")
    if not (args.scenarios or args.all or args.list or args.file):
        raise CommandError("a scenario is missing; --all runs every one that makes sense, --list names them.")


def _chosen(args: Namespace) -> list[Fit]:
    from tcpnotes.live import fit
    from tcpnotes.scenarios import load, scenario_names

    return [fit(load(name)) for name in args.scenarios or scenario_names()]


def _list(args: Namespace) -> int:
    fits = _chosen(args)
    print_columns([(f.name, "no" if f.why_not else f"{f.seconds:.0f} s", f.why_not or "") for f in fits])
    print(f"{sum(f.why_not is None for f in fits)} of {len(fits)} make sense on a live kernel.")
    return 0


def _recorded(args: Namespace) -> tuple[Machine, Iterator[LiveRun]]:
    from tcpnotes.live import read_recording

    recording = read_recording(args.file)
    names = [Path(name).stem for name in args.scenarios]
    return recording.machine, iter([recording.run(name) for name in names] if names else recording.runs)


def _live(args: Namespace, failed: list[str]) -> tuple[Machine, Iterator[LiveRun]]:
    from tcpnotes.live import LiveError, TooBusy, machine, run

    here = machine()
    if not args.all:
        names = args.scenarios
        for name, found in zip(names, _chosen(args), strict=True):
            if found.why_not is not None:
                raise LiveError(f"{name} does not run on a live kernel: {found.why_not}.")
    else:
        fits = [f for f in _chosen(args) if f.why_not is None and f.seconds <= args.longest]
        names = [f.name for f in sorted(fits, key=lambda f: -f.seconds)]

    def attempt(name: str) -> LiveRun | str:
        try:
            return run(name)
        except TooBusy as error:
            return str(error)

    def runs() -> Iterator[LiveRun]:
        with ThreadPoolExecutor(args.jobs) as pool, Progress("running", len(names)) as progress:
            for number, one in enumerate(pool.map(attempt, names)):
                progress(number, f" {number} of {len(names)} scenarios")
                progress.clear()
                if isinstance(one, str):
                    failed.append(one)
                else:
                    yield one

    return here, runs()


def _kept(runs: Iterator[LiveRun], done: list[LiveRun]) -> Iterator[LiveRun]:
    for one in runs:
        done.append(one)
        yield one


def _print(args: Namespace, machine: Machine, runs: Iterator[LiveRun]) -> int:
    from tcpnotes.live import compare
    from tcpnotes.scenarios import load
    from tcpnotes.view.beside import beside, sums

    own = {Path(name).stem: load(name) for name in args.scenarios if name.endswith(".toml")}
    comparisons: list[Comparison] = []
    for one in runs:
        comparison = compare(one, machine, own.get(one.scenario))
        comparisons.append(comparison)
        if not args.brief:
            print(f"{one.scenario}: {printable(comparison.scenario.title)}\n\n{printable_lines(beside(comparison))}\n")
    if not comparisons:
        return 1
    _print_sums(machine, sums(comparisons), comparisons)
    return 1 if any(c.verdict == "different" for c in comparisons) else 0


def printable_lines(text: str) -> str:
    """Lines of foreign text, each `printable`."""
    return "\n".join(map(printable, text.split("\n")))


def _print_sums(machine: Machine, rows: Sequence[tuple[str, ...]], comparisons: Sequence[Comparison]) -> None:
    from tcpnotes.live.causes import CAUSES

    print_columns(rows)
    print()
    print(printable(f"{machine.kernel}, {machine.hz} ticks a second, {machine.date}, as {machine.rights}"))
    causes = {pair.cause for c in comparisons for pair in c.differences if pair.cause}
    for name in sorted(causes):
        print(f"  {name}: {CAUSES[name]}")
    verdicts = [c.verdict for c in comparisons]
    wire = sum(c.same_wire for c in comparisons)
    print(f"calls and segments equal in {wire} of {len(comparisons)} ({100 * wire / len(comparisons):.1f} %)")
    print(", ".join(f"{verdicts.count(verdict)} {verdict}" for verdict in ("equal", "explained", "different")))
