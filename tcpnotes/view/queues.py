"""A socket's queues as rows of boxes, oldest first, always in the same places.

A box is one buffer with its range of sequence numbers.  In ``write_queue`` what was
sent is filled, what was not is hollow and dashed, and a pointer under it marks ``send_head``.
"""

from __future__ import annotations

from tcpnotes.source import say
from tcpnotes.trace.frames import HostView, SkbView, SockView
from tcpnotes.trace.segment import FIN, SYN
from tcpnotes.view import theme
from tcpnotes.view.lettering import squeezed
from tcpnotes.view.picture import Picture
from tcpnotes.view.story import Story, main_sock, relative

SLOTS = 4  # boxes in a row; what does not fit is counted
WIDTH, HEIGHT = 340, 190
_BOX, _STEP, _ROW = 78, 84, 54
_NUMBERS, _CONTENT = 11, 12.2  # letters as on a narrow screen, where they need most room; bold ones are wider


def queues(story: Story, host: str, index: int = -1) -> Picture:
    """The queues of ``host`` at a frame."""
    if not story.frames:
        raise ValueError("Queues need frames: attach the recorder with frames=True.")
    view = story.frames[index].host(host)
    sk = main_sock(view.socks)
    parts, words = draw(view)
    title = say("queue.title", host=host) + (say("queue.of_socket", id=sk.id) if sk else "")
    body = f'<style>{STYLE}</style><g class="{theme.host_class(story.column(host))}">{"".join(parts)}</g>'
    return Picture(title, "; ".join(words) + ".", body, WIDTH, HEIGHT, "\n".join([title, *words]), 560)


def draw(view: HostView) -> tuple[list[str], list[str]]:
    """The inside of the drawing, row by row, and the same in words."""
    sk = main_sock(view.socks)
    rows = (
        ("receive_queue", sk.receive_queue if sk else (), sk.irs if sk else 0, None),
        ("out_of_order_queue", sk.out_of_order_queue if sk else (), sk.irs if sk else 0, None),
        ("write_queue", sk.write_queue if sk else (), sk.iss if sk else 0, sk.send_head if sk else None),
    )
    parts: list[str] = []
    words: list[str] = []
    y = 0.0
    for name, queue, base, head in rows:
        parts.append(_row(name, queue, base, head, y))
        words.append(f"{name}: {_words(queue, base, head, name == 'write_queue')}")
        y += _ROW
    note = _note(view, sk)
    parts.append(f'<text class="m" x="2" y="{theme.number(y + 16)}">{theme.text(note)}</text>')
    words.append(note)
    return parts, words


def _row(name: str, queue: tuple[SkbView, ...], base: int, head: int | None, y: float) -> str:
    out = [f'<text class="c" x="2" y="{theme.number(y + 12)}">{name}</text>']
    over = len(queue) - SLOTS
    shown = queue if over <= 0 else queue[: SLOTS - 1]
    if head is None and name == "write_queue":
        at = f'x="{WIDTH - 10}" y="{theme.number(y + 12)}" text-anchor="end"'
        out.append(f'<text class="m" {at}>send_head: {theme.text(say("queue.none"))}</text>')
    empty = ""
    for i in range(SLOTS):
        x = 2 + i * _STEP
        if i < len(shown):
            out.append(_box(shown[i], base, x, y + 18, name == "write_queue" and not shown[i].sent))
        elif i == len(shown) and over > 0:
            text = say("queue.more", count=len(queue) - len(shown))
            out.append(f'<text class="s" x="{x}" y="{theme.number(y + 36)}">{theme.text(text)}</text>')
        else:
            if not queue and not i:
                out.append(
                    f'<text class="m" x="{x + 4}" y="{theme.number(y + 37)}">{theme.text(say("queue.empty"))}</text>'
                )
            empty += f"M{x} {theme.number(y + 46)}h{_BOX}"
    if empty:
        out.append(f'<path class="e" d="{empty}"/>')
    if head is not None:
        out.append(_pointer(min(head, len(shown)), y + 50))
    return "".join(out)


def _pointer(slot: int, y: float) -> str:
    """``send_head`` under a slot, with its name on the side that has room."""
    middle = 2 + slot * _STEP + _BOX / 2
    x, anchor = (middle + 8, "start") if slot < SLOTS - 1 else (middle - 8, "end")
    return (
        f'<path class="x2" d="M{theme.number(middle - 5)} {theme.number(y + 8)}l5 -8l5 8z"/>'
        f'<text class="c" x="{theme.number(x)}" y="{theme.number(y + 8)}" text-anchor="{anchor}">send_head</text>'
    )


def _box(skb: SkbView, base: int, x: float, y: float, unsent: bool) -> str:
    middle = theme.number(x + _BOX / 2)
    style = "p un" if unsent else "p"
    numbers, content = _range(skb, base), _content(skb)
    at = f'x="{middle}" y="{theme.number(y + 12)}" text-anchor="middle"{squeezed(numbers, _BOX - 2, _NUMBERS)}'
    under = f'x="{middle}" y="{theme.number(y + 25)}" text-anchor="middle"{squeezed(content, _BOX - 2, _CONTENT)}'
    return (
        f'<rect class="{style}" x="{theme.number(x)}" y="{theme.number(y)}" width="{_BOX}" height="30" rx="3"/>'
        f'<text class="s" {at}>{numbers}</text><text class="s b" {under}>{theme.text(content)}</text>'
    )


def _range(skb: SkbView, base: int) -> str:
    start, end = relative(skb.seq, base), relative(skb.end_seq, base)
    return f"{start}" if end - start <= 1 else f"{start}–{end - 1}"


def _content(skb: SkbView) -> str:
    parts = [f"{skb.len} B"] if skb.len else []
    parts += ["SYN"] if skb.flags & SYN else []
    parts += ["FIN"] if skb.flags & FIN else []
    parts += [say("queue.again")] if skb.retransmitted else []
    parts += [say("queue.sacked")] if skb.sacked else []
    return "+".join(parts) or say("queue.empty")


def _words(queue: tuple[SkbView, ...], base: int, head: int | None, outgoing: bool) -> str:
    pieces = []
    for i, skb in enumerate(queue):
        unsent = " " + say("queue.unsent") if outgoing and not skb.sent else ""
        mark = " <- send_head" if i == head else ""
        pieces.append(f"[{_range(skb, base)} {_content(skb)}{unsent}{mark}]")
    return " ".join(pieces) or say("queue.empty")


def _note(view: HostView, sk: SockView | None) -> str:
    listener = next((s for s in view.socks if s.state == "LISTEN"), None)
    parts = []
    if sk is None:
        parts.append(say("queue.bucket") if view.buckets else say("queue.no_socket"))
    if listener is not None:
        waiting = len(listener.accept_queue)
        parts.append(say("queue.listener", half_open=listener.half_open, waiting=waiting))
    fd = say("queue.none") if sk is None or sk.fd is None else sk.fd
    return "; ".join(parts) or say("queue.socket", id=sk.id if sk else "", fd=fd)


STYLE = ".tn svg .un{fill:var(--tn-bg);stroke-dasharray:4 3}.tn svg .x2{fill:var(--c)}"
