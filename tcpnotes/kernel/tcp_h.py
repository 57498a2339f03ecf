"""include/net/tcp.h: constants, sequence arithmetic, and the inlines that the other files share."""

from __future__ import annotations

from tcpnotes.kernel.mirror import mirrors
from tcpnotes.kernel.skbuff import SkBuff
from tcpnotes.kernel.sock import (
    CLOSE,
    DELACK_TIMER,
    ESTABLISHED,
    KEEPALIVE_TIMER,
    MAXSEQ,
    RETRANS_TIMER,
    SHUTDOWN_MASK,
    SOCK_BINDPORT_LOCK,
    STATE_NAMES,
    Sock,
)

TCP_MAX_QUICKACKS = 16
TCP_SYNQ_HSIZE = 64
TCP_PAWS_24DAYS = 60 * 60 * 24 * 24
TCP_PAWS_MSL = 60
TCP_PAWS_WINDOW = 1
PAGE_SIZE = 4096
SOCK_MIN_SNDBUF = 2048

# sk.pending: what the shared timer stands for
TCP_TIME_RETRANS, TCP_TIME_DACK, TCP_TIME_PROBE0, TCP_TIME_KEEPOPEN, TCP_TIME_LOSS_PROBE = 1, 2, 3, 4, 5
_TIMER_NAMES = ("retrans_idle", "retrans", "delack", "probe0", "", "tail_probe")

# sk.ack_pending
ACK_SCHED, ACK_TIMER, ACK_PUSHED, ACK_NOW = 1, 2, 4, 8

# sk.ca_state
CA_OPEN, CA_DISORDER, CA_CWR, CA_RECOVERY, CA_LOSS = range(5)

# what a bucket answers
TW_SUCCESS, TW_RST, TW_ACK, TW_SYN = range(4)


@mirrors("include/net/tcp.h")
def tcp_set_state(sk: Sock, state: int) -> None:
    """Move ``sk`` to ``state``; going to CLOSE also gives back its place in the hash and its port.

    Moves:  every change of state of a socket goes through here.
    Unlike RFC: the state field is written last, after the socket left its tables.
    """
    old = sk.state
    if state == ESTABLISHED:
        if old != ESTABLISHED:
            sk.net.count("TcpCurrEstab")
    elif state == CLOSE:
        tcp_unhash(sk)
        if sk.bound and not sk.userlocks & SOCK_BINDPORT_LOCK:
            tcp_put_port(sk)
    if old == ESTABLISHED and state != ESTABLISHED:
        sk.net.mib["TcpCurrEstab"] -= 1
    sk.state = state
    if old != state and sk.net.trace is not None:
        sk.net.trace.state(sk.id, sk.fd, STATE_NAMES[old], STATE_NAMES[state])


@mirrors("include/net/tcp.h")
def tcp_done(sk: Sock) -> None:
    """End a connection: CLOSE, no timers, both directions shut; an orphan goes for good.

    It sets no error; whoever has one to report has set it before.
    """
    tcp_set_state(sk, CLOSE)
    tcp_clear_xmit_timers(sk)
    sk.shutdown = SHUTDOWN_MASK
    if not sk.dead:
        sk.state_change()
    else:
        tcp_destroy_sock(sk)


@mirrors("include/net/tcp.h")
def tcp_fin_time(sk: Sock) -> int:
    """How long an orphan may stay in FIN_WAIT2, in jiffies: at least 3.5 retransmission timeouts."""
    fin_timeout: int = sk.linger2 or sk.net.sysctl["tcp_fin_timeout"]
    return max(fin_timeout, (sk.rto << 2) - (sk.rto >> 1))


def clear_xmit_timer(sk: Sock, what: int) -> None:
    """Forget the shared timer or the delayed ACK (tcp_clear_xmit_timer).

    Only the mark is taken away; the timer itself goes on, fires, and finds nothing to do.
    """
    if what == TCP_TIME_DACK:
        had = sk.ack_pending & ACK_TIMER
        sk.ack_blocked = sk.ack_pending = 0
        if had and sk.net.trace is not None:
            sk.net.trace.timer(sk.id, "delack", "clear", None)
    else:
        pending, sk.pending = sk.pending, 0
        if sk.net.trace is not None and pending:
            sk.net.trace.timer(sk.id, _TIMER_NAMES[pending], "clear", None)


def reset_xmit_timer(sk: Sock, what: int, when: int) -> None:
    """Arm a timer of a connection ``when`` jiffies from now, two minutes at most (tcp_reset_xmit_timer)."""
    net = sk.net
    when = min(when, net.times.TCP_RTO_MAX)
    expires = net.jiffies + when
    if what == TCP_TIME_DACK:
        sk.ack_pending |= ACK_TIMER
        sk.ack_timeout = expires
        sk.delack_timer = net.add_timer(DELACK_TIMER, sk.id, expires)
    else:
        sk.pending = what
        sk.timeout = expires
        sk.retransmit_timer = net.add_timer(RETRANS_TIMER, sk.id, expires)
    if net.trace is not None:
        net.trace.timer(sk.id, _TIMER_NAMES[what], "set", expires)


def check_probe_timer(sk: Sock) -> None:
    """Something waits to be sent and nothing else will move it: start probing (tcp_check_probe_timer)."""
    if not sk.packets_out and not sk.pending:
        reset_xmit_timer(sk, TCP_TIME_PROBE0, sk.rto)


def packets_in_flight(sk: Sock) -> int:
    """Segments believed to be in the network (tcp_packets_in_flight)."""
    return sk.packets_out - sk.left_out + sk.retrans_out


def sync_left_out(sk: Sock) -> None:
    """Recompute how many segments have left the network (tcp_sync_left_out)."""
    if sk.sack_ok and sk.sacked_out >= sk.packets_out - sk.lost_out:
        sk.sacked_out = sk.packets_out - sk.lost_out
    sk.left_out = sk.sacked_out + sk.lost_out


def receive_window(sk: Sock) -> int:
    """Bytes left of the window we advertised last, never negative (tcp_receive_window)."""
    win = (sk.rcv_wup + sk.rcv_wnd - sk.rcv_nxt) & MAXSEQ
    return win if win < 0x80000000 else 0


def win_from_space(sk: Sock, space: int) -> int:
    """How much of ``space`` bytes of buffer may be offered as window: three quarters, or the measured share."""
    ratio: int = sk.scaling_ratio
    return space * ratio >> 8 if ratio else space - (space >> 2)


def space(sk: Sock) -> int:
    """Window that the free part of the receive buffer allows; may be negative (tcp_space)."""
    free = sk.rcvbuf - sk.rmem_alloc
    return free * sk.scaling_ratio >> 8 if sk.scaling_ratio else free - (free >> 2)


def full_space(sk: Sock) -> int:
    """Window that the empty receive buffer would allow (tcp_full_space)."""
    return sk.rcvbuf * sk.scaling_ratio >> 8 if sk.scaling_ratio else sk.rcvbuf - (sk.rcvbuf >> 2)


def min_write_space(sk: Sock) -> int:
    """A writer is worth waking from here on: half of what is queued (tcp_min_write_space)."""
    return sk.wmem_queued // 2


def wspace(sk: Sock) -> int:
    """Free bytes of the send buffer (tcp_wspace)."""
    return sk.sndbuf - sk.wmem_queued


def current_ssthresh(sk: Sock) -> int:
    """The slow-start threshold, or three quarters of the window outside recovery (tcp_current_ssthresh)."""
    if sk.ca_state in (CA_CWR, CA_RECOVERY):
        return sk.snd_ssthresh
    return max(sk.snd_ssthresh, (sk.snd_cwnd >> 1) + (sk.snd_cwnd >> 2))


def recalc_ssthresh(sk: Sock) -> int:
    """Half the congestion window, two at least (tcp_recalc_ssthresh)."""
    return max(sk.snd_cwnd >> 1, 2)


def fast_path_on(sk: Sock) -> None:
    """Arm header prediction with the window as it stands (__tcp_fast_path_on)."""
    sk.pred_flags = (sk.tcp_header_len, sk.snd_wnd >> sk.snd_wscale)


def fast_path_check(sk: Sock) -> None:
    """Arm header prediction if nothing forbids it (tcp_fast_path_check)."""
    if not sk.out_of_order_queue and sk.rcv_wnd and sk.rmem_alloc < sk.rcvbuf and not sk.urg_data:
        fast_path_on(sk)


def set_send_head(sk: Sock, skb: SkBuff | None) -> None:
    """Remember the first unsent buffer of write_queue."""
    sk.send_head = skb


def mem_reclaim(sk: Sock) -> None:
    """Give back whole pages of the reserve (tcp_mem_reclaim)."""
    if sk.forward_alloc >= PAGE_SIZE:
        __tcp_mem_reclaim(sk)


def free_skb(sk: Sock, skb: SkBuff) -> None:
    """Drop a sent buffer and give its memory back to the reserve (tcp_free_skb)."""
    sk.wmem_queued -= skb.truesize
    sk.forward_alloc += skb.truesize


def purge(sk: Sock, name: str) -> int:
    """Empty one of the receiving queues; returns how many buffers went."""
    queue: list[SkBuff] = getattr(sk, name)
    n = len(queue)
    if n:
        first, last = queue[0], queue[-1]
        owned = name != "prequeue"
        for skb in queue:
            if owned:
                tcp_rfree(sk, skb)
        queue.clear()
        sk.queue_changed(name, "purge", first.seq, last.end_seq, 0)
        if sk.net.trace is not None:
            sk.net.trace.purged(sk.id, n)
    return n


def writequeue_purge(sk: Sock) -> None:
    """Throw away all output (tcp_writequeue_purge)."""
    n = len(sk.write_queue)
    if n:
        first, last = sk.write_queue[0], sk.write_queue[-1]
        for skb in sk.write_queue:
            free_skb(sk, skb)
        sk.write_queue.clear()
        sk.queue_changed("write_queue", "purge", first.seq, last.end_seq, 0)
        if sk.net.trace is not None:
            sk.net.trace.purged(sk.id, n)
    mem_reclaim(sk)


def keepalive_timer_set(sk: Sock, expires: int) -> None:
    """Arm ``sk.timer`` for a jiffy."""
    sk.timer = sk.net.add_timer(KEEPALIVE_TIMER, sk.id, expires)
    if sk.net.trace is not None:
        sk.net.trace.timer(sk.id, "keepalive", "set", expires)


def sock_error(sk: Sock) -> int:
    """Take the pending error: its negative number, or 0 (sock_error)."""
    err, sk.err = sk.err, 0
    return -err


# What C declares in the header and defines elsewhere.  The files of the kernel need each other, so each of
# them imports the others' functions last, when its own are defined.
from tcpnotes.kernel.tcp import __tcp_mem_reclaim, tcp_destroy_sock, tcp_unhash
from tcpnotes.kernel.tcp_input import tcp_rfree
from tcpnotes.kernel.tcp_ipv4 import tcp_put_port
from tcpnotes.kernel.tcp_timer import tcp_clear_xmit_timers
