"""Exercises on the engine: kernel functions exchanged for a while, and a museum of real bugs to plant and to find."""

from tcpnotes.exercises.museum import Bug, bug, bugs, planted
from tcpnotes.exercises.patch import original, patched

__all__ = ["Bug", "bug", "bugs", "original", "patched", "planted"]
