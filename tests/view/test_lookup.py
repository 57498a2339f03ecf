"""Where the chapters show what, found in notebooks made for it; and the lists that come of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tcpnotes.kernel.mirror import FUNCTIONS
from tcpnotes.source import glossary
from tcpnotes.view import function_list, item_list, kernel_files, shown, word_list
from tcpnotes.widgets import play


def prose(text: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "id": "prose", "metadata": {}, "source": [text]}


def cell(id: str, number: int, html: str, *tags: str) -> dict[str, Any]:
    output = {"output_type": "execute_result", "data": {"text/html": [html], "text/plain": ["x"]}}
    return {
        "cell_type": "code", "id": id, "metadata": {"tags": list(tags)}, "source": ["x"], "execution_count": number,
        "outputs": [output],
    }  # fmt: skip


def write(folder: Path, name: str, *cells: dict[str, Any]) -> None:
    (folder / name).write_text(json.dumps({"cells": cells}), encoding="utf-8")


@pytest.fixture(scope="module")
def html() -> str:
    return play("linger_zero").stepper().html


def test_an_item_is_shown_at_the_step_that_shows_it(tmp_path: Path, html: str) -> None:
    write(tmp_path, "01_first.ipynb", cell("stepper", 7, html))
    place = shown(tmp_path).items["1.2"][0]
    steps = play("linger_zero").stepper().data["steps"]
    scenario, _, step = place.frame.partition("@")
    assert (place.notebook, place.cell, place.number, scenario) == ("01_first.ipynb", "stepper", 7, "linger_zero")
    assert "1.2" in steps[int(step) - 1]["i"] and not [s for s in steps[: int(step) - 1] if "1.2" in s.get("i", ())]


def test_a_function_is_shown_at_the_step_at_which_it_begins(tmp_path: Path, html: str) -> None:
    write(tmp_path, "01_first.ipynb", cell("stepper", 7, html))
    step = int(shown(tmp_path).functions["tcp_disconnect"][0].frame.partition("@")[2])
    captions = play("linger_zero").stepper().captions()
    assert "tcp_disconnect begins" in captions[step - 1]


def test_the_chapter_that_announces_an_item_is_named_first(tmp_path: Path, html: str) -> None:
    write(tmp_path, "01_first.ipynb", cell("early", 1, html))
    words = prose("**Item 1.2. The text says:** cut off.")
    write(tmp_path, "02_second.ipynb", cell("before", 1, html), words, cell("behind", 2, html))
    places = shown(tmp_path).items["1.2"]
    assert [(place.chapter, place.cell) for place in places] == [("02", "behind"), ("02", "before"), ("01", "early")]
    assert places[0].frame.startswith("linger_zero.2@")  # the second stepper of that scenario on the page


def test_what_a_page_does_not_show__is_no_place(tmp_path: Path, html: str) -> None:
    write(tmp_path, "01_first.ipynb", cell("hidden", 1, html, "remove-cell"), cell("there", 2, html))
    for name in ("00_guide.ipynb", "93_where.ipynb"):
        write(tmp_path, name, cell("elsewhere", 1, html))
    [place] = shown(tmp_path).items["1.2"]
    assert place.cell == "there" and "." not in place.frame


def test_a_figure_is_the_picture_behind_the_words_that_name_it(tmp_path: Path) -> None:
    picture = play("orderly_close").ladder.html
    write(
        tmp_path,
        "01_first.ipynb",
        cell("other", 1, picture),
        prose("**Item 1.fig.** Ours."),
        cell("figure", 2, picture),
    )
    [place] = shown(tmp_path).items["1.fig"]
    assert place.cell == "figure" and place.text == "01 [2] the picture"


def test_no_chapters__and_one_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"There are no chapters in .*: name the folder with the book's notebooks"):
        shown(tmp_path)
    (tmp_path / "01_first.ipynb").write_text("{", encoding="utf-8")
    with pytest.raises(ValueError, match=r"^01_first\.ipynb is not a notebook that can be read"):
        shown(tmp_path)


def test_lists__say_what_is_shown_nowhere(tmp_path: Path, html: str) -> None:
    write(tmp_path, "01_first.ipynb", cell("stepper", 7, html))
    book = shown(tmp_path)
    assert "1.2  01 [7] linger_zero@" in str(item_list("1", book)) and "1.4  in no chapter" in str(item_list("1", book))
    assert "(01_first.ipynb#cell-id=stepper)" in item_list("1", book).markdown
    told = str(function_list("net/ipv4/tcp.c", book)).splitlines()
    assert "by no stepper" in told[told.index("tcp_shutdown") + 3]
    left_out = FUNCTIONS["tcp_disconnect"].omits
    assert f"    Left out: {'; '.join(left_out)}." in told and "    Named by items 1.2, S.2b." in told


def test_lists__of_what_there_is_not(tmp_path: Path, html: str) -> None:
    write(tmp_path, "01_first.ipynb", cell("stepper", 7, html))
    book = shown(tmp_path)
    with pytest.raises(ValueError, match=r"No function here is from 'tcp.c'; there are: include/net/tcp.h, "):
        function_list("tcp.c", book)
    with pytest.raises(ValueError, match=r"no step '8'; items run from 1.0 to "):
        item_list("8", book)
    with pytest.raises(ValueError, match="no glossary in language 'xx'"):
        word_list("xx")


def test_lists__hold_every_function_and_every_word(tmp_path: Path, html: str) -> None:
    write(tmp_path, "01_first.ipynb", cell("stepper", 7, html))
    book = shown(tmp_path)
    listed = [line for file in kernel_files() for line in str(function_list(file, book)).splitlines() if line[0] != " "]
    assert sorted(listed) == sorted(FUNCTIONS)
    words = word_list("en", "ja")
    for term in (*glossary("en"), *glossary("ja")):
        assert term.word in str(words) and f"    {term.meaning}" in str(words).splitlines()
    assert str(word_list("ja")).splitlines()[:2] == [glossary("ja")[0].word, f"    {glossary('ja')[0].meaning}"]
