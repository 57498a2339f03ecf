"""The playground: buttons make moves, the stepper shows them, and without a kernel it can still be read."""

from __future__ import annotations

import json
import re
import sys
from html import escape
from typing import Any

import pytest

from tcpnotes.widgets import Game, Playground
from tcpnotes.widgets.gamewords import told


def _playground(name: str = "orderly_close", words: str = "A: close(3)", **kw: Any) -> Playground:
    playground = Playground(name, **kw)
    playground.goto(next(i for i, line in enumerate(told(playground.game)) if words in line))
    return playground


def _buttons(playground: Playground) -> Any:
    pytest.importorskip("ipywidgets", reason="ipywidgets is not installed")
    assert playground.box is not None
    return playground._panel


def test_stepper__one_step_a_move_at_the_moment_shown() -> None:
    playground = _playground()
    stepper, game = playground.stepper, playground.game
    assert len(stepper.stops) == game.count + 1 and stepper.index == game.at
    assert [step["c"] for step in stepper.data["steps"]] == [f"{line}." for line in told(game)]
    assert playground.stepper is stepper
    playground.act("B.close(4)")
    assert playground.stepper is not stepper and playground.stepper.data["rest"] == " moves=9;B.close(4)"


def test_link__a_playground_for_anyone() -> None:
    playground = _playground(seed=3)
    playground.act("crash(B)")
    playground.run_on()
    there = Playground.from_link(playground.link)
    assert there.text == playground.text and there.html == playground.html
    assert repr(there) == f"Playground({playground.link!r})"


def test_open__a_bad_link_changes_nothing_and_is_told() -> None:
    playground = _playground()
    before = playground.link
    assert playground.open("nonsense").startswith("That cannot be: 'nonsense' is not a link")
    assert playground.link == before
    assert playground.open("simultaneous_close@2") == "" and playground.game.at == 1


def test_text__says_where_we_are_and_how_we_came_there() -> None:
    text = _playground().text
    assert text.splitlines()[2] == "Link to this frame: orderly_close@10"
    assert "now 2.000 s\nA: FIN_WAIT1\nB: ESTABLISHED\non the wire: FIN,ACK seq=17 ack=17 (A → B, 2.050 s)" in text
    assert " 10. A: close(3) → FIN_WAIT1, = 0, sends FIN,ACK seq=17 ack=17" in text


def test_html__works_without_a_kernel_and_says_how_to_act() -> None:
    playground = _playground()
    html = playground.html
    assert '<tcpnotes-stepper start="9" ' in html
    assert "Playground.from_link('orderly_close@10')" in html
    assert "what came after it is dropped" in html
    assert set(playground._repr_mimebundle_()) == {"text/plain", "text/html"}
    assert playground._repr_mimebundle_() == _playground()._repr_mimebundle_()


def test_html__where_scripts_do_not_run_the_list_says_what_was_done() -> None:
    playground = _playground()
    playground.act("crash(B)")
    listed = re.findall(r"<li>\d+\.\d{3} s  (.*?)\.</li>", playground.html)
    assert listed == [escape(line, quote=False) for line in told(playground.game)]


def test_html__foreign_text_stays_text() -> None:
    assert "<img" not in _playground(title="<img src=x>").html.replace('<img alt="', "")


def test_without_ipywidgets__text_and_pictures_still_appear(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    playground = _playground()
    assert playground.box is None
    assert set(playground._repr_mimebundle_()) == {"text/plain", "text/html"}


def test_buttons__every_one_makes_its_move() -> None:
    panel = _buttons(_playground())
    moves = {name: panel.move(name) for name in panel.buttons}
    (wire,) = panel.playground.game.world.wire.flying
    assert moves["lose"] == f"lose({wire})" and moves["delay"] == f"delay({wire},0.2)"
    assert moves["fire"] == "fire(A)" and moves["crash"] == "crash(A)" and moves["next"] == "next"
    assert moves["close"] is None  # A has closed: there is no descriptor
    panel.host.value = "B"
    assert panel.fd.value == 4  # the connection, not the listener
    moves = {name: panel.move(name) for name in panel.buttons}
    assert moves["close"] == "B.close(4)" and moves["write"] == "B.write(4,100)"
    assert moves["lingeroff"] == "B.linger(4,off)" and moves["shutdown"] == "B.shutdown(4,SHUT_WR)"


def test_buttons__a_forged_segment() -> None:
    panel = _buttons(_playground())
    panel.flags.value, panel.seq.value = "RST", "rcv_nxt + 1"
    assert panel.move("inject") == "inject(A,RST,rcv_nxt+1)"
    panel.seq.value = "nonsense"
    panel.buttons["inject"].click()
    assert "is not a sequence number" in panel.said.value
    panel.seq.value = "rcv_nxt"
    panel.buttons["inject"].click()
    assert "inject(A,RST,rcv_nxt)" in panel.link.value
    assert panel.buttons["inject"].disabled  # A has no connection any more
    panel.host.value = "B"
    assert not panel.buttons["inject"].disabled


def test_buttons__what_cannot_be_pressed_is_grey() -> None:
    panel = _buttons(_playground())
    grey = {name for name, button in panel.buttons.items() if button.disabled}
    assert {"close", "write", "undo", "redo", "run_on"} <= grey and not {"lose", "next", "again"} & grey
    panel.buttons["lose"].click()
    assert not panel.buttons["undo"].disabled and panel.segment.disabled


def test_buttons__next_in_the_past_drops_nothing_what_differs_forks() -> None:
    panel = _buttons(_playground())
    game = panel.playground.game
    count, at = game.count, game.at
    panel.buttons["next"].click()
    assert game.count == count and game.at == at + 1
    panel.buttons["crash"].click()
    assert game.count == at + 2 and "You changed the past" in panel.said.value
    panel.buttons["run_on"].click()
    assert game.finished and game.at == at + 2
    panel.buttons["undo"].click()
    panel.buttons["undo"].click()
    assert game.count == count
    panel.buttons["again"].click()
    assert panel.playground.link == "orderly_close@1"


def test_buttons__profile_and_link() -> None:
    panel = _buttons(_playground("data_before_ack_of_fin", "close"))
    panel.profile.value = "linux-2.4.0"
    assert "profile=linux-2.4.0" in panel.link.value
    panel.link.value = "orderly_close@3"
    assert panel.playground.game.scenario.name == "orderly_close" and panel.profile.value == "source"
    panel.link.value = "rubbish"
    assert "is not a link" in panel.said.value and panel.link.value == "orderly_close@3"


def test_live_stepper__follows_and_leads() -> None:
    pytest.importorskip("anywidget", reason="anywidget is not installed")
    panel = _buttons(_playground())
    widget = panel.place.children[0]
    assert widget.index == 9
    widget.index = 4  # as when the reader steps in the page
    assert panel.playground.game.at == 4 and panel.link.value == "orderly_close@5"
    whole = json.loads(widget.data)
    panel.buttons["crash"].click()
    assert widget.index == 5 and json.loads(widget.data) == whole
    kept, new = json.loads(widget.patch)["steps"]
    assert (kept, len(new)) == (5, 1)  # of the run as it was the first steps stay, and one comes after them
    panel.buttons["undo"].click()
    assert widget.patch == "" and panel.playground.stepper.data["steps"] == whole["steps"]


def test_live_stepper__what_is_sent_makes_the_new_run_out_of_the_old() -> None:
    pytest.importorskip("anywidget", reason="anywidget is not installed")
    panel = _buttons(_playground())
    widget = panel.place.children[0]
    for name in ("lose", "run_on", "next", "crash", "again", "next"):
        panel.buttons[name].click()
        shown = _patched(json.loads(widget.data), json.loads(widget.patch or "null"))
        assert _reduced(shown, panel.playground.stepper.data), name
        assert len(widget.patch) <= len(widget.data) // 2


def _patched(old: Any, patch: Any) -> Any:
    """What the page makes of it (see ``data/widget.js``)."""
    if patch is None:
        return old
    if isinstance(old, list):
        return old[: patch[0]] + patch[1]
    if isinstance(old, dict) and isinstance(patch, dict):
        return old | {key: _patched(old[key], value) if key in old else value for key, value in patch.items()}
    return patch


def _reduced(shown: dict[str, Any], wanted: dict[str, Any]) -> bool:
    """The same, but for functions that are not spoken of any more."""
    shown["about"] = {name: shown["about"][name] for name in wanted["about"]}
    return shown == json.loads(json.dumps(wanted))


def test_a_game_may_be_given() -> None:
    assert Playground(Game("half_close")).title == "Break it: A shuts down its sending side only"
