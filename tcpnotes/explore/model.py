"""Models: from where on everything is tried, and what may happen.  Small TOML files, checked to the last key.

title     one line
about     a few sentences
start     "established": both hosts connected to each other at once, so that they are each other's image;
          "opening": the same with both SYNs still on the way; "listening": A's SYN is on its way to B's listener
sysctl    a table of settings for both hosts
network   lose, double          how many segments may be lost, how many doubled
          reorder               may segments overtake each other?
          in_flight             segments on their way to one host at most
          late                  how many timers may fire while segments are on their way
both      what each application may do: write (how often), bytes (each time), shutdown, close, abort, read;
          linger: the seconds of SO_LINGER.  Or a table ``A`` and a table ``B``, if they differ.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

from tcpnotes.kernel.profile import Profile
from tcpnotes.scenarios.loader import _sysctls as sysctls
from tcpnotes.scenarios.tables import HOSTS, FileError, TableReader, read_own, read_toml, toml_names
from tcpnotes.world import World

STARTS = ("established", "opening", "listening")
MOST = 7  # of a mishap: it has three bits in a state
PORT = 5000
SETTLED = 1_000_000  # microseconds: when the handshake is long over
_PLAIN = ("tcp_timestamps", "tcp_sack", "tcp_window_scaling")  # options that would carry the clock into segments


class ModelError(FileError):
    """A model that cannot be read: which file, where in it, and what is allowed there."""


class Owner(NamedTuple):
    """What the application on one host may do."""

    write: int = 0
    bytes: int = 1
    shutdown: bool = False
    close: bool = True
    abort: bool = False
    read: bool = True
    linger: int | None = None  # seconds


class Model(NamedTuple):
    """A model that passed every check."""

    name: str
    title: str
    about: str
    start: str
    sysctl: tuple[tuple[str, int], ...]
    lose: int
    double: int
    reorder: bool
    in_flight: int
    late: int
    owners: tuple[Owner, Owner]

    @property
    def symmetric(self) -> bool:
        """True when the hosts may be exchanged."""
        return self.start != "listening" and self.owners[0] == self.owners[1]

    def setting(self, name: str, default: int) -> int:
        """A sysctl of the model."""
        return dict(self.sysctl).get(name, default)

    def calls(self) -> list[tuple[str, str, tuple[Any, ...]]]:
        """The set-up: which calls are made at time 0, on which host."""
        made: list[tuple[str, str, tuple[Any, ...]]] = []
        listens = self.start == "listening"
        for host, owner in zip(HOSTS, self.owners, strict=True):
            made += [(host, "socket", ()), (host, "bind", (3, PORT)), (host, "fcntl", (3, "O_NONBLOCK"))]
            if owner.linger is not None:
                made.append((host, "setsockopt", (3, "SOL_SOCKET", "SO_LINGER", (1, owner.linger))))
        if listens:
            made.append(("B", "listen", (3, 1)))
        return [*made, ("A", "connect", (3, PORT)), *([] if listens else [("B", "connect", (3, PORT))])]

    def open(self, profile: str | Profile) -> World:
        """A world as it stands when the model begins.  ModelError where the profile's kernel has not what is set."""
        world = World(profile, delay=1)
        for host in HOSTS:
            for name, value in self.sysctl:
                try:
                    world.sysctl(host, name, value)
                except ValueError as error:
                    message = f"not under the profile {world.profile.name}: {error}"
                    raise ModelError(self.name, f"sysctl.{name}", message) from None
            net = world.host(host).net
            net.iss_base, net.iss_moves = 1_000_000, False
        for host, call, args in self.calls():
            world.call(host, call, *args)
        if self.start == "established":
            world.run_until(SETTLED)
        return world


@cache
def model_names() -> tuple[str, ...]:
    """The models that come with the library."""
    return toml_names(files("tcpnotes.explore").joinpath("models"))


def load_model(name: str | Path) -> Model:
    """A model by name, or from a file when ``name`` ends in ``.toml``.  ModelError if it is bad."""
    text = str(name)
    if text in model_names():
        return parse(files("tcpnotes.explore").joinpath(f"models/{text}.toml").read_bytes(), text, f"{text}.toml")
    return parse(read_own(name, model_names(), ModelError, "model"), Path(name).stem, text)


def parse(content: bytes, name: str, file: str) -> Model:
    """Read and check the text of a model file."""
    return _Reader(file).model(read_toml(content, file, ModelError, "a model file"), name)


class _Reader(TableReader):
    error = ModelError

    def flag(self, table: dict[str, Any], key: str, where: str, default: bool) -> bool:
        value = table.get(key, default)
        if not isinstance(value, bool):
            raise self.fail(f"{where}.{key}", f"this is true or false, not {value!r}.")
        return value

    def model(self, data: dict[str, Any], name: str) -> Model:
        self.keys(data, ("title", "about", "start", "sysctl", "network", "both", *HOSTS), "")
        network = self.table(data.get("network", {}), "network")
        self.keys(network, ("lose", "double", "reorder", "in_flight", "late"), "network")
        if "both" in data and any(host in data for host in HOSTS):
            raise self.fail("both", "either this table or the tables A and B, not all of them.")
        owners = [self.owner(data.get(host, data.get("both", {})), host if host in data else "both") for host in HOSTS]

        def mishap(key: str) -> int:
            return self.number(network.get(key, 0), 0, MOST, f"network.{key}")

        return Model(
            name,
            self.text(data, "title", ""),
            self.text(data, "about", "", "").strip(),
            self.choice(data.get("start", "established"), STARTS, "start"),
            tuple(sorted({**dict.fromkeys(_PLAIN, 0), **self.settings(data.get("sysctl", {}))}.items())),
            mishap("lose"),
            mishap("double"),
            self.flag(network, "reorder", "network", True),
            self.number(network.get("in_flight", 4), 1, 16, "network.in_flight"),
            mishap("late"),
            (owners[0], owners[1]),
        )

    def settings(self, value: Any) -> dict[str, int]:
        settings = self.table(value, "sysctl")
        for name, setting in settings.items():
            if name not in sysctls():
                raise self.fail(f"sysctl.{name}", f"there is no such sysctl; there are: {', '.join(sysctls())}.")
            if name in _PLAIN and setting != 0:
                raise self.fail(f"sysctl.{name}", "in a model this is 0: states would differ by the clock alone.")
            self.number(setting, 0, (1 << 31) - 1, f"sysctl.{name}")
        return settings

    def owner(self, value: Any, where: str) -> Owner:
        table = self.table(value, where)
        self.keys(table, Owner._fields, where)
        return Owner(
            self.number(table.get("write", 0), 0, MOST, f"{where}.write"),
            self.number(table.get("bytes", 1), 1, 100_000, f"{where}.bytes"),
            self.flag(table, "shutdown", where, False),
            self.flag(table, "close", where, True),
            self.flag(table, "abort", where, False),
            self.flag(table, "read", where, True),
            self.number(table["linger"], 0, 100_000, f"{where}.linger") if "linger" in table else None,
        )
