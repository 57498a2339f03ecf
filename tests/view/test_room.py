"""Words have room: in a drawing none is cut, none runs out of it, and no two lie on one another."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from itertools import combinations
from typing import NamedTuple

import pytest
import runs

from tcpnotes.scenarios import scenario_names
from tcpnotes.source import speak
from tcpnotes.trace.frames import HostView, SkbView, SockView
from tcpnotes.trace.segment import FIN
from tcpnotes.view import Picture, Story, lettering
from tcpnotes.view.ladder import LEFT, RIGHT, draw
from tcpnotes.view.queues import HEIGHT, SLOTS, WIDTH
from tcpnotes.view.queues import draw as draw_queues
from tcpnotes.widgets import Telling, play

# The size of letters by class, on a wide and on a narrow screen, as `view.theme` sets them; the last one counts.
SIZES = {"": (11.0, 12.0), "s": (9.5, 11.0), "m": (9.5, 11.0), "c": (9.5, 11.0), "b": (None, 11.5), "h": (13.0, 14.0)}
MONO = 0.602  # of its size: how wide each letter of the fixed face is
BOLD = 1.06


class Box(NamedTuple):
    """Where words stand; ``y`` grows downwards."""

    words: str
    left: float
    top: float
    right: float
    bottom: float

    def over(self, other: Box) -> bool:
        """True when both cover some of the same place."""
        across = min(self.right, other.right) - max(self.left, other.left)
        return across > 0 and min(self.bottom, other.bottom) - max(self.top, other.top) > 0


def size_of(classes: list[str], narrow: bool) -> float:
    found = SIZES[""][narrow]
    for name, sizes in SIZES.items():
        if name in classes:
            found = sizes[narrow] or found
    return found


def boxes(body: str, narrow: bool) -> list[Box]:
    """The words of a drawing, each with the box that its letters take."""
    found = []
    for text in ET.fromstring(f"<g>{body}</g>").iter("text"):
        classes = (text.get("class") or "").split()
        size = size_of(classes, narrow)
        words = text[0].tail if len(text) else text.text
        assert words
        wide = (
            len(words) * MONO * size
            if "c" in classes
            else lettering.width(words, size) * (BOLD if "b" in classes else 1)
        )
        if (squeezed := text.get("textLength")) is not None:
            wide = float(squeezed)
        x, y = float(text.get("x") or 0), float(text.get("y") or 0)
        left = x - wide * {"start": 0, "middle": 0.5, "end": 1}[text.get("text-anchor") or "start"]
        found.append(Box(words, left, y - 0.72 * size, left + wide, y + 0.2 * size))
    return found


def crowded(body: str, width: float, height: float) -> list[str]:
    """What is wrong with the words of a drawing, on a wide or a narrow screen."""
    found = []
    for narrow in (False, True):
        there = boxes(body, narrow)
        found += [f"outside: {b}" for b in there if b.left < 0 or b.right > width or b.top < 0 or b.bottom > height]
        found += [f"on one another: {a} {b}" for a, b in combinations(there, 2) if a.over(b)]
        found += [f"cut: {box.words}" for box in there if "…" in box.words]
    return found


@pytest.fixture(params=["en", "ja"])
def language(request: pytest.FixtureRequest) -> Iterator[str]:
    speak(request.param)
    yield request.param
    speak("en")


@pytest.mark.usefixtures("language")
@pytest.mark.parametrize("scenario", scenario_names())
def test_ladder_and_queues__of_every_scenario_at_every_step(scenario: str) -> None:
    told = play(scenario)
    picture = told.ladder
    assert crowded(picture.body, picture.width, picture.height) == []
    for narrow in (False, True):
        for label in lanes(picture, narrow):
            assert label.left >= LEFT and label.right <= RIGHT
    for body in queue_drawings(told):
        assert crowded(body, WIDTH, HEIGHT) == []


def lanes(picture: Picture, narrow: bool) -> list[Box]:
    """What stands between the lines of life: the labels of segments."""
    arrows = re.findall(r'<text class="s t halo".*?</text>', picture.body)
    return [box for arrow in arrows for box in boxes(arrow, narrow)]


def queue_drawings(told: Telling) -> set[str]:
    views = {view[:2]: view for frame in told.frames for view in frame.hosts}
    return {"".join(draw_queues(view)[0]) for view in views.values()}


def with_queue(length: int, head: int | None) -> HostView:
    """A host whose socket has ``length`` full buffers to send, the last with a FIN; all has been sent once more."""
    view = Story(runs.plain_close()).frames[-1].host("A")
    sk = next(sk for frame in runs.plain_close().frames for sk in frame.host("A").socks if sk.rport)
    queue = tuple(
        SkbView(sk.iss + 100_001 + 1460 * i, sk.iss + 101_461 + 1460 * i, 1460, FIN if i == length - 1 else 0,
                head is None or i < head, True, False)
        for i in range(length)
    )  # fmt: skip
    sock: SockView = sk._replace(write_queue=queue, send_head=head)
    return view._replace(socks=(sock,), buckets=())


@pytest.mark.usefixtures("language")
@pytest.mark.parametrize("length", range(1, SLOTS + 3))
def test_queues__wherever_send_head_is(length: int) -> None:
    for head in (None, *range(length)):
        parts, words = draw_queues(with_queue(length, head))
        body = "".join(parts)
        assert crowded(body, WIDTH, HEIGHT) == []
        assert (">send_head<" in body) == (head is not None) == any("<- send_head" in line for line in words)


@pytest.mark.parametrize("size", [9.5, 12])
def test_lettering__lines_are_no_wider_than_the_room_and_lose_nothing(size: float) -> None:
    for text in ("= -1 EADDRNOTAVAIL", "recv(4, 100, MSG_PEEK)", "x" * 50, "ゼロウィンドウ探査タイマ", "short", ""):
        found = lettering.lines(text, 104, size)
        assert all(lettering.width(line, size) <= 104 for line in found)
        assert "".join(found).replace(" ", "") == text.replace(" ", "")
    assert lettering.lines("= -1 EADDRNOTAVAIL", 104, 12) == ["= -1", "EADDRNOTAVAIL"]
    assert lettering.cut("Host 192.0.2.1", 50, 13).endswith("…") and lettering.cut("Host A", 66, 14) == "Host A"


def test_ladder__a_label_wider_than_the_lane_is_squeezed_into_it() -> None:
    story = Story(runs.plain_close())
    flight = next(flight for flight in story.flights if flight.fate == "received")
    flight.label = "FIN,PSH,ACK seq=4294967295 ack=4294967295 len=1460"
    picture = draw(story, "wide")
    [label] = [box for box in lanes(picture.picture, True) if box.words == flight.label]
    assert label.left >= LEFT and label.right <= RIGHT
