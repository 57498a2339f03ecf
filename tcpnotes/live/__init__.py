"""The scenarios on the kernel of this machine, beside the engine.

`run` lets a scenario happen on the real kernel: two hosts in network namespaces made for it, and between them a wire
that this package holds, so that every segment is seen, delayed, lost or injected as the scenario says.  What comes out
are records as the engine writes them; `compare` sets them beside a run of the engine and names the differences.
Needs Linux and the extra ``live``; `read_recording` and `compare` need neither.
"""

from tcpnotes.live.causes import Pair
from tcpnotes.live.compare import Comparison, compare
from tcpnotes.live.errors import LiveError, NotHere, TooBusy
from tcpnotes.live.fitting import Fit, fit
from tcpnotes.live.observe import machine, run
from tcpnotes.live.recording import LiveRun, Machine, Recording, read_recording, recorded, write_recording

__all__ = [
    "Comparison", "Fit", "LiveError", "LiveRun", "Machine", "NotHere", "Pair", "Recording", "TooBusy", "compare", "fit",
    "machine", "read_recording", "recorded", "run", "write_recording",
]  # fmt: skip
