"""What the reference pages say: every scenario is run once, and what its records tell is turned round.

Nothing here is written by hand.  As the runs depend on the library alone, the result is kept in a file named after
a digest of the library, and a build in which only a chapter has changed does not run anything.
"""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import tcpnotes

if TYPE_CHECKING:
    from tcpnotes.widgets import Telling

Table = dict[str, dict[str, Any]]
Steps = dict[str, int]


class Facts(NamedTuple):
    """What the runs of all scenarios contain, by name.  Steps are counted from 1, as the steppers of the pages do.

    ``functions``: name → ``steps`` (scenario → step of its first call that is told), ``callers``, ``callees``.
    ``moves``: "OLD NEW" → ``functions`` and ``steps``.  ``counters``: name → ``functions`` and ``steps``.
    ``errors``: errno → ``calls`` that returned it, and ``steps``.
    ``items``: id → places [scenario, profile, µs, step].
    ``profiles``: scenario → the profiles under which it is shown: "source", then those that tell another story.
    ``digest`` names the state of the library.
    """

    functions: Table
    moves: Table
    counters: Table
    errors: Table
    items: dict[str, list[list[Any]]]
    profiles: dict[str, list[str]]
    digest: str

    def of_item(self, id: str) -> list[str]:
        """The scenarios that show an item."""
        return list(dict.fromkeys(place[0] for place in self.items[id]))


def gather(folder: Path) -> Facts:
    """The facts, from ``folder`` when the library has not changed since they were put there."""
    digest = _digest()
    kept = folder / f"facts-{digest}.json"
    if kept.is_file():
        return Facts(**json.loads(kept.read_text(encoding="utf-8")))
    facts = _gather(digest)
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("facts-*.json"):
        old.unlink()
    kept.write_text(json.dumps(facts._asdict(), ensure_ascii=False), encoding="utf-8")
    return facts


def _digest() -> str:
    made = hashlib.sha256()
    for path in (*library(), Path(__file__)):
        made.update(path.name.encode() + b"\0" + path.read_bytes())
    return made.hexdigest()[:16]


def library() -> Iterator[Path]:
    """The files of the library that runs and views depend on."""
    root = Path(tcpnotes.__file__).parent
    for path in sorted(root.rglob("*")):
        if path.suffix in (".py", ".toml", ".js", ".css", ".json"):
            yield path


@cache
def tell(scenario: str, profile: str) -> Telling:
    """A scenario as its page tells it."""
    from tcpnotes.widgets import play

    return play(scenario, profile=profile)


def stops(telling: Telling) -> list[int]:
    """The records at which the stepper of its page stops."""
    from tcpnotes.widgets import choose_stops

    return choose_stops(telling.story, "beat")


def _gather(digest: str) -> Facts:
    from tcpnotes.scenarios import scenario_names
    from tcpnotes.scenarios.proof import Missing, prove
    from tcpnotes.source import item_ids

    facts = Facts(defaultdict(dict), defaultdict(dict), defaultdict(dict), defaultdict(dict), {}, {}, digest)
    found_in: dict[str, dict[str, list[int]]] = {}
    traces = {}
    for name in scenario_names():
        telling = tell(name, "source")
        found_in[name] = {"source": stops(telling)}
        traces[name] = str(telling.trace)
        facts.profiles[name] = ["source"]
        _read(facts, name, telling.records, found_in[name]["source"])
    for id in item_ids():
        found = prove(id)
        if isinstance(found, Missing):
            raise ValueError(f"Item {id} is not shown: {found.reason}. The book has a page for every item.")
        facts.items[id] = []
        for scenario, profile, records, t in found.places:
            if profile not in found_in[scenario]:
                telling = tell(scenario, profile)
                if str(telling.trace) == traces[scenario]:
                    continue  # the same story: the page tells it once
                found_in[scenario][profile] = stops(telling)
                facts.profiles[scenario].append(profile)
            facts.items[id].append([scenario, profile, t, _step(found_in[scenario][profile], records[0])])
    tell.cache_clear()
    return facts


def _step(at: Sequence[int], record: int) -> int:
    return min(bisect_left(at, record), len(at) - 1) + 1


def _read(facts: Facts, scenario: str, records: Sequence[Any], at: Sequence[int]) -> None:
    open_: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for index, record in enumerate(records):
        stack = open_[record.host]
        while stack and stack[-1][0] >= record.depth:
            stack.pop()
        about: dict[str, Any] | None = None
        match record.kind:
            case "enter":
                about = facts.functions[record.fn]
                if stack:
                    _add(about, "callers", stack[-1][1])
                    _add(facts.functions[stack[-1][1]], "callees", record.fn)
                stack.append((record.depth, record.fn))
            case "state":
                about = facts.moves[f"{record.old} {record.new}"]
                _add(about, "functions", record.fn)
            case "tw" if record.op == "create":
                about = facts.moves[f"bucket {record.substate}"]
                _add(about, "functions", record.fn)
            case "count":
                about = facts.counters[record.name]
                _add(about, "functions", record.fn)
            case "return" if record.errno:
                about = facts.errors[record.errno]
                _add(about, "calls", record.call)
        if about is not None and index >= at[0]:
            about.setdefault("steps", {}).setdefault(scenario, _step(at, index))


def _add(about: dict[str, Any], key: str, value: str | None) -> None:
    if value is not None and value not in about.setdefault(key, []):
        about[key].append(value)
