"""``tcpnotes run``: a scenario's trace, in columns or record by record."""

from __future__ import annotations

from argparse import Namespace

from tcpnotes.cli._command import (
    CommandError,
    Subparsers,
    add_json,
    add_profile,
    command,
    print_json,
    unknown,
    whole_number,
)
from tcpnotes.cli._console import printable

_MOST_FRAMES = 50_000  # a frame takes a few kilobytes, and two hosts can answer each other for ever


def add(subparsers: Subparsers) -> None:
    """Declare the command."""
    parser = command(
        subparsers, "run", run,
        help="run a scenario and print its trace",
        about="Runs a scenario and prints the trace in columns: time in seconds, one column for each host, the wire "
        "between them. Sequence numbers are relative to the first of each direction.",
        example="tcpnotes run simultaneous_close --hide\n"
        "tcpnotes run my_own.toml --profile linux-2.4.0 --json | grep '\"kind\": \"state\"'",
    )  # fmt: skip
    parser.add_argument("scenario", metavar="SCENARIO", help="a name (see 'tcpnotes scenarios') or a .toml file")
    add_profile(parser, "source")
    parser.add_argument(
        "--seed", metavar="N", type=whole_number, default=0, help="decides the initial sequence numbers (default: 0)"
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--hide", action="store_true", help="put ? where the reader predicts")
    add_json(form)


def run(args: Namespace) -> int:
    """Print the trace of one run."""
    from tcpnotes.scenarios import ScenarioError
    from tcpnotes.scenarios import run as run_scenario

    _check_name(args.scenario)
    try:
        done = run_scenario(args.scenario, profile=args.profile, seed=args.seed)
        if args.json and len(done.recorder.records) <= _MOST_FRAMES:
            # Some patterns look at a socket's fields, and those stand in frames.
            done = run_scenario(args.scenario, profile=args.profile, seed=args.seed, frames=True)
    except ScenarioError as error:
        raise CommandError(str(error)) from None
    if not args.json:
        from tcpnotes.view import text_trace

        print(f"{printable(done.scenario.title)} (profile {args.profile})\n")
        print(text_trace(done.recorder, hide=args.hide))
        return 0

    from tcpnotes.scenarios.proof import annotate

    records, scenario = done.recorder.records, done.scenario
    print_json(
        "run", scenario=scenario.name, title=scenario.title, about=scenario.about, profile=args.profile, seed=args.seed,
        records=len(records),
    )  # fmt: skip
    shown = annotate(records, done.recorder.frames, args.profile)
    for index, record in enumerate(records):
        print_json(**{"index": index, **record._asdict(), "items": shown.get(index, ())})
    return 0


def _check_name(name: str) -> None:
    from tcpnotes.scenarios import scenario_names

    if name not in scenario_names() and not name.endswith(".toml"):
        remedy = "'tcpnotes scenarios' lists them, and a scenario of your own is a .toml file"
        raise CommandError(unknown("scenario", name, scenario_names(), remedy) + ".")
