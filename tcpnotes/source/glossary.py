"""The words that the book uses in a sense of its own, each in a sentence or two, in every language the book has.

A term has one key in all languages: the English word, as code and pictures use it.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from tcpnotes.source.items import languages, read_toml


class Term(NamedTuple):
    """A word and what it means here; ``key`` is the same in every language."""

    key: str
    word: str
    meaning: str


@cache
def glossary(language: str = "en") -> tuple[Term, ...]:
    """All terms, by their keys in alphabetical order; ValueError when there is no glossary in that language."""
    if language not in languages("glossary"):
        known = ", ".join(languages("glossary"))
        raise ValueError(f"There is no glossary in language {language!r}; there are: {known}.")
    terms = read_toml(f"glossary.{language}.toml")
    return tuple(_term(key, terms[key]) for key in sorted(terms, key=str.lower))


def _term(key: str, entry: str | dict[str, str]) -> Term:
    """A term as its file has it: the meaning alone where the word is the key, else word and meaning."""
    if isinstance(entry, str):
        return Term(key, key, entry)
    return Term(key, entry["word"], entry["meaning"])
