"""What changed in ``sk`` and in the buckets between two frames: field, old, new."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from tcpnotes.source import say
from tcpnotes.trace.frames import BucketView, Frame, HostView, SockView
from tcpnotes.view.story import Story, relative


class Change(NamedTuple):
    """One field of one object of one host."""

    host: str
    thing: str
    field: str
    old: str
    new: str


_OWN = ("snd_una", "snd_nxt", "write_seq")
_PEER = ("rcv_nxt", "copied_seq", "fin_seq")
_PLAIN = (
    "state", "fd", "dead", "done", "shutdown", "err", "rcv_wnd", "snd_wnd", "rto", "backoff", "retransmits",
    "probes_out", "cwnd", "pingpong", "hashed", "bound", "linger", "half_open",
)  # fmt: skip
_SHUT = ("0", "RCV", "SEND", "RCV|SEND")
_SECONDS = ("rto", "linger")


def changes(story: Story, old: Frame, new: Frame) -> list[Change]:
    """All changes from ``old`` to ``new``, host by host."""
    found: list[Change] = []
    for view in new.hosts:
        before = next((v for v in old.hosts if v.name == view.name), None)
        if before is not None and before != view:
            found += _socks(before, view)
            found += _buckets(story, before, view)
    return found


def _socks(before: HostView, after: HostView) -> list[Change]:
    found: list[Change] = []
    olds = {sk.id: sk for sk in before.socks}
    for sk in after.socks:
        thing = f"sk {sk.id}"
        was = olds.pop(sk.id, None)
        if was is None:
            found.append(
                Change(
                    after.name, thing, say("changes.socket"), say("changes.none"), say("changes.made", state=sk.state)
                )
            )
        elif was != sk:
            found += _sock(after.name, thing, was, sk)
    words = say("changes.socket"), say("changes.there"), say("changes.freed")
    found += [Change(after.name, f"sk {gone}", *words) for gone in olds]
    return found


def _sock(host: str, thing: str, was: SockView, sk: SockView) -> list[Change]:
    found: list[Change] = []

    def compare(name: str, show: Callable[[SockView], str]) -> None:
        old, new = show(was), show(sk)
        if old != new:
            found.append(Change(host, thing, name, old, new))

    for name in _PLAIN:
        compare(name, lambda s, name=name: _plain(name, getattr(s, name)))  # type: ignore[misc]
    for name in _OWN:
        compare(name, lambda s, name=name: _seq(getattr(s, name), s.iss))  # type: ignore[misc]
    for name in _PEER:
        compare(name, lambda s, name=name: _seq(getattr(s, name), s.irs))  # type: ignore[misc]
    compare("receive_queue", lambda s: _count(len(s.receive_queue)))
    compare("write_queue", lambda s: _count(len(s.write_queue)))
    compare("out_of_order_queue", lambda s: _count(len(s.out_of_order_queue)))
    compare("accept_queue", lambda s: str(len(s.accept_queue)))
    compare("timers", _timers)
    return found


def _plain(name: str, value: object) -> str:
    if value is None:
        return say("changes.none")
    if isinstance(value, bool):
        return say("changes.yes") if value else say("changes.no")
    if name == "shutdown" and isinstance(value, int):
        return _SHUT[value & 3]
    if name in _SECONDS and isinstance(value, int):
        return say("changes.seconds", time=f"{value / 100:g}")
    return str(value)


def _seq(value: int, base: int) -> str:
    if not base or not value:
        return "–"
    return str(relative(value, base))


def _count(length: int) -> str:
    return say("queue.empty") if not length else f"{length} skb"


def _timers(sk: SockView) -> str:
    running = [say("changes.timer", name=timer.name, time=f"{timer.expires / 100:.2f}") for timer in sk.timers]
    return ", ".join(running) or say("changes.none")


def _buckets(story: Story, before: HostView, after: HostView) -> list[Change]:
    found: list[Change] = []
    olds = {tw.id: tw for tw in before.buckets}
    for tw in after.buckets:
        thing = f"tw {tw.id}"
        was = olds.pop(tw.id, None)
        if was is None:
            found.append(
                Change(
                    after.name,
                    thing,
                    say("changes.bucket"),
                    say("changes.none"),
                    say("changes.made", state=tw.substate),
                )
            )
            continue
        own, peer = story.bases(after.name, tw.lport, tw.rport)
        for name, old, new in zip(_TW, _bucket(was, own, peer), _bucket(tw, own, peer), strict=True):
            if old != new:
                found.append(Change(after.name, thing, name, old, new))
    words = say("changes.bucket"), say("changes.there"), say("changes.deleted")
    found += [Change(after.name, f"tw {gone}", *words) for gone in olds]
    return found


_TW = ("substate", "rcv_nxt", "snd_nxt", "due", "wheel")


def _bucket(tw: BucketView, own: int | None, peer: int | None) -> tuple[str, ...]:
    """The fields named in `_TW`, in words."""
    numbers = (_seq(tw.rcv_nxt, peer or tw.irs), _seq(tw.snd_nxt, own or tw.iss))
    due = say("changes.seconds", time=f"{tw.ttd / 100:.2f}")
    return (tw.substate, *numbers, due, say(f"changes.wheel_{tw.wheel}") if tw.wheel else say("changes.none"))
