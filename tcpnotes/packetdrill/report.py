"""An outcome in words: a numbered story of what went well, which ends in the first difference.

`story` is for people, `ladder_records` gives the trace with the peer beside the host, so that the
views can draw it.
"""

from __future__ import annotations

from collections.abc import Iterator

from tcpnotes.packetdrill.outcome import Outcome
from tcpnotes.packetdrill.script import Event
from tcpnotes.trace import Record
from tcpnotes.trace import records as r

PEER = "peer"
_LONGEST = 110


def story(outcome: Outcome) -> Iterator[str]:
    """The lines of the story; for a script that passed, the events alone."""
    name = outcome.script.name
    verdict = "passed" if outcome.passed else "failed" if outcome.difference is not None else "cannot be run"
    yield f"{name}: {verdict} (profile {outcome.profile})"
    number = 0
    for number, step in enumerate(outcome.steps, 1):
        note = f"   ({step.note})" if step.note else ""
        yield f"{number:4}  {step.t / 1e6:10.6f} s  {_told(step.event)}{note}"
    end = outcome.difference or outcome.refusal
    if end is None:
        return
    if end.event is not None:
        yield f"{number + 1:4}  {'':10}    {_told(end.event)}"
    where = name if end.event is None else f"{name}:{end.event.place.line}"
    if outcome.refusal is not None:
        yield f"      {where}: this cannot be run: {outcome.refusal.sentence}"
        return
    assert outcome.difference is not None
    expected, actual, fields = outcome.difference[1:]
    told = f" (they differ in {_joined(fields)})" if fields else ""
    yield f"      {where}: what came is not what was expected{told}"
    yield f"        expected: {expected}"
    yield f"        actual:   {actual}"


def _told(event: Event) -> str:
    text = " ".join(str(event).split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _joined(words: tuple[str, ...]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def ladder_records(outcome: Outcome) -> list[Record]:
    """The trace of a run with the peer in it: every segment that came in is first sent by the peer."""
    told: list[Record] = []
    number = 1 << 30  # of segments that never were on the wire
    for record in outcome.recorder.records:
        if isinstance(record, r.Received) and record.wire is None:
            number += 1
            at = len(told)
            if told and isinstance(told[-1], r.Stimulus):
                at -= 1
            told.insert(at, r.Sent(record.t, PEER, 0, None, record.seg, number, None))
            told.append(record._replace(wire=number))
        else:
            told.append(record)
    return told
