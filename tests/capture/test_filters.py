"""The language of --filter."""

from __future__ import annotations

import pytest
from captures import OPEN, only

from tcpnotes.capture import CaptureError
from tcpnotes.capture.filters import FIELDS, parse_filter

FOUND = only(OPEN + "1 A P. 1 1 100\n1.1 B . 1 101\n2 A F. 101 1\n2.2 A F. 101 1\n2.3 B F. 1 102\n2.5 A . 102 2")

TRUE = [
    "number=1", "port=80", "port = 1025 and port=80", "port>1000", "host=10.0.0.1", "host=10.0.0.0/24",
    "host!=10.0.0.9", "how=three_segment", "kind=three_segment", "maybe!=linger_zero",
    "tag=fin_retransmitted", "closer=A", "item=S.4a",
    "packet=5", "packets>=9", "bytes=100", "resets=0", "duration>2 and duration<3", "not how=orderly",
    "how=orderly or port=80", "(how=orderly or port=80) and closer=A", "not (port=443 or port=22)",
    "port=443 and port=22 or port=80", "duration<1e3", "packet!=99",
]  # fmt: skip
FALSE = [
    "number=2", "port=443", "port!=80", "host=10.0.1.0/24", "host!=10.0.0.1", "host=::1", "how=orderly", "tag=not_seen",
    "closer=both", "item=S.7a", "packets<9", "bytes>100", "not port=80", "port=80 and port=443", "duration>2.5",
    "port=443 and (port=80 or port=1025)", "packet!=5",
]  # fmt: skip


@pytest.mark.parametrize("text", TRUE)
def test_it_lets_through(text: str) -> None:
    assert parse_filter(text)(FOUND) is True


@pytest.mark.parametrize("text", FALSE)
def test_it_keeps_back(text: str) -> None:
    assert parse_filter(text)(FOUND) is False


MISTAKES = {
    "": "column 1: the expression ends too early",
    "port": "column 1: a comparison such as port=443",
    "port=": "ends too early",
    "port=80 and": "ends too early",
    "port=80 port=81": "column 9",
    "(port=80": "ends too early",
    "port=80)": "column 8",
    "prt=80": "column 1: there is no field 'prt'; there are: number, host, port",
    "port=80 or prt=80": "column 12: there is no field",
    "port=http": "column 6: 'http' is no port: this takes a whole number.",
    "port=²": "is no port",
    "how=order": "column 5: 'order' is no how: choose one of: orderly",
    "how<orderly": "column 4: how can be compared by = and != only.",
    "host=10.0.0": "column 6: '10.0.0' is no host: this takes an address",
    "duration>x": "this takes a number of seconds",
    "__import__('os').system('true')": "column 1",
    "port=" + "9" * 5000: "1000 characters at most",
    "(" * 900 + "port=80" + ")" * 90: "ends too early",
}


@pytest.mark.parametrize("text", MISTAKES)
def test_a_mistake_is_told_with_its_column(text: str) -> None:
    with pytest.raises(CaptureError) as caught:
        parse_filter(text)
    assert MISTAKES[text] in str(caught.value)
    assert str(caught.value).startswith("--filter: ")
    assert str(caught.value).endswith(".")


def test_deep_brackets_are_no_crash() -> None:
    deep = "(" * 490 + "port=80" + ")" * 490
    assert parse_filter(deep)(FOUND) is True
    assert parse_filter("not " * 200 + "port=80")(FOUND) is True


def test_every_field_has_a_meaning_and_stands_in_the_documentation() -> None:
    from pathlib import Path

    text = (Path(__file__).parents[2] / "docs" / "explain.md").read_text(encoding="utf-8")
    for name, field in FIELDS.items():
        assert f"| `{name}` | {field.meaning} |" in text
