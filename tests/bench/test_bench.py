"""The measurements do what they say, in tiny sizes.  Nothing here is timed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tcpnotes.bench import MEASUREMENTS, QUICK, Figure, measurements
from tcpnotes.bench.buckets import measure
from tcpnotes.bench.calibration import events_per_second
from tcpnotes.bench.fallen import earlier, fallen, missing
from tcpnotes.bench.lives import CLIENT, SERVER, Lives
from tcpnotes.bench.measure import Goal, Timing, compared, in_events, per_second
from tcpnotes.cli.bench import _NAMES

TINY = QUICK._replace(lives=4, standing=40, opened=4, buckets=200, forks=4, recordings=2, events=200)


def test_the_yardstick_reads_something() -> None:
    assert events_per_second(100) > 0


@pytest.mark.parametrize("name", MEASUREMENTS)
def test_every_measurement_reports_figures_of_its_own_name(name: str) -> None:
    figures = list(MEASUREMENTS[name].take(TINY))
    assert figures
    for figure in figures:
        assert figure.measurement == name
        assert figure.value > 0 and figure.ratio > 0 and figure.calibration > 0 and figure.runs == 1
        assert figure.reached in ((None,) if figure.goal is None else (True, False))
    assert len({figure.case for figure in figures}) == len(figures)


def test_the_command_knows_the_names_without_loading_the_engine() -> None:
    assert set(_NAMES) == set(MEASUREMENTS)


def figure_with(ratio: float, more: bool = True) -> Figure:
    return Figure("lives", "trace off", 1.0, "lives/s", ratio, "of H", Goal(1.0, 1.0, more), 1.0, 1)


def test_a_figure_has_fallen_when_more_than_thirty_percent_are_gone(tmp_path: Path) -> None:
    path = tmp_path / "figures.jsonl"
    path.write_text('{"name": "lives", "case": "trace off", "ratio": 0.5}\n')
    before = earlier(path)
    assert fallen([figure_with(0.36), figure_with(0.8)], before) == []
    assert fallen([figure_with(0.25)], before) == [(figure_with(0.25), 0.5)]


def test_a_time_has_fallen_when_it_grew(tmp_path: Path) -> None:
    before = {("lives", "trace off"): [30.0]}
    assert fallen([figure_with(40.0, more=False)], before) == []
    assert fallen([figure_with(60.0, more=False)], before) == [(figure_with(60.0, more=False), 0.5)]


def test_what_was_not_measured_then_cannot_have_fallen() -> None:
    assert fallen([figure_with(0.1)], {("fork", "fork"): [1.0]}) == []


def test_of_several_machines_the_one_where_it_was_worth_least_counts(tmp_path: Path) -> None:
    path = tmp_path / "figures.jsonl"
    path.write_text("".join(f'{{"name": "lives", "case": "trace off", "ratio": {r}}}\n' for r in (0.5, 0.3, 0.4)))
    assert fallen([figure_with(0.25)], earlier(path)) == []
    assert fallen([figure_with(0.15)], earlier(path)) == [(figure_with(0.15), 0.5)]
    slow = {("lives", "trace off"): [30.0, 60.0]}
    assert fallen([figure_with(80.0, more=False)], slow) == []
    assert fallen([figure_with(120.0, more=False)], slow) == [(figure_with(120.0, more=False), 0.5)]


def test_what_was_measured_then_and_is_not_now_is_missing() -> None:
    before = {("lives", "trace off"): [0.1], ("lives", "no such case"): [0.1], ("fork", "not asked for"): [1.0]}
    assert missing([figure_with(0.1)], before) == [("lives", "no such case")]


def test_a_file_without_figures_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "figures.jsonl"
    path.write_text('{"name": "lives", "case": "trace off", "ratio": 0.5}\n{}\n')
    with pytest.raises(ValueError, match=r"figures.jsonl:2: no figure of 'tcpnotes bench --json'\."):
        earlier(path)


def test_the_committed_figures_are_those_that_are_checked() -> None:
    root = Path(__file__).parents[2]
    (checked,) = re.findall(r"tcpnotes bench (.+) --against docs/bench\.jsonl", (root / "Makefile").read_text("utf-8"))
    figures = earlier(root / "docs" / "bench.jsonl")
    assert {name for name, _ in figures} == set(checked.split()) <= set(MEASUREMENTS)
    assert all(ratio > 0 for ratios in figures.values() for ratio in ratios)


@pytest.mark.parametrize("there", [True, False])
def test_a_search_without_numpy_says_so_and_has_no_goal(there: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measurements, "find_spec", lambda name: there or None)
    (figure,) = MEASUREMENTS["explore"].take(TINY)
    assert figure.case == "close_lossy without mishaps" + ("" if there else ", and without numpy")
    assert (figure.goal is not None) is there


def test_lives_live_and_leave_nothing_behind() -> None:
    lives = Lives(standing=10)
    lives.run(30)
    world = lives.world
    world.run_until(world.now + 70_000_000)
    for name in (CLIENT, SERVER):
        net = world.hosts[name].net
        assert [sk.state for sk in net.socks.values()] == ([] if name == CLIENT else [10])  # the listener
        assert not net.ehash and not net.tw_hash and net.tw_count == 0 and net.orphan_count == 0
        assert net.next_tick() is None and not net.timers
        assert net.mib["TcpCurrEstab"] == 0
        assert "TcpRetransSegs" not in net.mib and "TcpOutRsts" not in net.mib
    assert world.hosts[SERVER].net.mib["TimeWaited"] == 30 + 10
    assert not world.wire.flying and not world.wire.order


def test_as_many_buckets_stand_as_were_asked_for() -> None:
    lives = Lives(standing=640)
    for _ in range(5):
        assert 630 <= lives.standing <= 740  # the wheel keeps them for up to an eighth longer than it must
        lives.run(200)


def test_sockets_stand_open_beside_the_lives() -> None:
    lives = Lives(opened=5)
    lives.run(3)
    assert sum(sk.state == 1 for sk in lives.world.hosts[SERVER].net.socks.values()) == 5


def test_a_long_run_keeps_no_results_descriptors_or_timers_of_the_past() -> None:
    lives = Lives(standing=50)
    lives.run(100)
    sizes = [_size(lives)]
    lives.run(300)
    sizes.append(_size(lives))
    assert sizes[1] <= sizes[0] + 2 * 600  # results may grow up to their bound, nothing else


def _size(lives: Lives) -> int:
    total = len(lives.world.wire.flying) + len(lives.world.wire.order)
    for host in lives.world.hosts.values():
        net, processes = host.net, host.processes
        for held in (net.socks, net.ehash, net.tw_hash, net.bhash, net.timers, net.tasks, net.metrics, net.peers,
                     net.mib, net.watched, processes.files, processes.results, processes.fput_later):  # fmt: skip
            total += len(held)
    return total


def test_buckets_are_made_and_die() -> None:
    found = measure(100, 100)
    assert {"life", "tick", "bare_tick", "megabytes", "empty", "calibration"} <= set(found)


def test_figures_are_medians_and_ratios_of_what_was_timed() -> None:
    timings = [Timing(0.5, 100.0), Timing(0.25, 100.0), Timing(0.25, 400.0)]
    rate = per_second("x", "y", "things/s", timings, Goal(0.02, 0.03, True))
    assert (rate.value, rate.ratio, rate.runs) == (4.0, 1 / 50, 3)
    assert rate.reached
    time = in_events("x", "y", timings, Goal(49.0, 10.0, False))
    assert (time.value, time.ratio) == (250_000.0, 50.0)
    assert time.reached is False
    half = compared("x", "y", "things/s", timings, [Timing(0.25, 100.0)] * 3, "that", None)
    assert half.ratio == 0.5 or half.ratio == pytest.approx(0.5)
    assert half.reached is None


def test_a_goal_may_ask_for_the_value_itself() -> None:
    figure = Figure("x", "y", 40.0, "ms", 7.0, "events", Goal(50.0, 20.0, False, True), 1.0, 1)
    assert figure.reached
