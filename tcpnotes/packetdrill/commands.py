"""Commands in backquotes: which are understood, which are left out, which make a script impossible to run.

None is ever given to a shell.  What sets kernel parameters is read and set in the
engine; what only prepares or tidies a machine is left out; anything else is refused,
because the script's outcome may hang on it.
"""

from __future__ import annotations

import re
import shlex
from pathlib import PurePosixPath
from typing import NamedTuple

# What the file of defaults that comes with collections of scripts sets, as far as the engine has it.
DEFAULTS = {
    "tcp_rmem": "4096 540000 15728640", "tcp_wmem": "4096 262144 4194304", "tcp_timestamps": "1",
    "tcp_syn_retries": "5", "tcp_synack_retries": "5", "tcp_sack": "1", "tcp_dsack": "1", "tcp_fack": "0",
    "tcp_reordering": "3", "tcp_slow_start_after_idle": "0", "tcp_early_retrans": "4",
}  # fmt: skip

_HARMLESS = frozenset({
    "true", ":", "ip", "tc", "ethtool", "nstat", "ss", "cat", "cp", "rm", "mkdir", "touch", "sync", "dmesg", "uname",
    "date", "which", "command", "exit", "cd", "set", "export", "unset", "wait", "kill", "modprobe", "ulimit", "printf",
    "tcpdump", "ifconfig", "netstat", "source", ".", "sleep",
})  # fmt: skip
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
_ARITHMETIC = re.compile(r"\$\(\(([\d\s*+()-]{1,60})\)\)")


class Understood(NamedTuple):
    """What a command comes to: kernel parameters to set, in order, and what was left out of it."""

    sysctls: tuple[tuple[str, str], ...]
    ignored: tuple[str, ...]


class CommandRefused(ValueError):
    """A command on which the outcome may hang; the text is one sentence."""


def understand(text: str) -> Understood:
    """Read a command, or several joined by ``;``, ``&&`` or a new line; CommandRefused for a foreign one."""
    sysctls: list[tuple[str, str]] = []
    ignored: list[str] = []
    for line in _commands(text):
        words = _words(line)
        while words and _ASSIGNMENT.match(words[0]) and not words[0].startswith("/"):
            words = words[1:]
        if not words:
            continue
        name = PurePosixPath(words[0]).name
        if name in ("source", ".", "bash", "sh") and len(words) > 1 and words[1].endswith(".sh"):
            name = PurePosixPath(words[1]).name
        if name == "defaults.sh":
            sysctls += DEFAULTS.items()
        elif name == "sysctl":
            sysctls += _assignments(words[1:], line)
        elif name in ("set_sysctls.py", "set_sysctls.sh"):
            sysctls += [_from_proc(word, line) for word in words[1:]]
        elif name == "echo":
            sysctls += _echo(words, line, ignored)
        elif name == "tc" and re.search(r"\bnetem\b|\blimit 0\b|\bdrop\b", line):
            raise CommandRefused(f"the command `{_short(line)}` would lose or delay packets, and it is never run.")
        elif name in _HARMLESS or name.startswith("sysctl_restore_") or name in ("test", "["):
            ignored.append(line)
        else:
            raise CommandRefused(
                f"the command `{_short(line)}` is not understood, and a foreign command is never run; "
                "kernel parameters can be set by `sysctl -q -w name=value`."
            )
    return Understood(tuple(sysctls), tuple(ignored))


def _commands(text: str) -> list[str]:
    joined = text.replace("\\\n", " ")
    lines = [line.split(" #")[0].strip() for line in re.split(r"[\n;]|&&|\|\|", joined)]
    return [line for line in lines if line and not line.startswith("#")]


def _words(line: str) -> list[str]:
    line = _ARITHMETIC.sub(_computed, line)
    line = re.sub(r"\s*\d?>\s*/dev/null|\s*2>&1|\s*&$", "", line)
    try:
        return shlex.split(line)
    except ValueError:
        raise CommandRefused(f"the quotes in the command `{_short(line)}` do not close.") from None


def _computed(found: re.Match[str]) -> str:
    total = 0
    for term in found[1].replace(" ", "").split("+"):
        product = 1
        for factor in term.strip("()").split("*"):
            if not (factor.isascii() and factor.isdigit()) or len(factor) > 12:
                raise CommandRefused(f"the sum {found[0]} is not understood; write the number itself.")
            product *= int(factor)
        total += product
    return str(total)


def _assignments(words: list[str], line: str) -> list[tuple[str, str]]:
    found = []
    for word in words:
        if word.startswith("-"):
            continue
        name, equals, value = word.partition("=")
        if not equals:
            raise CommandRefused(f"`{_short(line)}` sets nothing: {word!r} has no '='.")
        found.append((name.strip().replace("/", ".").rsplit(".", 1)[-1], value.strip()))
    return found


def _from_proc(word: str, line: str) -> tuple[str, str]:
    name, equals, value = word.partition("=")
    if not equals:
        raise CommandRefused(f"`{_short(line)}` sets nothing: {word!r} has no '='.")
    return PurePosixPath(name).name, value


def _echo(words: list[str], line: str, ignored: list[str]) -> list[tuple[str, str]]:
    """``echo 1 > /proc/sys/net/ipv4/tcp_x`` sets a parameter; any other echo only speaks."""
    for at, word in enumerate(words):
        target = word.lstrip(">") or (words[at + 1] if at + 1 < len(words) else "") if word.startswith(">") else ""
        if target.startswith("/proc/sys/"):
            return [(PurePosixPath(target).name, " ".join(words[1:at]))]
    ignored.append(line)
    return []


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 60 else text[:59] + "…"


def numbers(value: str) -> list[int]:
    """The whole numbers of a parameter's value, such as the three of tcp_rmem; empty when it is none."""
    words = value.replace(",", " ").split()
    found = []
    for word in words:
        if not re.fullmatch(r"-?\d{1,12}|0x[0-9a-fA-F]{1,8}", word):
            return []
        found.append(int(word, 0))
    return found
