"""What the engine did with a recording, in the form that others can compare: one JSON object for a scenario."""

from __future__ import annotations

from typing import Any

from tcpnotes.kernel.mirror import FUNCTIONS
from tcpnotes.replay.compare import known
from tcpnotes.replay.perform import Performance
from tcpnotes.replay.recordings import CallMade

_OPTIONAL = {"call": 8, "out": 10}  # rows whose last field is left out when there is nothing to say


def emission(performance: Performance) -> dict[str, Any]:
    """An object with ``name``, ``outcomes`` (rows of the compact form), ``calls`` and ``functions``.

    A ``return`` row names its call by the call's number, counted from 1.
    """
    stimuli = performance.recording.stimuli
    number: dict[int, int] = {}  # index of a stimulus -> number of the call
    for index, stimulus in enumerate(stimuli):
        if isinstance(stimulus, CallMade):
            number[index] = len(number) + 1
    outcomes: list[list[Any]] = []
    calls: list[Any] = []
    for row in performance.rows:
        if row[0] == "calls":
            calls.append(row[2])
            continue
        fields = list(row)
        if row[0] == "return":
            fields[2] = number[row[2]]
        if len(fields) == _OPTIONAL.get(row[0]) and fields[-1] is None:
            del fields[-1]
        outcomes.append(fields)
    return {
        "name": performance.recording.name,
        "outcomes": outcomes,
        "calls": calls,
        "functions": sorted(name for name in FUNCTIONS if known(name)),
    }
