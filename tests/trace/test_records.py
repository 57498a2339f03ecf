"""The trace: frozen records in order, nested as the functions were, and nothing that depends on who listens."""

from __future__ import annotations

import pytest
from story import Story, connected

from tcpnotes.kernel.mirror import FUNCTIONS
from tcpnotes.trace import records as r
from tcpnotes.world import World


def whole_life() -> Story:
    s = connected()
    s.A.write(16)
    s.deliver()
    s.A.close()
    s.deliver()
    s.B.read(100)
    s.B.read(100)
    s.B.close()
    s.wait(70)
    return s


def test_time_never_goes_back() -> None:
    times = [record.t for record in whole_life().recorder.records]
    assert times == sorted(times)


def test_records_are_frozen() -> None:
    record = whole_life().recorder.records[0]
    with pytest.raises(AttributeError):
        record.t = 5  # type: ignore[misc]
    assert hash(record) == hash(record._replace(t=record.t))


def test_depth__a_record_stands_at_most_one_below_the_function_it_is_in() -> None:
    open_functions: dict[str, list[str]] = {"A": [], "B": []}
    asleep: dict[tuple[str, int], list[str]] = {}
    for record in whole_life().recorder.records:
        if isinstance(record, r.Stimulus):  # a task goes on inside the functions it slept in
            resumed = asleep.get((record.host, record.task)) if record.task is not None else None
            open_functions[record.host] = list(resumed or ())
            continue
        stack = open_functions[record.host]
        assert record.depth <= len(stack), record
        del stack[record.depth :]
        if isinstance(record, r.Enter):
            assert record.fn in FUNCTIONS
            stack.append(record.fn)
        elif getattr(record, "fn", None) is not None:
            assert record.fn in stack, record  # type: ignore[union-attr]
        elif isinstance(record, r.Sleep):
            asleep[record.host, record.task] = list(stack)


def test_whatever_arrives_was_sent_with_that_number() -> None:
    sent: dict[int, r.Sent] = {}
    for record in whole_life().recorder.records:
        if isinstance(record, r.Sent):
            sent[record.wire] = record
        elif isinstance(record, r.Received):
            assert record.wire is not None
            assert sent[record.wire].seg == record.seg
            assert sent[record.wire].t + 50_000 == record.t


def test_states_join_up() -> None:
    last: dict[tuple[str, int], str] = {}
    for record in whole_life().recorder.records:
        if isinstance(record, r.StateChange):
            key = (record.host, record.sk)
            assert record.old == last.get(key, record.old)
            assert record.old != record.new
            assert "TIME_WAIT" not in (record.old, record.new)  # no socket is ever in it
            last[key] = record.new
        elif isinstance(record, r.Freed):
            assert last[record.host, record.sk] == "CLOSE"


def test_queue_lengths_follow_from_their_records() -> None:
    lengths: dict[tuple[str, int, str], int] = {}
    for record in whole_life().recorder.records:
        if isinstance(record, r.Queue):
            key = (record.host, record.sk, record.queue)
            change = {"add": 1, "unlink": -1, "purge": -lengths.get(key, 0)}.get(record.op, 0)
            if record.op != "add" or record.length != lengths.get(key, 0):  # appending to the tail adds no buffer
                assert record.length == lengths.get(key, 0) + change, record
            lengths[key] = record.length
    assert {length for (_, _, queue), length in lengths.items() if queue != "syn_table"} <= {0}


def test_every_call_returns() -> None:
    s = whole_life()
    calls = {(c.host, c.task): c.call for c in s.recorder.records if isinstance(c, r.Call)}
    returns = {(c.host, c.task): c.call for c in s.recorder.records if isinstance(c, r.Return)}
    assert calls == returns


def test_a_sleep_comes_before_the_return_of_a_blocked_call() -> None:
    asleep = set()
    for record in whole_life().recorder.records:
        if isinstance(record, r.Sleep):
            asleep.add((record.host, record.task))
        elif isinstance(record, r.Return):
            assert record.blocked == ((record.host, record.task) in asleep)


def test_counters_add_up() -> None:
    s = whole_life()
    counted: dict[str, int] = {}
    for record in s.recorder.records:
        if isinstance(record, r.Count) and record.host == "A":
            counted[record.name] = counted.get(record.name, 0) + 1
    in_bulk = {"TimeWaited", "TimeWaitKilled", "TcpCurrEstab"}
    assert {k: v for k, v in counted.items() if k not in in_bulk} == {
        k: v for k, v in s.A.net.mib.items() if k not in in_bulk and v
    }


def test_listening_begins_where_it_begins__and_a_copy_is_not_listened_to() -> None:
    world = World()
    world.call("A", "socket")
    recorder = world.listen()
    assert recorder.records == []
    world.call("A", "close", 3)
    assert [x.call for x in recorder.records if isinstance(x, r.Call)] == ["close"]
    before = len(recorder.records)
    copy = world.fork()
    copy.call("A", "socket")
    assert len(recorder.records) == before
    assert copy.recorder is None
    world.call("A", "socket")
    assert len(recorder.records) > before


def test_frames__what_stood_after_each_record() -> None:
    world = World()
    recorder = world.listen(frames=True)
    world.call("A", "socket")
    world.call("A", "connect", 3, 80)
    states = [frame.host("A").socks[0].state for frame in recorder.frames if frame.host("A").socks]
    assert states[0] == "CLOSE" and states[-1] == "SYN_SENT"
    for frame in recorder.frames:
        if isinstance(frame.record, r.StateChange):
            assert frame.host("A").socks[-1].state == frame.record.new
    assert len(recorder.frames[-1].wire) == 1
    with pytest.raises(KeyError):
        recorder.frames[0].host("C")
