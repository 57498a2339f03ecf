"""Random play: calls, segments, mishaps and time, thrown at a world of two hosts.

`Play` keeps what it did as a list of plain moves, so that the same moves can be made
in another world, and so that a failure can be told.  `python tests/properties/play.py`
is the long run (``--steps``, ``--seed``).
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from pathlib import Path
from typing import TypeAlias

sys.path.insert(0, str(Path(__file__).parent))

from invariants import broken

from tcpnotes.kernel.profile import PROFILES
from tcpnotes.trace.segment import ACK, FIN, PSH, RST, SYN, URG, Segment
from tcpnotes.world import (
    AppCalls,
    Event,
    HostCrashes,
    SegmentArrives,
    SegmentDuplicated,
    SegmentInjected,
    SegmentLost,
    TimerFires,
    World,
)

Move: TypeAlias = Event | int | tuple[str, str, int]  # an event, the time to wait until, or a sysctl

SYSCTLS = (
    ("tcp_tw_recycle", 1), ("tcp_timestamps", 0), ("tcp_sack", 0), ("tcp_window_scaling", 0), ("tcp_rfc1337", 1),
    ("tcp_fin_timeout", 90), ("tcp_fin_timeout", 2), ("tcp_max_orphans", 1), ("tcp_max_tw_buckets", 1),
    ("tcp_abort_on_overflow", 1), ("tcp_orphan_retries", 2), ("tcp_mem_max", 2), ("tcp_retries2", 3), ("tcp_fack", 0),
    ("tcp_max_syn_backlog", 4), ("tcp_retrans_collapse", 0), ("tcp_dsack", 0), ("tcp_keepalive_time", 10),
)  # fmt: skip
SIZES = (0, 1, 16, 100, 536, 1448, 1460, 3000, 9000, 40_000)
WINDOWS = (0, 0, 1, 100, 500, 1460, 5840, 65535)
FLAGS = (
    ACK, ACK, ACK, ACK | PSH, ACK | FIN, ACK | FIN, FIN, RST, RST | ACK, SYN, SYN | ACK, SYN | FIN, 0, ACK | FIN | PSH,
    ACK | URG, SYN | RST, 0xFF,
)  # fmt: skip
OPTIONS = (
    ("SOL_SOCKET", "SO_LINGER", ((1, 0), (1, 2), (0, 0))), ("SOL_SOCKET", "SO_RCVBUF", (256, 2048, 60_000)),
    ("SOL_SOCKET", "SO_SNDBUF", (1, 4096, 60_000)), ("SOL_SOCKET", "SO_REUSEADDR", (0, 1)),
    ("SOL_SOCKET", "SO_KEEPALIVE", (0, 1)), ("SOL_TCP", "TCP_LINGER2", (-1, 0, 1, 5, 100)),
    ("SOL_TCP", "TCP_NODELAY", (0, 1)), ("SOL_TCP", "TCP_CORK", (0, 1)), ("SOL_TCP", "TCP_MAXSEG", (88, 500, 1460)),
    ("SOL_TCP", "TCP_KEEPIDLE", (1, 20)), ("SOL_TCP", "TCP_KEEPINTVL", (1,)), ("SOL_TCP", "TCP_KEEPCNT", (1, 3)),
    ("SOL_TCP", "TCP_DEFER_ACCEPT", (0, 3)), ("SOL_TCP", "TCP_SYNCNT", (1, 2)),
)  # fmt: skip


def make(world: World, move: Move) -> None:
    """Let one move happen in ``world``."""
    if isinstance(move, int):
        world.run_until(move)
    elif len(move) == 3 and not hasattr(move, "_fields"):
        world.sysctl(*move)
    else:
        world.apply(move)


class Play:
    """A world and the moves that were made in it.  Same seed, same moves."""

    def __init__(self, seed: int, profile: str | None = None) -> None:
        self.random = random.Random(seed)
        self.profile = profile or self.random.choice(sorted(PROFILES))
        self.seed = seed
        self.bulk = self.random.random() < 0.3  # much data and many losses, little else
        self.delay = self.random.choice((15_000, 50_000, 300_000))
        self.world = self.fresh()
        self.moves: list[Move] = []
        for host in "AB":
            there = [(name, value) for name, value in SYSCTLS if name in self.world.hosts[host].net.sysctl]
            for _ in range(self.random.choice((0, 0, 1, 2))):
                self.make((host, *self.random.choice(there)))
        if self.random.random() < 0.3:  # numbers that wrap soon
            for host in map(self.world.host, self.world.hosts):
                host.net.iss_base = (self.random.choice((0, 1 << 31)) - self.random.randrange(1, 3000)) & 0xFFFFFFFF
                host.net.iss_moves = False
            self.bases = {name: host.net.iss_base for name, host in self.world.hosts.items()}
        else:
            self.bases = {}
        for move in self._opening():
            self.make(move)

    def fresh(self) -> World:
        """The world before the first move."""
        return World(profile=self.profile, seed=self.seed, delay=self.delay)

    def prepare(self, world: World) -> None:
        """What was done to the world apart from moves: the first sequence numbers."""
        for name, base in self.bases.items():
            net = world.host(name).net
            net.iss_base, net.iss_moves = base, False

    def again(self) -> World:
        """The same moves in a new world."""
        world = self.fresh()
        self.prepare(world)
        for move in self.moves:
            make(world, move)
        return world

    def make(self, move: Move) -> None:
        """Make a move, and remember it."""
        self.moves.append(move)
        make(self.world, move)

    def step(self) -> None:
        """One random move."""
        self.make(self.choose())

    def _opening(self) -> list[Move]:
        server = self.random.choice("AB")
        client = "A" if server == "B" else "B"
        moves: list[Move] = [AppCalls(server, "socket"), AppCalls(server, "bind", (3, 80))]
        if self.random.random() < 0.3:
            moves.append(AppCalls(server, "setsockopt", (3, *self._option())))
        moves += [AppCalls(server, "listen", (3, self.random.choice((0, 1, 5)))), AppCalls(server, "accept", (3,))]
        moves.append(AppCalls(client, "socket"))
        if self.random.random() < 0.3:
            moves.append(AppCalls(client, "setsockopt", (3, *self._option())))
        moves.append(AppCalls(client, "connect", (3, 80)))
        moves.append(4 * self.delay + 20_000)
        return moves

    def _option(self) -> tuple[object, ...]:
        level, name, values = self.random.choice(OPTIONS)
        return level, name, self.random.choice(values)

    # -- choosing ----------------------------------------------------------------------------------------------

    def choose(self) -> Move:
        """What to do next: mostly what time brings, often a call, now and then a mishap."""
        rnd, world = self.random, self.world
        if self.bulk and rnd.random() < 0.93:
            return self.transfer()
        dice = rnd.random()
        if dice < 0.42:
            due = world.next_due()
            if due is not None:
                return due[1]
        elif dice < 0.50:
            if world.wire.flying:
                wire = rnd.choice(list(world.wire.flying))
                return rnd.choice((SegmentArrives, SegmentArrives, SegmentLost, SegmentDuplicated))(wire)
        elif dice < 0.58:
            return self.injection(rnd.choice("AB"))
        elif dice < 0.64:
            return world.now + rnd.choice((1, 10_000, 50_000, 250_000, 1_000_000))
        elif dice < 0.66 and not world.wire.flying:
            # Not with segments on the way: ends that disagree may answer each other for ever.
            return world.now + rnd.choice((8_000_000, 20_000_000, 60_000_000, 400_000_000))
        elif dice < 0.67:
            host = rnd.choice("AB")
            if world.hosts[host].net.next_tick() is not None:
                return TimerFires(host)
        elif dice < 0.671:
            return HostCrashes(rnd.choice("AB"))
        return self.call(rnd.choice("AB"))

    def transfer(self) -> Move:
        """One side writes as much as it can, the other reads; one segment in ten is lost, some overtake others."""
        rnd, world = self.random, self.world
        dice = rnd.random()
        if dice < 0.15:
            host = rnd.choice("AB")
            files = list(world.hosts[host].processes.files)
            if files:
                call, size = rnd.choice((("send", 40_000), ("send", 700), ("recv", 40_000), ("recv", 40_000)))
                return AppCalls(host, call, (rnd.choice(files), size, "MSG_DONTWAIT"))
        if dice < 0.35 and world.wire.flying:
            wire = rnd.choice(list(world.wire.flying))
            return rnd.choice((SegmentArrives, SegmentLost, SegmentLost, SegmentDuplicated))(wire)
        due = world.next_due()
        return world.now + 10_000 if due is None else due[1]

    def call(self, host: str) -> Move:
        """A system call, on an open descriptor for the most part."""
        rnd = self.random
        files = list(self.world.hosts[host].processes.files)
        if not files or rnd.random() < 0.05:
            return AppCalls(host, "socket")
        fd = rnd.choice(files) if rnd.random() < 0.99 else rnd.randrange(12)
        dice = rnd.random()
        if dice < 0.20:
            return AppCalls(host, "write", (fd, rnd.choice(SIZES)))
        if dice < 0.40:
            flags = rnd.choice((0, "MSG_DONTWAIT", "MSG_DONTWAIT", "MSG_PEEK|MSG_DONTWAIT", "MSG_WAITALL", "MSG_OOB"))
            return AppCalls(host, "recv", (fd, rnd.choice(SIZES), flags))
        if dice < 0.52:
            return AppCalls(host, "close", (fd,))
        if dice < 0.60:
            return AppCalls(host, "shutdown", (fd, rnd.choice(("SHUT_WR", "SHUT_WR", "SHUT_RD", "SHUT_RDWR"))))
        if dice < 0.70:
            return AppCalls(host, "setsockopt", (fd, *self._option()))
        if dice < 0.78:
            return AppCalls(host, "connect", (fd, rnd.choice((80, 80, 81))))
        if dice < 0.82:
            return AppCalls(host, "accept", (fd,))
        if dice < 0.87:
            return AppCalls(host, "listen", (fd, rnd.choice((0, 1, 5))))
        if dice < 0.92:
            return AppCalls(host, "bind", (fd, rnd.choice((0, 80, 80, 1024, 1025))))
        if dice < 0.95:
            return AppCalls(host, "fcntl", (fd, rnd.choice(("O_NONBLOCK", 0))))
        if dice < 0.97:
            return AppCalls(host, "getsockopt", (fd, "SOL_SOCKET", "SO_ERROR"))
        return AppCalls(host, *rnd.choice((("poll", (fd, "POLLIN|POLLOUT")), ("ioctl", (fd, "SIOCINQ")))))

    def injection(self, host: str) -> SegmentInjected:
        """A segment that fits a connection of ``host`` more or less, or none at all."""
        rnd, net = self.random, self.world.hosts[host].net
        ends = [*net.ehash.values(), *net.tw_hash.values()]
        flags, length = rnd.choice(FLAGS), rnd.choice((0, 0, 0, 1, 100, 1460, 5000))
        if not ends or rnd.random() < 0.1:
            other = self.world.hosts["A" if host == "B" else "B"].net.address
            return SegmentInjected(host, Segment(
                other, rnd.choice((80, 1024, 5000)), net.address, rnd.choice((80, 1024)), rnd.randrange(1 << 32),
                rnd.randrange(1 << 32), flags, rnd.choice(WINDOWS), length, rnd.choice((None, 0, 100, 1460)),
                rnd.choice((None, 0, 14)), rnd.random() < 0.5, rnd.choice((None, (0, 0), (7, 0))),
            ))  # fmt: skip
        end = rnd.choice(ends)
        window = end.rcv_wnd
        seq = end.rcv_nxt + rnd.choice((0, 0, 0, -1, 1, 100, -100, 1460, window, window - 1, window + 1, 1 << 31))
        una, top = getattr(end, "snd_una", end.snd_nxt), getattr(end, "write_seq", end.snd_nxt)
        ack = rnd.choice((end.snd_nxt, end.snd_nxt, una, una + 1, una - 1, top, top + 1, una + 1460, una + (1 << 31)))
        stamp = rnd.choice((None, None, net.time_stamp, net.time_stamp - 100, 0))
        sacks: tuple[tuple[int, int], ...] = ()
        if rnd.random() < 0.2:
            edges = [(una + 1460 * rnd.randrange(-2, 8)) & 0xFFFFFFFF for _ in range(rnd.choice((1, 1, 2, 4)))]
            sacks = tuple((edge, (edge + rnd.choice((1, 1448, 1460, 2920))) & 0xFFFFFFFF) for edge in edges)
        return SegmentInjected(host, Segment(
            end.daddr, end.dport, net.address, end.num, seq & 0xFFFFFFFF, ack & 0xFFFFFFFF if flags & ACK else 0, flags,
            rnd.choice(WINDOWS), length, None, None, False, None if stamp is None else (stamp & 0xFFFFFFFF, 0), sacks,
            rnd.choice((0, 1, 50)) if flags & URG else 0,
        ))  # fmt: skip


class Wrong(AssertionError):
    """Something that must hold did not: where, and what."""


def episode(seed: int, steps: int, every: int = 1, twice: bool = False) -> Play:
    """``steps`` random moves; `Wrong` when an invariant breaks, a copy goes another way, or a replay differs."""
    play = Play(seed)
    forks = random.Random(seed)
    for number in range(steps):
        copy = play.world.fork() if twice and forks.random() < 0.05 else None
        before = "" if copy is None else play.world.digest()
        try:
            play.step()
            wrong = broken(play.world) if number % every == 0 else []
        except Exception as error:
            raise Wrong(f"seed {seed}, move {number}, {play.moves[-1]}: {error!r}") from error
        if wrong:
            raise Wrong(f"seed {seed}, move {number}, {play.moves[-1]}: " + "; ".join(wrong))
        if copy is not None:
            if copy.digest() != before:
                raise Wrong(f"seed {seed}, move {number}, {play.moves[-1]}: the world changed its copy")
            after = play.world.digest()
            make(copy, play.moves[-1])
            if play.world.digest() != after:
                raise Wrong(f"seed {seed}, move {number}, {play.moves[-1]}: the copy changed the world")
            if copy.digest() != play.world.digest():
                raise Wrong(f"seed {seed}, move {number}, {play.moves[-1]}: the copy went another way")
    if broken(play.world):
        raise Wrong(f"seed {seed}, at the end: " + "; ".join(broken(play.world)))
    if twice and play.again().digest() != play.world.digest():
        raise Wrong(f"seed {seed}: the same moves led elsewhere")
    return play


def long_run(steps: int, seed: int, length: int = 400, report: bool = False) -> int:
    """Episodes until ``steps`` moves are made; every tenth is forked on the way and played twice.  How many moves."""
    done, began = 0, time.process_time()
    while done < steps:
        episode(seed, min(length, steps - done), every=2, twice=seed % 10 == 0)
        done += min(length, steps - done)
        seed += 1
        if report and done % 100_000 < length:
            print(f"{done} moves, {time.process_time() - began:.0f} s", flush=True)
    return done


def main() -> None:
    parser = argparse.ArgumentParser(description="Random calls and segments, with every invariant checked.")
    parser.add_argument("--steps", type=int, default=1_000_000, help="how many moves (a million)")
    parser.add_argument("--seed", type=int, default=1, help="number of the first episode")
    arguments = parser.parse_args()
    print(f"{long_run(arguments.steps, arguments.seed, report=True)} moves, nothing wrong")


if __name__ == "__main__":
    main()
