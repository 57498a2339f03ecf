"""The lives of many buckets, one under the other: how long each waited for the peer, and in TIME_WAIT.

A bar is a bucket: hollow in FIN_WAIT2, filled in TIME_WAIT.  An upright line marks each
moment at which the slow wheel turned; that is where bars end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from tcpnotes.trace.records import Bucket, Record, Timer
from tcpnotes.view import theme
from tcpnotes.view.picture import Picture
from tcpnotes.view.theme import number as n

WIDTH = 560
_LEFT, _RIGHT, _TOP, _ROW = 16, 74, 28, 17
_MOST = 40  # bars in one picture


class Life(NamedTuple):
    """One bucket; times in microseconds, None for what it did not reach in the run."""

    tw: int
    made: int
    time_wait: int | None
    last: int  # when its time was set for the last time
    gone: int | None

    @property
    def waited(self) -> float | None:
        """Seconds from when its time was last set to its end."""
        return None if self.gone is None else (self.gone - self.last) / 1e6


def lived(records: Iterable[Record], host: str = "A") -> list[Life]:
    """The buckets of ``host`` in the order in which they were made."""
    found: dict[int, Life] = {}
    for record in records:
        if not isinstance(record, Bucket) or record.host != host or record.tw is None:
            continue
        if record.op == "create":
            waits = record.t if record.substate == "TIME_WAIT" else None
            found[record.tw] = Life(record.tw, record.t, waits, record.t, None)
        elif record.tw in found:
            life = found[record.tw]
            if record.op == "substate":
                life = life._replace(time_wait=record.t)
            elif record.op in ("schedule", "reschedule"):
                life = life._replace(last=record.t)
            elif record.op == "kill":
                life = life._replace(gone=record.t)
            found[record.tw] = life
    return list(found.values())


def lives(records: Iterable[Record], host: str = "A", title: str = "The lives of buckets", column: int = 0) -> Picture:
    """Draw the buckets of ``host`` from when they were made to their end.

    A ValueError when there is none, or more than 40.
    """
    records = list(records)
    rows = lived(records, host)
    if not 0 < len(rows) <= _MOST:
        raise ValueError(f"This picture shows 1 to {_MOST} buckets; host {host} had {len(rows)} in this run.")
    first = rows[0].made
    last = max(row.gone or records[-1].t for row in rows)
    turns = [r.t for r in records if isinstance(r, Timer) and r.host == host and (r.name, r.op) == ("twkill", "fire")]
    turns = [t for t in turns if first <= t <= last]
    scale = (WIDTH - _LEFT - _RIGHT) / max(last - first, 1)

    def x(t: int) -> str:
        return n(round(_LEFT + (t - first) * scale, 1))

    bottom = _TOP + _ROW * len(rows)
    out = [f'<path class="e" d="{"".join(f"M{x(t)} {_TOP - 4}V{bottom + 2}" for t in turns)}"/>'] if turns else []
    for number, row in enumerate(rows):
        out.append(_bar(row, _TOP + _ROW * number, x, last))
    out.append(f'<text class="m" x="{_LEFT}" y="14">one bar for each bucket; lines: the slow wheel turns</text>')
    out.append(f'<text class="m" x="{WIDTH - 4}" y="14" text-anchor="end">TIME_WAIT</text>')
    out.append(f'<text class="m" x="{x(first)}" y="{bottom + 16}">{first / 1e6:.2f} s</text>')
    out.append(f'<text class="m" x="{x(last)}" y="{bottom + 16}" text-anchor="middle">{last / 1e6:.2f} s</text>')
    body = f'<style>{STYLE}</style><g class="{theme.host_class(column)}">{"".join(out)}</g>'
    text = "\n".join([f"The slow wheel turns at {_times(turns)}.", *map(_words, rows)])
    ends = len({row.gone for row in rows if row.gone is not None})
    told = f"{len(rows)} buckets of host {host}, which end at {ends} moments: hollow bars FIN_WAIT2, filled TIME_WAIT."
    return Picture(title, told, body, WIDTH, bottom + 24, text, 720)


def _bar(row: Life, y: int, x: Callable[[int], str], last: int) -> str:
    end = last if row.gone is None else row.gone
    waits = end if row.time_wait is None else row.time_wait
    out = f'<path class="l" d="M{x(row.made)} {y + 2}H{x(waits)}V{y + 12}H{x(row.made)}Z"/>' if waits > row.made else ""
    if row.time_wait is not None:
        out += f'<path class="bar" d="M{x(row.time_wait)} {y + 2}H{x(end)}V{y + 12}H{x(row.time_wait)}Z"/>'
    words = "stays" if row.waited is None else f"{row.waited:.2f} s"
    return out + f'<text class="c" x="{WIDTH - 4}" y="{y + 11}" text-anchor="end">{words}</text>'


def _times(turns: list[int]) -> str:
    return ", ".join(f"{t / 1e6:.2f}" for t in turns) + " s" if turns else "no time"


def _words(row: Life) -> str:
    entered = "never in TIME_WAIT" if row.time_wait is None else f"TIME_WAIT at {row.time_wait / 1e6:.2f} s"
    ended = "stays" if row.waited is None else f"gone at {(row.gone or 0) / 1e6:.2f} s, after {row.waited:.2f} s"
    return f"bucket {row.tw}: made at {row.made / 1e6:.2f} s, {entered}, {ended}"


STYLE = ".tn svg .bar{fill:var(--c);stroke:var(--c);stroke-width:1.3}"
