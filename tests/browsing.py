"""A real Chromium and a static server, both on the loopback; no request may leave this machine.

Skipped with the reason where there is no browser, except in CI.
"""

from __future__ import annotations

import functools
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Request

FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip


@pytest.fixture(scope="session")
def chromium() -> str:
    """Where the browser is."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        reason = "There is no Chromium here; on Debian: apt-get install chromium fonts-liberation"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return path


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    """One browser for all tests of a session."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, headless=True, args=list(FLAGS))
        yield started
        started.close()


@pytest.fixture
def page(visit: Callable[..., Visit]) -> Page:
    """A page of its own, 1280 pixels wide; `visit` makes others."""
    return visit().page


class Visit(NamedTuple):
    """A page, and what happened on it: requests that left this machine, errors of scripts, errors in the console."""

    page: Page
    outside: list[str]
    errors: list[str]
    console: list[str]


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[..., Visit]]:
    """Open pages: ``visit(width=…, dark=…, scripts=…)``.  At the end nothing may have left this machine."""
    visits: list[tuple[Any, Visit]] = []

    def make(width: int = 1280, height: int = 900, *, dark: bool = False, scripts: bool = True, **more: Any) -> Visit:
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light",
            java_script_enabled=scripts, reduced_motion="reduce", **more,
        )  # fmt: skip
        page = context.new_page()
        made = Visit(page, [], [], [])

        def asked(request: Request) -> None:
            if urlsplit(request.url).hostname not in (None, "", "127.0.0.1", "localhost"):
                made.outside.append(request.url)

        context.on("request", asked)
        page.on("pageerror", lambda error: made.errors.append(str(error)))
        page.on("console", lambda said: made.console.append(said.text) if said.type == "error" else None)
        visits.append((context, made))
        return made

    yield make
    for context, made in visits:
        context.close()
        assert made.outside == [], "requests left this machine"


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """A folder on a free port of the loopback, for a while: its address, which ends in a slash."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def serve() -> Iterator[Callable[[Path], str]]:
    """Serve folders on free ports of the loopback: ``serve(folder)`` is an address that ends in a slash."""
    with ExitStack() as stack:
        yield lambda folder: stack.enter_context(served(folder))
