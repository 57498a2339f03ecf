"""Segments as packets, and packets as a pcapng file: the same bytes on every machine."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import IO, Any

from tcpnotes.capture.files import dpkt
from tcpnotes.capture.layers import ETHERNET
from tcpnotes.trace.segment import ACK, SYN, Segment

_NOP, _MSS, _WSCALE, _SACK_PERM, _SACK, _TIMESTAMP = 1, 2, 3, 4, 5, 8
_TEXT = b"How Linux closes a TCP connection. "  # what data are made of: nobody looks at them


class CaptureWriter:
    """Writes a pcapng file with one section: little-endian, times in nanoseconds.

    ``interfaces`` are names; ``about`` becomes the section's comment, ``system`` the operating system it names.
    """

    def __init__(
        self, stream: IO[bytes], interfaces: Sequence[str], *, about: str = "", system: str = "", link: int = ETHERNET
    ) -> None:
        self._stream = stream
        self._blocks: Any = dpkt().pcapng
        section = self._blocks.SectionHeaderBlockLE()
        section.opts = self._options((1, about), (3, system), (4, "tcpnotes"))
        stream.write(bytes(section))
        for name in interfaces:
            block = self._blocks.InterfaceDescriptionBlockLE(linktype=link, snaplen=0)
            block.opts = self._options(
                (self._blocks.PCAPNG_OPT_IF_NAME, name), (self._blocks.PCAPNG_OPT_IF_TSRESOL, b"\x09")
            )
            stream.write(bytes(block))

    def packet(self, data: bytes, t: int, *, interface: int = 0, comment: str = "") -> None:
        """Write a packet that passed ``t`` nanoseconds after 1970 began (UTC)."""
        block = self._blocks.EnhancedPacketBlockLE(
            iface_id=interface, ts_high=t >> 32, ts_low=t & 0xFFFFFFFF, pkt_data=data
        )
        block.opts = self._options((self._blocks.PCAPNG_OPT_COMMENT, comment))
        self._stream.write(bytes(block))

    def _options(self, *wanted: tuple[int, str | bytes]) -> list[Any]:
        """Options for what is not empty, with the mark at their end that they need."""
        option = self._blocks.PcapngOptionLE
        made = [option(code=code, data=v.encode() if isinstance(v, str) else v) for code, v in wanted if v]
        return [*made, option()] if made else []


def options(seg: Segment) -> bytes:
    """The TCP options of a segment, in the order in which Linux 2.4 writes them (tcp_syn_build_options)."""
    stamp = struct.pack(">BBII", _TIMESTAMP, 10, *seg.ts) if seg.ts is not None else b""
    found = b""
    if seg.flags & SYN:
        if seg.mss is not None:
            found += struct.pack(">BBH", _MSS, 4, seg.mss)
        if seg.sack_ok:
            found += (b"" if stamp else bytes((_NOP, _NOP))) + bytes((_SACK_PERM, 2)) + stamp
        elif stamp:
            found += bytes((_NOP, _NOP)) + stamp
        if seg.wscale is not None:
            found += bytes((_NOP, _WSCALE, 3, seg.wscale))
        return found
    if stamp:
        found += bytes((_NOP, _NOP)) + stamp
    if seg.sacks:
        found += bytes((_NOP, _NOP, _SACK, 2 + 8 * len(seg.sacks)))
        found += b"".join(struct.pack(">II", *block) for block in seg.sacks)
    return found


def frame(seg: Segment, *, src: bytes, dst: bytes, id: int = 0) -> bytes:
    """A segment as an Ethernet frame with right checksums; ``src`` and ``dst`` are the cards' addresses, 6 bytes."""
    library: Any = dpkt()
    opts = options(seg)
    text = (_TEXT * (seg.len // len(_TEXT) + 1))[: seg.len]
    tcp = library.tcp.TCP(
        sport=seg.sport, dport=seg.dport, seq=seg.seq, ack=seg.ack_seq if seg.flags & ACK else 0, win=seg.window,
        urp=seg.urg_ptr, flags=seg.flags, off=5 + len(opts) // 4, data=text,
    )  # fmt: skip
    tcp.opts = opts
    ip = library.ip.IP(
        src=seg.saddr.to_bytes(4, "big"),
        dst=seg.daddr.to_bytes(4, "big"),
        p=library.ip.IP_PROTO_TCP,
        id=id,
        df=1,
        data=tcp,
    )
    ip.len = len(ip)
    return bytes(library.ethernet.Ethernet(src=src, dst=dst, type=library.ethernet.ETH_TYPE_IP, data=ip))
