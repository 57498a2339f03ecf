"""How heavy the pages of chapters are, and how soon a reader can take the first step.

    measure_site.py [SITE] [--rounds N] [--plain] [--json]

Serves the site on the loopback, opens every chapter in a fresh Chromium profile, N times, and prints for each the
bytes that went over the wire and the milliseconds until a click on "Next" has moved the first stepper (median and
95th percentile).  Files are sent compressed, as public servers send them; ``--plain`` sends them as they are.
"""

from __future__ import annotations

import argparse
import functools
import gzip
import json
import shutil
import statistics
import sys
import threading
import time
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
]
_TEXT = {".html", ".js", ".mjs", ".css", ".svg", ".json", ".ipynb", ".wasm"}
BYTES, MILLISECONDS = 900_000, 1_000  # what must be reached


@functools.cache
def _packed(path: Path, plain: bool) -> tuple[bytes, bool]:
    data = path.read_bytes()
    packs = not plain and path.suffix in _TEXT
    return (gzip.compress(data, 6), True) if packs else (data, False)


class Server(SimpleHTTPRequestHandler):
    """Sends files as public servers do."""

    protocol_version = "HTTP/1.1"
    plain = False

    def do_GET(self) -> None:
        path = Path(self.translate_path(self.path))
        if path.is_dir():
            path /= "index.html"
        if not path.is_file():
            self.send_error(404)
            return
        data, packed = _packed(path, self.plain)
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(str(path)))
        self.send_header("Content-Length", str(len(data)))
        if packed:
            self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        pass


def visit(browser: Any, address: str) -> tuple[int, float]:
    """Bytes over the wire, and milliseconds to the first step, in a fresh profile."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    wire = context.new_cdp_session(page)
    wire.send("Network.enable")
    lengths: list[float] = []
    wire.on("Network.loadingFinished", lambda event: lengths.append(event["encodedDataLength"]))
    begin = time.perf_counter()
    page.goto(address, wait_until="commit")
    page.wait_for_selector("tcpnotes-stepper[data-step]", state="attached")
    page.evaluate(
        """() => { const root = document.querySelector("tcpnotes-stepper"), before = root.dataset.step;
        root.querySelector("[data-action=forward]").click();
        if (root.dataset.step === before) throw new Error("the first stepper does not step"); }"""
    )
    took = (time.perf_counter() - begin) * 1000
    page.wait_for_load_state("load")
    page.wait_for_timeout(300)
    context.close()
    return int(sum(lengths)), took


def main() -> int:
    """Measure; 1 when a page is over what must be reached."""
    parser = argparse.ArgumentParser(
        prog="measure_site.py", description="Bytes and milliseconds of the chapters' pages."
    )
    parser.add_argument("site", nargs="?", type=Path, default=ROOT / "book" / "_build" / "site")
    parser.add_argument("--rounds", type=int, default=20, help="visits of each page (default: 20)")
    parser.add_argument("--plain", action="store_true", help="send files uncompressed")
    parser.add_argument("--json", action="store_true", help="one object a line")
    args = parser.parse_args()
    chapters = sorted((args.site / "notebooks").glob("*.html"))
    if not chapters:
        parser.error(f"{args.site}: there is no site with chapters; make site")
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        parser.error("there is no Chromium; on Debian: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    Server.plain = args.plain
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Server, directory=str(args.site)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    worst = 0
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        for path in [args.site / "index.html", *chapters]:
            address = f"http://127.0.0.1:{server.server_port}/{path.relative_to(args.site).as_posix()}"
            visit(browser, address)  # the first of all warms the browser up
            seen = [visit(browser, address) for _ in range(args.rounds)]
            size = max(size for size, _ in seen)
            times = sorted(took for _, took in seen)
            late = times[min(len(times) - 1, round(0.95 * len(times)))]
            over = size > BYTES or late > MILLISECONDS
            worst |= over
            row = {
                "page": path.stem,
                "bytes": size,
                "median_ms": round(statistics.median(times)),
                "p95_ms": round(late),
            }
            told = f"{path.stem:44} {size / 1000:6.0f} KB  {row['median_ms']:5} ms  {row['p95_ms']:5} ms p95"
            print(json.dumps(row) if args.json else told + "  over" * over)
        browser.close()
    server.shutdown()
    return int(worst)


if __name__ == "__main__":
    sys.exit(main())
