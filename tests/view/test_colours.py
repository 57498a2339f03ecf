"""Host A and host B can be told apart by every eye, and on a grey print.

Colour-blind eyes: the two colours, as such an eye sees them, stay far apart.  The matrices are those of Machado,
Oliveira and Fernandes (2009) for a complete lack of one kind of cone, on linear RGB.  On grey paper the two colours
are the same grey, so that neither host is the louder one; there place and words tell, and the tests look at those.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping, Sequence
from math import dist

import pytest

from tcpnotes.scenarios import scenario_names
from tcpnotes.view import theme
from tcpnotes.widgets import assets, play

SVG = "{http://www.w3.org/2000/svg}"
Colour = Sequence[float]

EYES: Mapping[str, Sequence[Colour]] = {
    "all cones": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "no long cones": (
        (0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998),
    ),
    "no medium cones": (
        (0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881),
    ),
    "no short cones": (
        (1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900),
    ),
}  # fmt: skip
PAGES = {"light": "#ffffff", "dark": "#14181c"}
FAR = 15  # CIE 1976: 2.3 can just be seen; 15 is another colour at a glance


def colours(page: str) -> dict[str, str]:
    """The colours of a page, as its style gives them."""
    block = re.search(rf"\.tn\.tn-{page}{{([^}}]*)}}", theme.variables())
    assert block is not None
    return dict(re.findall(r"--tn-([\w-]+):(#\w{6})\b", block[1]))


def linear(hex_: str) -> Colour:
    shares = [int(hex_[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    return [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in shares]


def seen(colour: Colour, eye: Sequence[Colour]) -> Colour:
    return [min(1, max(0, sum(a * b for a, b in zip(row, colour, strict=True)))) for row in eye]


def luminance(colour: Colour) -> float:
    return 0.2126729 * colour[0] + 0.7151522 * colour[1] + 0.0721750 * colour[2]


def lab(colour: Colour) -> Colour:
    r, g, b = colour
    xyz = (
        (0.4124564 * r + 0.3575761 * g + 0.1804375 * b) / 0.95047,
        luminance(colour),
        (0.0193339 * r + 0.1191920 * g + 0.9503041 * b) / 1.08883,
    )
    x, y, z = (t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116 for t in xyz)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def contrast(one: Colour, other: Colour) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_the_simulation__confuses_what_such_eyes_confuse() -> None:
    red, green = linear("#c04000"), linear("#707000")
    apart = {name: dist(lab(seen(red, eye)), lab(seen(green, eye))) for name, eye in EYES.items()}
    assert apart["no long cones"] < apart["all cones"] / 2 and apart["no medium cones"] < apart["all cones"] / 2


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("eye", EYES)
def test_the_hosts_have_different_colours(page: str, eye: str) -> None:
    found = colours(page)
    for a, b in (("a", "b"), ("a-fill", "b-fill")):
        assert dist(*(lab(seen(linear(found[name]), EYES[eye])) for name in (a, b))) > FAR, (a, b)


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("eye", [*EYES, "grey"])
def test_lines_and_words_of_both_hosts_stand_out_from_the_page(page: str, eye: str) -> None:
    matrix = EYES.get(eye, [(0.2126729, 0.7151522, 0.0721750)] * 3)
    for name in ("a", "b"):
        assert contrast(*(seen(linear(one), matrix) for one in (colours(page)[name], PAGES[page]))) > 4.5, name


def _sides(picture: str) -> Iterator[tuple[str, float, str]]:
    """For each text and box of a host's colour in a ladder: host, how far right of the middle in pixels, words."""
    root = ET.fromstring(picture)
    middle = float(root.get("viewBox", "").split()[2]) / 2
    for group in root.iter(f"{SVG}g"):
        classes = (group.get("class") or "").split()
        if "seg" not in classes and {"A", "B"} & set(classes):
            for node in group.iter():
                if node.get("x"):
                    width = float(node.get("width", "0"))
                    at = float(node.get("x", "0")) + width / 2
                    yield "A" if "A" in classes else "B", at - middle, "".join(node.itertext())


@pytest.mark.parametrize("name", scenario_names())
def test_ladder__without_colour_place_tells_whose_it_is(name: str) -> None:
    picture = play(name).ladder.element()
    sides = list(_sides(picture))
    assert {("A", "Host A"), ("B", "Host B")} <= {(host, words) for host, _, words in sides}
    assert all((right < 0) == (host == "A") for host, right, _ in sides)
    for group in ET.fromstring(picture).iter(f"{SVG}g"):
        classes = (group.get("class") or "").split()
        if "seg" in classes:  # it leaves the line of the host whose colour it has
            line = next(node for node in group if "l" in (node.get("class") or "").split())
            x1, _, x2, _ = map(float, re.findall(r"-?[\d.]+", line.get("d", "")))
            assert (x1 < x2) == ("A" in classes), line.get("d")


@pytest.mark.parametrize("name", ["orderly_close", "simultaneous_close", "last_ack_lost", "linger_wait"])
def test_stepper__without_colour_words_tell_whose_it_is(name: str) -> None:
    data = play(name).stepper().data
    for step in data["steps"]:
        assert re.search(rf"\b{data['hosts'][step['h']]}\b", step["c"]), step["c"]
        assert all(row[1].startswith(f"{data['hosts'][row[0]]} ") for row in step.get("d", ()))
    assert all(words.startswith((f"{data['hosts'][column]}: ", "lost: ")) for _, column, _, words in data["marks"])
    assert ".tn-marks .A{top:0}" in assets.style() and ".tn-marks .B{bottom:0}" in assets.style()
