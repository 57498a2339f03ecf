"""The stepper: a run to walk through, alive or on paper.

One object, three forms in one bundle: the text trace (compared by tests), a custom
element that carries frames and logic inside the page (published, saved, on slides),
and, while a kernel lives, a widget whose index Python can read and set.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tcpnotes.source import say
from tcpnotes.trace.frames import Frame
from tcpnotes.view import theme
from tcpnotes.view.ladder import draw
from tcpnotes.view.story import RecorderLike, Story
from tcpnotes.view.text import TextTrace
from tcpnotes.widgets import assets, live
from tcpnotes.widgets.controller import Controller, choose_stops
from tcpnotes.widgets.payload import payload


class Stepper:
    """Step through a recorded run.

    ``recorder`` must have kept frames.  ``items`` says for frame indices which items of
    the source they show, ``item_texts`` what those items say.  ``stops`` is ``"item"``, ``"beat"``,
    ``"event"``, ``"all"`` or a list of frames; ``hosts`` says who stands left and who right;
    what happened before ``since`` or after ``until`` (microseconds) is not told.
    """

    def __init__(
        self,
        recorder: RecorderLike | Iterable[Frame],
        *,
        title: str,
        scenario: str = "run",
        items: Mapping[int, Sequence[str]] | None = None,
        item_texts: Mapping[str, str] | None = None,
        stops: str | Sequence[int] = "item",
        hosts: Sequence[str] | None = None,
        since: int = 0,
        until: int | None = None,
    ) -> None:
        self.title = title
        self.scenario = scenario
        self.story = Story(recorder, items, hosts, since, until)
        if not self.story.frames:
            raise ValueError("A stepper needs frames: attach the recorder with listen(frames=True) and run something.")
        self.stops = choose_stops(self.story, stops)
        self.controller = Controller(len(self.stops))
        self._ladder = draw(self.story, title)
        self.data = payload(
            self.story, self.stops, self._ladder,
            title=title, scenario=scenario, item_texts=item_texts or {},
        )  # fmt: skip
        self._widget: Any | None = None

    # -- where the reader stands ----------------------------------------------------------------------

    @property
    def index(self) -> int:
        """The present step, from 0; setting it moves the widget too."""
        return self.controller.index

    @index.setter
    def index(self, step: int) -> None:
        self._follow(self.controller.goto(step))

    @property
    def frame(self) -> Frame:
        """The frame the reader looks at."""
        return self.story.frames[self.stops[self.index]]

    def first(self) -> int:
        """To the first step."""
        return self._follow(self.controller.first())

    def back(self) -> int:
        """One step back."""
        return self._follow(self.controller.back())

    def forward(self) -> int:
        """One step on."""
        return self._follow(self.controller.forward())

    def last(self) -> int:
        """To the last step."""
        return self._follow(self.controller.last())

    def goto(self, step: int) -> int:
        """To step ``step``, counted from 0."""
        return self._follow(self.controller.goto(step))

    def _follow(self, step: int) -> int:
        if self._widget is not None and self._widget.index != step:
            self._widget.index = step
        return step

    @property
    def link(self) -> str:
        """A name for this very step: ``scenario@n``, counted from 1 as on the page."""
        return f"{self.scenario}@{self.index + 1}"

    # -- its forms --------------------------------------------------------------------------------------

    def captions(self) -> list[str]:
        """One line a step: time, item ids, sentence; the same that the page shows step by step."""
        return [
            f"{say('changes.seconds', time=step['t'])}  {''.join(f'[{key}] ' for key in step.get('i', ()))}{step['c']}"
            for step in self.data["steps"]
        ]

    @property
    def text(self) -> str:
        """The text trace under its title: deterministic, and the same whatever step is shown."""
        head = say("steps.head", title=self.title, scenario=self.scenario, count=len(self.stops))
        return f"{head}\n\n{TextTrace(self.story)}"

    @property
    def html(self) -> str:
        """A custom element with everything inside it; a list of the steps where scripts do not run.

        After `assets.share`, without what the page has already.
        """
        return self.page(alone=not assets.Shared.sharing)

    def page(self, *, alone: bool = True) -> str:
        """The custom element; ``alone`` when nothing else on its page carries script, style and diagram."""
        listed = "".join(f"<li>{theme.text(line)}</li>" for line in self.captions())
        folded = say("steps.as_text", title=self.title, count=len(self.stops))
        image = b64encode(self._ladder.picture.svg.encode()).decode()
        fallback = (
            f'<details class="tn-steps" open><summary>{theme.text(folded)}</summary><ol>{listed}</ol>'
            f"<img alt={theme.attr(self._ladder.picture.description)} "
            f'src="data:image/svg+xml;base64,{image}"></details>'
        )
        known = set() if alone else assets.known()
        data = {key: value for key, value in self.data.items() if key not in known}
        return (
            f'<tcpnotes-stepper class="tn tn-stepper" data-scenario={theme.attr(self.scenario)}>'
            + (f"<style>{assets.style()}</style>" if alone else "") + fallback
            + f'<script type="application/json" class="tn-data">{assets.embedded_json(data)}</script>'
            + "</tcpnotes-stepper>" + (f"<script>{assets.element_script()}</script>" if alone else "")
        )  # fmt: skip

    @property
    def widget(self) -> Any | None:
        """The live widget (made when first asked for), or None without anywidget."""
        if self._widget is None:
            self._widget = live.make_widget(self.data, self.index, self.controller.goto)
        return self._widget

    def show_in(self, widget: Any) -> None:
        """Take the place of another stepper in its widget: what differs is sent, and the page need not begin anew."""
        self._widget = widget
        live.show(widget, self.data, self.index)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        bundle: dict[str, Any] = {"text/plain": self.text, "text/html": self.html}
        if live.kernel_lives() and self.widget is not None:
            bundle[live.VIEW] = live.view_of(self.widget)
        return bundle

    def __repr__(self) -> str:
        return f"Stepper({self.scenario!r}, {len(self.stops)} steps)"
