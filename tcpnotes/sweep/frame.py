"""Rows as a table of pandas, and as plots of matplotlib: both in tcpnotes[scale]."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tcpnotes.sweep.grid import Spec
from tcpnotes.sweep.rows import Row, header

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

PANELS = (
    ("close_took", "the first close comes back after (s)"),
    ("closed_a", "A is rid of the connection after (s)"),
    ("closed_b", "B is rid of the connection after (s)"),
    ("bucket_seconds", "buckets alive: seconds together"),
    ("retransmissions", "segments sent again"),
    ("rsts", "RSTs sent"),
)
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00")  # Okabe and Ito
MARKS = "os^Dvx"
_MISSING = "For tables and plots, install pandas and matplotlib: pip install 'tcpnotes[scale]'."


def frame(spec: Spec, rows: Sequence[Row]) -> pd.DataFrame:
    """The rows as a table: a column for each parameter and each measure.  RuntimeError without pandas."""
    try:
        import pandas as pd
    except ModuleNotFoundError:
        raise RuntimeError(_MISSING) from None
    return pd.DataFrame([[*row.point, *row.measures] for row in rows], columns=header(spec))


def varied(spec: Spec) -> list[str]:
    """The parameters that take more than one value, the seed left out."""
    return [name for name, values in spec.axes if len(values) > 1 and name != "seed"]


def plot(spec: Spec, rows: Sequence[Row], across: str | None = None) -> Figure:
    """Medians over seeds, and the middle half of the runs as a band; a line for each value of the other parameters.

    ``across``: the parameter from left to right (loss, if it is varied, else the last one that is).  RuntimeError
    without pandas and matplotlib, ValueError for a parameter that is not varied.
    """
    table = frame(spec, rows)
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError:
        raise RuntimeError(_MISSING) from None
    names = varied(spec)
    if not names:
        raise ValueError("Nothing is varied but the seed: there is nothing to plot.")
    across = across or ("loss" if "loss" in names else names[-1])
    if across not in names:
        raise ValueError(f"{across!r} is not varied in this sweep; choose one of: {', '.join(names)}.")
    others = [name for name in names if name != across]
    places = [str(value) for value in dict(spec.axes)[across]]
    figure = Figure(figsize=(9, 9), layout="constrained")
    figure.suptitle(spec.title)
    grid: Any = figure.subplots(3, 2)
    groups: list[tuple[Any, Any]] = list(table.groupby(others, sort=False)) if others else [((), table)]
    for axes, (measure, label) in zip(grid.flat, PANELS, strict=True):
        for number, (values, part) in enumerate(groups):
            told = part[measure].astype(float).groupby(part[across].astype(str), sort=False)
            middle = told.median().reindex(places)
            low, high = told.quantile(0.25).reindex(places), told.quantile(0.75).reindex(places)
            colour, mark = COLOURS[number % len(COLOURS)], MARKS[number // len(COLOURS) % len(MARKS)]
            if len(groups) <= len(COLOURS):
                mark = MARKS[number]
            name = ", ".join(f"{key} {value}" for key, value in zip(others, values, strict=True))
            width = max(4.5 - 1.4 * number, 1.2)  # of lines that lie on each other all are seen
            axes.plot(places, middle, color=colour, marker=mark, linewidth=width, markersize=width + 4, label=name)
            axes.fill_between(places, low, high, color=colour, alpha=0.15, linewidth=0)
        axes.set_title(label, fontsize=10)
        axes.set_xlabel(across)
        axes.set_ylim(bottom=0)
    if others:
        figure.legend(*grid.flat[0].get_legend_handles_labels(), loc="outside lower center", ncols=2, fontsize=8)
    return figure


def save_plot(figure: Figure, path: Path) -> None:
    """Write a plot; the format is told by the name (``.svg``, ``.png``, ``.pdf``).  ValueError for another one.

    The same rows make the same file: nothing in it tells of the hour.
    """
    import matplotlib as mpl

    kind = path.suffix.lower()
    if kind not in (".svg", ".png", ".pdf"):
        raise ValueError("A plot is a file that ends in .svg, .png or .pdf.")
    stamp = {".svg": {"Date": None}, ".png": {}, ".pdf": {"CreationDate": None}}[kind]
    with mpl.rc_context({"svg.hashsalt": "tcpnotes"}):
        figure.savefig(path, dpi=150, metadata=stamp)
