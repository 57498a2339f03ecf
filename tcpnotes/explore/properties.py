"""What must hold: each property is a few lines, a sentence, and where it comes from.

A property is a function that says True where it holds.  It is about

    "end"     one end as it stands                    (an `End`)
    "step"    one end before and after a stimulus     (a `Step`)
    "pair"    both ends, in every state               (a `Pair`)
    "rest"    both ends when nothing is on the wire and no timer runs
    "ever"    both ends: what it denies may not go on for ever, however fair network and clock are

    @prop("step", "RFC 9293 section 3.6", "A FIN is acknowledged.")
    def fin_is_acked(step): ...

Fair means: a segment that is sent again and again arrives, and a timer that is due fires.
A ``hole`` is known to the source or the kernel: it is to be found, and no fault.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from tcpnotes.explore.views import ABORTED, CLOSED, EOF, GONE, LATE, OPEN, End, Pair, Step
from tcpnotes.kernel.sock import MAXSEQ, before
from tcpnotes.trace.segment import ACK, FIN, RST, SYN

ABOUT = ("end", "step", "pair", "rest", "ever")
_CLOSING = ("FIN_WAIT1", "FIN_WAIT2", "CLOSING", "LAST_ACK", "CLOSE")


class Property(NamedTuple):
    """One property: ``holds`` is given what it is about."""

    name: str
    about: str
    origin: str
    sentence: str
    holds: Callable[[Any], bool]
    hole: bool = False


PROPERTIES: dict[str, Property] = {}


def prop(
    about: str, origin: str, sentence: str, *, hole: bool = False
) -> Callable[[Callable[[Any], bool]], Callable[[Any], bool]]:
    """Add a property; its name is the function's.  ValueError for an ``about`` that there is not."""
    if about not in ABOUT:
        raise ValueError(f"A property is about one of {', '.join(ABOUT)}; not about {about!r}.")

    def add(function: Callable[[Any], bool]) -> Callable[[Any], bool]:
        PROPERTIES[function.__name__] = Property(function.__name__, about, origin, sentence, function, hole)
        return function

    return add


# -- bytes ---------------------------------------------------------------------------------------------------------


@prop("pair", "RFC 9293 section 3.8", "Whoever reads to the end of file has read every byte that was written.")
def nothing_lost(pair: Pair) -> bool:
    return pair.b.end != EOF or pair.b.taken == pair.a.sent or pair.a.closed == ABORTED


@prop("pair", "RFC 9293 section 3.8", "Nobody reads a byte that was not written.")
def nothing_invented(pair: Pair) -> bool:
    return pair.b.taken <= pair.a.sent


@prop("end", "item 2.6", "After the end of file nothing comes any more.")
def eof_is_last(end: End) -> bool:
    return end.app.end != LATE


@prop("rest", "RFC 9293 section 3.8.1", "At rest, nothing that was sent is still unacknowledged.")
def nothing_unacked(pair: Pair) -> bool:
    return not pair.a.unacked


@prop("step", "RFC 9293 section 3.8.3", "Nobody gives up: a network that loses so little gets everything through.")
def nobody_gives_up(step: Step) -> bool:
    return not _gives_up(step) or _embraced(step.before)


@prop("step", "item S.4a; RFC 9293 section 3.8.1", "What is sent again is what was sent, its FIN included.")
def sent_again_whole(step: Step) -> bool:
    sk = step.after.sock
    if not step.retransmits or not step.before.unacked or sk is None or not sk.write_queue:
        return True
    first = sk.write_queue[0]
    return all(seg.end_seq == first.end_seq for seg in step.sent if seg.seq == first.seq and not seg.flags & RST)


@prop(
    "step",
    "items 3.3 and 3.4",
    "Two ends that both close with data on the way do not throw away each other's data, and with it each other's ACKs, "
    "until both give up.",
    hole=True,
)
def no_deadly_embrace(step: Step) -> bool:
    return not (_gives_up(step) and _embraced(step.before))


def _gives_up(step: Step) -> bool:
    if not step.retransmits or not step.before.unacked or step.before.state in ("SYN_SENT", "SYN_RECV"):
        return False
    return step.after.state in ("CLOSE", "") and step.after.bucket is None


def _embraced(end: End) -> bool:
    """Does it drop data that comes before the ACK of its FIN, as the text says, with data of its own to send?"""
    if end.net.profile.data_before_fin_ack != "drop and ack" or end.state != "FIN_WAIT1" or end.sock is None:
        return False
    return any(skb.len for skb in end.sock.write_queue)


@prop("step", "item S.1", "After a half close, data that comes in order is taken.")
def half_closed_ends_listen(step: Step) -> bool:
    sk, seg = step.before.sock, step.segment
    if sk is None or seg is None or sk.dead or step.before.state not in ("FIN_WAIT1", "FIN_WAIT2"):
        return True
    plain = seg.len and seg.seq == sk.rcv_nxt and seg.flags & (ACK | SYN | RST) == ACK
    if not plain or before(seg.ack_seq, sk.snd_una) or before(sk.snd_nxt, seg.ack_seq) or not sk.rcv_wnd:
        return True
    now = step.after.sock
    return now is None or now.rcv_nxt != sk.rcv_nxt


@prop("step", "item 2.0; RFC 9293 section 3.10.7.4", "An ACK that answers a FIN covers it.")
def ack_covers_the_fin(step: Step) -> bool:
    sk, seg = step.before.sock, step.segment
    if sk is None or seg is None or seg.flags & (FIN | SYN | RST) != FIN or (sk.shutdown & 1 and not sk.dead):
        return True
    if seg.seq != sk.rcv_nxt or step.after.place == step.before.place or step.resets:
        return True
    # What its own acknowledgement releases leaves before the FIN is looked at; the last word counts.
    answers = [sent.ack_seq for sent in step.sent if sent.flags & ACK]
    return not answers or answers[-1] == seg.end_seq


# -- states --------------------------------------------------------------------------------------------------------


@prop("end", "item 1.5", "A full socket is never in TIME_WAIT; only a bucket is.")
def no_full_time_wait(end: End) -> bool:
    return end.state != "TIME_WAIT"


@prop("end", "items 1.3 and 4.2", "An orphan is on its way out: its FIN is queued, and its state says so.")
def orphans_are_closing(end: End) -> bool:
    return not end.orphan or end.state in _CLOSING


@prop("end", "item 3.0", "In FIN_WAIT2 the FIN has been acknowledged.")
def fin_wait2_is_acked(end: End) -> bool:
    return end.state != "FIN_WAIT2" or (end.sock is not None and end.sock.snd_una == end.sock.write_seq)


@prop("step", "RFC 9293 section 3.3.2", "Every change of state is a way in the state diagram.")
def stays_on_the_map(step: Step) -> bool:
    from tcpnotes.explore.diagram import leads

    return leads(step.before.place, step.after.place)


@prop("end", "items 1.4 and 4.4", "Who lingers in close waits for an acknowledgement that is still to come.")
def no_oversleeping(end: End) -> bool:
    return not end.asleep or end.app.gone == OPEN or end.state in ("FIN_WAIT1", "CLOSING", "LAST_ACK")


@prop("step", "item 1.4", "close never sleeps when linger is off.")
def close_is_quick(step: Step) -> bool:
    return step.call not in ("close", "abort") or step.result is not None or bool(_linger(step.before))


def _linger(end: End) -> int | None:
    return end.model.owners[0 if end.host.name == "A" else 1].linger


@prop("end", "sockstat; net/ipv4/tcp.c, tcp_orphan_count", "The count of orphans is the number of orphans.")
def orphans_are_counted(end: End) -> bool:
    return end.net.orphan_count == sum(sk.dead for sk in end.net.socks.values())


@prop("end", "item 1.1a", "A port is held once by each that holds it, and given back exactly once.")
def port_is_given_back_once(end: End) -> bool:
    net = end.net
    holders = {sk.id for sk in net.socks.values() if sk.num}
    held = {owner for bucket in net.bhash.values() for owner in bucket.owners}
    waiting = sum(sum(bucket.buckets.values()) for bucket in net.bhash.values())
    return held == holders and waiting == len(net.tw_hash)


# -- TIME_WAIT -------------------------------------------------------------------------------------------------------


@prop("end", "item 7.1", "A bucket never outlives its time.")
def buckets_keep_their_time(end: End) -> bool:
    return end.bucket is None or end.bucket_left >= 0


@prop("step", "item 7.0; RFC 9293 section 3.6.1", "The first to close ends in TIME_WAIT, if nobody resets.")
def first_closer_waits(step: Step) -> bool:
    if step.before.state not in ("FIN_WAIT1", "FIN_WAIT2", "CLOSING") or not step.segment:
        return True
    ended = step.after.state in ("CLOSE", "") and step.before.bucket is None
    return not ended or bool(step.segment.flags & RST) or step.resets or step.after.bucket is not None


@prop("step", "item 7.0", "TIME_WAIT begins with 2MSL: 60 seconds.")
def two_msl(step: Step) -> bool:
    if step.after.place != "TIME_WAIT" or step.before.place == "TIME_WAIT":
        return True
    return step.after.bucket_left == step.after.net.times.TCP_TIMEWAIT_LEN


@prop("step", "item 7.3", "A FIN that comes again in TIME_WAIT is acknowledged again, and the time starts anew.")
def fin_again(step: Step) -> bool:
    tw, seg = step.before.bucket, step.segment
    if step.before.place != "TIME_WAIT" or tw is None or seg is None:
        return True
    if seg.flags & (FIN | SYN | RST) != FIN or seg.end_seq != tw.rcv_nxt:
        return True
    return bool(step.sent) and step.after.bucket_left == step.after.net.times.TCP_TIMEWAIT_LEN


@prop("step", "items 7.1 and 7.2", "Nothing but its timer or a RST ends a bucket in TIME_WAIT.")
def time_wait_is_respected(step: Step) -> bool:
    if step.before.place != "TIME_WAIT" or step.after.place == "TIME_WAIT" or step.stimulus.what == "fire":
        return True
    return step.segment is not None and bool(step.segment.flags & RST)


@prop("step", "item S.6g", "A RST in the window ends TIME_WAIT while tcp_rfc1337 is off.")
def reset_ends_time_wait(step: Step) -> bool:
    tw, seg = step.before.bucket, step.segment
    if step.before.place != "TIME_WAIT" or tw is None or seg is None or step.before.net.sysctl["tcp_rfc1337"]:
        return True
    return not (seg.flags & RST and seg.seq == tw.rcv_nxt) or step.after.bucket is None


@prop("step", "item S.7c; RFC 1337", "TIME_WAIT is not assassinated by a RST.", hole=True)
def no_assassination(step: Step) -> bool:
    if step.before.place != "TIME_WAIT" or step.after.bucket is not None:
        return True
    return step.segment is None or not step.segment.flags & RST


# -- RST -------------------------------------------------------------------------------------------------------------


@prop("step", "items 1.1b and 1.2; RFC 9293 section 3.10.4", "close with unread data or linger time 0 sends a RST.")
def cut_off_is_told(step: Step) -> bool:
    sk = step.before.sock
    if step.call not in ("close", "abort") or sk is None:
        return True
    unread = any(skb.len for skb in sk.receive_queue)
    cuts = step.call == "abort" and step.before.state in (
        "ESTABLISHED", "CLOSE_WAIT", "FIN_WAIT1", "FIN_WAIT2", "SYN_RECV"
    )  # fmt: skip
    if step.before.state == "CLOSE":
        return not step.resets or unread
    half = step.call == "abort" and sk.snd_nxt != sk.write_seq and step.before.state in ("CLOSING", "LAST_ACK")
    return step.resets == bool(unread or cuts or half)


@prop("step", "RFC 9293 section 3.10.7.1", "A segment to a port without a connection gets a RST, a RST gets none.")
def nobody_there(step: Step) -> bool:
    if step.segment is None or step.before.place != GONE or step.before.net.listening:
        return True
    return step.resets is not bool(step.segment.flags & RST)


@prop("step", "RFC 9293 section 3.10.7", "A RST is never answered by a RST, and a timer or a shutdown sends none.")
def no_needless_reset(step: Step) -> bool:
    if step.segment is not None:
        return not step.resets or not step.segment.flags & RST
    return not step.resets or step.call in ("close", "abort") or (step.stimulus.what == "fire" and step.before.orphan)


@prop("step", "RFC 9293 section 3.10.7.4", "A connection with an owner answers what is in order with no RST.")
def living_do_not_reset(step: Step) -> bool:
    sk, seg = step.before.sock, step.segment
    if (
        sk is None
        or seg is None
        or not step.resets
        or sk.dead
        or step.before.state in ("SYN_SENT", "SYN_RECV", "CLOSE")
    ):
        return True
    if before(sk.snd_nxt, seg.ack_seq) or sk.shutdown & 1:
        return True
    return bool(seg.flags & SYN) or not seg.flags & ACK or (seg.seq - sk.rcv_nxt) & MAXSEQ != 0


# -- the end -----------------------------------------------------------------------------------------------------------


@prop("rest", "items 6.0 and 7.1", "At rest, whoever let go is free of the connection, and its port is free.")
def all_is_free(pair: Pair) -> bool:
    return pair.a.closed == OPEN or (pair.a.place == GONE and not pair.a.port)


@prop("ever", "items 6.0 and 7.1", "After close an end becomes free of the connection, in every fair run.")
def every_orphan_goes(pair: Pair) -> bool:
    return not pair.a.lingers_on or pair.a.probing


@prop("ever", "item S.4c; RFC 9293 section 3.8.6.1", "No orphan is kept alive for ever by window probes.", hole=True)
def no_endless_probing(pair: Pair) -> bool:
    return not (pair.a.lingers_on and pair.a.probing)


__all__ = ["ABORTED", "ABOUT", "CLOSED", "EOF", "PROPERTIES", "Property", "prop"]
