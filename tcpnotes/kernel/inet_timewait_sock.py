"""net/ipv4/inet_timewait_sock.c of Linux 6: every bucket has a timer of its own.

Since 4.1 there are no wheels: 60 s are 60 s, and a bucket costs a timer.
"""

from __future__ import annotations

from tcpnotes.kernel.bucket import TwBucket
from tcpnotes.kernel.net import Net
from tcpnotes.kernel.sock import STATE_NAMES, TW_TIMER


def schedule_bucket(tw: TwBucket, timeo: int) -> None:
    """Let the bucket die ``timeo`` jiffies from now (inet_twsk_schedule, inet_twsk_reschedule)."""
    net = tw.net
    again = tw.timer is not None
    tw.ttd = net.jiffies + timeo
    tw.timer = net.add_timer(TW_TIMER, tw.key, tw.ttd)
    if not again:
        net.tw_count += 1
    if net.trace is not None:
        net.trace.bucket(tw.id, None, "reschedule" if again else "schedule", STATE_NAMES[tw.substate], timeo)


def deschedule_bucket(tw: TwBucket) -> None:
    """Stop the timer of a bucket that goes before its time (inet_twsk_deschedule_put)."""
    if tw.timer is not None:
        tw.timer = None
        tw.net.tw_count -= 1
        if tw.net.trace is not None:
            tw.net.trace.bucket(tw.id, None, "deschedule", STATE_NAMES[tw.substate], None)


def bucket_timer(net: Net, key: int) -> None:
    """The time of the bucket of connection ``key`` is up (tw_timer_handler)."""
    tw = net.tw_hash[key]
    assert tw.timer is not None
    if net.trace is not None:
        net.trace.stimulus("timer", "tw_timer")
        net.trace.timer(None, "tw_timer", "fire", tw.timer[0])
    tw.timer = None
    net.tw_count -= 1
    net.add("TimeWaited", 1)
    tcp_timewait_kill(tw)


from tcpnotes.kernel.tcp_minisocks import tcp_timewait_kill
