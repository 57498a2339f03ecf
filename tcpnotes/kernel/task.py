"""System calls in progress, and what it means that one sleeps."""

from __future__ import annotations

from enum import Enum
from typing import Any, Final

from tcpnotes.kernel.copies import copier, freezer

TASK_FIELDS = (
    "args", "asleep", "blocked", "call", "done", "exclusive", "fd", "flags", "id", "left", "resume", "sk",
    "target", "timeo", "timer",
)  # fmt: skip


class Task:
    """A system call in progress.  Asleep, it is only this: which call, how far it got, until when.

    ``resume`` names the function that goes on with it; ``left`` counts bytes still
    wanted, ``done`` bytes already moved; ``timeo`` is what remains of its patience
    in jiffies (None without end).
    """

    __slots__ = TASK_FIELDS

    def __init__(self, number: int, call: str, args: tuple[Any, ...]) -> None:
        self.id = number
        self.call = call
        self.args = args
        self.fd = -1
        self.sk: int | None = None
        self.resume = ""
        self.asleep = False
        self.blocked = False
        self.exclusive = False
        self.left = self.done = self.target = self.flags = 0
        self.timeo: int | None = 0
        self.timer: tuple[int, int] | None = None

    def clone(self) -> Task:
        """A copy."""
        new: Task = _clone_task(self)
        return new

    def freeze(self) -> tuple[object, ...]:
        """All of it as a tuple."""
        return _freeze_task(self)


_clone_task = copier(Task, TASK_FIELDS)
_freeze_task = freezer(TASK_FIELDS)


class Blocked(Enum):
    """What a kernel function returns when the calling process has gone to sleep."""

    BLOCKED = "BLOCKED"


BLOCKED: Final = Blocked.BLOCKED
