"""Sockets and buckets counted: as ss lists them, and over the time of a run."""

from __future__ import annotations

import pytest

from tcpnotes.scenarios import run
from tcpnotes.trace.frames import Frame, HostView
from tcpnotes.view.census import census, count, listing


def frames(scenario: str) -> list[Frame]:
    return run(scenario, frames=True).recorder.frames


def at(scenario: str, seconds: float, host: str) -> HostView:
    return [frame for frame in frames(scenario) if frame.record.t <= seconds * 1e6][-1].host(host)


def lines(view: HostView) -> list[list[str]]:
    return [line.split(maxsplit=5) for line in listing(view).text.splitlines()[2:]]


def test_recv_q__tells_whether_the_end_of_file_was_read() -> None:
    before, after = (lines(at("server_forgets", t, "B"))[1] for t in (1.9, 2.1))
    assert before == ["CLOSE-WAIT", "1", "0", "80", "1024", "fd 4"]
    assert after == ["CLOSE-WAIT", "0", "0", "80", "1024", "fd 4"]


def test_send_q__what_was_written_and_not_acknowledged() -> None:
    assert lines(at("server_forgets", 1.0, "A"))[0][:3] == ["ESTAB", "0", "20"]


def test_a_bucket_and_an_orphan_have_no_descriptor() -> None:
    assert lines(at("orderly_close", 10, "A")) == [["TIME-WAIT", "0", "0", "1024", "80", "a bucket"]]
    assert lines(at("nobody_answers", 5, "A"))[0][5] == "nobody: an orphan"


def test_a_listener__counts_who_waits_for_accept() -> None:
    assert lines(at("close_listener", 0.4, "B"))[0][:2] == ["LISTEN", "1"]


def test_count__without_listeners_and_without_what_no_table_holds() -> None:
    assert count(at("half_close", 3.5, "A")) == {"TIME_WAIT": 1}  # its socket is CLOSE, and can still be read
    assert count(at("half_close", 3.5, "B")) == {}


def test_census__a_line_for_each_state_that_was_there() -> None:
    picture = census(frames("server_forgets"), "B", "<b>", column=1, until=100)
    assert picture.description == "Host B: ESTAB up to 1, 0 at the end; CLOSE-WAIT up to 1, 1 at the end."
    assert picture.body.count('class="l"') == 4 and "100 s" in picture.body and "&lt;b&gt;" in picture.svg
    assert [line.split() for line in picture.text.splitlines()[2:]][-1] == ["100.0", "s", "0", "1"]


def test_census__says_what_it_cannot_count() -> None:
    with pytest.raises(ValueError, match="made from frames"):
        census([], "A", "nothing")
    with pytest.raises(ValueError, match="counts no 'LISTEN'; choose from: ESTABLISHED"):
        census(frames("server_forgets"), "B", "x", states=("LISTEN",))
