"""How many states of a model Hypothesis sees in a second of processor time, and how many `tcpnotes explore`.

    measure_hypothesis.py [--runs N…]      (100, as Hypothesis does unless told, and 1000)

Both go through `close_anytime` without mishaps, on the same engine.  Hypothesis draws runs of 50 events, each any that
is possible then; where nothing is, the model begins anew.  States are told apart as the search does: by the essence of
both ends, which may be exchanged, and what is on the wire.  Hypothesis does not shrink, and keeps nothing.
"""

from __future__ import annotations

import argparse
import marshal
from time import process_time
from typing import Any, TypeAlias

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from tcpnotes.explore import Model, load_model
from tcpnotes.explore.ends import essence, happen, possible
from tcpnotes.explore.levels import new_search
from tcpnotes.explore.views import OPEN, App, Stimulus
from tcpnotes.world import AppCalls, Event, SegmentArrives, SegmentDuplicated, SegmentLost, TimerFires, World

PROFILE = "linux-2.4.0"
Side: TypeAlias = tuple[bytes, tuple[Any, ...]]  # an end and its application; what is on its way to it


class Walk(RuleBasedStateMachine):
    """One run through a model, in which segments may overtake each other; `walk` makes a class for a model."""

    model: Model
    opened: World  # as the model begins
    seen: set[tuple[Side, Side, int, int]]  # by all runs: two sides, how many may be lost, and doubled
    steps = 0

    def __init__(self) -> None:
        super().__init__()
        self.begin()

    def begin(self) -> None:
        self.world = self.opened.fork()
        owners = zip(self.world.hosts, self.model.owners, strict=True)
        self.apps = {name: App(own.write, own.shutdown, own.close, own.abort, own.read) for name, own in owners}
        self.lose, self.double = self.model.lose, self.model.double
        self.look()

    @rule(data=st.data())
    def step(self, data: st.DataObject) -> None:
        events = self.events()
        self.happens(data.draw(st.sampled_from(events))) if events else self.begin()

    def events(self) -> list[Event]:
        """All that may happen."""
        hosts = {name: self.world.host(name) for name in self.apps}
        found: list[Event] = [AppCalls(name, call) for name, app in self.apps.items() if app.gone == OPEN
                              for call in possible(hosts[name], app)]  # fmt: skip
        for wire in self.world.wire.flying:
            found.append(SegmentArrives(wire))
            found += [SegmentLost(wire)] * (self.lose > 0) + [SegmentDuplicated(wire)] * (self.double > 0)
        if not self.world.wire.flying:
            ticks = {name: tick for name, host in hosts.items() if (tick := host.net.next_tick()) is not None}
            found += [TimerFires(name) for name, tick in ticks.items() if tick == min(ticks.values())]
        return found

    def happens(self, event: Event) -> None:
        """Let it happen.  What puts more on the way to a host than the model allows is cut: a new run begins."""
        match event:
            case AppCalls(name, call):
                host, app = self.world.host(name), self.apps[name]
                self.apps[name], _ = happen(host, app, self.model, Stimulus("call", call), None)
            case _:
                self.world.apply(event)
        self.lose -= isinstance(event, SegmentLost)
        self.double -= isinstance(event, SegmentDuplicated)
        type(self).steps += 1
        coming = [flight.dst for flight in self.world.wire.flying.values()]
        self.begin() if max(map(coming.count, self.apps)) > self.model.in_flight else self.look()

    def look(self) -> None:
        a, b = (self.side(name) for name in self.apps)
        self.seen.add((*((b, a) if self.model.symmetric and b < a else (a, b)), self.lose, self.double))

    def side(self, name: str) -> Side:
        coming = [flight.seg for flight in self.world.wire.flying.values() if flight.dst == name]
        end = essence(self.world.host(name), self.apps[name]), tuple(self.apps[name])
        return marshal.dumps(end, 2), tuple(sorted(tuple(seg._replace(saddr=0, daddr=0)) for seg in coming))


def walk(model: Model, runs: int) -> type[Walk]:
    """Let Hypothesis draw so many runs through a model, the same each time; its segments take no time."""
    world = model.open(PROFILE)
    world.wire.delay = 0
    machine = type("Walk", (Walk,), {"model": model, "opened": world, "seen": set()})
    how = settings(max_examples=runs, stateful_step_count=50, phases=[Phase.generate], database=None, derandomize=True)
    run_state_machine_as_test(machine, settings=settings(how, deadline=None, suppress_health_check=list(HealthCheck)))
    return machine


def main() -> None:
    """Measure both for each number of runs, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, nargs="+", default=[100, 1000], metavar="N")
    model = load_model("close_anytime")._replace(lose=0, double=0)
    for runs in parser.parse_args().runs:
        start = process_time()
        search = new_search(model, PROFILE)
        search.run()
        middle = process_time()
        machine = walk(model, runs)
        fast, slow = len(search.order) / (middle - start), len(machine.seen) / (process_time() - middle)
        print(f"search: {len(search.order):,} states, {fast:,.0f}/s; {runs} runs, {machine.steps:,} events:", end=" ")
        print(f"{len(machine.seen):,} states, {slow:,.0f}/s; {fast / slow:.0f} times", flush=True)


if __name__ == "__main__":
    main()
