"""Frames on the cards, and the segments in them."""

from __future__ import annotations

import socket
import struct
import time
from typing import Any, NamedTuple

from tcpnotes.live.errors import LiveError
from tcpnotes.live.namespaces import MACS, WIRE_MAC
from tcpnotes.trace.segment import ACK, Segment

_ETH_P_IP = 0x0800
_STAMP = 35  # SO_TIMESTAMPNS
_OUTGOING = 4  # PACKET_OUTGOING


def dpkt() -> Any:
    """The library that knows the formats; a `LiveError` that says how to get it where it is missing."""
    try:
        import dpkt
    except ImportError:
        raise LiveError("Live runs need the libraries dpkt and pyroute2: pip install 'tcpnotes[live]'.") from None
    return dpkt


class Caught(NamedTuple):
    """A frame that a host has sent, ready to be handed on, and its segment; ``stamp`` is monotonic seconds."""

    stamp: float
    seg: Segment
    frame: bytes


class Card:
    """The end of a host's card that is outside: what the host sends comes out here, what is put in reaches it."""

    def __init__(self, host: str, name: str) -> None:
        self.host = host
        self._dpkt = dpkt()
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETH_P_IP))
        self._socket.bind((name, _ETH_P_IP))
        self._socket.setsockopt(socket.SOL_SOCKET, _STAMP, 1)
        self._socket.setblocking(False)
        self._mac = bytes.fromhex(MACS[host].replace(":", ""))

    def fileno(self) -> int:
        """For select."""
        return self._socket.fileno()

    def close(self) -> None:
        """Let go of it."""
        self._socket.close()

    def catch(self) -> Caught | None:
        """The next frame that the host has sent, if there is one and it holds TCP."""
        while True:
            try:
                data, extra, _, place = self._socket.recvmsg(70_000, 256)
            except BlockingIOError:
                return None
            if place[2] == _OUTGOING:
                continue
            stamp = time.monotonic()
            for level, kind, value in extra:
                if (level, kind) == (socket.SOL_SOCKET, _STAMP):
                    seconds, nanoseconds = struct.unpack("qq", value)
                    stamp -= time.clock_gettime(time.CLOCK_REALTIME) - (seconds + nanoseconds / 1e9)
            ethernet = self._dpkt.ethernet.Ethernet(data)
            ip = ethernet.data
            if not isinstance(ip, self._dpkt.ip.IP) or not isinstance(ip.data, self._dpkt.tcp.TCP):
                continue
            # The sums were left to a card that does not exist: zero lets dpkt work them out.
            ip.data.sum = ip.sum = 0
            return Caught(stamp, self._segment(ip), bytes(ip))

    def put(self, packet: bytes) -> None:
        """Let a packet reach the host."""
        head = self._mac + bytes.fromhex(WIRE_MAC.replace(":", "")) + struct.pack("!H", _ETH_P_IP)
        self._socket.send(head + packet)

    def packet(self, seg: Segment) -> bytes:
        """A segment without options as a packet."""
        tcp = self._dpkt.tcp.TCP(
            sport=seg.sport, dport=seg.dport, seq=seg.seq, ack=seg.ack_seq if seg.flags & ACK else 0, win=seg.window,
            flags=seg.flags, data=bytes(seg.len),
        )  # fmt: skip
        ip = self._dpkt.ip.IP(
            src=seg.saddr.to_bytes(4, "big"), dst=seg.daddr.to_bytes(4, "big"), p=socket.IPPROTO_TCP, df=1, data=tcp
        )
        ip.len = len(ip)
        return bytes(ip)

    def _segment(self, ip: Any) -> Segment:
        tcp = ip.data
        kinds = self._dpkt.tcp
        options: dict[int, bytes] = dict(kinds.parse_opts(tcp.opts))
        wanted = (kinds.TCP_OPT_MSS, kinds.TCP_OPT_WSCALE, kinds.TCP_OPT_TIMESTAMP)
        mss, wscale, stamps = (options.get(kind) for kind in wanted)
        sacks = options.get(kinds.TCP_OPT_SACK, b"")
        return Segment(
            int.from_bytes(ip.src, "big"), tcp.sport, int.from_bytes(ip.dst, "big"), tcp.dport, tcp.seq,
            tcp.ack if tcp.flags & ACK else 0, tcp.flags & 0xFF, tcp.win, len(tcp.data),
            None if mss is None else int.from_bytes(mss, "big"), None if wscale is None else wscale[0],
            kinds.TCP_OPT_SACKOK in options, None if stamps is None else struct.unpack("!II", stamps),
            tuple(struct.iter_unpack("!II", sacks)), tcp.urp,
        )  # fmt: skip
