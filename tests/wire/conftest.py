"""Tests here need tshark or a network namespace: skipped with the reason where there is none, but not in CI."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "capture"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker("wire")


def lacking(reason: str) -> None:
    """Skip, or fail in CI."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def tshark() -> str:
    """Where tshark is."""
    path = shutil.which("tshark")
    if path is None:
        lacking("There is no tshark here; on Debian: apt-get install tshark")
    assert path is not None
    return path


@pytest.fixture(scope="session")
def namespaces() -> None:
    """That network namespaces can be made."""
    words = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--user", "--map-root-user", "--net"]
    if shutil.which("unshare") is None or shutil.which("ip") is None:
        lacking("There is no unshare or no ip here; on Debian: apt-get install util-linux iproute2")
    elif subprocess.run([*words, "true"], check=False, capture_output=True).returncode:
        lacking("Network namespaces cannot be made here: this takes root, or user namespaces that the system allows")
