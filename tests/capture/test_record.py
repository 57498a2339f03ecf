"""A scenario written as a capture, and read again."""

from __future__ import annotations

import io
from functools import cache

import pytest
from captures import capture, explained

from tcpnotes.capture import CaptureFile
from tcpnotes.capture.files import Packet
from tcpnotes.capture.layers import Layers, Seen
from tcpnotes.capture.record import EPOCH, capture_of
from tcpnotes.capture.write import frame, options
from tcpnotes.cli import main
from tcpnotes.scenarios import Run, run, scenario_names
from tcpnotes.trace import Segment
from tcpnotes.trace.records import Lost, Received, Sent


@cache
def played(name: str, profile: str = "source") -> Run:
    return run(name, profile=profile, frames=True)


@cache
def recorded(name: str) -> list[tuple[Packet, Seen]]:
    layers = Layers()
    pairs = []
    for packet in CaptureFile(name, io.BytesIO(capture_of(played(name), "source"))):
        seen = layers.segment(packet)
        assert isinstance(seen, Seen)
        pairs.append((packet, seen))
    return pairs


@pytest.mark.parametrize("name", scenario_names())
def test_every_segment_is_there_once_with_its_numbers_and_its_time(name: str) -> None:
    records = played(name).recorder.records
    told = [r for r in records if isinstance(r, Sent) or (isinstance(r, Received) and r.wire is None)]
    found = recorded(name)
    assert len(found) == len(told)
    for record, (_, seen) in zip(told, found, strict=True):
        seg = record.seg
        assert seen.t == EPOCH * 1_000_000_000 + record.t * 1000
        assert (seen.sport, seen.dport, seen.seq, seen.flags) == (seg.sport, seg.dport, seg.seq, seg.flags)
        assert (seen.window, seen.len, seen.options) == (seg.window, seg.len, options(seg))
        assert seen.saddr == seg.saddr.to_bytes(4, "big")


@pytest.mark.parametrize("name", scenario_names())
def test_a_lost_segment_says_so(name: str) -> None:
    lost = {record.wire for record in played(name).recorder.records if isinstance(record, Lost)}
    comments = [packet.comment or "" for packet, _ in recorded(name)]
    assert sum("lost on the wire" in comment for comment in comments) == len(lost)


def test_comments_name_the_items_of_sending_and_arrival() -> None:
    comments = {packet.number: packet.comment for packet, _ in recorded("orderly_close")}
    assert comments[8] == "sent: 1.0 1.3 1.3b; on arrival: 2.0 2.1 2.2 S.4d"
    assert comments[11] == "sent: 5.0 5.1 7.0; on arrival: 6.0"


def checksum(data: bytes) -> int:
    """RFC 1071 over ``data``: 0 when a right checksum is in it."""
    data += bytes(len(data) % 2)
    total = sum(int.from_bytes(data[i : i + 2], "big") for i in range(0, len(data), 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


@pytest.mark.parametrize("name", ["orderly_close", "half_close", "closed_window", "reset_in_closing"])
def test_checksums_are_right(name: str) -> None:
    for packet, _ in recorded(name):
        ip, tcp = packet.data[14:34], packet.data[34:]
        assert checksum(ip) == 0
        assert checksum(ip[12:20] + b"\0\6" + len(tcp).to_bytes(2, "big") + tcp) == 0


def test_the_same_bytes_every_time_and_other_numbers_with_another_seed() -> None:
    first = capture_of(run("orderly_close", frames=True), "source")
    assert first == capture_of(run("orderly_close", frames=True), "source")
    assert first != capture_of(run("orderly_close", frames=True, seed=1), "source")


OPTIONS = {
    "MSS, SACK permitted in place of two NOPs, timestamps, NOP and window scale": (
        Segment(1, 1, 2, 2, 0, 0, 2, 0, mss=1460, sack_ok=True, ts=(1, 0), wscale=0),
        "020405b40402080a000000010000000001030300",
    ),
    "no timestamps": (Segment(1, 1, 2, 2, 0, 0, 2, 0, mss=1460, sack_ok=True), "020405b401010402"),
    "no SACK": (Segment(1, 1, 2, 2, 0, 0, 2, 0, mss=1460, ts=(1, 0)), "020405b40101080a0000000100000000"),
    "blocks after timestamps": (
        Segment(1, 1, 2, 2, 0, 0, 16, 0, ts=(1, 2), sacks=((3, 4),)),
        "0101080a00000001000000020101050a0000000300000004",
    ),
    "none": (Segment(1, 1, 2, 2, 0, 0, 16, 0), ""),
}  # fmt: skip


@pytest.mark.parametrize("name", OPTIONS)
def test_options_stand_in_the_order_of_linux_2_4(name: str) -> None:
    seg, expected = OPTIONS[name]
    assert options(seg).hex() == expected
    data = frame(seg, src=b"\2" * 6, dst=b"\4" * 6)
    assert data[54:].hex() == expected
    assert data[46] >> 4 == 5 + len(expected) // 8


HOW = {
    "orderly_close": "orderly", "simultaneous_close": "simultaneous", "half_close": "half_close",
    "close_with_unread_data": "unread_data", "linger_zero": "linger_zero", "data_before_ack_of_fin": "data_after_close",
    "reset_in_close_wait": "reset_in_close_wait", "too_many_orphans": "orphan_killed", "fin_rides_on_data": "orderly",
    "bucket_table_full": "bucket_gone", "fin_wait2_time_out": "half_closed", "nobody_answers": "closing",
}  # fmt: skip


@pytest.mark.parametrize("name", HOW)
def test_a_scenario_is_explained_as_what_it_is(name: str) -> None:
    first = explained(capture_of(played(name, "linux-2.4.0"), "linux-2.4.0"))[0]
    assert first.verdict.how == HOW[name]


def test_the_command_writes_the_file_and_replaces_one_that_is_there(tmp_path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "x.pcapng"
    path.write_bytes(b"old")
    assert main(["record", "orderly_close", str(path), "--profile", "linux-2.4.0", "--seed", "3"]) == 0
    assert path.read_bytes() == capture_of(
        run("orderly_close", profile="linux-2.4.0", seed=3, frames=True), "linux-2.4.0"
    )
    assert [entry.name for entry in tmp_path.iterdir()] == ["x.pcapng"]
    assert len(list(capture(path.read_bytes()))) == 11
