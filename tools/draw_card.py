"""Draw the picture that others show when a page of the book is linked: book/_static/card.png.  Needs a Chromium."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from tcpnotes.view import theme
from tcpnotes.widgets import play

WIDTH, HEIGHT = 1200, 630


def page() -> str:
    """The card as a page."""
    ladder = play("orderly_close").between(1.9, 3.2, "").ladder
    return (
        "<!doctype html><meta charset=utf-8><style>" + theme.stylesheet() +
        "body{margin:0;width:1200px;height:630px;display:flex;align-items:center;gap:40px;background:#14181c;"
        "font-family:Arial,Helvetica,'Liberation Sans',sans-serif;color:#e8ebee;overflow:hidden}"
        "section{flex:1;padding-left:70px}h1{font-size:66px;line-height:1.12;margin:0 0 28px}p{font-size:29px;"
        "line-height:1.45;color:#a3adb8;margin:0}.tn{width:540px}"
        ".tn svg{height:600px;width:auto;margin:0 auto}</style>"
        "<section><h1>How does Linux close a TCP connection?</h1><p>A textbook that runs: every step, every kernel "
        "function, every state.</p></section>"
        f'<div class="tn tn-dark">{ladder.element()}</div>'
    )  # fmt: skip


def main() -> int:
    """Draw it."""
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        print("draw_card.py: there is no Chromium here; on Debian: apt-get install chromium", file=sys.stderr)
        return 2
    target = Path(__file__).resolve().parents[1] / "book" / "_static" / "card.png"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        sheet = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        sheet.set_content(page())
        sheet.screenshot(path=str(target))
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
