"""net/ipv4/tcp_output.c: what leaves the host.

Data goes through `tcp_transmit_skb`, which builds the header; everything that is to
be acknowledged (data, SYN, FIN) waits in `write_queue` until it is.  `send_head` is
the first buffer there that was never sent.
"""

from __future__ import annotations

from tcpnotes.kernel.mirror import mirrors
from tcpnotes.kernel.skbuff import (
    EVER_RETRANS,
    LOST,
    MAX_TCP_HEADER,
    SACKED_ACKED,
    SACKED_RETRANS,
    SIZEOF_SK_BUFF,
    TAGBITS,
    SkBuff,
    skb_area,
)
from tcpnotes.kernel.sock import CLOSE, MAXSEQ, SOCK_RCVBUF_LOCK, SYN_SENT, OpenRequest, Sock, after, before
from tcpnotes.kernel.tcp_h import (
    ACK_SCHED,
    ACK_TIMER,
    CA_LOSS,
    CA_OPEN,
    CA_RECOVERY,
    TCP_TIME_DACK,
    TCP_TIME_PROBE0,
    TCP_TIME_RETRANS,
    check_probe_timer,
    clear_xmit_timer,
    current_ssthresh,
    free_skb,
    full_space,
    packets_in_flight,
    receive_window,
    reset_xmit_timer,
    space,
    tcp_set_state,
)
from tcpnotes.trace.segment import ACK, FIN, PSH, RST, SYN, Segment, make_segment

HEADER_SKB = skb_area(MAX_TCP_HEADER) + SIZEOF_SK_BUFF  # truesize of a buffer without payload: 300


def _advance(sk: Sock, skb: SkBuff) -> None:
    queue = sk.write_queue
    sk.send_head = None if queue[-1] is skb else queue[_position(queue, skb) + 1]


def _position(queue: list[SkBuff], skb: SkBuff) -> int:
    for i, other in enumerate(queue):
        if other is skb:
            return i
    raise ValueError("buffer is not in write_queue")


@mirrors("net/ipv4/tcp_output.c")
def update_send_head(sk: Sock, skb: SkBuff) -> None:
    """``skb`` has just been sent for the first time: count it as in flight and move on to the next."""
    _advance(sk, skb)
    sk.snd_nxt = skb.end_seq
    sk.queue_changed("write_queue", "send_head", skb.seq, skb.end_seq, len(sk.write_queue))
    first = sk.packets_out == 0
    sk.packets_out += 1
    if first:
        reset_xmit_timer(sk, TCP_TIME_RETRANS, sk.rto)
    if sk.sack_ok and sk.net.profile.tail_loss_probe == "yes":
        schedule_loss_probe(sk)


@mirrors("net/ipv4/tcp_output.c", omits=["the MTU of the route changing"])
def tcp_advertise_mss(sk: Sock) -> int:
    """The segment size we announce in a SYN: what the route allows."""
    return sk.advmss


@mirrors("net/ipv4/tcp_output.c")
def tcp_cwnd_restart(sk: Sock) -> None:
    """Nothing was sent for longer than a timeout: slow down again, halving once for each timeout that passed."""
    if not sk.net.sysctl.get("tcp_slow_start_after_idle", 1):
        return
    delta = sk.net.jiffies - sk.lsndtime
    restart = min(tcp_init_cwnd(sk), sk.snd_cwnd)
    cwnd = sk.snd_cwnd
    sk.snd_ssthresh = current_ssthresh(sk)
    delta -= sk.rto
    while delta > 0 and cwnd > restart:
        cwnd >>= 1
        delta -= sk.rto
    sk.snd_cwnd = max(cwnd, restart)
    sk.snd_cwnd_stamp = sk.net.jiffies
    sk.snd_cwnd_used = 0


@mirrors("net/ipv4/tcp_output.c")
def tcp_event_data_sent(sk: Sock) -> None:
    """A segment with payload is leaving: note the time; answering soon after data makes the session interactive."""
    now = sk.net.jiffies
    if not sk.packets_out and now - sk.lsndtime > sk.rto:
        tcp_cwnd_restart(sk)
    sk.lsndtime = now
    if now - sk.ack_lrcvtime < sk.ack_ato:
        sk.ack_pingpong = 1


@mirrors("net/ipv4/tcp_output.c")
def tcp_event_ack_sent(sk: Sock) -> None:
    """A segment with an ACK is leaving: no delayed ACK is owed any more."""
    if sk.ack_quick and (sk.ack_pending & ACK_SCHED or sk.net.profile.quick_acks == "every ACK"):
        sk.ack_quick -= 1
        if not sk.ack_quick:
            sk.ack_ato = sk.net.times.TCP_DELACK_MIN
    clear_xmit_timer(sk, TCP_TIME_DACK)


@mirrors("net/ipv4/tcp_output.c", omits=["a failing device", "ECN", "urgent pointers"])
def tcp_transmit_skb(sk: Sock, skb: SkBuff) -> int:
    """Put a header before ``skb`` and send it; 0 when it left.

    Sends:  seq from the buffer, ack = rcv_nxt always, the flags as stored, the window of `tcp_select_window`.
    Works in every state; a RESET leaves after the state is CLOSE already.
    """
    net = sk.net
    flags = skb.flags
    mss = wscale = ts = None
    sack_ok = False
    sacks: tuple[tuple[int, int], ...] = ()
    if flags & SYN:
        sysctl = net.sysctl
        mss = tcp_advertise_mss(sk)
        if sysctl["tcp_timestamps"]:
            ts = (net.time_stamp, sk.ts_recent)
        sack_ok = bool(sysctl["tcp_sack"])
        if sysctl["tcp_window_scaling"]:
            wscale = sk.rcv_wscale
        window = min(sk.rcv_wnd, 0xFFFF)
    else:
        if sk.tstamp_ok:
            ts = (net.time_stamp, sk.ts_recent)
        if sk.eff_sacks:
            blocks = sk.selective_acks[: sk.eff_sacks - (1 if sk.dsack else 0)]
            sacks = (sk.duplicate_sack, *blocks) if sk.dsack else blocks
            if sk.dsack:
                sk.dsack = False
                sk.eff_sacks -= 1
        window = tcp_select_window(sk)
    if flags & ACK:
        tcp_event_ack_sent(sk)
    if skb.len:
        tcp_event_data_sent(sk)
    net.count("TcpOutSegs")
    seg = make_segment((
        sk.rcv_saddr, sk.sport, sk.daddr, sk.dport, skb.seq, sk.rcv_nxt if flags & ACK else 0, flags, window,
        skb.len, mss, wscale, sack_ok, ts, sacks, 0,
    ))  # fmt: skip
    net.output(seg, sk.id)
    return 0


def snd_test(sk: Sock, skb: SkBuff, mss: int, nonagle: int) -> bool:
    """May ``skb`` leave now (tcp_snd_test)?  Nagle, congestion window, peer's window; the last alone can hold a FIN."""
    if nonagle != 1 and nagle_check(sk, skb, mss, nonagle):
        return False
    if packets_in_flight(sk) >= sk.snd_cwnd and (not skb.flags & FIN or sk.net.profile.fin_cwnd == "as any"):
        return False
    return not after(skb.end_seq, sk.snd_una + sk.snd_wnd)


def nagle_check(sk: Sock, skb: SkBuff, mss: int, nonagle: int) -> bool:
    """Hold a small segment: corked, or an earlier small one is still unacked (tcp_nagle_check)."""
    if skb.len >= mss or skb.flags & FIN:
        return False
    return bool(nonagle & 2) or (not nonagle and bool(sk.packets_out) and minshall_check(sk))


def minshall_check(sk: Sock) -> bool:
    """A small segment sent earlier is still unacked (tcp_minshall_check)."""
    return after(sk.snd_sml, sk.snd_una) and not after(sk.snd_sml, sk.snd_nxt)


def minshall_update(sk: Sock, mss: int, skb: SkBuff) -> None:
    """Remember the end of the last small segment sent (tcp_minshall_update)."""
    if skb.len < mss:
        sk.snd_sml = skb.end_seq


def current_mss(sk: Sock) -> int:
    """Payload of a full segment now, SACK blocks taken off (tcp_current_mss)."""
    mss = sk.mss_cache
    if sk.eff_sacks:
        mss -= 4 + sk.eff_sacks * 8
    return mss


def skb_is_last(sk: Sock, skb: SkBuff) -> bool:
    """``skb`` is the tail of write_queue (tcp_skb_is_last)."""
    return sk.write_queue[-1] is skb


def push_pending_frames(sk: Sock, mss: int, nonagle: int) -> None:
    """Send what may be sent; if nothing may and nothing is in flight, probe (__tcp_push_pending_frames)."""
    skb = sk.send_head
    if skb is not None:
        if not skb_is_last(sk, skb):
            nonagle = 1
        if not snd_test(sk, skb, mss, nonagle) or tcp_write_xmit(sk):
            check_probe_timer(sk)
    cwnd_validate(sk)


def cwnd_validate(sk: Sock) -> None:
    """Shrink a congestion window that the application does not fill (tcp_cwnd_validate)."""
    net = sk.net
    if sk.packets_out >= sk.snd_cwnd:
        sk.snd_cwnd_used = 0
        sk.snd_cwnd_stamp = net.jiffies
    else:
        sk.snd_cwnd_used = max(sk.snd_cwnd_used, sk.packets_out)
        if net.jiffies - sk.snd_cwnd_stamp >= sk.rto:
            tcp_cwnd_application_limited(sk)


@mirrors("net/ipv4/tcp_output.c")
def tcp_send_skb(sk: Sock, skb: SkBuff, force_queue: bool, mss: int) -> None:
    """Append ``skb`` to write_queue, and send it at once if nothing waits before it and it may leave."""
    sk.write_seq = skb.end_seq
    sk.write_queue.append(skb)
    charge(sk, skb)
    sk.queue_changed("write_queue", "add", skb.seq, skb.end_seq, len(sk.write_queue))
    if not force_queue and sk.send_head is None and snd_test(sk, skb, mss, sk.nonagle):
        skb.when = sk.net.jiffies
        if tcp_transmit_skb(sk, skb) == 0:
            sk.snd_nxt = skb.end_seq
            minshall_update(sk, mss, skb)
            first = sk.packets_out == 0
            sk.packets_out += 1
            if first:
                reset_xmit_timer(sk, TCP_TIME_RETRANS, sk.rto)
            if sk.sack_ok and sk.net.profile.tail_loss_probe == "yes":
                schedule_loss_probe(sk)
            return
    if sk.send_head is None:
        sk.send_head = skb


def charge(sk: Sock, skb: SkBuff) -> None:
    """Charge a buffer of write_queue to the sender's memory (tcp_charge_skb)."""
    sk.wmem_queued += skb.truesize
    sk.forward_alloc -= skb.truesize


@mirrors("net/ipv4/tcp_output.c")
def tcp_fragment(sk: Sock, skb: SkBuff, length: int) -> int:
    """Cut ``skb`` after ``length`` payload bytes; the second half, with FIN and PSH, goes right behind it."""
    rest = skb.len - length
    area = skb_area(rest + MAX_TCP_HEADER)
    second = SkBuff(
        (skb.seq + length) & MAXSEQ, skb.end_seq, rest, skb.flags, area + SIZEOF_SK_BUFF, area - MAX_TCP_HEADER
    )
    skb.end_seq = second.seq
    skb.flags &= ~(FIN | PSH)
    skb.len = length
    second.sacked = skb.sacked & (LOST | EVER_RETRANS)
    if second.sacked & LOST:
        sk.lost_out += 1
        sk.left_out += 1
    second.when = skb.when
    second.ack_seq = skb.ack_seq
    sk.write_queue.insert(_position(sk.write_queue, skb) + 1, second)
    charge(sk, second)
    sk.queue_changed("write_queue", "trim", skb.seq, skb.end_seq, len(sk.write_queue))
    return 0


@mirrors("net/ipv4/tcp_output.c", omits=["IP options", "path MTU discovery after the start"])
def tcp_sync_mss(sk: Sock, pmtu: int) -> int:
    """Work out the payload of a full segment: MTU, peer's limit, options, half of the peer's largest window."""
    mss = min(pmtu - 40, sk.mss_clamp)
    mss = max(mss, 48) - (sk.tcp_header_len - 20)
    if sk.max_window and mss > sk.max_window >> 1:
        mss = max(sk.max_window >> 1, 68 - sk.tcp_header_len)
    sk.pmtu_cookie = pmtu
    sk.mss_cache = mss
    return mss


@mirrors("net/ipv4/tcp_output.c")
def tcp_write_xmit(sk: Sock) -> bool:
    """Send from send_head on while windows allow; True when nothing left and nothing is in flight."""
    if sk.state == CLOSE:
        return False
    mss = current_mss(sk)
    sent = False
    while (skb := sk.send_head) is not None:
        if not snd_test(sk, skb, mss, sk.nonagle if skb_is_last(sk, skb) else 1):
            break
        if skb.len > mss:
            tcp_fragment(sk, skb, mss)
        skb.when = sk.net.jiffies
        if tcp_transmit_skb(sk, skb):
            break
        update_send_head(sk, skb)
        minshall_update(sk, mss, skb)
        sent = True
    if sent:
        cwnd_validate(sk)
        return False
    return not sk.packets_out and sk.send_head is not None


@mirrors("net/ipv4/tcp_output.c", omits=["memory pressure"])
def __tcp_select_window(sk: Sock) -> int:
    """The window we could offer now, in bytes: from free buffer space, in whole segments where it must move."""
    full = full_space(sk)
    if full > sk.window_clamp:
        full = sk.window_clamp
    mss = sk.ack_rcv_mss
    if mss > full:
        mss = full
    free_space = space(sk)
    if free_space < full // 2:
        sk.ack_quick = 0
        if free_space < mss or (sk.scaling_ratio and free_space < full >> 4):
            return 0
    if free_space > sk.rcv_ssthresh:
        free_space = sk.rcv_ssthresh
    if sk.scaling_ratio and sk.rcv_wscale:
        return ((free_space - 1) >> sk.rcv_wscale) + 1 << sk.rcv_wscale  # so that scaling takes nothing away
    window = sk.rcv_wnd
    if window <= free_space - mss or window > free_space:
        window = (free_space // mss) * mss if mss else 0
    return window


@mirrors("net/ipv4/tcp_output.c")
def tcp_select_window(sk: Sock) -> int:
    """The window for the segment being sent, as it stands in the header; the right edge never moves back."""
    cur_win = receive_window(sk)
    new_win = __tcp_select_window(sk)
    if new_win < cur_win:
        new_win = cur_win
        if sk.scaling_ratio and sk.rcv_wscale:
            new_win = ((new_win - 1) >> sk.rcv_wscale) + 1 << sk.rcv_wscale
    sk.rcv_wnd = new_win
    sk.rcv_wup = sk.rcv_nxt
    new_win >>= sk.rcv_wscale
    if new_win == 0:
        sk.pred_flags = None
    if sk.scaling_ratio:
        return min(new_win, 0xFFFF)
    return new_win & 0xFFFF


@mirrors("net/ipv4/tcp_output.c")
def tcp_retrans_try_collapse(sk: Sock, skb: SkBuff, mss: int) -> None:
    """Glue the next sent buffer to ``skb`` for a retransmission, if both fit one segment: data and FIN as one."""
    queue = sk.write_queue
    where = _position(queue, skb) + 1
    if where >= len(queue):
        return
    following = queue[where]
    if skb.flags & SYN or following is sk.send_head or following.sacked & SACKED_ACKED:
        return
    if after(following.end_seq, sk.snd_una + sk.snd_wnd):
        return
    if skb.len + following.len > mss or (following.len > skb.room - skb.len and sk.net.profile.repeated == "whole"):
        return
    del queue[where]
    skb.len += following.len
    skb.end_seq = following.end_seq
    skb.flags |= following.flags
    skb.sacked |= following.sacked & (EVER_RETRANS | 0)
    if following.sacked & SACKED_RETRANS:
        sk.retrans_out -= 1
    if following.sacked & LOST:
        sk.lost_out -= 1
        sk.left_out -= 1
    if not sk.sack_ok and sk.sacked_out:
        sk.sacked_out -= 1
        sk.left_out -= 1
    free_skb(sk, following)
    sk.packets_out -= 1
    sk.queue_changed("write_queue", "unlink", following.seq, following.end_seq, len(queue))


@mirrors("net/ipv4/tcp_output.c", omits=["clones still held by the device"])
def tcp_retransmit_skb(sk: Sock, skb: SkBuff) -> int:
    """Send ``skb`` again: cut to the segment size, glued to its neighbour, or stripped to its FIN.

    Returns 0 when it left.
    """
    net = sk.net
    mss = current_mss(sk)
    rest_only = net.profile.repeated == "the rest"
    if rest_only and before(skb.seq, sk.snd_una):
        skb.len -= (sk.snd_una - skb.seq) & MAXSEQ
        skb.seq = sk.snd_una
    if skb.len > mss:
        tcp_fragment(sk, skb, mss)
        sk.packets_out += 1  # the second half counts as sent as well
        mss = skb.len
    if (
        not skb.flags & SYN
        and skb.len < (mss if rest_only else mss >> 1)
        and not skb_is_last(sk, skb)
        and not sk.sacked_out + sk.fackets_out
        and net.sysctl["tcp_retrans_collapse"]
    ):
        tcp_retrans_try_collapse(sk, skb, mss)
    if skb.len and skb.flags & FIN and sk.snd_una == (skb.end_seq - 1) & MAXSEQ:
        skb.seq = (skb.end_seq - 1) & MAXSEQ
        skb.len = 0
    skb.when = net.jiffies
    error = tcp_transmit_skb(sk, skb)
    if error == 0:
        net.count("TcpRetransSegs")
        if skb.sacked & SACKED_RETRANS == 0:
            sk.retrans_out += 1
        skb.sacked |= SACKED_RETRANS | EVER_RETRANS
        if not sk.retrans_stamp:
            sk.retrans_stamp = net.time_stamp
        sk.undo_retrans += 1
        skb.ack_seq = sk.snd_nxt  # to find later that this retransmission was lost as well
    return error


@mirrors("net/ipv4/tcp_output.c")
def tcp_xmit_retransmit_queue(sk: Sock) -> None:
    """In recovery: send again what is marked lost, then, with SACK, what is merely suspected."""
    packet_cnt = sk.lost_out
    net = sk.net
    if packet_cnt:
        # The queue itself, not a copy: a buffer may be cut or glued on the way, and what stands behind it then is next.
        for skb in sk.write_queue:
            if skb is sk.send_head:
                break
            if packets_in_flight(sk) >= sk.snd_cwnd:
                return
            if skb.sacked & LOST:
                if not skb.sacked & (SACKED_ACKED | SACKED_RETRANS):
                    if tcp_retransmit_skb(sk, skb):
                        return
                    net.count("TCPFastRetrans" if sk.ca_state != CA_LOSS else "TCPSlowStartRetrans")
                    if skb is sk.write_queue[0]:
                        reset_xmit_timer(sk, TCP_TIME_RETRANS, sk.rto)
                packet_cnt -= 1
                if packet_cnt <= 0:
                    break
    if sk.ca_state != CA_RECOVERY or not sk.sack_ok:
        return
    if may_send_now(sk):
        return
    packet_cnt = 0
    for skb in sk.write_queue:
        if skb is sk.send_head:
            break
        packet_cnt += 1
        if packet_cnt > sk.fackets_out or packets_in_flight(sk) >= sk.snd_cwnd:
            break
        if skb.sacked & TAGBITS:
            continue
        if tcp_retransmit_skb(sk, skb):
            break
        if skb is sk.write_queue[0]:
            reset_xmit_timer(sk, TCP_TIME_RETRANS, sk.rto)
        net.count("TCPForwardRetrans")


def may_send_now(sk: Sock) -> bool:
    """Something new may be sent (tcp_may_send_now)."""
    skb = sk.send_head
    return skb is not None and snd_test(sk, skb, current_mss(sk), 1 if skb_is_last(sk, skb) else sk.nonagle)


@mirrors("net/ipv4/tcp_output.c", omits=["waiting for memory"])
def tcp_send_fin(sk: Sock) -> None:
    """Queue our FIN, on the last unsent buffer if there is one, otherwise in a buffer of its own.

    When:   close or shutdown, after the state has moved.
    Sends:  FIN,ACK at once, unless unsent data stands before it or the peer's window is shut; then later.
    """
    mss = current_mss(sk)
    skb = sk.write_queue[-1] if sk.write_queue else None
    everything = sk.net.profile.fin_push == "everything"
    if sk.send_head is not None and skb is not None:
        skb.flags |= FIN
        skb.end_seq = (skb.end_seq + 1) & MAXSEQ
        sk.write_seq = (sk.write_seq + 1) & MAXSEQ
        sk.queue_changed("write_queue", "flag", skb.seq, skb.end_seq, len(sk.write_queue))
        if everything:
            push_pending_frames(sk, mss, 1)
        # Only a FIN on the very next buffer may leave now; Nagle and the congestion window have no say.
        elif sk.send_head is skb and not after(sk.write_seq, sk.snd_una + sk.snd_wnd):
            skb.when = sk.net.jiffies
            if tcp_transmit_skb(sk, skb) == 0:
                update_send_head(sk, skb)
            else:
                check_probe_timer(sk)
    else:
        skb = SkBuff(sk.write_seq, (sk.write_seq + 1) & MAXSEQ, 0, ACK | FIN, HEADER_SKB)
        tcp_send_skb(sk, skb, False, mss)
        push_pending_frames(sk, mss, 1)


@mirrors("net/ipv4/tcp_output.c", omits=["failing to get memory"])
def tcp_send_active_reset(sk: Sock) -> None:
    """Tell the peer by force that this connection is over: RST,ACK at the next number to send.

    It is not queued and never sent again.
    """
    seq = tcp_acceptable_seq(sk)
    skb = SkBuff(seq, seq, 0, ACK | RST, HEADER_SKB)
    skb.when = sk.net.jiffies
    if tcp_transmit_skb(sk, skb):
        sk.net.count("TCPAbortFailed")


@mirrors("net/ipv4/tcp_output.c")
def tcp_send_synack(sk: Sock) -> int:
    """Answer a SYN that crossed ours: our SYN again, now with an ACK."""
    skb = sk.write_queue[0] if sk.write_queue else None
    if skb is None or not skb.flags & SYN:
        return -14
    if not skb.flags & ACK:
        skb.flags |= ACK
    skb.when = sk.net.jiffies
    return tcp_transmit_skb(sk, skb)


@mirrors("net/ipv4/tcp_output.c", omits=["source routes"])
def tcp_make_synack(sk: Sock, req: OpenRequest) -> Segment:
    """Build the SYN,ACK of an open request of listener ``sk``; the window is chosen the first time."""
    net = sk.net
    advmss = 1460
    if req.rcv_wnd == 0:
        mss = advmss - (12 if req.tstamp_ok else 0)
        clamp = full_space(sk) if sk.userlocks & SOCK_RCVBUF_LOCK and sk.scaling_ratio else 0
        req.rcv_wnd, req.window_clamp, req.rcv_wscale = initial_window(sk, mss, clamp, req.wscale_ok)
    net.count("TcpOutSegs")
    return Segment(
        req.laddr, sk.sport, req.daddr, req.dport, req.snd_isn, (req.rcv_isn + 1) & MAXSEQ, SYN | ACK,
        min(req.rcv_wnd, 0xFFFF), 0, advmss, req.rcv_wscale if req.wscale_ok else None, req.sack_ok,
        (net.time_stamp, req.ts_recent) if req.tstamp_ok else None,
    )  # fmt: skip


def initial_window(sk: Sock, mss: int, clamp: int, wscale_ok: bool) -> tuple[int, int, int]:
    """First window, its limit and our scale, as the version of ``sk`` chooses them."""
    room = full_space(sk)
    if sk.net.profile.initial_window == "4 segments":
        return select_initial_window(room, mss, clamp, wscale_ok)
    clamp = clamp or 65535 << 14
    room = min(room, clamp)
    if room > mss:
        room = (room // mss) * mss
    rcv_wscale = 0
    if wscale_ok:
        # The scale is for the largest buffer that there may ever be.
        largest = min(max(room, sk.net.sysctl["tcp_rmem_max"], sk.net.sysctl["rmem_max"]), clamp)
        rcv_wscale = min(max(largest.bit_length() - 16, 0), 14)
    return room, min(65535 << rcv_wscale, clamp), rcv_wscale  # no header says more than 65 535 of it


def select_initial_window(room: int, mss: int, clamp: int, wscale_ok: bool) -> tuple[int, int, int]:
    """First window, its limit and our scale, from ``room`` bytes of buffer (tcp_select_initial_window)."""
    if clamp == 0:
        clamp = 65535 << 14
    room = min(room, clamp)
    if room > mss:
        room = (room // mss) * mss
    rcv_wnd = min(room, 32767)
    rcv_wscale = 0
    if wscale_ok:
        left = room
        while left > 65535 and rcv_wscale < 14:
            left >>= 1
            rcv_wscale += 1
        if (
            rcv_wscale
            and room
            and 65535 << (rcv_wscale - 1) >= room - max(room >> 31, mss >> rcv_wscale)
            and (left << 0) < 32768
        ):
            rcv_wscale -= 1
    if mss > 1 << rcv_wscale:
        segments = 4
        if mss > 1460 * 3:
            segments = 2
        elif mss > 1460:
            segments = 3
        rcv_wnd = min(rcv_wnd, segments * mss)
    return rcv_wnd, min(65535 << rcv_wscale, clamp), rcv_wscale


@mirrors("net/ipv4/tcp_output.c", omits=["routing", "tcp_tw_recycle's remembered stamps of the peer on connect"])
def tcp_connect(sk: Sock) -> int:
    """Start an active open: SYN_SENT, into the hash, the SYN on its way and its timer armed."""
    net = sk.net
    sysctl = net.sysctl
    sk.tcp_header_len = 32 if sysctl["tcp_timestamps"] else 20
    if sk.user_mss:
        sk.mss_clamp = sk.user_mss
    sk.max_window = 0
    tcp_sync_mss(sk, 1500)
    sk.advmss = 1460
    ack_rcv = min(sk.advmss, sk.mss_cache, 536)
    sk.ack_rcv_mss = max(ack_rcv, 88)
    mss = sk.advmss - (sk.tcp_header_len - 20 if sk.ts_recent_stamp else 0)
    sk.rcv_wnd, sk.window_clamp, sk.rcv_wscale = initial_window(
        sk, mss, sk.window_clamp, bool(sysctl["tcp_window_scaling"])
    )
    sk.rcv_ssthresh = sk.rcv_wnd
    tcp_set_state(sk, SYN_SENT)
    error: int = tcp_v4_hash_connecting(sk)
    if error:
        tcp_set_state(sk, CLOSE)
        return error
    sk.done = False
    sk.snd_wnd = 0
    sk.snd_wl1 = 0
    sk.snd_una = sk.snd_sml = sk.write_seq
    sk.rcv_nxt = sk.rcv_wup = sk.copied_seq = 0
    sk.rto = net.times.TCP_TIMEOUT_INIT
    tcp_clear_retrans(sk)
    seq = sk.iss = sk.write_seq
    sk.write_seq = (seq + 1) & MAXSEQ
    sk.snd_nxt = sk.write_seq
    sk.pushed_seq = sk.write_seq
    skb = SkBuff(seq, sk.write_seq, 0, SYN, skb_area(MAX_TCP_HEADER + 15) + SIZEOF_SK_BUFF)
    skb.when = net.jiffies
    sk.retrans_stamp = net.time_stamp
    sk.write_queue.append(skb)
    charge(sk, skb)
    sk.queue_changed("write_queue", "add", skb.seq, skb.end_seq, 1)
    sk.packets_out += 1
    tcp_transmit_skb(sk, skb)
    net.count("TcpActiveOpens")
    reset_xmit_timer(sk, TCP_TIME_RETRANS, sk.rto)
    return 0


@mirrors("net/ipv4/tcp_output.c")
def tcp_send_delayed_ack(sk: Sock) -> None:
    """Owe an ACK: it goes out with the next data, or alone when the timer fires (40 to 200 ms, 0 at first)."""
    net = sk.net
    ato = sk.ack_ato
    times = net.times
    if ato > times.TCP_DELACK_MIN:
        max_ato = times.HZ // 2
        if sk.ack_pingpong or sk.ack_pending & 4:
            max_ato = times.TCP_DELACK_MAX
        if sk.srtt:
            rtt = max(sk.srtt >> 3, times.TCP_DELACK_MIN)
            max_ato = min(max_ato, rtt)
        ato = min(ato, max_ato)
    timeout = net.jiffies + ato
    if sk.ack_pending & ACK_TIMER:
        # It was put off before, or is due very soon anyway: send now.
        if sk.ack_blocked or sk.ack_timeout <= net.jiffies + (ato >> 2):
            tcp_send_ack(sk)
            return
        timeout = min(timeout, sk.ack_timeout)
    sk.ack_pending |= ACK_SCHED | ACK_TIMER
    sk.ack_timeout = timeout
    set_delack_timer(sk, timeout)


def set_delack_timer(sk: Sock, expires: int) -> None:
    """Arm the timer of the delayed ACK for a jiffy."""
    sk.delack_timer = sk.net.add_timer(1, sk.id, expires)
    if sk.net.trace is not None:
        sk.net.trace.timer(sk.id, "delack", "set", expires)


@mirrors("net/ipv4/tcp_output.c", omits=["failing to get memory"])
def tcp_send_ack(sk: Sock) -> None:
    """Send an ACK of everything received in order, now.  Nothing leaves a CLOSEd socket."""
    if sk.state == CLOSE:
        return
    seq = tcp_acceptable_seq(sk)
    skb = SkBuff(seq, seq, 0, ACK, HEADER_SKB)
    skb.when = sk.net.jiffies
    tcp_transmit_skb(sk, skb)


@mirrors("net/ipv4/tcp_output.c")
def tcp_acceptable_seq(sk: Sock) -> int:
    """A sequence number that the peer will accept: snd_nxt, or the right edge if it shrank its window below that."""
    edge = (sk.snd_una + sk.snd_wnd) & MAXSEQ
    return edge if before(edge, sk.snd_nxt) else sk.snd_nxt


@mirrors("net/ipv4/tcp_output.c", omits=["urgent mode"])
def tcp_xmit_probe_skb(sk: Sock) -> int:
    """Make the peer answer: an empty ACK with a number it has seen already, one below snd_una."""
    seq = (sk.snd_una - 1) & MAXSEQ
    skb = SkBuff(seq, seq, 0, ACK, HEADER_SKB)
    skb.when = sk.net.jiffies
    return tcp_transmit_skb(sk, skb)


@mirrors("net/ipv4/tcp_output.c")
def tcp_write_wakeup(sk: Sock) -> int:
    """Probe: a piece of data if the window takes any, otherwise the empty ACK.  0 when it left."""
    if sk.state == CLOSE:
        return -1
    skb = sk.send_head
    if skb is not None and before(skb.seq, sk.snd_una + sk.snd_wnd):
        mss = current_mss(sk)
        seg_size = (sk.snd_una + sk.snd_wnd - skb.seq) & MAXSEQ
        if before(sk.pushed_seq, skb.end_seq):
            sk.pushed_seq = skb.end_seq
        if seg_size < (skb.end_seq - skb.seq) & MAXSEQ or skb.len > mss:
            seg_size = min(seg_size, mss)
            skb.flags |= PSH
            tcp_fragment(sk, skb, seg_size)
        skb.flags |= PSH
        skb.when = sk.net.jiffies
        error = tcp_transmit_skb(sk, skb)
        if not error:
            update_send_head(sk, skb)
        return error
    return tcp_xmit_probe_skb(sk)


@mirrors("net/ipv4/tcp_output.c")
def tcp_send_probe0(sk: Sock) -> None:
    """The window is shut: probe, and come back after twice the time."""
    error = tcp_write_wakeup(sk)
    if sk.packets_out or sk.send_head is None:
        sk.probes_out = 0
        sk.backoff = 0
        return
    if error <= 0:
        sk.backoff += 1
        sk.probes_out += 1
        reset_xmit_timer(sk, TCP_TIME_PROBE0, min(sk.rto << sk.backoff, sk.net.times.TCP_RTO_MAX))
    else:
        if not sk.probes_out:
            sk.probes_out = 1
        reset_xmit_timer(sk, TCP_TIME_PROBE0, min(sk.rto << sk.backoff, sk.net.times.TCP_RESOURCE_PROBE_INTERVAL))


@mirrors("net/ipv4/tcp_output.c")
def tcp_cwnd_application_limited(sk: Sock) -> None:
    """The application did not fill the window for a whole timeout: come half way down to what it used."""
    if sk.ca_state == CA_OPEN and sk.socket is not None and not sk.nospace:
        win_used = max(sk.snd_cwnd_used, 2)
        if win_used < sk.snd_cwnd:
            sk.snd_ssthresh = current_ssthresh(sk)
            sk.snd_cwnd = (sk.snd_cwnd + win_used) >> 1
        sk.snd_cwnd_used = 0
    sk.snd_cwnd_stamp = sk.net.jiffies


from tcpnotes.kernel.tail_probe import schedule_loss_probe
from tcpnotes.kernel.tcp_input_ack import tcp_clear_retrans, tcp_init_cwnd
from tcpnotes.kernel.tcp_ipv4 import tcp_v4_hash_connecting
