"""One folder with everything: what is there goes in, what is not is said, and nothing of anybody's is overwritten."""

from __future__ import annotations

import zipfile
from pathlib import Path
from types import ModuleType

import pytest
from tool import tool


@pytest.fixture
def publish(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    """The tool, with a site of one page and slides, and nothing else built."""
    program = tool("publish")
    built = tmp_path / "root" / "book" / "_build"
    for path in ("site/index.html", "site/.buildinfo", "slides/01.html"):
        (built / path).parent.mkdir(parents=True, exist_ok=True)
        (built / path).write_text(path, encoding="utf-8")
    notebooks = tmp_path / "root" / "notebooks"
    notebooks.mkdir()
    (notebooks / "01_a.ipynb").write_text("{}", encoding="utf-8")
    monkeypatch.setattr(program, "ROOT", tmp_path / "root")
    parts = tuple(part._replace(built=built / part.built.name) for part in program.PARTS)
    monkeypatch.setattr(program, "PARTS", parts)
    return program


def test_what_is_built_goes_in_and_what_is_not_is_said(
    publish: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert publish.main([str(tmp_path / "out")]) == 0
    there = {str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert there == {"index.html", "slides/01.html", "notebooks.zip", ".nojekyll", ".tcpnotes-published"}
    assert "lite: left out, it has not been built (make lite)" in capsys.readouterr().out
    assert zipfile.ZipFile(tmp_path / "out" / "notebooks.zip").namelist() == ["notebooks/01_a.ipynb"]


def test_it_can_be_done_again_and_leaves_nothing_old(publish: ModuleType, tmp_path: Path) -> None:
    out = tmp_path / "out"
    publish.main([str(out)])
    first = (out / "notebooks.zip").read_bytes()
    (out / "old.html").touch()
    publish.main([str(out)])
    assert not (out / "old.html").exists()
    assert (out / "notebooks.zip").read_bytes() == first


def test_a_folder_with_files_of_others_is_left_alone(publish: ModuleType, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("all of it", encoding="utf-8")
    with pytest.raises(SystemExit, match="holds files that were not published by this tool"):
        publish.main([str(mine)])
    assert (mine / "thesis.txt").read_text(encoding="utf-8") == "all of it"


@pytest.mark.parametrize("name", ["", "root", "root/book/_build", "root/book/_build/site"])
def test_a_folder_that_would_eat_itself_is_refused(
    publish: ModuleType, tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        publish.main([str(tmp_path / name) if name else ""])
    assert stopped.value.code == 2
    assert (tmp_path / "root/book/_build/site/index.html").exists()
    assert "publish.py: error:" in capsys.readouterr().err
