"""What chapters speak of is read from their text."""

from __future__ import annotations

import json
from pathlib import Path

from ext.chapters import item_ranges, named_items, read
from tcpnotes.source import item_ids


def test_items_are_named_after_the_word_item() -> None:
    text = "Items 1.1, 1.1a and S.4c; item 1.fig. Version 2.4 is none, nor is 1.5 seconds."
    assert [id for _, _, id in item_ranges(text)] == ["1.1", "1.1a", "S.4c", "1.fig"]
    assert all(text[start:end] == id for start, end, id in item_ranges(text))


def test_a_range_names_what_lies_between() -> None:
    assert named_items("items 1.2 to 1.3b", item_ids()) == {"1.2", "1.3", "1.3a", "1.3b"}


def test_a_chapter_is_read_from_its_notebook(tmp_path: Path) -> None:
    cells = [
        {
            "cell_type": "markdown",
            "source": ["# Why?\n", "\n", "Because of `tcp_fin()`.\n", "\n", "**Item 2.0.** More."],
        },
        {"cell_type": "code", "source": ['run = play("half_close")'], "outputs": []},
    ]
    path = tmp_path / "02_why.ipynb"
    path.write_text(json.dumps({"cells": cells}), encoding="utf-8")
    chapter = read(path, "notebooks/02_why", item_ids())
    assert chapter.title == "Why?"
    assert chapter.opening == "Because of `tcp_fin()`."
    assert chapter.items == {"2.0"}
    assert chapter.code == {"tcp_fin"}
    assert chapter.scenarios == {"half_close"}
