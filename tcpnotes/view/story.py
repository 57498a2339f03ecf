"""A trace read once, the way people tell it: what reached a host, what came of it, what went over the wire.

The records between one stimulus and the next are a `Beat`.  Every segment is a
`Flight` from the record that sent it to the record that ended its journey.  Text
trace, ladder, captions and stepper are all made from the same `Story`, so they
cannot disagree.  Sequence numbers are relative to each side's first one: a SYN has
0, the first byte of data 1.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from tcpnotes.source import say
from tcpnotes.trace import records as r
from tcpnotes.trace.frames import Frame, SockView
from tcpnotes.trace.segment import ACK, FIN, RST, SYN, Segment

_HALF = 1 << 31
_FAR = 1 << 30  # further away than any window: not a number of this connection


class RecorderLike(Protocol):
    """What the views need of a recorder."""

    @property
    def records(self) -> list[r.Record]:
        """Everything that was written down, in order."""
        ...

    @property
    def frames(self) -> list[Frame]:
        """What could be seen after each record; empty when nobody kept it."""
        ...


def relative(number: int, base: int) -> int:
    """``number`` counted from ``base`` in sequence space; negative when it lies before."""
    distance = (number - base) & 0xFFFFFFFF
    return distance - (1 << 32) if distance >= _HALF else distance


@dataclass(frozen=True, slots=True)
class Mark:
    """One thing worth writing beside a host: ``kind`` is event, state, bucket, note or result.

    ``what`` tells some of them apart, whatever the language of ``text``: arrives, sleeps, freed.
    """

    index: int
    kind: str
    text: str
    what: str = ""


@dataclass(slots=True)
class Flight:
    """A segment's journey.  ``end`` is the record that ended it, ``fate`` received, lost or flying."""

    index: int
    t: int
    src: str
    dst: str | None
    seg: Segment
    label: str
    detail: str
    answer: bool
    end: int | None = None
    end_t: int | None = None
    fate: str = "flying"


@dataclass(slots=True)
class Beat:
    """What one stimulus set off: records ``first`` to ``last``, both included."""

    first: int
    last: int
    t: int
    host: str
    what: str
    detail: str
    marks: list[Mark] = field(default_factory=list)
    sent: list[Flight] = field(default_factory=list)
    ended: list[Flight] = field(default_factory=list)  # that arrived here, or were lost
    untold: bool = False  # it lies outside the part that is told
    held: tuple[tuple[int, int, str], ...] = ()  # functions that a call which goes on had slept in

    @property
    def shown(self) -> bool:
        """False for a beat that is not told, or in which nothing happened that a reader would see."""
        marked = any(mark.kind != "event" or self.what != "timer" for mark in self.marks)
        return not self.untold and bool(self.sent or self.ended or marked)

    @property
    def outcome(self) -> int:
        """The record that says best what the beat came to: the last state, bucket or segment of it."""
        told = [m.index for m in self.marks if m.kind in ("state", "bucket", "note")]
        told += [flight.index for flight in self.sent]
        return max(told, default=max((m.index for m in self.marks), default=self.last))


_TIMERS = ("retrans", "probe0", "retrans_idle", "delack", "keepalive", "twkill", "twcal", "schedule_timeout")


def timer_words(name: str) -> str:
    """A timer in plain words."""
    return say(f"timer.{name}") if name in _TIMERS else name


def flags_of(seg: Segment) -> str:
    """The flags of a segment in words, where there are any."""
    return seg.flag_names or say("trace.segment")


def call_words(call: str, args: Iterable[Any]) -> str:
    """A system call as one would write it."""
    return f"{call}({', '.join(_argument(arg) for arg in args)})"


def _argument(arg: Any) -> str:
    return "{" + ", ".join(str(part) for part in arg) + "}" if isinstance(arg, tuple) else str(arg)


def result_words(record: r.Return) -> str:
    """What a call gave back: ``0``, ``-1 EPIPE``, ``0 (16)``."""
    if record.errno:
        return f"{record.ret} {record.errno}"
    return str(record.ret) if record.value is None else f"{record.ret} ({record.value})"


def clock(t: int, digits: int = 3) -> str:
    """Simulated microseconds as seconds."""
    return f"{t / 1_000_000:.{digits}f}"


class Story:
    """Records (and, where there are any, frames) with everything the views have in common worked out.

    What happened before ``since`` and after ``until`` (simulated microseconds) is known to the story, but not told.
    """

    def __init__(
        self,
        source: RecorderLike | Iterable[r.Record] | Iterable[Frame],
        items: Mapping[int, Sequence[str]] | None = None,
        hosts: Sequence[str] | None = None,
        since: int = 0,
        until: int | None = None,
    ) -> None:
        self.since = since
        self.until = until
        self.records, self.frames = _take_apart(source)
        positions = [frame.index for frame in self.frames] or range(len(self.records))
        by_index = items or {}
        self.items: list[tuple[str, ...]] = [tuple(by_index.get(index, ())) for index in positions]
        self.hosts = self._host_names(hosts)
        self.beats: list[Beat] = []
        self.flights: list[Flight] = []
        self.beat_of: list[Beat] = []
        self._bases: dict[tuple[str, int, int], tuple[int | None, int | None]] = {}
        self._flying: dict[int, Flight] = {}
        self._read()

    def _host_names(self, wanted: Sequence[str] | None) -> tuple[str, ...]:
        """Who stands left and who right."""
        if self.frames:
            found = [view.name for view in self.frames[0].hosts]
        else:
            found = sorted({record.host for record in self.records})
        first = [name for name in wanted or () if name in found]
        return tuple(first + [name for name in found if name not in first])

    def column(self, host: str) -> int:
        """Which column a host stands in: 0 left, 1 right."""
        return self.hosts.index(host) if host in self.hosts else len(self.hosts)

    def other(self, host: str) -> str | None:
        """The other of two hosts."""
        return next((name for name in self.hosts if name != host), None)

    # -- relative numbers ------------------------------------------------------------------------------

    def bases(self, host: str, lport: int, rport: int) -> tuple[int | None, int | None]:
        """First numbers of a connection seen from ``host``: its own and the peer's (None while unknown)."""
        return self._bases.get((host, lport, rport), (None, None))

    def _learn_from_frame(self, index: int, host: str) -> None:
        for view in self.frames[index].hosts:
            if view.name == host:
                for sk in view.socks:
                    if sk.rport and sk.iss:
                        _, peer = self.bases(host, sk.lport, sk.rport)
                        self._bases[host, sk.lport, sk.rport] = (sk.iss, sk.irs or peer)

    def _learn_from_segment(self, host: str, seg: Segment, sent: bool) -> None:
        lport, rport = (seg.sport, seg.dport) if sent else (seg.dport, seg.sport)
        own, peer = self.bases(host, lport, rport)
        if seg.flags & SYN:
            # A bucket or a listener may answer for ports whose last connection had other numbers.
            own, peer = (seg.seq, peer) if sent else (own, seg.seq)
            if not seg.flags & ACK:
                own, peer = (own, None) if sent else (None, peer)
        # Joined in mid-connection: the first byte seen is called 1.
        ack_base = (seg.ack_seq - 1) & 0xFFFFFFFF if seg.flags & ACK else None
        seq_base = None if seg.flags & RST and not seg.flags & ACK else (seg.seq - 1) & 0xFFFFFFFF
        if sent:
            own, peer = seq_base if own is None else own, ack_base if peer is None else peer
        else:
            own, peer = ack_base if own is None else own, seq_base if peer is None else peer
        self._bases[host, lport, rport] = (own, peer)

    def label(self, host: str, seg: Segment, sent: bool) -> str:
        """A segment in a few words: ``FIN,ACK seq=1 ack=1``."""
        lport, rport = (seg.sport, seg.dport) if sent else (seg.dport, seg.sport)
        own, peer = self.bases(host, lport, rport)
        seq_base, ack_base = (own, peer) if sent else (peer, own)
        parts = [seg.flag_names or say("trace.no_flags"), f"seq={_number(seg.seq, seq_base)}"]
        if seg.flags & ACK:
            parts.append(f"ack={_number(seg.ack_seq, ack_base)}")
        if seg.len:
            parts.append(f"len={seg.len}")
        if seg.window == 0 and not seg.flags & RST:
            parts.append("win=0")
        return " ".join(parts)

    def span(self, host: str, lport: int, rport: int, seq: int, end_seq: int, received: bool) -> str:
        """A range of sequence numbers, end not included: ``1–17``; a single number stands alone."""
        base = self.bases(host, lport, rport)[1 if received else 0]
        start, end = _number(seq, base), _number(end_seq, base)
        return start if start == end else f"{start}–{end}"

    # -- reading ---------------------------------------------------------------------------------------

    def _read(self) -> None:
        beat: Beat | None = None
        asleep: dict[tuple[str, int], tuple[tuple[int, int, str], ...]] = {}
        for index, record in enumerate(self.records):
            new = record.kind in ("stimulus", "lost") or beat is None or beat.host != record.host
            if beat is not None and not new:
                new = record.t != beat.t or beat.what == "lost"
            if new:
                what = record.what if isinstance(record, r.Stimulus) else record.kind
                detail = record.detail if isinstance(record, r.Stimulus) else ""
                beat = Beat(index, index, record.t, record.host, what, detail)
                self.beats.append(beat)
                if isinstance(record, r.Stimulus) and record.task is not None:
                    beat.held = asleep.pop((record.host, record.task), ())
            assert beat is not None
            beat.last = index
            self.beat_of.append(beat)
            if isinstance(record, r.Sleep):
                asleep[record.host, record.task] = tuple(self.chain(index))
            self._note(beat, index, record)
        for beat in self.beats:
            _tidy(beat)
            beat.untold = beat.t < self.since or (self.until is not None and beat.t > self.until)

    def _note(self, beat: Beat, index: int, record: r.Record) -> None:
        def mark(kind: str, text: str, what: str = "") -> None:
            beat.marks.append(Mark(index, kind, text, what))

        match record:
            case r.Call():
                beat.what = "call"
                mark("event", call_words(record.call, record.args))
            case r.Stimulus(what="resume"):
                mark("event", say("trace.goes_on", call=record.detail))
            case r.Stimulus(what="crash"):
                mark("event", say("trace.crashes"))
            case r.Stimulus(what="note"):
                mark("note", record.detail)
            case r.Return():
                mark("result", result_words(record))
            case r.Sleep():
                mark("note", say("trace.sleeps"), "sleeps")
            case r.Timer(op="fire"):
                mark("event", timer_words(record.name))
            case r.StateChange():
                mark("state", record.new)
            case r.Child():
                mark("state", "SYN_RECV")
            case r.Bucket(op="create" | "substate"):
                mark("bucket", record.substate or "?")
            case r.Bucket(op="kill"):
                mark("note", say("trace.bucket_gone"))
            case r.Bucket(op="overflow"):
                mark("note", say("trace.no_bucket"))
            case r.Freed():
                mark("note", say("trace.freed"), "freed")
            case r.SockErr(err=str()):
                mark("note", say("trace.error", errno=record.err))
            case r.Signal():
                mark("note", record.name)
            case r.Printk():
                mark("note", say("trace.log", text=record.text))
            case r.Sent():
                self._sent(beat, index, record)
            case r.Received():
                self._received(beat, index, record)
            case r.Lost():
                self._lost(beat, index, record)

    def _sent(self, beat: Beat, index: int, record: r.Sent) -> None:
        seg = record.seg
        if self.frames:
            self._learn_from_frame(index, record.host)
        self._learn_from_segment(record.host, seg, True)
        bare = not seg.len and not seg.flags & (SYN | FIN)
        flight = Flight(
            index, record.t, record.host, self.other(record.host), seg, self.label(record.host, seg, True),
            _detail(seg), beat.what == "packet" or (bare and beat.what == "timer"),
        )  # fmt: skip
        self.flights.append(flight)
        self._flying[record.wire] = flight
        beat.sent.append(flight)

    def _received(self, beat: Beat, index: int, record: r.Received) -> None:
        flight = self._flying.pop(record.wire, None) if record.wire is not None else None
        if flight is None:  # from nowhere, or sent before anybody listened
            self._learn_from_segment(record.host, record.seg, False)
            source = self.other(record.host) or "?"
            label = self.label(record.host, record.seg, False)
            flight = Flight(index, record.t, source, record.host, record.seg, label, _detail(record.seg), False)
            flight.fate = "injected"
            self.flights.append(flight)
        else:
            if self.frames:
                self._learn_from_frame(index, record.host)
            self._learn_from_segment(record.host, record.seg, False)
            flight.fate = "received"
        flight.end, flight.end_t, flight.dst = index, record.t, record.host
        beat.ended.append(flight)
        beat.marks.append(Mark(index, "event", say("trace.arrives", segment=flags_of(record.seg)), "arrives"))

    def _lost(self, beat: Beat, index: int, record: r.Lost) -> None:
        flight = self._flying.pop(record.wire, None)
        if flight is not None:
            flight.end, flight.end_t, flight.fate = index, record.t, "lost"
            beat.ended.append(flight)

    def tells(self, flight: Flight) -> bool:
        """True when some of the segment's journey lies in the part that is told."""
        last = self.until is None or flight.t <= self.until
        return last and (flight.end_t is None or flight.end_t >= self.since)

    # -- asking ----------------------------------------------------------------------------------------

    def functions(self, index: int) -> list[tuple[int, int, str]]:
        """Kernel functions of the beat entered up to record ``index``: (record, depth, name).

        For a call that goes on, those that it slept in come first.
        """
        beat = self.beat_of[index]
        found = list(beat.held)
        for i in range(beat.first, index + 1):
            record = self.records[i]
            if isinstance(record, r.Enter):
                found.append((i, record.depth, record.fn))
        return found

    def chain(self, index: int) -> list[tuple[int, int, str]]:
        """Those of `functions` that are still open at record ``index``, outermost first."""
        beat = self.beat_of[index]
        open_ = list(beat.held)
        for i in range(beat.first, index + 1):
            record = self.records[i]
            while open_ and open_[-1][1] >= record.depth:
                open_.pop()
            if isinstance(record, r.Enter):
                open_.append((i, record.depth, record.fn))
        return open_


def _take_apart(source: Any) -> tuple[list[r.Record], list[Frame]]:
    if hasattr(source, "records"):
        records, frames = list(source.records), list(source.frames)
        return records, frames if len(frames) == len(records) else []
    things = list(source)
    if things and isinstance(things[0], Frame):
        return [frame.record for frame in things], things
    return things, []


def _number(value: int, base: int | None) -> str:
    if base is None:
        return str(value)
    distance = relative(value, base)
    return str(distance) if abs(distance) < _FAR else say("trace.absolute", number=value)


def _detail(seg: Segment) -> str:
    parts = [say("segment.ports", sport=seg.sport, dport=seg.dport), say("segment.window", window=seg.window)]
    if seg.mss is not None:
        parts.append(say("segment.mss", mss=seg.mss))
    if seg.wscale is not None:
        parts.append(say("segment.wscale", wscale=seg.wscale))
    if seg.sack_ok:
        parts.append(say("segment.sack_ok"))
    if seg.ts is not None:
        parts.append(say("segment.timestamp", value=seg.ts[0], echo=seg.ts[1]))
    if seg.sacks:
        count = len(seg.sacks)
        parts.append(say("segment.sacks" if count > 1 else "segment.sack", count=count))
    return ", ".join(parts)


def _tidy(beat: Beat) -> None:
    """A socket that gives way to its bucket goes through CLOSE and is freed: say only that the bucket took over."""
    created = next((m.index for m in beat.marks if m.kind == "bucket"), None)
    freed = any(m.what == "freed" for m in beat.marks)
    if created is not None and freed:
        beat.marks = [
            m for m in beat.marks
            if not (m.index > created and (m.what == "freed" or (m.kind == "state" and m.text == "CLOSE")))
        ]  # fmt: skip


def main_sock(socks: Sequence[SockView]) -> SockView | None:
    """The socket a picture of one connection is about: the newest with a peer, else the newest listener or any."""
    connected = [sk for sk in socks if sk.rport]
    pool = connected or [sk for sk in socks if sk.state == "LISTEN"] or list(socks)
    return max(pool, key=lambda sk: sk.id) if pool else None
