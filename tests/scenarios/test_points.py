"""The points at which versions differ: what the engine answers under each profile."""

from __future__ import annotations

import pytest

from tcpnotes.kernel.profile import PROFILES
from tcpnotes.scenarios import scenario_names
from tcpnotes.scenarios.points import GROUPS, POINTS, Point, points
from tcpnotes.source import item_ids

NAMED = {point.name: point for point in POINTS}


def answers(name: str) -> list[str]:
    return [NAMED[name].ask(profile) for profile in PROFILES]


@pytest.mark.parametrize("point", POINTS, ids=lambda point: point.name)
def test_every_point_is_cited_and_can_be_asked(point: Point) -> None:
    assert point.rfc and point.group in GROUPS and point.scenario in scenario_names()
    assert set(point.items) <= set(item_ids())
    assert all(point.ask(profile) for profile in PROFILES)


def test_every_group_has_points_and_every_name_is_its_own() -> None:
    assert sum(len(points(group)) for group in GROUPS) == len(points()) == len(NAMED)


@pytest.mark.parametrize(
    ("name", "source", "released", "current"),
    [
        ("data after close, before the ACK of the FIN", "ACK; dropped", "RESET", "RESET"),
        ("text that starts on the FIN's own number", "nothing", "RESET", "RESET"),
        ("the same in LAST_ACK", "nothing", "nothing", "RESET"),
        ("close with unread data, reset before", "RESET", "RESET", "nothing"),
        ("a SYN in the window", "ends the connection, RESET", "ends the connection, RESET", "challenged by an ACK"),
        ("text without the ACK flag", "text taken", "text taken", "dropped"),
        ("TIME_WAIT lasts", "53.4 to 60.0 s", "53.4 to 60.0 s", "60.0 s"),
        ("the same with tcp_rfc1337", "time starts again", "time starts again", "time goes on"),
        ("connect over one's own bucket", "connect returns 0", "connect returns 0", "connect returns 0"),
        ("TCP_LINGER2 of 300 s, read back", "0 s", "0 s", "120 s"),
        ("a lost SYN is sent again", "after 3.00 s", "after 3.00 s", "after 1.00 s"),
        ("a linger time of 1 s, the peer silent", "1.00 s, then 0", "1.00 s, then 0", "1.00 s, then 0"),
    ],
)
def test_answers(name: str, source: str, released: str, current: str) -> None:
    assert answers(name) == [source, released, current]


def test_an_orphan_behind_a_shut_window__for_ever_or_not() -> None:
    source, released, current = answers("an orphan whose probes are answered")
    assert source == released == "there after two hours" and current.startswith("given up after ")
