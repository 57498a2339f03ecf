"""tcpnotes explain and tcpnotes record as people call them."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest
from captures import OPEN, frames, pcap, pcapng, said

from tcpnotes.cli import main

DATA = Path(__file__).parent / "data"
CLOSE = "1 A F. 1 1\n1.1 B . 1 2\n2 B F. 1 2\n2.1 A . 2 2"


class Done:
    def __init__(self, capsys: pytest.CaptureFixture[str], *words: str) -> None:
        capsys.readouterr()
        self.status = main(words)
        self.out, self.err = capsys.readouterr()


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]):  # type: ignore[no-untyped-def]
    return lambda *words: Done(capsys, *map(str, words))


def test_the_whole_story_of_a_connection(call, tmp_path):  # type: ignore[no-untyped-def]
    path = tmp_path / "x.pcapng"
    path.write_bytes(pcapng(frames(said(OPEN + CLOSE))))
    done = call("explain", path)
    assert (done.status, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[0] == "1  A 10.0.0.1:1025  B 10.0.0.2:80  7 packets, 2.100 s, A first: orderly"
    assert lines[1] == "    A closed first: FIN. A is in FIN_WAIT1."
    assert lines[2].startswith("        1.0 1.3 1.3b (")
    assert lines[2].endswith("; packet 4")
    assert "    A: SYN_SENT (1) → ESTABLISHED (3) → FIN_WAIT1 (4) → FIN_WAIT2 (5) → TIME_WAIT (7)" in lines
    assert "    B: SYN_RECV (2) → ESTABLISHED (3) → CLOSE_WAIT (5) → LAST_ACK (6) → CLOSE (7)" in lines
    assert lines[-1] == "1 connection: 1 orderly."


def test_items_come_with_the_chapter_that_explains_them(call):  # type: ignore[no-untyped-def]
    out = call("explain", DATA / "unread_data.pcapng").out
    (line,) = [line for line in out.splitlines() if "1.1 1.1a 1.1b" in line]
    assert "chapter 07" in line or "notebooks/07_" in line


def test_brief_is_one_line_a_connection_and_the_totals(call):  # type: ignore[no-untyped-def]
    done = call("explain", DATA / "syn_in_time_wait.pcapng", "--brief")
    assert len(done.out.splitlines()) == 3
    assert done.out.endswith("2 connections: 2 orderly.\n")


def test_causes_that_the_wire_cannot_tell_apart_are_both_named(call):  # type: ignore[no-untyped-def]
    out = call("explain", DATA / "unread_data.pcapng", "--brief").out
    assert "RST after unread data (or RST by SO_LINGER with zero)" in out


def test_the_filter_chooses_and_the_totals_follow(call):  # type: ignore[no-untyped-def]
    done = call("explain", DATA / "syn_in_time_wait.pcapng", "--brief", "--filter", "tag=syn_in_time_wait")
    assert done.out.splitlines()[0].startswith("2  A ")
    assert done.out.endswith("1 connection: 1 orderly.\n")


def test_what_was_left_out_is_told(call, tmp_path):  # type: ignore[no-untyped-def]
    path = tmp_path / "x.pcap"
    path.write_bytes(pcap(frames(said(OPEN)))[:-3])
    done = call("explain", path, "--brief")
    assert done.status == 0
    assert "Of 2 packets, 2 were TCP segments. Left out:\n  1  the last packet or block: the file ends" in done.out


def test_a_comment_cannot_steer_the_terminal(call, tmp_path):  # type: ignore[no-untyped-def]
    from tcpnotes.capture.write import CaptureWriter

    stream = io.BytesIO()
    writer = CaptureWriter(stream, ["x"])
    for t, data in frames(said(OPEN)):
        writer.packet(data, t, comment="\x1b[31m")
    path = tmp_path / "x.pcapng"
    path.write_bytes(stream.getvalue())
    out = call("explain", path).out
    assert "\x1b" not in out
    assert "\\x1b[31m" in out


def test_standard_input(call, monkeypatch):  # type: ignore[no-untyped-def]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(pcap(frames(said(OPEN + CLOSE))))))
    assert call("explain", "-", "--brief").out.endswith("1 connection: 1 orderly.\n")


MISTAKES = {
    ("explain", "missing.pcap"): "missing.pcap: the file cannot be read: No such file or directory.",
    ("explain", "."): ".: the file cannot be read: Is a directory.",
    ("explain", "text.pcap"): "text.pcap: the file is no capture; what can be read is pcap and pcapng, also in gzip.",
    ("explain", "empty.pcap"): "empty.pcap: the file is empty;",
    ("explain", "text.pcap", "--filter", "prt=1"): "--filter: column 1: there is no field 'prt'",
    ("explain",): "required: FILE",
    ("record", "orderly_clos", "x.pcapng"): "there is no scenario 'orderly_clos' (did you mean 'orderly_close'?).",
    ("record", "orderly_close", "no/such/x.pcapng"): "no/such/x.pcapng: the file cannot be written: No such file",
    ("record", "orderly_close", "."): ".: the file cannot be written:",
    ("record", "orderly_close"): "required: FILE.pcapng",
}


@pytest.mark.parametrize("words", MISTAKES, ids=" ".join)
def test_a_mistake_is_one_sentence_and_status_2(call, words, tmp_path, monkeypatch):  # type: ignore[no-untyped-def]
    monkeypatch.chdir(tmp_path)
    Path("text.pcap").write_text("this is no capture", encoding="ascii")
    Path("empty.pcap").write_bytes(b"")
    done = call(*words)
    assert (done.status, done.out) == (2, "")
    assert MISTAKES[words] in done.err
    assert done.err.count("\n") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty.pcap", "text.pcap"]


@pytest.mark.parametrize("library", ["dpkt", "lark"])
def test_without_the_extra_a_sentence_says_what_to_install(call, library, monkeypatch):  # type: ignore[no-untyped-def]
    from tcpnotes.capture import filters

    filters._parser.cache_clear()
    monkeypatch.setitem(sys.modules, library, None)
    done = call("explain", DATA / "unread_data.pcapng", "--filter", "port=1")
    assert (done.status, done.out) == (2, "")
    assert library in done.err
    assert "pip install 'tcpnotes[capture]'" in done.err


def test_the_bar_is_shown_on_a_terminal_only(capsys, monkeypatch):  # type: ignore[no-untyped-def]
    from tcpnotes.cli import _progress

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    for stream, shown in ((Terminal(), True), (io.StringIO(), False)):
        monkeypatch.setattr(sys, "stderr", stream)
        with _progress.Progress("reading x", 200) as progress:
            progress(100)
        assert ("reading x [###############...............]  50%" in stream.getvalue()) is shown
        assert stream.getvalue().endswith("\r\x1b[K") is shown
