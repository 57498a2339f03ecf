"""A recorded run in a notebook: two ladders, the time line as text, whose kernel it was."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import pytest

from tcpnotes.live import LiveError, write_recording
from tcpnotes.live import recorded as recording
from tcpnotes.widgets.recorded import RecordedRun, recorded


def test_it_says_whose_kernel_it_was_and_when() -> None:
    run = recorded("simultaneous_close")
    machine = recording().machine
    assert f"Recorded on {machine.kernel} ({machine.hz} ticks a second), {machine.date}" in run.text
    assert repr(run) == "RecordedRun('simultaneous_close', equal)"
    assert run.causes == []


def test_the_causes_of_what_differs_are_told() -> None:
    run = recorded("linger_zero")
    assert run.verdict == "explained"
    assert run.same_wire
    assert run.causes == ["counter_resets"]
    assert "counter_resets: Current kernels count" in run.text


def test_both_forms_tell_the_same() -> None:
    forms = recorded("linger_zero")._repr_mimebundle_()
    assert set(forms) == {"text/html", "text/plain"}
    assert forms["text/html"].count("<svg ") == 2
    assert forms["text/html"].count("<pre>") == 1
    for line in ("close(3) = 0", "sends RST,ACK seq=501 ack=1"):
        assert line in forms["text/plain"] and line in forms["text/html"]


def test_a_recording_of_ones_own(tmp_path: Path) -> None:
    own = recording()._replace(machine=recording().machine._replace(kernel="Linux <7>"))
    write_recording(own._replace(runs=[own.run("linger_zero")]), tmp_path / "own.jsonl")
    run = recorded("linger_zero", tmp_path / "own.jsonl")
    assert isinstance(run, RecordedRun)
    assert "Linux <7>" in run.text and "Linux &lt;7&gt;" in run.html and "<7>" not in run.html
    with pytest.raises(LiveError, match="has no run of 'half_close'"):
        recorded("half_close", tmp_path / "own.jsonl")


def test_the_page_is_well_formed() -> None:
    class Depth(HTMLParser):
        def __init__(self) -> None:
            super().__init__()
            self.open: list[str] = []

        def handle_starttag(self, tag: str, attrs: object) -> None:
            if tag not in ("path", "rect", "circle", "line"):
                self.open.append(tag)

        def handle_endtag(self, tag: str) -> None:
            if tag not in ("path", "rect", "circle", "line"):
                assert self.open.pop() == tag

    parser = Depth()
    parser.feed(recorded("reset_of_orphan").html)
    assert parser.open == []
