"""Two hosts that are network namespaces, with a card each whose other end this process holds.

A namespace belongs to a thread here: `Namespace` keeps one that lives in it and does what must be done there.
Nothing has a name outside the process, and all of it is gone when the process ends.
"""

from __future__ import annotations

import ctypes
import os
import queue
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from tcpnotes.live.errors import NotHere

T = TypeVar("T")
_NEWNS, _NEWUSER, _NEWNET = 0x20000, 0x10000000, 0x40000000  # linux/sched.h
_UP = 10.0  # seconds
CARD = "eth0"  # its name inside
MACS = {"A": "02:00:00:00:00:0a", "B": "02:00:00:00:00:0b"}
WIRE_MAC = "02:00:00:00:00:01"  # of the ends that this process holds


def unshare(flags: int) -> None:
    """Leave the namespaces of these kinds for new ones, with the calling thread alone.  OSError where forbidden."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(flags):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def enter() -> bool:
    """Bring this process, while it has one thread, to namespaces where it may make others; True if it is root.

    Root also gets a name space of its own for mounts.  `NotHere` where the system allows neither.
    """
    root = os.geteuid() == 0
    user, group = os.geteuid(), os.getegid()
    try:
        unshare(_NEWNET | _NEWNS if root else _NEWUSER | _NEWNET)
        if not root:
            Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
            Path("/proc/self/uid_map").write_text(f"0 {user} 1", encoding="ascii")
            Path("/proc/self/gid_map").write_text(f"0 {group} 1", encoding="ascii")
    except OSError as error:
        raise NotHere(
            f"Network namespaces cannot be made here ({error.strerror or error}): run this as root, or allow user "
            "namespaces (sysctl user.max_user_namespaces, kernel.apparmor_restrict_unprivileged_userns=0)."
        ) from None
    return root


class Namespace:
    """One host: a thread in a network namespace of its own.  `boot` gives it a fresh one with a fresh card."""

    def __init__(self, name: str, address: str, peer: str) -> None:
        self.name = name
        self.address = address
        self.peer = peer
        self.boots = 0
        self._todo: queue.SimpleQueue[tuple[Callable[[], Any], queue.SimpleQueue[Any]]] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._serve, name=f"host {name}", daemon=True)
        self._thread.start()

    def do(self, what: Callable[[], T]) -> T:
        """Do it inside; the answer, or what it raised."""
        answer: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._todo.put((what, answer))
        good, value = answer.get()
        if not good:
            raise value
        found: T = value
        return found

    def boot(self) -> str:
        """A fresh namespace: no sockets, no buckets.  The name of the end of its card that is outside.

        The former one keeps its sockets, which nobody reaches any more.
        """
        from pyroute2 import IPRoute

        outer = f"wire{self.name}"
        self.do(lambda: unshare(_NEWNET))
        with IPRoute() as ip:
            for old in ip.link_lookup(ifname=outer):
                ip.link("del", index=old)
            inner = {"ifname": CARD, "net_ns_pid": self._thread.native_id, "address": MACS[self.name]}
            ip.link("add", ifname=outer, kind="veth", address=WIRE_MAC, peer=inner)
            ip.link("set", ifname=outer, state="up")
        self.do(self._configure)
        self.boots += 1
        return outer

    def _serve(self) -> None:
        while True:
            what, answer = self._todo.get()
            try:
                answer.put((True, what()))
            except BaseException as error:
                answer.put((False, error))

    def _configure(self) -> None:
        from pyroute2 import IPRoute

        self.sysctl("net/ipv6/conf/all/disable_ipv6", "1")
        with IPRoute() as ip:
            card = ip.link_lookup(ifname=CARD)[0]
            # One segment a frame, as on a wire: no segmentation is left to the card.
            ip.link("set", index=card, gso_max_segs=1)
            ip.addr("add", index=card, address=self.address, prefixlen=32)
            ip.link("set", index=card, state="up")
            ip.link("set", index=ip.link_lookup(ifname="lo")[0], state="up")
            ip.route("add", dst=f"{self.peer}/32", oif=card, scope="link")
            ip.neigh("replace", dst=self.peer, lladdr=WIRE_MAC, ifindex=card, state="permanent")
            # Until the kernel has noticed that the card is up, it throws away what is sent: this may take a second.
            until = time.monotonic() + _UP
            while ip.get_links(card)[0].get_attr("IFLA_OPERSTATE") != "UP":
                if time.monotonic() > until:
                    raise NotHere(f"The card of host {self.name} does not come up; try again.")
                time.sleep(0.005)

    def sysctl(self, name: str, value: str) -> None:
        """Set a sysctl, from inside; a missing IPv6 is not missed."""
        path = Path("/proc/sys") / name
        try:
            path.write_text(value, encoding="ascii")
        except OSError as error:
            if "ipv6" not in name:
                raise NotHere(f"The kernel does not let {path} be set: {error.strerror or error}.") from None

    def socket(self) -> socket.socket:
        """A new TCP socket of the host."""
        return self.do(lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM))
