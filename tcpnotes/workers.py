"""Processes on this machine that share work, as a local cluster of Dask: how each of them is started."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from distributed import Client

# Everything listens on the loopback address, the page that Dask has for its state too.
_HERE: Final[dict[str, Any]] = {
    "threads_per_worker": 1, "processes": True, "host": "127.0.0.1", "dashboard_address": "127.0.0.1:0",
    "silence_logs": 50,
}  # fmt: skip

# One thread of arithmetic each, and nothing is imported from the folder that the user happens to be in.  Dask has
# processes give back what they free at once; tables that are made again and again cost twice then.
_ENVIRONMENT: Final = {
    "OPENBLAS_NUM_THREADS": "1", "MALLOC_TRIM_THRESHOLD_": str(1 << 30), "MALLOC_MMAP_THRESHOLD_": str(1 << 25),
    "PYTHONSAFEPATH": "1",
}  # fmt: skip


@contextmanager
def local(jobs: int, needs: Sequence[str], settings: Mapping[str, Any] | None = None, **more: Any) -> Iterator[Client]:
    """A client of ``jobs`` processes on this machine.

    The first that this process starts have imported what they need (modules, by name); later ones do so themselves.
    ``settings`` are Dask's, ``more`` is for its LocalCluster.  ModuleNotFoundError without the extra ``scale``.
    """
    if find_spec("distributed") is None:
        raise ModuleNotFoundError("Dask is not there", name="distributed")
    with deaf():
        method = _begin(["distributed.nanny", *needs])
    import dask
    from distributed import Client, LocalCluster, utils

    utils._forkserver_preload_set = True  # or Dask (2026.8) first imports here whatever a task might ask for
    with dask.config.set({**(settings or {}), "distributed.worker.multiprocessing-method": method}):
        with deaf():
            cluster = LocalCluster(n_workers=jobs, **_HERE, **more)
        with cluster, Client(cluster) as client:
            yield client


def _begin(modules: list[str]) -> str:
    """Have modules imported once, by a process that all others are copies of, while this one goes on.

    What `multiprocessing` calls that way of starting processes; where there is none, each imports them itself.
    """
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return "spawn"
    from multiprocessing import forkserver

    before = {name: os.environ.get(name) for name in _ENVIRONMENT}
    os.environ.update(_ENVIRONMENT)  # read when a process begins
    try:
        multiprocessing.set_forkserver_preload(modules)
        forkserver.ensure_running()
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
    return "forkserver"


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
