"""Predict, then run: a trace with question marks that the reader may fill in, and the same trace filled in."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from tcpnotes.source import say
from tcpnotes.view import theme
from tcpnotes.view.questions import KINDS, NOTHING, Cell, Question, as_text, questions
from tcpnotes.view.story import Story
from tcpnotes.view.text import TextTrace
from tcpnotes.widgets import cards


class Predict:
    """A hidden trace: text with ``?1``, ``?2`` …, on a page a form with a choice for each.

    ``source`` is a text trace, anything else with a ``story``, or a recorder.  ``kinds`` says what is
    asked: ``"state"`` (what becomes of a socket), ``"result"`` (what a call returns), ``"reply"`` (what is sent in
    answer), ``"arrival"`` (what an answer that arrives is), and only when wanted ``"sent"`` (what a call or a timer
    sends); the rest stands there filled in.
    `reveal` gives the trace filled in, `fill` marks answers without a page.
    """

    def __init__(self, source: Any, *, kinds: Collection[str] = KINDS, title: str | None = None) -> None:
        story = getattr(source, "story", None)
        self.story: Story = story if isinstance(story, Story) else Story(source)
        self.title = title or say("predict.title")
        self.rows, self.questions = questions(self.story, kinds)
        if not self.questions:
            raise ValueError("There is nothing to predict: the trace has none of the kinds " + ", ".join(kinds) + ".")

    def reveal(self) -> TextTrace:
        """The trace filled in."""
        return TextTrace(self.story)

    def hide(self) -> Predict:
        """The trace with its question marks again: this very object."""
        return self

    def fill(self, answers: Mapping[int, str]) -> str:
        """Mark answers by number, in words.  ValueError for a number that no question has."""
        known = {question.number: question for question in self.questions}
        lines = []
        right = 0
        for number in sorted(answers):
            if number not in known:
                raise ValueError(f"There is no question {number}; they are numbered 1 to {len(known)}.")
            question = known[number]
            good = answers[number].strip() == (question.answer or say("predict.nothing"))
            right += good
            verdict = say("common.right") if good else say("common.wrong")
            lines.append(f"?{number} {'✓' if good else '✕'} {question.label}: {verdict}")
        lines.append(say("predict.score", right=right, total=len(known)))
        return "\n".join(lines)

    @property
    def text(self) -> str:
        """Title and hidden trace."""
        return f"{self.title}\n\n{as_text(self.story, self.rows)}"

    @property
    def html(self) -> str:
        """The form; where scripts do not run, the hidden trace with the answers folded away below it."""
        names = [*self.story.hosts, "", ""][:2]
        left, right = (say("stepper.host", name=name) if name else "" for name in names)
        heads = (say("trace.time"), left, say("trace.wire"), right)
        head = "".join(f'<th scope="col">{theme.text(name)}</th>' for name in heads)
        body = "".join(
            f'<tr><th scope="row">{row.time}</th>'
            + "".join(
                f'<td class="{css}">{_lines(cells)}</td>' for css, cells in zip(("A", "W", "B"), row.cells, strict=True)
            )
            + "</tr>"
            for row in self.rows
        )
        inside = (
            f'<p class="tn-title">{theme.text(self.title)}</p><p class="tn-note">{theme.text(say("predict.ask"))}</p>'
            f'<div class="tn-wide" tabindex="0" role="region" aria-label={theme.attr(self.title)}>'
            f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
            f'<div class="tn-do"><button type="button" data-do="check">{theme.text(say("common.check"))}</button>'
            f'<button type="button" data-do="reveal" aria-pressed="false">{theme.text(say("common.reveal"))}</button>'
            '<span class="tn-said" role="status" aria-live="polite"></span></div>'
            f"<details><summary>{theme.text(say('predict.answers'))}</summary>"
            f"<pre>{theme.text(self.reveal())}</pre></details>"
        )
        data = {
            "answers": [question.choices.index(question.answer) for question in self.questions],
            "words": cards.spoken(
                "predict.score", "predict.open", "common.reveal", "common.hide", "common.right", "common.wrong"
            ),
        }
        return cards.card("predict", inside, data)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {"text/plain": self.text, "text/html": self.html}

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"Predict({len(self.questions)} questions)"


def _lines(cells: tuple[Cell, ...]) -> str:
    return "".join(
        f"<div>{theme.text(before)}{_field(question) if question else ''}{theme.text(behind)}</div>"
        for before, question, behind in cells
    )


def _field(question: Question) -> str:
    options = "".join(
        f'<option value="{i}">{theme.text(choice if choice != NOTHING else say("predict.nothing"))}</option>'
        for i, choice in enumerate(question.choices)
    )
    label = theme.attr(f"{question.number}: {question.label}")
    return (
        f'<span class="tn-q1"><select aria-label={label}><option value="">?{question.number}</option>{options}'
        '</select><b aria-hidden="true"></b></span>'
    )


def predict(source: Any, *, kinds: Collection[str] = KINDS, title: str | None = None) -> Predict:
    """A trace to fill in; see `Predict`.  ``predict(play("half_close"), kinds=("state",))``."""
    return Predict(source, kinds=kinds, title=title)
