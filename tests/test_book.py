"""The book's list of chapters is the list of notebooks."""

from __future__ import annotations

from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent


def test_every_notebook_is_a_chapter_and_every_chapter_a_notebook() -> None:
    contents = yaml.safe_load((ROOT / "book" / "_toc.yml").read_text(encoding="utf-8"))
    listed = [contents["root"], *(entry["file"] for entry in contents.get("chapters", ()))]
    assert listed == [f"notebooks/{path.stem}" for path in sorted((ROOT / "notebooks").glob("*.ipynb"))]
