"""The system calls of a scenario, made for real."""

from __future__ import annotations

import errno
import fcntl
import os
import select
import socket
import struct
import termios
from collections.abc import Callable
from typing import Any, NamedTuple

from tcpnotes.live.namespaces import Namespace
from tcpnotes.world.process import message_flags, poll_mask, poll_names

_HOWS = {"SHUT_RD": socket.SHUT_RD, "SHUT_WR": socket.SHUT_WR, "SHUT_RDWR": socket.SHUT_RDWR}


class Answer(NamedTuple):
    """What a call gave: as in the trace's `Return`."""

    ret: int
    errno: str | None
    value: Any


class Application:
    """The application of one host: descriptors as the scenario counts them, from 3 on, and the calls it makes."""

    def __init__(self, host: Namespace) -> None:
        self._host = host
        self._files: dict[int, socket.socket] = {}
        self._lost: list[socket.socket] = []

    def crash(self) -> None:
        """All descriptors are gone; their sockets stay in a namespace that nobody reaches."""
        self._lost += self._files.values()
        self._files = {}

    def close_all(self) -> None:
        """Let go of what is still open, at the end of a run: whatever that sends is not looked at."""
        for file in [*self._files.values(), *self._lost]:
            file.close()

    def call(self, name: str, args: tuple[Any, ...]) -> Answer:
        """Make a call, and sleep in it if it sleeps.  Whatever the kernel refuses is an answer, too."""
        try:
            if name == "socket":
                return Answer(self._install(self._host.socket()), None, None)
            if args[0] not in self._files:
                return Answer(-1, "EBADF", None)
            return _CALLS[name](self, args)
        except OSError as error:
            return Answer(-1, errno.errorcode.get(error.errno or 0, str(error.errno)), None)

    def _install(self, file: socket.socket) -> int:
        number = 3
        while number in self._files:
            number += 1
        self._files[number] = file
        return number

    def _bind(self, args: tuple[Any, ...]) -> Answer:
        self._files[args[0]].bind((self._host.address, args[1]))
        return _DONE

    def _listen(self, args: tuple[Any, ...]) -> Answer:
        self._files[args[0]].listen(args[1])
        return _DONE

    def _accept(self, args: tuple[Any, ...]) -> Answer:
        return Answer(self._install(self._files[args[0]].accept()[0]), None, None)

    def _connect(self, args: tuple[Any, ...]) -> Answer:
        self._files[args[0]].connect((self._host.peer, args[1]))
        return _DONE

    def _receive(self, args: tuple[Any, ...]) -> Answer:
        flags = message_flags(args[2]) if len(args) > 2 else 0
        return Answer(len(self._files[args[0]].recv(args[1], flags)), None, None)

    def _send(self, args: tuple[Any, ...]) -> Answer:
        flags = message_flags(args[2]) if len(args) > 2 else 0
        return Answer(self._files[args[0]].send(bytes(args[1]), flags | socket.MSG_NOSIGNAL), None, None)

    def _shutdown(self, args: tuple[Any, ...]) -> Answer:
        how = args[1]
        self._files[args[0]].shutdown(_HOWS[how] if isinstance(how, str) else how)
        return _DONE

    def _close(self, args: tuple[Any, ...]) -> Answer:
        os.close(self._files.pop(args[0]).detach())
        return _DONE

    def _poll(self, args: tuple[Any, ...]) -> Answer:
        poll = select.poll()
        poll.register(self._files[args[0]], poll_mask(args[1]))
        found = poll.poll(0)
        mask = found[0][1] if found else 0
        return Answer(int(bool(mask)), None, poll_names(mask))

    def _fcntl(self, args: tuple[Any, ...]) -> Answer:
        self._files[args[0]].setblocking("O_NONBLOCK" not in str(args[1]))
        return _DONE

    def _ioctl(self, args: tuple[Any, ...]) -> Answer:
        count = fcntl.ioctl(self._files[args[0]].fileno(), termios.FIONREAD, bytes(4))
        return Answer(0, None, struct.unpack("i", count)[0])

    def _setsockopt(self, args: tuple[Any, ...]) -> Answer:
        fd, level, name, value = args
        given = struct.pack("ii", *value) if name == "SO_LINGER" else value
        self._files[fd].setsockopt(getattr(socket, level), getattr(socket, name), given)
        return _DONE

    def _getsockopt(self, args: tuple[Any, ...]) -> Answer:
        fd, level, name = args
        file = self._files[fd]
        if name == "SO_LINGER":
            pair = file.getsockopt(getattr(socket, level), socket.SO_LINGER, 8)
            return Answer(0, None, struct.unpack("ii", pair))
        value = file.getsockopt(getattr(socket, level), getattr(socket, name))
        return Answer(0, None, errno.errorcode.get(value, value) if name == "SO_ERROR" else value)


_DONE = Answer(0, None, None)
_CALLS: dict[str, Callable[[Application, tuple[Any, ...]], Answer]] = {
    "bind": Application._bind, "listen": Application._listen, "accept": Application._accept,
    "connect": Application._connect, "read": Application._receive, "recv": Application._receive,
    "write": Application._send, "send": Application._send, "shutdown": Application._shutdown,
    "close": Application._close, "poll": Application._poll, "fcntl": Application._fcntl, "ioctl": Application._ioctl,
    "setsockopt": Application._setsockopt, "getsockopt": Application._getsockopt,
}  # fmt: skip
