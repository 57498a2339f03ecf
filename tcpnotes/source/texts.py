"""What the library itself says to readers, in more than one language.

Every sentence that a widget shows stands in ``texts.en.toml`` under a key such as
``quiz.one``; another language is another file, and what it lacks is said in English.
`say` looks a sentence up; `speak` chooses the language for whatever is made afterwards.
"""

from __future__ import annotations

from functools import cache

from tcpnotes.source.items import languages, read_toml

_chosen = "en"


@cache
def texts(language: str = "en") -> dict[str, str]:
    """All sentences of a language by key; ValueError when there are none."""
    if language not in languages("texts"):
        raise ValueError(f"There are no texts in language {language!r}; there are: {', '.join(languages('texts'))}.")
    areas = read_toml(f"texts.{language}.toml")
    return {f"{area}.{key}": text for area, table in areas.items() for key, text in table.items()}


def speak(language: str) -> None:
    """Speak ``language`` ("en", "ja") from now on; ValueError when there are no texts in it."""
    global _chosen  # noqa: PLW0603  (the reader has one language at a time)
    texts(language)
    _chosen = language


def language() -> str:
    """The language spoken now."""
    return _chosen


def say(key: str, **values: object) -> str:
    """The sentence called ``key`` in the language in use, with ``values`` in the places of its fields."""
    text = texts(_chosen).get(key) or texts("en")[key]
    return text.format(**values) if values else text
