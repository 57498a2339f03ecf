"""Break it: a game on a scenario; everything that can be done now, and below it a stepper that shows what came of it.

`Playground` holds a `Game`, which knows nothing of widgets.  While a kernel lives, buttons make its moves and
the stepper shows what came of them; on a page without one, the same steps can be walked through, and a sentence
says how to act.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tcpnotes.kernel.profile import PROFILES
from tcpnotes.scenarios.loader import Scenario
from tcpnotes.source import say
from tcpnotes.view import theme
from tcpnotes.view.story import clock
from tcpnotes.view.text import TextTrace
from tcpnotes.widgets import cards, live
from tcpnotes.widgets.game import DELAY, Game
from tcpnotes.widgets.gamewords import segment_words, status, told
from tcpnotes.widgets.stepper import Stepper

FORGED = ("RST", "RST+ACK", "SYN", "FIN+ACK", "ACK", "SYN+ACK")
KEPT = 8  # futures to which undoing comes back without drawing them again


class Playground:
    """Play with a scenario.  ``profile`` and ``seed`` as for a run; `from_link` opens what somebody else has found.

    `act` makes a move (see `moves`), `game` knows the rest.  ScenarioError for a bad scenario, ValueError for an
    unknown profile.
    """

    def __init__(
        self,
        scenario: str | Path | Scenario | Game = "orderly_close",
        *,
        profile: str = "source",
        seed: int = 0,
        title: str | None = None,
    ) -> None:
        self.game = scenario if isinstance(scenario, Game) else Game(scenario, profile=profile, seed=seed)
        self._title = title
        self._made: list[tuple[object, Stepper]] = []  # the steppers made last, by the records they show
        self._box: Any | None = None
        self._panel: Any | None = None

    @classmethod
    def from_link(cls, link: str, *, title: str | None = None) -> Playground:
        """The playground that a link leads to, at its step.  ValueError for a text that is no link."""
        return cls(Game.from_link(link), title=title)

    @property
    def title(self) -> str:
        """Its heading."""
        return self._title or say("playground.titled", title=self.game.scenario.title)

    # -- what can be done -------------------------------------------------------------------------------------

    def act(self, move: str) -> str:
        """Make a move at the moment shown; what came of it, in words.  ValueError for a text that is no move."""
        said = self.game.act(move)
        self.refresh()
        return said

    def run_on(self) -> int:
        """Let scenario and time run to the end, and stay where we are; how many moves that took."""
        done = self.game.run_on()
        self.refresh()
        return done

    def goto(self, step: int) -> int:
        """Show the moment after ``step`` moves."""
        at = self.game.goto(step)
        self.refresh()
        return at

    def open(self, link: str) -> str:
        """Go where a link leads; an empty text, or a sentence about what is wrong with it."""
        try:
            found = Game.from_link(link)
        except ValueError as error:
            self.game.message = say("playground.cannot", why=str(error))
            self.refresh()
            return self.game.message
        self.game = found
        self.refresh()
        return ""

    @property
    def link(self) -> str:
        """A line that brings anyone to this very frame."""
        return self.game.link

    def refresh(self) -> None:
        """Show the game as it stands, where widgets show it."""
        if self._panel is not None:
            self._panel.refresh()

    # -- what is shown ------------------------------------------------------------------------------------------

    @property
    def stepper(self) -> Stepper:
        """The run with all its moves, one step a move, at the moment shown."""
        game = self.game
        made = next((stepper for records, stepper in self._made if records is game.records), None)
        if made is None:
            made = Stepper(
                game, title=self.title, scenario=game.scenario.name, stops=game.stops, since=game.since
            )  # fmt: skip
            for step, line, now in zip(made.data["steps"], told(game), game.times, strict=True):
                step["c"], step["t"] = say("caption.one", effect=line), clock(now)
            made.data["rest"] = game.link.removeprefix(game.link.split(" ", 1)[0])
            self._made = [*self._made[1 - KEPT :], (game.records, made)]
        made.controller.goto(game.at)
        return made

    @property
    def words(self) -> list[str]:
        """The moment in lines, and a warning when it lies in the past."""
        game = self.game
        lines = status(game)
        if game.in_the_past:
            lines.append(say("playground.past", step=game.at + 1, count=game.count + 1))
        return lines

    @property
    def text(self) -> str:
        """Title, link, moment, what was done, and the trace: the same whenever the same moves were made."""
        done = [f"{i:3}. {line}" for i, line in enumerate(told(self.game), 1)]
        parts = [
            self.title,
            f"{say('playground.link')}: {self.link}",
            "\n".join(status(self.game)),
            "\n".join([say("playground.story"), *done]),
            str(TextTrace(self.game.story)),
        ]
        return "\n\n".join(parts)

    @property
    def html(self) -> str:
        """The twin for pages: the stepper at this moment, how things stand, and how to act."""
        page = self.stepper.html.replace("<tcpnotes-stepper ", f'<tcpnotes-stepper start="{self.game.at}" ', 1)
        lines = "".join(f"<li>{theme.text(line)}</li>" for line in self.words)
        notes = (
            say("playground.static", scenario=self.game.scenario.name),
            say("playground.resume", link=self.link),
        )
        below = f'<ul class="tn-choices">{lines}</ul>' + "".join(f"<p>{theme.text(note)}</p>" for note in notes)
        return page + cards.box("tn-play", below)

    @property
    def box(self) -> Any | None:
        """The widgets, or None without ipywidgets."""
        if self._box is None:
            try:
                import ipywidgets
            except ImportError:
                return None
            self._panel = Buttons(self, ipywidgets)
            self._box = self._panel.box
        return self._box

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        bundle: dict[str, Any] = {"text/plain": self.text, "text/html": self.html}
        if live.kernel_lives() and self.box is not None:
            bundle[live.VIEW] = live.view_of(self.box)
        return bundle

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"Playground({self.link!r})"


class Buttons:
    """The widgets of a playground: a row for time, one for a segment, one for a host, one for the whole."""

    def __init__(self, playground: Playground, widgets: Any) -> None:
        self.playground = playground
        self._widgets = widgets
        self._busy = False
        self._live: Any | None = None
        self.buttons: dict[str, Any] = {}
        self.said = widgets.HTML("")
        self.place = widgets.VBox([])
        wide = {"description_width": "initial"}
        self.segment = widgets.Dropdown(
            options=[("", "")], description=say("playground.segment"), style=wide, layout={"width": "min(420px, 95%)"}
        )
        names = list(playground.game.world.hosts)
        self.host = widgets.ToggleButtons(
            options=names,
            tooltips=[f"{say('playground.host_label')} {name}" for name in names],
            style={"button_width": "44px"},
            layout={"width": "max-content"},
        )
        self.fd = widgets.Dropdown(
            options=[("–", -1)], description=say("playground.fd_label"), style=wide, layout={"width": "90px"}
        )
        self.bytes = widgets.BoundedIntText(
            value=100, min=1, max=1_000_000, description=say("playground.bytes_label"), style=wide,
            layout={"width": "150px"},
        )  # fmt: skip
        self.flags = widgets.Dropdown(
            options=[(flags.replace("+", ","), flags) for flags in FORGED], description=say("playground.flags_label"),
            style=wide, layout={"width": "150px"},
        )  # fmt: skip
        self.seq = widgets.Combobox(
            value="rcv_nxt", options=["rcv_nxt", "rcv_nxt+1", "rcv_nxt-1", "rcv_nxt+100000"], description="seq",
            style=wide, tooltip=say("playground.seq_hint"), layout={"width": "170px"},
        )  # fmt: skip
        self.profile = widgets.Dropdown(
            options=list(PROFILES), value=playground.game.profile, description=say("playground.profile_label"),
            style=wide, layout={"width": "230px"},
        )  # fmt: skip
        self.link = widgets.Text(
            value=playground.link, description=say("playground.link_label"), style=wide, continuous_update=False,
            tooltip=say("playground.link_hint"), layout={"width": "min(640px, 98%)"},
        )  # fmt: skip
        rows = [
            self._row(*(self._button(name) for name in ("next", "run_on", "skip", "undo", "redo", "again"))),
            self._row(self.segment, *(self._button(name) for name in ("lose", "double", "delay", "arrive"))),
            self._row(
                widgets.Label(say("playground.host_label")), self.host, self.fd,
                *(self._button(name) for name in ("close", "shutdown")),
                self.bytes, *(self._button(name) for name in ("write", "read")),
            ),
            self._row(*(self._button(name) for name in ("linger0", "linger5", "lingeroff", "fire", "crash"))),
            self._row(self.flags, self.seq, self._button("inject")),
            self._row(self.profile, self.link),
        ]  # fmt: skip
        # Above the stepper, so that what a button does is seen right below it.
        self.box = widgets.VBox([*rows, self.said, self.place])
        self.host.observe(lambda _: self.refresh(), names="value")
        self.fd.observe(lambda _: self.refresh(), names="value")
        self.profile.observe(self._switched, names="value")
        self.link.observe(self._linked, names="value")
        self.refresh()

    def _row(self, *children: Any) -> Any:
        return self._widgets.HBox(list(children), layout={"flex_flow": "row wrap", "align_items": "center"})

    def _button(self, name: str) -> Any:
        words = say(f"playground.do_{name}", time=f"{DELAY:g}")
        button = self._widgets.Button(description=words, tooltip=words, layout={"width": "auto"})
        if name == "next":
            button.button_style = "primary"
        button.on_click(lambda _: self.press(name))
        self.buttons[name] = button
        return button

    def move(self, name: str) -> str | None:
        """The move that a button makes now; None for one that makes no move, or cannot be pressed."""
        host, fd, wire = self.host.value, self.fd.value, self.segment.value
        made = {
            "next": "next", "skip": "skip", "fire": f"fire({host})", "crash": f"crash({host})",
            "close": f"{host}.close({fd})", "shutdown": f"{host}.shutdown({fd},SHUT_WR)",
            "write": f"{host}.write({fd},{self.bytes.value})", "read": f"{host}.read({fd},{self.bytes.value})",
            "linger0": f"{host}.linger({fd},0)", "linger5": f"{host}.linger({fd},5)",
            "lingeroff": f"{host}.linger({fd},off)", "lose": f"lose({wire})", "double": f"double({wire})",
            "delay": f"delay({wire},{DELAY:g})", "arrive": f"arrive({wire})",
            "inject": f"inject({host},{self.flags.value},{''.join(self.seq.value.split())})",
        }.get(name)  # fmt: skip
        if made is None or "(-1" in made or "()" in made or "(," in made:
            return None
        net = self.playground.game.world.hosts[host].net
        if name == "inject" and not (net.ehash or net.tw_hash):
            return None  # nothing that its numbers could be counted from
        if name in ("next", "skip", "fire") and made not in self.playground.game.choices():
            return None
        return made

    def press(self, name: str) -> None:
        """What a button does."""
        game = self.playground.game
        if name == "run_on":
            game.run_on()
        elif name == "undo":
            game.undo()
        elif name == "redo":
            game.redo()
        elif name == "again":
            self.playground.game = Game(game.scenario, profile=game.profile, seed=game.seed)
        elif (made := self.move(name)) is not None:
            if name == "next" and game.in_the_past and game.moves[game.at].text == "next":
                game.forward()  # it has happened already: nothing is dropped
            else:
                try:
                    game.act(made)
                except ValueError as error:  # a number that cannot be read
                    game.message = say("playground.cannot", why=str(error))
        self.refresh()

    def _switched(self, change: Any) -> None:
        if not self._busy and change["new"] != self.playground.game.profile:
            self.playground.game.switch(change["new"])
            self.refresh()

    def _linked(self, change: Any) -> None:
        if not self._busy and change["new"].strip() != self.playground.link:
            self.playground.open(change["new"])

    def _moved(self, index: int) -> None:
        """The reader has stepped in the stepper."""
        if not self._busy and index != self.playground.game.at:
            self.playground.game.goto(index)
            self.refresh()

    # -- showing -----------------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Bring every widget in line with the game."""
        if self._busy:
            return
        self._busy = True
        try:
            self._show()
        finally:
            self._busy = False

    def _show(self) -> None:
        game = self.playground.game
        world = game.world
        self._show_stepper()
        on_wire = [
            (f"#{wire} {segment_words(game.story, wire, flight.seg)}, {flight.src} → {flight.dst}", str(wire))
            for wire, flight in world.wire.flying.items()
        ]
        self._options(self.segment, on_wire or [(say("playground.none"), "")])
        host = world.hosts[self.host.value]
        files = sorted(host.processes.files)
        connected = [fd for fd in files if host.net.socks[host.processes.files[fd].sk].dport]
        self._options(self.fd, [(str(fd), fd) for fd in files] or [("–", -1)], prefer=(connected or files or [-1])[-1])
        self.segment.disabled = not on_wire
        self.profile.value = game.profile
        self.link.value = game.link
        for name, button in self.buttons.items():
            button.disabled = self._useless(name)
        message = f"<b>{theme.text(game.message)}</b><br>" if game.message else ""
        lines = " · ".join(theme.text(line) for line in status(game))
        past = "<br>".join(theme.text(line) for line in self.playground.words[len(status(game)) :])
        look = "line-height:1.45;white-space:normal;margin:4px 0"
        self.said.value = f'<div role="status" aria-live="polite" style="{look}">{message}{lines}<br>{past}</div>'

    def _useless(self, name: str) -> bool:
        game = self.playground.game
        match name:
            case "undo":
                return not game.can_undo
            case "redo":
                return not game.can_redo
            case "run_on":
                return game.finished
            case "again":
                return False
        return self.move(name) is None

    @staticmethod
    def _options(field: Any, options: list[tuple[str, Any]], prefer: Any = None) -> None:
        """New options, keeping what is chosen where it is still there."""
        if list(field.options) == options:
            return
        values = [value for _, value in options]
        chosen = field.value if field.value in values and field.value not in ("", -1) else prefer
        field.options = options
        field.value = chosen if chosen in values else values[0]

    def _show_stepper(self) -> None:
        stepper = self.playground.stepper
        if self._live is None:
            self._live = live.make_widget(stepper.data, stepper.index, self._moved)
            if self._live is not None:
                self.place.children = (self._live,)
                return
        if self._live is None:  # without anywidget: an output that holds the custom element
            output = self._widgets.Output()
            output.append_display_data(stepper)
            self.place.children = (output,)
            return
        live.show(self._live, stepper.data, stepper.index)
