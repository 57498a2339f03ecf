"""Lets every test import `story`, tells the story so far when one fails, and keeps long runs apart."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import story
from browsing import browser, chromium, page, serve, visit

__all__ = ["browser", "chromium", "page", "serve", "visit"]  # fixtures for all who look at pages


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if "long" in (config.getoption("-m") or ""):
        return
    later = [item for item in items if item.get_closest_marker("long")]
    if later:
        config.hook.pytest_deselected(items=later)
        items[:] = [item for item in items if not item.get_closest_marker("long")]


@pytest.fixture(autouse=True)
def _stories() -> Iterator[None]:
    story.TOLD.clear()
    yield
    story.TOLD.clear()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    if report.when == "call" and report.failed:
        for number, told in enumerate(story.TOLD, 1):
            try:
                text = told.so_far()
            except Exception as error:  # a world that a test has broken may not be drawable
                text = f"(the trace cannot be drawn: {error!r})"
            report.sections.append((f"story {number} so far", text))


def pytest_assertrepr_compare(op: str, left: object, right: object) -> list[str] | None:
    if op == "==" and isinstance(left, story.Steps) and isinstance(right, str):
        return story.first_difference(left, right)
    return None
