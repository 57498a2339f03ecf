"""What goes on slides and what stays in the book; what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tool import tool

nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed (JupyterLab brings it)")
pytest.importorskip("nbconvert", reason="nbconvert is not installed (JupyterLab brings it)")


def words(source: str, kind: str = "", *tags: str) -> Any:
    meta = {"tags": list(tags), **({"slideshow": {"slide_type": kind}} if kind else {})}
    return nbformat.v4.new_markdown_cell(source, metadata=meta)


def code(source: str, kind: str = "", *tags: str, **data: str) -> Any:
    meta = {"tags": list(tags), **({"slideshow": {"slide_type": kind}} if kind else {})}
    outputs = [nbformat.v4.new_output("execute_result", data=data, execution_count=1)] if data else []
    return nbformat.v4.new_code_cell(source, metadata=meta, outputs=outputs, execution_count=1)


def page(tmp_path: Path, *cells: Any) -> str:
    path = tmp_path / "01_a_question.ipynb"
    notebook = nbformat.v4.new_notebook(cells=[words("# A `close`?\n\nItem 1.3 opens.", "slide"), *cells])
    nbformat.write(notebook, path)
    _, html = tool("make_slides").page(path, "notebooks/01_a_question", tool("make_slides").exporter(), "HASH")
    return str(html)


def test_cells_follow_their_slide_type(tmp_path: Path) -> None:
    html = page(
        tmp_path, words("## One", "slide"), words("with it"), words("## Two", "subslide"), words("not this", "skip")
    )
    assert html.count("<section data-at=") == 2
    assert "with it" in html and "not this" not in html


def test_the_first_slide_has_the_title_and_the_items(tmp_path: Path) -> None:
    html = page(tmp_path, words("## One", "slide"))
    title = html[html.index("deck-title") : html.index("</section>")]
    assert "<h1>A <code>close</code>?</h1>" in title
    assert '<span class="deck-item">1.3</span>' in title
    assert "opens." in title


def test_claims_exercises_solutions_and_asides_stay_in_the_book(tmp_path: Path) -> None:
    cells = [words(tag, "", tag) for tag in ("claim", "exercise", "solution", "excursion")]
    html = page(tmp_path, words("## One", "slide"), *cells)
    assert not any(f"<p>{cell.source}</p>" in html for cell in cells)


def test_a_section_whose_heading_has_no_slide_type_stays_in_the_book(tmp_path: Path) -> None:
    html = page(tmp_path, words("## One", "slide"), words("## Exercises"), words("a task"), words("## Last", "slide"))
    assert "Exercises" not in html.replace("with exercises", "") and "a task" not in html
    assert "Last" in html


def test_notes_are_for_the_speaker(tmp_path: Path) -> None:
    html = page(tmp_path, words("## One", "slide"), words("say **this**", "notes"))
    assert '<aside class="notes"><p>say <strong>this</strong></p>' in html


def test_what_is_typed_is_shown_when_nothing_is_drawn_below(tmp_path: Path) -> None:
    html = page(
        tmp_path, words("## One", "slide"), code("drawn = 1\ndrawn", **{"text/html": "<svg></svg>", "text/plain": "p"}),
        code("shown = 2\nshown", **{"text/plain": "2"}), code("hidden = 3", "", "hide-input"),
    )  # fmt: skip
    assert "shown" in html and "hidden" not in html
    assert "<svg></svg>" in html and ">drawn<" not in html


def test_words_are_escaped(tmp_path: Path) -> None:
    html = page(tmp_path, words("## One", "slide"), code("1\n2", **{"text/plain": "<script>alert(1)</script>"}))
    assert "&lt;script&gt;alert(1)" in html and "<script>alert" not in html


def test_a_script_that_is_not_the_books_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"01_a_question\.ipynb: an output holds a script that is not the book's"):
        page(
            tmp_path,
            words("## One", "slide"),
            code("x", **{"text/html": "<script>alert(1)</script>", "text/plain": "x"}),
        )


def test_a_notebook_without_a_title_on_a_slide_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "01_a.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[words("no title", "slide")]), path)
    with pytest.raises(SystemExit, match="its first cell is to be its title, on a slide"):
        tool("make_slides").page(path, "notebooks/01_a", tool("make_slides").exporter(), "HASH")


def test_the_policy_names_the_speakers_script_by_its_hash(tmp_path: Path) -> None:
    assert "script-src 'self' 'sha256-HASH';" in page(tmp_path, words("## One", "slide"))


def test_a_folder_with_other_files_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(SystemExit):
        tool("make_slides").main([str(tmp_path)])
    assert "holds files that are no decks" in capsys.readouterr().err
    assert (tmp_path / "mine.txt").exists()
