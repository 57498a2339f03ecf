"""A server and many clients: what their programs do to a host."""

from __future__ import annotations

import pytest

from tcpnotes.trace.records import Return
from tcpnotes.view.census import count
from tcpnotes.widgets.chapter import Telling
from tcpnotes.widgets.crowd import Steps, crowd

CLIENT: Steps = [(0.2, "write", 20), (0.6, "read", 1000), (0.8, "close")]
ANSWER: Steps = [(0.3, "read", 1000), (0.4, "write", 500)]


def returned(told: Telling, host: str, call: str) -> list[int | str]:
    return [r.errno or r.ret for r in told.records if isinstance(r, Return) and r.host == host and r.call == call]


def test_every_client_is_served() -> None:
    told = crowd(CLIENT, [*ANSWER, (0.5, "close")], count=3, apart=2, until=20)
    assert returned(told, "A", "connect") == [0, 0, 0] and returned(told, "A", "read") == [500, 500, 500]
    assert count(told.at(20).host("B")) == {"TIME_WAIT": 3}


def test_a_server_that_never_closes() -> None:
    told = crowd(CLIENT, ANSWER, count=3, until=90)
    assert count(told.at(90).host("B")) == {"CLOSE_WAIT": 3} and count(told.at(90).host("A")) == {}


def test_a_client_that_finds_no_port_does_nothing_more() -> None:
    ports = {"A": {"ip_local_port_low": 2000, "ip_local_port_high": 2001}}
    told = crowd(CLIENT, [*ANSWER, (1.0, "close")], count=3, apart=2, until=20, sysctl=ports)
    assert returned(told, "A", "connect") == [0, 0, "EAGAIN"]
    assert len(returned(told, "A", "read")) == len(returned(told, "A", "close")) == 2


def test_the_same_each_time() -> None:
    first, second = (crowd(CLIENT, ANSWER, count=2, until=10) for _ in range(2))
    assert first.records == second.records


def test_how_many() -> None:
    with pytest.raises(ValueError, match=r"1 to 40 clients, one after the other, not 41 at 1 s\."):
        crowd(CLIENT, ANSWER, count=41)
