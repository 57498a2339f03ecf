"""``tcpnotes scenarios``: what there is to run."""

from __future__ import annotations

from argparse import Namespace

from tcpnotes.cli._command import Subparsers, add_json, command, print_columns, print_json


def add(subparsers: Subparsers) -> None:
    """Declare the command."""
    parser = command(
        subparsers, "scenarios", run,
        help="list the scenarios",
        about="Lists the scenarios: name, title, and the items of the source that each shows.",
        example="tcpnotes scenarios",
    )  # fmt: skip
    add_json(parser)


def run(args: Namespace) -> int:
    """Print the list."""
    from tcpnotes.scenarios import load, scenario_names

    scenarios = [load(name) for name in scenario_names()]
    if args.json:
        for scenario in scenarios:
            print_json("scenario", name=scenario.name, title=scenario.title, about=scenario.about, items=scenario.shows)
    else:
        print_columns([(scenario.name, scenario.title, " ".join(scenario.shows)) for scenario in scenarios])
    return 0
