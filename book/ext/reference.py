"""The pages of single functions, items and scenarios: what a page's one directive makes of the facts."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator
from importlib.resources import files
from textwrap import dedent
from typing import ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx import addnodes
from sphinx.util.docutils import SphinxDirective

from ext import docstrings
from ext import nodes as make
from ext.chapters import Chapter
from ext.facts import tell
from ext.pages import Known, known
from ext.stepper import raw
from tcpnotes.kernel.mirror import FUNCTIONS, Mirrored
from tcpnotes.scenarios import load
from tcpnotes.source import item, languages
from tcpnotes.view.story import clock

_FEW = 8  # places that a page names before it folds the rest away


class Page(SphinxDirective):
    """What the pages have in common."""

    required_arguments = 1
    option_spec: ClassVar = {"state": directives.unchanged}

    @property
    def what(self) -> Known:
        """All that is known."""
        return known(self.env.app)

    @property
    def subject(self) -> str:
        """What the page is about."""
        return str(self.arguments[0])

    def run(self) -> list[nodes.Node]:
        return list(self.body())

    def body(self) -> Iterator[nodes.Node]:
        """The nodes below the title."""
        raise NotImplementedError

    def neighbours(self, all_: list[str], folder: str, words: str) -> nodes.paragraph:
        """A line that leads to the page before, to the list, and to the page behind."""
        at = all_.index(self.subject)
        parts: list[str | nodes.Node] = []
        if at > 0:
            parts += ["← ", make.link(make.code(all_[at - 1]), f"{folder}/{all_[at - 1]}"), " · "]
        parts.append(make.link(words, folder))
        if at < len(all_) - 1:
            parts += [" · ", make.link(make.code(all_[at + 1]), f"{folder}/{all_[at + 1]}"), " →"]
        return make.paragraph(parts, css="neighbours")

    def chapters(self, found: Iterable[Chapter]) -> Iterator[nodes.Node]:
        """The chapters that speak of it."""
        links = [make.link(one.title, one.doc) for one in found]
        if links:
            yield make.section("In the chapters", "chapters", make.bullets(links))


def steps(found: dict[str, int]) -> list[nodes.Node]:
    """Scenarios with the step at which something first happens in them; many are folded away."""
    places = [make.scenario(name, step) for name, step in found.items()]
    if len(places) <= _FEW:
        return [make.bullets(places)]
    return [make.bullets(places[:_FEW]), *folded(f"and in {len(places) - _FEW} more", make.bullets(places[_FEW:]))]


def folded(summary: str, *body: nodes.Node) -> list[nodes.Node]:
    """Something behind a line that opens it."""
    return [
        nodes.raw("", f"<details class='more'><summary>{summary}</summary>", format="html"), *body,
        nodes.raw("", "</details>", format="html"),
    ]  # fmt: skip


class FunctionPage(Page):
    """A kernel function: what it means, where it lives, what ours leaves out, where it is shown, our source."""

    def body(self) -> Iterator[nodes.Node]:
        entry = FUNCTIONS[self.subject]
        about = self.what.facts.functions.get(self.subject, {})
        yield from index_entry(self.subject, "kernel function")
        yield self.neighbours(sorted(FUNCTIONS), "functions", "all kernel functions")
        yield from docstring(entry)
        shows = [id for id in self.what.facts.items if self.subject in item(id).released]
        rows: list[tuple[str, make.Content]] = [
            ("in Linux 2.4.0", [make.code(entry.file), " (inline in a header)" if entry.inline else ""]),
            ("here", make.link(make.code(entry.function.__module__), f"api/{entry.function.__module__}", "")),
            ("left out", "; ".join(entry.omits) or "nothing"),
            ("items", make.listed(map(make.item, shows)) or "named by no item"),
        ]
        for key, words in (("callers", "called by"), ("callees", "calls")):
            if about.get(key):
                rows.append((words, make.listed(map(make.function, about[key]))))
        yield make.fields(rows)
        if about.get("steps"):
            yield make.section("Watch it run", "runs", *steps(about["steps"]))
        else:
            quiet = "No scenario of the book calls it while the story is told; tests do, and recorded runs do."
            yield make.section("Watch it run", "runs", make.paragraph(quiet))
        yield from self.chapters(self.what.speak_of(code=self.subject))
        text = dedent(inspect.getsource(entry.function)).rstrip()
        yield make.section("Our source", "our-source", make.source(text, "python"))


def docstring(entry: Mirrored) -> Iterator[nodes.Node]:
    """What our function says about itself, without what `mirrors` added."""
    text = inspect.cleandoc(entry.function.__doc__ or "").split("\nMirrors ")[0]
    for number, (kind, rows) in enumerate(docstrings.blocks(text)):
        if kind == "fields":
            yield make.fields(rows)
        elif kind == "bullets":
            yield make.bullets(value for _, value in rows)
        elif kind == "listing":
            yield make.source(rows[0][1], "text")
        else:
            yield make.paragraph(rows[0][1], css="" if number else "meaning")


def index_entry(name: str, kind: str) -> Iterator[nodes.Node]:
    """An entry of the general index, and the anchor at the top of the page that it leads to."""
    yield addnodes.index(entries=[("single", f"{name} ({kind})", f"about-{name}", "", None)])
    yield nodes.target("", "", ids=[f"about-{name}"])


class ItemPage(Page):
    """An item of the source: its sentence, its names, where it is shown, and the frame that shows it."""

    def body(self) -> Iterator[nodes.Node]:
        ids = list(self.what.facts.items)
        known_item = item(self.subject)
        yield self.neighbours(ids, "items", "all items")
        yield make.paragraph(known_item.text, css="meaning")
        for language in languages():
            if language != "en":
                other = nodes.inline("", item(self.subject, language).text, classes=["other-language"], lang=language)
                yield make.paragraph(other)
        respelt = dict(known_item.respelt)
        names: list[make.Content] = []
        for name in known_item.names:
            released = respelt.get(name, name)
            shown: make.Content = make.function(released) if released in FUNCTIONS else make.code(released)
            names.append([make.code(name), " (released: ", shown, ")"] if name in respelt else shown)
        places = self.what.facts.items[self.subject]
        rows: list[tuple[str, make.Content]] = [
            ("step of the text", "beside the steps" if known_item.step == "S" else known_item.step),
            ("names", make.listed(names) or "none"),
            ("shown in", make.listed([self._place(*place) for place in places], "; ")),
        ]
        yield make.fields(rows)
        yield from self.chapters(self.what.speak_of(item=self.subject))
        scenario, profile, _, step = places[0]
        stepper = tell(scenario, profile).stepper()
        yield make.section("The frame that shows it", "frame", raw(stepper, step))

    def _place(self, scenario: str, profile: str, t: int, step: int) -> make.Content:
        nth = self.what.facts.profiles[scenario].index(profile) + 1
        under = "" if profile == "source" else f", profile {profile}"
        return [make.scenario(scenario, step, nth), f" (at {clock(t)} s{under})"]


class ScenarioPage(Page):
    """A scenario: what it is about, the items that it shows, a stepper for each profile that matters, its script."""

    def body(self) -> Iterator[nodes.Node]:
        scenario = load(self.subject)
        profiles = self.what.facts.profiles[self.subject]
        yield self.neighbours(list(self.what.facts.profiles), "scenarios", "all scenarios")
        for piece in scenario.about.strip().split("\n\n"):
            yield make.paragraph(" ".join(piece.split()))
        shown = [id for id in self.what.facts.items if self.subject in self.what.facts.of_item(id)]
        rows: list[tuple[str, make.Content]] = [
            ("name", make.code(self.subject)),
            ("shows", make.listed(map(make.item, shown)) or "no item"),
        ]
        yield make.fields(rows)
        for profile in profiles:
            telling = tell(self.subject, profile)
            parts = [raw(telling.stepper()), *folded("the trace as text", make.source(str(telling.trace), "text"))]
            if profile == "source":
                yield make.section("Step through it", "steps", *parts)
            else:
                yield make.section(["Under the profile ", make.code(profile)], f"steps-{profile}", *parts)
        yield from self.chapters(one for one in self.what.chapters if self.subject in one.scenarios)
        text = files("tcpnotes.scenarios").joinpath(f"{self.subject}.toml").read_text(encoding="utf-8").rstrip()
        command = make.source(f"tcpnotes run {self.subject}", "console")
        yield make.section("Its script", "script", make.source(text, "toml"), command)
