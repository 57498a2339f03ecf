"""The engine against recorded runs of the released 2.4.0 code: every recording, every level.

A clone has a compact copy of them; where the folder they came from stands beside the
repository, that is read as well, so that the copy cannot grow stale.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tcpnotes.replay import Recording, compare, coverage, perform, read_recordings
from tcpnotes.replay.words import row_words

HERE = Path(__file__).parent
COPIES = sorted((HERE.parent / "golden").glob("*.jsonl.gz"))
ORIGINALS = HERE.parents[2] / "shared" / "golden"

# Where the source contradicts the released code (items 3.3, 3.4, 2.1, 2.5), the profile "source" must differ.
CONTRADICTED = {"linger_data", "shut_rdwr_data"}


def originals() -> list[Path]:
    return sorted(ORIGINALS.glob("*/*.json*")) if ORIGINALS.is_dir() else []


def differing(recordings: Iterator[Recording], level: str, profile: str = "linux-2.4.0") -> list[str]:
    found = []
    for recording in recordings:
        outcome = compare(perform(recording, profile), level)
        if not outcome.passed:
            found.append(
                f"{outcome.name} at {outcome.level}: expected {row_words(outcome.expected, recording)}, "
                f"got {row_words(outcome.actual, recording)}"
            )
    return found


@pytest.mark.parametrize("file", COPIES, ids=lambda file: file.name)
def test_every_recording_agrees_in_all_that_is_recorded(file: Path) -> None:
    assert differing(read_recordings(file), "L3") == []


@pytest.mark.skipif(not originals(), reason="the recordings' own folder is not beside the repository")
def test_the_copy_is_complete() -> None:
    ours = {recording for file in COPIES for recording in read_recordings(file)}
    theirs = {recording for file in originals() for recording in read_recordings(file)}
    assert ours == theirs


def test_the_engine_has_the_functions_that_the_recordings_name() -> None:
    share = coverage(recording for file in COPIES for recording in read_recordings(file))
    assert (share.recorded, share.known) == (192, 183), share.lacking


def test_profile_source_differs_where_the_text_contradicts_the_code() -> None:
    found = differing(read_recordings(HERE.parent / "golden" / "scripts.jsonl.gz"), "L1", "source")
    assert {line.split(" at ")[0] for line in found} >= CONTRADICTED
