"""Pictures stand by themselves: they need no page, no font and no address, and follow light and dark."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tcpnotes.view import lettering, theme

IMAGES = Path(__file__).resolve().parents[2] / "docs" / "img"


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("name", sorted(path.name for path in IMAGES.glob("*.svg")))
def test_a_picture_can_be_read_on_light_and_dark(visit: Callable[..., Any], name: str, dark: bool) -> None:
    page = visit(dark=dark).page
    page.goto((IMAGES / name).as_uri())
    ground = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    ink = page.evaluate("[...new Set([...document.querySelectorAll('text')].map(t => getComputedStyle(t).fill))]")
    assert ink
    assert all(contrast(colour, ground) >= 4.5 for colour in ink)
    assert (luminance(ground) < 0.5) == dark


@pytest.mark.parametrize("name", sorted(path.name for path in IMAGES.glob("*.svg")))
def test_no_text_of_a_picture_is_cut_off(visit: Callable[..., Any], name: str) -> None:
    page = visit().page
    page.goto((IMAGES / name).as_uri())
    outside = page.evaluate(
        """() => { const all = document.documentElement.getBoundingClientRect();
        return [...document.querySelectorAll('text')].filter(text => {
            const box = text.getBoundingClientRect();
            return box.width && (box.left < all.left || box.right > all.right
                || box.top < all.top || box.bottom > all.bottom); }).map(text => text.textContent); }"""
    )
    assert outside == []


@pytest.mark.parametrize("words", ["= -1 EADDRNOTAVAIL", "FIN,PSH,ACK seq=2897 ack=1", "recv(4, 100, MSG_PEEK)"])
def test_letters_are_as_wide_as_we_think(visit: Callable[..., Any], words: str) -> None:
    page = visit().page
    page.set_content(f'<!doctype html><svg><text style="font:100px {theme.FONT}">{words}</text></svg>')
    real = page.evaluate("document.querySelector('text').getComputedTextLength()")
    assert lettering.width(words, 100) == pytest.approx(real, rel=0.04)


def luminance(colour: str) -> float:
    """Relative luminance of a CSS colour ``rgb(…)``, as WCAG 2 defines it."""
    parts = [float(part) / 255 for part in colour.removeprefix("rgb(").removesuffix(")").split(",")]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast of two colours, from 1 to 21."""
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)
