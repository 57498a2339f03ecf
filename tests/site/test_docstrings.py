"""Docstrings are prose: read as what they look like, and nothing in them is taken for mark-up."""

from __future__ import annotations

from docutils.core import publish_doctree

from ext.docstrings import as_rest, blocks

DOC = """Close a socket.  ``timeout`` is in jiffies.

    Moves:  unread data → CLOSE;
            else as `tcp_close_state` says.
    Always returns 0: nobody hears of it_.

``t``     time in µs
``host``  its *name

* one thing
  in two lines
* another

    >>> 1 + 1
    2
"""


def test_its_parts_are_found() -> None:
    found = list(blocks(DOC))
    assert [block.kind for block in found] == ["text", "fields", "fields", "bullets", "listing"]
    assert found[1].rows == [
        ("Moves", "unread data → CLOSE; else as `tcp_close_state` says."),
        ("Always returns 0", "nobody hears of it_."),
    ]
    assert found[3].rows == [("", "one thing in two lines"), ("", "another")]


def test_words_that_look_like_mark_up_stay_words() -> None:
    wild = "A *b, |c| and _d_, `x`s, ``y``(z), e_ and a:b: at linktype_."
    tree = publish_doctree("\n".join(as_rest(wild)), settings_overrides={"report_level": 1, "halt_level": 2})
    assert tree.astext() == "A *b, |c| and _d_, xs, y(z), e_ and a:b: at linktype_."
