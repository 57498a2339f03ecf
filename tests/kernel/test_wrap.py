"""Sequence numbers that wrap while a connection closes: nothing may look different."""

from __future__ import annotations

import pytest
from story import Story

from tcpnotes.trace.records import Bucket, Call, Count, Received, Return, Sent, StateChange

EDGES = {"2^32": 1 << 32, "2^31": 1 << 31, "2^16": 1 << 16}
BEFORE = (-30, -17, -3, -2, -1, 0)


def life(a: int, b: int, kind: str) -> list[str]:
    """A connection whose ends start at these numbers, told in relative numbers."""
    s = Story()
    for end, number in ((s.A, a), (s.B, b)):
        end.net.iss_base = number % (1 << 32)
        end.net.iss_moves = False
    s.B.socket()
    s.B.bind(80, fd=3)
    s.B.listen(5, fd=3)
    s.B.accept(fd=3)
    s.A.socket()
    s.A.connect(80)
    s.deliver()
    s.A.write(16)
    s.deliver()
    if kind != "unread":
        s.B.read(100)
    s.B.write(16)
    s.deliver()
    s.A.read(100)
    s.A.close()
    match kind:
        case "plain":
            s.deliver()
        case "lost":
            s.lose()
            s.wait(2)
        case "doubled":
            s.double()
            s.deliver()
        case "crossing" | "unread":
            pass
    if kind not in ("unread", "crossing"):
        s.B.read(100)
    s.B.close()
    if kind == "lost":
        s.wait(0.06)
        s.lose()  # the last ACK
    s.wait(70)
    told = []
    for record in s.recorder.records:
        match record:
            case Sent() | Received():
                host = record.host if isinstance(record, Sent) else ("B" if record.host == "A" else "A")
                told.append(f"{record.t} {record.kind} {record.host} {s.segment(record.seg, host)}")
            case Count(name="TCPLossUndo"):
                pass  # the kernel marks "nothing to undo" by the number 0, and so misses one undo in 2^32
            case StateChange() | Bucket() | Count() | Call() | Return():
                told.append(str(record))
    return told


@pytest.mark.parametrize("kind", ["plain", "lost", "doubled", "crossing", "unread"])
@pytest.mark.parametrize("edge", EDGES)
def test_close__over_the_edge(kind: str, edge: str) -> None:
    usual = life(1_000_000, 2_000_000, kind)
    assert any("CLOSE" in line for line in usual)
    for offset in BEFORE:
        assert life(EDGES[edge] + offset, 2_000_000, kind) == usual
        assert life(1_000_000, EDGES[edge] + offset, kind) == usual
