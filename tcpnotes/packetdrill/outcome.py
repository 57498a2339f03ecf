"""How a script fares: the steps that went well, and what ended the run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from tcpnotes.packetdrill.script import Event, Script
from tcpnotes.trace import Recorder


class Difference(NamedTuple):
    """The first thing that is not as the script has it; ``fields`` names what differs."""

    event: Event
    expected: str
    actual: str
    fields: tuple[str, ...] = ()


class Refusal(NamedTuple):
    """Something that the engine has nothing for."""

    event: Event | None
    sentence: str


class Step(NamedTuple):
    """An event that went as the script has it, when, and what there is to say about it."""

    event: Event
    t: int
    note: str = ""


@dataclass
class Outcome:
    """How a script fared: the steps that went well, and the difference or refusal that ended it (neither: passed)."""

    script: Script
    profile: str
    recorder: Recorder
    steps: list[Step] = field(default_factory=list)
    difference: Difference | None = None
    refusal: Refusal | None = None
    ignored: list[Step] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Did everything go as the script has it?"""
        return self.difference is None and self.refusal is None

    @property
    def place(self) -> int | None:
        """The line of the event at which the run ended; None when it passed or the whole script was refused."""
        end = self.difference or self.refusal
        return None if end is None or end.event is None else end.event.place.line


class Differs(Exception):
    """Something is not as the script has it: the run ends."""

    def __init__(self, event: Event, expected: object, actual: object, fields: tuple[str, ...] = ()) -> None:
        self.difference = Difference(event, str(expected), str(actual), fields)


class Refused(Exception):
    """The engine has nothing for something: the run ends."""

    def __init__(self, event: Event | None, sentence: str) -> None:
        self.refusal = Refusal(event, sentence)
