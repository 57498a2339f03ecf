"""Where buckets wait for their end: the slow wheel (8 slots of 7.5 s) and the calendar (32 steps of 160 ms)."""

from __future__ import annotations

from math import cos, pi, sin

from tcpnotes.source import say
from tcpnotes.trace.frames import BucketView, HostView
from tcpnotes.view import theme
from tcpnotes.view.picture import Picture
from tcpnotes.view.story import Story
from tcpnotes.view.theme import number as n

WIDTH, HEIGHT = 340, 216
_SLOW, _CALENDAR = 8, 32
_SLOW_AT, _CALENDAR_AT, _Y = 82, 254, 82  # the middles of the two wheels
_INNER, _OUTER = 30, 64
_CALENDAR_INNER = 44
_LISTED = 2  # buckets that are named; the others are counted


def buckets(story: Story, host: str, index: int = -1) -> Picture:
    """The wheels of ``host`` at a frame.  A ValueError without frames."""
    if not story.frames:
        raise ValueError("The wheels need frames: attach the recorder with frames=True.")
    return wheels(story.frames[index].host(host), column=story.column(host))


def wheels(view: HostView, title: str | None = None, *, column: int = 0) -> Picture:
    """Both wheels of a host as it stands; ``column`` (0 left, 1 right) gives the host's colour."""
    parts, words = draw(view)
    title = title or say("wheel.title", host=view.name)
    body = f'<style>{STYLE}</style><g class="{theme.host_class(column)}">{"".join(parts)}</g>'
    return Picture(title, "; ".join(words) + ".", body, WIDTH, HEIGHT, "\n".join(words), 460)


def draw(view: HostView) -> tuple[list[str], list[str]]:
    """The inside of the drawing, part by part, and the same in words."""
    slow = _by_slot(view, "slow", view.hand, _SLOW)
    calendar = _by_slot(view, "calendar", max(view.cal_hand, 0), _CALENDAR)
    rest = say("wheel.rest")
    moves = rest if view.twkill_expires is None else say("wheel.moves", time=f"{view.twkill_expires / 100:.2f}")
    parts = [
        _wheel(slow),
        _hand(_SLOW_AT, view.hand % _SLOW / _SLOW, _INNER),
        _calendar(calendar, view.cal_hand),
        _under(_SLOW_AT, say("wheel.slow"), moves),
        _under(_CALENDAR_AT, say("wheel.calendar"), rest if view.cal_hand < 0 else ""),
        _words_at(view),
    ]
    words = [
        say("wheel.slow_words", slot=view.hand % _SLOW, moves=moves, held=_in_words(slow)),
        say(
            "wheel.calendar_words",
            hand=rest if view.cal_hand < 0 else say("wheel.step", step=view.cal_hand),
            held=_in_words(calendar),
        ),
    ]
    return parts, words


def stirs(view: HostView) -> bool:
    """Has a host anything to show on its wheels, or had it once?  False as long as they stand as in the beginning."""
    return view != at_rest(view)


def at_rest(view: HostView) -> HostView:
    """The same host with its wheels as they are in the beginning."""
    return view._replace(buckets=(), hand=0, cal_hand=-1, twkill_expires=None)


def _by_slot(view: HostView, wheel: str, hand: int, size: int) -> dict[int, list[BucketView]]:
    found: dict[int, list[BucketView]] = {}
    for tw in view.buckets:
        if tw.wheel == wheel and tw.slot is not None:
            found.setdefault((hand + tw.slot) % size, []).append(tw)
    return found


def _in_words(slots: dict[int, list[BucketView]]) -> str:
    if not slots:
        return say("wheel.none")
    return ", ".join(say("wheel.slot", slot=slot, held=_names(slots[slot])) for slot in sorted(slots))


def _names(held: list[BucketView]) -> str:
    if len(held) == 1:
        return say("wheel.one", id=held[0].id, substate=held[0].substate)
    return say("wheel.many", count=len(held))


def _point(middle: int, turn: float, radius: float) -> str:
    """The point at ``turn`` (0 up, 1 once around) and ``radius`` from the middle of a wheel."""
    angle = 2 * pi * turn - pi / 2
    return f"{n(round(middle + radius * cos(angle), 1))} {n(round(_Y + radius * sin(angle), 1))}"


def _cell(middle: int, slot: int, size: int, inner: int) -> str:
    """The outline of a slot."""
    a, b = (slot - 0.5) / size, (slot + 0.5) / size
    return (
        f"M{_point(middle, a, inner)}L{_point(middle, a, _OUTER)}A{_OUTER} {_OUTER} 0 0 1 {_point(middle, b, _OUTER)}"
        f"L{_point(middle, b, inner)}A{inner} {inner} 0 0 0 {_point(middle, a, inner)}Z"
    )


def _wheel(slots: dict[int, list[BucketView]]) -> str:
    """Eight slots with what they hold."""
    # all empty slots are one path: a stepper holds many such drawings
    empty = "".join(_cell(_SLOW_AT, slot, _SLOW, _INNER) for slot in range(_SLOW) if slot not in slots)
    out = [f'<path class="g" d="{empty}"/>']
    for slot in sorted(slots):
        x, y = _point(_SLOW_AT, slot / _SLOW, (_INNER + _OUTER) / 2).split()
        out.append(
            f'<path class="p on" d="{_cell(_SLOW_AT, slot, _SLOW, _INNER)}"/>'
            f'<text class="b" x="{x}" y="{n(float(y) + 4)}" text-anchor="middle">{len(slots[slot])}</text>'
        )
    return "".join(out)


def _calendar(slots: dict[int, list[BucketView]], hand: int) -> str:
    """Thirty-two steps, what they hold written outside; the hand only while the calendar runs."""
    radius = (_OUTER + _CALENDAR_INNER) / 2
    turn = f"rotate({n(-90 - 180 / _CALENDAR + 0.6)} {_CALENDAR_AT} {_Y})"
    size = f'cx="{_CALENDAR_AT}" cy="{_Y}" r="{n(radius)}" pathLength="{_CALENDAR}"'
    out = [f'<circle class="ring" {size} transform="{turn}"/>']  # one circle of dashes, a dash for each step
    for slot in sorted(slots):
        x, y = _point(_CALENDAR_AT, slot / _CALENDAR, _OUTER + 9).split()
        out.append(
            f'<path class="p on" d="{_cell(_CALENDAR_AT, slot, _CALENDAR, _CALENDAR_INNER)}"/>'
            f'<text class="s b" x="{x}" y="{n(float(y) + 3.5)}" text-anchor="middle">{len(slots[slot])}</text>'
        )
    if hand >= 0:
        out.append(_hand(_CALENDAR_AT, hand / _CALENDAR, _CALENDAR_INNER))
    return "".join(out)


def _hand(middle: int, turn: float, length: int) -> str:
    return (
        f'<path class="hand" d="M{middle} {_Y}L{_point(middle, turn, length - 4)}"/>'
        f'<circle class="dot" cx="{middle}" cy="{_Y}" r="3"/>'
    )


def _under(middle: int, name: str, state: str) -> str:
    return "".join(
        f'<text class="m" x="{middle}" y="{y}" text-anchor="middle">{theme.text(line)}</text>'
        for y, line in ((170, name), (183, state))
        if line
    )


def _words_at(view: HostView) -> str:
    lines = [
        say("wheel.promised", id=tw.id, substate=tw.substate, time=f"{tw.ttd / 100:.2f}")
        for tw in view.buckets[:_LISTED]
    ]
    if len(view.buckets) > _LISTED:
        lines[-1] = say("wheel.others", count=len(view.buckets) - _LISTED + 1)
    return "".join(
        f'<text x="18" y="{200 + 14 * i}">{theme.text(line)}</text>'
        for i, line in enumerate(lines or [say("wheel.none")])
    )


STYLE = (
    ".tn svg .on{stroke-width:2}.tn svg .hand{stroke:var(--tn-fg);stroke-width:3;fill:none}"
    ".tn svg .dot{fill:var(--tn-fg)}"
    f".tn svg .ring{{fill:none;stroke:var(--tn-line);stroke-width:{_OUTER - _CALENDAR_INNER};"
    "stroke-dasharray:.88 .12;stroke-opacity:.4}"
)
