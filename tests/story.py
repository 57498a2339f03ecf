"""Words to tell a test in: two hosts, or one and a peer that the test plays itself.

    s = connected()                     # A connects to B; from here on everything counts
    s.A.close()
    s.deliver()
    assert s.A.states == "FIN_WAIT1 FIN_WAIT2 CLOSE"
    assert s.A.sent == "FIN|ACK seq 1 ack 1"

States are reached by replaying events, never by assignment.  Sequence numbers are
relative: each side's first byte is 1.  When a test fails, the story so far is
printed, numbered, with the first step that differs.
"""

from __future__ import annotations

from typing import Any

from tcpnotes.scenarios.expressions import NAMES, evaluate
from tcpnotes.trace.records import Bucket, Count, Printk, Queue, Received, Record, Sent, Signal, StateChange, Wake
from tcpnotes.trace.segment import SYN, Segment
from tcpnotes.view import text_trace
from tcpnotes.world import Result, SegmentDuplicated, SegmentLost, World
from tcpnotes.world.process import ADDRESSES

FLAGS = {"FIN": 0x01, "SYN": 0x02, "RST": 0x04, "PSH": 0x08, "ACK": 0x10, "URG": 0x20}
TOLD: list[Story] = []  # the stories of the test that runs now
PEER_ISN = 5_000_000


class Steps(str):
    """Steps of a story as one text, so that `assert` can say which of them is the first that differs."""

    __slots__ = ()


class End:
    """One host of a story: its calls, and what has happened on it since the last `Story.mark`."""

    def __init__(self, story: Story, name: str) -> None:
        self.story = story
        self.name = name

    # -- calls ------------------------------------------------------------------------------------------------

    def call(self, call: str, *args: Any) -> int:
        """A system call; the number of its task."""
        return self.story.world.call(self.name, call, *args)

    def result(self, task: int) -> Result | None:
        """What a call came to; None while it sleeps."""
        return self.story.world.result(self.name, task)

    def __getattr__(self, call: str) -> Any:
        # close(), write(100), shutdown("SHUT_WR"), …: on the connection's descriptor unless fd= says another;
        # what came of it: a number, the name of an errno, or "asleep".
        if call.startswith("_"):
            raise AttributeError(call)

        def made(*args: Any, fd: int | None = None) -> int | str:
            where = () if call == "socket" else (self.fd if fd is None else fd,)
            return said(self.result(self.call(call, *where, *args)))

        return made

    @property
    def fd(self) -> int:
        """The descriptor of the connection: 4 on the side that accepted it, 3 on the other."""
        return self.story.fds[self.name]

    @property
    def error(self) -> str | int:
        """SO_ERROR: the name of the error, and it is gone; or 0."""
        task = self.call("getsockopt", self.fd, "SOL_SOCKET", "SO_ERROR")
        answer = self.result(task)
        assert answer is not None
        return answer.value

    @property
    def poll_mask(self) -> str:
        """What poll says of the connection."""
        answer = self.result(self.call("poll", self.fd, "POLLIN|POLLOUT|POLLPRI"))
        assert answer is not None
        return str(answer.value)

    # -- what happened -------------------------------------------------------------------------------------------

    def _since(self, kind: type[Record]) -> list[Any]:
        records = self.story.recorder.records[self.story.began :]
        return [record for record in records if isinstance(record, kind) and record.host == self.name]

    @property
    def states(self) -> Steps:
        """The states that sockets of this host went to, in order."""
        return Steps(" ".join(record.new for record in self._since(StateChange)))

    @property
    def bucket(self) -> Steps:
        """What became of buckets: their substates in order, then killed."""
        words = {"create": None, "substate": None, "kill": "killed", "overflow": "overflow"}
        return Steps(" ".join(words[r.op] or str(r.substate) for r in self._since(Bucket) if r.op in words))

    @property
    def sent(self) -> Steps:
        """The segments that this host sent, one behind the other; "nothing" when it was silent."""
        return Steps("; ".join(self.story.segment(r.seg, self.name) for r in self._since(Sent)) or "nothing")

    def sent_at(self, flag: str = "ACK") -> list[float]:
        """When segments with a flag left, in seconds since the mark."""
        return [self.story.clock(r.t) for r in self._since(Sent) if r.seg.flags & FLAGS[flag]]

    def counted(self, name: str) -> int:
        """How often a counter went up."""
        return sum(1 for r in self._since(Count) if r.name == name)

    @property
    def wakes(self) -> Steps:
        """Which wake-ups there were."""
        return Steps(" ".join(r.which for r in self._since(Wake)))

    @property
    def signals(self) -> list[str]:
        """Signals that were raised."""
        return [r.name for r in self._since(Signal)]

    @property
    def log(self) -> list[str]:
        """Lines of the kernel's log."""
        return [r.text for r in self._since(Printk)]

    def queue(self, name: str) -> list[str]:
        """What was done to a queue."""
        return [r.op for r in self._since(Queue) if r.queue == name]

    # -- what stands now --------------------------------------------------------------------------------------------

    @property
    def net(self) -> Any:
        """The host's stack, to look at."""
        return self.story.world.host(self.name).net

    @property
    def sock(self) -> Any:
        """The socket of the connection: the newest that there is, listeners aside."""
        return max((sk for sk in self.net.socks.values() if sk.state != 10), key=lambda sk: sk.id)

    @property
    def socks(self) -> int:
        """How many sockets exist."""
        return len(self.net.socks)

    @property
    def buckets(self) -> list[Any]:
        """The buckets that exist."""
        return list(self.net.tw_hash.values())

    def hears(self, flags: str, seq: str = "rcv_nxt", ack: str = "snd_nxt", len: int = 0, window: int = 5840,
              **options: Any) -> None:  # fmt: skip
        """A segment reaches this host as if from its peer; numbers as in scenario files ("rcv_nxt+100")."""
        self.story.world.inject(self.name, self.forged(flags, seq, ack, len, window, **options))

    def forged(self, flags: str, seq: str = "rcv_nxt", ack: str = "snd_nxt", len: int = 0, window: int = 5840,
               **options: Any) -> Segment:  # fmt: skip
        """The segment of `hears`."""
        ends = [*self.net.ehash.values(), *self.net.tw_hash.values()]
        end = max(ends, key=lambda one: one.id) if ends else self.sock
        values = {name: getattr(end, name) for name in NAMES if hasattr(end, name)}
        bits = sum(FLAGS[name] for name in flags.split("|") if name)
        number = evaluate(ack, values) if bits & FLAGS["ACK"] else 0
        return Segment(
            end.daddr or ADDRESSES["B" if self.name == "A" else "A"], end.dport, self.net.address,
            end.num or end.sport, evaluate(seq, values), number, bits, window, len, **options,
        )  # fmt: skip


class Story:
    """A world that is listened to, with short words for what happens in it."""

    def __init__(self, profile: str = "linux-2.4.0", *, hosts: str = "AB", seed: int = 0, delay: float = 0.05) -> None:
        self.world = World(profile=profile, hosts=hosts, seed=seed, delay=round(delay * 1_000_000))
        self.recorder = self.world.listen(frames=False)
        self.began = 0
        self.epoch = 0
        self.fds = {"A": 3, "B": 4}
        self.A = End(self, "A")
        self.B = End(self, "B")
        TOLD.append(self)

    # -- time -------------------------------------------------------------------------------------------------------

    def wait(self, seconds: float) -> None:
        """Let so much time pass."""
        self.world.run_until(self.world.now + round(seconds * 1_000_000))

    def deliver(self) -> None:
        """Everything on the wire arrives, and what it leads to; delayed ACKs too, but no longer timer is waited for."""
        for _ in range(1000):
            owed = any(sk.ack_pending & 2 for host in self.world.hosts.values() for sk in host.net.socks.values())
            if not self.world.wire.flying and not owed:
                return
            self.world.step()
        raise AssertionError("The hosts go on talking for ever.")

    def lose(self) -> None:
        """Everything on the wire is lost."""
        for wire in list(self.world.wire.flying):
            self.world.apply(SegmentLost(wire))

    def double(self) -> None:
        """Everything on the wire is doubled."""
        for wire in list(self.world.wire.flying):
            self.world.apply(SegmentDuplicated(wire))

    def mark(self) -> None:
        """From here on everything counts."""
        self.began = len(self.recorder.records)
        self.epoch = self.world.now

    def clock(self, t: int) -> float:
        """A moment in seconds since the mark."""
        return round((t - self.epoch) / 1_000_000, 6)

    @property
    def now(self) -> float:
        """Seconds since the mark."""
        return self.clock(self.world.now)

    # -- telling ------------------------------------------------------------------------------------------------------

    def _firsts(self) -> dict[tuple[str, int, int], int]:
        """The number that the last SYN had, by sender and its two ports."""
        first: dict[tuple[str, int, int], int] = {}
        for record in self.recorder.records:
            if isinstance(record, Sent | Received) and record.seg.flags & SYN:
                seg = record.seg
                if isinstance(record, Sent):
                    first[record.host, seg.sport, seg.dport] = seg.seq
                elif record.wire is None:  # the peer's, which the test plays
                    first.setdefault(("B" if record.host == "A" else "A", seg.sport, seg.dport), seg.seq)
        return first

    def segment(self, seg: Segment, host: str) -> str:
        """A segment in words: ``FIN|ACK seq 1 ack 1``, numbers relative."""
        first = self._firsts()
        mine = first.get((host, seg.sport, seg.dport), 0)
        other = first.get(("B" if host == "A" else "A", seg.dport, seg.sport), PEER_ISN)
        bits = "|".join(name for name in ("FIN", "SYN", "RST", "PSH", "ACK", "URG") if seg.flags & FLAGS[name])
        from_nobody = seg.flags == FLAGS["RST"] | FLAGS["ACK"] and not seg.seq and not seg.window
        relative = 0 if from_nobody else (seg.seq - mine) & 0xFFFFFFFF
        words = [bits or "none", f"seq {relative}"]
        if seg.flags & FLAGS["ACK"]:
            words.append(f"ack {(seg.ack_seq - other) & 0xFFFFFFFF}")
        if seg.len:
            words.append(f"len {seg.len}")
        return " ".join(words)

    def so_far(self) -> str:
        """The story, numbered; what counts from the mark on is below a line."""
        records = self.recorder.records
        began = records[self.began].t if self.began < len(records) else self.world.now
        lines = str(text_trace(self.recorder)).splitlines()
        numbered = [f"{i:4} {line}" for i, line in enumerate(lines[2:], 1)]
        return "\n".join([f"     {line}" for line in lines[:2]] + numbered + [f"(counted from {began / 1e6:.3f} s on)"])


def said(answer: Result | None) -> int | str:
    """What came of a call, in a word."""
    if answer is None:
        return "asleep"
    return answer.errno if answer.errno is not None else answer.ret


def first_difference(left: str, right: str) -> list[str]:
    """Where two sequences of steps part."""
    cut = "; " if "; " in left + right or " seq " in left + right else " "
    a, b = left.split(cut), right.split(cut)
    same = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    lines = [f"step {same + 1} is the first that differs"]
    for i in range(max(len(a), len(b))):
        had, wanted = (steps[i] if i < len(steps) else "(nothing more)" for steps in (a, b))
        lines.append(f"{i + 1:4} {had}" + ("" if i < same else f"      expected: {wanted}"))
    return lines


# -- beginnings ------------------------------------------------------------------------------------------------------


def listening(
    profile: str = "linux-2.4.0", sysctl: dict[str, int] | None = None, backlog: int = 5, **world: Any
) -> Story:
    """B listens on port 80 (descriptor 3) and waits in accept; A has a socket (descriptor 3)."""
    story = Story(profile, **world)
    for name, value in (sysctl or {}).items():
        story.world.sysctl("A", name, value)
        story.world.sysctl("B", name, value)
    story.B.socket()
    story.B.bind(80, fd=3)
    story.B.listen(backlog, fd=3)
    story.B.accept(fd=3)
    story.A.socket()
    return story


def connected(profile: str = "linux-2.4.0", sysctl: dict[str, int] | None = None, **world: Any) -> Story:
    """A (descriptor 3) is connected to B (descriptor 4); nothing is on the wire."""
    story = listening(profile, sysctl, **world)
    story.A.connect(80)
    story.deliver()
    story.mark()
    return story


def alone(
    profile: str = "linux-2.4.0", sysctl: dict[str, int] | None = None, window: int = 5840, **world: Any
) -> Story:
    """A by itself, connected to a peer that the test plays: no options, no round trip measured, RTO 3 s."""
    story = Story(profile, hosts="A", **world)
    for name, value in (sysctl or {}).items():
        story.world.sysctl("A", name, value)
    story.A.socket()
    story.A.connect(80)
    story.A.hears("SYN|ACK", seq=str(PEER_ISN), window=window)
    story.mark()
    return story
