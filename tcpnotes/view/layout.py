"""Graphs that Graphviz lays out: its port from PyPI, the system's, or in a browser the one beside the notebooks.

Only outlines, words, ids and classes are kept of what it draws: colours, fonts and sizes come from the style sheet.
"""

from __future__ import annotations

import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from shutil import which
from typing import Any, NamedTuple

from tcpnotes.view import theme

_SPACE = "{http://www.w3.org/2000/svg}"
_BESIDE = "../../../../static/viz/viz.js"  # seen from where JupyterLite's Python runs


class Piece(NamedTuple):
    """A node or an edge as it was drawn: its id, its classes, and the markup of its outlines and words."""

    id: str
    edge: bool
    classes: frozenset[str]
    markup: str


class Graph(NamedTuple):
    """A graph that has been laid out, and its size."""

    width: float
    height: float
    pieces: tuple[Piece, ...]


def drawn(dot: str, engine: str = "dot", *options: str) -> Graph:
    """Lay out a graph in DOT.  RuntimeError when there is no Graphviz of any kind."""
    for program in ("graphviz-pure", "dot"):
        if which(program):
            command = [program, f"-K{engine}", *options, "-Tsvg"]
            done = subprocess.run(command, input=dot, capture_output=True, text=True, check=True)
            return _read(done.stdout)
    if sys.platform == "emscripten":
        return _read(_in_browser(dot, engine))
    raise RuntimeError("To draw a graph, install graphviz-pure (pip install graphviz-pure) or Graphviz.")


def _in_browser(dot: str, engine: str) -> str:
    """Graphviz as WebAssembly, from a file of the site.  RuntimeError where a browser cannot wait for it."""
    import js
    from pyodide.code import run_js
    from pyodide.ffi import can_run_sync, run_sync, to_js

    if not can_run_sync():
        raise RuntimeError("To draw a graph here, use a browser that has JavaScript Promise Integration.")
    address: Any = js.URL.new(_BESIDE, js.self.location.href).href
    viz = run_sync(run_js("(address) => import(address).then((made) => made.instance())")(address))
    how = to_js({"format": "svg", "engine": engine}, dict_converter=js.Object.fromEntries)
    return str(viz.renderString(dot, how))


def _read(svg: str) -> Graph:
    root = ET.fromstring(svg)
    _, _, width, height = (float(v) for v in root.get("viewBox", "").split())
    inner = root.find(f"{_SPACE}g")
    assert inner is not None
    shift = re.search(r"translate\(([-\d.]+)[ ,]+([-\d.]+)\)", inner.get("transform", ""))
    assert shift is not None
    dx, dy = float(shift[1]), float(shift[2])
    pieces = []
    for group in inner.findall(f"{_SPACE}g"):
        kind, *classes = group.get("class", "none").split()
        if kind not in ("node", "edge"):
            continue  # around the whole, for what a mouse is told
        out = []
        for shape in group:
            tag = shape.tag.removeprefix(_SPACE)
            if tag == "path":
                out.append(f'<path d="{_moved(shape.get("d", ""), dx, dy)}"/>')
            elif tag in ("polygon", "polyline"):
                tip = ' class="tip"' if kind == "edge" else ""
                out.append(f'<{tag}{tip} points="{_moved(shape.get("points", ""), dx, dy)}"/>')
            elif tag == "text":
                x, y = float(shape.get("x", "0")) + dx, float(shape.get("y", "0")) + dy
                out.append(f'<text x="{theme.number(x)}" y="{theme.number(y)}">{theme.text(shape.text)}</text>')
        pieces.append(Piece(group.get("id", ""), kind == "edge", frozenset(classes), "".join(out)))
    return Graph(width, height, tuple(pieces))


def _moved(numbers: str, dx: float, dy: float) -> str:
    def shift(found: re.Match[str]) -> str:
        return f"{theme.number(round(float(found[1]) + dx, 1))},{theme.number(round(float(found[2]) + dy, 1))}"

    return re.sub(r"(-?[\d.]+),(-?[\d.]+)", shift, numbers)
