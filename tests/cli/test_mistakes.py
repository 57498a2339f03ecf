"""What a user gets wrong: one sentence on standard error, status 2, and nothing on standard output."""

from __future__ import annotations

from pathlib import Path

import pytest

from tcpnotes.cli import main

# Words of the command line, and what the sentence must say.
MISTAKES = {
    "": "a command is missing; there are: ",
    "rn orderly_close": "there is no command 'rn' (did you mean 'run'?)",
    "--profile source run orderly_close": "options such as --profile stand behind the command",
    "run": "required: SCENARIO",
    "run orderly_clos": "there is no scenario 'orderly_clos' (did you mean 'orderly_close'?).",
    "run zzz": "there is no scenario 'zzz'; 'tcpnotes scenarios' lists them",
    "run missing.toml": "missing.toml: the file cannot be read: No such file or directory.",
    "run orderly_close more": "'more' is one argument too many",
    "run orderly_close --profil source": "there is no option '--profil' (did you mean '--profile'?)",
    "run orderly_close --profile linux-2.4": (
        "there is no profile 'linux-2.4' (did you mean 'linux-2.4.0' or 'linux-6'?)"
    ),
    "run orderly_close --profile zzz": "there is no profile 'zzz'; choose one of: source, linux-2.4.0",
    "run orderly_close --seed two": "argument --seed: 'two' is not a whole number",
    "run orderly_close --seed": "argument --seed: expected one argument",
    "run orderly_close --hide --json": "argument --json: not allowed with argument --hide",
    "items 9.9z": "there is no item '9.9z'; 'tcpnotes items' lists them.",
    "items --language jp": "there is no text in language 'jp'",
    "functions tcp_clse": "there is no function 'tcp_clse' (did you mean 'tcp_close'",
    "profiles --jason": "there is no option '--jason' (did you mean '--json'",
}


@pytest.mark.parametrize("line", MISTAKES)
def test_one_sentence_that_names_the_place_and_the_remedy(tcpnotes, line, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = tcpnotes(*line.split())
    assert done.status == 2
    assert done.out == ""
    assert MISTAKES[line] in done.err
    assert done.err.startswith("tcpnotes")
    assert done.err.endswith(".\n")
    assert done.err.count("\n") == 1


BAD_FILES = {
    "title = 'x'\nscript = [ { at = 1.0, host = 'A', call = 'clse' } ]": "script[1].call: 'clse' is not allowed",
    "title = ": "this is not TOML",
    "script = []": "title: this key is missing",
    "title = 'x'\nscript = [ { at = 1.0, host = 'A', call = 'poll', args = [1.5] } ]": "the events of poll are",
    "title = 'x'\nscript = [ { at = 1.0, host = 'A', call = 'recv', args = [1, 1.5] } ]": "the flags of recv are",
    "title = 'x'\nstart = 'none'\nscript = [ { at = 1.0, inject = { to = 'A', flags = 'RST', seq = 0 } } ]":
        "script[1].inject: host A has no connection at that time.",
}  # fmt: skip


@pytest.mark.parametrize("text", BAD_FILES)
def test_a_bad_scenario_is_told_by_file_and_key(tcpnotes, text, tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("mine.toml").write_text(text, encoding="utf-8")
    for form in ("--hide", "--json"):
        done = tcpnotes("run", "mine.toml", form)
        assert (done.status, done.out) == (2, "")
        assert done.err.startswith("tcpnotes run: mine.toml: ")
        assert BAD_FILES[text] in done.err
        assert done.err.count("\n") == 1


def test_a_scenario_that_is_no_text_or_no_file(tcpnotes, tmp_path: Path):
    (tmp_path / "folder.toml").mkdir()
    assert "the file cannot be read: Is a directory." in tcpnotes("run", str(tmp_path / "folder.toml")).err
    (tmp_path / "bytes.toml").write_bytes(b"title = '\xff'")
    assert "byte 9: a scenario file is text in UTF-8." in tcpnotes("run", str(tmp_path / "bytes.toml")).err


def test_a_name_cannot_steer_the_terminal(tcpnotes):
    for words in (("run", "\x1b[31m.toml"), ("run", "\x1b[31m"), ("\x1b[31m",), ("items", "\x1b[31m")):
        done = tcpnotes(*words)
        assert done.status == 2
        assert "\x1b" not in done.err
        assert "\\x1b" in done.err


def test_interrupted__quietly_130(monkeypatch, capsys):
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("tcpnotes.scenarios.run", interrupt)
    assert main(["run", "orderly_close"]) == 130
    assert capsys.readouterr() == ("", "")
