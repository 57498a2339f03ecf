"""A host's stack: what the kernel keeps in globals."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush

from tcpnotes.kernel.bucket import EMPTY_CELL, TwBucket, copy_bucket
from tcpnotes.kernel.copies import copier, freezer
from tcpnotes.kernel.profile import Profile
from tcpnotes.kernel.sock import (
    DELACK_TIMER,
    KEEPALIVE_TIMER,
    MAXSEQ,
    REQUEST_TIMER,
    RETRANS_TIMER,
    TASK_TIMER,
    TW_TIMER,
    TWKILL_TIMER,
    OpenRequest,
    Sock,
    clone_sock,
    freeze_sock,
)
from tcpnotes.kernel.task import BLOCKED, Blocked, Task
from tcpnotes.kernel.times import times_of
from tcpnotes.trace.recorder import HostTrace
from tcpnotes.trace.segment import Segment


class BindBucket:
    """A local port in use: which sockets hold it, and how many TIME_WAIT buckets (by address and reuse)."""

    __slots__ = ("buckets", "fastreuse", "owners")

    def __init__(self, fastreuse: int) -> None:
        self.fastreuse = fastreuse
        self.owners: dict[int, None] = {}  # socket numbers, in order
        self.buckets: dict[tuple[int, int], int] = {}

    def clone(self) -> BindBucket:
        """A copy."""
        new = BindBucket(self.fastreuse)
        new.owners = self.owners.copy()
        new.buckets = self.buckets.copy()
        return new

    def freeze(self) -> tuple[object, ...]:
        """All of it as a tuple."""
        return (self.fastreuse, tuple(self.owners), tuple(sorted(self.buckets.items())))


SYSCTL_DEFAULTS = {
    "tcp_fin_timeout": 6000, "tcp_max_orphans": 8192, "tcp_max_tw_buckets": 16384, "tcp_orphan_retries": 0,
    "tcp_retries1": 3, "tcp_retries2": 15, "tcp_syn_retries": 5, "tcp_synack_retries": 5,
    "tcp_keepalive_time": 720000, "tcp_keepalive_probes": 9, "tcp_keepalive_intvl": 7500,
    "tcp_rfc1337": 0, "tcp_tw_recycle": 0, "tcp_timestamps": 1, "tcp_sack": 1, "tcp_window_scaling": 1,
    "tcp_fack": 1, "tcp_dsack": 1, "tcp_stdurg": 0, "tcp_abort_on_overflow": 0, "tcp_reordering": 3,
    "tcp_retrans_collapse": 1, "tcp_adv_win_scale": 2, "tcp_app_win": 31, "tcp_max_syn_backlog": 256,
    "tcp_wmem": 16384, "tcp_rmem": 87380, "tcp_wmem_max": 131072, "tcp_rmem_max": 174760,
    "wmem_max": 65535, "rmem_max": 65535, "tcp_mem_max": 4096, "ip_local_port_low": 1024, "ip_local_port_high": 4999,
}  # fmt: skip
SYSCTL_IN_SECONDS = frozenset({"tcp_fin_timeout", "tcp_keepalive_time", "tcp_keepalive_intvl"})


class RouteMetrics:
    """What a route remembers of earlier connections (0: nothing)."""

    __slots__ = ("cwnd", "reordering", "rtt", "rttvar", "ssthresh")

    def __init__(self) -> None:
        self.rtt = self.rttvar = self.ssthresh = self.cwnd = self.reordering = 0

    def freeze(self) -> tuple[int, ...]:
        """All of it as a tuple."""
        return (self.rtt, self.rttvar, self.ssthresh, self.cwnd, self.reordering)

    def clone(self) -> RouteMetrics:
        """A copy."""
        new = RouteMetrics()
        new.rtt, new.rttvar, new.ssthresh, new.cwnd, new.reordering = self.freeze()
        return new


NET_FIELDS = (
    "net", "id", "name", "address", "profile", "times", "sysctl", "now", "jiffies", "in_tick", "trace", "output",
    "next_id", "next_task", "iss_base", "iss_moves", "ts_base", "socks", "ehash", "tw_hash", "listening", "bhash",
    "port_rover", "mib", "orphan_count", "memory_allocated", "sockets_allocated",
    "timers", "timer_ticks", "timer_seq", "tasks", "run_queue", "printk_tokens", "printk_last",
    "tw_count", "tw_cells", "tw_death_slot", "tw_timer", "twcal_hand", "twcal_jiffie", "twcal_timer",
    "metrics", "peers", "watched", "doomed",
)  # fmt: skip


class Net:
    """One host's TCP: what the kernel keeps in globals, as one object.

    ``now`` is the time in microseconds, ``jiffies`` the same in ticks (`Times`);
    both are set from outside.  ``output`` takes a segment that leaves the host.
    """

    __slots__ = NET_FIELDS

    def __init__(self, name: str, address: int, profile: Profile, iss_base: int) -> None:
        self.net = self
        self.id = None  # so that the trace can ask any subject for its number
        self.name = name
        self.address = address
        self.profile = profile
        self.times = times_of(profile)
        self.sysctl = dict(SYSCTL_DEFAULTS)  # replaced, never changed: copies share it
        for name in SYSCTL_IN_SECONDS:
            self.sysctl[name] = SYSCTL_DEFAULTS[name] * self.times.HZ // 100
        self.sysctl.update(profile.sysctls)
        if profile.time_wait_recycle == "no":
            del self.sysctl["tcp_tw_recycle"]
        self.now = 0
        self.jiffies = 0
        self.in_tick = False
        self.trace: HostTrace | None = None
        self.output: Callable[[Segment, int | None], None] = _nowhere
        self.next_id = 0
        self.next_task = 0
        self.iss_base = iss_base
        self.ts_base = 360_000  # it has been up for an hour; so no timestamp is 0
        self.iss_moves = True  # recordings were made with a number that does not move

        self.socks: dict[int, Sock] = {}
        self.ehash: dict[tuple[int, int, int, int], Sock] = {}  # by `Sock.pair`
        self.tw_hash: dict[int, TwBucket] = {}
        self.listening: dict[int, list[Sock]] = {}
        self.bhash: dict[int, BindBucket] = {}
        self.port_rover = self.sysctl["ip_local_port_low"] - 1

        self.mib: dict[str, int] = {}
        self.orphan_count = 0
        self.memory_allocated = 0  # pages
        self.sockets_allocated = 0

        self.timers: dict[int, list[tuple[int, int, int]]] = {}
        self.timer_ticks: list[int] = []
        self.timer_seq = 0
        self.tasks: dict[int, Task] = {}
        self.run_queue: list[int] = []
        self.printk_tokens = 50 * self.times.HZ
        self.printk_last = 0

        self.tw_count = 0
        self.tw_cells = [EMPTY_CELL] * 40
        self.tw_death_slot = 0
        self.tw_timer: tuple[int, int] | None = None
        self.twcal_hand = -1
        self.twcal_jiffie = 0
        self.twcal_timer: tuple[int, int] | None = None

        self.metrics: dict[int, RouteMetrics] = {}
        self.peers: dict[int, tuple[int, int]] = {}  # address -> (ts_recent, stamp in seconds), for tw_recycle
        self.doomed: list[Sock] = []  # destroyed, but somebody up the call chain still holds them
        self.watched: dict[int, tuple[int, int]] = {}  # err and shutdown of sockets before this stimulus

    # -- numbers, keys, counters ---------------------------------------------------------------

    def new_id(self) -> int:
        """The next number for a socket or bucket."""
        self.next_id += 1
        return self.next_id

    @staticmethod
    def key(laddr: int, lport: int, raddr: int, rport: int) -> int:
        """A connection as one number: the key of the half of the established hash where buckets hang."""
        return (laddr << 32 | raddr) << 32 | lport << 16 | rport

    def count(self, name: str) -> None:
        """One more in a MIB counter."""
        try:
            self.mib[name] += 1
        except KeyError:
            self.mib[name] = 1
        if self.trace is not None:
            self.trace.count(name)

    def add(self, name: str, n: int) -> None:
        """``n`` more in a MIB counter; counted in silence, as these are in bulk."""
        if n:
            self.mib[name] = self.mib.get(name, 0) + n

    def printk(self, text: str) -> None:
        """A line in the kernel log."""
        if self.trace is not None:
            self.trace.printk(text)

    def net_ratelimit(self) -> bool:
        """May a message be printed now?  One in five seconds, ten in a burst."""
        cost = 5 * self.times.HZ
        self.printk_tokens = min(self.printk_tokens + self.jiffies - self.printk_last, 10 * cost)
        self.printk_last = self.jiffies
        if self.printk_tokens < cost:
            return False
        self.printk_tokens -= cost
        return True

    @property
    def time_stamp(self) -> int:
        """What goes into a timestamp option: jiffies since the host came up, modulo 2^32."""
        return (self.ts_base + self.jiffies) & MAXSEQ

    @property
    def seconds(self) -> int:
        """Wall-clock seconds, for the age of timestamps; never 0, because 0 says "no stamp"."""
        return self.jiffies // self.times.HZ + 1_000_000

    # -- timers: rows of (number, kind, owner) by jiffy, as they were armed; one counts only while its owner has it --

    def add_timer(self, kind: int, owner: int, expires: int) -> tuple[int, int]:
        """Arm a timer for jiffy ``expires`` (this tick or the next one if that is past); returns its mark."""
        self.timer_seq = number = self.timer_seq + 1
        tick = self.jiffies if self.in_tick else self.jiffies + 1
        if expires > tick:
            tick = expires
        row = self.timers.get(tick)
        if row is None:
            self.timers[tick] = [(number, kind, owner)]
            heappush(self.timer_ticks, tick)
        else:
            row.append((number, kind, owner))
        return (expires, number)

    def _mark(self, kind: int, owner: int) -> tuple[int, int] | None:
        if kind <= KEEPALIVE_TIMER:
            sk = self.socks.get(owner)
            if sk is None:
                return None
            if kind == RETRANS_TIMER:
                return sk.retransmit_timer
            return sk.delack_timer if kind == DELACK_TIMER else sk.timer
        if kind == TASK_TIMER:
            task = self.tasks.get(owner)
            return None if task is None else task.timer
        if kind == TW_TIMER:
            tw = self.tw_hash.get(owner)
            return None if tw is None else tw.timer
        if kind == REQUEST_TIMER:
            found = self.request(owner)
            return None if found is None else found[1].timer
        return self.tw_timer if kind == TWKILL_TIMER else self.twcal_timer

    def request(self, owner: int) -> tuple[Sock, OpenRequest, int] | None:
        """The listener, the open request and its chain that a timer's ``owner`` stands for; None when it is gone."""
        sk = self.socks.get(owner >> 48)
        if sk is None or sk.listen_opt is None:
            return None
        for chain, reqs in sk.listen_opt.syn_table.items():
            for req in reqs:
                if req.daddr == owner >> 16 & MAXSEQ and req.dport == owner & 0xFFFF:
                    return sk, req, chain
        return None

    def next_tick(self) -> int | None:
        """The jiffy at which the next timer is due, or None.  Before it no entry is left that no longer counts."""
        ticks = self.timer_ticks
        while ticks:
            tick = ticks[0]
            row = self.timers[tick]
            for place, (number, kind, owner) in enumerate(row):
                mark = self._mark(kind, owner)
                if mark is not None and mark[1] == number:
                    if place:
                        del row[:place]
                    return tick
            heappop(ticks)
            del self.timers[tick]
        return None

    def running(self) -> list[tuple[int, int, int, int]]:
        """The timers that count, in the order in which they would fire: (jiffy, number, kind, owner)."""
        found = []
        for tick in sorted(self.timers):
            for number, kind, owner in self.timers[tick]:
                mark = self._mark(kind, owner)
                if mark is not None and mark[1] == number:
                    found.append((tick, number, kind, owner))
        return found

    # -- sleepers --------------------------------------------------------------------------------

    def wake(self, sk: Sock, everyone: bool) -> None:
        """Make the tasks that sleep on ``sk`` runnable: all, or all but the second and later exclusive ones."""
        if not self.tasks:
            return
        taken = False
        for task in self.tasks.values():
            if task.asleep and task.sk == sk.id:
                if task.exclusive and not everyone:
                    if taken:
                        continue
                    taken = True
                task.asleep = False
                self.run_queue.append(task.id)

    def sleep(self, task: Task, sk: Sock, resume: str, exclusive: bool = False) -> Blocked:
        """Put the calling process to sleep on ``sk``; ``resume`` says how it goes on."""
        self.tasks[task.id] = task
        task.asleep = task.blocked = True
        task.exclusive = exclusive
        task.sk = sk.id
        task.resume = resume
        if task.timeo is not None:
            expires = self.jiffies + task.timeo
            task.timer = self.add_timer(TASK_TIMER, task.id, expires)
            if self.trace is not None:
                self.trace.timer(None, "schedule_timeout", "set", expires)
        if self.trace is not None:
            self.trace.sleep(
                task.id, task.call, sk.id, None if task.timer is None else self.times.moment(task.timer[0])
            )
        return BLOCKED

    def woken(self, task: Task) -> None:
        """What schedule_timeout does on return: work out how much patience is left."""
        if task.timer is not None:
            if self.trace is not None:
                self.trace.timer(None, "schedule_timeout", "clear", task.timer[0])
            task.timeo = max(task.timer[0] - self.jiffies, 0)
            task.timer = None

    def waited(self) -> None:
        """The function that a process slept in returns to its caller, which goes on."""
        if self.trace is not None and self.trace.depth:  # nobody may have listened when it went to sleep
            self.trace.leave()

    # -- copies ----------------------------------------------------------------------------------

    def clone(self) -> Net:
        """A copy that shares nothing that changes; ``trace`` and ``output`` are left unset."""
        new: Net = _clone_net_fields(self)
        new.net = new
        new.trace = None
        new.output = _nowhere
        socks = {number: clone_sock(sk, new) for number, sk in self.socks.items()}
        new.socks = socks
        new.ehash = {key: socks[sk.id] for key, sk in self.ehash.items()}
        if self.listening:
            new.listening = {port: [socks[sk.id] for sk in sks] for port, sks in self.listening.items()}
        if self.tw_hash or self.tw_count:
            buckets: dict[TwBucket, TwBucket] = {}
            for tw in self.tw_hash.values():
                buckets[tw] = copy = copy_bucket(tw)
                copy.net = new
            new.tw_hash = {key: buckets[tw] for key, tw in self.tw_hash.items()}
            new.tw_cells = [{buckets[tw]: None for tw in cell} if cell else EMPTY_CELL for cell in self.tw_cells]
        return new

    def freeze(self) -> tuple[object, ...]:
        """Everything that decides how this host goes on, as a tuple."""
        return (
            _freeze_net_fields(self),
            tuple(self.sysctl.items()),  # always in the same order
            tuple([freeze_sock(sk) for sk in self.socks.values()]),  # in the order of their numbers
            tuple([tw.freeze() for _, tw in sorted(self.tw_hash.items())]),
            tuple([(number, tuple([tw.id for tw in cell])) for number, cell in enumerate(self.tw_cells) if cell]),
            tuple([(port, bucket.freeze()) for port, bucket in sorted(self.bhash.items())]),
            tuple([task.freeze() for task in self.tasks.values()]),
            tuple(self.run_queue),
            tuple(sorted(self.mib.items())),
            tuple([(address, metrics.freeze()) for address, metrics in sorted(self.metrics.items())]),
            tuple(sorted(self.peers.items())),
            tuple(self.running()),
        )


def _nowhere(seg: Segment, sk: int | None) -> None:
    """Where segments go while no wire is attached."""


_freeze_net_fields = freezer((
    "name", "address", "profile", "next_id", "next_task", "iss_base", "iss_moves", "ts_base", "port_rover",
    "orphan_count", "memory_allocated", "sockets_allocated", "timer_seq", "printk_tokens", "printk_last", "tw_count",
    "tw_death_slot", "tw_timer", "twcal_hand", "twcal_jiffie", "twcal_timer",
))  # fmt: skip
_clone_net_fields = copier(
    Net,
    NET_FIELDS,
    {
        "bhash": "{port: bucket.clone() for port, bucket in old.bhash.items()} if old.bhash else {}",
        "mib": "old.mib.copy()",
        "timers": "{tick: row[:] for tick, row in old.timers.items()}",
        "timer_ticks": "old.timer_ticks[:]",
        "tasks": "{n: task.clone() for n, task in old.tasks.items()} if old.tasks else {}",
        "run_queue": "old.run_queue[:]",
        "metrics": "{a: m.clone() for a, m in old.metrics.items()} if old.metrics else {}",
        "peers": "old.peers.copy()",
        "watched": "{}",
        "doomed": "[]",
        "listening": "{}",
        "ehash": "{}",
        "tw_hash": "{}",
        "tw_cells": "[EMPTY_CELL] * 40",
        "socks": "{}",
    },
    EMPTY_CELL=EMPTY_CELL,
)
