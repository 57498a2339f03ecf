"""Recordings are read back as they were written, and anything else is refused in one sentence."""

from __future__ import annotations

import gzip
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tcpnotes.live import LiveError, Recording, read_recording, write_recording
from tcpnotes.live.recording import Reader, parse_recording

MACHINE = '{"kind": "live", "kernel": "Linux 6.18.44", "hz": 250, "date": "2026-11-25", "rights": "user"}'


@pytest.mark.parametrize("name", ["today.jsonl", "today.jsonl.gz"])
def test_what_is_written_is_read(recording: Recording, tmp_path: Path, name: str) -> None:
    some = recording._replace(runs=recording.runs[:5])
    write_recording(some, tmp_path / name)
    assert read_recording(tmp_path / name) == some
    assert (tmp_path / name).read_bytes()[:2] == (b"\x1f\x8b" if name.endswith("gz") else b'{"')


def test_the_same_recording_is_the_same_file(recording: Recording, tmp_path: Path) -> None:
    for name in ("a.jsonl.gz", "b.jsonl.gz"):
        write_recording(recording._replace(runs=recording.runs[:2]), tmp_path / name)
    assert (tmp_path / "a.jsonl.gz").read_bytes() == (tmp_path / "b.jsonl.gz").read_bytes()


def test_it_says_whose_kernel_and_when_and_nothing_of_the_machine(recording: Recording) -> None:
    assert recording.machine._fields == ("kernel", "hz", "date", "rights")
    for run in recording.runs:
        for record in run.records:
            if record.kind in ("sent", "received", "lost"):
                assert record.seg.saddr in (0xC0A80001, 0xC0000201)


BAD = {
    "": "the file is empty",
    "x": "line 1: this is not JSON",
    "[]": "line 1: a line is one JSON object",
    '{"kind": "run"}': "line 1: the first line has the kind live",
    MACHINE.replace("250", '"250"'): "line 1: hz takes int",
    MACHINE + "\n{}": "line 2: a run has the kind live_run",
    MACHINE + '\n{"kind": "live_run", "scenario": "x", "end": 1, "records": [{}]}': "line 2: a record needs one of",
    MACHINE + '\n{"kind": "live_run", "scenario": "x", "end": 1, "records": [{"kind": "lost", "t": 0, "host": "A"}]}':
        "line 2: segment None was never sent",
    MACHINE + '\n{"kind": "live_run", "scenario": "x", "end": 1, "records": [{"kind": "count", "t": 0, "host": "C"}]}':
        "line 2: a record needs a time t and a host, A or B",
    MACHINE + '\n{"kind": "live_run", "scenario": "x", "end": 1, "records": [{"kind": "count", "t": 0, "host": "A"}]}':
        "line 2: a record of kind count needs name",
    "é": "this is not a recording of 'tcpnotes live --json'",
}  # fmt: skip


@pytest.mark.parametrize("text", BAD)
def test_a_bad_file_is_told_by_line(text: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(LiveError) as caught:
        read_recording(path)
    assert BAD[text] in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_file_that_is_not_there_or_broken_is_told(tmp_path: Path) -> None:
    with pytest.raises(LiveError, match="cannot be read"):
        read_recording(tmp_path / "none.jsonl")
    (tmp_path / "cut.gz").write_bytes(gzip.compress(MACHINE.encode())[:-9])
    with pytest.raises(LiveError, match="cannot be read"):
        read_recording(tmp_path / "cut.gz")


def test_a_run_that_is_not_in_it(recording: Recording) -> None:
    with pytest.raises(LiveError, match="The recording has no run of 'nope'; it has: "):
        recording.run("nope")


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=5,
)
names = st.sampled_from(["t", "host", "kind", "wire", "seg", "task", "call", "args", "ret", "sk", "op", "tw", "name"])
kinds = st.sampled_from(["sent", "received", "lost", "call", "return", "tw", "count", "state", "sleep", "free", "x"])


@given(st.dictionaries(names, values | st.dictionaries(names, values, max_size=3)), kinds)
@settings(max_examples=300, deadline=None, database=None, derandomize=True)
def test_no_record_is_worse_than_a_value_error(data: dict[str, Any], kind: str) -> None:
    with suppress(ValueError):
        Reader().record({"t": 1, "host": "A", **data, "kind": kind})


@given(st.binary(max_size=200))
@settings(max_examples=200, deadline=None, database=None, derandomize=True)
def test_no_file_is_worse_than_a_live_error(content: bytes) -> None:
    for text in (content, MACHINE.encode() + b"\n" + content, json.dumps(content.hex()).encode()):
        with suppress(LiveError):
            parse_recording(text, "f")
