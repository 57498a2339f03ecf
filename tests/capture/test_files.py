"""Every form a capture can have, and every way to be broken: read as far as it goes, and said what was not."""

from __future__ import annotations

import gzip
import io
import struct
from pathlib import Path

import captures
import pytest
from captures import OPEN, SECOND, START, block, capture, enhanced, frames, interface, pcap, pcapng, said, section

from tcpnotes.capture import CaptureError, CaptureFile, Explainer
from tcpnotes.capture.files import Packet
from tcpnotes.capture.layers import Layers, Seen, usual

LINES = said(OPEN + "1 A F. 1 1\n1.1 B F. 1 2\n1.2 A . 2 2")
PACKETS = frames(LINES)
IPV6_A, IPV6_B = bytes(15) + b"\1", bytes(15) + b"\2"


def segments(content: bytes) -> list[Seen]:
    layers = Layers()
    return [seen for seen in map(layers.segment, capture(content)) if isinstance(seen, Seen)]


def left_out(content: bytes) -> dict[str, int]:
    explainer = Explainer(capture(content))
    for _ in explainer:
        pass
    return dict(explainer.skipped)


# -- files -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("nano", [False, True])
def test_pcap_in_either_byte_order_and_either_unit(order: str, nano: bool) -> None:
    packets = [(t + 1_001, data) for t, data in PACKETS]
    found = segments(pcap(packets, order=order, nano=nano))
    assert [seen.t for seen in found] == [t if nano else t // 1000 * 1000 for t, _ in packets]
    assert [seen.flags for seen in found] == [segment.flags for segment in map(captures.segment, LINES)]


@pytest.mark.parametrize("order", ["<", ">"])
def test_pcapng_in_either_byte_order(order: str) -> None:
    blocks = [enhanced(data, t // 1000, order=order) for t, data in PACKETS]
    content = section(order) + interface(order=order) + b"".join(blocks)
    assert [seen.t for seen in segments(content)] == [t // 1000 * 1000 for t, _ in PACKETS]


@pytest.mark.parametrize(
    ("resolution", "ticks", "expected"),
    [(b"\x06", 5_000_001, 5 * SECOND + 1000), (b"\x09", 7, 7), (b"\x00", 3, 3 * SECOND), (b"\x0c", 2_000, 2),
     (b"\x8a", 1536, SECOND * 3 // 2), (b"\xff", 1, 0), (b"\x7f", 1, 0)],
)  # fmt: skip
def test_if_tsresol_is_a_power_of_ten_or_of_two(resolution: bytes, ticks: int, expected: int) -> None:
    content = section() + interface(options=[(9, resolution)]) + enhanced(PACKETS[0][1], ticks)
    assert segments(content)[0].t == expected


def test_if_tsoffset_is_added() -> None:
    content = section() + interface(options=[(14, struct.pack("<q", 100))]) + enhanced(PACKETS[0][1], 1)
    assert segments(content)[0].t == 100 * SECOND + 1000


def test_each_interface_has_its_own_link_layer_and_its_own_unit_of_time() -> None:
    raw = PACKETS[1][1][14:]
    content = section() + interface() + interface(101, options=[(9, b"\x09")])
    content += enhanced(PACKETS[0][1], 5) + enhanced(raw, 5, interface=1)
    assert [(seen.t, seen.flags) for seen in segments(content)] == [(5000, 2), (5, 18)]


def test_a_second_section_begins_anew_even_in_the_other_byte_order() -> None:
    one = section("<") + interface(order="<") + enhanced(PACKETS[0][1], 1, order="<")
    two = section(">") + interface(order=">") + enhanced(PACKETS[1][1], 2, order=">")
    assert [(seen.number, seen.t) for seen in segments(one + two)] == [(1, 1000), (2, 2000)]
    no_interface = one + section(">") + enhanced(PACKETS[1][1], 2, order=">")
    assert left_out(no_interface) == {"a packet of an interface that is not described": 1}


def test_simple_packets_have_no_time_and_that_is_said() -> None:
    simple = block(3, struct.pack("<I", len(PACKETS[0][1])) + PACKETS[0][1])
    content = section() + interface() + enhanced(PACKETS[0][1], 5) + simple
    assert [seen.t for seen in segments(content)] == [5000, 5000]
    assert left_out(content) == {"the time of a simple packet block, which has none": 1}


def test_a_simple_packet_is_cut_at_the_snap_length() -> None:
    simple = block(3, struct.pack("<I", len(PACKETS[0][1])) + PACKETS[0][1][:40])
    (packet,) = capture(section() + interface(snap=40) + simple)
    assert (len(packet.data), packet.length) == (40, len(PACKETS[0][1]))


def test_comments_are_read_also_bad_ones() -> None:
    def note(text: bytes) -> bytes:
        return struct.pack("<HH", 1, len(text)) + text + bytes(-len(text) % 4) + bytes(4)

    content = section() + interface() + enhanced(PACKETS[0][1], options=note("schön".encode()))
    content += enhanced(PACKETS[1][1], options=note(b"\xff\xfe"))
    packets = list(capture(content))
    assert packets[0].comment == "schön"
    assert packets[1].data == PACKETS[1][1]  # a comment that is no text costs no packet


def test_other_blocks_are_passed_over() -> None:
    content = section() + block(0xBAD, b"whatever") + interface() + block(5, bytes(12)) + enhanced(PACKETS[0][1])
    assert len(segments(content)) == 1
    assert left_out(content) == {}


def test_gzip_and_a_stream(tmp_path: Path) -> None:
    path = tmp_path / "x.pcap.gz"
    path.write_bytes(gzip.compress(pcap(PACKETS)))
    with CaptureFile(path) as file:
        assert len(list(file)) == len(PACKETS)
        assert file.at == file.size


# -- link layers and IP ------------------------------------------------------------------------------------------


def tag(data: bytes, *tags: tuple[int, int]) -> bytes:
    return data[:12] + b"".join(struct.pack(">HH", kind, vlan) for kind, vlan in tags) + data[12:]


IP = PACKETS[0][1][14:]
LINKS = {
    "ethernet": (1, PACKETS[0][1]),
    "vlan": (1, tag(PACKETS[0][1], (0x8100, 5))),
    "qinq": (1, tag(PACKETS[0][1], (0x88A8, 5), (0x8100, 6))),
    "raw": (101, IP),
    "raw of old": (12, IP),
    "ipv4": (228, IP),
    "cooked": (113, struct.pack(">HHH8sH", 0, 1, 6, bytes(8), 0x0800) + IP),
    "cooked v2": (276, struct.pack(">HHIHBB8s", 0x0800, 0, 1, 1, 0, 6, bytes(8)) + IP),
    "null, little": (0, struct.pack("<I", 2) + IP),
    "null, big": (0, struct.pack(">I", 2) + IP),
    "loop": (108, struct.pack(">I", 2) + IP),
    "ip in ip": (101, struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(IP), 0, 0, 64, 4, 0, b"\1" * 4, b"\2" * 4) + IP),
}  # fmt: skip


@pytest.mark.parametrize("link", LINKS)
def test_link_layer(link: str) -> None:
    number, data = LINKS[link]
    (seen,) = segments(pcap([(START, data)], link=number))
    assert (seen.saddr, seen.sport, seen.dport, seen.flags, seen.seq) == (b"\x0a\0\0\1", 1025, 80, 2, 1000)


def ipv6(payload: bytes, next_: int = 6) -> bytes:
    return struct.pack(">IHBB", 6 << 28, len(payload), next_, 64) + IPV6_A + IPV6_B + payload


TCP = IP[20:]
EXTENSIONS = {
    "none": (6, b""),
    "hop by hop": (0, bytes((6, 0, 1, 4, 0, 0, 0, 0))),
    "destination twice": (60, bytes((60, 0, 1, 4, 0, 0, 0, 0, 6, 0, 1, 4, 0, 0, 0, 0))),
    "routing": (43, bytes((6, 2, 0, 0, 0, 0, 0, 0)) + IPV6_A),
    "a fragment that is whole": (44, bytes((6, 0, 0, 0, 0, 0, 0, 9))),
}


@pytest.mark.parametrize("name", EXTENSIONS)
def test_ipv6_and_its_extension_headers(name: str) -> None:
    next_, headers = EXTENSIONS[name]
    data = ipv6(headers + TCP + b"hello", next_)
    (seen,) = segments(pcap([(START, data)], link=229))
    assert (seen.saddr, seen.dport, seen.len) == (IPV6_A, 80, 5)


@pytest.mark.parametrize("link", ["ethernet", "raw", "raw of old", "ipv4", "cooked", "cooked v2"])
def test_what_is_looked_at_directly_is_what_the_library_sees(link: str) -> None:
    number, start = LINKS[link]
    whole = start[: -len(IP)]
    layers = Layers()
    for line in said(OPEN + "1 A P. 1 1 300\n2 B F. 1 301 7\n3 A R 301"):
        data = whole + frames([line])[0][1][14:]
        packet = Packet(1, START, number, data, len(data))
        assert usual(packet) == layers._segment(packet)


def test_ipv6_looked_at_directly_is_what_the_library_sees() -> None:
    data = ipv6(TCP + b"hello")
    packet = Packet(1, START, 229, data, len(data))
    assert usual(packet) is not None
    assert usual(packet) == Layers()._segment(packet)


def changed(data: bytes, at: int, value: bytes) -> bytes:
    return data[:at] + value + data[at + len(value) :]


REASONS = {
    "fragments of IPv4 packets": (101, changed(IP, 6, b"\x20\x00")),
    "fragments of IPv6 packets": (101, ipv6(bytes((6, 0, 0, 1, 0, 0, 0, 9)) + TCP, 44)),
    "IP, but not TCP": (101, changed(IP, 9, b"\x11")),
    "not IP": (1, changed(PACKETS[0][1], 12, b"\x08\x06")),
    "cut short or damaged before the TCP header": (101, IP[:30]),
    "a TCP header longer than its packet": (101, changed(IP, 2, struct.pack(">H", 21)) + bytes(40)),
    "link-layer type 147, which is not known here": (147, IP),
    "empty packets": (1, b""),
}


@pytest.mark.parametrize("reason", REASONS)
def test_what_is_no_segment_is_counted_under_its_reason(reason: str) -> None:
    link, data = REASONS[reason]
    found = left_out(pcap([(START, data)], link=link))
    if reason.startswith("a TCP header longer"):
        assert sum(found.values()) == 1
    else:
        assert found == {reason: 1}


def test_a_segment_cut_by_the_snap_length_has_its_length_from_ip() -> None:
    packets = frames(said(OPEN + "1 A P. 1 1 1000\n1.1 B . 1 1001"))
    found = segments(pcap(packets, snap=54))
    assert [seen.len for seen in found] == [0, 0, 0, 1000, 0]
    (connection, verdict) = captures.only(pcap(packets, snap=54))
    assert connection.ends[0].data == 1000
    assert verdict.tags == ()


# -- broken files ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content", [b"", b"x", b"GIF89a....", b"\x1f\x8b", gzip.compress(b"nothing", mtime=0), b"\xd4\xc3\xb2\xa1\2\0"]
)
def test_what_is_no_capture_is_refused_in_a_sentence(content: bytes) -> None:
    with pytest.raises(CaptureError, match=r"^test: .*\.$"):
        list(capture(content))


def test_a_file_that_ends_within_a_packet_gives_the_packets_before() -> None:
    for content in (pcap(PACKETS), pcapng(PACKETS)):
        assert len(list(capture(content[:-5]))) == len(PACKETS) - 1
        (reason,) = left_out(content[:-5])
        assert "the file ends within" in reason


@pytest.mark.parametrize("length", [13, 0, 8, 0x7FFFFFFC, 0xFFFFFFFC])
def test_a_block_of_an_impossible_length_ends_the_reading(length: int) -> None:
    content = section() + interface() + enhanced(PACKETS[0][1]) + struct.pack("<II", 6, length) + bytes(100)
    assert len(segments(content)) == 1
    (reason,) = left_out(content)
    assert reason == f"the rest of the file: a block of {length} bytes cannot be"


def test_a_packet_of_an_impossible_length_ends_the_reading_and_costs_nothing() -> None:
    class Watched(io.BytesIO):
        most = 0

        def read(self, size: int | None = -1) -> bytes:
            assert size is not None
            self.most = max(self.most, size)
            return super().read(size)

    content = pcap(PACKETS) + struct.pack("<IIII", 0, 0, 0xFFFFFFFF, 0xFFFFFFFF)
    stream = Watched(content)
    assert len(list(CaptureFile("test", stream))) == len(PACKETS)
    assert stream.most < 1 << 20


def test_two_lengths_that_differ_end_the_reading() -> None:
    content = section() + interface() + enhanced(PACKETS[0][1])
    assert left_out(content[:-4] + b"\1\2\3\4") == {"the rest of the file: a block whose two lengths differ": 1}


def test_a_packet_longer_than_its_block_is_damaged() -> None:
    bad = block(6, struct.pack("<IIIII", 0, 0, 0, 4000, 4000) + PACKETS[0][1])
    found = left_out(section() + interface() + bad + enhanced(PACKETS[0][1]))
    assert found == {"a packet block that is damaged": 1}


def test_too_many_interfaces_end_the_reading() -> None:
    found = left_out(section() + interface() * 5000)
    assert found == {"the rest of the file: more than 4096 interfaces": 1}


def test_a_damaged_gzip_gives_what_came_before() -> None:
    content = gzip.compress(pcap(PACKETS * 1000), compresslevel=1)
    broken = bytearray(content)
    broken[len(broken) // 2] ^= 0xFF
    for bad in (bytes(broken), content[: len(content) // 2]):
        found = left_out(bad)
        assert sum(found.values()) >= 1


def test_a_bomb_in_gzip_is_read_as_a_stream() -> None:
    zeros = gzip.compress(pcap([]) + bytes(5_000_000))
    found = left_out(zeros)
    assert found["empty packets"] > 300_000
