"""Put everything that readers get into one folder, which any static file server can serve under any prefix.

    publish.py DIR        DIR must not be there, be empty, or have been written by this tool

Each part is a folder or file that its own target of the Makefile has built; what has not been built is left out, and
said.  The site is the root: its pages lead to the parts with relative links.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import zipfile
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
BUILT = ROOT / "book" / "_build"
MARK = ".tcpnotes-published"


class Part(NamedTuple):
    """Something that is published: where it was built, where it goes, what builds it."""

    built: Path
    place: str
    target: str


# What else is to be published is a line here.
PARTS = (
    Part(BUILT / "site", ".", "make site"),
    Part(BUILT / "lite", "lite", "make lite"),
    Part(BUILT / "slides", "slides", "make slides"),
    Part(BUILT / "pdf", "pdf", "make pdf"),
)


def prepare(folder: Path) -> None:
    """Empty the folder; SystemExit with a sentence when it holds what is not ours."""
    if folder.exists():
        if not folder.is_dir():
            sys.exit(f"publish.py: {folder} is not a folder; name one that may be written.")
        if any(folder.iterdir()) and not (folder / MARK).is_file():
            sys.exit(f"publish.py: {folder} holds files that were not published by this tool; name an empty folder.")
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    (folder / MARK).write_text("Written by tools/publish.py; it is emptied when that runs again.\n", encoding="utf-8")
    (folder / ".nojekyll").touch()  # GitHub Pages would leave out what begins with an underscore


def pack_notebooks(folder: Path) -> Path:
    """The notebooks as one file to download, the same bytes for the same notebooks."""
    target = folder / "notebooks.zip"
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
            entry = zipfile.ZipInfo(f"notebooks/{path.name}", (2001, 1, 4, 0, 0, 0))
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED)
    return target


def main(arguments: list[str] | None = None) -> int:
    """Publish; 2 when there is nothing to publish."""
    parser = argparse.ArgumentParser(prog="publish.py", description="Put all that readers get into one folder.")
    parser.add_argument("folder", metavar="DIR", help="where to; make publish DIR=…")
    named = parser.parse_args(arguments).folder
    if not named:
        parser.error("name a folder: make publish DIR=…")
    folder = Path(named).resolve()
    if folder == ROOT or folder in ROOT.parents or any(folder in (p.built, *p.built.parents) for p in PARTS):
        parser.error(f"{folder} is where the book is made; name another folder.")
    if not PARTS[0].built.is_dir():
        parser.error(f"there is no site yet: {PARTS[0].target}.")
    prepare(folder)
    for part in PARTS:
        if part.built.exists():
            shutil.copytree(
                part.built, folder / part.place, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".buildinfo")
            )
            print(f"{part.place}: {part.built.relative_to(ROOT)}")
        else:
            print(f"{part.place}: left out, it has not been built ({part.target})")
    print(pack_notebooks(folder).name)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    print(f"{folder}: {size / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
