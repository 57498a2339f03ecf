"""Recordings of live runs: JSON lines that state kernel and date, and are read back with every field checked."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

from tcpnotes.live.errors import LiveError
from tcpnotes.scenarios.tables import HOSTS
from tcpnotes.trace import records as r
from tcpnotes.trace.segment import Segment
from tcpnotes.world.process import ADDRESSES

MOST_BYTES = 1 << 26  # of a file that is read
_OURS = "data/linux-6.18.jsonl.gz"


class Machine(NamedTuple):
    """Whose kernel it was: its version, its ticks in a second, when (``2026-11-25``), and with which rights."""

    kernel: str
    hz: int
    date: str
    rights: str  # root or user


class LiveRun(NamedTuple):
    """A scenario that has happened on a live kernel; ``end`` is when watching ended, microseconds."""

    scenario: str
    end: int
    records: list[r.Record]


class Recording(NamedTuple):
    """What one machine's kernel did."""

    machine: Machine
    runs: list[LiveRun]

    def run(self, scenario: str) -> LiveRun:
        """The run of a scenario; `LiveError` when it is not in the recording."""
        for run in self.runs:
            if run.scenario == scenario:
                return run
        known = ", ".join(run.scenario for run in self.runs)
        raise LiveError(f"The recording has no run of {scenario!r}; it has: {known}.")


# -- records as JSON -------------------------------------------------------------------------------------------------

_KINDS: dict[str, tuple[type[Any], dict[str, tuple[type, ...]]]] = {
    "stimulus": (r.Stimulus, {"what": (str,), "detail": (str,)}),
    "call": (r.Call, {"task": (int,), "call": (str,), "args": (list,)}),
    "return": (
        r.Return,
        {"task": (int,), "call": (str,), "ret": (int,), "errno": (str,), "value": (int, str, list), "blocked": (bool,)},
    ),
    "sleep": (r.Sleep, {"task": (int,), "call": (str,)}),
    "state": (r.StateChange, {"sk": (int,), "old": (str,), "new": (str,)}),
    "sent": (r.Sent, {"wire": (int,), "seg": (dict,)}),
    "received": (r.Received, {"wire": (int,), "seg": (dict,)}),
    "lost": (r.Lost, {"wire": (int,)}),
    "free": (r.Freed, {"sk": (int,)}),
    "tw": (
        r.Bucket,
        {"tw": (int,), "of_sk": (int,), "op": (str,), "substate": (str,), "timeout": (int,)},
    ),
    "count": (r.Count, {"name": (str,)}),
}
_MAY_LACK = {
    "errno": None, "value": None, "blocked": False, "of_sk": None, "substate": None, "timeout": None, "wire": None,
    "sk": 0, "fd": None, "fn": None, "until": None, "depth": 0, "task": None,
}  # fmt: skip
_SEGMENT: dict[str, tuple[type, ...]] = {
    "sport": (int,), "dport": (int,), "seq": (int,), "ack_seq": (int,), "flags": (int,), "window": (int,),
    "len": (int,), "mss": (int,), "wscale": (int,), "sack_ok": (bool,), "ts": (list,), "sacks": (list,),
    "urg_ptr": (int,),
}  # fmt: skip


def written(record: r.Record) -> dict[str, Any]:
    """A record in the terms of JSON: what says nothing is left out, and a segment is written where it is sent."""
    found: dict[str, Any] = {"t": record.t, "host": record.host, "kind": record.kind}
    for name in _KINDS[record.kind][1]:
        value = getattr(record, name)
        if name in _MAY_LACK and value == _MAY_LACK[name]:
            continue
        if isinstance(value, Segment):
            if isinstance(record, r.Received) and record.wire is not None:
                continue
            value = _written_segment(value)
        found[name] = value
    return found


def _written_segment(seg: Segment) -> dict[str, Any]:
    return {
        name: getattr(seg, name)
        for name in _SEGMENT
        if name not in seg._field_defaults or getattr(seg, name) != seg._field_defaults[name]
    }


class Reader:
    """Makes records of what was `written`; ValueError, in words, for what cannot be."""

    def __init__(self) -> None:
        self._sent: dict[int, Segment] = {}

    def record(self, data: Any) -> r.Record:
        """The record that ``data`` stands for."""
        if not isinstance(data, dict) or data.get("kind") not in _KINDS:
            raise ValueError(f"a record needs one of the kinds {', '.join(_KINDS)}")
        cls, wanted = _KINDS[data["kind"]]
        _check(data, {"t": (int,), "host": (str,), "kind": (str,), **wanted})
        if data.get("host") not in HOSTS or "t" not in data:
            raise ValueError("a record needs a time t and a host, A or B")
        fields = {name: data[name] for name in wanted if name in data}
        if cls in (r.Sent, r.Received, r.Lost):
            fields["seg"] = self._segment(cls, data)
        if "args" in fields:
            fields["args"] = tuple(tuple(a) if isinstance(a, list) else a for a in fields["args"])
        if isinstance(fields.get("value"), list):
            fields["value"] = tuple(fields["value"])
        for name in cls._fields:
            if name not in fields and name in _MAY_LACK:
                fields[name] = _MAY_LACK[name]
        lacking = [name for name in wanted if name not in fields]
        if lacking:
            raise ValueError(f"a record of kind {data['kind']} needs {lacking[0]}")
        made: r.Record = cls(**{**fields, "t": data["t"], "host": data["host"]})
        return made

    def _segment(self, cls: type[Any], data: dict[str, Any]) -> Segment:
        wire = data.get("wire")
        if "seg" not in data:
            if wire not in self._sent:
                raise ValueError(f"segment {wire} was never sent")
            return self._sent[wire]
        given = data["seg"]
        _check(given, _SEGMENT)
        src = data["host"] if cls is r.Sent else HOSTS[1 - HOSTS.index(data["host"])]
        try:
            seg = Segment(
                saddr=ADDRESSES[src], daddr=ADDRESSES[HOSTS[1 - HOSTS.index(src)]],
                **{name: _tuple(value) for name, value in given.items()},
            )  # fmt: skip
        except TypeError:
            raise ValueError("a segment needs sport, dport, seq, ack_seq, flags and window") from None
        if wire is not None:
            self._sent[wire] = seg
        return seg


def _tuple(value: Any) -> Any:
    return tuple(_tuple(part) for part in value) if isinstance(value, list) else value


def _check(data: dict[str, Any], wanted: dict[str, tuple[type, ...]]) -> None:
    for name, value in data.items():
        if name not in wanted:
            raise ValueError(f"there is no field {name!r} here; there are: {', '.join(wanted)}")
        if not isinstance(value, wanted[name]) or (isinstance(value, bool) and bool not in wanted[name]):
            raise ValueError(f"{name} takes {' or '.join(kind.__name__ for kind in wanted[name])}, not {value!r}"[:200])
        if isinstance(value, int) and not -1 <= value < 1 << 48:
            raise ValueError(f"{name} is out of range")


# -- files -------------------------------------------------------------------------------------------------------------


def lines(recording: Recording) -> Iterator[str]:
    """The lines of a recording: the machine, then a line for each run."""
    yield json.dumps({"kind": "live", **recording.machine._asdict()})
    for run in recording.runs:
        yield json.dumps(
            {
                "kind": "live_run",
                "scenario": run.scenario,
                "end": run.end,
                "records": [written(record) for record in run.records],
            },
            separators=(",", ":"),
        )


def write_recording(recording: Recording, file: str | Path) -> None:
    """Write a recording, all of it or nothing; in gzip where the name ends so.  `LiveError` when that cannot be."""
    path = Path(file)
    text = "".join(line + "\n" for line in lines(recording)).encode("ascii")
    beside = path.with_name(f".{path.name}.part")
    try:
        # With no time in it, so that the same recording is the same file.
        beside.write_bytes(gzip.compress(text, mtime=0) if path.suffix == ".gz" else text)
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise LiveError(f"{file}: the file cannot be written: {error.strerror or error}.") from None


def read_recording(file: str | Path) -> Recording:
    """Read a recording, also in gzip; a `LiveError` that names file and line for what is none."""
    path = Path(file)
    try:
        with path.open("rb") as stream:
            packed = stream.read(2) == b"\x1f\x8b"
        with gzip.open(path) if packed else path.open("rb") as stream:
            content = stream.read(MOST_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        said = getattr(error, "strerror", None) or error
        raise LiveError(f"{file}: the file cannot be read: {str(said).rstrip('.')}.") from None
    if len(content) > MOST_BYTES:
        raise LiveError(f"{file}: a recording has at most {MOST_BYTES >> 20} MB.")
    return parse_recording(content, str(file))


@cache
def recorded() -> Recording:
    """The recording that comes with the library: all scenarios that make sense, on one machine's kernel."""
    return parse_recording(gzip.decompress(files(__package__).joinpath(_OURS).read_bytes()), _OURS)


def parse_recording(content: bytes, file: str) -> Recording:
    """The recording that stands in lines of text; ``file`` is what errors call it."""
    try:
        given = content.decode("ascii").splitlines()
    except UnicodeDecodeError:
        raise LiveError(f"{file}: this is not a recording of 'tcpnotes live --json'.") from None
    machine: Machine | None = None
    runs: list[LiveRun] = []
    for number, line in enumerate(given, 1):
        try:
            data = json.loads(line)
            if not isinstance(data, dict):
                raise ValueError("a line is one JSON object")
            if machine is None:
                machine = _machine(data)
            else:
                runs.append(_run(data))
        except (ValueError, RecursionError) as error:
            said = "this is not JSON" if isinstance(error, json.JSONDecodeError) else str(error) or "too deep"
            raise LiveError(f"{file}: line {number}: {said}.") from None
    if machine is None:
        raise LiveError(f"{file}: the file is empty; 'tcpnotes live --json FILE' writes one.")
    return Recording(machine, runs)


def _machine(data: dict[str, Any]) -> Machine:
    kind = data.pop("kind", None)
    if kind != "live" or set(data) != set(Machine._fields):
        raise ValueError(f"the first line has the kind live and the fields {', '.join(Machine._fields)}")
    _check(data, {"kernel": (str,), "hz": (int,), "date": (str,), "rights": (str,)})
    return Machine(**data)


def _run(data: dict[str, Any]) -> LiveRun:
    kind = data.pop("kind", None)
    if kind != "live_run" or set(data) != set(LiveRun._fields):
        raise ValueError(f"a run has the kind live_run and the fields {', '.join(LiveRun._fields)}")
    _check(data, {"scenario": (str,), "end": (int,), "records": (list,)})
    reader = Reader()
    return LiveRun(data["scenario"], data["end"], [reader.record(record) for record in data["records"]])
