"""A wheel is whole: it carries the data files and the licences, and runs where nothing else is installed."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return next(folder.glob("*.whl"))


def test_it_carries_every_file_of_the_package(wheel: Path) -> None:
    files = {path.relative_to(ROOT).as_posix() for path in (ROOT / "tcpnotes").rglob("*") if path.is_file()}
    wanted = {name for name in files if "__pycache__" not in name and not name.endswith(".pyc")}
    assert {"tcpnotes/py.typed", "tcpnotes/view/data/states.svg", "tcpnotes/widgets/data/stepper.js"} <= wanted
    assert wanted <= set(zipfile.ZipFile(wheel).namelist())


def test_it_carries_both_licences(wheel: Path) -> None:
    names = {Path(name).name for name in zipfile.ZipFile(wheel).namelist() if "dist-info/licenses" in name}
    assert names == {"LICENSE", "LICENSE-text"}


def test_it_runs_where_nothing_else_is_installed(wheel: Path, tmp_path: Path) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path)
    program = "import sys; sys.path.insert(0, sys.argv.pop(1)); from tcpnotes.cli import main; sys.exit(main())"
    # -I -S: no site-packages, no environment, no current folder.
    command = [sys.executable, "-I", "-S", "-c", program, str(tmp_path), "run", "simultaneous_close"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "CLOSING" in done.stdout
