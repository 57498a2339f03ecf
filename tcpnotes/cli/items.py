"""``tcpnotes items``: what the source says, item by item, and which records show it."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterable
from typing import TYPE_CHECKING

from tcpnotes.cli._command import CommandError, Subparsers, add_json, command, print_columns, print_json, unknown

if TYPE_CHECKING:
    from tcpnotes.scenarios.proof import Missing, Place, Shown
    from tcpnotes.source import Item


def add(subparsers: Subparsers) -> None:
    """Declare the command."""
    parser = command(
        subparsers, "items", run,
        help="show where each item of the source is shown",
        about="Runs what must show each item of the source and says which records of which run show it (numbers as in "
        "'tcpnotes run SCENARIO --json') and when they begin, in seconds. Where the released kernel spells a name of "
        "the text differently, both spellings stand side by side. Exit status 1 if an item is not shown.",
        example="tcpnotes items\ntcpnotes items 1.3a S.4c --language ja",
    )  # fmt: skip
    parser.add_argument("ids", metavar="ID", nargs="*", help="only these items")
    parser.add_argument("--language", metavar="L", default="en", help="what the sentences are in: en, ja (default: en)")
    add_json(parser)


def run(args: Namespace) -> int:
    """Prove the items; 1 if one is not shown."""
    from tcpnotes.scenarios.proof import Missing, prove
    from tcpnotes.source import item, item_ids, languages

    if args.language not in languages():
        remedy = f"there are: {', '.join(languages())}"
        raise CommandError(f"--language: {unknown('text in language', args.language, languages(), remedy)}.")
    for id in args.ids:
        if id not in item_ids():
            raise CommandError(unknown("item", id, item_ids(), "'tcpnotes items' lists them") + ".")
    missing = []
    ids = args.ids or item_ids()
    for id in ids:
        found = prove(id)
        if isinstance(found, Missing):
            missing.append(id)
        (_print_json if args.json else _print)(item(id, args.language), found)
    if args.json:
        print_json("items", count=len(ids), shown=len(ids) - len(missing), missing=missing)
    else:
        print(f"{len(ids) - len(missing)} of {len(ids)} items shown.")
        if missing:
            print(f"Not shown: {', '.join(missing)}.")
    return 1 if missing else 0


def _print(known: Item, found: Shown | Missing) -> None:
    from tcpnotes.scenarios.proof import Shown
    from tcpnotes.view.story import clock

    shown = isinstance(found, Shown)
    print(f"{known.id:<5} {'shown' if shown else 'NOT SHOWN'}: {known.text}")
    for ours, theirs in known.respelt:
        print(f"      {ours} is {theirs} in the released kernel")
    if isinstance(found, Shown):
        print_columns(
            [
                ("    ", place.scenario, _range(place.records), f"{clock(place.t)} s", profiles)
                for place, profiles in _joined(found.places)
            ]
        )
    else:
        print(f"      because {found.reason}")


def _range(records: tuple[int, ...]) -> str:
    first, last = records[0], records[-1]
    return f"record {first}" if first == last else f"records {first}–{last}"


def _joined(places: Iterable[Place]) -> list[tuple[Place, str]]:
    """Places that differ in nothing but the profile, on one line."""
    profiles: dict[Place, list[str]] = {}
    for place in places:
        profiles.setdefault(place._replace(profile=""), []).append(place.profile)
    return [(place, ", ".join(dict.fromkeys(names))) for place, names in profiles.items()]


def _print_json(known: Item, found: Shown | Missing) -> None:
    from tcpnotes.scenarios.proof import Shown

    print_json(
        "item", id=known.id, step=known.step, text=known.text, names=known.names, released=known.released,
        shown=isinstance(found, Shown),
        places=found.places if isinstance(found, Shown) else (),
        reason=None if isinstance(found, Shown) else found.reason,
    )  # fmt: skip
