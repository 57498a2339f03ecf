"""Work on a Dask cluster: the processes of this machine, or any that there is an address of."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, TypeVar

from tcpnotes.workers import local

if TYPE_CHECKING:
    from distributed import Client

AHEAD = 4  # pieces of work for each worker that are handed out before the first of them is waited for
WAIT = 30  # seconds for a cluster to answer

T = TypeVar("T")


def ordered(work: Callable[..., T], pieces: Sequence[tuple[Any, ...]], jobs: int, address: str | None) -> Iterator[T]:
    """What ``work`` makes of each piece, in the order of the pieces, wherever and whenever each is done.

    A piece whose worker dies is done again by another.  RuntimeError in one sentence when Dask is missing, when nobody
    answers at ``address``, or when a piece has killed its workers again and again.
    """
    with ExitStack() as stack:
        try:
            client = _client(stack, work, jobs, address)
        except ModuleNotFoundError:
            raise RuntimeError("For more than one process, install Dask: pip install 'tcpnotes[scale]'.") from None
        from distributed import KilledWorker

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


def _client(stack: ExitStack, work: Callable[..., Any], jobs: int, address: str | None) -> Client:
    """The cluster at ``address``, or one of ``jobs`` processes, until the stack is left."""
    if address is None:
        return stack.enter_context(local(jobs, [work.__module__]))
    from distributed import Client

    try:
        client = Client(address, timeout=WAIT)
    except (OSError, TimeoutError, ValueError) as error:
        raise RuntimeError(f"no Dask scheduler answers at {address}: {_first_line(error)}.") from None
    stack.callback(client.close)
    return client


def _first_line(error: BaseException) -> str:
    lines = str(error).splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__
