"""A connection of a capture as records, ladder and stepper; and the table in a notebook."""

from __future__ import annotations

from pathlib import Path

import pytest
from captures import OPEN, frames, pcapng, said
from closes import CLOSES

from tcpnotes.capture import CaptureError
from tcpnotes.capture.replay import MOST_SEGMENTS, replay
from tcpnotes.trace.records import Lost, Sent, StateChange
from tcpnotes.widgets import captured
from tcpnotes.widgets.captured import explain

DATA = Path(__file__).parent / "data"
CLOSE = "1 A F. 1 1\n1.1 B . 1 2\n2 B F. 1 2\n2.1 A . 2 2"


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "x.pcapng"
    path.write_bytes(pcapng(frames(said(text))))
    return path


@pytest.mark.parametrize("name", CLOSES)
def test_every_connection_can_be_stepped_through(name: str) -> None:
    capture = explain(DATA / f"{name}.pcapng")
    for connection, _ in capture.connections:
        stepper = capture.step(connection.number)
        sent = [r for r in capture.replay(connection.number).records if isinstance(r, Sent)]
        assert len(sent) == connection.packets
        assert "tcpnotes-stepper" in stepper.html
        assert len(stepper.stops) > 2
        assert capture.ladder(connection.number).svg.startswith("<svg")


def test_states_change_where_the_wire_shows_it(tmp_path: Path) -> None:
    records = replay(written(tmp_path, OPEN + CLOSE), 1).records
    assert [(r.host, r.new) for r in records if isinstance(r, StateChange)] == [
        ("A", "SYN_SENT"), ("B", "SYN_RECV"), ("A", "ESTABLISHED"), ("B", "ESTABLISHED"), ("A", "FIN_WAIT1"),
        ("B", "CLOSE_WAIT"), ("A", "FIN_WAIT2"), ("B", "LAST_ACK"), ("A", "TIME_WAIT"), ("B", "CLOSE"),
    ]  # fmt: skip


def test_a_frame_knows_the_numbers_that_were_seen_and_no_others(tmp_path: Path) -> None:
    found = replay(written(tmp_path, OPEN + CLOSE), 1)
    (a,), (b,) = (host.socks for host in found.frames[-2].hosts)
    assert (a.state, a.snd_nxt - a.iss, a.rcv_nxt - a.irs) == ("TIME_WAIT", 2, 2)
    assert (b.lport, b.rport) == (80, 1025)
    assert a.timers == b.receive_queue == ()


def test_a_segment_that_came_again_is_told_as_lost() -> None:
    records = replay(DATA / "fin_lost.pcapng", 1).records
    (lost,) = [r for r in records if isinstance(r, Lost)]
    assert "FIN" in lost.seg.flag_names


def test_items_stand_at_the_segments_that_show_them(tmp_path: Path) -> None:
    found = replay(written(tmp_path, OPEN + CLOSE), 1)
    shown = {found.packets[number]: number for number in found.packets}
    items = {shown[index]: ids for index, ids in found.items().items()}
    assert items[4] == ("1.0", "1.3", "1.3b")
    assert "6.0" in items[7]


def test_a_long_connection_is_told_by_its_beginning_and_its_end(tmp_path: Path) -> None:
    middle = "".join(f"0.5 A P. {1 + i} 1 1\n" for i in range(5000))
    text = OPEN + middle + "1 A F. 5001 1\n1.1 B F. 1 5002\n1.2 A . 5002 2"
    found = replay(written(tmp_path, text), 1)
    sent = [r for r in found.records if isinstance(r, Sent)]
    assert len(sent) <= MOST_SEGMENTS * 3 // 2
    assert len(sent) + found.left_out == 5006
    assert sent[-1].seg.flag_names == "ACK"
    assert found.explained.verdict.how == "three_segment"


def test_a_number_that_there_is_not(tmp_path: Path) -> None:
    with pytest.raises(CaptureError, match="there is no connection 2; 'tcpnotes explain --brief' lists them"):
        explain(written(tmp_path, OPEN)).step(2)


def test_the_table_is_text_and_page_and_counts(tmp_path: Path) -> None:
    capture = explain(DATA / "syn_in_time_wait.pcapng")
    assert capture.text.endswith("2 connections: 2 orderly.")
    assert capture.html.count("<tr>") == 3
    assert set(capture._repr_mimebundle_()) == {"text/plain", "text/html"}
    assert "0x" not in repr(capture)


def test_a_hostile_name_stays_in_its_place(tmp_path: Path) -> None:
    path = tmp_path / "<script>alert(1)<" / "x.pcapng"
    path.parent.mkdir()
    path.write_bytes(pcapng(frames(said(OPEN))))
    assert "<script>alert" not in explain(path).html


def test_a_table_of_many_keeps_the_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(captured, "MOST", 3)
    packets = [pair for port in range(2000, 2010) for pair in frames(said(OPEN + CLOSE), port=port)]
    path = tmp_path / "many.pcapng"
    path.write_bytes(pcapng(packets))
    capture = explain(path)
    assert len(capture.rows()) == 3
    assert "The table has the first 3" in capture.text
    assert "10 connections: 10 orderly." in capture.text
    assert len(explain(path, filter="number>8").rows()) == 2
