"""A sweep from the first row to the last: on this processor or on many, into a file that can be gone on with.

Rows come in the order of the grid whatever the number of processes, and a row depends on nothing but its point of
the grid. So the file of a sweep that was stopped is the beginning of the whole file, but for a torn last line.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, TypeAlias

from tcpnotes.scenarios.loader import ScenarioError
from tcpnotes.sweep.grid import Spec, SpecError, Value, load_spec
from tcpnotes.sweep.measure import Measures, measure

CHUNK = 8  # rows that a worker makes at a time

Tell: TypeAlias = Callable[[int], None]


class Row(NamedTuple):
    """A row of the table: the point of the grid, and what was measured there."""

    point: tuple[Value, ...]
    measures: Measures


def sweep(
    spec: Spec | str | Path,
    *,
    jobs: int = 1,
    cluster: str | None = None,
    out: str | Path | None = None,
    tell: Tell | None = None,
) -> list[Row]:
    """All rows of a sweep, in order.  Rows that ``out`` has already are read, not run again; new ones are added to it.

    ``jobs`` processes of this machine do it, or the Dask cluster at the address ``cluster``; ``tell`` is given how
    many rows there are.  SpecError for a bad spec, for a file of another sweep, and when a script cannot be followed at
    some point; RuntimeError when Dask is missing or a cluster cannot be used.
    """
    spec = spec if isinstance(spec, Spec) else load_spec(spec)
    path = None if out is None else Path(out)
    rows = [] if path is None else _begin(path, spec)
    fresh = range(len(rows), spec.size)
    if tell is not None:
        tell(len(rows))
    for made in _made(spec, fresh, jobs, cluster):
        rows += made
        if path is not None:
            with path.open("a", encoding="utf-8", newline="") as file:
                file.write(_text(_cells(row) for row in made))
        if tell is not None:
            tell(len(rows))
    return rows


def chunk(spec: Spec, points: Sequence[tuple[Value, ...]]) -> list[Row]:
    """What a worker does: a few rows."""
    return [Row(point, _measured(spec, point)) for point in points]


def _measured(spec: Spec, point: tuple[Value, ...]) -> Measures:
    try:
        return measure(spec, point)
    except ScenarioError as error:
        where = ", ".join(f"{name} = {value}" for name, value in zip(spec.names, point, strict=True))
        raise SpecError(spec.name, where, f"the script cannot be followed here: {error}") from None


def _made(spec: Spec, which: range, jobs: int, cluster: str | None) -> Iterator[list[Row]]:
    points = spec.points()[which.start :]
    chunks = [points[at : at + CHUNK] for at in range(0, len(points), CHUNK)]
    if jobs == 1 and cluster is None:
        for some in chunks:
            yield chunk(spec, some)
    elif chunks:
        from tcpnotes.sweep.cluster import ordered

        yield from ordered(chunk, [(spec, some) for some in chunks], jobs, cluster)


# -- the file --------------------------------------------------------------------------------------------------------


def header(spec: Spec) -> list[str]:
    """The names of the columns."""
    return [*spec.names, *Measures._fields]


def read_rows(path: str | Path, spec: Spec) -> list[Row]:
    """The rows that a file of this sweep has.  SpecError when it is none, or one of another sweep."""
    content = Path(path).read_bytes()
    rows, _ = _read(Path(path), content, spec)
    return rows


def _begin(path: Path, spec: Spec) -> list[Row]:
    """The rows that are there; what a stopped sweep left of a line is cut off.  A new file gets its header."""
    content = path.read_bytes() if path.exists() else b""
    rows, length = _read(path, content, spec)
    if length == 0:
        path.write_text(_text([header(spec)]), encoding="utf-8", newline="")
    elif length < len(content):
        path.write_bytes(content[:length])
    return rows


def _read(path: Path, content: bytes, spec: Spec) -> tuple[list[Row], int]:
    """The rows of a file, and how many bytes of it they and the header take."""
    whole = content[: content.rfind(b"\n") + 1]
    head = _text([header(spec)]).encode()
    if not whole:
        if head.startswith(content):
            return [], 0
        raise SpecError(str(path), "line 1", _OTHER)
    if not whole.startswith(head):
        raise SpecError(str(path), "line 1", _OTHER)
    points = spec.points()
    try:
        lines = list(csv.reader(io.StringIO(whole.decode("utf-8"))))[1:]
    except (UnicodeDecodeError, csv.Error):
        raise SpecError(str(path), "", _OTHER) from None
    if len(lines) > len(points):
        raise SpecError(str(path), f"line {len(points) + 2}", _OTHER)
    rows = []
    for number, (cells, point) in enumerate(zip(lines, points, strict=False), 2):
        try:
            row = Row(point, _measures(cells[len(point) :]))
        except (TypeError, ValueError):
            raise SpecError(str(path), f"line {number}", "this is not a row of a sweep; remove the file.") from None
        if _cells(row) != cells:
            raise SpecError(str(path), f"line {number}", _OTHER)
        rows.append(row)
    return rows, len(whole)


_OTHER = "this file is of another sweep, or of another grid; name another one, or remove it."


def _cells(row: Row) -> list[str]:
    return [str(value) for value in row.point] + ["" if v is None else str(v) for v in row.measures]


def _measures(cells: Sequence[str]) -> Measures:
    times = [float(cell) if cell else None for cell in cells[:3]]
    buckets, most, lived, *counts = cells[3:]
    numbers = [int(count) for count in counts]
    if len(times) < 3 or len(numbers) != 4:
        raise ValueError
    return Measures(times[0], times[1], times[2], int(buckets), int(most), float(lived), *numbers)


def _text(lines: object) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(lines)  # type: ignore[arg-type]
    return out.getvalue()
