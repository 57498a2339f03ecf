"""One sentence for each record: what caused it, and what it did.  Plain text; whoever shows it escapes it."""

from __future__ import annotations

from tcpnotes.source import say
from tcpnotes.trace import records as r
from tcpnotes.view.story import Beat, Story, call_words, clock, flags_of, main_sock, result_words, timer_words

_QUEUE_WORDS = ("add", "unlink", "purge", "trim", "flag", "send_head")
_WAKE_WORDS = ("state_change", "data_ready", "error_report", "write_space", "tcp_new_space")


def caption(story: Story, index: int) -> str:
    """The sentence for record ``index``: cause → effect."""
    record = story.records[index]
    beat = story.beat_of[index]
    if beat.untold:
        return say("caption.begins", states=", ".join(_stands(story, index)))
    cause = _cause(story, beat, index)
    effect = _effect(story, index)
    fires = isinstance(record, r.Timer) and record.op == "fire"
    if index == beat.first or fires or record.kind in ("call", "received"):
        return say("caption.one", effect=effect)
    return say("caption.both", cause=cause, effect=effect)


def moment(story: Story, index: int) -> int:
    """When record ``index`` is told, in microseconds: what came before the telling, at its beginning."""
    return max(story.records[index].t, story.since) if story.beat_of[index].untold else story.records[index].t


def _stands(story: Story, index: int) -> list[str]:
    """Where each host stands, before anything is told."""
    found = []
    for view in story.frames[index].hosts if story.frames else ():
        sk = main_sock(view.socks)
        tw = max(view.buckets, key=lambda bucket: bucket.id, default=None)
        if tw is not None and (sk is None or not sk.rport or tw.id > sk.id):
            found.append(say("caption.in_bucket", host=view.name, substate=tw.substate))
        elif sk is not None:
            found.append(say("caption.in_state", host=view.name, state=sk.state))
        else:
            found.append(say("caption.without", host=view.name))
    return found or [say("caption.untold")]


def _cause(story: Story, beat: Beat, index: int) -> str:
    host = beat.host
    for i in range(beat.first, index + 1):
        match story.records[i]:
            case r.Call() as call:
                return say("caption.calls", host=host, call=call_words(call.call, call.args))
            case r.Received() as received:
                return say("caption.reaches", segment=received.seg.flag_names or say("caption.segment"), host=host)
            case r.Timer(op="fire") as timer:
                return say("caption.fires", host=host, timer=timer_words(timer.name))
            case r.Stimulus(what="resume") as stimulus:
                return say("caption.goes_on", host=host, call=stimulus.detail)
            case r.Stimulus(what="crash"):
                return say("caption.crashes", host=host)
    return host


def _effect(story: Story, index: int) -> str:
    record = story.records[index]
    host = record.host
    by = getattr(record, "fn", None)
    who = by or say("caption.kernel")
    match record:
        case r.Stimulus():
            return _stimulus(record)
        case r.Enter():
            return say("caption.enter", fn=record.fn)
        case r.Call():
            return say("caption.application", host=host, call=call_words(record.call, record.args))
        case r.Return():
            return say("caption.returns", call=record.call, result=result_words(record))
        case r.Sleep():
            if record.until is None:
                return say("caption.sleeps", call=record.call)
            return say("caption.sleeps_until", call=record.call, time=clock(record.until))
        case r.StateChange():
            return say("caption.moves", who=who, old=record.old, new=record.new)
        case r.Child():
            return say("caption.child", who=who)
        case r.Sent():
            flight = next(f for f in story.flights if f.index == index)
            return say("caption.sends", who=who, segment=flight.label)
        case r.Received():
            came = next((f for f in story.flights if f.end == index), None)
            label = came.label if came is not None else record.seg.flag_names
            injected = came is not None and came.fate == "injected"
            where = say("caption.nowhere") if injected else story.other(host) or say("caption.the_wire")
            return say("caption.received", segment=label, where=where, host=host)
        case r.Lost():
            return say("caption.lost", segment=flags_of(record.seg), host=host)
        case r.Queue():
            op = say(f"caption.queue_{record.op}") if record.op in _QUEUE_WORDS else record.op
            return say("caption.queue", queue=record.queue, op=op, buffers=_buffers(record.length))
        case r.Timer():
            return _timer(record)
        case r.Wake():
            if record.which in _WAKE_WORDS:
                return say(f"caption.wake_{record.which}", who=who)
            return say("caption.wake", who=who, which=record.which)
        case r.Count():
            return say("caption.count", name=record.name)
        case r.Bucket():
            return _bucket(record, who)
        case r.Freed():
            return say("caption.freed")
        case r.Purged():
            return say("caption.purged", who=who, buffers=_buffers(record.skbs))
        case r.SockErr():
            return say("caption.no_error") if record.err is None else say("caption.error", errno=record.err)
        case r.SockShutdown():
            return say(f"caption.shut_{record.bits & 3}")
        case r.Signal():
            return say("caption.signal", name=record.name)
        case r.Printk():
            return say("caption.log", text=record.text)


def _stimulus(record: r.Stimulus) -> str:
    host, detail = record.host, record.detail
    match record.what:
        case "call":
            return say("caption.about_to", host=host, call=detail)
        case "packet":
            return say("caption.reaches", segment=say("caption.segment"), host=host)
        case "timer":
            return say("caption.due", host=host, timer=timer_words(detail))
        case "resume":
            return say("caption.goes_on", host=host, call=detail)
        case "crash":
            return say("caption.crash", host=host)
        case "note":
            return detail
    return f"{host}: {record.what} {detail}".rstrip()


def _timer(record: r.Timer) -> str:
    name = timer_words(record.name)
    if record.op == "set":
        if record.expires is None:
            return say("caption.timer_set", timer=name)
        return say("caption.timer_set_for", timer=name, time=f"{record.expires / 100:.2f}")
    if record.op == "clear":
        return say("caption.timer_clear", timer=name)
    return say("caption.fires", host=record.host, timer=name)


def _bucket(record: r.Bucket, who: str) -> str:
    match record.op:
        case "create":
            return say("caption.bucket_create", who=who, substate=record.substate)
        case "schedule" | "reschedule":
            if record.timeout is None:
                return say(f"caption.bucket_{record.op}", who=who)
            return say(f"caption.bucket_{record.op}_for", who=who, time=f"{record.timeout / 100:g}")
        case "substate":
            return say("caption.bucket_substate", who=who, substate=record.substate)
        case "deschedule" | "kill" | "overflow":
            return say(f"caption.bucket_{record.op}", who=who)
    return f"{who}: bucket {record.op}"


def _buffers(count: int) -> str:
    return say("caption.buffer" if count == 1 else "caption.buffers" if count else "caption.no_buffers", count=count)
