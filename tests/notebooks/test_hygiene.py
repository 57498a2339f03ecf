"""What every notebook must be: one title, headings in order, told in text too, run, and in its one form."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from tool import tool

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
TAGS = {
    # what pages show and hide (myst-nb's names)
    "hide-input", "hide-output", "hide-cell", "remove-input", "remove-output", "remove-cell", "raises-exception",
    # ours: asserts that back the prose; tasks and what solves them; aside from the main path
    "claim", "exercise", "solution", "excursion",
}  # fmt: skip
SLIDES = {"slide", "subslide", "fragment", "notes", "skip"}
MOST_CELLS, MOST_BYTES = 80, 600_000
NAMES = [path.name for path in NOTEBOOKS]


@cache
def _load(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((ROOT / "notebooks" / name).read_text(encoding="utf-8"))
    return loaded


def _cells(name: str, kind: str | None = None) -> list[dict[str, Any]]:
    return [cell for cell in _load(name)["cells"] if kind is None or cell["cell_type"] == kind]


def _source(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])


def _prose(name: str) -> str:
    """All Markdown, without its blocks of code."""
    whole = "\n\n".join(_source(cell) for cell in _cells(name, "markdown"))
    return re.sub(r"```.*?```", "", whole, flags=re.DOTALL)


def _outputs(name: str) -> list[dict[str, Any]]:
    return [output for cell in _cells(name, "code") for output in cell["outputs"]]


def test_there_are_notebooks() -> None:
    assert NAMES


@pytest.mark.parametrize("name", NAMES)
def test_one_title_and_headings_in_order(name: str) -> None:
    levels = [len(mark) for mark in re.findall(r"^(#+) \S", _prose(name), re.MULTILINE)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after <= before + 1 for before, after in zip(levels, levels[1:], strict=False))


@pytest.mark.parametrize("name", NAMES)
def test_the_title_is_a_question(name: str) -> None:
    title = re.search(r"^# (.+)$", _prose(name), re.MULTILINE)
    assert title is not None and title[1].rstrip().endswith("?")


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_left_from_writing(name: str) -> None:
    assert all(_source(cell).strip() for cell in _cells(name))
    assert re.findall(r"\b(?:TODO|FIXME|XXX)\b", "\n".join(map(_source, _cells(name)))) == []
    assert re.findall(r"\b([A-Za-z]+)\s+\1\b(?!`)", re.sub(r"`[^`]*`", "", _prose(name))) == [], "a word twice"


def _spelling(*files: Path) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-m",
        "codespell_lib",
        *map(str, files),
    ]  # as `make lint` does: the settings are the project's
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_spelling() -> None:
    pytest.importorskip("codespell_lib", reason="codespell is not installed")
    done = _spelling(*NOTEBOOKS)
    assert (done.returncode, done.stdout) == (0, "")


def test_spelling__looks_into_prose_code_and_outputs(tmp_path: Path) -> None:
    pytest.importorskip("codespell_lib", reason="codespell is not installed")
    wrong = ["recieve", "seperate", "occured"]  # codespell:ignore
    prose, code, printed = (f"x {word}\n" for word in wrong)
    cells = [
        {"cell_type": "markdown", "source": [prose]},
        {"cell_type": "code", "source": [code], "outputs": [{"data": {"text/plain": [printed]}}]},
    ]
    path = tmp_path / "x.ipynb"
    path.write_text(json.dumps({"cells": cells}, indent=1), encoding="utf-8")
    assert re.findall(r"(\w+) ==>", _spelling(path).stdout) == wrong


@pytest.mark.parametrize("name", NAMES)
def test_pictures_say_what_they_show(name: str) -> None:
    assert all(alt.strip() for alt in re.findall(r"!\[([^\]]*)\]\(", _prose(name)))
    for output in _outputs(name):
        html = "".join(output.get("data", {}).get("text/html", ""))
        for image in re.findall(r"<img\b[^>]*>", html):
            assert re.search(r'\balt="[^"]+"', image), image[:80]
        for svg in re.findall(r"<svg\b[^>]*>", re.sub(r"<script.*?</script>", "", html, flags=re.DOTALL)):
            assert "aria-label" in svg or "aria-hidden" in svg, svg[:80]


@pytest.mark.parametrize("name", NAMES)
def test_tags_and_slides_are_known(name: str) -> None:
    for cell in _cells(name):
        assert set(cell["metadata"].get("tags", ())) <= TAGS, cell["id"]
        assert cell["metadata"].get("slideshow", {}).get("slide_type", "skip") in SLIDES, cell["id"]


@pytest.mark.parametrize("name", NAMES)
def test_every_code_cell_was_run_once_in_order(name: str) -> None:
    counts = [cell["execution_count"] for cell in _cells(name, "code")]
    assert counts == list(range(1, len(counts) + 1))
    assert not [output for output in _outputs(name) if output["output_type"] == "error"]


@pytest.mark.parametrize("name", NAMES)
def test_no_cell_prints_beside_a_picture(name: str) -> None:
    for cell in _cells(name, "code"):
        kinds = [output["output_type"] for output in cell["outputs"]]
        assert not ("stream" in kinds and len(set(kinds)) > 1), cell["id"]
        assert kinds.count("execute_result") + kinds.count("display_data") <= 1, cell["id"]


@pytest.mark.parametrize("name", NAMES)
def test_everything_shown_has_a_text_twin_without_addresses(name: str) -> None:
    for output in _outputs(name):
        text = "".join(output.get("data", {}).get("text/plain", "-"))
        assert text.strip()
        assert not re.search(r"\bat 0x[0-9a-f]{6,}", text)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_of_a_machine_or_a_kernel(name: str) -> None:
    whole = json.dumps(_load(name))
    assert "application/vnd.jupyter.widget" not in whole
    assert "widgets" not in _load(name)["metadata"]
    home = re.search(r"(/home/|/Users/|/root/|/work/|/tmp/|[A-Z]:\\\\\\\\)[\w.-]+", whole)
    assert home is None, home
    assert "\x1b[" not in whole


@pytest.mark.parametrize("name", NAMES)
def test_small_enough(name: str) -> None:
    assert len(_cells(name)) <= MOST_CELLS
    assert (ROOT / "notebooks" / name).stat().st_size <= MOST_BYTES


@pytest.mark.parametrize("path", NOTEBOOKS, ids=NAMES)
def test_normal(path: Path) -> None:
    assert tool("notebooks").problems(path) == []


def test_normalising__takes_out_what_depends_on_the_run() -> None:
    nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed (JupyterLab brings it)")
    mine = {"widgets": {"x": 1}, "kernelspec": {"name": "mine", "display_name": "Mine"}}
    notebook = nbformat.v4.new_notebook(metadata=mine)
    view = {tool("notebooks").VIEW: {"model_id": "17"}, "text/plain": "Panel", "text/html": "<p>x</p>"}
    output = nbformat.v4.new_output("display_data", data=view, metadata={"when": 1})
    streams = [nbformat.v4.new_output("stream", name="stdout", text=text) for text in ("a\n", "b\n")]
    meta = {"tags": ["hide-input"], "execution": {"iopub.execute_input": "now"}, "collapsed": True}
    notebook.cells = [
        nbformat.v4.new_code_cell("x = 1", outputs=[output, *streams], metadata=meta, execution_count=1),
        nbformat.v4.new_code_cell("x = 1", execution_count=2),
    ]
    normal = tool("notebooks").normalise(notebook)
    assert normal.metadata == tool("notebooks").METADATA
    assert [cell.id for cell in normal.cells] == ["x-1", "x-1-2"]
    first = normal.cells[0]
    assert set(first.outputs[0].data) == {"text/plain", "text/html"} and first.outputs[0].metadata == {}
    assert [o.get("text") for o in first.outputs[1:]] == ["a\nb\n"]
    assert first.metadata == {"tags": ["hide-input"], "jupyter": {"source_hidden": True}}
    again = tool("notebooks").text_of(tool("notebooks").normalise(nbformat.reads(tool("notebooks").text_of(normal), as_version=4)))
    assert again == tool("notebooks").text_of(normal)


def test_check__says_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed (JupyterLab brings it)")
    path = tmp_path / "x.ipynb"
    notebook = nbformat.v4.new_notebook()
    notebook.cells = [nbformat.v4.new_code_cell("1 + 1")]
    nbformat.write(notebook, path)
    assert tool("notebooks").main(["check", str(path)]) == 1
    said = capsys.readouterr().err
    assert "not all run once" in said and "not in the normal form" in said
