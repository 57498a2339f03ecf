"""A question with choices, each of which says why it is right or wrong; the right answer is proven by the code."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from tcpnotes.source import say
from tcpnotes.view import theme
from tcpnotes.widgets import cards


class QuizError(ValueError):
    """A quiz that is not sound: a choice without a reason, or an answer that the code does not bear out."""


class Choice(NamedTuple):
    """One choice: its letter, what it says, whether it is right, and why or why not."""

    letter: str
    text: str
    right: bool
    why: str


class Quiz:
    """A quiz that stands on a page without a kernel, and cannot be wrong.

    ``choices``: what each choice says, and why it is right or wrong.  ``right``: the right one, or all of them.
    ``proof`` ties the answer to a run: True, the right choice or choices themselves, or a function that gives one
    of these.  QuizError when the proof says something else, when a choice has no reason, or ``right`` is no choice.
    """

    def __init__(
        self,
        question: str,
        choices: Mapping[str, str],
        *,
        right: str | Iterable[str],
        proof: Any | Callable[[], Any],
        several: bool | None = None,
    ) -> None:
        answer = (right,) if isinstance(right, str) else tuple(right)
        self.question = question
        _sound(question, choices, answer)
        self.choices = tuple(
            Choice("abcdefghijklmnopqrstuvwxyz"[i], text, text in answer, why)
            for i, (text, why) in enumerate(choices.items())
        )
        self.several = len(answer) > 1 if several is None else several
        self.check_against(proof)

    def check_against(self, proof: Any | Callable[[], Any]) -> None:
        """QuizError unless ``proof`` (see the class) bears the answer out; for cells that run it again."""
        said = proof() if callable(proof) else proof
        if said is True:
            return
        if said is False or said is None:
            raise QuizError(f"The code does not bear out the answer to {self.question!r}: its proof says {said}.")
        proven = {str(said)} if isinstance(said, str | int) else {str(one) for one in said}
        if proven != set(self.answer):
            told, found = _listed(self.answer), _listed(proven)
            raise QuizError(f"The answer to {self.question!r} should be {told}, but the code says {found}.")

    @property
    def answer(self) -> tuple[str, ...]:
        """What is right, in the order of the choices."""
        return tuple(choice.text for choice in self.choices if choice.right)

    def choose(self, *chosen: str) -> str:
        """What the quiz says to choices, given by letter or by their text.  ValueError when there is no such choice."""
        picked = {self._find(one) for one in chosen}
        lines = [self._verdict(picked)]
        lines += [
            f"{choice.letter}. {'✓' if choice.right else '✕'} {choice.why}"
            for choice in self.choices
            if choice in picked
        ]
        return "\n".join(lines)

    def _find(self, wanted: str) -> Choice:
        for choice in self.choices:
            if wanted in (choice.letter, choice.text):
                return choice
        raise ValueError(f"There is no choice {wanted!r}; there are: {', '.join(c.letter for c in self.choices)}.")

    def _verdict(self, picked: set[Choice]) -> str:
        if not picked:
            return say("common.empty")
        if any(not choice.right for choice in picked):
            return say("quiz.mistaken")
        whole = len(picked) == len(self.answer)
        return say("quiz.all_right") if whole else say("quiz.not_all")

    @property
    def solution(self) -> str:
        """Every choice with its reason."""
        return "\n".join(f"{c.letter}. {'✓' if c.right else '✕'} {c.text}: {c.why}" for c in self.choices)

    @property
    def text(self) -> str:
        """Question and choices; the answer is not in it."""
        mark = "[ ]" if self.several else "( )"
        lines = [f"{self.question}  ({say('quiz.several') if self.several else say('quiz.one')})"]
        lines += [f"  {mark} {choice.letter}. {choice.text}" for choice in self.choices]
        return "\n".join(lines)

    @property
    def html(self) -> str:
        """A form; where scripts do not run, the answer folded away below the choices."""
        kind = "checkbox" if self.several else "radio"
        listed = "".join(
            f'<li><label><input type="{kind}" name="choice" value="{i}"> <b>{choice.letter}.</b> '
            f'<span>{theme.text(choice.text)}</span></label><div class="tn-why" hidden></div></li>'
            for i, choice in enumerate(self.choices)
        )
        solution = "".join(
            f"<li>{'✓' if c.right else '✕'} <b>{c.letter}.</b> {theme.text(c.text)}: {theme.text(c.why)}</li>"
            for c in self.choices
        )
        hint = say("quiz.several") if self.several else say("quiz.one")
        inside = (
            f'<form><fieldset><legend class="tn-title">{theme.text(self.question)}</legend>'
            f'<p class="tn-note">{theme.text(hint)}</p><ul class="tn-choices">{listed}</ul></fieldset>'
            f'<div class="tn-do"><button type="submit">{theme.text(say("quiz.answer"))}</button>'
            '<span class="tn-said" role="status" aria-live="polite"></span></div></form>'
            f"<details><summary>{theme.text(say('common.reveal'))}</summary>"
            f'<ul class="tn-choices">{solution}</ul></details>'
        )
        data = {
            "right": [int(choice.right) for choice in self.choices],
            "why": [choice.why for choice in self.choices],
            "words": cards.spoken("quiz.all_right", "quiz.not_all", "quiz.mistaken", "common.empty"),
        }
        return cards.card("quiz", inside, data)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {"text/plain": self.text, "text/html": self.html}

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"Quiz({self.question!r})"


def _sound(question: str, choices: Mapping[str, str], answer: tuple[str, ...]) -> None:
    if not 2 <= len(choices) <= 26:
        raise QuizError(f"A quiz has 2 to 26 choices; {question!r} has {len(choices)}.")
    for text, why in choices.items():
        if not why.strip():
            raise QuizError(f"The choice {text!r} of {question!r} has no reason; say why it is right or wrong.")
    strange = [one for one in answer if one not in choices]
    if strange or not answer:
        problem = _listed(strange) or "there is none"
        raise QuizError(f"The right answer to {question!r} is not among its choices: {problem}.")


def _listed(texts: Iterable[str]) -> str:
    return ", ".join(repr(text) for text in sorted(texts))
