"""The decks, and what is printed: made when they are older than what they are made of."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from deck_walk import ROOT, Walk, through

if TYPE_CHECKING:
    from playwright.sync_api import Browser

BUILT = ROOT / "book" / "_build"


def made(target: str, given: str) -> Path:
    """What a target of the Makefile makes; a variable may name a folder that has it already."""
    if folder := os.environ.get(given):
        return Path(folder)
    done = subprocess.run(["make", target], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return BUILT / target


@pytest.fixture(scope="session")
def slides() -> Path:
    """The folder of the decks."""
    return made("slides", "TCPNOTES_SLIDES")


@pytest.fixture(scope="session")
def papers(chromium: str) -> Path:
    """The folder of what is printed."""
    return made("pdf", "TCPNOTES_PDF")


@pytest.fixture(scope="session")
def site(papers: Path) -> Path:
    """The folder of the site that was printed."""
    return Path(os.environ.get("TCPNOTES_SITE", BUILT / "site"))


@pytest.fixture(scope="session")
def walk(browser: Browser, slides: Path) -> Callable[[str], Walk]:
    """Walk through a deck at 1280 by 720, in all its views and steps of slides; what was seen is kept."""
    seen: dict[str, Walk] = {}

    def go(name: str) -> Walk:
        if name not in seen:
            seen[name] = through(browser, slides / f"{name}.html")
        return seen[name]

    return go
