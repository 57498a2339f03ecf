"""Recordings that cannot be read: one sentence, the place, what was expected."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from tcpnotes.replay import RecordingError, read_recordings

COMPACT: dict[str, Any] = {
    "name": "close/1", "seed": 1, "profile": "close", "until": 2.0, "config": {"sysctl": {"tcp_rfc1337": 1}},
    "stimuli": [
        {"t": 0.0, "call": "socket", "args": [], "id": 1},
        {"t": 0.5, "in": {"flags": "R", "seq": 0, "len": 0, "ack": None, "win": 0, "options": []}, "peer_port": 9},
    ],
    "outcomes": [["call", 0.0, 0, "socket", 3, None, 0.0], ["in", 0.5, 1], ["end", 0.5]],
}  # fmt: skip


def wrong(path: Path) -> str:
    with pytest.raises(RecordingError) as caught:
        list(read_recordings(path))
    message = str(caught.value)
    assert message.startswith(str(path)) and "\n" not in message
    return message


def written(path: Path, *objects: Any) -> Path:
    path.write_text("".join(json.dumps(thing) + "\n" for thing in objects))
    return path


def test_compact_form(tmp_path: Path) -> None:
    (recording,) = read_recordings(written(tmp_path / "a.jsonl", COMPACT))
    assert recording.name == "close/1" and recording.until == 2_000_000
    assert recording.sysctls == (("tcp_rfc1337", 1),)
    assert [stimulus.t for stimulus in recording.stimuli] == [0, 500_000]
    assert recording.rows == (("call", 0.0, 0, "socket", 3, None, 0.0, None), ("in", 0.5, 1))


def test_compressed_is_the_same(tmp_path: Path) -> None:
    plain = written(tmp_path / "a.jsonl", COMPACT, COMPACT)
    packed = tmp_path / "a.jsonl.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert list(read_recordings(packed)) == list(read_recordings(plain))


def test_no_such_file(tmp_path: Path) -> None:
    assert "cannot be read" in wrong(tmp_path / "nowhere.json")


def test_another_kind_of_file(tmp_path: Path) -> None:
    path = tmp_path / "a.pcap"
    path.write_bytes(b"\xd4\xc3\xb2\xa1")
    assert ".json, .jsonl or .jsonl.gz" in wrong(path)


def test_damaged_compression(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"name": 1}' * 100)[:-12])
    assert "damaged" in wrong(path)
    path.write_bytes(b"not gzip at all")
    assert "damaged" in wrong(path)


def test_not_json__line_and_column_are_named(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps(COMPACT) + "\n{]\n")
    assert "line 2: this is not JSON (column 2" in wrong(path)


def test_not_utf8(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b"\xff\xfe{}")
    assert "UTF-8" in wrong(path)


def test_json_but_no_recording(tmp_path: Path) -> None:
    assert "line 1" in wrong(written(tmp_path / "a.jsonl", {"hello": 1}))
    assert "object" in wrong(written(tmp_path / "b.jsonl", [1, 2]))


@pytest.mark.parametrize("key", ["name", "until", "config"])
def test_missing_key_is_named(tmp_path: Path, key: str) -> None:
    broken = {name: value for name, value in COMPACT.items() if name != key}
    assert repr(key) in wrong(written(tmp_path / "a.jsonl", broken))


@pytest.mark.parametrize(
    "change",
    [
        {"flags": "Q"}, {"flags": 5}, {"seq": "x"}, {"options": ["martian 7"]}, {"options": ["mss"]}, {"win": None},
        {"options": 3},
    ],
)  # fmt: skip
def test_segment_that_is_none(tmp_path: Path, change: dict[str, Any]) -> None:
    broken = json.loads(json.dumps(COMPACT))
    broken["stimuli"][1]["in"].update(change)
    assert "line 1" in wrong(written(tmp_path / "a.jsonl", broken))
