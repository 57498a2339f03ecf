"""The wheels that buckets die on: each dies, none late, none early by more than a turn or the lag of the hand.

The slow wheel turns every 750 jiffies whoever is on it.  The calendar counts its slots from where
its hand stands, and the hand moves only when the timer runs: a bucket dies early by what the hand
lags behind.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tcpnotes.kernel.bucket import TwBucket
from tcpnotes.kernel.net import BindBucket
from tcpnotes.kernel.sock import TIME_WAIT, Sock
from tcpnotes.kernel.tcp_minisocks import tcp_timewait_kill, tcp_tw_deschedule, tcp_tw_schedule
from tcpnotes.world import World

SLOW, SLOT = 750, 16
TIMEOUTS = st.one_of(
    st.integers(1, 7000), st.sampled_from((1, 15, 16, 17, 495, 496, 497, 749, 750, 751, 5999, 6000, 6001))
)
PLANS = st.lists(st.tuples(st.integers(0, 3000), TIMEOUTS), min_size=1, max_size=25)


class Wheels:
    """One host with nothing but buckets on it."""

    def __init__(self) -> None:
        self.world = World(profile="linux-2.4.0", hosts="A")
        self.net = self.world.host("A").net
        self.made = 0

    def bucket(self, timeo: int) -> TwBucket:
        net = self.net
        sk = Sock(net)  # only what a bucket takes over from it
        sk.rcv_saddr, sk.num, sk.daddr, sk.dport = net.address, 1000, 1, self.made
        tw = TwBucket(sk, TIME_WAIT, 0, timeo)
        self.made += 1
        net.tw_hash[tw.key] = tw
        port = net.bhash.setdefault(1000, BindBucket(0))
        port.buckets[net.address, 0] = port.buckets.get((net.address, 0), 0) + 1
        tcp_tw_schedule(tw, timeo)
        return tw

    def at(self, jiffy: int) -> None:
        self.world.run_until(jiffy * 10_000)
        self.world.host("A")


def lifetimes(plan: list[tuple[int, int]]) -> list[tuple[int, int, int]]:
    """(timeout, life, lag of the hand) in jiffies of buckets made after the pauses of ``plan``, as they die."""
    wheels = Wheels()
    born: dict[int, tuple[int, int, int]] = {}
    lives = []
    now = 0

    def until(end: int | None) -> None:
        nonlocal now
        while born:
            tick = wheels.net.next_tick()
            assert tick is not None, "a bucket is left and no timer runs"
            if end is not None and tick > end:
                break
            now = tick
            wheels.at(now)
            left = {tw.id for tw in wheels.net.tw_hash.values()}
            for number in [number for number in born if number not in left]:
                made, timeo, lag = born.pop(number)
                lives.append((timeo, now - made, lag))
        if end is not None:
            now = end
            wheels.at(now)

    for pause, timeo in plan:
        until(now + pause)
        lag = now - wheels.net.twcal_jiffie if wheels.net.twcal_hand >= 0 else 0
        born[wheels.bucket(timeo).id] = (now, timeo, lag)
    until(None)
    assert wheels.net.tw_count == 0 and not wheels.net.tw_hash and not wheels.net.bhash
    assert wheels.net.tw_timer is None
    return lives


@given(PLANS)
def test_every_bucket_dies_in_time(plan: list[tuple[int, int]]) -> None:
    lives = lifetimes(plan)
    assert len(lives) == len(plan)
    for timeo, life, lag in lives:
        if (timeo + SLOT - 1) // SLOT < 32:
            slots = (timeo + SLOT - 1) // SLOT * SLOT
            assert slots - lag <= life <= slots, (timeo, life, lag)
        else:
            turns = 7 if timeo >= 6000 else min((timeo + SLOW - 1) // SLOW, 7)
            assert turns * SLOW <= life <= (turns + 1) * SLOW, (timeo, life)


@given(TIMEOUTS)
def test_a_lone_bucket_gets_all_its_slots(timeo: int) -> None:
    ((_, life, _),) = lifetimes([(0, timeo)])
    if (timeo + SLOT - 1) // SLOT < 32:
        assert life == (timeo + SLOT - 1) // SLOT * SLOT
    else:
        assert life == ((7 if timeo >= 6000 else min((timeo + SLOW - 1) // SLOW, 7)) + 1) * SLOW


@given(st.lists(st.tuples(st.integers(0, 900), TIMEOUTS, st.sampled_from(("make", "again", "kill"))), max_size=30))
def test_scheduled_anew_and_killed__counts_stay_right(plan: list[tuple[int, int, str]]) -> None:
    wheels = Wheels()
    net, now = wheels.net, 0
    for pause, timeo, what in plan:
        now += pause
        wheels.at(now)
        alive = list(net.tw_hash.values())
        if what == "make" or not alive:
            wheels.bucket(timeo)
        elif what == "again":
            tcp_tw_schedule(alive[timeo % len(alive)], timeo)
        else:
            tw = alive[timeo % len(alive)]
            tcp_tw_deschedule(tw)
            tcp_timewait_kill(tw)
        assert net.tw_count == len(net.tw_hash) == sum(len(cell) for cell in net.tw_cells)
        assert (net.tw_timer is not None) == bool(net.tw_count)
    wheels.at(now + 8000)
    assert net.tw_count == 0 and not net.tw_hash


@given(st.lists(st.integers(1, 496), min_size=2, max_size=20))
def test_calendar__who_is_due_earlier_dies_earlier(timeouts: list[int]) -> None:
    lives = lifetimes([(0, timeo) for timeo in timeouts])
    slots = [(timeo + SLOT - 1) // SLOT * SLOT for timeo, _, _ in lives]
    assert slots == sorted(slots) == [life for _, life, _ in lives]
