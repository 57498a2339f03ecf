"""System calls of a script in the engine's terms: which call, with which arguments, and what it must bring.

`translate` turns a call into a `Planned` one.  What the engine has nothing for
raises `CallRefused`, in a sentence.
"""

from __future__ import annotations

import errno as _errno
from typing import Any, NamedTuple

from tcpnotes.packetdrill.script import Array, Call, Dots, Inner, Struct, Text, Value, Word

PORT = 8080  # where a script binds and connects to when it does not say


class CallRefused(ValueError):
    """A call that the engine has nothing for; the text is one sentence."""


class Planned(NamedTuple):
    """A call to make: ``args`` without the descriptor, which is ``fd`` in the script's numbers (None: there is none).

    ``expected`` is what the call must return; ``value`` what it must bring besides (None: not looked at).
    ``opens`` says that the result is a new descriptor, ``nonblock`` that it does not block.
    """

    name: str
    fd: int | None
    args: tuple[Any, ...]
    expected: int | None
    errno: str | None
    value: Any = None
    opens: bool = False
    nonblock: bool = False


class Polled(NamedTuple):
    """One entry of poll: descriptor in the script's numbers, and masks in words."""

    fd: int
    events: str
    revents: frozenset[str] | None


# Options that change nothing of what the engine models; setting them succeeds and is passed over.
WITHOUT_EFFECT = frozenset({
    "SO_REUSEPORT", "SO_PRIORITY", "SO_MARK", "SO_TIMESTAMPING", "SO_TIMESTAMP", "SO_ZEROCOPY", "SO_MAX_PACING_RATE",
    "SO_BUSY_POLL", "SO_INCOMING_CPU", "TCP_CONGESTION", "TCP_NOTSENT_LOWAT", "TCP_INQ", "TCP_THIN_LINEAR_TIMEOUTS",
    "TCP_SAVE_SYN", "TCP_TX_DELAY", "IP_TOS", "IP_RECVERR", "IP_MTU_DISCOVER", "IP_FREEBIND", "IP_TRANSPARENT",
})  # fmt: skip
_LEVELS = {"SOL_SOCKET": "SOL_SOCKET", "SOL_TCP": "SOL_TCP", "IPPROTO_TCP": "SOL_TCP"}
_HARMLESS_LEVELS = frozenset({"SOL_IP", "IPPROTO_IP", "IP_PROTO"})

_UNKNOWN = {
    "sendfile": "files", "splice": "pipes", "pipe": "pipes", "open": "files", "getsockname": "names of sockets",
    "getpeername": "names of sockets", "cap_set": "capabilities", "sendmmsg": "sendmmsg", "recvmmsg": "recvmmsg",
    "dup": "second descriptors of one file", "dup2": "second descriptors of one file", "fork": "processes",
}  # fmt: skip


def translate(call: Call, options: frozenset[str], messages: frozenset[str]) -> Planned:
    """The engine's call for one of the script's.

    ``options`` are the socket options that the engine has, ``messages`` the flags of send and recv.
    """
    expected = None if isinstance(call.result, Dots) else _number(call.result, "the result")
    errno = call.errno
    if expected is not None and expected < 0:
        if errno is not None and not hasattr(_errno, errno):
            raise CallRefused(f"{errno} is no errno.")
    if errno is not None:  # one number may have two names, as EWOULDBLOCK and EAGAIN
        errno = _errno.errorcode.get(getattr(_errno, errno, 0), errno)
    maker = _MAKERS.get(call.name)
    if maker is None:
        what = _UNKNOWN.get(call.name)
        tail = f"the engine has no {what}" if what else "the engine has no such call"
        raise CallRefused(f"{call.name} cannot be made: {tail}.")
    made = maker(call, options, messages)
    return made._replace(expected=expected, errno=errno if expected is None or expected < 0 else None)


# -- values --------------------------------------------------------------------------------------------------------


def _number(value: Value, what: str) -> int:
    if isinstance(value, int):
        return value
    if isinstance(value, Word) and all(name.isdigit() for name in value.names):
        return sum(int(name) for name in value.names)
    raise CallRefused(f"{what} must be a number, not {value}.")


def _arguments(call: Call, least: int, most: int) -> tuple[Value, ...]:
    if not least <= len(call.args) <= most:
        wanted = str(least) if least == most else f"{least} to {most}"
        raise CallRefused(f"{call.name} takes {wanted} arguments, not {len(call.args)}.")
    return call.args


def _fd(call: Call) -> int:
    return _number(call.args[0], f"the descriptor of {call.name}")


def _words(value: Value) -> tuple[str, ...]:
    if isinstance(value, Word):
        return value.names
    if isinstance(value, int):
        return () if value == 0 else (str(value),)
    raise CallRefused(f"names joined by '|' were expected, not {value}.")


def _flags(call: Call, value: Value, known: frozenset[str]) -> str:
    names = _words(value)
    for name in names:
        if name not in known:
            raise CallRefused(f"{call.name} with {name} cannot be made: the engine has {', '.join(sorted(known))}.")
    return "|".join(names) or "0"


def _port(call: Call, at: int) -> int:
    """The port of an address, or the usual one where the script leaves it open."""
    if len(call.args) <= at or not isinstance(call.args[at], Struct):
        return PORT
    address = call.args[at]
    assert isinstance(address, Struct)
    family = address.field("sa_family")
    if family is not None and family != Word(("AF_INET",)):
        raise CallRefused(f"the engine speaks IPv4 only, not {family}.")
    port = address.field("sin_port")
    if isinstance(port, Inner) and port.name == "htons" and len(port.args) == 1:
        number = _number(port.args[0], "the port")
        if 0 <= number <= 65535:
            return number
    raise CallRefused(f"an address is {{sa_family=AF_INET, sin_port=htons(N), sin_addr=…}}, not {address}.")


def _bytes_of(call: Call, value: Value) -> int:
    """How many bytes the vectors of readv, writev, sendmsg or recvmsg hold."""
    if not isinstance(value, Array):
        raise CallRefused(f"{call.name} takes a list of vectors [{{..., N}}], not {value}.")
    total = 0
    for vector in value.items:
        if not isinstance(vector, Struct) or len(vector.items) != 2:
            raise CallRefused(f"a vector is {{..., N}}, not {vector}.")
        total += _number(vector.items[1], "the length of a vector")
    return total


# -- calls ---------------------------------------------------------------------------------------------------------


def _socket(call: Call, options: frozenset[str], messages: frozenset[str]) -> Planned:
    family, kind, protocol = _arguments(call, 3, 3)
    if not isinstance(family, Dots) and _words(family) not in (("AF_INET",), ("PF_INET",)):
        raise CallRefused(f"the engine speaks IPv4 only, not {family}.")
    kinds = set(_words(kind))
    if "SOCK_STREAM" not in kinds or kinds - {"SOCK_STREAM", "SOCK_NONBLOCK", "SOCK_CLOEXEC"}:
        raise CallRefused(f"the engine has TCP sockets only (SOCK_STREAM), not {kind}.")
    if protocol != 0 and _words(protocol) not in (("IPPROTO_TCP",), ("IPPROTO_IP",)):
        raise CallRefused(f"the engine has TCP sockets only (IPPROTO_TCP), not {protocol}.")
    return Planned("socket", None, (), 0, None, opens=True, nonblock="SOCK_NONBLOCK" in kinds)


def _bind(call: Call, options: frozenset[str], messages: frozenset[str]) -> Planned:
    _arguments(call, 3, 3)
    return Planned(call.name, _fd(call), (_port(call, 1),), 0, None)


def _listen(call: Call, options: frozenset[str], messages: frozenset[str]) -> Planned:
    args = _arguments(call, 2, 2)
    return Planned("listen", _fd(call), (_number(args[1], "the backlog"),), 0, None)


def _accept(call: Call, options: frozenset[str], messages: frozenset[str]) -> Planned:
    args = _arguments(call, 3, 4)
    flags = set(_words(args[3])) if len(args) > 3 else set()
    return Planned("accept", _fd(call), (), 0, None, opens=True, nonblock="SOCK_NONBLOCK" in flags)


def _transfer(call: Call, options: frozenset[str], messages: frozenset[str]) -> Planned:
    """Read, recv, recvfrom, write, send, sendto: descriptor, buffer, length, flags, address."""
    most = {"read": 3, "write": 3, "recv": 4, "send": 4}.get(call.name, 6)
    args = _arguments(call, 3, most)
    length = _number(args[2], f"the length of {call.name}")
    name = {"recvfrom": "recv", "sendto": "send"}.get(call.name, call.name)
    if name in ("read", "write"):
        return Planned(name, _fd(call), (length,), 0, None)
    flags = _flags(call, args[3], messages) if len(args) > 3 else "0"
    return Planned(name, _fd(call), (length, flags), 0, None)


def _vector(call: Call, options: frozenset[str], messages: frozenset[str]) -> Planned:
    args = _arguments(call, 3, 3)
    name = "read" if call.name == "readv" else "write"
    return Planned(name, _fd(call), (_bytes_of(call, args[1]),), 0, None)


def _message(call: Call, options: frozenset[str], messages: frozenset[str]) -> Planned:
    args = _arguments(call, 3, 3)
    header = args[1]
    vectors = header.field("msg_iov") if isinstance(header, Struct) else None
    if vectors is None:
        raise CallRefused(f"{call.name} takes {{msg_name(...)=..., msg_iov(1)=[{{..., N}}], msg_flags=0}}.")
    assert isinstance(header, Struct)
    control = header.field("msg_control")
    if isinstance(control, Array) and control.items:
        raise CallRefused(f"{call.name} with control messages cannot be made: the engine has none.")
    name = "recv" if call.name == "recvmsg" else "send"
    return Planned(name, _fd(call), (_bytes_of(call, vectors), _flags(call, args[2], messages)), 0, None)


def _shutdown(call: Call, options: frozenset[str], messages: frozenset[str]) -> Planned:
    args = _arguments(call, 2, 2)
    how = args[1] if isinstance(args[1], int) else "|".join(_words(args[1]))
    if not isinstance(how, int) and how not in ("SHUT_RD", "SHUT_WR", "SHUT_RDWR"):
        raise CallRefused(f"shutdown takes SHUT_RD, SHUT_WR or SHUT_RDWR, not {how}.")
    return Planned("shutdown", _fd(call), (how,), 0, None)


def _close(call: Call, options: frozenset[str], messages: frozenset[str]) -> Planned:
    _arguments(call, 1, 1)
    return Planned("close", _fd(call), (), 0, None)


def _fcntl(call: Call, options: frozenset[str], messages: frozenset[str]) -> Planned:
    args = _arguments(call, 2, 3)
    if _words(args[1]) == ("F_GETFL",):
        return Planned("F_GETFL", _fd(call), (), 0, None)
    if _words(args[1]) != ("F_SETFL",) or len(args) < 3:
        raise CallRefused(f"fcntl knows F_GETFL and F_SETFL, not {args[1]}.")
    flags = _words(args[2])
    unknown = set(flags) - {"O_RDWR", "O_NONBLOCK", "O_RDONLY", "O_WRONLY"} - {"2", "2048", "2050"}
    if unknown:
        raise CallRefused(f"fcntl knows O_RDWR and O_NONBLOCK, not {', '.join(sorted(unknown))}.")
    blocking = "O_NONBLOCK" in flags or any(name.isdigit() and int(name) & 0o4000 for name in flags)
    return Planned("fcntl", _fd(call), ("O_RDWR|O_NONBLOCK" if blocking else "O_RDWR",), 0, None)


def _ioctl(call: Call, options: frozenset[str], messages: frozenset[str]) -> Planned:
    args = _arguments(call, 3, 3)
    command = "|".join(_words(args[1]))
    if command not in ("SIOCINQ", "FIONREAD"):
        raise CallRefused(f"ioctl knows SIOCINQ (FIONREAD), not {command}.")
    return Planned("ioctl", _fd(call), ("SIOCINQ",), 0, None, _one_value(args[2]))


def _one_value(value: Value) -> Any:
    """What stands in ``[…]``; None for ``...`` or ``[...]``."""
    if isinstance(value, Array) and len(value.items) == 1:
        value = value.items[0]
    if isinstance(value, Dots):
        return None
    if isinstance(value, Word):
        return str(value)
    if isinstance(value, Struct):
        onoff, linger = value.field("onoff"), value.field("linger")
        if isinstance(onoff, int) and isinstance(linger, int):
            return (onoff, linger)
    if isinstance(value, Text):
        return value.text
    return _number(value, "a value")


def _option(call: Call, options: frozenset[str], messages: frozenset[str]) -> Planned:
    args = _arguments(call, 5, 5)
    level, name = "|".join(_words(args[1])), "|".join(_words(args[2]))
    value = _one_value(args[3])
    if call.name == "setsockopt" and (name in WITHOUT_EFFECT or level in _HARMLESS_LEVELS):
        return Planned("passed over", _fd(call), (name,), 0, None)
    known = _LEVELS.get(level)
    if known is None or name not in options:
        raise CallRefused(f"{call.name} of {level}, {name} cannot be made: the engine has no such option.")
    if call.name == "getsockopt":
        return Planned("getsockopt", _fd(call), (known, name), 0, None, value)
    if not isinstance(value, int) and name != "SO_LINGER":
        raise CallRefused(f"{name} takes a number [N], not {args[3]}.")
    if name == "SO_LINGER" and not isinstance(value, tuple):
        raise CallRefused(f"SO_LINGER takes {{onoff=N, linger=N}}, not {args[3]}.")
    return Planned("setsockopt", _fd(call), (known, name, value), 0, None)


def _poll(call: Call, options: frozenset[str], messages: frozenset[str]) -> Planned:
    args = _arguments(call, 3, 3)
    if not isinstance(args[0], Array) or not args[0].items:
        raise CallRefused("poll takes [{fd=N, events=…, revents=…}], N, N.")
    entries = []
    for entry in args[0].items:
        fd, events = (entry.field("fd"), entry.field("events")) if isinstance(entry, Struct) else (None, None)
        if not isinstance(entry, Struct) or not isinstance(fd, int) or events is None:
            raise CallRefused(f"an entry of poll is {{fd=N, events=…, revents=…}}, not {entry}.")
        revents = entry.field("revents")
        expected = None if isinstance(revents, Dots) else frozenset(_words(revents if revents is not None else 0))
        entries.append(Polled(fd, "|".join(_words(events)) or "0", expected))
    return Planned("poll", None, (tuple(entries), _number(args[2], "the time of poll")), 0, None)


def _epoll_create(call: Call, options: frozenset[str], messages: frozenset[str]) -> Planned:
    _arguments(call, 1, 1)
    return Planned("epoll_create", None, (), 0, None, opens=True)


def _epoll_event(call: Call, value: Value) -> Polled:
    if not isinstance(value, Struct):
        raise CallRefused(f"{call.name} takes {{events=…, fd=N}}, not {value}.")
    events = _words(value.field("events") or 0)
    data = next((found for name in ("fd", "u32", "u64", "ptr") if (found := value.field(name)) is not None), 0)
    if "EPOLLET" in events or "EPOLLONESHOT" in events:
        raise CallRefused(f"{call.name} with EPOLLET or EPOLLONESHOT cannot be made: the engine reports levels only.")
    return Polled(_number(data, "the data of an event"), "|".join(events) or "0", frozenset(events))


def _epoll_ctl(call: Call, options: frozenset[str], messages: frozenset[str]) -> Planned:
    args = _arguments(call, 3, 4)
    operation = "|".join(_words(args[1]))
    if operation not in ("EPOLL_CTL_ADD", "EPOLL_CTL_MOD", "EPOLL_CTL_DEL"):
        raise CallRefused(f"epoll_ctl takes EPOLL_CTL_ADD, EPOLL_CTL_MOD or EPOLL_CTL_DEL, not {args[1]}.")
    event = _epoll_event(call, args[3]) if len(args) > 3 and operation != "EPOLL_CTL_DEL" else None
    return Planned("epoll_ctl", _fd(call), (operation, _number(args[2], "the descriptor to watch"), event), 0, None)


def _epoll_wait(call: Call, options: frozenset[str], messages: frozenset[str]) -> Planned:
    args = _arguments(call, 4, 5)
    listed = args[1].items if isinstance(args[1], Array) else () if isinstance(args[1], Dots) else (args[1],)
    events = tuple(_epoll_event(call, event) for event in listed)
    return Planned("epoll_wait", _fd(call), (events, _number(args[3], "the time of epoll_wait")), 0, None)


_MAKERS = {
    "socket": _socket, "bind": _bind, "connect": _bind, "listen": _listen, "accept": _accept, "accept4": _accept,
    "read": _transfer, "recv": _transfer, "recvfrom": _transfer, "write": _transfer, "send": _transfer,
    "sendto": _transfer, "readv": _vector, "writev": _vector, "recvmsg": _message, "sendmsg": _message,
    "shutdown": _shutdown, "close": _close, "fcntl": _fcntl, "ioctl": _ioctl, "setsockopt": _option,
    "getsockopt": _option, "poll": _poll, "epoll_create": _epoll_create, "epoll_create1": _epoll_create,
    "epoll_ctl": _epoll_ctl, "epoll_wait": _epoll_wait,
}  # fmt: skip
