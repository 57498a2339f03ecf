"""net/ipv4/tcp_timer.c: what happens when nobody answers.

A connection has three timers.  One is shared by retransmission and window probes
(`pending` says which it stands for; stopping it only forgets that), one sends a
delayed ACK, and `sk.timer` serves keepalive, orphans in FIN_WAIT2 and, on a
listener, the SYN,ACKs.
"""

from __future__ import annotations

import errno

from tcpnotes.kernel.mirror import mirrors
from tcpnotes.kernel.sock import CLOSE, FIN_WAIT2, LISTEN, MAXSEQ, NEVER, SYN_RECV, SYN_SENT, OpenRequest, Sock
from tcpnotes.kernel.tcp_h import (
    ACK_SCHED,
    ACK_TIMER,
    CA_DISORDER,
    CA_LOSS,
    CA_RECOVERY,
    SOCK_MIN_SNDBUF,
    TCP_SYNQ_HSIZE,
    TCP_TIME_LOSS_PROBE,
    TCP_TIME_PROBE0,
    TCP_TIME_RETRANS,
    keepalive_timer_set,
    mem_reclaim,
    reset_xmit_timer,
    tcp_done,
    tcp_fin_time,
)


@mirrors("net/ipv4/tcp_timer.c")
def tcp_init_xmit_timers(sk: Sock) -> None:
    """A new socket has no timer running."""
    sk.retransmit_timer = None
    sk.delack_timer = None
    sk.timer = None
    sk.pending = 0


@mirrors("net/ipv4/tcp_timer.c")
def tcp_clear_xmit_timers(sk: Sock) -> None:
    """The connection is over: really take away all three timers."""
    trace = sk.net.trace
    sk.pending = 0
    if sk.retransmit_timer is not None:
        if trace is not None:
            trace.timer(sk.id, "retrans_idle", "clear", sk.retransmit_timer[0])
        sk.retransmit_timer = None
    sk.ack_pending = 0
    sk.ack_blocked = 0
    if sk.delack_timer is not None:
        if trace is not None:
            trace.timer(sk.id, "delack", "clear", sk.delack_timer[0])
        sk.delack_timer = None
    if sk.timer is not None:
        if trace is not None:
            trace.timer(sk.id, "keepalive", "clear", sk.timer[0])
        sk.timer = None


@mirrors("net/ipv4/tcp_timer.c")
def tcp_write_err(sk: Sock) -> None:
    """Give up: tell the owner (a soft error if there was one, else ETIMEDOUT).  The peer is told nothing."""
    sk.err = sk.err_soft or errno.ETIMEDOUT
    sk.error_report()
    tcp_done(sk)
    sk.net.count("TCPAbortOnTimeout")


@mirrors("net/ipv4/tcp_timer.c")
def tcp_out_of_resources(sk: Sock, do_reset: bool) -> bool:
    """Too many orphans, or no memory: end this one now.  True when it is gone.

    An orphan that has been silent for long, or that would get no RESET, counts double.
    """
    net = sk.net
    orphans = net.orphan_count
    idle = net.jiffies - sk.lsndtime
    if idle > 2 * net.times.TCP_RTO_MAX or not do_reset:
        orphans <<= 1
    if sk.err_soft:
        orphans <<= 1
    if orphans >= net.sysctl["tcp_max_orphans"] or (
        sk.wmem_queued > SOCK_MIN_SNDBUF and net.memory_allocated > net.sysctl["tcp_mem_max"]
    ):
        if net.net_ratelimit():
            net.printk("Out of socket memory")
        if idle <= net.times.TCP_TIMEWAIT_LEN or (not sk.snd_wnd and not sk.packets_out):
            do_reset = True
        if do_reset:
            tcp_send_active_reset(sk)
        tcp_done(sk)
        net.count("TCPAbortOnMemory")
        return True
    return False


@mirrors("net/ipv4/tcp_timer.c")
def tcp_orphan_retries(sk: Sock, alive: bool) -> int:
    """How often an orphan may retransmit: the sysctl; where that is 0, eight times while the peer may be alive."""
    retries: int = sk.net.sysctl["tcp_orphan_retries"]
    if sk.err_soft and not alive:
        retries = 0
    if retries == 0 and alive:
        retries = 8
    return retries


@mirrors("net/ipv4/tcp_timer.c", omits=["asking the route for another gateway", "black-hole detection"])
def tcp_write_timeout(sk: Sock) -> bool:
    """Has it been tried often enough?  True when the connection is gone."""
    sysctl = sk.net.sysctl
    by_time = sk.net.profile.orphan_limit == "time"
    if sk.state in (SYN_SENT, SYN_RECV):
        retry_until = sk.syn_retries or sysctl["tcp_syn_retries"]
        retry_until += sysctl.get("tcp_syn_linear_timeouts", 0) if sk.state == SYN_SENT else 0
        by_time = False
    else:
        retry_until = sysctl["tcp_retries2"]
        if sk.dead:
            alive = sk.rto < sk.net.times.TCP_RTO_MAX
            retry_until = tcp_orphan_retries(sk, alive)
            tried = timed_out(sk, retry_until, 0) if by_time else sk.retransmits >= retry_until
            if tcp_out_of_resources(sk, alive or not tried):
                return True
    expired = timed_out(sk, retry_until, sk.user_timeout) if by_time else sk.retransmits >= retry_until
    if sk.user_timeout and not by_time:
        expired = expired or timed_out(sk, retry_until, sk.user_timeout)
    if expired:
        tcp_write_err(sk)
        return True
    return False


def timed_out(sk: Sock, boundary: int, limit: int) -> bool:
    """Has it been retransmitted for ``limit`` milliseconds, or as long as ``boundary`` tries from 0.2 s on would take?

    Linux 6 counts time where 2.4 counts tries (retransmits_timed_out, tcp_model_timeout).
    """
    if not sk.retransmits or not sk.retrans_stamp:
        return False
    times = sk.net.times
    if limit:
        patience = -(-limit * times.HZ // 1000)
    else:
        doubling = (times.TCP_RTO_MAX // times.TCP_RTO_MIN).bit_length() - 1
        patience = ((2 << min(boundary, doubling)) - 1) * times.TCP_RTO_MIN
        patience += max(boundary - doubling, 0) * times.TCP_RTO_MAX
    return (sk.net.time_stamp - sk.retrans_stamp) & MAXSEQ >= patience


@mirrors("net/ipv4/tcp_timer.c", omits=["a socket locked by a process", "the prequeue"])
def tcp_delack_timer(sk: Sock) -> None:
    """The delayed ACK is due: nobody answered in time, so it goes alone."""
    mem_reclaim(sk)
    if sk.state != CLOSE and sk.ack_pending & ACK_TIMER:
        if sk.ack_timeout > sk.net.jiffies:
            sk.delack_timer = sk.net.add_timer(1, sk.id, sk.ack_timeout)
            if sk.net.trace is not None:
                sk.net.trace.timer(sk.id, "delack", "set", sk.ack_timeout)
        else:
            sk.ack_pending &= ~ACK_TIMER
            if sk.prequeue:
                sk.net.add("TCPSchedulerFailed", len(sk.prequeue))
                waiting, sk.prequeue = sk.prequeue, []
                sk.ucopy_memory = 0
                for skb in waiting:
                    tcp_v4_do_rcv(sk, skb)
            if sk.ack_pending & ACK_SCHED:
                if not sk.ack_pingpong:
                    # The guess was too short: wait longer next time.
                    sk.ack_ato = min(sk.ack_ato << 1, sk.rto)
                else:
                    sk.ack_pingpong = 0
                    sk.ack_ato = sk.net.times.TCP_ATO_MIN
                tcp_send_ack(sk)
                sk.net.count("DelayedACKs")
    release(sk)


@mirrors("net/ipv4/tcp_timer.c")
def tcp_probe_timer(sk: Sock) -> None:
    """The window is shut and something waits: probe it, unless it has been tried too often.

    Unlike RFC: a peer that keeps answering with a shut window keeps an orphan alive for ever.
    """
    if sk.packets_out or sk.send_head is None:
        sk.probes_out = 0
        return
    max_probes = sk.net.sysctl["tcp_retries2"]
    if sk.dead:
        alive = (sk.rto << sk.backoff) < sk.net.times.TCP_RTO_MAX
        max_probes = tcp_orphan_retries(sk, alive)
        if sk.net.profile.orphan_probes == "given up" and not alive and sk.backoff >= max_probes:
            tcp_write_err(sk)
            return
        if tcp_out_of_resources(sk, alive or sk.probes_out <= max_probes):
            return
    if sk.user_timeout:
        if sk.probes_since == NEVER:
            sk.probes_since = sk.net.jiffies
        elif (sk.net.jiffies - sk.probes_since) * 1000 >= sk.user_timeout * sk.net.times.HZ:
            tcp_write_err(sk)
            return
    if sk.probes_out > max_probes:
        tcp_write_err(sk)
    else:
        tcp_send_probe0(sk)


@mirrors("net/ipv4/tcp_timer.c", omits=["a failing device"])
def tcp_retransmit_timer(sk: Sock) -> None:
    """No ACK in time: send the head of write_queue again and wait twice as long, or give up."""
    net = sk.net
    if not sk.packets_out:
        return
    if tcp_write_timeout(sk):
        return
    if sk.retransmits == 0:
        if sk.ca_state in (CA_DISORDER, CA_RECOVERY):
            if sk.sack_ok:
                net.count("TCPSackRecoveryFail" if sk.ca_state == CA_RECOVERY else "TCPSackFailures")
            else:
                net.count("TCPRenoRecoveryFail" if sk.ca_state == CA_RECOVERY else "TCPRenoFailures")
        elif sk.ca_state == CA_LOSS:
            net.count("TCPLossFailures")
        else:
            net.count("TCPTimeouts")
    tcp_enter_loss(sk, 0)
    if tcp_retransmit_skb(sk, sk.write_queue[0]) > 0:
        sk.retransmits = sk.retransmits or 1
        reset_xmit_timer(sk, TCP_TIME_RETRANS, min(sk.rto, net.times.TCP_RESOURCE_PROBE_INTERVAL))
        return
    sk.retransmits += 1
    even = net.sysctl["tcp_syn_linear_timeouts"] if net.profile.syn_repeats == "four even ones" else 0
    if sk.state != SYN_SENT or sk.retransmits > even:
        sk.backoff += 1
        sk.rto = min(sk.rto << 1, net.times.TCP_RTO_MAX)
    wait = sk.rto
    if sk.user_timeout and sk.retrans_stamp:
        spent = (net.time_stamp - sk.retrans_stamp) & MAXSEQ
        wait = min(wait, max(-(-sk.user_timeout * net.times.HZ // 1000) - spent, 1))
    reset_xmit_timer(sk, TCP_TIME_RETRANS, wait)


@mirrors("net/ipv4/tcp_timer.c", omits=["a socket locked by a process"])
def tcp_write_timer(sk: Sock) -> None:
    """The shared timer fired: retransmission or probe, whichever is pending; nothing if it was stopped."""
    net = sk.net
    if sk.state != CLOSE and sk.pending:
        if sk.timeout > net.jiffies:
            sk.retransmit_timer = net.add_timer(0, sk.id, sk.timeout)
        else:
            event, sk.pending = sk.pending, 0
            if event == TCP_TIME_RETRANS:
                tcp_retransmit_timer(sk)
            elif event == TCP_TIME_PROBE0:
                tcp_probe_timer(sk)
            elif event == TCP_TIME_LOSS_PROBE:
                send_loss_probe(sk)
    mem_reclaim(sk)
    release(sk)


@mirrors("net/ipv4/tcp_timer.c")
def tcp_synack_timer(sk: Sock) -> None:
    """Go through an eighth of a listener's half-open connections: SYN,ACK again, or forget them in silence."""
    net = sk.net
    times = net.times
    lopt = sk.listen_opt
    if lopt is None or lopt.qlen == 0:
        return
    max_retries = sk.syn_retries or net.sysctl["tcp_synack_retries"]
    thresh = max_retries
    if lopt.qlen >> (lopt.max_qlen_log - 1):
        # The table fills up: old requests go first when few are young.
        young = lopt.qlen_young << 1
        while thresh > 2:
            if lopt.qlen < young:
                break
            thresh -= 1
            young <<= 1
    if sk.defer_accept:
        max_retries = sk.defer_accept
    budget = 2 * (TCP_SYNQ_HSIZE // (times.TCP_TIMEOUT_INIT // times.TCP_SYNQ_INTERVAL))
    i = lopt.clock_hand
    while True:
        for req in list(lopt.syn_table.get(i, ())):
            if net.jiffies < req.expires:
                continue
            again = req.retrans < thresh or (req.acked and req.retrans < max_retries)
            if again and tcp_v4_send_synack(sk, req) == 0:
                if req.retrans == 0:
                    lopt.qlen_young -= 1
                req.retrans += 1
                req.expires = net.jiffies + min(times.TCP_TIMEOUT_INIT << req.retrans, times.TCP_RTO_MAX)
            else:
                drop_request(sk, req, i)
        i = (i + 1) & (TCP_SYNQ_HSIZE - 1)
        budget -= 1
        if budget <= 0:
            break
    lopt.clock_hand = i
    if lopt.qlen:
        tcp_reset_keepalive_timer(sk, times.TCP_SYNQ_INTERVAL)


def drop_request(sk: Sock, req: OpenRequest, chain: int) -> None:
    """Take an open request out of the listener's table (tcp_synq_unlink, tcp_synq_removed)."""
    lopt = sk.listen_opt
    assert lopt is not None
    reqs = lopt.syn_table[chain]
    reqs.remove(req)
    if not reqs:
        del lopt.syn_table[chain]
    lopt.qlen -= 1
    if req.retrans == 0:
        lopt.qlen_young -= 1
    sk.queue_changed("syn_table", "unlink", req.rcv_isn, req.rcv_isn, lopt.qlen)
    if lopt.qlen == 0:
        tcp_delete_keepalive_timer(sk)


@mirrors("net/ipv4/tcp_timer.c")
def tcp_delete_keepalive_timer(sk: Sock) -> None:
    """Stop `sk.timer`."""
    if sk.timer is not None:
        if sk.net.trace is not None:
            sk.net.trace.timer(sk.id, "keepalive", "clear", sk.timer[0])
        sk.timer = None


@mirrors("net/ipv4/tcp_timer.c")
def tcp_reset_keepalive_timer(sk: Sock, length: int) -> None:
    """Let `sk.timer` fire ``length`` jiffies from now."""
    keepalive_timer_set(sk, sk.net.jiffies + length)


@mirrors("net/ipv4/tcp_timer.c")
def tcp_set_keepalive(sk: Sock, val: int) -> None:
    """SO_KEEPALIVE was switched."""
    if sk.state in (CLOSE, LISTEN):
        return
    if val and not sk.keepopen:
        tcp_reset_keepalive_timer(sk, keepalive_time_when(sk))
    elif not val:
        tcp_delete_keepalive_timer(sk)


def keepalive_time_when(sk: Sock) -> int:
    """Idle time before the first keepalive probe."""
    return sk.keepalive_time or sk.net.sysctl["tcp_keepalive_time"]


@mirrors("net/ipv4/tcp_timer.c", omits=["a socket locked by a process"])
def tcp_keepalive_timer(sk: Sock) -> None:
    """`sk.timer` fired: the SYN,ACKs of a listener, the end of an orphan in FIN_WAIT2, or a keepalive probe."""
    if sk.state == LISTEN:
        tcp_synack_timer(sk)
    elif sk.state == FIN_WAIT2 and sk.dead:
        tmo = tcp_fin_time(sk) - sk.net.times.TCP_TIMEWAIT_LEN
        if sk.linger2 >= 0 and tmo > 0:
            tcp_time_wait(sk, FIN_WAIT2, tmo)
        else:
            tcp_send_active_reset(sk)
            tcp_done(sk)
    elif sk.keepopen and sk.state != CLOSE:
        _keep_alive(sk)
    release(sk)


def _keep_alive(sk: Sock) -> None:
    """Probe a peer that has been silent for long, and give up on one that answered none of the probes."""
    net = sk.net
    elapsed = keepalive_time_when(sk)
    if not (sk.packets_out or sk.send_head is not None):
        idle = net.jiffies - sk.rcv_tstamp if sk.rcv_tstamp != NEVER else elapsed
        if idle >= keepalive_time_when(sk):
            limit = sk.keepalive_probes or net.sysctl["tcp_keepalive_probes"]
            if sk.probes_out >= limit:
                tcp_send_active_reset(sk)
                tcp_write_err(sk)
                return
            if tcp_write_wakeup(sk) <= 0:
                sk.probes_out += 1
                elapsed = sk.keepalive_intvl or net.sysctl["tcp_keepalive_intvl"]
            else:
                elapsed = net.times.HZ // 2
        else:
            elapsed = keepalive_time_when(sk) - idle
    mem_reclaim(sk)
    tcp_reset_keepalive_timer(sk, elapsed)


# What C declares in the header and defines elsewhere.
from tcpnotes.kernel.tail_probe import send_loss_probe
from tcpnotes.kernel.tcp_input_ack import tcp_enter_loss
from tcpnotes.kernel.tcp_ipv4 import release, tcp_v4_do_rcv, tcp_v4_send_synack
from tcpnotes.kernel.tcp_minisocks import tcp_time_wait
from tcpnotes.kernel.tcp_output import (
    tcp_retransmit_skb,
    tcp_send_ack,
    tcp_send_active_reset,
    tcp_send_probe0,
    tcp_write_wakeup,
)
