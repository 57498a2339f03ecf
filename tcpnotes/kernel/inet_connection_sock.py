"""net/ipv4/inet_connection_sock.c of Linux 6: a half-open connection has a timer of its own, and a round trip.

`tcp_v4_synq_add` starts the timer; when nobody answers, the SYN,ACK is repeated after
twice the time, and forgotten in the end.
"""

from __future__ import annotations

from tcpnotes.kernel.net import Net
from tcpnotes.kernel.sock import REQUEST_TIMER, OpenRequest, Sock


def _owner(sk: Sock, req: OpenRequest) -> int:
    """Which request of which listener, as one number."""
    return sk.id << 48 | req.daddr << 16 | req.dport


def start_request_timer(sk: Sock, req: OpenRequest) -> None:
    """Repeat the SYN,ACK unless the handshake ends before (inet_csk_reqsk_queue_hash_add)."""
    net = sk.net
    wait = min(net.times.TCP_TIMEOUT_INIT << req.retrans, net.times.TCP_RTO_MAX)
    req.expires = net.jiffies + wait
    req.timer = net.add_timer(REQUEST_TIMER, _owner(sk, req), req.expires)
    if net.trace is not None:
        net.trace.timer(sk.id, "request", "set", req.expires)


def request_timer(net: Net, owner: int) -> None:
    """Nobody has answered a SYN,ACK: send it again, or forget the request in silence (reqsk_timer_handler)."""
    found = net.request(owner)
    assert found is not None
    sk, req, chain = found
    assert req.timer is not None and sk.listen_opt is not None
    if net.trace is not None:
        net.trace.stimulus("timer", "request")
        net.trace.timer(sk.id, "request", "fire", req.timer[0])
    req.timer = None
    retries = sk.syn_retries or net.sysctl["tcp_synack_retries"]
    if req.retrans >= max(retries, sk.defer_accept if req.acked else 0):
        drop_request(sk, req, chain)
        return
    if not req.acked:
        tcp_v4_send_synack(sk, req)
    if req.retrans == 0:
        sk.listen_opt.qlen_young -= 1
    req.retrans += 1
    start_request_timer(sk, req)


def take_handshake_rtt(child: Sock, req: OpenRequest) -> None:
    """The time from our SYN,ACK to the ACK of it is the first round trip, if it was sent once (tcp_synack_rtt_meas)."""
    if child.net.profile.handshake_rtt == "kept" and not req.retrans:
        tcp_rtt_estimator(child, child.net.jiffies - req.sent)
        tcp_set_rto(child)


from tcpnotes.kernel.tcp_input_ack import tcp_rtt_estimator, tcp_set_rto
from tcpnotes.kernel.tcp_ipv4 import tcp_v4_send_synack
from tcpnotes.kernel.tcp_timer import drop_request
