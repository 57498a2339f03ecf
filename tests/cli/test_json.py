"""docs/json.md says what --json prints: every kind, every field, every type, and nothing else.

A command that gets a section there gets an entry in ``LINES`` here: command lines that together
print every kind of the section.
"""

from __future__ import annotations

import pkgutil
import re
from pathlib import Path
from typing import Any

import pytest

from tcpnotes import cli
from tcpnotes.scenarios import scenario_names

DOCUMENT = Path(__file__).parents[2] / "docs" / "json.md"
DATA = DOCUMENT.parents[1] / "tests" / "capture" / "data"
RECORDINGS = DOCUMENT.parents[1] / "tests" / "golden" / "scripts.jsonl.gz"
LIVE = DOCUMENT.parents[1] / "tcpnotes" / "live" / "data" / "linux-6.18.jsonl.gz"
SIGPIPE = """
title = "A writes after it has shut down: with keepalive on, 2.4.0 sends a signal"
script = [
    { at = 1.0, host = "A", call = "setsockopt", args = ["SOL_SOCKET", "SO_KEEPALIVE", 1] },
    { at = 1.0, host = "A", call = "shutdown", args = ["SHUT_WR"] },
    { at = 2.0, host = "A", call = "write", args = [10] },
]
"""
FEW = """
title = "A few runs"
scenario = "orderly_close"
until = 30
[grid]
loss = [0, 0.5]
"""
LINES = {
    "run": [*(f"run {name} --json" for name in scenario_names()), "run sigpipe.toml --json"],
    "scenarios": ["scenarios --json"],
    "items": ["items --json"],
    "functions": ["functions --json"],
    "profiles": ["profiles --json"],
    "bench": ["bench fork buckets --quick --json"],
    "explain": [f"explain {DATA / name}.pcapng --json" for name in ("syn_in_time_wait", "fin_lost", "no_listener")],
    "packetdrill": ["packetdrill good.pkt bad.pkt odd.pkt --json"],
    "explore": ["explore --list --json", "explore close_lossy --json", "explore --coverage --json"],
    "live": [f"live --from {LIVE} linger_zero --json -"],
    "sweep": ["sweep --list --json", "sweep few.toml --json"],
    "replay": [f"replay scripts.jsonl.gz --json --profile {name}" for name in ("linux-2.4.0", "source")],
}
COMMANDS = [module.name for module in pkgutil.iter_modules(cli.__path__) if not module.name.startswith("_")]
PARTS = {"record", "segment", "place", "end", "phase", "statement"}  # tables of things that stand inside an object

Kinds = dict[str, dict[str, str]]


def documented() -> dict[str, Kinds]:
    """Command -> kind -> field -> type, as the document has them."""
    commands: dict[str, Kinds] = {}
    for line in DOCUMENT.read_text(encoding="utf-8").splitlines():
        if found := re.fullmatch(r"## tcpnotes (\w+)", line):
            kinds = commands.setdefault(found[1], {})
        elif found := re.fullmatch(r"### (\w+)", line):
            assert found[1] not in kinds, f"{found[1]} stands there twice"
            fields = kinds.setdefault(found[1], {})
        elif found := re.fullmatch(r"\| `(\w+)` \| ([^|]+) \| [^|]+ \|", line):
            fields[found[1]] = found[2]
        else:
            assert not line.startswith("| `"), f"a row that cannot be read: {line}"
    return commands


def fits(value: Any, type_: str, kinds: Kinds) -> bool:
    """Is ``value`` what the document calls ``type_``?"""
    if type_.endswith(" or null"):
        return value is None or fits(value, type_.removesuffix(" or null"), kinds)
    if type_.startswith("list of "):
        single = type_.removeprefix("list of ").removesuffix("s")
        return isinstance(value, list) and all(fits(part, single, kinds) for part in value)
    if type_ in PARTS:
        return isinstance(value, dict) and agrees(value, kinds[type_], kinds)
    return {
        "whole number": isinstance(value, int) and not isinstance(value, bool),
        "number": isinstance(value, int | float) and not isinstance(value, bool),
        "text": isinstance(value, str),
        "yes or no": isinstance(value, bool),
        "list": isinstance(value, list),
        "object": isinstance(value, dict),
        "anything": True,
    }[type_]


def agrees(value: dict[str, Any], fields: dict[str, str], kinds: Kinds) -> bool:
    """Has an object all the fields that it should, no other, and each of its type?"""
    assert set(value) == set(fields), value
    for name, type_ in fields.items():
        assert fits(value[name], type_, kinds), f"{name} is no {type_}: {value}"
    return True


@pytest.mark.parametrize("command", LINES)
def test_what_is_printed_is_what_is_documented(tcpnotes, command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sigpipe.toml").write_text(SIGPIPE, encoding="utf-8")
    for name, line in (("good", "0 close(3) = -1 EBADF\n"), ("bad", "0 close(3) = 0\n"), ("odd", "0 sync() = 0\n")):
        (tmp_path / f"{name}.pkt").write_text(line, encoding="utf-8")
    (tmp_path / "few.toml").write_text(FEW, encoding="utf-8")
    (tmp_path / "scripts.jsonl.gz").write_bytes(RECORDINGS.read_bytes())
    kinds = documented()[command]
    seen = set()
    for line in LINES[command]:
        done = tcpnotes(*line.split())
        assert done.out.isascii()
        for value in done.objects:
            kind = value.pop("kind")
            seen.add(kind)
            common = kinds.get("record", {}) if kind != "run" else {}
            agrees(value, common | kinds[kind], kinds)
    assert seen == set(kinds) - PARTS


def test_every_section_of_the_document_is_kept_by_a_test():
    assert set(documented()) == set(LINES)


def test_the_comparison_sees_what_is_missing_too_much_or_of_another_type():
    kinds = documented()["scenarios"]
    right = {"name": "x", "title": "x", "about": "", "items": ["1.0"]}
    assert agrees(right, kinds["scenario"], kinds)
    for wrong in ({**right, "more": 1}, {"name": "x"}, {**right, "items": "1.0"}, {**right, "items": [1]}):
        with pytest.raises(AssertionError):
            agrees(wrong, kinds["scenario"], kinds)


def test_every_command_that_prints_json_has_a_section(tcpnotes):
    printing = {name for name in COMMANDS if "--json" in tcpnotes(name, "--help").out}
    assert printing == set(documented())
