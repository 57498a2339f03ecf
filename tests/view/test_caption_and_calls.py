"""Captions say cause and effect; the call tree marks the function at work."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import runs

from tcpnotes.trace import Recorder
from tcpnotes.trace.records import StateChange
from tcpnotes.view import Story, caption
from tcpnotes.view.calls import call_tree, calls


@pytest.mark.parametrize("run", runs.ALL)
def test_every_record_has_one_sentence(run: Callable[[], Recorder]) -> None:
    story = Story(run())
    for index in range(len(story.records)):
        sentence = caption(story, index)
        assert sentence.endswith(".") and sentence.count(".\n") == 0 and len(sentence) > 5
        assert "None" not in sentence


def _change(story: Story, new: str) -> int:
    return next(i for i, rec in enumerate(story.records) if isinstance(rec, StateChange) and rec.new == new)


def test_cause_and_effect() -> None:
    story = Story(runs.plain_close())
    assert caption(story, _change(story, "FIN_WAIT1")) == (
        "A calls close(3) → tcp_close_state moves the socket from ESTABLISHED to FIN_WAIT1."
    )
    assert caption(story, _change(story, "CLOSE_WAIT")) == (
        "FIN,ACK reaches B → tcp_fin moves the socket from ESTABLISHED to CLOSE_WAIT."
    )


def test_call_tree__innermost_open_function_is_current() -> None:
    story = Story(runs.plain_close())
    tree = call_tree(story, _change(story, "CLOSE_WAIT"))
    assert [line.name for line in tree if line.current] == ["tcp_set_state"]
    opened = [line.name for line in tree if line.open]
    assert opened[0] == "tcp_v4_rcv" and opened[-2:] == ["tcp_fin", "tcp_set_state"]
    assert "> " in calls(story, _change(story, "CLOSE_WAIT"))


def test_call_tree__before_any_function() -> None:
    assert calls(Story(runs.plain_close()), 0) == "(no kernel function yet)"
