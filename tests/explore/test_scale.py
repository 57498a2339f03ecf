"""Large searches: by blocks, and on several processes, one of which dies; the result is always the same."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from itertools import pairwise
from multiprocessing import get_all_start_methods
from typing import Any

import pytest

from tcpnotes.cli import main
from tcpnotes.explore.circles import _walk, lasting, strip
from tcpnotes.explore.model import load_model
from tcpnotes.explore.properties import PROPERTIES, Property
from tcpnotes.explore.search import Search
from tcpnotes.explore.story import scenario_of, tell
from tcpnotes.scenarios.run import run

np = pytest.importorskip("numpy", reason="numpy is in the extra 'scale'")
pytest.importorskip("distributed", reason="Dask is in the extra 'scale'")

from tcpnotes.explore import part  # noqa: E402
from tcpnotes.explore.crew import CrewError, CrewSearch, processes  # noqa: E402
from tcpnotes.explore.levels import LevelSearch, new_search  # noqa: E402
from tcpnotes.explore.tables import Known  # noqa: E402

PROFILE = "source"


def outcome(search: Search) -> tuple[Any, ...]:
    """All that a search comes to; of stories only the length, as there may be several shortest ones."""
    found = [
        (one.property.name, len(one.path), one.last is not None, bool(one.circle)) for one in search.results()
    ]  # fmt: skip
    return search.progress(), search.space.cut, found


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    with processes(2) as client:
        yield client


@pytest.mark.parametrize("model", ["close_lossy", "lingering", "listening", "closed_window", "abort_anytime"])
def test_blocks__the_same_states_depths_and_verdicts(model: str) -> None:
    plain, blocks = Search(load_model(model), PROFILE), LevelSearch(load_model(model), PROFILE)
    assert plain.run() and blocks.run()
    assert outcome(plain) == outcome(blocks)
    for found in blocks.results():
        run(scenario_of(blocks, found), profile=PROFILE)


def test_blocks__timers_that_fire_early_and_the_full_space() -> None:
    for changes, reduce in (({"late": 1}, True), ({"reorder": False}, True), ({"double": 0}, False), ({}, False)):
        model = load_model("close_lossy")._replace(**changes)
        plain, blocks = Search(model, PROFILE, reduce=reduce), LevelSearch(model, PROFILE, reduce=reduce)
        assert plain.run() and blocks.run()
        assert outcome(plain) == outcome(blocks)


def test_blocks__what_is_known_is_known_once() -> None:
    known = Known()
    for row in ([5], [1, 9], [2, 3, 4], [7], [8], [6]):
        keys = np.array(row, dtype=np.uint64)
        assert known.missing(keys).all()
        known.add(keys)
    assert sum(len(row) for row in known.rows) == 9
    assert not known.missing(np.arange(1, 10, dtype=np.uint64)).any()
    assert known.missing(np.array([0, 10], dtype=np.uint64)).all()


def test_search__by_blocks_where_numpy_is_there() -> None:
    search = new_search(load_model("close_simple"), PROFILE)
    assert isinstance(search, LevelSearch)
    assert not search.run(limit=20)
    assert search.run()
    assert search.progress() == outcome(search)[0]


@pytest.mark.parametrize("model", ["close_lossy", "listening"])
def test_two_processes__the_same_counts_and_verdicts_and_even_work(model: str, client: Any) -> None:
    alone, crew = LevelSearch(load_model(model), PROFILE), CrewSearch(client, load_model(model), PROFILE)
    assert alone.run() and crew.run()
    assert outcome(crew) == outcome(alone)
    for one, other in zip(crew.results(), alone.results(), strict=True):
        assert len(tell(crew, one).moves) == len(tell(alone, other).moves)
        run(scenario_of(crew, one), profile=PROFILE)
    assert crew.moved > 0
    if model == "listening":
        assert max(crew.worked) <= 1.1 * min(crew.worked)


@pytest.mark.skipif("forkserver" not in get_all_start_methods(), reason="processes cannot be forked here")
def test_processes__begin_with_all_that_a_part_needs() -> None:
    with processes(2) as client:
        there = client.run(lambda: {"tcpnotes.explore.part", "numpy"} <= set(sys.modules))
    assert list(there.values()) == [True, True]


def test_processes__a_property_that_they_do_not_know_is_not_taken_for_one_that_holds(
    client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PROPERTIES, "of_a_cell", Property("of_a_cell", "end", "a cell", "Never.", lambda end: False))
    crew = CrewSearch(client, load_model("close_simple"), PROFILE)
    with pytest.raises(LookupError, match="does not know the property of_a_cell: put it into a module"):
        crew.run()


class AtOnce:
    """Stands in for Dask: a task is done when it is handed in, here, and its result is there."""

    def __init__(self, parts: int) -> None:
        self.workers = dict.fromkeys(range(parts))

    def scheduler_info(self, n_workers: int) -> dict[str, Any]:
        return {"workers": self.workers}

    def submit(self, function: Callable[..., Any], *args: Any, **settings: Any) -> Any:
        return function(*args)

    def gather(self, results: Any) -> Any:
        return results


@pytest.mark.parametrize("parts", [1, 2, 5])
@pytest.mark.parametrize("model", ["close_lossy", "closed_window", "listening"])
def test_parts__the_engine_makes_every_step_once(model: str, parts: int) -> None:
    alone, crew = LevelSearch(load_model(model), PROFILE), CrewSearch(AtOnce(parts), load_model(model), PROFILE)
    assert alone.run() and crew.run()
    assert crew.space.ends.worked == 0
    assert outcome(crew) == outcome(alone)
    worked = [part._parts[crew.task.run, number].space.ends.worked for number in range(parts)]
    assert sum(worked) == alone.space.ends.worked
    assert max(worked) <= 0.3 * sum(worked) + sum(worked) / parts
    assert crew.space.ends.worked < 100  # to tell the stories


@pytest.mark.parametrize("model", ["close_lossy", "closed_window"])
def test_parts__what_is_lost_is_built_again_with_all_that_was_found(model: str) -> None:
    alone, crew = LevelSearch(load_model(model), PROFILE), CrewSearch(AtOnce(2), load_model(model), PROFILE)
    while not crew.run(limit=sum(crew.sizes) + 400):
        part._parts.clear()
    assert alone.run()
    assert outcome(crew) == outcome(alone)


def test_parts__what_is_asked_again_when_its_answer_is_lost_is_answered_as_before() -> None:
    """Dask has any task done again, also long after others have gone on."""
    crew = CrewSearch(AtOnce(2), load_model("close_lossy"), PROFILE)
    assert crew.run()
    for last, level in pairwise(crew._levels):
        gone = [part.expand(crew.task, n, last.pasts[n], last.blocks[n], last.records) for n in range(2)]
        part._parts.clear()  # and those who are asked now have nothing but the answers
        again = [part.work(crew.task, n, level.pasts[n], gone) for n in range(2)]
        assert [_as_told(records) for records in again] == [_as_told(records) for records in level.records]
        crew._ask("noted")  # all have heard everything again


def test_parts__one_that_has_gone_on_already_answers_as_the_others_do() -> None:
    """The crew has the parts go on before it has counted, and asks them when some are a depth further than others."""
    alone, crew = LevelSearch(load_model("closed_window"), PROFILE), CrewSearch(AtOnce(2), load_model("closed_window"))
    assert alone.run() and crew.run()
    del part._parts[crew.task.run, 0]
    assert outcome(crew) == outcome(alone)


def _as_told(records: Any) -> Any:
    steps = records.steps
    return {
        (end, str(steps.stimuli[what][0])) for end, what in zip(steps.ends.tolist(), steps.what.tolist(), strict=True)
    }


@pytest.mark.parametrize("model", ["close_lossy", "closed_window", "write_close", "lingering"])
def test_circles__what_cannot_go_on_for_ever_need_not_be_looked_at(model: str) -> None:
    """Every circle that is found when all states are asked is found among those that are."""
    search = LevelSearch(load_model(model), PROFILE)
    assert search.run()
    lively, everyone = lasting(search.space.ends), set(range(len(search.space.ends.digests)))
    assert lively < everyone
    for one in (one for one in search.properties if one.about == "ever"):
        left, all_left = search.stripped(one, lively), search.stripped(one, everyone)
        assert left == strip(search, one, lively)
        assert all(left.issuperset(_walk(search, start, all_left)) for start in all_left)


def test_two_processes__what_goes_on_for_ever() -> None:
    with processes(2) as client:
        crew = CrewSearch(client, load_model("closed_window"), PROFILE)
        assert crew.run()
        (found,) = crew.results()
        assert found.property.name == "no_endless_probing" and found.circle


def test_a_process_dies_and_the_result_is_the_same() -> None:
    alone = LevelSearch(load_model("listening"), PROFILE)
    assert alone.run()
    with processes(2) as client:
        crew = CrewSearch(client, load_model("listening"), PROFILE)
        assert not crew.run(limit=2000)
        workers = client.run(lambda dask_worker: dask_worker.address)
        victim = next(iter(workers))
        with contextlib.suppress(OSError):
            client.run(_die, workers=[victim], on_error="ignore")
        assert crew.run()
        assert victim not in client.scheduler_info(n_workers=-1)["workers"]
        assert outcome(crew) == outcome(alone)


def _die() -> None:
    import os

    os._exit(1)


def test_command__jobs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explore", "close_lossy", "--jobs", "2"]) == 0
    out = capsys.readouterr().out
    assert "known hole: no_assassination" in out and "1,299 states" in out


def test_command__a_cluster_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explore", "close_lossy", "--cluster", "tcp://127.0.0.1:1"]) == 2
    assert "there is no Dask cluster at tcp://127.0.0.1:1" in capsys.readouterr().err
    with pytest.raises(CrewError), processes(1, "nonsense://x"):
        pass


@pytest.mark.parametrize("option", [["--bug", "15"], ["--resume", "x"], ["--checkpoint", "x"]])
def test_command__what_several_processes_cannot(option: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    model = [] if option[0] == "--resume" else ["close_lossy"]
    assert main(["explore", *model, "--jobs", "2", *option]) == 2
    assert option[0] in capsys.readouterr().err
