"""Sequence numbers in scenario files: ``rcv_nxt``, ``rcv_nxt+100``, ``snd_una-1``, ``12345``."""

from __future__ import annotations

import re
from collections.abc import Mapping

NAMES = ("rcv_nxt", "rcv_wnd", "copied_seq", "fin_seq", "snd_una", "snd_nxt", "snd_wnd", "write_seq")
_TERM = re.compile(r"\s*([+-])?\s*([a-z_]+|[0-9]{1,10})\s*")
_SHAPE = f"a sum of whole numbers and of {', '.join(NAMES)}"


def _terms(text: str) -> list[tuple[int, str]] | None:
    terms: list[tuple[int, str]] = []
    place = 0
    while place < len(text):
        found = _TERM.match(text, place)
        if found is None or (terms and found[1] is None):
            return None
        terms.append((-1 if found[1] == "-" else 1, found[2]))
        place = found.end()
    return terms or None


def check_expression(text: str) -> str | None:
    """What is wrong with ``text``, as a sentence; None when it can be evaluated."""
    terms = _terms(text)
    if terms is None or any(not name.isdigit() and name not in NAMES for _, name in terms):
        return f"{text!r} is not a sequence number; write {_SHAPE}."
    return None


def evaluate(text: str, values: Mapping[str, int]) -> int:
    """The number that ``text`` stands for, modulo 2^32; KeyError for a name without a value."""
    total = 0
    for sign, name in _terms(text) or ():
        total += sign * (int(name) if name.isdigit() else values[name])
    return total & 0xFFFFFFFF
