"""Scripts with one expectation changed: every number, flag and errno that a script expects, one at a time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple


class Mutation(NamedTuple):
    """A changed script: the line that was changed (from 1), what was changed in it, and the whole text."""

    line: int
    what: str
    text: str


_PACKET = re.compile(
    r"^(?P<time>\s*\S+\s+>\s+)(?P<flags>[FSRPUEW.]+|-)(?P<gap>\s+)(?P<seq>\d+):(?P<end>\d+)\((?P<len>\d+)\)(?P<rest>.*)$"
)
_ERRNO = re.compile(r"= -1 (E\w+)")
_RESULT = re.compile(r"^(.*\) = )(\d+)\s*$")
_OTHER_FLAGS = {"F.": ".", ".": "F.", "S.": "S", "S": "S.", "R": "R.", "R.": "R", "P.": "FP.", "FP.": "P."}


def mutations(text: str) -> Iterator[Mutation]:
    """Every way to spoil one expectation of a script."""
    lines = text.split("\n")
    for at, line in enumerate(lines):
        for what, changed in _of_line(line):
            yield Mutation(at + 1, what, "\n".join([*lines[:at], changed, *lines[at + 1 :]]))


def _of_line(line: str) -> Iterator[tuple[str, str]]:
    if line.lstrip().startswith("//"):
        return
    if found := _PACKET.match(line):
        yield from _of_packet(found)
    elif "assert" in line and (state := re.search(r"== TCP_(\w+)", line)):
        other = "TCP_LISTEN" if state[1] != "LISTEN" else "TCP_CLOSE"
        yield "assertion", line.replace(f"TCP_{state[1]}", other)
    elif "(" in line and " < " not in line and not line.startswith("`"):
        yield from _of_call(line)


def _of_packet(found: re.Match[str]) -> Iterator[tuple[str, str]]:
    time, flags, gap, seq, end, length, rest = found.groups()
    first, last, size = int(seq), int(end), int(length)

    def packet(flags: str = flags, seq: int = first, end: int = last, length: int = size, rest: str = rest) -> str:
        return f"{time}{flags}{gap}{seq}:{end}({length}){rest}"

    yield "flags", packet(flags=_OTHER_FLAGS[flags])
    yield "seq", packet(seq=first + 1, end=last + 1)
    yield "length", packet(end=last + 1, length=size + 1)
    for word in ("ack", "win"):
        if number := re.search(rf"\b{word} (\d+)", rest):
            yield word, packet(rest=rest.replace(number[0], f"{word} {int(number[1]) + 1}", 1))
    if mss := re.search(r"mss (\d+)", rest):
        yield "mss", packet(rest=rest.replace(mss[0], f"mss {int(mss[1]) + 1}"))
    for word in ("val", "ecr"):
        if stamp := re.search(rf"{word} (\d+)", rest):
            yield word, packet(rest=rest.replace(stamp[0], f"{word} {int(stamp[1]) + 1}"))
    # A time that is waited for; where none is, the tolerance hides a change.
    if waited := re.match(r"\s*\+(\d*\.?\d+)\s+>", time):
        if float(waited[1]) > 0:
            yield "time", packet().replace(f"+{waited[1]}", f"+{float(waited[1]) * 1.5 + 0.2:g}", 1)


def _of_call(line: str) -> Iterator[tuple[str, str]]:
    if errno := _ERRNO.search(line):
        other = "EBADF" if errno[1] != "EBADF" else "EPIPE"
        yield "errno", re.sub(r"= -1 .*", f"= -1 {other} (something else)", line)
        yield "result", re.sub(r"= -1 .*", "= 7", line)
    elif result := _RESULT.match(line):
        yield "result", f"{result[1]}{int(result[2]) + 1}"
        yield "failure", f"{result[1]}-1 EBADF (Bad file descriptor)"
    if "getsockopt" in line and (value := re.search(r"\[(-?\d+|E\w+)\], \[", line)):
        other = "ENOBUFS" if value[1].startswith("E") else str(int(value[1]) + 1)
        yield "value", line.replace(value[0], f"[{other}], [", 1)
    if "ioctl" in line and (value := re.search(r"\[(\d+)\]\) =", line)):
        yield "value", line.replace(value[0], f"[{int(value[1]) + 1}]) =", 1)
    if revents := re.search(r"revents=([A-Z|]+)", line):
        yield "revents", line.replace(revents[0], "revents=POLLERR", 1)
    if blocking := re.match(r"(\s*\S+?\.\.\.)(\d*\.\d+)(\s.*)", line):
        yield "time", f"{blocking[1]}{float(blocking[2]) + 0.3:g}{blocking[3]}"
