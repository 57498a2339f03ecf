"""What the book explains: the items of the source, each with an id, a sentence and the names it mentions."""

from tcpnotes.source.glossary import Term, glossary
from tcpnotes.source.items import Item, item, item_ids, items, languages
from tcpnotes.source.texts import language, say, speak, texts

__all__ = [
    "Item", "Term", "glossary", "item", "item_ids", "items", "language", "languages", "say", "speak", "texts",
]  # fmt: skip
