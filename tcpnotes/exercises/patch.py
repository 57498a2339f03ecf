"""Exchange kernel functions for the length of a ``with`` block.

The kernel's files import functions from each other by name, so a function is known
in several modules at once; `patched` replaces it in all of them, in a shell like the
one that lets traces see the original, and puts everything back when the block ends,
however it ends.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from typing import Any

import tcpnotes.world  # noqa: F401  (all of the kernel's files must be there before one is patched)
from tcpnotes.kernel import mirror

_PLACES = ("tcpnotes.kernel.", "tcpnotes.world")


def original(name: str) -> Callable[..., Any]:
    """The engine's own function called ``name``, for a variant that does its work and then something else.

    ValueError, with the names that come near, when the engine has no such function.
    """
    return _entry(name).function


@contextmanager
def patched(**functions: Callable[..., Any]) -> Iterator[None]:
    """Run the block with other kernel functions: ``with patched(tcp_fin=mine): …``.

    A variant takes the same parameters as the function that it stands for (ValueError if not);
    inside it, `original` leads to that function.  Blocks may be nested.
    """
    if mirror.COMPILED:
        raise ValueError("Functions of the compiled engine cannot be exchanged; use the plain one.")
    entries = {name: _entry(name) for name in functions}
    for name, variant in functions.items():
        _check_parameters(name, entries[name].function, variant)
    mirror.instrument()  # now every module knows the shells, and only them
    saved: list[tuple[Any, str, Any]] = []
    try:
        for name, variant in functions.items():
            shell = mirror._shell(entries[name]._replace(function=variant))
            for module, key, value in _holders(name):
                saved.append((module, key, value))
                setattr(module, key, shell)
        yield
    finally:
        for module, key, value in reversed(saved):
            setattr(module, key, value)
        if not mirror.worn:  # taken off in the block, while these were away
            mirror.strip()


def _entry(name: str) -> mirror.Mirrored:
    try:
        return mirror.FUNCTIONS[name]
    except KeyError:
        near = get_close_matches(name, mirror.FUNCTIONS, 3)
        hint = f"; perhaps {', '.join(near)}" if near else ""
        raise ValueError(f"The engine has no kernel function {name!r}{hint}.") from None


def _check_parameters(name: str, ours: Callable[..., Any], theirs: Callable[..., Any]) -> None:
    wanted = list(inspect.signature(ours).parameters)
    try:
        inspect.signature(theirs).bind(*wanted)
    except TypeError:
        given = ", ".join(inspect.signature(theirs).parameters)
        raise ValueError(f"{name} takes ({', '.join(wanted)}); the variant takes ({given}).") from None


def _holders(name: str) -> list[tuple[Any, str, Any]]:
    """Every module that knows the function: (module, name there, value there)."""
    found = []
    for module_name, module in list(sys.modules.items()):
        if module is not None and module_name.startswith(_PLACES):
            for key, value in list(vars(module).items()):
                if key == name and callable(value):
                    found.append((module, key, value))
    return found
