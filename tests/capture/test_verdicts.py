"""Conversations said line by line, and what the wire shows of them."""

from __future__ import annotations

import pytest
from captures import OPEN, explained, only

from tcpnotes.capture.verdict import HOWS, TAGS
from tcpnotes.capture.words import sentence, totals, word

CASES = {
    "a silent end after a SYN": ("0 A S 0\n1 A S 0\n3 A S 0", "unanswered"),
    "nothing of a close": (OPEN + "0.1 A P. 1 1 10\n0.2 B . 1 11", "open"),
    "a FIN that is acked, and no other": (OPEN + "1 A F. 1 1\n1.1 B . 1 2", "half_closed"),
    "a FIN that nobody acks before the capture ends": (OPEN + "1 A F. 1 1\n1.2 A F. 1 1", "closing"),
    "a FIN given up": (
        OPEN + "1 A F. 1 1\n1.2 A F. 1 1\n1.6 A F. 1 1\n9 A R 2", "given_up",
    ),
    "data sent again and again": (
        OPEN + "1 A P. 1 1 9\n1.2 A P. 1 1 9\n1.6 A P. 1 1 9\n2.4 A P. 1 1 9\n4 A P. 1 1 9", "open",
    ),
    "FIN_WAIT2 was over when the other closed": (
        OPEN + "1 A F. 1 1\n1.1 B . 1 2\n90 B F. 1 2\n90.1 A R 2", "bucket_gone",
    ),
    "a RST out of nothing": (OPEN + "1 B P. 1 1 5\n1.1 A R 1", "no_connection"),
    "keepalive probes that nobody answers": (
        OPEN + "9 A . 0 1\n10 A . 0 1\n11 A . 0 1\n12 A R. 1 1", "timed_out",
    ),
    "an orphan killed": (OPEN + "1 A F. 1 1\n1.5 A R. 2 1", "orphan_killed"),
    "a RST in the handshake": ("0 A S 0\n0.1 B S. 0 1\n0.2 A R 1", "no_connection"),
    "data on the last FIN of a half close": (
        OPEN + "1 A F. 1 1\n1.1 B F. 1 2 30\n1.2 A . 2 32", "half_close",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_how(case: str) -> None:
    text, how = CASES[case]
    if how == "given_up":
        text = text.replace("9 A R 2", "9 B P. 1 1 5\n9.1 A R 1")
    assert only(text).verdict.how == how


def test_timed_out_needs_time_to_pass_after_the_last_attempt() -> None:
    again = OPEN + "1 A P. 1 1 9\n1.2 A P. 1 1 9\n1.6 A P. 1 1 9\n2.4 A P. 1 1 9"
    assert only(again).verdict.how == "open"
    from captures import frames, pcapng, said

    later = frames(said("60 A S 0"), port=2000)
    found = explained(pcapng([*frames(said(again)), *later]))
    assert found[0].verdict.how == "timed_out"


def test_the_answer_to_data_after_a_long_time_may_also_mean_that_fin_wait2_was_over() -> None:
    short = only(OPEN + "1 A F. 1 1\n1.1 B . 1 2\n2 B P. 1 2 9\n2.1 A R 2").verdict
    long = only(OPEN + "1 A F. 1 1\n1.1 B . 1 2\n99 B P. 1 2 9\n99.1 A R 2").verdict
    assert (short.how, short.maybe) == ("data_after_close", ())
    assert (long.how, long.maybe) == ("data_after_close", ("bucket_gone",))


def test_a_listener_that_closed_cannot_be_told_from_linger_zero() -> None:
    verdict = only(OPEN + "1 B R. 1 1").verdict
    assert (verdict.how, verdict.maybe) == ("linger_zero", ("listener_closed",))


def test_a_rst_kills_time_wait() -> None:
    verdict = only(OPEN + "1 A F. 1 1\n1.1 B F. 1 2\n1.2 A . 2 2\n5 B . 1 1\n5.1 A . 2 2\n5.2 B R 2").verdict
    assert verdict.how == "three_segment"
    assert "time_wait_assassination" in verdict.tags
    assert any("S.7c" in said.items for said in verdict.statements)


def test_a_rst_that_was_not_taken_is_no_end() -> None:
    text = OPEN + "1 B R 40\n2 B P. 1 1 100\n2.1 A . 1 101\n3 A F. 1 101\n3.1 B F. 101 2\n3.2 A . 2 102"
    verdict = only(text).verdict
    assert verdict.how == "three_segment"
    assert verdict.tags == ("reset_outside_window",)


def test_a_rst_outside_the_window_is_no_end() -> None:
    verdict = only(OPEN + "1 B R 200000\n2 B R 0").verdict
    assert (verdict.how, verdict.tags) == ("open", ("reset_outside_window",))


def test_what_the_capture_lacks_is_said_and_not_guessed() -> None:
    text = OPEN + "1 A P. 1 1 100\n1.1 B . 1 601\n2 A F. 601 1\n2.1 B F. 1 602\n2.2 A . 602 2"
    verdict = only(text).verdict
    assert verdict.how == "three_segment"
    assert "not_seen" in verdict.tags
    (holes,) = [said for said in verdict.statements if said.key == "holes"]
    assert holes.values["bytes"] == 500
    assert "Not seen" in sentence(holes)


def test_segments_out_of_order_are_not_called_missing() -> None:
    text = OPEN + "1 A P. 101 1 100\n1.01 A P. 1 1 100\n1.1 B . 1 201\n2 A F. 201 1\n2.1 B F. 1 202\n2.2 A . 202 2"
    assert only(text).verdict.tags == ()


def test_sequence_numbers_wrap() -> None:
    from captures import frames, pcapng, said

    text = OPEN + "1 A P. 1 1 100\n1.1 B . 1 101\n2 A F. 101 1\n2.1 B . 1 102\n3 B F. 1 102\n3.1 A . 102 2"
    for first in ((0xFFFFFFFF, 0xFFFFFFFE), (0xFFFFFFB0, 0x7FFFFFFF), (0xFFFFFF9A, 0)):
        found = explained(pcapng(frames(said(text), first=first)))
        assert [e.verdict.how for e in found] == ["orderly"]
        assert found[0].verdict.tags == ()
        assert found[0].connection.ends[0].data == 100


def test_a_capture_that_begins_with_the_answer_still_knows_who_opened() -> None:
    found = only("0 B S. 0 1\n0.1 A . 1 1\n1 B F. 1 1\n1.1 A F. 1 2\n1.2 B . 2 2")
    assert found.connection.ends[0].port == 1025
    assert (found.verdict.how, found.verdict.closer) == ("three_segment", "B")


def test_a_second_fin_of_a_connection_whose_beginning_is_missing_is_not_called_the_first() -> None:
    verdict = only("0 B F. 50 7\n0.1 A . 7 51").verdict
    assert verdict.how == "half_closed"
    assert [said.key for said in verdict.statements][-1] == "half_closed_middle"


def test_how_long_each_phase_took() -> None:
    phases = {
        p.name: p.seconds for p in only(OPEN + "1 A F. 1 1\n1.5 B . 1 2\n3 B F. 1 2\n3.25 A . 2 2").verdict.phases
    }
    assert phases == {
        "handshake": pytest.approx(0.02), "established": pytest.approx(0.98), "first_fin": pytest.approx(0.5),
        "half_closed": pytest.approx(1.5), "second_fin": pytest.approx(0.25),
    }  # fmt: skip


def test_the_same_ports_again_are_another_connection() -> None:
    close = "1 A F. 1 1\n1.1 B F. 1 2\n1.2 A . 2 2\n"
    again = "9 A S 900000\n9.1 B S. 900000 900001\n9.2 A . 900001 900001"
    one, two = explained(OPEN + close + again)
    assert (one.connection.number, two.connection.number) == (1, 2)
    assert two.connection.follows == 1
    assert [said.items for said in two.verdict.statements if said.key == "syn_over_own"] == [("S.7b",)]


def test_every_how_and_every_tag_has_words() -> None:
    assert all(word("how", how) for how in HOWS)
    assert all(word("tag", tag) for tag in TAGS)


def test_totals() -> None:
    assert totals({}) == "0 connections."
    assert totals({"orderly": 1}) == "1 connection: 1 orderly."
    assert totals({"unread_data": 4, "orderly": 30}) == "34 connections: 30 orderly, 4 RST after unread data."
