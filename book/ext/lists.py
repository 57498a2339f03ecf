"""The pages that list: contents by step and by question, functions, items, scenarios, words, symptoms, modules."""

from __future__ import annotations

import inspect
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from ext import nodes as make
from ext.chapters import files
from ext.pages import Known, known, modules
from ext.reference import folded, steps
from tcpnotes.kernel.mirror import FUNCTIONS
from tcpnotes.kernel.sock import STATE_NAMES
from tcpnotes.scenarios import load
from tcpnotes.source import items

STEPS = {
    "1": "A closes first", "2": "B takes in the FIN", "3": "The ACK of A's FIN", "4": "B closes too",
    "5": "A takes in B's FIN", "6": "The last ACK", "7": "The end of the bucket", "S": "Beside the steps",
}  # fmt: skip


class Listing(SphinxDirective):
    """What lists have in common: they are made anew when a chapter changes."""

    def run(self) -> list[nodes.Node]:
        book = Path(self.env.srcdir)
        for path in ("_toc.yml", "words.toml", "symptoms.toml", *(f"{doc}.ipynb" for doc in files(book / "_toc.yml"))):
            self.env.note_dependency(str((book / path).resolve()))
        self.env.note_reread()
        return list(self.body(known(self.env.app)))

    def read(self, name: str) -> dict[str, Any]:
        """A table of the book."""
        return tomllib.loads((Path(self.env.srcdir) / name).read_text(encoding="utf-8"))

    def body(self, what: Known) -> Iterator[nodes.Node]:
        """The nodes of the list."""
        raise NotImplementedError


class ByQuestion(Listing):
    """The chapters, by the question that each asks."""

    def body(self, what: Known) -> Iterator[nodes.Node]:
        rows: list[list[make.Content]] = []
        for chapter in what.chapters:
            rows.append([make.link(chapter.title, chapter.doc), chapter.opening])
        yield nodes.bullet_list("", *(
            nodes.list_item("", make.paragraph(title, css="question"), make.paragraph(opening))
            for title, opening in rows
        ), classes=["questions"])  # fmt: skip


class ByStep(Listing):
    """The steps of the text, their items, and the chapters about them."""

    def body(self, what: Known) -> Iterator[nodes.Node]:
        rows: list[list[make.Content]] = []
        for step, words in STEPS.items():
            ids = [entry.id for entry in items() if entry.step == step]
            about = [one for one in what.chapters if len(one.items & set(ids)) * 2 >= len(ids)]
            if not about:
                about = sorted(what.chapters, key=lambda one: -len(one.items & set(ids)))[:2]
                about = [one for one in about if one.items & set(ids)]
            where = make.listed(make.link(one.title, one.doc) for one in about)
            rows.append([step, words, where or "", make.listed(map(make.item, ids), " ")])
        yield make.table(["step", "what happens", "chapter", "items"], rows, css="by-step")


class Items(Listing):
    """All items with their sentences."""

    def body(self, what: Known) -> Iterator[nodes.Node]:
        for step, words in STEPS.items():
            rows: list[list[make.Content]] = [
                [make.item(entry.id), entry.text, make.listed(map(make.scenario, what.facts.of_item(entry.id)))]
                for entry in items() if entry.step == step
            ]  # fmt: skip
            title = words if step == "S" else f"Step {step}: {words}"
            yield make.section(title, f"step-{step}", make.table(["item", "the text says", "scenarios"], rows))


class Functions(Listing):
    """All kernel functions by file."""

    def body(self, what: Known) -> Iterator[nodes.Node]:
        by_file: dict[str, list[list[make.Content]]] = defaultdict(list)
        for name, entry in sorted(FUNCTIONS.items()):
            named = [one.id for one in items() if name in one.released]
            by_file[entry.file].append(
                [make.function(name), make.inline(entry.doc), make.listed(map(make.item, named))]
            )
        for file, rows in sorted(by_file.items()):
            id = "file-" + file.replace("/", "-").replace(".", "-")
            yield make.section(make.code(file), id, make.table(["function", "what it means", "items"], rows))


class Scenarios(Listing):
    """All scenarios with their titles and items."""

    def body(self, what: Known) -> Iterator[nodes.Node]:
        rows: list[list[make.Content]] = []
        for name in what.facts.profiles:
            shown = [id for id in what.facts.items if name in what.facts.of_item(id)]
            rows.append([make.link(make.code(name), f"scenarios/{name}"), load(name).title,
                         make.listed(map(make.item, shown), " ")])  # fmt: skip
        yield make.table(["scenario", "what happens", "items"], rows)


class Modules(Listing):
    """The modules of the library, each with its first sentence."""

    def body(self, what: Known) -> Iterator[nodes.Node]:
        rows: list[list[make.Content]] = []
        for name in modules():
            about = (inspect.getdoc(import_module(name)) or "").split("\n\n")[0].replace("\n", " ")
            rows.append([make.link(make.code(name), f"api/{name}"), make.inline(about)])
        yield make.table(["module", "what it is for"], rows)


class Words(Listing):
    """States, counters and errors: what each means, who sets it, where it can be watched."""

    def body(self, what: Known) -> Iterator[nodes.Node]:
        said = self.read("words.toml")
        yield make.section("States", "states", *self._states(what, said["states"]))
        yield make.section("Counters", "counters", *self._entries(what.facts.counters, said["counters"], "counter"))
        yield make.section("Errors", "errors", *self._entries(what.facts.errors, said["errors"], "error"))

    def _states(self, what: Known, said: dict[str, Any]) -> Iterator[nodes.Node]:
        numbers = {name: number for number, name in dict(_numbered()).items()}
        for name, entry in said.items():
            moves = what.facts.moves
            into = {move: about for move, about in moves.items() if move.split()[1] == name}
            out = {move: about for move, about in moves.items() if move.split()[0] == name}
            rows: list[tuple[str, make.Content]] = [("in the kernel", _number(numbers.get(name)))]
            rows += [("also spelt", make.listed(map(make.code, entry["spelt"])))] if entry.get("spelt") else []
            for words, found, other in (("entered from", into, 0), ("left for", out, 1)):
                parts: list[make.Content] = []
                for move, about in found.items():
                    end = move.split()[other].replace("bucket", "a bucket")
                    parts.append([end, " by ", *make.listed(map(make.function, about.get("functions", ())))])
                rows += [(words, make.listed(parts, "; "))] if parts else []
            seen: dict[str, int] = {}
            for about in into.values():
                seen.update({key: step for key, step in about.get("steps", {}).items() if key not in seen})
            yield make.section(
                make.code(name), f"state-{name}", make.paragraph(entry["means"]), make.fields(rows),
                *(folded(f"watch it: {len(seen)} scenarios", make.bullets(make.scenario(*one) for one in seen.items()))
                  if seen else []),
            )  # fmt: skip

    def _entries(self, found: dict[str, Any], said: dict[str, str], kind: str) -> Iterator[nodes.Node]:
        unsaid = set(found) - set(said)
        if unsaid:
            raise self.error(f"words.toml says nothing about {', '.join(sorted(unsaid))}.")
        for name in sorted(said):
            about = found.get(name, {})
            rows: list[tuple[str, make.Content]] = []
            if about.get("functions"):
                rows.append(("counted by", make.listed(map(make.function, about["functions"]))))
            if about.get("calls"):
                rows.append(("returned by", make.listed(map(make.code, about["calls"]))))
            body: list[nodes.Node] = [make.paragraph(said[name])]
            body += [make.fields(rows)] if rows else []
            body += steps(about["steps"]) if len(about.get("steps", ())) <= 5 and about.get("steps") else (
                folded(f"watch it: {len(about['steps'])} scenarios", make.bullets(
                    make.scenario(*one) for one in about["steps"].items())) if about.get("steps") else [])  # fmt: skip
            yield make.section(make.code(name), f"{kind}-{name}", *body)


def _numbered() -> Iterator[tuple[int, str]]:
    pairs = STATE_NAMES.items() if isinstance(STATE_NAMES, dict) else enumerate(STATE_NAMES)
    for number, name in pairs:
        yield number, str(name)


def _number(number: int | None) -> str:
    return f"state number {number}" if number is not None else "no state of a socket: a substate of a bucket"


class Memory(Listing):
    """What a student, and a class, take of a machine, as it was measured."""

    STUDENTS = 200

    def body(self, what: Known) -> Iterator[nodes.Node]:
        measured = self.read("memory.toml")
        server = measured["server"]
        titles = {Path(one.doc).name: one for one in what.chapters}
        rows: list[list[make.Content]] = []
        for name, kernel in measured["kernel"].items():
            together = server + kernel["memory"]
            chapter = titles.get(name)
            shown: make.Content = make.link(chapter.title, chapter.doc) if chapter else make.code(name)
            rows.append([shown, f"{kernel['memory']}\u00a0MB", f"{together}\u00a0MB", f"{kernel['seconds']}\u00a0s"])
        yield make.table(["notebook", "kernel", "with its server", "processor time to run it"], rows)
        most = server + max(kernel["memory"] for kernel in measured["kernel"].values())
        longest = max(kernel["seconds"] for kernel in measured["kernel"].values())
        yield make.paragraph(
            f"{self.STUDENTS} students who have run the largest of them and keep it open take "
            f"{self.STUDENTS * most / 1000:.0f} GB. If all of them run the longest one in the same minute, that is "
            f"{self.STUDENTS * longest / 60:.0f} processor cores for that minute; with half as many it takes two."
        )


class Symptoms(Listing):
    """What one sees, what it is, the item behind it, a run that shows it, the chapter that explains it."""

    def body(self, what: Known) -> Iterator[nodes.Node]:
        for symptom in self.read("symptoms.toml")["symptom"]:
            ids = symptom["items"]
            about = sorted(
                (one for one in what.chapters if one.items & set(ids)), key=lambda one: -len(one.items & set(ids))
            )
            place = next(
                (place for id in ids for place in what.facts.items[id] if place[0] == symptom["scenario"]), None
            )
            profiles = what.facts.profiles[symptom["scenario"]]
            run = (
                make.scenario(place[0], place[3], profiles.index(place[1]) + 1)
                if place else make.scenario(symptom["scenario"])
            )  # fmt: skip
            rows: list[tuple[str, make.Content]] = [
                ("what it is", make.inline(symptom["what"])),
                ("what to do", make.inline(symptom["remedy"])),
                ("items", make.listed(map(make.item, ids))),
                ("watch it", run),
                ("read", make.listed((make.link(one.title, one.doc) for one in about[:2]), "; ") or "its scenario"),
            ]
            yield make.section(make.inline(symptom["symptom"]), symptom["id"], make.fields(rows))
