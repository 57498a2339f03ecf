"""`tcpnotes live` on the kernel of this machine, as root and as an ordinary user."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tcpnotes.live import Recording, compare, read_recording

# Short ones that together use calls that sleep, losses, segments from nowhere, a crash, a listener that closes.
SHORT = (
    "close_listener",
    "linger_zero",
    "reset_in_closing",
    "reset_in_fin_wait1",
    "reset_of_orphan",
    "shutdown_reading",
)
USER = ("chrt", "--rr", "1", "unshare", "--user", "--map-user=1000", "--map-group=1000")  # on time, but not root


def live(folder: Path, *before: str) -> Recording:
    path = folder / "today.jsonl"
    words = [*before, sys.executable, "-m", "tcpnotes", "live", *SHORT, "--json", str(path)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return read_recording(path)


@pytest.fixture(scope="module", params=["root", "user"])
def recording(request: pytest.FixtureRequest, namespaces: None, tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """What this machine's kernel does, seen with these rights."""
    root = os.geteuid() == 0
    if request.param == "root" and not root:
        pytest.skip("This takes root")
    found = live(tmp_path_factory.mktemp("live"), *(USER if root and request.param == "user" else ()))
    assert found.machine.rights == request.param
    return found


@pytest.mark.parametrize("name", SHORT)
def test_the_kernel_does_what_the_engine_does(name: str, recording: Recording) -> None:
    comparison = compare(recording.run(name), recording.machine)
    assert comparison.same_wire
    assert comparison.verdict != "different"


def test_root_is_told_why_a_reset_was_sent(recording: Recording) -> None:
    told = [record for record in recording.run("linger_zero").records if getattr(record, "what", "") == "note"]
    assert bool(told) is (recording.machine.rights == "root")


def test_nothing_of_it_is_left(recording: Recording) -> None:
    assert not list(Path("/sys/kernel/tracing").glob("instances/tcpnotes*"))
    links = subprocess.run(["ip", "-brief", "link"], capture_output=True, text=True, check=True).stdout
    assert "wireA" not in links
