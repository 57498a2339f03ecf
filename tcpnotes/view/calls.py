"""The call tree of a beat: which kernel functions ran, which of them is at work now."""

from __future__ import annotations

from functools import cache
from inspect import cleandoc
from typing import NamedTuple

from tcpnotes.view.story import Story


class Described(NamedTuple):
    """A kernel function: the file it lives in, what it means, in one line, and whatever else there is to say."""

    file: str
    meaning: str
    more: str


@cache
def describe(name: str) -> Described:
    """What the engine says about a kernel function (empty when it does not know the name)."""
    from tcpnotes.kernel.mirror import FUNCTIONS

    entry = FUNCTIONS.get(name)
    if entry is None:
        return Described("", "", "")
    whole = cleandoc(entry.function.__doc__ or "").split("\n\nMirrors ")[0]
    rest = cleandoc(whole.partition("\n")[2])
    left_out = f"Left out: {'; '.join(entry.omits)}." if entry.omits else ""
    more = "\n".join(filter(None, (rest, left_out)))
    return Described(entry.file, *(text.replace("``", "").replace("`", "") for text in (entry.doc, more)))


class Line(NamedTuple):
    """One function of the tree; ``open`` is true until it is left, ``current`` for the innermost open one."""

    depth: int
    name: str
    open: bool
    current: bool


def call_tree(story: Story, index: int) -> list[Line]:
    """The functions entered since the stimulus, up to record ``index``."""
    chain = story.chain(index)
    open_ = {at for at, _, _ in chain}
    current = chain[-1][0] if chain else -1
    return [Line(depth, name, at in open_, at == current) for at, depth, name in story.functions(index)]


def calls(story: Story, index: int = -1) -> str:
    """The tree as text: ``>`` marks the function at work, ``.`` those already left."""
    at = index % len(story.records)
    lines = []
    for line in call_tree(story, at):
        mark = ">" if line.current else " " if line.open else "."
        meaning = describe(line.name).meaning if line.current else ""
        lines.append(f"{mark} {'  ' * line.depth}{line.name}" + (f"  -- {meaning}" if meaning else ""))
    return "\n".join(lines) or "(no kernel function yet)"
