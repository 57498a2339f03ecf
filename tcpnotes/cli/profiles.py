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
        example="tcpnotes profiles\ntcpnotes profiles --markdown",
    )  # fmt: skip
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--markdown", action="store_true", help="as the page docs/profiles.md")
    add_json(form)


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
    if args.markdown:
        print(_page(), end="")
        return 0
    print_columns([(profile.name, profile.sentence) for profile in PROFILES.values()])
    for behaviour in BEHAVIOURS:
        print(f"\n{behaviour.name}: {behaviour.sentence}")
        print_columns([("", name, getattr(profile, behaviour.name)) for name, profile in PROFILES.items()])
        print(f"  from: {behaviour.source}")
    return 0


_HEAD = """\
# Profiles

Versions differ, and so do the text of December 2000 and the kernel that was released a month later. Where they do, the
engine asks its profile for a *behaviour* by name; nowhere does it ask for a version. `--profile` chooses one on the
command line, `World(profile)` in Python; a profile of your own is a copy with other values, for example
`dataclasses.replace(LINUX_6, name="mine", tail_loss_probe="no")`.

This page is made by `tcpnotes profiles --markdown`.

"""


def _page() -> str:
    """The page docs/profiles.md."""
    from tcpnotes.kernel.net import SYSCTL_DEFAULTS
    from tcpnotes.kernel.profile import BEHAVIOURS, PROFILES

    lines = [_HEAD.rstrip("\n"), "", *(f"* `{p.name}`: {p.sentence}" for p in PROFILES.values())]
    lines += ["", f"## The {len(BEHAVIOURS)} behaviours"]
    for behaviour in BEHAVIOURS:
        lines += ["", f"### {behaviour.name}", "", behaviour.sentence, "", "| profile | does |", "|---|---|"]
        lines += [f"| `{name}` | {getattr(profile, behaviour.name)} |" for name, profile in PROFILES.items()]
        others = [v for v in behaviour.values if v not in {getattr(p, behaviour.name) for p in PROFILES.values()}]
        lines += ["", f"No profile does: {', '.join(others)}."] if others else []
        lines += ["", f"From: {behaviour.source}."]
    lines += ["", "## Kernel parameters with other defaults"]
    for name, profile in PROFILES.items():
        if profile.sysctls:
            lines += ["", f"| parameter | `{name}` | otherwise |", "|---|---|---|"]
            lines += [f"| `{key}` | {value} | {SYSCTL_DEFAULTS.get(key, 'none')} |" for key, value in profile.sysctls]
    return "\n".join(lines) + "\n"
