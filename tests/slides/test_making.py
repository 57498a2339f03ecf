"""What goes on slides and what stays in the book; what is refused."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from deck_walk import ROOT, listed
from tool import tool

nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed (JupyterLab brings it)")
pytest.importorskip("nbconvert", reason="nbconvert is not installed (JupyterLab brings it)")

CHAPTERS = [ROOT / "notebooks" / f"{name}.ipynb" for name in listed()]


def words(source: str, kind: str = "", *tags: str) -> Any:
    meta = {"tags": list(tags), **({"slideshow": {"slide_type": kind}} if kind else {})}
    return nbformat.v4.new_markdown_cell(source, metadata=meta)


def code(source: str, kind: str = "", *tags: str, **data: str) -> Any:
    meta = {"tags": list(tags), **({"slideshow": {"slide_type": kind}} if kind else {})}
    outputs = [nbformat.v4.new_output("execute_result", data=data, execution_count=1)] if data else []
    return nbformat.v4.new_code_cell(source, metadata=meta, outputs=outputs, execution_count=1)


def page(tmp_path: Path, *cells: Any, said: str = "") -> str:
    path = tmp_path / "01_a_question.ipynb"
    (tmp_path / "notes").mkdir()
    if said:
        (tmp_path / "notes" / "01_a_question.md").write_text(said, encoding="utf-8")
    notebook = nbformat.v4.new_notebook(cells=[words("# A `close`?\n\nItem 1.3 opens.", "slide"), *cells])
    nbformat.write(notebook, path)
    made = tool("make_slides")
    _, html = made.page(path, "notebooks/01_a_question", made.exporter(), "HASH", tmp_path / "notes")
    return str(html)


def named(id: str, cell: Any) -> Any:
    cell.id = id
    return cell


def notes_of(html: str, section: str) -> str:
    """What the speaker is told on the slide that begins with a cell, or on the title slide."""
    at = html.index('<section class="deck-title"' if section == "title" else f'<section data-at="{section}">')
    slide = html[at : html.index("</section>", at)]
    return "".join(re.findall(r'<aside class="notes">(.*?)\s*</aside>', slide, re.DOTALL))


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


TITLE = "# A `close`?\n\nFirst **this**.\n"


def test_notes_beside_the_notebook_land_on_the_slides_that_they_name(tmp_path: Path) -> None:
    cells = [named("one", words("## One", "slide")), words("more"), named("two", words("## Two", "subslide")),
             named("three", words("## Three", "slide"))]  # fmt: skip
    html = page(tmp_path, *cells, said=f"{TITLE}\n## two\n\nSay `tcp_fin`.\n\n* a\n* b\n\n## one\n\nAsk.\n")
    assert "A lecture of 45 minutes." in notes_of(html, "title")
    assert "<p>First <strong>this</strong>.</p>" in notes_of(html, "title")
    assert notes_of(html, "one") == "<p>Ask.</p>"
    assert "<p>Say <code>tcp_fin</code>.</p>" in notes_of(html, "two") and "<li>a</li>" in notes_of(html, "two")
    assert notes_of(html, "three") == ""


def test_notes_of_both_kinds_stand_on_one_slide(tmp_path: Path) -> None:
    cells = [named("one", words("## One", "slide")), words("from the notebook", "notes")]
    html = page(tmp_path, *cells, said=f"{TITLE}\n## one\n\nfrom the file\n")
    assert notes_of(html, "one") == "<p>from the file</p><p>from the notebook</p>"


def test_a_chapter_without_a_file_of_notes_has_its_plan_alone(tmp_path: Path) -> None:
    html = page(tmp_path, words("## One", "slide"))
    assert html.count('<aside class="notes">') == 1 and "A lecture of 45 minutes." in notes_of(html, "title")


NO_SLIDE = "no slide or sub-slide of 01_a_question.ipynb begins with this cell;"


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("# Another\n\nText.\n", ': it is to begin with the title of its chapter, "# A `close`?".'),
        ("Text.\n", ": it is to begin with the title of its chapter"),
        (f"Text.\n\n{TITLE}", ": it is to begin with the title of its chapter"),
        (f"{TITLE}\n## opens\n\nText.\n", f', "## opens": {NO_SLIDE} is "open" meant?'),
        (f"{TITLE}\n## zzz\n\nText.\n", f', "## zzz": {NO_SLIDE} name one by the id of its first cell.'),
        (f"{TITLE}\n## inside\n\nText.\n", f', "## inside": {NO_SLIDE}'),
        (f"{TITLE}\n## task\n\nText.\n", f', "## task": {NO_SLIDE}'),
        (f"{TITLE}\n{TITLE}", f', "# A `close`?": {NO_SLIDE}'),
        (f"{TITLE}\n## open\n\nOne.\n\n## open\n\nTwo.\n", ', "## open": this slide has notes already; put both under'),
        (f"{TITLE}\n## open\n", ', "## open": nothing stands under it; write the note or take the heading out.'),
        ("# A `close`?\n\n## open\n\nText.\n", ', "# A `close`?": nothing stands under it;'),
        (f"{TITLE}\n## open\n\n<script>alert(1)</script>\n", ', "## open": it holds a script; set it as code, or take'),
    ],
)
def test_notes_that_have_no_slide_or_no_text_are_refused(tmp_path: Path, said: str, sentence: str) -> None:
    cells = [named("open", words("## One", "slide")), named("inside", words("part")),
             named("task", words("do", "subslide", "exercise"))]  # fmt: skip
    with pytest.raises(SystemExit) as stopped:
        page(tmp_path, *cells, said=said)
    assert str(stopped.value).startswith("notes/01_a_question.md" + sentence)


def test_notes_of_no_chapter_are_refused_before_anything_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "99_gone.md").write_text("# Gone?\n\nText.\n", encoding="utf-8")
    monkeypatch.setattr(tool("make_slides"), "NOTES", tmp_path)
    with pytest.raises(SystemExit, match=r"/99_gone\.md: there is no chapter of this name; name it like its notebook"):
        list(tool("make_slides").build(tmp_path / "decks"))
    assert not (tmp_path / "decks").exists()


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_every_part_of_every_deck_has_notes_and_a_plan_of_45_minutes(path: Path) -> None:
    made = tool("make_slides")
    cells = made.on_slides(nbformat.read(path, as_version=4).cells)
    title, _ = made.split_opening(cells.pop(0).source)
    firsts = made.begins(cells)
    said = made.read_notes(made.NOTES / f"{path.stem}.md", title, [cell.id for cell in firsts])
    parts = [cell.id for cell in firsts if cell.metadata.slideshow.slide_type == "slide"]
    assert parts and [id for id in ("", *parts) if id not in said] == []
    minutes = sum(int(one) for text in said.values() for one in re.findall(r"\((\d+) min\)", text))
    assert 0 < minutes <= made.MINUTES


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
