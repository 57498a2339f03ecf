"""How far a long command has come: a line on the terminal, and nothing where standard error is none."""

from __future__ import annotations

import sys
from time import monotonic

_WIDTH = 30
_PAUSE = 0.2  # seconds between two drawings


class Progress:
    """A bar for ``total`` units of work (None: only the count is shown); a context that clears it at its end."""

    def __init__(self, what: str, total: int | None) -> None:
        self._what = what
        self._total = total
        self._last = 0.0
        self._shown = sys.stderr is not None and sys.stderr.isatty()
        self._drawn = False

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self.clear()

    def __call__(self, done: int, more: str = "") -> None:
        """``done`` units are done; ``more`` is what else there is to say."""
        now = monotonic()
        if not self._shown or now - self._last < _PAUSE:
            return
        self._last = now
        if self._total:
            part = min(done / self._total, 1)
            full = int(part * _WIDTH)
            bar = f"[{'#' * full}{'.' * (_WIDTH - full)}] {part:4.0%}"
        else:
            bar = f"{done:,}"
        sys.stderr.write(f"\r\x1b[K{self._what} {bar}{more}")
        sys.stderr.flush()
        self._drawn = True

    def clear(self) -> None:
        """Take the bar away, so that other lines can be written."""
        if self._drawn:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self._drawn = False
