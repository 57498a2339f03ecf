"""What predictions, quizzes, verdicts and playgrounds have in common on a page: one look, one script, fixed twins."""

from __future__ import annotations

from functools import cache
from typing import Any

from tcpnotes.source import language, say
from tcpnotes.view import theme
from tcpnotes.widgets import assets


@cache
def style() -> str:
    """The CSS of a card."""
    return theme.variables() + assets._file("cards.css").replace("\n", "")


@cache
def script() -> str:
    """A script that defines the custom elements of cards, once a page."""
    return (
        '(()=>{if(customElements.get("tcpnotes-quiz"))return;\n' + assets._file("cards.js") + "\n})();"
    )  # fmt: skip


def card(tag: str, body: str, data: Any) -> str:
    """A custom element ``tcpnotes-tag`` that holds ``body`` (HTML), and ``data`` for its script.

    Where scripts do not run, what the body says without one is all there is.  Style and script are
    left out where the page has them already (`assets.share`).
    """
    behind = "" if assets.Shared.sharing else f"<script>{script()}</script>"
    return (
        f'<tcpnotes-{tag} class="tn tn-card tn-{tag}" lang={theme.attr(language())}>{_look()}{body}'
        f'<script type="application/json" class="tn-data">{assets.embedded_json(data)}</script>'
        f"</tcpnotes-{tag}>{behind}"
    )


def _look() -> str:
    return "" if assets.Shared.sharing else f"<style>{style()}</style>"


def box(css: str, body: str) -> str:
    """A card that needs no script, with the same look."""
    return f'<div class="tn tn-card {css}" lang={theme.attr(language())}>{_look()}{body}</div>'


def spoken(*keys: str) -> dict[str, str]:
    """Sentences for a script, by key, with their fields still in them."""
    return {key.rpartition(".")[2]: say(key) for key in keys}
