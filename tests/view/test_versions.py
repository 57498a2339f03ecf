"""The same scenario under two profiles: where they part, and which behaviour makes them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tcpnotes.kernel.profile import LINUX_2_4_0
from tcpnotes.scenarios import load
from tcpnotes.scenarios.points import GROUPS, points
from tcpnotes.view.versions import ALIKE, OTHERWISE, TIMES, causes, compare, compare_all, parting_table, points_table


def test_the_same_profile_twice_is_alike() -> None:
    found = compare("data_before_ack_of_fin", "linux-2.4.0", replace(LINUX_2_4_0, name="mine"))
    assert (found.kind, found.first, found.second) == (ALIKE, None, None)


def test_the_text_and_the_released_kernel_part_where_data_crosses_the_fin() -> None:
    found = compare("data_before_ack_of_fin", "linux-2.4.0", "source")
    assert found.kind == OTHERWISE
    assert str(found.first) == "1.05 s, A: goes to CLOSE"
    assert str(found.second) == "1.05 s, A: sends ACK seq=2 ack=1"


def test_other_times_are_told_from_other_deeds() -> None:
    found = compare("rfc1337", "linux-2.4.0", "linux-6")
    assert found.kind == TIMES and found.first is not None and found.second is not None
    assert found.first.text == found.second.text == "bucket gone" and found.first.t > found.second.t
    assert compare("rfc1337", "linux-2.4.0", "linux-6", within=3_000_000).kind == ALIKE


def test_one_who_does_nothing_more() -> None:
    longer = load("orderly_close")
    found = compare("data_after_fin", "linux-2.4.0", "source")
    assert found.second is None and "nothing more" in parting_table([found], "linux-2.4.0", "source").text
    assert compare(longer, "linux-2.4.0", "source").scenario == "orderly_close"


def test_a_profile_without_the_setting_of_a_scenario__that_is_all_that_is_told() -> None:
    found = compare("short_time_wait", "linux-2.4.0", "linux-6")
    assert (found.kind, str(found.first), str(found.second)) == (
        OTHERWISE, "1.00 s, A: goes to FIN_WAIT1", "0.00 s, A: has no tcp_tw_recycle",
    )  # fmt: skip


def test_causes__one_behaviour_at_a_time() -> None:
    found = causes("linux-2.4.0", "linux-6", ["reset_in_window", "rfc1337", "orderly_close"])
    assert found["rst_in_window"] == {"reset_in_window": OTHERWISE}
    assert found["time_wait_rfc1337"] == {"rfc1337": TIMES}
    assert found["poll_rdhup"] == found["hz"] == {} and "data_before_fin_ack" not in found


def test_tables() -> None:
    compared = compare_all("linux-2.4.0", "linux-6", ["reset_in_window", "rfc1337"])
    reasons = {"reset_in_window": ["rst_in_window"]}
    note = parting_table(compared, "linux-2.4.0", "linux-6", OTHERWISE, reasons)
    assert note.text.splitlines()[2].split()[-1] == "rst_in_window" and "rfc1337" not in note.text
    assert "several together" in parting_table(compared, "a", "b", TIMES, reasons).text


def test_points_table__every_point_asked_of_every_profile() -> None:
    note = points_table("wait")
    lines = note.text.splitlines()
    assert lines[0].split("  ")[-1].strip() == "linux-6" and len(lines) == 2 + len(points("wait"))
    assert "time goes on" in note.text and "180 s" in note.text
    assert "**time goes on**" in note.markdown and "**" not in note.text
    assert "180 s" not in points_table("wait", ("linux-6",), cited=False).text
    with pytest.raises(ValueError, match=f"no group 'x'; choose one of: {', '.join(GROUPS)}"):
        points_table("x")
