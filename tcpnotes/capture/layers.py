"""From a packet to the TCP segment in it, or the reason why there is none."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, NamedTuple

from tcpnotes.capture.files import NOTHING, Packet, dpkt

# LINKTYPE_… numbers of libpcap
NULL, ETHERNET, LOOP, COOKED, COOKED2 = 0, 1, 108, 113, 276
RAW = (12, 14, 101, 228, 229)
_TCP, _FRAGMENT = 6, 44
# Nearly all packets have IP without options or extension headers, and TCP right behind it.
_IPV4 = struct.Struct(">BxH2xHxB2x4s4sHHIIHH4x")
_IPV6 = struct.Struct(">4xHBx16s16sHHIIHH4x")
# Where IP begins, and where its kind stands before it.
_PLACES = {ETHERNET: (14, 12), COOKED: (16, 14), COOKED2: (20, 0), **dict.fromkeys(RAW, (0, None))}
_MOST_TUNNELS = 4


class Seen(NamedTuple):
    """A segment as the capture shows it.

    Addresses are 4 or 16 bytes.  ``seq`` and ``ack`` are modulo 2^32, ``window`` the raw field, ``len`` payload bytes
    on the wire (however few of them were captured), ``options`` as they stand in the header.
    """

    saddr: bytes
    sport: int
    daddr: bytes
    dport: int
    number: int
    t: int
    seq: int
    ack: int
    flags: int
    window: int
    len: int
    options: bytes


class Layers:
    """Takes packets apart with dpkt; the usual ones are looked at directly, which is ten times as fast."""

    def __init__(self) -> None:
        library: Any = dpkt()
        self._ip, self._ip6, self._tcp = library.ip.IP, library.ip6.IP6, library.tcp.TCP
        loopback = library.loopback.Loopback
        self._links: dict[int, Callable[[bytes], Any]] = {
            ETHERNET: library.ethernet.Ethernet, NULL: loopback, LOOP: loopback, COOKED: library.sll.SLL,
            COOKED2: library.sll2.SLL2,
        }  # fmt: skip

    def segment(self, packet: Packet) -> Seen | str:
        """The segment in ``packet``, or in words what it is instead (none where the file has said it already)."""
        seen = usual(packet)
        if seen is not None:
            return seen
        try:
            return self._segment(packet)
        except Exception:  # hostile bytes raise whatever indexing, struct and recursion raise
            return "cut short or damaged before the TCP header"

    def _segment(self, packet: Packet) -> Seen | str:
        data, link = packet.data, packet.link
        if link == NOTHING:
            return ""
        if not data:
            return "empty packets"
        if link in self._links:
            ip = self._links[link](data).data
        elif link in RAW:
            ip = self._ip6(data) if data[0] >> 4 == 6 else self._ip(data)
        else:
            return f"link-layer type {link}, which is not known here"
        for _ in range(_MOST_TUNNELS):
            inner = getattr(ip, "data", None)
            if not isinstance(inner, (self._ip, self._ip6)):
                break
            ip = inner
        if type(ip) is self._ip:
            return self._v4(packet, ip)
        if type(ip) is self._ip6:
            return self._v6(packet, ip)
        return "not IP" if not isinstance(ip, bytes) or len(data) < 34 else _not_ip(data)

    def _v4(self, packet: Packet, ip: Any) -> Seen | str:
        if ip._v_hl >> 4 != 4:
            return "not IP"
        if ip._flags_offset & 0x3FFF:  # more to come, or an offset
            return "fragments of IPv4 packets"
        header = (ip._v_hl & 15) * 4
        return self._found(packet, ip, ip.p, ip.len - header if ip.len else None)

    def _v6(self, packet: Packet, ip: Any) -> Seen | str:
        payload = ip.plen or None
        for extension in ip.all_extension_headers:
            if payload is not None:
                payload -= extension.length
        fragment = ip.extension_hdrs.get(_FRAGMENT)
        if fragment is not None and fragment._frag_off_resv_m & 0xFFF9:
            return "fragments of IPv6 packets"
        return self._found(packet, ip, getattr(ip, "p", ip.nxt), payload)

    def _found(self, packet: Packet, ip: Any, protocol: int, payload: int | None) -> Seen | str:
        tcp = ip.data
        if type(tcp) is not self._tcp:
            return "cut short or damaged before the TCP header" if protocol == _TCP else "IP, but not TCP"
        header = tcp._off_flags >> 12 << 2
        length = len(tcp.data) if payload is None else payload - header
        if length < 0:
            return "a TCP header longer than its packet"
        return Seen(
            ip.src, tcp.sport, ip.dst, tcp.dport, packet.number, packet.t, tcp.seq, tcp.ack,
            tcp._off_flags & 0xFF, tcp.win, length, tcp.opts,
        )  # fmt: skip


def usual(packet: Packet) -> Seen | None:
    """The segment in a packet of the usual form; None for any other packet."""
    place = _PLACES.get(packet.link)
    data = packet.data
    if place is None or len(data) < place[0] + _IPV4.size:
        return None
    at, kind_at = place
    kind = None if kind_at is None else data[kind_at : kind_at + 2]
    if data[at] == 0x45 and (kind is None or kind == b"\x08\x00"):
        _, total, fragment, protocol, src, dst, sport, dport, seq, ack, bits, window = _IPV4.unpack_from(data, at)
        end, total = at + 40, total - 20
        if fragment & 0x3FFF:
            return None
    elif data[at] >> 4 == 6 and (kind is None or kind == b"\x86\xdd") and len(data) >= at + _IPV6.size:
        total, protocol, src, dst, sport, dport, seq, ack, bits, window = _IPV6.unpack_from(data, at)
        end = at + 60
    else:
        return None
    header = bits >> 12 << 2
    if protocol != _TCP or header < 20 or total < header:
        return None
    options = data[end : end + header - 20]
    return Seen(src, sport, dst, dport, packet.number, packet.t, seq, ack, bits & 0xFF, window, total - header, options)


def _not_ip(data: bytes) -> str:
    return "cut short or damaged before the TCP header" if data[12:14] in (b"\x08\0", b"\x86\xdd") else "not IP"
