"""``tcpnotes explain``: how each connection in a capture was closed, item by item."""

from __future__ import annotations

from argparse import Namespace
from collections import Counter
from typing import TYPE_CHECKING

from tcpnotes.cli._command import CommandError, Subparsers, add_json, command, print_json
from tcpnotes.cli._console import printable
from tcpnotes.cli._progress import Progress

if TYPE_CHECKING:
    from tcpnotes.capture import CaptureFile, Explained, Explainer


def add(subparsers: Subparsers) -> None:
    """Declare the command."""
    parser = command(
        subparsers, "explain", run,
        help="tell how each connection in a capture was closed",
        about="Reads a capture (pcap or pcapng, also in gzip; - for standard input) and tells for every TCP connection "
        "who closed first and how, which states both ends went through, what was sent again and what the capture "
        "lacks; each statement with the items of the source that explain it and the numbers of the packets that show "
        "it. A is the end that opened the connection. What is said is what the wire shows: where it cannot tell two "
        "causes apart, both are named. See docs/explain.md.",
        example="tcpnotes explain close.pcapng\n"
        "tcpnotes explain big.pcap.gz --brief --filter 'port=443 and not how=orderly'\n"
        "tcpnotes explain close.pcapng --json | jq .how",
    )  # fmt: skip
    parser.add_argument("file", metavar="FILE", help="a capture: .pcap, .pcapng, also .gz")
    parser.add_argument(
        "--filter", metavar="EXPR", help="only these connections, e.g. 'host=10.0.0.0/8 and duration>1'"
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--brief", action="store_true", help="one line a connection")
    add_json(form)


def run(args: Namespace) -> int:
    """Print every connection that the filter lets through, then the totals."""
    from tcpnotes.capture import CaptureError, CaptureFile, Explainer
    from tcpnotes.capture.filters import parse_filter

    counts: Counter[str] = Counter()
    try:
        chosen = None if args.filter is None else parse_filter(args.filter)
        with CaptureFile(args.file) as capture, Progress(f"reading {printable(args.file)}", capture.size) as progress:
            explainer = Explainer(capture, progress=progress)
            for explained in explainer:
                if chosen is None or chosen(explained):
                    counts[explained.verdict.how] += 1
                    progress.clear()
                    (_print_json if args.json else _print_line if args.brief else _print)(explained)
            progress.clear()
            (_sum_json if args.json else _sum)(capture, explainer, counts)
    except CaptureError as error:
        raise CommandError(str(error)) from None
    return 0


def _print(explained: Explained) -> None:
    from tcpnotes.capture.chapters import link
    from tcpnotes.capture.words import sentence, word

    connection, verdict = explained
    _print_line(explained)
    for said in verdict.statements:
        print(f"    {printable(sentence(said))}")
        evidence = []
        if said.items:
            chapters = dict.fromkeys(link(item) for item in said.items)
            evidence.append(f"{' '.join(said.items)} ({', '.join(chapters)})")
        if said.packets:
            evidence.append(f"packet{'s' if len(said.packets) > 1 else ''} {', '.join(map(str, said.packets))}")
        if evidence:
            print(f"        {'; '.join(evidence)}")
    for name, end in zip("AB", connection.ends, strict=True):
        states = " → ".join(f"{change.state} ({change.number})" for change in end.states)
        print(f"    {name}: {states or 'nothing of it is seen'}")
    times = [
        f"{word('phase', phase.name)} {'not seen' if phase.seconds is None else f'{phase.seconds:.6f} s'}"
        for phase in verdict.phases
    ]
    print(f"    {'; '.join(times)}")
    for number, text in connection.comments:
        print(f"    packet {number} bears a comment: {printable(text)}")
    print()


def _print_line(explained: Explained) -> None:
    from tcpnotes.capture.words import place, word

    connection, verdict = explained
    how = word("how", verdict.how)
    others = [word("how", other) for other in verdict.maybe if other != verdict.how]
    if others:
        how += f" (or {', or '.join(others)})" if verdict.how != "reset_in_close_wait" else f" ({' or '.join(others)})"
    notes = [how, *(word("tag", tag) for tag in verdict.tags if tag != verdict.how)]
    closer = {None: "", "both": ", both closed"}.get(verdict.closer, f", {verdict.closer} first")
    seconds = (connection.last.t - connection.first.t) / 1e9
    a, b = connection.ends
    print(
        f"{connection.number}  A {place(a)}  B {place(b)}  {connection.packets} packets, {seconds:.3f} s{closer}: "
        f"{'; '.join(notes)}"
    )


def _print_json(explained: Explained) -> None:
    print_json("connection", **explained.fields())


def _sum(capture: CaptureFile, explainer: Explainer, counts: Counter[str]) -> None:
    from tcpnotes.capture.words import totals

    print(totals(counts))
    if explainer.dropped:
        print(f"{explainer.dropped} were reported while still open, because too many were open at once.")
    if capture.skipped:
        print(f"Of {explainer.packets} packets, {explainer.segments} were TCP segments. Left out:")
        for reason, count in capture.skipped.most_common():
            print(f"  {count}  {printable(reason)}")


def _sum_json(capture: CaptureFile, explainer: Explainer, counts: Counter[str]) -> None:
    print_json(
        "explain", file=capture.name, packets=explainer.packets, segments=explainer.segments,
        connections=sum(counts.values()), how=dict(counts.most_common()), skipped=dict(capture.skipped.most_common()),
        dropped=explainer.dropped,
    )  # fmt: skip
