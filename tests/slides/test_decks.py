"""The decks in a real browser: nothing runs off, every letter is large, steppers step, keys do what they say."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from deck_walk import ON_SLIDE, ROOT, Walk, listed, opened, states

pytestmark = pytest.mark.browser

DECKS = listed()
GUESS = "01_what_does_close_do_first"  # has everything that decks have


@pytest.mark.parametrize("name", DECKS)
def test_nothing_runs_off_a_slide_and_no_letter_is_small(name: str, walk: Callable[[str], Walk]) -> None:
    assert walk(name).wrong == []


@pytest.mark.parametrize("name", DECKS)
def test_every_stepper_goes_forward_back_by_key_and_by_slider(name: str, walk: Callable[[str], Walk]) -> None:
    seen = walk(name)
    assert seen.stuck == []
    assert seen.steppers


@pytest.mark.parametrize("name", DECKS)
def test_a_deck_loads_its_own_files_and_complains_of_nothing(name: str, walk: Callable[[str], Walk]) -> None:
    assert walk(name).complaints == []


@pytest.mark.parametrize("name", DECKS)
def test_a_deck_is_a_lecture_of_45_minutes(name: str, walk: Callable[[str], Walk]) -> None:
    assert 15 <= walk(name).slides <= 60  # the guide is short; more than a slide in 45 seconds nobody reads


# All slides below each other: axe then sees all of them at once.
_ALL = """
.reveal-viewport, .reveal, .reveal .slides { overflow: visible !important; height: auto !important;
  position: static !important; transform: none !important; }
.reveal .slides section { display: block !important; position: relative !important; visibility: visible !important;
  opacity: 1 !important; transform: none !important; }
.reveal .slides > section:has(> section) { height: auto !important; }
.reveal .fragment { opacity: 1 !important; visibility: visible !important; }
.deck-stack { display: block !important; }
"""


@pytest.mark.parametrize("name", DECKS)
def test_axe_finds_nothing_in_light_and_dark(name: str, slides: Path, visit: Callable[..., Any]) -> None:
    axe = (ROOT / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
    page = visit(height=720, bypass_csp=True).page
    opened(page, (slides / f"{name}.html").as_uri())
    page.evaluate(axe)
    page.add_style_tag(content=_ALL)
    page.evaluate(
        "document.querySelectorAll('.slides section').forEach((one) => "
        "{ one.hidden = false; one.removeAttribute('aria-hidden'); one.style.display = ''; })"
    )
    found = []
    for colours in ("light", "dark"):
        page.evaluate("(colours) => { document.documentElement.dataset.theme = colours; }", colours)
        rules = "" if colours == "light" else ", runOnly: ['color-contrast']"
        result = page.evaluate(f"axe.run(document, {{resultTypes: ['violations'], preload: false{rules}}})")
        found += [(colours, one["id"], one["nodes"][0]["html"][:200]) for one in result["violations"]]
    assert found == []


def test_axe_finds_nothing_in_the_list_of_decks(slides: Path, visit: Callable[..., Any]) -> None:
    axe = (ROOT / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
    page = visit(bypass_csp=True).page
    page.goto((slides / "index.html").as_uri())
    page.evaluate(axe)
    result = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    assert [one["id"] for one in result["violations"]] == []
    assert page.locator("li a.deck-name").count() == len(DECKS)


@pytest.fixture
def deck(slides: Path, visit: Callable[..., Any]) -> Any:
    seen = visit(height=720)
    opened(seen.page, (slides / f"{GUESS}.html").as_uri())
    return seen.page


def to_stepper(page: Any) -> Any:
    for _ in states(page):
        if found := page.query_selector(ON_SLIDE):
            return found
    raise AssertionError("there is no stepper")


def test_the_first_slide_names_the_items_and_the_keys(deck: Any) -> None:
    said = deck.locator("section.present.deck-title").inner_text()
    assert "What does close() do first?" in said
    assert "1.3a" in said and "1.fig" in said
    assert "Slides:" in said and "Steps of a run:" in said


def test_arrows_move_slides_even_with_the_focus_in_a_stepper(deck: Any) -> None:
    stepper = to_stepper(deck)
    stepper.query_selector("[data-action=forward]").click()
    before = deck.evaluate("Reveal.getSlidePastCount()")
    deck.keyboard.press("ArrowRight")
    assert deck.evaluate("Reveal.getSlidePastCount()") == before + 1
    assert stepper.evaluate("one => one.dataset.step") == "2"


def test_the_keys_of_slides_and_steps_stand_below(deck: Any) -> None:
    foot = deck.locator(".deck-foot")
    assert "Slides" in foot.inner_text() and "Steps" not in foot.inner_text()
    to_stepper(deck)
    assert re.search(r"Steps\s*p\s*n", foot.inner_text())


def test_numbers_choose_what_a_stepper_shows(deck: Any) -> None:
    stepper = to_stepper(deck)
    deck.keyboard.press("2")
    assert stepper.evaluate("one => one.dataset.view") == "2"
    assert stepper.query_selector(".tn-dia svg").is_visible()
    assert not stepper.query_selector(".tn-rungs").is_visible()


def test_an_address_that_names_a_step_opens_its_slide(slides: Path, visit: Callable[..., Any]) -> None:
    page = visit(height=720).page
    opened(page, (slides / f"{GUESS}.html").as_uri() + "#linger_zero@4")
    stepper = page.query_selector(ON_SLIDE)
    assert stepper.evaluate("one => [one.dataset.scenario, one.dataset.step]") == ["linger_zero", "4"]


def test_dark_is_remembered(deck: Any) -> None:
    button = deck.locator(".deck-dark")
    assert button.get_attribute("aria-pressed") == "false"
    button.click()
    assert button.get_attribute("aria-pressed") == "true"
    deck.reload()
    deck.wait_for_selector("html.deck-ready[data-theme=dark]", state="attached")


def test_the_speakers_view_has_notes_and_obeys_the_policy(
    slides: Path, serve: Callable[[Path], str], visit: Callable[..., Any]
) -> None:
    seen = visit(height=720)
    opened(seen.page, f"{serve(slides)}{GUESS}.html")
    to_stepper(seen.page)
    with seen.page.expect_popup() as popup:
        seen.page.keyboard.press("s")
    view = popup.value
    complaints: list[str] = []
    view.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    notes = view.locator(".speaker-controls-notes .value", has_text="The steps of this run")
    notes.wait_for()
    assert complaints == [] and seen.console == [] and seen.errors == []


def test_what_is_told_on_several_slides_has_its_notes_on_each(deck: Any) -> None:
    told = deck.evaluate(
        "Reveal.getSlides().slice(1, -1).map((one) => "
        "[one.dataset.at ?? '', one.querySelector('aside.notes')?.textContent.trim() ?? ''])"
    )
    later = [(before[1], now[1]) for before, now in pairwise(told) if not now[0]]
    assert later
    assert all(now == f"(goes on){before.removeprefix('(goes on)')}" for before, now in later)


@pytest.mark.parametrize("name", DECKS)
def test_a_pages_policy_names_this_host_alone(name: str, slides: Path) -> None:
    html = (slides / f"{name}.html").read_text(encoding="utf-8")
    policy = re.search(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">', html)
    assert policy is not None and "http" not in policy[1].replace("http-equiv", "")
    assert re.search(r"script-src 'self' 'sha256-[\w+/=]+';", policy[1])
    # Everything that is executed comes from a file beside the deck.
    scripts = re.findall(r"<script\b([^>]*)>", html)
    assert all('src="_static/' in one or 'type="application/json"' in one for one in scripts)
