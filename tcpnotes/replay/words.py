"""Rows in words, for people."""

from __future__ import annotations

from typing import Any

from tcpnotes.replay.recordings import CallMade, Recording, SegmentCame
from tcpnotes.replay.rows import Row
from tcpnotes.trace.segment import ACK, Segment


def row_words(row: Row | None, recording: Recording | None = None) -> str:
    """A row in a line, as one would say it; with the recording also what its stimuli were."""
    if row is None:
        return "nothing more"
    kind, t, *rest = row
    return f"{t:.6g} s  {_words(kind, rest, recording)}"


def _words(kind: str, rest: list[Any], recording: Recording | None) -> str:
    stimulus = None
    if recording is not None and kind in ("in", "call") and rest[0] is not None:
        stimulus = recording.stimuli[rest[0]]
    match kind:
        case "in" if isinstance(stimulus, SegmentCame):
            return f"in  {_segment(stimulus)}"
        case "call":
            _, fn, ret, errno, t_return, value = rest
            if isinstance(stimulus, CallMade):
                fn = f"{fn}({', '.join(map(str, stimulus.args))})"
            if t_return is None:
                return f"{fn} never returns"
            shown = "" if value is None else f" ({value})"
            return f"{fn} = {ret}{' ' + errno if errno else ''}{shown}, at {t_return:.6g} s"
        case "return":
            return f"{rest[1]} returns {rest[2]}{' ' + rest[3] if rest[3] else ''}"
        case "out":
            flags, seq, length, ack, win, opts, fn, port = rest
            listed = f" <{', '.join(opts)}>" if opts else ""
            to = f" to port {port}" if port else ""
            said = "" if ack is None else f" ack {ack}"
            return f"out {flags or 'no flags'} seq {seq} len {length}{said} win {win}{listed}{to}, by {fn}"
        case "state":
            return f"sk {rest[0]}: {rest[2]} → {rest[3]}, in {rest[4]}"
        case "calls":
            return "\n".join(["calls:", *("    " + "  " * depth + name for depth, name in rest[0])])
    return " ".join([kind, *(str(value) for value in rest if value is not None)])


def _segment(came: SegmentCame) -> str:
    letters = Segment(0, 0, 0, 0, 0, 0, came.flags, 0).flag_letters or "no flags"
    said = f" ack {came.ack}" if came.flags & ACK else ""
    port = f" from port {came.peer_port}" if came.peer_port else ""
    return f"{letters} seq {came.seq} len {came.len}{said} win {came.win}{port}"
