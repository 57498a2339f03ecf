"""What explain says, in every language: the same keys, the same fields, and the reader's choice is heard."""

from __future__ import annotations

import string
from collections.abc import Iterator
from pathlib import Path

import pytest

from tcpnotes.capture.words import totals, word
from tcpnotes.source import languages, speak
from tcpnotes.source.items import read_toml
from tcpnotes.widgets.captured import explain

DATA = Path(__file__).parent / "data"


@pytest.fixture(autouse=True)
def _english_again() -> Iterator[None]:
    yield
    speak("en")


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("tongue", languages("explain"))
def test_the_same_keys_and_the_same_fields(tongue: str) -> None:
    english, other = (read_toml(f"explain.{name}.toml") for name in ("en", tongue))
    assert {area: set(table) for area, table in other.items()} == {area: set(table) for area, table in english.items()}
    for area, table in other.items():
        for key, text in table.items():
            assert fields(text) == fields(english[area][key]), f"{area}.{key}"
            assert tongue == "en" or text != english[area][key], f"{area}.{key}"


def test_a_capture_is_told_in_the_readers_language() -> None:
    assert "ja" in languages("explain")
    english = explain(DATA / "unread_data.pcapng")
    assert "RST after unread data" in english.text
    speak("ja")
    assert "未読データによる RST" in english.text
    assert totals({"orderly": 2}) == "接続 2 本：通常の終了 2。"
    assert word("phase", "handshake") == "ハンドシェイク"
