"""A real Chromium and a static server, both on the loopback; no request may leave this machine.

Skipped with the reason where there is no browser, except in CI.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

import pytest
from tool import tool

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Request

served = tool("serving").served  # for tests that serve a folder in a block of their own


@pytest.fixture(scope="session")
def chromium() -> str:
    """Where the browser is."""
    path: str | None = tool("serving").chromium()
    if path is None:
        if os.environ.get("CI"):
            pytest.fail(tool("serving").NONE)
        pytest.skip(tool("serving").NONE)
    return path


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    """One browser for all tests of a session."""
    with tool("serving").started() as one:
        yield one


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


@pytest.fixture
def serve() -> Iterator[Callable[[Path], str]]:
    """Serve folders on free ports of the loopback: ``serve(folder)`` is an address that ends in a slash."""
    with ExitStack() as stack:
        yield lambda folder: stack.enter_context(served(folder))
