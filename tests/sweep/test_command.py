"""``tcpnotes sweep``: the table it prints, what it leaves, and what it says when something is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from tcpnotes.cli import main

FEW = """
title = "A few runs"
scenario = "orderly_close"
until = 90
[grid]
linger = ["off", 0]
seeds = 3
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "few.toml").write_text(FEW, encoding="utf-8")
    return tmp_path


def test_summary__a_line_for_each_point_all_seeds_together(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sweep", "few.toml", "--out", "few.csv"]) == 0
    head, off, zero, end = capsys.readouterr().out.splitlines()
    assert head.split()[:2] == ["LINGER", "RUNS"]
    assert off.split() == ["off", "3", "0.00", "s", "61.05", "s", "1.10", "s", "0", "1.00", "60.9", "s", "0.00", "0.00"]
    assert zero.split()[:6] == ["0", "3", "0.00", "s", "0.00", "s"] and zero.split()[-2:] == ["1.00", "0.00"]
    assert end.startswith("few: 6 runs of orderly_close, ")
    assert len(Path("few.csv").read_text(encoding="utf-8").splitlines()) == 7


def test_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sweep", "--list"]) == 0
    assert "loss       What loss costs a close (300 runs)" in capsys.readouterr().out


def test_ctrl_c__says_how_to_go_on(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*args: object, **settings: object) -> None:
        settings["tell"](2)  # type: ignore[operator]
        raise KeyboardInterrupt

    monkeypatch.setattr("tcpnotes.sweep.sweep", interrupted)
    assert main(["sweep", "few.toml", "--out", "few.csv"]) == 130
    assert "few.csv has 2 of 6 rows; the same command goes on" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "a sweep is missing; there are: linger, loss, patience"),
        (["los"], "there is no sweep 'los' (did you mean 'loss'?)"),
        (["none.toml"], "none.toml: the file cannot be read"),
        (["few.toml", "--jobs", "0"], "'0' is not a number of processes from 1 to 1024"),
        (["few.toml", "--jobs", "2", "--cluster", "tcp://127.0.0.1:9"], "not allowed with"),
        (["few.toml", "--out", "few.toml"], "few.toml: line 1: this file is of another sweep"),
        (["few.toml", "--out", "none/few.csv"], "--out none/few.csv: the file cannot be used"),
        (["few.toml", "--plot", "few.doc"], "--plot few.doc: a plot is a file that ends in .svg, .png or .pdf"),
        (["few.toml", "--plot", "few.svg", "--across", "loss"], "--plot: 'loss' is not varied in this sweep"),
    ],
)
def test_mistakes__one_sentence_and_2(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    if "--across" in words:
        pytest.importorskip("matplotlib", reason="matplotlib is not installed: pip install 'tcpnotes[scale]'")
    assert main(["sweep", *words]) == 2
    out, err = capsys.readouterr()
    assert said in err and not out and len(err.splitlines()) == 1
    assert Path("few.toml").read_text(encoding="utf-8") == FEW
