"""Imports point one way, and the library itself needs the standard library alone."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import grimp
import pytest
from importlinter.cli import lint_imports

ROOT = Path(__file__).resolve().parent.parent

# The only packages that wait for an extra, and the only places that may ask for one.
EXTRAS = {
    "tcpnotes.view": {"graphviz", "js", "pyodide"},  # the last two are there in a browser
    "tcpnotes.widgets": {"IPython", "anywidget", "ipywidgets", "tqdm", "traitlets"},
    "tcpnotes.capture": {"dpkt", "lark"},
    "tcpnotes.packetdrill": {"lark"},
    "tcpnotes.live": {"dpkt", "pyroute2"},
    "tcpnotes.explore": {"dask", "distributed", "numpy"},
    "tcpnotes.sweep": {"distributed", "matplotlib", "pandas"},
    "tcpnotes.workers": {"dask", "distributed"},
}


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("tcpnotes", include_external_packages=True, cache_dir=None)


def test_the_contracts_hold(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(ROOT)
    broken = lint_imports(no_cache=True)
    assert not broken, capsys.readouterr().out


def test_only_named_places_import_more_than_the_standard_library(graph: grimp.ImportGraph) -> None:
    ours = {module for module in graph.modules if module.split(".")[0] == "tcpnotes"}
    found = {
        (".".join(importer.split(".")[:2]), other)
        for other in graph.modules - ours - set(sys.stdlib_module_names)
        for importer in graph.find_modules_that_directly_import(other)
    }
    allowed = {(place, other) for place, others in EXTRAS.items() for other in others}
    assert found <= allowed


def test_what_an_extra_brings_is_imported_only_where_it_is_used() -> None:
    extras = set().union(*EXTRAS.values())
    for file in (ROOT / "tcpnotes").rglob("*.py"):
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not {name.split(".")[0] for name in names} & extras, f"{file.name}, line {node.lineno}"
