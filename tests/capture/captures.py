"""Captures made by hand: a conversation said line by line, and files of every form around it."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from tcpnotes.capture import CaptureFile, Explained, Explainer
from tcpnotes.capture.write import CaptureWriter, frame
from tcpnotes.trace import Segment

CARDS = (b"\x02\0\0\0\0\x01", b"\x02\0\0\0\0\x02")
A, B = 0x0A000001, 0x0A000002
FLAGS = {"F": 1, "S": 2, "R": 4, "P": 8, ".": 16}
SECOND = 1_000_000_000
START = 1_700_000_000 * SECOND


class Line(NamedTuple):
    """Who sends what: ``S 0:0 ack 0`` and so on, numbers relative to the initial ones."""

    t: float
    src: str
    flags: str
    seq: int
    ack: int = 0
    len: int = 0


def said(text: str) -> list[Line]:
    """Lines such as ``0.1 A F. 1 1`` (seconds, end, flags, seq, ack, and perhaps a length)."""
    lines = []
    for row in text.strip().splitlines():
        t, src, flags, *numbers = row.split()
        lines.append(Line(float(t), src, flags, *map(int, numbers)))
    return lines


OPEN = """
    0.00 A S  0
    0.01 B S. 0 1
    0.02 A .  1 1
"""


def segment(line: Line, *, port: int = 1025, first: tuple[int, int] = (1000, 5000)) -> Segment:
    side = "AB".index(line.src)
    ends = ((A, port), (B, 80))
    (saddr, sport), (daddr, dport) = ends[side], ends[1 - side]
    flags = sum(FLAGS[letter] for letter in line.flags)
    return Segment(
        saddr, sport, daddr, dport, (first[side] + line.seq) & 0xFFFFFFFF, (first[1 - side] + line.ack) & 0xFFFFFFFF,
        flags, 500, line.len,
    )  # fmt: skip


def frames(lines: Iterable[Line], **kw: object) -> list[tuple[int, bytes]]:
    """Lines as pairs of time (nanoseconds since 1970) and Ethernet frame."""
    made = []
    for line in lines:
        side = "AB".index(line.src)
        data = frame(segment(line, **kw), src=CARDS[side], dst=CARDS[1 - side])  # type: ignore[arg-type]
        made.append((START + round(line.t * SECOND), data))
    return made


def pcapng(packets: Iterable[tuple[int, bytes]]) -> bytes:
    out = io.BytesIO()
    writer = CaptureWriter(out, ["test"])
    for t, data in packets:
        writer.packet(data, t)
    return out.getvalue()


def pcap(
    packets: Iterable[tuple[int, bytes]], *, order: str = "<", nano: bool = False, link: int = 1, snap: int = 0
) -> bytes:
    """A pcap file; with ``snap``, only so many bytes of each packet are kept."""
    parts = [struct.pack(order + "IHHiIII", 0xA1B23C4D if nano else 0xA1B2C3D4, 2, 4, 0, 0, snap or 65535, link)]
    for t, data in packets:
        kept = data[:snap] if snap else data
        part = t % SECOND // (1 if nano else 1000)
        parts += [struct.pack(order + "IIII", t // SECOND, part, len(kept), len(data)), kept]
    return b"".join(parts)


def block(kind: int, body: bytes, order: str = "<") -> bytes:
    """A pcapng block."""
    body += bytes(-len(body) % 4)
    length = struct.pack(order + "I", len(body) + 12)
    return struct.pack(order + "I", kind) + length + body + length


def section(order: str = "<") -> bytes:
    return block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1), order)


def interface(link: int = 1, *, order: str = "<", options: Sequence[tuple[int, bytes]] = (), snap: int = 0) -> bytes:
    body = struct.pack(order + "HHI", link, 0, snap)
    for code, value in options:
        body += struct.pack(order + "HH", code, len(value)) + value + bytes(-len(value) % 4)
    return block(1, body + (bytes(4) if options else b""), order)


def enhanced(data: bytes, ticks: int = 0, *, order: str = "<", interface: int = 0, options: bytes = b"") -> bytes:
    head = struct.pack(order + "IIIII", interface, ticks >> 32, ticks & 0xFFFFFFFF, len(data), len(data))
    return block(6, head + data + bytes(-len(data) % 4) + options, order)


def capture(content: bytes) -> CaptureFile:
    return CaptureFile("test", io.BytesIO(content))


def explained(content: bytes | str) -> list[Explained]:
    """Every connection of a file, or of a conversation, in order."""
    if isinstance(content, str):
        content = pcapng(frames(said(content)))
    return sorted(Explainer(capture(content)), key=lambda e: e.connection.number)


def only(content: bytes | str) -> Explained:
    """The one connection that there is."""
    (found,) = explained(content)
    return found
