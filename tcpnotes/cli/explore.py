"""``tcpnotes explore``: can it ever go wrong?"""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
from argparse import ArgumentTypeError, Namespace
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic, process_time
from typing import TYPE_CHECKING, Any

from tcpnotes.cli._command import CommandError, Subparsers, add_json, add_profile, command, print_json, unknown
from tcpnotes.cli._progress import Progress

if TYPE_CHECKING:
    from tcpnotes.explore.search import Found, Search
    from tcpnotes.explore.search import Progress as Reached


def add(subparsers: Subparsers) -> None:
    """Declare the command."""
    parser = command(
        subparsers, "explore", run,
        help="try every interleaving of a model",
        about="Goes through all states of a model, breadth first, with the engine itself, and looks at every property "
        "in every state. For what is broken it tells the shortest way there, move by move; --save writes it as a "
        "scenario file that 'tcpnotes run', the stepper and the playground open. Holes that the source or the kernel "
        "is known to have are told too, but are no fault. Ctrl-C ends the search with what is known by then, "
        "and leaves "
        "a checkpoint to go on from.",
        example="tcpnotes explore close_lossy\n"
        "tcpnotes explore close_lossy --bug 15 --save found/\n"
        "tcpnotes explore close_anytime --profile linux-2.4.0 --timeout 600",
    )  # fmt: skip
    parser.add_argument("model", metavar="MODEL", nargs="?", help="a name (see --list) or a .toml file")
    parser.add_argument("--list", action="store_true", help="list the models and the properties")
    parser.add_argument("--coverage", action="store_true", help="the shortest story to each way of the state diagram")
    add_profile(parser, "source")
    parser.add_argument("--limit", metavar="N", type=_positive, help="stop at so many states")
    parser.add_argument("--timeout", metavar="S", type=_positive, help="stop after so many seconds")
    parser.add_argument("--full", action="store_true", help="without reduction: many more states, the same verdicts")
    parser.add_argument("--first", action="store_true", help="stop at the first property that is broken")
    parser.add_argument("--bug", metavar="BUG", help="with a bug of the museum planted: its name or number")
    parser.add_argument("--save", metavar="DIR", help="write a scenario file for whatever is found")
    parser.add_argument("--checkpoint", metavar="FILE", help="where a search that is stopped leaves its state")
    parser.add_argument("--resume", metavar="FILE", help="go on from a checkpoint")
    parser.add_argument("--jobs", metavar="N", type=_positive, help="search with so many processes (extra 'scale')")
    parser.add_argument("--cluster", metavar="ADDRESS", help="search with the processes of a Dask cluster")
    add_json(parser)


def _positive(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise ArgumentTypeError(f"{text!r} is not a whole number from 1 on")
    return number


_STOPPED = "stopped"


def run(args: Namespace) -> int:
    """Search and tell; 1 when a property is broken."""
    from tcpnotes.exercises import planted

    if args.coverage:
        return _coverage(args)
    if args.list:
        return _list(args)
    with contextlib.ExitStack() as stack:
        if args.bug is not None:
            try:
                stack.enter_context(planted(int(args.bug) if args.bug.isdecimal() else args.bug))
            except ValueError as error:
                raise CommandError(f"--bug: {error}") from None
        search = _resumed(args) if args.resume else _fresh(args, _client(args, stack))
        began, worked = monotonic(), process_time()
        why = _search(search, args)
        found = search.results()
        if why == _STOPPED:
            why = _reason(search, found, args)
        if why and (args.checkpoint or (why == "interrupted" and not _shared(args))):
            _leave(search, Path(args.checkpoint or f"{search.model.name}.checkpoint"))
        _print(search, found, args, why, monotonic() - began, process_time() - worked)
        if args.save is not None:
            _save(search, found, Path(args.save))
    return 1 if any(not one.property.hole for one in found) else 0


def _shared(args: Namespace) -> bool:
    return args.cluster is not None or (args.jobs or 1) > 1


def _client(args: Namespace, stack: contextlib.ExitStack) -> Any:
    """Who gives work to the processes that are asked for; None when this one does it all."""
    if not _shared(args):
        return None
    for option in ("bug", "resume", "checkpoint"):
        if getattr(args, option) is not None:
            raise CommandError(f"--{option}: this works in one process only; leave --jobs and --cluster out.")
    if args.jobs is not None and args.cluster is not None:
        raise CommandError("--cluster: a cluster has its own processes; leave --jobs out.")
    try:
        from tcpnotes.explore.crew import CrewError, processes

        return stack.enter_context(processes(args.jobs or 1, args.cluster))
    except ImportError:
        option = "jobs" if args.cluster is None else "cluster"
        raise CommandError(f"--{option} needs Dask: pip install 'tcpnotes[scale]'.") from None
    except CrewError as error:
        raise CommandError(f"--cluster: {error}; give the address of its scheduler, as in tcp://host:8786.") from None


def _fresh(args: Namespace, client: Any = None) -> Search:
    from tcpnotes.explore import ModelError, load_model, model_names
    from tcpnotes.explore.levels import new_search

    if args.model is None:
        raise CommandError(f"a model is missing; there are: {', '.join(model_names())}; or give a .toml file.")
    if args.model not in model_names() and not args.model.endswith(".toml"):
        remedy = "'tcpnotes explore --list' lists them, and a model of your own is a .toml file"
        raise CommandError(unknown("model", args.model, model_names(), remedy) + ".")
    try:
        model = load_model(args.model)
        if client is not None:
            from tcpnotes.explore.crew import CrewSearch

            return CrewSearch(client, model, args.profile, reduce=not args.full)
        return new_search(model, args.profile, reduce=not args.full)
    except ModelError as error:
        raise CommandError(str(error)) from None


def _resumed(args: Namespace) -> Search:
    from tcpnotes.explore.checkpoint import CheckpointError, load

    if args.model is not None:
        raise CommandError("--resume: the checkpoint knows its model and profile; leave MODEL out.")
    try:
        search = load(Path(args.resume))
    except CheckpointError as error:
        raise CommandError(f"--resume {error}") from None
    except OSError as error:
        raise CommandError(f"--resume {args.resume}: the file cannot be read: {error.strerror or error}.") from None
    args.profile = search.profile
    return search


def _leave(search: Search, path: Path) -> None:
    from tcpnotes.explore.checkpoint import save

    try:
        save(search, path)
    except OSError as error:
        raise CommandError(f"--checkpoint {path}: the file cannot be written: {error.strerror or error}.") from None
    print(f"tcpnotes explore: to go on: tcpnotes explore --resume {path}", file=sys.stderr)


@contextlib.contextmanager
def _patient() -> Iterator[Callable[[], bool]]:
    """Ctrl-C asks the search to stop between two states; a second one stops at once."""
    asked: list[bool] = []

    def ask(number: int, frame: object) -> None:
        if asked:
            raise KeyboardInterrupt
        asked.append(True)

    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    before = signal.signal(signal.SIGINT, ask)
    try:
        yield lambda: bool(asked)
    finally:
        signal.signal(signal.SIGINT, before)


def _search(search: Search, args: Namespace) -> str:
    """Search until the end; why it stopped before, or ""."""
    began = monotonic()
    with Progress(f"{search.model.name}:", None) as bar, _patient() as asked:

        def tell(at: Reached) -> None:
            rate = at.states / max(monotonic() - began, 0.001)
            if asked():
                raise KeyboardInterrupt
            bar(at.states, f" states, {rate:,.0f} a second, frontier {at.frontier:,}, depth {at.depth}{_memory()}")

        try:
            if search.run(args.limit, args.timeout, tell, ("*",) if args.first else None):
                return ""
        except KeyboardInterrupt:
            return "interrupted"
    return _STOPPED


def _reason(search: Search, found: list[Found], args: Namespace) -> str:
    """Why a search has stopped by itself."""
    if args.first and any(not one.property.hole for one in found):
        return "stopped at the first"
    return "limit reached" if args.limit and search.progress().states >= args.limit else "time is up"


def _memory() -> str:
    try:
        import resource
    except ImportError:  # not on Windows
        return ""
    return f", {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024:,} MB"


def _print(search: Search, found: list[Found], args: Namespace, why: str, elapsed: float, seconds: float) -> None:
    from tcpnotes.explore.story import tell

    reached = search.progress()
    broken = {one.property.name for one in found}
    for one in found:
        moves = tell(search, one).moves
        if args.json:
            print_json(
                "found", property=one.property.name, hole=one.property.hole, sentence=one.property.sentence,
                origin=one.property.origin, moves=moves, circle=len(one.circle),
            )  # fmt: skip
        else:
            head = "known hole" if one.property.hole else "BROKEN"
            print(f"{head}: {one.property.name}: {one.property.sentence} ({one.property.origin})")
            print("    " + "; ".join(moves) + ("; and so on for ever" if one.circle else ""))
    if args.json:
        print_json(
            "explored", model=search.model.name, profile=args.profile, complete=not why, why=why or None,
            states=reached.states, transitions=reached.transitions, depth=reached.depth, frontier=reached.frontier,
            cut=search.space.cut, ends=len(search.space.ends.apps), elapsed=round(elapsed, 2),
            seconds=round(seconds, 2),
            held=[one.name for one in search.properties if one.name not in broken],
        )  # fmt: skip
        return
    print(
        f"{search.model.name} ({args.profile}): {reached.states:,} states, {reached.transitions:,} transitions, depth "
        f"{reached.depth}, {elapsed:.1f} s ({seconds:.1f} s of this process); {search.space.cut:,} transitions cut by "
        f"the bound of {search.model.in_flight} segments in flight"
    )
    held = len(search.properties) - len(broken)
    print(f"{'not complete (' + why + '): so far ' if why else 'complete: '}{held} properties hold, "
          f"{sum(not one.property.hole for one in found)} broken, "
          f"{sum(one.property.hole for one in found)} known holes found")  # fmt: skip


def _save(search: Search, found: list[Found], folder: Path) -> None:
    from tcpnotes.explore.story import scenario_text

    try:
        folder.mkdir(parents=True, exist_ok=True)
        for one in found:
            (folder / f"{one.property.name}.toml").write_text(scenario_text(search, one), encoding="utf-8")
    except OSError as error:
        raise CommandError(f"--save {folder}: the file cannot be written: {error.strerror or error}.") from None


def _list(args: Namespace) -> int:
    from tcpnotes.explore.model import load_model, model_names
    from tcpnotes.explore.properties import PROPERTIES

    for name in model_names():
        model = load_model(name)
        if args.json:
            print_json("model", name=name, title=model.title, about=model.about)
        else:
            print(f"{name:16} {model.title}")
    for one in PROPERTIES.values():
        if args.json:
            print_json(
                "property", name=one.name, about=one.about, sentence=one.sentence, origin=one.origin, hole=one.hole
            )
        else:
            print(f"{one.name:24} {one.sentence} ({one.origin}){' [known hole]' if one.hole else ''}")
    return 0


def _coverage(args: Namespace) -> int:
    from tcpnotes.explore.coverage import coverage, never_gone

    seen = coverage(args.profile)
    for one in seen:
        if args.json:
            print_json("way", old=one.way[0], new=one.way[1], model=one.model, moves=one.moves)
        else:
            print(f"{one.way[0]:>16} → {one.way[1]:16} {one.model}: {'; '.join(one.moves)}")
    for old, new in never_gone(seen):
        if args.json:
            print_json("way", old=old, new=new, model=None, moves=None)
        else:
            print(f"{old:>16} → {new:16} never")
    return 0
