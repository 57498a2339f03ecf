"""What the README shows is what the library does."""

from __future__ import annotations

import doctest
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = sorted(path.name for path in ROOT.glob("*.md"))


def test_the_examples_in_python_give_what_stands_there() -> None:
    result = doctest.testfile(str(ROOT / "README.md"), module_relative=False)
    assert result.attempted > 5
    assert not result.failed


@pytest.mark.parametrize("line", re.findall(r"^(tcpnotes [^#\n]*)", README, re.MULTILINE))
def test_the_command_lines_work(line: str) -> None:
    words = shlex.split(line)[1:]
    done = subprocess.run(
        [sys.executable, "-m", "tcpnotes", *words], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_pictures_are_current() -> None:
    tool = ROOT / "tools" / "draw_readme.py"
    done = subprocess.run([sys.executable, str(tool), "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("page", PAGES)
def test_links_inside_the_repository_lead_somewhere(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    links = re.findall(r'\]\(([^)#:]+)\)|src="([^":]+)"', text)
    assert [link for pair in links for link in pair if link and not (ROOT / link).exists()] == []
