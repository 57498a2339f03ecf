"""A museum of real bugs of closing, each planted into one kernel function of the engine.

`planted` runs a block with one of them in place.  Every bug has a sentence that gives
it away (for the solution), the function it sits in, who had it or what it breaks, and
a scenario in which it shows.  Exploration is to find them all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from tcpnotes.exercises.patch import original, patched
from tcpnotes.kernel import tcp_h, tcp_input, tcp_minisocks, tcp_output, tcp_timer
from tcpnotes.kernel.bucket import TwBucket
from tcpnotes.kernel.net import Net
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
    TIME_WAIT,
    Sock,
    after,
)
from tcpnotes.kernel.task import Task
from tcpnotes.kernel.tcp_h import TW_ACK, TW_RST, TW_SUCCESS
from tcpnotes.trace.segment import ACK, FIN, RST, SYN

TWO_SECONDS = 200  # jiffies


class Bug(NamedTuple):
    """One planted bug.  ``function`` is the kernel function that ``variant`` stands for."""

    name: str
    function: str
    sentence: str
    reference: str
    scenario: str
    variant: Callable[..., Any]


_BUGS: dict[str, Bug] = {}


def _bug(function: str, scenario: str, reference: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Hang a variant in the museum; its docstring is the sentence."""

    def hang(variant: Callable[..., Any]) -> Callable[..., Any]:
        name = variant.__name__
        _BUGS[name] = Bug(name, function, (variant.__doc__ or "").strip(), reference, scenario, variant)
        return variant

    return hang


def bugs() -> tuple[Bug, ...]:
    """All bugs, in the order of a connection's end."""
    return tuple(_BUGS.values())


def bug(name: str | int) -> Bug:
    """The bug called ``name``, or the one with that number, counted from 1, for exercises that do not give it away.

    A ValueError that lists them when there is none.
    """
    if isinstance(name, int) and 1 <= name <= len(_BUGS):
        return bugs()[name - 1]
    try:
        return _BUGS[str(name)]
    except KeyError:
        known = ", ".join(f"{number} {known}" for number, known in enumerate(_BUGS, 1))
        raise ValueError(f"There is no bug {name!r} in the museum; there are: {known}.") from None


@contextmanager
def planted(name: str | int) -> Iterator[Bug]:
    """Run the block with a bug of the museum in place; ``name`` as for `bug`."""
    found = bug(name)
    with patched(**{found.function: found.variant}):
        yield found


# -- the first closer --------------------------------------------------------------------------------------------


@_bug("tcp_close", "close_with_unread_data", "RFC 1122 section 4.2.2.13; RFC 2525 section 2.17")
def fin_despite_unread_data(sk: Sock, timeout: int, task: Task) -> Any:
    """Data that nobody read is thrown away, and the peer gets a FIN as if all were well."""
    for skb in sk.receive_queue:
        skb.seq = skb.end_seq - (skb.flags & FIN) & MAXSEQ
    return original("tcp_close")(sk, timeout, task)


@_bug("tcp_close_state", "closed_window", "the comment in tcp_close: the state moves when the FIN is queued")
def waits_with_the_state(sk: Sock) -> bool:
    """With the peer's window shut, close queues the FIN but leaves the state in ESTABLISHED."""
    if sk.state == ESTABLISHED and sk.snd_wnd == 0:
        return True
    return bool(original("tcp_close_state")(sk))


@_bug("tcp_need_reset", "linger_zero", "RFC 9293 section 3.10.5")
def silent_abort(sk: Sock, state: int) -> bool:
    """An abort with a linger time of zero tells the peer nothing."""
    return False


@_bug("tcp_ack", "fin_rides_on_data", "RFC 9293 section 3.10.7.4: only an ACK of the FIN leads to FIN-WAIT-2")
def any_ack_will_do(sk: Sock, skb: SkBuff, flag: int) -> bool:
    """In FIN_WAIT1 an ACK of data alone counts as an ACK of the FIN."""
    acceptable = bool(original("tcp_ack")(sk, skb, flag))
    if acceptable and sk.state == FIN_WAIT1 and sk.snd_una != sk.write_seq:
        tcp_h.tcp_set_state(sk, FIN_WAIT2)
        if sk.dead:
            tcp_minisocks.tcp_time_wait(sk, FIN_WAIT2, tcp_h.tcp_fin_time(sk))
    return acceptable


@_bug("tcp_data", "half_close", "RFC 9293 section 3.6.1; RFC 1122 section 4.2.2.13")
def deaf_after_half_close(sk: Sock, skb: SkBuff) -> Any:
    """After shutdown for writing, data that still comes is dropped."""
    if sk.state in (FIN_WAIT1, FIN_WAIT2) and skb.end_seq != skb.seq and not skb.flags & FIN:
        return False
    return original("tcp_data")(sk, skb)


# -- the FIN arrives ---------------------------------------------------------------------------------------------


@_bug("tcp_data_queue", "fin_overtakes_data", "RFC 9293 section 3.10.7.4: segments are processed in order")
def impatient_fin(sk: Sock, skb: SkBuff) -> Any:
    """A FIN that arrives before the data in front of it is taken at once."""
    if skb.flags & FIN and after(skb.seq, sk.rcv_nxt):
        tcp_input.tcp_fin(sk, skb)
    return original("tcp_data_queue")(sk, skb)


@_bug("tcp_fin", "simultaneous_close", "FreeRTOS-Plus-TCP, issue 1303")
def passive_at_heart(sk: Sock, skb: SkBuff) -> Any:
    """A FIN in FIN_WAIT1 leads to CLOSE_WAIT, as if the other side had closed first."""
    if sk.state != FIN_WAIT1:
        return original("tcp_fin")(sk, skb)
    tcp_h.tcp_set_state(sk, CLOSE_WAIT)
    tcp_output.tcp_send_ack(sk)
    sk.shutdown |= 1
    return None


@_bug("tcp_fin", "simultaneous_close", "soypat/seqs, issue 19")
def one_too_few(sk: Sock, skb: SkBuff) -> Any:
    """When both close at once, the ACK that answers the FIN does not cover it."""
    if sk.state != FIN_WAIT1:
        return original("tcp_fin")(sk, skb)
    sk.rcv_nxt = (sk.rcv_nxt - 1) & MAXSEQ
    try:
        return original("tcp_fin")(sk, skb)
    finally:
        sk.rcv_nxt = (sk.rcv_nxt + 1) & MAXSEQ


# -- CLOSING, CLOSE_WAIT, LAST_ACK -------------------------------------------------------------------------------


@_bug("tcp_retransmit_timer", "fin_lost_in_closing", "smoltcp, pull request 398")
def gives_up_in_closing(sk: Sock) -> Any:
    """In CLOSING the FIN is never sent again."""
    return None if sk.state == CLOSING else original("tcp_retransmit_timer")(sk)


@_bug("tcp_retransmit_skb", "fin_lost_in_closing", "microsoft/demikernel, issue 1537")
def forgets_the_flag(sk: Sock, skb: SkBuff) -> Any:
    """In CLOSING the FIN is sent again without its flag."""
    if sk.state != CLOSING:
        return original("tcp_retransmit_skb")(sk, skb)
    flags, end = skb.flags, skb.end_seq
    skb.flags &= ~FIN
    try:
        return original("tcp_retransmit_skb")(sk, skb)
    finally:
        skb.flags, skb.end_seq = flags, end


@_bug("tcp_retransmit_timer", "half_close_data_lost", "RFC 9293 section 3.8.1: what is sent is timed, in any state")
def no_second_try_in_close_wait(sk: Sock) -> Any:
    """The retransmission timer does nothing in CLOSE_WAIT: what is lost there stays lost."""
    return None if sk.state == CLOSE_WAIT else original("tcp_retransmit_timer")(sk)


@_bug("tcp_done", "linger_in_last_ack", "a wake-up lost on the way out of LAST_ACK; POSIX, SO_LINGER")
def oversleeps(sk: Sock) -> Any:
    """The ACK of the last FIN does not wake the process that lingers in close."""
    if sk.state == LAST_ACK and not sk.dead:
        tcp_h.tcp_set_state(sk, CLOSE)
        tcp_timer.tcp_clear_xmit_timers(sk)
        return None
    return original("tcp_done")(sk)


# -- TIME_WAIT ---------------------------------------------------------------------------------------------------


@_bug("tcp_time_wait", "orderly_close", "RFC 1122 section 4.2.2.13: 2MSL in TIME-WAIT")
def no_time_wait(sk: Sock, state: int, timeo: int) -> Any:
    """There is no bucket at all: the connection is forgotten at once."""
    return tcp_h.tcp_done(sk)


@_bug("tcp_tw_schedule", "orderly_close", "RFC 1122 section 4.2.2.13: 2MSL in TIME-WAIT")
def two_seconds(tw: TwBucket, timeo: int) -> Any:
    """TIME_WAIT lasts two seconds."""
    return original("tcp_tw_schedule")(tw, min(timeo, TWO_SECONDS) if tw.substate == TIME_WAIT else timeo)


@_bug("tcp_tw_schedule", "simultaneous_close", "mirage-tcpip, issue 489")
def timer_forgotten(tw: TwBucket, timeo: int) -> Any:
    """CLOSING leads to TIME_WAIT without a timer: the bucket stays for ever."""
    if tw.substate == TIME_WAIT and tw.cell < 0:
        return None
    return original("tcp_tw_schedule")(tw, timeo)


@_bug("tcp_tw_schedule", "fin_wait2_time_out", "the RFCs know no limit; Linux has tcp_fin_timeout because of this")
def waits_for_ever(tw: TwBucket, timeo: int) -> Any:
    """A bucket in FIN_WAIT2 has no time limit: a peer that never closes keeps it for ever."""
    return None if tw.substate == FIN_WAIT2 else original("tcp_tw_schedule")(tw, timeo)


@_bug(
    "tcp_reset_keepalive_timer",
    "fin_wait2_long",
    "the RFCs know no limit; Linux has tcp_fin_timeout and TCP_LINGER2 because of this",
)
def orphan_for_ever(sk: Sock, length: int) -> Any:
    """An orphan in FIN_WAIT2 is put on no timer."""
    return None if sk.state == FIN_WAIT2 and sk.dead else original("tcp_reset_keepalive_timer")(sk, length)


@_bug("tcp_timewait_state_process", "last_ack_lost", "PyTCP 2.7 and the 3.0 pre-release")
def says_it_once(tw: TwBucket, skb: SkBuff) -> Any:
    """In TIME_WAIT a FIN that comes again is not acknowledged again."""
    if tw.substate == TIME_WAIT and skb.flags & FIN:
        return TW_SUCCESS, 0
    return original("tcp_timewait_state_process")(tw, skb)


@_bug("tcp_timewait_state_process", "last_ack_lost", "RFC 9293 section 3.10.7.4: restart the 2 MSL time-out")
def clock_not_restarted(tw: TwBucket, skb: SkBuff) -> Any:
    """A FIN that comes again in TIME_WAIT is acknowledged, but the time does not start again."""
    if tw.substate == TIME_WAIT and skb.flags & FIN:
        return TW_ACK, 0
    return original("tcp_timewait_state_process")(tw, skb)


@_bug(
    "tcp_timewait_state_process", "reset_in_time_wait", "gVisor ignores it, Linux obeys; RFC 1337 is about the choice"
)
def immortal(tw: TwBucket, skb: SkBuff) -> Any:
    """A RESET does not end TIME_WAIT, though tcp_rfc1337 is off."""
    if tw.substate == TIME_WAIT and skb.flags & RST:
        return TW_SUCCESS, 0
    return original("tcp_timewait_state_process")(tw, skb)


@_bug("tcp_timewait_state_process", "syn_meets_time_wait", "RFC 1122 section 4.2.2.13: a SYN may reopen, not destroy")
def killed_by_a_syn(tw: TwBucket, skb: SkBuff) -> Any:
    """Any SYN ends TIME_WAIT and is answered by a RESET."""
    if tw.substate == TIME_WAIT and skb.flags & SYN and not skb.flags & ACK:
        tcp_minisocks.tcp_tw_deschedule(tw)
        tcp_minisocks.tcp_timewait_kill(tw)
        return TW_RST, 0
    return original("tcp_timewait_state_process")(tw, skb)


@_bug("tcp_close", "half_close", "the application's close is no news to TCP in TIME-WAIT (RFC 9293 section 3.10.4)")
def close_ends_time_wait(sk: Sock, timeout: int, task: Task) -> Any:
    """The application's own close, after a shutdown, ends TIME_WAIT early."""
    net = sk.net
    for tw in [tw for tw in net.tw_hash.values() if (tw.num, tw.dport) == (sk.sport, sk.dport)]:
        tcp_minisocks.tcp_tw_deschedule(tw)
        tcp_minisocks.tcp_timewait_kill(tw)
    return original("tcp_close")(sk, timeout, task)


@_bug("tcp_twkill", "orderly_close", "a counter that stops short of its wrap leaves buckets for ever")
def stuck_wheel(net: Net) -> Any:
    """The slow wheel stops before its last slot: buckets there are never deleted."""
    return None if net.tw_death_slot == 7 else original("tcp_twkill")(net)
