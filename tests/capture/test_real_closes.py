"""Captures of real closes, made by tools/capture_closes.py with ordinary sockets: each is named rightly."""

from __future__ import annotations

from pathlib import Path

import pytest
from captures import explained
from closes import CLOSES, Close

from tcpnotes.capture.words import sentence
from tcpnotes.source import item_ids

DATA = Path(__file__).parent / "data"


def closes_of(file: Path) -> list[Close]:
    verdicts = [e.verdict for e in explained(file.read_bytes())]
    return [Close(v.how, v.closer or "", v.tags, v.maybe) for v in verdicts]


@pytest.mark.parametrize("name", CLOSES)
def test_it_is_named_rightly(name: str) -> None:
    assert closes_of(DATA / f"{name}.pcapng") == CLOSES[name]


def test_every_capture_is_expected_to_be_something() -> None:
    assert {path.stem for path in DATA.glob("*.pcapng")} == set(CLOSES)


@pytest.mark.parametrize("name", CLOSES)
def test_a_capture_says_which_kernel_and_which_day(name: str) -> None:
    head = (DATA / f"{name}.pcapng").read_bytes()[:400]
    assert f"{name}: real sockets on Linux ".encode() in head


@pytest.mark.parametrize("name", CLOSES)
def test_every_statement_has_a_sentence_known_items_and_packets_of_its_connection(name: str) -> None:
    for connection, verdict in explained((DATA / f"{name}.pcapng").read_bytes()):
        assert verdict.statements
        for said in verdict.statements:
            assert sentence(said).endswith(".")
            assert set(said.items) <= set(item_ids())
            assert all(
                1 <= number <= connection.last.number or number == connection.taken_by.number for number in said.packets
            )


@pytest.mark.parametrize("name", ["orderly_client_first", "fin_lost", "last_ack_lost", "three_segment"])
def test_both_ends_go_through_the_states_of_an_orderly_close(name: str) -> None:
    (found,) = explained((DATA / f"{name}.pcapng").read_bytes())
    a, b = ([change.state for change in end.states] for end in found.connection.ends)
    assert a == ["SYN_SENT", "ESTABLISHED", "FIN_WAIT1", "FIN_WAIT2", "TIME_WAIT"]
    assert b == ["SYN_RECV", "ESTABLISHED", "CLOSE_WAIT", "LAST_ACK", "CLOSE"]


def test_both_ends_of_a_simultaneous_close_go_through_closing() -> None:
    (found,) = explained((DATA / "simultaneous.pcapng").read_bytes())
    for end in found.connection.ends:
        assert [change.state for change in end.states][-3:] == ["FIN_WAIT1", "CLOSING", "TIME_WAIT"]


@pytest.mark.parametrize("name", CLOSES)
@pytest.mark.parametrize("first", [1, 3, 6])
def test_without_its_first_packets_it_is_said_to_begin_before_the_capture(name: str, first: int) -> None:
    from captures import capture, pcapng

    from tcpnotes.capture.layers import Layers

    packets = list(capture((DATA / f"{name}.pcapng").read_bytes()))[first:]
    found = explained(pcapng((packet.t, packet.data) for packet in packets))
    layers = Layers()
    segments = [layers.segment(packet) for packet in packets]
    if found and not isinstance(segments[0], str) and not segments[0].flags & 2:
        assert "starts_in_middle" in found[0].verdict.tags


def test_linger_zero_and_unread_data_are_told_apart_only_where_the_wire_does() -> None:
    """The two captures have a RST of the very same form; each names the other cause and says why."""
    for name, other in (("unread_data", "SO_LINGER"), ("linger_zero_after_answer", "unread")):
        (found,) = explained((DATA / f"{name}.pcapng").read_bytes())
        text = " ".join(sentence(said) for said in found.verdict.statements)
        assert other in text
        assert "the very same segment" in text
