"""``tcpnotes sweep``: the same scenario over a grid of parameters."""

from __future__ import annotations

import sys
from argparse import ArgumentTypeError, Namespace
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean, median
from time import monotonic
from typing import TYPE_CHECKING

from tcpnotes.cli._command import CommandError, Subparsers, add_json, command, print_columns, print_json, unknown
from tcpnotes.cli._progress import Progress

if TYPE_CHECKING:
    from tcpnotes.sweep.grid import Spec
    from tcpnotes.sweep.rows import Row


def add(subparsers: Subparsers) -> None:
    """Declare the command."""
    parser = command(
        subparsers, "sweep", run,
        help="run a scenario over a grid of parameters",
        about="Runs a scenario at every point of a grid (loss, delay, linger, timeouts and other settings, profiles, "
        "seeds) and tells how long each side was busy with the close, how many buckets lived, how many RSTs and "
        "retransmissions there were. --out keeps every row; rows that the file has already are not run again, so a "
        "sweep that was stopped goes on with the same command. Order and rows are the same for any number of jobs.",
        example="tcpnotes sweep --list\n"
        "tcpnotes sweep loss --out loss.csv --plot loss.svg\n"
        "tcpnotes sweep mine.toml --jobs 8 --out mine.csv",
    )  # fmt: skip
    parser.add_argument("spec", metavar="SPEC", nargs="?", help="a name (see --list) or a .toml file; docs/sweep.md")
    parser.add_argument("--list", action="store_true", help="list the sweeps that come with the library")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--jobs", metavar="N", type=_jobs, default=1, help="processes of this machine (default: 1)")
    where.add_argument("--cluster", metavar="ADDRESS", help="a Dask scheduler instead, such as tcp://10.0.0.1:8786")
    parser.add_argument("--out", metavar="FILE", type=Path, help="write all rows to this CSV file, or go on with it")
    parser.add_argument("--plot", metavar="FILE", type=Path, help="draw it: .svg, .png or .pdf")
    parser.add_argument("--across", metavar="P", help="the parameter from left to right in the plot")
    add_json(parser)


def _jobs(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 1024:
        raise ArgumentTypeError(f"{text!r} is not a number of processes from 1 to 1024")
    return int(text)


def run(args: Namespace) -> int:
    """Run what is not there yet, and tell."""
    if args.list:
        return _list(args)
    spec = _spec(args)
    if args.plot is not None:
        _check_plot(args, spec)
    began = monotonic()
    rows = _rows(args, spec)
    seconds = monotonic() - began
    if args.json:
        for number, row in enumerate(rows):
            parameters = dict(zip(spec.names, row.point, strict=True))
            print_json("row", number=number, parameters=parameters, **row.measures._asdict())
        print_json("swept", sweep=spec.name, scenario=spec.scenario.name, rows=len(rows), seconds=round(seconds, 2))
    else:
        print_columns(summary(spec, rows))
        print(f"{spec.name}: {len(rows):,} runs of {spec.scenario.name}, {seconds:.1f} s")
    if args.plot is not None:
        _plot(args, spec, rows)
    return 0


def _list(args: Namespace) -> int:
    from tcpnotes.sweep import load_spec, spec_names

    for name in spec_names():
        spec = load_spec(name)
        if args.json:
            print_json(
                "sweep", name=name, title=spec.title, about=spec.about, scenario=spec.scenario.name, runs=spec.size
            )
        else:
            print(f"{name:10} {spec.title} ({spec.size:,} runs)")
    return 0


def _spec(args: Namespace) -> Spec:
    from tcpnotes.sweep import SpecError, load_spec, spec_names

    known = ", ".join(spec_names())
    if args.spec is None:
        raise CommandError(f"a sweep is missing; there are: {known}; or give a .toml file.")
    if args.spec not in spec_names() and not args.spec.endswith(".toml"):
        remedy = "'tcpnotes sweep --list' lists them, and a sweep of your own is a .toml file"
        raise CommandError(unknown("sweep", args.spec, spec_names(), remedy) + ".")
    try:
        return load_spec(args.spec)
    except SpecError as error:
        raise CommandError(str(error)) from None


def _rows(args: Namespace, spec: Spec) -> list[Row]:
    from tcpnotes.sweep import SpecError, sweep

    known = 0

    def tell(done: int) -> None:
        nonlocal known
        known = done
        bar(done, f" {done:,} of {spec.size:,} runs")

    try:
        with Progress(f"{spec.name}:", spec.size) as bar:
            return sweep(spec, jobs=args.jobs, cluster=args.cluster, out=args.out, tell=tell)
    except SpecError as error:
        raise CommandError(str(error)) from None
    except RuntimeError as error:
        raise CommandError(f"{'--cluster' if args.cluster else '--jobs'}: {error}") from None
    except OSError as error:
        raise CommandError(f"--out {args.out}: the file cannot be used: {error.strerror or error}.") from None
    except KeyboardInterrupt:
        kept = f"{args.out} has {known:,} of {spec.size:,} rows; the same command goes on" if args.out else "no --out"
        print(f"tcpnotes sweep: interrupted; {kept}.", file=sys.stderr)
        raise


def summary(spec: Spec, rows: Sequence[Row]) -> list[tuple[str, ...]]:
    """A head, and a line for each point of the grid: its runs with all seeds together."""
    shown = [at for at, (name, values) in enumerate(spec.axes) if len(values) > 1 and name != "seed"]
    groups: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(str(row.point[at]) for at in shown), []).append(row)
    head = ("RUNS", "CLOSE TOOK", "CLOSED A", "CLOSED B", "NOT CLOSED", "BUCKETS", "ALIVE", "RSTS", "SENT AGAIN")
    lines = [(*(spec.names[at].upper() for at in shown), *head)]
    for values, some in groups.items():
        all_of = [row.measures for row in some]
        never = sum(m.closed_a is None or m.closed_b is None for m in all_of)
        columns = zip(*((m.close_took, m.closed_a, m.closed_b) for m in all_of), strict=True)
        times = [_middle(column) for column in columns]
        means = [fmean(m.buckets for m in all_of), fmean(m.rsts for m in all_of),
                 fmean(m.retransmissions for m in all_of)]  # fmt: skip
        alive = f"{fmean(m.bucket_seconds for m in all_of):.1f} s"
        made, rsts, again = (f"{mean:.2f}" for mean in means)
        lines.append((*values, str(len(some)), *times, str(never), made, alive, rsts, again))
    return lines


def _middle(values: Sequence[float | None]) -> str:
    there = [value for value in values if value is not None]
    return f"{median(there):.2f} s" if there else "never"


def _check_plot(args: Namespace, spec: Spec) -> None:
    """What can be said of a plot before hours of work."""
    from tcpnotes.sweep.frame import plot

    if args.plot.suffix.lower() not in (".svg", ".png", ".pdf"):
        raise CommandError(f"--plot {args.plot}: a plot is a file that ends in .svg, .png or .pdf.")
    try:
        plot(spec, [], args.across)
    except (RuntimeError, ValueError) as error:
        raise CommandError(f"--plot: {error}") from None


def _plot(args: Namespace, spec: Spec, rows: Sequence[Row]) -> None:
    from tcpnotes.sweep.frame import plot, save_plot

    try:
        save_plot(plot(spec, rows, args.across), args.plot)
    except OSError as error:
        raise CommandError(f"--plot {args.plot}: the file cannot be written: {error.strerror or error}.") from None
