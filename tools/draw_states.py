"""Lay the state diagram out anew: ``python tools/draw_states.py`` (``--check`` only says whether it is current)."""

from __future__ import annotations

import sys
from pathlib import Path

from tcpnotes.view import states

TARGET = Path(__file__).resolve().parent.parent / "tcpnotes" / "view" / "data" / "states.svg"


def main(argv: list[str]) -> int:
    """Write the file, or with ``--check`` compare."""
    try:
        fresh = states.lay_out()
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 2
    if "--check" in argv:
        if TARGET.read_text(encoding="utf-8") == fresh:
            return 0
        print("The state diagram is out of date: run python tools/draw_states.py", file=sys.stderr)
        return 1
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text(fresh, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
