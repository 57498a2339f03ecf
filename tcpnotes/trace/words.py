"""Numbers and options of a segment as people write them: relative numbers, options in the order of Linux."""

from __future__ import annotations

from tcpnotes.trace.segment import Segment

_AHEAD = 1 << 31


def relative(number: int, base: int) -> int:
    """A sequence number counted from ``base``, negative when it lies before it."""
    distance = (number - base) & 0xFFFFFFFF
    return distance - (1 << 32) if distance >= _AHEAD else distance


def option_words(seg: Segment, ts_base: int = 0, sack_base: int = 0) -> tuple[str, ...]:
    """The options in the order in which Linux writes them, with its padding.

    ``ts_base`` is taken off the timestamp's value, ``sack_base`` off the edges of SACK blocks.
    """
    words: list[str] = []
    if seg.mss is not None:
        words.append(f"mss {seg.mss}")
    if seg.ts is not None:
        words += ["sackOK"] if seg.sack_ok else ["nop", "nop"]
        words.append(f"TS val {(seg.ts[0] - ts_base) & 0xFFFFFFFF} ecr {seg.ts[1]}")
    elif seg.sack_ok:
        words += ["nop", "nop", "sackOK"]
    if seg.wscale is not None:
        words += ["nop", f"wscale {seg.wscale}"]
    if seg.sacks:
        blocks = " ".join(f"{(a - sack_base) & 0xFFFFFFFF}:{(b - sack_base) & 0xFFFFFFFF}" for a, b in seg.sacks)
        words += ["nop", "nop", f"sack {blocks}"]
    return tuple(words)
