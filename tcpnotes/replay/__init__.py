"""Recorded runs of the real Linux 2.4.0 code, and how the engine fares on the same stimuli."""

from tcpnotes.replay.compare import Comparison, Coverage, compare, coverage
from tcpnotes.replay.perform import Performance, perform
from tcpnotes.replay.recordings import Recording, RecordingError, read_recordings
from tcpnotes.replay.rows import LEVELS

__all__ = [
    "LEVELS", "Comparison", "Coverage", "Performance", "Recording", "RecordingError", "compare", "coverage", "perform",
    "read_recordings",
]  # fmt: skip
