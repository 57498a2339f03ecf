"""What a trace must contain to show an item: S.1 to S.7, beside the steps of the source."""

from __future__ import annotations

from tcpnotes.scenarios.patterns import (
    ANY,
    After,
    Between,
    Doubled,
    Has,
    Match,
    Payload,
    Scene,
    Since,
    Times,
    Var,
)
from tcpnotes.scenarios.shows import BIND_REFUSED, DATA, FD, SOMETHING, Proof
from tcpnotes.scenarios.words import (
    ACK,
    FIN,
    RST,
    SK,
    SYN,
    TW,
    bucket,
    calls,
    context,
    count,
    enter,
    error,
    fires,
    freed,
    gets,
    log,
    only,
    pattern,
    peer,
    queue,
    returns,
    scene,
    sent,
    state,
    timer,
    wake,
)

_NO_ANSWER = (sent(on=ANY),)

HALF_CLOSE = (
    Proof(
        "S.1",
        "half_close",
        pattern(
            scene(
                calls("shutdown", FD, "SHUT_WR"),
                enter("tcp_shutdown", state="ESTABLISHED"),
                enter("tcp_close_state", inside="tcp_shutdown"),
                state("ESTABLISHED", "FIN_WAIT1"),
                enter("tcp_send_fin", inside="tcp_shutdown"),
                sent(FIN),
            ),
            scene(gets(ACK), state("FIN_WAIT1", "FIN_WAIT2"), never=(enter("tcp_time_wait"),)),
            peer(
                calls("write"),
                enter("tcp_sendmsg", state="CLOSE_WAIT"),
                sent(wire=Var("data"), len=SOMETHING),
            ),
            scene(
                gets(wire=Var("data")),
                enter("tcp_rcv_state_process", state="FIN_WAIT2"),
                queue("receive_queue", "add"),
                never=(sent(RST, on=ANY),),
            ),
            scene(
                gets(FIN),
                enter("tcp_fin", state="FIN_WAIT2"),
                bucket("create", "TIME_WAIT", of_sk=SK),
                state("FIN_WAIT2", "CLOSE"),
            ),
            scene(calls("read", FD), enter("tcp_recvmsg", state="CLOSE"), returns("read", SOMETHING)),
            scene(calls("read", FD), enter("tcp_recvmsg", state="CLOSE"), returns("read", 0, None)),
            scene(calls("close", FD), enter("tcp_close", state="CLOSE"), freed(), never=_NO_ANSWER),
        ),
    ),
)

_WAITING = Var("waiting")
LISTENER = (
    Proof(
        "S.2",
        "close_listener",
        pattern(
            scene(
                calls("close"),
                context(enter("tcp_close", state="LISTEN")),
                state("LISTEN", "CLOSE", inside="tcp_close"),
                enter("tcp_listen_stop", inside="tcp_close"),
                freed(),
            )
        ),
    ),
    Proof(
        "S.2a",
        "close_listener",
        pattern(
            scene(gets(SYN, sport=Var("port")), context(queue("syn_table", "add"))),
            scene(
                calls("close"),
                enter("tcp_listen_stop", inside="tcp_close"),
                queue("syn_table", "purge", inside="tcp_listen_stop"),
                never=(sent(on=ANY, dport=Var("port")),),
            ),
        ),
    ),
    Proof(
        "S.2b",
        "close_listener",
        pattern(
            scene(
                gets(ACK, sport=Var("port")),
                context(state("SYN_RECV", "ESTABLISHED", on=_WAITING)),
                not_before_next=(calls("accept"),),
            ),
            scene(
                calls("close"),
                enter("tcp_listen_stop", inside="tcp_close"),
                enter("tcp_disconnect", on=_WAITING, state="ESTABLISHED", inside="tcp_listen_stop"),
                state("ESTABLISHED", "CLOSE", on=_WAITING),
                sent(RST, on=_WAITING, dport=Var("port")),
                freed(_WAITING),
            ),
        ),
    ),
)

SIMULTANEOUS = (
    Proof(
        "S.3",
        "simultaneous_close",
        pattern(
            scene(calls("close"), state("ESTABLISHED", "FIN_WAIT1"), sent(FIN)),
            scene(
                gets(FIN),
                enter("tcp_fin", state="FIN_WAIT1"),
                sent(only("ACK"), inside="tcp_fin"),
                state("FIN_WAIT1", "CLOSING", inside="tcp_fin"),
            ),
            scene(
                gets(ACK),
                enter("tcp_time_wait", state="CLOSING"),
                bucket("create", "TIME_WAIT", of_sk=SK),
                state("CLOSING", "CLOSE"),
            ),
        ),
        hosts=("A", "B"),
    ),
)

_FIN_NUMBER = Var("fin")
_AGAIN = (enter("tcp_retransmit_timer", state="FIN_WAIT1"),)
TIMERS = (
    Proof(
        "S.4a",
        "nobody_answers",
        pattern(
            scene(calls("close"), sent(FIN, seq=_FIN_NUMBER, t=Var("first"))),
            scene(fires("retrans"), *_AGAIN, sent(FIN, seq=_FIN_NUMBER, t=Var("second"))),
            scene(fires("retrans"), *_AGAIN, sent(FIN, seq=_FIN_NUMBER, t=Doubled("first", "second"))),
        ),
    ),
    Proof(
        "S.4b",
        "nobody_answers",
        pattern(
            scene(calls("close"), context(sent(FIN, seq=_FIN_NUMBER))),
            scene(fires("retrans"), context(sent(FIN, seq=_FIN_NUMBER))),
            scene(
                fires("retrans"),
                enter("tcp_write_timeout", state="FIN_WAIT1"),
                state("FIN_WAIT1", "CLOSE"),
                count("TCPAbortOnTimeout"),
                never=_NO_ANSWER,
            ),
        ),
    ),
    Proof(
        "S.4c",
        "closed_window",
        pattern(
            scene(
                calls("close"),
                state("ESTABLISHED", "FIN_WAIT1"),
                enter("tcp_send_fin"),
                never=_NO_ANSWER,
                not_before_next=(sent(FIN),),
            ),
            scene(
                fires("probe0"),
                enter("tcp_probe_timer", state="FIN_WAIT1"),
                sent(only("ACK"), len=0),
                never=(sent(FIN),),
                not_before_next=(sent(FIN),),
            ),
            scene(gets(ACK, window=SOMETHING), enter("tcp_data_snd_check"), sent(FIN, inside="tcp_data_snd_check")),
        ),
    ),
    Proof(
        "S.4d",
        "delayed_ack_of_fin",
        pattern(
            scene(
                gets(FIN),
                context(state("ESTABLISHED", "CLOSE_WAIT", inside="tcp_fin")),
                timer("delack", "set"),
                never=_NO_ANSWER,
                not_before_next=(sent(on=ANY),),
            ),
            scene(fires("delack"), enter("tcp_delack_timer"), sent(only("ACK")), count("DelayedACKs")),
        ),
    ),
)


def _cut_off_in_close(scenario: str, item: str, orphans: Between, payload: Payload) -> Proof:
    """Two reasons for the same end: they differ in how many orphans there are and how much is queued."""
    return Proof(
        item,
        scenario,
        pattern(
            scene(
                calls("close"),
                enter("tcp_close"),
                log("TCP: too many of orphaned sockets", host_view={"orphans": orphans}, write_queue=payload),
                state(ANY, "CLOSE", inside="tcp_close"),
                enter("tcp_send_active_reset", inside="tcp_close"),
                sent(RST),
                count("TCPAbortOnMemory"),
            )
        ),
    )


def _cut_off_later(scenario: str, item: str, orphans: Between, payload: Payload) -> Proof:
    return Proof(
        item,
        scenario,
        pattern(
            scene(calls("close"), context(state(ANY, "FIN_WAIT1")), not_before_next=(state(ANY, ANY),)),
            scene(
                fires("retrans"),
                enter("tcp_out_of_resources", state="FIN_WAIT1"),
                log("Out of socket memory", host_view={"orphans": orphans}, write_queue=payload),
                sent(RST),
                state("FIN_WAIT1", "CLOSE"),
                count("TCPAbortOnMemory"),
            ),
        ),
    )


LITTLE, MUCH = Payload(0, 2048), Payload(2049)
_SECONDS = Var("seconds")
LIMITS = (
    _cut_off_in_close("too_many_orphans", "S.5a", Between(1), LITTLE),
    _cut_off_later("too_many_orphans_later", "S.5a", Between(2), LITTLE),
    _cut_off_in_close("out_of_memory", "S.5b", Between(0, 0), MUCH),
    _cut_off_later("out_of_memory_later", "S.5b", Between(1, 1), MUCH),
    Proof(
        "S.5c",
        "bucket_table_full",
        pattern(
            scene(
                gets(ACK),
                enter("tcp_time_wait"),
                bucket("overflow", tw=ANY, of_sk=SK),
                Match("printk", (("text", "TCP: time wait bucket table overflow"),)),
                state(ANY, "CLOSE", inside="tcp_time_wait"),
                never=(bucket("create", tw=ANY),),
            ),
            peer(calls("close"), context(sent(FIN, wire=Var("fin")))),
            scene(gets(FIN, wire=Var("fin")), enter("tcp_v4_send_reset", on=None), sent(RST, on=None)),
        ),
    ),
    Proof(
        "S.5d",
        "linger2_short",
        pattern(
            scene(calls("setsockopt", FD, "SOL_TCP", "TCP_LINGER2", _SECONDS)),
            scene(calls("close", FD), context(enter("tcp_close"))),
            scene(
                gets(ACK),
                enter("tcp_fin_time"),
                bucket("create", "FIN_WAIT2", of_sk=SK, timeout=Times("seconds", 100)),
                bucket("schedule", "FIN_WAIT2", timeout=Times("seconds", 100), t=Var("start")),
            ),
            # Later by a step of the calendar (160 ms) or by two of the slow wheel (15 s) at most.
            scene(None, bucket("kill", "FIN_WAIT2", t=After("start", "seconds", 15.0))),
        ),
    ),
    Proof(
        "S.5d",
        "linger2_negative",
        pattern(
            scene(calls("setsockopt", FD, "SOL_TCP", "TCP_LINGER2", -1)),
            scene(calls("close", FD), context(enter("tcp_close"))),
            scene(
                gets(ACK),
                state("FIN_WAIT1", "FIN_WAIT2"),
                state("FIN_WAIT2", "CLOSE"),
                count("TCPAbortOnData"),
                sent(RST, on=None),
                never=(enter("tcp_time_wait"),),
            ),
        ),
    ),
    Proof(
        "S.5d",
        "linger2_negative_in_close",
        pattern(
            scene(calls("setsockopt", FD, "SOL_TCP", "TCP_LINGER2", -1)),
            scene(
                calls("close", FD),
                enter("tcp_close", state="FIN_WAIT2"),
                state("FIN_WAIT2", "CLOSE"),
                sent(RST),
                count("TCPAbortOnLinger"),
                never=(enter("tcp_time_wait"),),
            ),
        ),
    ),
    Proof(
        "S.5e",
        "fin_wait2_time_out",
        pattern(
            scene(
                gets(ACK),
                enter("tcp_fin_time"),
                bucket("create", "FIN_WAIT2", of_sk=SK, timeout=6000),
                bucket("schedule", "FIN_WAIT2", t=Var("start")),
                not_before_next=(bucket("substate"), bucket("reschedule")),
            ),
            scene(fires("twkill"), bucket("kill", "FIN_WAIT2", t=Since("start", 52.5, 60.0)), never=_NO_ANSWER),
        ),
    ),
    Proof(
        "S.5e",
        "fin_wait2_long",
        pattern(
            scene(
                gets(ACK),
                state("FIN_WAIT1", "FIN_WAIT2"),
                enter("tcp_fin_time"),
                timer("keepalive", "set", inside="tcp_rcv_state_process"),
                never=(enter("tcp_time_wait"),),
                not_before_next=(enter("tcp_time_wait"),),
            ),
            scene(
                fires("keepalive"),
                enter("tcp_keepalive_timer", state="FIN_WAIT2"),
                enter("tcp_time_wait", inside="tcp_keepalive_timer"),
                bucket("create", "FIN_WAIT2", of_sk=SK),
            ),
            scene(fires("twkill"), bucket("kill", "FIN_WAIT2"), never=_NO_ANSWER),
        ),
    ),
)


def _reset(old: str, err: str | None, *more: Match) -> tuple[Match, ...]:
    steps = (enter("tcp_reset", state=old), state(old, "CLOSE", inside="tcp_reset"), *more)
    return steps if err is None else (*steps, error(err))


def _fails(call: str, errno: str, *after: Match) -> tuple[Match, ...]:
    return (returns(call, -1, errno), *after)


_SO_ERROR = calls("getsockopt", ANY, "SOL_SOCKET", "SO_ERROR")
_BUCKET_DIES = (
    enter("tcp_tw_deschedule", on=TW, inside="tcp_timewait_state_process"),
    enter("tcp_timewait_kill", on=TW, inside="tcp_timewait_state_process"),
    bucket("kill"),
)


def _reset_meets(substate: str, made: str) -> tuple[Scene, ...]:
    return (
        scene(None, context(bucket(made, substate))),
        scene(
            gets(RST),
            enter("tcp_timewait_state_process", on=TW, state=substate),
            *_BUCKET_DIES,
            never=_NO_ANSWER,
        ),
    )


_IGNORED = scene(
    gets(RST),
    enter("tcp_sequence", state="ESTABLISHED"),
    never=(enter("tcp_reset"), state(ANY, ANY), error(ANY), sent(on=ANY)),
)

RESETS = (
    Proof(
        "S.6a",
        "reset_in_established",
        pattern(
            scene(gets(RST), *_reset("ESTABLISHED", "ECONNRESET"), never=_NO_ANSWER),
            scene(calls("read", FD), *_fails("read", "ECONNRESET")),
            scene(calls("read", FD), returns("read", 0, None)),
        ),
    ),
    Proof(
        "S.6b",
        "reset_in_close_wait",
        pattern(
            scene(gets(RST), *_reset("CLOSE_WAIT", "EPIPE"), never=_NO_ANSWER),
            scene(calls("read", FD), returns("read", 0, None)),
            scene(calls("write", FD), *_fails("write", "EPIPE")),
        ),
    ),
    Proof(
        "S.6c",
        "reset_in_fin_wait1",
        pattern(
            scene(gets(RST), *_reset("FIN_WAIT1", "ECONNRESET"), never=_NO_ANSWER),
            scene(calls("read", FD), *_fails("read", "ECONNRESET")),
        ),
    ),
    Proof(
        "S.6c",
        "reset_of_orphan",
        pattern(
            scene(calls("close"), context(enter("tcp_close")), context(sent(FIN))),
            scene(
                gets(RST),
                *_reset("FIN_WAIT1", None, freed()),
                never=(*_NO_ANSWER, wake("error_report"), wake("state_change")),
            ),
        ),
    ),
    Proof(
        "S.6d",
        "reset_in_fin_wait2",
        pattern(
            scene(gets(RST), *_reset("FIN_WAIT2", "ECONNRESET"), never=_NO_ANSWER),
            scene(calls("read", FD), *_fails("read", "ECONNRESET")),
        ),
    ),
    Proof("S.6d", "reset_meets_bucket", pattern(*_reset_meets("FIN_WAIT2", "create"))),
    Proof(
        "S.6e",
        "reset_in_closing",
        pattern(
            scene(
                gets(RST),
                *_reset("CLOSING", "ECONNRESET"),
                never=(*_NO_ANSWER, enter("tcp_time_wait")),
                not_before_next=(bucket("create", of_sk=SK, tw=ANY),),
            ),
            scene(calls("read", FD), returns("read", 0, None)),
            scene(_SO_ERROR, returns("getsockopt", 0, value="ECONNRESET")),
        ),
    ),
    Proof(
        "S.6f",
        "reset_in_last_ack",
        pattern(
            scene(gets(RST), *_reset("LAST_ACK", "ECONNRESET"), never=_NO_ANSWER),
            scene(calls("read", FD), returns("read", 0, None)),
            scene(_SO_ERROR, returns("getsockopt", 0, value="ECONNRESET")),
        ),
    ),
    Proof("S.6g", "reset_in_time_wait", pattern(*_reset_meets("TIME_WAIT", "substate"))),
    Proof(
        "S.6h",
        "reset_outside_window",
        pattern(
            _IGNORED,
            _IGNORED,
            scene(gets(**DATA), queue("receive_queue", "add")),
            scene(calls("read"), enter("tcp_recvmsg", state="ESTABLISHED"), returns("read", SOMETHING)),
        ),
    ),
)

_TIME_WAIT = scene(
    None, context(bucket(frozenset({"schedule", "reschedule"}), "TIME_WAIT")), not_before_next=(bucket("kill"),)
)

REUSE = (
    Proof(
        "S.7a",
        "syn_meets_time_wait",
        pattern(
            _TIME_WAIT,
            scene(
                gets(Has("S", ".")),
                enter("tcp_timewait_state_process", on=TW, state="TIME_WAIT"),
                enter("tcp_tw_deschedule", on=TW),
                enter("tcp_timewait_kill", on=TW),
                bucket("kill"),
                enter("tcp_v4_conn_request", on=ANY),
                sent(Has("S."), on=ANY),
            ),
            scene(gets(ACK), state("SYN_RECV", "ESTABLISHED")),
        ),
    ),
    Proof(
        "S.7b",
        "time_wait_holds_port",
        pattern(
            _TIME_WAIT,
            scene(calls("bind"), enter("tcp_v4_get_port", on=ANY), returns("bind", -1, "EADDRINUSE")),
            scene(None, context(bucket("kill"))),
            scene(calls("bind"), enter("tcp_v4_get_port", on=ANY), returns("bind", 0)),
        ),
    ),
    Proof(
        "S.7b",
        "server_restarts",
        pattern(
            _TIME_WAIT,
            BIND_REFUSED,
            scene(
                context(calls("setsockopt", FD, "SOL_SOCKET", "SO_REUSEADDR", 1)),
                not_before_next=(bucket("kill"),),
            ),
            scene(calls("bind", FD, Var("port")), enter("tcp_v4_get_port", on=ANY), returns("bind", 0)),
        ),
    ),
    Proof(
        "S.7b",
        "connect_takes_bucket",
        pattern(
            _TIME_WAIT,
            scene(
                calls("connect"),
                enter("tcp_v4_check_established"),
                enter("tcp_tw_deschedule", on=TW, inside="tcp_v4_check_established"),
                enter("tcp_timewait_kill", on=TW),
                bucket("kill"),
                count("TimeWaitRecycled"),
                sent(SYN),
            ),
        ),
    ),
    Proof(
        "S.7b",
        "connect_meets_bucket",
        pattern(
            _TIME_WAIT,
            scene(
                calls("connect"),
                enter("tcp_v4_check_established"),
                returns("connect", -1, "EADDRNOTAVAIL"),
                never=(*_NO_ANSWER, bucket("kill")),
            ),
        ),
    ),
    Proof("S.7c", "reset_in_time_wait", pattern(*_reset_meets("TIME_WAIT", "substate"))),
    Proof(
        "S.7c",
        "rfc1337",
        pattern(
            _TIME_WAIT,
            scene(
                gets(RST),
                enter("tcp_timewait_state_process", on=TW, state="TIME_WAIT"),
                bucket("reschedule", "TIME_WAIT"),
                never=(*_NO_ANSWER, bucket("kill")),
            ),
            scene(fires("twkill"), bucket("kill", "TIME_WAIT")),
        ),
    ),
)
