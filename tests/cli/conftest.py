"""One fixture for all tests of the command line: say a line, see what it printed and how it ended."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from tcpnotes.cli import main


class Done(NamedTuple):
    """What a command line did."""

    status: int
    out: str
    err: str

    @property
    def objects(self) -> list[dict[str, Any]]:
        """The JSON objects of the output, each on a line of its own."""
        return [json.loads(line) for line in self.out.splitlines()]


@pytest.fixture
def tcpnotes(capsys: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    def say(*words: str) -> Done:
        capsys.readouterr()
        status = main(words)
        return Done(status, *capsys.readouterr())

    return say
