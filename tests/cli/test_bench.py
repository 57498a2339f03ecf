"""tcpnotes bench --against: figures are held against earlier ones, much better or worse than any machine's."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tcpnotes.bench import MEASUREMENTS

SLOW, FAST = 1e12, 1e-12  # events of the yardstick for a fork


@pytest.fixture
def before(tmp_path: Path):
    def write(**cases: float) -> str:
        path = tmp_path / "before.jsonl"
        lines = [json.dumps({"name": "fork", "case": case, "ratio": ratio}) for case, ratio in cases.items()]
        path.write_text("\n".join(lines), encoding="utf-8")
        return str(path)

    return write


def test_what_did_not_fall_is_well(tcpnotes, before) -> None:
    done = tcpnotes("bench", "fork", "--quick", "--against", before(fork=SLOW))
    assert (done.status, done.err) == (0, "")


def test_what_fell_is_taken_once_more_and_named(tcpnotes, before, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = []
    fork = MEASUREMENTS["fork"]
    counted = fork._replace(take=lambda size: taken.append(size) or fork.take(size))
    monkeypatch.setitem(MEASUREMENTS, "fork", counted)
    done = tcpnotes("bench", "fork", "--quick", "--against", before(fork=FAST))
    assert done.status == 1
    assert done.err == "fork, fork: only 0% of what it was.\n"
    assert len(taken) == 2


def test_what_is_no_longer_measured_is_named(tcpnotes, before) -> None:
    path = before(fork=SLOW, spoon=1.0)
    done = tcpnotes("bench", "fork", "--quick", "--against", path)
    assert (done.status, done.err) == (1, f"fork, spoon: in {path}, but not measured now.\n")
    assert tcpnotes("bench", "import", "--quick", "--against", path).status == 0
