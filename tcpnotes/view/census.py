"""How many sockets and buckets a host has in which state: as `ss -tan` lists them, and over the time of a run.

Listed is what is in a table of the kernel: a socket that has gone to CLOSE is in none, though its owner may still
read it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from tcpnotes.trace.frames import Frame, HostView, SockView
from tcpnotes.view import theme
from tcpnotes.view.picture import Picture
from tcpnotes.view.reading import Note, table
from tcpnotes.view.theme import number as n

SS = {
    "LISTEN": "LISTEN", "SYN_SENT": "SYN-SENT", "SYN_RECV": "SYN-RECV", "ESTABLISHED": "ESTAB",
    "FIN_WAIT1": "FIN-WAIT-1", "FIN_WAIT2": "FIN-WAIT-2", "CLOSING": "CLOSING", "TIME_WAIT": "TIME-WAIT",
    "CLOSE_WAIT": "CLOSE-WAIT", "LAST_ACK": "LAST-ACK",
}  # fmt: skip
_ORDER = tuple(SS)
# How the line of a state looks: its dashes and its width.  The same in every picture.
_LOOKS = {
    "ESTABLISHED": ("", 1), "CLOSE_WAIT": ("", 2.8), "TIME_WAIT": ("2 3", 2.6), "FIN_WAIT2": ("8 3", 1.8),
    "FIN_WAIT1": ("8 3 2 3", 1.8), "LAST_ACK": ("4 2", 1.2), "CLOSING": ("1 4", 1.8), "SYN_RECV": ("12 4", 1),
    "SYN_SENT": ("12 4 2 4", 1),
}  # fmt: skip

WIDTH = 420
_LEFT, _RIGHT, _TOP, _HIGH = 28, 12, 34, 110


def listing(host: HostView) -> Note:
    """The host's sockets and buckets as `ss -tan` lists them, and who owns each.

    Recv-Q is what has come and was not read (a FIN counts one), Send-Q what was written and not acknowledged, in bytes;
    for a listener Recv-Q is how many wait for accept.
    """
    rows = [
        (_ORDER.index(sk.state), sk.rport, SS[sk.state], *_queues(sk), sk.lport, sk.rport or "*", _owner(sk))
        for sk in host.socks
        if sk.hashed and sk.state in SS
    ]
    rows += [
        (_ORDER.index(tw.substate), tw.rport, SS[tw.substate], 0, 0, tw.lport, tw.rport, "a bucket")
        for tw in host.buckets
    ]
    rows.sort(key=lambda row: (row[0], row[1], row[4]))
    return table(("State", "Recv-Q", "Send-Q", "Local port", "Peer port", "owner"), [row[2:] for row in rows])


def _queues(sk: SockView) -> tuple[int, int]:
    if sk.state == "LISTEN":
        return len(sk.accept_queue), 0
    return (sk.rcv_nxt - sk.copied_seq) & 0xFFFFFFFF, (sk.write_seq - sk.snd_una) & 0xFFFFFFFF


def _owner(sk: SockView) -> str:
    return "nobody: an orphan" if sk.dead or sk.fd is None else f"fd {sk.fd}"


def count(host: HostView) -> dict[str, int]:
    """How many sockets and buckets are in each state, in the order of a connection's life; listeners left out."""
    found = Counter(sk.state for sk in host.socks if sk.hashed and sk.state in SS and sk.state != "LISTEN")
    found.update(tw.substate for tw in host.buckets)
    return {state: found[state] for state in _ORDER if found[state]}


def census(
    frames: Iterable[Frame],
    host: str,
    title: str,
    *,
    states: Sequence[str] = ("ESTABLISHED", "CLOSE_WAIT", "FIN_WAIT2", "TIME_WAIT"),
    column: int = 0,
    least: int = 4,
    until: float | None = None,
) -> Picture:
    """How many there are of each state over the time of a run: a stepped line for each, with a pattern of its own.

    ``least``: the height of the drawing, in connections, when there are not more; ``until``: where it ends, in seconds.
    A ValueError when there are no frames, and for a state that is none or LISTEN.
    """
    for state in states:
        if state not in _LOOKS:
            raise ValueError(f"A census counts no {state!r}; choose from: {', '.join(_LOOKS)}.")
    steps: list[tuple[int, dict[str, int]]] = []
    for frame in frames:
        found = count(frame.host(host))
        if steps and steps[-1][0] == frame.record.t:
            steps[-1] = (frame.record.t, found)
        elif not steps or steps[-1][1] != found:
            steps.append((frame.record.t, found))
        last = frame.record.t
    if not steps:
        raise ValueError("A census is made from frames; run with frames=True.")
    first = steps[0][0]
    last = last if until is None else round(until * 1e6)
    shown = [state for state in states if any(found.get(state) for _, found in steps)]
    top = max(least, *(max(found.values(), default=0) for _, found in steps))
    scale = (WIDTH - _LEFT - _RIGHT) / max(last - first, 1)
    bottom = _TOP + _HIGH

    def x(t: int) -> str:
        return n(round(_LEFT + (t - first) * scale, 1))

    def y(number: int) -> str:
        return n(round(bottom - number * _HIGH / top, 1))

    out = [f'<path class="e" d="M{_LEFT} {y(top)}H{WIDTH - _RIGHT}"/>']
    out.append(f'<path class="g" d="M{_LEFT} {bottom}H{WIDTH - _RIGHT}"/>')
    out += [f'<text class="m" x="{_LEFT - 6}" y="{n(float(y(v)) + 3)}" text-anchor="end">{v}</text>' for v in (0, top)]
    out.append(f'<text class="m" x="{_LEFT}" y="{bottom + 16}">{first / 1e6:.0f} s</text>')
    out.append(f'<text class="m" x="{WIDTH - _RIGHT}" y="{bottom + 16}" text-anchor="end">{last / 1e6:.0f} s</text>')
    place = _LEFT
    for state in shown:
        path = f"M{x(first)} {y(steps[0][1].get(state, 0))}"
        for t, found in steps[1:]:
            path += f"H{x(t)}V{y(found.get(state, 0))}"
        dash, width = _LOOKS[state]
        look = f' style="stroke-width:{width}"' + (f' stroke-dasharray="{dash}"' if dash else "")
        out.append(f'<path class="l" d="{path}H{x(last)}"{look}/>')
        out.append(f'<path class="l" d="M{place} 14h24"{look}/>')
        out.append(f'<text class="s" x="{place + 28}" y="17">{SS[state]}</text>')
        place += 40 + 6 * len(SS[state])
    told = f"Host {host}: " + "; ".join(_most(state, steps) for state in shown) + "."
    body = f'<g class="{theme.host_class(column)}">{"".join(out)}</g>'
    return Picture(title, told, body, WIDTH, bottom + 22, _text(steps, shown, last))


def _most(state: str, steps: list[tuple[int, dict[str, int]]]) -> str:
    numbers = [found.get(state, 0) for _, found in steps]
    return f"{SS[state]} up to {max(numbers)}, {numbers[-1]} at the end"


def _text(steps: list[tuple[int, dict[str, int]]], shown: list[str], last: int) -> str:
    """A row for the first moment, for the last, and for every whole tenth between them."""
    first = steps[0][0]
    rows = []
    for tenth in range(11):
        t = first + (last - first) * tenth // 10
        found = [numbers for at, numbers in steps if at <= t][-1]
        rows.append((f"{t / 1e6:.1f} s", *(found.get(state, 0) for state in shown)))
    return table(("time", *(SS[state] for state in shown)), rows).text
