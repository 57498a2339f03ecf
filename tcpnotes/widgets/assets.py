"""The stepper's script and style, as they are put into pages.

A stepper carries all it needs with it.  A page with many of them need not say everything
many times: once `share` was called (in a chapter's first cell), the steppers and cards of this
process leave out script, style and diagram, and the output of that cell carries them for the whole page.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

from tcpnotes.source import language, say, texts
from tcpnotes.view import buckets, queues, states, theme


@cache
def _file(name: str) -> str:
    text = files("tcpnotes.widgets").joinpath(f"data/{name}").read_text(encoding="utf-8")
    lines = (line.strip() for line in text.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))


def style() -> str:
    """All the CSS of a stepper."""
    return theme.stylesheet() + states.STYLE + queues.STYLE + buckets.STYLE + _file("stepper.css").replace("\n", "")


def common() -> dict[str, Any]:
    """What all steppers have in common: the state diagram, laid out once, and words.

    ``nodes`` and ``arcs`` are named in the order in which steps speak of them; ``sizes`` are those of the drawings
    of queues and of wheels; ``say`` holds what the stepper itself says, in the language spoken now.
    """
    laid = states.layout()
    return {
        "diagram": [light(laid.body), theme.number(laid.width), theme.number(laid.height)],
        "nodes": list(states.NODES),
        "arcs": [f"{a}-{b}" for a, b in states.ARCS],
        "sizes": [[queues.WIDTH, queues.HEIGHT], [buckets.WIDTH, buckets.HEIGHT]],
        "say": {key.partition(".")[2]: say(key) for key in texts() if key.startswith("stepper.")},
    }


def known() -> set[str]:
    """The names of what the page has already, where `share` was shown: words only if they were in this language."""
    return set(common()) - (set() if Shared.spoken == language() else {"say"})


def light(svg: str) -> str:
    """The same with simple quotes, where it has none: others must be escaped in JSON, and again in a notebook."""
    return svg if "'" in svg else svg.replace('"', "'")


def element_script(whole: bool = False, styled: bool = True) -> str:
    """A script that defines the custom element, once a page; ``whole``: with style and `common` for all of them.

    A site that has the style in a file of its own leaves it out (``styled=False``).
    """
    shared = embedded_json(({"style": style()} if styled else {}) | common()) if whole else "{}"
    return (
        '(()=>{if(customElements.get("tcpnotes-stepper"))return;\n'
         f"const shared={shared};\n{_file('stage.js')}\n{_file('stepper.js')}\n{_file('element.js')}\n}})();"
    )  # fmt: skip


class Shared:
    """What the steppers of a page have in common, shown once."""

    sharing = False
    spoken = "en"  # the language of the words that the page has

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        from tcpnotes.widgets import cards  # which needs this module

        look = (
            'document.head.append(Object.assign(document.createElement("style"),'
            f"{{textContent:{embedded_json(cards.style())}}}));"
        )
        html = f"<script>{element_script(whole=True)}\n{cards.script()}\n{look}</script>"
        return {"text/html": html, "text/plain": repr(self)}

    def __repr__(self) -> str:
        return "Set-up: what the steppers of this page have in common."


def share() -> Shared:
    """From here on, steppers of this process leave out what they have in common; show the result on their page."""
    Shared.sharing = True
    Shared.spoken = language()
    return Shared()


def widget_module() -> str:
    """The same logic as a module for a live kernel."""
    return "\n".join(map(_file, ("stage.js", "stepper.js", "widget.js")))


def embedded_json(data: Any) -> str:
    """JSON that cannot end the script element it stands in."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
