"""However large or hostile a capture is, memory stays bounded, and what was given up is told."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator

import pytest
from captures import OPEN, START, frames, said

from tcpnotes.capture import Explainer
from tcpnotes.capture.connection import MOST
from tcpnotes.capture.files import CaptureFile, Packet
from tcpnotes.capture.follow import Follower
from tcpnotes.capture.layers import Seen

CLOSE = "1 A F. 1 1\n1.1 B F. 1 2\n1.2 A . 2 2"


class Stream:
    """A capture that is never in memory: packets as they are asked for."""

    def __init__(self, packets: Iterator[tuple[int, bytes]]) -> None:
        self._packets = packets
        self.skipped: dict[str, int] = {}
        self.at = 0

    def __iter__(self) -> Iterator[Packet]:
        for number, (t, data) in enumerate(self._packets, 1):
            yield Packet(number, t, 1, data, len(data))


def explainer(packets: Iterator[tuple[int, bytes]], **limits: int) -> Explainer:
    stream: CaptureFile = Stream(packets)  # type: ignore[assignment]
    return Explainer(stream, **limits)


def closed(count: int) -> Iterator[tuple[int, bytes]]:
    """Connections, one after the other, each closed; three seconds of the capture each."""
    template = frames(said(OPEN + CLOSE))
    for number in range(count):
        port = (1024 + number % 60_000).to_bytes(2, "big")
        host = (number // 60_000).to_bytes(1, "big")
        for t, data in template:
            there = data[26:30] == b"\x0a\0\0\1"
            at, address = (34, 27) if there else (36, 31)
            yield t + number * 3_000_000, data[:address] + host + data[address + 1 : at] + port + data[at + 2 :]


def peak(packets: Iterator[tuple[int, bytes]], **limits: int) -> int:
    tracemalloc.start()
    for _ in explainer(packets, **limits):
        pass
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most


def test_closed_connections_are_forgotten() -> None:
    few = peak(closed(300), most_over=100)
    many = peak(closed(3000), most_over=100)
    assert many < 1.5 * few


def test_they_are_forgotten_by_the_time_of_the_capture_too() -> None:
    hours = ((START + (t - START) * 1000, data) for t, data in closed(1000))  # three seconds from one to the next
    run = explainer(hours)
    waiting = [run.packets // 6 - number for number, _ in enumerate(run, 1)]
    assert len(waiting) == 1000
    assert max(waiting) < 50  # two minutes' worth


def test_a_flood_of_open_connections_is_reported_and_told() -> None:
    packets = (pair for port in range(1024, 2024) for pair in frames(said("0 A S 0"), port=port))
    run = explainer(packets, most_open=100)
    verdicts = [explained.verdict for explained in run]
    assert len(verdicts) == 1000
    assert run.dropped == 900
    assert sum("dropped" in verdict.tags for verdict in verdicts) == 900


def test_the_one_that_was_silent_longest_is_given_up_first() -> None:
    dropped: list[int] = []
    follower = Follower(lambda connection: dropped.append(connection.number), most_open=2)

    def segment(port: int, seq: int) -> Seen:
        return Seen(b"\x0a\0\0\1", port, b"\x0a\0\0\2", 80, 1, 1, seq, 0, 16, 0, 1, b"")

    for port, seq in ((1, 0), (2, 0), (1, 1), (3, 0)):
        follower.feed(segment(port, seq))
    assert dropped == [2]


HOSTILE = {
    "holes": lambda i: f"1 A P. {1 + 3 * i} 1 1",
    "data again": lambda i: "1 A P. 1 1 1",
    "FINs again": lambda i: "1 A F. 1 1",
    "SYNs again": lambda i: "1 A S 0",
    "RSTs outside the window": lambda i: f"1 B R {200_000 + i}",
    "probes": lambda i: "1 A . 0 1",
    "states back and forth": lambda i: ["1 A R. 1 1", f"1 B . 1 {2 + i}", f"1 A P. {1 + i} 1 1"][i % 3],
}


@pytest.mark.parametrize("name", HOSTILE)
def test_no_connection_grows_with_its_length(name: str) -> None:
    say = HOSTILE[name]

    def packets(count: int) -> Iterator[tuple[int, bytes]]:
        yield from frames(said(OPEN))
        for i in range(count):
            yield from frames(said(say(i)))

    assert peak(packets(3000)) < peak(packets(300)) + 20_000
    (found,) = explainer(packets(3000))
    for end in found.connection.ends:
        lists = (end.states, end.holes, end.fin_again, end.again_points)
        assert all(len(remembered) <= 4 * MOST for remembered in lists)
    assert len(found.connection.strays) <= MOST


def test_an_end_that_talks_to_itself_is_no_crash() -> None:
    own = Seen(b"\x7f\0\0\1", 80, b"\x7f\0\0\1", 80, 1, 1, 5, 0, 2, 0, 0, b"")
    follower = Follower(lambda _: None)
    for flags in (2, 18, 16, 17, 17, 4, 2):
        follower.feed(own._replace(flags=flags, seq=own.seq + flags))
    follower.finish()
