"""The command as a process of its own: pipes that break, other encodings, a quick start."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def tcpnotes(*words: str, python: tuple[str, ...] = (), **settings) -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "", **settings.pop("env", {})}
    settings = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **settings}
    return subprocess.run([sys.executable, *python, "-m", "tcpnotes", *words], env=environment, check=False, **settings)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp932", "utf-8"])
def test_any_encoding_of_the_output_will_do(encoding):
    done = tcpnotes("items", "3.3", env={"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"})
    assert (done.returncode, done.stderr) == (0, b"")
    text = done.stdout.decode(encoding)
    assert ("it is thrown away …" if encoding in ("utf-8", "cp932") else "it is thrown away ...") in text


def test_c_locale_without_utf8():
    done = tcpnotes("items", "3.3", env={"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"})
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.isascii()


@pytest.mark.parametrize("words", [("run", "orderly_close", "--json"), ("--help",), ("--version",)])
def test_reader_that_goes_away__quiet(words):
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = tcpnotes(*words, stdout=writer)
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full to write to")
def test_disk_that_is_full__one_sentence():
    with Path("/dev/full").open("wb") as full:
        done = tcpnotes("scenarios", stdout=full)
    assert done.returncode == 2
    assert done.stderr == b"tcpnotes: standard output: No space left on device.\n"


def test_no_output_at_all():
    done = tcpnotes("run", "orderly_close", preexec_fn=lambda: os.close(1), stdout=None)
    assert (done.returncode, done.stderr) == (0, b"")


def test_interrupted__quiet():
    """Python turns the signal into KeyboardInterrupt; here it comes while the first item is proved."""
    code = (
        "import os, signal, sys; from tcpnotes.cli import main; from tcpnotes.scenarios import proof\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # who starts the tests may ignore it
        "proof.prove = lambda id: os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.exit(main(['items']))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, b"", b"")


def test_version_and_help_load_nothing_of_the_library_but_the_command_line():
    for word in ("--version", "--help"):
        done = tcpnotes(word, python=("-X", "importtime"))
        loaded = {line.rpartition(b"|")[2].strip().decode() for line in done.stderr.splitlines()}
        ours = {name for name in loaded if name.startswith("tcpnotes.") and not name.startswith("tcpnotes.cli")}
        assert "tcpnotes.cli" in loaded
        assert ours == set()


def test_standard_library_alone_is_enough():
    """With -S and -I nothing that was installed can be found."""
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from tcpnotes.cli import main; sys.exit(main(sys.argv[1:]))"
    for words in (("run", "orderly_close"), ("run", "orderly_close", "--json"), ("items",), ("functions",)):
        done = subprocess.run([sys.executable, "-I", "-S", "-c", code, *words], capture_output=True, check=False)
        assert (done.returncode, done.stderr) == (0, b"")
