"""Have figures fallen since they were taken last?  Only what machines share is compared: the ratios."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TypeAlias

from tcpnotes.bench.measure import Figure

ALLOWED = 0.3  # so much of it may be missing; machines are shared

Earlier: TypeAlias = dict[tuple[str, str], list[float]]


def earlier(path: Path) -> Earlier:
    """The ratios in a file that ``tcpnotes bench --json`` wrote, by measurement and case.

    It may have the figures of several machines, one after another: then there are several of each.
    ValueError, in one sentence with the line, when it is no such file.
    """
    found: Earlier = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            figure = json.loads(line)
            found.setdefault((figure["name"], figure["case"]), []).append(float(figure["ratio"]))
        except (ValueError, TypeError, KeyError):
            raise ValueError(f"{path}:{number}: no figure of 'tcpnotes bench --json'.") from None
    return found


def share(figure: Figure, before: Earlier) -> float | None:
    """How much of its earlier worth a figure has, 1 when nothing changed; None when it was not taken then.

    Of several machines the one where it was worth least counts.
    """
    ratios = [ratio for ratio in before.get((figure.measurement, figure.case), ()) if ratio]
    if not ratios or not figure.ratio:
        return None
    more = figure.goal.more if figure.goal is not None else figure.unit.endswith("/s")
    return figure.ratio / min(ratios) if more else max(ratios) / figure.ratio


def fallen(figures: list[Figure], before: Earlier) -> list[tuple[Figure, float]]:
    """The figures that are worth less than `ALLOWED` allows, and what share is left."""
    shares = [(figure, share(figure, before)) for figure in figures]
    return [(figure, left) for figure, left in shares if left is not None and left < 1 - ALLOWED]


def missing(figures: list[Figure], before: Earlier) -> list[tuple[str, str]]:
    """Measurement and case of what was taken earlier, and is not among the figures of the same measurement now."""
    taken = {(figure.measurement, figure.case) for figure in figures}
    names = {figure.measurement for figure in figures}
    return [key for key in before if key[0] in names and key not in taken]
