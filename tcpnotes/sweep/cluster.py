"""Work on a Dask cluster: the processes of this machine, or any that there is an address of."""

from __future__ import annotations

import signal
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import current_thread, main_thread
from typing import Any, TypeVar

AHEAD = 4  # pieces of work for each worker that are handed out before the first of them is waited for
WAIT = 30  # seconds for a cluster to answer

T = TypeVar("T")


def ordered(work: Callable[..., T], pieces: Sequence[tuple[Any, ...]], jobs: int, address: str | None) -> Iterator[T]:
    """What ``work`` makes of each piece, in the order of the pieces, wherever and whenever each is done.

    A piece whose worker dies is done again by another.  RuntimeError in one sentence when Dask is missing, when nobody
    answers at ``address``, or when a piece has killed its workers again and again.
    """
    try:
        from distributed import Client, KilledWorker, LocalCluster
    except ModuleNotFoundError:
        raise RuntimeError("For more than one process, install Dask: pip install 'tcpnotes[scale]'.") from None
    if address is None:
        # Everything listens on the loopback address, the page that Dask has for its state too.
        settings = {"n_workers": jobs, "threads_per_worker": 1, "processes": True, "dashboard_address": "127.0.0.1:0"}
        with _deaf():
            local = LocalCluster(host="127.0.0.1", silence_logs=50, **settings)
        client = Client(local)
    else:
        local = None
        try:
            client = Client(address, timeout=WAIT)
        except (OSError, TimeoutError, ValueError) as error:
            raise RuntimeError(f"no Dask scheduler answers at {address}: {_first_line(error)}.") from None
    try:
        waiting: deque[Any] = deque()
        left = iter(pieces)
        while True:
            room = AHEAD * max(len(client.nthreads()), 1)
            while len(waiting) < room and (piece := next(left, None)) is not None:
                # Other workers than ours need not know that equal work has equal names.
                waiting.append(client.submit(work, *piece, pure=False, retries=2))
            if not waiting:
                return
            try:
                yield waiting.popleft().result()
            except KilledWorker:
                raise RuntimeError(
                    "a piece of the work has ended its process again and again; is memory short?"
                ) from None
            except ModuleNotFoundError as error:
                raise RuntimeError(
                    f"a worker of the cluster lacks {error.name}: install tcpnotes there, too."
                ) from None
    finally:
        client.close()
        if local is not None:
            local.close()


@contextmanager
def _deaf() -> Iterator[None]:
    """Processes that are started here do not hear Ctrl-C: it is for the one that started them."""
    if current_thread() is not main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _first_line(error: BaseException) -> str:
    lines = str(error).splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__
