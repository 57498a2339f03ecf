"""What a chapter's cells call: runs told from where they get interesting, and things shared by a page."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tcpnotes.scenarios import ScenarioError
from tcpnotes.trace.records import Sent
from tcpnotes.view import TextTrace
from tcpnotes.widgets import Panel, Quiz, closing, play, scene, share, step
from tcpnotes.widgets.assets import Shared


@pytest.fixture
def sharing() -> Iterator[None]:
    share()
    yield
    Shared.sharing = False


def test_play__tells_the_run_without_the_handshake() -> None:
    told = str(play("linger_wait").trace)
    assert "SYN" not in told and "close(3), FIN_WAIT1, sleeps" in told
    assert "SYN,ACK" in str(play("linger_wait", whole=True).trace)


def test_play__hide_and_reveal_are_of_one_object() -> None:
    trace = play("orderly_close").trace
    assert isinstance(trace.hide(), TextTrace) and "?" in str(trace.hide()) and "FIN_WAIT1" not in str(trace.hide())
    assert str(trace.hide().reveal()) == str(trace)


def test_play__a_bad_name_is_one_sentence() -> None:
    with pytest.raises(ScenarioError, match="there is no scenario of that name"):
        play("orderly_clothes")
    with pytest.raises(ValueError, match="There is no profile 'linux-7'"):
        play("orderly_close", profile="linux-7")


def test_between__tells_a_stretch_and_changes_nothing() -> None:
    whole = play("orderly_close")
    part = whole.between(1.95, 2.3, "A closes")
    assert [line.split(" | ")[0].strip() for line in str(part.trace).splitlines()[2:4]] == ["2.000", "2.050"]
    assert "LAST_ACK" not in str(part.trace) and "write" not in str(part.trace)
    assert "2 segments" in part.ladder.description and part.ladder.title == "A closes"
    assert part.records is whole.records


def test_functions__of_a_call() -> None:
    assert play("orderly_close").functions("A")[:2] == ("inet_release", "tcp_close")
    with pytest.raises(ValueError, match="Host B makes no call of shutdown"):
        play("orderly_close").functions("B", "shutdown")


def test_entered__the_functions_of_one_moment_on_one_host() -> None:
    told = play("orderly_close")
    assert told.entered("B", 2.05)[0] == "tcp_v4_rcv" and "tcp_fin" in told.entered("B", 2.05)
    with pytest.raises(ValueError, match=r"Nothing happens on host A at 2\.050 s in orderly_close"):
        told.entered("A", 2.05)


def test_at__how_things_stand_after_what_happens_then() -> None:
    told = play("orderly_close")
    assert not told.at(2.139).host("A").buckets
    assert [tw.substate for tw in told.at(2.14).host("A").buckets] == ["FIN_WAIT2"]
    assert told.at(-1) is told.frames[0] and told.at(1000) is told.frames[-1]


def test_at__a_call_that_has_just_gone_to_sleep() -> None:
    told = play(scene('{ at = 2.0, host = "A", call = "read", fd = 3, args = [100] }', until=2.5))
    assert told.records[-1].kind == "sleep"
    assert [task.call for task in told.at(2.0).host("A").tasks] == ["read"]


def test_step__stops_at_the_items_asked_for_and_at_what_else_happens() -> None:
    stepper = step("close_with_unread_data", "1")
    ids = [key for stop in stepper.stops for key in stepper.story.items[stop]]
    assert list(dict.fromkeys(ids)) == ["1.0", "1.1", "1.1a", "1.1b", "1.6"]
    assert any("RST,ACK reaches B" in line for line in stepper.captions())
    only = step("close_with_unread_data", ["1.1b"], stops="item")
    assert [only.story.items[stop] for stop in only.stops[1:-1]] == [("1.1b",), ("1.1b",)]
    with pytest.raises(ValueError, match=r"There is no item '9\.9'"):
        step("close_with_unread_data", ["9.9"])


@pytest.mark.parametrize(
    ("settings", "flags"),
    [
        ({}, "FIN,ACK"), ({"unread": 1}, "RST,ACK"), ({"linger": 0}, "RST,ACK"), ({"unsent": 50}, "FIN,PSH,ACK"),
        ({"linger": 5}, "FIN,ACK"), ({"unread": 1, "linger": 5, "unsent": 50}, "RST,ACK"),
    ],
)  # fmt: skip
def test_closing__what_a_close_sends(settings: dict[str, int], flags: str) -> None:
    run = closing(**settings)  # type: ignore[arg-type]
    sent = [r for r in run.records if isinstance(r, Sent) and r.host == "A" and r.t == 2_000_000]
    assert [r.seg.flag_names for r in sent] == [flags]


def test_closing__too_much_is_refused() -> None:
    with pytest.raises(ValueError, match="unread takes 0 to 8192 bytes, not 9000"):
        closing(unread=9000)


def test_panel__of_a_telling_stops_at_items() -> None:
    panel = Panel(closing, title="Try it", items="1", unread=10)
    assert any("[1.1b]" in line for line in panel.stepper.captions())
    panel.change(unread=9000)
    assert "0 to 8192" in panel.problem and panel.settings["unread"] == 10


def test_share__what_is_common_is_said_once(sharing: None) -> None:
    stepper = step("linger_zero", "1")
    quiz = Quiz("?", {"a": "yes", "b": "no"}, right="a", proof=True)
    common = Shared()._repr_mimebundle_()["text/html"]
    for html in (stepper.html, quiz.html):
        assert "<style>" not in html and "customElements" not in html
    assert "tcpnotes-stepper" in common and "tcpnotes-quiz" in common and ".tn-stepper" in common
    assert "customElements" in stepper.page(alone=True)
    assert len(stepper.html) < 0.6 * len(stepper.page(alone=True))


def test_scene__a_scenario_of_a_few_steps_checked_like_a_file() -> None:
    told = play(scene('{ at = 2.0, host = "A", call = "close" }', until=2.06, title="A closes"))
    assert told.title == "A closes" and "FIN,ACK arrives, CLOSE_WAIT" in str(told.trace)
    assert told.records[-1].t <= 2_060_000
    with pytest.raises(ScenarioError, match="cloze"):
        scene('{ at = 2.0, host = "A", call = "cloze" }')
