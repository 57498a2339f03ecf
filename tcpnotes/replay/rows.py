"""Rows: what happened, in the one form that recordings and the engine's own runs have in common.

A row is a tuple that begins with its kind and its time in seconds:

    call         t  i  fn  ret  errno  t_return  value      i counts calls and segments from 0
    return       t  i  fn  ret  errno
    in           t  i
    out          t  flags  seq  len  ack  win  options  function  peer_port
    state        t  sk  fd  old  new  function
    child        t  sk  parent
    tw           t  tw  op  substate  timeout
    timer        t  sk  name  op  expires
    count        t  name
    wake         t  sk  which
    purge        t  skbs  function
    sk_err       t  sk  err          sk_shutdown   t  sk  bits          sk_free   t  sk
    signal       t  name             printk        t  text
    calls        t  ((depth, function), …)                  what one stimulus called

Sequence numbers are relative to the first ones, ``sk`` and ``tw`` number sockets
and buckets together, ``value`` and ``peer_port`` are None where there is nothing to say.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

Row = tuple[Any, ...]

LEVELS = ("L1", "L2", "L3")
_L1 = frozenset({"call", "return", "out", "child", "state", "tw", "signal"})
_L2 = _L1 | {"timer", "count", "wake", "purge", "sk_err", "sk_shutdown", "sk_free", "printk"}
_L3 = _L2 | {"calls"}
KINDS = {"L1": _L1, "L2": _L2, "L3": _L3}

# What the compact recordings leave out, and so nobody compares.
_SILENT_TIMERS = frozenset({"twkill", "twcal", "schedule_timeout", "retrans_idle"})
_SILENT_COUNTERS = frozenset(
    {"TcpInSegs", "IpInDelivers", "TcpOutSegs", "TcpCurrEstab", "DelayedACKs", "TCPPureAcks"}
)  # fmt: skip

# Which field of a row is the number of a socket or bucket.
_NUMBERS = {
    "state": (2,), "child": (2, 3), "tw": (2,), "timer": (2,), "wake": (2,), "sk_err": (2,), "sk_shutdown": (2,),
    "sk_free": (2,),
}  # fmt: skip
_TIMES = {"call": (1, 6), "timer": (1, 5), "tw": (1, 5)}
NO_BUCKET = -1


def silent_timer(name: str, op: str) -> bool:
    """Is this a timer's row that is not compared (the SYN-ACK timer of a listener, where its state is known)?"""
    return name in _SILENT_TIMERS or (name == "delack" and op == "clear")


def silent_counter(name: str) -> bool:
    """Is this a counter that is not compared?"""
    return name in _SILENT_COUNTERS or name.startswith("TCPHP")


def comparable(rows: Iterable[Row], level: str) -> Iterator[tuple[int, Row]]:
    """The rows that ``level`` compares, each with its index: numbers in order of first appearance, times to 0.1 ms."""
    kinds = KINDS[level]
    numbers: dict[int, int] = {}
    for index, row in enumerate(rows):
        kind = row[0]
        if kind not in kinds:
            continue
        fields = list(row)
        for at in _NUMBERS.get(kind, ()):
            if fields[at] is not None and fields[at] != NO_BUCKET:
                fields[at] = numbers.setdefault(fields[at], len(numbers) + 1)
        for at in _TIMES.get(kind, (1,)):
            if fields[at] is not None:
                fields[at] = round(fields[at] * 10_000)
        if kind == "out":
            fields[2] = "".join(sorted(fields[2]))
            fields[7] = tuple(fields[7])
            if level == "L1":
                fields[6] = None
        elif kind == "printk":
            fields[2] = fields[2].split("%")[0]
        yield index, tuple(fields)
