"""Help and version, of the whole and of every command."""

from __future__ import annotations

import pkgutil

import pytest

import tcpnotes as library
import tcpnotes.cli as cli

COMMANDS = [module.name for module in pkgutil.iter_modules(cli.__path__) if not module.name.startswith("_")]


def test_help_lists_every_command_on_a_line(tcpnotes):
    done = tcpnotes("--help")
    assert done.status == 0
    assert tcpnotes("-h") == tcpnotes("-h", "run") == done
    for name in COMMANDS:
        assert any(line.split()[:1] == [name] and len(line.split()) > 2 for line in done.out.splitlines())


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(tcpnotes, name):
    done = tcpnotes(name, "--help")
    assert (done.status, done.err) == (0, "")
    example = done.out.partition("example:\n")[2]
    assert example.startswith((f"  tcpnotes {name} ", f"  tcpnotes {name}\n"))


@pytest.mark.parametrize("words", [(), *((name,) for name in COMMANDS)], ids=" ".join)
def test_version(tcpnotes, words):
    assert tcpnotes(*words, "--version") == (0, f"tcpnotes {library.__version__}\n", "")


@pytest.mark.parametrize("name", ["run", "items", "functions", "scenarios", "profiles"])
def test_the_examples_in_the_help_work(tcpnotes, name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my_own.toml").write_text('title = "mine"\n', encoding="utf-8")
    example = tcpnotes(name, "--help").out.partition("example:\n")[2]
    lines = [line.strip().partition(" | ")[0].split() for line in example.splitlines() if line.strip()]
    assert lines
    for line in lines:
        assert line[0] == "tcpnotes"
        assert tcpnotes(*line[1:]).status == 0
