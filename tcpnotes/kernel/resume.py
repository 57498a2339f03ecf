"""How a system call that slept goes on: by the name that `Net.sleep` was given."""

from __future__ import annotations

from collections.abc import Callable

from tcpnotes.kernel import af_inet, tcp
from tcpnotes.kernel.sock import Sock
from tcpnotes.kernel.task import Blocked, Task

RESUME: dict[str, Callable[[Sock, Task], int | Blocked]] = {
    "tcp_close": tcp.linger,
    "tcp_recvmsg": tcp.read_on,
    "wait_for_tcp_connect": tcp.connected,
    "wait_for_tcp_memory": tcp.room_again,
    "wait_for_connect": tcp.accept_on,
    "inet_stream_connect": af_inet.connect_done,
}
