"""Scenario files with mistakes: one sentence that names file, place and remedy, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from tcpnotes.scenarios import ScenarioError, load, loader, run, scenario_names

GOOD = """\
title = "A closes"
about = "A test."
shows = ["1.0"]
delay = 0.05
until = 5
start = "established"
server = "B"
client_port = 1500

[sysctl.A]
tcp_fin_timeout = 30

[[script]]
at = 1
host = "A"
call = "write"
args = [10]

[[script]]
at = 2
lose = "FIN"
from = "A"
count = 1

[[script]]
at = 3
inject = { to = "B", flags = "ACK", seq = "rcv_nxt", ack = "snd_nxt", len = 1, window = 100 }

[[script]]
at = 4
crash = "B"
"""


def wrong(text: str) -> str:
    """What the loader says of a text that it must refuse."""
    with pytest.raises(ScenarioError) as caught:
        loader.parse(text.encode(), "mine", "mine.toml")
    sentence = str(caught.value)
    assert sentence.startswith("mine.toml: ") and sentence.endswith("."), sentence
    assert "\n" not in sentence
    assert caught.value.file == "mine.toml"
    return sentence


def test_the_good_one_is_good() -> None:
    done = run(loader.parse(GOOD.encode(), "mine", "mine.toml"))
    assert done.world.now == 5_000_000


MISTAKES: dict[str, tuple[str, Any]] = {
    'title = "A closes"': ("title", ["title = 3", "", "title = []", "topic = 'x'"]),
    'about = "A test."': ("about", ["about = 3", "about = true"]),
    'shows = ["1.0"]': ("shows", ["shows = '1.0'", "shows = ['9.9']", "shows = [1.0]", "shows = [[]]"]),
    "delay = 0.05": ("delay", ["delay = -1", "delay = 'x'", "delay = nan", "delay = inf", "delay = true",
        "delay = 1e99"]),
    "until = 5": ("until", ["until = 3", "until = -5", "until = 'end'", "until = 100001"]),
    'start = "established"': ("start", ["start = 'running'", "start = 1", "start = []"]),
    'server = "B"': ("server", ["server = 'C'", "server = ['B']", "server = 1"]),
    "client_port = 1500": ("client_port", ["client_port = 65536", "client_port = -1", "client_port = 1.5",
        "client_port = true"]),
    "[sysctl.A]": ("sysctl", ["[sysctl.C]", "[sysctls.A]"]),
    "tcp_fin_timeout = 30": ("sysctl.A", ["tcp_fin_timout = 30", "tcp_fin_timeout = -1", "tcp_fin_timeout = '30'",
        "tcp_fin_timeout = 2147483648"]),
    "at = 1": ("script[1].at", ["", "at = -1", "at = 'soon'", "at = nan"]),
    'host = "A"': ("script[1].host", ["", "host = 'C'", "host = 1"]),
    'call = "write"': ("script[1]", ["call = 'wrote'", "call = 3", "", "crash = 'A'", "call = 'write'\nlose = 'FIN'"]),
    "args = [10]": ("script[1]", ["args = 10", "args = ['x']", "args = [-1]", "args = []", "args = [1, 'MSG_X']",
        "args = [10, 1, 2]", "args = [10]\nfd = -1", "args = [10]\nfd = 'x'", "arg = [10]"]),
    'lose = "FIN"': ("script[2].lose", ["lose = 'some'", "lose = 1"]),
    'from = "A"': ("script[2]", ["", "from = 'C'", "from = 2", "form = 'A'"]),
    "count = 1": ("script[2]", ["count = 0", "count = 'all'", "until = 1", "count = 1.5", "cuont = 1"]),
    'to = "B"': ("script[3].inject", ["to = 'C'", "too = 'B'", "to = 1"]),
    'flags = "ACK"': ("script[3].inject", ["flags = 'ACKS'", "flags = 16", "flags = ['ACK']", "flag = 'ACK'"]),
    'seq = "rcv_nxt"': ("script[3].inject", ["seq = 'rcv_next'", "seq = 1.5", "seq = ''", "seq = true",
        "sequence = 1"]),
    'ack = "snd_nxt"': ("script[3].inject", ["ack = 'snd_nxt*2'", "ack = []"]),
    "len = 1": ("script[3].inject", ["len = -1", "len = 65536", "len = 'x'"]),
    "window = 100": ("script[3].inject", ["window = 65536", "window = -1"]),
    'crash = "B"': ("script[4]", ["crash = 'C'", "crash = true", "crush = 'B'", "crash = 'B'\nhost = 'A'"]),
}  # fmt: skip


@pytest.mark.parametrize(("line", "bad"), [(line, bad) for line, (_, bads) in MISTAKES.items() for bad in bads])
def test_every_key_wrong_in_turn__names_the_place(line: str, bad: str) -> None:
    place = MISTAKES[line][0]
    assert GOOD.count(line) >= 1
    sentence = wrong(GOOD.replace(line, bad, 1))
    assert place in sentence or "topic" in sentence or "sysctls" in sentence or "not TOML" in sentence, sentence


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[",
        "title = ",
        "\x00",
        "a = 1\na = 2",
        "x" * 100,
        "[[script]]",
        "title = 'x'\nscript = 3",
        "title='x'\nscript=[3]",
    ],
)
def test_not_a_scenario_at_all(text: str) -> None:
    wrong(text)


def test_not_utf8() -> None:
    with pytest.raises(ScenarioError, match=r"mine.toml: byte 9: a scenario file is text in UTF-8"):
        loader.parse(b"title = '\xff'", "mine", "mine.toml")


def test_nested_beyond_reason() -> None:
    wrong("a = " + "[" * 100_000)


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=r"nothing.toml: the file cannot be read: No such file"):
        load(tmp_path / "nothing.toml")


def test_a_folder(tmp_path: Path) -> None:
    (tmp_path / "x.toml").mkdir()
    with pytest.raises(ScenarioError, match="cannot be read"):
        load(tmp_path / "x.toml")


def test_inject_without_a_connection() -> None:
    text = 'title = "x"\nstart = "none"\n[[script]]\nat = 0\ninject = { to = "A", flags = "ACK", seq = "rcv_nxt" }\n'
    scenario = loader.parse(text.encode(), "mine", "mine.toml")
    with pytest.raises(ScenarioError, match=r"mine.toml: script\[1\].inject: host A has no connection"):
        run(scenario)


# -- anything -----------------------------------------------------------------------------------------------------

VALUES = st.recursive(
    st.one_of(
        st.integers(-5, 1 << 40), st.booleans(), st.floats(), st.text(max_size=8),
        st.sampled_from(["A", "B", "C", "write", "close", "FIN", "ACK", "rcv_nxt", "SHUT_WR", "SOL_SOCKET",
            "established", "1.0"]),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=6), inner, max_size=4)),
    max_leaves=8,
)  # fmt: skip
KEYS = st.sampled_from([
    "title", "about", "shows", "delay", "until", "start", "server", "client_port", "sysctl", "script", "x", "",
])  # fmt: skip
STEPS = st.dictionaries(
    st.sampled_from(["at", "host", "call", "args", "fd", "lose", "from", "count", "until", "inject", "crash",
        "y"]), VALUES, max_size=5
)  # fmt: skip


@given(st.dictionaries(KEYS, st.one_of(VALUES, st.lists(STEPS, max_size=3)), max_size=6))
@limits(max_examples=100)
def test_any_table__is_a_scenario_or_a_scenario_error(data: dict[str, Any]) -> None:
    reader = loader._Reader("mine.toml")
    try:
        reader.scenario({"title": "x", **data}, "mine")
    except ScenarioError as error:
        assert str(error).startswith("mine.toml: ") and str(error).endswith(".")


@given(st.binary(max_size=200))
def test_any_bytes__are_a_scenario_or_a_scenario_error(content: bytes) -> None:
    try:
        loader.parse(content, "mine", "mine.toml")
    except ScenarioError as error:
        assert str(error).startswith("mine.toml: ")


@given(st.sampled_from(scenario_names()), st.data())
@limits(max_examples=150)
def test_a_damaged_scenario__is_one_or_a_scenario_error(name: str, data: st.DataObject) -> None:
    text = (Path(loader.__file__).parent / f"{name}.toml").read_text(encoding="utf-8")
    at = data.draw(st.integers(0, len(text)))
    cut = data.draw(st.integers(0, 12))
    damaged = text[:at] + data.draw(st.text(max_size=6)) + text[at + cut :]
    try:
        scenario = loader.parse(damaged.encode("utf-8", "surrogatepass"), "mine", "mine.toml")
        if scenario.until is None or scenario.until < 100_000_000:
            run(scenario)
    except ScenarioError as error:
        assert str(error).startswith("mine.toml: ") and "\n" not in str(error)
