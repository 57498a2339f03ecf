"""In Japanese all that stepper, playground and panel say is Japanese; what the kernel calls its things is not."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tcpnotes.scenarios import scenario_names
from tcpnotes.source import speak, texts
from tcpnotes.widgets import Panel, Playground, closing, play
from tcpnotes.widgets.assets import Shared

_FIELD = re.compile(r"\{[^}]*\}")


@pytest.fixture(autouse=True)
def japanese() -> Iterator[None]:
    speak("ja")
    yield
    speak("en")


def english_in(text: str) -> set[str]:
    """English words of the library's own that stand in ``text``: whole phrases, of two words and more."""
    found = set()
    japanese = texts("ja")
    for key, phrase in texts("en").items():
        if phrase == japanese[key] or key.partition(".")[0] in ("check", "quiz"):  # these say nothing here
            continue
        for part in _FIELD.split(phrase):
            piece = part.strip(" .:;,()")
            if re.search(r"[a-z]{3,} [a-z]{2,}", piece) and piece in text:
                found.add(piece)
    return found


def own(data: dict[str, Any]) -> str:
    """What a stepper says itself: not what the engine's functions say about themselves, nor the scenario's title."""
    kept = {key: value for key, value in data.items() if key not in ("about", "title", "scenario", "items")}
    kept["ladder"] = {key: value for key, value in data["ladder"].items() if key != "title"}
    return json.dumps(kept, ensure_ascii=False)


@pytest.mark.parametrize("name", scenario_names())
def test_stepper__says_nothing_in_english(name: str) -> None:
    stepper = play(name).stepper(stops="event")
    assert english_in(own(stepper.data)) == set()
    assert english_in(stepper.text.split("\n", 1)[1]) == set()
    assert "時刻" in stepper.text and all("。" in step["c"] for step in stepper.data["steps"])


def test_english_would_be_noticed() -> None:
    speak("en")
    assert {"Hide what comes", "moves the socket from", "slow wheel"} <= english_in(
        own(play("orderly_close").stepper(stops="event").data)
    )


def test_items__stand_there_in_japanese() -> None:
    assert all(re.search("[ぁ-ん]", text) for text in play("orderly_close").stepper("1").data["items"].values())


def test_playground__what_was_done_how_things_stand_and_the_buttons() -> None:
    playground = Playground("last_ack_lost")
    playground.goto(4)
    for move in ("skip", "delay(3,0.2)", "inject(B,RST,rcv_nxt+100000)", "crash(A)", "A.close(3)"):
        playground.act(move)
    playground.goto(5)
    assert english_in(playground.text) == english_in(playground.html.partition("<details")[0]) == set()
    assert "バケット" in Playground("orderly_close").text
    pytest.importorskip("ipywidgets", reason="ipywidgets is not installed")
    assert playground.box is not None
    panel: Any = playground._panel
    said = [button.description for button in panel.buttons.values()] + [panel.segment.description, panel.said.value]
    assert english_in("\n".join(said)) == set() and "元に戻す" in said


def test_panel__its_settings_too() -> None:
    panel = Panel(closing, title="何が変わるか", unread=100)
    assert panel.words == "プロファイル source、linger なし、未読 100 バイト、未送信 0 バイト"
    assert english_in(panel.html.partition("<tcpnotes-stepper")[0]) == set()


def test_shared_words__a_page_in_another_language_brings_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Shared, "sharing", True)
    assert "この先を隠す" in play("half_close").stepper().html
    speak("en")
    assert "Hide what comes" not in play("half_close").stepper().html  # the page has these words already
