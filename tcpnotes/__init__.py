"""How Linux closes a TCP connection: two simulated hosts that run the close path of Linux 2.4, and everything traced.

    >>> import tcpnotes
    >>> done = tcpnotes.run("orderly_close")
    >>> print(tcpnotes.text_trace(done.recorder))  # doctest: +SKIP

The names below are loaded when they are first used, so that ``import tcpnotes`` stays quick.  All of them need the
standard library alone; what needs more (notebooks, diagrams of your own) says which extra to install.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tcpnotes.kernel.profile import PROFILES, Profile
    from tcpnotes.scenarios import Run, Scenario, ScenarioError, load, run, scenario_names
    from tcpnotes.source import Item, item, items
    from tcpnotes.trace import Record, Recorder, Segment
    from tcpnotes.view import Picture, ladder, text_trace
    from tcpnotes.widgets import Stepper
    from tcpnotes.world import World

__version__ = "0.1.0"

_HOME = {
    "PROFILES": "tcpnotes.kernel.profile",
    "Profile": "tcpnotes.kernel.profile",
    "Run": "tcpnotes.scenarios",
    "Scenario": "tcpnotes.scenarios",
    "ScenarioError": "tcpnotes.scenarios",
    "load": "tcpnotes.scenarios",
    "run": "tcpnotes.scenarios",
    "scenario_names": "tcpnotes.scenarios",
    "Item": "tcpnotes.source",
    "item": "tcpnotes.source",
    "items": "tcpnotes.source",
    "Record": "tcpnotes.trace",
    "Recorder": "tcpnotes.trace",
    "Segment": "tcpnotes.trace",
    "Picture": "tcpnotes.view",
    "ladder": "tcpnotes.view",
    "text_trace": "tcpnotes.view",
    "Stepper": "tcpnotes.widgets",
    "World": "tcpnotes.world",
}

__all__ = [
    "PROFILES", "Item", "Picture", "Profile", "Record", "Recorder", "Run", "Scenario", "ScenarioError", "Segment",
    "Stepper", "World", "item", "items", "ladder", "load", "run", "scenario_names", "text_trace",
]  # fmt: skip


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module 'tcpnotes' has no attribute {name!r}")
    value: object = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
