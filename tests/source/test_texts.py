"""What the library says, in two languages that cannot drift apart."""

from __future__ import annotations

import string
from collections.abc import Iterator

import pytest

from tcpnotes.source import glossary, item_ids, items, language, languages, say, speak, texts


@pytest.fixture(autouse=True)
def _english_again() -> Iterator[None]:
    yield
    speak("en")


def _fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("tongue", languages("texts"))
def test_texts__the_same_keys_and_the_same_fields(tongue: str) -> None:
    english, other = texts("en"), texts(tongue)
    assert set(other) == set(english)
    for key, text in other.items():
        assert _fields(text) == _fields(english[key]), key


def test_say__speaks_the_chosen_language() -> None:
    assert language() == "en"
    assert say("predict.score", right=2, total=3) == "2 of 3 right"
    speak("ja")
    assert say("predict.score", right=2, total=3) == "3 問中 2 問正解"
    with pytest.raises(ValueError, match="no texts in language 'tlh'; there are: en, ja"):
        speak("tlh")
    assert language() == "ja"


def test_items__every_one_in_japanese_too() -> None:
    assert [entry.id for entry in items("ja")] == list(item_ids())
    for english, japanese in zip(items("en"), items("ja"), strict=True):
        assert japanese.text and japanese.text != english.text
    words = "".join(entry.text for entry in items("ja"))
    assert all(word in words for word in ("切断", "受信キュー", "遅延削除タイマ"))


def test_glossary__what_readers_of_the_source_look_for() -> None:
    words = " ".join(term.word for term in glossary("ja"))
    assert all(word in words for word in ("切断", "受信キュー", "遅延削除タイマ", "バケット", "send_head"))


@pytest.mark.parametrize("tongue", languages("glossary"))
def test_glossary__every_term_in_every_language(tongue: str) -> None:
    assert [term.key for term in glossary(tongue)] == [term.key for term in glossary()]
    for english, other in zip(glossary(), glossary(tongue), strict=True):
        assert other.word and other.meaning[-1] in ".。", other.key
        assert tongue == "en" or other.meaning != english.meaning, other.key
