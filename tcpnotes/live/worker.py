"""The process in which one scenario happens: python -m tcpnotes.live.worker SCENARIO END."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from importlib import import_module

from tcpnotes.live.errors import LiveError, NotHere
from tcpnotes.live.namespaces import enter
from tcpnotes.live.numbers import relative
from tcpnotes.live.observe import MOST_LATE, NOT_HERE, TOO_LATE
from tcpnotes.live.recording import written
from tcpnotes.live.stage import LiveStage
from tcpnotes.live.tracepoints import TracePoints
from tcpnotes.scenarios import load


class _TooLate(Exception):
    """Steps came too late; whatever else went wrong may have come of that."""


def main(name: str, end: int) -> int:
    """Let it happen; one record a line on standard output, or one sentence on standard error."""
    try:
        enter()
        _hurry()
        with TracePoints() as points:
            stage = LiveStage(load(name), _addresses(), points)
            try:
                records = relative(stage.run(end))
            finally:
                if stage.late > MOST_LATE:
                    raise _TooLate(stage.late)
    except _TooLate as late:
        sys.stderr.write(f"{late.args[0] // 1000}\n")
        return TOO_LATE
    except NotHere as error:
        sys.stderr.write(f"{error}\n")
        return NOT_HERE
    except LiveError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except OSError as error:
        sys.stderr.write(f"The kernel refuses what a live run needs: {error.strerror or error}.\n")
        return NOT_HERE
    sys.stdout.writelines(json.dumps(written(record)) + "\n" for record in records)
    return 0


def _hurry() -> None:
    """A wire does not wait for other programs: threads made from now on come first.  Who may not ask goes without."""
    import_module("pyroute2")  # takes its time, so before
    with contextlib.suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))


def _addresses() -> dict[str, str]:
    """Two addresses of the range for measurements (RFC 2544), others in each process: trace points see all of them."""
    first = 0xC6120000 + 2 * (os.getpid() % 0x10000)
    return {host: ".".join(map(str, (first + i).to_bytes(4, "big"))) for i, host in enumerate("AB")}


if __name__ == "__main__":
    status = main(sys.argv[1], int(sys.argv[2]))
    sys.stdout.flush()
    os._exit(status)  # calls that still sleep do not keep the process
