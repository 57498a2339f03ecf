"""A game in words: what could be done, what was done, how things stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tcpnotes.kernel.net import Net
from tcpnotes.kernel.sock import (
    DELACK_TIMER,
    KEEPALIVE_TIMER,
    LISTEN,
    RETRANS_TIMER,
    STATE_NAMES,
    TASK_TIMER,
    TWCAL_TIMER,
    TWKILL_TIMER,
)
from tcpnotes.scenarios.forging import FLAGS, Forged
from tcpnotes.scenarios.loader import Call, Crash, Inject, Lose, Play, Step
from tcpnotes.scenarios.moves import NEXT, SKIP, Move
from tcpnotes.source import say
from tcpnotes.trace.records import Sent
from tcpnotes.trace.segment import Segment
from tcpnotes.view.story import Beat, Mark, Story, call_words, clock, timer_words
from tcpnotes.world import (
    AppCalls,
    Event,
    HostCrashes,
    SegmentArrives,
    SegmentDelayed,
    SegmentDuplicated,
    SegmentLost,
    TimerFires,
)

if TYPE_CHECKING:
    from tcpnotes.widgets.game import Game

_TIMERS = {
    DELACK_TIMER: "delack",
    KEEPALIVE_TIMER: "keepalive",
    TWKILL_TIMER: "twkill",
    TWCAL_TIMER: "twcal",
    TASK_TIMER: "schedule_timeout",
}
_PENDING = ("retrans_idle", "retrans", "", "probe0")  # what the shared timer stands for


def segment_words(story: Story, wire: int, seg: Segment | None) -> str:
    """Segment number ``wire`` as the trace labels it; by its flags when the trace does not know it (a copy)."""
    for flight in story.flights:
        record = story.records[flight.index]
        if isinstance(record, Sent) and (record.wire == wire or (seg is not None and record.seg == seg)):
            return flight.label
    return (seg.flag_names if seg is not None else "") or say("playground.number", number=wire)


def move_words(game: Game, one: Move) -> str:
    """A move, as seen from the game's present moment."""
    if isinstance(one.event, Forged):
        flags = ",".join(name for name, bit in FLAGS.items() if one.event.flags & bit)
        words = f"{flags} seq={one.event.seq}" + (f" len={one.event.len}" if one.event.len else "")
        return say("playground.forged", segment=words, host=one.event.host)
    if one.event is not None:
        return _event_words(game, one.event)
    if one.text == SKIP:
        script = game.scenario.script[game.script_step :]
        return say("playground.skip_script", step=_step_words(game, script[0])) if script else say("playground.idle")
    assert one.text == NEXT
    step, event = game.coming()
    if step is not None:
        return say("playground.next_script", step=_step_words(game, step))
    return say("playground.next_time", what=_event_words(game, event)) if event else say("playground.idle")


def _step_words(game: Game, step: Step) -> str:
    match step:
        case Call():
            return say("playground.call", host=step.host, call=call_words(step.call, step.args))
        case Crash():
            return say("playground.crash", host=step.host)
        case Inject():
            return say("playground.inject", host=step.to)
        case Lose():
            return say("playground.rule", what=step.what, host=step.src)
        case Play(_, move):
            return move_words(game, move)


def _event_words(game: Game, event: Event) -> str:
    world = game.world
    match event:
        case AppCalls(host, call, args):
            return say("playground.call", host=host, call=call_words(call, args))
        case TimerFires(host):
            return say("playground.fire", host=host, timer=_timer(world.host(host).net))
        case HostCrashes(host):
            return say("playground.crash", host=host)
        case SegmentArrives(wire) | SegmentLost(wire) | SegmentDuplicated(wire) | SegmentDelayed(wire, _):
            flight = world.wire.flying.get(wire)
            segment = segment_words(game.story, wire, flight.seg if flight is not None else None)
            match event:
                case SegmentLost():
                    return say("playground.lose", segment=segment)
                case SegmentDuplicated():
                    return say("playground.duplicate", segment=segment)
                case SegmentDelayed():
                    return say("playground.delay", segment=segment, time=f"{event.by / 1_000_000:g}")
            first = world.wire.next_due()
            if flight is not None and first is not None and first.wire != wire and first.dst == flight.dst:
                return say("playground.overtake", segment=segment)
            return say("playground.deliver", segment=segment, host=flight.dst if flight is not None else "?")
    return type(event).__name__


def _timer(net: Net) -> str:
    """The timer that is due next."""
    tick = net.next_tick()
    if tick is None:
        return say("playground.no_timer")
    _, kind, owner = net.timers[tick][0]
    return timer_words(_PENDING[net.socks[owner].pending] if kind == RETRANS_TIMER else _TIMERS[kind])


def told(game: Game) -> list[str]:
    """For each moment of the game, in a line, what led to it."""
    lines = [say("playground.begin")]
    stops = game.stops
    beats = iter(game.story.beats)
    beat = next(beats, None)
    for before, after in zip(stops, stops[1:], strict=False):
        found = []
        while beat is not None and beat.first <= after:
            if beat.first > before and (beat.shown or beat.what == "note"):
                found.append(_beat_words(beat))
            beat = next(beats, None)
        lines.append("; ".join(filter(None, found)) or say("playground.quiet"))
    return lines


def _beat_words(beat: Beat) -> str:
    """What happened at once on one host: the cause, an arrow, what came of it."""
    if beat.what == "note":
        return beat.detail
    if beat.what == "lost":
        return say("playground.was_lost", segment=beat.ended[0].label if beat.ended else "?")
    cause = next((mark.text for mark in beat.marks if mark.kind == "event"), beat.detail)
    came = [_mark_words(mark) for mark in beat.marks if mark.kind != "event"]
    came += [say("playground.sends", segment=flight.label) for flight in beat.sent]
    return say("steps.mark", host=beat.host, text=cause) + (f" → {', '.join(came)}" if came else "")


def _mark_words(mark: Mark) -> str:
    if mark.kind == "bucket":
        return say("trace.bucket", substate=mark.text)
    return f"= {mark.text}" if mark.kind == "result" else mark.text


def status(game: Game) -> list[str]:
    """The present moment in lines: the clock, each host's sockets and buckets, the wire."""
    world = game.world
    lines = [say("playground.now", time=clock(world.now))]
    for name, host in world.hosts.items():
        net = host.net
        found = [STATE_NAMES[sk.state] for sk in net.socks.values() if sk.state != LISTEN]
        found += [say("playground.bucket", substate=STATE_NAMES[tw.substate]) for tw in net.tw_hash.values()]
        lines.append(say("playground.state", host=name, state=", ".join(found) or say("playground.no_sock")))
    on_wire = [
        f"{segment_words(game.story, wire, flight.seg)} ({flight.src} → {flight.dst}, "
        f"{say('changes.seconds', time=clock(flight.due))})"
        for wire, flight in world.wire.flying.items()
    ]
    wire = say("playground.on_wire", segments=", ".join(on_wire)) if on_wire else say("playground.no_wire")
    return [*lines, wire]
