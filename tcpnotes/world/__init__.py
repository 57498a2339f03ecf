"""Two hosts, a wire and a clock: a world is plain data that can be copied, compared, hashed and sent away."""

from tcpnotes.trace.recorder import Recorder
from tcpnotes.world.events import (
    AppCalls,
    Event,
    HostCrashes,
    SegmentArrives,
    SegmentDelayed,
    SegmentDuplicated,
    SegmentInjected,
    SegmentLost,
    TimerFires,
)
from tcpnotes.world.host import Host, Result
from tcpnotes.world.world import World

__all__ = [
    "AppCalls", "Event", "Host", "HostCrashes", "Recorder", "Result", "SegmentArrives", "SegmentDelayed",
    "SegmentDuplicated", "SegmentInjected", "SegmentLost", "TimerFires", "World",
]  # fmt: skip
