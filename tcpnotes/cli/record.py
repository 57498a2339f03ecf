"""``tcpnotes record``: a scenario's segments as a capture that Wireshark opens."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from tcpnotes.cli._command import CommandError, Subparsers, add_profile, command, whole_number


def add(subparsers: Subparsers) -> None:
    """Declare the command."""
    parser = command(
        subparsers, "record", run,
        help="write a scenario as a capture for Wireshark",
        about="Runs a scenario and writes its segments as a pcapng file: each once, when it was sent, with right "
        "checksums and a comment that names the items of the source which its sending and its arrival show. A segment "
        "that was lost is in it, and its comment says so. The same command writes the same bytes on every machine.",
        example="tcpnotes record orderly_close close.pcapng\n"
        "tcpnotes record half_close half.pcapng --profile linux-2.4.0",
    )  # fmt: skip
    parser.add_argument("scenario", metavar="SCENARIO", help="a name (see 'tcpnotes scenarios') or a .toml file")
    parser.add_argument("file", metavar="FILE.pcapng", help="the file to write; one that is there is replaced")
    add_profile(parser, "source")
    parser.add_argument(
        "--seed", metavar="N", type=whole_number, default=0, help="decides the initial sequence numbers (default: 0)"
    )


def run(args: Namespace) -> int:
    """Write the file: all of it, or nothing."""
    from tcpnotes.capture import CaptureError
    from tcpnotes.capture.record import capture_of
    from tcpnotes.cli.run import _check_name
    from tcpnotes.scenarios import ScenarioError
    from tcpnotes.scenarios import run as run_scenario

    _check_name(args.scenario)
    try:
        done = run_scenario(args.scenario, profile=args.profile, seed=args.seed, frames=True)
        content = capture_of(done, args.profile)
    except (ScenarioError, CaptureError) as error:
        raise CommandError(str(error)) from None
    path = Path(args.file)
    if path.is_dir():
        raise CommandError(f"{args.file}: the file cannot be written: Is a directory.")
    beside = path.with_name(f".{path.name}.part")
    try:
        beside.write_bytes(content)
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise CommandError(f"{args.file}: the file cannot be written: {error.strerror or error}.") from None
    return 0
