"""How heavy the pages of chapters are, how soon a reader can take the first step, and how long the site takes to build.

    measure_site.py [SITE] [--rounds N] [--plain] [--json]
    measure_site.py --change [--json]

Serves the site on the loopback, opens the first page and every chapter in a fresh Chromium profile, N times, and prints
for each the bytes that went over the wire and the milliseconds until the first stepper has been drawn and a click on
"Next" has moved it (median and 95th percentile); where there is no stepper, until the page is loaded.  Files are sent
compressed, as public servers send them; ``--plain`` sends them as they are.

``--change`` copies the project, builds the site from nothing with two jobs, adds one sentence to one chapter, builds
again, and prints the seconds of both.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from serving import Public, served, started

ROOT = Path(__file__).resolve().parents[1]
BYTES, MILLISECONDS = 900_000, 1_000  # what must be reached
COLD, CHANGE = 120, 15  # seconds of a build
# The reader sees the stepper, and clicks: at the earliest after the frame that shows it.
_STEP = """window.ready = new Promise((done, failed) => {
  const watcher = new MutationObserver(() => {
    const root = document.querySelector("tcpnotes-stepper"), before = root && root.dataset.step;
    if (!before) return;
    watcher.disconnect();
    requestAnimationFrame(() => setTimeout(() => {
      root.querySelector("[data-action=forward]").click();
      if (root.dataset.step === before) failed(new Error("the first stepper does not step"));
      done(performance.now());
    }));
  });
  watcher.observe(document, { subtree: true, attributeFilter: ["data-step"] });
})"""
_LOADED = "window.ready = new Promise((done) => addEventListener('load', () => done(performance.now())))"
_BUILT = ("_build", "functions", "items", "scenarios", "api")  # in book/, by a build


def visit(browser: Any, address: str, until: str, weigh: bool = False) -> tuple[float, int]:
    """Milliseconds until a page is ready, in a fresh profile, and (``weigh``) the bytes over the wire."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.add_init_script(until)
    lengths: list[float] = []
    if weigh:
        wire = context.new_cdp_session(page)
        wire.send("Network.enable")
        wire.on("Network.loadingFinished", lambda event: lengths.append(event["encodedDataLength"]))
    page.goto(address)
    took = page.evaluate("ready")
    if weigh:
        page.wait_for_load_state("networkidle")
    context.close()
    return float(took), int(sum(lengths))


def pages(site: Path, rounds: int, tell: Any) -> bool:
    """Measure the pages, and tell of each; whether one is over what must be reached."""
    worst = False
    with served(site, Public) as root, started() as browser:
        for path in [site / "index.html", *sorted((site / "notebooks").glob("*.html"))]:
            address = root + path.relative_to(site).as_posix()
            steps = "<tcpnotes-stepper" in path.read_text(encoding="utf-8")
            _, size = visit(browser, address, _STEP if steps else _LOADED, weigh=True)  # and warms up
            times = sorted(visit(browser, address, _STEP if steps else _LOADED)[0] for _ in range(rounds))
            median, late = round(statistics.median(times)), round(times[min(rounds - 1, round(0.95 * rounds))])
            over = size > BYTES or late > MILLISECONDS
            worst |= over
            told = f"{path.stem:46} {size / 1000:5.0f} KB  {median:5} ms  {late:5} ms p95"
            told += ("" if steps else "  (loaded)") + "  over" * over
            tell({"page": path.stem, "bytes": size, "median_ms": median, "p95_ms": late, "steps": steps}, told)
    return worst


def builds(tell: Any) -> bool:
    """Build a copy of the project twice, and tell of both; whether one took longer than it may."""
    with TemporaryDirectory() as scratch:
        copy = Path(scratch) / "copy"
        linked = (".venv", "node_modules")

        def left(folder: str, names: list[str]) -> set[str]:
            here = Path(folder)
            made = {*linked, ".git", "build", *(name for name in names if name.endswith("_cache"))}
            return made if here == ROOT else set(_BUILT) if here == ROOT / "book" else set()

        shutil.copytree(ROOT, copy, symlinks=True, ignore=left)  # book/notebooks is a link
        for name in linked:
            (copy / name).symlink_to(ROOT / name)
        cold = build(copy)
        chapter = next((copy / "notebooks").glob("05_*.ipynb"))
        notebook = json.loads(chapter.read_text(encoding="utf-8"))
        said = [cell for cell in notebook["cells"] if cell["cell_type"] == "markdown"][1]
        said["source"] = ["".join(said["source"]) + " One sentence more."]
        chapter.write_text(json.dumps(notebook, indent=1, ensure_ascii=False), encoding="utf-8")
        change = build(copy)
        if "One sentence more." not in (copy / f"book/_build/site/notebooks/{chapter.stem}.html").read_text("utf-8"):
            sys.exit(f"The sentence added to {chapter.stem} is not on its page.")
    over = cold > COLD or change > CHANGE
    told = (
        f"site from nothing {cold:.1f} s (at most {COLD}); one sentence of a chapter {change:.1f} s (at most {CHANGE})"
    )
    tell({"cold_s": round(cold, 1), "change_s": round(change, 1)}, told + "  over" * over)
    return over


def build(project: Path) -> float:
    """Seconds of ``make site``; what it needs is there."""
    ready = [word for made in (".venv/.ready", "node_modules/.package-lock.json") for word in ("-o", made)]
    # Python keeps what it has compiled, as it does elsewhere; here beside the copy.
    kept = os.environ | {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(project.parent / "compiled")}
    command = ["make", *ready, "JOBS=2", "site"]
    begin = time.perf_counter()
    done = subprocess.run(command, cwd=project, env=kept, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"The site cannot be built:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return time.perf_counter() - begin


def main() -> int:
    """Measure; 1 when something is over what must be reached."""
    parser = argparse.ArgumentParser(prog="measure_site.py", description="Bytes and milliseconds of the site.")
    parser.add_argument("site", nargs="?", type=Path, default=ROOT / "book" / "_build" / "site")
    parser.add_argument("--rounds", type=int, default=10, help="visits of each page (default: 10)")
    parser.add_argument("--plain", action="store_true", help="send files uncompressed")
    parser.add_argument("--change", action="store_true", help="seconds to build: from nothing, and after one sentence")
    parser.add_argument("--json", action="store_true", help="one object a line")
    args = parser.parse_args()

    def tell(row: dict[str, Any], told: str) -> None:
        print(json.dumps(row) if args.json else told, flush=True)

    if args.change:
        return int(builds(tell))
    if not any((args.site / "notebooks").glob("*.html")):
        parser.error(f"{args.site}: there is no site with chapters; make site")
    Public.plain = args.plain
    return int(pages(args.site, args.rounds, tell))


if __name__ == "__main__":
    sys.exit(main())
