"""The scenarios that come with the library: each runs under every profile, the same each time, and comes to an end."""

from __future__ import annotations

import pytest
from story import Steps

from tcpnotes.kernel.profile import PROFILES
from tcpnotes.scenarios import Run, ScenarioError, load, run, scenario_names
from tcpnotes.source import item_ids
from tcpnotes.trace.records import Bucket, Sent, StateChange


def states(done: Run, host: str) -> Steps:
    return Steps(" ".join(r.new for r in done.recorder.records if isinstance(r, StateChange) and r.host == host))


def buckets(done: Run, host: str) -> Steps:
    found = (r for r in done.recorder.records if isinstance(r, Bucket) and r.host == host)
    return Steps(" ".join(r.substate if r.op in ("create", "substate") else r.op for r in found
                          if r.op in ("create", "substate", "kill", "overflow") and r.substate))  # fmt: skip


NOT_THERE = {("short_time_wait", "linux-6")}  # it sets tcp_tw_recycle, which is gone since 4.12
RUNS = [(name, profile) for name in scenario_names() for profile in PROFILES if (name, profile) not in NOT_THERE]


@pytest.mark.parametrize(("name", "profile"), RUNS)
def test_every_scenario_runs__the_same_each_time(name: str, profile: str) -> None:
    first, second = run(name, profile=profile), run(name, profile=profile, frames=True)
    assert first.recorder.records == second.recorder.records
    assert first.world.digest() == second.world.digest()
    assert len(second.recorder.frames) == len(second.recorder.records)


@pytest.mark.parametrize(("name", "profile"), sorted(NOT_THERE))
def test_a_sysctl_that_the_profile_has_not__is_told(name: str, profile: str) -> None:
    with pytest.raises(
        ScenarioError, match=r"sysctl\.A\.tcp_tw_recycle: not under the profile linux-6: There is no sysctl"
    ):
        run(name, profile=profile)


@pytest.mark.parametrize("name", scenario_names())
def test_another_seed__other_numbers_the_same_story(name: str) -> None:
    one, other = run(name, seed=1), run(name, seed=2)
    assert [(r.t, r.kind, r.host) for r in one.recorder.records] == [
        (r.t, r.kind, r.host) for r in other.recorder.records
    ]
    assert [r.seg.seq for r in one.recorder.records if isinstance(r, Sent)] != [
        r.seg.seq for r in other.recorder.records if isinstance(r, Sent)
    ]


@pytest.mark.parametrize("name", scenario_names())
def test_every_scenario_says_what_it_is_about(name: str) -> None:
    scenario = load(name)
    assert scenario.title and scenario.about
    assert set(scenario.shows) <= set(item_ids())


def test_every_item_is_shown_by_some_scenario() -> None:
    assert {id for name in scenario_names() for id in load(name).shows} == set(item_ids())


@pytest.mark.parametrize(
    ("name", "a", "b"),
    [
        ("orderly_close", "FIN_WAIT1 FIN_WAIT2 CLOSE", "CLOSE_WAIT LAST_ACK CLOSE"),
        ("simultaneous_close", "FIN_WAIT1 CLOSING CLOSE", "FIN_WAIT1 CLOSING CLOSE"),
        ("close_with_unread_data", "CLOSE", "CLOSE"),
        ("linger_zero", "CLOSE", "CLOSE"),
        ("half_close", "FIN_WAIT1 FIN_WAIT2 CLOSE", "CLOSE_WAIT LAST_ACK CLOSE"),
    ],
)  # fmt: skip
def test_states(name: str, a: str, b: str) -> None:
    for profile in PROFILES:
        done = run(name, profile=profile)
        assert states(done, "A") == f"SYN_SENT ESTABLISHED {a}"
        assert states(done, "B") == f"LISTEN ESTABLISHED {b}"


def test_data_before_ack_of_fin__the_profiles_part() -> None:
    source, released = (run("data_before_ack_of_fin", profile=name) for name in ("source", "linux-2.4.0"))
    assert "FIN_WAIT2" in states(source, "A")
    assert "FIN_WAIT2" not in states(released, "A")
    assert any(r.seg.flags & 0x04 for r in released.recorder.records if isinstance(r, Sent) and r.host == "A")


def test_last_ack_lost__the_bucket_acks_twice() -> None:
    done = run("last_ack_lost")
    assert buckets(done, "A").split()[:2] == ["FIN_WAIT2", "TIME_WAIT"]
    acks = [r for r in done.recorder.records if isinstance(r, Sent) and r.host == "A" and r.fn == "tcp_v4_send_ack"]
    assert len(acks) == 2


def test_unknown_scenario__names_those_that_exist() -> None:
    with pytest.raises(
        ScenarioError, match=r"orderly_clos.*there is no scenario of that name; there are: .*orderly_close"
    ):
        load("orderly_clos")


def test_unknown_profile() -> None:
    with pytest.raises(ValueError, match=r"There is no profile 'linux-2.6'; choose one of: source, linux-2.4.0"):
        run("orderly_close", profile="linux-2.6")
