"""The proof that every item of the source is shown, and which records show which items."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from tcpnotes.kernel.mirror import FUNCTIONS
from tcpnotes.scenarios.patterns import Prepared
from tcpnotes.scenarios.run import run
from tcpnotes.scenarios.shows import STEP_1, STEP_2, STEP_3, STEP_4, STEPS_5_TO_7, Proof
from tcpnotes.scenarios.shows_beside import HALF_CLOSE, LIMITS, LISTENER, RESETS, REUSE, SIMULTANEOUS, TIMERS
from tcpnotes.source import item, item_ids
from tcpnotes.trace import Frame, Record
from tcpnotes.trace.records import Enter

PROOFS: tuple[Proof, ...] = (
    *STEP_1, *STEP_2, *STEP_3, *STEP_4, *STEPS_5_TO_7,
    *HALF_CLOSE, *LISTENER, *SIMULTANEOUS, *TIMERS, *LIMITS, *RESETS, *REUSE,
)  # fmt: skip


class Place(NamedTuple):
    """Where an item is shown: the records of one run, and the time of the first of them in microseconds."""

    scenario: str
    profile: str
    records: tuple[int, ...]
    t: int


class Shown(NamedTuple):
    """An item that is shown, and everywhere that it must be and is."""

    item: str
    places: tuple[Place, ...]


class Missing(NamedTuple):
    """An item that is not shown, and what is missing."""

    item: str
    reason: str


def proofs_of(id: str) -> tuple[Proof, ...]:
    """All that must succeed for an item to count as shown."""
    return tuple(proof for proof in PROOFS if proof.item == id)


def profiles_of(id: str) -> tuple[str, ...]:
    """The profiles under which an item is shown."""
    return tuple(dict.fromkeys(profile for proof in proofs_of(id) for profile in proof.profiles))


def annotate(
    records: Sequence[Record], frames: Sequence[Frame] = (), profile: str | None = None
) -> dict[int, tuple[str, ...]]:
    """For each record that shows something, the ids of the items: record index → ids in the order of the text.

    Patterns that look at frames are found only where there are some.  With ``profile``, what holds
    under other profiles only is left out.  Figures are not shown by single records and not in it.
    """
    prepared = Prepared(records, frames)
    found: dict[int, set[str]] = {}
    for proof in PROOFS:
        if proof.item.endswith(".fig"):
            continue
        if profile is None or profile in proof.profiles:
            for _, indexes in prepared.find(proof.pattern):
                for index in indexes:
                    found.setdefault(index, set()).add(proof.item)
    return {index: tuple(sorted(ids, key=item_ids().index)) for index, ids in sorted(found.items())}


def prove(id: str) -> Shown | Missing:
    """Run what must show an item, under each profile that it holds in, and look for it."""
    known = item(id)
    proofs = proofs_of(id)
    if not proofs:
        return Missing(id, "no scenario is named for it")
    places = []
    for proof in proofs:
        for profile in proof.profiles:
            place = _place(proof, profile)
            if isinstance(place, str):
                return Missing(id, f"{place} (scenario {proof.scenario}, profile {profile})")
            places.append(place)
    entered = {
        record.fn
        for place in places
        for record in (_prepared(place.scenario, place.profile, True).records[index] for index in place.records)
        if isinstance(record, Enter)
    }
    for name in known.released:
        if name in FUNCTIONS and name not in entered:
            return Missing(id, f"{name}, which the item names, is not among the records that show it")
    return Shown(id, tuple(places))


def prove_all() -> Iterator[Shown | Missing]:
    """`prove` for every item, in the order of the text."""
    for id in item_ids():
        yield prove(id)


def _place(proof: Proof, profile: str) -> Place | str:
    """Where the run of the proof's scenario shows the item, or what is wrong."""
    prepared = _prepared(proof.scenario, profile, True)
    found = list(prepared.find(proof.pattern))
    if not found:
        return "the run does not contain what shows it"
    for host in proof.hosts:
        if host not in (me for me, _ in found):
            return f"the run does not show it on host {host}"
    if proof.chapter is not None:
        problem = _chapter_problem(proof.chapter)
        if problem:
            return problem
    indexes = found[0][1]
    if proof.hosts:
        indexes = tuple(sorted({index for me, shown in found if me in proof.hosts for index in shown}))
    return Place(proof.scenario, profile, indexes, prepared.records[indexes[0]].t)


@cache
def _prepared(scenario: str, profile: str, frames: bool) -> Prepared:
    recorder = run(scenario, profile=profile, frames=frames).recorder
    return Prepared(recorder.records, recorder.frames)


def _chapter_problem(chapter: str) -> str | None:
    """What keeps a figure from being drawn in its chapter; None where the notebooks are not at hand to be looked at."""
    folder = Path(__file__).parents[2] / "notebooks"
    if not folder.is_dir():
        return None
    for path in sorted(folder.glob(chapter)):
        cells = json.loads(path.read_text(encoding="utf-8")).get("cells", [])
        if any("ladder" in "".join(cell.get("source", "")) for cell in cells):
            return None
    return f"no chapter notebooks/{chapter} draws a ladder"
