"""The language as people write it: everything is read, and what it says is what was written."""

from __future__ import annotations

import pytest

from tcpnotes.packetdrill import parse_script
from tcpnotes.packetdrill.script import Array, Call, Code, Command, Dots, Foreign, Packet, Place, Struct, When, Word
from tcpnotes.trace.segment import ACK, CWR, ECE, FIN, PSH, RST, SYN, URG


def only(text):
    """The one event of a script."""
    (event,) = parse_script(text).events
    return event


@pytest.mark.parametrize(
    ("written", "when"),
    [
        ("0", When("absolute", 0)),
        ("1.5", When("absolute", 1_500_000)),
        ("+0", When("relative", 0)),
        ("+.1", When("relative", 100_000)),
        ("+0.25~+1", When("relative", 250_000, 1_000_000)),
        ("1~2", When("absolute", 1_000_000, 2_000_000)),
        ("*", When("any")),
    ],
)
def test_times(written, when):
    assert only(f"{written} > . 1:1(0) ack 1").when == when


@pytest.mark.parametrize(
    ("letters", "flags"),
    [
        ("S", SYN), ("S.", SYN | ACK), ("F.", FIN | ACK), ("FP.", FIN | PSH | ACK), ("R", RST), ("R.", RST | ACK),
        (".", ACK), ("P.", PSH | ACK), ("SEW", SYN | ECE | CWR), ("U.", URG | ACK), ("-", 0),
    ],
)  # fmt: skip
def test_flags(letters, flags):
    assert only(f"+0 < {letters} 1:1(0) win 100").action.flags == flags


def test_a_packet_with_everything():
    packet = only(
        "+0 < [ect0] 9000>8080 P. 1:101(100) ack 7 win 5 urg 3 <mss 1000,sackOK,TS val 1 ecr 2,nop,wscale 7,eol>"
    ).action
    assert isinstance(packet, Packet)
    assert (packet.seq, packet.length, packet.ack, packet.window, packet.urgent) == (1, 100, 7, 5, 3)
    assert packet.marks == ("ect0",) and packet.ports == (9000, 8080)
    options = packet.options
    assert options is not None
    assert options.words == ("mss 1000", "sackOK", "TS val 1 ecr 2", "nop", "wscale 7", "eol")
    assert (options.mss, options.wscale, options.sack_ok, options.ts) == (1000, 7, True, (1, 2))


def test_sack_blocks_and_options_that_are_not_looked_at():
    assert only("+0 > . 1:1(0) ack 1 < nop, nop, sack 1:2 5:9 >").action.options.sacks == ((1, 2), (5, 9))
    assert only("+0 > S 0:0(0) <...>").action.options is None
    assert only("+0 > . 1:1(0) ack 1").action.options.words == ()


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("+0 < udp (100)", "UDP"),
        ("+0 > udp 5000 > 53 (100)", "UDP"),
        ("+0 < icmp unreachable frag_needed mtu 1200 [1:1461(1460)]", "ICMP"),
        ("+0 < ipv4 10.0.0.1 > 10.0.0.2: F. 1:1(0) ack 1", "tunnel"),
        ("+0 > P5. 1:101(100) ack 1", "ACE"),
        ("+0 < S 0:0(0) win 1 <mss 1000> {mut tcp 0-10}", "chance"),
    ],
)
def test_what_is_no_tcp_segment_is_told_apart(line, what):
    action = only(line).action
    assert isinstance(action, Foreign) and what in action.what


def test_a_blocking_call_with_a_structure_an_errno_and_a_note():
    call = only(
        "+.1...0.25 setsockopt(4, SOL_SOCKET, SO_LINGER, {onoff=1, linger=0}, 8) = -1 EINVAL (Invalid argument)"
    ).action
    assert isinstance(call, Call)
    assert (call.name, call.until, call.result, call.errno, call.note) == (
        "setsockopt", 250_000, -1, "EINVAL", "(Invalid argument)",
    )  # fmt: skip
    linger = call.args[3]
    assert isinstance(linger, Struct) and (linger.field("onoff"), linger.field("linger")) == (1, 0)


def test_values_of_all_kinds():
    call = only(
        '+0 sendmsg(4, {msg_name(...)=..., msg_iov(2)=[{..., 10}, {"ab" "c"..., 20}], '
        "msg_flags=MSG_A|MSG_B}, 0x10) = 30"
    ).action
    header = call.args[1]
    assert isinstance(header, Struct) and header.field("msg_name") == Dots()
    assert isinstance(header.field("msg_iov"), Array) and header.field("msg_flags") == Word(("MSG_A", "MSG_B"))
    assert call.args[2] == 16
    bind = only(
        '+0 bind(3, {sa_family = AF_INET, sin_port = htons(80), sin_addr = inet_addr("192.0.2.1")}, ...) = 0'
    ).action
    assert "htons(80)" in str(bind)


def test_options_comments_commands_code_and_windows_lines():
    script = parse_script(
        "// one\r\n/* two\r\n   lines */ # three\r\n--tolerance_usecs=5000\r\n--ip_version=ipv4\r\n--verbose\r\n"
        '`sysctl -q -w a=1\r\n sysctl -q b="2 3"`\r\n\r\n'
        "0 `true` // four\r\n+0 %{ assert a == 1, \\\r\n b }%\r\n`cleanup`\r\n"
    )
    assert script.options == {"tolerance_usecs": "5000", "ip_version": "ipv4", "verbose": ""}
    first, second, third, last = script.events
    assert first.when is None and isinstance(first.action, Command) and "b=" in first.action.text
    assert isinstance(second.action, Command) and isinstance(third.action, Code) and last.when is None
    assert third.place == Place(11, 1)


def test_words_that_an_option_or_the_caller_defines():
    text = "--define=LEN=300\n0 read(PEER, ..., LEN) = LEN"
    call = parse_script(text, defines={"PEER": "4"}).events[0].action
    assert call.args[0] == 4 and call.args[2] == 300 and call.result == 300


def test_an_event_is_written_as_it_was_read():
    for line in (
        "+0.1 < S 0:0(0) win 32792 <mss 1000>",
        "0 close(3) = 0",
        "* > F. 1:1(0) ack 1",
        "+0 ...0.2 close(4) = 0",
    ):
        assert str(only(line)) == line
