"""What one student takes of a machine: JupyterLab's server, and a kernel that has run a notebook; a table for the book.

    measure_memory.py [FILE]      prints; with FILE (book/memory.toml) writes it there

For every notebook a fresh server with one kernel is started, all cells are run, and the resident memory of both is read
from /proc (so: Linux), and the kernel's processor time.  Megabytes are 10^6 bytes.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from urllib.request import urlopen

ROOT = Path(__file__).resolve().parents[1]


def resident(pid: int) -> float:
    """Resident memory of a process in MB."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024 / 1e6
    return 0.0


def of_server() -> float:
    """A JupyterLab server on the loopback, after it has served its page."""
    import secrets
    import socket
    import subprocess

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    token = secrets.token_hex(16)
    with tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, "HOME": home, "JUPYTER_CONFIG_DIR": home, "JUPYTER_RUNTIME_DIR": home,
                       "JUPYTER_TOKEN": token}  # fmt: skip
        command = [
            sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}",
            f"--ServerApp.root_dir={ROOT / 'notebooks'}", "--LabApp.news_url=None",
        ]  # fmt: skip
        server = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            for _ in range(300):
                try:
                    with urlopen(f"http://127.0.0.1:{port}/lab?token={token}", timeout=10) as answer:
                        answer.read()
                    break
                except OSError:
                    time.sleep(0.2)
            return resident(server.pid)
        finally:
            server.terminate()
            server.wait(20)


def of_kernel(path: Path) -> tuple[float, float]:
    """A kernel that has run a notebook to its end: MB, and seconds of a processor."""
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(path, as_version=4)
    asked = nbformat.v4.new_code_cell(
        "import os, time\nprint(open(f'/proc/{os.getpid()}/status').read(), time.process_time())"
    )
    notebook.cells.append(asked)
    client = NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(path.parent)}})
    client.execute()
    text = "".join(output.get("text", "") for output in notebook.cells[-1].outputs)
    line = next(line for line in text.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) * 1024 / 1e6, float(text.split()[-1])


def main() -> int:
    """Measure."""
    parser = argparse.ArgumentParser(prog="measure_memory.py", description="What one student takes of a machine.")
    parser.add_argument("file", nargs="?", type=Path, help="write the table here (book/memory.toml)")
    args = parser.parse_args()
    server = of_server()
    lines = ["# Made by tools/measure_memory.py: MB of resident memory, seconds of a processor."]
    lines += [f"server = {server:.0f}", "", "[kernel]"]
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        memory, seconds = of_kernel(path)
        lines.append(f"{json.dumps(path.stem)} = {{ memory = {memory:.0f}, seconds = {seconds:.1f} }}")
        print(lines[-1], file=sys.stderr)
    text = "\n".join(lines) + "\n"
    if args.file:
        args.file.write_text(text, encoding="utf-8")
    print(text, end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
