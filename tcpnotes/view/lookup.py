"""What readers look up: words, kernel functions, and the cell that shows an item; each as text and as a table."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape

from tcpnotes.kernel.mirror import FUNCTIONS, Mirrored
from tcpnotes.source import glossary, items
from tcpnotes.view.places import Place, Shown
from tcpnotes.view.reading import Note

_FEW = 4  # chapters that are named one by one


def word_list(*languages: str) -> Note:
    """The glossary in one or more languages, English and Japanese unless told; ValueError for one there is not."""
    tongues = languages or ("en", "ja")
    rows, lines = [], []
    for terms in zip(*map(glossary, tongues), strict=True):
        words = list(dict.fromkeys(term.word for term in terms))
        rows.append((_beside(words, tongues), _below([term.meaning for term in terms], tongues)))
        lines += [" / ".join(words), *(f"    {term.meaning}" for term in terms)]
    return Note("\n".join(lines), _rows(("word", "what it means"), rows))


def kernel_files() -> tuple[str, ...]:
    """The files of Linux 2.4.0 of which functions are here."""
    return tuple(sorted({entry.file for entry in FUNCTIONS.values()}))


def function_list(file: str, book: Shown) -> Note:
    """The functions of a kernel file: what each means, what ours leaves out, the items and chapters that show it.

    A ValueError when nothing here is from that file.
    """
    if file not in kernel_files():
        raise ValueError(f"No function here is from {file!r}; there are: {', '.join(kernel_files())}.")
    rows, lines = [], []
    for entry in sorted((entry for entry in FUNCTIONS.values() if entry.file == file), key=lambda entry: entry.name):
        means = [entry.doc.replace("``", "`"), *_left_out(entry)]
        ids = [one.id for one in items() if entry.name in one.released]
        named = [f"Named by item{'s' if len(ids) > 1 else ''} {', '.join(ids)}."] if ids else []
        places = book.functions.get(entry.name, ())
        rows.append((f"`{entry.name}`", "<br>".join([*map(_dressed, means), *named, _first(places, marked=True)])))
        lines += [entry.name, *(f"    {said}".replace("`", "") for said in (*means, *named, _first(places)))]
    return Note("\n".join(lines), _rows(("function", "what it means, what is left out, where it is shown"), rows))


def item_list(step: str, book: Shown) -> Note:
    """The items of a step of the text ("1" … "7", "S") in English and Japanese, and the cell and frame that show each.

    A ValueError when the text has no such step.
    """
    pairs = [pair for pair in zip(items("en"), items("ja"), strict=True) if pair[0].step == step]
    if not pairs:
        raise ValueError(f"The source has no step {step!r}; items run from {items()[0].id} to {items()[-1].id}.")
    rows, lines = [], []
    for english, japanese in pairs:
        texts = [english.text, japanese.text]
        place = next(iter(book.items.get(english.id, ())), None)
        where = place.text if place else "in no chapter"
        rows.append((english.id, f"{_below(texts, ('en', 'ja'))}<br>Shown: {place.markdown if place else where}"))
        lines += [f"{english.id}  {where}", *(f"    {text}" for text in texts)]
    return Note("\n".join(lines), _rows(("item", "what it says, and the chapter, cell and frame that show it"), rows))


def _left_out(entry: Mirrored) -> list[str]:
    return [f"Left out: {'; '.join(entry.omits)}."] if entry.omits else []


def _first(places: Sequence[Place], marked: bool = False) -> str:
    """The first frame that shows a function, and the other chapters that do."""
    if not places:
        return "Shown by no stepper of a chapter."
    chapters = list(dict.fromkeys(place.chapter for place in places))[1:]
    also = f"; also in {', '.join(chapters)}" if len(chapters) <= _FEW else f"; also in {len(chapters)} other chapters"
    return f"Shown: {places[0].markdown if marked else places[0].text}{also if chapters else ''}"


def _beside(words: Sequence[str], languages: Sequence[str]) -> str:
    first, *others = words
    return f"**{escape(first, quote=False)}**" + "".join(f"<br>{_in(word, languages[-1])}" for word in others)


def _below(texts: Sequence[str], languages: Sequence[str]) -> str:
    return "<br>".join(_in(text, language) for text, language in zip(texts, languages, strict=True))


def _in(text: str, language: str) -> str:
    return _dressed(text) if language == "en" else f'<span lang="{language}">{_dressed(text)}</span>'


def _dressed(text: str) -> str:
    """Prose for a cell of a table: what is set as code stays so, nothing else is mark-up."""
    parts = re.split(r"(`[^`]+`)", text)
    return "".join(part if part.startswith("`") else escape(part, quote=False) for part in parts).replace("|", "\\|")


def _rows(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])
