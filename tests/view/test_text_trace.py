"""The text trace: columns, question marks, relative numbers."""

from __future__ import annotations

import runs

from tcpnotes.scenarios import run
from tcpnotes.trace import Record, Recorder, Segment
from tcpnotes.trace.records import Received, Sent, Stimulus
from tcpnotes.view import text_trace

PLAIN = """\
time   | A: event, state              | wire                           | B: event, state
-------+------------------------------+--------------------------------+-----------------------------
 0.000 |                              |                                | socket() = 3
 0.000 |                              |                                | bind(3, 80) = 0
 0.000 |                              |                                | listen(3, 5) = 0, LISTEN
 0.000 |                              |                                | accept(3), sleeps
 0.000 | socket() = 3                 |                                |
 0.000 | connect(3, 80), SYN_SENT     | SYN seq=0 -->                  |
       |   sleeps                     |                                |
 0.050 |                              | <-- SYN,ACK seq=0 ack=1        | SYN arrives
 0.100 | SYN,ACK arrives, ESTABLISHED | ACK seq=1 ack=1 -->            |
 0.100 | connect returns 0            |                                |
 0.150 |                              |                                | ACK arrives, SYN_RECV
       |                              |                                |   ESTABLISHED
 0.150 |                              |                                | accept returns 4
"""


def test_plain_close__columns() -> None:
    assert str(text_trace(runs.plain_close())).startswith(PLAIN)


def test_plain_close__states_in_order() -> None:
    text = str(text_trace(runs.plain_close()))
    wanted = ["FIN_WAIT1", "CLOSE_WAIT", "FIN_WAIT2", "bucket FIN_WAIT2", "LAST_ACK", "bucket TIME_WAIT", "CLOSE,"]
    places = [text.index(word) for word in wanted]
    assert places == sorted(places)
    assert "| slow wheel, bucket gone " in text.splitlines()[-1]


def test_hide__leaves_calls_and_masks_states_results_and_answers() -> None:
    trace = text_trace(runs.plain_close(), hide=True)
    hidden = str(trace)
    assert "close(3) = ?, ?" in hidden
    assert "FIN,ACK seq=17 ack=1 -->" in hidden  # what the application sets off is given
    for word in ("FIN_WAIT1", "CLOSE_WAIT", "TIME_WAIT", "ESTABLISHED", "ack=18 -->"):
        assert word not in hidden
    assert str(trace.reveal()) == str(text_trace(runs.plain_close()))
    assert str(trace.reveal().hide()) == hidden


def test_numbers_are_the_same_without_frames() -> None:
    recorder = runs.plain_close()
    assert str(text_trace(recorder.records)) == str(text_trace(recorder))


def test_joined_in_mid_connection__frames_tell_the_first_numbers() -> None:
    assert "FIN,ACK seq=1 ack=1" in str(text_trace(runs.simultaneous_close()))


def test_lost_segment_is_marked() -> None:
    assert "FIN,ACK seq=1 ack=1 --X lost" in str(text_trace(runs.lost_fin()))


def test_sequence_numbers_wrap() -> None:
    syn = Segment(1, 10, 2, 20, 0xFFFFFFFF, 0, 0x02, 1000)
    fin = Segment(1, 10, 2, 20, 5, 7, 0x11, 1000)
    records: list[Record] = [
        Stimulus(0, "A", 0, "call", "connect"), Sent(0, "A", 0, 1, syn, 1, None), Sent(0, "A", 0, 1, fin, 2, None),
    ]  # fmt: skip
    assert "FIN,ACK seq=6 ack=1" in str(text_trace(records))


def test_reset_without_ack__zero_is_no_number_of_the_connection() -> None:
    rst = Segment(2, 20, 1, 10, 0, 0, 0x04, 0)
    ack = Segment(1, 10, 2, 20, 4_000_000_000, 2_000_000_000, 0x10, 1000)
    records: list[Record] = [
        Stimulus(0, "A", 0, "call", "x"), Sent(0, "A", 0, 1, ack, 1, None), Stimulus(10, "A", 0, "packet", "R"),
        Received(10, "A", 0, rst, None),
    ]  # fmt: skip
    assert "RST arrives" in str(text_trace(records))


def test_empty_trace_has_only_a_head() -> None:
    assert len(str(text_trace(Recorder())).splitlines()) == 2


def test_bundle_is_plain_text_alone() -> None:
    trace = text_trace(runs.plain_close())
    assert trace._repr_mimebundle_() == {"text/plain": str(trace)}


def test_a_segment_that_nobody_sent_is_told_before_what_it_sets_off() -> None:
    played = run("data_after_fin", profile="linux-2.4.0", frames=True)
    lines = str(text_trace(played.recorder)).splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith("5.000"))
    assert "(nowhere) ACK seq=1 ack=1 len=100 -->" in lines[at] and "ACK arrives" in lines[at]
    assert "<-- RST seq=1" in lines[at + 1]
    assert "(nowhere) ACK seq=1 ack=1 len=100 -->" in str(text_trace(played.recorder, hide=True))
