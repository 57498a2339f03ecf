"""Every bug of the museum shows in its scenario, and nothing of it stays."""

from __future__ import annotations

import pytest

from tcpnotes.exercises import Bug, bug, bugs, planted
from tcpnotes.kernel.mirror import FUNCTIONS
from tcpnotes.scenarios import run


@pytest.mark.parametrize("shown", bugs(), ids=lambda shown: shown.name)
def test_bug__shows_in_its_scenario_and_then_is_gone(shown: Bug) -> None:
    healthy = run(shown.scenario).recorder.records
    with planted(shown.name) as there:
        assert there is shown
        sick = run(shown.scenario).recorder.records
    assert sick != healthy
    assert run(shown.scenario).recorder.records == healthy


def test_gallery__sixteen_and_more_each_with_its_label() -> None:
    assert len(bugs()) >= 16
    for shown in bugs():
        assert shown.function in FUNCTIONS
        assert shown.sentence.endswith(".") and "\n" not in shown.sentence
        assert shown.reference
    # Different bugs look different, even where they share a scenario.
    seen = set()
    for shown in bugs():
        with planted(shown.name):
            seen.add((shown.scenario, tuple(run(shown.scenario).recorder.records)))
    assert len(seen) == len(bugs())


def test_stuck_wheel__the_bucket_is_still_there_after_ten_minutes() -> None:
    with planted("stuck_wheel"):
        net = run("orderly_close").world.host("A").net
        assert net.tw_hash and net.next_tick() is None


def test_number__for_exercises_that_do_not_give_the_name_away() -> None:
    assert [bug(number) for number in range(1, len(bugs()) + 1)] == list(bugs())
    with planted(1) as there:
        assert there is bugs()[0]
    with pytest.raises(ValueError, match="no bug 0"):
        bug(0)


def test_unknown_bug_lists_the_museum() -> None:
    with pytest.raises(ValueError, match=r"no bug 'millennium'.*no_time_wait"):
        bug("millennium")
