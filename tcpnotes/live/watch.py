"""What the kernel tells of its sockets when asked: states, timers and buckets (sock_diag), and its counters."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from tcpnotes.live.namespaces import Namespace
from tcpnotes.trace.records import Bucket, Count, Freed, Record, StateChange

STATES = (
    "", "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2", "TIME_WAIT", "CLOSE", "CLOSE_WAIT",
    "LAST_ACK", "LISTEN", "CLOSING", "SYN_RECV",
)  # fmt: skip
_TIME_WAIT_TIMER = 3
_SOON = (0.0, 0.004, 0.01, 0.02, 0.04, 0.08)  # seconds after something happened at which to look
_ELSE = 0.25  # and how often in silence
_QUIET = {  # counters of every segment, which say nothing of a close
    "TcpInSegs", "TcpOutSegs", "TCPOrigDataSent", "TCPHPHits", "TCPHPAcks", "TCPPureAcks", "TCPDelivered",
    "TcpCurrEstab", "TcpPassiveOpens", "TcpActiveOpens", "TcpTimeoutRehash", "TCPAutoCorking", "TCPRcvCoalesce",
    "TCPBacklogCoalesce",
}  # fmt: skip


class _Seen(NamedTuple):
    number: int  # of the socket or bucket, as in the trace
    state: str
    bucket: bool


class Watcher:
    """Looks at the sockets of a host whenever something has happened there, and now and then.

    ``clock`` gives the microseconds of the run; the records go to ``add``; without ``states`` only buckets are told.
    """

    def __init__(
        self, host: Namespace, clock: Callable[[], int], add: Callable[[Record], None], *, states: bool = True
    ) -> None:
        self._host = host
        self._clock = clock
        self._add = add
        self._states = states
        self._known: dict[tuple[int, int], _Seen] = {}  # ports -> what was seen last
        self._made = 0
        self.ports: dict[int, tuple[int, int]] = {}  # of each bucket
        self._happened = threading.Event()
        self._over = False
        self._looking = threading.Lock()
        self.boot()
        self._thread = threading.Thread(target=self._watch, name=f"watch {host.name}", daemon=True)

    def boot(self, how: Callable[[], object] = lambda: None) -> None:
        """The host gets a fresh namespace: what was known is gone without a word."""
        from pyroute2 import DiagSocket

        with self._looking:
            how()
            self._known = {}
            self._diag: Any = self._host.do(DiagSocket)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def poke(self) -> None:
        """Something has happened."""
        self._happened.set()

    def stop(self) -> None:
        """Look once more, and stop."""
        self._over = True
        self._happened.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over:
            self._happened.clear()
            since = time.monotonic()
            for soon in _SOON:
                if soon and self._happened.wait(max(0.0, since + soon - time.monotonic())):
                    break
                self._look()
            else:
                while not self._happened.wait(_ELSE):
                    self._look()
        self._look()

    def _look(self) -> None:
        with self._looking:
            self._compare()

    def _compare(self) -> None:
        t = self._clock()
        answers = self._host.do(lambda: list(self._diag.get_sock_stats(family=socket.AF_INET, states=0xFFF)))
        found: dict[tuple[int, int], tuple[str, bool, int]] = {}
        for answer in answers:
            key = (answer["idiag_sport"], answer["idiag_dport"])
            bucket = answer["idiag_timer"] == _TIME_WAIT_TIMER
            state = STATES[answer["idiag_state"]]
            if key not in found or bucket < found[key][1]:  # a new connection hides the bucket of the old one
                found[key] = (state, bucket, answer["idiag_expires"])
        for key, (state, bucket, expires) in found.items():
            self._tell(t, key, state, bucket, expires)
        for key in [key for key in self._known if key not in found]:
            old = self._known.pop(key)
            if old.bucket:
                self._add(Bucket(t, self._host.name, 0, old.number, None, "kill", old.state, None, None))
            elif self._states:
                self._add(StateChange(t, self._host.name, 0, old.number, None, old.state, "CLOSE", None))

    def _tell(self, t: int, key: tuple[int, int], state: str, bucket: bool, expires: int) -> None:
        host, old = self._host.name, self._known.get(key)
        if old is not None and (old.state, old.bucket) == (state, bucket):
            return
        if bucket:
            jiffies = expires // 10
            if old is not None and old.bucket:
                self._add(Bucket(t, host, 0, old.number, None, "substate", state, jiffies, None))
                self._known[key] = old._replace(state=state)
                return
            self._made += 1
            self.ports[self._made] = key
            of_sk = None if old is None else old.number
            self._add(Bucket(t, host, 0, self._made, of_sk, "create", state, jiffies, None))
            if old is not None and self._states:
                self._add(Freed(t, host, 0, old.number, None))
            self._known[key] = _Seen(self._made, state, True)
            return
        if old is None or old.bucket:
            if old is not None:
                self._add(Bucket(t, host, 0, old.number, None, "kill", old.state, None, None))
            self._made += 1
            self._known[key] = _Seen(self._made, state, False)
        else:
            self._known[key] = old._replace(state=state)
        if self._states:
            before = old.state if old else "CLOSE"
            self._add(StateChange(t, host, 0, self._known[key].number, None, before, state, None))


class Counters:
    """The counters of a host's TCP: what moved between two looks."""

    def __init__(self, host: Namespace) -> None:
        self._host = host
        self._before = host.do(_read)

    def moved(self, t: int) -> list[Record]:
        """One record for each step of each counter that tells something."""
        now = self._host.do(_read)
        return [
            Count(t, self._host.name, 0, name, None)
            for name, value in now.items()
            for _ in range(min(value - self._before.get(name, 0), 1000))
            if name not in _QUIET
        ]


def _read() -> dict[str, int]:
    found: dict[str, int] = {}
    for file in ("/proc/thread-self/net/netstat", "/proc/thread-self/net/snmp"):
        lines = Path(file).read_text(encoding="ascii").splitlines()
        for head, values in zip(lines[::2], lines[1::2], strict=True):
            if head.startswith(("TcpExt:", "Tcp:")):
                group = "Tcp" if head.startswith("Tcp:") else ""
                names = [group + name for name in head.split()[1:]]
                found.update(zip(names, map(int, values.split()[1:]), strict=True))
    return found
