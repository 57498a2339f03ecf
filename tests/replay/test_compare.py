"""The comparison itself: it must find what differs, at the level that speaks of it, and nothing else."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from tcpnotes.replay import Recording, compare, perform, read_recordings
from tcpnotes.replay.compare import restricted
from tcpnotes.replay.emit import emission
from tcpnotes.replay.recordings import CallMade
from tcpnotes.replay.rows import KINDS, comparable

GOLDEN = Path(__file__).parents[1] / "golden"


def recording(name: str = "047-simultaneous-close") -> Recording:
    return next(rec for rec in read_recordings(GOLDEN / "scripts.jsonl.gz") if rec.name == name)


def changed(kind: str, field: int, value: Any) -> Recording:
    """A recording with one field of the last row of a kind changed."""
    rec = recording("007-close-unread-data-rst" if kind == "count" else "047-simultaneous-close")
    rows = list(rec.rows)
    at = max(i for i, row in enumerate(rows) if row[0] == kind)
    rows[at] = (*rows[at][:field], value, *rows[at][field + 1 :])
    return rec._replace(rows=tuple(rows))


def level_that_fails(rec: Recording) -> str | None:
    done = perform(rec)
    return next((level for level in KINDS if not compare(done, level).passed), None)


def test_unchanged__agrees() -> None:
    assert level_that_fails(recording()) is None


@pytest.mark.parametrize(
    ("kind", "field", "value", "level"),
    [
        ("call", 4, 17, "L1"), ("call", 5, "EPIPE", "L1"), ("call", 6, 3.5, "L1"),
        ("out", 1, 0.2001, "L1"), ("out", 2, "R.", "L1"), ("out", 3, 9, "L1"), ("out", 5, 9, "L1"),
        ("out", 7, ("mss 1",), "L1"), ("out", 8, "tcp_v4_send_reset", "L1"), ("out", 9, 99, "L1"),
        ("out", 6, 1, "L2"),
        ("state", 4, "LISTEN", "L1"), ("state", 5, "LISTEN", "L1"), ("state", 6, "tcp_fin", "L1"),
        ("tw", 3, "schedule", "L1"), ("tw", 4, "FIN_WAIT2", "L1"), ("tw", 5, 1.0, "L1"),
        ("timer", 5, 4.5, "L2"), ("count", 2, "TCPAbortFailed", "L2"), ("wake", 3, "write_space", "L2"),
        ("sk_free", 1, 0.5, "L2"), ("calls", 2, ((0, "tcp_fin"),), "L3"),
    ],
)  # fmt: skip
def test_one_changed_field__is_found_at_its_level(kind: str, field: int, value: Any, level: str) -> None:
    assert level_that_fails(changed(kind, field, value)) == level


@pytest.mark.parametrize("kind", sorted(KINDS["L3"] & {row[0] for row in recording().rows}))
def test_a_row_too_few_or_too_many__is_found(kind: str) -> None:
    rec = recording()
    at = max(i for i, row in enumerate(rec.rows) if row[0] == kind)
    done = perform(rec)
    without = rec._replace(rows=rec.rows[:at] + rec.rows[at + 1 :])
    twice = rec._replace(rows=(*rec.rows[:at], rec.rows[at], *rec.rows[at:]))
    assert not compare(done._replace(recording=without), "L3").passed
    assert not compare(done._replace(recording=twice), "L3").passed


def test_the_first_difference_is_told() -> None:
    outcome = compare(perform(changed("state", 5, "LISTEN")), "L1")
    assert outcome.expected is not None and outcome.expected[5] == "LISTEN"
    assert outcome.actual is not None and outcome.actual[:2] == outcome.expected[:2]


def test_numbers_are_compared_by_first_appearance() -> None:
    rows = [("sk_free", 1.0, 7), ("sk_free", 1.0, 4), ("sk_free", 1.0, 7)]
    assert [row[2] for _, row in comparable(rows, "L2")] == [1, 2, 1]
    other = [("sk_free", 1.0, 1), ("sk_free", 1.0, 1), ("sk_free", 1.0, 2)]
    assert list(comparable(rows, "L2")) != list(comparable(other, "L2"))


def test_unknown_level() -> None:
    with pytest.raises(ValueError, match="no level 'L9'"):
        compare(perform(recording()), "L9")


def test_tree_without_an_unknown_function__its_callees_move_up() -> None:
    tree = [(0, "tcp_v4_rcv"), (1, "tcp_v4_iif"), (1, "tcp_hashfn"), (2, "tcp_ack"), (3, "tcp_fin"), (1, "tcp_data")]
    assert restricted(tree) == ((0, "tcp_v4_rcv"), (1, "tcp_ack"), (2, "tcp_fin"), (1, "tcp_data"))


@pytest.mark.parametrize("packed", ["random.jsonl.gz", "scripts.jsonl.gz"])
def test_emission__is_what_was_recorded(packed: str, tmp_path: Path) -> None:
    """What is emitted, put in the place of what was recorded, reads back as the same rows."""
    rec = next(read_recordings(GOLDEN / packed))
    sent = json.loads(json.dumps(emission(perform(rec))))
    assert sent["name"] == rec.name
    assert "tcp_close" in sent["functions"] and "tcp_set_state" not in sent["functions"]
    with gzip.open(GOLDEN / "random.jsonl.gz", "rt", encoding="utf-8") as stream:
        frame = json.loads(stream.readline())
    calls = [s for s in rec.stimuli if isinstance(s, CallMade)]
    frame["stimuli"] = [
        {"t": 0.0, "call": "socket", "args": [], "id": calls.index(s) + 1} if isinstance(s, CallMade)
        else {"t": 0.0, "in": {"flags": "", "seq": 0, "len": 0, "ack": None, "win": 0, "options": []}}
        for s in rec.stimuli
    ]  # fmt: skip
    frame["outcomes"] = sent["outcomes"]
    file = tmp_path / "emitted.jsonl"
    file.write_text(json.dumps(frame))
    (back,) = read_recordings(file)
    assert list(comparable(back.rows, "L2")) == list(comparable([r for r in rec.rows if r[0] != "calls"], "L2"))
    if rec.has_calls:
        trees = [restricted(row[2]) for row in rec.rows if row[0] == "calls"]
        assert [tuple((depth, name) for depth, name in tree) for tree in sent["calls"]] == [t for t in trees if t]


def test_emission__a_return_names_its_call_by_number() -> None:
    rec = recording("025-linger-n-returns-on-ack")
    (row,) = [row for row in emission(perform(rec))["outcomes"] if row[0] == "return"]
    assert row == ["return", 0.3, 7, "close", 0, None]
