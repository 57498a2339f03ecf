"""A prediction: the question marks of the hidden trace, each with its choices, and the same trace filled in."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import pytest

from tcpnotes.scenarios import scenario_names
from tcpnotes.source import speak
from tcpnotes.view.questions import ALL, KINDS
from tcpnotes.widgets import Telling, play, predict


@pytest.mark.parametrize("scenario", scenario_names())
def test_questions__one_for_each_question_mark_of_the_hidden_trace(scenario: str) -> None:
    told = play(scenario)
    asked = predict(told)
    assert len(asked.questions) == str(told.trace.hide()).count("?")
    assert [int(number) for number in re.findall(r"\?(\d+)", asked.text)] == [
        question.number for question in asked.questions
    ]
    for question in asked.questions:
        assert question.answer in question.choices and 2 <= len(question.choices) <= 9
        assert len(set(question.choices)) == len(question.choices)


def test_reveal__the_very_same_trace_filled_in() -> None:
    told = play("half_close")
    asked = predict(told)
    assert str(asked.reveal()) == str(told.trace)
    assert asked.hide() is asked and "FIN_WAIT1" not in asked.text


def test_kinds__what_is_not_asked_stands_there() -> None:
    asked = predict(play("orderly_close"), kinds=("state",))
    assert {question.kind for question in asked.questions} == {"state"}
    assert "close(3) = 0" in asked.text and "<-- ACK seq=17 ack=18" in asked.text
    assert "FIN_WAIT1" not in asked.text
    with pytest.raises(ValueError, match=f"no kind of question 'colour'; there are: {', '.join(ALL)}"):
        predict(play("orderly_close"), kinds=("colour",))


def test_kinds__a_timer_is_asked_about_only_where_it_changes_something() -> None:
    asked = predict(play("fin_wakes_sleepers"), kinds=("state",))
    assert "2.060 |" in asked.text and "delayed-ACK timer" in asked.text
    assert 2_060_000 not in {question.t for question in asked.questions}
    ended = predict(play("orderly_close"), kinds=("state",)).questions[-1]
    assert ended.answer == "bucket gone" and ended.t > 60_000_000


def test_kinds__what_a_call_sends_is_hidden_when_asked_for() -> None:
    told = play("orderly_close")
    assert {question.kind for question in predict(told).questions} == set(KINDS)
    asked = predict(told, kinds=("sent",))
    sent = [flight.label for flight in told.story.flights if story_tells(told, flight.t) and not flight.answer]
    assert [question.answer for question in asked.questions] == sent and "FIN,ACK seq=17 ack=17" in sent
    assert not any(label in asked.text for label in sent)
    assert "FIN,ACK arrives" not in asked.text and "a segment arrives" in asked.text  # nor where it comes to
    assert all(len(question.choices) >= 3 for question in asked.questions)
    both = predict(told, kinds=("sent", "arrival"))
    assert "FIN,ACK arrives" not in both.text and {question.kind for question in both.questions} == {"sent", "arrival"}


def story_tells(told: Telling, t: int) -> bool:
    return t >= told.story.since


def test_fill__marks_without_saying_what_is_right() -> None:
    asked = predict(play("orderly_close"), kinds=("state",))
    number = next(question.number for question in asked.questions if question.answer == "FIN_WAIT1")
    right, wrong = asked.fill({number: "FIN_WAIT1"}), asked.fill({number: "CLOSING"})
    assert "✓" in right and right.endswith(f"1 of {len(asked.questions)} right")
    assert "✕" in wrong and "FIN_WAIT1" not in wrong
    quiet = next(question.number for question in asked.questions if question.answer == "")
    assert "✓" in asked.fill({quiet: "no change"})
    with pytest.raises(ValueError, match=r"no question 99; they are numbered 1 to"):
        asked.fill({99: "x"})


class _Form(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.selects: list[list[str]] = []
        self.labels: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "select":
            self.selects.append([])
            self.labels.append(dict(attrs)["aria-label"] or "")
        if tag == "option":
            self.selects[-1].append(dict(attrs)["value"] or "")


def test_html__a_labelled_choice_for_each_question_and_the_answers_folded_away() -> None:
    asked = predict(play("simultaneous_close"))
    form = _Form()
    form.feed(asked.html)
    assert len(form.selects) == len(asked.questions) and all(form.labels)
    found = re.search(r'class="tn-data">(.*?)</script>', asked.html, re.DOTALL)
    assert found is not None
    answers = json.loads(found[1])["answers"]
    for question, answer in zip(asked.questions, answers, strict=True):
        assert question.choices[answer] == question.answer
    assert "<details><summary>" in asked.html and "http" not in asked.html


def test_bundle__deterministic_and_plain() -> None:
    first, second = (predict(play("half_close"))._repr_mimebundle_() for _ in range(2))
    assert first == second and set(first) == {"text/plain", "text/html"}
    assert re.fullmatch(r"Predict\(\d+ questions\)", repr(predict(play("half_close"))))


def test_language__the_form_speaks_japanese() -> None:
    speak("ja")
    try:
        html = predict(play("half_close")).html
    finally:
        speak("en")
    assert 'lang="ja"' in html and "確かめる" in html and "Check" not in html
