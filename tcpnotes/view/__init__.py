"""Pictures and texts made from a trace: data in, text or SVG out.  Needs the standard library alone."""

from tcpnotes.view.buckets import wheels
from tcpnotes.view.caption import caption
from tcpnotes.view.ladder import ladder
from tcpnotes.view.lives import lives
from tcpnotes.view.lookup import function_list, item_list, kernel_files, word_list
from tcpnotes.view.picture import Gallery, Picture, gallery
from tcpnotes.view.places import Place, Shown, shown
from tcpnotes.view.reading import Folded, Note, folded, meanings, source_of, spellings, table
from tcpnotes.view.story import Story
from tcpnotes.view.text import TextTrace, text_trace

__all__ = [
    "Folded", "Gallery", "Note", "Picture", "Place", "Shown", "Story", "TextTrace", "caption", "folded",
    "function_list", "gallery", "item_list", "kernel_files", "ladder", "lives", "meanings", "shown", "source_of",
    "spellings", "table", "text_trace", "wheels", "word_list",
]  # fmt: skip
