"""Scenario files: read, and checked to the last key before anything runs.

A scenario is a TOML file that a person can read:

    title   one line, a statement
    about   a few sentences
    shows   ids of the items that the run shows
    delay   seconds from host to host (0.05 unless told)
    until   when the run ends, in seconds; without it, when nothing is left to happen (600 s at most)
    start   "established": one side listens on port 80, the other connects, the connection is accepted; or "none"
    server  who listens ("B" unless told);  client_port: the port that the other side binds
    sysctl  a table for each host: [sysctl.A]
    script  what happens, in the order of time: [[script]] tables with a time ``at`` and one of
              host, call, args, fd            a system call (fd: the connection, unless told)
              lose, from, count, until        segments of a kind that leave from then on are lost
              inject = { to, flags, seq … }   a segment from nowhere
              crash                           a host that loses everything
    moves   what happens after the script, one move after the other, however the clock stands: `arrive(7)`, `lose(7)`,
            `double(7)`, `fire(A)`, `A.close(3)` … as in `scenarios.moves`; then the run ends (or at ``until``)

The server's listener has descriptor 3 and its connection 4; the client's connection has 3.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from tcpnotes.scenarios.expressions import check_expression
from tcpnotes.scenarios.forging import FLAGS, WINDOW
from tcpnotes.scenarios.moves import Move, move
from tcpnotes.scenarios.tables import HOSTS, FileError, TableReader, read_own, read_toml, toml_names
from tcpnotes.source import item_ids
from tcpnotes.world import World
from tcpnotes.world.process import CALLS, CallError, check

KINDS = ("FIN", "SYN", "RST", "ACK", "data", "any")


class ScenarioError(FileError):
    """A scenario that cannot be read or run: which file, where in it, and what is allowed there."""


class SettingNotThere(ScenarioError):
    """A scenario sets what the kernel of the profile does not have: ``setting`` on ``host``."""

    def __init__(self, file: str, host: str, setting: str, message: str) -> None:
        super().__init__(file, f"sysctl.{host}.{setting}", message)
        self.host = host
        self.setting = setting

    def __reduce__(self) -> tuple[type[SettingNotThere], tuple[str, str, str, str]]:  # type: ignore[override]
        return type(self), (self.file, self.host, self.setting, self.message)


class Call(NamedTuple):
    """At ``at`` (microseconds) an application on ``host`` makes a system call."""

    at: int
    host: str
    call: str
    args: tuple[Any, ...]


class Lose(NamedTuple):
    """From ``at`` on, segments of a kind that ``src`` sends are lost: ``count`` of them, or all until ``until``."""

    at: int
    src: str
    what: str
    count: int | None  # type: ignore[assignment]  # hides tuple.count
    until: int | None


class Inject(NamedTuple):
    """At ``at`` a segment from nowhere reaches ``to``; ``seq`` and ``ack`` are relative to what ``to`` expects."""

    at: int
    to: str
    flags: int
    seq: str
    ack: str
    len: int
    window: int


class Crash(NamedTuple):
    """At ``at`` a host loses everything and comes up empty."""

    at: int
    host: str


class Play(NamedTuple):
    """A move, made as soon as the script is over; ``at`` is when that is."""

    at: int
    move: Move


Step: TypeAlias = Call | Lose | Inject | Crash | Play


class Scenario(NamedTuple):
    """A scenario that passed every check.  Times are microseconds."""

    name: str
    file: str
    title: str
    about: str
    shows: tuple[str, ...]
    delay: int
    until: int | None
    start: str
    server: str
    client_port: int
    sysctl: tuple[tuple[str, str, int], ...]
    script: tuple[Step, ...]

    @property
    def client(self) -> str:
        """The host that connects when the scenario starts."""
        return "B" if self.server == "A" else "A"


# -- finding --------------------------------------------------------------------------------------------------


@cache
def scenario_names() -> tuple[str, ...]:
    """The scenarios that come with the library, in alphabetical order."""
    return toml_names(files(__package__))


def load(name: str | Path) -> Scenario:
    """A scenario by name, or from a file when ``name`` is a path ending in ``.toml``.  ScenarioError if it is bad."""
    text = str(name)
    if text in scenario_names():
        return _builtin(text)
    return parse(read_own(name, scenario_names(), ScenarioError, "scenario"), Path(name).stem, text)


@cache
def _builtin(name: str) -> Scenario:
    file = f"{name}.toml"
    return parse(files(__package__).joinpath(file).read_bytes(), name, file)


def parse(content: bytes, name: str, file: str) -> Scenario:
    """Read and check the text of a scenario file."""
    data = read_toml(content, file, ScenarioError, "a scenario file")
    return _Reader(file).scenario(data, name)


# -- checking --------------------------------------------------------------------------------------------------


@cache
def _sysctls() -> tuple[str, ...]:
    return tuple(sorted(World().hosts["A"].net.sysctl))


class _Reader(TableReader):
    """Takes a scenario apart; whatever is wrong becomes a ScenarioError that names the key."""

    error = ScenarioError

    # -- the parts of a scenario ---------------------------------------------------------------------------

    def scenario(self, data: dict[str, Any], name: str) -> Scenario:
        self.keys(
            data,
            (
                "title",
                "about",
                "shows",
                "delay",
                "until",
                "start",
                "server",
                "client_port",
                "sysctl",
                "script",
                "moves",
            ),
            "",
        )
        shows = []
        for i, id in enumerate(self.listed(data.get("shows", []), "shows"), 1):
            if not isinstance(id, str) or id not in item_ids():
                raise self.fail(f"shows[{i}]", f"{id!r} is not an item of the source; 'tcpnotes items' lists them.")
            shows.append(id)
        start = self.choice(data.get("start", "established"), ("established", "none"), "start")
        for key in ("server", "client_port"):
            if start == "none" and key in data:
                raise self.fail(key, 'this is for start = "established" only.')
        server = self.choice(data.get("server", "B"), HOSTS, "server")
        client_port = self.number(data.get("client_port", 0), 0, 65535, "client_port")
        fds: dict[str, int] = {}
        if start == "established":
            fds = {host: 4 if host == server else 3 for host in HOSTS}
        script = tuple(self.script(data.get("script", []), fds))
        until = self.seconds(data["until"], "until") if "until" in data else None
        if until is not None and script and script[-1].at > until:
            raise self.fail("until", "the run ends before the last step of the script.")
        script += tuple(self.moves(data.get("moves", []), script[-1].at if script else 0))
        return Scenario(
            name=name,
            file=self.file,
            title=self.text(data, "title", ""),
            about=self.text(data, "about", "", "").strip(),
            shows=tuple(shows),
            delay=self.seconds(data.get("delay", 0.05), "delay"),
            until=until,
            start=start,
            server=server,
            client_port=client_port,
            sysctl=tuple(self.sysctl(data.get("sysctl", {}))),
            script=script,
        )

    def sysctl(self, value: Any) -> Iterator[tuple[str, str, int]]:
        for host, settings in self.table(value, "sysctl").items():
            self.choice(host, HOSTS, f"sysctl.{host}")
            for name, setting in self.table(settings, f"sysctl.{host}").items():
                where = f"sysctl.{host}.{name}"
                if name not in _sysctls():
                    raise self.fail(where, f"there is no such sysctl; there are: {', '.join(_sysctls())}.")
                yield host, name, self.number(setting, 0, (1 << 31) - 1, where)

    def script(self, value: Any, fds: dict[str, int]) -> Iterator[Step]:
        last = 0
        for i, entry in enumerate(self.listed(value, "script"), 1):
            where = f"script[{i}]"
            table = self.table(entry, where)
            if "at" not in table:
                raise self.fail(f"{where}.at", "this key is missing; it takes seconds.")
            at = self.seconds(table["at"], f"{where}.at")
            if at < last:
                raise self.fail(f"{where}.at", "the steps of a script stand in the order of time.")
            last = at
            yield self.step(table, at, where, fds)

    def moves(self, value: Any, at: int) -> Iterator[Play]:
        for i, text in enumerate(self.listed(value, "moves"), 1):
            try:
                made = move(text if isinstance(text, str) else repr(text))
            except ValueError as error:
                raise self.fail(f"moves[{i}]", str(error)) from None
            if made.event is None:
                raise self.fail(f"moves[{i}]", f"{text!r} is for games; a scenario names what happens.")
            yield Play(at, made)

    def step(self, table: dict[str, Any], at: int, where: str, fds: dict[str, int]) -> Step:
        kinds = [key for key in ("call", "lose", "inject", "crash") if key in table]
        if len(kinds) != 1:
            found = " and ".join(kinds) if kinds else "none of them"
            raise self.fail(where, f"a step has exactly one of the keys call, lose, inject, crash; here: {found}.")
        match kinds[0]:
            case "call":
                return self.call(table, at, where, fds)
            case "lose":
                return self.lose(table, at, where)
            case "inject":
                self.keys(table, ("at", "inject"), where)
                return self.inject(self.table(table["inject"], f"{where}.inject"), at, f"{where}.inject")
            case _:
                self.keys(table, ("at", "crash"), where)
                return Crash(at, self.choice(table["crash"], HOSTS, f"{where}.crash"))

    def call(self, table: dict[str, Any], at: int, where: str, fds: dict[str, int]) -> Call:
        self.keys(table, ("at", "host", "call", "args", "fd"), where)
        host = self.choice(table.get("host"), HOSTS, f"{where}.host")
        call = self.choice(table["call"], CALLS, f"{where}.call")
        args = [tuple(a) if isinstance(a, list) else a for a in self.listed(table.get("args", []), f"{where}.args")]
        if call != "socket":
            if "fd" not in table and host not in fds:
                raise self.fail(f"{where}.fd", 'it is missing; with start = "none" every call names its descriptor.')
            args.insert(0, self.number(table.get("fd", fds.get(host)), 0, 1 << 20, f"{where}.fd"))
        elif "fd" in table:
            raise self.fail(f"{where}.fd", "socket makes a descriptor, it takes none.")
        try:
            check(call, tuple(args))
        except CallError as error:
            raise self.fail(f"{where}.args", str(error)) from None
        except TypeError:
            raise self.fail(f"{where}.args", f"{call} cannot take {table.get('args')!r}.") from None
        return Call(at, host, call, tuple(args))

    def lose(self, table: dict[str, Any], at: int, where: str) -> Lose:
        self.keys(table, ("at", "lose", "from", "count", "until"), where)
        what = self.choice(table["lose"], KINDS, f"{where}.lose")
        src = self.choice(table.get("from"), HOSTS, f"{where}.from")
        until = self.seconds(table["until"], f"{where}.until") if "until" in table else None
        if until is not None and until < at:
            raise self.fail(f"{where}.until", "this lies before the step's own time.")
        count = None if until is not None else 1
        if "count" in table:
            count = self.number(table["count"], 1, 1_000_000, f"{where}.count")
        return Lose(at, src, what, count, until)

    def inject(self, table: dict[str, Any], at: int, where: str) -> Inject:
        self.keys(table, ("to", "flags", "seq", "ack", "len", "window"), where)
        to = self.choice(table.get("to"), HOSTS, f"{where}.to")
        flags = 0
        for name in filter(None, self.text(table, "flags", where).replace(" ", "").split(",")):
            flags |= FLAGS[self.choice(name, tuple(FLAGS), f"{where}.flags")]
        numbers = {}
        for key, default in (("seq", None), ("ack", "snd_nxt")):
            value = table.get(key, default)
            if isinstance(value, int) and not isinstance(value, bool):
                value = str(value)
            if not isinstance(value, str):
                raise self.fail(f"{where}.{key}", 'this takes a sequence number such as "rcv_nxt" or "rcv_nxt+100".')
            problem = check_expression(value)
            if problem:
                raise self.fail(f"{where}.{key}", problem)
            numbers[key] = value
        length = self.number(table.get("len", 0), 0, 65535, f"{where}.len")
        window = self.number(table.get("window", WINDOW), 0, 65535, f"{where}.window")
        return Inject(at, to, flags, numbers["seq"], numbers["ack"], length, window)
