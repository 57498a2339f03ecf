"""What hosts write as plain tuples is records to whoever looks."""

from __future__ import annotations

import operator
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from tcpnotes.trace.records import Count, Enter
from tcpnotes.trace.written import Written
from tcpnotes.world import World

ENTERED = (5, "A", 0, "tcp_close", 1, "enter")
COUNTED = (5, "A", 1, "TcpOutSegs", "tcp_close", "count")


@pytest.mark.parametrize(
    "look",
    [
        list,
        sorted,
        tuple,
        lambda written: written[:],
        lambda written: written.__add__([]),
        lambda written: operator.add([], written),
        lambda written: [*written],
        lambda written: written.copy(),
        lambda written: list(reversed(written))[::-1],
        lambda written: [written[0], written[-1]],
        lambda written: [written.pop(0), written.pop()],
        lambda written: pickle.loads(pickle.dumps(written)),
    ],
)
def test_whoever_looks_finds_records(look: Callable[[Any], Any]) -> None:
    written = Written()
    for fields in (ENTERED, COUNTED):
        list.append(written, fields)
    assert [type(record) for record in look(written)] == [Enter, Count]


def test_its_text_is_that_of_records() -> None:
    written = Written()
    list.append(written, ENTERED)
    assert repr(written) == repr([Enter(*ENTERED)])


def test_who_holds_the_list_sees_what_is_written_later() -> None:
    world = World("linux-2.4.0")
    records = world.listen().records
    assert records == []
    world.call("A", "socket")
    first = len(records)
    world.call("A", "close", 3)
    assert len(records) > first and all(record.kind for record in records)
    assert isinstance(records[-1], tuple) and records[-1].kind == "return"
