"""Capture files, packet by packet: pcap and pcapng, either of them perhaps in gzip.

The walk through the file is ours, in steps of bounded size, so that a hostile length costs nothing and
whatever cannot be read is counted under a reason; what a header, a block or an option *is* stands in dpkt.
(dpkt's own readers know one interface a file, no second section and no length but the captured one.)
"""

from __future__ import annotations

import contextlib
import gzip
import io
import struct
import sys
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import IO, Any, NamedTuple, cast

from tcpnotes.capture.errors import CaptureError

LARGEST_PACKET = 1 << 18  # bytes; what libpcap takes at most from an Ethernet
LARGEST_BLOCK = 1 << 24
MOST_INTERFACES = 1 << 12
NOTHING = -1  # the link-layer type of a packet that could not be read
_SECTION, _INTERFACE, _OBSOLETE, _SIMPLE, _ENHANCED = 0x0A0D0D0A, 1, 2, 3, 6
_MAGIC = b"\x1a\x2b\x3c\x4d"


class Packet(NamedTuple):
    """One packet of a file.

    ``number`` counts from 1 as Wireshark counts; ``t`` is nanoseconds since 1970 in UTC; ``link`` the
    link-layer type of its interface (LINKTYPE_… of libpcap); ``length`` its bytes on the wire, of which ``data`` may
    hold the first ones only; ``comment`` what somebody noted about it.
    """

    number: int
    t: int
    link: int
    data: bytes
    length: int
    comment: str | None = None


def dpkt() -> ModuleType:
    """The library that knows the formats; a `CaptureError` that says how to get it where it is missing."""
    try:
        import dpkt
        import dpkt.pcapng
        import dpkt.sll
        import dpkt.sll2
    except ImportError:
        raise CaptureError("Capture files need the library dpkt: pip install 'tcpnotes[capture]'.") from None
    found: ModuleType = dpkt
    return found


class _Damaged(Exception):
    """The file cannot be followed any further; the text is the reason."""


class CaptureFile:
    """A capture to go through once.

    ``skipped`` says after that (or at any moment) what could not be used and how often; ``at`` is how many bytes of the
    file have been read, ``size`` how many there are (None where that is not known).
    """

    def __init__(self, name: str | Path, stream: IO[bytes] | None = None) -> None:
        self.name = str(name)
        self.skipped: Counter[str] = Counter()
        self.count = 0
        self.size: int | None = None
        self._dpkt = dpkt()
        self._file = stream if stream is not None else self._open()
        self._stream: IO[bytes] = self._file
        self._read = 0
        try:
            head = self._take(4, "the file")
            if head[:2] == b"\x1f\x8b":
                self._stream = cast("IO[bytes]", gzip.GzipFile(fileobj=_Rejoined(head, self._file)))
                head = self._take(4, "the file")
        except _Damaged as damage:
            raise CaptureError(f"{self.name}: the file cannot be read: {damage}.") from None
        self._packets = self._choose(head)

    @property
    def at(self) -> int:
        """How many bytes of the file have been read."""
        if self._stream is self._file:
            return self._read
        try:
            return self._file.tell()
        except OSError:
            return 0

    def close(self) -> None:
        """Let the file go."""
        if self._file is not sys.stdin.buffer:
            self._file.close()

    def __enter__(self) -> CaptureFile:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[Packet]:
        """The packets in the order of the file; ends where the file can be followed no further."""
        try:
            yield from self._packets
        except _Damaged as damage:
            self.skipped[str(damage)] += 1

    # -- opening -----------------------------------------------------------------------------------------------

    def _open(self) -> IO[bytes]:
        if self.name == "-":
            return sys.stdin.buffer
        try:
            opened = Path(self.name).open("rb")  # noqa: SIM115 - closed by `close`
            if opened.seekable():
                self.size = opened.seek(0, io.SEEK_END)
                opened.seek(0)
        except OSError as error:
            raise CaptureError(f"{self.name}: the file cannot be read: {error.strerror or error}.") from None
        return opened

    def _choose(self, head: bytes) -> Iterator[Packet]:
        if head == struct.pack(">I", _SECTION):
            return self._pcapng(head)
        kinds = self._dpkt.pcap.MAGIC_TO_PKT_HDR
        if len(head) == 4 and struct.unpack(">I", head)[0] in kinds:
            return self._pcap(head)
        what = "is empty" if not head else "is no capture"
        raise CaptureError(f"{self.name}: the file {what}; what can be read is pcap and pcapng, also in gzip.")

    # -- reading -----------------------------------------------------------------------------------------------

    def _take(self, count: int, what: str, *, end: bool = False) -> bytes:
        """The next ``count`` bytes; fewer only at the very beginning, none only where the file may ``end``."""
        try:
            data = self._stream.read(count)
            while len(data) < count:  # a pipe gives what it has
                more = self._stream.read(count - len(data))
                if not more:
                    break
                data += more
        except (OSError, EOFError, zlib.error) as error:
            raise _Damaged(f"the rest of the file, because of an error in reading: {_plain(error)}") from None
        self._read += len(data)
        if len(data) < count and what != "the file":
            if end and not data:
                return data
            raise _Damaged(f"the last packet or block: the file ends within {what}")
        return data

    def _pcap(self, head: bytes) -> Iterator[Packet]:
        pcap = self._dpkt.pcap
        magic = struct.unpack(">I", head)[0]
        kind: Any = pcap.MAGIC_TO_PKT_HDR[magic]
        little = magic not in (pcap.TCPDUMP_MAGIC, pcap.TCPDUMP_MAGIC_NANO)
        try:
            file = (pcap.LEFileHdr if little else pcap.FileHdr)(head + self._take(20, "its header"))
        except _Damaged:
            raise CaptureError(f"{self.name}: the file ends within its header.") from None
        nano = magic in (pcap.TCPDUMP_MAGIC_NANO, pcap.PMUDPCT_MAGIC_NANO)
        unit = 1 if nano else 1000
        link = file.linktype & 0xFFFF
        header = struct.Struct(kind.__hdr_fmt__)  # an object of dpkt for each packet would take half the time
        while True:
            start = self._take(header.size, "a packet's header", end=True)
            if not start:
                return
            seconds, part, kept, length, *_ = header.unpack(start)
            if kept > LARGEST_PACKET:
                raise _Damaged(f"the rest of the file: a packet of more than {LARGEST_PACKET} bytes cannot be")
            data = self._take(kept, "a packet")
            self.count += 1
            yield Packet(self.count, seconds * 1_000_000_000 + part * unit, link, data, length)

    # -- pcapng ------------------------------------------------------------------------------------------------

    def _pcapng(self, head: bytes) -> Iterator[Packet]:
        section = _Section(self._dpkt, self.skipped)
        start = head + self._take(4, "its header")
        while True:
            if start[:4] == b"\x0a\x0d\x0d\x0a":
                start += self._take(4, "a section header")
                section.begin(start[8:12])
            kind, length = section.head.unpack(start[:8])
            if length % 4 or length < 12 or length > LARGEST_BLOCK:
                raise _Damaged(f"the rest of the file: a block of {length} bytes cannot be")
            packet = section.read(kind, start + self._take(length - len(start), "a block"), self.count + 1)
            if packet is not None:
                self.count += 1
                yield packet
            start = self._take(8, "a block's header", end=True)
            if not start:
                return


class _Section:
    """A section of a pcapng file: its byte order and its interfaces."""

    def __init__(self, library: ModuleType, skipped: Counter[str]) -> None:
        self._pcapng: Any = library.pcapng  # type: ignore[attr-defined,unused-ignore]
        self._skipped = skipped
        self._t = 0
        self.begin(_MAGIC)

    def begin(self, magic: bytes) -> None:
        """A section header: what came before counts no more."""
        if magic not in (_MAGIC, _MAGIC[::-1]):
            raise _Damaged("the rest of the file: a section whose byte order cannot be told")
        little = magic != _MAGIC
        self.head = struct.Struct("<II" if little else ">II")
        names = ("InterfaceDescriptionBlock", "PacketBlock", "EnhancedPacketBlock")
        kinds = [getattr(self._pcapng, name + ("LE" if little else "")) for name in names]
        self._interface, self._obsolete, self._enhanced = kinds
        self._order = "<" if little else ">"
        self._fixed = struct.Struct(self._enhanced.__hdr_fmt__[:-1])  # what stands before the packet's bytes
        self._interfaces: list[tuple[int, int, int, int, int]] = []  # link, snap length, times, over, plus (ns)

    def read(self, kind: int, block: bytes, number: int) -> Packet | None:
        """The packet that a block holds, to be called ``number``; None for other blocks."""
        if block[-4:] != block[4:8]:
            raise _Damaged("the rest of the file: a block whose two lengths differ")
        if kind == _ENHANCED:
            return self._packet(block, number)
        if kind == _SIMPLE:
            return self._simple(block, number)
        if kind == _OBSOLETE:
            return self._old(block, number)
        if kind == _INTERFACE:
            self._add(block)
        return None

    def _add(self, block: bytes) -> None:
        if len(self._interfaces) >= MOST_INTERFACES:
            raise _Damaged(f"the rest of the file: more than {MOST_INTERFACES} interfaces")
        found = self._interface()
        _unpack(found, block)
        times, over, plus = 1000, 1, 0
        for option in getattr(found, "opts", ()):
            if option.code == self._pcapng.PCAPNG_OPT_IF_TSRESOL and len(option.data) == 1:
                power = option.data[0]
                times, over = 1_000_000_000, 1 << (power & 0x7F) if power & 0x80 else 10**power
            elif option.code == self._pcapng.PCAPNG_OPT_IF_TSOFFSET and len(option.data) == 8:
                plus = struct.unpack(self._order + "q", option.data)[0] * 1_000_000_000
        self._interfaces.append((found.linktype, found.snaplen, times, over, plus))

    def _packet(self, block: bytes, number: int) -> Packet:
        fixed = self._fixed
        if len(block) < fixed.size + 4:
            return self._lost("a packet block that is damaged", number)
        _, _, interface, high, low, kept, length = fixed.unpack_from(block)
        end = fixed.size + kept
        if end + 4 > len(block):
            return self._lost("a packet block that is damaged", number)
        comment = self._comment(block) if end + 8 <= len(block) else None
        return self._made(block[fixed.size : end], interface, high, low, length, number, comment)

    def _comment(self, block: bytes) -> str | None:
        found = self._enhanced()
        _unpack(found, block)
        for option in getattr(found, "opts", ()):
            if option.code == self._pcapng.PCAPNG_OPT_COMMENT:
                return str(option.data.decode("utf-8", "replace"))
        return None

    def _old(self, block: bytes, number: int) -> Packet:
        found = self._obsolete()
        _unpack(found, block)
        data = getattr(found, "pkt_data", None)
        if data is None or len(data) < found.caplen:
            return self._lost("a packet block that is damaged", number)
        return self._made(data, found.iface_id, found.ts_high, found.ts_low, found.pkt_len, number, None)

    def _made(
        self, data: bytes, interface: int, high: int, low: int, length: int, number: int, comment: str | None
    ) -> Packet:
        if interface >= len(self._interfaces):
            return self._lost("a packet of an interface that is not described", number)
        link, _, times, over, plus = self._interfaces[interface]
        self._t = (high << 32 | low) * times // over + plus
        return Packet(number, self._t, link, data, length, comment)

    def _simple(self, block: bytes, number: int) -> Packet:
        if not self._interfaces:
            return self._lost("a packet of an interface that is not described", number)
        if len(block) < 16:
            return self._lost("a packet block that is damaged", number)
        link, snap, *_ = self._interfaces[0]
        length = struct.unpack_from(self._order + "I", block, 8)[0]
        data = block[12:-4][: min(length, snap) if snap else length]
        self._skipped["the time of a simple packet block, which has none"] += 1
        return Packet(number, self._t, link, data, length)

    def _lost(self, reason: str, number: int) -> Packet:
        """Counts as a packet, as it does in Wireshark, but says nothing."""
        self._skipped[reason] += 1
        return Packet(number, self._t, NOTHING, b"", 0)


def _unpack(found: Any, block: bytes) -> None:
    """Let dpkt read a block; options that it cannot read leave what comes before them."""
    with contextlib.suppress(Exception):  # hostile bytes raise whatever indexing, struct and decoding raise
        found.unpack(block)


class _Rejoined(io.RawIOBase):
    """A stream with the bytes that were already read put back in front."""

    def __init__(self, head: bytes, rest: IO[bytes]) -> None:
        self._head = head
        self._rest = rest

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if self._head:
            part, self._head = self._head[:size], self._head[size:]
            return part
        return self._rest.read(size)


def _plain(error: BaseException) -> str:
    return str(getattr(error, "strerror", None) or error or type(error).__name__).rstrip(".")
