"""A run that a live kernel made, in a notebook: its ladder beside the engine's, and the time line of both as text.

from tcpnotes.widgets.recorded import recorded
run = recorded("simultaneous_close")  # from the recording that comes with the library; needs no Linux
run                                   # both ladders
print(run)                            # the time line
run.verdict                           # equal, explained or different
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tcpnotes.live import Comparison, Recording, compare, read_recording
from tcpnotes.live import recorded as own_recording
from tcpnotes.live.causes import CAUSES
from tcpnotes.view import theme
from tcpnotes.view.beside import beside, ladders
from tcpnotes.view.picture import Gallery


@dataclass(frozen=True)
class _Ladders(Gallery):
    """Ladders whose words are the time line of both."""

    words: str = ""

    @property
    def text(self) -> str:
        return self.words


class RecordedRun:
    """One scenario of a recording, compared with the engine."""

    def __init__(self, recording: Recording, scenario: str) -> None:
        self.comparison: Comparison = compare(recording.run(scenario), recording.machine)

    @property
    def verdict(self) -> str:
        """``equal``, ``explained`` when each difference has a cause with a name, or ``different``."""
        return self.comparison.verdict

    @property
    def same_wire(self) -> bool:
        """Are the results of the calls and the segments equal?"""
        return self.comparison.same_wire

    @property
    def causes(self) -> list[str]:
        """The names of the causes of what differs."""
        return sorted({pair.cause for pair in self.comparison.differences if pair.cause})

    @property
    def about(self) -> str:
        """Whose run it is, and how it compares."""
        machine, found = self.comparison.machine, self.comparison
        whose = f"{machine.kernel} ({machine.hz} ticks a second), {machine.date}"
        said = [
            f"Recorded on {whose}; beside it the engine under linux-6.",
            f"{sum(pair.equal for pair in found.pairs)} of {len(found.pairs)} things are equal.",
            *(f"{name}: {CAUSES[name]}" for name in self.causes),
        ]
        unexplained = sum(pair.cause is None for pair in found.differences)
        if unexplained:
            said.append(f"{unexplained} differences are not explained.")
        return "\n".join(said)

    @property
    def text(self) -> str:
        """The time line of both, under whose run it is."""
        return f"{self.comparison.scenario.title}\n{self.about}\n\n{beside(self.comparison)}"

    @property
    def html(self) -> str:
        """Both ladders, under whose run it is; the time line is folded below."""
        paragraphs = "".join(f"<p>{theme.text(line)}</p>" for line in self.about.split("\n"))
        pictures = _Ladders(ladders(self.comparison), beside(self.comparison))
        return f'<div class="tn-recorded">{paragraphs}{pictures.html}</div>'

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> Mapping[str, str]:
        return {"text/html": self.html, "text/plain": self.text}

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"RecordedRun({self.comparison.scenario.name!r}, {self.verdict})"


def recorded(scenario: str, file: str | Path | None = None) -> RecordedRun:
    """A scenario of a recording (``tcpnotes live --json``), that of the library unless told.

    `LiveError` when the file is no recording, or has no run of the scenario.
    """
    return RecordedRun(own_recording() if file is None else read_recording(file), scenario)
