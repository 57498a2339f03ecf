"""A quiz: it cannot be wrong, and it explains itself."""

from __future__ import annotations

from typing import Any

import pytest

from tcpnotes.widgets import Quiz, QuizError, play

CHOICES = {
    "ESTABLISHED": "The state moves when the FIN is queued.",
    "FIN_WAIT1": "Yes: the FIN is queued.",
    "LAST_ACK": "That is for the second to close.",
}
HOSTILE = '</script><img src=x onerror="alert(1)">'


def _quiz(right: Any = "FIN_WAIT1", proof: Any = True, **kw: Any) -> Quiz:
    return Quiz("Where does close lead?", kw.pop("choices", CHOICES), right=right, proof=proof, **kw)


def _state_after_close() -> str:
    told = play("orderly_close")
    return next(record.new for record in told.records if record.kind == "state" and record.old == "ESTABLISHED")


def test_proof__a_run_bears_the_answer_out() -> None:
    assert _quiz(proof=_state_after_close).answer == ("FIN_WAIT1",)
    assert _quiz(proof="FIN_WAIT1").answer == ("FIN_WAIT1",)


@pytest.mark.parametrize("proof", ["LAST_ACK", {"FIN_WAIT1", "LAST_ACK"}, False, None, lambda: False])
def test_proof__a_wrong_answer_fails_when_the_quiz_is_made(proof: Any) -> None:
    with pytest.raises(QuizError, match="Where does close lead"):
        _quiz(proof=proof)


def test_proof__names_both_answers() -> None:
    with pytest.raises(QuizError, match="should be 'LAST_ACK', but the code says 'FIN_WAIT1'"):
        _quiz(right="LAST_ACK", proof=_state_after_close)


def test_choices__each_has_a_reason_and_the_answer_is_one_of_them() -> None:
    with pytest.raises(QuizError, match=r"'LAST_ACK' of .* has no reason"):
        _quiz(choices={**CHOICES, "LAST_ACK": " "})
    with pytest.raises(QuizError, match="not among its choices: 'LISTEN'"):
        _quiz(right="LISTEN")
    with pytest.raises(QuizError, match="2 to 26 choices"):
        _quiz(choices={"FIN_WAIT1": "Yes."})


def test_choose__wrong_answers_are_explained_the_right_one_is_not_given_away() -> None:
    said = _quiz().choose("a")
    assert said == "Not quite.\na. ✕ The state moves when the FIN is queued."
    assert _quiz().choose("FIN_WAIT1") == "Right.\nb. ✓ Yes: the FIN is queued."
    assert _quiz().choose() == "Nothing chosen yet."
    with pytest.raises(ValueError, match="no choice 'z'; there are: a, b, c"):
        _quiz().choose("z")


def test_choose__more_than_one_right() -> None:
    quiz = _quiz(right=("FIN_WAIT1", "LAST_ACK"), proof={"LAST_ACK", "FIN_WAIT1"})
    assert quiz.choose("b").startswith("Something is missing")
    assert quiz.choose("b", "c").startswith("Right.")
    assert quiz.choose("a", "b", "c").startswith("Not quite.")
    assert 'type="checkbox"' in quiz.html and "[ ] a. ESTABLISHED" in quiz.text


def test_text__asks_and_does_not_tell() -> None:
    text = _quiz().text
    assert text.splitlines()[1:] == ["  ( ) a. ESTABLISHED", "  ( ) b. FIN_WAIT1", "  ( ) c. LAST_ACK"]
    assert "Yes" not in text


def test_html__a_form_with_a_legend_and_the_answer_folded_away() -> None:
    html = _quiz().html
    assert html.count('type="radio"') == 3 and "<legend" in html and 'aria-live="polite"' in html
    assert "http" not in html
    assert _quiz()._repr_mimebundle_() == _quiz()._repr_mimebundle_()


def test_html__foreign_text_stays_text() -> None:
    html = Quiz(HOSTILE, {HOSTILE: HOSTILE, "b": "no"}, right=HOSTILE, proof=True).html
    assert "<img" not in html and html.count("</script>") == 2
