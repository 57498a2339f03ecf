"""What a live run is told from: trace points, relative numbers, groups; and which scenarios fit."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tcpnotes.live import Comparison, LiveError, NotHere, fit, machine, observe, run
from tcpnotes.live.fitting import end_of, engine_run
from tcpnotes.live.numbers import relative
from tcpnotes.live.tidy import tidy
from tcpnotes.live.tracepoints import joined, traced
from tcpnotes.scenarios import load
from tcpnotes.scenarios import run as run_scenario
from tcpnotes.trace import records as r
from tcpnotes.view.story import Story

# -- trace points -----------------------------------------------------------------------------------------------------

HOSTS = {"198.18.0.2": "A", "198.18.0.3": "B"}
STATE = (
    "  <...>-5753    [000] ..s2. {t}: inet_sock_set_state: family=AF_INET sport={sport} "
    "dport={dport} saddr={saddr} daddr=198.18.0.3 saddrv6=::1 daddrv6=::2 oldstate=TCP_{old} newstate=TCP_{new}"
)
RESET = (
    "  <...>-5753    [000] ..... 103.000000: tcp_send_reset: skbaddr=0 skaddr=0 src=198.18.0.2:2000 dest=198.18.0.3:80 "
    "state=TCP_CLOSE reason=TCP_ABORT_ON_CLOSE"
)


def state(t: float, old: str, new: str, sport: int = 2000, saddr: str = "198.18.0.2") -> str:
    return STATE.format(t=f"{t:.6f}", old=old, new=new, sport=sport, dport=80, saddr=saddr)


LIFE = [
    "# tracer: nop",
    state(100.0, "CLOSE", "SYN_SENT", 0),
    state(100.1, "SYN_SENT", "ESTABLISHED"),
    state(100.2, "ESTABLISHED", "CLOSE", saddr="10.0.0.1"),  # another run's
    state(101.0, "ESTABLISHED", "FIN_WAIT1"),
    state(101.1, "FIN_WAIT1", "FIN_WAIT2"),
    state(101.1, "FIN_WAIT2", "CLOSE"),
]


def test_changes_of_state_are_told_by_socket_from_the_start_on() -> None:
    found, ports = traced(LIFE, 100.0, HOSTS)
    assert [(s.t, s.sk, s.old, s.new) for s in found if isinstance(s, r.StateChange)] == [
        (0, 1, "CLOSE", "SYN_SENT"),
        (100_000, 1, "SYN_SENT", "ESTABLISHED"),
        (1_000_000, 1, "ESTABLISHED", "FIN_WAIT1"),
        (1_100_000, 1, "FIN_WAIT1", "FIN_WAIT2"),
        (1_100_000, 1, "FIN_WAIT2", "CLOSE"),
    ]
    assert ports == {1: ("A", 2000, 80)}


def test_the_reason_of_a_reset_is_a_note() -> None:
    (note,), _ = traced([RESET], 100.0, HOSTS)
    assert note == r.Stimulus(3_000_000, "A", 0, "note", "RESET: abort on close")


def test_a_second_socket_with_the_same_ports_has_a_number_of_its_own() -> None:
    again = [state(110.0, "CLOSE", "SYN_SENT", 0), state(110.1, "SYN_SENT", "ESTABLISHED")]
    found, _ = traced([*LIFE, *again], 100.0, HOSTS)
    assert [s.sk for s in found if isinstance(s, r.StateChange)] == [1, 1, 1, 1, 1, 2, 2]


@pytest.mark.parametrize("when", [1_104_000, 1_099_000])  # the second: it came while we asked
def test_a_bucket_comes_of_the_socket_that_ended_just_before(when: int) -> None:
    states, ports = traced(LIFE, 100.0, HOSTS)
    seen = r.Bucket(when, "A", 0, 1, None, "create", "FIN_WAIT2", 6000, None)
    gone = r.Bucket(61_200_000, "A", 0, 1, None, "kill", "FIN_WAIT2", None, None)
    story = joined(states, ports, [seen, gone], {("A", 1): ("A", 2000, 80)})
    made = next(record for record in story if isinstance(record, r.Bucket))
    assert (made.t, made.of_sk, made.tw) == (1_100_000, 1, 2)
    assert [s.new for s in story if isinstance(s, r.StateChange)][-1] == "FIN_WAIT2"
    assert story[-1] == gone._replace(tw=2)


@pytest.mark.parametrize("line", ["", "x", "1.0: inet_sock_set_state:", RESET.replace(":2000", ":x"), "\x00" * 50])
def test_other_lines_are_passed_over(line: str) -> None:
    assert traced([line], 100.0, HOSTS) == ([], {})


# -- numbers and groups -----------------------------------------------------------------------------------------------


def test_numbers_are_the_same_whatever_the_first_ones_were() -> None:
    one, other = (
        relative(run_scenario("orderly_close", profile="linux-6", seed=seed).recorder.records) for seed in (1, 2)
    )
    assert [x.seg for x in one if isinstance(x, r.Sent)] == [x.seg for x in other if isinstance(x, r.Sent)]
    fins = [x.seg for x in one if isinstance(x, r.Sent) and x.seg.flags & 1]
    assert [(fin.seq, fin.ack_seq) for fin in fins] == [(17, 17), (17, 18)]


def test_what_comes_of_a_call_stands_with_it(comparisons: dict[str, Comparison]) -> None:
    story = Story(tidy(comparisons["linger_zero"].live))
    (beat,) = [beat for beat in story.beats if any(mark.text == "close(3)" for mark in beat.marks)]
    assert [mark.text for mark in beat.marks if mark.kind in ("event", "state", "result")] == ["close(3)", "CLOSE", "0"]
    assert [flight.label for flight in beat.sent] == ["RST,ACK seq=501 ack=1"]


def test_a_live_run_is_told_as_the_engine_tells_its_own(comparisons: dict[str, Comparison]) -> None:
    for name in ("orderly_close", "simultaneous_close", "linger_wait"):
        ours, theirs = (
            [flight.label for flight in Story(records).flights]
            for records in (comparisons[name].engine, tidy(comparisons[name].live))
        )
        assert sorted(ours) == sorted(theirs)


# -- which fit --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "why"),
    [("out_of_memory", "tcp_mem"), ("too_many_orphans", "tcp_max_orphans"), ("short_time_wait", "since 4.12")],
)
def test_what_does_not_fit_says_why(name: str, why: str) -> None:
    assert why in (fit(load(name)).why_not or "")


def test_a_run_ends_after_the_engine_and_late_timers(comparisons: dict[str, Comparison]) -> None:
    done = engine_run(load("orderly_close"))
    last = done.recorder.records[-1].t
    assert last * 1.1 < end_of(done) < last * 1.2
    assert end_of(engine_run(load("linger_zero"))) == 2_000_000  # until


# -- where it cannot be -----------------------------------------------------------------------------------------------


def test_another_system_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(NotHere, match="needs a Linux kernel"):
        machine()


def test_a_missing_library_is_told_with_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(observe, "NEEDS", ("no_such_library",))
    with pytest.raises(LiveError, match=r"pip install 'tcpnotes\[live\]'"):
        run("linger_zero")


@pytest.mark.parametrize(
    ("status", "said", "kind", "sentence"),
    [
        (3, "Network namespaces cannot be made here", "NotHere", "cannot be made here"),
        (2, "f.toml: no", "LiveError", "f.toml: no"),
        (4, "77", "TooBusy", "a step came 77 ms late"),
        (1, "", "LiveError", "it ended with status 1"),
    ],
)
def test_what_keeps_the_worker_from_it_is_told(
    monkeypatch: pytest.MonkeyPatch, status: int, said: str, kind: str, sentence: str
) -> None:
    monkeypatch.setattr(observe, "check", lambda: None)
    monkeypatch.setattr(observe, "_worker", lambda name, end: subprocess.CompletedProcess([], status, "", said))
    with pytest.raises(LiveError) as caught:
        run("linger_zero")
    assert type(caught.value).__name__ == kind
    assert sentence in str(caught.value)
