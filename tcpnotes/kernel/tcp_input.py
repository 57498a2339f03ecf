"""net/ipv4/tcp_input.c, the way in: from a segment that belongs to a socket to its queues and its state.

`tcp_rcv_established` serves ESTABLISHED, `tcp_rcv_state_process` every other state.
Both test the segment in the same order (timestamp, window, RST, SYN, ACK, text),
then `tcp_data_queue` takes the text and `tcp_fin` the peer's FIN.  What an ACK does
to the sender's side stands in `tcp_ack` and the functions before it.
"""

from __future__ import annotations

import errno

from tcpnotes.kernel.bucket import TwBucket
from tcpnotes.kernel.mirror import mirrors
from tcpnotes.kernel.skbuff import SkBuff
from tcpnotes.kernel.sock import (
    CLOSE,
    CLOSE_WAIT,
    CLOSING,
    ESTABLISHED,
    FIN_WAIT1,
    FIN_WAIT2,
    LAST_ACK,
    MAXSEQ,
    RCV_SHUTDOWN,
    SEND_SHUTDOWN,
    SOCK_RCVBUF_LOCK,
    SOCK_SNDBUF_LOCK,
    SYN_RECV,
    SYN_SENT,
    TIME_WAIT,
    Sock,
    after,
    before,
)
from tcpnotes.kernel.tcp_h import (
    ACK_NOW,
    ACK_PUSHED,
    ACK_SCHED,
    TCP_MAX_QUICKACKS,
    TCP_PAWS_24DAYS,
    TCP_PAWS_WINDOW,
    TCP_TIME_DACK,
    check_probe_timer,
    fast_path_check,
    fast_path_on,
    full_space,
    mem_reclaim,
    min_write_space,
    packets_in_flight,
    purge,
    receive_window,
    reset_xmit_timer,
    space,
    tcp_done,
    tcp_fin_time,
    tcp_set_state,
    win_from_space,
    writequeue_purge,
    wspace,
)
from tcpnotes.trace.segment import ACK, FIN, PSH, RST, SYN, URG, Segment


@mirrors("net/ipv4/tcp_input.c")
def tcp_measure_rcv_mss(sk: Sock, skb: SkBuff) -> None:
    """Guess the peer's segment size from what arrives; odd small pieces mark the ACK as pushed."""
    last = sk.ack_last_seg_size
    sk.ack_last_seg_size = 0
    pushy = bool(skb.flags & (FIN | URG | SYN | PSH))
    length = skb.len
    if length >= sk.ack_rcv_mss:
        if sk.scaling_ratio:
            if length != sk.ack_rcv_mss:
                _measure_share(sk, skb)
            length = min(length, sk.advmss)  # what a device put together is no segment of the peer's
        sk.ack_rcv_mss = length
        if pushy:
            sk.ack_pending |= ACK_PUSHED
        return
    length += header_length(skb)
    if length >= 536 + 20 or (length >= 88 + 20 and not pushy):
        length -= sk.tcp_header_len
        sk.ack_last_seg_size = length
        if length == last:
            sk.ack_rcv_mss = length
            return
    sk.ack_pending |= ACK_PUSHED


def _measure_share(sk: Sock, skb: SkBuff) -> None:
    """How much of its memory a segment of a new size uses decides how much of the buffer can be offered."""
    ratio = max((skb.len << 8) // skb.truesize, 1)
    if ratio != sk.scaling_ratio:
        sk.scaling_ratio = ratio
        old, sk.window_clamp = sk.window_clamp, max(full_space(sk), 1152)
        if sk.window_clamp < old:
            sk.rcv_ssthresh = min(sk.rcv_ssthresh, sk.window_clamp)
        else:
            sk.rcv_ssthresh = max(min(sk.rcv_wnd, sk.window_clamp), sk.rcv_ssthresh)


def header_length(skb: SkBuff) -> int:
    """Bytes of the TCP header the segment came with."""
    seg = skb.seg
    return 20 + options_length(seg)


@mirrors("net/ipv4/tcp_input.c")
def tcp_incr_quickack(sk: Sock) -> None:
    """Allow a run of immediate ACKs: half a window's worth, 2 to 16."""
    quickacks = sk.rcv_wnd // (2 * sk.ack_rcv_mss) or 2
    if quickacks > sk.ack_quick:
        sk.ack_quick = min(quickacks, TCP_MAX_QUICKACKS)


@mirrors("net/ipv4/tcp_input.c")
def tcp_enter_quickack_mode(sk: Sock) -> None:
    """Something is unusual: acknowledge at once for a while."""
    tcp_incr_quickack(sk)
    sk.ack_pingpong = 0
    sk.ack_ato = sk.net.times.TCP_ATO_MIN


@mirrors("net/ipv4/tcp_input.c")
def tcp_in_quickack_mode(sk: Sock) -> bool:
    """Are ACKs to go out at once?"""
    return bool(sk.ack_quick) and not sk.ack_pingpong


@mirrors("net/ipv4/tcp_input.c")
def tcp_fixup_sndbuf(sk: Sock) -> None:
    """Let the send buffer hold three full segments at least."""
    sndmem = 3 * (sk.mss_clamp + 160 + 16 + 140)
    if sk.net.profile.send_buffer == "2 windows":
        segment_cost = (1 << (max(sk.mss_clamp, sk.mss_cache) + 320 + 320 - 1).bit_length()) + 256
        sndmem = 2 * max(sk.snd_cwnd, sk.reordering + 1) * segment_cost
    if sk.sndbuf < sndmem:
        sk.sndbuf = min(sndmem, sk.net.sysctl["tcp_wmem_max"])


@mirrors("net/ipv4/tcp_input.c")
def __tcp_grow_window(sk: Sock, skb: SkBuff) -> int:
    """How much the window limit may grow when buffers carry little data for their size; 0 when not."""
    truesize = win_from_space(sk, skb.truesize) // 2
    window = full_space(sk) // 2
    while sk.rcv_ssthresh <= window:
        if truesize <= skb.len:
            return 2 * sk.ack_rcv_mss
        truesize //= 2
        window //= 2
    return 0


@mirrors("net/ipv4/tcp_input.c")
def tcp_grow_window(sk: Sock, skb: SkBuff) -> None:
    """Open the offered window as in-order data of decent size arrives."""
    if sk.rcv_ssthresh < sk.window_clamp and sk.rcv_ssthresh < space(sk):
        incr = 2 * sk.advmss if win_from_space(sk, skb.truesize) <= skb.len else __tcp_grow_window(sk, skb)
        if incr:
            sk.rcv_ssthresh = min(sk.rcv_ssthresh + incr, sk.window_clamp)
            sk.ack_quick |= 1


@mirrors("net/ipv4/tcp_input.c")
def tcp_fixup_rcvbuf(sk: Sock) -> None:
    """Let the receive buffer hold four full segments at least."""
    rcvmem = sk.advmss + 160 + 16 + 140
    while win_from_space(sk, rcvmem) < sk.advmss:
        rcvmem += 128
    if sk.rcvbuf < 4 * rcvmem:
        sk.rcvbuf = min(4 * rcvmem, sk.net.sysctl["tcp_rmem_max"])


@mirrors("net/ipv4/tcp_input.c")
def tcp_init_buffer_space(sk: Sock) -> None:
    """On becoming ESTABLISHED: settle buffers and the limits of the window."""
    if not sk.userlocks & SOCK_RCVBUF_LOCK and sk.net.profile.small_receive_buffer == "four segments":
        tcp_fixup_rcvbuf(sk)
    if not sk.userlocks & SOCK_SNDBUF_LOCK:
        tcp_fixup_sndbuf(sk)
    maxwin = full_space(sk)
    if sk.window_clamp >= maxwin:
        sk.window_clamp = maxwin
        if maxwin > 4 * sk.advmss:
            sk.window_clamp = max(maxwin - (maxwin >> 31), 4 * sk.advmss)
    if sk.window_clamp > 2 * sk.advmss and sk.window_clamp + sk.advmss > maxwin:
        sk.window_clamp = max(2 * sk.advmss, maxwin - sk.advmss)
    sk.rcv_ssthresh = min(sk.rcv_ssthresh, sk.window_clamp)
    sk.snd_cwnd_stamp = sk.net.jiffies


@mirrors("net/ipv4/tcp_input.c", omits=["memory pressure"])
def tcp_clamp_window(sk: Sock) -> None:
    """The receive buffer ran over: stop quick ACKs and take the window limits down."""
    sk.ack_quick = 0
    app_win = (sk.rcv_nxt - sk.copied_seq) & MAXSEQ
    ofo_win = sum(skb.len for skb in sk.out_of_order_queue)
    rmem_max = sk.net.sysctl["tcp_rmem_max"]
    grows = bool(ofo_win) or sk.net.profile.small_receive_buffer == "as set"
    if grows and sk.rcvbuf < rmem_max and not sk.userlocks & SOCK_RCVBUF_LOCK:
        sk.rcvbuf = min(sk.rmem_alloc, rmem_max)
    if sk.rmem_alloc > sk.rcvbuf:
        app_win += ofo_win
        if sk.rmem_alloc >= 2 * sk.rcvbuf:
            app_win >>= 1
        if app_win > sk.ack_rcv_mss:
            app_win -= sk.ack_rcv_mss
        app_win = max(app_win, 2 * sk.advmss)
        if not ofo_win:
            sk.window_clamp = min(sk.window_clamp, app_win)
        sk.rcv_ssthresh = min(sk.window_clamp, 2 * sk.advmss)


@mirrors("net/ipv4/tcp_input.c")
def tcp_event_data_recv(sk: Sock, skb: SkBuff) -> None:
    """In-order payload has arrived: owe an ACK, tune its delay to the rhythm of arrivals, grow the window."""
    now = sk.net.jiffies
    sk.ack_pending |= ACK_SCHED
    tcp_measure_rcv_mss(sk, skb)
    if not sk.ack_ato:
        # The first data ever: acknowledge at once, so that the peer's slow start is not held up.
        pingpong = sk.ack_pingpong
        tcp_enter_quickack_mode(sk)
        if sk.net.profile.quick_acks == "ACKs of data":
            sk.ack_pingpong = pingpong
    else:
        m = now - sk.ack_lrcvtime
        ato_min = sk.net.times.TCP_ATO_MIN
        if m <= ato_min // 2:
            sk.ack_ato = (sk.ack_ato >> 1) + ato_min // 2
        elif m < sk.ack_ato:
            sk.ack_ato = min((sk.ack_ato >> 1) + m, sk.rto)
        elif m > sk.rto:
            # A long silence: the peer's window may have been restarted.
            tcp_incr_quickack(sk)
            mem_reclaim(sk)
    sk.ack_lrcvtime = now
    if skb.len >= 128:
        tcp_grow_window(sk, skb)


@mirrors("net/ipv4/tcp_input.c")
def tcp_store_ts_recent(sk: Sock) -> None:
    """Remember the peer's timestamp to echo it."""
    sk.ts_recent = sk.rcv_tsval
    sk.ts_recent_stamp = sk.net.seconds


@mirrors("net/ipv4/tcp_input.c")
def tcp_replace_ts_recent(sk: Sock, seq: int) -> None:
    """Take over the segment's timestamp if it starts at or before what we last acknowledged, and is not older."""
    if sk.saw_tstamp and not after(seq, sk.rcv_wup):
        if not before(sk.rcv_tsval, sk.ts_recent) or sk.net.seconds >= sk.ts_recent_stamp + TCP_PAWS_24DAYS:
            tcp_store_ts_recent(sk)


@mirrors("net/ipv4/tcp_input.c")
def tcp_disordered_ack(sk: Sock, skb: SkBuff) -> bool:
    """A pure duplicate ACK whose timestamp is only a little old: reordering, not a segment from the past."""
    return (
        skb.seq == skb.end_seq
        and skb.seq == sk.rcv_nxt
        and bool(skb.flags & ACK)
        and skb.ack_seq == sk.snd_una
        and not tcp_may_update_window(sk, skb.ack_seq, skb.seq, skb.seg.window << sk.snd_wscale)
        and _signed(sk.ts_recent - sk.rcv_tsval) <= (sk.rto * 1024) // sk.net.times.HZ
    )


def _signed(value: int) -> int:
    value &= MAXSEQ
    return value - 0x100000000 if value & 0x80000000 else value


@mirrors("net/ipv4/tcp_input.c")
def tcp_paws_discard(sk: Sock, skb: SkBuff) -> bool:
    """Is the segment's timestamp too old to be believed (PAWS)?"""
    return (
        _signed(sk.ts_recent - sk.rcv_tsval) > TCP_PAWS_WINDOW
        and sk.net.seconds < sk.ts_recent_stamp + TCP_PAWS_24DAYS
        and not tcp_disordered_ack(sk, skb)
    )


@mirrors("net/ipv4/tcp_input.c")
def __tcp_sequence(sk: Sock, seq: int, end_seq: int) -> bool:
    """The window test for a segment that does not start at rcv_nxt."""
    right = sk.rcv_wup + sk.rcv_wnd
    if sk.rcv_wnd and after(end_seq, sk.rcv_nxt) and before(seq, right):
        return True
    return seq == right & MAXSEQ and seq == end_seq


@mirrors("net/ipv4/tcp_input.c")
def tcp_sequence(sk: Sock, seq: int, end_seq: int, rst: bool) -> bool:
    """Is the segment acceptable?  At rcv_nxt with an open window, empty or RST; or overlapping what is offered.

    Unlike RFC: the ACK field of a segment that fails is never looked at, and a shut window lets only
    empty segments and RESETs pass.
    """
    if sk.net.profile.window_test == "rcv_wup":
        right = sk.rcv_nxt + receive_window(sk)
        if before(end_seq, sk.rcv_wup) or after(seq, right):
            return False
        # What reaches beyond the window is taken only by an empty queue; a FIN alone may always lie just beyond.
        return not after(end_seq, right + 1) or not sk.receive_queue
    if seq == sk.rcv_nxt:
        return bool(sk.rcv_wnd) or end_seq == seq or rst
    return __tcp_sequence(sk, seq, end_seq)


@mirrors("net/ipv4/tcp_input.c")
def tcp_reset(sk: Sock) -> None:
    """The connection was reset: leave an error for the owner and end it.

    Moves:  any state → CLOSE.  The error is EPIPE in CLOSE_WAIT, ECONNREFUSED in SYN_SENT, else ECONNRESET.
    """
    if sk.state == SYN_SENT:
        sk.err = errno.ECONNREFUSED
    elif sk.state == CLOSE_WAIT:
        sk.err = errno.EPIPE
    elif sk.state == CLOSE:
        return
    else:
        sk.err = errno.ECONNRESET
    if sk.net.profile.reset_purges == "yes":
        sk.send_head = None
        sk.packets_out = 0
        writequeue_purge(sk)
    if not sk.dead:
        sk.error_report()
    tcp_done(sk)


@mirrors("net/ipv4/tcp_input.c")
def tcp_fin(sk: Sock, skb: SkBuff) -> None:
    """Take in the peer's FIN, once everything before it is here.

    When:   tcp_data_queue or tcp_ofo_queue reaches a buffer with the FIN flag.
    Moves:  SYN_RECV, ESTABLISHED → CLOSE_WAIT;  FIN_WAIT1 → CLOSING;  FIN_WAIT2 → a bucket in TIME_WAIT.
    Sends:  an ACK at once in the last two cases; otherwise one is owed, to ride on the answer.
    """
    past = skb.end_seq
    sk.fin_seq = past if sk.net.profile.fin_seq == "past" else (past - 1) & MAXSEQ
    sk.ack_pending |= ACK_SCHED
    sk.shutdown |= RCV_SHUTDOWN
    sk.done = True
    match sk.state:
        case 3 | 1:  # SYN_RECV, ESTABLISHED
            tcp_set_state(sk, CLOSE_WAIT)
            sk.ack_pingpong = 1
        case 8 | 11 | 9:  # CLOSE_WAIT, CLOSING, LAST_ACK: a FIN seen before
            pass
        case 4:  # FIN_WAIT1: both sides closed at once
            tcp_send_ack(sk)
            tcp_set_state(sk, CLOSING)
        case 5:  # FIN_WAIT2
            tcp_send_ack(sk)
            tcp_time_wait(sk, TIME_WAIT, 0)
        case _:
            sk.net.printk(f"tcp_fin: Impossible, sk->state={sk.state}")
    purge(sk, "out_of_order_queue")
    if sk.sack_ok:
        sack_reset(sk)
    mem_reclaim(sk)
    if not sk.dead:
        sk.state_change()


def sack_reset(sk: Sock) -> None:
    """Forget all blocks to report (tcp_sack_reset)."""
    sk.dsack = False
    sk.eff_sacks = 0
    sk.selective_acks = ()


# -- selective acknowledgements that we send ---------------------------------------------------------


def _count_blocks(sk: Sock) -> None:
    limit = 3 if sk.tstamp_ok else 4
    sk.eff_sacks = min(len(sk.selective_acks) + (1 if sk.dsack else 0), limit)


@mirrors("net/ipv4/tcp_input.c")
def tcp_sack_extend(sk: Sock, block: tuple[int, int], seq: int, end_seq: int) -> tuple[int, int] | None:
    """``block`` joined with ``seq``–``end_seq`` if they touch or overlap, otherwise None."""
    start, end = block
    if after(seq, end) or after(start, end_seq):
        return None
    return (seq if before(seq, start) else start, end_seq if after(end_seq, end) else end)


@mirrors("net/ipv4/tcp_input.c")
def tcp_dsack_set(sk: Sock, seq: int, end_seq: int) -> None:
    """Note a duplicate to report in the next segment."""
    if sk.sack_ok and sk.net.sysctl["tcp_dsack"]:
        sk.net.count("TCPDSACKOldSent" if before(seq, sk.rcv_nxt) else "TCPDSACKOfoSent")
        sk.dsack = True
        sk.duplicate_sack = (seq, end_seq)
        _count_blocks(sk)


@mirrors("net/ipv4/tcp_input.c")
def tcp_dsack_extend(sk: Sock, seq: int, end_seq: int) -> None:
    """Add a duplicate to the one to be reported, or start one."""
    if not sk.dsack:
        tcp_dsack_set(sk, seq, end_seq)
    else:
        joined = tcp_sack_extend(sk, sk.duplicate_sack, seq, end_seq)
        if joined is not None:
            sk.duplicate_sack = joined


@mirrors("net/ipv4/tcp_input.c")
def tcp_send_dupack(sk: Sock, skb: SkBuff) -> None:
    """The segment is not acceptable: say again what we have; old data also brings quick ACKs."""
    if over_limit(sk, sk, skb, "TCPACKSkippedSeq"):
        return
    if skb.end_seq != skb.seq and before(skb.seq, sk.rcv_nxt):
        sk.net.count("DelayedACKLost")
        tcp_enter_quickack_mode(sk)
        if sk.sack_ok and sk.net.sysctl["tcp_dsack"]:
            end_seq = sk.rcv_nxt if after(skb.end_seq, sk.rcv_nxt) else skb.end_seq
            tcp_dsack_set(sk, skb.seq, end_seq)
    tcp_send_ack(sk)


@mirrors("net/ipv4/tcp_input.c")
def tcp_sack_maybe_coalesce(sk: Sock) -> None:
    """Join blocks that the first one has grown into."""
    first, *others = sk.selective_acks
    kept = []
    for block in others:
        joined = tcp_sack_extend(sk, first, *block)
        if joined is None:
            kept.append(block)
        else:
            first = joined
    sk.selective_acks = (first, *kept)
    _count_blocks(sk)


@mirrors("net/ipv4/tcp_input.c")
def tcp_sack_new_ofo_skb(sk: Sock, seq: int, end_seq: int) -> None:
    """Report a new out-of-order piece: in the block it touches, moved to the front, or in a block of its own."""
    blocks = list(sk.selective_acks)
    for i, block in enumerate(blocks):
        joined = tcp_sack_extend(sk, block, seq, end_seq)
        if joined is not None:
            del blocks[i]
            sk.selective_acks = (joined, *blocks)
            tcp_sack_maybe_coalesce(sk)
            return
    sk.selective_acks = ((seq, end_seq), *blocks)[:4]
    _count_blocks(sk)


@mirrors("net/ipv4/tcp_input.c")
def tcp_sack_remove(sk: Sock) -> None:
    """rcv_nxt has moved: drop the blocks it has passed."""
    if not sk.out_of_order_queue:
        sk.selective_acks = ()
        sk.eff_sacks = 1 if sk.dsack else 0
        return
    sk.selective_acks = tuple(b for b in sk.selective_acks if before(sk.rcv_nxt, b[0]))
    _count_blocks(sk)


# -- text ------------------------------------------------------------------------------------------------


@mirrors("net/ipv4/tcp_input.c")
def tcp_ofo_queue(sk: Sock) -> None:
    """A hole was filled: move what is now in order from out_of_order_queue to receive_queue."""
    dsack_high = sk.rcv_nxt
    queue = sk.out_of_order_queue
    while queue:
        skb = queue[0]
        if after(skb.seq, sk.rcv_nxt):
            break
        if before(skb.seq, dsack_high):
            dsack = dsack_high
            if sk.net.profile.dsack_of_filled == "each piece":
                dsack = skb.end_seq if before(skb.end_seq, dsack_high) else dsack_high
            elif before(dsack_high, skb.end_seq):
                dsack_high = skb.end_seq
            tcp_dsack_extend(sk, skb.seq, dsack)
        del queue[0]
        sk.queue_changed("out_of_order_queue", "unlink", skb.seq, skb.end_seq, len(queue))
        if not after(skb.end_seq, sk.rcv_nxt):
            tcp_rfree(sk, skb)
            continue
        sk.receive_queue.append(skb)
        sk.rcv_nxt = skb.end_seq
        sk.queue_changed("receive_queue", "add", skb.seq, skb.end_seq, len(sk.receive_queue))
        if skb.flags & FIN:
            tcp_fin(sk, skb)


def set_owner_r(sk: Sock, skb: SkBuff) -> None:
    """Charge a received buffer to the socket (tcp_set_owner_r)."""
    sk.rmem_alloc += skb.truesize
    sk.forward_alloc -= skb.truesize


@mirrors("net/ipv4/tcp_input.c")
def tcp_rfree(sk: Sock, skb: SkBuff) -> None:
    """A received buffer goes: its memory returns to the reserve."""
    sk.rmem_alloc -= skb.truesize
    sk.forward_alloc += skb.truesize


@mirrors("net/ipv4/tcp_input.c")
def tcp_data_queue(sk: Sock, skb: SkBuff) -> None:
    """Put a segment's text where it belongs: in order, beyond a hole, or nowhere because it is old.

    Queues: receive_queue in order (a FIN too, so that the reader meets it), out_of_order_queue beyond a hole.
    """
    if sk.dsack:
        sk.dsack = False
        sk.eff_sacks = min(len(sk.selective_acks), 3 if sk.tstamp_ok else 4)
    if skb.seq == sk.rcv_nxt:
        _queue_in_order(sk, skb, _copy_to_reader(sk, skb))
    elif not after(skb.end_seq, sk.rcv_nxt):
        # All old: it passed the window test only because it is a FIN or data we have had.
        tcp_dsack_set(sk, skb.seq, skb.end_seq)
        tcp_enter_quickack_mode(sk)
        if sk.net.profile.window_test == "rcv_wup":  # which lets more old segments come here, to be answered
            sk.ack_pending |= ACK_SCHED
    elif before(skb.seq, sk.rcv_nxt):
        if sk.net.profile.ack_of_hole == "begins a run":
            tcp_enter_quickack_mode(sk)
        tcp_dsack_set(sk, skb.seq, sk.rcv_nxt)
        _queue_in_order(sk, skb, False)
    else:
        _queue_out_of_order(sk, skb)


def _copy_to_reader(sk: Sock, skb: SkBuff) -> bool:
    """Give payload straight to a reader that waits for just this; True when nothing of the buffer is left."""
    if sk.ucopy_task is None or sk.copied_seq != sk.rcv_nxt or not sk.ucopy_len or sk.urg_data:
        return False
    chunk = min(skb.len, sk.ucopy_len)
    sk.ucopy_len -= chunk
    sk.copied_seq = (sk.copied_seq + chunk) & MAXSEQ
    return chunk == skb.len and not skb.flags & FIN


def _queue_in_order(sk: Sock, skb: SkBuff, eaten: bool) -> None:
    if not eaten:
        set_owner_r(sk, skb)
        sk.receive_queue.append(skb)
        sk.queue_changed("receive_queue", "add", skb.seq, skb.end_seq, len(sk.receive_queue))
    sk.rcv_nxt = skb.end_seq
    if skb.len:
        tcp_event_data_recv(sk, skb)
    if skb.flags & FIN:
        tcp_fin(sk, skb)
    if sk.out_of_order_queue:
        tcp_ofo_queue(sk)
        if not sk.out_of_order_queue:
            # The last hole is filled: the peer should hear of it at once.
            sk.ack_pingpong = 0
    if sk.selective_acks:
        tcp_sack_remove(sk)
    fast_path_check(sk)
    if not eaten and not sk.dead:
        sk.data_ready()


def _queue_out_of_order(sk: Sock, skb: SkBuff) -> None:
    if sk.net.profile.ack_of_hole == "begins a run":
        tcp_enter_quickack_mode(sk)
    sk.pred_flags = None
    sk.ack_pending |= ACK_SCHED
    set_owner_r(sk, skb)
    queue = sk.out_of_order_queue
    if not queue:
        if sk.sack_ok:
            sk.dsack = False
            sk.selective_acks = ((skb.seq, skb.end_seq),)
            sk.eff_sacks = 1
        queue.append(skb)
        sk.queue_changed("out_of_order_queue", "add", skb.seq, skb.end_seq, 1)
        return
    last = queue[-1]
    if skb.seq == last.end_seq:
        queue.append(skb)
        sk.queue_changed("out_of_order_queue", "add", skb.seq, skb.end_seq, len(queue))
        if sk.sack_ok:
            if sk.selective_acks and sk.selective_acks[0][1] == skb.seq:
                first, *others = sk.selective_acks
                sk.selective_acks = ((first[0], skb.end_seq), *others)
            else:
                tcp_sack_new_ofo_skb(sk, skb.seq, skb.end_seq)
        return
    seq, end_seq = skb.seq, skb.end_seq
    where = len(queue)
    while where > 0 and after(queue[where - 1].seq, seq):
        where -= 1
    if where > 0 and before(seq, queue[where - 1].end_seq):
        previous = queue[where - 1]
        if not after(end_seq, previous.end_seq):
            tcp_rfree(sk, skb)
            tcp_dsack_set(sk, seq, end_seq)
            if sk.sack_ok:
                tcp_sack_new_ofo_skb(sk, seq, end_seq)
            return
        if after(seq, previous.seq):
            tcp_dsack_set(sk, seq, previous.end_seq)
        else:
            where -= 1
    queue.insert(where, skb)
    sk.queue_changed("out_of_order_queue", "add", skb.seq, skb.end_seq, len(queue))
    while where + 1 < len(queue) and after(end_seq, queue[where + 1].seq):
        covered = queue[where + 1]
        if before(end_seq, covered.end_seq):
            tcp_dsack_extend(sk, covered.seq, end_seq)
            break
        del queue[where + 1]
        tcp_dsack_extend(sk, covered.seq, covered.end_seq)
        tcp_rfree(sk, covered)
        sk.queue_changed("out_of_order_queue", "unlink", covered.seq, covered.end_seq, len(queue))
    if sk.sack_ok:
        tcp_sack_new_ofo_skb(sk, seq, end_seq)


@mirrors("net/ipv4/tcp_input.c")
def tcp_collapse_queue(sk: Sock, queue: list[SkBuff]) -> None:
    """Save memory: pour neighbouring buffers together and take spare room away."""
    i = 0
    while i < len(queue):
        skb = queue[i]
        offset = max(_signed(sk.copied_seq - skb.seq), 0) if queue is sk.receive_queue else 0
        flags = skb.flags & (FIN | SYN | URG)
        need = skb.len - offset
        # Only worth it when half of what the buffer is charged with is waste.
        following = queue[i + 1] if i + 1 < len(queue) else None
        if (
            following is not None
            and not flags
            and not following.flags & (FIN | SYN | URG)
            and following.seq == skb.end_seq
            and need + following.len <= PAGE_PAYLOAD
        ):
            merged = SkBuff(skb.seq, following.end_seq, skb.len + following.len, skb.flags | following.flags, 0)
            merged.ack_seq = following.ack_seq
            merged.seg = following.seg
            merged.truesize = ((skb.len + following.len + 56 + 15) & ~15) + 140
            tcp_rfree(sk, skb)
            tcp_rfree(sk, following)
            set_owner_r(sk, merged)
            queue[i : i + 2] = [merged]
            continue
        i += 1


PAGE_PAYLOAD = 4096 - 300
URG_VALID, URG_NOTYET = 0x100, 0x200


@mirrors("net/ipv4/tcp_input.c")
def tcp_prune_queue(sk: Sock) -> int:
    """The receive buffer is over its limit: clamp the window, collapse queues, at worst drop what is out of order.

    0 when there is room again, -1 when the segment must go.
    """
    net = sk.net
    net.count("PruneCalled")
    if sk.rmem_alloc >= sk.rcvbuf:
        tcp_clamp_window(sk)
    tcp_collapse_queue(sk, sk.receive_queue)
    tcp_collapse_queue(sk, sk.out_of_order_queue)
    mem_reclaim(sk)
    if sk.rmem_alloc <= sk.rcvbuf:
        return 0
    if sk.out_of_order_queue:
        net.count("OfoPruned")
        purge(sk, "out_of_order_queue")
        if sk.sack_ok:
            sack_reset(sk)
        mem_reclaim(sk)
    if sk.rmem_alloc <= sk.rcvbuf:
        return 0
    net.count("RcvPruned")
    sk.pred_flags = None
    return -1


@mirrors("net/ipv4/tcp_input.c")
def tcp_rmem_schedule(sk: Sock, skb: SkBuff) -> bool:
    """Is there memory to take in ``skb``?"""
    return skb.truesize <= sk.forward_alloc or tcp_mem_schedule(sk, skb.truesize, True)


@mirrors("net/ipv4/tcp_input.c")
def tcp_data(sk: Sock, skb: SkBuff) -> None:
    """Take in the text of an acceptable segment, if it has any and the receive buffer is not over its limit."""
    if not skb.len and not skb.flags & FIN:
        # A SYN counts as old data for versions that look at what a segment takes up, and is answered.
        if not skb.flags & SYN or sk.net.profile.window_test != "rcv_wup":
            return
    if (
        sk.net.profile.fin_at_shut_window == "taken"
        and skb.seq == sk.rcv_nxt
        and not receive_window(sk)
        and (skb.len or not skb.flags & FIN)
    ):
        # The window is shut: data is refused, a bare FIN takes no room.
        tcp_enter_quickack_mode(sk)
        sk.ack_pending |= ACK_SCHED
        return
    if sk.rmem_alloc > sk.rcvbuf or not tcp_rmem_schedule(sk, skb):
        if (tcp_prune_queue(sk) < 0 or not tcp_rmem_schedule(sk, skb)) and not _taken_all_the_same(sk, skb):
            return
    tcp_data_queue(sk, skb)


def _taken_all_the_same(sk: Sock, skb: SkBuff) -> bool:
    """No memory for an acceptable segment: is it queued all the same, as a bare FIN is?  Then an ACK is due at once."""
    if sk.net.profile.fin_at_shut_window == "refused" or after(skb.seq, sk.rcv_nxt):
        return False
    sk.ack_pending |= ACK_SCHED | ACK_NOW
    return not (skb.len and sk.receive_queue)


@mirrors("net/ipv4/tcp_input.c")
def tcp_new_space(sk: Sock) -> None:
    """Room in the send buffer: let the buffer grow with the congestion window, and wake the writer."""
    if sk.packets_out < sk.snd_cwnd and not sk.userlocks & SOCK_SNDBUF_LOCK:
        sndmem = (sk.mss_clamp + 160 + 16 + 140) * 2 * max(sk.snd_cwnd, sk.reordering + 1)
        if sndmem > sk.sndbuf:
            sk.sndbuf = min(sndmem, sk.net.sysctl["tcp_wmem_max"])
        sk.snd_cwnd_stamp = sk.net.jiffies
    if wspace(sk) >= min_write_space(sk):
        sk.nospace = False
        if sk.net.trace is not None:
            sk.net.trace.wake(sk.id, "tcp_new_space")
        sk.net.wake(sk, False)


@mirrors("net/ipv4/tcp_input.c")
def tcp_check_space(sk: Sock) -> None:
    """After input: if buffers were freed and a writer ran out of room, see whether it may go on."""
    if sk.queue_shrunk:
        sk.queue_shrunk = False
        if sk.socket is not None and sk.nospace:
            tcp_new_space(sk)


@mirrors("net/ipv4/tcp_input.c")
def __tcp_data_snd_check(sk: Sock, skb: SkBuff) -> None:
    """Send what this segment's ACK or window has made possible; otherwise see that probing goes on."""
    if after(skb.end_seq, sk.snd_una + sk.snd_wnd) or packets_in_flight(sk) >= sk.snd_cwnd or tcp_write_xmit(sk):
        check_probe_timer(sk)


@mirrors("net/ipv4/tcp_input.c")
def tcp_data_snd_check(sk: Sock) -> None:
    """After input: send what may be sent now.  This is how a FIN that the window held back gets out."""
    if sk.send_head is not None:
        __tcp_data_snd_check(sk, sk.send_head)
    tcp_check_space(sk)


@mirrors("net/ipv4/tcp_input.c")
def __tcp_ack_snd_check(sk: Sock, ofo_possible: bool) -> None:
    """Send the ACK that is owed: now, if much is unacked, ACKs are quick or data is missing; otherwise later."""
    if (
        ((sk.rcv_nxt - sk.rcv_wup) & MAXSEQ > sk.ack_rcv_mss and __tcp_select_window(sk) >= sk.rcv_wnd)
        or tcp_in_quickack_mode(sk)
        or sk.ack_pending & ACK_NOW
        or (ofo_possible and sk.out_of_order_queue)
    ):
        tcp_send_ack(sk)
    else:
        tcp_send_delayed_ack(sk)


@mirrors("net/ipv4/tcp_input.c")
def tcp_ack_snd_check(sk: Sock) -> None:
    """After input: if an ACK is owed, decide when it goes."""
    if sk.ack_pending & ACK_SCHED:
        __tcp_ack_snd_check(sk, True)


@mirrors("net/ipv4/tcp_input.c", omits=["reading urgent data"])
def tcp_check_urg(sk: Sock, seg: Segment) -> None:
    """Note where urgent data ends."""
    ptr = seg.urg_ptr
    if ptr and not sk.net.sysctl["tcp_stdurg"]:
        ptr -= 1
    ptr = (ptr + seg.seq) & MAXSEQ
    if after(sk.copied_seq, ptr) or before(ptr, sk.rcv_nxt):
        return
    if sk.urg_data and not after(ptr, sk.urg_seq):
        return
    sk.urg_data = URG_NOTYET
    sk.urg_seq = ptr
    sk.pred_flags = None


@mirrors("net/ipv4/tcp_input.c", omits=["reading urgent data"])
def tcp_urg(sk: Sock, skb: SkBuff) -> None:
    """Handle the urgent pointer, if the segment has one."""
    if skb.flags & URG:
        tcp_check_urg(sk, skb.seg)
    if sk.urg_data == URG_NOTYET and (sk.urg_seq - skb.seq) & MAXSEQ < skb.len:
        sk.urg_data = URG_VALID
        if not sk.dead:
            sk.data_ready()


@mirrors("net/ipv4/tcp_input.c")
def tcp_copy_to_iovec(sk: Sock, skb: SkBuff) -> bool:
    """Give payload straight to the sleeping reader; False (no error) when done."""
    sk.ucopy_len -= skb.len
    sk.copied_seq = (sk.copied_seq + skb.len) & MAXSEQ
    return False


@mirrors("net/ipv4/tcp_input.c", omits=["broken lengths (a Segment cannot have them)"])
def tcp_parse_options(sk: Sock | TwBucket, skb: SkBuff, timestamps: bool) -> tuple[int, int] | None:
    """Read the options of a segment: its timestamp (value, echo), if it has one and ``timestamps`` are wanted."""
    return skb.seg.ts if timestamps else None


def note_timestamp(sk: Sock, ts: tuple[int, int] | None) -> bool:
    """Keep the timestamp of the segment being processed; True when there is one."""
    sk.saw_tstamp = ts is not None
    if ts is not None:
        sk.rcv_tsval, sk.rcv_tsecr = ts
    return ts is not None


@mirrors("net/ipv4/tcp_input.c")
def tcp_fast_parse_options(sk: Sock, skb: SkBuff) -> bool:
    """Read the options, with a short way for none and for a lone timestamp; True when there is a timestamp."""
    seg = skb.seg
    length = options_length(seg)
    if not length:
        sk.saw_tstamp = False
        return False
    if sk.tstamp_ok and length == 12 and seg.ts is not None:
        return note_timestamp(sk, seg.ts)
    return note_timestamp(sk, tcp_parse_options(sk, skb, sk.tstamp_ok))


@mirrors("net/ipv4/tcp_input.c", omits=["checksums"])
def tcp_rcv_established(sk: Sock, skb: SkBuff) -> int:
    """Process a segment for an ESTABLISHED socket; 1 when a RESET is to answer it.

    A segment just like the one expected (only ACK and PSH, at rcv_nxt, same window) takes a short way,
    without any window test.  Everything with FIN, SYN or RST takes the slow one.
    """
    seg = skb.seg
    sk.saw_tstamp = False
    pred = sk.pred_flags
    if (
        pred is not None
        and seg.flags & ~PSH == ACK
        and seg.seq == sk.rcv_nxt
        and seg.window == pred[1]
        and 20 + options_length(seg) == pred[0]
        and (pred[0] == 20 or _fast_timestamp(sk, seg))
    ):
        if after(seg.ack_seq, sk.snd_nxt) and ack_is_refused(sk, skb):
            return 0
        if not seg.len:
            tcp_ack(sk, skb, 0)
            tcp_data_snd_check(sk)
            return 0
        if _fast_data(sk, skb):
            return 0
        # No memory in reserve: join the slow path behind its tests.
        return _process_text(sk, skb)
    if tcp_fast_parse_options(sk, skb) and tcp_paws_discard(sk, skb) and not seg.flags & RST:
        sk.net.count("PAWSEstabRejected")
        tcp_send_dupack(sk, skb)
        return 0
    if not tcp_sequence(sk, skb.seq, skb.end_seq, bool(seg.flags & RST)):
        if not seg.flags & RST:
            tcp_send_dupack(sk, skb)
        return 0
    if seg.flags & RST:
        if reset_is_believed(sk, skb):
            tcp_reset(sk)
        return 0
    tcp_replace_ts_recent(sk, skb.seq)
    if seg.flags & SYN and syn_is_challenged(sk, skb):
        return 0
    if seg.flags & SYN and skb.seq != sk.syn_seq:
        sk.net.count("TcpInErrs")
        sk.net.count("TCPAbortOnSyn")
        tcp_reset(sk)
        return 1
    return _process_text(sk, skb)


def _fast_timestamp(sk: Sock, seg: Segment) -> bool:
    """The segment has exactly a timestamp, and not an old one."""
    if seg.ts is None or seg.sacks:
        return False
    sk.saw_tstamp = True
    sk.rcv_tsval, sk.rcv_tsecr = seg.ts
    if before(sk.rcv_tsval, sk.ts_recent):
        return False
    if sk.rcv_nxt == sk.rcv_wup:
        tcp_store_ts_recent(sk)
    return True


def _fast_data(sk: Sock, skb: SkBuff) -> bool:
    """Payload on the short way; False when the memory reserve does not cover it."""
    eaten = sk.ucopy_task is not None and sk.copied_seq == sk.rcv_nxt and skb.len <= sk.ucopy_len
    if eaten:
        sk.net.count("TCPHPHitsToUser")
        tcp_copy_to_iovec(sk, skb)
        sk.rcv_nxt = skb.end_seq
    else:
        if skb.truesize > sk.forward_alloc:
            return False
        sk.net.count("TCPHPHits")
        sk.receive_queue.append(skb)
        set_owner_r(sk, skb)
        sk.rcv_nxt = skb.end_seq
        sk.queue_changed("receive_queue", "add", skb.seq, skb.end_seq, len(sk.receive_queue))
    tcp_event_data_recv(sk, skb)
    if skb.ack_seq != sk.snd_una:
        tcp_ack(sk, skb, FLAG_DATA)
        tcp_data_snd_check(sk)
        if not sk.ack_pending & ACK_SCHED:
            if not eaten:
                sk.data_ready()
            return True
    if eaten:
        if tcp_in_quickack_mode(sk):
            tcp_send_ack(sk)
        else:
            tcp_send_delayed_ack(sk)
    else:
        __tcp_ack_snd_check(sk, False)
        sk.data_ready()
    return True


def _process_text(sk: Sock, skb: SkBuff) -> int:
    if skb.flags & ACK:
        if skb.ack_seq != sk.snd_nxt and ack_is_refused(sk, skb):
            return 0
        tcp_ack(sk, skb, FLAG_SLOWPATH)
    elif sk.net.profile.without_ack_flag == "dropped":
        return 0
    tcp_urg(sk, skb)
    tcp_data(sk, skb)
    tcp_data_snd_check(sk)
    tcp_ack_snd_check(sk)
    return 0


@mirrors("net/ipv4/tcp_input.c", omits=["Fast Open (it did not exist)", "ECN"])
def tcp_rcv_synsent_state_process(sk: Sock, skb: SkBuff) -> int:
    """Process the answer to our SYN.  -1: go on with the segment's text; 1: answer with a RESET.

    Moves:  SYN_SENT → ESTABLISHED (SYN,ACK), SYN_RECV (the peer's SYN crossed ours), CLOSE (refused).
    """
    net = sk.net
    seg = skb.seg
    note_timestamp(sk, tcp_parse_options(sk, skb, bool(net.sysctl["tcp_timestamps"])))
    if seg.flags & ACK:
        if seg.ack_seq != sk.snd_nxt:
            return 1
        if sk.saw_tstamp and sk.rcv_tsecr and not _between(sk.rcv_tsecr, sk.retrans_stamp, net.time_stamp):
            net.count("PAWSActiveRejected")
            return 1
        if seg.flags & RST:
            tcp_reset(sk)
            return 0
        if not seg.flags & SYN:
            return 0
        _take_syn_options(sk, seg)
        sk.snd_wl1 = skb.seq
        tcp_ack(sk, skb, FLAG_SLOWPATH)
        sk.rcv_nxt = (skb.seq + 1) & MAXSEQ
        sk.rcv_wup = (skb.seq + 1) & MAXSEQ
        sk.snd_wnd = seg.window
        sk.snd_wl1 = skb.seq
        sk.fin_seq = sk.syn_seq = skb.seq
        _settle_options(sk, seg)
        tcp_sync_mss(sk, sk.pmtu_cookie)
        _initialize_rcv_mss(sk)
        tcp_init_metrics(sk)
        tcp_init_buffer_space(sk)
        if sk.keepopen:
            tcp_reset_keepalive_timer(sk, keepalive_time_when(sk))
        if sk.snd_wscale == 0:
            fast_path_on(sk)
        else:
            sk.pred_flags = None
        sk.copied_seq = sk.rcv_nxt
        tcp_set_state(sk, ESTABLISHED)
        if not sk.dead:
            sk.state_change()
        if sk.write_pending or sk.defer_accept:
            # Somebody waits to write: let that data carry the ACK.
            sk.ack_pending |= ACK_SCHED
            sk.ack_lrcvtime = net.jiffies
            sk.ack_ato = sk.net.times.TCP_ATO_MIN
            tcp_enter_quickack_mode(sk)
            reset_xmit_timer(sk, TCP_TIME_DACK, net.times.TCP_DELACK_MAX)
            return 0
        tcp_send_ack(sk)
        return -1
    if seg.flags & RST:
        return 0
    if sk.ts_recent_stamp and sk.saw_tstamp and _signed(sk.ts_recent - sk.rcv_tsval) > TCP_PAWS_WINDOW:
        return 0
    if seg.flags & SYN:
        # Our SYNs crossed on the way.
        tcp_set_state(sk, SYN_RECV)
        wscale = sk.rcv_wscale
        _take_syn_options(sk, seg)
        _settle_options(sk, seg)
        sk.rcv_nxt = sk.rcv_wup = (skb.seq + 1) & MAXSEQ
        sk.copied_seq = sk.rcv_nxt
        sk.fin_seq = sk.syn_seq = skb.seq
        sk.snd_wnd = seg.window
        sk.snd_wl1 = skb.seq
        sk.max_window = seg.window
        tcp_sync_mss(sk, sk.pmtu_cookie)
        _initialize_rcv_mss(sk)
        agreed = sk.rcv_wscale
        if net.profile.initial_window == "65535":
            sk.rcv_wscale = wscale  # our SYN goes out again as it was
        tcp_send_synack(sk)
        sk.rcv_wscale = agreed
        return 0
    return 0


def _between(value: int, low: int, high: int) -> bool:
    return (high - low) & MAXSEQ >= (value - low) & MAXSEQ


def _take_syn_options(sk: Sock, seg: Segment) -> None:
    """MSS of the peer's SYN: what it says, else 536; our own limit if one was set."""
    mss = seg.mss or 536
    if sk.user_mss and sk.user_mss < mss:
        mss = sk.user_mss
    sk.mss_clamp = mss
    sysctl = sk.net.sysctl
    sk.wscale_ok = seg.wscale is not None and bool(sysctl["tcp_window_scaling"])
    sk.snd_wscale = min(seg.wscale or 0, 14) if sk.wscale_ok else 0
    sk.sack_ok = seg.sack_ok and bool(sysctl["tcp_sack"])


def _settle_options(sk: Sock, seg: Segment) -> None:
    """Both SYNs are known: agree on scaling, timestamps and SACK."""
    if not sk.wscale_ok:
        sk.snd_wscale = sk.rcv_wscale = 0
        sk.window_clamp = min(sk.window_clamp, 65535)
    if sk.saw_tstamp and sk.net.sysctl["tcp_timestamps"]:
        sk.tstamp_ok = True
        sk.tcp_header_len = 32
        sk.advmss -= 12
        tcp_store_ts_recent(sk)
    else:
        sk.tstamp_ok = False
        sk.tcp_header_len = 20
    if sk.sack_ok and sk.net.sysctl["tcp_fack"]:
        sk.fack = True


def _initialize_rcv_mss(sk: Sock) -> None:
    """A first guess at the peer's segment size (tcp_initialize_rcv_mss)."""
    hint = min(sk.advmss, sk.mss_cache, sk.rcv_wnd // 2, 536)
    sk.ack_rcv_mss = max(hint, 88)


@mirrors("net/ipv4/tcp_input.c", omits=["security levels", "ECN"])
def tcp_rcv_state_process(sk: Sock, skb: SkBuff) -> int:
    """Process a segment in any state but ESTABLISHED and TIME_WAIT; 1 when a RESET is to answer it.

    Moves:  SYN_RECV → ESTABLISHED;  FIN_WAIT1 → FIN_WAIT2;  CLOSING → a bucket;  LAST_ACK → CLOSE;
            and, through tcp_fin, what the peer's FIN brings.
    Unlike RFC: any RST or SYN in the window ends the connection; LAST_ACK ignores all text.
    """
    net = sk.net
    seg = skb.seg
    flags = seg.flags
    sk.saw_tstamp = False
    match sk.state:
        case 7:  # CLOSE
            return 0
        case 10:  # LISTEN
            if flags & ACK:
                return 1
            if flags & (RST | FIN) and net.profile.syn_with_rst == "dropped":
                return 0
            if flags & SYN:
                if tcp_v4_conn_request(sk, skb) < 0:
                    return 1
            return 0
        case 2:  # SYN_SENT
            verdict: int = tcp_rcv_synsent_state_process(sk, skb)
            if verdict >= 0:
                return verdict
            tcp_urg(sk, skb)
            if net.profile.window_test == "rcv_nxt":  # the other has just taken its SYN from the segment
                tcp_data(sk, skb)
            tcp_data_snd_check(sk)
            tcp_ack_snd_check(sk)
            return 0
    if tcp_fast_parse_options(sk, skb) and tcp_paws_discard(sk, skb) and not flags & RST:
        net.count("PAWSEstabRejected")
        tcp_send_dupack(sk, skb)
        return 0
    # step 1: the sequence number
    if not tcp_sequence(sk, skb.seq, skb.end_seq, bool(flags & RST)):
        if not flags & RST:
            tcp_send_dupack(sk, skb)
        elif reset_before_fin(sk, skb):
            tcp_reset(sk)
        return 0
    # step 2: RST
    if flags & RST:
        if reset_is_believed(sk, skb):
            tcp_reset(sk)
        return 0
    tcp_replace_ts_recent(sk, skb.seq)
    # step 4: a SYN where none belongs
    if flags & SYN and syn_is_challenged(sk, skb):
        return 0
    if flags & SYN and skb.seq != sk.syn_seq:
        net.count("TCPAbortOnSyn")
        tcp_reset(sk)
        return 1
    # step 5: the ACK
    if not flags & ACK:
        return 0
    if skb.ack_seq != sk.snd_nxt and sk.state != SYN_RECV and ack_is_refused(sk, skb):
        return 0
    acceptable = tcp_ack(sk, skb, FLAG_SLOWPATH)
    match sk.state:
        case 3:  # SYN_RECV
            if not acceptable:
                return 1
            _become_established(sk, skb)
        case 4 if sk.snd_una == sk.write_seq:  # FIN_WAIT1
            answer = _fin_is_acked(sk, skb)
            if answer is not None:
                return answer
        case 11 if sk.snd_una == sk.write_seq:  # CLOSING
            tcp_time_wait(sk, TIME_WAIT, 0)
            return 0
        case 9 if sk.snd_una == sk.write_seq:  # LAST_ACK
            tcp_update_metrics(sk)
            tcp_done(sk)
            return 0
    # step 6: urgent data
    tcp_urg(sk, skb)
    # step 7: the text
    state = sk.state
    closed = state in (CLOSE_WAIT, CLOSING) or (state == LAST_ACK and net.profile.last_ack_text == "as in CLOSE_WAIT")
    if closed and not before(skb.seq, sk.fin_seq):
        pass  # at or after the peer's FIN: not looked at
    elif closed or state in (FIN_WAIT1, FIN_WAIT2):
        # Somebody has shut the receiving side: new data can only be refused.
        if sk.shutdown & RCV_SHUTDOWN and _new_data(sk, skb):
            if state == FIN_WAIT1 and net.profile.data_before_fin_ack == "drop and ack":
                sk.ack_pending |= ACK_SCHED
                sk.ack_pingpong = 0
                sk.ack_quick = max(sk.ack_quick, 1)
                tcp_data_snd_check(sk)
                tcp_ack_snd_check(sk)
                return 0
            net.count("TCPAbortOnData")
            tcp_reset(sk)
            return 1
        tcp_data(sk, skb)
    elif state == ESTABLISHED:
        tcp_data(sk, skb)
    if sk.state != CLOSE:
        tcp_data_snd_check(sk)
        tcp_ack_snd_check(sk)
    return 0


def _new_data(sk: Sock, skb: SkBuff) -> bool:
    """The segment carries text beyond what we have (a FIN does not count)."""
    return skb.end_seq != skb.seq and after(skb.end_seq - (skb.flags & FIN), sk.rcv_nxt)


def _become_established(sk: Sock, skb: SkBuff) -> None:
    """The handshake is complete on the passive side."""
    seg = skb.seg
    sk.copied_seq = sk.rcv_nxt
    tcp_set_state(sk, ESTABLISHED)
    if sk.socket is not None:
        sk.state_change()
    sk.snd_una = seg.ack_seq
    sk.snd_wnd = seg.window << sk.snd_wscale
    sk.snd_wl1 = skb.seq
    if sk.saw_tstamp and sk.rcv_tsecr and not sk.srtt:
        tcp_ack_saw_tstamp(sk, 0)
    if sk.tstamp_ok:
        sk.advmss -= 12
    tcp_init_metrics(sk)
    _initialize_rcv_mss(sk)
    tcp_init_buffer_space(sk)
    fast_path_on(sk)


def _fin_is_acked(sk: Sock, skb: SkBuff) -> int | None:
    """All we sent, our FIN included, is acknowledged in FIN_WAIT1.  None: go on with the segment's text."""
    net = sk.net
    fin = skb.flags & FIN
    tcp_set_state(sk, FIN_WAIT2)
    sk.shutdown |= SEND_SHUTDOWN
    if not sk.dead:
        sk.state_change()
        return None
    if sk.linger2 < 0 or (skb.end_seq != skb.seq and after(skb.end_seq - fin, sk.rcv_nxt)):
        tcp_done(sk)
        net.count("TCPAbortOnData")
        return 1
    tmo = tcp_fin_time(sk)
    if tmo > net.times.TCP_TIMEWAIT_LEN:
        tcp_reset_keepalive_timer(sk, tmo - net.times.TCP_TIMEWAIT_LEN)
    elif fin:
        # The FIN is in this very segment: keep the socket until tcp_fin has seen it.
        tcp_reset_keepalive_timer(sk, tmo)
    else:
        tcp_time_wait(sk, FIN_WAIT2, tmo)
        return 0
    return None


# What C declares in the header and defines elsewhere.
from tcpnotes.kernel.challenge import (
    ack_is_refused,
    over_limit,
    reset_before_fin,
    reset_is_believed,
    syn_is_challenged,
)
from tcpnotes.kernel.skbuff import options_length
from tcpnotes.kernel.tcp import tcp_mem_schedule
from tcpnotes.kernel.tcp_input_ack import (
    FLAG_DATA,
    FLAG_SLOWPATH,
    tcp_ack,
    tcp_ack_saw_tstamp,
    tcp_init_metrics,
    tcp_may_update_window,
    tcp_update_metrics,
)
from tcpnotes.kernel.tcp_ipv4 import tcp_v4_conn_request
from tcpnotes.kernel.tcp_minisocks import tcp_time_wait
from tcpnotes.kernel.tcp_output import (
    __tcp_select_window,
    tcp_send_ack,
    tcp_send_delayed_ack,
    tcp_send_synack,
    tcp_sync_mss,
    tcp_write_xmit,
)
from tcpnotes.kernel.tcp_timer import keepalive_time_when, tcp_reset_keepalive_timer
