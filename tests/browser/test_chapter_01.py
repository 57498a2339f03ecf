"""Chapter 01 as a reader has it: alive in JupyterLab, and on a page with no kernel, from a server and from a file."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tcpnotes.widgets import play

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

CHAPTER = "01_what_does_close_do_first.ipynb"
SHOTS = os.environ.get("TCPNOTES_SHOTS")  # a folder for screenshots, to be looked at
PAGE = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>A stepper</title>'
    '<meta name="viewport" content="width=device-width,initial-scale=1"><body>{}</body></html>'
)


def shoot(page: Page, name: str) -> None:
    """Keep a screenshot where somebody wants to look at it."""
    if SHOTS:
        page.screenshot(path=Path(SHOTS) / f"{name}.png")


def current(stepper: Locator, host: int) -> str:
    """The state that is highlighted in a host's diagram."""
    node = stepper.locator(".tn-dia").nth(host).locator(".current")
    assert node.count() == 1
    return node.locator("text").first.text_content() or ""


def at(stepper: Locator) -> int:
    """The step that a stepper shows, counted from 1."""
    return int(stepper.get_attribute("data-step") or 0)


def walk_to(stepper: Locator, item: str) -> None:
    """Click Next until the caption speaks of an item."""
    for _ in range(100):
        if item in stepper.locator(".tn-caption .tn-item").all_inner_texts():
            return
        stepper.locator("[data-action=forward]").click()
    raise AssertionError(f"no step shows item {item}")


# -- alive ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def chapter(open_notebook: Callable[..., Any]) -> Any:
    notebook = open_notebook(CHAPTER, width=1400, height=1000)
    notebook.run_all()
    return notebook


def _cell(notebook: Any, source: str) -> Locator:
    """The cell whose source contains ``source``, in view."""
    number = notebook.page.evaluate(
        """(wanted) => { const cells = window.jupyterapp.shell.currentWidget.content.model.cells;
        for (let i = 0; i < cells.length; i++) if (cells.get(i).sharedModel.getSource().includes(wanted)) return i;
        return -1; }""",
        source,
    )
    assert number >= 0, f"no cell contains {source!r}"
    notebook.show(number)
    cell = notebook.page.locator(f'.jp-Cell[data-windowed-list-index="{number}"]')
    cell.wait_for()
    return cell


def test_lab__next_moves_the_highlighted_state(chapter: Any) -> None:
    stepper = _cell(chapter, '0.95, 2.6).stepper("1")').locator(".tn-stepper").first
    stepper.locator(".tn-caption").wait_for()
    assert (current(stepper, 0), current(stepper, 1)) == ("ESTABLISHED", "ESTABLISHED")
    walk_to(stepper, "1.3")
    while current(stepper, 0) == "ESTABLISHED":
        stepper.locator("[data-action=forward]").click()
    assert current(stepper, 0) == "FIN_WAIT1"
    assert (
        "tcp_close_state moves the socket from ESTABLISHED to FIN_WAIT1" in stepper.locator(".tn-caption").inner_text()
    )
    shoot(chapter.page, "lab-light")
    stepper.locator("[data-action=back]").click()
    assert current(stepper, 0) == "ESTABLISHED"


def test_lab__keys_step_and_do_not_reach_the_notebook(chapter: Any) -> None:
    stepper = _cell(chapter, 'unread.stepper("1")').locator(".tn-stepper").first
    stepper.locator("[data-action=forward]").focus()
    before = chapter.page.evaluate("window.jupyterapp.shell.currentWidget.content.activeCellIndex")
    cells = chapter.page.evaluate("window.jupyterapp.shell.currentWidget.content.model.cells.length")
    for key, step in (("n", 2), ("ArrowRight", 3), ("p", 2), ("ArrowLeft", 1), ("End", 18), ("Home", 1)):
        chapter.page.keyboard.press(key)
        assert at(stepper) == step, key
    assert chapter.page.evaluate("window.jupyterapp.shell.currentWidget.content.activeCellIndex") == before
    assert chapter.page.evaluate("window.jupyterapp.shell.currentWidget.content.model.cells.length") == cells


def test_lab__the_panel_changes_the_run(chapter: Any) -> None:
    cell = _cell(chapter, "Panel(closing")
    stepper = cell.locator(".tn-stepper")
    stepper.first.wait_for()
    assert "FIN,PSH,ACK" in (stepper.first.locator(".tn-rungs").text_content() or "")
    field = cell.get_by_role("spinbutton", name="Bytes unread")
    field.fill("100")
    field.press("Enter")
    chapter.page.wait_for_function(
        "(cell) => [...cell.querySelectorAll('.tn-rungs')].some(r => r.textContent.includes('RST,ACK'))",
        arg=cell.element_handle(), timeout=20_000,
    )  # fmt: skip
    assert stepper.count() == 1
    assert "100 bytes unread" in cell.locator(".tn-said").inner_text()
    shoot(chapter.page, "lab-panel")


def test_lab__dark(open_notebook: Callable[..., Any]) -> None:
    notebook = open_notebook(CHAPTER, width=1400, height=1000, dark=True)
    notebook.run_all()
    stepper = _cell(notebook, 'waits.between(0.95, 1.95).stepper("1")').locator(".tn-stepper").first
    walk_to(stepper, "1.5")
    ground, ink = stepper.evaluate("e => [getComputedStyle(e).backgroundColor, getComputedStyle(e).color]")
    assert max(map(int, ground.strip("rgb()").split(","))) < 60
    assert min(map(int, ink.strip("rgb()").split(","))) > 180
    shoot(notebook.page, "lab-dark")


# -- with no kernel -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("page")
    stepper = play("linger_wait").between(0.95, 1.95).stepper("1")
    (made / "one.html").write_text(PAGE.format(stepper.page(alone=True)), encoding="utf-8")
    return made


@pytest.mark.parametrize("way", ["file", "loopback"])
def test_page__steps_without_a_kernel(
    way: str, folder: Path, visit: Callable[..., Any], serve: Callable[[Path], str]
) -> None:
    opened = visit()
    opened.page.goto((folder / "one.html").as_uri() if way == "file" else serve(folder) + "one.html")
    stepper = opened.page.locator("tcpnotes-stepper")
    stepper.locator(".tn-caption").wait_for()
    assert current(stepper, 0) == "ESTABLISHED"
    walk_to(stepper, "1.5")
    assert "linger_wait@" in stepper.locator(".tn-link").inner_text()
    opened.page.keyboard.press("End")
    assert stepper.locator("[data-action=forward]").is_disabled()
    assert opened.errors == []
    shoot(opened.page, f"page-{way}")


def test_page__a_function_says_what_it_means(folder: Path, visit: Callable[..., Any]) -> None:
    page = visit().page
    page.goto((folder / "one.html").as_uri())
    stepper = page.locator("tcpnotes-stepper")
    walk_to(stepper, "1.3b")
    stepper.locator(".tn-tree li", has_text="tcp_close_state").click()
    assert stepper.locator(".tn-fn").inner_text().startswith("tcp_close_state (net/ipv4/tcp.c): ")
    stepper.locator(".tn-tree").focus()
    page.keyboard.press("Home")  # first step: the tree is another
    stepper.locator("[data-action=last]").click()
    stepper.locator(".tn-tree").focus()
    before = stepper.locator(".tn-fn").inner_text()
    page.keyboard.press("ArrowUp")
    assert stepper.locator(".tn-fn").inner_text() != before


def test_page__nothing_jumps(folder: Path, visit: Callable[..., Any]) -> None:
    page = visit().page
    page.goto((folder / "one.html").as_uri())
    stepper = page.locator("tcpnotes-stepper")
    places = set()
    for _ in range(22):
        places.add(
            str(stepper.evaluate(
                "e => ['.tn-bar', '.tn-stage', '.tn-rungs', '.tn-tree', '.tn-legend'].map(s => {"
                "const b = e.querySelector(s).getBoundingClientRect();"
                "return [b.x, b.y + scrollY, b.width].map(Math.round); })"
            ))
        )  # fmt: skip
        stepper.locator("[data-action=forward]").evaluate("b => b.click()")
    assert len(places) == 1


@pytest.mark.parametrize("width", [360, 800, 1280])
def test_page__fits_and_can_be_read(width: int, folder: Path, visit: Callable[..., Any]) -> None:
    page = visit(width=width).page
    page.goto((folder / "one.html").as_uri())
    stepper = page.locator("tcpnotes-stepper")
    walk_to(stepper, "1.5")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    sizes = page.evaluate(
        """() => [...document.querySelectorAll('tcpnotes-stepper svg text')].filter(t => t.getClientRects().length)
        .map(t => parseFloat(getComputedStyle(t).fontSize) * t.getScreenCTM().a)"""
    )
    assert min(sizes) >= 7
    shoot(page, f"page-{width}")


def test_page__without_scripts_all_steps_are_text(folder: Path, visit: Callable[..., Any]) -> None:
    page = visit(scripts=False).page
    page.goto((folder / "one.html").as_uri())
    assert page.locator("tcpnotes-stepper li").count() == len(
        play("linger_wait").between(0.95, 1.95).stepper("1").stops
    )
    image = page.locator("tcpnotes-stepper img")
    assert image.is_visible() and "Time runs down" in (image.get_attribute("alt") or "")


def test_page__one_set_of_common_things_serves_all(tmp_path: Path, visit: Callable[..., Any]) -> None:
    """As in a chapter: the first cell brings script, style and diagram, the steppers only their steps."""
    from tcpnotes.widgets.assets import Shared

    common = Shared()._repr_mimebundle_()["text/html"]
    bodies = [play(name).stepper("1").page(alone=False) for name in ("linger_zero", "close_with_unread_data")]
    assert all("<script>" not in body for body in bodies)
    (tmp_path / "two.html").write_text(PAGE.format(common + "".join(bodies)), encoding="utf-8")
    opened = visit()
    opened.page.goto((tmp_path / "two.html").as_uri())
    for i in range(2):
        stepper = opened.page.locator("tcpnotes-stepper").nth(i)
        stepper.locator("[data-action=last]").click()
        assert current(stepper, 1) == "CLOSE"
    assert opened.errors == []
