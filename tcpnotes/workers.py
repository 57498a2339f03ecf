"""Processes on this machine that share work, as a local cluster of Dask: how each of them is started."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

# Everything listens on the loopback address, the page that Dask has for its state too.
HERE: Final[dict[str, Any]] = {
    "threads_per_worker": 1, "processes": True, "host": "127.0.0.1", "dashboard_address": "127.0.0.1:0",
    "silence_logs": 50,
}  # fmt: skip


@contextmanager
def deaf() -> Iterator[None]:
    """Processes that are started here do not hear Ctrl-C: it is for the one that started them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
