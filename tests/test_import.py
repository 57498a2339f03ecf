"""What `import tcpnotes` gives, and what it does not ask for."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import requires, version

import pytest

import tcpnotes


def loaded_after(code: str) -> set[str]:
    """The top-level modules that a fresh Python has after ``code``, beyond those it begins with."""
    program = f"import sys; before = set(sys.modules); {code}; print(*set(sys.modules) - before)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return {name.split(".")[0] for name in done.stdout.split()}


def test_import_loads_the_standard_library_alone() -> None:
    assert loaded_after("import tcpnotes") <= sys.stdlib_module_names | {"tcpnotes"}


def test_import_loads_no_part_of_the_library_before_it_is_used() -> None:
    program = "import sys, tcpnotes; print(*sorted(name for name in sys.modules if name.startswith('tcpnotes')))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["tcpnotes"]


@pytest.mark.parametrize(
    "code",
    [
        "import tcpnotes; tcpnotes.text_trace(tcpnotes.run('orderly_close').recorder)",
        "import tcpnotes; tcpnotes.ladder(tcpnotes.run('orderly_close', frames=True).recorder)",
        "import tcpnotes; tcpnotes.Stepper; tcpnotes.World().call('A', 'socket'); tcpnotes.items()",
    ],
    ids=["text", "ladder", "names"],
)
def test_engine_and_pictures_need_the_standard_library_alone(code: str) -> None:
    assert loaded_after(code) <= sys.stdlib_module_names | {"tcpnotes"}


@pytest.mark.parametrize("name", tcpnotes.__all__)
def test_every_name_is_there_and_listed(name: str) -> None:
    assert getattr(tcpnotes, name) is not None
    assert name in dir(tcpnotes)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'tcpnotes' has no attribute 'tcp_sclose'"):
        tcpnotes.tcp_sclose  # noqa: B018


def test_the_version_stands_in_one_place() -> None:
    assert version("tcpnotes") == tcpnotes.__version__


def test_nothing_is_required_that_no_extra_asks_for() -> None:
    assert [line for line in requires("tcpnotes") or () if "extra ==" not in line] == []
