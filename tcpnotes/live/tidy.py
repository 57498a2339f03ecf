"""A live run told as the engine tells its own: what comes of a call or a segment stands at that moment."""

from __future__ import annotations

from collections.abc import Iterable

from tcpnotes.trace import records as r

_SOON = 5_000  # microseconds; what a host does so soon after something reached it comes of that
_TICK = 1_000


def tidy(records: Iterable[r.Record]) -> list[r.Record]:
    """The same records in groups, one for each thing that reached a host, at whole milliseconds; without counters.

    What no call and no segment can have brought about comes of a timer; which one, nobody saw.
    """
    records = [record for record in records if not isinstance(record, r.Count | r.Sleep)]
    made = {(record.host, record.task): record.t for record in records if isinstance(record, r.Call)}
    slept = {
        (record.host, record.task)
        for record in records
        if isinstance(record, r.Return) and record.t - made.get((record.host, record.task), record.t) > _SOON
    }
    back = {(record.host, record.task) for record in records if isinstance(record, r.Return)}
    slept |= made.keys() - back
    groups: list[list[r.Record]] = []
    latest: dict[str, tuple[int, list[r.Record]]] = {}
    for record in records:
        if isinstance(record, r.Lost):
            groups.append([record])
            continue
        opens = isinstance(record, r.Stimulus) and record.what != "note"
        goes_on = isinstance(record, r.Return) and (record.host, record.task) in slept
        t, group = latest.get(record.host, (-_SOON - 1, []))
        if opens or goes_on or record.t - t > _SOON:
            t, group = record.t, []
            groups.append(group)
            if isinstance(record, r.Return):
                group.append(r.Stimulus(t, record.host, 0, "resume", record.call, record.task))
            elif not opens:
                group.append(r.Stimulus(t, record.host, 0, "timer", ""))
            latest[record.host] = (t, group)
        group.append(record)
    found: list[r.Record] = []
    for group in groups:
        t = group[0].t // _TICK * _TICK
        notes = [record for record in group if isinstance(record, r.Stimulus) and record.what == "note"]
        sleeps = [
            r.Sleep(t, record.host, 0, record.task, record.call, 0, None)
            for record in group
            if isinstance(record, r.Call) and (record.host, record.task) in slept
        ]
        rest = [record for record in group if record not in notes]
        found += [record._replace(t=t) for record in [*rest, *sleeps, *notes]]
    return found
