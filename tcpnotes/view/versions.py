"""Where versions part: the same scenario under two profiles, and the points at which versions differ, as tables.

Two runs are compared by what each host does: the segments it sends, the states of its sockets and buckets, what its
calls return, what it logs.  Times are compared apart, for a clock of 10 ms and one of 1 ms never agree to the last
digit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from itertools import zip_longest
from typing import NamedTuple

from tcpnotes.kernel.net import SYSCTL_DEFAULTS
from tcpnotes.kernel.profile import LINUX_2_4_0, PROFILES, Profile, profile_by_name
from tcpnotes.scenarios import run, scenario_names
from tcpnotes.scenarios.loader import Scenario, SettingNotThere
from tcpnotes.scenarios.points import points
from tcpnotes.trace.records import Return
from tcpnotes.view.reading import Note, table
from tcpnotes.view.story import Story, clock, result_words

ALIKE, TIMES, OTHERWISE = "alike", "other times", "otherwise"
WITHIN = 20_000  # microseconds: two ticks of the slower clock


class Happening(NamedTuple):
    """Something that a host does, at a time in microseconds, in words that do not name the time."""

    t: int
    host: str
    text: str

    def __str__(self) -> str:
        return f"{clock(self.t, 2)} s, {self.host}: {self.text}"


@dataclass(frozen=True)
class Comparison:
    """One scenario under two profiles.

    ``kind``: alike, other times, or otherwise.  ``first`` and ``second`` are what the profiles do where they part for
    the first time (None: nothing more), or where their times are furthest apart; None for both when they are alike.
    """

    scenario: str
    kind: str
    first: Happening | None = None
    second: Happening | None = None


def happenings(scenario: str | Scenario, profile: str | Profile) -> dict[str, tuple[Happening, ...]]:
    """What each host does from the first step of a scenario on; only that it cannot, where it has not got a setting.

    ScenarioError for a bad scenario, ValueError for an unknown profile.
    """
    try:
        done = run(scenario, profile=profile)
    except SettingNotThere as error:
        return {error.host: (Happening(0, error.host, f"has no {error.setting}"),)}
    script = done.scenario.script
    since = 0 if done.scenario.start == "none" or not script else script[0].at
    story = Story(done.recorder, since=since)
    found: dict[str, list[tuple[int, Happening]]] = {host: [] for host in story.hosts}
    for beat in story.beats:
        if beat.untold:
            continue
        here = [(flight.index, f"sends {flight.label}") for flight in beat.sent]
        for mark in beat.marks:
            record = story.records[mark.index]
            if isinstance(record, Return):
                here.append((mark.index, f"{record.call} returns {result_words(record)}"))
            elif mark.kind != "event":
                here.append((mark.index, {"state": "goes to ", "bucket": "bucket "}.get(mark.kind, "") + mark.text))
        found[beat.host] += [(index, Happening(beat.t, beat.host, text)) for index, text in here]
    return {host: tuple(what for _, what in sorted(rows)) for host, rows in found.items()}


def compare(
    scenario: str | Scenario, first: str | Profile, second: str | Profile, *, within: int = WITHIN
) -> Comparison:
    """Compare a scenario under two profiles; times that differ by no more than ``within`` microseconds are equal."""
    name = scenario.name if isinstance(scenario, Scenario) else scenario
    return _compared(name, happenings(scenario, first), happenings(scenario, second), within)


def _compared(
    name: str, one: Mapping[str, Sequence[Happening]], other: Mapping[str, Sequence[Happening]], within: int = WITHIN
) -> Comparison:
    partings = []
    furthest: tuple[int, Happening, Happening] | None = None
    for host in sorted({*one, *other}):
        for a, b in zip_longest(one.get(host, ()), other.get(host, ())):
            if a is None or b is None or a.text != b.text:
                partings.append((min(what.t for what in (a, b) if what is not None), a, b))
                break
            if abs(a.t - b.t) > max(within, furthest[0] if furthest else 0):
                furthest = (abs(a.t - b.t), a, b)
    if partings:
        _, a, b = min(partings, key=lambda parting: parting[0])
        return Comparison(name, OTHERWISE, a, b)
    if furthest is not None:
        return Comparison(name, TIMES, furthest[1], furthest[2])
    return Comparison(name, ALIKE)


def compare_all(
    first: str | Profile, second: str | Profile, scenarios: Iterable[str] | None = None
) -> tuple[Comparison, ...]:
    """`compare` for every scenario of the library, or for those named."""
    return tuple(compare(name, first, second) for name in (scenario_names() if scenarios is None else scenarios))


def parting_table(
    comparisons: Iterable[Comparison],
    first: str,
    second: str,
    kind: str = OTHERWISE,
    reasons: Mapping[str, Sequence[str]] | None = None,
) -> Note:
    """Those of a kind, one row each: what each profile does where they part; ``reasons``: scenario → behaviours."""
    head = ("scenario", first, second, *(() if reasons is None else ("behaviour",)))
    rows = []
    for c in comparisons:
        if c.kind == kind:
            why = () if reasons is None else (", ".join(reasons.get(c.scenario, ())) or "several together",)
            rows.append((c.scenario, str(c.first or "nothing more"), str(c.second or "nothing more"), *why))
    return table(head, rows, code=(0, 3))


def causes(
    first: str | Profile, second: str | Profile, scenarios: Iterable[str] | None = None
) -> dict[str, dict[str, str]]:
    """Which behaviour makes which scenario go otherwise: found by experiment.

    Everything as under ``first``, a single behaviour as under ``second``: behaviour → scenario → kind of difference
    (alike ones are left out).  A behaviour that changes nothing has an empty entry.  Kernel parameters with other
    defaults are taken together, as ``sysctls``.
    """
    one, other = profile_by_name(first), profile_by_name(second)
    names = tuple(scenario_names() if scenarios is None else scenarios)
    # Parameters that the first has not got come along: a behaviour may ask for one.
    extra = tuple((key, value) for key, value in other.sysctls if key not in {**SYSCTL_DEFAULTS, **dict(one.sysctls)})
    one = replace(one, sysctls=(*one.sysctls, *extra))
    base = {name: happenings(name, one) for name in names}
    differ = [
        field.name
        for field in fields(Profile)
        if field.name not in ("name", "sentence") and getattr(one, field.name) != getattr(other, field.name)
    ]
    found: dict[str, dict[str, str]] = {}
    for behaviour in differ:
        mixed = replace(one, name=f"{one.name} with {behaviour}", **{behaviour: getattr(other, behaviour)})
        compared = (_compared(name, base[name], happenings(name, mixed)) for name in names)
        found[behaviour] = {c.scenario: c.kind for c in compared if c.kind != ALIKE}
    return found


def points_table(
    group: str | None = None, profiles: Iterable[str | Profile] = tuple(PROFILES), *, cited: bool = True
) -> Note:
    """The points of a group (all unless told), each asked of every profile; with what is cited beside the answers.

    On a page, answers other than that of Linux 2.4.0 (or of the first profile) stand in bold type.
    ValueError for a group or a profile that does not exist.
    """
    asked = [profile_by_name(profile) for profile in profiles]
    head = ("point", "items", *(("the RFCs", "Linux 2.2.1") if cited else ()), *(profile.name for profile in asked))
    usual = next((number for number, profile in enumerate(asked) if profile.name == LINUX_2_4_0.name), 0)
    plain, marked = [], []
    for point in points(group):
        beside = (point.name, " ".join(point.items), *((point.rfc, point.linux_2_2 or "–") if cited else ()))
        said = [point.ask(profile) for profile in asked]
        plain.append((*beside, *said))
        marked.append((*beside, *(answer if answer == said[usual] else f"**{answer}**" for answer in said)))
    return Note(table(head, plain).text, table(head, marked).markdown)
