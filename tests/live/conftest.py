"""Tests here compare what was recorded on a live kernel; those that need one are in tests/wire."""

from __future__ import annotations

import pytest

from tcpnotes.live import Comparison, Recording, compare, recorded


@pytest.fixture(scope="session")
def recording() -> Recording:
    return recorded()


@pytest.fixture(scope="session")
def comparisons(recording: Recording) -> dict[str, Comparison]:
    return {run.scenario: compare(run, recording.machine) for run in recording.runs}
