"""How much room words take in Arial, whose widths Helvetica and Liberation Sans share, and how they are set in lines.

Only the plain face is measured; bold letters are up to a tenth wider.
"""

from __future__ import annotations

from collections.abc import Iterator

_CJK = "\u2e80"  # letters from here on are as wide as they are high
_PER_MILLE = {
    191: "'", 222: "ijl", 260: "|", 278: " !,./:;I[\\]ft", 333: "()-`r", 334: "{}", 355: '"', 389: "*", 469: "^",
    500: "Jcksvxyz", 556: "#$0123456789?L_abdeghnopqu", 584: "+<=>~", 611: "FTZ", 667: "&ABEKPSVXY", 722: "CDHNRUw",
    778: "GOQ", 833: "Mm", 889: "%", 944: "W", 1000: "—…",
}  # fmt: skip
_WIDTHS = {letter: width for width, letters in _PER_MILLE.items() for letter in letters}
_OTHER = 667


def width(text: str, size: float) -> float:
    """How wide ``text`` is at a size, both in the same unit."""
    return sum(1000 if letter >= _CJK else _WIDTHS.get(letter, _OTHER) for letter in text) * size / 1000


def cut(text: str, room: float, size: float) -> str:
    """``text``, cut where it would need more than ``room``."""
    if width(text, size) <= room:
        return text
    while text and width(text + "…", size) > room:
        text = text[:-1]
    return text + "…"


def squeezed(text: str, room: float, size: float) -> str:
    """Attributes of a ``<text>`` that keep it within ``room``: none for one that fits by itself."""
    if width(text, size) <= room:
        return ""
    return f' textLength="{room:g}" lengthAdjust="spacingAndGlyphs"'


def lines(text: str, room: float, size: float) -> list[str]:
    """``text`` in lines no wider than ``room``: broken at spaces, and within a word that is wider by itself."""
    found = [""]
    for piece in _pieces(text):
        if width((found[-1] + piece).rstrip(), size) <= room:
            found[-1] += piece
            continue
        found.append("")
        for letter in piece:
            if found[-1] and width(found[-1] + letter, size) > room:
                found.append("")
            found[-1] += letter
    return [line.strip() for line in found if line.strip()] or [""]


def _pieces(text: str) -> Iterator[str]:
    """Words with the space behind them; letters of East Asia stand alone, and what closes stays where it is."""
    start = 0
    for i in range(1, len(text)):
        wide = text[i] >= _CJK or text[i - 1] >= _CJK
        if (text[i - 1] == " " or wide) and text[i] not in " 、。」）：ー…":
            yield text[start:i]
            start = i
    yield text[start:]
