"""Let scenarios happen on the kernel of this machine, each in a process of its own."""

from __future__ import annotations

import datetime
import importlib.util
import json
import os
import platform
import re
import subprocess
import sys
import time
from pathlib import Path

from tcpnotes.live.errors import LiveError, NotHere, TooBusy
from tcpnotes.live.fitting import end_of, engine_run, fit
from tcpnotes.live.recording import LiveRun, Machine, Reader
from tcpnotes.scenarios import load

NEEDS = ("dpkt", "pyroute2")
_SLACK = 60  # seconds beyond its length after which a run is given up
_COARSE = 6  # CLOCK_MONOTONIC_COARSE, for which Python has no name
_TRIES = 6
NOT_HERE, TOO_LATE = 3, 4  # the worker's status for `NotHere`, and for a run that came too late to be of use
MOST_LATE = 40_000  # microseconds


def check() -> None:
    """`NotHere` or `LiveError` where no live run can be."""
    if not sys.platform.startswith("linux"):
        here = platform.system() or "another system"
        raise NotHere(f"A live run needs a Linux kernel, and this is {here}; --from FILE shows a recording.")
    if any(importlib.util.find_spec(name) is None for name in NEEDS):
        raise LiveError("A live run needs the libraries pyroute2 and dpkt: pip install 'tcpnotes[live]'.")


def machine() -> Machine:
    """This machine: what a recording states of it.  `NotHere` or `LiveError` where no live run can be."""
    check()
    found = re.match(r"[0-9.]+", platform.release())
    kernel = f"Linux {found[0].rstrip('.') if found else platform.release()}"
    # The coarse clock moves with the tick.
    hz = round(1 / time.clock_getres(_COARSE))
    date = datetime.datetime.now(tz=datetime.UTC).date().isoformat()
    return Machine(kernel, hz, date, "root" if os.geteuid() == 0 else "user")


def run(name: str | Path) -> LiveRun:
    """A scenario (a name, or a ``.toml`` file) on the kernel of this machine; takes as long as it says.

    `ScenarioError` for a bad scenario, `LiveError` for one that makes no sense here, `NotHere` where none can run,
    `TooBusy` where steps came late again and again.
    """
    check()
    scenario = load(name)
    found = fit(scenario)
    if found.why_not is not None:
        raise LiveError(f"{scenario.name} does not run on a live kernel: {found.why_not}.")
    end = end_of(engine_run(scenario))
    for _ in range(_TRIES):
        done = _worker(name, end)
        if done.returncode != TOO_LATE:
            break
    if done.returncode == TOO_LATE:
        raise TooBusy(
            f"{scenario.name}: the machine is too busy: a step came {done.stderr.strip()} ms late; try again."
        )
    if done.returncode:
        said = done.stderr.strip().splitlines()[-1:] or [f"it ended with status {done.returncode}"]
        raise (NotHere if done.returncode == NOT_HERE else LiveError)(said[0])
    reader = Reader()
    return LiveRun(scenario.name, end, [reader.record(json.loads(line)) for line in done.stdout.splitlines()])


def _worker(name: str | Path, end: int) -> subprocess.CompletedProcess[str]:
    """Let the scenario happen in a process of its own: its namespaces go with it, and one with threads enters none."""
    command = [sys.executable, "-m", "tcpnotes.live.worker", str(name), str(end)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    try:
        return subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=end / 1_000_000 + _SLACK, env=environment,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise TooBusy(f"{name}: the run did not end in time: the machine is too busy; try again.") from None
