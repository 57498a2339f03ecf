"""The objects of the kernel layer: sockets, buckets, open requests, sleeping calls, and a host's stack.

All of them are plain data with slots.  Times are jiffies (10 ms) unless a name
says otherwise, sizes are bytes, sequence numbers are modulo 2^32.  What C keeps in
`struct sock` and in its TCP part `struct tcp_opt` is one object here.
"""

from __future__ import annotations

import errno as _errno
from collections.abc import Callable, Iterable
from enum import Enum
from heapq import heappop, heappush
from struct import Struct
from typing import Any, Final

from tcpnotes.kernel.profile import Profile
from tcpnotes.kernel.skbuff import SkBuff
from tcpnotes.kernel.times import times_of
from tcpnotes.trace.recorder import HostTrace
from tcpnotes.trace.segment import Segment

# States, numbered and spelt as in Linux
ESTABLISHED, SYN_SENT, SYN_RECV, FIN_WAIT1, FIN_WAIT2, TIME_WAIT = 1, 2, 3, 4, 5, 6
CLOSE, CLOSE_WAIT, LAST_ACK, LISTEN, CLOSING = 7, 8, 9, 10, 11
STATE_NAMES = (
    "", "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2", "TIME_WAIT",
    "CLOSE", "CLOSE_WAIT", "LAST_ACK", "LISTEN", "CLOSING",
)  # fmt: skip

RCV_SHUTDOWN, SEND_SHUTDOWN, SHUTDOWN_MASK = 1, 2, 3
SOCK_SNDBUF_LOCK, SOCK_RCVBUF_LOCK, SOCK_BINDADDR_LOCK, SOCK_BINDPORT_LOCK = 1, 2, 4, 8

# State of the descriptor's end of a socket (struct socket)
SS_UNCONNECTED, SS_CONNECTING, SS_CONNECTED, SS_DISCONNECTING = 1, 2, 3, 4

# Timers: which field of which object they stand in
RETRANS_TIMER, DELACK_TIMER, KEEPALIVE_TIMER, TWKILL_TIMER, TWCAL_TIMER, TASK_TIMER = range(6)
TW_TIMER, REQUEST_TIMER = 6, 7  # of a bucket (its owner is the connection), of an open request

NEVER: Final = -(1 << 30)  # a stamp that was never set: longer ago than any limit

MAXSEQ = 0xFFFFFFFF
ERRNO_NAMES = _errno.errorcode


def before(a: int, b: int) -> bool:
    """``a`` comes before ``b`` in sequence space."""
    return (a - b) & 0x80000000 != 0


def after(a: int, b: int) -> bool:
    """``a`` comes after ``b`` in sequence space."""
    return (b - a) & 0x80000000 != 0


def between(seq: int, low: int, high: int) -> bool:
    """``low <= seq <= high`` in sequence space."""
    return (high - low) & MAXSEQ >= (seq - low) & MAXSEQ


def _cloner(cls: type, copied: dict[str, str]) -> Callable[[Any], Any]:
    """Build a fast copier for a class with slots: plain fields are shared, those in ``copied`` by expression."""
    lines = ["def clone(old):", "    new = make(cls)"]
    for name in cls.__slots__:  # type: ignore[attr-defined]
        lines.append(f"    new.{name} = {copied.get(name, 'old.' + name)}")
    lines.append("    return new")
    space: dict[str, Any] = {"make": object.__new__, "cls": cls}
    exec("\n".join(lines), space)  # our own text, made from the slots above
    made: Callable[[Any], Any] = space["clone"]
    return made


def _freezer(names: Iterable[str]) -> Callable[[Any], tuple[object, ...]]:
    """Build a function that gives the fields ``names`` of a thing as a tuple."""
    made: Callable[[Any], tuple[object, ...]] = eval(  # our own text, made from names of slots
        f"lambda thing: ({', '.join(f'thing.{name}' for name in names)},)"
    )
    return made


def _clone_queue(queue: list[SkBuff]) -> list[SkBuff]:
    return [skb.clone() for skb in queue]


class Sock:
    """One TCP socket: `struct sock` with its `struct tcp_opt`."""

    __slots__ = (
        # who it is
        "net", "id", "fd", "state", "iss", "rcv_saddr", "num", "daddr", "dport", "sport", "bound", "hashed", "reuse",
        # its owner's side
        "socket", "nospace", "queue_shrunk", "write_pending", "dead", "done", "shutdown", "err", "err_soft",
        "linger", "lingertime", "linger2", "keepopen", "userlocks", "freed",
        # queues and memory
        "receive_queue", "write_queue", "send_head", "out_of_order_queue", "prequeue",
        "wmem_queued", "rmem_alloc", "forward_alloc", "sndbuf", "rcvbuf",
        # sending
        "snd_una", "snd_nxt", "snd_sml", "write_seq", "pushed_seq", "snd_wnd", "snd_wl1", "max_window",
        "mss_cache", "mss_clamp", "advmss", "user_mss", "pmtu_cookie", "nonagle",
        "packets_out", "left_out", "retrans_out", "sacked_out", "lost_out", "fackets_out",
        "lsndtime",
        # receiving
        "rcv_nxt", "rcv_wup", "rcv_wnd", "copied_seq", "window_clamp", "rcv_ssthresh", "syn_seq", "fin_seq",
        "pred_flags", "tcp_header_len",
        "ack_pending", "ack_quick", "ack_pingpong", "ack_blocked", "ack_ato", "ack_timeout", "ack_lrcvtime",
        "ack_last_seg_size", "ack_rcv_mss",
        "urg_data", "urg_seq",
        "ucopy_task", "ucopy_len", "ucopy_memory",
        # congestion and recovery
        "snd_cwnd", "snd_cwnd_cnt", "snd_cwnd_clamp", "snd_cwnd_used", "snd_cwnd_stamp", "snd_ssthresh",
        "prior_ssthresh", "ca_state", "high_seq", "undo_marker", "undo_retrans", "retrans_stamp",
        "reordering", "fack",
        # round trips and timers
        "rto", "srtt", "mdev", "mdev_max", "rttvar", "rtt_seq", "backoff", "retransmits", "probes_out",
        "pending", "timeout", "retransmit_timer", "delack_timer", "timer", "rcv_tstamp",
        "syn_retries", "keepalive_time", "keepalive_intvl", "keepalive_probes", "defer_accept",
        # what Linux 6 has besides
        "user_timeout", "probes_since", "tlp_high_seq", "last_oow_ack", "scaling_ratio",
        # options agreed
        "tstamp_ok", "saw_tstamp", "rcv_tsval", "rcv_tsecr", "ts_recent", "ts_recent_stamp",
        "wscale_ok", "snd_wscale", "rcv_wscale", "sack_ok", "dsack", "eff_sacks", "duplicate_sack",
        "selective_acks",
        # route metrics it may write back
        "dst",
        # a listener's
        "listen_opt", "accept_queue", "ack_backlog", "max_ack_backlog",
    )  # fmt: skip

    net: Net
    id: int
    state: int
    timer: tuple[int, int] | None
    retransmit_timer: tuple[int, int] | None
    delack_timer: tuple[int, int] | None
    socket: int | None
    send_head: SkBuff | None
    receive_queue: list[SkBuff]
    write_queue: list[SkBuff]
    out_of_order_queue: list[SkBuff]
    prequeue: list[SkBuff]
    listen_opt: ListenOpt | None
    accept_queue: list[OpenRequest]

    def __init__(self, net: Net) -> None:
        self.net = net
        self.id = net.new_id()
        self.fd: int | None = None
        self.state = CLOSE
        self.iss = 0
        self.rcv_saddr = self.daddr = 0
        self.num = self.dport = self.sport = 0
        self.bound = self.hashed = False
        self.reuse = 0

        self.socket = None
        self.nospace = self.queue_shrunk = False
        self.write_pending = 0
        self.dead = self.done = self.freed = False
        self.shutdown = 0
        self.err = self.err_soft = 0
        self.linger = False
        self.lingertime = self.linger2 = 0
        self.keepopen = False
        self.userlocks = 0

        self.receive_queue = []
        self.write_queue = []
        self.send_head = None
        self.out_of_order_queue = []
        self.prequeue = []
        self.wmem_queued = self.rmem_alloc = self.forward_alloc = 0
        self.sndbuf = net.sysctl["tcp_wmem"]
        self.rcvbuf = net.sysctl["tcp_rmem"]

        self.snd_una = self.snd_nxt = self.snd_sml = self.write_seq = self.pushed_seq = 0
        self.snd_wnd = self.snd_wl1 = self.max_window = 0
        self.mss_cache = 536
        self.mss_clamp = 0xFFFF
        self.advmss = self.user_mss = self.pmtu_cookie = self.nonagle = 0
        self.packets_out = self.left_out = self.retrans_out = 0
        self.sacked_out = self.lost_out = self.fackets_out = 0
        self.lsndtime = NEVER

        self.rcv_nxt = self.rcv_wup = self.rcv_wnd = self.copied_seq = 0
        self.window_clamp = self.rcv_ssthresh = self.syn_seq = self.fin_seq = 0
        self.pred_flags: tuple[int, int] | None = None
        self.tcp_header_len = 20
        self.ack_pending = self.ack_quick = self.ack_pingpong = self.ack_blocked = 0
        self.ack_ato = self.ack_timeout = 0
        self.ack_lrcvtime = NEVER
        self.ack_last_seg_size = self.ack_rcv_mss = 0
        self.urg_data = self.urg_seq = 0
        self.ucopy_task: int | None = None
        self.ucopy_len = self.ucopy_memory = 0

        self.snd_cwnd = 2
        self.snd_cwnd_cnt = self.snd_cwnd_used = 0
        self.snd_cwnd_clamp = 1 << 30
        self.snd_cwnd_stamp = NEVER
        self.snd_ssthresh = 0x7FFFFFFF
        self.prior_ssthresh = self.ca_state = self.high_seq = 0
        self.undo_marker = self.undo_retrans = self.retrans_stamp = 0
        self.reordering = net.sysctl["tcp_reordering"]
        self.fack = False

        self.rto = self.mdev = net.times.TCP_TIMEOUT_INIT
        self.srtt = self.mdev_max = self.rttvar = self.rtt_seq = 0
        self.backoff = self.retransmits = self.probes_out = 0
        self.pending = self.timeout = 0
        self.retransmit_timer = self.delack_timer = self.timer = None
        self.rcv_tstamp = NEVER
        self.syn_retries = self.keepalive_time = self.keepalive_intvl = self.keepalive_probes = self.defer_accept = 0

        self.user_timeout = 0  # milliseconds
        self.probes_since = self.last_oow_ack = NEVER
        self.tlp_high_seq = 0
        self.scaling_ratio = 0 if net.profile.window_share == "three quarters" else 128  # in 256ths, 0: fixed

        self.tstamp_ok = self.saw_tstamp = False
        self.rcv_tsval = self.rcv_tsecr = self.ts_recent = 0
        self.ts_recent_stamp = 0
        self.wscale_ok = False
        self.snd_wscale = self.rcv_wscale = 0
        self.sack_ok = False
        self.dsack = False
        self.eff_sacks = 0
        self.duplicate_sack: tuple[int, int] = (0, 0)
        self.selective_acks: tuple[tuple[int, int], ...] = ()
        self.dst: int | None = None

        self.listen_opt = None
        self.accept_queue = []
        self.ack_backlog = self.max_ack_backlog = 0

    # -- what C reaches through function pointers ---------------------------------------------

    def state_change(self) -> None:
        """Wake every sleeper (sock_def_wakeup)."""
        if self.net.trace is not None:
            self.net.trace.wake(self.id, "state_change")
        self.net.wake(self, everyone=True)

    def data_ready(self) -> None:
        """There is something to read or accept (sock_def_readable)."""
        if self.net.trace is not None:
            self.net.trace.wake(self.id, "data_ready")
        self.net.wake(self, everyone=False)

    def error_report(self) -> None:
        """Something went wrong (sock_def_error_report)."""
        if self.net.trace is not None:
            self.net.trace.wake(self.id, "error_report")
        self.net.wake(self, everyone=False)

    def queue_changed(self, queue: str, op: str, seq: int, end_seq: int, length: int) -> None:
        """Tell the trace, if there is one."""
        if self.net.trace is not None:
            self.net.trace.queue(self.id, queue, op, seq, end_seq, length)

    def __repr__(self) -> str:
        return f"Sock({self.id}, {STATE_NAMES[self.state]}, {self.num}→{self.dport})"


_clone_sock_fields = _cloner(
    Sock,
    {
        "receive_queue": "clone_queue(old.receive_queue) if old.receive_queue else []",
        "write_queue": "clone_queue(old.write_queue) if old.write_queue else []",
        "out_of_order_queue": "clone_queue(old.out_of_order_queue) if old.out_of_order_queue else []",
        "prequeue": "clone_queue(old.prequeue) if old.prequeue else []",
        "listen_opt": "old.listen_opt.clone() if old.listen_opt is not None else None",
        "accept_queue": "old.accept_queue[:]",
    },
)
_clone_sock_fields.__globals__["clone_queue"] = _clone_queue


def clone_sock(old: Sock, net: Net) -> Sock:
    """A copy of ``old`` that belongs to ``net``."""
    new: Sock = _clone_sock_fields(old)
    new.net = net
    if old.send_head is not None:
        new.send_head = new.write_queue[_index(old.write_queue, old.send_head)]
    return new


def _index(queue: list[SkBuff], skb: SkBuff) -> int:
    for i in range(len(queue) - 1, -1, -1):
        if queue[i] is skb:
            return i
    raise ValueError("send_head is not in write_queue")


_freeze_sock_fields = _freezer(
    name for name in Sock.__slots__
    if name not in ("net", "receive_queue", "write_queue", "send_head", "out_of_order_queue", "prequeue",
                    "listen_opt", "accept_queue")
)  # fmt: skip


def freeze_sock(sk: Sock) -> tuple[object, ...]:
    """Everything that decides how ``sk`` goes on, as a tuple."""
    return (
        _freeze_sock_fields(sk),
        tuple([skb.freeze() for skb in sk.receive_queue]),
        tuple([skb.freeze() for skb in sk.write_queue]),
        None if sk.send_head is None else _index(sk.write_queue, sk.send_head),
        tuple([skb.freeze() for skb in sk.out_of_order_queue]),
        tuple([skb.freeze() for skb in sk.prequeue]),
        None if sk.listen_opt is None else sk.listen_opt.freeze(),
        tuple([req.freeze() for req in sk.accept_queue]),
    )


class OpenRequest:
    """A half-open connection on a listener; with ``sk`` set, a finished one waiting for accept."""

    __slots__ = (
        "acked", "daddr", "dport", "expires", "laddr", "last_oow_ack", "mss", "rcv_isn", "rcv_wnd", "rcv_wscale",
        "retrans", "sack_ok", "sent", "sk", "snd_isn", "snd_wscale", "timer", "ts_recent", "tstamp_ok", "window_clamp",
        "wscale_ok",
    )  # fmt: skip

    def __init__(self, seg: Segment) -> None:
        self.laddr = seg.daddr
        self.daddr = seg.saddr
        self.dport = seg.sport
        self.rcv_isn = seg.seq
        self.snd_isn = self.mss = self.ts_recent = 0
        self.rcv_wnd = self.window_clamp = 0
        self.rcv_wscale = self.snd_wscale = 0
        self.sack_ok = self.tstamp_ok = self.wscale_ok = self.acked = False
        self.expires = self.retrans = self.sent = 0
        self.last_oow_ack = NEVER
        self.timer: tuple[int, int] | None = None
        self.sk: int | None = None

    def clone(self) -> OpenRequest:
        """A copy."""
        new: OpenRequest = _clone_request(self)
        return new

    def freeze(self) -> tuple[object, ...]:
        """All of it as a tuple."""
        return _freeze_request(self)


_clone_request = _cloner(OpenRequest, {})
_freeze_request = _freezer(OpenRequest.__slots__)


class ListenOpt:
    """A listener's table of open requests: 64 chains, newest first; ``clock_hand`` is where the timer goes on."""

    __slots__ = ("clock_hand", "max_qlen_log", "qlen", "qlen_young", "syn_table")

    def __init__(self, max_qlen_log: int) -> None:
        self.max_qlen_log = max_qlen_log
        self.qlen = self.qlen_young = self.clock_hand = 0
        self.syn_table: dict[int, list[OpenRequest]] = {}  # chain number -> requests; empty chains are not kept

    def clone(self) -> ListenOpt:
        """A copy."""
        new = ListenOpt(self.max_qlen_log)
        new.qlen, new.qlen_young, new.clock_hand = self.qlen, self.qlen_young, self.clock_hand
        if self.syn_table:
            new.syn_table = {chain: [req.clone() for req in reqs] for chain, reqs in self.syn_table.items()}
        return new

    def freeze(self) -> tuple[object, ...]:
        """All of it as a tuple."""
        chains = tuple((chain, tuple(req.freeze() for req in reqs)) for chain, reqs in sorted(self.syn_table.items()))
        return (self.qlen, self.qlen_young, self.clock_hand, chains)


class _Number:
    """A field of a bucket that stands in its `numbers`: where, and in what form (as in `struct`)."""

    __slots__ = ("begin", "end", "form")

    def __init__(self, form: str, begin: int) -> None:
        self.form = Struct("<" + form)
        self.begin = begin
        self.end = begin + self.form.size

    def __get__(self, tw: TwBucket, owner: type | None = None) -> int:
        value: int = self.form.unpack_from(tw.numbers, self.begin)[0]
        return value

    def __set__(self, tw: TwBucket, value: int) -> None:
        numbers = tw.numbers
        tw.numbers = numbers[: self.begin] + self.form.pack(value) + numbers[self.end :]


_TW_NUMBERS = Struct("<6I2QI3B")


class TwBucket:
    """What is left of a connection in TIME_WAIT: `struct tcp_tw_bucket`.

    It has no queues, no error and no owner.  ``substate`` is FIN_WAIT2 or
    TIME_WAIT; ``key`` is the connection (see `Net.key`); ``cell`` is the slot it
    hangs in (0–7 slow wheel, 8–39 calendar, -1 none).  As there may be a million
    of them, their numbers are packed as in C: one string of bytes for each bucket.
    ``timer`` is its own where there are no wheels.
    """

    __slots__ = ("cell", "key", "last_oow_ack", "net", "numbers", "timer")

    rcv_nxt = _Number("I", 0)
    snd_nxt = _Number("I", 4)
    syn_seq = _Number("I", 8)
    rcv_wnd = _Number("I", 12)
    ts_recent = _Number("I", 16)
    ts_recent_stamp = _Number("I", 20)  # seconds
    id = _Number("Q", 24)
    ttd = _Number("Q", 32)  # jiffy at which its time is over
    timeout = _Number("I", 40)  # jiffies
    substate = _Number("B", 44)
    reuse = _Number("B", 45)
    rcv_wscale = _Number("B", 46)

    def __init__(self, sk: Sock, substate: int, rcv_wnd: int, timeout: int) -> None:
        """A bucket for the connection of ``sk``, not yet in the hash nor on a wheel."""
        net = sk.net
        self.net = net
        self.key = (sk.rcv_saddr << 32 | sk.daddr) << 32 | sk.num << 16 | sk.dport
        self.cell = -1
        self.timer: tuple[int, int] | None = None
        self.last_oow_ack = NEVER
        net.next_id = number = net.next_id + 1
        self.numbers = _TW_NUMBERS.pack(
            sk.rcv_nxt, sk.snd_nxt, sk.syn_seq, rcv_wnd, sk.ts_recent, sk.ts_recent_stamp, number, net.jiffies,
            timeout, substate, sk.reuse, sk.rcv_wscale,
        )  # fmt: skip

    def freeze(self) -> tuple[object, ...]:
        """All of it as a tuple."""
        return (self.key, self.cell, self.timer, self.last_oow_ack, *_TW_NUMBERS.unpack(self.numbers))

    @property
    def rcv_saddr(self) -> int:
        """Our address."""
        return self.key >> 64

    @property
    def daddr(self) -> int:
        """The peer's address."""
        return self.key >> 32 & MAXSEQ

    @property
    def num(self) -> int:
        """Our port."""
        return self.key >> 16 & 0xFFFF

    @property
    def dport(self) -> int:
        """The peer's port."""
        return self.key & 0xFFFF

    def __repr__(self) -> str:
        return f"TwBucket({self.id}, {STATE_NAMES[self.substate]}, {self.num}→{self.dport})"


_clone_bucket = _cloner(TwBucket, {})
EMPTY_CELL: Final[dict[TwBucket, None]] = {}  # stands for every slot that holds nothing, and is never filled


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


class Task:
    """A system call in progress.  Asleep, it is only this: which call, how far it got, until when.

    ``resume`` names the function that goes on with it; ``left`` counts bytes still
    wanted, ``done`` bytes already moved; ``timeo`` is what remains of its patience
    in jiffies (None without end).
    """

    __slots__ = (
        "args", "asleep", "blocked", "call", "done", "exclusive", "fd", "flags", "id", "left", "resume", "sk",
        "target", "timeo", "timer",
    )  # fmt: skip

    def __init__(self, number: int, call: str, args: tuple[Any, ...]) -> None:
        self.id = number
        self.call = call
        self.args = args
        self.fd = -1
        self.sk: int | None = None
        self.resume = ""
        self.asleep = False
        self.blocked = False
        self.exclusive = False
        self.left = self.done = self.target = self.flags = 0
        self.timeo: int | None = 0
        self.timer: tuple[int, int] | None = None

    def clone(self) -> Task:
        """A copy."""
        new: Task = _clone_task(self)
        return new

    def freeze(self) -> tuple[object, ...]:
        """All of it as a tuple."""
        return _freeze_task(self)


_clone_task = _cloner(Task, {})
_freeze_task = _freezer(Task.__slots__)


class Blocked(Enum):
    """What a kernel function returns when the calling process has gone to sleep."""

    BLOCKED = "BLOCKED"


BLOCKED: Final = Blocked.BLOCKED

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


class Net:
    """One host's TCP: what the kernel keeps in globals, as one object.

    ``now`` is the time in microseconds, ``jiffies`` the same in ticks of 10 ms;
    both are set from outside.  ``output`` takes a segment that leaves the host.
    """

    __slots__ = (
        "net", "id", "name", "address", "profile", "times", "sysctl", "now", "jiffies", "in_tick", "trace", "output",
        "next_id", "next_task", "iss_base", "iss_moves", "ts_base", "socks", "ehash", "tw_hash", "listening", "bhash",
        "port_rover", "mib", "orphan_count", "memory_allocated", "sockets_allocated",
        "timers", "timer_seq", "tasks", "run_queue", "printk_tokens", "printk_last",
        "tw_count", "tw_cells", "tw_death_slot", "tw_timer", "twcal_hand", "twcal_jiffie", "twcal_timer",
        "metrics", "peers", "watched", "doomed",
    )  # fmt: skip

    def __init__(self, name: str, address: int, profile: Profile, iss_base: int) -> None:
        self.net = self
        self.id = None  # so that the trace can ask any subject for its number
        self.name = name
        self.address = address
        self.profile = profile
        self.times = times_of(profile)
        self.sysctl = dict(SYSCTL_DEFAULTS)  # replaced, never changed: copies share it
        if profile.sysctls or self.times.factor > 1:
            for name in SYSCTL_IN_SECONDS:
                self.sysctl[name] *= self.times.factor
            self.sysctl.update(profile.sysctls)
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
        self.ehash: dict[int, Sock] = {}
        self.tw_hash: dict[int, TwBucket] = {}
        self.listening: dict[int, list[Sock]] = {}
        self.bhash: dict[int, BindBucket] = {}
        self.port_rover = self.sysctl["ip_local_port_low"] - 1

        self.mib: dict[str, int] = {}
        self.orphan_count = 0
        self.memory_allocated = 0  # pages
        self.sockets_allocated = 0

        self.timers: list[tuple[int, int, int, int]] = []
        self.timer_seq = 0
        self.tasks: dict[int, Task] = {}
        self.run_queue: list[int] = []
        self.printk_tokens = 5000
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
        """A connection as one number: the key of both halves of the established hash."""
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
        self.printk_tokens = min(self.printk_tokens + self.jiffies - self.printk_last, 5000)
        self.printk_last = self.jiffies
        if self.printk_tokens < 500:
            return False
        self.printk_tokens -= 500
        return True

    @property
    def time_stamp(self) -> int:
        """What goes into a timestamp option: jiffies since the host came up, modulo 2^32."""
        return (self.ts_base + self.jiffies) & MAXSEQ

    @property
    def seconds(self) -> int:
        """Wall-clock seconds, for the age of timestamps; never 0, because 0 says "no stamp"."""
        return self.jiffies // self.times.HZ + 1_000_000

    # -- timers: a heap of (tick, order, kind, owner); an entry counts only while its owner still has it --

    def add_timer(self, kind: int, owner: int, expires: int) -> tuple[int, int]:
        """Arm a timer for jiffy ``expires`` (this tick or the next one if that is past); returns its mark."""
        self.timer_seq += 1
        first = self.jiffies if self.in_tick else self.jiffies + 1
        heappush(self.timers, (expires if expires > first else first, self.timer_seq, kind, owner))
        return (expires, self.timer_seq)

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
        """The jiffy at which the next timer is due, or None.  Entries that no longer count are dropped."""
        timers = self.timers
        while timers:
            tick, seq, kind, owner = timers[0]
            mark = self._mark(kind, owner)
            if mark is not None and mark[1] == seq:
                return tick
            heappop(timers)
        return None

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
            self.trace.sleep(task.id, task.call, sk.id, None if task.timer is None else task.timer[0] * self.times.tick)
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
                buckets[tw] = copy = _clone_bucket(tw)
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
            tuple([entry for entry in sorted(self.timers) if (mark := self._mark(*entry[2:])) and mark[1] == entry[1]]),
        )


def _nowhere(seg: Segment, sk: int | None) -> None:
    """Where segments go while no wire is attached."""


_freeze_net_fields = _freezer((
    "name", "address", "profile", "next_id", "next_task", "iss_base", "iss_moves", "ts_base", "port_rover",
    "orphan_count", "memory_allocated", "sockets_allocated", "timer_seq", "printk_tokens", "printk_last", "tw_count",
    "tw_death_slot", "tw_timer", "twcal_hand", "twcal_jiffie", "twcal_timer",
))  # fmt: skip
_clone_net_fields = _cloner(
    Net,
    {
        "bhash": "{port: bucket.clone() for port, bucket in old.bhash.items()} if old.bhash else {}",
        "mib": "old.mib.copy()",
        "timers": "old.timers[:]",
        "tasks": "{n: task.clone() for n, task in old.tasks.items()} if old.tasks else {}",
        "run_queue": "old.run_queue[:]",
        "metrics": "{a: m.clone() for a, m in old.metrics.items()} if old.metrics else {}",
        "peers": "old.peers.copy()",
        "watched": "{}",
        "doomed": "[]",
        "listening": "{}",
        "ehash": "{}",
        "tw_hash": "{}",
        "tw_cells": "[empty_cell] * 40",
        "socks": "{}",
    },
)
_clone_net_fields.__globals__["empty_cell"] = EMPTY_CELL
