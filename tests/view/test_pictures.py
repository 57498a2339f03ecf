"""Pictures: titles, descriptions, escaping, sameness, and a state diagram that is current."""

from __future__ import annotations

import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from shutil import which

import pytest
import runs

from tcpnotes.scenarios import scenario_names
from tcpnotes.trace import Frame, Record, Recorder
from tcpnotes.trace.records import Bucket, Call, Child, Printk, StateChange, Stimulus
from tcpnotes.view import Picture, Story, ladder, text_trace
from tcpnotes.view import buckets as bucket_view
from tcpnotes.view import queues as queue_view
from tcpnotes.view import states as state_view
from tcpnotes.widgets import play

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = '<script>alert("x")</script>&\'"'


def _pictures(story: Story) -> list[Picture]:
    host = story.hosts[0]
    return [
        ladder(story.frames), state_view.picture(story, host), queue_view.queues(story, host),
        bucket_view.buckets(story, host),
    ]  # fmt: skip


@pytest.mark.parametrize("run", runs.ALL)
def test_every_picture_is_well_formed_with_title_and_description(run: Callable[[], Recorder]) -> None:
    for picture in _pictures(Story(run())):
        root = ET.fromstring(picture.svg)
        title, description = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
        assert title is not None and title.text == picture.title
        assert description is not None and description.text
        assert root.get("role") == "img"
        labelled = (root.get("aria-labelledby") or "").split()
        assert labelled == [title.get("id"), description.get("id")]
        ids = [node.get("id") for node in root.iter() if node.get("id")]
        assert len(ids) == len(set(ids))
        assert picture.text and "http" not in picture.html.replace("http://www.w3.org/2000/svg", "")


@pytest.mark.parametrize("run", runs.ALL)
def test_pictures_are_the_same_each_time(run: Callable[[], Recorder]) -> None:
    first = [p.html for p in _pictures(Story(run()))]
    assert first == [p.html for p in _pictures(Story(run()))]


def test_light_and_dark() -> None:
    picture = ladder(runs.lost_fin().frames)
    assert "prefers-color-scheme:dark" in picture.svg
    for selector in ("[data-jp-theme-light=false] .tn", "html[data-theme=dark] .tn"):
        assert selector in picture.html


def test_foreign_text_is_escaped() -> None:
    records: list[Record] = [
        Stimulus(0, HOSTILE, 0, "call", HOSTILE), Call(0, HOSTILE, 0, 1, HOSTILE, (HOSTILE,)),
        StateChange(0, HOSTILE, 0, 1, 3, "CLOSE", HOSTILE, HOSTILE), Printk(0, HOSTILE, 0, HOSTILE),
    ]  # fmt: skip
    picture = ladder(records, title=HOSTILE)
    ET.fromstring(picture.svg)
    assert "<script" not in picture.html
    assert "<script" not in text_trace(records).html()


def test_ladder__lost_and_flying_segments_look_different() -> None:
    picture = ladder(runs.lost_fin().frames)
    assert 'class="seg A lost"' in picture.svg and ">lost</text>" in picture.svg
    assert re.search(r'class="seg [AB] flying"', picture.svg) and "l dash" in picture.svg
    assert "FIN,ACK seq=1 ack=1" in picture.svg


def test_ladder__answers_have_hollow_heads() -> None:
    assert 'class="seg B received ans"' in ladder(runs.plain_close().frames).svg


def test_ladder__an_errno_and_a_direction_are_never_cut() -> None:
    world = runs.connected()
    recorder = world.listen()
    world.call("A", "shutdown", 3, "SHUT_WR")
    world.run_until(world.now + 1_000_000)
    world.call("A", "write", 3, 1000)
    world.call("B", "shutdown", 4, "SHUT_RDWR")
    words = re.findall(r"<text[^>]*>(?:<title>[^<]*</title>)?([^<]*)</text>", ladder(recorder).svg)
    assert words[words.index("write(3, 1000)") + 1] == "= -1 EPIPE"
    assert words[words.index("shutdown") + 1] == "SHUT_WR" and "SHUT_RDWR" in words


def _node_classes(picture: Picture) -> dict[str, str]:
    found = re.findall(r'id="tn\w+-(n-[\w-]+)" class="([^"]+)"', picture.svg)
    return {name.removeprefix("n-"): classes for name, classes in found}


def test_state_diagram__current_previous_and_arc() -> None:
    story = Story(runs.plain_close())
    at = next(i for i, rec in enumerate(story.records) if isinstance(rec, StateChange) and rec.new == "CLOSE_WAIT")
    picture = state_view.picture(story, "B", at)
    classes = _node_classes(picture)
    assert "current" in classes["CLOSE_WAIT"] and "previous" in classes["ESTABLISHED"] and "also" in classes["LISTEN"]
    assert re.search(r'id="tn\w+-e-ESTABLISHED-CLOSE_WAIT" class="arc taken"', picture.svg)


def test_state_diagram__a_bucket_is_not_a_socket() -> None:
    story = Story(runs.plain_close())
    places = state_view.walk(story, "A")
    way = [place.current for i, place in enumerate(places) if i == 0 or place.current != places[i - 1].current]
    assert way == [
        "START", "SYN_SENT", "ESTABLISHED", "FIN_WAIT1", "FIN_WAIT2", "bucket-FIN_WAIT2", "TIME_WAIT", "CLOSE",
    ]  # fmt: skip
    assert places[-1].gone


@pytest.mark.parametrize("run", runs.ALL)
def test_state_diagram__has_an_arc_for_every_move(run: Callable[[], Recorder]) -> None:
    story = Story(run())
    for host in story.hosts:
        for place in state_view.walk(story, host):
            assert set(place.arcs) <= set(state_view.ARCS)


def _moves(story: Story, host: str) -> dict[int, list[tuple[str, str]]]:
    """For each socket of a host what the records say of it: its moves by name, its bucket's as well."""
    found: dict[int, list[tuple[str, str]]] = {}
    owners: dict[int, int] = {}
    for record in story.records:
        if record.host != host:
            continue
        if isinstance(record, StateChange):
            found.setdefault(record.sk, []).append((record.old, record.new))
        elif isinstance(record, Child):
            found[record.sk] = [*found.get(record.parent, ()), ("LISTEN", "SYN_RECV"), *found.get(record.sk, ())]
        elif isinstance(record, Bucket) and record.tw is not None and record.substate is not None:
            owners.setdefault(record.tw, record.of_sk or record.tw)
            moves = found.setdefault(owners[record.tw], [])
            moves += [(old, record.substate) for old in ("FIN_WAIT1", "FIN_WAIT2", "CLOSING")]
            moves += [(record.substate, "CLOSE")]
    return found


@pytest.mark.parametrize("scenario", scenario_names())
def test_state_diagram__marks_only_moves_of_the_socket_that_is_shown(scenario: str) -> None:
    story = play(scenario, whole=True).story
    for host in story.hosts:
        made = _moves(story, host)
        for place in state_view.walk(story, host):
            marked = [(state_view.node_label(a), state_view.node_label(b)) for a, b in {*place.way, *place.arcs}]
            assert set(place.arcs) <= set(place.way)
            assert set(marked) <= set(made.get(place.sk or 0, [])), (host, place)


def test_state_diagram__a_second_socket_begins_at_the_beginning() -> None:
    story = play("close_listener").story
    places = state_view.walk(story, "A")
    second = next(i for i, place in enumerate(places) if place.sk == 2)
    assert places[second - 1].current == "ESTABLISHED" and places[second].current == "START"
    assert places[second].way == () and places[-1].way == (("START", "SYN_SENT"),)
    assert "e-ESTABLISHED-CLOSE" not in re.findall(
        r'id="tn\w+-(e-[\w-]+)" class="arc force (?:been|taken)"', state_view.picture(story, "A").svg
    )


def test_state_diagram__a_host_that_crashes_makes_no_move() -> None:
    places = state_view.walk(play("reset_of_orphan").story, "B")
    crashed = next(place for place in places if place.gone and place.previous == "ESTABLISHED")
    assert crashed.arcs == () and ("ESTABLISHED", "CLOSE") not in crashed.way


@pytest.mark.parametrize("run", runs.ALL)
def test_state_diagram__every_recorded_change_is_an_arc_of_sockets(run: Callable[[], Recorder]) -> None:
    arcs = set(state_view.ARCS)
    for record in run().records:
        if isinstance(record, StateChange):
            into = record.new
            assert (record.old, into) in arcs or ("START", into) in arcs
        assert not isinstance(record, StateChange) or record.new != "TIME_WAIT"
        if isinstance(record, Bucket | Child):
            assert record.host


def test_shipped_diagram_is_current() -> None:
    svg = Path(state_view.__file__).with_name("data") / "states.svg"
    assert f'data-source="{state_view.source_mark()}"' in svg.read_text(encoding="utf-8"), (
        "run python tools/draw_states.py"
    )
    assert set(re.findall(r'id="n-([^"]+)"', state_view.layout().body)) == set(state_view.NODES)
    drawn = set(re.findall(r'id="e-([^"]+)"', state_view.layout().body))
    assert drawn == {f"{a}-{b}" for a, b in state_view.ARCS}


@pytest.mark.skipif(which("graphviz-pure") is None, reason="graphviz-pure is not installed")
def test_shipped_diagram_is_what_graphviz_draws() -> None:
    svg = Path(state_view.__file__).with_name("data") / "states.svg"
    assert svg.read_text(encoding="utf-8") == state_view.lay_out()


def test_queues__send_head_and_unsent() -> None:
    story = Story(runs.lingering_close())
    at = next(
        i for i, frame in enumerate(story.frames)
        if any(sk.send_head is not None and sk.send_head > 0 for sk in frame.host("A").socks)
    )  # fmt: skip
    picture = queue_view.queues(story, "A", at)
    assert "<- send_head" in picture.text and "unsent" in picture.text
    assert ">send_head</text>" in picture.svg and 'class="p un"' in picture.svg


def test_queues__fin_is_marked_and_numbers_are_relative() -> None:
    story = Story(runs.lost_fin())
    assert "write_queue: [1 FIN" in queue_view.queues(story, "A").text


def test_buckets__where_one_sits() -> None:
    story = Story(runs.half_close())
    assert re.search(r"slot \d: bucket \d+ \(TIME_WAIT\)", bucket_view.buckets(story, "A").text)


def test_pictures_of_states_need_frames() -> None:
    story = Story(runs.plain_close().records)
    for draw in (state_view.picture, queue_view.queues, bucket_view.buckets):
        with pytest.raises(ValueError, match="frames"):
            draw(story, "A")  # type: ignore[operator]


def test_view_imports_with_the_standard_library_alone() -> None:
    code = (
        "import sys, tcpnotes.view, tcpnotes.widgets;"
        "print([m for m in ('graphviz', 'ipywidgets', 'anywidget', 'IPython', 'traitlets') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_frames_may_be_a_part_of_the_run() -> None:
    frames: list[Frame] = runs.plain_close().frames[200:]
    assert "FIN_WAIT1" in ladder(frames).text
