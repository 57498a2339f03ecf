"""The pages of the built site, by kind."""

from __future__ import annotations

from pathlib import Path


def pages(site: Path) -> list[str]:
    """All pages, by their paths."""
    found = [path.relative_to(site) for path in site.rglob("*.html")]
    return sorted(str(path) for path in found if path.parts[0] != "_static")


def chapters(site: Path) -> list[str]:
    """The pages of the chapters."""
    return [path for path in pages(site) if path.startswith("notebooks/")]


def kinds(site: Path) -> list[str]:
    """One page of every kind, and all chapters."""
    return [
        *(path for path in pages(site) if "/" not in path), *chapters(site),
        "items/1.3.html", "items/S.4c.html", "functions/tcp_close.html", "scenarios/orderly_close.html",
        "api/tcpnotes.world.world.html", "api/tcpnotes.kernel.tcp.html",
    ]  # fmt: skip
