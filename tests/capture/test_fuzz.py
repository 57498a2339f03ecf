"""Captures that nobody would write: changed, cut, spliced and made up.  Whatever comes, there is an answer."""

from __future__ import annotations

import gzip
import io
import json
import random
import resource
import time
from pathlib import Path

import pytest
from captures import OPEN, frames, interface, pcap, said, section
from hypothesis import given
from hypothesis import strategies as st

from tcpnotes.capture import CaptureError, CaptureFile, Explainer
from tcpnotes.capture.connection import Connection
from tcpnotes.capture.files import Packet
from tcpnotes.capture.filters import parse_filter
from tcpnotes.capture.follow import Follower
from tcpnotes.capture.layers import Layers, Seen, usual
from tcpnotes.capture.verdict import HOWS, judge
from tcpnotes.capture.words import sentence

DATA = Path(__file__).parent / "data"
PACKETS = frames(said(OPEN + "1 A P. 1 1 20\n1.1 A F. 21 1\n1.2 B F. 1 22\n1.3 A . 22 2\n2 B R 1"))
SEEDS = [
    *(path.read_bytes() for path in sorted(DATA.glob("*.pcapng"))),
    pcap(PACKETS), pcap(PACKETS, order=">", nano=True), pcap(PACKETS, snap=60), gzip.compress(pcap(PACKETS), 1),
    *(pcap([(t, data[14:]) for t, data in PACKETS], link=link) for link in (101, 229, 0, 113, 276)),
    section(">") + interface(order=">"),
]  # fmt: skip
INTERESTING = (0, 1, 4, 8, 12, 0x7F, 0x80, 0xFF, 0x45, 0x60, 0x06, 0x2C, 0x2B)
LONG_RUN = 1_000_000


def go_through(content: bytes) -> None:
    """Explain a file and say all there is to say; only a file that is no capture at all may be refused."""
    try:
        capture = CaptureFile("fuzz", io.BytesIO(content))
        explainer = Explainer(capture, most_open=50, most_over=20)
        for explained in explainer:
            assert explained.verdict.how in HOWS
            json.dumps(explained.fields())
    except CaptureError as error:
        assert str(error).startswith("fuzz: ")
        return
    assert all(reason and count > 0 for reason, count in explainer.skipped.items())


def changed(dice: random.Random, content: bytes) -> bytes:
    """One of the seeds with some of its bytes changed, removed or repeated, or its end cut off."""
    data = bytearray(content)
    for _ in range(dice.choice((1, 1, 2, 4, 16))):
        at = dice.randrange(len(data)) if data else 0
        match dice.randrange(6):
            case 0:
                data[at : at + 1] = bytes((dice.randrange(256),))
            case 1:
                data[at : at + 1] = bytes((dice.choice(INTERESTING),))
            case 2:
                data[at : at + 4] = dice.choice((b"\xff\xff\xff\xff", bytes(4), b"\0\0\0\x80", dice.randbytes(4)))
            case 3:
                del data[at : at + dice.randrange(1, 64)]
            case 4:
                data[at:at] = data[at : at + dice.randrange(1, 200)]
            case 5:
                del data[dice.randrange(len(data)) if data else 0 :]
    return bytes(data)


@given(st.integers(0, 1 << 60))
def test_changed_captures(number: int) -> None:
    dice = random.Random(number)
    for _ in range(20):
        go_through(changed(dice, dice.choice(SEEDS)))


@given(st.binary(max_size=300))
def test_bytes_that_are_no_capture(content: bytes) -> None:
    for head in (b"", b"\xd4\xc3\xb2\xa1", b"\x0a\x0d\x0d\x0a", section() + interface(), b"\x1f\x8b\x08", pcap([])):
        go_through(head + content)


@given(st.binary(max_size=200), st.sampled_from([0, 1, 12, 101, 108, 113, 228, 229, 276, 147, -1]))
def test_packets_that_are_none(data: bytes, link: int) -> None:
    found = Layers().segment(Packet(1, 0, link, data, len(data)))
    assert isinstance(found, (Seen, str))


@given(st.integers(0, 1 << 60))
def test_a_packet_looked_at_directly_is_what_the_library_sees(number: int) -> None:
    dice = random.Random(number)
    layers = Layers()
    for _ in range(20):
        data = bytearray(dice.choice(PACKETS)[1])
        for _ in range(dice.randrange(4)):
            data[dice.randrange(12, len(data))] = dice.choice((*INTERESTING, dice.randrange(256)))
        del data[dice.randrange(54, 80) :]
        packet = Packet(1, 0, 1, bytes(data), len(data))
        found = usual(packet)
        if found is not None:
            assert found == layers._segment(packet)


def segment(dice: random.Random, number: int) -> Seen:
    """A segment between few ends, with numbers that are near each other or far."""
    a, b = (b"\x0a\0\0\1", 1), (b"\x0a\0\0\2", 2)
    if dice.random() < 0.5:
        a, b = b, a
    base = dice.choice((0, 0xFFFFFFF0, 0x7FFFFFF0))
    seq, ack = ((base + dice.choice((-1, 0, 1, 2, 5, 6, 7, 100, 70_000))) & 0xFFFFFFFF for _ in "ab")
    flags = dice.choice((2, 18, 16, 16, 24, 17, 17, 4, 20, 0, 1, 3, 7, 255))
    length = dice.choice((0, 0, 0, 1, 5, 70_000))
    return Seen(*a, *b, number, number * dice.choice((0, 1, 10**6, 10**9)), seq, ack, flags, 100, length, b"")


def conversation(dice: random.Random) -> None:
    done: list[Connection] = []
    follower = Follower(done.append, most_open=3, most_over=2)
    for number in range(1, dice.randrange(2, 40)):
        follower.feed(segment(dice, number))
    follower.finish()
    assert len(done) == follower.count
    for connection in done:
        verdict = judge(connection, dice.choice((0, 10**9, 10**12)))
        assert verdict.how in HOWS
        assert all(sentence(said) for said in verdict.statements)


@given(st.integers(0, 1 << 60))
def test_conversations_that_make_no_sense(number: int) -> None:
    for i in range(20):
        conversation(random.Random(number + i))


@given(st.text(alphabet="port=80 and(not)how<>!orderly.:/", max_size=60))
def test_expressions_that_make_no_sense(text: str) -> None:
    try:
        parse_filter(text)
    except CaptureError as error:
        assert str(error).startswith("--filter: ")


@pytest.mark.long
@pytest.mark.timeout(4 * 3600)
def test_a_million_inputs() -> None:
    """No traceback, no hang, no memory that grows."""
    dice = random.Random(20001209)
    memory = slowest = 0.0
    for number in range(LONG_RUN):
        began = time.process_time()
        if number % 2:
            go_through(changed(dice, dice.choice(SEEDS)))
        else:
            conversation(dice)
        slowest = max(slowest, time.process_time() - began)
        if number == LONG_RUN // 10:
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert slowest < 10
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < memory * 1.2
