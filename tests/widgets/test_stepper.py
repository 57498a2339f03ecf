"""The stepper: what it bundles, what its data say, and that nothing foreign gets out of its place."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import pytest
import runs

from tcpnotes.trace import Recorder
from tcpnotes.trace.records import StateChange
from tcpnotes.view import states
from tcpnotes.widgets import Stepper, play

HOSTILE = '</script><script>alert("x")</script><!--'


def _stepper(run: Callable[[], Recorder] = runs.plain_close, **kw: Any) -> Stepper:
    return Stepper(run(), title=kw.pop("title", "A plain close"), scenario=kw.pop("scenario", "plain-close"), **kw)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "href", "xlink:href", "action")]


def _data(html: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" class="tn-data">(.*?)</script>', html, re.DOTALL)
    assert found is not None
    loaded: dict[str, Any] = json.loads(found[1])
    return loaded


@pytest.mark.parametrize("run", runs.ALL)
@pytest.mark.parametrize("stops", ["event", "all"])
def test_html__no_external_address(run: Callable[[], Recorder], stops: str) -> None:
    html = _stepper(run, stops=stops).html
    outside = re.findall(r"https?://[^\s\\\"'<>)]+", html)
    assert set(outside) <= {"http://www.w3.org/2000/svg"}  # a name, not an address
    reader = _Reader()
    reader.feed(html)
    assert all(link.startswith("data:") for link in reader.links)
    assert "@import" not in html and "url(" not in html


def test_html__hostile_names_stay_in_their_place() -> None:
    stepper = _stepper(title=HOSTILE, scenario=HOSTILE, items={296: (HOSTILE,)}, item_texts={HOSTILE: HOSTILE})
    reader = _Reader()
    reader.feed(stepper.html)
    assert reader.tags.count("script") == 2  # its data and its logic
    assert HOSTILE not in stepper.html
    assert _data(stepper.html)["items"][HOSTILE] == HOSTILE


def test_bundle__deterministic_and_plain_without_a_kernel() -> None:
    first, second = _stepper()._repr_mimebundle_(), _stepper()._repr_mimebundle_()
    assert first == second
    assert set(first) == {"text/plain", "text/html"}
    assert first["text/plain"].startswith("A plain close (plain-close, ")
    assert "FIN_WAIT1" in first["text/plain"]
    assert repr(_stepper()) == repr(_stepper())


def test_fallback__a_list_of_all_steps_and_a_picture() -> None:
    stepper = _stepper(items={296: ("1.3",)})
    outside = stepper.html[: stepper.html.index('<script type="application/json"')]
    assert outside.count("<li>") == len(stepper.stops)
    assert "[1.3] A calls close(3)" in outside and 'src="data:image/svg+xml;base64,' in outside


def test_forty_steps_are_small() -> None:
    stepper = _stepper(stops=list(range(290, 530, 6)))
    assert 40 <= len(stepper.stops) <= 44
    assert len(stepper.html.encode()) < 150_000


def test_data__the_state_that_changes_is_the_current_node() -> None:
    stepper = _stepper(stops="event")
    data = _data(stepper.html)
    for step, stop in zip(data["steps"], stepper.stops, strict=True):
        record = stepper.story.records[stop]
        if isinstance(record, StateChange) and record.new in ("FIN_WAIT1", "CLOSE_WAIT", "LAST_ACK"):
            place = step["p"][step["h"]]
            assert data["nodes"][place[0]] == record.new
            assert f"{record.old}-{record.new}" in [data["arcs"][i] for i in place[2]]


@pytest.mark.parametrize("run", runs.ALL)
def test_data__all_numbers_point_at_something(run: Callable[[], Recorder]) -> None:
    data = _stepper(run, stops="all").data
    for step in data["steps"]:
        assert all(0 <= q < len(data["drawings"]) for q in step["q"])
        assert all(-1 <= b < len(data["drawings"]) for b in step["b"])
        tree, shown, _ = step["k"]
        assert shown <= len(data["trees"][tree])
        for current, previous, arcs, also, been, who, *_ in step["p"]:
            assert 0 <= current < len(data["nodes"]) and -1 <= previous < len(data["nodes"])
            assert all(0 <= a < len(data["arcs"]) for a in (*arcs, *been))
            assert all(0 <= n < len(data["nodes"]) for n in also)
            assert 0 <= who < len(data["words"])
        assert step["c"].endswith(".")
    assert data["nodes"] == list(states.NODES)


def test_data__changes_are_relative_numbers() -> None:
    stepper = _stepper(runs.simultaneous_close, stops="event")
    changes = [tuple(change[1:]) for step in stepper.data["steps"] for change in step.get("d", [])]
    assert ("A sk 1", "state", "ESTABLISHED", "FIN_WAIT1") in changes
    assert ("A sk 1", "write_seq", "1", "2") in changes
    assert any(change[1] == "bucket" and "TIME_WAIT" in change[3] for change in changes)


def test_steps_and_link() -> None:
    stepper = _stepper()
    assert stepper.link == "plain-close@1"
    stepper.forward()
    stepper.forward()
    assert stepper.index == 2 and stepper.link == "plain-close@3" and stepper.frame.index == stepper.stops[2]
    stepper.index = 10_000
    assert stepper.index == len(stepper.stops) - 1
    assert stepper.first() == 0 and stepper.back() == 0 and stepper.goto(1) == 1 and stepper.last() > 1


def test_begin__says_where_both_hosts_stand() -> None:
    told = play("data_meets_bucket").between(2.9, 5.1)
    stepper = told.stepper()
    assert stepper.captions()[0] == "2.900 s  The story begins: A as a bucket with substate FIN_WAIT2, B in CLOSE_WAIT."
    first = stepper.data["steps"][0]
    assert first["t"] == "2.900" and "i" not in first and first["k"][1] == 0  # nothing of what came before is told
    assert play("orderly_close").stepper("1").captions()[0].startswith("1.000 s  The story begins: A in ESTABLISHED")


def test_needs_frames() -> None:
    with pytest.raises(ValueError, match="needs frames"):
        Stepper(runs.plain_close().records, title="x")  # type: ignore[arg-type]


def test_hosts__who_stands_left() -> None:
    assert _stepper(hosts=("B", "A")).data["hosts"] == ["B", "A"]


def test_widget__index_goes_both_ways() -> None:
    pytest.importorskip("anywidget", reason="anywidget is not installed")
    stepper = _stepper()
    widget = stepper.widget
    assert widget is not None and repr(widget) == "StepperWidget()"
    widget.index = 3
    assert stepper.index == 3
    stepper.forward()
    assert widget.index == 4
    assert json.loads(widget.data) == json.loads(json.dumps(stepper.data))
