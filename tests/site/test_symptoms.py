"""Every symptom of the book is seen in a run."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from tcpnotes.widgets import play

BOOK = Path(__file__).resolve().parents[2] / "book"
SYMPTOMS = tomllib.loads((BOOK / "symptoms.toml").read_text(encoding="utf-8"))["symptom"]


@pytest.mark.parametrize("symptom", SYMPTOMS, ids=lambda symptom: symptom["id"])
def test_its_scenario_shows_it_and_its_items(symptom: dict[str, Any]) -> None:
    telling = play(symptom["scenario"])
    assert [words for words in symptom["trace"] if words not in str(telling.trace)] == []
    assert set(symptom["items"]) <= set(telling.shown)


def test_their_names_differ() -> None:
    names = [symptom["id"] for symptom in SYMPTOMS]
    assert len(set(names)) == len(names)
