"""Pictures and texts made from a trace: data in, text or SVG out.  Needs the standard library alone."""

from tcpnotes.view.caption import caption
from tcpnotes.view.ladder import ladder
from tcpnotes.view.picture import Picture
from tcpnotes.view.story import Story
from tcpnotes.view.text import TextTrace, text_trace

__all__ = ["Picture", "Story", "TextTrace", "caption", "ladder", "text_trace"]
