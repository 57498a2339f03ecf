"""What a trace must contain to show an item: steps 1 to 7 of the source.

Each `Proof` names an item, a scenario in whose run it must be found, the profiles
under which it holds, and the pattern.  An item with several proofs is shown only
when each of them succeeds.
"""

from __future__ import annotations

from dataclasses import dataclass

from tcpnotes.scenarios.patterns import (
    ANY,
    Args,
    Between,
    Match,
    NotAfter,
    NotBefore,
    Pattern,
    Scene,
    Since,
    Var,
)
from tcpnotes.scenarios.words import (
    ACK,
    FIN,
    RST,
    SK,
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
    lost,
    only,
    pattern,
    peer,
    purged,
    queue,
    resumes,
    returns,
    scene,
    sent,
    sleeps,
    state,
    wake,
)

BOTH = ("source", "linux-2.4.0")
SOURCE = ("source",)
RELEASED = ("linux-2.4.0",)


@dataclass(frozen=True)
class Proof:
    """An item, and the pattern by which the run of a scenario shows it.

    ``hosts``: where the role ``me`` must be found; empty when one place is enough.
    ``chapter``: the notebook that must draw it, for figures.
    """

    item: str
    scenario: str
    pattern: Pattern
    profiles: tuple[str, ...] = BOTH
    hosts: tuple[str, ...] = ()
    chapter: str | None = None


SOMETHING = Between(1)
DATA = {"len": SOMETHING}
LONE = {"len": 0}
FD = Var("fd")


# -- closing: steps 1 and 4 differ in the states only ------------------------------------------------------------


def _unread(old: str) -> Scene:
    return scene(
        calls("close"),
        context(enter("tcp_close", state=old)),
        queue("receive_queue", "purge", inside="tcp_close"),
        count("TCPAbortOnClose"),
        state(old, "CLOSE", inside="tcp_close"),
        freed(),
        context(returns("close", 0)),
        never=(enter("tcp_disconnect"), enter("tcp_send_fin"), sent(FIN)),
    )


def _leaves_tables(old: str) -> Scene:
    return scene(
        calls("close"),
        context(enter("tcp_close", state=old)),
        context(count("TCPAbortOnClose")),
        enter("tcp_set_state", inside="tcp_close"),
        enter("tcp_unhash", inside="tcp_set_state"),
        enter("tcp_put_port", inside="tcp_set_state"),
        state(old, "CLOSE", inside="tcp_set_state"),
        never=(enter("tcp_disconnect"),),
    )


def _told_by_force(old: str) -> Scene:
    return scene(
        calls("close"),
        context(enter("tcp_close", state=old)),
        context(count("TCPAbortOnClose")),
        context(state(old, "CLOSE", inside="tcp_close")),
        enter("tcp_send_active_reset", inside="tcp_close"),
        sent(RST, inside="tcp_send_active_reset"),
        never=(enter("tcp_disconnect"),),
    )


def _fin_on_data(old: str, new: str) -> Pattern:
    waiting = context(queue("write_queue", "add", inside="tcp_sendmsg", seq=Var("waits")))
    return pattern(
        scene(calls("write", FD), waiting, never=(sent(),), not_before_next=(sent(),)),
        scene(
            calls("close", FD),
            context(enter("tcp_close", state=old)),
            context(enter("tcp_send_fin", state=new)),
            queue("write_queue", "flag", inside="tcp_send_fin", seq=Var("waits")),
            enter("tcp_transmit_skb", inside="tcp_send_fin"),
            sent(FIN, inside="tcp_send_fin", seq=Var("waits"), len=SOMETHING),
            queue("write_queue", "send_head"),
            never=(enter("tcp_send_skb"),),
        ),
    )


def _fin_alone(old: str, new: str) -> Pattern:
    return pattern(
        scene(
            calls("close"),
            context(enter("tcp_close", state=old)),
            context(enter("tcp_send_fin", state=new)),
            enter("tcp_send_skb", inside="tcp_send_fin"),
            queue("write_queue", "add", inside="tcp_send_skb", length=1),
            sent(FIN, inside="tcp_send_skb", len=0),
            never=(queue("write_queue", "flag"),),
        )
    )


def _set_linger(seconds: int | Between) -> Scene:
    return scene(calls("setsockopt", FD, "SOL_SOCKET", "SO_LINGER", Args((1, seconds))))


def _lingers(waiting: str, then: str) -> Pattern:
    """The close sleeps until the ACK of the FIN wakes it."""
    return pattern(
        _set_linger(Between(1)),
        scene(calls("close", FD), enter("tcp_close"), state(ANY, waiting), sleeps("close", task=Var("task"))),
        scene(gets(ACK), state(waiting, then), wake("state_change")),
        scene(resumes("close"), returns("close", 0, task=Var("task"), blocked=True)),
    )


def _lingers_too_long(waiting: str) -> Pattern:
    """The close sleeps until its time is up; the FIN is still not acknowledged."""
    done = Match("timer", (("name", "schedule_timeout"), ("op", "fire"), ("t", Var("until"))))
    return pattern(
        _set_linger(Between(1)),
        scene(
            calls("close", FD),
            enter("tcp_close"),
            state(ANY, waiting),
            sleeps("close", task=Var("task"), until=Var("until")),
            not_before_next=(state(waiting, ANY),),
        ),
        scene(None, done),
        scene(
            resumes("close"),
            returns("close", 0, None, task=Var("task"), blocked=True),
            never=(state(waiting, ANY),),
            not_before_next=(state(waiting, ANY),),
        ),
        # The connection goes on trying without an owner.
        scene(fires("retrans"), context(enter("tcp_retransmit_timer", state=waiting)), sent(FIN)),
    )


_BUCKET_FOR_SOCKET = (
    enter("tcp_time_wait", state="FIN_WAIT2"),
    bucket("create", "FIN_WAIT2", of_sk=SK),
    enter("tcp_tw_schedule", on=TW, inside="tcp_time_wait"),
    bucket("schedule", "FIN_WAIT2"),
    state("FIN_WAIT2", "CLOSE", inside="tcp_time_wait"),
    freed(),
)

STEP_1 = (
    Proof(
        "1.0",
        "orderly_close",
        pattern(scene(calls("close"), enter("inet_release"), enter("tcp_close", inside="inet_release"))),
    ),
    Proof("1.1", "close_with_unread_data", pattern(_unread("ESTABLISHED"))),
    Proof("1.1a", "close_with_unread_data", pattern(_leaves_tables("ESTABLISHED"))),
    Proof("1.1b", "close_with_unread_data", pattern(_told_by_force("ESTABLISHED"))),
    Proof(
        "1.2",
        "linger_zero",
        pattern(
            _set_linger(0),
            scene(
                calls("close", FD),
                context(enter("tcp_close")),
                enter("tcp_disconnect", inside="tcp_close"),
                state(ANY, "CLOSE", inside="tcp_disconnect"),
                queue("write_queue", "purge", inside="tcp_disconnect"),
                purged(inside="tcp_disconnect"),
                count("TCPAbortOnData"),
                never=(enter("tcp_send_fin"), count("TCPAbortOnClose")),
            ),
        ),
    ),
    Proof(
        "1.3",
        "orderly_close",
        pattern(
            scene(
                calls("close"),
                context(enter("tcp_close", state="ESTABLISHED")),
                enter("tcp_close_state", inside="tcp_close"),
                state("ESTABLISHED", "FIN_WAIT1", inside="tcp_close_state"),
                enter("tcp_send_fin", inside="tcp_close"),
                sent(FIN, inside="tcp_send_fin"),
                never=(queue("receive_queue", "purge"),),
            )
        ),
    ),
    Proof("1.3a", "fin_rides_on_data", _fin_on_data("ESTABLISHED", "FIN_WAIT1")),
    Proof("1.3b", "orderly_close", _fin_alone("ESTABLISHED", "FIN_WAIT1")),
    Proof("1.4", "linger_wait", _lingers("FIN_WAIT1", "FIN_WAIT2")),
    Proof("1.4", "linger_time_out", _lingers_too_long("FIN_WAIT1")),
    Proof(
        "1.5",
        "linger_wait",
        pattern(
            scene(calls("close"), context(enter("tcp_close")), context(sleeps("close", task=Var("task")))),
            scene(resumes("close"), *_BUCKET_FOR_SOCKET, context(returns("close", 0, task=Var("task")))),
        ),
    ),
    Proof(
        "1.5",
        "shutdown_then_close",
        pattern(scene(calls("close"), context(enter("tcp_close", state="FIN_WAIT2")), *_BUCKET_FOR_SOCKET)),
    ),
    Proof(
        "1.6",
        "close_with_unread_data",
        pattern(
            scene(
                calls("close"),
                context(enter("tcp_close")),
                context(state(ANY, "CLOSE", inside="tcp_close")),
                enter("tcp_destroy_sock", state="CLOSE"),
                freed(),
            )
        ),
    ),
    Proof(
        "1.fig",
        "orderly_close",
        pattern(
            scene(calls("close"), state("ESTABLISHED", "FIN_WAIT1"), sent(FIN, wire=Var("fin"))),
            peer(gets(FIN, wire=Var("fin")), state("ESTABLISHED", "CLOSE_WAIT")),
            scene(gets(ACK), state("FIN_WAIT1", "FIN_WAIT2"), bucket("create", "FIN_WAIT2", of_sk=SK)),
        ),
        chapter="01_*.ipynb",
    ),
)


def _fin_kept(number: Var, reader: bool) -> Pattern:
    """The FIN's number is kept where more may come; ``reader``: a process asleep in read takes it when it goes on."""
    arrives = gets(FIN, end_seq=Var("past"))
    keeps = (
        enter("tcp_fin"),
        state(ANY, frozenset({"CLOSE_WAIT", "CLOSING"}), inside="tcp_fin", fin_seq=number),
    )
    return pattern(scene(arrives), scene(resumes(ANY), *keeps)) if reader else pattern(scene(arrives, *keeps))


# A FIN that meets a process asleep in read waits in its prequeue until the process goes on.
STEP_2 = (
    Proof("2.0", "orderly_close", pattern(scene(gets(FIN), enter("tcp_fin")))),
    Proof("2.0", "three_segment_close", pattern(scene(resumes(ANY), enter("tcp_fin")))),
    *(
        Proof("2.1", scenario, _fin_kept(fin, reader), profiles)
        for scenario, reader in (("orderly_close", False), ("three_segment_close", True))
        # FIN's own number is the last that its segment takes up.
        for fin, profiles in ((Var("past", -1), SOURCE), (Var("past"), RELEASED))
    ),
    *(
        Proof(
            "2.2",
            scenario,
            pattern(scene(cause, context(enter("tcp_fin")), state("ESTABLISHED", "CLOSE_WAIT", inside="tcp_fin"))),
        )
        for scenario, cause in (("orderly_close", gets(FIN)), ("three_segment_close", resumes(ANY)))
    ),
    Proof(
        "2.3",
        "data_after_fin",
        pattern(
            scene(gets(**DATA), context(queue("out_of_order_queue", "add", seq=Var("early")))),
            scene(
                gets(FIN, end_seq=NotAfter("early")),
                context(enter("tcp_fin")),
                queue("out_of_order_queue", "purge", inside="tcp_fin", seq=Var("early")),
                purged(inside="tcp_fin"),
            ),
        ),
    ),
    Proof(
        "2.4",
        "fin_wakes_sleepers",
        pattern(
            scene(None, context(sleeps(ANY, task=Var("task")))),
            scene(gets(FIN), context(enter("tcp_fin")), wake("state_change", inside="tcp_fin")),
            scene(resumes(ANY), returns(ANY, task=Var("task"), blocked=True)),
        ),
    ),
    *(
        Proof(
            "2.5",
            "data_after_fin",
            pattern(
                scene(gets(FIN, end_seq=Var("past")), context(enter("tcp_fin"))),
                scene(
                    gets(seq=where, **DATA),
                    enter("tcp_rcv_state_process", state="CLOSE_WAIT"),
                    never=(
                        enter("tcp_data", on=ANY),
                        queue("receive_queue", "add"),
                        queue("out_of_order_queue", "add"),
                        sent(on=ANY),
                        error(ANY),
                    ),
                ),
            ),
            profiles,
        )
        for where, profiles in ((NotBefore("past"), BOTH), (Var("past", -1), SOURCE))
    ),
    Proof(
        "2.6",
        "fin_rides_on_data",
        pattern(
            scene(gets(FIN, end_seq=Var("past"), **DATA), context(enter("tcp_fin"))),
            scene(
                calls("read"),
                enter("tcp_recvmsg"),
                queue("receive_queue", "unlink", end_seq=Var("past")),
                returns("read", SOMETHING),
                not_before_next=(calls("read"),),
            ),
            scene(calls("read"), enter("tcp_recvmsg"), returns("read", 0, None)),
        ),
    ),
    Proof(
        "2.6",
        "orderly_close",
        pattern(
            scene(gets(FIN, end_seq=Var("past"), **LONE), context(enter("tcp_fin"))),
            scene(
                calls("read"),
                enter("tcp_recvmsg"),
                queue("receive_queue", "unlink", end_seq=Var("past")),
                returns("read", 0, None),
            ),
        ),
    ),
)

_CLOSED = scene(calls("close"), context(enter("tcp_close")), context(sent(FIN)))
_UNACKED_DATA = (
    enter("tcp_rcv_state_process", state="FIN_WAIT1"),
    enter("tcp_ack", inside="tcp_rcv_state_process"),
)
_NOTHING_KEPT = (
    enter("tcp_data", on=ANY),
    queue("receive_queue", "add"),
    queue("out_of_order_queue", "add"),
    enter("tcp_reset"),
    state(ANY, ANY),
    sent(RST, on=ANY),
    error(ANY),
)
_FIN_ACKED = scene(gets(ACK), context(state("FIN_WAIT1", "FIN_WAIT2")))

STEP_3 = (
    Proof(
        "3.0",
        "orderly_close",
        pattern(
            scene(
                gets(ACK),
                enter("tcp_rcv_state_process", state="FIN_WAIT1"),
                state("FIN_WAIT1", "FIN_WAIT2", inside="tcp_rcv_state_process"),
            )
        ),
    ),
    Proof(
        "3.1",
        "linger_wait",
        pattern(
            scene(
                calls("close"),
                context(state(ANY, "FIN_WAIT1")),
                context(sleeps("close", task=Var("task"))),
                not_before_next=(returns("close", task=Var("task")),),
            ),
            scene(
                gets(ACK),
                context(state("FIN_WAIT1", "FIN_WAIT2")),
                wake("state_change", inside="tcp_rcv_state_process"),
                never=(enter("tcp_time_wait"),),
            ),
            scene(resumes("close"), returns("close", 0, task=Var("task"), blocked=True)),
        ),
    ),
    Proof(
        "3.2",
        "orderly_close",
        pattern(
            scene(
                gets(ACK),
                context(state("FIN_WAIT1", "FIN_WAIT2")),
                *_BUCKET_FOR_SOCKET,
                never=(wake("state_change"),),
            )
        ),
    ),
    Proof(
        "3.3",
        "data_before_ack_of_fin",
        pattern(_CLOSED, scene(gets(**DATA), *_UNACKED_DATA, never=_NOTHING_KEPT), _FIN_ACKED),
        SOURCE,
    ),
    Proof(
        "3.4",
        "data_before_ack_of_fin",
        pattern(
            _CLOSED,
            scene(
                gets(seq=Var("wanted"), **DATA),
                *_UNACKED_DATA,
                enter("tcp_ack_snd_check", inside="tcp_rcv_state_process"),
                # What is acknowledged is what was there before: the text's own first number is still wanted.
                sent(only("ACK"), inside="tcp_ack_snd_check", ack_seq=Var("wanted"), len=0),
                never=_NOTHING_KEPT,
            ),
            _FIN_ACKED,
        ),
        SOURCE,
    ),
    *(
        Proof(
            "3.4",
            "data_meets_bucket",
            pattern(
                scene(None, context(bucket(frozenset({"create", "substate"}), substate))),
                scene(
                    gets(**DATA),
                    enter("tcp_timewait_state_process", on=TW, state=substate),
                    enter("tcp_v4_timewait_ack", on=TW),
                    sent(only("ACK"), on=None, len=0),
                    never=(bucket("kill"), bucket("substate"), sent(RST, on=None)),
                ),
            ),
        )
        for substate in ("FIN_WAIT2", "TIME_WAIT")
    ),
)

STEP_4 = (
    Proof(
        "4.0",
        "orderly_close",
        pattern(
            scene(
                calls("read", FD),
                context(enter("tcp_recvmsg", state="CLOSE_WAIT")),
                returns("read", 0, None),
                not_before_next=(calls("read"),),
            ),
            scene(
                calls("close", FD),
                enter("tcp_close", state="CLOSE_WAIT"),
                state("CLOSE_WAIT", "LAST_ACK", inside="tcp_close"),
            ),
        ),
    ),
    Proof("4.1", "unread_data_in_close_wait", pattern(_unread("CLOSE_WAIT"))),
    Proof("4.1a", "unread_data_in_close_wait", pattern(_leaves_tables("CLOSE_WAIT"))),
    Proof("4.1b", "unread_data_in_close_wait", pattern(_told_by_force("CLOSE_WAIT"))),
    Proof(
        "4.2",
        "orderly_close",
        pattern(
            scene(
                calls("close"),
                context(enter("tcp_close", state="CLOSE_WAIT")),
                enter("tcp_close_state", inside="tcp_close"),
                state("CLOSE_WAIT", "LAST_ACK", inside="tcp_close_state"),
                never=(queue("receive_queue", "purge"),),
            )
        ),
    ),
    Proof(
        "4.3",
        "orderly_close",
        pattern(
            scene(
                calls("close"),
                context(enter("tcp_close", state="CLOSE_WAIT")),
                enter("tcp_send_fin", state="LAST_ACK", inside="tcp_close"),
                sent(FIN, inside="tcp_send_fin"),
            )
        ),
    ),
    Proof("4.3a", "last_fin_rides_on_data", _fin_on_data("CLOSE_WAIT", "LAST_ACK")),
    Proof("4.3b", "orderly_close", _fin_alone("CLOSE_WAIT", "LAST_ACK")),
    Proof("4.4", "linger_in_last_ack", _lingers("LAST_ACK", "CLOSE")),
    Proof("4.4", "linger_in_last_ack_time_out", _lingers_too_long("LAST_ACK")),
    Proof(
        "4.fig",
        "orderly_close",
        pattern(
            scene(calls("close"), state("CLOSE_WAIT", "LAST_ACK"), sent(FIN, wire=Var("fin"))),
            peer(gets(FIN, wire=Var("fin")), bucket("substate", "TIME_WAIT"), sent(ACK, on=None, wire=Var("ack"))),
            scene(gets(ACK, wire=Var("ack")), state("LAST_ACK", "CLOSE")),
        ),
    ),
)

_BUCKET_WAITS = scene(None, context(bucket("create", "FIN_WAIT2")))
# The port is refused, and what stands in the way still does when the next thing happens.
BIND_REFUSED = scene(
    calls("bind", ANY, Var("port")),
    enter("tcp_v4_get_port", on=ANY),
    returns("bind", -1, "EADDRINUSE"),
    not_before_next=(bucket("kill"),),
)
_TIME_WAIT = scene(
    None,
    context(bucket(frozenset({"schedule", "reschedule"}), "TIME_WAIT")),
    not_before_next=(bucket("kill"),),
)

STEPS_5_TO_7 = (
    Proof(
        "5.0",
        "orderly_close",
        pattern(
            _BUCKET_WAITS,
            scene(
                gets(FIN),
                enter("tcp_timewait_state_process", on=TW, state="FIN_WAIT2"),
                context(bucket("substate")),
                never=(enter("tcp_fin", on=ANY),),
            ),
        ),
    ),
    Proof(
        "5.1",
        "orderly_close",
        pattern(
            _BUCKET_WAITS,
            scene(
                gets(FIN),
                enter("tcp_timewait_state_process", on=TW, state="FIN_WAIT2"),
                bucket("substate", "TIME_WAIT"),
                bucket("reschedule", "TIME_WAIT"),
                enter("tcp_v4_timewait_ack", on=TW),
                sent(only("ACK"), on=None),
            ),
        ),
    ),
    Proof(
        "6.0",
        "orderly_close",
        pattern(
            scene(
                gets(ACK),
                enter("tcp_rcv_state_process", state="LAST_ACK"),
                enter("tcp_done", inside="tcp_rcv_state_process"),
                state("LAST_ACK", "CLOSE", inside="tcp_done"),
                freed(),
            )
        ),
    ),
    Proof(
        "7.0",
        "orderly_close",
        pattern(
            scene(
                None,
                bucket(frozenset({"schedule", "reschedule"}), "TIME_WAIT", timeout=6000, t=Var("start")),
                not_before_next=(bucket("reschedule"), bucket("kill")),
            ),
            # The slow wheel has steps of 7.5 s: an eighth of the minute may be missing.
            scene(fires("twkill"), bucket("kill", "TIME_WAIT", t=Since("start", 52.5, 60.0))),
        ),
    ),
    *(
        Proof(
            "7.1",
            scenario,
            pattern(
                _TIME_WAIT,
                scene(
                    fires(wheel),
                    enter(function, on=None),
                    enter("tcp_timewait_kill", on=TW, inside=function),
                    bucket("kill", "TIME_WAIT"),
                ),
            ),
        )
        for scenario, wheel, function in (
            ("orderly_close", "twkill", "tcp_twkill"),
            ("short_time_wait", "twcal", "tcp_twcal_tick"),
        )
    ),
    Proof(
        "7.2",
        "time_wait_holds_port",
        pattern(
            _TIME_WAIT,
            BIND_REFUSED,
            scene(
                gets(dport=Var("port")),
                enter("tcp_timewait_state_process", on=TW, state="TIME_WAIT"),
                sent(only("ACK"), on=None, sport=Var("port")),
            ),
            scene(fires("twkill"), bucket("kill", "TIME_WAIT")),
            scene(calls("bind", ANY, Var("port")), returns("bind", 0)),
        ),
    ),
    Proof(
        "7.3",
        "last_ack_lost",
        pattern(
            scene(
                gets(FIN, seq=Var("fin")),
                context(bucket("substate", "TIME_WAIT")),
                sent(only("ACK"), on=None, wire=Var("first"), ack_seq=Var("ack")),
            ),
            scene(None, lost(wire=Var("first"))),
            peer(fires("retrans"), sent(FIN, wire=Var("again"), seq=Var("fin"))),
            scene(
                gets(FIN, wire=Var("again"), seq=Var("fin")),
                enter("tcp_timewait_state_process", on=TW, state="TIME_WAIT"),
                bucket("reschedule", "TIME_WAIT"),
                sent(only("ACK"), on=None, ack_seq=Var("ack")),
            ),
        ),
    ),
)
