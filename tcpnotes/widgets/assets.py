"""The stepper's script and style, as they are put into pages."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

from tcpnotes.view import buckets, queues, states, theme


@cache
def _file(name: str) -> str:
    text = files("tcpnotes.widgets").joinpath(f"data/{name}").read_text(encoding="utf-8")
    lines = (line.strip() for line in text.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))


def style() -> str:
    """All the CSS of a stepper."""
    return theme.stylesheet() + states.STYLE + queues.STYLE + buckets.STYLE + _file("stepper.css").replace("\n", "")


def element_script() -> str:
    """A script that defines the custom element, once a page."""
    return (
        '(()=>{if(customElements.get("tcpnotes-stepper"))return;\n'
        + _file("stepper.js") + "\n" + _file("element.js") + "\n})();"
    )  # fmt: skip


def widget_module() -> str:
    """The same logic as a module for a live kernel."""
    return _file("stepper.js") + "\n" + _file("widget.js")


def embedded_json(data: Any) -> str:
    """JSON that cannot end the script element it stands in."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
