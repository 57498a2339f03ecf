"""What is swept: a scenario and a grid, from a small TOML file that is checked to the last key.

title     one line
about     a few sentences
scenario  the name of one, or a ``.toml`` file (beside the grid's own file)
until     how long each run lasts at most, seconds
grid      what is tried, each key a list: ``profile``, ``delay`` (seconds from host to host), ``linger`` (SO_LINGER of
          the first to close: "off" or whole seconds), ``loss`` (the chance of each segment to be lost, from the first
          step of the script on), ``sysctl`` (a table: name = list, for both hosts); and ``seeds``: how many
          (0, 1, 2, …); they decide which segments are lost, and the initial sequence numbers
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from itertools import product
from math import prod
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from tcpnotes.kernel.profile import PROFILES
from tcpnotes.scenarios.loader import Call, Scenario, ScenarioError, load
from tcpnotes.scenarios.loader import _sysctls as sysctls
from tcpnotes.scenarios.tables import FileError, TableReader, read_own, read_toml, toml_names

MOST = 1_000_000  # rows
UNTIL = 600_000_000  # microseconds
_SETTING = "sysctl."

Value: TypeAlias = "str | int | float"


class SpecError(FileError):
    """A file that says what to sweep and cannot be read: which file, where in it, and what is allowed there."""


class Spec(NamedTuple):
    """What to sweep, after every check.  ``until`` in microseconds; ``axes``: name and values, the seed last."""

    name: str
    title: str
    about: str
    scenario: Scenario
    until: int
    axes: tuple[tuple[str, tuple[Value, ...]], ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The parameters, in the order of the columns."""
        return tuple(name for name, _ in self.axes)

    @property
    def size(self) -> int:
        """How many points the grid has."""
        return prod(len(values) for _, values in self.axes)

    def points(self) -> list[tuple[Value, ...]]:
        """All points of the grid in order: the last parameter changes fastest."""
        return list(product(*(values for _, values in self.axes)))

    @property
    def closes(self) -> int:
        """When the first call is made that begins the close (microseconds)."""
        return next(s.at for s in self.scenario.script if isinstance(s, Call) and s.call in ("close", "shutdown"))


@cache
def spec_names() -> tuple[str, ...]:
    """The sweeps that come with the library."""
    return toml_names(files("tcpnotes.sweep").joinpath("specs"))


def load_spec(name: str | Path) -> Spec:
    """A sweep by name, or from a file when ``name`` ends in ``.toml``.  SpecError if it is bad."""
    text = str(name)
    if text in spec_names():
        content = files("tcpnotes.sweep").joinpath(f"specs/{text}.toml").read_bytes()
        return parse(content, text, f"{text}.toml")
    path = Path(name)
    return parse(read_own(name, spec_names(), SpecError, "sweep"), path.stem, text, path.parent)


def parse(content: bytes, name: str, file: str, folder: Path = Path()) -> Spec:
    """Read and check the text of a sweep's file; scenario files are looked for in ``folder``."""
    return _Reader(file).spec(read_toml(content, file, SpecError, "a sweep's file"), name, folder)


class _Reader(TableReader):
    error = SpecError

    def spec(self, data: dict[str, Any], name: str, folder: Path) -> Spec:
        self.keys(data, ("title", "about", "scenario", "until", "grid"), "")
        scenario = self.scenario(self.text(data, "scenario", ""), folder)
        grid = self.table(data.get("grid", {}), "grid")
        self.keys(grid, ("profile", "delay", "linger", "loss", "sysctl", "seeds"), "grid")
        axes: list[tuple[str, tuple[Value, ...]]] = [("profile", ("source",))]
        if "profile" in grid:
            axes = [("profile", self.axis(grid, "profile", lambda v, at: self.choice(v, tuple(PROFILES), at)))]
        settings = self.table(grid.get("sysctl", {}), "grid.sysctl")
        for setting in settings:
            if setting not in sysctls():
                there = ", ".join(sysctls())
                raise self.fail(f"grid.sysctl.{setting}", f"there is no such sysctl; there are: {there}.")
            values = self.axis(settings, setting, self.setting, "grid.sysctl")
            axes.append((_SETTING + setting, values))
        if "delay" in grid:
            axes.append(("delay", self.axis(grid, "delay", lambda v, at: self.seconds(v, at) / 1_000_000)))
        if "linger" in grid:
            if not any(isinstance(step, Call) and step.call == "close" for step in scenario.script):
                raise self.fail("grid.linger", f"nobody calls close in {scenario.name}, so there is none to linger.")
            axes.append(("linger", self.axis(grid, "linger", self.linger)))
        if "loss" in grid:
            axes.append(("loss", self.axis(grid, "loss", self.chance)))
        axes.append(("seed", tuple(range(self.number(grid.get("seeds", 1), 1, MOST, "grid.seeds")))))
        until = self.seconds(data["until"], "until") if "until" in data else scenario.until or UNTIL
        made = Spec(
            name, self.text(data, "title", ""), self.text(data, "about", "", "").strip(), scenario, until, tuple(axes)
        )
        if made.size > MOST:
            raise self.fail("grid", f"this makes {made.size:,} runs; the most is {MOST:,}.")
        if until < made.closes:
            raise self.fail("until", f"the run ends before the close begins, at {made.closes / 1e6:g} s.")
        return made

    def scenario(self, name: str, folder: Path) -> Scenario:
        try:
            scenario = load(folder / name if name.endswith(".toml") else name)
        except ScenarioError as error:
            raise self.fail("scenario", str(error)) from None
        if not any(isinstance(step, Call) and step.call in ("close", "shutdown") for step in scenario.script):
            raise self.fail("scenario", f"nobody calls close or shutdown in the script of {name}.")
        return scenario

    def axis(self, table: dict[str, Any], key: str, check: Any, where: str = "grid") -> tuple[Value, ...]:
        """The values of one parameter: a list without repetition, each value checked."""
        place = f"{where}.{key}"
        listed = self.listed(table[key], place)
        if not listed:
            raise self.fail(place, "this takes at least one value.")
        values = tuple(check(value, f"{place}[{number}]") for number, value in enumerate(listed, 1))
        if len(set(values)) < len(values):
            raise self.fail(place, "a value stands here twice.")
        return values

    def setting(self, value: Any, where: str) -> int:
        return self.number(value, 0, (1 << 31) - 1, where)

    def linger(self, value: Any, where: str) -> Value:
        return value if value == "off" else self.number(value, 0, 100_000, where)

    def chance(self, value: Any, where: str) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
            raise self.fail(where, f"this takes a chance, a number from 0 to 1, not {value!r}.")
        return float(value)
