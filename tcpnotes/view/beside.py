"""A live run and the engine's on one time line, as text; and both as ladders."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tcpnotes.live.causes import Pair
from tcpnotes.live.compare import Comparison
from tcpnotes.live.tidy import tidy
from tcpnotes.view.ladder import draw
from tcpnotes.view.picture import Picture
from tcpnotes.view.story import Story, clock

_HEAD = ("engine", "kernel", "", "what", "")


def beside(comparison: Comparison) -> str:
    """The time line: when in the engine, when in the kernel, on which host, what; and what differs, with its cause."""
    rows = [_HEAD, *(_row(pair) for pair in comparison.pairs if pair.level != "counters" or not pair.equal)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [_line(row, widths) for row in rows]
    lines.insert(1, "-+-".join("-" * width for width in widths[:4]))
    return "\n".join(lines)


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    engine, kernel, host, what, note = row
    cells = [engine.rjust(widths[0]), kernel.rjust(widths[1]), host.ljust(widths[2]), what.ljust(widths[3]), note]
    return " | ".join(cells).rstrip(" |") if note == "" else " | ".join(cells)


def _row(pair: Pair) -> tuple[str, str, str, str, str]:
    engine, live, side = pair.engine, pair.live, pair.side
    counter = pair.level == "counters"
    times = [
        "-" if thing is None else "" if counter else clock(thing.t, digits)
        for thing, digits in ((engine, 3), (live, 4))
    ]  # fmt: skip
    arrow = "sends " if pair.level == "segments" else "counter " if counter else ""
    what = side.words
    note = ""
    if not pair.equal:
        if engine is not None and live is not None and engine.what != live.what:
            what = f"{engine.words} | {live.words}"
        lacking = "kernel only" if engine is None else "engine only" if live is None else "differs"
        if engine is not None and live is not None and engine.what == live.what:
            lacking = "at another time"
        note = f"<- {lacking}: {pair.cause or 'not explained'}"
    return times[0], times[1], side.host, arrow + what, note


def ladders(comparison: Comparison) -> tuple[Picture, Picture]:
    """The engine's ladder and the kernel's."""
    title = comparison.scenario.title
    ours = draw(Story(comparison.engine, hosts=("A", "B")), f"In the engine: {title}")
    theirs = draw(Story(tidy(comparison.live), hosts=("A", "B")), f"On {comparison.machine.kernel}: {title}")
    return ours.picture, theirs.picture


def sums(comparisons: Iterable[Comparison]) -> list[tuple[str, ...]]:
    """The table at the end: each scenario, what was compared, its verdict and the causes of its differences."""
    levels = ("calls", "segments", "states", "buckets")
    rows: list[tuple[str, ...]] = [("scenario", *levels, "verdict", "causes")]
    for comparison in comparisons:
        counted = [
            sum(pair.level == level and pair.engine is not None for pair in comparison.pairs) for level in levels
        ]
        causes = sorted({pair.cause or "not explained" for pair in comparison.differences})
        rows.append((comparison.scenario.name, *map(str, counted), comparison.verdict, ", ".join(causes)))
    return rows
