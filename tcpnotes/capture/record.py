"""A scenario as a capture: what an observer between the two hosts would have written down, with the items beside it."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Mapping, Sequence

from tcpnotes.capture.write import CaptureWriter, frame
from tcpnotes.scenarios import Run
from tcpnotes.scenarios.proof import annotate
from tcpnotes.source import item_ids
from tcpnotes.trace import Record
from tcpnotes.trace.records import Lost, Received, Sent, Stimulus
from tcpnotes.trace.segment import Segment

EPOCH = 976_320_000  # seconds from 1970 to 9 December 2000, the day of the source


def capture_of(done: Run, profile: str) -> bytes:
    """The segments of a run (with frames, or some items are not found) as the bytes of a pcapng file.

    Each segment stands there once, at the moment it was sent; its comment names the items that its sending and its
    arrival show, and says if it was lost.  A segment from nowhere stands at its arrival.
    """
    recorder, scenario = done.recorder, done.scenario
    records = recorder.records
    shown = annotate(records, recorder.frames, profile)
    blocks = _blocks(records, shown)
    ends = {r.wire: index for index, r in enumerate(records) if isinstance(r, Received | Lost) and r.wire is not None}
    out = io.BytesIO()
    about = f"{scenario.name}: {scenario.title} (profile {profile})"
    writer = CaptureWriter(out, ["wire"], about=about, system="Linux 2.4.0, simulated")
    cards = {host.address: bytes((2, 0, 0, 0, 0, number)) for number, host in enumerate(done.world.hosts.values(), 1)}
    ids: Counter[int] = Counter()

    def write(seg: Segment, t: int, comment: str) -> None:
        ids[seg.saddr] += 1
        data = frame(seg, src=cards[_card(seg.saddr, cards)], dst=cards[_card(seg.daddr, cards)], id=ids[seg.saddr])
        writer.packet(data, EPOCH * 1_000_000_000 + t * 1000, comment=comment)

    for index, record in enumerate(records):
        if isinstance(record, Sent):
            end = ends.get(record.wire)
            write(record.seg, record.t, _comment(records, blocks, index, end))
        elif isinstance(record, Received) and record.wire is None:
            write(record.seg, record.t, _comment(records, blocks, None, index))
    return out.getvalue()


def _card(address: int, cards: Mapping[int, bytes]) -> int:
    """An address that a host answers to without having it (a route) is behind the first card that is left."""
    return address if address in cards else max(cards)


def _blocks(records: Sequence[Record], shown: Mapping[int, tuple[str, ...]]) -> list[tuple[str, ...]]:
    """For each record, the items shown between the stimulus that set it off and the next one."""
    found: list[tuple[str, ...]] = []
    start = 0
    marks = [i for i, record in enumerate(records) if isinstance(record, Stimulus | Lost)] + [len(records)]
    for end in marks:
        ids = {id for index in range(start, end) for id in shown.get(index, ())}
        found += [tuple(sorted(ids, key=item_ids().index))] * (end - start)
        start = end
    return found


def _comment(records: Sequence[Record], blocks: Sequence[tuple[str, ...]], sent: int | None, end: int | None) -> str:
    parts = []
    if sent is None:
        parts.append("from nowhere")
    elif blocks[sent]:
        parts.append(f"sent: {' '.join(blocks[sent])}")
    if end is None:
        parts.append("never arrives")
    elif isinstance(records[end], Lost):
        parts.append("lost on the wire")
    elif blocks[end]:
        parts.append(f"on arrival: {' '.join(blocks[end])}")
    return "; ".join(parts)
