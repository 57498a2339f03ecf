"""The yardstick: how many events a second of plain heapq work this machine makes just now.

An event is one pop and one push of a tuple ``(time, number, None)`` on a heap of 64.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from time import process_time

PENDING = 64
EVENTS = 100_000


def events_per_second(events: int = EVENTS) -> float:
    """Events of the loop per second of processor time."""
    heap: list[tuple[int, int, None]] = [(number * 37 % PENDING, number, None) for number in range(PENDING)]
    heapify(heap)
    start = process_time()
    for number in range(PENDING, PENDING + events):
        time, _, _ = heappop(heap)
        heappush(heap, (time + 1 + number * 37 % 127, number, None))
    return events / max(process_time() - start, 1e-9)
