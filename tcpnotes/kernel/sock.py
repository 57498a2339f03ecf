"""Sockets, open requests, and sequence arithmetic.

All objects of the kernel layer are plain data with slots (the others stand in `net`,
`task` and `bucket`).  Times are jiffies (10 ms) unless a name says otherwise, sizes
are bytes, sequence numbers are modulo 2^32.  What C keeps in `struct sock` and in
its TCP part `struct tcp_opt` is one object here.
"""

from __future__ import annotations

import errno as _errno
from typing import TYPE_CHECKING, Final

from tcpnotes.kernel.copies import copier, freezer
from tcpnotes.kernel.skbuff import SkBuff
from tcpnotes.trace.segment import Segment

if TYPE_CHECKING:
    from tcpnotes.kernel.net import Net

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


def _clone_queue(queue: list[SkBuff]) -> list[SkBuff]:
    return [skb.clone() for skb in queue]


SOCK_FIELDS = (
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
    "user_timeout", "probes_since", "tlp_high_seq", "tlp_retrans", "last_oow_ack", "scaling_ratio",
    # options agreed
    "tstamp_ok", "saw_tstamp", "rcv_tsval", "rcv_tsecr", "ts_recent", "ts_recent_stamp",
    "wscale_ok", "snd_wscale", "rcv_wscale", "sack_ok", "dsack", "eff_sacks", "duplicate_sack",
    "selective_acks",
    # route metrics it may write back
    "dst",
    # a listener's
    "listen_opt", "accept_queue", "ack_backlog", "max_ack_backlog",
)  # fmt: skip


class Sock:
    """One TCP socket: `struct sock` with its `struct tcp_opt`."""

    __slots__ = SOCK_FIELDS

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
        self.tlp_retrans = False
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

    @property
    def pair(self) -> tuple[int, int, int, int]:
        """The pair of ends as a segment from the peer has it: the key of the half of the hash where sockets are."""
        return (self.daddr, self.dport, self.rcv_saddr, self.num)

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


copy_sock_fields = copier(
    Sock,
    SOCK_FIELDS,
    {
        "receive_queue": "_clone_queue(old.receive_queue) if old.receive_queue else []",
        "write_queue": "_clone_queue(old.write_queue) if old.write_queue else []",
        "out_of_order_queue": "_clone_queue(old.out_of_order_queue) if old.out_of_order_queue else []",
        "prequeue": "_clone_queue(old.prequeue) if old.prequeue else []",
        "listen_opt": "old.listen_opt.clone() if old.listen_opt is not None else None",
        "accept_queue": "old.accept_queue[:]",
    },
    _clone_queue=_clone_queue,
)


def clone_sock(old: Sock, net: Net) -> Sock:
    """A copy of ``old`` that belongs to ``net``."""
    new: Sock = copy_sock_fields(old)
    new.net = net
    if old.send_head is not None:
        new.send_head = new.write_queue[_index(old.write_queue, old.send_head)]
    return new


def _index(queue: list[SkBuff], skb: SkBuff) -> int:
    for i in range(len(queue) - 1, -1, -1):
        if queue[i] is skb:
            return i
    raise ValueError("send_head is not in write_queue")


_freeze_sock_fields = freezer(
    name for name in SOCK_FIELDS
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


REQUEST_FIELDS = (
    "acked", "daddr", "dport", "expires", "laddr", "last_oow_ack", "mss", "rcv_isn", "rcv_wnd", "rcv_wscale",
    "retrans", "sack_ok", "sent", "sk", "snd_isn", "snd_wscale", "timer", "ts_recent", "tstamp_ok", "window_clamp",
    "wscale_ok",
)  # fmt: skip


class OpenRequest:
    """A half-open connection on a listener; with ``sk`` set, a finished one waiting for accept."""

    __slots__ = REQUEST_FIELDS

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


_clone_request = copier(OpenRequest, REQUEST_FIELDS)
_freeze_request = freezer(REQUEST_FIELDS)


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
