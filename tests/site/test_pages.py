"""The site in a real browser: every page, every stepper, deep links, files, prefixes, no scripts, the policy."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from site_pages import chapters, kinds, pages

from tcpnotes.view.states import NODES

pytestmark = pytest.mark.browser

STEPPER = "tcpnotes-stepper"


@pytest.fixture
def at(site: Path, serve: Callable[[Path], str]) -> str:
    """The address of the site."""
    return serve(site)


def with_steppers(site: Path) -> Iterator[str]:
    for page in pages(site):
        if f"<{STEPPER}" in (site / page).read_text(encoding="utf-8"):
            yield page


def test_no_page_asks_another_host_or_complains(site: Path, at: str, visit: Callable[..., Any]) -> None:
    seen = visit()
    complaints = []
    for page in pages(site):
        seen.page.goto(at + quote(page), wait_until="load")
        if seen.console or seen.errors:
            complaints.append((page, [*seen.console, *seen.errors]))
            seen.console.clear()
            seen.errors.clear()
    assert complaints == []
    assert seen.outside == []


_SHOWN = """(root) => ({
    step: +root.dataset.step,
    marked: [...root.querySelectorAll(".tn-dia")].map((box) =>
        [...box.querySelectorAll(".current")].map((node) => node.id.replace(/^.*?-n-/, ""))),
    caption: root.querySelector(".tn-caption").textContent,
    told: [...root.querySelectorAll("details.tn-steps li")].findIndex((li) => li.hasAttribute("aria-current")) + 1,
})"""


def test_every_stepper_goes_forward_back_by_key_and_by_slider(site: Path, at: str, visit: Callable[..., Any]) -> None:
    seen = visit()
    wrong = []
    tried = 0
    for name in with_steppers(site):
        seen.page.goto(at + quote(name), wait_until="load")
        roots = seen.page.query_selector_all(f"{STEPPER}.tn-live")
        assert len(roots) == seen.page.locator(STEPPER).count(), f"{name}: a stepper is not alive"
        for number, root in enumerate(roots):
            steps = root.evaluate("(root) => JSON.parse(root.querySelector('script.tn-data').textContent).steps")
            count = len(steps)

            def look(
                wanted: int, how: str, root: Any = root, steps: Any = steps, where: str = f"{name} {number}"
            ) -> None:
                shown = root.evaluate(_SHOWN)
                nodes = [[NODES[place[0]]] if place[0] >= 0 else [] for place in steps[wanted - 1]["p"]]
                if (
                    shown["step"] != wanted
                    or shown["marked"] != nodes
                    or steps[wanted - 1]["c"] not in shown["caption"]
                ):
                    wrong.append(f"{where}: {how}: wanted step {wanted} in {nodes}, got {shown}")
                if shown["told"] != wanted:
                    wrong.append(f"{where}: {how}: the list marks another step than {wanted}")

            start = root.evaluate(_SHOWN)["step"]
            begin = min(start, count - 2) if count > 2 else 1
            press = "(root, name) => root.querySelector(`[data-action=${name}]`).click()"
            root.evaluate(press, "first")
            look(1, "first")
            if count == 1:
                continue
            root.evaluate(press, "forward")
            look(2, "forward")
            root.evaluate(press, "back")
            look(1, "back")
            root.focus()
            seen.page.keyboard.press("ArrowRight")
            look(2, "key")
            seen.page.keyboard.press("ArrowLeft")
            look(1, "key back")
            root.query_selector("input[type=range]").focus()
            seen.page.keyboard.press("ArrowRight")
            look(2, "slider")
            seen.page.keyboard.press("End")
            look(count, "slider, end")
            for step in {begin, (count + 1) // 2}:
                root.evaluate(
                    """(root, n) => { const slider = root.querySelector("input");
                    slider.value = n; slider.dispatchEvent(new Event("input")); }""",
                    step,
                )
                look(step, "slider")
            tried += 1
    assert wrong == []
    assert tried > 100


def test_buttons_can_be_pressed_with_a_mouse(at: str, visit: Callable[..., Any]) -> None:
    page = visit().page
    page.goto(at)
    root = page.locator(STEPPER)
    begin = int(root.get_attribute("data-step"))
    root.locator("[data-action=forward]").click()
    root.locator("[data-action=forward]").click()
    root.locator("[data-action=back]").click()
    assert int(root.get_attribute("data-step")) == begin + 1


def test_the_first_page_steps_before_it_speaks_of_installing(site: Path) -> None:
    text = (site / "index.html").read_text(encoding="utf-8")
    article = text[text.index("<article") :]
    assert STEPPER in article
    assert not re.search(r"install|pip|git clone", article[: article.index(STEPPER)])


def test_a_link_opens_the_stepper_at_its_step(site: Path, at: str, visit: Callable[..., Any]) -> None:
    page = visit().page
    page.goto(f"{at}scenarios/linger_wait.html#linger_wait@5", wait_until="load")
    root = page.locator(STEPPER).first
    assert root.get_attribute("data-step") == "5"
    page.wait_for_function(
        "() => Math.abs(document.querySelector('tcpnotes-stepper').getBoundingClientRect().top) < 100"
    )
    page.evaluate("location.hash = '#linger_wait@2'")
    page.wait_for_function("() => document.querySelector('tcpnotes-stepper').dataset.step === '2'")


@pytest.mark.parametrize("width", [1280, 360])
def test_a_link_to_a_section_stays_there_while_the_page_grows(
    site: Path, at: str, visit: Callable[..., Any], width: int
) -> None:
    page = visit(width).page
    name = next(path.relative_to(site).as_posix() for path in (site / "notebooks").glob("01_*.html"))
    page.goto(at + name, wait_until="load")
    sections = page.eval_on_selector_all("article section section", "(all) => all.map((one) => one.id)")
    middle = sections[len(sections) // 2]
    lands = f"() => Math.abs(document.getElementById({middle!r}).getBoundingClientRect().top) < 100"
    page.goto("about:blank")
    page.goto(f"{at}{name}#{middle}", wait_until="load")
    page.wait_for_function(lands)
    page.wait_for_function("() => [...document.querySelectorAll('tcpnotes-stepper')].every((one) => one.dataset.step)")
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    page.wait_for_function(lands)


def test_a_link_knows_the_second_stepper_of_a_scenario(site: Path, at: str, visit: Callable[..., Any]) -> None:
    page = visit().page
    name = next(name for name in with_steppers(site) if (site / name).read_text("utf-8").count(f"<{STEPPER}") > 1
                and name.startswith("scenarios/"))  # fmt: skip
    scenario = Path(name).stem
    page.goto(f"{at}{name}#{scenario}.2@3", wait_until="load")
    assert page.locator(STEPPER).nth(0).get_attribute("data-step") == "1"
    assert page.locator(STEPPER).nth(1).get_attribute("data-step") == "3"


@pytest.mark.parametrize("hash", ["#nobody@3", "#orderly_close@", "#orderly_close@99999", "#%E0%A4%A", "#a.b@c", "#@1"])
def test_a_link_that_names_nothing_does_no_harm(at: str, visit: Callable[..., Any], hash: str) -> None:
    seen = visit()
    seen.page.goto(f"{at}scenarios/orderly_close.html{hash}", wait_until="load")
    root = seen.page.locator(STEPPER).first
    count = len(root.evaluate("(root) => JSON.parse(root.querySelector('script.tn-data').textContent).steps"))
    assert root.get_attribute("data-step") == (str(count) if "9" in hash else "1")
    assert seen.errors == []


def test_an_item_opens_at_the_frame_that_shows_it(site: Path, at: str, visit: Callable[..., Any]) -> None:
    page = visit().page
    for name in pages(site):
        if name.startswith("items/"):
            page.goto(at + quote(name), wait_until="load")
            id = Path(name).stem
            assert id in page.locator(".tn-item").all_inner_texts() or id.endswith(".fig"), name


def test_a_button_copies_the_link(at: str, visit: Callable[..., Any]) -> None:
    page = visit(permissions=["clipboard-read", "clipboard-write"]).page
    page.goto(f"{at}scenarios/simultaneous_close.html?from=a+token")
    root = page.locator(STEPPER).first
    root.locator("[data-action=last]").click()
    root.locator("[data-action=copy]").click()
    page.wait_for_function("() => document.querySelector('[data-action=copy]').textContent === 'Copied'")
    link = page.evaluate("navigator.clipboard.readText()")
    step = root.get_attribute("data-step")
    assert link == f"{at}scenarios/simultaneous_close.html#simultaneous_close@{step}"
    page.goto("about:blank")
    page.goto(link)
    assert page.locator(STEPPER).first.get_attribute("data-step") == step


def test_it_works_from_a_folder_without_a_server(site: Path, visit: Callable[..., Any]) -> None:
    seen = visit()
    seen.page.goto((site / "index.html").as_uri() + "#orderly_close@4", wait_until="load")
    assert seen.page.locator(STEPPER).get_attribute("data-step") == "4"
    seen.page.locator(STEPPER).locator("[data-action=forward]").click()
    assert seen.page.locator(STEPPER).get_attribute("data-step") == "5"
    seen.page.locator("article a[href^='notebooks/']").first.click()
    seen.page.wait_for_load_state("load")
    assert seen.page.locator(f"{STEPPER}.tn-live").count() >= 1  # the guide has one
    seen.page.goto((site / "search.html").as_uri() + "?q=tcp_time_wait", wait_until="load")
    seen.page.wait_for_selector("#search-results li a")
    assert seen.console == []
    assert seen.errors == []


def test_it_works_under_any_prefix(
    site: Path, tmp_path: Path, serve: Callable[[Path], str], visit: Callable[..., Any]
) -> None:
    (tmp_path / "some").mkdir()
    (tmp_path / "some" / "where").symlink_to(site, target_is_directory=True)
    seen = visit()
    seen.page.goto(serve(tmp_path) + "some/where/functions/tcp_fin.html", wait_until="load")
    seen.page.locator("article a[href*='scenarios/']").first.click()
    seen.page.wait_for_selector(f"{STEPPER}.tn-live")
    assert "some/where/scenarios/" in seen.page.url
    assert seen.console == []


def test_the_page_for_lost_readers_finds_the_way_home(
    site: Path, tmp_path: Path, serve: Callable[[Path], str], visit: Callable[..., Any]
) -> None:
    (tmp_path / "some").mkdir()
    shutil.copytree(site, tmp_path / "some" / "where", ignore=shutil.ignore_patterns("api", "functions", "*.js"))
    lost = tmp_path / "some" / "where" / "no" / "such"
    lost.mkdir(parents=True)
    shutil.copy(site / "404.html", lost / "page.html")  # as a server shows it, at the address that was asked for
    page = visit().page
    address = serve(tmp_path)
    page.goto(address + "some/where/no/such/page.html")
    page.wait_for_selector("html[data-home]")
    page.get_by_role("link", name="The start of the book").click()
    assert page.url == address + "some/where/index.html"


def test_every_step_can_be_read_without_scripts(site: Path, at: str, visit: Callable[..., Any]) -> None:
    page = visit(scripts=False).page
    told = 0
    for name in [
        *chapters(site),
        "index.html",
        *(name for name in with_steppers(site) if name.startswith("scenarios/")),
    ]:
        page.goto(at + quote(name), wait_until="domcontentloaded")
        for root in page.query_selector_all(STEPPER):
            data = json.loads(root.query_selector("script.tn-data").inner_html())
            lines = root.query_selector_all("details.tn-steps[open] li")
            assert len(lines) == len(data["steps"]) > 0, name
            for line, step in zip(lines, data["steps"], strict=True):
                assert line.is_visible(), name
                # A playground's steps speak of the reader's moves, its list of what came of them.
                assert step["c"] in line.inner_text() or "rest" in data, name
            told += len(lines)
    assert told > 1000


def test_a_page_without_scripts_is_whole(at: str, visit: Callable[..., Any]) -> None:
    page = visit(scripts=False, dark=True).page
    page.goto(f"{at}items/1.3.html")
    assert page.locator("article h1").is_visible()
    assert page.locator(f"{STEPPER} img").is_visible()
    assert page.get_by_role("link", name="all items").is_visible()


def test_a_script_that_is_not_the_books_does_not_run(at: str, visit: Callable[..., Any]) -> None:
    seen = visit()
    seen.page.goto(at, wait_until="load")
    seen.page.evaluate(
        """() => { const s = document.createElement("script"); s.textContent = "window.stranger = 1";
        document.body.append(s);
        const i = document.createElement("div"); i.innerHTML = "<img src='nowhere:' onerror='window.stranger = 2'>";
        document.body.append(i);
        const f = document.createElement("script"); f.src = "http://localhost:9/x.js"; document.body.append(f); }"""
    )
    seen.page.wait_for_timeout(300)
    assert seen.page.evaluate("window.stranger") is None
    assert any("Content Security Policy" in line for line in seen.console)


@pytest.mark.parametrize("first", ["light", "dark"])
def test_steppers_follow_the_readers_choice_of_light_and_dark(at: str, visit: Callable[..., Any], first: str) -> None:
    page = visit(dark=first == "dark").page
    page.goto(at, wait_until="load")
    colour = "getComputedStyle(document.querySelector('tcpnotes-stepper')).getPropertyValue('--tn-fg').trim()"
    assert page.evaluate("document.documentElement.dataset.theme") == first
    before = page.evaluate(colour)
    other = "light" if first == "dark" else "dark"
    page.locator(".theme-switch-button").first.click()
    page.locator(f".theme-change-button[data-mode={other}]").first.click()
    assert page.evaluate("document.documentElement.dataset.theme") == other
    assert page.evaluate(colour) != before


def test_the_search_finds_a_kernel_function(at: str, visit: Callable[..., Any]) -> None:
    page = visit().page
    page.goto(f"{at}items.html", wait_until="load")
    page.keyboard.press("Control+k")
    page.locator("#pst-search-dialog input[type=search]").fill("tcp_tw_schedule")
    page.keyboard.press("Enter")
    page.wait_for_selector("#search-results li a")
    assert any("functions/tcp_tw_schedule.html" in (link.get_attribute("href") or "")
               for link in page.locator("#search-results li a").all())  # fmt: skip


def test_code_can_be_copied(at: str, visit: Callable[..., Any]) -> None:
    page = visit(permissions=["clipboard-read", "clipboard-write"]).page
    page.goto(f"{at}functions/tcp_fin.html", wait_until="load")
    page.locator("div.highlight").last.hover()
    page.locator("button.copybtn").last.click()
    page.wait_for_function("() => navigator.clipboard.readText().then((text) => text.includes('def tcp_fin'))")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_pages_are_accessible_and_fit_the_screen(
    site: Path, at: str, visit: Callable[..., Any], width: int, dark: bool
) -> None:
    axe = (Path(__file__).resolve().parents[2] / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
    folder = site.parent / "screenshots"
    folder.mkdir(exist_ok=True)
    seen = visit(width, dark=dark)
    found = []
    for name in kinds(site):
        seen.page.goto(at + quote(name), wait_until="load")
        seen.page.evaluate(axe)
        result = seen.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        found += [
            f"{name}: {one['id']}: {one['help']}: {one['nodes'][0]['target']} ({len(one['nodes'])})"
            for one in result["violations"]
        ]  # fmt: skip
        wide = seen.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        if wide > 0:
            found.append(f"{name}: {wide} pixels too wide")
        shot = f"{name.removesuffix('.html').replace('/', '-')}-{width}-{'dark' if dark else 'light'}.png"
        seen.page.screenshot(path=folder / shot, full_page=not name.startswith("api/"))
    assert found == []
