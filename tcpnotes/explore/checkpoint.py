"""A search that was stopped, in a file to go on from.

The file is a line of JSON and behind it arrays of numbers, compressed.  States of ends are
kept as the way they came about, never as objects: whoever goes on makes them anew with the
engine.  A file of another version, or of an engine that has changed, is refused, and so
is one that is damaged.
"""

from __future__ import annotations

import json
import zlib
from array import array
from functools import cache
from hashlib import blake2b
from importlib.resources import files
from pathlib import Path
from typing import Any

from tcpnotes.explore.levels import new_search
from tcpnotes.explore.model import Model, Owner
from tcpnotes.explore.properties import PROPERTIES
from tcpnotes.explore.search import Found, Search
from tcpnotes.explore.space import Event
from tcpnotes.explore.views import App, Stimulus, Summary
from tcpnotes.trace.segment import Segment

_MARK = "tcpnotes explore checkpoint 2"
_MOST = 1 << 36  # bytes that the arrays of a file may unfold to


class CheckpointError(ValueError):
    """A file that no search can go on from, and why."""


@cache
def _engine() -> str:
    """A mark of the engine's own text: states mean nothing to another one."""
    mark = blake2b(digest_size=8)
    for package in ("kernel", "world", "explore"):
        folder = files(f"tcpnotes.{package}")
        for entry in sorted((entry for entry in folder.iterdir() if entry.name.endswith(".py")), key=lambda e: e.name):
            mark.update(entry.read_bytes())
    return mark.hexdigest()


def _arrays(search: Search) -> list[array[int]]:
    space, ends = search.space, search.space.ends
    return [
        search.order, search.parents, search.levels, search._summary_of, space.side_end, space.side_inbox, ends.parents,
        ends.causes, ends.dues,
    ]  # fmt: skip


def _steps(search: Search) -> list[array[int]]:
    steps = search.space.ends._steps
    return [array("Q", steps), array("Q", steps.values())]


def save(search: Search, path: Path) -> None:
    """Write the search to a file.  OSError when it cannot be written; an older file is then as it was."""
    space, ends = search.space, search.space.ends
    arrays = [*_arrays(search), *_steps(search)]
    body = zlib.compress(b"".join(part.tobytes() for part in arrays) + b"".join(ends.digests), 1)
    head = {
        "mark": _MARK, "engine": _engine(), "check": blake2b(body, digest_size=16).hexdigest(),
        "model": search.model._asdict() | {"owners": [owner._asdict() for owner in search.model.owners]},
        "profile": search.profile, "reduce": space.reduce, "at": search.at, "transitions": search.transitions,
        "cut": space.cut, "lengths": [len(part) for part in arrays], "apps": ends.apps,
        "spent": ends.spent.hex(), "stimuli": ends.stimuli, "segments": ends.segments, "outs": ends.outs,
        "inboxes": space.inboxes, "summaries": search._summary_list,
        "bad_ends": [[end, [one.name for one in bad]] for end, bad in search._bad_ends.items()],
        "found": [[name, search._where[name], found.last] for name, found in search.found.items()],
    }  # fmt: skip
    beside = path.with_name(f".{path.name}.part")
    try:
        beside.write_bytes(json.dumps(head).encode() + b"\n" + body)
        beside.replace(path)
    except OSError:
        beside.unlink(missing_ok=True)
        raise


def load(path: Path) -> Search:
    """The search of a file, ready to go on.  CheckpointError when it cannot; OSError when it cannot be read."""
    line, _, body = path.read_bytes().partition(b"\n")
    try:
        head = json.loads(line)
        if not isinstance(head, dict) or head.get("mark") != _MARK:
            raise ValueError
    except (ValueError, RecursionError):
        raise CheckpointError(f"{path}: this is no checkpoint of 'tcpnotes explore'.") from None
    if head.get("engine") != _engine():
        raise CheckpointError(f"{path}: this was written by another version of tcpnotes; start the search anew.")
    if head.get("check") != blake2b(body, digest_size=16).hexdigest():
        raise CheckpointError(f"{path}: the file is damaged; start the search anew.")
    try:
        return _restored(head, body)
    except (KeyError, TypeError, ValueError, IndexError, zlib.error) as error:
        raise CheckpointError(f"{path}: the file does not fit together ({error}); start the search anew.") from None


def _restored(head: dict[str, Any], body: bytes) -> Search:
    fields = dict(head["model"])
    fields["owners"] = tuple(Owner(**owner) for owner in fields["owners"])
    fields["sysctl"] = tuple((name, value) for name, value in fields["sysctl"])
    search = new_search(Model(**fields), head["profile"], reduce=head["reduce"])
    space, ends = search.space, search.space.ends
    unfold = zlib.decompressobj()
    data = unfold.decompress(body, _MOST)
    place = 0
    steps = [array("Q"), array("Q")]
    for part, length in zip([*_arrays(search), *steps], head["lengths"], strict=True):
        del part[:]
        part.frombytes(data[place : place + length * part.itemsize])
        place += length * part.itemsize
    ends._steps = dict(zip(*steps, strict=True))
    ends.digests = [data[start : start + 16] for start in range(place, len(data), 16)]
    ends._numbers = {digest: number for number, digest in enumerate(ends.digests)}
    ends.apps = [App(*app) for app in head["apps"]]
    ends.spent = bytearray.fromhex(head["spent"])
    ends.stimuli = [Stimulus(*stimulus) for stimulus in head["stimuli"]]
    ends._stimulus_numbers = {stimulus: number for number, stimulus in enumerate(ends.stimuli)}
    ends.segments = [Segment(*_tuples(seg)) for seg in head["segments"]]
    ends._segment_numbers = {seg: number for number, seg in enumerate(ends.segments)}
    ends.outs = [tuple(out) for out in head["outs"]]
    ends._out_numbers = {out: number for number, out in enumerate(ends.outs)}
    space.inboxes = [tuple(inbox) for inbox in head["inboxes"]]
    space._inbox_numbers = {inbox: number for number, inbox in enumerate(space.inboxes)}
    sides = zip(space.side_end, space.side_inbox, strict=True)
    space._side_numbers = {end << 32 | inbox: number for number, (end, inbox) in enumerate(sides)}
    space.cut = head["cut"]
    search.restored()
    search.at, search.transitions = head["at"], head["transitions"]
    search._summary_list = [Summary(*summary) for summary in head["summaries"]]
    search._summaries = {summary: number for number, summary in enumerate(search._summary_list)}
    search._pairs, search._rests = {}, {}
    search._bad_ends = {end: [PROPERTIES[name] for name in names] for end, names in head["bad_ends"]}
    for name, where, last in head["found"]:
        event = None if last is None else Event(last[0], Stimulus(*last[1]), tuple(last[2]))
        search._where[name] = where
        search.found[name] = Found(PROPERTIES[name], [], event)
    return search


def _tuples(value: Any) -> Any:
    return tuple(_tuples(part) for part in value) if isinstance(value, list) else value
