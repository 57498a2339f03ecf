"""Which scenarios make sense on a live kernel, how long they take there, and why others do not."""

from __future__ import annotations

import re
from typing import NamedTuple

from tcpnotes.kernel.profile import LINUX_6
from tcpnotes.live.causes import LATE
from tcpnotes.scenarios import Run, Scenario
from tcpnotes.scenarios import run as run_scenario
from tcpnotes.scenarios.loader import Inject, Play

_REST = 1_000_000  # microseconds that a run goes on after the engine's last event
_KNOWN = {"rcv_nxt", "snd_nxt", "snd_una"}  # what can be told from the wire
_SYSCTLS = {
    "tcp_max_orphans": "it sets tcp_max_orphans, which the whole machine shares: a namespace has none of its own",
    "tcp_mem_max": "it sets tcp_mem, which the whole machine shares: a namespace has none of its own",
    "tcp_tw_recycle": "it sets tcp_tw_recycle, which Linux has not had since 4.12",
}
_OTHERS = {"tcp_rmem", "tcp_wmem"}


class Fit(NamedTuple):
    """Whether a scenario can run on a live kernel: ``why_not`` is None, or the reason; ``seconds`` it takes."""

    name: str
    why_not: str | None
    seconds: float


def fit(scenario: Scenario) -> Fit:
    """Judge a scenario.  Its length is that of the engine's run, and a little more for timers that are late."""
    for step in scenario.script:
        if isinstance(step, Play):
            return Fit(scenario.name, "its moves fire timers and stop segments at will, which only a model can", 0.0)
        if isinstance(step, Inject):
            unknown = sorted(set(re.findall("[a-z_]+", f"{step.seq} {step.ack}")) - _KNOWN)
            if unknown:
                return Fit(scenario.name, f"it asks for {unknown[0]}, which the wire does not tell", 0.0)
    for _, name, _ in scenario.sysctl:
        if name in _SYSCTLS:
            return Fit(scenario.name, _SYSCTLS[name], 0.0)
    return Fit(scenario.name, None, end_of(engine_run(scenario)) / 1_000_000)


def engine_run(scenario: Scenario) -> Run:
    """The same scenario in the engine."""
    return run_scenario(scenario, profile=LINUX_6)


def end_of(done: Run) -> int:
    """When a live run of what the engine has done is over, microseconds."""
    last = max([record.t for record in done.recorder.records], default=0)
    script = done.scenario.script[-1].at if done.scenario.script else 0
    end = last + round((last - script) * LATE) + _REST if last > script else script + _REST
    return end if done.scenario.until is None else min(end, done.scenario.until)
