"""Sweeps: what a row measures, that a file can be gone on with, and that more processes change nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tcpnotes.scenarios.run import run
from tcpnotes.sweep import Spec, SpecError, load_spec, measure, read_rows, spec_names, sweep
from tcpnotes.sweep import rows as rows_module
from tcpnotes.sweep.grid import Value, parse
from tcpnotes.sweep.measure import Measures
from tcpnotes.trace.records import Bucket, StateChange

SMALL = b"""
title = "A small one"
scenario = "orderly_close"
until = 120
[grid]
profile = ["source", "linux-6"]
loss = [0, 0.4]
seeds = 10
"""


@pytest.fixture
def spec() -> Spec:
    return parse(SMALL, "small", "small.toml")


def one(text: str, **values: Value) -> Measures:
    """The measures of the only row of a sweep that has these values."""
    made = parse(f'title = "x"\n{text}'.encode(), "x", "x.toml")
    (point,) = [p for p in made.points() if values.items() <= dict(zip(made.names, p, strict=True)).items()]
    return measure(made, point)


# -- what is measured ------------------------------------------------------------------------------------------------


def test_measures__are_what_the_trace_of_the_scenario_says() -> None:
    found = one('scenario = "orderly_close"\nuntil = 600')
    records = run("orderly_close").recorder.records
    (made,) = [r for r in records if isinstance(r, Bucket) and r.op == "create"]
    (gone,) = [r for r in records if isinstance(r, Bucket) and r.op == "kill"]
    freed = max(r.t for r in records if isinstance(r, StateChange) and r.host == "B" and r.new == "CLOSE")
    assert found.closed_a == (gone.t - 2_000_000) / 1e6 and found.closed_b == (freed - 2_000_000) / 1e6
    assert (found.buckets, found.buckets_most) == (1, 1)
    assert found.bucket_seconds == (gone.t - made.t) / 1e6
    assert (found.rsts, found.retransmissions, found.lost) == (0, 0, 0)


def test_delay__is_the_way_from_host_to_host() -> None:
    text = 'scenario = "orderly_close"\n[grid]\ndelay = [0.01, 0.2]'
    near, far = one(text, delay=0.01), one(text, delay=0.2)
    assert near.closed_b is not None and far.closed_b is not None
    # B's last step waits for A's ACK of its FIN, there and back.
    assert far.closed_b - near.closed_b == pytest.approx(2 * (0.2 - 0.01))


def test_linger__zero_cuts_off_with_a_rst_and_leaves_no_bucket() -> None:
    text = 'scenario = "orderly_close"\n[grid]\nlinger = ["off", 0]'
    off, zero = one(text, linger="off"), one(text, linger=0)
    assert (off.rsts, off.buckets) == (0, 1)
    assert (zero.rsts, zero.buckets, zero.closed_a) == (1, 0, 0.0)


def test_linger__close_comes_back_when_all_is_acknowledged_or_the_time_is_up() -> None:
    text = 'scenario = "orderly_close"\nuntil = 60\n[grid]\nlinger = ["off", 10]'
    assert one(text, linger="off").close_took == 0
    assert one(text, linger=10).close_took == 0.14  # there, B's delayed ACK, and back
    silent = 'scenario = "linger_wait"\nuntil = 60\n[grid]\nlinger = [10]\nloss = [1]'
    assert one(silent).close_took == 10


def test_sysctl__is_set_on_both_hosts() -> None:
    text = 'scenario = "fin_wait2_time_out"\n[grid]\n[grid.sysctl]\ntcp_fin_timeout = [10, 60]'
    short, long = one(text, **{"sysctl.tcp_fin_timeout": 10}), one(text, **{"sysctl.tcp_fin_timeout": 60})
    assert short.closed_a is not None and long.closed_a is not None
    assert short.closed_a < long.closed_a


def test_loss__all_of_it_and_nobody_hears_of_the_close() -> None:
    found = one('scenario = "orderly_close"\nuntil = 30\n[grid]\nloss = [1]')
    assert found.closed_a is None and found.closed_b is None
    assert found.lost and found.retransmissions > 1 and found.buckets == 0


def test_loss__what_is_lost_at_a_small_chance_is_lost_at_a_larger_one() -> None:
    spec = parse(b'title = "x"\nscenario = "orderly_close"\n[grid]\nloss = [0, 0.2, 0.6]\nseeds = 8', "x", "x.toml")
    first: dict[Value, list[int]] = {}
    for row in sweep(spec):
        first.setdefault(row.point[-1], []).append(row.measures.lost)
    assert all(lost[0] == 0 for lost in first.values())
    assert sum(lost[1] for lost in first.values()) < sum(lost[2] for lost in first.values())


# -- the file --------------------------------------------------------------------------------------------------------


def counted(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Value, ...]]:
    """The points that are run from now on."""
    done: list[tuple[Value, ...]] = []

    def counting(spec: Spec, point: Sequence[Value]) -> Measures:
        done.append(tuple(point))
        return measure(spec, point)

    monkeypatch.setattr(rows_module, "measure", counting)
    return done


def test_file__has_a_line_for_each_point_in_the_order_of_the_grid(spec: Spec, tmp_path: Path) -> None:
    rows = sweep(spec, out=tmp_path / "x.csv")
    assert [row.point for row in rows] == spec.points() and len(rows) == spec.size == 40
    lines = (tmp_path / "x.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("profile,loss,seed,closed_a,closed_b,") and len(lines) == 41
    assert read_rows(tmp_path / "x.csv", spec) == rows


@pytest.mark.parametrize("kept", [0, 10, 90, 1000, 1001, -1])
def test_file__a_part_of_it_is_gone_on_with(
    kept: int, spec: Spec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "x.csv"
    whole = sweep(spec, out=file)
    content = file.read_bytes()
    part = content[:kept]
    file.write_bytes(part)
    done = counted(monkeypatch)
    assert sweep(spec, out=file) == whole
    assert file.read_bytes() == content
    assert len(done) == spec.size - max(part.count(b"\n") - 1, 0)


def test_file__a_killed_sweep_goes_on_to_the_same_file(spec: Spec, tmp_path: Path) -> None:
    (tmp_path / "small.toml").write_bytes(SMALL)
    program = (
        "import os, signal\nfrom tcpnotes.sweep import sweep\n"
        "sweep('small.toml', out='x.csv', tell=lambda n: n >= 16 and os.kill(os.getpid(), signal.SIGKILL))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=False)
    assert done.returncode == -signal.SIGKILL
    file = tmp_path / "x.csv"
    assert len(read_rows(file, spec)) == 16
    sweep(spec, out=file)
    sweep(spec, out=tmp_path / "y.csv")
    assert file.read_bytes() == (tmp_path / "y.csv").read_bytes()


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ("profile,loss", "profile,gain", "line 1"),
        ("source,0.0,0,", "source,0.1,0,", "line 2"),
        ("source,0.0,1,", "source,0.0,1,x", "line 3"),
        ("source,0.0,2,", "source,0.0,2", "line 4"),
    ],
)
def test_file__of_another_sweep_is_left_alone(old: str, new: str, where: str, spec: Spec, tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    sweep(spec, out=file)
    content = file.read_text(encoding="utf-8").replace(old, new, 1)
    file.write_text(content, encoding="utf-8")
    with pytest.raises(SpecError) as caught:
        sweep(spec, out=file)
    assert caught.value.where == where
    assert file.read_text(encoding="utf-8") == content


def test_file__that_holds_something_else_is_left_alone(spec: Spec, tmp_path: Path) -> None:
    file = tmp_path / "thesis.txt"
    file.write_bytes(b"all my work")
    with pytest.raises(SpecError, match="of another sweep"):
        sweep(spec, out=file)
    assert file.read_bytes() == b"all my work"


# -- many processes --------------------------------------------------------------------------------------------------


def test_two_processes__one_is_killed_in_the_middle_and_the_rows_are_the_same(spec: Spec, tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed", reason="Dask is not installed: pip install 'tcpnotes[scale]'")
    killed: list[int] = []

    def kill_one(done: int) -> None:
        if done and not killed:
            workers = distributed.default_client().cluster.workers
            killed.append(workers[0].pid)
            os.kill(killed[0], signal.SIGKILL)

    rows = sweep(spec, jobs=2, out=tmp_path / "two.csv", tell=kill_one)
    assert killed
    assert rows == sweep(spec, out=tmp_path / "one.csv")
    assert (tmp_path / "two.csv").read_bytes() == (tmp_path / "one.csv").read_bytes()


def test_cluster__at_an_address_makes_the_same_rows(spec: Spec) -> None:
    distributed = pytest.importorskip("distributed", reason="Dask is not installed: pip install 'tcpnotes[scale]'")
    with distributed.LocalCluster(
        host="127.0.0.1",
        protocol="tcp",
        n_workers=1,
        threads_per_worker=1,
        processes=False,
        dashboard_address="127.0.0.1:0",
    ) as cluster:
        assert sweep(spec, cluster=cluster.scheduler_address) == sweep(spec)


def test_cluster__a_script_that_cannot_be_followed_is_told_from_there_too(tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed", reason="Dask is not installed: pip install 'tcpnotes[scale]'")
    text = b'title = "x"\nscenario = "reset_in_time_wait"\n[grid]\nlinger = ["off", 0]'
    spec = parse(text, "x", "x.toml")
    here, there = tmp_path / "here.csv", tmp_path / "there.csv"
    with pytest.raises(SpecError, match=r"x: profile = source, linger = 0, seed = 0: the script cannot be") as caught:
        sweep(spec, out=here)
    with (
        distributed.LocalCluster(
            host="127.0.0.1",
            protocol="tcp",
            n_workers=1,
            threads_per_worker=1,
            processes=False,
            dashboard_address="127.0.0.1:0",
        ) as cluster,
        pytest.raises(SpecError) as again,
    ):
        sweep(spec, cluster=cluster.scheduler_address, out=there)
    assert str(again.value) == str(caught.value)


def test_cluster__nobody_answers(spec: Spec, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed", reason="Dask is not installed: pip install 'tcpnotes[scale]'")
    monkeypatch.setattr("tcpnotes.sweep.cluster.WAIT", 1)
    with pytest.raises(RuntimeError, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:9"):
        sweep(spec, cluster="tcp://127.0.0.1:9")


def test_without_dask__one_sentence(spec: Spec, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(RuntimeError, match=r"install Dask: pip install 'tcpnotes\[scale\]'"):
        sweep(spec, jobs=2)


# -- tables and plots ------------------------------------------------------------------------------------------------


def test_frame__a_column_for_each_parameter_and_measure(spec: Spec) -> None:
    pytest.importorskip("pandas", reason="pandas is not installed: pip install 'tcpnotes[scale]'")
    from tcpnotes.sweep.frame import frame

    table = frame(spec, sweep(spec))
    assert list(table.columns[:3]) == ["profile", "loss", "seed"] and len(table) == 40
    assert (table[table.loss == 0].retransmissions == 0).all()
    assert (table[table.loss > 0].retransmissions > 0).any()


def test_plot__same_rows_same_file(spec: Spec, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed: pip install 'tcpnotes[scale]'")
    from tcpnotes.sweep.frame import plot, save_plot

    rows = sweep(spec)
    for name in ("a.svg", "b.svg"):
        save_plot(plot(spec, rows), tmp_path / name)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    axes = plot(spec, rows).axes[1]
    assert axes.get_xlabel() == "loss" and len(axes.lines) == 2
    assert next(iter(axes.lines[0].get_ydata())) == 61.05
    with pytest.raises(ValueError, match="'delay' is not varied"):
        plot(spec, rows, "delay")


def test_without_pandas__one_sentence(spec: Spec, monkeypatch: pytest.MonkeyPatch) -> None:
    from tcpnotes.sweep.frame import frame

    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(RuntimeError, match=r"pip install 'tcpnotes\[scale\]'"):
        frame(spec, [])


# -- specs -----------------------------------------------------------------------------------------------------------


def test_specs__all_can_be_read_and_their_ends_run() -> None:
    for name in spec_names():
        made = load_spec(name)
        assert made.about and made.size == len(made.points())
        for point in (made.points()[0], made.points()[-1]):
            assert measure(made, point).segments


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("", "scenario"),
        ("scenario = 'orderly_close'", "title"),
        ("title = 'x'\nscenario = 'nothing'", "scenario"),
        ("title = 'x'\nscenario = 'nothing.toml'", "scenario"),
        ("title = 'x'\nscenario = 'orderly_close'\nspeed = 1", "speed"),
        ("title = 'x'\nscenario = 'orderly_close'\nuntil = 1.5", "until"),
        ("title = 'x'\nscenario = 'half_close'\n[grid]\nloss = [2]", "grid.loss[1]"),
        ("title = 'x'\nscenario = 'orderly_close'\n[grid]\nloss = 0.1", "grid.loss"),
        ("title = 'x'\nscenario = 'orderly_close'\n[grid]\nloss = []", "grid.loss"),
        ("title = 'x'\nscenario = 'orderly_close'\n[grid]\nloss = [0, 0.0]", "grid.loss"),
        ("title = 'x'\nscenario = 'orderly_close'\n[grid]\nlinger = ['on']", "grid.linger[1]"),
        ("title = 'x'\nscenario = 'orderly_close'\n[grid]\nprofile = ['linux-9']", "grid.profile[1]"),
        ("title = 'x'\nscenario = 'orderly_close'\n[grid]\nseeds = 0", "grid.seeds"),
        ("title = 'x'\nscenario = 'orderly_close'\n[grid]\nseeds = 1000000\nloss = [0, 1]", "grid"),
        ("title = 'x'\nscenario = 'orderly_close'\n[grid.sysctl]\ntcp_nothing = [1]", "grid.sysctl.tcp_nothing"),
        ("title = 'x'\nscenario = 'orderly_close'\n[grid.sysctl]\ntcp_fin_timeout = [-1]",
         "grid.sysctl.tcp_fin_timeout[1]"),
        ("title = ", ""),
    ],
)  # fmt: skip
def test_bad_spec__says_where(text: str, where: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse(text.encode(), "x", "x.toml")
    assert caught.value.where == where


def test_unknown_spec_and_missing_file(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="there are: linger, loss"):
        load_spec("nothing")
    with pytest.raises(SpecError, match="cannot be read"):
        load_spec(tmp_path / "none.toml")
