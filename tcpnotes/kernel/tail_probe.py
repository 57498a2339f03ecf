"""The tail loss probe of Linux 6 (net/ipv4/tcp_output.c, RFC 8985 section 7).

When the last segments of a flight are lost, no duplicate ACK tells of it.  So after two
round trips the last one is sent again: its ACK, or its SACK, shows what is missing long
before the retransmission timeout would.
"""

from __future__ import annotations

from tcpnotes.kernel.skbuff import SACKED_RETRANS, SkBuff
from tcpnotes.kernel.sock import Sock, after, before
from tcpnotes.kernel.tcp_h import CA_CWR, CA_OPEN, TCP_TIME_LOSS_PROBE, TCP_TIME_RETRANS, reset_xmit_timer


def rearm_rto(sk: Sock) -> None:
    """Let the retransmission timer run from the moment the oldest unacked segment was sent (tcp_rearm_rto)."""
    left = sk.write_queue[0].when + sk.rto - sk.net.jiffies
    reset_xmit_timer(sk, TCP_TIME_RETRANS, max(left, 1))


def schedule_loss_probe(sk: Sock) -> bool:
    """Have the last segment probed for if this connection does so; False: it does not (tcp_schedule_loss_probe)."""
    net = sk.net
    if (
        not sk.sack_ok
        or not sk.packets_out
        or sk.ca_state not in (CA_OPEN, CA_CWR)
        or net.sysctl["tcp_early_retrans"] not in (3, 4)
    ):
        return False
    times = net.times
    if sk.srtt:
        # One segment alone may meet a delayed ACK: that is no loss.
        timeout = (sk.srtt >> 2) + (times.TCP_RTO_MIN if sk.packets_out == 1 else 2)
    else:
        timeout = times.TCP_TIMEOUT_INIT
    left = sk.write_queue[0].when + sk.rto - net.jiffies
    if left > 0:
        timeout = min(timeout, left)
    reset_xmit_timer(sk, TCP_TIME_LOSS_PROBE, timeout)
    return True


def send_loss_probe(sk: Sock) -> None:
    """Send something new if there is any, else the last segment again; then the timeout runs (tcp_send_loss_probe)."""
    if not sk.packets_out:
        return
    prior = sk.snd_nxt
    if not sk.tlp_high_seq and _probe(sk):
        sk.tlp_high_seq = sk.snd_nxt
        sk.tlp_retrans = sk.snd_nxt == prior
        sk.net.count("TCPLossProbes")
        reset_xmit_timer(sk, TCP_TIME_RETRANS, sk.rto)
    else:
        rearm_rto(sk)


def _probe(sk: Sock) -> bool:
    head = sk.send_head
    mss = current_mss(sk)
    if head is not None and not after(head.seq + min(head.len, mss), sk.snd_una + sk.snd_wnd):
        if head.len > mss:
            tcp_fragment(sk, head, mss)
        head.when = sk.net.jiffies
        tcp_transmit_skb(sk, head)
        update_send_head(sk, head)
        return True
    last = sk.write_queue[-1] if head is None else sk.write_queue[_before(sk)]
    retrans_out, stamp, undo = sk.retrans_out, sk.retrans_stamp, sk.undo_retrans
    if tcp_retransmit_skb(sk, last):
        return False
    # It does not count as lost: nothing is known yet.
    sk.retrans_out, sk.retrans_stamp, sk.undo_retrans = retrans_out, stamp, undo
    last.sacked &= ~SACKED_RETRANS
    return True


def _before(sk: Sock) -> int:
    return next(i for i, skb in enumerate(sk.write_queue) if skb is sk.send_head) - 1


def probe_is_acked(sk: Sock, skb: SkBuff, news: bool) -> None:
    """An ACK while a probe is out: was anything lost, and may another be sent (tcp_process_tlp_ack)?

    ``news``: it brings anything new.  What was sent again and acknowledged once may have been lost or not; only an ACK
    of more says that it was, and the congestion window is halved.  Until then no other probe is sent.
    """
    ack = skb.ack_seq
    if before(ack, sk.tlp_high_seq):
        return
    sacks = skb.seg.sacks if sk.sack_ok else ()
    twice = bool(sacks) and sacks[0][1] == sk.tlp_high_seq and not after(sacks[0][1], ack)
    if sk.tlp_retrans and after(ack, sk.tlp_high_seq) and not twice:
        sk.snd_ssthresh = sk.snd_cwnd = max(sk.snd_cwnd >> 1, 2)
        sk.net.count("TCPLossProbeRecovery")
    elif sk.tlp_retrans and news and not twice:
        return
    sk.tlp_high_seq = 0


from tcpnotes.kernel.tcp_output import current_mss, tcp_fragment, tcp_retransmit_skb, tcp_transmit_skb, update_send_head
