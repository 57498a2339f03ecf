"""What a player can do to a run, one move at a time, each with a short text that can be read back.

``next``                                     whatever the scenario or time brings (in a link a number: so often)
``skip``                                     the next step of the scenario's script is left out
``arrive(7)``  ``lose(7)``  ``double(7)``    of segment number 7; it may overtake others
``delay(7,0.2)``                             seconds
``fire(A)``  ``crash(A)``                    the next timer of a host; all of a host
``inject(A,RST,rcv_nxt)``                     a segment from nowhere: host, flags (``FIN+ACK``), number, bytes if any
``A.close(3)``  ``A.shutdown(3,SHUT_WR)``  ``A.write(3,100)``  ``A.read(3,1000)``  ``A.linger(3,5)``  ``B.accept(3)``
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from tcpnotes.scenarios.forging import Forged, forged
from tcpnotes.world import (
    AppCalls,
    Event,
    HostCrashes,
    SegmentArrives,
    SegmentDelayed,
    SegmentDuplicated,
    SegmentInjected,
    SegmentLost,
    TimerFires,
    World,
)

NEXT, SKIP = "next", "skip"
MOST = 1000  # moves of one game
_CALLS = ("accept", "close", "shutdown", "write", "read", "linger")
_SHAPE = re.compile(r"(?:(?P<host>[A-Z])\.)?(?P<verb>[a-z]+)(?:\((?P<args>[A-Za-z0-9_.,+-]*)\))?")
_WHOLE = re.compile(r"[0-9]{1,9}")
_SECONDS = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,6})?")


class Move(NamedTuple):
    """A move: its text, and what it does to a world (None for ``next`` and ``skip``, which the game does)."""

    text: str
    event: Event | Forged | None


def happens(one: Move, world: World) -> Event:
    """What a move is in a world as it stands.  ValueError for a segment that cannot be made there."""
    assert one.event is not None
    return SegmentInjected(one.event.host, one.event.segment(world)) if isinstance(one.event, Forged) else one.event


def move(text: str) -> Move:
    """Read a move; a ValueError that shows what moves look like for anything else."""
    text = text.strip()
    if text in (NEXT, SKIP):
        return Move(text, None)
    found = _SHAPE.fullmatch(text)
    if found is None or found["args"] is None:
        raise _unreadable(text)
    args = found["args"].split(",")
    event = _call(found["host"], found["verb"], args) if found["host"] else _other(found["verb"], args)
    if event is None:
        raise _unreadable(text)
    return Move(text, event)


def _unreadable(text: str) -> ValueError:
    return ValueError(
        f"{text[:60]!r} is not a move; moves look like next, skip, arrive(7), lose(7), double(7), delay(7,0.2), "
        "fire(A), crash(A), inject(A,RST,rcv_nxt), A.close(3), A.shutdown(3,SHUT_WR), A.write(3,100), A.read(3,1000), "
        "A.linger(3,5)."
    )


def _other(verb: str, args: list[str]) -> Event | Forged | None:
    if verb == "inject" and len(args) in (3, 4) and args[0].isupper():
        return forged(*args)
    if len(args) == 1 and _WHOLE.fullmatch(args[0]):
        wire = int(args[0])
        match verb:
            case "arrive":
                return SegmentArrives(wire)
            case "lose":
                return SegmentLost(wire)
            case "double":
                return SegmentDuplicated(wire)
    if verb == "delay" and len(args) == 2 and _WHOLE.fullmatch(args[0]) and _SECONDS.fullmatch(args[1]):
        return SegmentDelayed(int(args[0]), round(float(args[1]) * 1_000_000))
    if verb in ("fire", "crash") and len(args) == 1 and args[0].isupper():
        return TimerFires(args[0]) if verb == "fire" else HostCrashes(args[0])
    return None


def _call(host: str, verb: str, args: list[str]) -> Event | None:
    if verb not in _CALLS or not args or not _WHOLE.fullmatch(args[0]):
        return None
    fd = int(args[0])
    match verb, args[1:]:
        case "accept" | "close", []:
            return AppCalls(host, verb, (fd,))
        case "shutdown", ["SHUT_RD" | "SHUT_WR" | "SHUT_RDWR" as how]:
            return AppCalls(host, "shutdown", (fd, how))
        case "write" | "read", [amount] if _WHOLE.fullmatch(amount):
            return AppCalls(host, verb, (fd, int(amount)))
        case "linger", ["off"]:
            return AppCalls(host, "setsockopt", (fd, "SOL_SOCKET", "SO_LINGER", (0, 0)))
        case "linger", [seconds] if _WHOLE.fullmatch(seconds):
            return AppCalls(host, "setsockopt", (fd, "SOL_SOCKET", "SO_LINGER", (1, int(seconds))))
    return None


def written(moves: Iterable[Move]) -> str:
    """Moves in one word: ``4;lose(7);3;A.close(3)``, a number standing for a row of ``next``."""
    parts: list[str] = []
    row = 0
    for one in [*moves, None]:
        if one is not None and one.text == NEXT:
            row += 1
            continue
        if row:
            parts.append(str(row))
            row = 0
        if one is not None:
            parts.append(one.text)
    return ";".join(parts)


def read(text: str) -> list[Move]:
    """The moves of a `written` text.  ValueError for what is none, or for more than `MOST` of them."""
    found: list[Move] = []
    for part in filter(None, text.split(";")):
        found += [move(NEXT)] * min(int(part), MOST + 1) if _WHOLE.fullmatch(part) else [move(part)]
        if len(found) > MOST:
            raise ValueError(f"These are more than {MOST} moves; a game has at most that many.")
    return found


class Link(NamedTuple):
    """What a link says: a scenario, a step counted from 1, and the moves (None: the scenario runs by itself)."""

    scenario: str
    step: int
    profile: str
    seed: int
    moves: list[Move] | None


def read_link(text: str) -> Link:
    """Read ``scenario@step profile=… seed=… moves=…``; a ValueError that shows what links look like for others."""
    found = _LINK.fullmatch(text.strip())
    if found is None:
        raise ValueError(
            f"{text[:80]!r} is not a link; links look like orderly_close@9 or "
            "orderly_close@9 profile=source seed=1 moves=4;lose(7);3."
        )
    moves = None if found["moves"] is None else read(found["moves"])
    return Link(found["name"], int(found["step"]), found["profile"] or "source", int(found["seed"] or 0), moves)


_LINK = re.compile(
    r"(?P<name>[\w-]{1,80})@(?P<step>[0-9]{1,6})(?: profile=(?P<profile>[\w.-]{1,60}))?"
    r"(?: seed=(?P<seed>[0-9]{1,12}))?(?: moves=(?P<moves>[\w.,;()+-]{0,20000}))?"
)
