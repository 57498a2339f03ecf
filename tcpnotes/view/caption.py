"""One sentence for each record: what caused it, and what it did.  Plain text; whoever shows it escapes it."""

from __future__ import annotations

from tcpnotes.source import say
from tcpnotes.trace import records as r
from tcpnotes.view.story import Beat, Story, call_words, clock, main_sock, result_words, timer_words

_QUEUE_WORDS = {
    "add": "gains", "unlink": "gives up", "purge": "is emptied of", "trim": "trims", "flag": "changes the flags of",
    "send_head": "moves send_head to",
}  # fmt: skip
_WAKE_WORDS = {
    "state_change": "wakes whoever sleeps on the socket: its state changed",
    "data_ready": "wakes a reader: there is something to read",
    "error_report": "wakes the sleepers: something went wrong",
    "write_space": "wakes a writer: there is room again",
    "tcp_new_space": "looks whether a writer can go on: room was made",
}


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
        return f"{effect}."
    return f"{cause} → {effect}."


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
                return f"{host} calls {call_words(call.call, call.args)}"
            case r.Received() as received:
                return f"{received.seg.flag_names or 'A segment'} reaches {host}"
            case r.Timer(op="fire") as timer:
                return f"{host}: {timer_words(timer.name)} fires"
            case r.Stimulus(what="resume") as stimulus:
                return f"{host}: {stimulus.detail} goes on"
            case r.Stimulus(what="crash"):
                return f"{host} crashes"
    return host


def _effect(story: Story, index: int) -> str:
    record = story.records[index]
    host = record.host
    by = getattr(record, "fn", None)
    who = by or "the kernel"
    match record:
        case r.Stimulus():
            return _stimulus(record)
        case r.Enter():
            return f"{record.fn} begins"
        case r.Call():
            return f"{host}'s application calls {call_words(record.call, record.args)}"
        case r.Return():
            return f"{record.call} returns {result_words(record)}"
        case r.Sleep():
            limit = "" if record.until is None else f", until {clock(record.until)} s at the latest"
            return f"the process goes to sleep in {record.call}{limit}"
        case r.StateChange():
            return f"{who} moves the socket from {record.old} to {record.new}"
        case r.Child():
            return f"{who} makes a new socket in SYN_RECV from the open request"
        case r.Sent():
            flight = next(f for f in story.flights if f.index == index)
            return f"{who} sends {flight.label}"
        case r.Received():
            came = next((f for f in story.flights if f.end == index), None)
            label = came.label if came is not None else record.seg.flag_names
            where = "nowhere" if came is not None and came.fate == "injected" else story.other(host) or "the wire"
            return f"{label} from {where} reaches {host}"
        case r.Lost():
            return f"{record.seg.flag_names or 'a segment'} sent by {host} is lost on the wire"
        case r.Queue():
            number = _plural(record.length, "buffer")
            return f"{record.queue} {_QUEUE_WORDS.get(record.op, record.op)} a buffer; it holds {number} now"
        case r.Timer():
            return _timer(record)
        case r.Wake():
            return f"{who} {_WAKE_WORDS.get(record.which, 'wakes sleepers: ' + record.which)}"
        case r.Count():
            return f"the counter {record.name} goes up"
        case r.Bucket():
            return _bucket(record, who)
        case r.Freed():
            return "the socket's last reference goes: it is freed"
        case r.Purged():
            return f"{who} throws away {_plural(record.skbs, 'buffer')}"
        case r.SockErr():
            return f"the socket's error is {'cleared' if record.err is None else record.err}"
        case r.SockShutdown():
            return f"the socket is shut {_SHUT[record.bits & 3]}"
        case r.Signal():
            return f"the calling process gets {record.name}"
        case r.Printk():
            return f"the kernel logs: {record.text}"


_SHUT = ("no longer", "for receiving", "for sending", "in both directions")


def _stimulus(record: r.Stimulus) -> str:
    words = {
        "call": f"{record.host}'s application is about to call {record.detail}",
        "packet": f"A segment reaches {record.host}",
        "timer": f"{record.host}: {timer_words(record.detail)} is due",
        "resume": f"{record.host}: {record.detail} goes on",
        "crash": f"{record.host} crashes and comes up empty",
        "note": record.detail,
    }
    return words.get(record.what, f"{record.host}: {record.what} {record.detail}".rstrip())


def _timer(record: r.Timer) -> str:
    name = timer_words(record.name)
    if record.op == "set":
        when = "" if record.expires is None else f" for {record.expires / 100:.2f} s"
        return f"the {name} is set{when}"
    return f"the {name} is stopped" if record.op == "clear" else f"{record.host}: {name} fires"


def _bucket(record: r.Bucket, who: str) -> str:
    seconds = "" if record.timeout is None else f" for {record.timeout / 100:g} s"
    match record.op:
        case "create":
            return f"{who} puts a small bucket with substate {record.substate} in the socket's place"
        case "schedule":
            return f"{who} hangs the bucket on the timer that deletes later{seconds and ', timeout' + seconds[4:]}"
        case "reschedule":
            return f"{who} lets the bucket's time start again{seconds}"
        case "substate":
            return f"{who} moves the bucket's substate to {record.substate}"
        case "deschedule":
            return f"{who} takes the bucket off its timer"
        case "kill":
            return f"{who} deletes the bucket, and its port is free"
        case "overflow":
            return f"{who} gets no bucket: the table is full"
    return f"{who}: bucket {record.op}"


def _plural(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n or 'no'} {noun}s"
