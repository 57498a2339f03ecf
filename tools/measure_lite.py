"""How long it takes until Python is ready in the browser, and how much is sent for it.

    measure_lite.py [FOLDER] [--rounds N] [--json]

Serves JupyterLite on the loopback, compressed as public servers do, opens the notebook of chapter 01 in a fresh
Chromium profile, N times, and prints the seconds until its kernel is idle, those until all cells have run, the bytes
sent, and the bytes of the whole folder.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any

from make_lite import BUILT, MOST
from serving import Public, served, started

SECONDS = 40  # until the kernel is ready, cold
_IDLE = "() => window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"
_RUN = "window.jupyterapp.commands.execute('notebook:run-all-cells')"  # a promise of their end


class _Counting(Public):
    sent = 0

    def send_header(self, keyword: str, value: str) -> None:
        if keyword == "Content-Length":
            _Counting.sent += int(value)
        super().send_header(keyword, value)


def visit(browser: Any, address: str) -> tuple[float, float, int]:
    """Seconds until the kernel is ready, seconds until the whole notebook has run, bytes sent; in a fresh profile."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    _Counting.sent = 0
    begin = time.perf_counter()
    page.goto(address, wait_until="commit")
    page.wait_for_function(_IDLE, timeout=300_000)
    ready = time.perf_counter() - begin
    page.evaluate(_RUN)
    ran = time.perf_counter() - begin
    context.close()
    return ready, ran, _Counting.sent


def main() -> int:
    """Measure; 1 when something is over what must be reached."""
    parser = argparse.ArgumentParser(prog="measure_lite.py", description="Seconds and bytes of Python in the browser.")
    parser.add_argument("folder", nargs="?", type=Path, default=BUILT)
    parser.add_argument("--rounds", type=int, default=3, help="visits (default: 3)")
    parser.add_argument("--json", action="store_true", help="one object")
    args = parser.parse_args()
    notebooks = sorted((args.folder / "files").glob("01_*.ipynb"))
    if not notebooks:
        parser.error(f"{args.folder}: there is no JupyterLite with the chapters; make lite")
    with served(args.folder, _Counting) as root, started() as browser:
        address = f"{root}notebooks/index.html?path={notebooks[0].name}"
        seen = [visit(browser, address) for _ in range(args.rounds)]
    size = sum(path.stat().st_size for path in args.folder.rglob("*") if path.is_file())
    ready, ran = (statistics.median(visit[i] for visit in seen) for i in (0, 1))
    late = max(visit[0] for visit in seen)
    row = {
        "ready_s": round(ready, 1), "latest_s": round(late, 1), "ran_s": round(ran, 1), "sent": max(v[2] for v in seen),
        "size": size,
    }  # fmt: skip
    over = late > SECONDS or size > MOST
    told = (
        f"kernel ready {ready:.1f} s (latest {late:.1f}, at most {SECONDS}); chapter 01 has run after {ran:.1f} s; "
        f"{row['sent'] / 1e6:.1f} MB sent; {size / 1e6:.1f} MB in all (at most {MOST / 1e6:.0f})"
    )
    print(json.dumps(row) if args.json else told + "  over" * over)
    return int(over)


if __name__ == "__main__":
    sys.exit(main())
