"""Questions asked of the engine: each lets a scenario happen under a profile and says in a few words what came of it.

`scenarios.points` sets what is cited beside the answers.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tcpnotes.kernel.profile import Profile
from tcpnotes.scenarios.forging import FLAGS
from tcpnotes.scenarios.loader import Call, Inject, Lose, Scenario, Step, load
from tcpnotes.scenarios.run import Run, run
from tcpnotes.trace.records import Bucket, Queue, Received, Return, Sent, StateChange
from tcpnotes.trace.segment import RST

# -- what a run came to -------------------------------------------------------------------------------------------


def _play(profile: Profile, name: str, *steps: Step, **changes: Any) -> Run:
    """A scenario, perhaps with more steps in its script or with fields changed."""
    scenario = load(name)
    if steps:
        scenario = scenario._replace(script=tuple(sorted((*scenario.script, *steps), key=lambda step: step.at)))
    return run(scenario._replace(**changes), profile=profile)


def _us(seconds: float) -> int:
    return round(seconds * 1_000_000)


def _seconds(t: float) -> str:
    return f"{t / 1e6:.2f} s"


def _segments(done: Run, host: str, start: float, end: float) -> str:
    """What a host sends from one moment to another, in words; "nothing" if it is silent."""
    return _named(
        r for r in done.recorder.records if isinstance(r, Sent) and r.host == host and _us(start) <= r.t <= _us(end)
    )


def _named(sent: Iterable[Sent]) -> str:
    kinds = ("RESET" if r.seg.flags & RST else r.seg.flag_names for r in sent)
    return ", ".join(dict.fromkeys(kinds)) or "nothing"


def _returned(done: Run, call: str, nth: int = -1) -> str:
    """What a call of that name returned: the errno, the value asked for, or the number."""
    found = [r for r in done.recorder.records if isinstance(r, Return) and r.call == call]
    last = found[nth]
    return str(last.errno or (last.ret if last.value is None else last.value))


def _gone(done: Run, host: str = "A") -> int | None:
    """When the last bucket of a host was deleted."""
    times = [r.t for r in done.recorder.records if isinstance(r, Bucket) and r.host == host and r.op == "kill"]
    return max(times, default=None)


def _closed(done: Run, host: str = "A") -> int | None:
    """When the connection of a host went to CLOSE."""
    found = (r for r in done.recorder.records if isinstance(r, StateChange) and r.host == host and r.new == "CLOSE")
    return min((r.t for r in found), default=None)


def _inject(at: float, to: str, flags: str, seq: str, **more: Any) -> Inject:
    bits = sum(FLAGS[flag] for flag in flags.split(",") if flag)
    fields: dict[str, Any] = {"ack": "snd_nxt", "len": 0, "window": 5840} | more
    return Inject(_us(at), to, bits, seq, **fields)


def _call(at: float, host: str, name: str, *args: Any) -> Call:
    return Call(_us(at), host, name, args)


def never_read(until: float = 900.0) -> Scenario:
    """As nobody_reads, but B sets its receive buffer: now no version makes it larger, and the window stays shut."""
    script = (
        _call(0, "B", "socket"),
        _call(0, "B", "setsockopt", 3, "SOL_SOCKET", "SO_RCVBUF", 4096),
        _call(0, "B", "bind", 3, 80),
        _call(0, "B", "listen", 3, 5),
        _call(0, "B", "accept", 3),
        _call(0, "A", "socket"),
        _call(0, "A", "connect", 3, 80),
    )
    base = load("nobody_reads")
    sysctl = tuple(setting for setting in base.sysctl if setting[1] != "tcp_rmem")
    return base._replace(start="none", script=(*script, *base.script), sysctl=sysctl, until=_us(until))


# -- close --------------------------------------------------------------------------------------------------------


def unread(profile: Profile) -> str:
    """What A sends when it closes and has not read everything."""
    return _segments(_play(profile, "close_with_unread_data"), "A", 2.0, 2.0)


def linger_zero(profile: Profile) -> str:
    """What A sends when it closes with a linger time of zero."""
    return _segments(_play(profile, "linger_zero"), "A", 1.01, 1.01)


def linger_time(profile: Profile) -> str:
    """How long close sleeps when the FIN is not acknowledged, and what it returns."""
    done = _play(profile, "linger_time_out")
    end = next(r for r in done.recorder.records if isinstance(r, Return) and r.call == "close" and r.host == "A")
    return f"{_seconds(end.t - _us(1))}, then {end.ret}"


def shut_window(profile: Profile) -> str:
    """A's state just after close, while B's window is shut and A's FIN cannot leave."""
    done = run(never_read(5.0), profile=profile)
    state = next(r.new for r in done.recorder.records if isinstance(r, StateChange) and r.t == _us(5))
    return f"{state}, {'FIN sent' if 'FIN' in _segments(done, 'A', 5, 5) else 'FIN not sent'}"


def data_after_close(profile: Profile) -> str:
    """What A answers to data that comes after its close and before the ACK of its FIN."""
    done = _play(profile, "data_before_ack_of_fin")
    answer = _segments(done, "A", 1.05, 1.05)
    return answer if answer == "RESET" else f"{answer}; dropped"


def data_at_bucket(profile: Profile) -> str:
    """What A's bucket in FIN_WAIT2 answers to data."""
    return _segments(_play(profile, "close_before_answer"), "A", 1.54, 1.56)


def dead_unread(profile: Profile) -> str:
    """What A sends when it closes with unread data a connection that a RESET has ended."""
    steps = (_call(0.5, "B", "write", 4, 100), _call(2.0, "A", "close", 3))
    done = _play(profile, "reset_in_established", script=(steps[0], load("reset_in_established").script[0], steps[1]))
    return _segments(done, "A", 2.0, 2.0)


def half_open(profile: Profile) -> str:
    """What B sends for a half-open connection when it closes the listener; the finished one is reset."""
    done = _play(profile, "close_listener")
    sent = [r for r in done.recorder.records if isinstance(r, Sent)]
    second = next(r.seg.sport for r in sent if r.host == "A" and r.t >= _us(0.5))
    return _named(r for r in sent if r.host == "B" and r.t == _us(1.0) and r.seg.dport == second)


# -- a FIN comes --------------------------------------------------------------------------------------------------


def ack_of_fin(profile: Profile) -> str:
    """When the ACK of a FIN that comes in ESTABLISHED leaves."""
    done = _play(profile, "delayed_ack_of_fin")
    came = next(r.t for r in done.recorder.records if isinstance(r, Received) and r.host == "B" and r.seg.flags & 1)
    left = next(r.t for r in done.recorder.records if isinstance(r, Sent) and r.host == "B" and r.t >= came)
    return f"after {_seconds(left - came)}"


def out_of_order(profile: Profile) -> str:
    """What becomes of out_of_order_queue when the FIN comes."""
    done = _play(profile, "data_after_fin")
    purged = any(
        isinstance(r, Queue) and r.queue == "out_of_order_queue" and r.op in ("purge", "unlink") and r.host == "B"
        for r in done.recorder.records
    )
    return "thrown away" if purged else "kept"


def text_at_fin(profile: Profile) -> str:
    """What B in CLOSE_WAIT answers to text that starts on the FIN's own number and goes beyond it."""
    return _segments(_play(profile, "data_after_fin"), "B", 4.9, 5.1)


def text_in_last_ack(profile: Profile) -> str:
    """What B in LAST_ACK answers to such text."""
    lost = Lose(_us(2), "B", "FIN", None, _us(4))
    text = _inject(2.1, "B", "ACK", "rcv_nxt-1", ack="snd_una", len=10)
    done = _play(profile, "reset_in_last_ack", script=(*load("reset_in_last_ack").script[:1], lost,
                 _call(2.0, "B", "shutdown", 4, "SHUT_WR"), text))  # fmt: skip
    return _segments(done, "B", 2.1, 2.1)


def poll_after_fin(profile: Profile) -> str:
    """What poll says in CLOSE_WAIT."""
    events = "POLLIN|POLLOUT|POLLERR|POLLHUP|POLLRDHUP"
    done = _play(profile, "fin_wait2_time_out", _call(2, "B", "poll", 4, events), until=_us(3))
    return _returned(done, "poll").replace("|", " ")


# -- what is believed ---------------------------------------------------------------------------------------------


def reset_in_window(profile: Profile) -> str:
    """A RESET inside the window, not at its edge: is it believed?"""
    return _believed(_play(profile, "reset_in_window"), 1.0)


def reset_outside(profile: Profile) -> str:
    """A RESET one number too old: is it believed?"""
    return _believed(_play(profile, "reset_outside_window"), 1.0)


def syn_in_window(profile: Profile) -> str:
    """A SYN in the window of a connection that stands."""
    script = (_inject(1.0, "A", "SYN", "rcv_nxt+1"),)
    return _believed(_play(profile, "reset_in_window", script=script), 1.0)


def _believed(done: Run, at: float) -> str:
    closed, answer = _closed(done), _segments(done, "A", at, at)
    fate = "ignored" if closed is None or closed > _us(at) else "ends the connection"
    if fate == "ignored" and answer == "ACK":
        return "challenged by an ACK"
    return fate + ("" if answer == "nothing" else f", {answer}")


def ack_of_unsent(profile: Profile) -> str:
    """Text whose ACK field acknowledges what was never sent."""
    return _text(profile, _inject(1.0, "A", "ACK", "rcv_nxt", ack="snd_nxt+1000", len=10))


def without_ack(profile: Profile) -> str:
    """Text in a segment without the ACK flag."""
    return _text(profile, _inject(1.0, "A", "", "rcv_nxt", ack="0", len=10))


def _text(profile: Profile, inject: Inject) -> str:
    done = _play(profile, "reset_in_window", script=(inject, _call(1.5, "A", "ioctl", 3, "SIOCINQ")), until=_us(2))
    taken = _returned(done, "ioctl") != "0"
    answer = _segments(done, "A", 1.0, 1.0)
    return "text taken" if taken else "dropped" + ("" if answer == "nothing" else f", {answer}")


def error_in_close_wait(profile: Profile) -> str:
    """What write reports after a RESET in CLOSE_WAIT."""
    return _returned(_play(profile, "reset_in_close_wait"), "write")


def read_in_close_wait(profile: Profile) -> str:
    """What read says after a RESET in CLOSE_WAIT."""
    said = _returned(_play(profile, "reset_in_close_wait"), "read")
    return "end of file" if said == "0" else said


def queues_at_reset(profile: Profile) -> str:
    """What becomes of data that was written and not acknowledged, and of data not yet read, when a RESET comes."""
    script = (
        Lose(_us(0.5), "A", "data", None, _us(5)),
        _call(0.5, "A", "write", 3, 100),
        _call(0.5, "B", "write", 4, 30),
        _inject(1.0, "A", "RST", "rcv_nxt"),
    )
    done = _play(profile, "reset_in_established", script=script, until=_us(1.5))
    [sk] = (s for s in done.world.hosts["A"].net.socks.values() if s.sport)
    write, read = ("kept" if queue else "thrown away" for queue in (list(sk.write_queue), list(sk.receive_queue)))
    return f"written {write}, unread {read}"


# -- waiting ------------------------------------------------------------------------------------------------------


def time_wait(profile: Profile) -> str:
    """How long eight buckets stay in TIME_WAIT that come 2.2 s after each other."""
    script = [Call(0, "B", "socket", ()), _call(0, "B", "bind", 3, 80), _call(0, "B", "listen", 3, 5)]
    for number in range(8):
        at = 1 + number * 2.2
        script += [_call(at, "B", "accept", 3), Call(_us(at), "A", "socket", ()), _call(at, "A", "connect", 3, 80),
                   _call(at + 0.2, "A", "close", 3), _call(at + 0.4, "B", "close", 4)]  # fmt: skip
    done = _play(profile, "orderly_close", start="none", script=tuple(script))
    since: dict[int | None, int] = {}
    stays = []
    for r in done.recorder.records:
        if isinstance(r, Bucket) and r.host == "A":
            if r.op == "substate":
                since[r.tw] = r.t
            elif r.op == "kill":
                stays.append((r.t - since[r.tw]) / 1e6)
    low, high = f"{min(stays):.1f}", f"{max(stays):.1f}"
    return f"{low} s" if low == high else f"{low} to {high} s"


def fin_wait2(profile: Profile) -> str:
    """How long FIN_WAIT2 lasts after close when the peer never closes."""
    done = _play(profile, "fin_wait2_time_out", until=_us(300))
    gone = _gone(done)
    return "for ever" if gone is None else f"{_seconds(gone - _us(1.1))}, a bucket"


def fin_again(profile: Profile) -> str:
    """The peer's FIN comes again to a bucket in TIME_WAIT."""
    done = _play(profile, "last_ack_lost")
    return _restart(done, [r.t for r in done.recorder.records if isinstance(r, Received) and r.seg.flags & 1][-1])


def reset_in_time_wait(profile: Profile) -> str:
    """A RESET at the exact number comes to a bucket in TIME_WAIT."""
    return _restart(_play(profile, "reset_in_time_wait", until=_us(200)), _us(5))


def reset_rfc1337(profile: Profile) -> str:
    """The same with tcp_rfc1337 set."""
    return _restart(_play(profile, "rfc1337", until=_us(200)), _us(5))


def syn_in_time_wait(profile: Profile) -> str:
    """A SYN that is too old to open a connection comes to a bucket in TIME_WAIT."""
    script = (*load("reset_in_time_wait").script[:2], Lose(_us(5), "A", "ACK", None, _us(6)),
              _inject(5.0, "A", "SYN", "rcv_nxt-5000"))  # fmt: skip
    return _restart(_play(profile, "reset_in_time_wait", script=script, until=_us(200)), _us(5))


def _restart(done: Run, came: int) -> str:
    here = [r for r in done.recorder.records if r.t == came and r.host == "A"]
    answer = _named(r for r in here if isinstance(r, Sent))
    if any(isinstance(r, Bucket) and r.op == "kill" for r in here):
        fate = "bucket deleted"
    else:
        again = any(isinstance(r, Bucket) and r.op in ("schedule", "reschedule") for r in here)
        fate = "time starts again" if again else "time goes on"
    return fate if answer == "nothing" else f"{answer}, {fate}"


def new_syn(profile: Profile) -> str:
    """A SYN beyond all old numbers comes to a bucket in TIME_WAIT."""
    return f"connect returns {_returned(_play(profile, 'syn_meets_time_wait'), 'connect')}"


def connect_over(profile: Profile) -> str:
    """connect where the own bucket, with timestamps, still stands."""
    said = _returned(_play(profile, "connect_takes_bucket"), "connect")
    return f"connect returns {said}"


def long_linger2(profile: Profile) -> str:
    """TCP_LINGER2 set to 300 seconds: what is read back."""
    steps = (_call(1.0, "A", "setsockopt", 3, "SOL_TCP", "TCP_LINGER2", 300),
             _call(1.1, "A", "getsockopt", 3, "SOL_TCP", "TCP_LINGER2"))  # fmt: skip
    return f"{_returned(_play(profile, 'linger2_short', script=steps, until=_us(2)), 'getsockopt')} s"


def table_full(profile: Profile) -> str:
    """There is no room for a bucket."""
    done = _play(profile, "bucket_table_full")
    made = any(isinstance(r, Bucket) and r.op == "create" for r in done.recorder.records)
    return "a bucket all the same" if made else "no FIN_WAIT2, no TIME_WAIT"


# -- silence ------------------------------------------------------------------------------------------------------


def orphan(profile: Profile) -> str:
    """How often the FIN of an orphan is sent, and when the orphan is given up."""
    done = _play(profile, "nobody_answers", until=_us(1500), script=(
        Lose(_us(1), "A", "any", None, _us(1500)), _call(1.0, "A", "close", 3)))  # fmt: skip
    fins = sum(isinstance(r, Sent) and r.host == "A" and bool(r.seg.flags & 1) for r in done.recorder.records)
    closed = _closed(done)
    return f"{fins} FINs, " + ("never given up" if closed is None else f"given up after {_seconds(closed - _us(1))}")


def first_again(profile: Profile) -> str:
    """When a FIN that was lost is sent again, on a path of 0.1 s there and back."""
    done = _play(profile, "nobody_answers", until=_us(20))
    fins = [r.t for r in done.recorder.records if isinstance(r, Sent) and r.host == "A" and r.seg.flags & 1]
    return f"after {_seconds(fins[1] - fins[0])}"


def first_syn(profile: Profile) -> str:
    """When a first SYN that was lost is sent again."""
    script = (Lose(0, "A", "SYN", None, _us(30)), Call(0, "A", "socket", ()), Call(0, "A", "connect", (3, 80)))
    done = _play(profile, "orderly_close", start="none", script=script, until=_us(10))
    syns = [r.t for r in done.recorder.records if isinstance(r, Sent) and r.host == "A"]
    return f"after {_seconds(syns[1] - syns[0])}"


def probed_orphan(profile: Profile) -> str:
    """A closes while B's window is shut; B never reads, but answers every probe."""
    closed = _closed(run(never_read(7200), profile=profile))
    return "there after two hours" if closed is None else f"given up after {_seconds(closed - _us(5))}"
