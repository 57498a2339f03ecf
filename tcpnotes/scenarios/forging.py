"""Segments from nowhere: their numbers are worked out from the latest connection of the host that they reach."""

from __future__ import annotations

from typing import NamedTuple

from tcpnotes.kernel.bucket import TwBucket
from tcpnotes.kernel.sock import Sock
from tcpnotes.scenarios.expressions import NAMES, check_expression, evaluate
from tcpnotes.trace.segment import ACK, Segment
from tcpnotes.world import World

FLAGS = {"FIN": 0x01, "SYN": 0x02, "RST": 0x04, "PSH": 0x08, "ACK": 0x10, "URG": 0x20}
WINDOW = 5840


class ForgingError(ValueError):
    """A segment that cannot be made; ``key`` names the field at fault, empty when there is no connection."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = key


class Forged(NamedTuple):
    """A segment to be made when it is needed; ``seq`` and ``ack`` are relative to what ``host`` expects.

    They are expressions such as ``rcv_nxt+100``; ``flags`` bits of the header, ``len`` bytes of payload.
    """

    host: str
    flags: int
    seq: str
    ack: str = "snd_nxt"
    len: int = 0
    window: int = WINDOW

    def segment(self, world: World) -> Segment:
        """The segment as ``world`` stands.  ForgingError when the host has no connection, or lacks a number."""
        host = world.hosts.get(self.host)
        if host is None:
            raise ForgingError("host", f"There is no host {self.host!r}; there are: {', '.join(world.hosts)}.")
        net = host.net
        found: list[Sock | TwBucket] = [*net.ehash.values(), *net.tw_hash.values()]
        if not found:
            raise ForgingError("", f"host {self.host} has no connection at that time.")
        end = max(found, key=lambda candidate: candidate.id)
        values = {name: getattr(end, name) for name in NAMES if hasattr(end, name)}
        numbers = {}
        for key, text in (("seq", self.seq), ("ack", self.ack if self.flags & ACK else "0")):
            try:
                numbers[key] = evaluate(text, values)
            except KeyError as error:
                known = ", ".join(values)
                raise ForgingError(key, f"a bucket does not know {error.args[0]}; it knows: {known}.") from None
        seq, ack = numbers["seq"], numbers["ack"]
        return Segment(end.daddr, end.dport, net.address, end.num, seq, ack, self.flags, self.window, self.len)


def read_flags(text: str) -> int:
    """``FIN+ACK`` as bits.  ValueError for a name that is no flag, or one that stands there twice."""
    found = 0
    for name in text.split("+"):
        bit = FLAGS.get(name, 0)
        if not bit or found & bit:
            raise ValueError(f"{text[:40]!r} are no flags; write some of {', '.join(FLAGS)} with a + between them.")
        found |= bit
    return found


def forged(host: str, flags: str, seq: str, amount: str = "0") -> Forged:
    """What ``inject(A,FIN+ACK,rcv_nxt+1,100)`` says.  ValueError for a sequence number that is none, say."""
    problem = check_expression(seq)
    if problem:
        raise ValueError(problem)
    if not amount.isdecimal() or int(amount) > 65535:
        raise ValueError(f"A segment carries 0 to 65535 bytes, not {amount[:20]!r}.")
    return Forged(host, read_flags(flags), seq, len=int(amount))


__all__ = ["FLAGS", "WINDOW", "Forged", "ForgingError", "forged", "read_flags"]
