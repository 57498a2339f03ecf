"""Whatever a script contains, it is read or refused in a sentence, and run or refused: never anything else.

`make long` runs a million inputs.
"""

from __future__ import annotations

import random
import resource
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tcpnotes.packetdrill import ScriptError, parse_script, run_script

SCRIPTS = [path.read_text(encoding="utf-8") for path in sorted((Path(__file__).parent / "scripts").glob("*.pkt"))]
LONG_RUN = 1_000_000
PIECES = [
    "+0",
    "*",
    "~",
    "...",
    "<",
    ">",
    "F.",
    "S",
    "1:1(0)",
    "ack 1",
    "win 9",
    "<mss 1>",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "=",
    "-1",
    "EBADF",
    "close(3) = 0",
    "read(4, ..., 9)",
    "`sysctl -w a=1`",
    "`",
    "%{",
    "}%",
    "%{ assert 1 }%",
    '"',
    "|",
    ",",
    "//",
    "/*",
    "*/",
    "#",
    "--mss=1",
    "--define=X=1",
    "\n",
    " ",
    "0x",
    "9" * 25,
    "udp (1)",
    "icmp x",
    "sack 1:2",
    "TS val 1 ecr 2",
    "\x00",
    "é",
    "\r",
    "socket(..., SOCK_STREAM, IPPROTO_TCP) = 3",
]

spoilt = st.builds(
    lambda text, at, cut, piece: text[: at % len(text)] + piece + text[at % len(text) + cut :],
    st.sampled_from(SCRIPTS), st.integers(0, 4000), st.integers(0, 40), st.sampled_from(PIECES) | st.text(max_size=5),
)  # fmt: skip
texts = st.lists(st.sampled_from(PIECES), max_size=40).map(" ".join) | st.text(max_size=200) | spoilt


def check(text: str) -> None:
    try:
        script = parse_script(text, "x")
    except ScriptError as error:
        assert str(error).startswith("x:") and "\n" not in str(error)
        return
    outcome = run_script(script)
    assert outcome.passed or outcome.difference or outcome.refusal


@given(texts)
@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_text_is_read_or_refused(text):
    check(text)


def made_up(dice: random.Random) -> str:
    """A script with a piece of it exchanged, or pieces in a row."""
    if not dice.randrange(4):
        return " ".join(dice.choices(PIECES, k=dice.randrange(40)))
    text = dice.choice(SCRIPTS)
    for _ in range(dice.choice((1, 1, 2, 4))):
        at, cut = dice.randrange(len(text) + 1), dice.choice((0, 1, 1, 4, 40))
        piece = dice.choice((dice.choice(PIECES), chr(dice.randrange(1, 0x3000)), text[at : at + dice.randrange(40)]))
        text = text[:at] + piece + text[at + cut :]
    return text


@pytest.mark.parametrize("text", ["--tolerance_usecs=²2\n", "0 `sysctl -q -w net.ipv4.tcp_rmem=$((²*2))`\n"])
def test_a_digit_that_is_no_number(text: str) -> None:
    check(text)


@pytest.mark.long
@pytest.mark.timeout(4 * 3600)
def test_a_million_texts() -> None:
    """No traceback, no hang, no memory that grows."""
    dice = random.Random(20001209)
    memory = slowest = 0.0
    for number in range(LONG_RUN):
        text, began = made_up(dice), time.process_time()
        try:
            check(text)
        except Exception as error:
            error.add_note(repr(text))
            raise
        slowest = max(slowest, time.process_time() - began)
        if number == LONG_RUN // 10:
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert slowest < 5
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 1.2 * memory
