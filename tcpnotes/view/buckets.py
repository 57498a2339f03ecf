"""Where buckets wait for their end: the slow wheel (8 slots of 7.5 s) and the calendar (32 steps of 160 ms)."""

from __future__ import annotations

from math import cos, pi, sin

from tcpnotes.trace.frames import BucketView, HostView
from tcpnotes.view import theme
from tcpnotes.view.picture import Picture
from tcpnotes.view.story import Story
from tcpnotes.view.theme import number as n

WIDTH, HEIGHT = 340, 156
_SLOW, _CALENDAR = 8, 32


def buckets(story: Story, host: str, index: int = -1) -> Picture:
    """The wheels of ``host`` at a frame."""
    if not story.frames:
        raise ValueError("The wheels need frames: attach the recorder with frames=True.")
    view = story.frames[index].host(host)
    body, words = draw(view, theme.host_class(story.column(host)))
    body = f"<style>{STYLE}</style>{body}"
    return Picture(f"Buckets of host {host}", "; ".join(words) + ".", body, WIDTH, HEIGHT, "\n".join(words), 560)


def draw(view: HostView, css: str) -> tuple[str, list[str]]:
    """The inside of the drawing, and the same in words."""
    slow = _by_slot(view, "slow", view.hand, _SLOW)
    calendar = _by_slot(view, "calendar", max(view.cal_hand, 0), _CALENDAR)
    body = _wheel(slow, view.hand % _SLOW) + _strip(calendar, view.cal_hand) + _words_at(view)
    words = [
        f"slow wheel: hand at slot {view.hand % _SLOW}; {_in_words(slow)}",
        f"calendar: {'idle' if view.cal_hand < 0 else f'hand at step {view.cal_hand}'}; {_in_words(calendar)}",
    ]
    return f'<g class="{css}">{body}</g>', words


def _by_slot(view: HostView, wheel: str, hand: int, size: int) -> dict[int, list[BucketView]]:
    found: dict[int, list[BucketView]] = {}
    for tw in view.buckets:
        if tw.wheel == wheel and tw.slot is not None:
            found.setdefault((hand + tw.slot) % size, []).append(tw)
    return found


def _in_words(slots: dict[int, list[BucketView]]) -> str:
    if not slots:
        return "no buckets"
    return ", ".join(f"slot {slot}: {_names(slots[slot])}" for slot in sorted(slots))


def _names(held: list[BucketView]) -> str:
    return f"bucket {held[0].id} ({held[0].substate})" if len(held) == 1 else f"{len(held)} buckets"


def _point(slot: float, radius: float) -> str:
    angle = 2 * pi * slot / _SLOW - pi / 2
    return f"{n(round(72 + radius * cos(angle), 1))} {n(round(76 + radius * sin(angle), 1))}"


def _wheel(slots: dict[int, list[BucketView]], hand: int) -> str:
    out = []
    empty = ""  # all empty slots are one path: a stepper holds many such drawings
    for slot in range(_SLOW):
        a, b = slot - 0.5, slot + 0.5
        shape = (
            f"M{_point(a, 30)}L{_point(a, 60)}A60 60 0 0 1 {_point(b, 60)}L{_point(b, 30)}A30 30 0 0 0 {_point(a, 30)}Z"
        )
        held = slots.get(slot)
        if not held:
            empty += shape
            continue
        x, y = _point(slot, 45).split()
        out.append(
            f'<path class="p on" d="{shape}"/>'
            f'<text class="b" x="{x}" y="{n(float(y) + 4)}" text-anchor="middle">{len(held)}</text>'
        )
    out.insert(0, f'<path class="g" d="{empty}"/>')
    out.append(f'<path class="hand" d="M72 76L{_point(hand, 26)}"/><circle class="dot" cx="72" cy="76" r="3"/>')
    out.append('<text class="m" x="72" y="152" text-anchor="middle">slow wheel, 7.5 s a slot</text>')
    return "".join(out)


def _strip(slots: dict[int, list[BucketView]], hand: int) -> str:
    out = []
    empty = ""
    for slot in range(_CALENDAR):
        x, y = 156 + slot % 8 * 23, 68 + slot // 8 * 18
        if slot in slots:
            out.append(
                f'<rect class="p on" x="{x}" y="{y}" width="20" height="14"/>'
                f'<text class="s b" x="{x + 10}" y="{y + 11}" text-anchor="middle">{len(slots[slot])}</text>'
            )
        else:
            empty += f"M{x} {y}h20v14h-20z"
        if slot == hand:
            out.append(f'<path class="hand" d="M{x} {y + 16}h20"/>')
    out.insert(0, f'<path class="g" d="{empty}"/>')
    out.append('<text class="m" x="156" y="152">calendar, 160 ms a step</text>')
    return "".join(out)


def _words_at(view: HostView) -> str:
    lines = [f"bucket {tw.id}: {tw.substate}, due {tw.ttd / 100:.2f} s" for tw in view.buckets[:3]]
    if len(view.buckets) > 3:
        lines[-1] = f"and {len(view.buckets) - 2} more"
    return "".join(
        f'<text x="156" y="{20 + 18 * i}">{theme.text(line)}</text>' for i, line in enumerate(lines or ["no buckets"])
    )


STYLE = (
    ".tn svg .on{stroke-width:2}.tn svg .hand{stroke:var(--tn-fg);stroke-width:3;fill:none}"
    ".tn svg .dot{fill:var(--tn-fg)}"
)
