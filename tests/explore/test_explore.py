"""Every interleaving: what is searched, that reduction loses nothing, and that what is found happens in a world."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from shutil import which

import pytest

from tcpnotes.cli import main
from tcpnotes.exercises import bugs, planted
from tcpnotes.explore.checkpoint import CheckpointError, save
from tcpnotes.explore.checkpoint import load as restored
from tcpnotes.explore.circles import search_circles
from tcpnotes.explore.coverage import UNREACHABLE, coverage, never_gone
from tcpnotes.explore.ends import essence
from tcpnotes.explore.graph import Graph, joint_graph, way_to
from tcpnotes.explore.model import ModelError, load_model, model_names, parse
from tcpnotes.explore.properties import PROPERTIES, Property, prop
from tcpnotes.explore.search import Found, Search
from tcpnotes.explore.story import events, scenario_of, tell
from tcpnotes.explore.views import Pair
from tcpnotes.kernel import mirror
from tcpnotes.kernel.sock import STATE_NAMES
from tcpnotes.scenarios.run import run
from tcpnotes.view.joint import dot_source, joint_states
from tcpnotes.view.states import ARCS
from tcpnotes.widgets.game import Game

ROOT = Path(__file__).resolve().parents[2]
PROFILES = ("source", "linux-2.4.0")
SMALL = ("close_simple", "close_lossy", "lingering", "long_fin_wait2")


def searched(model: str, profile: str = "linux-2.4.0", *, reduce: bool = True, **changes: int) -> Search:
    search = Search(load_model(model)._replace(**changes), profile, reduce=reduce)
    assert search.run()
    return search


def broken(search: Search) -> set[str]:
    return {found.property.name for found in search.results()}


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("model", [*SMALL, "listening", "opening", "abort_anytime"])
def test_released_kernel_and_text__only_the_known_holes(model: str, profile: str) -> None:
    for found in searched(model, profile).results():
        assert found.property.hole, tell(searched(model, profile), found).moves


@pytest.mark.parametrize("model", SMALL)
def test_reduction__same_verdicts_as_the_full_search(model: str) -> None:
    # Segments that are lost take no room in the reduced search, so the bound must not bite.
    reduced, full = searched(model, in_flight=8), searched(model, in_flight=8, reduce=False)
    assert broken(reduced) == broken(full)
    assert len(reduced.order) < len(full.order)
    assert reduced.space.cut == full.space.cut == 0


def test_full_search__whatever_one_host_may_do_the_other_may_do_too() -> None:
    search = searched("close_simple", reduce=False)
    parts = {search.space.parts(key)[:2] for key in search.order}
    assert parts == {(b, a) for a, b in parts}


@pytest.mark.skipif(mirror.COMPILED, reason="functions of the compiled engine cannot be exchanged")
@pytest.mark.parametrize("bug", ["two_seconds", "timer_forgotten", "gives_up_in_closing", "passive_at_heart"])
def test_reduction__finds_the_same_bugs(bug: str) -> None:
    with planted(bug):
        assert broken(searched("close_lossy")) == broken(searched("close_lossy", reduce=False))


@pytest.mark.parametrize("model", [*SMALL, "listening"])
def test_every_state__a_world_that_goes_the_same_way_has_the_same_shape(model: str) -> None:
    search = searched(model)
    step = max(len(search.order) // 60, 1)
    for index in range(0, len(search.order), step):
        found = Found(PROPERTIES["all_is_free"], search.path(index))
        space = search.space
        a, b, _ = space.parts(search.order[index])
        swapped = space.first_swapped
        for key, there in zip(found.path, found.path[1:], strict=False):
            swapped ^= next(change for _, to, change in space.explained(key) if to == there)
        world = tell(search, found).world
        ends = (b, a) if swapped else (a, b)
        for host, side in zip("AB", ends, strict=True):
            end = space.side_end[side]
            assert essence(world.host(host), space.ends.apps[end]) == essence(
                space.ends.host(end), space.ends.apps[end]
            )


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(
    "model", [*SMALL, "closed_window", "long_fin_wait2", "opening", "write_close", "abort_anytime"]
)
def test_essence__states_of_one_essence_do_the_same_whatever_reaches_them(model: str, profile: str) -> None:
    # Whole states apart, each with its essence: whatever reaches two of one essence, they send the same, and what they
    # become is of one essence again.  So are their timers, and what properties of both ends see of them.
    search = Search(load_model(model), profile, whole=True)
    search.run(limit=40_000)
    ends = search.space.ends
    essences = [(essence(ends.host(end), app), app) for end, app in enumerate(ends.apps)]
    seen = {}
    for end, what in enumerate(essences):
        outside = (ends.dues[end], ends.spent[end], ends.end(end).summary)
        assert seen.setdefault(what, outside) == outside
    assert len(seen) < len(essences)
    done = {}
    for end, code in [(key >> 24, key & 0xFFFFFF) for key in list(ends._steps)]:
        there, sent = ends.step(end, ends.stimuli[code])
        assert done.setdefault((essences[end], code), (essences[there], sent)) == (essences[there], sent)


def test_assassination__shortest_story_runs_as_a_scenario_and_in_a_game() -> None:
    search = searched("close_lossy")
    (found,) = search.results()
    assert found.property.name == "no_assassination"
    moves = tell(search, found).moves
    assert moves[0].endswith(".close(3)") and len(list(events(search, found))) == 7
    scenario = scenario_of(search, found)
    done = run(scenario, profile="linux-2.4.0")
    kinds = [(record.kind, getattr(record, "op", "")) for record in done.recorder.records]
    assert ("tw", "kill") in kinds
    assert not any(host.net.tw_hash or host.net.socks for host in done.world.hosts.values())
    game = Game(scenario, profile="linux-2.4.0")
    game.goto(game.count)
    assert not any(host.net.tw_hash for host in game.world.hosts.values())


def test_rfc1337__nobody_is_assassinated_when_it_is_on() -> None:
    model = load_model("close_lossy")
    search = Search(model._replace(sysctl=(*model.sysctl, ("tcp_rfc1337", 1))), "linux-2.4.0")
    assert search.run() and search.results() == []


def test_endless_probing__the_orphan_that_window_probes_keep_alive_is_found() -> None:
    search = searched("closed_window")
    (found,) = search.results()
    assert found.property.name == "no_endless_probing" and found.circle
    moves = tell(search, found).moves
    assert "A.close(3)" in moves
    assert moves[-3:].count("fire(A)") == 1  # once round: a probe, and its answer


def test_deadly_embrace__only_where_the_text_is_followed_word_for_word() -> None:
    assert "no_deadly_embrace" in broken(searched("abort_anytime", "source"))
    assert "no_deadly_embrace" not in broken(searched("abort_anytime", "linux-2.4.0"))


MUSEUM = {
    "fin_despite_unread_data": "write_close", "waits_with_the_state": "closed_window", "silent_abort": "abort_anytime",
    "any_ack_will_do": "write_close", "deaf_after_half_close": "write_close", "impatient_fin": "write_close",
    "no_second_try_in_close_wait": "write_close", "oversleeps": "lingering", "orphan_for_ever": "long_fin_wait2",
    "killed_by_a_syn": "opening", "close_ends_time_wait": "write_close",
}  # fmt: skip


@pytest.mark.skipif(mirror.COMPILED, reason="functions of the compiled engine cannot be exchanged")
@pytest.mark.parametrize("bug", [one.name for one in bugs()])
def test_museum__every_bug_is_found(bug: str) -> None:
    with planted(bug):
        search = Search(load_model(MUSEUM.get(bug, "close_lossy")), "linux-2.4.0")
        search.run(limit=300_000, stop_at=("*",))
        faults = [found for found in search.results() if not found.property.hole]
        assert faults
        scenario = scenario_of(search, faults[0])
        run(scenario, profile="linux-2.4.0")


def test_search__goes_on_where_it_stopped() -> None:
    whole = searched("close_lossy")
    search = Search(load_model("close_lossy"), "linux-2.4.0")
    assert not search.run(limit=500)
    assert not search.done
    assert search.run()
    assert list(search.order) == list(whole.order) and search.transitions == whole.transitions


def test_own_property__a_decorated_function() -> None:
    @prop("rest", "nowhere", "Nothing ever comes to rest.")
    def never_rests(pair: Pair) -> bool:
        return False

    try:
        assert "never_rests" in broken(searched("close_simple"))
    finally:
        del PROPERTIES["never_rests"]
    with pytest.raises(ValueError, match="about one of end, step"):
        prop("world", "", "")


def test_circle__found_when_something_may_never_end() -> None:
    model = load_model("close_simple")
    forever = Property("no_bucket", "ever", "", "", lambda pair: pair.a.place != "TIME_WAIT")
    search = Search(model, "linux-2.4.0", properties=[forever])
    assert search.run()
    search_circles(search)
    assert search.found == {}  # TIME_WAIT ends


def test_models__all_can_be_read() -> None:
    for name in model_names():
        assert load_model(name).title


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("", "title"),
        ("title = 1", "title"),
        ("title = 'x'\nspeed = 1", "speed"),
        ("title = 'x'\n[network]\nlose = 8", "network.lose"),
        ("title = 'x'\n[network]\nreorder = 1", "network.reorder"),
        ("title = 'x'\n[both]\nlisten = true", "both.listen"),
        ("title = 'x'\n[both]\n[A]", "both"),
        ("title = 'x'\n[sysctl]\ntcp_sack = 1", "sysctl.tcp_sack"),
        ("title = 'x'\nstart = 'now'", "start"),
        ("title = ", ""),
    ],
)
def test_bad_model__says_where(text: str, where: str) -> None:
    with pytest.raises(ModelError) as caught:
        parse(text.encode(), "x", "x.toml")
    assert caught.value.where == where


def test_unknown_model_and_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="there are: abort_anytime"):
        load_model("nothing")
    with pytest.raises(ModelError, match="cannot be read"):
        load_model(tmp_path / "none.toml")


def test_model_with_a_setting_that_the_kernel_does_not_have__says_so() -> None:
    model = parse(b"title = 'x'\n[sysctl]\ntcp_tw_recycle = 1", "x", "x.toml")
    assert model.open("linux-2.4.0")
    with pytest.raises(ModelError, match=r"sysctl\.tcp_tw_recycle: not under the profile linux-6"):
        model.open("linux-6")


def test_coverage__every_arc_of_the_picture_is_gone_but_the_one_that_linux_cannot_go() -> None:
    seen = coverage("linux-2.4.0")
    ways = {one.way for one in seen}
    picture = {arc for arc in ARCS if arc[0] not in ("START", "LISTEN")} | {("LISTEN", "SYN_RECV")}
    assert picture - ways == set(UNREACHABLE) == set(never_gone(seen))
    assert ways <= picture
    assert min(one.moves for one in seen if one.way == ("ESTABLISHED", "CLOSE_WAIT")) == (
        "A.shutdown(3,SHUT_WR)",
        "arrive(7)",
    )


def test_graph__pairs_of_places_with_the_way_and_what_only_loss_makes() -> None:
    search = searched("close_lossy")
    graph = joint_graph(search, search.results()[0])
    assert ("ESTABLISHED", "ESTABLISHED") in graph.nodes and ("gone", "gone") in graph.nodes
    assert graph.way[0] == ("ESTABLISHED", "ESTABLISHED") and graph.way[-1] == ("gone", "gone")
    assert graph.lossy == set()  # losing one segment makes no new pair of places, only new ways to the old ones
    source = dot_source(graph)
    assert "penwidth=3" in source and "dashed" not in source


def test_graph__what_only_loss_makes_is_drawn_apart() -> None:
    there, lost = (("FIN_WAIT1", "ESTABLISHED"), ("FIN_WAIT1", "gone"))
    graph = Graph((there, lost), {(there, lost): 1}, ())
    assert graph.lossy == {(there, lost)}
    assert re.search('"FIN_WAIT1--ESTABLISHED" -> "FIN_WAIT1--gone" .*style=dashed', dot_source(graph))


def test_graph__is_a_picture_with_its_edges_as_text() -> None:
    there, lost = (("FIN_WAIT1", "ESTABLISHED"), ("FIN_WAIT1", "gone"))
    try:
        picture = joint_states(Graph((there, lost), {(there, lost): 1}, (there, lost)))
    except RuntimeError as error:
        pytest.skip(str(error))
    assert picture.text == "FIN_WAIT1 | ESTABLISHED → FIN_WAIT1 | gone, only with a loss or a duplicate, on the way"
    assert picture.body.count('class="node way">') == 2
    assert '<g id="e-FIN_WAIT1--ESTABLISHED-FIN_WAIT1--gone" class="arc lossy way">' in picture.body


def test_graph__reduced_or_not_the_way_is_bold_and_nodes_tell_and_lead(monkeypatch: pytest.MonkeyPatch) -> None:
    search = searched("close_simple", reduce=False)
    (found,) = search.results()
    graph = joint_graph(search, found)
    monkeypatch.setenv("PATH", "")  # this one is shipped laid out
    start, both = ("ESTABLISHED", "ESTABLISHED"), ("CLOSING", "CLOSING")
    stories = {node: tell(search, way_to(search, node)).moves for node in graph.nodes}
    picture = joint_states(graph, links={start: "x@1"}, stories=stories)
    plain = joint_states(graph._replace(way=()))
    assert (picture.width, picture.height) == (plain.width, plain.height)
    assert 'class="node way"' not in plain.body and picture.body.count('class="node way"') == len(set(graph.way))
    assert picture.body.count("<a href=") == 1 and '<a href="#x@1"' in picture.body
    assert "CLOSING | CLOSING: A.close(3); B.close(3); arrive(8); arrive(7)" in picture.text
    assert picture.body.count("<title>") == len(graph.nodes)
    world = tell(search, way_to(search, both)).world
    assert [STATE_NAMES[sk.state] for host in world.hosts.values() for sk in host.net.socks.values()] == ["CLOSING"] * 2
    with pytest.raises(ValueError, match="has met no LISTEN"):
        way_to(search, ("LISTEN", "LISTEN"))


def test_graph__the_models_of_the_book_are_shipped_laid_out() -> None:
    if not (which("graphviz-pure") or which("dot")):
        pytest.skip("Graphviz is not there: install graphviz-pure")
    command = [sys.executable, str(ROOT / "tools" / "draw_states.py"), "--check"]
    assert subprocess.run(command, check=False).returncode == 0


def test_graph__so_many_losses_that_one_end_gives_up() -> None:
    # Seven losses in a row: the last ACK never comes through before the bucket's time is over.
    graph = joint_graph(searched("close_simple", lose=7))
    assert graph.lossy


def test_checkpoint__goes_on_in_another_process_as_if_nothing_had_been(tmp_path: Path) -> None:
    file = tmp_path / "half.checkpoint"
    half = Search(load_model("close_lossy"), "linux-2.4.0")
    half.run(limit=700)
    save(half, file)
    search, whole = restored(file), searched("close_lossy")
    assert search.run()
    assert search.progress() == whole.progress()
    assert broken(search) == broken(whole)
    assert [len(tell(search, found).moves) for found in search.results()] == [
        len(tell(whole, found).moves) for found in whole.results()
    ]


def test_checkpoint__what_goes_on_for_ever_may_have_begun_before_it(tmp_path: Path) -> None:
    file = tmp_path / "late.checkpoint"
    late, whole = Search(load_model("closed_window"), "linux-2.4.0"), searched("closed_window")
    late.run(limit=whole.progress().states)
    save(late, file)
    search = restored(file)
    assert search.run()
    assert broken(search) == broken(whole) == {"no_endless_probing"}


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda content: b"hello", "no checkpoint"),
        (lambda content: content[:-1], "damaged"),
        (lambda content: content.replace(b'"engine": "', b'"engine": "0'), "another version"),
        (lambda content: content.replace(b'"profile": "linux-2.4.0"', b'"profile": "linux-9"'), "does not fit"),
    ],
)
def test_checkpoint__one_that_is_none(change: Callable[[bytes], bytes], why: str, tmp_path: Path) -> None:
    file = tmp_path / "x.checkpoint"
    search = Search(load_model("close_simple"), "linux-2.4.0")
    search.run(limit=20)
    save(search, file)
    file.write_bytes(change(file.read_bytes()))
    with pytest.raises(CheckpointError, match=why):
        restored(file)


def test_command__ctrl_c_leaves_a_checkpoint(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tcpnotes", "explore", "close_anytime", "--checkpoint", "half.checkpoint"]
    started = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        _, end = started.communicate(timeout=6)  # long enough to have begun
        raise AssertionError(end)
    except subprocess.TimeoutExpired:
        started.send_signal(signal.SIGINT)
    out, err = started.communicate(timeout=60)
    assert started.returncode == 0 and "not complete (interrupted)" in out
    assert "--resume half.checkpoint" in err and (tmp_path / "half.checkpoint").exists()


def test_command__a_limit_is_not_the_first_fault(capsys: pytest.CaptureFixture[str]) -> None:
    """A known hole that was found by then is none."""
    assert main(["explore", "close_lossy", "--first", "--limit", "1250"]) == 0
    assert "not complete (limit reached)" in capsys.readouterr().out


@pytest.mark.skipif(mirror.COMPILED, reason="functions of the compiled engine cannot be exchanged")
def test_command__stops_at_the_first_fault(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explore", "close_lossy", "--first", "--profile", "linux-2.4.0", "--bug", "one_too_few"]) == 1
    assert "not complete (stopped at the first)" in capsys.readouterr().out
