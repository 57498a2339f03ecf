"""Standard output as it really is: not always UTF-8, not always there to the end."""

from __future__ import annotations

import codecs
import contextlib
import io
import os
from typing import TextIO

_ASCII = {
    "…": "...", "→": "->", "–": "-", "—": "-", "×": "x", "·": "*", "≤": "<=", "≥": ">=", "µ": "u",
    "‘": "'", "’": "'", "“": '"', "”": '"',
}  # fmt: skip


def _spell(error: UnicodeError) -> tuple[str, int]:
    """Write what an encoding lacks in ASCII: the usual stand-in, or an escape."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    return "".join(_ASCII.get(c) or c.encode("ascii", "backslashreplace").decode() for c in lacking), error.end


codecs.register_error("tcpnotes.ascii", _spell)


def soften(stream: TextIO | None) -> None:
    """Let a stream whose encoding lacks a character show a stand-in rather than fail."""
    if isinstance(stream, io.TextIOWrapper) and stream.errors in ("strict", "surrogateescape"):
        stream.reconfigure(errors="tcpnotes.ascii")


def flush(stream: TextIO | None) -> None:
    """Bring everything out now, while a failure can still be told.  OSError when it cannot be written."""
    if stream is not None:
        stream.flush()


def abandon(stream: TextIO | None) -> None:
    """Send what is still in a stream that broke to nowhere, or the interpreter complains of it at its end."""
    if stream is None:
        return
    with contextlib.suppress(OSError, ValueError):  # a stream that is no file has nothing to be led away
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def printable(text: str) -> str:
    """Foreign text without control characters, so that it cannot steer the terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
