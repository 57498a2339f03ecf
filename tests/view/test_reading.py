"""Notes for reading the kernel, things folded away, pictures side by side: text first."""

from __future__ import annotations

import pytest
import runs

from tcpnotes.kernel.tcp import tcp_close_state
from tcpnotes.view import folded, gallery, ladder, meanings, source_of, spellings, table


def test_source__is_the_text_that_runs() -> None:
    note = source_of(tcp_close_state)
    assert "def tcp_close_state(sk: Sock) -> bool:" in note.text
    assert note.markdown == f"```python\n{note.text}\n```"
    assert set(note._repr_mimebundle_()) == {"text/markdown", "text/plain"}


def test_meanings__one_line_each_without_strangers() -> None:
    note = meanings(["tcp_fin", "no_such_function", "tcp_close", "tcp_fin"])
    lines = note.text.splitlines()
    assert [line.split()[0] for line in lines[2:]] == ["tcp_fin", "tcp_close"]
    assert "| `tcp_fin` | `net/ipv4/tcp_input.c` |" in note.markdown


def test_spellings__of_a_step() -> None:
    assert "1.1a  tcp_v4_unhash  tcp_unhash" in spellings("1").text
    with pytest.raises(ValueError, match="no step '12'"):
        spellings("12")


def test_table__of_what_was_found() -> None:
    note = table(("state", "bytes", "<"), [("CLOSE", 100, ""), ("LAST_ACK", 7, "<b>|")], code=(0, 2))
    assert note.text.splitlines()[2:] == ["CLOSE     100", "LAST_ACK  7      <b>|"]
    assert note.markdown.splitlines()[2:] == ["| `CLOSE` | 100 |  |", "| `LAST_ACK` | 7 | `<b>\\|` |"]
    assert table(("<",), [("<b>",)]).markdown.endswith("| &lt;b&gt; |")
    with pytest.raises(ValueError, match="2 columns; this row has 1 cells"):
        table(("a", "b"), [("x",)])


def test_folded__keeps_the_form_of_what_is_inside() -> None:
    picture = ladder(runs.unread_close(), title="<b>")
    assert picture.html in folded(picture).html
    assert "<pre>&lt;b&gt;</pre>" in folded("<b>", "Look").html and folded("<b>", "Look").text == "Look:\n<b>"


def test_gallery__every_picture_under_its_title_and_as_text() -> None:
    shown = gallery(*(ladder(run(), title=f"<{run.__name__}>") for run in (runs.unread_close, runs.half_close)))
    assert shown.html.count("<svg") == shown.html.count("<figcaption>") == 2
    assert "&lt;half_close&gt;" in shown.html and "<half_close>" not in shown.html
    assert "<unread_close>\n\ntime " in shown.text


def test_since_and_until__what_is_not_told_is_not_drawn() -> None:
    recorder = runs.plain_close()
    whole, end = ladder(recorder), ladder(recorder, since=1_000_000)
    assert "SYN_SENT" in whole.body and "SYN_SENT" not in end.body
    assert "SYN_SENT" not in end.text and "SYN_SENT" not in end.description
