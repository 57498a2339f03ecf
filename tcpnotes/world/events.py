"""What can happen next: an application calls, a segment arrives or meets with a mishap, a timer fires."""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

from tcpnotes.trace.segment import Segment


class AppCalls(NamedTuple):
    """An application on ``host`` makes a system call."""

    host: str
    call: str
    args: tuple[Any, ...] = ()


class SegmentArrives(NamedTuple):
    """Segment number ``wire`` reaches its host."""

    wire: int


class SegmentLost(NamedTuple):
    """Segment number ``wire`` is lost on the way."""

    wire: int


class SegmentDuplicated(NamedTuple):
    """Segment number ``wire`` is doubled; the copy is a segment of its own, right behind it."""

    wire: int


class SegmentDelayed(NamedTuple):
    """Segment number ``wire`` takes ``by`` microseconds longer, so that later ones may overtake it."""

    wire: int
    by: int


class SegmentInjected(NamedTuple):
    """A segment from nowhere reaches ``host``."""

    host: str
    seg: Segment


class TimerFires(NamedTuple):
    """The clock goes on to the next tick at which a timer of ``host`` is due."""

    host: str


class HostCrashes(NamedTuple):
    """``host`` loses everything and comes up again, empty."""

    host: str


Event: TypeAlias = (
    AppCalls
    | SegmentArrives
    | SegmentLost
    | SegmentDuplicated
    | SegmentDelayed
    | SegmentInjected
    | TimerFires
    | HostCrashes
)
