"""A capture, connection by connection, in one pass and in bounded memory."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from tcpnotes.capture.connection import MOST, Connection
from tcpnotes.capture.files import CaptureFile
from tcpnotes.capture.follow import MOST_OPEN, MOST_OVER, Follower
from tcpnotes.capture.layers import Layers
from tcpnotes.capture.verdict import NAMES, Verdict, judge
from tcpnotes.capture.words import address, sentence

_OFTEN = 4096  # packets between two looks at the progress


class Explained(NamedTuple):
    """A connection and the verdict on it."""

    connection: Connection
    verdict: Verdict

    def fields(self) -> dict[str, Any]:
        """All of it as plain values, as ``tcpnotes explain --json`` prints them."""
        c, verdict = self
        return {
            "number": c.number,
            "ends": [
                {
                    "name": name, "host": address(end.addr), "port": end.port, "packets": end.packets,
                    "bytes": end.data, "states": [[change.number, change.t, change.state] for change in end.states],
                    "fin": end.fin.number if end.fin is not None else None,
                    "fin_acked": end.fin_acked.number if end.fin_acked is not None else None,
                    "fin_again": [point.number for point in end.fin_again],
                }
                for name, end in zip(NAMES, c.ends, strict=True)
            ],
            "how": verdict.how, "maybe": verdict.maybe, "closer": verdict.closer, "tags": verdict.tags,
            "first": c.first.number, "last": c.last.number, "begin": c.first.t,
            "duration": (c.last.t - c.first.t) / 1e9, "packets": c.packets, "resets": c.resets, "before": c.follows,
            "phases": [phase._asdict() for phase in verdict.phases],
            "statements": [
                {"key": said.key, "text": sentence(said), "items": said.items, "packets": said.packets}
                for said in verdict.statements
            ],
            "comments": [[number, text] for number, text in c.comments],
        }  # fmt: skip


class Explainer:
    """Goes through a capture once.

    Iterating gives each connection when nothing more is expected of it, and the rest, in the order in which they began,
    at the end.  ``packets``, ``segments``, ``skipped`` (reason → how often) and ``dropped`` tell of the way so far.
    """

    def __init__(
        self,
        capture: CaptureFile,
        *,
        progress: Callable[[int], object] | None = None,
        most_open: int = MOST_OPEN,
        most_over: int = MOST_OVER,
    ) -> None:
        self.capture = capture
        self.packets = 0
        self.segments = 0
        self.skipped: Counter[str] = capture.skipped
        self._until = 0
        self._progress = progress
        self._done: deque[Connection] = deque()
        self._follower = Follower(self._done.append, most_open=most_open, most_over=most_over)
        self._dropped = 0

    @property
    def dropped(self) -> int:
        """How many connections were reported while still open, because too many were."""
        return self._follower.dropped

    def __iter__(self) -> Iterator[Explained]:
        layers, follower, done = Layers(), self._follower, self._done
        segment, feed, skipped = layers.segment, follower.feed, self.skipped
        for packet in self.capture:
            self.packets += 1
            seen = segment(packet)
            if isinstance(seen, str):
                if seen:
                    skipped[seen] += 1
            else:
                self.segments += 1
                if seen.t > self._until:
                    self._until = seen.t
                connection = feed(seen)
                if packet.comment is not None and len(connection.comments) < MOST:
                    connection.comments.append((packet.number, packet.comment[:1000]))
                if done:
                    yield from self._hand_out()
            if self._progress is not None and not self.packets % _OFTEN:
                self._progress(self.capture.at)
        follower.finish()
        yield from self._hand_out()

    def _hand_out(self) -> Iterator[Explained]:
        while self._done:
            connection = self._done.popleft()
            dropped = self._follower.dropped > self._dropped and not connection.over and connection.taken_by is None
            self._dropped = self._follower.dropped
            yield Explained(connection, judge(connection, self._until, dropped))
