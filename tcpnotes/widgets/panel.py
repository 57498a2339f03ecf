"""The live panel: change a few settings, and the run and its stepper change.

Plain ipywidgets.  How a run is made is the caller's business: the panel is given a
function and calls it with the settings.  On a page without a kernel the first run's
stepper stands there, with the settings it was made with.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tcpnotes.source import say
from tcpnotes.view import theme
from tcpnotes.view.story import RecorderLike
from tcpnotes.widgets import live
from tcpnotes.widgets.chapter import Telling
from tcpnotes.widgets.stepper import Stepper

Run = Callable[..., RecorderLike]


class Panel:
    """A stepper under a row of settings.

    ``run(profile=…, linger=…, unread=…, unsent=…)`` makes a world run and returns its
    recorder, kept with frames; ``linger`` is None when the option is off, else seconds.
    If what it returns has ``items`` (frame index to item ids), the stepper stops there; a `Telling`
    makes its own stepper, for the ``items`` named (as in `Telling.stepper`).  ``most``: bytes that can be asked for.
    """

    def __init__(
        self,
        run: Run,
        *,
        title: str,
        scenario: str = "panel",
        profiles: Sequence[str] = ("source", "linux-2.4.0"),
        stops: str = "item",
        items: str | Sequence[str] | None = None,
        most: int = 65536,
        item_texts: Mapping[str, str] | None = None,
        **settings: Any,
    ) -> None:
        self.run = run
        self.title = title
        self.scenario = scenario
        self.profiles = tuple(profiles)
        self.stops = stops
        self.items = items
        self.most = most
        self.item_texts = item_texts
        self.settings: dict[str, Any] = {"profile": self.profiles[0], "linger": None, "unread": 0, "unsent": 0}
        unknown = sorted(set(settings) - set(self.settings))
        if unknown:
            raise ValueError(f"There is no setting {unknown[0]!r}; there are: {', '.join(self.settings)}.")
        self.settings.update(settings)
        self.problem = ""
        self.stepper = self._make()
        self._box: Any | None = None
        self._live: Any | None = None

    def _make(self) -> Stepper:
        recorder = self.run(**self.settings)
        if isinstance(recorder, Telling):
            return recorder.stepper(self.items, stops=self.stops)
        items = getattr(recorder, "items", None)
        return Stepper(
            recorder, title=self.title, scenario=self.scenario, items=items, item_texts=self.item_texts,
            stops=self.stops,
        )  # fmt: skip

    def change(self, **settings: Any) -> None:
        """Run again with other settings.  A setting that cannot be leaves the old run and says why in `problem`."""
        wanted = {**self.settings, **settings}
        before = self.settings
        self.settings = wanted
        try:
            self.stepper = self._make()
            self.problem = ""
        except ValueError as error:
            self.settings = before
            self.problem = str(error)

    @property
    def words(self) -> str:
        """The settings in words."""
        linger = self.settings["linger"]
        off = say("panel.off") if linger is None else say("changes.seconds", time=linger)
        return say("panel.words", **(self.settings | {"linger": off}))

    @property
    def text(self) -> str:
        """Settings and text trace."""
        return f"{self.words}\n{self.stepper.text}"

    @property
    def html(self) -> str:
        """The twin for pages: the settings as a sentence, the stepper below."""
        note = say("panel.note", settings=self.words)
        return f'<p class="tn-settings">{theme.text(note)}</p>{self.stepper.html}'

    @property
    def box(self) -> Any | None:
        """The widgets, or None without ipywidgets."""
        if self._box is None:
            try:
                import ipywidgets
            except ImportError:
                return None
            self._box = self._build(ipywidgets)
        return self._box

    def _build(self, widgets: Any) -> Any:
        wide = {"description_width": "initial"}

        def number(value: int, most: int, words: str) -> Any:
            return widgets.BoundedIntText(
                value=value, min=0, max=most, description=words, style=wide, continuous_update=False,
                layout={"width": "190px"},
            )  # fmt: skip

        linger = self.settings["linger"]
        self.profile = widgets.Dropdown(
            options=self.profiles, value=self.settings["profile"], description=say("playground.profile_label"),
            style=wide, layout={"width": "220px"},
        )  # fmt: skip
        self.linger = widgets.Checkbox(value=linger is not None, description=say("panel.linger"), indent=False,
                                       layout={"width": "90px"})  # fmt: skip
        self.seconds = number(5 if linger is None else linger, 3600, say("panel.seconds"))
        self.unread = number(self.settings["unread"], self.most, say("panel.unread"))
        self.unsent = number(self.settings["unsent"], self.most, say("panel.unsent"))
        self.seconds.disabled = linger is None
        self.message = widgets.HTML("")
        self.message.add_class("tn-said")
        self.place = widgets.VBox([])
        fields = (self.profile, self.linger, self.seconds, self.unread, self.unsent)
        for field in fields:
            field.observe(self._changed, names="value")
        self._show(widgets)
        row = widgets.HBox(list(fields), layout={"flex_flow": "row wrap"})
        return widgets.VBox([row, self.message, self.place])

    def _changed(self, _change: Any) -> None:
        import ipywidgets

        self.seconds.disabled = not self.linger.value
        self.change(
            profile=self.profile.value,
            linger=self.seconds.value if self.linger.value else None,
            unread=self.unread.value,
            unsent=self.unsent.value,
        )
        self._show(ipywidgets)

    def _show(self, widgets: Any) -> None:
        said = theme.text(self.problem or self.words)
        self.message.value = f'<p style="margin:2px 0">{said}</p>'
        if self._live is None:
            stepper = self.stepper
            self._live = live.make_widget(stepper.data, stepper.index, self._moved)
            if self._live is not None:
                self.place.children = (self._live,)
        if self._live is None:  # without anywidget: an output that holds the custom element
            output = widgets.Output()
            output.append_display_data(self.stepper)
            self.place.children = (output,)
            return
        self.stepper.show_in(self._live)

    def _moved(self, index: int) -> None:
        """The reader has stepped in the page."""
        self.stepper.controller.goto(index)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        bundle: dict[str, Any] = {"text/plain": self.text, "text/html": self.html}
        if live.kernel_lives() and self.box is not None:
            bundle[live.VIEW] = live.view_of(self.box)
        return bundle

    def __repr__(self) -> str:
        return f"Panel({self.words})"
