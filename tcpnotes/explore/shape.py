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

from operator import attrgetter
from typing import Any

from tcpnotes.kernel.net import Net
from tcpnotes.kernel.sock import KEEPALIVE_TIMER, NEVER, SOCK_FIELDS, TASK_TIMER, OpenRequest, Sock
from tcpnotes.kernel.tcp_h import TCP_RTO_MAX
from tcpnotes.world.host import Host

Shape = tuple[Any, ...]

_LONG_AGO = 2 * TCP_RTO_MAX + 1  # nothing asks how much longer ago it was
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
_plain = attrgetter(*[name for name in SOCK_FIELDS if name not in _TIMES and name not in _APART])
_received = attrgetter("seq", "end_seq", "len", "flags", "truesize")


def shape(host: Host) -> Shape:
    """The shape of ``host`` at its own present time."""
    net = host.net
    numbers = {number: place for place, number in enumerate(sorted(net.socks))}
    wheel = net.tw_death_slot
    calendar = net.twcal_hand
    return (
        tuple([_sock(sk, net.jiffies) for _, sk in sorted(net.socks.items())]),
        tuple([(tick - net.jiffies, kind, numbers.get(owner, owner) if kind <= KEEPALIVE_TIMER else 0)
               for tick, kind, owner in _live(net)]),
        tuple([(tw.substate, tw.num, tw.dport, tw.rcv_nxt, tw.rcv_wnd, tw.snd_nxt, tw.syn_seq, tw.reuse, tw.timeout,
                tw.ttd - net.jiffies, _ago(tw.last_oow_ack, net.jiffies), _place(tw.cell, wheel, calendar))
               for tw in net.tw_hash.values()]) if net.tw_hash else (),
        calendar >= 0 and (net.twcal_jiffie - net.jiffies),
        tuple([(port, bucket.fastreuse, len(bucket.owners), sum(bucket.buckets.values()))
               for port, bucket in sorted(net.bhash.items())]),
        net.orphan_count, net.memory_allocated,
        tuple([(task.call, task.resume, task.fd, task.left, task.done, task.target, task.flags, task.timeo,
                task.asleep, numbers.get(task.sk or 0)) for task in net.tasks.values()]) if net.tasks else (),
        tuple([(file.fd, numbers.get(file.sk), file.nonblock, file.refs)
               for _, file in sorted(host.processes.files.items())]),
    )  # fmt: skip


def _live(net: Net) -> list[tuple[int, int, int]]:
    """The timers that count, in the order in which they would fire."""
    if not net.timers:
        return []
    return [
        (tick, kind, owner)
        for tick, number, kind, owner in sorted(net.timers)
        if (mark := net._mark(kind, owner)) is not None and mark[1] == number and kind <= TASK_TIMER + 2
    ]


def _place(cell: int, wheel: int, calendar: int) -> tuple[int, int]:
    if cell < 8:
        return (0, (cell - wheel) % 8)
    return (1, (cell - 8 - calendar) % 32)


def _ago(stamp: int, now: int) -> int | None:
    if stamp == NEVER:
        return None
    age = now - stamp
    return age if age < _LONG_AGO else _LONG_AGO


def _sock(sk: Sock, now: int) -> Shape:
    head = sk.send_head
    where = -1
    if head is not None:
        for where, skb in enumerate(sk.write_queue):  # noqa: B007 (its place is what is wanted)
            if skb is head:
                break
    return (
        _plain(sk), where,
        _ago(sk.lsndtime, now), _ago(sk.snd_cwnd_stamp, now), _ago(sk.ack_lrcvtime, now),
        sk.timeout - now if sk.pending else None,
        sk.ack_timeout - now if sk.ack_pending & 2 else None,
        _ago(sk.rcv_tstamp, now) if sk.keepopen else None,
        _ago(sk.last_oow_ack, now), _ago(sk.probes_since, now),
        min(sk.backoff, max(_FAR_BACK, sk.net.sysctl["tcp_retries2"] + 1)),
        bool(sk.retrans_stamp),
        tuple([(*_received(skb), skb.room, skb.sacked, _ago(skb.when, now), skb.ack_seq) for skb in sk.write_queue]),
        tuple([_received(skb) for skb in sk.receive_queue]),
        tuple([_received(skb) for skb in sk.out_of_order_queue]),
        tuple([skb.seg and tuple(skb.seg[4:]) for skb in sk.prequeue]) if sk.prequeue else (),
        tuple([_request(req, now) for reqs in sk.listen_opt.syn_table.values() for req in reqs])
        if sk.listen_opt is not None else None,
        tuple([_request(req, now) for req in sk.accept_queue]),
    )  # fmt: skip


def _request(req: OpenRequest, now: int) -> Shape:
    return (
        req.rcv_isn, req.snd_isn, req.rcv_wnd, req.mss, req.acked, req.retrans, req.sent, req.expires - now,
        req.sk is not None,
    )  # fmt: skip
