"""A chapter on a poor machine: without ipywidgets and anywidget, without graphviz and ``dot``, its code still runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))

# Runs the cells in one namespace, as a kernel does, and asks the last expression of each for its forms.
PROGRAM = """
import ast, json, sys

blocked = set(sys.argv[2].split(","))

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in blocked:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Blocked())
space = {"__name__": "__main__"}
for cell in json.load(open(sys.argv[1], encoding="utf-8"))["cells"]:
    if cell["cell_type"] != "code":
        continue
    tree = ast.parse("".join(cell["source"]))
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, cell["id"], "exec"), space)
    forms = {}
    if last is not None:
        value = eval(compile(ast.Expression(last.value), cell["id"], "eval"), space)
        if value is not None:
            bundle = getattr(value, "_repr_mimebundle_", None)
            forms = dict(bundle()) if bundle else {"text/plain": repr(value)}
    print(json.dumps([cell["id"], forms]))
"""


def _run(path: Path, *blocked: str, search: str | None = None) -> dict[str, dict[str, str]]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    if search is not None:
        environment["PATH"] = search
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(path), ",".join(blocked)],
        capture_output=True, text=True, env=environment, timeout=300, check=False, cwd=path.parent,  # as a kernel
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return dict(json.loads(line) for line in done.stdout.splitlines())


def _kept(path: Path) -> dict[str, dict[str, str]]:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return {
        cell["id"]: {kind: "".join(text) for kind, text in output["data"].items()}
        for cell in cells
        for output in cell.get("outputs", ())
        if "data" in output
    }


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
@pytest.mark.parametrize(
    "blocked",
    [("ipywidgets", "anywidget", "IPython"), ("graphviz", "graphviz_pure")],
    ids=["no widgets", "no graphviz"],
)
def test_text_and_pictures_appear_all_the_same(path: Path, blocked: tuple[str, ...], tmp_path: Path) -> None:
    made = _run(path, *blocked, search=str(tmp_path))  # an empty search path: no dot either
    for id, forms in _kept(path).items():
        for kind in ("text/html", "text/markdown"):
            assert made[id].get(kind) == forms.get(kind), id
        assert made[id]["text/plain"].strip(), id
