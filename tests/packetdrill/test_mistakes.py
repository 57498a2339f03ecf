"""A script that cannot be read is told so in one sentence: file, line, column, and what was expected."""

from __future__ import annotations

import pytest

from tcpnotes.packetdrill import ScriptError, parse_script, read_script
from tcpnotes.packetdrill.script import Place

OK = "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n"


@pytest.mark.parametrize(
    ("bad", "column", "said"),
    [
        ("+0 close(3)", 12, "'='"),
        ("+0 close(3 = 0", 12, "')'"),
        ("+0 > F. 1:1", 12, "'('"),
        ("+0 > F. 1:3(1) ack 1", 9, "1 + 1 is not 3"),
        ("+0 > Q. 1:1(0) ack 1", 6, "TCP flags"),
        ("+0 < . 1:1(0) ack 1 win 65536", 25, "from 0 to 65535"),
        ("+0 < . 1:1(0) ack 5000000000 win 1", 19, "from 0 to 4294967295"),
        ("+0 < . 1:1(0) ack 1 win 1 <...>", 4, "outbound packets only"),
        ("+0 < S 0:0(0) win 1 <mss 1000,quux>", 31, "wscale"),
        ("+0 < S 0:0(0) win 1 <mss 1000", 30, "'>'"),
        ("* close(3) = 0", 1, "outbound packets only"),
        ("+1~+2 close(3) = 0", 1, "outbound packets only"),
        ("+2~+1 > . 1:1(0) ack 1", 1, "backwards"),
        ("+-1 close(3) = 0", 2, "negative"),
        ("+.2...0.1 close(3) = 0", 1, "before it begins"),
        ("close(3) = 0", 1, "a time"),
        ("+0 read(3, ..., 1.5) = 1", 17, "whole number"),
        ("+0 fcntl(3, F_SETFL, O_RDWR|[1]) = 0", 22, "names and numbers"),
        ("+0 sysctl `x", 11, "'('"),
        ("+0 %{ assert", 4, "a block"),
        (f"+0 read(3, ..., {'9' * 30}) = 1", 17, "20 digits"),
        (f"+0 read({'[' * 40}{']' * 40}) = 1", None, "16 deep"),
    ],
)  # fmt: skip
def test_the_place_and_what_was_expected(bad, column, said):
    with pytest.raises(ScriptError) as caught:
        parse_script(f"{OK}{bad}\n", "bad.pkt")
    place = caught.value.place
    assert place is not None and place.line == 2
    assert column is None or place == Place(2, column)
    assert str(caught.value).startswith(f"bad.pkt:2:{place.column}: ")
    assert said in str(caught.value) and str(caught.value).count("\n") == 0


def test_the_end_that_comes_too_early():
    with pytest.raises(ScriptError, match=r"x:2:3: .* was expected here, not the end"):
        parse_script(f"{OK}+0 ", "x")


def test_files_that_are_no_scripts(tmp_path):
    with pytest.raises(ScriptError, match=r"cannot be read: No such file"):
        read_script(tmp_path / "nothing.pkt")
    with pytest.raises(ScriptError, match="cannot be read"):
        read_script(tmp_path)
    odd = tmp_path / "odd.pkt"
    odd.write_bytes(b"0 close(3) = 0\n+0 \xff")
    with pytest.raises(ScriptError, match=r"odd.pkt:2:4: a script is text in UTF-8"):
        read_script(odd)
    odd.write_bytes(b"0" * (1 << 20) + b"0")
    with pytest.raises(ScriptError, match="at most 1048576 characters"):
        read_script(odd)


def test_an_empty_script_passes():
    assert parse_script("").events == ()
    assert parse_script("// nothing\n").events == ()
