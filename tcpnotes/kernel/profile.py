"""Where versions differ: each difference is a named behaviour, and all of them stand here.

A `Profile` is a frozen set of values, one for each behaviour.  Kernel functions
ask for a behaviour by name; nowhere is there a test for a version.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Behaviour(NamedTuple):
    """One thing that may be done in more than one way."""

    name: str
    sentence: str
    values: tuple[str, ...]
    source: str


BEHAVIOURS = (
    # -- when the application closes, and what the peer may still say
    Behaviour(
        "data_before_fin_ack",
        "Ordinary data that arrives after our close and before the ACK of our FIN: "
        "reset the connection, or drop the data, acknowledge and go on.",
        ("reset", "drop and ack"),
        "source items 3.3 and 3.4; tcp_rcv_state_process, step 7",
    ),
    Behaviour(
        "fin_seq",
        "The number kept from the peer's FIN: one past the FIN, or the FIN's own.",
        ("past", "own"),
        "source items 2.1 and 2.5; tcp_fin",
    ),
    Behaviour(
        "unread_data",
        "What counts as unread when close looks: all bytes that stand in receive_queue, "
        "or only those beyond what the reader has had (copied_seq).",
        ("queued bytes", "beyond copied_seq"),
        "tcp_close; 6.18 __tcp_close; RFC 2525 section 2.17",
    ),
    Behaviour(
        "close_of_dead",
        "Close with unread data on a connection that is over already: one more RESET, or nothing.",
        ("reset", "silent"),
        "tcp_close; 6.18 __tcp_close goes to adjudge_to_death when the state is CLOSE",
    ),
    Behaviour(
        "fin_push",
        "A FIN that rides on unsent data: sent at once only if that data is next, or whatever may leave is pushed.",
        ("next buffer", "everything"),
        "tcp_send_fin; 6.18 ends in __tcp_push_pending_frames either way",
    ),
    Behaviour(
        "fin_cwnd",
        "A FIN when the congestion window is full: leaves all the same, or waits as any segment does.",
        ("leaves", "as any"),
        "tcp_snd_test; 6.18 tcp_cwnd_test",
    ),
    Behaviour(
        "last_ack_text",
        "Text that arrives in LAST_ACK: not looked at, or treated as in CLOSE_WAIT (new data resets).",
        ("ignored", "as in CLOSE_WAIT"),
        "tcp_rcv_state_process, step 7",
    ),
    Behaviour(
        "linger2",
        "TCP_LINGER2 above its limit: back to the default, or down to 120 s; read back: 0 or the 60 s it stands for.",
        ("default above tcp_fin_timeout", "capped at 120 s"),
        "tcp_setsockopt, tcp_getsockopt; 6.18 do_tcp_setsockopt, TCP_FIN_TIMEOUT_MAX",
    ),
    Behaviour(
        "long_fin_wait2",
        "An orphan that may stay in FIN_WAIT2 for more than 60 s waits as a socket first: for all of that time, "
        "or for what goes beyond the 60 s that its bucket then takes.",
        ("all of it", "all but 60 s"),
        "tcp_close; 6.18 __tcp_close",
    ),
    Behaviour(
        "orphan_limit",
        "When an orphan that hears nothing is given up: after a number of tries, or after the time they would take.",
        ("tries", "time"),
        "tcp_write_timeout; 6.18 retransmits_timed_out, tcp_model_timeout",
    ),
    Behaviour(
        "orphan_probes",
        "An orphan whose window probes are answered by a shut window: kept for ever, or given up in the end.",
        ("kept", "given up"),
        "tcp_probe_timer",
    ),
    Behaviour(
        "reset_purges",
        "On a RESET unsent and unacked data: stays until the owner closes, or goes at once, before anybody is woken.",
        ("no", "yes"),
        "tcp_reset; 6.18 tcp_reset calls tcp_write_queue_purge, then tcp_done, then sk_error_report",
    ),
    Behaviour(
        "sigpipe",
        "SIGPIPE for a write on a connection that is over: only with keepalive on, or always.",
        ("with keepalive", "always"),
        "wait_for_tcp_connect; 6.18 sk_stream_error",
    ),
    Behaviour(
        "poll_rdhup",
        "POLLRDHUP with the peer's FIN, and POLLOUT although our direction is shut (a write would fail at once).",
        ("no", "yes"),
        "tcp_poll",
    ),
    # -- what is believed of a segment
    Behaviour(
        "rst_in_window",
        "A RESET inside the window: always believed, or only at exactly rcv_nxt and otherwise challenged by an ACK.",
        ("believed", "exact or challenged"),
        "tcp_rcv_established, tcp_rcv_state_process; RFC 5961 section 3, 6.18 tcp_validate_incoming",
    ),
    Behaviour(
        "syn_in_window",
        "A SYN on a connection that stands: resets it, or is challenged by an ACK.",
        ("resets", "challenged"),
        "the same; RFC 5961 section 4",
    ),
    Behaviour(
        "ack_of_unsent",
        "An ACK of what was never sent, or of the distant past: ignored, its text processed; "
        "or the segment dropped and challenged by an ACK.",
        ("ignored", "challenged"),
        "tcp_ack; RFC 5961 section 5, RFC 9293 section 3.10.7.4, 6.18 tcp_ack (in every state since a fix of 2026)",
    ),
    Behaviour(
        "without_ack_flag",
        "A segment with neither ACK, RST nor SYN: its text processed in ESTABLISHED, or dropped.",
        ("processed", "dropped"),
        "tcp_rcv_established; 6.18 the same function, RFC 9293 section 3.10.7.4, fifth check",
    ),
    Behaviour(
        "ack_limit",
        "Answers to segments outside the window that carry no data: always, or at most one in half a second.",
        ("none", "500 ms"),
        "tcp_send_dupack, tcp_timewait_state_process; 6.18 tcp_oow_rate_limited, tcp_invalid_ratelimit",
    ),
    Behaviour(
        "syn_with_rst",
        "A SYN that also carries RST or FIN, to a listener: opens a connection, or is dropped.",
        ("opens", "dropped"),
        "tcp_rcv_state_process, LISTEN",
    ),
    Behaviour(
        "dsack_of_filled",
        "What a D-SACK says of out-of-order data that came again with what filled the hole: "
        "up to the end of the filler, or each piece as it stood.",
        ("up to the filler", "each piece"),
        "tcp_ofo_queue",
    ),
    Behaviour(
        "window_test",
        "The left edge of the window test: what was received (rcv_nxt), or what was acknowledged last (rcv_wup).",
        ("rcv_nxt", "rcv_wup"),
        "tcp_sequence",
    ),
    Behaviour(
        "window_shuts",
        "A window of zero in an ACK that brings nothing else new: not believed, or believed.",
        ("not believed", "believed"),
        "tcp_may_update_window; since 6.6",
    ),
    Behaviour(
        "fin_at_shut_window",
        "A bare FIN at the edge of a window that is shut, or for which no memory is left: refused, or taken.",
        ("refused", "taken"),
        "tcp_sequence; 6.18 tcp_data_queue",
    ),
    # -- TIME_WAIT
    Behaviour(
        "time_wait_timer",
        "How buckets die: on two wheels that all share (52.5 to 60 s), or each on a timer of its own (60 s).",
        ("two wheels", "one each"),
        "tcp_tw_schedule; since 4.1 inet_twsk_schedule",
    ),
    Behaviour(
        "time_wait_rfc1337",
        "A RESET that tcp_rfc1337 makes a bucket ignore: the 60 s begin anew, or go on.",
        ("restarts", "goes on"),
        "tcp_timewait_state_process",
    ),
    Behaviour(
        "time_wait_fin",
        "The FIN that a bucket in FIN_WAIT2 waits for: any, or one with the ACK flag; "
        "a SYN at or beyond rcv_nxt resets there.",
        ("any", "with ACK"),
        "tcp_timewait_state_process",
    ),
    Behaviour(
        "time_wait_overflow",
        "A connection for whose bucket there is no room is over at once: a line in the log says so, or a counter, "
        "TCPTimeWaitOverflow.",
        ("line in the log", "counter"),
        "tcp_time_wait; since 3.2 the counter",
    ),
    Behaviour(
        "time_wait_recycle",
        "tcp_tw_recycle shortens TIME_WAIT to 3.5 timeouts and remembers the timestamps of peers: there, or not.",
        ("tcp_tw_recycle", "no"),
        "tcp_time_wait, tcp_v4_conn_request, tcp_v4_connect; removed in 4.12",
    ),
    Behaviour(
        "time_wait_reuse",
        "Connecting where a bucket with timestamps still stands: always; or, from a port that connect itself chose, "
        "only as tcp_tw_reuse says (1: yes, 2: over loopback) and 1 s after TIME_WAIT began (tcp_tw_reuse_delay).",
        ("with timestamps", "tcp_tw_reuse"),
        "tcp_v4_check_established; 6.18 tcp_twsk_unique",
    ),
    Behaviour(
        "connect_port",
        "The port that connect chooses: one that nobody holds, or one that only other connects chose "
        "and from which the pair of ends is free.",
        ("held by nobody", "pair of ends free"),
        "tcp_v4_get_port; 6.18 __inet_hash_connect",
    ),
    Behaviour(
        "no_free_port",
        "A connect that finds no free port: try again later, or no address to be had.",
        ("EAGAIN", "EADDRNOTAVAIL"),
        "inet_stream_connect; 6.18 __inet_hash_connect",
    ),
    # -- time
    Behaviour(
        "hz",
        "Ticks of the clock in a second: timers run on them, timestamps and round trips count in them.",
        ("100", "250", "1000"),
        "include/asm-i386/param.h of 2.4; CONFIG_HZ of 6.x, whose timestamps are milliseconds in any case",
    ),
    Behaviour(
        "timeout_init",
        "Seconds to wait for an answer before any round trip was measured.",
        ("3", "1"),
        "TCP_TIMEOUT_INIT; RFC 1122 4.2.3.1, RFC 6298 section 2",
    ),
    Behaviour(
        "handshake_rtt",
        "The round trip of the handshake: forgotten without timestamps, or the first sample.",
        ("forgotten", "kept"),
        "tcp_init_metrics; 6.18 tcp_synack_rtt_meas, tcp_init_metrics",
    ),
    Behaviour(
        "first_variation",
        "What the first round trip counts for in the timeout: five of it, or three (0.2 s more at least).",
        ("5 round trips", "3 round trips"),
        "tcp_rtt_estimator; RFC 6298 section 2",
    ),
    Behaviour(
        "retransmit_rearm",
        "The timer after a partial ACK: timeout and variation less the age of the oldest, or that one's own timeout.",
        ("with variation", "from its sending"),
        "tcp_ack_packets_out; 6.18 tcp_rearm_rto",
    ),
    Behaviour(
        "repeated",
        "A segment that was acknowledged in part is repeated whole, or only the rest of it; what follows is taken "
        "along if there is less than half a segment, or whenever both fit into one.",
        ("whole", "the rest"),
        "tcp_retransmit_skb; 6.18 __tcp_retransmit_skb, tcp_retrans_try_collapse",
    ),
    Behaviour(
        "tail_loss_probe",
        "With SACK, the last segment is sent again after two round trips, before the retransmission timeout.",
        ("no", "yes"),
        "RFC 8985 section 7; 6.18 tcp_schedule_loss_probe, tcp_send_loss_probe",
    ),
    Behaviour(
        "loss_by_time",
        "A segment counts as lost as soon as one that was sent clearly later has arrived, not only after the third.",
        ("no", "yes"),
        "RFC 8985; 6.18 tcp_rack_mark_lost",
    ),
    Behaviour(
        "syn_repeats",
        "SYNs that nobody answers: each after twice the time, or the first four at even times "
        "(tcp_syn_linear_timeouts).",
        ("doubling", "four even ones"),
        "tcp_retransmit_timer",
    ),
    Behaviour(
        "synack_timer",
        "SYN,ACKs are repeated by the listener's timer as it goes round its table, or each by a timer of its own.",
        ("the listener's", "one each"),
        "tcp_synack_timer; 6.18 reqsk_timer_handler",
    ),
    Behaviour(
        "user_timeout",
        "TCP_USER_TIMEOUT bounds how long sent data may stay unacked, in milliseconds.",
        ("no", "yes"),
        "RFC 5482; 6.18 tcp_write_timeout, tcp_clamp_rto_to_user_timeout",
    ),
    # -- ACKs, windows, sizes
    Behaviour(
        "quick_acks",
        "A run of immediate ACKs is used up by every ACK, or by those that acknowledge data; "
        "the first data also ends the interactive mode, or does not.",
        ("every ACK", "ACKs of data"),
        "tcp_event_ack_sent, tcp_event_data_recv; 6.18 tcp_dec_quickack_mode",
    ),
    Behaviour(
        "ack_of_hole",
        "The ACK of data beyond a hole, or that overlaps what is there: begins a run of immediate ones, or none.",
        ("begins a run", "alone"),
        "tcp_data_queue; since 4.18",
    ),
    Behaviour(
        "quickack_option",
        "TCP_QUICKACK asks for immediate ACKs, or for delayed ones.",
        ("no", "yes"),
        "6.18 __tcp_sock_set_quickack",
    ),
    Behaviour(
        "prequeue",
        "Segments for a process asleep in recv are parked for it to handle itself.",
        ("yes", "no"),
        "tcp_prequeue; removed in 4.14",
    ),
    Behaviour(
        "msg_more",
        "MSG_MORE holds a partial segment back, as TCP_CORK would for one call.",
        ("no", "yes"),
        "tcp_sendmsg; in 2.4 since 2.4.4",
    ),
    Behaviour(
        "cork_with_nodelay",
        "TCP_CORK and TCP_NODELAY exclude each other, or can both be set.",
        ("no", "yes"),
        "tcp_setsockopt; since 2.6",
    ),
    Behaviour(
        "initial_cwnd",
        "Segments that may leave at the start of a connection.",
        ("2", "10"),
        "tcp_init_cwnd; RFC 6928, TCP_INIT_CWND",
    ),
    Behaviour(
        "send_buffer",
        "What the send buffer of a new connection holds at least: three segments, or two congestion windows.",
        ("3 segments", "2 windows"),
        "tcp_fixup_sndbuf; 6.18 tcp_sndbuf_expand",
    ),
    Behaviour(
        "initial_window",
        "The window of a SYN: a few segments of at most 32 767 bytes, or all that the buffer allows up to 65 535.",
        ("4 segments", "65535"),
        "tcp_select_initial_window",
    ),
    Behaviour(
        "window_share",
        "How much of the receive buffer may be offered as window: three quarters, or the share that payload "
        "was seen to take of the memory it came in (half at first).",
        ("three quarters", "measured"),
        "tcp_win_from_space, tcp_adv_win_scale; since 6.6 tcp_measure_rcv_mss sets scaling_ratio",
    ),
    Behaviour(
        "small_receive_buffer",
        "A receive buffer too small for four segments when a connection is made: made larger, or left as it was set.",
        ("four segments", "as set"),
        "tcp_fixup_rcvbuf; tcp_init_buffer_space has done without it since 5.0",
    ),
    Behaviour(
        "syn_window",
        "The window of a SYN,ACK when the peer's largest window is noted, of which a segment takes half at most: "
        "scaled like any other, or as it stands.",
        ("scaled", "as it stands"),
        "tcp_ack_update_window; RFC 7323 section 2.2",
    ),
    Behaviour(
        "buffer_cost",
        "What a received segment is charged with: its bytes in a tight buffer of 32-bit Linux, or in a slab of 64-bit.",
        ("tight", "slab"),
        "skb->truesize; SKB_TRUESIZE",
    ),
)


@dataclass(frozen=True, slots=True, repr=False)
class Profile:
    """What the kernel layer does where versions differ."""

    name: str
    sentence: str
    data_before_fin_ack: str = "reset"
    fin_seq: str = "past"
    unread_data: str = "queued bytes"
    close_of_dead: str = "reset"
    fin_push: str = "next buffer"
    fin_cwnd: str = "leaves"
    last_ack_text: str = "ignored"
    linger2: str = "default above tcp_fin_timeout"
    long_fin_wait2: str = "all of it"
    orphan_limit: str = "tries"
    orphan_probes: str = "kept"
    reset_purges: str = "no"
    sigpipe: str = "with keepalive"
    poll_rdhup: str = "no"
    rst_in_window: str = "believed"
    syn_in_window: str = "resets"
    ack_of_unsent: str = "ignored"
    without_ack_flag: str = "processed"
    ack_limit: str = "none"
    syn_with_rst: str = "opens"
    dsack_of_filled: str = "up to the filler"
    window_test: str = "rcv_nxt"
    window_shuts: str = "not believed"
    fin_at_shut_window: str = "refused"
    time_wait_timer: str = "two wheels"
    time_wait_rfc1337: str = "restarts"
    time_wait_fin: str = "any"
    time_wait_overflow: str = "line in the log"
    time_wait_recycle: str = "tcp_tw_recycle"
    time_wait_reuse: str = "with timestamps"
    connect_port: str = "held by nobody"
    no_free_port: str = "EAGAIN"
    hz: str = "100"
    timeout_init: str = "3"
    handshake_rtt: str = "forgotten"
    first_variation: str = "5 round trips"
    retransmit_rearm: str = "with variation"
    repeated: str = "whole"
    tail_loss_probe: str = "no"
    loss_by_time: str = "no"
    syn_repeats: str = "doubling"
    synack_timer: str = "the listener's"
    user_timeout: str = "no"
    quick_acks: str = "every ACK"
    ack_of_hole: str = "begins a run"
    quickack_option: str = "no"
    prequeue: str = "yes"
    msg_more: str = "no"
    cork_with_nodelay: str = "no"
    initial_cwnd: str = "2"
    send_buffer: str = "3 segments"
    initial_window: str = "4 segments"
    window_share: str = "three quarters"
    small_receive_buffer: str = "four segments"
    syn_window: str = "scaled"
    buffer_cost: str = "tight"
    sysctls: tuple[tuple[str, int], ...] = ()  # where defaults differ; in the unit of /proc

    def __repr__(self) -> str:
        return f"Profile({self.name!r})"


SOURCE = Profile(
    name="source",
    sentence="What the text of December 2000 plainly says; where it is silent, Linux 2.4.0.",
    data_before_fin_ack="drop and ack",
    fin_seq="own",
)
LINUX_2_4_0 = Profile(
    name="linux-2.4.0",
    sentence="What the released kernel does; checked against recorded runs of it.",
)
LINUX_6 = Profile(
    name="linux-6",
    sentence="What a current kernel (6.18) does on the wire; checked against scripts that pass on one.",
    unread_data="beyond copied_seq",
    close_of_dead="silent",
    fin_push="everything",
    fin_cwnd="as any",
    last_ack_text="as in CLOSE_WAIT",
    linger2="capped at 120 s",
    long_fin_wait2="all but 60 s",
    orphan_limit="time",
    orphan_probes="given up",
    reset_purges="yes",
    sigpipe="always",
    poll_rdhup="yes",
    rst_in_window="exact or challenged",
    syn_in_window="challenged",
    ack_of_unsent="challenged",
    without_ack_flag="dropped",
    ack_limit="500 ms",
    syn_with_rst="dropped",
    dsack_of_filled="each piece",
    window_test="rcv_wup",
    window_shuts="believed",
    fin_at_shut_window="taken",
    time_wait_timer="one each",
    time_wait_rfc1337="goes on",
    time_wait_fin="with ACK",
    time_wait_overflow="counter",
    time_wait_recycle="no",
    time_wait_reuse="tcp_tw_reuse",
    connect_port="pair of ends free",
    no_free_port="EADDRNOTAVAIL",
    hz="1000",
    timeout_init="1",
    handshake_rtt="kept",
    first_variation="3 round trips",
    retransmit_rearm="from its sending",
    repeated="the rest",
    tail_loss_probe="yes",
    loss_by_time="yes",
    syn_repeats="four even ones",
    synack_timer="one each",
    user_timeout="yes",
    quick_acks="ACKs of data",
    ack_of_hole="alone",
    quickack_option="yes",
    prequeue="no",
    msg_more="yes",
    cork_with_nodelay="yes",
    initial_cwnd="10",
    send_buffer="2 windows",
    initial_window="65535",
    window_share="measured",
    small_receive_buffer="as set",
    syn_window="as it stands",
    buffer_cost="slab",
    sysctls=(
        ("tcp_syn_retries", 6), ("tcp_syn_linear_timeouts", 4), ("tcp_fack", 0), ("tcp_early_retrans", 3),
        ("tcp_invalid_ratelimit", 500), ("tcp_tw_reuse", 2), ("tcp_tw_reuse_delay", 1000),
        ("tcp_slow_start_after_idle", 1),
        ("tcp_rmem", 131072), ("tcp_rmem_max", 33554432), ("tcp_wmem", 16384),
        ("tcp_wmem_max", 4194304), ("rmem_max", 4194304), ("wmem_max", 4194304), ("tcp_mem_max", 190000),
        ("tcp_max_syn_backlog", 4096), ("tcp_max_tw_buckets", 131072), ("ip_local_port_low", 32768),
        ("ip_local_port_high", 60999),
    ),
)  # fmt: skip
PROFILES = {profile.name: profile for profile in (SOURCE, LINUX_2_4_0, LINUX_6)}


def profile_by_name(name: str | Profile) -> Profile:
    """The profile called ``name``; a ValueError that lists the choices when there is none."""
    if isinstance(name, Profile):
        return name
    try:
        return PROFILES[name]
    except KeyError:
        raise ValueError(f"There is no profile {name!r}; choose one of: {', '.join(PROFILES)}.") from None
