"""Reading recordings: both of their forms become stimuli and rows.

``.json`` holds one recorded scenario with its call trees (the schema of ``scripts/``
and ``directed/``), ``.jsonl`` and ``.jsonl.gz`` hold one to a line, either as such an
object or in the compact form of ``random/``.
"""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from tcpnotes.replay.rows import Row, silent_counter, silent_timer
from tcpnotes.trace.segment import ACK, CWR, ECE, FIN, PSH, RST, SYN, URG

FIRST_PEER_PORT = 54321
LOCAL_PORT = 8080
_FLAGS = {"F": FIN, "S": SYN, "R": RST, "P": PSH, ".": ACK, "U": URG, "E": ECE, "W": CWR}


class RecordingError(ValueError):
    """A recording that cannot be read: which file, where in it, and what was expected there."""

    def __init__(self, file: str, where: str, message: str) -> None:
        super().__init__(f"{file}: {where + ': ' if where else ''}{message}")


class CallMade(NamedTuple):
    """An application makes a system call at ``t`` microseconds."""

    t: int
    call: str
    args: tuple[Any, ...]


class SegmentCame(NamedTuple):
    """A segment reaches the host at ``t`` microseconds; sequence numbers relative, ``ack`` None without the flag."""

    t: int
    flags: int
    seq: int
    len: int
    ack: int | None
    win: int
    mss: int | None
    wscale: int | None
    sack_ok: bool
    ts: tuple[int, int] | None
    sacks: tuple[tuple[int, int], ...]
    peer_port: int | None


Stimulus: TypeAlias = CallMade | SegmentCame


class Recording(NamedTuple):
    """One recorded scenario: what reached the host, how long the clock ran (microseconds), and what came of it."""

    name: str
    sysctls: tuple[tuple[str, int], ...]
    stimuli: tuple[Stimulus, ...]
    until: int
    rows: tuple[Row, ...]
    has_calls: bool


def read_recordings(file: str | Path) -> Iterator[Recording]:
    """The recordings in a file, in order.  RecordingError when it cannot be read or is no recording."""
    path = Path(file)
    name = str(file)
    for line, text in _texts(path, name):
        where = f"line {line}" if line else ""
        try:
            data = json.loads(text)
        except (json.JSONDecodeError, RecursionError) as error:
            problem = "nested too deep"
            if isinstance(error, json.JSONDecodeError):
                problem = f"column {error.colno}: {error.msg}"
            raise RecordingError(name, where, f"this is not JSON ({problem}); give a recording.") from None
        try:
            yield _recording(data)
        except _Bad as bad:
            raise RecordingError(name, where, str(bad)) from None
        except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError) as error:
            what = f"{error.args[0]!r} is missing" if isinstance(error, KeyError) else str(error).rstrip(".")
            raise RecordingError(name, where, f"this is no recording: {what}.") from None


class _Bad(Exception):
    pass


def _texts(path: Path, name: str) -> Iterator[tuple[int, str]]:
    """Each JSON text of a file with its line number, 0 for a file that is one text."""
    compressed = path.name.endswith(".gz")
    stem = path.name.removesuffix(".gz")
    if not stem.endswith((".json", ".jsonl")):
        raise RecordingError(name, "", "a recording is a .json, .jsonl or .jsonl.gz file.")
    try:
        with gzip.open(path, "rb") if compressed else path.open("rb") as stream:
            if stem.endswith(".json"):
                yield 0, stream.read().decode("utf-8")
                return
            for number, line in enumerate(stream, 1):
                if line.strip():
                    yield number, line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise RecordingError(name, f"byte {error.start}", "a recording is text in UTF-8.") from None
    except (gzip.BadGzipFile, EOFError, zlib.error):
        raise RecordingError(name, "", "the compressed file is damaged; get it again.") from None
    except OSError as error:
        raise RecordingError(name, "", f"the file cannot be read: {error.strerror or error}.") from None


def _recording(data: Any) -> Recording:
    if not isinstance(data, dict):
        raise _Bad("a recording is an object with the keys of its schema.")
    if "events" in data:
        return _full(data)
    if "outcomes" in data and "stimuli" in data:
        return _compact(data)
    raise _Bad('this is no recording: it has neither "events" nor "stimuli" and "outcomes".')


# -- the form with call trees ----------------------------------------------------------------------------------


def _full(data: dict[str, Any]) -> Recording:
    sysctls: list[tuple[str, int]] = []
    stimuli: list[CallMade | SegmentCame] = []
    rows: list[Row] = []
    calls: dict[int, int] = {}  # number of a call in the file -> its index among the stimuli
    for event in data["events"]:
        kind, t = event["kind"], event.get("t", 0)
        if kind == "sysctl":
            sysctls.append((str(event["name"]), _whole(event["value"])))
        elif kind == "call":
            if "id" in event:
                calls[event["id"]] = len(stimuli)
            value = event.get("value", event.get("revents"))
            rows.append(
                ("call", t, len(stimuli), event["fn"], event["ret"], event["errno"], event["t_return"], value)
            )  # fmt: skip
            stimuli.append(CallMade(_micro(t), event["fn"], _script_args(event["fn"], event["args"])))
        elif kind == "in":
            rows.append(("in", t, len(stimuli)))
            stimuli.append(_segment(t, event["seg"], event.get("peer_port")))
        else:
            row = _full_row(kind, t, event, calls)
            if row is not None:
                rows.append(row)
    has_calls = any(row[0] == "calls" for row in rows)
    return Recording(
        str(data["script"]), tuple(sysctls), tuple(stimuli), _micro(data["until"]), tuple(rows), has_calls
    )  # fmt: skip


def _full_row(kind: str, t: float, event: dict[str, Any], calls: dict[int, int]) -> Row | None:
    match kind:
        case "return":
            return ("return", t, calls[event["call"]], event["fn"], event["ret"], event["errno"])
        case "out":
            seg = event["seg"]
            return (
                "out", t, seg["flags"], seg["seq"], seg["len"], seg["ack"], seg["win"], tuple(seg["options"]),
                event["in"], event.get("peer_port"),
            )  # fmt: skip
        case "state":
            return ("state", t, event["sk"], event["fd"], event["from"], event["to"], event["in"])
        case "child":
            return ("child", t, event["sk"], event["parent"])
        case "tw":
            return ("tw", t, event["tw"], event["op"], event.get("substate"), event.get("timeout"))
        case "timer":
            if silent_timer(event["name"], event["op"]) or event.get("state") == "LISTEN":
                return None
            return ("timer", t, event["sk"], event["name"], event["op"], event["expires"])
        case "counter":
            return None if silent_counter(event["name"]) else ("count", t, event["name"])
        case "wakeup":
            return ("wake", t, event["sk"], event["which"])
        case "purge":
            return ("purge", t, event["skbs"], event["in"])
        case "sk_err":
            return ("sk_err", t, event["sk"], event["err"])
        case "sk_shutdown":
            return ("sk_shutdown", t, event["sk"], event["shutdown"])
        case "sk_free":
            return ("sk_free", t, event["sk"])
        case "signal":
            return ("signal", t, event.get("name", "SIGPIPE"))
        case "printk":
            return ("printk", t, event["text"])
        case "calls":
            return ("calls", t, tuple((depth, name) for depth, name in event["functions"]))
    return None  # assert, end, snapshot


# -- the compact form ------------------------------------------------------------------------------------------------

_LENGTHS = {"call": 8, "out": 10}  # rows whose last field is often absent


def _compact(data: dict[str, Any]) -> Recording:
    stimuli: list[Stimulus] = []
    index_of: dict[Any, int] = {}
    for entry in data["stimuli"]:
        if "call" in entry:
            index_of[entry.get("id")] = len(stimuli)
            stimuli.append(CallMade(_micro(entry["t"]), entry["call"], _script_args(entry["call"], entry["args"])))
        else:
            stimuli.append(_segment(entry["t"], entry["in"], entry.get("peer_port")))
    rows: list[Row] = []
    for outcome in data["outcomes"]:
        kind, *rest = outcome
        if kind in ("end", "snapshot") or (kind == "timer" and silent_timer(outcome[3], outcome[4])):
            continue
        if kind == "return":
            rest[1] = index_of[rest[1]]
        if kind == "out":
            rest[6] = tuple(rest[6])
        rows.append((kind, *rest, *[None] * (_LENGTHS.get(kind, 0) - len(outcome))))
    sysctls = tuple((str(name), _whole(value)) for name, value in data["config"].get("sysctl", {}).items())
    return Recording(str(data["name"]), sysctls, tuple(stimuli), _micro(data["until"]), tuple(rows), False)


# -- parts -----------------------------------------------------------------------------------------------------------


def _micro(seconds: float) -> int:
    return round(seconds * 1_000_000)


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise _Bad(f"a whole number was expected, not {value!r}.")
    return int(value)


def _segment(t: float, seg: dict[str, Any], peer_port: int | None) -> SegmentCame:
    flags = 0
    for letter in seg["flags"]:
        if letter not in _FLAGS:
            raise _Bad(f"{letter!r} is not a flag; flags are the letters {''.join(_FLAGS)}.")
        flags |= _FLAGS[letter]
    mss = wscale = ts = None
    sack_ok = False
    sacks: list[tuple[int, int]] = []
    for option in seg["options"]:
        word, *rest = option.split()
        match word:
            case "mss":
                mss = int(rest[0])
            case "wscale":
                wscale = int(rest[0])
            case "sackOK":
                sack_ok = True
            case "TS":
                ts = (int(rest[1]), int(rest[3]))
            case "sack":
                sacks += [(int(start), int(end)) for start, end in (block.split(":") for block in rest)]
            case "nop" | "eol":
                pass
            case _:
                raise _Bad(f"{option!r} is not an option that a segment can carry.")
    return SegmentCame(
        _micro(t), flags, _whole(seg["seq"]), _whole(seg["len"]), None if seg["ack"] is None else _whole(seg["ack"]),
        _whole(seg["win"]), mss, wscale, sack_ok, ts, tuple(sacks), peer_port,
    )  # fmt: skip


_STRUCT = re.compile(r"\{onoff=(-?\d+), linger=(-?\d+)\}")
_POLLED = re.compile(r"\[\{fd=(\d+), events=([A-Z|]+)")


def _script_args(call: str, args: list[Any]) -> tuple[Any, ...]:
    """The arguments of a call, as a script or as numbers, without what the script leaves open (``...``)."""
    if call == "socket":
        return ()
    if call == "poll" and isinstance(args[0], str):
        found = _POLLED.match(args[0])
        if found is None:
            raise _Bad(f"poll takes [{{fd=…, events=…}}], not {args[0]!r}.")
        return int(found[1]), found[2]
    given = [_value(arg) for arg in args if arg != "..."]
    fd = given[0]
    match call:
        case "bind" | "connect":
            return fd, given[1] if len(given) > 1 else LOCAL_PORT
        case "accept" | "close":
            return (fd,)
        case "fcntl":
            return fd, str(args[-1])
        case "read" | "write":
            return fd, given[-1]
        case "setsockopt":
            value = given[3]
            return fd, given[1], given[2], tuple(value) if isinstance(value, list) else value
        case "getsockopt":
            return fd, given[1], given[2]
        case "ioctl":
            return fd, given[1]
    return tuple(given)


def _value(arg: Any) -> Any:
    """``"4"`` and ``"[4]"`` are numbers, a linger structure is a pair, all else stays."""
    if not isinstance(arg, str):
        return arg
    inner = arg[1:-1] if arg.startswith("[") and arg.endswith("]") else arg
    if re.fullmatch(r"-?\d{1,18}", inner):
        return int(inner)
    found = _STRUCT.fullmatch(arg)
    return (int(found[1]), int(found[2])) if found else arg
