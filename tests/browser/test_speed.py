"""How much work a click on Next is, from Chromium's own trace: script, style, layout and paint of one step.

On a machine that does nothing else the time is compared too (``TCPNOTES_MEASURE=1``); everywhere it is checked what
time depends on: a step asks for no layout before it is done, and touches little.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from tcpnotes.widgets import Playground, play

if TYPE_CHECKING:
    from playwright.sync_api import Browser

FAST = 8.0  # milliseconds of work for one step, 95 of 100 times: the next frame shows it
ROUNDS = 4
_WORK = ("EventDispatch", "FireAnimationFrame", "UpdateLayoutTree", "Layout", "PrePaint", "Paint", "Layerize", "Commit")
_STEP = """async (rounds) => {
  const root = document.querySelector("tcpnotes-stepper"), find = (name) => root.querySelector(`[data-action=${name}]`);
  const shown = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 20)));
  let count = 0;
  for (let round = 0; round < rounds; round++) {
    find("first").click();
    await shown();
    while (!find("forward").disabled) {
      performance.mark("begin" + count);
      find("forward").click();
      await shown();
      performance.mark("end" + count++);
      await shown();
    }
  }
  return count;
}"""


class Step(NamedTuple):
    """What a step cost: milliseconds, those of them in which the processor worked, layouts while it still wrote."""

    work: float
    busy: float
    forced: int


def steps(browser: Browser, page: Any, rounds: int = ROUNDS) -> list[Step]:
    """Click through the only stepper of a page, ``rounds`` times."""
    browser.start_tracing(
        page=page, categories=["-*", "devtools.timeline", "disabled-by-default-devtools.timeline", "blink.user_timing"]
    )
    count = page.evaluate(_STEP, rounds)
    events = json.loads(browser.stop_tracing())["traceEvents"]
    marks = {event["name"]: event for event in events if "user_timing" in event.get("cat", "")}
    thread = (marks["begin0"]["pid"], marks["begin0"]["tid"])
    work = [event for event in events if event["name"] in _WORK and (event["pid"], event["tid"]) == thread]
    work = sorted((event for event in work if "dur" in event), key=lambda event: event["ts"])
    found = []
    for number in range(count):
        begin, end = marks[f"begin{number}"]["ts"], marks[f"end{number}"]["ts"]
        took, busy, forced, until, writes = 0, 0, 0, 0, 0
        for event in (event for event in work if begin <= event["ts"] < end):
            stops = event["ts"] + event["dur"]
            forced += event["name"] == "Layout" and event["ts"] < writes
            writes = stops if event["name"] == "EventDispatch" else writes
            busy += event.get("tdur", 0) if event["ts"] >= until else 0
            took += max(0, stops - max(until, event["ts"]))
            until = max(until, stops)
        found.append(Step(took / 1000, busy / 1000, forced))
    return found


def late(times: Iterable[float]) -> float:
    """What 95 of 100 are not above."""
    found = sorted(times)
    return found[min(len(found) - 1, round(0.95 * len(found)))]


@pytest.mark.parametrize(("name", "width"), [("half_close", 1280), ("closed_window", 1280), ("closed_window", 360)])
def test_next__is_in_the_next_frame(
    name: str, width: int, browser: Browser, visit: Callable[..., Any], tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:  # fmt: skip
    stepper = play(name).stepper(["S.1"]) if name == "half_close" else Playground(name).stepper
    (tmp_path / "one.html").write_text(
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>One</title>{stepper.page(alone=True)}</html>',
        encoding="utf-8",
    )
    opened = visit(width=width)
    opened.page.goto((tmp_path / "one.html").as_uri())
    opened.page.wait_for_selector("tcpnotes-stepper[data-step]")
    measured = os.environ.get("TCPNOTES_MEASURE")  # on a machine that does nothing else
    taken = steps(browser, opened.page, ROUNDS if measured else 1)
    assert len(taken) >= len(stepper.stops) - 1
    # At the last step the button loses its use, and the focus goes where keys are still heard.
    ends = {number for number in range(len(taken)) if (number + 1) % (len(stepper.stops) - 1) == 0}
    assert [number for number, step in enumerate(taken) if step.forced and number not in ends] == []
    record_property("a step, p95 in ms", late(step.work for step in taken))
    record_property("a step, p95 in ms of the processor", late(step.busy for step in taken))
    if measured:
        assert late(step.work for step in taken) <= FAST


def test_next__touches_only_what_changes(visit: Callable[..., Any], tmp_path: Path) -> None:
    """The same step twice over writes nothing; a step on writes a small part of the page."""
    stepper = play("half_close").stepper(["S.1"])
    (tmp_path / "one.html").write_text(stepper.page(alone=True), encoding="utf-8")
    page = visit().page
    page.goto((tmp_path / "one.html").as_uri())
    page.wait_for_selector("tcpnotes-stepper[data-step]")
    seen = page.evaluate(
        """async () => {
          const root = document.querySelector("tcpnotes-stepper"), next = root.querySelector("[data-action=forward]");
          const all = root.querySelector(".tn-app").querySelectorAll("*").length, found = [];
          const watcher = new MutationObserver(() => {});
          watcher.observe(root, { subtree: true, childList: true, attributes: true, characterData: true });
          while (!next.disabled) {
            next.click();
            found.push(new Set(watcher.takeRecords().map((record) => record.target)).size);
            await new Promise((done) => setTimeout(done, 30));
            watcher.takeRecords();
          }
          return { all, found };
        }"""
    )
    assert len(seen["found"]) == len(stepper.stops) - 1
    assert max(seen["found"]) < seen["all"] / 4
