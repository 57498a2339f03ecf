"""A walk through a deck: from slide to slide, through every view and by every way that a stepper steps."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ElementHandle, Page

ROOT = Path(__file__).resolve().parents[1]
MEASURE = (ROOT / "tests" / "slides" / "measure.js").read_text(encoding="utf-8")
ON_SLIDE = "section.present section.present tcpnotes-stepper"


def listed() -> list[str]:
    """The names of the chapters that the contents list."""
    contents = yaml.safe_load((ROOT / "book" / "_toc.yml").read_text(encoding="utf-8"))
    entries = [entry.get("file", "") for part in contents["parts"] for entry in part["chapters"]]
    names = [entry.removeprefix("notebooks/") for entry in entries if re.match(r"notebooks/[0-8]\d_", entry)]
    return [name for name in names if (ROOT / "notebooks" / f"{name}.ipynb").is_file()]


class Walk(NamedTuple):
    """What was seen on the way through a deck."""

    slides: int
    wrong: list[str]  # slides and what is wrong with them
    steppers: int
    stuck: list[str]  # steppers that do not step
    complaints: list[str]


def opened(page: Page, address: str) -> None:
    """Open a deck and wait until it is ready."""
    page.goto(address)
    page.wait_for_selector("html.deck-ready", state="attached")


def states(page: Page) -> Iterator[str]:
    """Go from slide to slide, and within slides from part to part: where it stands."""
    while True:
        yield str(page.evaluate("JSON.stringify(Reveal.getIndices())"))
        if page.evaluate("Reveal.isLastSlide() && !Reveal.availableFragments().next"):
            return
        page.evaluate("Reveal.next()")


def through(browser: Browser, path: Path) -> Walk:
    """Walk through a deck at 1280 by 720."""
    context = browser.new_context(viewport={"width": 1280, "height": 720}, reduced_motion="reduce")
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)

    def asked(request: Any) -> None:
        if not request.url.startswith(("file:", "data:")):
            complaints.append(request.url)

    context.on("request", asked)
    opened(page, path.as_uri())
    wrong: list[str] = []
    stuck: list[str] = []
    steppers = 0
    for at in states(page):
        wrong += [f"{at} {what}" for what in page.evaluate(MEASURE)]
        for stepper in page.query_selector_all(ON_SLIDE):
            steppers += 1
            stuck += [f"{at} {what}" for what in tried(page, stepper)]
            for view in stepper.query_selector_all(".deck-views button"):
                view.click()
                wrong += [f"{at} {view.inner_text()} {what}" for what in page.evaluate(MEASURE)]
    count = page.evaluate("Reveal.getTotalSlides()")
    context.close()
    return Walk(count, wrong, steppers, stuck, complaints)


def tried(page: Page, stepper: ElementHandle) -> Iterator[str]:
    """Step by button, key and slider; yields what did not happen."""
    slider = stepper.query_selector("input[type=range]")
    assert slider is not None
    last = int(slider.get_attribute("max") or 0)
    slide(slider, 1)
    if last < 3:
        return
    ways = (
        ("the button Next", lambda: press(stepper, "forward"), 2),
        ("the key n", lambda: page.keyboard.press("n"), 3),
        ("the key p", lambda: page.keyboard.press("p"), 2),
        ("the button Back", lambda: press(stepper, "back"), 1),
        ("the slider", lambda: slide(slider, last), last),
    )
    for name, act, wanted in ways:
        act()
        found = stepper.evaluate(SHOWN)
        if found["step"] != wanted:
            yield f"{name} leads to step {found['step']}, not to {wanted}"
        if not found["agrees"]:
            yield f"after {name} the diagram says another state than the words: {found['said']}"


def press(stepper: ElementHandle, action: str) -> None:
    """Press a button of a stepper."""
    button = stepper.query_selector(f"[data-action={action}]")
    assert button is not None
    button.click()


def slide(slider: ElementHandle, to: int) -> None:
    """Move a slider."""
    slider.evaluate("(one, to) => { one.value = to; one.dispatchEvent(new Event('input', {bubbles: true})); }", to)


SHOWN = """(root) => {
    const said = [...root.querySelectorAll(".tn-dia")].map((box) => [
        box.querySelector("h4 span").textContent,
        [...box.querySelectorAll(".current text")].map((text) => text.textContent),
    ]);
    return {
        step: +root.dataset.step, said: JSON.stringify(said),
        agrees: said.every(([words, marked]) =>
            /nothing is left/.test(words) || marked.length === 1 && words.includes(marked[0])),
    };
}"""
