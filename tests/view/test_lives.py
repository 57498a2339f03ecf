"""Pictures of buckets: the two wheels, and the lives of many."""

from __future__ import annotations

import re

import pytest

from tcpnotes.kernel.sock import STATE_NAMES, TIME_WAIT
from tcpnotes.trace.frames import BucketView
from tcpnotes.view import lives, wheels
from tcpnotes.view.lives import lived
from tcpnotes.widgets import Telling, play, row_of_closes


@pytest.fixture(scope="module")
def row() -> Telling:
    return row_of_closes(count=10, apart=3)


def test_lives__one_bar_a_bucket_and_it_ends_where_the_wheel_turns(row: Telling) -> None:
    picture = row.lives("A")
    assert picture.body.count('class="bar"') == 10
    turns = re.search(r"turns at (.*) s\.", picture.text)
    assert turns is not None
    ends = re.findall(r"gone at ([\d.]+) s", picture.text)
    assert len(ends) == 10 and set(ends) <= set(turns[1].split(", "))


def test_lived__times_of_a_bucket(row: Telling) -> None:
    first = lived(row.records)[0]
    assert (first.made, first.time_wait, first.gone) == (1_310_000, 1_450_000, 61_450_000)
    assert first.waited == 60.0
    assert lived(row.records, "B") == []


def test_lives__a_bucket_that_stays() -> None:
    short = row_of_closes(count=1)
    records = [record for record in short.records if record.t < 30_000_000]
    assert "stays" in lives(records).text


def test_lives__none_is_a_sentence(row: Telling) -> None:
    with pytest.raises(ValueError, match="host B had 0"):
        row.lives("B")


def test_row_of_closes__settings_out_of_range() -> None:
    with pytest.raises(ValueError, match="1 to 40"):
        row_of_closes(count=41)


def test_wheels__many_in_a_slot_are_counted(row: Telling) -> None:
    picture = row.wheels("A", 30)
    assert "slot 7: 3 buckets" in picture.text and "slot 0: 2 buckets" in picture.text
    assert "and 9 more" in picture.body


def test_wheels__the_calendar_is_a_wheel_with_a_hand_only_while_it_runs() -> None:
    run = play("short_time_wait")
    slow, quick = run.wheels("A", 1.52), run.wheels("A", 2.5)
    assert "calendar: at rest; no buckets" in slow.text and slow.body.count('class="hand"') == 1
    assert re.search(r"calendar: hand at step 0; slot \d+: bucket \d+ \(TIME_WAIT\)", quick.text)
    assert quick.body.count('class="hand"') == 2


def test_wheels__full() -> None:
    view = play("orderly_close").frames[-1].host("A")
    held = [
        BucketView(i, 0, STATE_NAMES[TIME_WAIT], 1, 2, 0, 0, 0, 0, 0, 0, wheel, slot)
        for i, (wheel, slot) in enumerate([("slow", s) for s in range(8)] + [("calendar", s) for s in range(32)])
    ]
    body = wheels(view._replace(buckets=tuple(held), cal_hand=31)).body
    assert body.count('class="p on"') == 40


def test_ladder__a_segment_that_is_lost_after_the_telling_ends() -> None:
    cut = play("linger_in_last_ack_time_out").between(1.95, 2.01)  # the FIN is lost at 2.025 s
    assert "lost" not in cut.ladder.text and "FIN,ACK" in cut.ladder.text
