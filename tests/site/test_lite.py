"""The book alive in the browser: a chapter's page leads into its notebook, where Python runs it."""

from __future__ import annotations

import json
import os
import re
import socketserver
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

import pytest
from browsing import served

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ROOT = Path(__file__).resolve().parents[2]
CHAPTER = "01_what_does_close_do_first"
SHOTS = os.environ.get("TCPNOTES_SHOTS")  # a folder for screenshots, to be looked at
BROWSERS_OWN = "content-autofill.googleapis.com"  # Chromium asks there by itself when it sees a form
PATIENCE = 180_000  # ms; it is not measured here


# -- what it is made of ---------------------------------------------------------------------------------------------


def test_the_kernel_gets_the_pyodide_that_it_is_made_for() -> None:
    constants = pytest.importorskip("jupyterlite_pyodide_kernel.constants")
    package = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))
    assert package["dependencies"]["pyodide"] == constants.PYODIDE_VERSION


def test_the_browser_has_what_the_extras_ask_for_but_what_is_left_out_by_name() -> None:
    def names(lines: list[str]) -> set[str]:
        return {re.split(r"[<>=!~;\[ ]", line)[0] for line in lines if line and not line.startswith("#")}

    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    left_out = names((ROOT / "book" / "lite" / "excludes.txt").read_text(encoding="utf-8").splitlines())
    locked = set(re.findall(r"^([\w.-]+)==", (ROOT / "requirements" / "lite.txt").read_text("utf-8"), re.MULTILINE))
    assert names([*extras["notebook"], *extras["capture"], *extras["packetdrill"]]) - left_out <= locked
    assert not left_out & locked


# -- alive ----------------------------------------------------------------------------------------------------------


class Live(NamedTuple):
    """A notebook that is open in the browser, and what happened there."""

    page: Page
    first: str  # the first picture's text, before anything has run
    asked: list[str]  # every address that was asked for, by pages
    away: list[str]  # first lines of requests to other hosts, by whatever part of the browser
    complaints: list[str]  # errors of scripts and in the console


@pytest.fixture(scope="module")
def published(site: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a folder with all that is published, under a prefix."""
    made = subprocess.run(["make", "lite"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stdout[-2000:] + made.stderr[-2000:]
    top = tmp_path_factory.mktemp("host")
    command = [sys.executable, str(ROOT / "tools" / "publish.py"), str(top / "some" / "prefix")]
    subprocess.run(command, check=True, capture_output=True)
    with served(top) as address:
        yield f"{address}some/prefix/"


@pytest.fixture(scope="module")
def away() -> Iterator[tuple[str, list[str]]]:
    """A proxy for all hosts but this one, which answers nobody: its address, and what it was asked."""
    heard: list[str] = []

    class Deaf(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            heard.append(self.rfile.readline().decode("latin-1").strip())

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Deaf) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}", heard
        server.shutdown()


@pytest.fixture(scope="module")
def live(browser: Browser, published: str, away: tuple[str, list[str]]) -> Iterator[Live]:
    """Chapter 01, opened by its button; Python is ready."""
    proxy, heard = away
    context = browser.new_context(
        viewport={"width": 1280, "height": 1000}, proxy={"server": proxy, "bypass": "127.0.0.1"}
    )
    page = context.new_page()
    asked: list[str] = []
    complaints: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.goto(f"{published}notebooks/{CHAPTER}.html")
    page.get_by_role("link", name="Run it here").click()
    page.wait_for_function(
        "() => window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'",
        timeout=PATIENCE,
    )
    picture = page.locator(".jp-OutputArea-output svg").first
    yield Live(page, picture.text_content(timeout=PATIENCE) or "", asked, heard, complaints)
    context.close()


@pytest.fixture(scope="module")
def ran(live: Live) -> Live:
    """The same, after the reader has cleared all outputs and run all cells."""
    live.page.evaluate("window.jupyterapp.commands.execute('notebook:clear-all-cell-outputs')")
    assert not any(_outputs(live.page).values())
    live.page.get_by_role("menuitem", name="Run", exact=True).click()
    live.page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    live.page.wait_for_function(
        """(number) => { const panel = window.jupyterapp.shell.currentWidget;
        const last = [...panel.content.model.cells].filter(cell => cell.type === "code").at(-1);
        return last.executionCount === number && panel.sessionContext.session.kernel.status === "idle"; }""",
        arg=len(_stored()), timeout=PATIENCE,
    )  # fmt: skip
    return live


def _stored(name: str = CHAPTER) -> list[dict[str, Any]]:
    """A notebook's cells with code, as they are kept."""
    cells = json.loads((ROOT / "notebooks" / f"{name}.ipynb").read_text(encoding="utf-8"))["cells"]
    return [cell for cell in cells if cell["cell_type"] == "code"]


def _outputs(page: Page) -> dict[str, list[Any]]:
    """The outputs of each cell by its id."""
    found: dict[str, list[Any]] = page.evaluate(
        """() => Object.fromEntries([...window.jupyterapp.shell.currentWidget.content.model.cells]
        .filter(cell => cell.type === "code").map(cell => [cell.id, cell.outputs.toJSON()]))"""
    )
    return found


def _texts(output: dict[str, Any]) -> dict[str, str]:
    """What an output says, by kind; views of widgets say nothing without their kernel."""
    data = output.get("data") or {output.get("name", "error"): output.get("text", output.get("evalue"))}
    return {
        kind: "".join(said) for kind, said in data.items() if isinstance(said, str | list) and not kind.endswith("json")
    }


@pytest.mark.browser
def test_the_notebook_shows_its_pictures_before_anything_has_run(live: Live) -> None:
    assert "Host A" in live.first


@pytest.mark.browser
def test_python_in_the_browser_gives_what_the_notebook_has_stored(ran: Live) -> None:
    made = _outputs(ran.page)
    assert sum(map(len, made.values())) > 10
    for cell in _stored():
        assert list(map(_texts, made[cell["id"]])) == list(map(_texts, cell["outputs"])), cell["id"]


@pytest.mark.browser
def test_the_playground_plays(ran: Live) -> None:
    from playwright.sync_api import expect

    number = ran.page.evaluate(
        """() => [...window.jupyterapp.shell.currentWidget.content.model.cells]
        .findIndex(cell => cell.sharedModel.getSource().includes("\\nPlayground("))"""
    )
    ran.page.evaluate("(n) => window.jupyterapp.shell.currentWidget.content.scrollToItem(n, 'start')", number)
    cell = ran.page.locator(f'.jp-Cell[data-windowed-list-index="{number}"]')
    said = cell.locator("[role=status]").first
    lose = cell.get_by_role("button", name="Lose it")
    said.wait_for()
    for _ in range(20):
        if lose.is_enabled():
            break
        before = said.text_content() or ""
        cell.get_by_role("button", name="Next ▶").first.click()
        expect(said).not_to_have_text(before, timeout=PATIENCE)
    lose.click()
    expect(said).to_contain_text("Done: lose", timeout=PATIENCE)
    if SHOTS:
        ran.page.screenshot(path=Path(SHOTS) / "lite-playground.png")


@pytest.mark.browser
def test_every_notebook_runs_there(ran: Live) -> None:
    names = sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb"))
    wrong = []
    for name in names:
        codes = ["%reset -f", *("".join(cell["source"]) for cell in _stored(name))]
        # One kernel for all: its start is what takes long.
        wrong += ran.page.evaluate(
            """async ([name, codes]) => {
              const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel, wrong = [];
              for (const code of codes) {
                const { content } = await kernel.requestExecute({ code, store_history: false }).done;
                if (content.status !== "ok") wrong.push([name, code.slice(0, 60), content.ename, content.evalue]);
              }
              return wrong; }""",
            [name, codes],
        )
    assert wrong == []


@pytest.mark.browser
def test_a_new_graph_is_laid_out_though_no_program_can_be_called(ran: Live) -> None:
    source = (
        "from tcpnotes.view.layout import drawn\n"
        "print([piece.markup[:9] for piece in drawn('digraph { node [shape=box] a -> b }').pieces])"
    )
    outputs = ran.page.evaluate(
        """async (source) => {
          const { commands, shell } = window.jupyterapp, notebook = shell.currentWidget.content;
          notebook.activeCellIndex = notebook.widgets.length - 1;
          await commands.execute("notebook:insert-cell-below");
          const cell = notebook.activeCell.model;
          cell.sharedModel.setSource(source);
          await commands.execute("notebook:run-cell");
          return cell.outputs.toJSON(); }""",
        source,
    )
    assert [output["output_type"] for output in outputs] == ["stream"]
    assert outputs[0]["text"].count("<polygon ") == 2  # the nodes
    assert outputs[0]["text"].count('<path d="') == 1  # the edge


@pytest.mark.browser
def test_nothing_was_asked_of_another_host_and_nothing_complained(ran: Live, published: str) -> None:
    assert len(ran.asked) > 200
    host = urlsplit(published).netloc
    assert [url for url in ran.asked if urlsplit(url).netloc not in (host, "") and not url.startswith("blob:")] == []
    assert [line for line in ran.away if BROWSERS_OWN not in line] == []
    assert ran.complaints == []
