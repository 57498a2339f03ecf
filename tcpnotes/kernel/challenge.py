"""What a segment must prove before it is believed (RFC 5961), and how often one that cannot is answered.

Linux 6 has this in tcp_validate_incoming, tcp_send_challenge_ack and tcp_oow_rate_limited of
net/ipv4/tcp_input.c.  Each part asks the profile for its behaviour by name; under linux-2.4.0
everything here says "as ever".
"""

from __future__ import annotations

from tcpnotes.kernel.bucket import TwBucket
from tcpnotes.kernel.skbuff import SkBuff
from tcpnotes.kernel.sock import (
    CLOSE_WAIT,
    CLOSING,
    LAST_ACK,
    MAXSEQ,
    NEVER,
    SYN_RECV,
    OpenRequest,
    Sock,
    after,
    before,
)
from tcpnotes.trace.segment import ACK, SYN


def _answered_lately(who: Sock | TwBucket | OpenRequest, sk: Sock | TwBucket, counter: str) -> bool:
    """Note that an answer is due now; True when the last one was less than tcp_invalid_ratelimit ago."""
    net = sk.net
    elapsed = net.jiffies - who.last_oow_ack
    if who.last_oow_ack != NEVER and elapsed * 1000 < net.sysctl.get("tcp_invalid_ratelimit", 500) * net.times.HZ:
        net.count(counter)
        return True
    who.last_oow_ack = net.jiffies
    return False


def over_limit(who: Sock | TwBucket | OpenRequest, sk: Sock | TwBucket, skb: SkBuff, counter: str) -> bool:
    """May a segment outside the window go unanswered, so that two ends cannot answer each other for ever?

    Only one without data (and any SYN) can be part of such a loop.  ``who`` remembers the time of the last answer.
    """
    if sk.net.profile.ack_limit == "none" or (skb.end_seq != skb.seq and not skb.flags & SYN):
        return False
    return _answered_lately(who, sk, counter)


def send_challenge_ack(sk: Sock) -> None:
    """Say what we have; a peer that really means it then comes back with the right number (tcp_send_challenge_ack)."""
    if not _answered_lately(sk, sk, "TCPACKSkippedChallenge"):
        sk.net.count("TCPChallengeACK")
        tcp_send_ack(sk)


def reset_is_believed(sk: Sock, skb: SkBuff) -> bool:
    """A RESET in the window: believed at exactly rcv_nxt or at the end of what was SACKed; challenged elsewhere."""
    if sk.net.profile.rst_in_window == "believed" or skb.seq == sk.rcv_nxt or reset_before_fin(sk, skb):
        return True
    if sk.sack_ok and sk.selective_acks:
        end = sk.selective_acks[0][1]
        for block in sk.selective_acks:
            if after(block[1], end):
                end = block[1]
        if skb.seq == end:
            return True
    send_challenge_ack(sk)
    return False


def reset_before_fin(sk: Sock, skb: SkBuff) -> bool:
    """A RESET at the number of the peer's own FIN, from one that lost our ACK of it (tcp_reset_check)."""
    return (
        sk.net.profile.rst_in_window != "believed"
        and skb.seq == (sk.rcv_nxt - 1) & MAXSEQ
        and sk.state in (CLOSE_WAIT, LAST_ACK, CLOSING)
    )


def syn_is_challenged(sk: Sock, skb: SkBuff) -> bool:
    """A SYN on a connection that stands: True when it was answered by a challenge and does nothing else."""
    if sk.net.profile.syn_in_window == "resets":
        return False
    if sk.state == SYN_RECV and skb.flags & ACK and skb.end_seq == sk.rcv_nxt and skb.ack_seq == sk.snd_nxt:
        return False  # our SYNs crossed, and this is the peer's once more, with the ACK of ours
    sk.net.count("TCPSYNChallenge")
    send_challenge_ack(sk)
    return True


def ack_is_refused(sk: Sock, skb: SkBuff) -> bool:
    """An ACK of what was never sent, or of the distant past: True when it was challenged, and its segment is to go."""
    if sk.net.profile.ack_of_unsent == "ignored":
        return False
    reach = min(sk.max_window, (sk.snd_una - sk.iss) & MAXSEQ)
    if after(skb.ack_seq, sk.snd_nxt) or before(skb.ack_seq, sk.snd_una - reach):
        send_challenge_ack(sk)
        return True
    return False


from tcpnotes.kernel.tcp_output import tcp_send_ack
