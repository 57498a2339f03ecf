"""tcpnotes run: the trace in columns, with question marks, as JSON, and from a file of one's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tcpnotes.scenarios import run, scenario_names
from tcpnotes.view import text_trace

MINE = """
title = "B goes away \\u001b[31m"
script = [
    { at = 1.0, host = "B", call = "close" },
    { at = 2.0, host = "A", call = "close" },
]
"""


@pytest.mark.parametrize("name", scenario_names())
def test_prints_the_trace_in_columns(tcpnotes, name):
    done = tcpnotes("run", name)
    assert (done.status, done.err) == (0, "")
    assert done.out.endswith(f"\n\n{text_trace(run(name, frames=True).recorder)}\n")


def test_says_which_scenario_and_whose_behaviour(tcpnotes):
    done = tcpnotes("run", "simultaneous_close", "--profile", "linux-2.4.0")
    assert done.out.splitlines()[0] == f"{run('simultaneous_close').scenario.title} (profile linux-2.4.0)"


def test_the_profile_decides_what_happens(tcpnotes):
    source = tcpnotes("run", "data_before_ack_of_fin").out
    released = tcpnotes("run", "data_before_ack_of_fin", "--profile", "linux-2.4.0").out
    dropped = "PSH,ACK arrives              | ACK seq=2 ack=1 -->"
    reset = "PSH,ACK arrives, CLOSE       | RST seq=1 -->"
    assert (dropped in source, reset in source) == (True, False)
    assert (dropped in released, reset in released) == (False, True)


def test_hide_puts_question_marks_where_the_reader_predicts(tcpnotes):
    hidden, open_ = tcpnotes("run", "orderly_close", "--hide").out, tcpnotes("run", "orderly_close").out
    assert "close(3) = ?, ?" in hidden
    assert "FIN_WAIT1" not in hidden
    assert "FIN_WAIT1" in open_


def test_a_file_of_ones_own(tcpnotes, tmp_path: Path):
    mine = tmp_path / "mine.toml"
    mine.write_text(MINE, encoding="utf-8")
    done = tcpnotes("run", str(mine))
    assert done.status == 0
    assert "close(4) = 0, FIN_WAIT1" in done.out
    assert "\x1b" not in done.out  # a title cannot steer the terminal


def test_json_is_the_trace_record_by_record(tcpnotes):
    head, *records = tcpnotes("run", "orderly_close", "--seed", "7", "--json").objects
    recorder = run("orderly_close", seed=7).recorder
    assert head["kind"] == "run"
    assert (head["scenario"], head["profile"], head["seed"]) == ("orderly_close", "source", 7)
    assert head["records"] == len(records) == len(recorder.records)
    assert [(r["kind"], r["index"], r["t"]) for r in records] == [
        (record.kind, index, record.t) for index, record in enumerate(recorder.records)
    ]
    states = [(r["host"], r["old"], r["new"]) for r in records if r["kind"] == "state"]
    assert ("A", "ESTABLISHED", "FIN_WAIT1") in states


def test_json_says_which_items_a_record_shows(tcpnotes):
    records = tcpnotes("run", "orderly_close", "--json").objects[1:]
    closing = next(r for r in records if r["kind"] == "enter" and r["fn"] == "tcp_close")
    assert "1.0" in closing["items"]


def test_the_seed_moves_the_sequence_numbers_and_nothing_else(tcpnotes):
    runs = {seed: tcpnotes("run", "orderly_close", "--json", "--seed", seed).objects[1:] for seed in ("0", "1", "-1")}
    first = {seed: next(r["seg"]["seq"] for r in records if r["kind"] == "sent") for seed, records in runs.items()}
    assert len(set(first.values())) == 3
    assert tcpnotes("run", "orderly_close", "--seed", "1").out == tcpnotes("run", "orderly_close").out


def test_a_run_too_long_for_frames_is_told_all_the_same(tcpnotes, monkeypatch):
    frames = tcpnotes("run", "orderly_close", "--json").objects
    monkeypatch.setattr("tcpnotes.cli.run._MOST_FRAMES", 10)
    bare = tcpnotes("run", "orderly_close", "--json").objects
    assert [{**r, "items": None} for r in bare] == [{**r, "items": None} for r in frames]
