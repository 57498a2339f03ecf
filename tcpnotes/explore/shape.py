"""The shape of a host: all that decides how it goes on, and nothing else, as nested tuples.

Two hosts of the same shape behave alike from here on, whatever the clock says and
whichever of the two hosts of a model they are.  So times are relative to now, and
times so long past that nothing asks for their exact value are one value; addresses,
counters, finished calls and log tokens are left out; sockets are named by their order.
What is left out is only what no function of the kernel layer asks for again while two
hosts have one connection without timestamps; `explore.model` sees to that.  Everything
in a shape is of a kind that `marshal` writes.
"""

from __future__ import annotations

from functools import cache
from operator import attrgetter
from typing import Any

from tcpnotes.kernel.net import Net
from tcpnotes.kernel.sock import (
    CLOSE,
    CLOSE_WAIT,
    CLOSING,
    KEEPALIVE_TIMER,
    LAST_ACK,
    NEVER,
    SEND_SHUTDOWN,
    SOCK_FIELDS,
    SYN_RECV,
    SYN_SENT,
    TASK_TIMER,
    OpenRequest,
    Sock,
)
from tcpnotes.kernel.tcp_h import ACK_SCHED
from tcpnotes.world.host import Host

Shape = tuple[Any, ...]

_FAR_BACK = 16  # doubled so often, any time-out is at its limit; probes go on counting

_TIMES = frozenset(
    {
        "lsndtime", "snd_cwnd_stamp", "ack_lrcvtime", "ack_timeout", "timeout", "retransmit_timer", "delack_timer",
        "timer", "rcv_tstamp", "retrans_stamp", "ts_recent_stamp", "last_oow_ack", "probes_since",
        "backoff",
    }
)  # fmt: skip
_APART = frozenset(
    {
        "net", "id", "rcv_saddr", "daddr", "dst", "freed", "receive_queue", "write_queue", "send_head",
        "out_of_order_queue", "prequeue", "listen_opt", "accept_queue",
    }
)  # fmt: skip
_PLAIN = tuple([name for name in SOCK_FIELDS if name not in _TIMES and name not in _APART])
_REST = (  # what `_whole` puts behind them
    "send_head", "lsndtime", "snd_cwnd_stamp", "ack_lrcvtime", "timeout", "ack_timeout", "rcv_tstamp", "last_oow_ack",
    "probes_since", "backoff", "retrans_stamp", "write_queue", "receive_queue", "out_of_order_queue", "prequeue",
    "listen_opt", "accept_queue",
)  # fmt: skip
_plain = attrgetter(*_PLAIN)
_received = attrgetter("seq", "end_seq", "len", "flags", "truesize")

# What may be dead, by what it is for; see `dead_fields`.
_FEW_PAGES = 256
_FIN_CAME = (CLOSE_WAIT, LAST_ACK, CLOSING)
_NONE: frozenset[str] = frozenset()
_MEMORY = frozenset({"forward_alloc"})
_QUICK = frozenset({"ack_quick", "ack_lrcvtime"})
_ACKING = _QUICK | {"ack_pending", "ack_pingpong", "ack_ato", "ack_last_seg_size"}
_READING = frozenset({"copied_seq"})
_WRITING = frozenset({"lsndtime", "snd_sml", "pushed_seq"})
_MEASURING = _WRITING | {
    "snd_cwnd", "snd_cwnd_cnt", "snd_cwnd_used", "snd_cwnd_stamp", "snd_ssthresh", "prior_ssthresh", "mdev", "mdev_max",
    "rttvar", "rtt_seq",
}  # fmt: skip
_SENDING = _MEASURING | {"snd_wl1", "snd_wnd"}
_CLOSED = frozenset({*_PLAIN, *_REST}) - {
    "state", "err", "shutdown", "done", "dead", "linger", "lingertime", "num", "bound", "hashed", "reuse", "keepopen",
    "receive_queue", "out_of_order_queue", "prequeue",
}  # fmt: skip
_RESETTING = _CLOSED - {  # what the RST for unread data is made of
    "snd_una", "snd_nxt", "snd_wnd", "snd_wscale", "write_seq", "rcv_nxt", "rcv_wup", "rcv_wnd", "rcv_wscale",
    "copied_seq", "rcvbuf", "rmem_alloc", "window_clamp", "rcv_ssthresh", "ack_rcv_mss", "advmss", "tcp_header_len",
    "scaling_ratio",
}  # fmt: skip


def shape(host: Host, mute: bool | None = None) -> Shape:
    """The shape of ``host`` at its own present time; with ``mute`` told, its essence.

    The *essence* leaves out besides what a connection that has come so far never asks for
    again (`dead_fields`).  ``mute`` says that the application will write no more.
    """
    net = host.net
    numbers = {number: place for place, number in enumerate(sorted(net.socks))}
    wheel = net.tw_death_slot
    calendar = net.twcal_hand
    return (
        tuple([_sock(sk, net.jiffies, mute) for _, sk in sorted(net.socks.items())]),
        tuple([(tick - net.jiffies, kind, numbers.get(owner, owner) if kind <= KEEPALIVE_TIMER else 0)
               for tick, kind, owner in _live(net)]),
        tuple([(tw.substate, tw.num, tw.dport, tw.rcv_nxt, tw.rcv_wnd, tw.snd_nxt, tw.syn_seq, tw.reuse, tw.timeout,
                tw.ttd - net.jiffies, _ago(tw.last_oow_ack, net.jiffies, _long_ago(net)),
                _place(tw.cell, wheel, calendar))
               for tw in net.tw_hash.values()]) if net.tw_hash else (),
        calendar >= 0 and (net.twcal_jiffie - net.jiffies),
        tuple([(port, bucket.fastreuse, len(bucket.owners), sum(bucket.buckets.values()))
               for port, bucket in sorted(net.bhash.items())]),
        net.orphan_count, net.memory_allocated if mute is None or not roomy(net) else 0,
        tuple([(task.call, task.resume, task.fd, task.left, task.done, task.target, task.flags, task.timeo,
                task.asleep, numbers.get(task.sk or 0)) for task in net.tasks.values()]) if net.tasks else (),
        tuple([(file.fd, numbers.get(file.sk), file.nonblock, file.refs)
               for _, file in sorted(host.processes.files.items())]),
    )  # fmt: skip


def _live(net: Net) -> list[tuple[int, int, int]]:
    """The timers that count, in the order in which they would fire."""
    return [(tick, kind, owner) for tick, _, kind, owner in net.running() if kind <= TASK_TIMER + 2]


def _place(cell: int, wheel: int, calendar: int) -> tuple[int, int]:
    if cell < 8:
        return (0, (cell - wheel) % 8)
    return (1, (cell - 8 - calendar) % 32)


def _long_ago(net: Net) -> int:
    """Jiffies after which nothing asks how much longer ago it was."""
    return 2 * net.times.TCP_RTO_MAX + 1


def _ago(stamp: int, now: int, long: int) -> int | None:
    if stamp == NEVER:
        return None
    age = now - stamp
    return age if age < long else long


def roomy(net: Net) -> bool:
    """Is memory so plentiful that nobody asks how much of it is taken?"""
    return net.memory_allocated < _FEW_PAGES <= net.sysctl["tcp_mem_max"] >> 4


def dead_fields(sk: Sock, mute: bool) -> frozenset[str]:
    """The fields of ``sk`` that no function of the kernel will ask for before it sets them anew.

    With ``mute`` the owner will write no more.  Each case says why; a test holds full and
    essential searches against each other, state by state and step by step.
    """
    dead = _MEMORY if roomy(sk.net) else _NONE
    if sk.listen_opt is not None or sk.state in (SYN_SENT, SYN_RECV):
        return dead
    unread = bool(sk.receive_queue or sk.out_of_order_queue or sk.prequeue)
    if sk.state == CLOSE and not sk.hashed:
        # No segment finds it; calls look at the error, at what is shut down, and at what is still to be read.
        return dead | (_RESETTING if unread else _CLOSED)
    if sk.done and sk.state in _FIN_CAME:
        if not unread:
            dead |= _READING
        if not sk.ack_pending & ACK_SCHED:
            # Nothing can come any more but what came before; that starts quick ACKs anew (tcp_data_queue).
            dead |= _ACKING
        elif sk.ack_pingpong:
            dead |= _QUICK  # until the ACK that is owed is sent, and then the case before
    finished = bool(sk.shutdown & SEND_SHUTDOWN)
    if sk.send_head is not None or not (mute or finished):
        return dead
    dead |= _WRITING
    if finished and not sk.write_queue:
        return dead | _SENDING  # but ACKs nothing is sent any more
    if sk.state == (LAST_ACK if sk.write_queue else CLOSE_WAIT) and len(sk.write_queue) < 2:
        dead |= _MEASURING  # a FIN asks for the window alone, and its ACK is the end
    return dead


def _sock(sk: Sock, now: int, mute: bool | None) -> Shape:
    if mute is None:
        return _whole(sk, now)
    return _without(_whole(sk, now), dead_fields(sk, mute))


def _without(whole: Shape, dead: frozenset[str]) -> Shape:
    plain, rest = list(whole[0]), list(whole[1:])
    inside, apart = _places(dead)
    for place in inside:
        plain[place] = None
    for place in apart:
        rest[place] = None
    return (tuple(plain), *rest)


@cache
def _places(dead: frozenset[str]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    return (
        tuple([place for place, name in enumerate(_PLAIN) if name in dead]),
        tuple([place for place, name in enumerate(_REST) if name in dead]),
    )


def _whole(sk: Sock, now: int) -> Shape:
    head = sk.send_head
    long = _long_ago(sk.net)
    where = -1
    if head is not None:
        for where, skb in enumerate(sk.write_queue):  # noqa: B007 (its place is what is wanted)
            if skb is head:
                break
    return (
        _plain(sk), where,
        _ago(sk.lsndtime, now, long), _ago(sk.snd_cwnd_stamp, now, long), _ago(sk.ack_lrcvtime, now, long),
        sk.timeout - now if sk.pending else None,
        sk.ack_timeout - now if sk.ack_pending & 2 else None,
        _ago(sk.rcv_tstamp, now, long) if sk.keepopen else None,
        _ago(sk.last_oow_ack, now, long), _ago(sk.probes_since, now, long),
        min(sk.backoff, max(_FAR_BACK, sk.net.sysctl["tcp_retries2"] + 1)),
        bool(sk.retrans_stamp),
        tuple([(*_received(skb), skb.room, skb.sacked, _ago(skb.when, now, long), skb.ack_seq)
               for skb in sk.write_queue]),
        tuple([_received(skb) for skb in sk.receive_queue]),
        tuple([_received(skb) for skb in sk.out_of_order_queue]),
        tuple([skb.seg and tuple(skb.seg[4:]) for skb in sk.prequeue]) if sk.prequeue else (),
        tuple([_request(req, now) for reqs in sk.listen_opt.syn_table.values() for req in reqs])
        if sk.listen_opt is not None else None,
        tuple([_request(req, now) for req in sk.accept_queue]),
    )  # fmt: skip


def _request(req: OpenRequest, now: int) -> Shape:
    # When it was sent is asked for only before it is sent again; until then `expires` tells.
    return (
        req.rcv_isn, req.snd_isn, req.rcv_wnd, req.mss, req.acked, req.retrans, req.expires - now,
        req.sk is not None,
    )  # fmt: skip
