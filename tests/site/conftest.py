"""The built site.  It is built when there is none or when a page of it is older than what it is made of."""

from __future__ import annotations

import fcntl
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BOOK = ROOT / "book"


def sources() -> Iterator[Path]:
    """What the site is made of."""
    for folder, patterns in (
        (BOOK, ("*.md", "*.toml", "*.yml", "*.py", "*.bib", "ext/*.py", "_static/*", "extra/*")),
        (ROOT / "notebooks", ("*.ipynb",)),
        (ROOT / "tcpnotes", ("**/*.py", "**/*.toml", "**/*.js", "**/*.css")),
    ):
        for pattern in patterns:
            yield from folder.glob(pattern)


@pytest.fixture(scope="session")
def site() -> Path:
    """The folder of the site."""
    given = os.environ.get("TCPNOTES_SITE")
    folder = Path(given) if given else BOOK / "_build" / "site"
    if given:
        return folder
    (BOOK / "_build").mkdir(exist_ok=True)
    with (BOOK / "_build" / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests may run side by side
        built = folder / "objects.inv"
        newest = max(path.stat().st_mtime for path in sources())
        if not built.is_file() or built.stat().st_mtime < newest:
            done = subprocess.run(["make", "site"], cwd=ROOT, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return folder
