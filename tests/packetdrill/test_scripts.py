"""The scripts that passed on a real kernel pass under linux-6, and fail where one expectation is changed."""

from __future__ import annotations

from pathlib import Path

import pytest
from packetdrill.mutations import mutations

from tcpnotes.packetdrill import parse_script, read_script, run_script

HERE = Path(__file__).parent
SCRIPTS = sorted((HERE / "scripts").glob("*.pkt"))
MORE = sorted((HERE / "more").glob("*.pkt"))  # with handshake options, and what else a live 6.18 was asked
# What 2.4.0 does otherwise; each is a behaviour of the profile.
OTHERWISE = {
    "027", "042", "048", "052", "063", "064", "065", "066", "083", "106", "109", "110", "132", "137", "144", "147",
    "151", "159", "160", "163",
}  # fmt: skip


def number(script: Path) -> str:
    return script.stem[:3] if script.stem[0].isdigit() else script.stem


def test_all_of_them_are_here():
    assert len(SCRIPTS) == 109


@pytest.mark.parametrize("path", SCRIPTS + MORE, ids=number)
def test_what_passed_on_a_current_kernel_passes_under_its_profile(path):
    outcome = run_script(read_script(path), "linux-6")
    assert outcome.passed, (outcome.difference, outcome.refusal)


@pytest.mark.parametrize("path", SCRIPTS, ids=number)
def test_under_2_4_0_those_fail_in_which_it_differs(path):
    assert run_script(read_script(path), "linux-2.4.0").passed is (number(path) not in OTHERWISE)


@pytest.mark.parametrize("path", SCRIPTS, ids=number)
def test_a_changed_expectation_fails_at_the_changed_line(path):
    text = path.read_text(encoding="utf-8")
    made = list(mutations(text))
    assert len(made) >= 8
    for mutation in made:
        outcome = run_script(parse_script(mutation.text, path.name), "linux-6")
        assert not outcome.passed, f"line {mutation.line}: another {mutation.what} went unnoticed"
        assert outcome.place == mutation.line, (mutation.line, mutation.what, outcome.difference, outcome.refusal)


def test_two_runs_are_one():
    script = read_script(SCRIPTS[30])
    first, second = run_script(script), run_script(script)
    assert first.recorder.records == second.recorder.records
