"""Draw the pictures of the README: ``python tools/draw_readme.py`` (``--check`` only says whether they are current)."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import tcpnotes
from tcpnotes.trace.records import Call
from tcpnotes.view import Story, states

TARGET = Path(__file__).resolve().parent.parent / "docs" / "img"


def pictures() -> Iterator[tuple[str, str]]:
    """Name and content of each picture, all from one run."""
    frames = tcpnotes.run("simultaneous_close", frames=True).recorder.frames
    close = next(frame.index for frame in frames if isinstance(frame.record, Call) and frame.record.call == "close")
    yield "simultaneous_close.svg", tcpnotes.ladder(frames[close:], title="Both sides close at the same time").svg
    yield "states.svg", states.picture(Story(frames), "A").svg


def main(argv: list[str]) -> int:
    """Write the files, or with ``--check`` compare."""
    old = []
    for name, svg in pictures():
        file = TARGET / name
        if "--check" not in argv:
            file.write_text(svg + "\n", encoding="utf-8")
        elif not file.exists() or file.read_text(encoding="utf-8") != svg + "\n":
            old.append(name)
    if old:
        print(f"Out of date: {', '.join(old)}. Run: make picture", file=sys.stderr)
    return 1 if old else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
