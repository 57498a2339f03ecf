"""Random calls and segments: no exception, every invariant, the same again from the seed, copies that agree."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from invariants import broken
from play import Play, episode, long_run, make

from tcpnotes.kernel.profile import PROFILES


@pytest.mark.parametrize("seed", range(30))
def test_short_run(seed: int) -> None:
    episode(seed, 400, twice=True)


def test_the_same_seed_makes_the_same_moves() -> None:
    one, other = episode(7, 300), episode(7, 300)
    assert one.moves == other.moves
    assert one.world.digest() == other.world.digest()


def test_different_seeds_make_different_worlds() -> None:
    assert len({episode(seed, 50).world.digest() for seed in range(10)}) == 10


def test_being_listened_to_changes_nothing() -> None:
    for seed in range(5):
        play = episode(seed, 300)
        world = play.fresh()
        play.prepare(world)
        world.listen(frames=True)
        for move in play.moves:
            make(world, move)
        assert world.digest() == play.world.digest()


@pytest.mark.long
@pytest.mark.parametrize("worker", range(4))
def test_a_million_moves(worker: int) -> None:
    steps = int(os.environ.get("MOVES", "1000000")) // 4
    assert long_run(steps, 1_000_000 * worker + 1) == steps


class Hosts(RuleBasedStateMachine):
    """The same moves, chosen by hypothesis, which makes a failure as short as it can be."""

    @initialize(seed=st.integers(0, 1 << 16), profile=st.sampled_from(sorted(PROFILES)))
    def begin(self, seed: int, profile: str) -> None:
        self.play = Play(seed, profile)

    @rule(dice=st.randoms(use_true_random=False))
    def call(self, dice) -> None:  # type: ignore[no-untyped-def]
        self.play.random = dice
        self.play.make(self.play.call(dice.choice("AB")))

    @rule(dice=st.randoms(use_true_random=False))
    def segment(self, dice) -> None:  # type: ignore[no-untyped-def]
        self.play.random = dice
        self.play.make(self.play.injection(dice.choice("AB")))

    @rule(dice=st.randoms(use_true_random=False))
    def anything(self, dice) -> None:  # type: ignore[no-untyped-def]
        self.play.random = dice
        self.play.step()

    @rule(steps=st.integers(1, 10))
    def time(self, steps: int) -> None:
        for _ in range(steps):
            due = self.play.world.next_due()
            if due is not None:
                self.play.make(due[1])

    @rule()
    def copy_goes_the_same_way(self) -> None:
        due = self.play.world.next_due()
        if due is not None:
            copy = self.play.world.fork()
            self.play.make(due[1])
            copy.apply(due[1])
            assert copy == self.play.world and copy.digest() == self.play.world.digest()

    @invariant()
    def all_is_well(self) -> None:
        if hasattr(self, "play"):
            assert not broken(self.play.world)

    def teardown(self) -> None:
        if hasattr(self, "play"):
            assert self.play.again().digest() == self.play.world.digest()


TestHosts = Hosts.TestCase
TestHosts.settings = settings(max_examples=40, stateful_step_count=60, deadline=None)
