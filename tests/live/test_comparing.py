"""The recording of a live kernel beside the engine: equal, or different for reasons that have a name."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tcpnotes.live import Comparison, Recording, compare
from tcpnotes.live.causes import CAUSES
from tcpnotes.live.fitting import fit
from tcpnotes.scenarios import load
from tcpnotes.trace import records as r
from tcpnotes.view.beside import beside, sums

DOCUMENT = (Path(__file__).parents[2] / "docs" / "live.md").read_text(encoding="utf-8")


def test_every_difference_has_a_cause_with_a_name(comparisons: dict[str, Comparison]) -> None:
    unexplained = [
        f"{name}: {pair.level} {pair.side.words}"
        for name, comparison in comparisons.items()
        for pair in comparison.differences
        if pair.cause is None
    ]
    assert unexplained == []


def test_calls_and_segments_differ_only_where_a_cause_says_why(comparisons: dict[str, Comparison]) -> None:
    apart = {name for name, comparison in comparisons.items() if not comparison.same_wire}
    assert apart <= {"linger_in_last_ack_time_out", "nobody_reads"}
    assert len(apart) <= len(comparisons) * 0.05


def test_every_cause_is_explained_in_the_document_and_no_other() -> None:
    assert set(re.findall(r"^\| `(\w+)` \| (?!all of|there)", DOCUMENT.partition("## Causes")[2], re.MULTILINE)) == set(
        CAUSES
    )


def test_what_was_recorded_makes_sense_on_a_live_kernel(recording: Recording) -> None:
    for run in recording.runs:
        assert fit(load(run.scenario)).why_not is None
    assert len(recording.runs) >= 55
    assert recording.machine.kernel.startswith("Linux 6.")


# -- a deliberate change is seen, and where ---------------------------------------------------------------------------


def changed(recording: Recording, index_of: type, **fields: object) -> Comparison:
    """simultaneous_close with the last record of a kind changed."""
    run = recording.run("simultaneous_close")
    records = list(run.records)
    place = max(i for i, record in enumerate(records) if type(record) is index_of)
    records[place] = records[place]._replace(**fields)
    return compare(run._replace(records=records), recording.machine)


def differing(comparison: Comparison) -> list[tuple[str, str]]:
    return [(pair.level, pair.side.host) for pair in comparison.differences if pair.cause is None]


def test_as_recorded_it_is_equal(recording: Recording) -> None:
    assert compare(recording.run("simultaneous_close"), recording.machine).verdict == "equal"


@pytest.mark.parametrize("fields", [{"errno": "EIO", "ret": -1}, {"ret": 7}, {"value": 3}], ids=str)
def test_another_result_of_a_call(recording: Recording, fields: dict[str, object]) -> None:
    comparison = changed(recording, r.Return, **fields)
    assert [level for level, _ in differing(comparison)] == ["calls"]
    assert comparison.verdict == "different"
    assert not comparison.same_wire


@pytest.mark.parametrize("field", ["flags", "seq", "ack_seq", "len"])
def test_another_segment(recording: Recording, field: str) -> None:
    last = [record for record in recording.run("simultaneous_close").records if isinstance(record, r.Sent)][-1]
    seg = last.seg._replace(**{field: getattr(last.seg, field) ^ 4})
    comparison = changed(recording, r.Sent, seg=seg)
    assert differing(comparison) == [("segments", last.host)]
    assert not comparison.same_wire


def test_another_time(recording: Recording) -> None:
    comparison = changed(recording, r.Sent, t=1_500_000)
    assert [level for level, _ in differing(comparison)] == ["segments"]
    assert "at another time" in beside(comparison)


def test_another_state(recording: Recording) -> None:
    run = recording.run("simultaneous_close")
    records = [
        record._replace(new="FIN_WAIT2") if isinstance(record, r.StateChange) and record.new == "CLOSING" else record
        for record in run.records
    ]
    comparison = compare(run._replace(records=records), recording.machine)
    assert {level for level, _ in differing(comparison)} == {"states"}
    assert comparison.same_wire


def test_a_bucket_that_dies_too_soon(recording: Recording) -> None:
    comparison = changed(recording, r.Bucket, t=30_000_000)
    assert [level for level, _ in differing(comparison)] == ["buckets"]


def test_a_segment_too_few_and_one_too_many(recording: Recording) -> None:
    run = recording.run("simultaneous_close")
    sent = [record for record in run.records if isinstance(record, r.Sent)]
    fewer = compare(run._replace(records=[x for x in run.records if x is not sent[-1]]), recording.machine)
    assert "engine only" in beside(fewer)
    more = [*run.records, sent[-1]._replace(wire=99, t=sent[-1].t + 1)]
    assert "kernel only" in beside(compare(run._replace(records=more), recording.machine))


# -- how it is told ---------------------------------------------------------------------------------------------------


def test_the_time_line_has_both_times_and_names_what_differs(comparisons: dict[str, Comparison]) -> None:
    told = beside(comparisons["linger_zero"])
    assert "| A | close(3) = 0\n" in told
    assert "| A | sends RST,ACK seq=501 ack=1\n" in told
    assert "<- kernel only: counter_resets" in told
    assert told.splitlines()[0].startswith("engine")


def test_the_table_has_a_row_for_each_scenario(comparisons: dict[str, Comparison]) -> None:
    rows = sums(comparisons.values())
    assert [row[0] for row in rows[1:]] == list(comparisons)
    assert rows[0][-2:] == ("verdict", "causes")
