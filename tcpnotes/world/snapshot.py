"""What can be seen of a world: the views that frames are made of."""

from __future__ import annotations

from tcpnotes.kernel.net import Net
from tcpnotes.kernel.skbuff import EVER_RETRANS, SACKED_ACKED, SkBuff
from tcpnotes.kernel.sock import ERRNO_NAMES, STATE_NAMES, Sock
from tcpnotes.trace.frames import BucketView, HostView, SkbView, SockView, TaskView, TimerView
from tcpnotes.world.host import Host


def _skbs(queue: list[SkBuff], unsent: SkBuff | None = None, received: bool = False) -> tuple[SkbView, ...]:
    views = []
    sent = not received
    for skb in queue:
        if skb is unsent:
            sent = False
        retransmitted, sacked = bool(skb.sacked & EVER_RETRANS), bool(skb.sacked & SACKED_ACKED)
        views.append(SkbView(skb.seq, skb.end_seq, skb.len, skb.flags, sent, retransmitted, sacked))
    return tuple(views)


def _timers(sk: Sock) -> tuple[TimerView, ...]:
    timers = []
    in_10_ms = sk.net.times.in_10_ms
    if sk.pending and sk.retransmit_timer is not None:
        timers.append(TimerView("probe0" if sk.pending == 3 else "retrans", in_10_ms(sk.timeout)))
    if sk.ack_pending & 2 and sk.delack_timer is not None:
        timers.append(TimerView("delack", in_10_ms(sk.ack_timeout)))
    if sk.timer is not None:
        timers.append(TimerView("keepalive", in_10_ms(sk.timer[0])))
    return tuple(timers)


def view_sock(sk: Sock) -> SockView:
    """One socket as it stands."""
    in_10_ms = sk.net.times.in_10_ms
    head = next((i for i, skb in enumerate(sk.write_queue) if skb is sk.send_head), None)
    return SockView(
        id=sk.id, fd=sk.fd, state=STATE_NAMES[sk.state], dead=sk.dead, done=sk.done, shutdown=sk.shutdown,
        err=ERRNO_NAMES[sk.err] if sk.err else None, lport=sk.num or sk.sport, rport=sk.dport, iss=sk.iss,
        irs=sk.syn_seq, rcv_nxt=sk.rcv_nxt, copied_seq=sk.copied_seq, fin_seq=sk.fin_seq, rcv_wnd=sk.rcv_wnd,
        snd_una=sk.snd_una, snd_nxt=sk.snd_nxt, snd_wnd=sk.snd_wnd, write_seq=sk.write_seq, rto=in_10_ms(sk.rto),
        backoff=sk.backoff, retransmits=sk.retransmits, probes_out=sk.probes_out, cwnd=sk.snd_cwnd,
        pingpong=sk.ack_pingpong, hashed=sk.hashed, bound=sk.bound,
        linger=in_10_ms(sk.lingertime) if sk.linger else None,
        receive_queue=_skbs(sk.receive_queue, received=True),
        write_queue=_skbs(sk.write_queue, sk.send_head), send_head=head,
        out_of_order_queue=_skbs(sk.out_of_order_queue, received=True),
        accept_queue=tuple(req.sk or 0 for req in sk.accept_queue),
        half_open=sk.listen_opt.qlen if sk.listen_opt is not None else 0, timers=_timers(sk),
    )  # fmt: skip


def _buckets(net: Net) -> tuple[BucketView, ...]:
    views = []
    in_10_ms = net.times.in_10_ms
    for tw in net.tw_hash.values():
        wheel, slot = None, None
        if 0 <= tw.cell < 8:
            wheel, slot = "slow", (tw.cell - net.tw_death_slot) % 8
        elif tw.cell >= 8:
            wheel, slot = "calendar", (tw.cell - 8 - max(net.twcal_hand, 0)) % 32
        views.append(
            BucketView(
                tw.id, 0, STATE_NAMES[tw.substate], tw.num, tw.dport, tw.rcv_nxt, tw.snd_nxt, 0, tw.syn_seq,
                in_10_ms(tw.timeout), in_10_ms(tw.ttd), wheel, slot,
            )
        )  # fmt: skip
    return tuple(views)


def view_host(host: Host) -> HostView:
    """One host as it stands."""
    net = host.net
    tasks = tuple(
        TaskView(task.id, task.call, task.fd, None if task.timer is None else net.times.moment(task.timer[0]))
        for task in net.tasks.values()
        if task.asleep
    )
    return HostView(
        host.name, tuple(view_sock(sk) for sk in net.socks.values()), _buckets(net), tasks, net.orphan_count,
        net.tw_death_slot, net.twcal_hand, None if net.tw_timer is None else net.times.in_10_ms(net.tw_timer[0]),
        tuple(sorted(net.mib.items())),
    )  # fmt: skip
