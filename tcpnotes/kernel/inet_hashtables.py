"""net/ipv4/inet_hashtables.c of Linux 6: connect chooses a port from which the pair of ends is free.

So connections to different peers may share a port, and one that a bucket holds may be had again in time.
"""

from __future__ import annotations

import errno

from tcpnotes.kernel.bucket import TwBucket
from tcpnotes.kernel.net import Net
from tcpnotes.kernel.sock import MAXSEQ, TIME_WAIT, Sock


def choose_port(sk: Sock) -> int:
    """Find a local port for ``sk``, whose peer is known, and hash it; 0 or a negative errno (__inet_hash_connect).

    Ports that somebody was bound to are left alone.  Linux begins at a number made of the pair of ends; here the ports
    go round.
    """
    net = sk.net
    low, high = net.sysctl["ip_local_port_low"], net.sysctl["ip_local_port_high"]
    number = net.port_rover
    for _ in range(high - low + 1):
        number = number + 1 if low <= number + 1 <= high else low
        port = net.bhash.get(number)
        if port is not None and port.fastreuse >= 0:
            continue
        sk.num = sk.sport = number
        if port is None:
            port = tcp_bucket_create(net, number)
            __tcp_v4_hash(sk)
        elif (tw := net.tw_hash.get(net.key(sk.rcv_saddr, number, sk.daddr, sk.dport))) and not may_reuse(tw):
            continue
        elif tcp_v4_check_established(sk):
            continue
        net.bhash.setdefault(number, port).owners[sk.id] = None
        sk.bound = True
        net.port_rover = number
        return 0
    sk.num = sk.sport = 0
    return no_free_port(net)


def no_free_port(net: Net) -> int:
    """What connect returns when no port is left."""
    return -(errno.EAGAIN if net.profile.no_free_port == "EAGAIN" else errno.EADDRNOTAVAIL)


def may_reuse(tw: TwBucket) -> bool:
    """May connect, which came upon ``tw`` by itself, take its place if it has timestamps (tcp_twsk_unique)?

    Who named the port is not asked for more than those.
    """
    net = tw.net
    if net.profile.time_wait_reuse == "with timestamps":
        return True
    asked = net.sysctl["tcp_tw_reuse"]
    if tw.substate != TIME_WAIT or not asked or (asked == 2 and not _loopback(tw)):
        return False
    waited = (net.jiffies - tw.entered) & MAXSEQ
    return waited * 1000 > net.sysctl["tcp_tw_reuse_delay"] * net.times.HZ


def _loopback(tw: TwBucket) -> bool:
    """Is one of the ends in 127.0.0.0/8?"""
    return 127 in (tw.daddr >> 24, tw.rcv_saddr >> 24)


from tcpnotes.kernel.tcp_ipv4 import __tcp_v4_hash, tcp_bucket_create, tcp_v4_check_established
