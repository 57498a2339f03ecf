"""Closes made here and now with ordinary sockets, in a network namespace made for it: each is named rightly."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from captures import explained
from closes import CLOSES, Close

TOOL = Path(__file__).parents[2] / "tools" / "capture_closes.py"
NEEDS = {"with_curl": "curl", "with_nc": "nc", "with_openssl": "openssl"}


@pytest.fixture(scope="session")
def captures(namespaces: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a capture of every kind, made by this machine's kernel."""
    folder = tmp_path_factory.mktemp("closes")
    done = subprocess.run([sys.executable, TOOL, "--out", folder], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.parametrize("name", CLOSES)
def test_a_real_close_is_named_rightly(name: str, captures: Path) -> None:
    if name in NEEDS and shutil.which(NEEDS[name]) is None:
        pytest.skip(f"There is no {NEEDS[name]} here")
    verdicts = [e.verdict for e in explained((captures / f"{name}.pcapng").read_bytes())]
    assert [Close(v.how, v.closer or "", v.tags, v.maybe) for v in verdicts] == CLOSES[name]
