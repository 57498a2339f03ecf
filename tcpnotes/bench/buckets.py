"""Many TIME_WAIT buckets, in an interpreter of their own so that its memory is theirs.

``python -m tcpnotes.bench.buckets COUNT EVENTS`` prints what `measure` finds as one JSON object.
"""

from __future__ import annotations

import gc
import json
import sys
from time import process_time

from tcpnotes.bench.calibration import events_per_second
from tcpnotes.kernel.bucket import EMPTY_CELL, TwBucket
from tcpnotes.kernel.sock import TIME_WAIT, Sock
from tcpnotes.kernel.tcp_ipv4 import tcp_bucket_create
from tcpnotes.kernel.tcp_minisocks import __tcp_tw_hashdance as hashdance
from tcpnotes.kernel.tcp_minisocks import tcp_tw_schedule
from tcpnotes.world import Host, World

PORT = 80
PEERS = 50_000  # ports of one peer; then comes the next address
TICKS = 200


def megabytes() -> float:
    """The greatest memory this process has had so far, in MB; 0.0 where the system does not say."""
    try:
        from resource import RUSAGE_SELF, getrusage
    except ImportError:  # not a Unix
        return 0.0
    most = getrusage(RUSAGE_SELF).ru_maxrss
    return most / (1e6 if sys.platform == "darwin" else 1e3)


def make(host: Host, count: int) -> None:
    """So many buckets as `tcp_time_wait` makes them, all of different connections, evenly over a minute."""
    net = host.net
    sk = Sock(net)
    sk.rcv_saddr, sk.num = net.address, PORT
    tcp_bucket_create(net, PORT)
    begin = net.jiffies
    minute = net.times.TCP_TIMEWAIT_LEN
    for passed in range(minute):
        stock(sk, count * passed // minute, count * (passed + 1) // minute)
        _wait(host, begin + passed + 1)


def stock(sk: Sock, first: int, end: int) -> None:
    """Buckets now, one for each number from ``first`` to before ``end``, for connections from the address of ``sk``."""
    net = sk.net
    minute = net.times.TCP_TIMEWAIT_LEN
    sk.ts_recent, sk.ts_recent_stamp = net.time_stamp, net.seconds
    for number in range(first, end):
        sk.daddr, sk.dport = 0x0B000000 + number // PEERS, 1024 + number % PEERS
        sk.rcv_nxt = sk.syn_seq = 0x40000000 + number
        sk.snd_nxt = 0x80000000 + number
        tw = TwBucket(sk, TIME_WAIT, 5792, minute)
        hashdance(sk, tw)
        tcp_tw_schedule(tw, minute)


def _wait(host: Host, jiffies: int) -> None:
    """Let time pass on the one host: every timer due up to then."""
    net = host.net
    while (tick := net.next_tick()) is not None and tick <= jiffies:
        net.jiffies = tick
        host.tick(tick)
    net.jiffies = jiffies


def _host() -> Host:
    return World("linux-2.4.0", hosts=("A",)).host("A")


def _idle_ticks(host: Host) -> float:
    """Seconds for a tick of the slow wheel whose slot is empty: the same slot again and again."""
    net = host.net
    slot, net.tw_cells[net.tw_death_slot] = net.tw_cells[net.tw_death_slot], EMPTY_CELL
    where = net.tw_death_slot
    start = process_time()
    for _ in range(TICKS):
        net.tw_death_slot = where
        _wait(host, net.jiffies + net.times.TCP_TWKILL_PERIOD)
    seconds = (process_time() - start) / TICKS
    net.tw_death_slot = where
    net.tw_cells[where] = slot
    return seconds


def measure(count: int, events: int) -> dict[str, float]:
    """Make and age out ``count`` buckets, between two readings of the yardstick with ``events`` events.

    ``life``: seconds for making one and letting it die (``made``, ``died``); ``tick``: seconds for a tick of the slow
    wheel at which none dies, with all of them there, and ``bare_tick`` with one; ``megabytes``, ``empty``: the greatest
    memory with and without them; ``calibration``: the yardstick's events a second.
    """
    empty = megabytes()
    one = _host()
    make(one, 1)
    bare_tick = min(_idle_ticks(one) for _ in range(5))
    host = _host()
    net = host.net
    first = events_per_second(events)
    gc.collect()
    gc.disable()  # as `timeit` does
    start = process_time()
    make(host, count)
    made = process_time() - start
    tick = min(_idle_ticks(host) for _ in range(5))
    start = process_time()
    _wait(host, net.jiffies + net.times.TCP_TIMEWAIT_LEN + net.times.TCP_TWKILL_PERIOD)
    died = process_time() - start
    gc.enable()
    if net.tw_count or net.tw_hash:
        raise RuntimeError(f"{net.tw_count} buckets outlived their time.")
    return {
        "life": (made + died) / count,
        "made": made / count,
        "died": died / count,
        "tick": tick,
        "bare_tick": bare_tick,
        "megabytes": megabytes(),
        "empty": empty,
        "calibration": (first + events_per_second(events)) / 2,
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measure(int(sys.argv[1]), int(sys.argv[2]))))
