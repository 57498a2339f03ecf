"""What properties look at: one end of the connection, a step of it, and both ends together."""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple

from tcpnotes.explore.model import Model
from tcpnotes.kernel.bucket import TwBucket
from tcpnotes.kernel.net import Net
from tcpnotes.kernel.sock import LISTEN, RETRANS_TIMER, STATE_NAMES, Sock
from tcpnotes.trace import Record, Recorder
from tcpnotes.trace.segment import RST, Segment
from tcpnotes.world.host import Host, Result

OPEN, CLOSED, ABORTED = 0, 1, 2  # App.gone
MORE, EOF, ERROR, LATE = 0, 1, 2, 3  # App.end; LATE: something came after the end of file
GONE = "gone"  # the place of an end that has nothing left of the connection


class App(NamedTuple):
    """An application: what it may still do, and what it has seen."""

    write: int  # so often
    shutdown: bool
    close: bool
    abort: bool
    read: bool
    sent: int = 0  # bytes that its writes took
    taken: int = 0  # bytes that its reads gave
    end: int = MORE
    gone: int = OPEN


class End:
    """One host with its application.  To be looked at, never to be changed."""

    def __init__(self, host: Host, app: App, model: Model) -> None:
        self.host = host
        self.app = app
        self.model = model

    @property
    def net(self) -> Net:
        """The host's stack."""
        return self.host.net

    @cached_property
    def sock(self) -> Sock | None:
        """The socket of the connection, if there is one."""
        return next((sk for sk in reversed(self.host.net.socks.values()) if sk.state != LISTEN), None)

    @cached_property
    def bucket(self) -> TwBucket | None:
        """The bucket of the connection, if there is one."""
        return next(iter(self.host.net.tw_hash.values()), None)

    @cached_property
    def state(self) -> str:
        """The state of the socket; "" without one."""
        return STATE_NAMES[self.sock.state] if self.sock is not None else ""

    @cached_property
    def place(self) -> str:
        """Where the end stands in the state diagram: a state, "bucket-FIN_WAIT2", "TIME_WAIT", or "gone"."""
        tw = self.bucket
        if tw is not None:
            return "TIME_WAIT" if STATE_NAMES[tw.substate] == "TIME_WAIT" else "bucket-FIN_WAIT2"
        return self.state or GONE

    @property
    def asleep(self) -> bool:
        """Does a call sleep?"""
        return bool(self.host.net.tasks)

    @property
    def orphan(self) -> bool:
        """Is there a socket that no application holds any more?"""
        return self.sock is not None and self.sock.dead

    @property
    def bucket_left(self) -> int:
        """Jiffies until the bucket's time is over; negative when it should be gone."""
        assert self.bucket is not None
        return self.bucket.ttd - self.host.net.jiffies

    @property
    def unacked(self) -> bool:
        """Was something sent that is not acknowledged?"""
        return self.sock is not None and self.sock.packets_out > 0 and self.state != "CLOSE"

    @property
    def probing(self) -> bool:
        """Does it wait for a window that is shut?"""
        sk = self.sock
        return sk is not None and sk.pending == 3 and sk.snd_wnd == 0

    @property
    def timers(self) -> list[tuple[int, int]]:
        """The timers that run: ticks from now, and the kind (kernel.sock)."""
        net = self.host.net
        return [(tick - net.jiffies, kind) for tick, _, kind, _ in net.running()]

    @property
    def summary(self) -> Summary:
        """What of it matters to both ends together."""
        app = self.app
        return Summary(
            self.place, self.orphan, app.gone, app.sent, app.taken, app.end,
            bool(self.net.bhash) and not self.net.listening, self.unacked, self.probing,
        )  # fmt: skip


class Summary(NamedTuple):
    """An end as seen beside the other: few enough to be judged two by two."""

    place: str
    orphan: bool
    closed: int  # OPEN, CLOSED or ABORTED
    sent: int
    taken: int
    end: int
    port: bool  # is its port still taken?
    unacked: bool
    probing: bool

    @property
    def lingers_on(self) -> bool:
        """Has the application let go, and is something of the connection still there?"""
        return self.closed != OPEN and self.place != GONE


class Pair(NamedTuple):
    """Both ends.  ``a`` and ``b`` may be either host: a property must hold both ways round."""

    a: Summary
    b: Summary


class Stimulus(NamedTuple):
    """What reaches an end: "call" (of that name), "segment" (with that number), "fire", or "age" (by so many ticks)."""

    what: str
    name: str = ""
    number: int = 0


class Step:
    """Something reached an end: as it was, what reached it, as it is, what it sent, what the call returned."""

    def __init__(
        self, before: End, stimulus: Stimulus, segment: Segment | None, after: End, sent: list[Segment],
        result: Result | None, again: Host,
    ) -> None:  # fmt: skip
        self.before = before
        self.stimulus = stimulus
        self.segment = segment
        self.after = after
        self.sent = sent
        self.result = result
        self._again = again

    @property
    def call(self) -> str:
        """The call that was made; "" if it was none."""
        return self.stimulus.name

    @property
    def resets(self) -> bool:
        """Was a RST sent?"""
        return any(seg.flags & RST for seg in self.sent)

    @property
    def retransmits(self) -> bool:
        """Was it the retransmission timer that fired first?"""
        return self.stimulus.what == "fire" and min(self.before.timers, default=(0, -1))[1] == RETRANS_TIMER

    @cached_property
    def records(self) -> list[Record]:
        """The trace of the step, made by doing it once more."""
        from tcpnotes.explore.ends import happen

        recorder = Recorder()
        host = self._again.clone(None)
        host.listen(recorder)
        happen(host, self.before.app, self.before.model, self.stimulus, self.segment)
        return recorder.records
