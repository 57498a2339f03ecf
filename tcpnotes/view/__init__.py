"""Pictures and texts made from a trace: data in, text or SVG out.  Needs the standard library alone."""

from tcpnotes.view.buckets import wheels
from tcpnotes.view.caption import caption
from tcpnotes.view.ladder import ladder
from tcpnotes.view.lives import lives
from tcpnotes.view.picture import Gallery, Picture, gallery
from tcpnotes.view.reading import Folded, Note, folded, meanings, source_of, spellings, table
from tcpnotes.view.story import Story
from tcpnotes.view.text import TextTrace, text_trace

__all__ = [
    "Folded", "Gallery", "Note", "Picture", "Story", "TextTrace", "caption", "folded", "gallery", "ladder", "lives",
    "meanings", "source_of", "spellings", "table", "text_trace", "wheels",
]  # fmt: skip
