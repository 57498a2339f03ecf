"""Coverage of the state diagram: which of its ways a search goes, and the shortest story to each."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from tcpnotes.explore.diagram import WAYS
from tcpnotes.explore.model import load_model
from tcpnotes.explore.properties import Property
from tcpnotes.explore.search import Search
from tcpnotes.explore.story import tell
from tcpnotes.explore.views import GONE, Step, Stimulus
from tcpnotes.trace.records import Bucket, Child, StateChange

MODELS = ("listening", "opening", "write_close", "abort_anytime", "long_fin_wait2")
# RFC 793 draws it, and tcp_fin provides for it; but a segment that is acceptable in SYN_RECV acknowledges our SYN, so
# the socket is in ESTABLISHED before its FIN is looked at.
UNREACHABLE = (("SYN_RECV", "CLOSE_WAIT"),)
LIMIT = 60_000  # states of each model that are looked at


class Seen(NamedTuple):
    """A way of the diagram that was gone: the model, and the moves that lead over it."""

    way: tuple[str, str]
    model: str
    moves: tuple[str, ...]


def ways(step: Step) -> list[tuple[str, str]]:
    """The ways of the diagram that a step goes, one after the other."""
    if step.before.place == step.after.place:
        return []
    here = step.before.place
    gone: list[tuple[str, str]] = []
    for record in step.records:
        there = here
        if isinstance(record, Child):
            here, there = "LISTEN", "SYN_RECV"
        elif isinstance(record, StateChange) and record.new != "CLOSE":
            here, there = record.old, record.new
        elif isinstance(record, Bucket) and record.op in ("create", "substate"):
            there = "TIME_WAIT" if record.substate == "TIME_WAIT" else "bucket-FIN_WAIT2"
        if there != here:
            gone.append((here, there))
            here = there
    if step.after.place in (GONE, "CLOSE") and here not in (GONE, "CLOSE"):
        gone.append((here, "CLOSE"))
    return gone


def coverage(profile: str = "source", models: Iterable[str] = MODELS, limit: int = LIMIT) -> list[Seen]:
    """Every way that was gone in the first ``limit`` states of the models, each with its shortest story."""
    best: dict[tuple[str, str], Seen] = {}
    for name in models:
        search = Search(load_model(name), profile, properties=())
        met: dict[str, tuple[str, str]] = {}
        search.space.ends.judge = _watch(search, met)
        search.run(limit)
        for found in search.results():
            way = met[found.property.name]
            moves = tuple(tell(search, found).moves)
            if way not in best or len(moves) < len(best[way].moves):
                best[way] = Seen(way, name, moves)
    return sorted(best.values())


def _watch(search: Search, met: dict[str, tuple[str, str]]) -> Callable[[Step, int, Stimulus], None]:
    """Note in ``search`` whenever a way is gone for the first time, as if that broke a property."""

    def judge(step: Step, end: int, stimulus: Stimulus) -> None:
        for way in ways(step):
            name = f"{way[0]} to {way[1]}"
            if name not in met:
                met[name] = way
                search._alarms.append((Property(name, "step", "", name, lambda step: True), end, stimulus))

    return judge


def never_gone(seen: Iterable[Seen]) -> list[tuple[str, str]]:
    """The ways of the diagram that were not gone: in Linux those of `UNREACHABLE`."""
    gone = {one.way for one in seen}
    return [way for way in WAYS if way not in gone]
