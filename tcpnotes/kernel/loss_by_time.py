"""Loss by time (net/ipv4/tcp_recovery.c of Linux 6, RFC 8985): RACK.

A segment counts as lost when one that was sent clearly later has arrived.  Nobody counts to three any more.
"""

from __future__ import annotations

from tcpnotes.kernel.skbuff import EVER_RETRANS, LOST, SACKED_ACKED, TAGBITS
from tcpnotes.kernel.sock import Sock


def mark_by_time(sk: Sock) -> bool:
    """Mark what is lost by the clock; True if there is anything (tcp_rack_mark_lost).

    Without the timer that would look again when the time for reordering is over.
    """
    if not sk.sack_ok or not sk.sacked_out:
        return False
    now = sk.net.jiffies
    arrived = [skb.when for skb in sk.write_queue if skb.sacked & SACKED_ACKED and not skb.sacked & EVER_RETRANS]
    if not arrived:
        return False
    newest = max(arrived)
    # The round trip of what has just arrived, and a quarter more, in case the network reorders.
    enough = now - newest + (sk.srtt >> 5)
    for skb in sk.write_queue:
        if skb is sk.send_head:
            break
        if not skb.sacked & TAGBITS and skb.when < newest and now - skb.when >= enough:
            skb.sacked |= LOST
            sk.lost_out += 1
    sync_left_out(sk)
    return bool(sk.lost_out)


from tcpnotes.kernel.tcp_h import sync_left_out
