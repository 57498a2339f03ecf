"""``tcpnotes profiles``: where versions differ, and what each profile does there."""

from __future__ import annotations

from argparse import Namespace

from tcpnotes.cli._command import Subparsers, add_json, command, print_columns, print_json


def add(subparsers: Subparsers) -> None:
    """Declare the command."""
    parser = command(
        subparsers, "profiles", run,
        help="list the profiles and how they differ",
        about="Lists the profiles, and for every behaviour in which versions differ: what it is about, where it is "
        "written, and what each profile does.",
        example="tcpnotes profiles",
    )  # fmt: skip
    add_json(parser)


def run(args: Namespace) -> int:
    """Print profiles and behaviours."""
    from tcpnotes.kernel.profile import BEHAVIOURS, PROFILES

    if args.json:
        for profile in PROFILES.values():
            values = {behaviour.name: getattr(profile, behaviour.name) for behaviour in BEHAVIOURS}
            print_json("profile", name=profile.name, sentence=profile.sentence, values=values)
        for behaviour in BEHAVIOURS:
            print_json("behaviour", **behaviour._asdict())
        return 0
    print_columns([(profile.name, profile.sentence) for profile in PROFILES.values()])
    for behaviour in BEHAVIOURS:
        print(f"\n{behaviour.name}: {behaviour.sentence}")
        print_columns([("", name, getattr(profile, behaviour.name)) for name, profile in PROFILES.items()])
        print(f"  from: {behaviour.source}")
    return 0
