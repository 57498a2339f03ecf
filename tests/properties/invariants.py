"""What must hold in every world between two events: `broken` says what does not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from tcpnotes.kernel.net import Net
from tcpnotes.kernel.skbuff import LOST, SACKED_ACKED, SACKED_RETRANS, SkBuff
from tcpnotes.kernel.sock import (
    CLOSE,
    ESTABLISHED,
    FIN_WAIT2,
    LISTEN,
    MAXSEQ,
    STATE_NAMES,
    SYN_RECV,
    SYN_SENT,
    TIME_WAIT,
    Sock,
    after,
    before,
)
from tcpnotes.world import Host, World

PAGE = 4096


def broken(world: World) -> list[str]:
    """Every invariant that does not hold, as a sentence; empty when all is well."""
    return [f"{name}: {what}" for name, host in world.hosts.items() for what in _host(host)]


def _host(host: Host) -> Iterator[str]:
    net = host.net
    for sk in net.socks.values():
        for what in (*_sock(sk), *_tables(net, sk)):
            yield f"socket {sk.id} ({STATE_NAMES[sk.state]}): {what}"
    yield from _counts(net)
    yield from _buckets(net)
    yield from _calls(host)


def _in_order(*numbers: int) -> bool:
    return not any(after(a, b) for a, b in zip(numbers, numbers[1:], strict=False))


# -- one socket ----------------------------------------------------------------------------------------------


def _sock(sk: Sock) -> Iterator[str]:
    if sk.state == TIME_WAIT or not 1 <= sk.state <= 11:
        yield f"a socket in state {sk.state}"
    if sk.freed:
        yield "freed, but still there"
    if sk.wmem_queued != sum(skb.truesize for skb in sk.write_queue):
        yield f"wmem_queued is {sk.wmem_queued}, write_queue holds {sum(skb.truesize for skb in sk.write_queue)}"
    held = sum(skb.truesize for queue in (sk.receive_queue, sk.out_of_order_queue) for skb in queue)
    if sk.rmem_alloc != held:
        yield f"rmem_alloc is {sk.rmem_alloc}, the receiving queues hold {held}"
    if sk.prequeue and sk.ucopy_task is None:
        yield "segments are parked for a reader that does not exist"
    if sk.state == LISTEN:
        yield from _listener(sk)
        return
    if sk.listen_opt is not None or sk.accept_queue:
        yield "a listener's tables without LISTEN"
    if sk.state == CLOSE:
        if sk.dead:
            yield "a dead socket in CLOSE was not destroyed"
        # (A writer that a RESET woke may leave a probe timer behind, which finds nothing to do.)
        if sk.delack_timer is not None:
            yield "a delayed ACK is due in CLOSE"
        return
    yield from _receiving(sk)
    yield from _sending(sk)
    yield from _timers(sk)


def _receiving(sk: Sock) -> Iterator[str]:
    if sk.state == SYN_SENT:
        return
    if not _in_order(sk.rcv_wup, sk.rcv_nxt) or not _in_order(sk.copied_seq, sk.rcv_nxt):
        yield f"rcv_wup {sk.rcv_wup}, copied_seq {sk.copied_seq} beyond rcv_nxt {sk.rcv_nxt}"
    queue = sk.receive_queue
    for skb, following in zip(queue, queue[1:], strict=False):
        if after(following.seq, skb.end_seq) or not after(following.end_seq, skb.end_seq):
            yield f"receive_queue: {following} behind {skb}"
    if queue and queue[-1].end_seq != sk.rcv_nxt:
        yield f"receive_queue ends at {queue[-1].end_seq}, rcv_nxt is {sk.rcv_nxt}"
    ofo = sk.out_of_order_queue
    for skb in ofo:
        if not after(skb.seq, sk.rcv_nxt):
            yield f"out_of_order_queue holds {skb}, rcv_nxt is {sk.rcv_nxt}"
    for skb, following in zip(ofo, ofo[1:], strict=False):
        if before(following.seq, skb.seq) or not after(following.end_seq, skb.end_seq):
            yield f"out_of_order_queue: {following} behind {skb}"
    if ofo and sk.done:
        yield "something is out of order behind the peer's FIN"
    if ofo and sk.pred_flags is not None:
        yield "header prediction is on with segments out of order"


def _sending(sk: Sock) -> Iterator[str]:
    if not _in_order(sk.snd_una, sk.snd_nxt, sk.write_seq):
        yield f"snd_una {sk.snd_una}, snd_nxt {sk.snd_nxt}, write_seq {sk.write_seq} out of order"
    queue = sk.write_queue
    for skb, following in zip(queue, queue[1:], strict=False):
        if following.seq != skb.end_seq:
            yield f"write_queue: {following} behind {skb}"
    for skb in queue:
        if (skb.end_seq - skb.seq) & MAXSEQ != skb.len + (skb.flags & 1) + (skb.flags >> 1 & 1):
            yield f"{skb} does not span its numbers"
    if queue:
        if queue[-1].end_seq != sk.write_seq:
            yield f"write_queue ends at {queue[-1].end_seq}, write_seq is {sk.write_seq}"
        if after(queue[0].seq, sk.snd_una) or not after(queue[0].end_seq, sk.snd_una):
            yield f"write_queue begins with {queue[0]}, snd_una is {sk.snd_una}"
    elif sk.snd_una != sk.write_seq:
        yield f"write_queue is empty, but {sk.write_seq} is not acked (snd_una {sk.snd_una})"
    sent: list[SkBuff] = queue
    if sk.send_head is not None:
        places = [i for i, skb in enumerate(queue) if skb is sk.send_head]
        if len(places) != 1:
            yield "send_head is not in write_queue"
            return
        sent = queue[: places[0]]
        if sk.send_head.seq != sk.snd_nxt:
            yield f"send_head is {sk.send_head}, snd_nxt is {sk.snd_nxt}"
    elif sk.snd_nxt != sk.write_seq:
        yield f"nothing is unsent, but snd_nxt is {sk.snd_nxt} and write_seq {sk.write_seq}"
    if sk.packets_out != len(sent):
        yield f"packets_out is {sk.packets_out}, {len(sent)} buffers are sent and unacked"
    marks = [skb.sacked for skb in sent]
    for name, bit in (("retrans_out", SACKED_RETRANS), ("lost_out", LOST), ("sacked_out", SACKED_ACKED)):
        if name == "sacked_out" and not sk.sack_ok:
            continue  # there it counts duplicate ACKs
        if getattr(sk, name) != sum(1 for mark in marks if mark & bit):
            yield f"{name} is {getattr(sk, name)}, marked are {sum(1 for mark in marks if mark & bit)}"
    if not 0 <= sk.left_out <= sk.packets_out or sk.packets_out - sk.left_out + sk.retrans_out < 0:
        yield f"in flight: {sk.packets_out} out, {sk.left_out} left, {sk.retrans_out} again"
    if sk.snd_cwnd < 1 or sk.snd_ssthresh < 2:
        yield f"cwnd {sk.snd_cwnd}, ssthresh {sk.snd_ssthresh}"
    if not 1 <= sk.rto <= 120 * sk.net.times.HZ:
        yield f"rto is {sk.rto}"


def _timers(sk: Sock) -> Iterator[str]:
    # (A tail loss probe stands for a retransmission where a profile has it.)
    if sk.packets_out and (sk.pending in (0, 3) or sk.retransmit_timer is None):
        yield "something is in flight and no retransmission is due"
    if sk.send_head is not None and not sk.packets_out and (sk.pending != 3 or sk.retransmit_timer is None):
        yield "something waits to be sent, nothing is in flight, and nothing probes"
    if sk.pending and sk.retransmit_timer is None:
        yield f"timer {sk.pending} is pending but does not run"
    if sk.ack_pending & 2 and sk.delack_timer is None:
        yield "a delayed ACK is pending but its timer does not run"
    if sk.dead and sk.state == FIN_WAIT2 and sk.timer is None:
        yield "an orphan in FIN_WAIT2 that no timer ends"


def _listener(sk: Sock) -> Iterator[str]:
    lopt = sk.listen_opt
    if lopt is None:
        yield "no table of open requests"
        return
    requests = [req for chain in lopt.syn_table.values() for req in chain]
    if lopt.qlen != len(requests) or lopt.qlen_young != sum(1 for req in requests if not req.retrans):
        yield f"qlen {lopt.qlen}, young {lopt.qlen_young}; the table holds {len(requests)}"
    if any(not chain for chain in lopt.syn_table.values()):
        yield "an empty chain is kept"
    if sk.net.profile.synack_timer == "one each":
        if any(req.timer is None for req in requests):
            yield "a half-open connection without the timer that repeats its SYN,ACK"
    elif requests and sk.timer is None:
        yield "half-open connections, and no timer that repeats their SYN,ACK"
    if sk.ack_backlog != len(sk.accept_queue):
        yield f"ack_backlog is {sk.ack_backlog}, accept_queue holds {len(sk.accept_queue)}"
    for req in sk.accept_queue:
        if req.sk not in sk.net.socks:
            yield f"accept_queue leads to socket {req.sk}, which is gone"


# -- tables ------------------------------------------------------------------------------------------------------


def _tables(net: Net, sk: Sock) -> Iterator[str]:
    if sk.hashed:
        if sk.state == CLOSE:
            yield "hashed in CLOSE"
        elif sk.state == LISTEN:
            if sk not in net.listening.get(sk.num, []):
                yield "a listener that is not in its table"
        elif net.ehash.get(sk.pair) is not sk:
            yield "not where segments would find it"
    elif sk.state != CLOSE:
        yield "not hashed"
    port = net.bhash.get(sk.num) if sk.num else None
    if sk.bound != (port is not None and sk.id in port.owners):
        yield f"bound is {sk.bound}, which port {sk.num} does not confirm"


def _counts(net: Net) -> Iterator[str]:
    socks = net.socks.values()
    dead = sum(1 for sk in socks if sk.dead)
    if net.orphan_count != dead:
        yield f"orphan_count is {net.orphan_count}, {dead} sockets are dead"
    if net.sockets_allocated != len(net.socks):
        yield f"sockets_allocated is {net.sockets_allocated}, there are {len(net.socks)}"
    established = sum(1 for sk in socks if sk.state == ESTABLISHED)
    if net.mib.get("TcpCurrEstab", 0) != established:
        yield f"TcpCurrEstab is {net.mib.get('TcpCurrEstab', 0)}, {established} sockets are ESTABLISHED"
    if any(value < 0 for value in net.mib.values()):
        yield f"a counter is negative: {net.mib}"
    memory = sum(sk.forward_alloc + sk.wmem_queued + sk.rmem_alloc for sk in socks)
    if memory != net.memory_allocated * PAGE:
        yield f"memory_allocated is {net.memory_allocated} pages, sockets hold {memory} bytes"
    if net.doomed:
        yield "destroyed sockets were not freed"
    for key, sk in net.ehash.items():
        if net.socks.get(sk.id) is not sk or not sk.hashed or key != sk.pair:
            yield f"the established hash leads to {sk}, which does not belong there"
    for port, listeners in net.listening.items():
        for sk in listeners:
            if net.socks.get(sk.id) is not sk or sk.state != LISTEN or sk.num != port:
                yield f"the listening hash leads to {sk}, which does not belong there"
    for number, port_ in net.bhash.items():
        if not port_.owners and not port_.buckets:
            yield f"port {number} is held by nobody"
        for owner in port_.owners:
            if owner not in net.socks or net.socks[owner].num != number:
                yield f"port {number} is held by socket {owner}, which does not know of it"


def _buckets(net: Net) -> Iterator[str]:
    hung = [tw for cell in net.tw_cells for tw in cell]
    if net.profile.time_wait_timer == "one each":
        if hung or net.tw_timer is not None or net.twcal_timer is not None:
            yield "a wheel turns where every bucket has a timer of its own"
        hung = list(net.tw_hash.values())
        if any(tw.timer is None for tw in hung):
            yield "a bucket that no timer ends"
    elif bool(net.tw_count) != (net.tw_timer is not None):
        yield f"{net.tw_count} buckets, and the slow timer {'runs' if net.tw_timer else 'stands'}"
    if net.tw_count != len(hung) or len(hung) != len(net.tw_hash):
        yield f"tw_count is {net.tw_count}, {len(hung)} buckets have a time to die, {len(net.tw_hash)} are hashed"
    for number, cell in enumerate(net.tw_cells):
        for tw in cell:
            if tw.cell != number or net.tw_hash.get(tw.key) is not tw:
                yield f"{tw} hangs in cell {number} but says {tw.cell}"
    if any(net.tw_cells[8:]) and (net.twcal_timer is None or net.twcal_hand < 0):
        yield "buckets on the calendar, and its timer stands"
    for tw in hung:
        if tw.substate not in (FIN_WAIT2, TIME_WAIT):
            yield f"{tw} has substate {tw.substate}"
    held: Counter[tuple[int, int, int]] = Counter((tw.num, tw.rcv_saddr, tw.reuse) for tw in hung)
    ports = {(number, *kind): n for number, port in net.bhash.items() for kind, n in port.buckets.items()}
    if ports != dict(held):
        yield f"ports say they are held by {ports}, buckets say {dict(held)}"


# -- applications --------------------------------------------------------------------------------------------------


def _calls(host: Host) -> Iterator[str]:
    net, processes = host.net, host.processes
    for fd, file in processes.files.items():
        sk = net.socks.get(file.sk)
        if sk is None or sk.dead:
            yield f"descriptor {fd} leads to a socket that is {'gone' if sk is None else 'dead'}"
    if net.run_queue:
        yield f"tasks {net.run_queue} could run, and do not"
    for task in net.tasks.values():
        if not task.asleep or task.sk not in net.socks:
            yield f"task {task.id} ({task.call}) sleeps on nothing"
    waiting = [sk.id for sk in net.socks.values() if not sk.dead and sk.state != SYN_RECV]
    reachable = {file.sk for file in processes.files.values()}
    reachable |= {task.sk for task in net.tasks.values() if task.sk is not None}
    reachable |= {file.sk for file in processes.fput_later.values()}
    reachable |= {req.sk for sk in net.socks.values() for req in sk.accept_queue if req.sk is not None}
    lost = [number for number in waiting if number not in reachable]
    if lost:
        yield f"sockets {lost} belong to nobody and are not dead"
