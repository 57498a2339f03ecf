"""The words in which patterns are written: one short function for each kind of record."""

from __future__ import annotations

from typing import Any

from tcpnotes.scenarios.patterns import ANY, Args, Has, Match, Pattern, Scene, Var, context

SK = Var("sk")
TW = Var("tw")
_ONLY = {"ACK": 0x10, "RST": 0x04, "SYN": 0x02}


def _fields(**fields: Any) -> tuple[tuple[str, Any], ...]:
    return tuple((name.replace("__", "."), value) for name, value in fields.items() if value is not ANY)


def _around(inside: str | tuple[str, ...]) -> tuple[str, ...]:
    return (inside,) if isinstance(inside, str) else inside


# -- what a stimulus is ---------------------------------------------------------------------------------------


def calls(call: str, *args: Any) -> Match:
    """An application enters a system call; ``args`` are its first arguments."""
    return Match("call", _fields(call=call, args=Args(args) if args else ANY))


def gets(flags: Any = ANY, **seg: Any) -> Match:
    """A segment arrives; ``wire`` is its number, the other names are fields of the segment."""
    wire = seg.pop("wire", ANY)
    inner = {f"seg__{name}": value for name, value in seg.items()}
    return Match("received", _fields(wire=wire, seg__flags=flags, **inner))


def fires(name: str) -> Match:
    """A timer fires."""
    return Match("timer", _fields(name=name, op="fire"))


def resumes(call: Any) -> Match:
    """A task that slept in ``call`` goes on."""
    return Match("stimulus", _fields(what="resume", detail=call))


# -- what comes of it --------------------------------------------------------------------------------------------


def enter(
    fn: str, *, on: Any = SK, state: str | None = None, inside: str | tuple[str, ...] = (), t: Any = ANY
) -> Match:
    """A kernel function begins, on the socket of the role unless told."""
    return Match("enter", _fields(fn=fn, sk=on, t=t), _around(inside), state)


def state(old: Any, new: Any, *, on: Any = SK, inside: str | tuple[str, ...] = (), **views: Any) -> Match:
    """A socket changes state; further names are tests of the socket in the frame."""
    return Match("state", _fields(old=old, new=new, sk=on), _around(inside), view=_fields(**views))


def sent(flags: Any = ANY, *, on: Any = SK, inside: str | tuple[str, ...] = (), **seg: Any) -> Match:
    """A segment leaves; ``wire`` and ``t`` are the record's, the other names are fields of the segment."""
    outer = {name: seg.pop(name) for name in ("wire", "t") if name in seg}
    inner = {f"seg__{name}": value for name, value in seg.items()}
    return Match("sent", _fields(sk=on, seg__flags=flags, **outer, **inner), _around(inside))


def queue(name: str, op: str, *, on: Any = SK, inside: str | tuple[str, ...] = (), **fields: Any) -> Match:
    """A queue changes."""
    return Match("queue", _fields(queue=name, op=op, sk=on, **fields), _around(inside))


def purged(*, inside: str | tuple[str, ...] = ()) -> Match:
    """Buffers are thrown away."""
    return Match("purge", _fields(sk=SK), _around(inside))


def timer(name: str, op: str, *, inside: str | tuple[str, ...] = ()) -> Match:
    """A timer of the socket is set or cleared."""
    return Match("timer", _fields(name=name, op=op, sk=SK), _around(inside))


def wake(which: str, *, inside: str | tuple[str, ...] = ()) -> Match:
    """The sleepers of the socket are called."""
    return Match("wake", _fields(which=which, sk=SK), _around(inside))


def count(name: str) -> Match:
    """A counter goes up."""
    return Match("count", _fields(name=name))


def bucket(op: Any, substate: Any = ANY, *, tw: Any = TW, of_sk: Any = ANY, timeout: Any = ANY, t: Any = ANY) -> Match:
    """Something happens to a bucket."""
    return Match("tw", _fields(op=op, substate=substate, tw=tw, of_sk=of_sk, timeout=timeout, t=t))


def freed(on: Any = SK) -> Match:
    """The socket is freed."""
    return Match("free", _fields(sk=on))


def error(name: Any) -> Match:
    """``sk->err`` changes."""
    return Match("sk_err", _fields(sk=SK, err=name))


def log(text: str, *, host_view: dict[str, Any] | None = None, **views: Any) -> Match:
    """The kernel writes a line; further names are tests of the socket in the frame."""
    return Match("printk", _fields(text=text), view=_fields(**views), host_view=_fields(**(host_view or {})))


def sleeps(call: Any, *, on: Any = SK, **fields: Any) -> Match:
    """A system call goes to sleep."""
    return Match("sleep", _fields(call=call, sk=on, **fields))


def returns(call: Any, ret: Any = ANY, errno: Any = ANY, **fields: Any) -> Match:
    """A system call returns."""
    return Match("return", _fields(call=call, ret=ret, errno=errno, **fields))


def lost(**fields: Any) -> Match:
    """A segment is lost on the wire."""
    return Match("lost", _fields(**fields))


def only(name: str) -> int:
    """Exactly this flag."""
    return _ONLY[name]


# -- putting them together -----------------------------------------------------------------------------------------


def scene(
    cause: Match | None,
    *steps: Match,
    role: str = "me",
    never: tuple[Match, ...] = (),
    not_before_next: tuple[Match, ...] = (),
) -> Scene:
    """What one stimulus sets off."""
    return Scene(cause, steps, role, never, not_before_next)


def peer(cause: Match | None, *steps: Match, **rest: Any) -> Scene:
    """The same on the other host."""
    return Scene(cause, steps, "peer", **rest)


def pattern(*scenes: Scene) -> Pattern:
    """Scenes in the order of time."""
    return Pattern(scenes)


FIN, ACK, RST, SYN = Has("F"), Has("."), Has("R"), Has("S")

__all__ = [
    "ACK", "ANY", "FIN", "RST", "SK", "SYN", "TW", "bucket", "calls", "context", "count", "enter", "error", "fires",
    "freed", "gets", "log", "lost", "only", "pattern", "peer", "purged", "queue", "resumes", "returns", "scene", "sent",
    "sleeps", "state", "timer", "wake",
]  # fmt: skip
