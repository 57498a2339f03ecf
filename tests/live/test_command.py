"""`tcpnotes live`: what it prints and how it ends, without a kernel."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from tcpnotes.cli import main
from tcpnotes.live import TooBusy, recorded, write_recording
from tcpnotes.trace import records as r


class Done(NamedTuple):
    status: int
    out: str
    err: str


@pytest.fixture
def live(capsys: pytest.CaptureFixture[str]):  # type: ignore[no-untyped-def]
    def say(*words: str) -> Done:
        capsys.readouterr()
        return Done(main(["live", *words]), *capsys.readouterr())

    return say


@pytest.fixture
def file(tmp_path: Path) -> str:
    """Two runs of the recording that comes with the library."""
    whole = recorded()
    path = tmp_path / "two.jsonl"
    write_recording(whole._replace(runs=[whole.run("linger_zero"), whole.run("reset_of_orphan")]), path)
    return str(path)


def test_a_recording_is_compared_and_summed_up(live, file: str) -> None:  # type: ignore[no-untyped-def]
    done = live("--from", file)
    assert (done.status, done.err) == (0, "")
    assert "linger_zero: A closes with a linger time of zero\n\nengine |" in done.out
    assert "\nscenario         calls  segments  states  buckets  verdict    causes\n" in done.out
    assert "\nreset_of_orphan  7      5         6       0        equal\n" in done.out
    assert "  counter_resets: Current kernels count RESETs" in done.out
    assert done.out.endswith("calls and segments equal in 2 of 2 (100.0 %)\n1 equal, 1 explained, 0 different\n")


def test_brief_is_the_table_alone_and_names_choose(live, file: str) -> None:  # type: ignore[no-untyped-def]
    done = live("--from", file, "reset_of_orphan", "--brief")
    assert done.out.startswith("scenario ")
    assert "linger_zero" not in done.out


def test_json_is_the_recording_again(live, file: str, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    done = live("--from", file, "--json", "-")
    assert done.out == Path(file).read_text(encoding="ascii")
    assert [json.loads(line)["kind"] for line in done.out.splitlines()] == ["live", "live_run", "live_run"]
    assert live("--from", file, "--brief", "--json", str(tmp_path / "again.jsonl")).status == 0
    assert (tmp_path / "again.jsonl").read_bytes() == Path(file).read_bytes()


def test_a_difference_without_a_cause_ends_with_1(live, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    whole = recorded()
    run = whole.run("reset_of_orphan")
    records = [x._replace(ret=-1, errno="EIO") if isinstance(x, r.Return) else x for x in run.records]
    write_recording(whole._replace(runs=[run._replace(records=records)]), tmp_path / "x.jsonl")
    done = live("--from", str(tmp_path / "x.jsonl"))
    assert done.status == 1
    assert "close(3) = 0 | close(3) = -1 EIO" in done.out
    assert "<- differs: not explained" in done.out


def test_list_says_why_not(live) -> None:  # type: ignore[no-untyped-def]
    done = live("--list", "linger_zero", "short_time_wait")
    assert done.out == (
        "linger_zero      2 s\n"
        "short_time_wait  no   it sets tcp_tw_recycle, which Linux has not had since 4.12\n"
        "1 of 2 make sense on a live kernel.\n"
    )


MISTAKES = {
    (): "a scenario is missing; --all runs every one",
    ("--all", "linger_zero"): "linger_zero: with --all no scenario is named.",
    ("lingr_zero",): "there is no scenario 'lingr_zero' (did you mean 'linger_zero'",
    ("--from", "none.jsonl"): "none.jsonl: the file cannot be read: No such file or directory.",
    ("linger_zero", "--jobs", "0"): "--jobs: at least one scenario runs at a time.",
    ("linger_zero", "--json", "none/x.jsonl"): "none/x.jsonl: there is no such folder; make it first.",
}


@pytest.mark.parametrize("words", MISTAKES, ids=" ".join)
def test_a_mistake_is_one_sentence_and_status_2(live, words, tmp_path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.chdir(tmp_path)
    done = live(*words)
    assert (done.status, done.out) == (2, "")
    assert MISTAKES[words] in done.err
    assert done.err.count("\n") == 1


def test_another_system_ends_with_3(live, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(sys, "platform", "darwin")
    done = live("linger_zero")
    assert (done.status, done.out) == (3, "")
    assert done.err.startswith("tcpnotes live: A live run needs a Linux kernel")


def test_what_does_not_fit_is_not_run(live, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr("tcpnotes.live.observe.check", lambda: None)
    done = live("out_of_memory")
    assert done.status == 2
    assert "out_of_memory does not run on a live kernel: it sets tcp_mem" in done.err


def test_a_machine_that_is_too_busy_is_told_and_the_rest_is_shown(live, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    def run(name: str):  # type: ignore[no-untyped-def]
        if name == "linger_zero":
            raise TooBusy("linger_zero: the machine is too busy: a step came 99 ms late; try again.")
        return recorded().run(name)

    monkeypatch.setattr("tcpnotes.live.machine", lambda: recorded().machine)
    monkeypatch.setattr("tcpnotes.live.run", run)
    done = live("linger_zero", "reset_of_orphan", "--brief")
    assert done.status == 1
    assert "reset_of_orphan" in done.out
    assert (
        done.err == "tcpnotes live: not run: linger_zero: the machine is too busy: a step came 99 ms late; try again.\n"
    )
