"""net/ipv4/tcp_input.c, the sender's half: what an ACK does to write_queue, timers and congestion window.

`tcp_ack` frees what is acknowledged, measures the round trip, and hands everything
suspicious (duplicates, SACKs, losses) to `tcp_fastretrans_alert`.
"""

from __future__ import annotations

from tcpnotes.kernel.mirror import mirrors
from tcpnotes.kernel.net import RouteMetrics
from tcpnotes.kernel.skbuff import (
    EVER_RETRANS,
    LOST,
    SACKED_ACKED,
    SACKED_RETRANS,
    TAGBITS,
    SkBuff,
)
from tcpnotes.kernel.sock import MAXSEQ, NEVER, Sock, after, before
from tcpnotes.kernel.tcp_h import (
    CA_CWR,
    CA_DISORDER,
    CA_LOSS,
    CA_OPEN,
    CA_RECOVERY,
    TCP_TIME_PROBE0,
    TCP_TIME_RETRANS,
    clear_xmit_timer,
    current_ssthresh,
    free_skb,
    packets_in_flight,
    recalc_ssthresh,
    reset_xmit_timer,
    sync_left_out,
)
from tcpnotes.trace.segment import SYN

# What an ACK turned out to be
FLAG_DATA = 0x01  # the segment has payload
FLAG_WIN_UPDATE = 0x02  # it moved the window
FLAG_DATA_ACKED = 0x04
FLAG_RETRANS_DATA_ACKED = 0x08
FLAG_SYN_ACKED = 0x10
FLAG_DATA_SACKED = 0x20
FLAG_ECE = 0x40
FLAG_DATA_LOST = 0x80  # SACK shows that a retransmission was lost
FLAG_SLOWPATH = 0x100
FLAG_ACKED = FLAG_DATA_ACKED | FLAG_SYN_ACKED
FLAG_NOT_DUP = FLAG_DATA | FLAG_WIN_UPDATE | FLAG_ACKED
FLAG_CA_ALERT = FLAG_DATA_SACKED | FLAG_ECE
FLAG_FORWARD_PROGRESS = FLAG_ACKED | FLAG_DATA_SACKED


# -- round trips --------------------------------------------------------------------------------------


@mirrors("net/ipv4/tcp_input.c")
def tcp_rtt_estimator(sk: Sock, mrtt: int) -> None:
    """Smooth a round trip of ``mrtt`` jiffies into srtt (eighths) and its variation (quarters)."""
    m = mrtt or 1
    if sk.srtt:
        m -= sk.srtt >> 3
        sk.srtt += m
        if m < 0:
            m = -m
            m -= sk.mdev >> 2
            if m > 0:
                m >>= 3
        else:
            m -= sk.mdev >> 2
        sk.mdev += m
        if sk.mdev > sk.mdev_max:
            sk.mdev_max = sk.mdev
            if sk.mdev_max > sk.rttvar:
                sk.rttvar = sk.mdev_max
        if after(sk.snd_una, sk.rtt_seq):
            if sk.mdev_max < sk.rttvar:
                sk.rttvar -= (sk.rttvar - sk.mdev_max) >> 2
            sk.rtt_seq = sk.snd_una
            sk.mdev_max = sk.net.times.TCP_RTO_MIN
    else:
        sk.srtt = m << 3
        sk.mdev = m << (2 if sk.net.profile.first_variation == "5 round trips" else 1)
        sk.mdev_max = sk.rttvar = max(sk.mdev, sk.net.times.TCP_RTO_MIN)
        sk.rtt_seq = sk.snd_nxt


@mirrors("net/ipv4/tcp_input.c")
def tcp_set_rto(sk: Sock) -> None:
    """The retransmission timeout from the smoothed round trip."""
    sk.rto = (sk.srtt >> 3) + sk.rttvar


@mirrors("net/ipv4/tcp_input.c")
def tcp_bound_rto(sk: Sock) -> None:
    """Two minutes at most."""
    if sk.rto > sk.net.times.TCP_RTO_MAX:
        sk.rto = sk.net.times.TCP_RTO_MAX


@mirrors("net/ipv4/tcp_input.c")
def tcp_ack_saw_tstamp(sk: Sock, flag: int) -> None:
    """A round trip from the echoed timestamp; retransmissions do not spoil it."""
    tcp_rtt_estimator(sk, (sk.net.time_stamp - sk.rcv_tsecr) & MAXSEQ)
    tcp_set_rto(sk)
    if sk.backoff:
        if not sk.retransmits or not flag & FLAG_RETRANS_DATA_ACKED:
            sk.backoff = 0
        else:
            sk.rto <<= sk.backoff
    tcp_bound_rto(sk)


@mirrors("net/ipv4/tcp_input.c")
def tcp_ack_no_tstamp(sk: Sock, seq_rtt: int, flag: int) -> None:
    """A round trip from the time a buffer was sent; none if anything acked was sent twice (Karn)."""
    if flag & FLAG_RETRANS_DATA_ACKED:
        return
    tcp_rtt_estimator(sk, seq_rtt)
    tcp_set_rto(sk)
    if sk.backoff:
        if not sk.retransmits:
            sk.backoff = 0
        else:
            sk.rto <<= sk.backoff
    tcp_bound_rto(sk)


@mirrors("net/ipv4/tcp_input.c")
def tcp_ack_update_rtt(sk: Sock, flag: int, seq_rtt: int) -> None:
    """Take a round-trip sample from this ACK, if it gives one (``seq_rtt`` -1: it does not)."""
    if sk.saw_tstamp and sk.rcv_tsecr:
        tcp_ack_saw_tstamp(sk, flag)
    elif seq_rtt >= 0:
        tcp_ack_no_tstamp(sk, seq_rtt, flag)


# -- what the route remembers --------------------------------------------------------------------------


@mirrors("net/ipv4/tcp_input.c", omits=["locked metrics"])
def tcp_update_metrics(sk: Sock) -> None:
    """Leave round trip and congestion figures with the route, for the next connection to the same host."""
    if sk.dst is None:
        return
    m = sk.net.metrics.setdefault(sk.dst, RouteMetrics())
    if sk.backoff or not sk.srtt:
        m.rtt = 0
        return
    diff = m.rtt - sk.srtt
    if diff <= 0:
        m.rtt = sk.srtt
    else:
        m.rtt -= diff >> 3
    diff = max(abs(diff) >> 1, sk.mdev)
    if diff >= m.rttvar:
        m.rttvar = diff
    else:
        m.rttvar -= (m.rttvar - diff) >> 2
    if sk.snd_ssthresh >= 0xFFFF:
        if m.ssthresh and (sk.snd_cwnd >> 1) > m.ssthresh:
            m.ssthresh = sk.snd_cwnd >> 1
        if sk.snd_cwnd > m.cwnd:
            m.cwnd = sk.snd_cwnd
    elif sk.snd_cwnd > sk.snd_ssthresh and sk.ca_state == CA_OPEN:
        m.ssthresh = max(sk.snd_cwnd >> 1, sk.snd_ssthresh)
        m.cwnd = (m.cwnd + sk.snd_cwnd) >> 1
    else:
        m.cwnd = (m.cwnd + sk.snd_ssthresh) >> 1
        if m.ssthresh and sk.snd_ssthresh > m.ssthresh:
            m.ssthresh = sk.snd_ssthresh
    if m.reordering < sk.reordering and sk.reordering != sk.net.sysctl["tcp_reordering"]:
        m.reordering = sk.reordering


@mirrors("net/ipv4/tcp_input.c")
def tcp_init_cwnd(sk: Sock) -> int:
    """How many segments may leave at the start, or after a pause: 2 to 4."""
    if sk.net.profile.initial_cwnd != "2":
        return min(int(sk.net.profile.initial_cwnd), sk.snd_cwnd_clamp)
    if sk.mss_cache > 1460:
        return 2
    cwnd = 3 if sk.mss_cache > 1095 else 4
    if not sk.srtt or (sk.snd_ssthresh >= 0xFFFF and sk.srtt > (2 << 3)):
        cwnd = 2
    elif cwnd > sk.snd_ssthresh:
        cwnd = sk.snd_ssthresh
    return min(cwnd, sk.snd_cwnd_clamp)


@mirrors("net/ipv4/tcp_input.c", omits=["locked metrics"])
def tcp_init_metrics(sk: Sock) -> None:
    """On becoming ESTABLISHED: start from what the route remembers.

    Without timestamps the handshake's own round trip is thrown away here: RTO is 3 s again.
    """
    sk.dst = sk.daddr
    if sk.net.profile.handshake_rtt == "kept":
        if not sk.srtt:  # the SYN was repeated, so nothing was measured
            sk.mdev = sk.mdev_max = sk.rttvar = sk.rto = 3 * sk.net.times.HZ
        sk.snd_cwnd = tcp_init_cwnd(sk)
        sk.snd_cwnd_stamp = sk.net.jiffies
        return
    m = sk.net.metrics.get(sk.daddr)
    rtt = 0
    if m is not None:
        rtt = m.rtt
        if m.ssthresh:
            sk.snd_ssthresh = min(m.ssthresh, sk.snd_cwnd_clamp)
        if m.reordering and sk.reordering != m.reordering:
            sk.fack = False
            sk.reordering = m.reordering
    if m is None or not rtt or (not sk.srtt and rtt < sk.net.times.TCP_TIMEOUT_INIT << 3):
        _forget_handshake_rtt(sk)
        return
    if rtt > sk.srtt:
        sk.srtt = rtt
    if m.rttvar > sk.mdev:
        sk.mdev = m.rttvar
        sk.mdev_max = sk.rttvar = max(sk.mdev, sk.net.times.TCP_RTO_MIN)
    tcp_set_rto(sk)
    tcp_bound_rto(sk)
    if sk.rto < sk.net.times.TCP_TIMEOUT_INIT and not sk.saw_tstamp:
        _forget_handshake_rtt(sk)
        return
    sk.snd_cwnd = tcp_init_cwnd(sk)
    sk.snd_cwnd_stamp = sk.net.jiffies


def _forget_handshake_rtt(sk: Sock) -> None:
    if not sk.saw_tstamp and sk.srtt:
        sk.srtt = 0
        sk.mdev = sk.mdev_max = sk.rttvar = sk.net.times.TCP_TIMEOUT_INIT
        sk.rto = sk.net.times.TCP_TIMEOUT_INIT


# -- reordering and SACK --------------------------------------------------------------------------------


@mirrors("net/ipv4/tcp_input.c")
def tcp_update_reordering(sk: Sock, metric: int, ts: bool) -> None:
    """The network reorders more than thought: be more patient before calling a segment lost."""
    if metric > sk.reordering:
        sk.reordering = min(127, metric)
        if ts:
            sk.net.count("TCPTSReorder")
        elif not sk.sack_ok:
            sk.net.count("TCPRenoReorder")
        elif sk.fack:
            sk.net.count("TCPFACKReorder")
        else:
            sk.net.count("TCPSACKReorder")
        sk.fack = False


@mirrors("net/ipv4/tcp_input.c")
def tcp_sacktag_write_queue(sk: Sock, skb: SkBuff, prior_snd_una: int) -> int:
    """Mark in write_queue what the segment's SACK blocks say has arrived."""
    seg = skb.seg
    net = sk.net
    flag = 0
    reord = sk.packets_out
    prior_fackets = sk.fackets_out
    lost_retrans = 0
    dup_sack = False
    if not sk.sacked_out:
        sk.fackets_out = 0
    blocks = seg.sacks
    for i, (start_seq, end_seq) in enumerate(blocks):
        if i == 0:
            if before(start_seq, skb.ack_seq):
                dup_sack = True
                net.count("TCPDSACKRecv")
            elif len(blocks) > 1 and not after(end_seq, blocks[1][1]) and not before(start_seq, blocks[1][0]):
                dup_sack = True
                net.count("TCPDSACKOfoRecv")
            if dup_sack and sk.undo_marker and not after(end_seq, prior_snd_una) and after(end_seq, sk.undo_marker):
                sk.undo_retrans -= 1
            # Too old to mean anything now.
            if before(skb.ack_seq, prior_snd_una - sk.max_window):
                return 0
        else:
            dup_sack = False
        if after(end_seq, sk.high_seq):
            flag |= FLAG_DATA_LOST
        fack_count = 0
        for other in sk.write_queue:
            if other is sk.send_head:
                break
            if not before(other.seq, end_seq):
                break
            fack_count += 1
            in_sack = not after(start_seq, other.seq) and not before(end_seq, other.end_seq)
            if dup_sack and other.sacked & SACKED_RETRANS and in_sack and sk.undo_marker:
                if after(other.end_seq, sk.undo_marker):
                    sk.undo_retrans -= 0
            if not after(other.end_seq, sk.snd_una):
                continue
            if not in_sack:
                continue
            if other.sacked & SACKED_RETRANS and after(end_seq, other.ack_seq):
                if not lost_retrans or after(other.ack_seq, lost_retrans):
                    lost_retrans = end_seq
            if not other.sacked & SACKED_ACKED:
                if other.sacked & SACKED_RETRANS:
                    if other.sacked & LOST:
                        other.sacked &= ~(LOST | SACKED_RETRANS)
                        sk.lost_out -= 1
                        sk.retrans_out -= 1
                else:
                    if not other.sacked & EVER_RETRANS and fack_count < prior_fackets:
                        reord = min(fack_count, reord)
                    if other.sacked & LOST:
                        other.sacked &= ~LOST
                        sk.lost_out -= 1
                other.sacked |= SACKED_ACKED
                flag |= FLAG_DATA_SACKED
                sk.sacked_out += 1
                sk.fackets_out = max(sk.fackets_out, fack_count)
            elif dup_sack and other.sacked & EVER_RETRANS:
                reord = min(fack_count, reord)
            if dup_sack and other.sacked & SACKED_RETRANS:
                other.sacked &= ~SACKED_RETRANS
                sk.retrans_out -= 1
    if lost_retrans and sk.ca_state == CA_RECOVERY:
        for other in sk.write_queue:
            if other is sk.send_head or after(other.seq, lost_retrans):
                break
            if not after(other.end_seq, sk.snd_una):
                continue
            if (
                other.sacked & SACKED_RETRANS
                and after(lost_retrans, other.ack_seq)
                and (sk.fack or not before(lost_retrans, other.ack_seq + sk.reordering * sk.mss_cache))
            ):
                other.sacked &= ~SACKED_RETRANS
                sk.retrans_out -= 1
                if not other.sacked & (LOST | SACKED_ACKED):
                    sk.lost_out += 1
                    other.sacked |= LOST
                    flag |= FLAG_DATA_SACKED
                    net.count("TCPLostRetransmit")
    sk.left_out = sk.sacked_out + sk.lost_out
    if reord < sk.fackets_out and sk.ca_state != CA_LOSS:
        tcp_update_reordering(sk, (sk.fackets_out + 1) - reord, False)
    return flag


# -- the congestion state machine ------------------------------------------------------------------------


@mirrors("net/ipv4/tcp_input.c")
def tcp_clear_retrans(sk: Sock) -> None:
    """Forget all about losses."""
    sk.left_out = 0
    sk.retrans_out = 0
    sk.fackets_out = 0
    sk.sacked_out = 0
    sk.lost_out = 0
    sk.undo_marker = 0
    sk.undo_retrans = 0


@mirrors("net/ipv4/tcp_input.c")
def tcp_enter_loss(sk: Sock, how: int) -> None:
    """The retransmission timer fired: one segment at a time; everything not SACKed counts as lost."""
    if sk.ca_state <= CA_DISORDER or sk.snd_una == sk.high_seq or (sk.ca_state == CA_LOSS and not sk.retransmits):
        sk.prior_ssthresh = current_ssthresh(sk)
        sk.snd_ssthresh = recalc_ssthresh(sk)
    sk.snd_cwnd = 1
    sk.snd_cwnd_cnt = 0
    sk.snd_cwnd_stamp = sk.net.jiffies
    tcp_clear_retrans(sk)
    if not how:
        sk.undo_marker = sk.snd_una
    for cnt, skb in enumerate(sk.write_queue, 1):
        if skb is sk.send_head:
            break
        if skb.sacked & (SACKED_RETRANS | EVER_RETRANS):
            sk.undo_marker = 0
        skb.sacked &= ~TAGBITS | SACKED_ACKED
        if not skb.sacked & SACKED_ACKED or how:
            skb.sacked &= ~SACKED_ACKED
            skb.sacked |= LOST
            sk.lost_out += 1
        else:
            sk.sacked_out += 1
            sk.fackets_out = cnt
    sync_left_out(sk)
    sk.reordering = min(sk.reordering, sk.net.sysctl["tcp_reordering"])
    sk.ca_state = CA_LOSS
    sk.high_seq = sk.snd_nxt


@mirrors("net/ipv4/tcp_input.c")
def tcp_check_sack_reneging(sk: Sock, skb: SkBuff) -> bool:
    """The peer took back what it had SACKed: start over from the head."""
    if sk.write_queue and sk.write_queue[0].sacked & SACKED_ACKED:
        sk.net.count("TCPSACKReneging")
        tcp_enter_loss(sk, 1)
        sk.retransmits += 1
        tcp_retransmit_skb(sk, sk.write_queue[0])
        reset_xmit_timer(sk, TCP_TIME_RETRANS, sk.rto)
        return True
    return False


def fackets_out(sk: Sock) -> int:
    """How far ahead of the head something has arrived, in segments (tcp_fackets_out)."""
    return sk.sacked_out + 1 if not sk.sack_ok else sk.fackets_out


@mirrors("net/ipv4/tcp_input.c")
def tcp_time_to_recover(sk: Sock) -> bool:
    """Is it loss rather than reordering?  The third duplicate ACK says so, and a few rarer signs."""
    if sk.lost_out:
        return True
    if sk.net.profile.loss_by_time == "yes" and mark_by_time(sk):
        return True
    if fackets_out(sk) > sk.reordering:
        return True
    packets_out = sk.packets_out
    return (
        packets_out <= sk.reordering
        and sk.sacked_out >= max(packets_out >> 1, sk.net.sysctl["tcp_reordering"])
        and not may_send_now(sk)
    )


@mirrors("net/ipv4/tcp_input.c")
def tcp_check_reno_reordering(sk: Sock, addend: int) -> None:
    """More duplicate ACKs than segments could cause: the network reorders."""
    holes = max(sk.lost_out, 1)
    holes = min(holes, sk.packets_out)
    if sk.sacked_out + holes > sk.packets_out:
        sk.sacked_out = sk.packets_out - holes
        tcp_update_reordering(sk, sk.packets_out + addend, False)


@mirrors("net/ipv4/tcp_input.c")
def tcp_add_reno_sack(sk: Sock) -> None:
    """Without SACK, a duplicate ACK stands for one segment that has arrived."""
    sk.sacked_out += 1
    tcp_check_reno_reordering(sk, 0)
    sync_left_out(sk)


@mirrors("net/ipv4/tcp_input.c")
def tcp_remove_reno_sacks(sk: Sock, acked: int) -> None:
    """Without SACK, an advance of ``acked`` segments takes their duplicates off the count."""
    if acked > 0:
        if acked - 1 >= sk.sacked_out:
            sk.sacked_out = 0
        else:
            sk.sacked_out -= acked - 1
    tcp_check_reno_reordering(sk, acked)
    sync_left_out(sk)


@mirrors("net/ipv4/tcp_input.c")
def tcp_reset_reno_sack(sk: Sock) -> None:
    """Forget counted duplicate ACKs."""
    sk.sacked_out = 0
    sk.left_out = sk.lost_out


@mirrors("net/ipv4/tcp_input.c")
def tcp_mark_head_lost(sk: Sock, packets: int, high_seq: int) -> None:
    """Mark the first ``packets`` segments below ``high_seq`` lost."""
    for skb in sk.write_queue:
        if skb is sk.send_head:
            break
        packets -= 1
        if packets < 0 or after(skb.end_seq, high_seq):
            break
        if not skb.sacked & TAGBITS:
            skb.sacked |= LOST
            sk.lost_out += 1
    sync_left_out(sk)


@mirrors("net/ipv4/tcp_input.c")
def tcp_update_scoreboard(sk: Sock) -> None:
    """Decide which segments count as lost: the head, or with FACK all that lie far enough behind."""
    if sk.fack:
        lost = max(sk.fackets_out - sk.reordering, 1)
        tcp_mark_head_lost(sk, lost, sk.high_seq)
    else:
        tcp_mark_head_lost(sk, 1, sk.high_seq)


@mirrors("net/ipv4/tcp_input.c")
def tcp_moderate_cwnd(sk: Sock) -> None:
    """No bursts: at most three segments beyond what is in flight."""
    sk.snd_cwnd = min(sk.snd_cwnd, packets_in_flight(sk) + 3)
    sk.snd_cwnd_stamp = sk.net.jiffies


@mirrors("net/ipv4/tcp_input.c")
def tcp_cwnd_down(sk: Sock) -> None:
    """Come down by one for every second ACK, as far as half."""
    decr = sk.snd_cwnd_cnt + 1
    sk.snd_cwnd_cnt = decr & 1
    decr >>= 1
    if decr and sk.snd_cwnd > sk.snd_ssthresh // 2:
        sk.snd_cwnd -= decr
    sk.snd_cwnd = min(sk.snd_cwnd, packets_in_flight(sk) + 1)
    sk.snd_cwnd_stamp = sk.net.jiffies


@mirrors("net/ipv4/tcp_input.c")
def tcp_packet_delayed(sk: Sock) -> bool:
    """Was the original only late?  The echoed timestamp is older than our first retransmission."""
    return not sk.retrans_stamp or (sk.saw_tstamp and bool(sk.rcv_tsecr) and before(sk.rcv_tsecr, sk.retrans_stamp))


@mirrors("net/ipv4/tcp_input.c")
def tcp_undo_cwr(sk: Sock, undo: bool) -> None:
    """The slow-down was for nothing: back to the window before."""
    if sk.prior_ssthresh:
        sk.snd_cwnd = max(sk.snd_cwnd, sk.snd_ssthresh << 1)
        if undo and sk.prior_ssthresh > sk.snd_ssthresh:
            sk.snd_ssthresh = sk.prior_ssthresh
    else:
        sk.snd_cwnd = max(sk.snd_cwnd, sk.snd_ssthresh)
    tcp_moderate_cwnd(sk)
    sk.snd_cwnd_stamp = sk.net.jiffies


@mirrors("net/ipv4/tcp_input.c")
def tcp_may_undo(sk: Sock) -> bool:
    """Were all retransmissions unnecessary?"""
    return bool(sk.undo_marker) and (not sk.undo_retrans or tcp_packet_delayed(sk))


@mirrors("net/ipv4/tcp_input.c")
def tcp_try_undo_recovery(sk: Sock) -> bool:
    """At the end of recovery: undo if it was for nothing.  True: stay in the state until more is acked."""
    if tcp_may_undo(sk):
        tcp_undo_cwr(sk, True)
        sk.net.count("TCPLossUndo" if sk.ca_state == CA_LOSS else "TCPFullUndo")
        sk.undo_marker = 0
    if sk.snd_una == sk.high_seq and not sk.sack_ok:
        # Without SACK one cannot tell old duplicates from new ones yet.
        tcp_moderate_cwnd(sk)
        return True
    sk.ca_state = CA_OPEN
    return False


@mirrors("net/ipv4/tcp_input.c")
def tcp_try_undo_dsack(sk: Sock) -> None:
    """Every retransmission was reported as a duplicate: undo."""
    if sk.undo_marker and not sk.undo_retrans:
        tcp_undo_cwr(sk, True)
        sk.undo_marker = 0
        sk.net.count("TCPDSACKUndo")


@mirrors("net/ipv4/tcp_input.c")
def tcp_try_undo_partial(sk: Sock, acked: int) -> bool:
    """A partial ACK in recovery: True when the rest should be treated as lost."""
    failed = not sk.sack_ok or sk.fackets_out > sk.reordering
    if tcp_may_undo(sk):
        if not sk.retrans_out:
            sk.retrans_stamp = 0
        tcp_update_reordering(sk, fackets_out(sk) + acked, True)
        tcp_undo_cwr(sk, False)
        sk.net.count("TCPPartialUndo")
        failed = False
    return failed


@mirrors("net/ipv4/tcp_input.c")
def tcp_try_undo_loss(sk: Sock) -> bool:
    """After a timeout: was it for nothing?"""
    if tcp_may_undo(sk):
        for skb in sk.write_queue:
            if skb is sk.send_head:
                break
            skb.sacked &= ~LOST
        sk.lost_out = 0
        sk.left_out = sk.sacked_out
        tcp_undo_cwr(sk, True)
        sk.net.count("TCPLossUndo")
        sk.retransmits = 0
        sk.undo_marker = 0
        if sk.sack_ok:
            sk.ca_state = CA_OPEN
        return True
    return False


@mirrors("net/ipv4/tcp_input.c")
def tcp_complete_cwr(sk: Sock) -> None:
    """Recovery is over: the window goes to the threshold."""
    sk.snd_cwnd = min(sk.snd_cwnd, sk.snd_ssthresh)
    sk.snd_cwnd_stamp = sk.net.jiffies


@mirrors("net/ipv4/tcp_input.c", omits=["ECN"])
def tcp_try_to_open(sk: Sock, flag: int) -> None:
    """Not lost, as far as one can tell: Open, or Disorder while something is unusual."""
    sk.left_out = sk.sacked_out
    if not sk.retrans_out:
        sk.retrans_stamp = 0
    if sk.ca_state != CA_CWR:
        state = CA_DISORDER if sk.left_out or sk.retrans_out or sk.undo_marker else CA_OPEN
        if sk.ca_state != state:
            sk.ca_state = state
            sk.high_seq = sk.snd_nxt
        tcp_moderate_cwnd(sk)
    else:
        tcp_cwnd_down(sk)


@mirrors("net/ipv4/tcp_input.c", omits=["ECN"])
def tcp_fastretrans_alert(sk: Sock, prior_snd_una: int, prior_packets: int, flag: int) -> None:
    """An ACK that is not plain progress: leave, stay in or enter recovery, and send again what seems lost."""
    net = sk.net
    is_dupack = sk.snd_una == prior_snd_una and not flag & FLAG_NOT_DUP
    if not sk.packets_out:
        sk.sacked_out = 0
    if not sk.sacked_out:
        sk.fackets_out = 0
    if sk.sacked_out and tcp_check_sack_reneging(sk, sk.write_queue[0]):
        return
    if (
        flag & FLAG_DATA_LOST
        and before(sk.snd_una, sk.high_seq)
        and sk.ca_state != CA_OPEN
        and sk.fackets_out > sk.reordering
    ):
        tcp_mark_head_lost(sk, sk.fackets_out - sk.reordering, sk.high_seq)
        net.count("TCPLoss")
    sync_left_out(sk)
    if sk.ca_state == CA_OPEN:
        sk.retrans_stamp = 0
    elif not before(sk.snd_una, sk.high_seq):
        if sk.ca_state == CA_LOSS:
            sk.retransmits = 0
            if tcp_try_undo_recovery(sk):
                return
        elif sk.ca_state == CA_CWR:
            if sk.snd_una != sk.high_seq:
                tcp_complete_cwr(sk)
                sk.ca_state = CA_OPEN
        elif sk.ca_state == CA_DISORDER:
            tcp_try_undo_dsack(sk)
            if not sk.undo_marker or not sk.sack_ok or sk.snd_una != sk.high_seq:
                sk.undo_marker = 0
                sk.ca_state = CA_OPEN
        elif sk.ca_state == CA_RECOVERY:
            if not sk.sack_ok:
                tcp_reset_reno_sack(sk)
            if tcp_try_undo_recovery(sk):
                return
            tcp_complete_cwr(sk)
    if sk.ca_state == CA_RECOVERY:
        if prior_snd_una == sk.snd_una:
            if not sk.sack_ok and is_dupack:
                tcp_add_reno_sack(sk)
        else:
            acked = prior_packets - sk.packets_out
            if not sk.sack_ok:
                tcp_remove_reno_sacks(sk, acked)
            is_dupack = tcp_try_undo_partial(sk, acked)
    elif sk.ca_state == CA_LOSS:
        if flag & FLAG_ACKED:
            reset_xmit_timer(sk, TCP_TIME_RETRANS, sk.rto)
        if not tcp_try_undo_loss(sk):
            tcp_moderate_cwnd(sk)
            tcp_xmit_retransmit_queue(sk)
            return
        if sk.ca_state != CA_OPEN:
            return
        is_dupack = _enter_if_lost(sk, prior_snd_una, flag, is_dupack)
        return
    else:
        _enter_if_lost(sk, prior_snd_una, flag, is_dupack)
        return
    if is_dupack:
        tcp_update_scoreboard(sk)
    tcp_cwnd_down(sk)
    tcp_xmit_retransmit_queue(sk)


def _enter_if_lost(sk: Sock, prior_snd_una: int, flag: int, is_dupack: bool) -> bool:
    """Open, Disorder or CWR: count duplicates, and enter Recovery when they are enough."""
    if not sk.sack_ok:
        if sk.snd_una != prior_snd_una:
            tcp_reset_reno_sack(sk)
        if is_dupack:
            tcp_add_reno_sack(sk)
    if sk.ca_state == CA_DISORDER:
        tcp_try_undo_dsack(sk)
    if not tcp_time_to_recover(sk):
        tcp_try_to_open(sk, flag)
        return is_dupack
    sk.net.count("TCPSackRecovery" if sk.sack_ok else "TCPRenoRecovery")
    sk.high_seq = sk.snd_nxt
    sk.prior_ssthresh = 0
    sk.undo_marker = sk.snd_una
    sk.undo_retrans = sk.retrans_out
    if sk.ca_state < CA_CWR:
        sk.prior_ssthresh = current_ssthresh(sk)
        sk.snd_ssthresh = recalc_ssthresh(sk)
    sk.snd_cwnd_cnt = 0
    sk.ca_state = CA_RECOVERY
    if is_dupack or fackets_out(sk) > sk.reordering:
        tcp_update_scoreboard(sk)
    tcp_cwnd_down(sk)
    tcp_xmit_retransmit_queue(sk)
    return is_dupack


@mirrors("net/ipv4/tcp_input.c")
def tcp_cong_avoid(sk: Sock) -> None:
    """The window was used in full and acknowledged: one more below the threshold, one a round above it."""
    if sk.snd_cwnd <= sk.snd_ssthresh:
        if sk.snd_cwnd < sk.snd_cwnd_clamp:
            sk.snd_cwnd += 1
    elif sk.snd_cwnd_cnt >= sk.snd_cwnd:
        if sk.snd_cwnd < sk.snd_cwnd_clamp:
            sk.snd_cwnd += 1
        sk.snd_cwnd_cnt = 0
    else:
        sk.snd_cwnd_cnt += 1
    sk.snd_cwnd_stamp = sk.net.jiffies


@mirrors("net/ipv4/tcp_input.c")
def tcp_ack_packets_out(sk: Sock) -> None:
    """Something was acked: stop the retransmission timer, or start it anew for what is left."""
    if not sk.packets_out:
        clear_xmit_timer(sk, TCP_TIME_RETRANS)
        return
    if sk.net.profile.retransmit_rearm == "from its sending":
        if sk.net.profile.tail_loss_probe == "no" or not schedule_loss_probe(sk):
            rearm_rto(sk)
        return
    # The oldest unacked buffer has been out for a while already: count that in.
    when = sk.rto + sk.rttvar - (sk.net.jiffies - sk.write_queue[0].when)
    if when < sk.rttvar:
        when = sk.rttvar
    reset_xmit_timer(sk, TCP_TIME_RETRANS, when)


@mirrors("net/ipv4/tcp_input.c")
def tcp_clean_rtx_queue(sk: Sock) -> int:
    """Free what is fully acknowledged from the head of write_queue; says what it was (FLAG_…)."""
    now = sk.net.jiffies
    acked = 0
    seq_rtt = -1
    queue = sk.write_queue
    while queue:
        skb = queue[0]
        if skb is sk.send_head or after(skb.end_seq, sk.snd_una):
            break
        # The SYN is not data; its ACK must not open the congestion window.
        if skb.flags & SYN:
            acked |= FLAG_SYN_ACKED
        else:
            acked |= FLAG_DATA_ACKED
        sacked = skb.sacked
        if sacked:
            if sacked & EVER_RETRANS:
                if sacked & SACKED_RETRANS:
                    sk.retrans_out -= 1
                acked |= FLAG_RETRANS_DATA_ACKED
                seq_rtt = -1
            elif seq_rtt < 0:
                seq_rtt = now - skb.when
            if sacked & SACKED_ACKED:
                sk.sacked_out -= 1
            if sacked & LOST:
                sk.lost_out -= 1
        elif seq_rtt < 0:
            seq_rtt = now - skb.when
        if sk.fackets_out:
            sk.fackets_out -= 1
        sk.packets_out -= 1
        del queue[0]
        sk.queue_shrunk = True
        free_skb(sk, skb)
        sk.queue_changed("write_queue", "unlink", skb.seq, skb.end_seq, len(queue))
    if acked & FLAG_ACKED:
        # An old ACK may have brought SACKs while all seemed well: what has left the network is counted anew.
        sk.left_out = sk.sacked_out + sk.lost_out
        tcp_ack_update_rtt(sk, acked, seq_rtt)
        tcp_ack_packets_out(sk)
    return acked


@mirrors("net/ipv4/tcp_input.c")
def tcp_ack_probe(sk: Sock) -> None:
    """An ACK with nothing in flight: stop probing if the window admits send_head now, else wait on."""
    assert sk.send_head is not None
    if not after(sk.send_head.end_seq, sk.snd_una + sk.snd_wnd):
        sk.backoff = 0
        clear_xmit_timer(sk, TCP_TIME_PROBE0)
    else:
        reset_xmit_timer(sk, TCP_TIME_PROBE0, min(sk.rto << sk.backoff, sk.net.times.TCP_RTO_MAX))


@mirrors("net/ipv4/tcp_input.c")
def tcp_ack_is_dubious(sk: Sock, flag: int) -> bool:
    """Is this ACK anything but plain progress in the Open state?"""
    return not flag & FLAG_NOT_DUP or bool(flag & FLAG_CA_ALERT) or sk.ca_state != CA_OPEN


@mirrors("net/ipv4/tcp_input.c")
def tcp_may_raise_cwnd(sk: Sock, flag: int) -> bool:
    """May an ACK in an unusual state still open the congestion window?"""
    return (not flag & FLAG_ECE or sk.snd_cwnd < sk.snd_ssthresh) and sk.ca_state not in (CA_RECOVERY, CA_CWR)


@mirrors("net/ipv4/tcp_input.c")
def tcp_may_update_window(sk: Sock, ack: int, ack_seq: int, nwin: int) -> bool:
    """Is the window in this segment newer than the one we hold?"""
    if after(ack, sk.snd_una) or after(ack_seq, sk.snd_wl1):
        return True
    return ack_seq == sk.snd_wl1 and (nwin > sk.snd_wnd or (not nwin and sk.net.profile.window_shuts == "believed"))


@mirrors("net/ipv4/tcp_input.c")
def tcp_ack_update_window(sk: Sock, skb: SkBuff, ack: int, ack_seq: int) -> int:
    """Take over acknowledgement number and window of the segment."""
    seg = skb.seg
    flag = 0
    nwin = seg.window
    if not seg.flags & SYN or sk.net.profile.syn_window == "scaled":
        nwin <<= sk.snd_wscale
    if tcp_may_update_window(sk, ack, ack_seq, nwin):
        flag |= FLAG_WIN_UPDATE
        sk.snd_wl1 = ack_seq
        if sk.snd_wnd != nwin:
            sk.snd_wnd = nwin
            # Header prediction expects the window to stay: arm it anew.
            sk.pred_flags = None
            fast_path_check(sk)
            if nwin > sk.max_window:
                sk.max_window = nwin
                tcp_sync_mss(sk, sk.pmtu_cookie)
    sk.snd_una = ack
    beyond = (sk.snd_nxt - (ack + sk.snd_wnd)) & MAXSEQ
    if 0 < beyond < 0x80000000 and beyond >= 1 << sk.snd_wscale and sk.net.net_ratelimit():
        sk.net.printk("TCP: peer %u.%u.%u.%u:%u/%u shrinks window %u:%u:%u. Bad, what else can I say?")
    return flag


@mirrors("net/ipv4/tcp_input.c", omits=["ECN"])
def tcp_ack(sk: Sock, skb: SkBuff, flag: int) -> bool:
    """Work through the ACK of a segment; False when it says nothing new (old, or of something never sent).

    Moves:  no state; who asked looks at snd_una afterwards.
    """
    net = sk.net
    prior_snd_una = sk.snd_una
    ack_seq = skb.seq
    ack = skb.ack_seq
    if after(ack, sk.snd_nxt):
        return False
    if before(ack, prior_snd_una):
        if skb.seg.sacks and sk.sack_ok:
            tcp_sacktag_write_queue(sk, skb, prior_snd_una)
        return False
    if not flag & FLAG_SLOWPATH and after(ack, prior_snd_una):
        # Predicted, so the window has not changed: only the number moves.
        sk.snd_wl1 = ack_seq
        sk.snd_una = ack
        flag |= FLAG_WIN_UPDATE
        net.count("TCPHPAcks")
    else:
        if ack_seq != skb.end_seq:
            flag |= FLAG_DATA
        else:
            net.count("TCPPureAcks")
        flag |= tcp_ack_update_window(sk, skb, ack, ack_seq)
        if skb.seg.sacks and sk.sack_ok:
            flag |= tcp_sacktag_write_queue(sk, skb, prior_snd_una)
    sk.err_soft = 0
    sk.rcv_tstamp = net.jiffies
    prior_packets = sk.packets_out
    if sk.tlp_high_seq:
        probe_is_acked(sk, skb, ack != prior_snd_una or bool(flag & (FLAG_NOT_DUP | FLAG_DATA_SACKED)))
    if not prior_packets:
        sk.probes_out = 0
        sk.probes_since = NEVER
        if sk.send_head is not None:
            tcp_ack_probe(sk)
        return True
    prior_in_flight = packets_in_flight(sk)
    flag |= tcp_clean_rtx_queue(sk)
    if tcp_ack_is_dubious(sk, flag):
        if flag & FLAG_DATA_ACKED and prior_in_flight >= sk.snd_cwnd and tcp_may_raise_cwnd(sk, flag):
            tcp_cong_avoid(sk)
        tcp_fastretrans_alert(sk, prior_snd_una, prior_packets, flag)
    elif flag & FLAG_DATA_ACKED and prior_in_flight >= sk.snd_cwnd:
        tcp_cong_avoid(sk)
    return True


# What C declares in the header and defines elsewhere.
from tcpnotes.kernel.loss_by_time import mark_by_time
from tcpnotes.kernel.tail_probe import probe_is_acked, rearm_rto, schedule_loss_probe
from tcpnotes.kernel.tcp_h import fast_path_check
from tcpnotes.kernel.tcp_output import (
    may_send_now,
    tcp_retransmit_skb,
    tcp_sync_mss,
    tcp_xmit_retransmit_queue,
)
