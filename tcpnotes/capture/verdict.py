"""How a connection ended, judged from what its two ends did on the wire.

Every `Statement` names its evidence, and where the wire cannot tell two causes apart, `Verdict.maybe` names
the others.  What the capture lacks is called "not seen"; it is not guessed.
"""

from __future__ import annotations

from typing import NamedTuple

from tcpnotes.capture.connection import Connection, Point, Reset
from tcpnotes.capture.layers import Seen

HOWS = (
    "orderly", "three_segment", "half_close", "simultaneous", "unread_data", "linger_zero", "data_after_close",
    "reset_in_close_wait", "listener_closed", "orphan_killed", "no_listener", "no_connection", "bucket_gone", "reset",
    "given_up", "timed_out", "unanswered", "half_closed", "closing", "open",
)  # fmt: skip
TAGS = (
    "starts_in_middle", "not_seen", "fin_retransmitted", "last_ack_lost", "syn_in_time_wait", "cut_short",
    "time_wait_assassination", "reset_in_close_wait", "reset_outside_window", "late_reset", "dropped",
)  # fmt: skip
NAMES = ("A", "B")
_LATER = 2.5  # times the last interval without another attempt: given up (each interval is twice the one before)
_FIN_WAIT2 = 55_000_000_000  # nanoseconds; a bucket's usual life in FIN_WAIT2, less a little


class Statement(NamedTuple):
    """One thing that the wire shows: the key of a sentence, its values, items of the source, numbers of packets."""

    key: str
    values: dict[str, object]
    items: tuple[str, ...]
    packets: tuple[int, ...]


class Phase(NamedTuple):
    """A stretch of the connection's life; ``seconds`` is None where an end of it was not seen."""

    name: str
    begin: int | None
    end: int | None
    seconds: float | None


class Verdict(NamedTuple):
    """How a connection ended.

    ``how`` is one of `HOWS`, ``maybe`` what it could be as well, ``closer`` who began: A, B, both or None.
    """

    how: str
    maybe: tuple[str, ...]
    closer: str | None
    tags: tuple[str, ...]
    statements: tuple[Statement, ...]
    phases: tuple[Phase, ...]


def judge(connection: Connection, until: int, dropped: bool = False) -> Verdict:
    """The verdict on a connection of a capture that is known up to ``until`` (nanoseconds since 1970)."""
    return _Judge(connection, until, dropped).verdict()


class _Judge:
    def __init__(self, connection: Connection, until: int, dropped: bool) -> None:
        self.c = connection
        self.until = until
        self.dropped = dropped
        self.said: list[Statement] = []
        self.tags: set[str] = set()
        self.maybe: tuple[str, ...] = ()

    def say(self, key: str, side: int, items: str, *packets: int, **values: object) -> None:
        """``side`` is who the sentence is about; ``items`` are separated by blanks."""
        named = {"who": NAMES[side], "other": NAMES[1 - side], **values}
        self.said.append(Statement(key, named, tuple(items.split()), tuple(dict.fromkeys(packets))))

    def verdict(self) -> Verdict:
        c = self.c
        self._before()
        how = self._how()
        self._after()
        tags = tuple(tag for tag in TAGS if tag in self.tags)
        return Verdict(how, self.maybe, self._closer(), tags, tuple(self.said), phases(c))

    def _closer(self) -> str | None:
        c = self.c
        if c.crossed:
            return "both"
        fins = [(end.fin, side) for side, end in enumerate(c.ends) if end.fin is not None]
        if fins:
            return NAMES[min(fins)[1]]
        return NAMES[c.reset.by] if c.reset is not None else None

    # -- what stands around the close --------------------------------------------------------------------------

    def _before(self) -> None:
        c = self.c
        if c.middle:
            self.tags.add("starts_in_middle")
            self.say("middle", 0, "", c.first.number)
        if c.follows is not None and c.ends[0].syn is not None:
            own, other = c.was
            if "TIME_WAIT" in c.was:
                self.tags.add("syn_in_time_wait")
            if other == "TIME_WAIT":
                self.say("syn_in_time_wait", 0, "S.7a 7.2", c.ends[0].syn.number, before=c.follows)
            elif own == "TIME_WAIT":
                self.say("syn_over_own", 0, "S.7b", c.ends[0].syn.number, before=c.follows)
            else:
                self.say("syn_reuses", 0, "", c.ends[0].syn.number, before=c.follows, state=other)
        for side, end in enumerate(c.ends):
            if end.holes_count and (end.holes or end.holes_count > 8):
                self.tags.add("not_seen")
                size = sum(stop - start & 0xFFFFFFFF for start, stop in end.holes)
                self.say("holes", side, "", count=max(len(end.holes), 1), bytes=size)

    def _after(self) -> None:
        c = self.c
        for side, end in enumerate(c.ends):
            if end.fin_again:
                self.tags.add("fin_retransmitted")
                numbers = [point.number for point in end.fin_again]
                late = [n for n in numbers if end.fin_acked is not None and n > end.fin_acked.number]
                if late:
                    self.tags.add("last_ack_lost")
                    self.say("fin_again_late", side, "7.3 S.4a", *late)
                elif end.fin is not None:
                    self.say("fin_again", side, "S.4a", end.fin.number, *numbers, count=end.fin_again_count)
        if c.reset_after is not None:
            by, number = c.reset_after.by, c.reset_after.seen.number
            if c.reset_after.before[1 - by] == "TIME_WAIT":
                self.tags.add("time_wait_assassination")
                self.say("time_wait_assassination", by, "S.7c S.6g", *_cause(c.reset_after), number)
            else:
                self.tags.add("late_reset")
                self.say("late_reset", by, "", number)
        if c.strays:
            self.tags.add("reset_outside_window")
            self.say("strays", 0, "S.6h", *(point.number for point in c.strays))
        if c.taken_by is not None:
            for side, end in enumerate(c.ends):
                if end.state == "TIME_WAIT":
                    self.tags.add("cut_short")
                    self.say("cut_short", side, "S.7b" if side == c.taken_side else "S.7a", c.taken_by.number)
        if self.dropped:
            self.tags.add("dropped")
            self.say("dropped", 0, "")

    # -- the close ---------------------------------------------------------------------------------------------

    def _how(self) -> str:
        c = self.c
        order = sorted((end.fin, side) for side, end in enumerate(c.ends) if end.fin is not None)
        for place, (_, side) in enumerate(order):
            self._fin(side, first=place == 0)
        if c.reset is not None:
            return self._reset(c.reset)
        if len(order) == 2:
            return self._two_fins(order[0][1])
        if order:
            return self._one_fin(order[0][1])
        return self._no_fin()

    def _fin(self, side: int, *, first: bool) -> None:
        """What is to be said of a FIN and of the ACK for it."""
        c = self.c
        me, peer = c.ends[side], c.ends[1 - side]
        assert me.fin is not None
        rides = "_rides" if me.fin_data else ""
        ab = "a" if me.fin_data else "b"
        if first:
            self.say(f"fin_first{rides}", side, f"1.0 1.3 1.3{ab}", me.fin.number, bytes=me.fin_data)
        elif c.crossed:
            self.say("fin_crossed", side, "S.3", me.fin.number)
        else:
            self.say(f"fin_second{rides}", side, f"4.0 4.2 4.3 4.3{ab}", me.fin.number, bytes=me.fin_data)
        acked = me.fin_acked
        if acked is None:
            return
        if c.crossed:
            self.say("crossed_acked", 1 - side, "S.3", acked.number)
        elif first:
            if peer.fin is not None and peer.fin.number == acked.number:
                self.say("fin_acked_by_fin", side, "2.0 2.2 3.0 S.4d", acked.number)
            else:
                self.say("fin_acked", side, "2.0 2.2 2.4 3.0 3.2", acked.number)
            if peer.late is not None:
                self.say("half_data", 1 - side, "S.1", peer.late.number, bytes=peer.late_bytes)
                if c.reset is None or c.reset.by != side:
                    self.say("half_taken", 1 - side, "S.1", *_number(me.last))
        else:
            self.say("last_ack", side, "5.0 5.1 6.0 7.0", acked.number)

    def _two_fins(self, first: int) -> str:
        c = self.c
        one, two = c.ends[first], c.ends[1 - first]
        for side in (0, 1):
            if c.ends[side].fin_acked is None:
                return self._silence(side)
        assert one.fin_acked is not None and two.fin is not None
        if c.crossed:
            self.say("crossed_over", 0, "S.3 7.0", c.last.number)
            return "simultaneous"
        if two.late is not None and two.late_bytes:
            return "half_close"
        return "three_segment" if one.fin_acked.number == two.fin.number else "orderly"

    def _one_fin(self, side: int) -> str:
        c = self.c
        me = c.ends[side]
        if me.fin_acked is None:
            return self._silence(side)
        if c.middle:
            self.say("half_closed_middle", side, "", me.fin_acked.number)
        else:
            self.say("half_closed", side, "2.2 3.2 S.5e", me.fin_acked.number)
        return self._quiet(1 - side) or "half_closed"

    def _no_fin(self) -> str:
        c = self.c
        opener, other = c.ends
        if opener.syn is not None and not other.packets:
            self.say("unanswered", 0, "", opener.syn.number, count=opener.syn_again + 1)
            return "unanswered"
        how = self._quiet(0) or self._quiet(1)
        if how is None:
            self.say("open", 0, "", c.last.number)
        return how or "open"

    def _quiet(self, side: int) -> str | None:
        """``timed_out`` when an end sent data again and again, and then no more."""
        end = self.c.ends[side]
        seconds = self._since([p.t for p in end.again_points])
        if len(end.again_points) < 3 or seconds is None:
            return None
        numbers = [p.number for p in end.again_points]
        self.say("timed_out", side, "S.4b", *numbers, count=len(numbers), seconds=f"{seconds:.1f}")
        return "timed_out"

    def _silence(self, side: int) -> str:
        """A FIN that nobody acked: given up, or the capture ends before that can be told."""
        me = self.c.ends[side]
        assert me.fin is not None
        points = [me.fin, *me.fin_again]
        seconds = self._since([p.t for p in points])
        numbers = [p.number for p in points]
        if seconds is None:
            self.say("still_trying", side, "S.4a", *numbers)
            return "closing"
        self.say("given_up", side, "S.4b", *numbers, count=me.fin_again_count + 1, seconds=f"{seconds:.1f}")
        return "given_up"

    def _since(self, times: list[int]) -> float | None:
        """Seconds of silence after the last of ``times`` when another attempt was long due, else None."""
        if len(times) < 2:
            return None
        waited = self.until - max(times[-1], self.c.last.t)
        return waited / 1e9 if waited > _LATER * (times[-1] - times[-2]) else None

    # -- RST ---------------------------------------------------------------------------------------------------

    def _reset(self, reset: Reset) -> str:
        c = self.c
        by, number = reset.by, reset.seen.number
        me, peer = c.ends[by], c.ends[1 - by]
        evidence = (*_cause(reset), number)
        states = reset.before
        if me.packets <= c.resets and peer.syn is not None and peer.fin is None and not peer.data:
            self.say("no_listener", by, "", peer.syn.number, number, port=me.port)
            return "no_listener"
        if "SYN_SENT" in states or "SYN_RECV" in states:
            self.say("reset_handshake", by, "", number)
            return "no_connection" if reset.answer else "reset"
        how = self._answered(reset, evidence) if reset.answer else self._active(reset, evidence)
        state = states[1 - by]
        if state == "CLOSE_WAIT":
            self.tags.add("reset_in_close_wait")
            self.say("close_wait_received", by, "S.6b", number)
        elif state in _ITEM_OF_STATE:
            self.say("reset_reached", by, _ITEM_OF_STATE[state], number, state=state)
        return how

    def _answered(self, reset: Reset, evidence: tuple[int, ...]) -> str:
        """A RST that answers a segment: whoever sent it has no use for that."""
        by = reset.by
        me, peer = self.c.ends[by], self.c.ends[1 - by]
        cause = reset.cause
        if me.fin is None:
            self.say("no_connection", by, "", *evidence)
            return "no_connection"
        if me.fin_acked is None or (cause is not None and me.fin_acked.number == cause.number):
            sent = [me.fin, *me.fin_again]
            gap = sent[-1].t - sent[-2].t if len(sent) > 1 else 0
            if gap and reset.seen.t - sent[-1].t > 1.5 * gap:
                numbers = [point.number for point in sent]
                self.say("given_up_reset", by, "S.4b", *numbers, *evidence, count=len(sent))
                return "given_up"
        if cause is not None and cause.len:
            self.say("data_after_close", by, "3.3 S.6b", *evidence)
            if me.fin_acked is not None and reset.seen.t - me.fin_acked.t > _FIN_WAIT2:
                self.maybe = ("bucket_gone",)
                self.say("data_maybe_bucket", by, "S.5e", me.fin_acked.number)
            return "data_after_close"
        if peer.fin is not None:
            self.say("bucket_gone", by, "S.5e S.5c S.5d", *evidence)
            return "bucket_gone"
        self.say("no_connection", by, "", *evidence)
        if reset.before[1 - by] == "CLOSE_WAIT":
            self.maybe = ("no_connection",)
            return "reset_in_close_wait"
        return "no_connection"

    def _active(self, reset: Reset, evidence: tuple[int, ...]) -> str:
        """A RST of the sender's own will: close with something unread, or with SO_LINGER at zero."""
        by = reset.by
        me, peer = self.c.ends[by], self.c.ends[1 - by]
        number = reset.seen.number
        if me.probes > 1:
            self.say("keepalive", by, "S.4b", number, count=me.probes)
            return "timed_out"
        last = peer.last_data
        if me.fin is not None or peer.fin is not None:
            if me.fin is None:
                self.tags.add("reset_in_close_wait")
                self.say("close_wait_sent", by, "4.1 4.1a 4.1b", number)
                unread = peer.data > 0
            elif reset.before[1 - by] != "CLOSE_WAIT":
                self.maybe = ("linger_zero",)
                self.say("orphan_killed", by, "S.5a S.5b 1.2", me.fin.number, number)
                return "orphan_killed"
            else:
                unread = peer.late_bytes > 0 or (last is not None and last.number > me.fin.number)
            if unread:
                self.say("close_wait_unread", by, "4.1 1.2" if me.fin is None else "1.1 1.2", *_number(last), number)
                self.maybe = ("unread_data", "linger_zero")
            else:
                self.say("close_wait_linger", by, "1.2 S.5d" if me.fin is not None else "1.2", number)
                self.maybe = ("linger_zero", "unread_data")
            return "reset_in_close_wait"
        if not peer.data and last is None and not self.c.middle:
            self.say("linger_zero", by, "1.2", number)
            if by == 1 and not me.data:
                self.maybe = ("listener_closed",)
                self.say("listener_closed", by, "S.2b", number)
            elif me.next != peer.acked:
                self.maybe = ("orphan_killed",)
                self.say("orphan_killed_or", by, "S.5a S.5b", number)
            return "linger_zero"
        mine = me.last_data
        if last is not None and (mine is None or mine.number < last.number):
            self.say("unread_data", by, "1.1 1.1a 1.1b", last.number, number, bytes=peer.data)
            self.say("unread_data_or", by, "1.2", number)
            self.maybe = ("linger_zero",)
            return "unread_data"
        self.say("linger_zero_or", by, "1.2 1.1", *_number(last), *_number(mine), number)
        self.maybe = ("unread_data",)
        return "linger_zero"


_ITEM_OF_STATE = {
    "ESTABLISHED": "S.6a", "FIN_WAIT1": "S.6c", "FIN_WAIT2": "S.6d", "CLOSING": "S.6e", "LAST_ACK": "S.6f",
}  # fmt: skip


def _cause(reset: Reset) -> tuple[int, ...]:
    return (reset.cause.number,) if reset.answer and reset.cause is not None else ()


def _number(seen: Seen | None) -> tuple[int, ...]:
    return () if seen is None else (seen.number,)


def phases(connection: Connection) -> tuple[Phase, ...]:
    """How long each part of the connection took, as far as both its ends were seen."""
    opener = connection.ends[0]
    made = next((Point(*change[:2]) for change in opener.states if change.state == "ESTABLISHED"), None)
    fins = sorted((end.fin, side) for side, end in enumerate(connection.ends) if end.fin is not None)
    one = connection.ends[fins[0][1]] if fins else None
    two = connection.ends[fins[1][1]] if len(fins) > 1 else None
    reset = Point(connection.reset.seen.number, connection.reset.seen.t) if connection.reset is not None else None
    found = [_phase("handshake", opener.syn, made)]
    found.append(_phase("established", made, one.fin if one is not None else reset))
    if one is not None:
        found.append(_phase("first_fin", one.fin, one.fin_acked))
        if not connection.crossed:
            found.append(_phase("half_closed", one.fin_acked, two.fin if two is not None else reset))
    if two is not None:
        found.append(_phase("second_fin", two.fin, two.fin_acked))
    return tuple(found)


def _phase(name: str, begin: Point | None, end: Point | None) -> Phase:
    seconds = None if begin is None or end is None else (end.t - begin.t) / 1e9
    return Phase(name, begin and begin.number, end and end.number, seconds)
