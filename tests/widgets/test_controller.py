"""The controller: an index that never leaves its ends, and the choice of stops."""

from __future__ import annotations

import pytest
import runs

from tcpnotes.trace.records import Enter, StateChange
from tcpnotes.view import Story
from tcpnotes.widgets import Controller, choose_stops


def test_walks_and_stays_within_its_ends() -> None:
    c = Controller(3)
    assert (c.index, c.at_first, c.at_last) == (0, True, False)
    assert c.back() == 0
    assert [c.forward(), c.forward(), c.forward()] == [1, 2, 2]
    assert c.at_last and c.first() == 0 and c.last() == 2
    assert c.goto(-5) == 0 and c.goto(99) == 2 and c.goto(1) == 1


def test_watchers_hear_of_moves_only() -> None:
    heard: list[int] = []
    c = Controller(4)
    c.watch(heard.append)
    c.back()
    c.forward()
    c.goto(1)
    c.last()
    assert heard == [1, 3]


def test_nothing_to_step_through() -> None:
    with pytest.raises(ValueError, match="nothing to step through"):
        Controller(0)


def test_stops__items_with_first_and_last() -> None:
    recorder = runs.plain_close()
    story = Story(recorder, {296: ("1.3",), 333: ["2.2"]})
    assert choose_stops(story, "item") == [0, 296, 333, len(recorder.records) - 1]
    assert story.items[333] == ("2.2",)


def test_stops__without_items_every_event() -> None:
    story = Story(runs.plain_close())
    stops = choose_stops(story, "item")
    assert stops == choose_stops(story, "event")
    changes = [i for i, record in enumerate(story.records) if isinstance(record, StateChange)]
    assert set(changes) <= set(stops)
    assert not any(isinstance(story.records[i], Enter) for i in stops[1:-1])


def test_stops__all_and_chosen() -> None:
    story = Story(runs.lost_fin())
    count = len(story.records)
    assert choose_stops(story, "all") == list(range(count))
    assert choose_stops(story, [5, 3]) == [3, 5]
    with pytest.raises(ValueError, match="no frame"):
        choose_stops(story, [count])
    with pytest.raises(ValueError, match="Stops can be"):
        choose_stops(story, "some")
