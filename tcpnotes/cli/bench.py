"""``tcpnotes bench``: how fast the engine is."""

from __future__ import annotations

import sys
from argparse import ArgumentTypeError, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from tcpnotes.cli._command import CommandError, Subparsers, add_json, command, print_columns, print_json, unknown

if TYPE_CHECKING:
    from tcpnotes.bench import Figure

_NAMES = ("lives", "fork", "import", "buckets", "replay", "frames", "explore")


def add(subparsers: Subparsers) -> None:
    """Declare the command."""
    parser = command(
        subparsers, "bench", run,
        help="time the engine",
        about="Times the engine and sets every figure against H, the rate of a plain heapq loop (events a second), "
        "taken right before and after, so that machines can be compared. A life is the life of one connection: "
        f"handshake, 16 bytes each way, both closes, TIME_WAIT gone. Measurements: {', '.join(_NAMES)}.",
        example="tcpnotes bench lives fork\ntcpnotes bench --quick --json",
    )  # fmt: skip
    parser.add_argument("names", nargs="*", metavar="NAME", type=_name, help="which measurements (default: all)")
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_true", help="seconds; proves only that it works")
    size.add_argument("--million", action="store_true", help="lives beside a million buckets (minutes)")
    parser.add_argument(
        "--against",
        metavar="FILE",
        type=Path,
        help="earlier figures (of --json); exit status 1 if one fell by 30 %%, or is no longer measured",
    )
    add_json(parser)


def _name(text: str) -> str:
    if text not in _NAMES:
        raise ArgumentTypeError(unknown("measurement", text, _NAMES, f"choose from: {', '.join(_NAMES)}"))
    return text


def run(args: Namespace) -> int:
    """Take the measurements and print them as they come."""
    from tcpnotes.bench import FULL, MEASUREMENTS, MILLION, QUICK
    from tcpnotes.bench.fallen import earlier, fallen, missing
    from tcpnotes.kernel import mirror

    size = QUICK if args.quick else MILLION if args.million else FULL
    try:
        before = earlier(args.against) if args.against else {}
    except ValueError as error:
        raise CommandError(str(error)) from None
    lost: list[tuple[Figure, float]] = []
    absent: list[tuple[str, str]] = []
    rows: list[tuple[str, ...]] = [("MEASUREMENT", "CASE", "VALUE", "RATIO", "MUST", "AIM", "")]
    for name in dict.fromkeys(args.names or _NAMES):
        if sys.stderr.isatty():
            print(f"\r{name} … ", end="", file=sys.stderr, flush=True)
        figures = list(MEASUREMENTS[name].take(size))
        if fallen(figures, before):  # a machine may have been busy: once more
            figures = list(MEASUREMENTS[name].take(size))
        lost += fallen(figures, before)
        absent += missing(figures, before)
        for figure in figures:
            if args.json:
                goal = figure.goal
                print_json(
                    "measurement", name=figure.measurement, case=figure.case, value=figure.value, unit=figure.unit,
                    ratio=figure.ratio, meaning=figure.meaning, calibration=figure.calibration, runs=figure.runs,
                    must=goal and goal.must, aim=goal and goal.aim, more=goal and goal.more,
                    absolute=goal and goal.absolute, reached=figure.reached,
                )  # fmt: skip
            else:
                rows.append(_row(figure))
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr, flush=True)
    if not args.json:
        print(f"The engine is {'compiled' if mirror.COMPILED else 'plain Python'}.")
        print_columns(rows)
    for figure, left in lost:
        print(f"{figure.measurement}, {figure.case}: only {left:.0%} of what it was.", file=sys.stderr)
    for key in absent:
        print(f"{', '.join(key)}: in {args.against}, but not measured now.", file=sys.stderr)
    return 1 if lost or absent else 0


def _row(figure: Figure) -> tuple[str, ...]:
    goal = figure.goal
    must = aim = verdict = ""
    if goal is not None:
        sign = "≥" if goal.more else "≤"
        must, aim = (
            f"{sign} {bound:g} {figure.unit}" if goal.absolute else f"{sign} {_ratio(bound)}"
            for bound in (goal.must, goal.aim)
        )
        verdict = "ok" if figure.reached else "missed"
    return (
        figure.measurement, figure.case, f"{figure.value:,.4g} {figure.unit}" if figure.value < 1000
        else f"{figure.value:,.0f} {figure.unit}", f"{_ratio(figure.ratio)} {figure.meaning}", must, aim, verdict,
    )  # fmt: skip


def _ratio(ratio: float) -> str:
    return f"1/{1 / ratio:.0f}" if 0 < ratio < 0.02 else f"{ratio:.3g}"
