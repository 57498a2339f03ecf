"""net/ipv4/tcp_ipv4.c: the tables, and the door.

A segment is looked up in three places, in this order: among live connections,
among TIME_WAIT buckets, among listeners.  What finds none of them is answered
with a RESET.
"""

from __future__ import annotations

import errno

from tcpnotes.kernel.bucket import TwBucket
from tcpnotes.kernel.mirror import mirrors
from tcpnotes.kernel.net import BindBucket, Net
from tcpnotes.kernel.skbuff import SkBuff, received_skb, slab_truesize
from tcpnotes.kernel.sock import CLOSE, ESTABLISHED, LISTEN, MAXSEQ, OpenRequest, Sock
from tcpnotes.kernel.tcp_h import (
    TCP_PAWS_MSL,
    TCP_PAWS_WINDOW,
    TCP_SYNQ_HSIZE,
    TCP_TIME_DACK,
    TW_ACK,
    TW_RST,
    TW_SYN,
    reset_xmit_timer,
    writequeue_purge,
)
from tcpnotes.trace.segment import ACK, RST, Segment

# -- ports ----------------------------------------------------------------------------------------------------


@mirrors("net/ipv4/tcp_ipv4.c")
def tcp_bucket_create(net: Net, port: int) -> BindBucket:
    """Note that a local port is in use."""
    bucket = BindBucket(-1)
    net.bhash[port] = bucket
    return bucket


@mirrors("net/ipv4/tcp_ipv4.c")
def __tcp_inherit_port(sk: Sock, child: Sock) -> None:
    """A child shares its listener's port."""
    sk.net.bhash[child.num].owners[child.id] = None
    child.bound = True


def _bind_conflict(sk: Sock, port: BindBucket) -> bool:
    """Does another holder of the port stand in the way of ``sk``?"""
    net = sk.net

    def clash(addr: int, reuse: int, listening: bool) -> bool:
        if sk.reuse and reuse and not listening:
            return False
        return not sk.rcv_saddr or not addr or sk.rcv_saddr == addr

    for number in port.owners:
        other = net.socks[number]
        if other is not sk and clash(other.rcv_saddr, other.reuse, other.state == LISTEN):
            return True
    return any(clash(addr, reuse, False) for addr, reuse in port.buckets)


@mirrors("net/ipv4/tcp_ipv4.c", omits=["devices"])
def tcp_v4_get_port(sk: Sock, snum: int) -> bool:
    """Bind ``sk`` to local port ``snum``, or to a free one if that is 0.  True when it cannot be had.

    A TIME_WAIT bucket holds its port like a socket; SO_REUSEADDR on both sides lets them share.
    """
    net = sk.net
    if snum == 0:
        low, high = net.sysctl["ip_local_port_low"], net.sysctl["ip_local_port_high"]
        rover = net.port_rover
        for _ in range(high - low + 1):
            rover += 1
            if rover < low or rover > high:
                rover = low
            if rover not in net.bhash:
                break
        else:
            return True
        net.port_rover = rover
        snum = rover
        port = None
    else:
        port = net.bhash.get(snum)
    if port is not None and (port.owners or port.buckets):
        if sk.reuse > 1:
            pass
        elif port.fastreuse > 0 and sk.reuse and sk.state != LISTEN:
            pass
        elif _bind_conflict(sk, port):
            return True
    if port is None:
        port = tcp_bucket_create(net, snum)
    if not port.owners and not port.buckets:
        port.fastreuse = 1 if sk.reuse and sk.state != LISTEN else 0
    elif port.fastreuse and (not sk.reuse or sk.state == LISTEN):
        port.fastreuse = 0
    sk.num = snum
    if not sk.bound:
        port.owners[sk.id] = None
        sk.bound = True
    return False


@mirrors("net/ipv4/tcp_ipv4.c")
def __tcp_put_port(sk: Sock) -> None:
    """Leave the list of the port's holders; the port is free with the last of them."""
    net = sk.net
    port = net.bhash[sk.num]
    del port.owners[sk.id]
    if not port.owners and not port.buckets:
        del net.bhash[sk.num]
    sk.bound = False
    sk.num = 0


@mirrors("net/ipv4/tcp_ipv4.c")
def tcp_put_port(sk: Sock) -> None:
    """Give the local port back (its number stays in ``sk.sport``, for a RESET yet to be sent)."""
    __tcp_put_port(sk)


# -- hashes ----------------------------------------------------------------------------------------------------


@mirrors("net/ipv4/tcp_ipv4.c")
def __tcp_v4_hash(sk: Sock) -> None:
    """Put ``sk`` where segments will find it."""
    net = sk.net
    if sk.state == LISTEN:
        net.listening.setdefault(sk.num, []).append(sk)
    else:
        net.ehash[sk.pair] = sk
    sk.hashed = True


@mirrors("net/ipv4/tcp_ipv4.c")
def tcp_v4_hash(sk: Sock) -> None:
    """Put ``sk`` where segments will find it, unless it is CLOSE."""
    if sk.state != CLOSE:
        __tcp_v4_hash(sk)


@mirrors("net/ipv4/tcp_ipv4.c")
def tcp_v4_lookup_listener(net: Net, daddr: int, hnum: int) -> Sock | None:
    """The listener on a port; one bound to the very address is preferred."""
    listeners = net.listening.get(hnum)
    if not listeners:
        return None
    best = None
    for sk in listeners:
        if sk.rcv_saddr == daddr:
            return sk
        if not sk.rcv_saddr and best is None:
            best = sk
    return best


@mirrors("net/ipv4/tcp_ipv4.c")
def __tcp_v4_lookup_established(net: Net, saddr: int, sport: int, daddr: int, hnum: int) -> Sock | TwBucket | None:
    """The connection a segment belongs to: a live socket first, then a bucket."""
    sk = net.ehash.get((saddr, sport, daddr, hnum))
    return sk or (net.tw_hash.get(net.key(daddr, hnum, saddr, sport)) if net.tw_hash else None)


@mirrors("net/ipv4/tcp_ipv4.c")
def __tcp_v4_lookup(net: Net, saddr: int, sport: int, daddr: int, hnum: int) -> Sock | TwBucket | None:
    """Who gets the segment: a connection, a bucket, a listener, or nobody."""
    return __tcp_v4_lookup_established(net, saddr, sport, daddr, hnum) or tcp_v4_lookup_listener(net, daddr, hnum)


@mirrors("net/ipv4/tcp_ipv4.c", omits=["randomness: the number grows with time and with every connection"])
def tcp_v4_init_sequence(sk: Sock) -> int:
    """The number from which a passive connection starts."""
    return first_sequence(sk.net)


def first_sequence(net: Net) -> int:
    """A number to start from: the host's base, moved by time and by every connection (secure_tcp_sequence_number)."""
    number = net.iss_base
    if net.iss_moves:
        net.iss_base = (number + 64_000 + net.jiffies) & MAXSEQ
    return number


@mirrors("net/ipv4/tcp_ipv4.c")
def tcp_v4_check_established(sk: Sock) -> int:
    """Connect: is the same pair of ends still in use?  A bucket with timestamps may be taken over, and then goes."""
    net = sk.net
    tw = net.tw_hash.get(net.key(sk.rcv_saddr, sk.num, sk.daddr, sk.dport))
    if tw is not None:
        if not tw.ts_recent_stamp:
            return -errno.EADDRNOTAVAIL
        sk.write_seq = (tw.snd_nxt + 65535 + 2) & MAXSEQ or 1
        sk.ts_recent = tw.ts_recent
        sk.ts_recent_stamp = tw.ts_recent_stamp
    elif sk.pair in net.ehash:
        return -errno.EADDRNOTAVAIL
    __tcp_v4_hash(sk)
    if tw is not None:
        tcp_tw_deschedule(tw)
        tcp_timewait_kill(tw)
        net.count("TimeWaitRecycled")
    return 0


@mirrors("net/ipv4/tcp_ipv4.c")
def tcp_v4_hash_connecting(sk: Sock) -> int:
    """Connect: put the socket into the table if its pair of ends is free; else a negative errno."""
    net = sk.net
    if not sk.num:
        chosen: int = choose_port(sk)
        return chosen
    port = net.bhash[sk.num]
    if len(port.owners) == 1 and sk.id in port.owners and not port.buckets:
        __tcp_v4_hash(sk)
        return 0
    answer: int = tcp_v4_check_established(sk)
    return answer


@mirrors("net/ipv4/tcp_ipv4.c", omits=["routing and its failures"])
def tcp_v4_connect(sk: Sock, daddr: int, dport: int) -> int:
    """Fill in the peer's end, choose a number to start from, and send the SYN."""
    net = sk.net
    if not sk.rcv_saddr:
        sk.rcv_saddr = net.address
    sk.daddr = daddr
    sk.dport = dport
    sk.sport = sk.num
    sk.dst = daddr
    if net.sysctl.get("tcp_tw_recycle") and not sk.ts_recent_stamp:
        peer = net.peers.get(daddr)
        if peer is not None and peer[1] + TCP_PAWS_MSL >= net.seconds:
            sk.ts_recent, sk.ts_recent_stamp = peer
    sk.mss_clamp = 536
    if not sk.write_seq:
        sk.write_seq = first_sequence(net)
    answer: int = tcp_connect(sk)
    if answer:
        sk.dport = 0
    return answer


# -- answers without a socket -------------------------------------------------------------------------------------


@mirrors("net/ipv4/tcp_ipv4.c")
def tcp_v4_send_reset(net: Net, skb: SkBuff) -> None:
    """Answer a segment that has no business here with a RESET; never a RESET with another.

    Sends:  RST at SEG.ACK; or RST,ACK at 0 that acknowledges the segment, if it had no ACK.
    """
    seg = skb.seg
    if seg.flags & RST:
        return
    if seg.flags & ACK:
        answer = Segment(seg.daddr, seg.dport, seg.saddr, seg.sport, seg.ack_seq, 0, RST, 0)
    else:
        answer = Segment(seg.daddr, seg.dport, seg.saddr, seg.sport, 0, seg.end_seq, RST | ACK, 0)
    net.output(answer, None)
    net.count("TcpOutSegs")
    net.count("TcpOutRsts")


@mirrors("net/ipv4/tcp_ipv4.c")
def tcp_v4_send_ack(net: Net, skb: SkBuff, seq: int, ack: int, win: int, ts: int) -> None:
    """Send an ACK for somebody who has no socket: a bucket or an open request."""
    seg = skb.seg
    stamp = (net.time_stamp, ts) if ts else None
    answer = Segment(
        seg.daddr, seg.dport, seg.saddr, seg.sport, seq, ack, ACK, win & 0xFFFF, 0, None, None, False, stamp
    )
    net.output(answer, None)
    net.count("TcpOutSegs")


@mirrors("net/ipv4/tcp_ipv4.c")
def tcp_v4_timewait_ack(tw: TwBucket, skb: SkBuff) -> None:
    """The bucket says what it has: its snd_nxt, rcv_nxt and window."""
    tcp_v4_send_ack(tw.net, skb, tw.snd_nxt, tw.rcv_nxt, tw.rcv_wnd >> tw.rcv_wscale, tw.ts_recent)


@mirrors("net/ipv4/tcp_ipv4.c")
def tcp_v4_or_send_ack(sk: Sock, skb: SkBuff, req: OpenRequest) -> None:
    """An open request says what it has."""
    window = min(req.rcv_wnd, 0xFFFF)
    if sk.net.profile.initial_window == "65535":
        window >>= req.rcv_wscale
    tcp_v4_send_ack(sk.net, skb, (req.snd_isn + 1) & MAXSEQ, (req.rcv_isn + 1) & MAXSEQ, window, req.ts_recent)


# -- half-open connections -------------------------------------------------------------------------------------------


@mirrors("net/ipv4/tcp_ipv4.c")
def tcp_v4_synq_hash(net: Net, raddr: int, rport: int) -> int:
    """In which of the 64 chains an open request of this peer hangs (addresses as a little-endian machine sees them)."""
    h = int.from_bytes(raddr.to_bytes(4, "big"), "little") ^ int.from_bytes(rport.to_bytes(2, "big"), "little")
    h ^= h >> 16
    h ^= h >> 8
    return h & (TCP_SYNQ_HSIZE - 1)


@mirrors("net/ipv4/tcp_ipv4.c")
def tcp_v4_search_req(sk: Sock, seg: Segment) -> tuple[OpenRequest, int] | None:
    """The open request a segment belongs to, with its chain."""
    lopt = sk.listen_opt
    assert lopt is not None
    chain: int = tcp_v4_synq_hash(sk.net, seg.saddr, seg.sport)
    for req in lopt.syn_table.get(chain, ()):
        if req.dport == seg.sport and req.daddr == seg.saddr and req.laddr == seg.daddr:
            return req, chain
    return None


@mirrors("net/ipv4/tcp_ipv4.c")
def tcp_v4_synq_add(sk: Sock, req: OpenRequest) -> None:
    """Put a new open request into the listener's table and see that its SYN,ACK is repeated."""
    lopt = sk.listen_opt
    assert lopt is not None
    chain: int = tcp_v4_synq_hash(sk.net, req.daddr, req.dport)
    req.expires = sk.net.jiffies + sk.net.times.TCP_TIMEOUT_INIT
    req.retrans = 0
    req.sent = sk.net.jiffies
    lopt.syn_table.setdefault(chain, []).insert(0, req)
    first = lopt.qlen == 0
    lopt.qlen += 1
    lopt.qlen_young += 1
    sk.queue_changed("syn_table", "add", req.rcv_isn, req.rcv_isn, lopt.qlen)
    if sk.net.profile.synack_timer == "one each":
        start_request_timer(sk, req)
    elif first:
        tcp_reset_keepalive_timer(sk, sk.net.times.TCP_TIMEOUT_INIT)


@mirrors("net/ipv4/tcp_ipv4.c", omits=["routing"])
def tcp_v4_send_synack(sk: Sock, req: OpenRequest) -> int:
    """Send the SYN,ACK of an open request; 0 when it left."""
    seg = tcp_make_synack(sk, req)
    sk.net.output(seg, sk.id)
    return 0


@mirrors("net/ipv4/tcp_ipv4.c")
def tcp_v4_or_free(net: Net, req: OpenRequest) -> None:
    """An open request is forgotten."""


@mirrors("net/ipv4/tcp_ipv4.c", omits=["SYN cookies", "broadcast", "routing"])
def tcp_v4_conn_request(sk: Sock, skb: SkBuff) -> int:
    """A SYN for a listener: make an open request and answer SYN,ACK, or drop it in silence when queues are full."""
    net = sk.net
    seg = skb.seg
    lopt = sk.listen_opt
    assert lopt is not None
    sysctl = net.sysctl
    if lopt.qlen >> lopt.max_qlen_log and not skb.when:
        net.count("TcpAttemptFails")
        return 0
    if sk.ack_backlog > sk.max_ack_backlog and lopt.qlen_young > 1:
        net.count("TcpAttemptFails")
        return 0
    isn = skb.when  # a bucket that made way for this SYN left the number here
    req = OpenRequest(seg)
    ts = tcp_parse_options(sk, skb, bool(sysctl["tcp_timestamps"]))
    req.mss = seg.mss or 536
    if sk.user_mss and sk.user_mss < req.mss:
        req.mss = sk.user_mss
    # A stamp of 0 cannot be told from none later on.
    req.tstamp_ok = ts is not None and ts[0] != 0
    req.ts_recent = ts[0] if req.tstamp_ok and ts is not None else 0
    req.sack_ok = seg.sack_ok and bool(sysctl["tcp_sack"])
    req.wscale_ok = seg.wscale is not None and bool(sysctl["tcp_window_scaling"])
    req.snd_wscale = min(seg.wscale or 0, 14) if req.wscale_ok else 0
    tcp_v4_save_options(net, skb)
    if not isn:
        if req.tstamp_ok and sysctl.get("tcp_tw_recycle"):
            peer = net.peers.get(seg.saddr)
            if (
                peer is not None
                and net.seconds < peer[1] + TCP_PAWS_MSL
                and _signed(peer[0] - req.ts_recent) > TCP_PAWS_WINDOW
            ):
                net.count("PAWSPassiveRejected")
                net.count("TcpAttemptFails")
                return 0
        elif (
            sysctl["tcp_max_syn_backlog"] - lopt.qlen < sysctl["tcp_max_syn_backlog"] >> 2
            and seg.saddr not in net.peers
            and seg.saddr not in net.metrics
        ):
            net.count("TcpAttemptFails")
            return 0
        isn = tcp_v4_init_sequence(sk)
    req.snd_isn = isn
    tcp_v4_send_synack(sk, req)
    tcp_v4_synq_add(sk, req)
    return 0


def _signed(value: int) -> int:
    value &= MAXSEQ
    return value - 0x100000000 if value & 0x80000000 else value


@mirrors("net/ipv4/tcp_ipv4.c", omits=["IP options (the model has none)"])
def tcp_v4_save_options(net: Net, skb: SkBuff) -> None:
    """Keep the IP options of a SYN, to answer along its route."""


@mirrors("net/ipv4/tcp_ipv4.c", omits=["routing"])
def tcp_v4_syn_recv_sock(sk: Sock, skb: SkBuff, req: OpenRequest) -> Sock | None:
    """The handshake is done: make the socket.  None when the accept queue is full."""
    net = sk.net
    if sk.ack_backlog > sk.max_ack_backlog:
        net.count("ListenOverflows")
        net.count("ListenDrops")
        return None
    child: Sock = tcp_create_openreq_child(sk, req, skb)
    child.rcv_saddr = req.laddr
    child.daddr = req.daddr
    child.dport = req.dport
    child.dst = req.daddr
    child.advmss = 1460
    tcp_sync_mss(child, 1500)
    child.ack_rcv_mss = max(min(child.advmss, child.mss_cache, child.rcv_wnd // 2, 536), 88)
    take_handshake_rtt(child, req)
    __tcp_v4_hash(child)
    __tcp_inherit_port(sk, child)
    return child


@mirrors("net/ipv4/tcp_ipv4.c", omits=["SYN cookies"])
def tcp_v4_hnd_req(sk: Sock, skb: SkBuff) -> Sock | None:
    """A segment for a listener: who really gets it?  A socket, or None when it has been dealt with."""
    seg = skb.seg
    found = tcp_v4_search_req(sk, seg)
    if found is not None:
        answer: Sock | None = tcp_check_req(sk, skb, *found)
        return answer
    other = __tcp_v4_lookup_established(sk.net, seg.saddr, seg.sport, seg.daddr, seg.dport)
    if other is None:
        return sk
    return other if isinstance(other, Sock) else None


@mirrors("net/ipv4/tcp_ipv4.c", omits=["checksums", "filters"])
def tcp_v4_do_rcv(sk: Sock, skb: SkBuff) -> int:
    """Give a segment to the routine for the socket's state, and answer with a RESET if that says so."""
    net = sk.net
    net.count("IpInDelivers")
    if sk.state == ESTABLISHED:
        reset = tcp_rcv_established(sk, skb)
    elif sk.state == LISTEN:
        target = tcp_v4_hnd_req(sk, skb)
        if target is None:
            return 0
        reset = tcp_child_process(sk, target, skb) if target is not sk else tcp_rcv_state_process(sk, skb)
    else:
        reset = tcp_rcv_state_process(sk, skb)
    if reset:
        tcp_v4_send_reset(net, skb)
    return 0


def prequeue(sk: Sock, skb: SkBuff) -> bool:
    """Park a segment for the process that sleeps in recv; it will handle it itself (tcp_prequeue)."""
    if sk.ucopy_task is None:  # never set where there is no prequeue
        return False
    sk.prequeue.append(skb)
    sk.ucopy_memory += skb.truesize
    sk.queue_changed("prequeue", "add", skb.seq, skb.end_seq, len(sk.prequeue))
    if sk.ucopy_memory > sk.rcvbuf << 1:
        dropped, sk.prequeue = sk.prequeue, []
        sk.ucopy_memory = 0
        sk.queue_changed("prequeue", "purge", dropped[0].seq, dropped[-1].end_seq, 0)
        sk.net.add("TCPPrequeueDropped", len(dropped))
    elif len(sk.prequeue) == 1:
        sk.net.wake(sk, False)
        if not sk.ack_pending & 1:
            reset_xmit_timer(sk, TCP_TIME_DACK, 3 * sk.net.times.TCP_RTO_MIN // 4)
    return True


@mirrors("net/ipv4/tcp_ipv4.c", omits=["checksums", "a socket locked by a process", "segments for other hosts"])
def tcp_v4_rcv(net: Net, seg: Segment) -> None:
    """A segment has arrived from the network: find out whose it is.

    A bucket answers for itself; a SYN that it lets through finds the listener.  Nobody's is answered by a RESET.
    """
    net.count("TcpInSegs")
    skb = received_skb(seg)
    if net.profile.buffer_cost == "slab":
        skb.truesize = slab_truesize(skb)
    sk = __tcp_v4_lookup(net, seg.saddr, seg.sport, seg.daddr, seg.dport)
    if sk is None:
        tcp_v4_send_reset(net, skb)
        return
    if isinstance(sk, TwBucket):
        tw = sk
        verdict, isn = tcp_timewait_state_process(tw, skb)
        if verdict == TW_SYN:
            listener = tcp_v4_lookup_listener(net, seg.daddr, seg.dport)
            if listener is None:
                verdict = TW_ACK
            else:
                tcp_tw_deschedule(tw)
                tcp_timewait_kill(tw)
                skb.when = isn
                sk = listener
        if verdict == TW_ACK:
            tcp_v4_timewait_ack(tw, skb)
            return
        if verdict == TW_RST:
            tcp_v4_send_reset(net, skb)
            return
        if verdict != TW_SYN:
            return
    assert isinstance(sk, Sock)
    if not prequeue(sk, skb):
        tcp_v4_do_rcv(sk, skb)
    release(sk)


def release(sk: Sock) -> None:
    """Whoever held on to ``sk`` lets go; a socket that was destroyed meanwhile is freed now (sock_put)."""
    net = sk.net
    if net.doomed:
        for dying in net.doomed:
            inet_sock_destruct(dying)
        net.doomed.clear()


# -- what is remembered of peers, for tcp_tw_recycle -----------------------------------------------------------------


def _remember(net: Net, daddr: int, ts_recent: int, stamp: int) -> bool:
    peer = net.peers.get(daddr)
    if peer is None or _signed(peer[0] - ts_recent) <= 0 or (peer[1] + TCP_PAWS_MSL < net.seconds and peer[1] <= stamp):
        net.peers[daddr] = (ts_recent, stamp)
    return True


@mirrors("net/ipv4/tcp_ipv4.c")
def tcp_v4_remember_stamp(sk: Sock) -> bool:
    """Keep the peer's timestamp beyond the life of the connection."""
    return _remember(sk.net, sk.daddr, sk.ts_recent, sk.ts_recent_stamp)


@mirrors("net/ipv4/tcp_ipv4.c")
def tcp_v4_tw_remember_stamp(tw: TwBucket) -> bool:
    """The same for a bucket."""
    return _remember(tw.net, tw.daddr, tw.ts_recent, tw.ts_recent_stamp)


# -- making and destroying -------------------------------------------------------------------------------------------


@mirrors("net/ipv4/tcp_ipv4.c")
def tcp_v4_init_sock(sk: Sock) -> None:
    """A new socket's figures: RTO 3 s, window 2 segments, MSS 536."""
    tcp_init_xmit_timers(sk)
    sk.rto = sk.mdev = sk.net.times.TCP_TIMEOUT_INIT
    sk.snd_cwnd = int(sk.net.profile.initial_cwnd)
    sk.snd_ssthresh = 0x7FFFFFFF
    sk.mss_cache = 536
    sk.reordering = sk.net.sysctl["tcp_reordering"]
    sk.net.sockets_allocated += 1


@mirrors("net/ipv4/tcp_ipv4.c")
def tcp_v4_destroy_sock(sk: Sock) -> int:
    """Last work before a socket is freed: timers, output, everything out of order, and its port."""
    tcp_clear_xmit_timers(sk)
    writequeue_purge(sk)
    purge(sk, "out_of_order_queue")
    purge(sk, "prequeue")
    if sk.bound:
        tcp_put_port(sk)
    sk.net.sockets_allocated -= 1
    return 0


# What C declares in the header and defines elsewhere.
from tcpnotes.kernel.af_inet import inet_sock_destruct
from tcpnotes.kernel.inet_connection_sock import start_request_timer, take_handshake_rtt
from tcpnotes.kernel.inet_hashtables import choose_port
from tcpnotes.kernel.tcp_h import purge
from tcpnotes.kernel.tcp_input import tcp_parse_options, tcp_rcv_established, tcp_rcv_state_process
from tcpnotes.kernel.tcp_minisocks import (
    tcp_check_req,
    tcp_child_process,
    tcp_create_openreq_child,
    tcp_timewait_kill,
    tcp_timewait_state_process,
    tcp_tw_deschedule,
)
from tcpnotes.kernel.tcp_output import tcp_connect, tcp_make_synack, tcp_sync_mss
from tcpnotes.kernel.tcp_timer import tcp_clear_xmit_timers, tcp_init_xmit_timers, tcp_reset_keepalive_timer
