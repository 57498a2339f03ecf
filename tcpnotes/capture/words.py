"""Verdicts in words, in the language that the reader has chosen."""

from __future__ import annotations

from functools import cache
from ipaddress import ip_address

from tcpnotes.capture.connection import End
from tcpnotes.capture.verdict import Statement
from tcpnotes.source import language
from tcpnotes.source.items import languages, read_toml


@cache
def _texts(language: str) -> dict[str, dict[str, str]]:
    return read_toml(f"explain.{language}.toml") if language in languages("explain") else {}


def word(area: str, key: str) -> str:
    """The text called ``key`` in an area (how, tag, phase, says); in English where the language lacks it."""
    return _texts(language()).get(area, {}).get(key) or _texts("en")[area][key]


def sentence(statement: Statement) -> str:
    """A statement as a sentence."""
    return word("says", statement.key).format(**statement.values)


def address(raw: bytes) -> str:
    """An address of 4 or 16 bytes as people write it."""
    return str(ip_address(raw))


def place(end: End) -> str:
    """Address and port of an end."""
    host = address(end.addr)
    return f"[{host}]:{end.port}" if ":" in host else f"{host}:{end.port}"


def totals(counts: dict[str, int]) -> str:
    """``37 connections: 30 orderly, 4 RST after unread data``."""
    count = sum(counts.values())
    head = word("sum", "one" if count == 1 else "many").format(count=count)
    shares = sorted(counts.items(), key=lambda pair: -pair[1])
    parts = [word("sum", "part").format(count=number, how=word("how", how)) for how, number in shares]
    return word("sum", "some" if parts else "none").format(head=head, parts=word("sum", "between").join(parts))
