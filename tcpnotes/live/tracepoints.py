"""What the kernel's trace points tell to root: every change of state at its very moment, and why a RESET was sent."""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
from collections.abc import Sequence
from pathlib import Path

from tcpnotes.trace import records as r

_TRACING = Path("/sys/kernel/tracing")
_EVENTS = ("sock/inet_sock_set_state", "tcp/tcp_send_reset", "tcp/tcp_receive_reset", "tcp/tcp_retransmit_skb")
_PRIVATE, _RECURSIVE = 1 << 18, 0x4000  # linux/mount.h
_LINE = re.compile(r".*?\s(?P<t>\d+\.\d+): (?P<event>\w+): (?P<rest>.*)")
_FIELD = re.compile(r"(\w+)=(\S+)")
_AT_ONCE = 500_000  # microseconds; a socket's end and its bucket, seen later, belong together
_ASKING = 50_000  # and a bucket may be seen a little before, since asking takes its time


class TracePoints:
    """A tracing instance of our own while the context lasts; ``there`` is false where the system has or allows none."""

    def __init__(self) -> None:
        self.there = False
        self._folder = _TRACING / "instances" / f"tcpnotes{os.getpid()}"

    def __enter__(self) -> TracePoints:
        with contextlib.suppress(OSError):
            _mount()
            for old in _TRACING.glob("instances/tcpnotes*"):
                if not Path(f"/proc/{old.name.removeprefix('tcpnotes')}").exists():
                    old.rmdir()  # of a run that was killed
            self._folder.mkdir()
            self.there = True
            self._write("trace_clock", "mono")
            for event in _EVENTS:
                self._write(f"events/{event}/enable", "1")
        return self

    def __exit__(self, *_: object) -> None:
        if self.there:
            with contextlib.suppress(OSError):
                self._write("events/enable", "0")
                self._folder.rmdir()

    def _write(self, name: str, text: str) -> None:
        (self._folder / name).write_text(text, encoding="ascii")

    def lines(self) -> list[str]:
        """What was traced so far; empty where nothing can be."""
        try:
            return (self._folder / "trace").read_text(encoding="ascii", errors="replace").splitlines()
        except OSError:
            return []


def _mount() -> None:
    """Make the tracing folder visible, to this process alone (it is in a mount namespace of its own)."""
    if (_TRACING / "instances").exists():
        return
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mount(None, b"/", None, _PRIVATE | _RECURSIVE, None)
    libc.mount(b"nodev", os.fsencode(_TRACING), b"tracefs", 0, None)


def traced(lines: Sequence[str], start: float, hosts: dict[str, str]) -> tuple[list[r.Record], dict[int, Ports]]:
    """The records in traced lines, and the ports of each socket; ``hosts`` gives the name for an address.

    ``start`` is when the run began, in seconds of the monotonic clock.
    """
    found: list[r.Record] = []
    known: dict[Ports, int] = {}
    ports: dict[int, Ports] = {}
    for line in lines:
        parts = _LINE.fullmatch(line)
        if parts is None:
            continue
        fields = dict(_FIELD.findall(parts["rest"]))
        address, sport = fields.get("saddr", ""), fields.get("sport", "0")
        if "src" in fields:  # as the trace points of segments write it
            address, _, sport = fields["src"].rpartition(":")
        if address not in hosts or not sport.isdecimal():
            continue
        host, t = hosts[address], round((float(parts["t"]) - start) * 1_000_000)
        if parts["event"] != "inet_sock_set_state":
            why = fields.get("reason", "")
            if parts["event"] == "tcp_send_reset" and why:
                words = why.removeprefix("TCP_").lower().replace("_", " ")
                found.append(r.Stimulus(t, host, 0, "note", f"RESET: {words}"))
            continue
        key = (host, int(sport), int(fields.get("dport", "0")))
        old, new = (fields.get(name, "").removeprefix("TCP_") for name in ("oldstate", "newstate"))
        if old == "SYN_SENT" and (host, 0, key[2]) in known:  # it had no port yet when it began
            known[key] = known.pop((host, 0, key[2]))
        elif old in ("CLOSE", "LISTEN") and new != "CLOSE":
            known[key] = len(ports) + 1
        number = known.setdefault(key, len(ports) + 1)
        ports[number] = key
        found.append(r.StateChange(t, host, 0, number, None, "CLOSE" if old == "LISTEN" != new else old, new, None))
    return found, ports


Ports = tuple[str, int, int]  # host, its port, the peer's port


def joined(
    states: Sequence[r.Record],
    ports: dict[int, Ports],
    others: Sequence[r.Record],
    buckets: dict[tuple[str, int], Ports],
) -> list[r.Record]:
    """Traced states and watched buckets as one story: a bucket comes of the socket with its ports, when that ended."""
    found: list[r.Record] = list(states)
    shift = len(ports)
    for record in others:
        if not isinstance(record, r.Bucket) or record.tw is None:
            found.append(record)
            continue
        made = record._replace(tw=record.tw + shift, of_sk=None)
        if record.op == "create":
            key = buckets[record.host, record.tw]
            ends = [
                s for s in found
                if isinstance(s, r.StateChange) and ports[s.sk] == key and s.new == "CLOSE"
                and record.t - _AT_ONCE < s.t <= record.t + _ASKING
            ]  # fmt: skip
            if ends:
                found.remove(ends[-1])
                made = made._replace(t=ends[-1].t, of_sk=ends[-1].sk)
                found += [made, r.Freed(made.t, made.host, 0, ends[-1].sk, None)]
                continue
        found.append(made)
    return sorted(found, key=lambda record: record.t)
