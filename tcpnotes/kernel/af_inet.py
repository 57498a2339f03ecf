"""net/ipv4/af_inet.c: from the system calls to TCP.

A descriptor leads to a socket through here; `inet_release` is where close arrives.
"""

from __future__ import annotations

import errno

from tcpnotes.kernel.mirror import mirrors
from tcpnotes.kernel.net import Net
from tcpnotes.kernel.sock import (
    CLOSE,
    LISTEN,
    SOCK_BINDADDR_LOCK,
    SOCK_BINDPORT_LOCK,
    SOCK_RCVBUF_LOCK,
    SOCK_SNDBUF_LOCK,
    SS_CONNECTED,
    SS_CONNECTING,
    SS_DISCONNECTING,
    SS_UNCONNECTED,
    SYN_RECV,
    SYN_SENT,
    Sock,
)
from tcpnotes.kernel.task import Blocked, Task
from tcpnotes.kernel.tcp_h import sock_error


@mirrors("net/ipv4/af_inet.c", omits=["other protocols"])
def inet_create(net: Net) -> Sock:
    """A new TCP socket, unconnected."""
    sk = Sock(net)
    net.socks[sk.id] = sk
    sk.socket = SS_UNCONNECTED
    tcp_v4_init_sock(sk)
    return sk


@mirrors("net/ipv4/af_inet.c")
def inet_sock_destruct(sk: Sock) -> None:
    """The last reference went: the socket no longer exists."""
    net = sk.net
    sk.freed = True
    del net.socks[sk.id]
    if net.trace is not None:
        net.trace.freed(sk.id)


@mirrors("net/ipv4/af_inet.c")
def inet_autobind(sk: Sock) -> int:
    """Give ``sk`` a local port if it has none."""
    if not sk.num:
        if tcp_v4_get_port(sk, 0):
            return -errno.EAGAIN
        sk.sport = sk.num
    return 0


@mirrors("net/ipv4/af_inet.c", omits=["privileged ports", "foreign addresses"])
def inet_bind(sk: Sock, addr: int, port: int) -> int:
    """Give ``sk`` a local address and port; 0 or a negative errno."""
    if sk.state != CLOSE or sk.num:
        return -errno.EINVAL
    if addr and addr != sk.net.address:
        return -errno.EADDRNOTAVAIL
    sk.rcv_saddr = addr
    if tcp_v4_get_port(sk, port):
        sk.rcv_saddr = 0
        return -errno.EADDRINUSE
    if addr:
        sk.userlocks |= SOCK_BINDADDR_LOCK
    if port:
        sk.userlocks |= SOCK_BINDPORT_LOCK
    sk.sport = sk.num
    sk.daddr = 0
    sk.dport = 0
    return 0


@mirrors("net/ipv4/af_inet.c")
def inet_listen(sk: Sock, backlog: int) -> int:
    """Start listening, or change the length of the queue; 0 or a negative errno."""
    if sk.socket != SS_UNCONNECTED or sk.state not in (CLOSE, LISTEN):
        return -errno.EINVAL
    if sk.state != LISTEN:
        answer: int = tcp_listen_start(sk)
        if answer:
            return answer
    sk.max_ack_backlog = backlog
    return 0


@mirrors("net/ipv4/af_inet.c", omits=["multicast groups", "a process that is exiting"])
def inet_release(sk: Sock | Net, task: Task) -> int | Blocked:
    """The last descriptor of ``sk`` was closed: close it, lingering if SO_LINGER says so.

    An accept that failed gives back the empty socket it had brought along: there is nothing to close then, and in
    the place of ``sk`` stands the host.
    """
    if isinstance(sk, Net):
        return 0
    timeout = sk.lingertime if sk.linger else 0
    answer: int | Blocked = tcp_close(sk, timeout, task)
    return answer


@mirrors("net/ipv4/af_inet.c")
def inet_stream_connect(sk: Sock, addr: int, port: int, nonblock: bool, task: Task) -> int | Blocked:
    """Connect: start the handshake, and wait for its end unless the descriptor does not block."""
    if sk.socket == SS_CONNECTED:
        return -errno.EISCONN
    if sk.socket == SS_CONNECTING:
        waiting = -errno.EALREADY
    elif sk.socket == SS_UNCONNECTED:
        if sk.state != CLOSE:
            return -errno.EISCONN
        if not sk.num and sk.net.profile.connect_port == "held by nobody":
            if tcp_v4_get_port(sk, 0):
                return no_free_port(sk.net)
            sk.sport = sk.num
        answer = tcp_v4_connect(sk, addr, port)
        if answer < 0:
            return answer
        sk.socket = SS_CONNECTING
        waiting = -errno.EINPROGRESS
    else:
        return -errno.EINVAL
    task.timeo = 0 if nonblock else None
    if sk.state in (SYN_SENT, SYN_RECV):
        if nonblock:
            return waiting
        return sk.net.sleep(task, sk, "inet_stream_connect")
    return connect_done(sk, task)


def connect_done(sk: Sock, task: Task) -> int | Blocked:
    """The handshake ended, one way or the other."""
    if sk.state in (SYN_SENT, SYN_RECV):
        return sk.net.sleep(task, sk, "inet_stream_connect")
    if sk.state == CLOSE:
        error = sock_error(sk) or -errno.ECONNABORTED
        sk.socket = SS_UNCONNECTED
        tcp_disconnect(sk, True)
        return error
    sk.socket = SS_CONNECTED
    return 0


@mirrors("net/ipv4/af_inet.c")
def inet_accept(sk: Sock, nonblock: bool, task: Task) -> int | Blocked:
    """Accept a connection: the number of its socket, or a negative errno."""
    task.timeo = 0 if nonblock else None
    answer: int | Blocked = tcp_accept(sk, task)
    return answer


@mirrors("net/ipv4/af_inet.c")
def inet_recvmsg(sk: Sock, task: Task) -> int | Blocked:
    """Read."""
    answer: int | Blocked = tcp_recvmsg(sk, task)
    return answer


@mirrors("net/ipv4/af_inet.c")
def inet_sendmsg(sk: Sock, task: Task) -> int | Blocked:
    """Write.  A socket whose port went with its connection gets a new one first, only to fail then."""
    if not sk.num:
        answer = inet_autobind(sk)
        if answer:
            return answer
    sent: int | Blocked = tcp_sendmsg(sk, task)
    return sent


@mirrors("net/ipv4/af_inet.c")
def inet_shutdown(sk: Sock, how: int) -> int:
    """Shut one direction or both: 0 receive, 1 send, 2 both.  Sleepers are woken in any case."""
    how += 1
    if how & ~3 or how == 0:
        return -errno.EINVAL
    error = 0
    if sk.socket == SS_CONNECTING:
        sk.socket = SS_DISCONNECTING if sk.state in (SYN_SENT, SYN_RECV, CLOSE) else SS_CONNECTED
    match sk.state:
        case 10 if not how & 1:  # LISTEN: only the receiving side means anything
            pass
        case 10 | 2:  # LISTEN, SYN_SENT
            answer = tcp_disconnect(sk, True)
            sk.socket = SS_DISCONNECTING if answer else SS_UNCONNECTED
        case _:
            if sk.state == CLOSE:
                error = -errno.ENOTCONN
            sk.shutdown |= how
            tcp_shutdown(sk, how)
    sk.state_change()
    return error


@mirrors("net/ipv4/af_inet.c")
def inet_setsockopt(sk: Sock, name: str, val: int) -> int:
    """Set an option of the protocol."""
    answer: int = tcp_setsockopt(sk, name, val)
    return answer


@mirrors("net/ipv4/af_inet.c")
def inet_getsockopt(sk: Sock, name: str) -> int:
    """Read an option of the protocol."""
    answer: int = tcp_getsockopt(sk, name)
    return answer


@mirrors("net/ipv4/af_inet.c", omits=["everything but SIOCINQ"])
def inet_ioctl(sk: Sock, cmd: str) -> int:
    """Ask the protocol."""
    answer: int = tcp_ioctl(sk, cmd)
    return answer


def sock_setsockopt(sk: Sock, name: str, val: int, seconds: int = 0) -> int:
    """Set an option of level SOL_SOCKET (net/core/sock.c); for SO_LINGER ``val`` is on or off."""
    sysctl = sk.net.sysctl
    match name:
        case "SO_REUSEADDR":
            sk.reuse = int(bool(val))
        case "SO_SNDBUF":
            sk.userlocks |= SOCK_SNDBUF_LOCK
            sk.sndbuf = max(min(val, sysctl["wmem_max"]) * 2, 2048)
        case "SO_RCVBUF":
            sk.userlocks |= SOCK_RCVBUF_LOCK
            sk.rcvbuf = max(min(val, sysctl["rmem_max"]) * 2, 256)
        case "SO_KEEPALIVE":
            tcp_set_keepalive(sk, val)
            sk.keepopen = bool(val)
        case "SO_LINGER":
            sk.linger = bool(val)
            if val:
                sk.lingertime = max(seconds, 0) * sk.net.times.HZ
        case _:
            return -errno.ENOPROTOOPT
    return 0


def sock_getsockopt(sk: Sock, name: str) -> int | str | tuple[int, int]:
    """Read an option of level SOL_SOCKET (net/core/sock.c); SO_ERROR takes the error away, and names it."""
    match name:
        case "SO_ERROR":
            error = -sock_error(sk)
            if not error:
                error, sk.err_soft = sk.err_soft, 0
            return errno.errorcode[error] if error else 0
        case "SO_REUSEADDR":
            return sk.reuse
        case "SO_SNDBUF":
            return sk.sndbuf
        case "SO_RCVBUF":
            return sk.rcvbuf
        case "SO_KEEPALIVE":
            return int(sk.keepopen)
        case "SO_LINGER":
            return (int(sk.linger), sk.lingertime // sk.net.times.HZ)
    return -errno.ENOPROTOOPT


# What C declares in headers and defines elsewhere.
from tcpnotes.kernel.inet_hashtables import no_free_port
from tcpnotes.kernel.tcp import (
    tcp_accept,
    tcp_close,
    tcp_disconnect,
    tcp_getsockopt,
    tcp_ioctl,
    tcp_listen_start,
    tcp_recvmsg,
    tcp_sendmsg,
    tcp_setsockopt,
    tcp_shutdown,
)
from tcpnotes.kernel.tcp_ipv4 import tcp_v4_connect, tcp_v4_get_port, tcp_v4_init_sock
from tcpnotes.kernel.tcp_timer import tcp_set_keepalive
