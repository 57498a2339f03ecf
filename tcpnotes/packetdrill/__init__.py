"""packetdrill scripts: read, run against the engine, and told as a story when they fail.

`load` is the short way in: a script's name in, a run that can be stepped through out.
"""

from __future__ import annotations

from pathlib import Path

from tcpnotes.kernel.profile import Profile
from tcpnotes.packetdrill.outcome import Difference, Outcome, Refusal, Step
from tcpnotes.packetdrill.parser import parse_script, read_script
from tcpnotes.packetdrill.report import ladder_records, story
from tcpnotes.packetdrill.runner import run_script
from tcpnotes.packetdrill.script import Script, ScriptError


def load(path: str | Path, profile: str | Profile = "linux-6") -> Outcome:
    """Read the script in a file and run it, with a frame for every record: ``Stepper(load(path).recorder, title="…")``.

    ScriptError when the file cannot be read, in one sentence that names file, line and column.
    """
    return run_script(read_script(path), profile, frames=True)


__all__ = [
    "Difference", "Outcome", "Refusal", "Script", "ScriptError", "Step", "ladder_records", "load", "parse_script",
    "read_script", "run_script", "story",
]  # fmt: skip
