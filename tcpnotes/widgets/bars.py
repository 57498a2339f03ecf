"""Long work that shows how far it is: a bar in a notebook, a bar or plain lines in a terminal.

A notebook keeps the last picture of the bar, so that one says nothing about time: the same work leaves the same
output, also for a checker that hears of no updates.  A terminal gets the bar of tqdm where that is installed (it is
small, alive, under MIT and MPL licences), else a line for every tenth.  Where standard error is not a terminal
nothing is written.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sized
from typing import Any, TypeVar

from tcpnotes.source import say
from tcpnotes.view import theme
from tcpnotes.widgets import cards, live

T = TypeVar("T")
TENTHS = 10


def progress(work: Iterable[T], what: str, *, total: int | None = None) -> Iterator[T]:
    """Go through ``work`` and show how far it is; ``what`` names it.

    ``total``: how much there is, for work that cannot say so itself; without it the bar counts only.  Work that is
    left before its end leaves how far it came, which a notebook that is compared does not forgive.
    ``for seed in progress(range(1000), "a sweep of seeds"): …``
    """
    if total is None and isinstance(work, Sized):
        total = len(work)
    show = _shower(what, total)
    done = 0
    try:
        show(0)
        for one in work:
            yield one
            done += 1
            show(done)
    finally:
        show(-1)


class Bar:
    """How far some work is, as it is shown in a notebook; ``done`` is None when it is over and nobody knew how much."""

    def __init__(self, what: str, done: int | None, total: int | None) -> None:
        self.what = what
        self.done = done
        self.total = total

    @property
    def text(self) -> str:
        """``a sweep: 64 of 100``."""
        if self.done is None:
            far = say("progress.done")
        else:
            far = str(self.done) if self.total is None else say("progress.of", done=self.done, total=self.total)
        return f"{self.what}: {far}"

    @property
    def html(self) -> str:
        """A bar with its text."""
        value = ' value="1"' if self.done is None else ""
        if self.total is not None:
            value = f' value="{self.done}" max="{max(self.total, 1)}"'
        label = theme.attr(self.what)
        return cards.box("tn-bar", f"<progress aria-label={label}{value}></progress> {theme.text(self.text)}")

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {"text/plain": self.text, "text/html": self.html}

    def __repr__(self) -> str:
        return self.text


def _shower(what: str, total: int | None) -> Callable[[int], None]:
    """A function that is told how much is done, and -1 at the end."""
    if live.kernel_lives():
        return _in_notebook(what, total)
    if not sys.stderr.isatty():
        return lambda done: None
    return _with_tqdm(what, total) or _in_lines(what, total)


def _steps(total: int | None) -> Callable[[int], bool]:
    """Is it worth showing that so much is done?  A hundred times at most, and the end always."""
    every = max(1, (total or TENTHS * 100) // 100)
    return lambda done: done % every == 0 or done == total


def _in_notebook(what: str, total: int | None) -> Callable[[int], None]:
    """A bar that is shown first as it will be when the work is done, and only then as it is.

    A notebook keeps the last picture; who runs it again to compare (nbval) looks at the first alone.
    """
    from IPython.display import display

    done_with = Bar(what, total, total)
    handle: Any = display(done_with, display_id=True)  # type: ignore[no-untyped-call,unused-ignore]
    worth, last = _steps(total), 0

    def show(done: int) -> None:
        nonlocal last
        if done < 0:
            whole = total is None or last >= total
            handle.update(done_with if whole else Bar(what, last, total))
        elif worth(done):
            handle.update(Bar(what, done, total))
        last = max(done, last)

    return show


def _with_tqdm(what: str, total: int | None) -> Callable[[int], None] | None:
    try:
        from tqdm import tqdm
    except ImportError:
        return None
    bar = tqdm(total=total, desc=what, leave=False, file=sys.stderr)

    def show(done: int) -> None:
        if done < 0:
            bar.close()
        else:
            bar.update(done - bar.n)

    return show


def _in_lines(what: str, total: int | None) -> Callable[[int], None]:
    told = -1

    def show(done: int) -> None:
        nonlocal told
        tenth = done * TENTHS // total if total else done // 1000
        if done > 0 and tenth > told:
            sys.stderr.write(f"{Bar(what, done, total).text}\n")
        told = max(told, tenth)

    return show
