"""System calls: from names and descriptors to the functions of the kernel.

A call that must wait leaves a `Task`; `resume` goes on with it when it was woken.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import Any

from tcpnotes.kernel import tcp
from tcpnotes.kernel.af_inet import (
    inet_accept,
    inet_bind,
    inet_create,
    inet_getsockopt,
    inet_ioctl,
    inet_listen,
    inet_recvmsg,
    inet_release,
    inet_sendmsg,
    inet_setsockopt,
    inet_shutdown,
    inet_stream_connect,
    sock_getsockopt,
    sock_setsockopt,
)
from tcpnotes.kernel.net import Net
from tcpnotes.kernel.resume import RESUME
from tcpnotes.kernel.sock import SS_CONNECTED, Sock
from tcpnotes.kernel.task import BLOCKED, Blocked, Task
from tcpnotes.kernel.tcp import tcp_poll

CALLS = (
    "socket", "bind", "listen", "accept", "connect", "read", "recv", "write", "send", "shutdown", "close",
    "poll", "fcntl", "ioctl", "setsockopt", "getsockopt",
)  # fmt: skip
_POLL_NAMES = (
    ("POLLIN", 1), ("POLLPRI", 2), ("POLLOUT", 4), ("POLLERR", 8), ("POLLHUP", 0x10),
    ("POLLRDNORM", 0x40), ("POLLWRNORM", 0x100), ("POLLRDHUP", 0x2000),
)  # fmt: skip
_HOWS = {"SHUT_RD": 0, "SHUT_WR": 1, "SHUT_RDWR": 2}
SOL_SOCKET_NAMES = ("SO_LINGER", "SO_REUSEADDR", "SO_SNDBUF", "SO_RCVBUF", "SO_KEEPALIVE", "SO_ERROR")
SOL_TCP_NAMES = (
    "TCP_NODELAY", "TCP_CORK", "TCP_LINGER2", "TCP_MAXSEG", "TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT",
    "TCP_SYNCNT", "TCP_DEFER_ACCEPT", "TCP_QUICKACK", "TCP_USER_TIMEOUT",
)  # fmt: skip


KEPT = 256  # so many results at least of calls that have returned can still be asked for


class File:
    """What a descriptor leads to: a socket, its blocking mode, and how many calls and descriptors hold it."""

    __slots__ = ("fd", "nonblock", "refs", "sk")

    def __init__(self, fd: int, sk: int, nonblock: bool = False) -> None:
        self.fd = fd
        self.sk = sk
        self.nonblock = nonblock
        self.refs = 1

    def clone(self) -> File:
        """A copy."""
        new = File(self.fd, self.sk, self.nonblock)
        new.refs = self.refs
        return new

    def freeze(self) -> tuple[object, ...]:
        """All of it as a tuple."""
        return (self.fd, self.sk, self.nonblock, self.refs)


class CallError(ValueError):
    """A call that no application could make: unknown name, flag or option, or arguments that do not fit."""


def message_flags(text: str | int) -> int:
    """``"MSG_PEEK|MSG_DONTWAIT"`` as a number; CallError for a name that is not known."""
    if isinstance(text, int):
        return text
    flags = 0
    for name in text.replace(" ", "").split("|"):
        if name in ("", "0"):
            continue
        value = getattr(tcp, name, None)
        if not name.startswith("MSG_") or not isinstance(value, int):
            raise CallError(f"{name!r} is not a flag of send or recv; use MSG_PEEK, MSG_DONTWAIT, MSG_WAITALL, "
                            "MSG_NOSIGNAL, MSG_OOB.")  # fmt: skip
        flags |= value
    return flags


def poll_names(mask: int) -> str:
    """A mask as ``POLLIN|POLLRDNORM``; "0" when empty."""
    return "|".join(name for name, bit in _POLL_NAMES if mask & bit) or "0"


def number(value: Any, what: str, low: int = -(1 << 31), high: int = (1 << 31) - 1) -> int:
    """``value`` if it is a whole number in range, else a CallError that says what it should have been."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise CallError(f"{what} must be a whole number from {low} to {high}, not {value!r}.")
    return value


class Processes:
    """The applications of one host: descriptors, and the calls they are in."""

    __slots__ = ("files", "fput_later", "net", "next_fd", "results")

    def __init__(self, net: Net) -> None:
        self.net = net
        self.files: dict[int, File] = {}
        self.next_fd = 3  # none below it is free
        self.results: dict[int, tuple[int, str | None, Any]] = {}
        self.fput_later: dict[int, File] = {}  # task number -> the file it holds

    # -- descriptors ----------------------------------------------------------------------------------

    def install(self, sk: Sock, nonblock: bool = False) -> int:
        """The lowest free descriptor, from 3 on, for a socket."""
        fd = self.next_fd
        while fd in self.files:
            fd += 1
        self.next_fd = fd + 1
        self.files[fd] = File(fd, sk.id, nonblock)
        sk.fd = fd
        return fd

    def call(self, name: str, args: tuple[Any, ...]) -> int:
        """Make a system call; the number of its task.  CallError, before anything changed, for an impossible one."""
        check(name, args)
        net = self.net
        number = net.next_task = net.next_task + 1
        task = Task(number, name, args)
        if net.trace is not None:
            net.trace.stimulus("call", name)
            net.trace.call(number, name, args)
        answer = self._dispatch(task, name, args)
        if answer is not BLOCKED:
            self._finish(task, *answer)
        return number

    def _finish(self, task: Task, ret: int, value: Any = None) -> None:
        error = None
        if ret < 0:
            ret, error = -1, errno.errorcode[-ret]
        results = self.results
        results[task.id] = (ret, error, value)
        if len(results) > 2 * KEPT:
            for number in list(results)[:KEPT]:
                del results[number]
        trace = self.net.trace
        if trace is not None:
            trace.returned(task.id, task.call, ret, error, value, task.blocked)

    def _dispatch(self, task: Task, name: str, args: tuple[Any, ...]) -> tuple[int, Any] | Blocked:
        net = self.net
        if name == "socket":
            return self.install(inet_create(net)), None
        fd: int = args[0]
        file = self.files.get(fd)
        if file is None:
            return -errno.EBADF, None
        if name == "close":
            return self._close(task, file)
        task.fd = fd
        sk = net.socks[file.sk]
        moving = _MOVING.get(name)
        if moving is None:
            return _ASKING[name](self, sk, args)
        answer = moving(self, task, file, sk, args)
        if answer is BLOCKED:
            file.refs += 1
            self.fput_later[task.id] = file
            return BLOCKED
        return self._after(task, sk, file, answer), None

    # Calls that give a number or sleep.

    def _bind(self, task: Task, file: File, sk: Sock, args: tuple[Any, ...]) -> int | Blocked:
        return inet_bind(sk, args[2] if len(args) > 2 else 0, args[1])

    def _listen(self, task: Task, file: File, sk: Sock, args: tuple[Any, ...]) -> int | Blocked:
        return inet_listen(sk, min(args[1], 128) if args[1] >= 0 else 128)

    def _accept(self, task: Task, file: File, sk: Sock, args: tuple[Any, ...]) -> int | Blocked:
        return inet_accept(sk, file.nonblock, task)

    def _connect(self, task: Task, file: File, sk: Sock, args: tuple[Any, ...]) -> int | Blocked:
        addr = args[2] if len(args) > 2 else peer_address(self.net)
        return inet_stream_connect(sk, addr, args[1], file.nonblock, task)

    def _recv(self, task: Task, file: File, sk: Sock, args: tuple[Any, ...]) -> int | Blocked:
        _prepare(task, file, args)
        return inet_recvmsg(sk, task)

    def _send(self, task: Task, file: File, sk: Sock, args: tuple[Any, ...]) -> int | Blocked:
        _prepare(task, file, args)
        return inet_sendmsg(sk, task)

    def _shutdown(self, task: Task, file: File, sk: Sock, args: tuple[Any, ...]) -> int | Blocked:
        how = args[1]
        return inet_shutdown(sk, _HOWS[how] if isinstance(how, str) else how)

    def _fcntl(self, task: Task, file: File, sk: Sock, args: tuple[Any, ...]) -> int | Blocked:
        file.nonblock = "O_NONBLOCK" in str(args[1])
        return 0

    def _setsockopt(self, task: Task, file: File, sk: Sock, args: tuple[Any, ...]) -> int | Blocked:
        _, level, name, value = args
        if level == "SOL_SOCKET":
            if name == "SO_LINGER":
                on, seconds = value
                return sock_setsockopt(sk, name, on, seconds)
            return sock_setsockopt(sk, name, value)
        return inet_setsockopt(sk, name, value)

    # Calls that give a value as well.

    def _poll(self, sk: Sock, args: tuple[Any, ...]) -> tuple[int, Any]:
        mask = tcp_poll(sk) & (poll_mask(args[1]) | tcp.POLLERR | tcp.POLLHUP)
        return int(bool(mask)), poll_names(mask)

    def _ioctl(self, sk: Sock, args: tuple[Any, ...]) -> tuple[int, Any]:
        count = inet_ioctl(sk, args[1])
        return (count, None) if count < 0 else (0, count)

    def _getsockopt(self, sk: Sock, args: tuple[Any, ...]) -> tuple[int, Any]:
        _, level, name = args
        value = sock_getsockopt(sk, name) if level == "SOL_SOCKET" else inet_getsockopt(sk, name)
        if isinstance(value, int) and value < 0 and name != "TCP_LINGER2":
            return value, None
        return 0, value

    def _after(self, task: Task, sk: Sock, file: File, answer: int) -> int:
        """What the socket layer does once a call has its answer."""
        if task.call != "accept":
            return answer
        if answer < 0:
            inet_release(self.net, task)
        if answer > 0:
            child = self.net.socks[answer]
            child.socket = SS_CONNECTED
            return self.install(child)
        return answer

    def _close(self, task: Task, file: File) -> tuple[int, Any] | Blocked:
        del self.files[file.fd]
        if file.fd < self.next_fd:
            self.next_fd = file.fd
        file.refs -= 1
        if file.refs:
            return 0, None  # somebody still sleeps in a call on it; the last one out closes
        answer = inet_release(self.net.socks[file.sk], task)
        if answer is BLOCKED:
            return BLOCKED
        return 0, None

    def resume(self, task: Task) -> None:
        """Go on with a call that was woken or whose time is up."""
        net = self.net
        assert task.sk is not None
        sk = net.socks[task.sk]
        if net.trace is not None:
            net.trace.resumed(task.id, task.call)
        net.woken(task)
        answer = RESUME[task.resume](sk, task)
        if net.trace is not None:
            net.trace.rest()
        if answer is BLOCKED:
            return
        del net.tasks[task.id]
        file = self.fput_later.pop(task.id, None)
        if file is not None:
            answer = self._after(task, sk, file, answer)
            file.refs -= 1
            if not file.refs:
                # The descriptor was closed meanwhile, and this call was the last to hold it.
                closer = Task(task.id, "close", (file.fd,))
                closing = inet_release(net.socks[file.sk], closer)
                if closing is BLOCKED:
                    net.tasks[task.id] = task
                    task.resume, task.sk = closer.resume, closer.sk
                    task.asleep, task.timer, task.timeo = True, closer.timer, closer.timeo
                    task.done = answer
                    return
        closed_by_exit = task.resume == "tcp_close" and file is None and task.call != "close"
        self._finish(task, task.done if closed_by_exit else answer)

    # -- copies -----------------------------------------------------------------------------------------

    def clone(self, net: Net) -> Processes:
        """A copy on a copied host."""
        new = Processes(net)
        copies: dict[int, File] = {}

        def copy(file: File) -> File:
            if id(file) not in copies:
                copies[id(file)] = file.clone()
            return copies[id(file)]

        new.files = {fd: copy(file) for fd, file in self.files.items()}
        if self.fput_later:
            new.fput_later = {task: copy(file) for task, file in self.fput_later.items()}
        new.next_fd = self.next_fd
        new.results = self.results.copy()
        return new

    def freeze(self) -> tuple[object, ...]:
        """All that decides how the applications go on, as a tuple."""
        return (
            tuple([file.freeze() for _, file in sorted(self.files.items())]),
            tuple([(task, file.freeze()) for task, file in sorted(self.fput_later.items())]),
        )


_MOVING: dict[str, Callable[[Processes, Task, File, Sock, tuple[Any, ...]], int | Blocked]] = {
    "bind": Processes._bind, "listen": Processes._listen, "accept": Processes._accept, "connect": Processes._connect,
    "read": Processes._recv, "recv": Processes._recv, "write": Processes._send, "send": Processes._send,
    "shutdown": Processes._shutdown, "fcntl": Processes._fcntl, "setsockopt": Processes._setsockopt,
}  # fmt: skip
_ASKING: dict[str, Callable[[Processes, Sock, tuple[Any, ...]], tuple[int, Any]]] = {
    "poll": Processes._poll, "ioctl": Processes._ioctl, "getsockopt": Processes._getsockopt,
}  # fmt: skip


def _prepare(task: Task, file: File, args: tuple[Any, ...]) -> None:
    """How many bytes are to be moved, and how."""
    task.left = args[1]
    task.flags = message_flags(args[2]) if len(args) > 2 else 0
    if file.nonblock:
        task.flags |= tcp.MSG_DONTWAIT


def peer_address(net: Net) -> int:
    """Where connect goes when no address is given: the other host of a world of two."""
    return ADDRESSES["A"] if net.address == ADDRESSES["B"] else ADDRESSES["B"]


ADDRESSES = {"A": 0xC0A80001, "B": 0xC0000201}  # 192.168.0.1 and 192.0.2.1


def poll_mask(text: str | int) -> int:
    """``"POLLIN|POLLOUT"`` as a number; names that 2.4 does not know count as nothing."""
    if isinstance(text, int):
        return text
    known = dict(_POLL_NAMES)
    return sum(known.get(name, 0) for name in set(text.replace(" ", "").split("|")))


def check(name: str, args: tuple[Any, ...]) -> None:
    """CallError unless an application could make this call."""
    rule = _RULES.get(name)
    if rule is None:
        raise CallError(f"There is no system call {name!r} here; there are: {', '.join(CALLS)}.")
    least, most, further = rule
    if not least <= len(args) <= most:
        wanted = str(least) if least == most else f"{least} to {most}"
        raise CallError(f"{name} takes {wanted} arguments, not {len(args)}.")
    if args:
        fd = args[0]
        if type(fd) is not int or not -0x80000000 <= fd <= 0x7FFFFFFF:
            number(fd, f"the descriptor of {name}")
        if further is not None:
            further(name, args)


def _check_address(name: str, args: tuple[Any, ...]) -> None:
    number(args[1], f"the port of {name}", 0 if name == "bind" else 1, 65535)
    if len(args) > 2:
        number(args[2], f"the address of {name}", 0, 0xFFFFFFFF)


def _check_backlog(name: str, args: tuple[Any, ...]) -> None:
    number(args[1], "the backlog of listen")


def _check_length(name: str, args: tuple[Any, ...]) -> None:
    length = args[1]
    if type(length) is not int or not 0 <= length <= 0x7FFFFFFF:
        number(length, f"the length of {name}", 0)
    if len(args) > 2:
        message_flags(_words(args[2], f"the flags of {name}", "MSG_PEEK"))


def _check_events(name: str, args: tuple[Any, ...]) -> None:
    _words(args[1], "the events of poll", "POLLIN|POLLOUT")


def _check_mode(name: str, args: tuple[Any, ...]) -> None:
    _words(args[1], "the flags of fcntl", "O_NONBLOCK")


def _check_direction(name: str, args: tuple[Any, ...]) -> None:
    if not isinstance(args[1], str) or args[1] not in _HOWS:
        number(args[1], "the direction of shutdown (SHUT_RD, SHUT_WR, SHUT_RDWR, or a number)")


def _check_request(name: str, args: tuple[Any, ...]) -> None:
    if args[1] != "SIOCINQ":
        raise CallError(f"ioctl knows SIOCINQ only, not {args[1]!r}.")


def _words(value: Any, what: str, example: str) -> str | int:
    """Flags, as a number or in words; CallError for anything else."""
    if not isinstance(value, str | int):
        raise CallError(f"{what} are a number or words such as {example!r}, not {value!r}.")
    return value


def _check_option(name: str, args: tuple[Any, ...]) -> None:
    level, option = args[1], args[2]
    known = {"SOL_SOCKET": SOL_SOCKET_NAMES, "SOL_TCP": SOL_TCP_NAMES}.get(level) if isinstance(level, str) else None
    if known is None:
        raise CallError(f"{name} knows the levels SOL_SOCKET and SOL_TCP, not {level!r}.")
    if option not in known:
        raise CallError(f"{name} knows at {level}: {', '.join(known)}; not {option!r}.")
    if name == "setsockopt":
        if option == "SO_LINGER":
            value = args[3]
            if not isinstance(value, tuple | list) or len(value) != 2:
                raise CallError(f"SO_LINGER takes a pair (on or off, seconds), not {value!r}.")
            number(value[0], "on or off of SO_LINGER")
            number(value[1], "the seconds of SO_LINGER")
        else:
            number(args[3], f"the value of {option}")


# How many arguments a call takes, least and most, and who looks at those behind the descriptor.
_RULES: dict[str, tuple[int, int, Callable[[str, tuple[Any, ...]], None] | None]] = {
    "socket": (0, 0, None),
    "bind": (2, 3, _check_address),
    "listen": (2, 2, _check_backlog),
    "accept": (1, 1, None),
    "connect": (2, 3, _check_address),
    "read": (2, 2, _check_length),
    "recv": (2, 3, _check_length),
    "write": (2, 2, _check_length),
    "send": (2, 3, _check_length),
    "shutdown": (2, 2, _check_direction),
    "close": (1, 1, None),
    "poll": (2, 2, _check_events),
    "fcntl": (2, 2, _check_mode),
    "ioctl": (2, 2, _check_request),
    "setsockopt": (4, 4, _check_option),
    "getsockopt": (3, 3, _check_option),
}
