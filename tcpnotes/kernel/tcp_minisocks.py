"""net/ipv4/tcp_minisocks.c: what is smaller than a socket.

When a connection only has to be remembered, a `tcp_tw_bucket` takes the place of
its socket.  Buckets die on one of two wheels: the slow one with 8 slots of 7.5 s,
and a calendar of 32 steps of 160 ms for the short-lived.  At the other end of a
connection's life an open request stands for a socket until the handshake is done.
"""

from __future__ import annotations

from tcpnotes.kernel.bucket import EMPTY_CELL, TwBucket
from tcpnotes.kernel.mirror import mirrors
from tcpnotes.kernel.net import Net
from tcpnotes.kernel.skbuff import SkBuff, options_length
from tcpnotes.kernel.sock import (
    FIN_WAIT2,
    MAXSEQ,
    NEVER,
    SOCK_BINDPORT_LOCK,
    STATE_NAMES,
    SYN_RECV,
    TIME_WAIT,
    TWCAL_TIMER,
    TWKILL_TIMER,
    OpenRequest,
    Sock,
    after,
    before,
    copy_sock_fields,
)
from tcpnotes.kernel.tcp_h import (
    CA_OPEN,
    TCP_PAWS_24DAYS,
    TCP_PAWS_MSL,
    TW_ACK,
    TW_RST,
    TW_SUCCESS,
    TW_SYN,
    receive_window,
    tcp_done,
)
from tcpnotes.kernel.times import TCP_TW_RECYCLE_SLOTS, TCP_TWKILL_SLOTS
from tcpnotes.trace.segment import ACK, FIN, RST, SYN


@mirrors("net/ipv4/tcp_minisocks.c")
def tcp_in_window(net: Net, seq: int, end_seq: int, s_win: int, e_win: int) -> bool:
    """Does the segment touch the window from ``s_win`` to ``e_win``?"""
    if seq == s_win:
        return True
    if after(end_seq, s_win) and before(seq, e_win):
        return True
    return seq == e_win & MAXSEQ and seq == end_seq


@mirrors("net/ipv4/tcp_minisocks.c")
def tcp_timewait_kill(tw: TwBucket) -> None:
    """The bucket goes: out of the hash, and its port is free unless somebody else holds it."""
    net = tw.net
    key = tw.key
    if net.tw_hash.get(key) is not tw:
        return
    del net.tw_hash[key]
    port = net.bhash.get(key >> 16 & 0xFFFF)
    if port is not None:
        kind = (key >> 64, tw.reuse)
        left = port.buckets[kind] - 1
        if left:
            port.buckets[kind] = left
        else:
            del port.buckets[kind]
            if not port.owners and not port.buckets:
                del net.bhash[tw.num]
    if net.trace is not None:
        net.trace.bucket(tw.id, None, "kill", STATE_NAMES[tw.substate], None)


@mirrors("net/ipv4/tcp_minisocks.c")
def tcp_timewait_state_process(tw: TwBucket, skb: SkBuff) -> tuple[int, int]:
    """A segment meets a bucket.  What to answer (TW_…), and for TW_SYN the number to start from.

    Moves:  substate FIN_WAIT2 → TIME_WAIT on the peer's FIN at rcv_nxt.
    Unlike RFC: a RST at rcv_nxt kills the bucket ("assassination") unless tcp_rfc1337 is set.
    """
    net = tw.net
    seg = skb.seg
    flags = seg.flags
    paws_reject = False
    ts = None
    if tw.ts_recent_stamp and options_length(seg):
        ts = tcp_parse_options(tw, skb, bool(net.sysctl["tcp_timestamps"]))
        if ts is not None:
            paws_reject = _paws_reject(net, ts[0], tw.ts_recent, tw.ts_recent_stamp, bool(flags & RST))
    if tw.substate == FIN_WAIT2:
        edge = tw.rcv_nxt + tw.rcv_wnd
        if paws_reject or not tcp_in_window(net, skb.seq, skb.end_seq, tw.rcv_nxt, edge):
            return (TW_SUCCESS if over_limit(tw, tw, skb, "TCPACKSkippedFinWait2") else TW_ACK), 0
        if flags & RST:
            tcp_tw_deschedule(tw)
            tcp_timewait_kill(tw)
            return TW_SUCCESS, 0
        strict = net.profile.time_wait_fin == "with ACK"
        if flags & SYN and (not before(skb.seq, tw.rcv_nxt) if strict else skb.seq != tw.syn_seq):
            tcp_tw_deschedule(tw)
            tcp_timewait_kill(tw)
            return TW_RST, 0
        if not after(skb.end_seq, tw.rcv_nxt) or skb.end_seq == skb.seq or (strict and not flags & ACK):
            return TW_SUCCESS, 0
        if not flags & FIN or skb.end_seq != (tw.rcv_nxt + 1) & MAXSEQ:
            # New data: nobody is left who could read it.
            tcp_tw_deschedule(tw)
            tcp_timewait_kill(tw)
            return TW_RST, 0
        tw.substate = TIME_WAIT
        tw.entered = net.jiffies & MAXSEQ
        tw.rcv_nxt = skb.end_seq
        if net.trace is not None:
            net.trace.bucket(tw.id, None, "substate", STATE_NAMES[TIME_WAIT], None)
        if ts is not None:
            tw.ts_recent_stamp = net.seconds
            tw.ts_recent = ts[0]
        if net.sysctl.get("tcp_tw_recycle") and tw.ts_recent_stamp and tcp_v4_tw_remember_stamp(tw):
            tcp_tw_schedule(tw, tw.timeout)
        else:
            tcp_tw_schedule(tw, net.times.TCP_TIMEWAIT_LEN)
        return TW_ACK, 0

    if not paws_reject and skb.seq == tw.rcv_nxt and (skb.seq == skb.end_seq or flags & RST):
        if flags & RST and not net.sysctl["tcp_rfc1337"]:
            tcp_tw_deschedule(tw)
            tcp_timewait_kill(tw)
            return TW_SUCCESS, 0
        if not flags & RST or net.profile.time_wait_rfc1337 == "restarts":
            tcp_tw_schedule(tw, net.times.TCP_TIMEWAIT_LEN)
        if ts is not None:
            tw.ts_recent = ts[0]
            tw.ts_recent_stamp = net.seconds
        return TW_SUCCESS, 0
    if (
        flags & SYN
        and not flags & (RST | ACK)
        and not paws_reject
        and (after(skb.seq, tw.rcv_nxt) or (ts is not None and before(tw.ts_recent, ts[0])))
    ):
        isn = (tw.snd_nxt + 65535 + 2) & MAXSEQ
        return TW_SYN, isn or 1
    if paws_reject:
        net.count("PAWSEstabRejected")
    if not flags & RST:
        # An old SYN without ACK does not restart the clock; everything else does.
        if paws_reject or flags & ACK:
            tcp_tw_schedule(tw, net.times.TCP_TIMEWAIT_LEN)
        return (TW_SUCCESS if over_limit(tw, tw, skb, "TCPACKSkippedTimeWait") else TW_ACK), 0
    return TW_SUCCESS, 0


def _paws_reject(net: Net, tsval: int, ts_recent: int, stamp: int, rst: bool) -> bool:
    """Is ``tsval`` older than the ``ts_recent`` noted at second ``stamp``, and is that still worth something?"""
    if not before(tsval, ts_recent) or net.seconds >= stamp + TCP_PAWS_24DAYS:
        return False
    return not (rst and net.seconds >= stamp + TCP_PAWS_MSL)


@mirrors("net/ipv4/tcp_minisocks.c")
def __tcp_tw_hashdance(sk: Sock, tw: TwBucket) -> None:
    """Put the bucket where the socket was: in the TIME_WAIT half of the hash, and on the list of its port."""
    net = sk.net
    if sk.hashed:
        if net.ehash.get(sk.pair) is sk:
            del net.ehash[sk.pair]
        sk.hashed = False
    net.tw_hash[tw.key] = tw
    port = net.bhash[sk.num]
    kind = (sk.rcv_saddr, sk.reuse)
    port.buckets[kind] = port.buckets.get(kind, 0) + 1


@mirrors("net/ipv4/tcp_minisocks.c", omits=["IPv6"])
def tcp_time_wait(sk: Sock, state: int, timeo: int) -> None:
    """Let a bucket with substate ``state`` stand for the connection, for ``timeo`` jiffies or more, and end the socket.

    Moves:  the socket → CLOSE; a full socket is never in TIME_WAIT.
    If the table of buckets is full there is no TIME_WAIT at all, only a line in the log.
    """
    net = sk.net
    recycle_ok = False
    if net.sysctl.get("tcp_tw_recycle") and sk.ts_recent_stamp:
        recycle_ok = tcp_v4_remember_stamp(sk)
    if net.tw_count < net.sysctl["tcp_max_tw_buckets"]:
        rto = (sk.rto << 2) - (sk.rto >> 1)
        tw = TwBucket(sk, state, receive_window(sk), rto if recycle_ok else net.times.TCP_TIMEWAIT_LEN)
        tw.last_oow_ack = NEVER
        tw.timer = None
        __tcp_tw_hashdance(sk, tw)
        if net.trace is not None:
            net.trace.bucket(tw.id, sk.id, "create", STATE_NAMES[state], timeo)
        timeo = max(timeo, rto)
        if state == TIME_WAIT and not recycle_ok:
            timeo = net.times.TCP_TIMEWAIT_LEN
        tcp_tw_schedule(tw, timeo)
    else:
        if net.trace is not None:
            net.trace.bucket(-1, sk.id, "overflow", STATE_NAMES[state], None)
        if net.profile.time_wait_overflow == "counter":
            net.count("TCPTimeWaitOverflow")
        elif net.net_ratelimit():
            net.printk("TCP: time wait bucket table overflow")
    tcp_update_metrics(sk)
    tcp_done(sk)


# -- the wheels -------------------------------------------------------------------------------------------


def _set_tw_timer(net: Net, expires: int) -> None:
    net.tw_timer = net.add_timer(TWKILL_TIMER, 0, expires)
    if net.trace is not None:
        net.trace.timer(None, "twkill", "set", expires)


def _clear_tw_timer(net: Net) -> None:
    if net.tw_timer is not None:
        if net.trace is not None:
            net.trace.timer(None, "twkill", "clear", net.tw_timer[0])
        net.tw_timer = None


@mirrors("net/ipv4/tcp_minisocks.c")
def tcp_twkill(net: Net) -> None:
    """A slot of the slow wheel has come round: every bucket in it dies."""
    slot = net.tw_death_slot
    cell, net.tw_cells[slot] = net.tw_cells[slot], EMPTY_CELL
    for tw in reversed(cell):
        tw.cell = -1
        tcp_timewait_kill(tw)
    net.add("TimeWaited", len(cell))
    net.tw_count -= len(cell)
    net.tw_death_slot = (slot + 1) & (TCP_TWKILL_SLOTS - 1)
    if net.tw_count:
        _set_tw_timer(net, net.jiffies + net.times.TCP_TWKILL_PERIOD)


@mirrors("net/ipv4/tcp_minisocks.c")
def tcp_tw_deschedule(tw: TwBucket) -> None:
    """Take a bucket off its wheel; with the last one the slow timer stops."""
    net = tw.net
    if net.profile.time_wait_timer == "one each":
        deschedule_bucket(tw)
        return
    if tw.cell >= 0:
        del net.tw_cells[tw.cell][tw]
        tw.cell = -1
        net.tw_count -= 1
        if net.trace is not None:
            net.trace.bucket(tw.id, None, "deschedule", STATE_NAMES[tw.substate], None)
        if net.tw_count == 0:
            _clear_tw_timer(net)


@mirrors("net/ipv4/tcp_minisocks.c")
def tcp_tw_schedule(tw: TwBucket, timeo: int) -> None:
    """Let the bucket die ``timeo`` jiffies from now, on the calendar if that is under some 5 s, else on the slow wheel.

    The slow wheel has eight slots: 60 s become anything from 52.5 to 60 s.
    """
    net = tw.net
    if net.profile.time_wait_timer == "one each":
        schedule_bucket(tw, timeo)
        return
    again = tw.cell >= 0
    times = net.times
    step = times.TCP_TW_RECYCLE_TICK
    slot = (timeo + (1 << step) - 1) >> step
    if again:
        del net.tw_cells[tw.cell][tw]
        net.tw_count -= 1
    if net.trace is not None:
        op = "reschedule" if again else "schedule"
        net.trace.bucket(tw.id, None, op, STATE_NAMES[tw.substate], timeo)
    if slot >= TCP_TW_RECYCLE_SLOTS:
        if timeo >= times.TCP_TIMEWAIT_LEN:
            slot = TCP_TWKILL_SLOTS - 1
        else:
            slot = min(-(-timeo // times.TCP_TWKILL_PERIOD), TCP_TWKILL_SLOTS - 1)
        tw.ttd = net.jiffies + timeo
        cell = (net.tw_death_slot + slot) & (TCP_TWKILL_SLOTS - 1)
    else:
        tw.ttd = net.jiffies + (slot << step)
        if net.twcal_hand < 0:
            net.twcal_hand = 0
            net.twcal_jiffie = net.jiffies
            _set_twcal_timer(net, net.twcal_jiffie + (slot << step))
        else:
            expires = net.jiffies + (slot << step)
            if net.twcal_timer is None or net.twcal_timer[0] > expires:
                _set_twcal_timer(net, expires)
            slot = (net.twcal_hand + slot) & (TCP_TW_RECYCLE_SLOTS - 1)
        cell = TCP_TWKILL_SLOTS + slot
    tw.cell = cell
    if net.tw_cells[cell]:
        net.tw_cells[cell][tw] = None
    else:
        net.tw_cells[cell] = {tw: None}
    net.tw_count += 1
    if net.tw_count == 1:
        _set_tw_timer(net, net.jiffies + times.TCP_TWKILL_PERIOD)


def _set_twcal_timer(net: Net, expires: int) -> None:
    net.twcal_timer = net.add_timer(TWCAL_TIMER, 0, expires)
    if net.trace is not None:
        net.trace.timer(None, "twcal", "set", expires)


@mirrors("net/ipv4/tcp_minisocks.c")
def tcp_twcal_tick(net: Net) -> None:
    """The calendar's hand moves on: what is due dies, and the timer is set for the next step that holds anything."""
    if net.twcal_hand < 0:
        return
    hand = net.twcal_hand
    moment = net.twcal_jiffie
    killed = 0
    advanced = False
    for _ in range(TCP_TW_RECYCLE_SLOTS):
        cell_number = TCP_TWKILL_SLOTS + hand
        cell = net.tw_cells[cell_number]
        if moment <= net.jiffies:
            if cell:
                net.tw_cells[cell_number] = EMPTY_CELL
                for tw in reversed(cell):
                    tw.cell = -1
                    tcp_timewait_kill(tw)
                    killed += 1
        else:
            if not advanced:
                advanced = True
                net.twcal_jiffie = moment
                net.twcal_hand = hand
            if cell:
                _set_twcal_timer(net, moment)
                break
        moment += 1 << net.times.TCP_TW_RECYCLE_TICK
        hand = (hand + 1) & (TCP_TW_RECYCLE_SLOTS - 1)
    else:
        net.twcal_hand = -1
    net.tw_count -= killed
    if killed and net.tw_count == 0:
        _clear_tw_timer(net)
    net.add("TimeWaitKilled", killed)


# -- open requests become sockets ------------------------------------------------------------------------------


@mirrors("net/ipv4/tcp_minisocks.c", omits=["filters", "IPv6"])
def tcp_create_openreq_child(sk: Sock, req: OpenRequest, skb: SkBuff) -> Sock:
    """Make a socket in SYN_RECV from an open request: a copy of the listener, with a connection's own numbers."""
    net = sk.net
    seg = skb.seg
    child: Sock = copy_sock_fields(sk)
    child.net = net
    child.id = net.new_id()
    net.socks[child.id] = child
    net.sockets_allocated += 1
    child.fd = None
    child.state = SYN_RECV
    child.bound = child.hashed = False
    child.socket = None
    child.listen_opt = None
    child.accept_queue = []
    child.ack_backlog = 0
    child.receive_queue = []
    child.write_queue = []
    child.out_of_order_queue = []
    child.prequeue = []
    child.send_head = None
    child.userlocks &= ~SOCK_BINDPORT_LOCK
    child.done = child.dead = child.freed = False
    child.shutdown = 0
    child.err = child.err_soft = 0
    child.wmem_queued = child.rmem_alloc = child.forward_alloc = 0
    child.nospace = child.queue_shrunk = False

    child.pred_flags = None
    child.iss = req.snd_isn
    child.rcv_nxt = child.rcv_wup = child.copied_seq = (req.rcv_isn + 1) & MAXSEQ
    child.syn_seq = child.fin_seq = req.rcv_isn
    child.snd_nxt = child.snd_una = child.snd_sml = child.write_seq = child.pushed_seq = (req.snd_isn + 1) & MAXSEQ
    child.snd_wl1 = req.rcv_isn
    tcp_init_xmit_timers(child)
    child.ack_pending = child.ack_quick = child.ack_pingpong = child.ack_blocked = 0
    child.ack_ato = child.ack_timeout = 0
    child.ack_lrcvtime = NEVER
    child.ack_last_seg_size = 0
    child.ack_rcv_mss = 88
    child.retransmits = child.backoff = child.probes_out = 0
    child.srtt = 0
    child.rto = child.mdev = net.times.TCP_TIMEOUT_INIT
    child.packets_out = child.left_out = child.retrans_out = 0
    child.sacked_out = child.fackets_out = child.lost_out = 0
    child.snd_ssthresh = 0x7FFFFFFF
    child.snd_cwnd = int(net.profile.initial_cwnd)
    child.last_oow_ack = NEVER
    child.snd_cwnd_cnt = 0
    child.high_seq = 0
    child.undo_marker = child.undo_retrans = child.retrans_stamp = 0
    child.ca_state = CA_OPEN
    child.lsndtime = NEVER
    child.dsack = False
    child.eff_sacks = 0
    child.selective_acks = ()
    child.urg_data = 0
    child.ucopy_task = None
    child.ucopy_len = child.ucopy_memory = 0
    if child.keepopen:
        tcp_reset_keepalive_timer(child, keepalive_time_when(child))

    child.tstamp_ok = req.tstamp_ok
    child.sack_ok = req.sack_ok
    child.fack = req.sack_ok and bool(net.sysctl["tcp_fack"])
    child.window_clamp = req.window_clamp
    child.rcv_ssthresh = child.rcv_wnd = req.rcv_wnd
    child.wscale_ok = req.wscale_ok
    if req.wscale_ok:
        child.snd_wscale = req.snd_wscale
        child.rcv_wscale = req.rcv_wscale
    else:
        child.snd_wscale = child.rcv_wscale = 0
        child.window_clamp = min(child.window_clamp, 65535)
    child.snd_wnd = seg.window << child.snd_wscale
    child.max_window = child.snd_wnd
    if req.tstamp_ok:
        child.ts_recent = req.ts_recent
        child.ts_recent_stamp = net.seconds
        child.tcp_header_len = 32
    else:
        child.ts_recent_stamp = 0
        child.tcp_header_len = 20
    if skb.len >= 536 + 20:
        child.ack_last_seg_size = skb.len - (child.tcp_header_len - 20)
    child.mss_clamp = req.mss
    if net.trace is not None:
        net.trace.child(child.id, sk.id)
    return child


@mirrors("net/ipv4/tcp_minisocks.c")
def tcp_check_req(sk: Sock, skb: SkBuff, req: OpenRequest, chain: int) -> Sock | None:
    """A segment for a half-open connection: is it the ACK that completes it?  The new socket, the listener, or None."""
    net = sk.net
    seg = skb.seg
    flg = seg.flags & (RST | SYN | ACK)
    paws_reject = False
    ts = None
    if options_length(seg):
        ts = tcp_parse_options(sk, skb, bool(net.sysctl["tcp_timestamps"]))
        if ts is not None:
            # How old the stored stamp is can only be guessed, from the retransmissions.
            stamp = net.seconds - ((net.times.TCP_TIMEOUT_INIT // net.times.HZ) << req.retrans)
            paws_reject = _paws_reject(net, ts[0], req.ts_recent, stamp, bool(seg.flags & RST))
    if seg.seq == req.rcv_isn and flg == SYN and not paws_reject:
        # The same SYN again: our SYN,ACK got lost.
        if not over_limit(req, sk, skb, "TCPACKSkippedSynRecv"):
            tcp_v4_send_synack(sk, req)
        return None
    edge = req.rcv_isn + 1 + min(req.rcv_wnd, 0xFFFF)
    if paws_reject or not tcp_in_window(net, skb.seq, skb.end_seq, (req.rcv_isn + 1) & MAXSEQ, edge):
        if not flg & RST and not over_limit(req, sk, skb, "TCPACKSkippedSynRecv"):
            tcp_v4_or_send_ack(sk, skb, req)
        if paws_reject:
            net.count("PAWSEstabRejected")
        return None
    if ts is not None and not after(skb.seq, (req.rcv_isn + 1) & MAXSEQ):
        req.ts_recent = ts[0]
    if skb.seq == req.rcv_isn:
        flg &= ~SYN
    if flg & (RST | SYN):
        _embryonic_reset(sk, skb, req, chain)
        return None
    if not flg & ACK:
        return None
    if skb.ack_seq != (req.snd_isn + 1) & MAXSEQ:
        return sk
    if sk.defer_accept and skb.end_seq == (req.rcv_isn + 1) & MAXSEQ:
        req.acked = True
        return None
    child = tcp_v4_syn_recv_sock(sk, skb, req)
    if child is None:
        if not net.sysctl["tcp_abort_on_overflow"]:
            req.acked = True
            return None
        _embryonic_reset(sk, skb, req, chain)
        return None
    drop_request(sk, req, chain)
    req.sk = child.id
    sk.accept_queue.append(req)
    sk.ack_backlog += 1
    sk.queue_changed("accept_queue", "add", req.rcv_isn, req.rcv_isn, len(sk.accept_queue))
    return child


def _embryonic_reset(sk: Sock, skb: SkBuff, req: OpenRequest, chain: int) -> None:
    sk.net.count("EmbryonicRsts")
    if not skb.flags & RST:
        tcp_v4_send_reset(sk.net, skb)
    drop_request(sk, req, chain)
    tcp_v4_or_free(sk.net, req)


@mirrors("net/ipv4/tcp_minisocks.c", omits=["a child locked by a process"])
def tcp_child_process(sk: Sock, child: Sock, skb: SkBuff) -> int:
    """Let a new socket process the segment that made it, then wake whoever waits in accept."""
    state = child.state
    answer: int = tcp_rcv_state_process(child, skb)
    if state == SYN_RECV and child.state != state:
        sk.data_ready()
    return answer


# What C declares in the header and defines elsewhere.
from tcpnotes.kernel.challenge import over_limit
from tcpnotes.kernel.inet_timewait_sock import deschedule_bucket, schedule_bucket
from tcpnotes.kernel.tcp_input import tcp_parse_options, tcp_rcv_state_process
from tcpnotes.kernel.tcp_input_ack import tcp_update_metrics
from tcpnotes.kernel.tcp_ipv4 import (
    tcp_v4_or_free,
    tcp_v4_or_send_ack,
    tcp_v4_remember_stamp,
    tcp_v4_send_reset,
    tcp_v4_send_synack,
    tcp_v4_syn_recv_sock,
    tcp_v4_tw_remember_stamp,
)
from tcpnotes.kernel.tcp_timer import (
    drop_request,
    keepalive_time_when,
    tcp_init_xmit_timers,
    tcp_reset_keepalive_timer,
)
