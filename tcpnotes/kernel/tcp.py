"""net/ipv4/tcp.c: what an application can ask of TCP, closing above all.

`tcp_close` decides how a connection ends; `tcp_shutdown` closes one direction;
`tcp_disconnect` ends it by force.  `tcp_sendmsg` and `tcp_recvmsg` move data.  A call
that must wait returns `BLOCKED` and leaves a `Task` that says how to go on; what comes
after the sleep stands in a function of its own (see `kernel.resume`).
"""

from __future__ import annotations

import errno

from tcpnotes.kernel.mirror import mirrors
from tcpnotes.kernel.skbuff import MAX_TCP_HEADER, SIZEOF_SK_BUFF, SkBuff, skb_area
from tcpnotes.kernel.sock import (
    CLOSE,
    CLOSE_WAIT,
    CLOSING,
    ESTABLISHED,
    FIN_WAIT1,
    FIN_WAIT2,
    LAST_ACK,
    LISTEN,
    MAXSEQ,
    RCV_SHUTDOWN,
    SEND_SHUTDOWN,
    SHUTDOWN_MASK,
    SOCK_BINDADDR_LOCK,
    SYN_RECV,
    SYN_SENT,
    ListenOpt,
    OpenRequest,
    Sock,
    after,
    before,
)
from tcpnotes.kernel.task import BLOCKED, Blocked, Task
from tcpnotes.kernel.tcp_h import (
    ACK_PUSHED,
    ACK_SCHED,
    CA_OPEN,
    PAGE_SIZE,
    SOCK_MIN_SNDBUF,
    fast_path_check,
    mem_reclaim,
    min_write_space,
    purge,
    receive_window,
    sock_error,
    tcp_fin_time,
    tcp_set_state,
    writequeue_purge,
    wspace,
)
from tcpnotes.trace.segment import ACK, FIN, PSH, SYN

MSG_OOB, MSG_PEEK, MSG_TRUNC, MSG_DONTWAIT, MSG_WAITALL, MSG_NOSIGNAL = 1, 2, 0x20, 0x40, 0x100, 0x4000
MSG_MORE = 0x8000  # 2.4.0 does not know it

POLLIN, POLLPRI, POLLOUT, POLLERR, POLLHUP, POLLRDNORM, POLLWRNORM = 1, 2, 4, 8, 0x10, 0x40, 0x100
POLLRDHUP = 0x2000  # nor this

# -- memory -------------------------------------------------------------------------------------------------


@mirrors("net/ipv4/tcp.c", omits=["memory pressure"])
def tcp_mem_schedule(sk: Sock, size: int, receiving: bool) -> bool:
    """Take whole pages for ``size`` bytes into the socket's reserve."""
    pages = (size + PAGE_SIZE - 1) // PAGE_SIZE
    sk.forward_alloc += pages * PAGE_SIZE
    sk.net.memory_allocated += pages
    return True


@mirrors("net/ipv4/tcp.c")
def __tcp_mem_reclaim(sk: Sock) -> None:
    """Give whole pages of the reserve back."""
    sk.net.memory_allocated -= sk.forward_alloc // PAGE_SIZE
    sk.forward_alloc %= PAGE_SIZE


# -- asking ---------------------------------------------------------------------------------------------------


@mirrors("net/ipv4/tcp.c")
def tcp_poll(sk: Sock) -> int:
    """What could be done without waiting: a mask of POLL… bits.

    POLLHUP only when both directions are shut or the state is CLOSE; a FIN alone reads as POLLIN.
    """
    if sk.state == LISTEN:
        return POLLIN | POLLRDNORM if any(req.sk for req in sk.accept_queue) else 0
    mask = 0
    if sk.err:
        mask |= POLLERR
    if sk.shutdown == SHUTDOWN_MASK or sk.state == CLOSE:
        mask |= POLLHUP
    if sk.shutdown & RCV_SHUTDOWN:
        mask |= POLLIN | POLLRDNORM
        if sk.net.profile.poll_rdhup == "yes":
            mask |= POLLRDHUP
    if sk.state not in (SYN_SENT, SYN_RECV):
        if sk.rcv_nxt != sk.copied_seq and (not sk.urg_data or sk.urg_seq != sk.copied_seq):
            mask |= POLLIN | POLLRDNORM
        if not sk.shutdown & SEND_SHUTDOWN:
            if wspace(sk) >= min_write_space(sk):
                mask |= POLLOUT | POLLWRNORM
            else:
                sk.nospace = True
        elif sk.net.profile.poll_rdhup == "yes":
            mask |= POLLOUT | POLLWRNORM
        if sk.urg_data & URG_VALID:
            mask |= POLLPRI
    return mask


@mirrors("net/ipv4/tcp.c", omits=["SIOCATMARK", "SIOCOUTQ"])
def tcp_ioctl(sk: Sock, cmd: str) -> int:
    """SIOCINQ: bytes that can be read now; the FIN does not count."""
    if sk.state == LISTEN:
        return -errno.EINVAL
    if sk.state in (SYN_SENT, SYN_RECV):
        return 0
    answer = (sk.rcv_nxt - sk.copied_seq) & MAXSEQ
    if answer and sk.receive_queue and sk.receive_queue[-1].flags & FIN:
        answer -= 1
    return answer


# -- listening --------------------------------------------------------------------------------------------------


@mirrors("net/ipv4/tcp.c")
def tcp_listen_start(sk: Sock) -> int:
    """Become a listener: tables for half-open connections, and a place in the hash."""
    sk.max_ack_backlog = 0
    sk.ack_backlog = 0
    sk.accept_queue = []
    log = 6
    while 1 << log < sk.net.sysctl["tcp_max_syn_backlog"]:
        log += 1
    sk.listen_opt = ListenOpt(log)
    tcp_set_state(sk, LISTEN)
    if not tcp_v4_get_port(sk, sk.num):
        sk.sport = sk.num
        tcp_v4_hash(sk)
        return 0
    tcp_set_state(sk, CLOSE)
    sk.listen_opt = None
    return -errno.EADDRINUSE


@mirrors("net/ipv4/tcp.c")
def tcp_listen_stop(sk: Sock) -> None:
    """Stop listening: half-open connections vanish without a word, finished but unaccepted ones are reset."""
    net = sk.net
    tcp_delete_keepalive_timer(sk)
    lopt, sk.listen_opt = sk.listen_opt, None
    accepted, sk.accept_queue = sk.accept_queue, []
    assert lopt is not None
    if lopt.qlen:
        for chain in sorted(lopt.syn_table):
            for req in lopt.syn_table[chain]:
                tcp_v4_or_free(net, req)
        sk.queue_changed("syn_table", "purge", 0, 0, 0)
    for req in accepted:
        assert req.sk is not None
        child = net.socks[req.sk]
        tcp_disconnect(child, True)
        sock_orphan(child)
        net.orphan_count += 1
        tcp_destroy_sock(child)
        release(child)
        sk.ack_backlog -= 1


def sock_orphan(sk: Sock) -> None:
    """No descriptor leads to ``sk`` any more (sock_orphan)."""
    sk.dead = True
    sk.socket = None


# -- sending ------------------------------------------------------------------------------------------------------


@mirrors("net/ipv4/tcp.c")
def wait_for_tcp_connect(sk: Sock, task: Task) -> int | Blocked:
    """A write before the connection stands: wait for it, or say why it will never stand."""
    always = sk.net.profile.sigpipe == "always"
    if sk.err:
        error = sock_error(sk)
        if always and error == -errno.EPIPE and not task.flags & MSG_NOSIGNAL:
            send_sigpipe(sk)
        return error
    if sk.state not in (SYN_SENT, SYN_RECV):
        # 2.4.0 spares the writer the signal, unless keepalive is on.
        if (always or sk.keepopen) and not task.flags & MSG_NOSIGNAL:
            send_sigpipe(sk)
        return -errno.EPIPE
    if task.timeo == 0:
        return -errno.EAGAIN
    sk.write_pending += 1
    return sk.net.sleep(task, sk, "wait_for_tcp_connect")


def send_sigpipe(sk: Sock) -> None:
    """SIGPIPE for the calling process."""
    if sk.net.trace is not None:
        sk.net.trace.signal("SIGPIPE")


@mirrors("net/ipv4/tcp.c")
def tcp_memory_free(sk: Sock) -> bool:
    """Is the send buffer below its limit?"""
    return sk.wmem_queued < sk.sndbuf


@mirrors("net/ipv4/tcp.c", omits=["running out of memory"])
def wait_for_tcp_memory(sk: Sock, task: Task) -> int | Blocked:
    """The send buffer is full: sleep until there is room, an error, or our end is shut."""
    sk.nospace = True
    # Looked at three times: is memory short, is there room, is there still none now that others had their turn?
    for _ in range(3):
        tcp_memory_free(sk)
    return sk.net.sleep(task, sk, "wait_for_tcp_memory")


@mirrors("net/ipv4/tcp.c", omits=["urgent data", "out-of-band flags", "user memory faults"])
def tcp_sendmsg(sk: Sock, task: Task) -> int | Blocked:
    """Queue ``task.left`` bytes and send what may leave: filled up tail first, then new buffers of a segment each.

    Returns how many bytes were taken; -EAGAIN, -EPIPE or the socket's error if none were.
    """
    task.timeo = 0 if task.flags & MSG_DONTWAIT else None
    if sk.state not in (ESTABLISHED, CLOSE_WAIT):
        answer = wait_for_tcp_connect(sk, task)
        if answer is BLOCKED:
            return BLOCKED
        if answer:
            return answer
    return _fill_write_queue(sk, task)


def connected(sk: Sock, task: Task) -> int | Blocked:
    """A writer that waited for the connection goes on."""
    sk.write_pending -= 1
    if sk.state not in (ESTABLISHED, CLOSE_WAIT):
        if sk.err:
            return sock_error(sk)
        if sk.state in (SYN_SENT, SYN_RECV):
            sk.write_pending += 1
            return sk.net.sleep(task, sk, "wait_for_tcp_connect")
        if (sk.keepopen or sk.net.profile.sigpipe == "always") and not task.flags & MSG_NOSIGNAL:
            send_sigpipe(sk)
        return -errno.EPIPE
    sk.net.waited()
    return _fill_write_queue(sk, task)


def room_again(sk: Sock, task: Task) -> int | Blocked:
    """A writer that waited for room goes on."""
    sk.nospace = True
    if not tcp_memory_free(sk) and not sk.err and not sk.shutdown & SEND_SHUTDOWN:
        return sk.net.sleep(task, sk, "wait_for_tcp_memory")
    sk.net.waited()
    return _fill_write_queue(sk, task)


def _fill_write_queue(sk: Sock, task: Task) -> int | Blocked:
    mss = current_mss(sk)
    while task.left:
        if sk.err:
            break
        if sk.shutdown & SEND_SHUTDOWN:
            if not task.done:
                if not task.flags & MSG_NOSIGNAL:
                    send_sigpipe(sk)
                return -errno.EPIPE
            break
        skb = sk.write_queue[-1] if sk.write_queue else None
        if skb is not None and sk.send_head is not None and skb.len < mss:
            room = skb.room - skb.len
            if room > 0:
                _append(sk, task, skb, min(mss - skb.len, room, task.left))
                continue
            skb.flags |= PSH
            sk.pushed_seq = sk.write_seq
        copy = min(task.left, mss)
        area = skb_area(MAX_TCP_HEADER + 15 + sk.mss_cache)
        if not tcp_memory_free(sk):
            sk.nospace = True
            push_pending_frames(sk, mss, 1)
            if task.timeo == 0:
                return task.done or -errno.EAGAIN
            return wait_for_tcp_memory(sk, task)
        if area + SIZEOF_SK_BUFF > sk.forward_alloc:
            tcp_mem_schedule(sk, area + SIZEOF_SK_BUFF, False)
        new = SkBuff(
            sk.write_seq, (sk.write_seq + copy) & MAXSEQ, copy, ACK, area + SIZEOF_SK_BUFF, area - MAX_TCP_HEADER
        )
        task.left -= copy
        task.done += copy
        sk.write_seq = new.end_seq
        if _wants_push(sk, task):
            new.flags |= PSH
            sk.pushed_seq = sk.write_seq
        tcp_send_skb(sk, new, copy < mss, mss)
    if task.left == 0 or task.done:
        push_pending_frames(sk, mss, 2 if _more_follows(sk, task) else sk.nonagle)
        if task.done or not task.left:
            return task.done
    return sock_error(sk)


def _append(sk: Sock, task: Task, skb: SkBuff, copy: int) -> None:
    """Put more bytes behind the last, unsent buffer."""
    skb.len += copy
    skb.end_seq = (skb.end_seq + copy) & MAXSEQ
    sk.write_seq = (sk.write_seq + copy) & MAXSEQ
    task.left -= copy
    task.done += copy
    if _wants_push(sk, task):
        skb.flags |= PSH
        sk.pushed_seq = sk.write_seq
    sk.queue_changed("write_queue", "add", skb.seq, skb.end_seq, len(sk.write_queue))


def _wants_push(sk: Sock, task: Task) -> bool:
    """PSH on the last byte of a write, and whenever half of the peer's largest window went without one."""
    last = task.left == 0 and not _more_follows(sk, task)
    return last or after(sk.write_seq, sk.pushed_seq + (sk.max_window >> 1))


def _more_follows(sk: Sock, task: Task) -> bool:
    """The writer says that this is not all (MSG_MORE), to a version that listens."""
    return bool(task.flags & MSG_MORE) and sk.net.profile.msg_more == "yes"


# -- receiving -------------------------------------------------------------------------------------------------------


@mirrors("net/ipv4/tcp.c")
def tcp_eat_skb(sk: Sock, skb: SkBuff) -> None:
    """The reader is done with a buffer: off the queue with it."""
    sk.receive_queue.remove(skb)
    sk.queue_changed("receive_queue", "unlink", skb.seq, skb.end_seq, len(sk.receive_queue))
    tcp_rfree(sk, skb)


@mirrors("net/ipv4/tcp.c")
def cleanup_rbuf(sk: Sock, copied: int) -> None:
    """The reader took ``copied`` bytes: send the ACK that is owed if it is worth it, or tell of a wider window."""
    now = False
    while sk.receive_queue:
        skb = sk.receive_queue[0]
        if before(sk.copied_seq, skb.end_seq):
            break
        tcp_eat_skb(sk, skb)
    if sk.ack_pending & ACK_SCHED:
        now = (
            bool(sk.ack_blocked)
            or (sk.rcv_nxt - sk.rcv_wup) & MAXSEQ > sk.ack_rcv_mss
            or (copied > 0 and bool(sk.ack_pending & ACK_PUSHED) and not sk.ack_pingpong and sk.rmem_alloc == 0)
        )
    if copied > 0 and not now and not sk.shutdown & RCV_SHUTDOWN:
        left = receive_window(sk)
        if 2 * left <= sk.window_clamp:
            new_window = __tcp_select_window(sk)
            # Worth telling when it at least doubles what the peer knows of.
            if new_window and new_window >= 2 * left:
                now = True
    if now:
        tcp_send_ack(sk)


@mirrors("net/ipv4/tcp.c")
def tcp_data_wait(sk: Sock, task: Task) -> Blocked:
    """Sleep until something arrives."""
    return sk.net.sleep(task, sk, "tcp_recvmsg")


@mirrors("net/ipv4/tcp.c")
def tcp_prequeue_process(sk: Sock) -> None:
    """The reader is awake: process the segments that were parked for it."""
    waiting, sk.prequeue = sk.prequeue, []
    sk.net.add("TCPPrequeued", len(waiting))
    for skb in waiting:
        tcp_v4_do_rcv(sk, skb)
    sk.ucopy_memory = 0


@mirrors("net/ipv4/tcp.c", omits=["urgent data", "user memory faults", "MSG_TRUNC"])
def tcp_recvmsg(sk: Sock, task: Task) -> int | Blocked:
    """Read up to ``task.left`` bytes in order; 0 is the end of file.

    With nothing to read, these are tested in this order: end of file, error, our own shutdown, never connected,
    patience.
    """
    if sk.state == LISTEN:
        return -errno.ENOTCONN
    if task.flags & MSG_OOB:
        return _receive_urgent(sk)
    task.timeo = 0 if task.flags & MSG_DONTWAIT else None
    task.target = task.left if task.flags & MSG_WAITALL else min(task.left, 1)
    return _receive(sk, task, sk.copied_seq)


def _receive_urgent(sk: Sock) -> int:
    if sk.state == CLOSE and not sk.done:
        return -errno.ENOTCONN
    if sk.state == CLOSE or sk.shutdown & RCV_SHUTDOWN:
        return 0
    return -errno.EAGAIN


def _receive(sk: Sock, task: Task, seq: int) -> int | Blocked:
    """Take data from receive_queue until the reader has enough, or there is none and waiting is no use."""
    peek = bool(task.flags & MSG_PEEK)
    error = 0
    while task.left > 0:
        seq, met_fin, moved = _take(sk, task, seq, peek)
        if met_fin or task.left <= 0:
            break
        if moved:
            continue
        if task.done >= task.target:
            break
        if task.done:
            if sk.err or sk.state == CLOSE or sk.shutdown & RCV_SHUTDOWN or task.timeo == 0 or peek:
                break
        else:
            if sk.done:
                break
            if sk.err:
                error = sock_error(sk)
                break
            if sk.shutdown & RCV_SHUTDOWN:
                break
            if sk.state == CLOSE:
                error = -errno.ENOTCONN
                break
            if task.timeo == 0:
                error = -errno.EAGAIN
                break
        cleanup_rbuf(sk, task.done)
        if not peek and sk.net.profile.prequeue == "yes":
            sk.ucopy_task = task.id
        sk.ucopy_len = task.left
        return tcp_data_wait(sk, task)
    return _received(sk, task, error)


def _take(sk: Sock, task: Task, seq: int, peek: bool) -> tuple[int, bool, bool]:
    """Copy from the first buffer that still has something at ``seq``.

    Returns where the reader stands, whether it met a FIN, and whether anything was found at all.
    """
    for skb in sk.receive_queue:
        offset = (seq - skb.seq) & MAXSEQ
        if skb.flags & SYN:
            offset -= 1
        if offset < skb.len:
            used = min(skb.len - offset, task.left)
            seq = (seq + used) & MAXSEQ
            task.done += used
            task.left -= used
            if not peek:
                sk.copied_seq = seq
            if sk.urg_data and after(seq, sk.urg_seq):
                sk.urg_data = 0
                fast_path_check(sk)
            if used + offset < skb.len:
                return seq, False, True
            if skb.flags & FIN:
                return _pass_fin(sk, seq, peek), True, True
            if not peek:
                tcp_eat_skb(sk, skb)
            return seq, False, True
        if skb.flags & FIN:
            return _pass_fin(sk, seq, peek), True, True
    return seq, False, False


def _pass_fin(sk: Sock, seq: int, peek: bool) -> int:
    """The reader met the FIN: this read ends here, the next one says end of file."""
    seq = (seq + 1) & MAXSEQ
    if not peek:
        sk.copied_seq = seq  # cleanup_rbuf takes the buffer away
    return seq


def _received(sk: Sock, task: Task, error: int) -> int:
    """The end of a read: process what was parked meanwhile, acknowledge, report."""
    if sk.ucopy_task == task.id:
        if sk.prequeue:
            sk.ucopy_len = task.left if task.done > 0 else 0
            wanted = sk.ucopy_len
            tcp_prequeue_process(sk)
            if task.done > 0:
                task.done += wanted - sk.ucopy_len
                task.left -= wanted - sk.ucopy_len
        sk.ucopy_task = None
        sk.ucopy_len = 0
    if error:
        cleanup_rbuf(sk, error)
        return error
    cleanup_rbuf(sk, task.done)
    return task.done


def read_on(sk: Sock, task: Task) -> int | Blocked:
    """A sleeping reader goes on: first what was copied to it or parked for it."""
    sk.net.waited()
    task.sk = sk.id
    if sk.ucopy_task == task.id:
        _account(sk, task)
        if sk.rcv_nxt == sk.copied_seq and sk.prequeue:
            tcp_prequeue_process(sk)
            _account(sk, task)
    return _receive(sk, task, sk.copied_seq)


def _account(sk: Sock, task: Task) -> None:
    """Bytes that went straight to the reader count as read."""
    chunk = task.left - sk.ucopy_len
    task.left -= chunk
    task.done += chunk


# -- closing ---------------------------------------------------------------------------------------------------------

ACTION_FIN = 0x80

# For each state: the state after a close, and whether a FIN is to be sent.
new_state = (
    CLOSE,  # (no state 0)
    FIN_WAIT1 | ACTION_FIN,  # ESTABLISHED
    CLOSE,  # SYN_SENT
    FIN_WAIT1 | ACTION_FIN,  # SYN_RECV
    FIN_WAIT1,  # FIN_WAIT1
    FIN_WAIT2,  # FIN_WAIT2
    CLOSE,  # TIME_WAIT
    CLOSE,  # CLOSE
    LAST_ACK | ACTION_FIN,  # CLOSE_WAIT
    LAST_ACK,  # LAST_ACK
    CLOSE,  # LISTEN
    CLOSING,  # CLOSING
)


@mirrors("net/ipv4/tcp.c")
def tcp_close_state(sk: Sock) -> bool:
    """Move to the state that follows when we close; True when a FIN is to be sent.

    Moves:      ESTABLISHED, SYN_RECV → FIN_WAIT1;  CLOSE_WAIT → LAST_ACK;  SYN_SENT, LISTEN → CLOSE.
    Unlike RFC: the state moves when the FIN is queued, even if the window keeps it from leaving.
    """
    after_close = new_state[sk.state]
    tcp_set_state(sk, after_close & 0x0F)
    return bool(after_close & ACTION_FIN)


@mirrors("net/ipv4/tcp.c")
def tcp_shutdown(sk: Sock, how: int) -> None:
    """Close our sending direction: a FIN after everything queued.  The receiving one asks nothing of TCP."""
    if not how & SEND_SHUTDOWN:
        return
    if sk.state in (ESTABLISHED, SYN_SENT, SYN_RECV, CLOSE_WAIT):
        if tcp_close_state(sk):
            tcp_send_fin(sk)


@mirrors("net/ipv4/tcp.c")
def closing(sk: Sock) -> bool:
    """Is our FIN still unacknowledged?"""
    return sk.state in (FIN_WAIT1, CLOSING, LAST_ACK)


@mirrors("net/ipv4/tcp.c")
def tcp_kill_sk_queues(sk: Sock) -> None:
    """Throw away what nobody will read any more."""
    purge(sk, "receive_queue")
    mem_reclaim(sk)


@mirrors("net/ipv4/tcp.c")
def tcp_destroy_sock(sk: Sock) -> None:
    """A dead socket in CLOSE goes: its queues, its port, its place among the orphans."""
    net = sk.net
    tcp_v4_destroy_sock(sk)
    tcp_kill_sk_queues(sk)
    net.orphan_count -= 1
    net.doomed.append(sk)


@mirrors("net/ipv4/tcp.c")
def tcp_unhash(sk: Sock) -> None:
    """Take ``sk`` out of the table where segments find it."""
    if not sk.hashed:
        return
    net = sk.net
    if sk.state == LISTEN:
        listeners = net.listening[sk.num]
        listeners.remove(sk)
        if not listeners:
            del net.listening[sk.num]
    else:
        if net.ehash.get(sk.pair) is sk:
            del net.ehash[sk.pair]
    sk.hashed = False


@mirrors("net/ipv4/tcp.c", omits=["signals that end the wait", "the backlog (nothing arrives while a call runs)"])
def tcp_close(sk: Sock, timeout: int, task: Task) -> int | Blocked:
    """Close a socket whose last descriptor went.  ``timeout`` is how long to linger, in jiffies.

    Moves:  unread data → CLOSE with a RESET;  linger time 0 → CLOSE with a RESET;
            else as `tcp_close_state` says, with a FIN;  LISTEN → CLOSE.
    Always returns 0: nobody hears whether the linger time was enough.
    """
    net = sk.net
    sk.shutdown = SHUTDOWN_MASK
    if sk.state == LISTEN:
        tcp_set_state(sk, CLOSE)
        tcp_listen_stop(sk)
        return _adjudge_to_death(sk)
    # Whatever the application has not read is thrown away; that it was there decides everything.
    data_was_unread = 0
    had_matters = net.profile.unread_data == "beyond copied_seq"
    unread, sk.receive_queue = sk.receive_queue, []
    for skb in unread:
        fin = skb.flags & FIN
        if had_matters:
            data_was_unread += after(skb.end_seq - fin, sk.copied_seq)
        else:
            data_was_unread += (skb.end_seq - skb.seq - fin) & MAXSEQ
        tcp_rfree(sk, skb)
    if unread:
        sk.queue_changed("receive_queue", "purge", unread[0].seq, unread[-1].end_seq, 0)
    mem_reclaim(sk)
    if sk.state == CLOSE and net.profile.close_of_dead == "silent":
        return _adjudge_to_death(sk)
    if data_was_unread:
        # The peer must learn that data was lost: a FIN would tell it that all was well.
        net.count("TCPAbortOnClose")
        tcp_set_state(sk, CLOSE)
        tcp_send_active_reset(sk)
    elif sk.linger and sk.lingertime == 0:
        tcp_disconnect(sk, False)
        net.count("TCPAbortOnData")
    elif tcp_close_state(sk):
        tcp_send_fin(sk)
    if timeout:
        task.timeo = timeout
        return linger(sk, task)
    return _adjudge_to_death(sk)


def linger(sk: Sock, task: Task) -> int | Blocked:
    """Wait until the FIN is acknowledged or the time is up; then close goes on just the same."""
    if task.timeo and closing(sk):
        return sk.net.sleep(task, sk, "tcp_close")
    return _adjudge_to_death(sk)


def _adjudge_to_death(sk: Sock) -> int:
    """The application lets go: what happens to the socket now?"""
    net = sk.net
    sock_orphan(sk)
    if sk.state == FIN_WAIT2:
        if sk.linger2 < 0:
            tcp_set_state(sk, CLOSE)
            tcp_send_active_reset(sk)
            net.count("TCPAbortOnLinger")
        else:
            tmo = tcp_fin_time(sk)
            if tmo > net.times.TCP_TIMEWAIT_LEN:
                rest = net.times.TCP_TIMEWAIT_LEN if net.profile.long_fin_wait2 == "all but 60 s" else 0
                tcp_reset_keepalive_timer(sk, tmo - rest)
            else:
                net.orphan_count += 1
                tcp_time_wait(sk, FIN_WAIT2, tmo)
                release(sk)
                return 0
    if sk.state != CLOSE:
        mem_reclaim(sk)
        if net.orphan_count > net.sysctl["tcp_max_orphans"] or (
            sk.wmem_queued > SOCK_MIN_SNDBUF and net.memory_allocated > net.sysctl["tcp_mem_max"]
        ):
            if net.net_ratelimit():
                net.printk("TCP: too many of orphaned sockets")
            tcp_set_state(sk, CLOSE)
            tcp_send_active_reset(sk)
            net.count("TCPAbortOnMemory")
    net.orphan_count += 1
    if sk.state == CLOSE:
        tcp_destroy_sock(sk)
    release(sk)
    return 0


@mirrors("net/ipv4/tcp.c")
def tcp_need_reset(sk: Sock, state: int) -> bool:
    """Must the peer be told that a connection in ``state`` is cut off?"""
    return state in (ESTABLISHED, CLOSE_WAIT, FIN_WAIT1, FIN_WAIT2, SYN_RECV)


@mirrors("net/ipv4/tcp.c", omits=["the route cache"])
def tcp_disconnect(sk: Sock, nonblock: bool) -> int:
    """Cut a connection off: RESET, CLOSE, every queue emptied, every figure back to its start.

    Sends:  RST,ACK, unless the peer knows no connection or knows already that nothing more comes.
    """
    old_state = sk.state
    if old_state != CLOSE:
        tcp_set_state(sk, CLOSE)
    if old_state == LISTEN:
        tcp_listen_stop(sk)
    elif tcp_need_reset(sk, old_state) or (sk.snd_nxt != sk.write_seq and old_state in (CLOSING, LAST_ACK)):
        tcp_send_active_reset(sk)
        sk.err = errno.ECONNRESET
    elif old_state == SYN_SENT:
        sk.err = errno.ECONNRESET
    tcp_clear_xmit_timers(sk)
    purge(sk, "receive_queue")
    sk.send_head = None
    writequeue_purge(sk)
    purge(sk, "out_of_order_queue")
    sk.dport = 0
    if not sk.userlocks & SOCK_BINDADDR_LOCK:
        sk.rcv_saddr = 0
    sk.shutdown = 0
    sk.done = False
    sk.srtt = 0
    sk.write_seq = (sk.write_seq + sk.max_window + 2) & MAXSEQ or 1
    sk.backoff = 0
    sk.snd_cwnd = int(sk.net.profile.initial_cwnd)
    sk.probes_out = 0
    sk.packets_out = 0
    sk.snd_ssthresh = 0x7FFFFFFF
    sk.snd_cwnd_cnt = 0
    sk.ca_state = CA_OPEN
    tcp_clear_retrans(sk)
    sk.ack_pending = sk.ack_quick = sk.ack_pingpong = sk.ack_blocked = 0
    sk.ack_ato = sk.ack_timeout = sk.ack_last_seg_size = sk.ack_rcv_mss = 0
    sk.saw_tstamp = False
    sk.dsack = False
    sk.eff_sacks = 0
    sk.selective_acks = ()
    sk.dst = None
    sk.error_report()
    return 0


# -- accepting -------------------------------------------------------------------------------------------------------


@mirrors("net/ipv4/tcp.c")
def wait_for_connect(sk: Sock, task: Task) -> Blocked:
    """Sleep until a connection is ready to be accepted."""
    return sk.net.sleep(task, sk, "wait_for_connect", True)


@mirrors("net/ipv4/tcp.c")
def tcp_accept(sk: Sock, task: Task) -> int | Blocked:
    """Take the oldest finished connection off the queue: the number of its socket, or a negative errno."""
    if sk.state != LISTEN:
        return -errno.EINVAL
    if not sk.accept_queue:
        if task.timeo == 0:
            return -errno.EAGAIN
        return wait_for_connect(sk, task)
    return _take_connection(sk)


def _take_connection(sk: Sock) -> int:
    req: OpenRequest = sk.accept_queue.pop(0)
    sk.ack_backlog -= 1
    sk.queue_changed("accept_queue", "unlink", req.rcv_isn, req.rcv_isn, len(sk.accept_queue))
    assert req.sk is not None
    return req.sk


def accept_on(sk: Sock, task: Task) -> int | Blocked:
    """A process that waited in accept goes on."""
    if sk.accept_queue:
        return _take_connection(sk)
    if sk.state != LISTEN:
        return -errno.EINVAL
    if task.timeo == 0:
        return -errno.EAGAIN
    return sk.net.sleep(task, sk, "wait_for_connect", True)


# -- options ---------------------------------------------------------------------------------------------------------


@mirrors("net/ipv4/tcp.c", omits=["TCP_WINDOW_CLAMP"])
def tcp_setsockopt(sk: Sock, name: str, val: int) -> int:
    """Set an option of level SOL_TCP; 0 or a negative errno."""
    net = sk.net
    match name:
        case "TCP_MAXSEG":
            if not 8 <= val <= 32767:
                return -errno.EINVAL
            sk.user_mss = val
        case "TCP_NODELAY" if net.profile.cork_with_nodelay == "yes":
            sk.nonagle = sk.nonagle & 2 | int(bool(val))
            if val:
                push_pending_frames(sk, current_mss(sk), 1)
        case "TCP_CORK" if net.profile.cork_with_nodelay == "yes":
            sk.nonagle = sk.nonagle & 1 | (2 if val else 0)
            if not val:
                push_pending_frames(sk, current_mss(sk), sk.nonagle)
        case "TCP_NODELAY":
            if sk.nonagle == 2:
                return -errno.EINVAL
            sk.nonagle = 1 if val else 0
            if sk.nonagle:
                push_pending_frames(sk, current_mss(sk), sk.nonagle)
        case "TCP_CORK":
            if sk.nonagle == 1:
                return -errno.EINVAL
            if val:
                sk.nonagle = 2
            else:
                sk.nonagle = 0
                push_pending_frames(sk, current_mss(sk), sk.nonagle)
        case "TCP_KEEPIDLE":
            if not 1 <= val <= 32767:
                return -errno.EINVAL
            sk.keepalive_time = val * net.times.HZ
            if sk.keepopen and sk.state not in (CLOSE, LISTEN):
                elapsed = net.jiffies - sk.rcv_tstamp
                tcp_reset_keepalive_timer(sk, max(sk.keepalive_time - elapsed, 0))
        case "TCP_KEEPINTVL":
            if not 1 <= val <= 32767:
                return -errno.EINVAL
            sk.keepalive_intvl = val * net.times.HZ
        case "TCP_KEEPCNT":
            if not 1 <= val <= 127:
                return -errno.EINVAL
            sk.keepalive_probes = val
        case "TCP_SYNCNT":
            if not 1 <= val <= 127:
                return -errno.EINVAL
            sk.syn_retries = val
        case "TCP_LINGER2":
            if val < 0:
                sk.linger2 = -1
            elif net.profile.linger2 == "capped at 120 s":
                sk.linger2 = min(val, 120) * net.times.HZ
            elif val > net.sysctl["tcp_fin_timeout"] // net.times.HZ:
                sk.linger2 = 0
            else:
                sk.linger2 = val * net.times.HZ
        case "TCP_DEFER_ACCEPT":
            sk.defer_accept = 0
            if val > 0:
                while sk.defer_accept < 32 and val > (3 << sk.defer_accept):
                    sk.defer_accept += 1
                sk.defer_accept += 1
        case "TCP_QUICKACK" if net.profile.quickack_option == "yes":
            sk.ack_pingpong = 0 if val else 1
            if val and sk.state in (ESTABLISHED, CLOSE_WAIT) and sk.ack_pending & ACK_SCHED:
                sk.ack_pending |= ACK_PUSHED
                cleanup_rbuf(sk, 1)
                if not val & 1:
                    sk.ack_pingpong = 1
        case "TCP_USER_TIMEOUT" if net.profile.user_timeout == "yes":
            if val < 0:
                return -errno.EINVAL
            sk.user_timeout = val
        case _:
            return -errno.ENOPROTOOPT
    return 0


@mirrors("net/ipv4/tcp.c", omits=["TCP_INFO", "TCP_WINDOW_CLAMP"])
def tcp_getsockopt(sk: Sock, name: str) -> int:
    """Read an option of level SOL_TCP; a negative errno when there is none."""
    sysctl = sk.net.sysctl
    hz = sk.net.times.HZ
    match name:
        case "TCP_MAXSEG":
            if sk.state in (CLOSE, LISTEN) and sk.user_mss:
                return sk.user_mss
            return sk.mss_cache
        case "TCP_NODELAY":
            return int(sk.nonagle & 1)
        case "TCP_CORK":
            return int(sk.nonagle >> 1)
        case "TCP_KEEPIDLE":
            return int(sk.keepalive_time or sysctl["tcp_keepalive_time"]) // hz
        case "TCP_KEEPINTVL":
            return int(sk.keepalive_intvl or sysctl["tcp_keepalive_intvl"]) // hz
        case "TCP_KEEPCNT":
            return int(sk.keepalive_probes or sysctl["tcp_keepalive_probes"])
        case "TCP_SYNCNT":
            return int(sk.syn_retries or sysctl["tcp_syn_retries"])
        case "TCP_LINGER2":
            if sk.net.profile.linger2 == "capped at 120 s" and sk.linger2 == 0:
                return int(sysctl["tcp_fin_timeout"]) // hz
            # The default reads back as 0 in 2.4.0.
            return sk.linger2 // hz if sk.linger2 > 0 else sk.linger2
        case "TCP_DEFER_ACCEPT":
            return 3 << (sk.defer_accept - 1) if sk.defer_accept else 0
        case "TCP_QUICKACK" if sk.net.profile.quickack_option == "yes":
            return int(not sk.ack_pingpong)
        case "TCP_USER_TIMEOUT" if sk.net.profile.user_timeout == "yes":
            return sk.user_timeout
    return -errno.ENOPROTOOPT


# What C declares in the header and defines elsewhere.
from tcpnotes.kernel.tcp_input import URG_VALID, tcp_rfree
from tcpnotes.kernel.tcp_input_ack import tcp_clear_retrans
from tcpnotes.kernel.tcp_ipv4 import (
    release,
    tcp_v4_destroy_sock,
    tcp_v4_do_rcv,
    tcp_v4_get_port,
    tcp_v4_hash,
    tcp_v4_or_free,
)
from tcpnotes.kernel.tcp_minisocks import tcp_time_wait
from tcpnotes.kernel.tcp_output import (
    __tcp_select_window,
    current_mss,
    push_pending_frames,
    tcp_send_ack,
    tcp_send_active_reset,
    tcp_send_fin,
    tcp_send_skb,
)
from tcpnotes.kernel.tcp_timer import (
    tcp_clear_xmit_timers,
    tcp_delete_keepalive_timer,
    tcp_reset_keepalive_timer,
)
