"""Which of our functions stand for which of the kernel's, and how their calls get into the trace.

`mirrors` marks a function that has a counterpart in Linux 2.4.0, names the file
where that one lives and lists what ours leaves out.  The mark costs nothing when
the function runs.  When something reaches a host that is listened to, `instrument`
puts a thin shell around each marked function, in every module that knows it; the
shell writes an `Enter` record.  When something reaches a host to which nobody
listens, `strip` takes the shells off.  The functions
all take the thing they work on (a socket, a bucket, or the host's stack) first;
that is how the shell finds the trace.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, NamedTuple, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


class Mirrored(NamedTuple):
    """One function of the engine: its name in Linux, the file there, what ours leaves out, what it means."""

    name: str
    file: str
    omits: tuple[str, ...]
    doc: str
    function: Callable[..., Any]

    @property
    def inline(self) -> bool:
        """True when Linux has it in a header, so that recordings do not show it."""
        return self.file.startswith("include/")


FUNCTIONS: dict[str, Mirrored] = {}


def mirrors(file: str, omits: Iterable[str] = (), doc: str = "") -> Callable[[F], F]:
    """Mark a function as the counterpart of the one of the same name in ``file`` of Linux 2.4.0.

    ``doc`` is for one that has no text of its own, since it was compiled.
    """

    def mark(fn: F) -> F:
        text = fn.__doc__ or doc
        left_out = tuple(omits)
        FUNCTIONS[fn.__name__] = Mirrored(fn.__name__, file, left_out, text.strip().split("\n")[0], fn)
        note = f"\n\nMirrors {file} of Linux 2.4.0."
        if left_out:
            note += "\nLeft out: " + "; ".join(left_out) + "."
        with suppress(AttributeError):  # a compiled function has no text
            fn.__doc__ = text.rstrip() + note
        return fn

    return mark


_SHELL = """
@_wraps(_fn)
def shell({parameters}):
    _net = {subject}.net
    _trace = _net.trace
    if _trace is None:
        return _fn({parameters})
    _open = _trace.open
    _trace.add((_net.now, _trace.host, len(_open), {name!r}, {subject}.id, "enter"))
    _open.append({open})
    try:
        return _fn({parameters})
    finally:
        _open.pop()
"""


def _shell(entry: Mirrored) -> Callable[..., Any]:
    """The function with an `Enter` record before it.

    A shell is written for the parameters of its function, as passing them on as they come would cost as much again.
    """
    code = FUNCTIONS[entry.name].function.__code__
    parameters = code.co_varnames[: code.co_argcount]
    name = entry.name
    text = _SHELL.format(
        parameters=", ".join(parameters),
        subject=parameters[0],
        name=name,
        open=f"_open[-1] if _open else {name!r}" if entry.inline else repr(name),
    )
    names: dict[str, Any] = {"_wraps": functools.wraps, "_fn": entry.function}
    exec(text, names)  # our own text, made from the parameters' names
    shell: Callable[..., Any] = names["shell"]
    return shell


COMPILED = False  # a compiled engine (tools/native.py) has its shells within
worn = False  # are the shells on?
_places: list[tuple[dict[str, Any], str, Callable[..., Any], Callable[..., Any]]] = []


def instrument() -> None:
    """Make entries into kernel functions visible to traces.  Idempotent; results never change."""
    global worn  # noqa: PLW0603  (the engine wears its shells as a whole)
    if worn:
        return
    worn = True
    if COMPILED:
        return
    if not _places:
        _find_places()
    for names, key, plain, shell in _places:
        if names[key] is plain:
            names[key] = shell


def strip() -> None:
    """Take the shells off again, so that a host to which nobody listens runs as it stands.  Idempotent."""
    global worn  # noqa: PLW0603  (the engine wears its shells as a whole)
    worn = False
    for names, key, plain, shell in _places:
        if names[key] is shell:
            names[key] = plain


def _find_places() -> None:
    """Wherever the engine knows a marked function by name."""
    shells = {id(entry.function): (entry.function, _shell(entry)) for entry in FUNCTIONS.values()}
    for module_name, module in list(sys.modules.items()):
        if module is not None and module_name.startswith(("tcpnotes.kernel.", "tcpnotes.world")):
            names = vars(module)
            _places.extend((names, key, *shells[id(value)]) for key, value in names.items() if id(value) in shells)
