"""What is recorded, read by tshark: numbers, flags, options, checksums, comments and who closes are the trace's."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from captures import explained

from tcpnotes.capture.record import EPOCH, capture_of
from tcpnotes.capture.write import options
from tcpnotes.scenarios import run, scenario_names
from tcpnotes.trace.records import Received, Sent
from tcpnotes.trace.segment import ACK, FIN, RST, SYN, Segment

FIELDS = (
    "frame.number", "frame.time_epoch", "ip.src", "ip.dst", "tcp.srcport", "tcp.dstport", "tcp.seq_raw", "tcp.ack_raw",
    "tcp.flags", "tcp.len", "tcp.window_size_value", "tcp.options", "ip.checksum.status", "tcp.checksum.status",
    "frame.comment", "_ws.expert.severity", "_ws.expert.message", "_ws.malformed", "tcp.stream",
    "tcp.connection.fin_active", "tcp.analysis.retransmission",
)  # fmt: skip
GOOD = "1"
ERROR = 0x00800000  # severity of an error; a warning is 0x00600000
PROFILES = ("source", "linux-2.4.0")


def recorded(name: str, profile: str) -> bytes:
    return capture_of(run(name, profile=profile, frames=True), profile)


@cache
def segments(name: str, profile: str) -> list[tuple[int, Segment]]:
    records = run(name, profile=profile).recorder.records
    return [(r.t, r.seg) for r in records if isinstance(r, Sent) or (isinstance(r, Received) and r.wire is None)]


def read(tshark: str, path: Path) -> list[dict[str, str]]:
    """The packets of a file as tshark sees them; it must not complain."""
    words = [tshark, "-r", str(path), "-n", "-T", "fields", "-E", "separator=/t", "-E", "occurrence=a"]
    words += [
        "-o",
        "tcp.check_checksum:TRUE",
        "-o",
        "ip.check_checksum:TRUE",
        "-o",
        "tcp.relative_sequence_numbers:FALSE",
    ]
    for field in FIELDS:
        words += ["-e", field]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    complaints = [line for line in done.stderr.splitlines() if "Running as user" not in line]
    assert complaints == []
    return [dict(zip(FIELDS, line.split("\t"), strict=True)) for line in done.stdout.splitlines()]


@pytest.fixture(scope="session", params=PROFILES)
def profile(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture(params=scenario_names())
def name(request: pytest.FixtureRequest) -> Any:
    return request.param


def dotted(address: int) -> str:
    return ".".join(str(part) for part in address.to_bytes(4, "big"))


def test_tshark_reads_what_the_trace_says(tshark: str, name: str, profile: str, tmp_path: Path) -> None:
    path = tmp_path / f"{name}.pcapng"
    content = recorded(name, profile)
    path.write_bytes(content)
    packets = read(tshark, path)
    told = segments(name, profile)
    assert len(packets) == len(told)
    for (t, seg), packet in zip(told, packets, strict=True):
        assert packet["frame.time_epoch"] == f"{EPOCH + t // 1_000_000}.{t % 1_000_000:06}000"
        assert (packet["ip.src"], packet["ip.dst"]) == (dotted(seg.saddr), dotted(seg.daddr))
        assert (int(packet["tcp.srcport"]), int(packet["tcp.dstport"])) == (seg.sport, seg.dport)
        assert int(packet["tcp.seq_raw"]) == seg.seq
        assert int(packet["tcp.ack_raw"]) == (seg.ack_seq if seg.flags & ACK else 0)
        assert int(packet["tcp.flags"], 16) == seg.flags
        assert (int(packet["tcp.len"]), int(packet["tcp.window_size_value"])) == (seg.len, seg.window)
        assert packet["tcp.options"].replace(",", "") == options(seg).hex()
        assert packet["ip.checksum.status"] == packet["tcp.checksum.status"] == GOOD
        assert packet["_ws.malformed"] == ""
        severities = [int(text, 0) for text in packet["_ws.expert.severity"].split(",") if text]
        assert max(severities, default=0) < ERROR
        said = packet["_ws.expert.message"]
        assert ("Connection finish (FIN)" in said) == bool(seg.flags & FIN)
        assert ("Connection reset (RST)" in said) == bool(seg.flags & RST)
        assert ("Connection establish request (SYN)" in said) == (seg.flags & (SYN | ACK) == SYN)
        assert ("Connection establish acknowledge (SYN+ACK)" in said) == (seg.flags & (SYN | ACK) == SYN | ACK)
    # Who closes first, of each connection that is closed by a FIN, is who tshark calls active.
    active = {
        packet["tcp.stream"]: int(packet["frame.number"])
        for packet in packets[::-1]
        if packet["tcp.connection.fin_active"]
    }
    streams = {int(packet["frame.number"]): packet["tcp.stream"] for packet in packets}
    for connection, _ in explained(content):
        fins = [end.fin.number for end in connection.ends if end.fin is not None]
        if fins:
            assert active[streams[connection.first.number]] == min(fins)


def test_tshark_sees_a_segment_that_came_again_as_a_retransmission(tshark: str, tmp_path: Path) -> None:
    for name in ("last_ack_lost", "fin_lost_in_closing", "nobody_answers", "half_close_data_lost"):
        path = tmp_path / f"{name}.pcapng"
        path.write_bytes(recorded(name, "linux-2.4.0"))
        seen = set()
        again = []
        for number, (_, seg) in enumerate(segments(name, "linux-2.4.0"), 1):
            key = (seg.saddr, seg.seq, seg.len, seg.flags & (SYN | FIN))
            if key in seen and (seg.len or seg.flags & (SYN | FIN)):
                again.append(number)
            seen.add(key)
        assert again
        found = [int(p["frame.number"]) for p in read(tshark, path) if p["tcp.analysis.retransmission"]]
        assert found == again


def test_a_comment_is_read_as_it_was_written(tshark: str, tmp_path: Path) -> None:
    path = tmp_path / "x.pcapng"
    path.write_bytes(recorded("orderly_close", "source"))
    comments = [packet["frame.comment"] for packet in read(tshark, path)]
    assert comments[7] == "sent: 1.0 1.3 1.3b; on arrival: 2.0 2.1 2.2 S.4d"
    assert [bool(comment) for comment in comments].count(True) == 4
