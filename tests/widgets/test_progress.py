"""Long work shows how far it is, and what a notebook keeps of it says nothing about time."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tcpnotes.widgets import live, progress
from tcpnotes.widgets.bars import Bar


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_passes_everything_on_and_is_silent_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(progress(range(5), "a sweep")) == [0, 1, 2, 3, 4]
    assert capsys.readouterr() == ("", "")


def test_terminal__a_line_for_every_tenth(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = _Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setitem(sys.modules, "tqdm", None)
    assert len(list(progress(range(200), "a sweep"))) == 200
    lines = terminal.getvalue().splitlines()
    assert len(lines) == 10 and lines[-1] == "a sweep: 200 of 200"


def test_terminal__work_that_cannot_say_how_much_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = _Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setitem(sys.modules, "tqdm", None)

    def numbers() -> Iterator[int]:
        yield from range(2500)

    assert len(list(progress(numbers(), "a search"))) == 2500
    assert terminal.getvalue().splitlines() == ["a search: 1000", "a search: 2000"]


class _Notebook:
    """Keeps what is displayed, and what it is replaced by."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        display = pytest.importorskip("IPython.display", reason="IPython is not installed")
        self.shown: list[Bar] = []
        monkeypatch.setattr(live, "kernel_lives", lambda: True)
        monkeypatch.setattr(display, "display", self.show)

    def show(self, bar: Bar, display_id: bool) -> _Notebook:
        self.update(bar)
        return self

    def update(self, bar: Bar) -> None:
        self.shown.append(bar)


def test_notebook__the_last_picture_is_the_same_every_time(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = _Notebook(monkeypatch).shown
    list(progress(range(1000), "a sweep"))
    assert [bar.text for bar in shown[:2]] == ["a sweep: 1000 of 1000", "a sweep: 0 of 1000"]
    assert shown[-1].text == "a sweep: 1000 of 1000" and shown[-1].html == shown[0].html
    assert len(shown) <= 110
    bundle = shown[-1]._repr_mimebundle_()
    assert bundle["text/plain"] == repr(shown[-1]) and 'value="1000" max="1000"' in bundle["text/html"]


def test_notebook__work_that_cannot_say_how_much_it_is_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = _Notebook(monkeypatch).shown
    list(progress((number for number in range(50)), "a search"))
    assert shown[0].text == shown[-1].text == "a search: done" and "a search: 50" in [bar.text for bar in shown]


def test_notebook__work_that_is_left_says_where(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = _Notebook(monkeypatch).shown
    for number in progress(range(10), "a search"):
        if number == 3:
            break
    del number
    assert shown[-1].text == "a search: 3 of 10"


def test_notebook__can_be_compared_with_what_it_keeps(tmp_path: Path) -> None:
    """A notebook with a bar, run once to be stored and once more to be compared as strictly as ours are."""
    nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed")
    nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed")
    pytest.importorskip("nbval", reason="nbval is not installed")
    source = "from tcpnotes.widgets import progress\nsum(progress(range(300), 'a sweep'))"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
    nbclient.NotebookClient(notebook, kernel_name="python3").execute()
    assert [output["data"]["text/plain"] for output in notebook.cells[0].outputs] == ["a sweep: 300 of 300", "44850"]
    nbformat.write(notebook, tmp_path / "bar.ipynb")
    command = [sys.executable, "-m", "pytest", "-q", "--nbval", "-p", "no:cacheprovider", "-p", "no:xdist", "bar.ipynb"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout


def test_an_error_in_the_work_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError):
        for number in progress([1, 0], "a sweep"):
            assert 1 / number
    assert list(progress([], "nothing")) == []


def test_terminal__the_bar_of_tqdm_where_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("tqdm", reason="tqdm is not installed")
    terminal = _Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    assert list(progress([1, 2, 3], "a sweep")) == [1, 2, 3]
    assert "a sweep:" in terminal.getvalue() and "/3" in terminal.getvalue()
