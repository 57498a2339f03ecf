"""Lay the diagrams out anew: ``python tools/draw_states.py`` (``--check`` only says whether they are current).

The state diagram, and where both ends stand in the models that the book draws.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tcpnotes.explore import Search, load_model
from tcpnotes.explore.graph import joint_graph
from tcpnotes.view import joint, states

FOLDER = Path(__file__).resolve().parent.parent / "tcpnotes" / "view" / "data"
MODELS = ("close_simple", "impatient")


def fresh() -> dict[str, str]:
    """The files and what they are to hold.  RuntimeError without Graphviz."""
    laid = {"states.svg": states.lay_out()}
    for name in MODELS:
        search = Search(load_model(name), "linux-2.4.0", reduce=False, properties=())
        search.run()
        graph = joint_graph(search)
        laid[joint.shipped_name(graph)] = joint.lay_out(graph)
    return laid


def main(argv: list[str]) -> int:
    """Write the files, or with ``--check`` compare."""
    try:
        wanted = fresh()
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 2
    there = {path.name: path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.svg"))}
    if "--check" in argv:
        if there == wanted:
            return 0
        print("The diagrams are out of date: run python tools/draw_states.py", file=sys.stderr)
        return 1
    FOLDER.mkdir(exist_ok=True)
    for name in there.keys() - wanted.keys():
        (FOLDER / name).unlink()
    for name, text in wanted.items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
