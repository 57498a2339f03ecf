"""The trace: what happened, written once, read by everything else."""

from tcpnotes.trace.frames import Frame, HostView
from tcpnotes.trace.recorder import HostTrace, Recorder
from tcpnotes.trace.records import Record
from tcpnotes.trace.segment import Segment

__all__ = ["Frame", "HostTrace", "HostView", "Record", "Recorder", "Segment"]
