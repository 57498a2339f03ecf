"""Close connections in many ways with the ordinary sockets of this machine, and keep what was on the wire.

    capture_closes.py [--out FOLDER] [NAME…]      (all of them unless told)

Each way becomes FOLDER/NAME.pcapng, with the kernel's version and the day in it.  It all happens on the loopback
device of a network namespace made for it: root, or a user who may make namespaces, and iproute2.
Segments are lost by a socket filter that lets nothing through.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import platform
import shutil
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from tcpnotes.capture.write import CaptureWriter

ROOT = Path(__file__).resolve().parents[1]
HOST = "127.0.0.1"
SHORT = 0.1  # seconds; longer than a delayed ACK
SYSCTLS = {"tcp_orphan_retries": 2}
_INSIDE = "TCPNOTES_IN_NAMESPACE"
_ALL, _OUTGOING, _TIMESTAMPNS, _ATTACH, _DETACH = 3, 4, 35, 26, 27


# -- watching --------------------------------------------------------------------------------------------------


class Watch:
    """What passes on the loopback device while the context lasts: pairs of time (ns since 1970) and frame."""

    def __enter__(self) -> Watch:
        self.packets: list[tuple[int, bytes]] = []
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ALL))
        self._socket.setsockopt(socket.SOL_SOCKET, _TIMESTAMPNS, 1)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self._socket.bind(("lo", 0))
        self._socket.settimeout(0.2)
        self._ends = False
        self._thread = threading.Thread(target=self._look)
        self._thread.start()
        return self

    def _look(self) -> None:
        while True:
            try:
                data, about, _, where = self._socket.recvmsg(1 << 16, 256)
            except TimeoutError:
                if self._ends:
                    return
                continue
            if where[2] == _OUTGOING:  # on this device everything passes twice
                continue
            stamps = [content for level, kind, content in about if (level, kind) == (socket.SOL_SOCKET, _TIMESTAMPNS)]
            seconds, nanoseconds = struct.unpack("qq", stamps[0])
            self.packets.append((seconds * 1_000_000_000 + nanoseconds, data))

    def __exit__(self, *_: object) -> None:
        time.sleep(SHORT)
        self._ends = True
        self._thread.join()
        self._socket.close()


@contextmanager
def deaf(end: socket.socket) -> Iterator[None]:
    """Everything that reaches ``end`` is lost."""
    nothing = struct.pack("HBBI", 6, 0, 0, 0)  # classic BPF: return 0
    room = ctypes.create_string_buffer(nothing)
    end.setsockopt(socket.SOL_SOCKET, _ATTACH, struct.pack("HL", 1, ctypes.addressof(room)))
    yield
    with suppress(OSError):  # closed by now
        end.setsockopt(socket.SOL_SOCKET, _DETACH, 0)


# -- ways to close ---------------------------------------------------------------------------------------------


@contextmanager
def listening() -> Iterator[socket.socket]:
    """A listener on a free port."""
    with socket.create_server((HOST, 0)) as listener:
        yield listener


def connected(port: int = 0) -> tuple[socket.socket, socket.socket]:
    """A client and its server, connected; the listener is closed again."""
    with listening() as listener:
        client = socket.create_connection(listener.getsockname(), source_address=(HOST, port) if port else None)
        server, _ = listener.accept()
    return client, server


def talk(client: socket.socket, server: socket.socket) -> None:
    """A question and an answer."""
    client.sendall(b"question")
    server.recv(100)
    server.sendall(b"answer")
    client.recv(100)
    time.sleep(SHORT)


def abort(end: socket.socket) -> None:
    """Close with SO_LINGER at zero."""
    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    end.close()


def in_turn(first: socket.socket, second: socket.socket) -> None:
    """Close one after the other, with time between."""
    first.close()
    time.sleep(SHORT)
    second.close()


def orderly_client_first() -> None:
    """Four segments, the client begins."""
    client, server = connected()
    talk(client, server)
    in_turn(client, server)


def orderly_server_first() -> None:
    """Four segments, the server begins."""
    client, server = connected()
    talk(client, server)
    in_turn(server, client)


def three_segment() -> None:
    """The server waits for the end of file and closes at once: its FIN bears the ACK."""
    client, server = connected()
    talk(client, server)

    def serve() -> None:
        server.recv(100)
        server.close()

    waiting = threading.Thread(target=serve)
    waiting.start()
    time.sleep(SHORT)
    client.close()
    waiting.join()


def half_close() -> None:
    """The client shuts down for writing, and the server goes on sending."""
    client, server = connected()
    client.sendall(b"question")
    client.shutdown(socket.SHUT_WR)
    time.sleep(SHORT)
    while server.recv(100):
        pass
    for _ in range(3):
        server.sendall(b"a long answer " * 100)
        time.sleep(0.01)
    server.close()
    while client.recv(10_000):
        pass
    client.close()


def simultaneous() -> None:
    """Both FINs are on their way at once: each side is deaf until both are sent."""
    client, server = connected()
    talk(client, server)
    with deaf(client), deaf(server):
        client.shutdown(socket.SHUT_WR)
        server.shutdown(socket.SHUT_WR)
    time.sleep(1)
    client.close()
    server.close()


def unread_data() -> None:
    """The server closes with data that it has not read."""
    client, server = connected()
    client.sendall(b"never read")
    time.sleep(SHORT)
    server.close()
    time.sleep(SHORT)
    client.close()


def linger_zero() -> None:
    """The client aborts; there is nothing that it could have left unread."""
    client, server = connected()
    client.sendall(b"a message")
    server.recv(100)
    time.sleep(SHORT)
    abort(client)
    server.close()


def linger_zero_after_answer() -> None:
    """The wire cannot tell this from data left unread."""
    client, server = connected()
    client.sendall(b"question")
    server.recv(100)
    server.sendall(b"answer")
    time.sleep(SHORT)
    abort(server)
    client.close()


def data_after_close() -> None:
    """The server writes to a client that has closed."""
    client, server = connected()
    talk(client, server)
    client.close()
    time.sleep(SHORT)
    server.sendall(b"too late")
    time.sleep(SHORT)
    server.close()


def no_listener() -> None:
    """A port that nobody listens on."""
    with listening() as listener:
        address = listener.getsockname()
    with suppress(ConnectionRefusedError):
        socket.create_connection(address)


def reset_in_close_wait() -> None:
    """The end that gets the RST is in CLOSE_WAIT."""
    client, server = connected()
    talk(client, server)
    client.shutdown(socket.SHUT_WR)
    time.sleep(SHORT)
    abort(client)
    time.sleep(SHORT)
    server.close()


def unread_data_in_close_wait() -> None:
    """The end that sends the RST is in CLOSE_WAIT."""
    client, server = connected()
    client.sendall(b"never read")
    client.shutdown(socket.SHUT_WR)
    time.sleep(SHORT)
    server.close()
    client.close()


def fin_lost() -> None:
    """The first FIN does not arrive."""
    client, server = connected()
    talk(client, server)
    with deaf(server):
        client.close()
        time.sleep(0.15)
    time.sleep(1)
    server.close()


def last_ack_lost() -> None:
    """The ACK of the second FIN does not arrive."""
    client, server = connected()
    talk(client, server)
    client.close()
    time.sleep(SHORT)
    with deaf(server):
        server.shutdown(socket.SHUT_WR)
        time.sleep(0.15)
    time.sleep(1)
    server.close()


def orphan_given_up() -> None:
    """The other end comes back when the orphan is gone, and is told so."""
    client, server = connected()
    talk(client, server)
    with deaf(server):
        client.close()
        time.sleep(4)
    server.sendall(b"hello?")
    time.sleep(SHORT)
    server.close()


def orphan_given_up_in_silence() -> None:
    """The other end never comes back; a later connection shows that the capture went on."""
    client, server = connected()
    talk(client, server)
    with deaf(server):
        client.close()
        time.sleep(5)
        no_listener()
    KEPT.append(server)  # when it closes, nobody looks any more


def syn_in_time_wait() -> None:
    """The same ports again while the server is in TIME_WAIT."""
    with listening() as listener:
        client = socket.create_connection(listener.getsockname())
        server, _ = listener.accept()
        port = client.getsockname()[1]
        talk(client, server)
        in_turn(server, client)
        time.sleep(1.2)  # so that the time stamps are newer, whatever their unit
        again = socket.socket()
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        again.bind((HOST, port))
        again.connect(listener.getsockname())
        server, _ = listener.accept()
        talk(again, server)
        in_turn(again, server)


def with_curl() -> None:
    """An HTTP server that closes when it has answered, and curl."""
    with listening() as listener:
        curl = subprocess.Popen(
            ["curl", "-s", "--noproxy", "*", "http://{}:{}/".format(*listener.getsockname())], stdout=subprocess.DEVNULL
        )
        server, _ = listener.accept()
        server.recv(10_000)
        server.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello")
        server.close()
        curl.wait(10)


def with_nc() -> None:
    """nc -N shuts down when its input ends, and still reads the answer."""
    with listening() as listener:
        host, port = listener.getsockname()
        nc = subprocess.Popen(["nc", "-N", host, str(port)], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        server, _ = listener.accept()
        assert nc.stdin is not None
        nc.stdin.write(b"question\n")
        nc.stdin.close()
        while server.recv(100):
            pass
        time.sleep(SHORT)
        server.sendall(b"answer\n")
        server.close()
        nc.wait(10)


def with_openssl() -> None:
    """A TLS connection that openssl s_client closes."""
    with TemporaryDirectory() as folder, listening() as listener:
        key, cert = f"{folder}/key.pem", f"{folder}/cert.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=x", "-keyout", key,
             "-out", cert],
            check=True, capture_output=True,
        )  # fmt: skip
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        host, port = listener.getsockname()
        peer = subprocess.Popen(
            ["openssl", "s_client", "-quiet", "-connect", f"{host}:{port}"],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        plain, _ = listener.accept()
        server = context.wrap_socket(plain, server_side=True)
        server.sendall(b"hello\n")
        time.sleep(SHORT)
        peer.terminate()
        with suppress(OSError):
            server.recv(100)
        time.sleep(SHORT)
        server.close()
        peer.wait(10)


KEPT: list[socket.socket] = []
FROM_THE_MIDDLE = "from_the_middle"
WAYS: dict[str, Callable[[], None]] = {
    way.__name__: way
    for way in (
        orderly_client_first, orderly_server_first, three_segment, half_close, simultaneous, unread_data, linger_zero,
        linger_zero_after_answer, data_after_close, no_listener, reset_in_close_wait, unread_data_in_close_wait,
        fin_lost, last_ack_lost, orphan_given_up, orphan_given_up_in_silence, syn_in_time_wait, with_curl, with_nc,
        with_openssl,
    )
}  # fmt: skip
NEEDS = {"with_curl": "curl", "with_nc": "nc", "with_openssl": "openssl"}
ALL = (*WAYS, FROM_THE_MIDDLE)


def capture(name: str, folder: Path) -> None:
    """Let one way happen and write it down."""
    if name == FROM_THE_MIDDLE:
        client, server = connected()
        talk(client, server)
        with Watch() as watch:
            talk(client, server)
            in_turn(client, server)
    else:
        with Watch() as watch:
            WAYS[name]()
    about = f"{name}: real sockets on Linux {platform.release()}, {datetime.now(UTC):%Y-%m-%d}"
    with (folder / f"{name}.pcapng").open("wb") as file:
        writer = CaptureWriter(file, ["lo"], about=about, system=f"Linux {platform.release()}")
        for t, data in sorted(watch.packets):
            writer.packet(data, t)


def inside(names: list[str], folder: Path) -> None:
    """In the namespace: make it ready, and go."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    for name, value in SYSCTLS.items():
        Path(f"/proc/sys/net/ipv4/{name}").write_text(str(value), encoding="ascii")
    for name in names:
        if name in NEEDS and shutil.which(NEEDS[name]) is None:
            print(f"{name}: left out, there is no {NEEDS[name]} here")
            continue
        capture(name, folder)
        print(f"{name}: {folder / name}.pcapng", flush=True)


def main() -> int:
    """Parse the command line; run inside a namespace of our own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of: {', '.join(ALL)}")
    parser.add_argument("--out", type=Path, default=ROOT / "tests" / "capture" / "data", metavar="FOLDER")
    args = parser.parse_args()
    unknown = [name for name in args.names if name not in ALL]
    if unknown:
        parser.error(f"there is no way {unknown[0]!r}; there are: {', '.join(ALL)}")
    if os.environ.get(_INSIDE):
        inside(args.names or list(ALL), args.out)
        return 0
    args.out.mkdir(parents=True, exist_ok=True)
    maker = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--user", "--map-root-user", "--net"]
    done = subprocess.run([*maker, sys.executable, *sys.argv], env={**os.environ, _INSIDE: "1"}, check=False)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
