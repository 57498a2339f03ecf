"""Runs drawn by Hypothesis go through the states of a search, and through no others."""

from __future__ import annotations

from hashlib import blake2b
from itertools import permutations
from typing import Any

import pytest
from tool import tool

from tcpnotes.explore import Search, load_model


def states(search: Search) -> set[tuple[Any, ...]]:
    """All states of a search as `measure_hypothesis` has them, both ways round where the hosts may be exchanged."""
    space = search.space
    found = set()
    for key in search.order:
        a, b, left = space.parts(key)
        sides = [
            (
                space.ends.digests[space.side_end[side]],
                tuple(sorted(tuple(space.ends.segments[one]) for one in space.inboxes[space.side_inbox[side]])),
            )
            for side in (a, b)
        ]
        for one, other in permutations(sides) if search.model.symmetric else [sides]:
            found.add((one, other, left & 7, left >> 3 & 7))
    return found


@pytest.mark.parametrize("name", ["close_lossy", "listening", "impatient"])
def test_runs_drawn_by_hypothesis_see_states_of_the_search_only(name: str) -> None:
    measure = tool("measure_hypothesis")
    model = load_model(name)._replace(in_flight=2, late=0)
    search = Search(model, measure.PROFILE, reduce=False, whole=False)
    search.run()
    machine = measure.walk(model, 10)
    seen = {
        (*((blake2b(end, digest_size=16).digest(), coming) for end, coming in sides), *left)
        for *sides, left in ((a, b, left) for a, b, *left in machine.seen)
    }
    assert len(seen) > 30
    assert seen <= states(search)
