"""A few words that the book uses in a sense of its own, each in a sentence."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from tcpnotes.source.items import languages, read_toml


class Term(NamedTuple):
    """A word and what it means here."""

    word: str
    meaning: str


@cache
def glossary(language: str = "en") -> tuple[Term, ...]:
    """All terms, in alphabetical order; ValueError when there is no glossary in that language."""
    if language not in languages("glossary"):
        known = ", ".join(languages("glossary"))
        raise ValueError(f"There is no glossary in language {language!r}; there are: {known}.")
    terms = read_toml(f"glossary.{language}.toml")
    return tuple(Term(word, meaning) for word, meaning in sorted(terms.items(), key=lambda pair: pair[0].lower()))
