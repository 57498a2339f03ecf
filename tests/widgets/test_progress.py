"""Long work shows how far it is, and what a notebook keeps of it says nothing about time."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator

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


def test_notebook__the_last_picture_is_the_same_every_time(monkeypatch: pytest.MonkeyPatch) -> None:
    display = pytest.importorskip("IPython.display", reason="IPython is not installed")
    shown: list[Bar] = []

    class _Handle:
        def update(self, bar: Bar) -> None:
            shown.append(bar)

    def show(bar: Bar, display_id: bool) -> _Handle:
        shown.append(bar)
        return _Handle()

    monkeypatch.setattr(live, "kernel_lives", lambda: True)
    monkeypatch.setattr(display, "display", show)
    list(progress(range(1000), "a sweep"))
    assert shown[0].text == "a sweep: 0 of 1000" and shown[-1].text == "a sweep: 1000 of 1000"
    assert len(shown) <= 110
    bundle = shown[-1]._repr_mimebundle_()
    assert bundle["text/plain"] == repr(shown[-1]) and 'value="1000" max="1000"' in bundle["text/html"]


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
