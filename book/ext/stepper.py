"""Steppers on pages that are not notebooks: ``{stepper} scenario`` in a page's text."""

from __future__ import annotations

from typing import ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.util.docutils import SphinxDirective

from tcpnotes.scenarios import ScenarioError
from tcpnotes.widgets import Stepper, play


def raw(stepper: Stepper, start: int = 1) -> nodes.raw:
    """A stepper that opens at step ``start`` and leaves to the page what all steppers have in common."""
    html = stepper.page(alone=False)
    if start > 1:
        html = html.replace(" data-scenario=", f' start="{start - 1}" data-scenario=', 1)
    return nodes.raw("", html, format="html")


class StepperDirective(SphinxDirective):
    """Step through a scenario.

    ``items``: stop where these are shown ("1" for all of step 1, or ids); ``stops``: item, beat, event, all;
    ``profile``; ``start``: the step to begin with, from 1; ``from`` and ``until``: seconds; ``title``.
    """

    required_arguments = 1
    option_spec: ClassVar = {
        "items": directives.unchanged, "stops": directives.unchanged, "profile": directives.unchanged,
        "start": directives.positive_int, "title": directives.unchanged,
        "from": float, "until": float,
    }  # fmt: skip

    def run(self) -> list[nodes.Node]:
        take = self.options.get
        try:
            telling = play(self.arguments[0], profile=take("profile", "source"))
            if "from" in self.options or "title" in self.options:
                telling = telling.between(take("from", telling.since / 1e6), take("until"), take("title"))
            wanted = take("items", "").split()
            chosen = None if not wanted else wanted[0] if len(wanted) == 1 and "." not in wanted[0] else wanted
            made = telling.stepper(chosen, stops=take("stops", "beat"))
        except (ScenarioError, ValueError) as error:
            raise self.error(f"stepper {self.arguments[0]}: {error}") from error
        return [raw(made, take("start", 1))]
