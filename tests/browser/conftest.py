"""A JupyterLab on the loopback, for the browser of `browsing`."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.request import urlopen

import pytest
from browsing import Visit

if TYPE_CHECKING:
    from playwright.sync_api import Page

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent
_PATIENCE = 60  # seconds for a server to come up


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker("browser")


class Lab(NamedTuple):
    """A JupyterLab that runs: its address, its token, the folder it works in (a copy of the notebooks)."""

    address: str
    token: str
    folder: Path

    def url(self, notebook: str) -> str:
        """Where a notebook is opened."""
        return f"{self.address}lab/tree/{notebook}?reset&token={self.token}"


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A live JupyterLab on a free port, with settings of its own."""
    pytest.importorskip("jupyterlab", reason="JupyterLab is not installed (the notebook extra has it)")
    home = tmp_path_factory.mktemp("lab")
    folder = home / "notebooks"
    shutil.copytree(ROOT / "notebooks", folder)
    settings = home / "settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    (settings / "notification.jupyterlab-settings").write_text('{"fetchNews": "false", "checkForUpdates": false}')
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    token = secrets.token_hex(16)
    environment = {
        **os.environ, "HOME": str(home), "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"), "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"), "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
        "IPYTHONDIR": str(home / "ipython"), "PYTHONPATH": str(ROOT), "JUPYTER_TOKEN": token,
    }  # fmt: skip
    command = [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}",
        "--ServerApp.port_retries=0", f"--ServerApp.root_dir={folder}", "--expose-app-in-browser",
        "--LabApp.news_url=None", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        "--LabApp.extension_manager=readonly",
    ]  # fmt: skip
    log = home / "log"
    with log.open("wb") as output:
        server = subprocess.Popen(command, cwd=folder, env=environment, stdout=output, stderr=output)
    address = f"http://127.0.0.1:{port}/"
    try:
        _wait_for(f"{address}api?token={token}", server, log)
        yield Lab(address, token, folder)
    finally:
        server.terminate()
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _wait_for(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        if server.poll() is not None:
            break
        try:
            with urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"JupyterLab did not come up:\n{log.read_text(errors='replace')[-2000:]}")


class Notebook:
    """A notebook that is open in a JupyterLab in a page."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def command(self, name: str, **arguments: Any) -> None:
        """Execute a command of JupyterLab's."""
        self.page.evaluate("([name, args]) => window.jupyterapp.commands.execute(name, args)", [name, arguments])

    def run_all(self, patience: int = 180) -> None:
        """Run all cells and wait until the kernel is idle again and nothing is left to run."""
        self.command("notebook:run-all-cells")
        self.page.wait_for_function(
            """() => {
              const panel = window.jupyterapp.shell.currentWidget;
              const cells = panel.content.model.cells;
              for (let i = 0; i < cells.length; i++) {
                const cell = cells.get(i);
                if (cell.type === "code" && (!cell.executionCount || cell.executionState === "running")) return false;
              }
              return panel.sessionContext.session?.kernel?.status === "idle";
            }""",
            timeout=patience * 1000,
        )

    def show(self, number: int) -> None:
        """Bring a cell into view, so that JupyterLab renders it."""
        self.page.evaluate(
            """(n) => { const c = window.jupyterapp.shell.currentWidget.content;
            c.activeCellIndex = n; return c.scrollToItem(n, "start"); }""",
            number,
        )


@pytest.fixture
def open_notebook(lab: Lab, visit: Callable[..., Visit]) -> Callable[..., Notebook]:
    """Open a notebook in the live JupyterLab: ``open_notebook("01_….ipynb", width=…, dark=…)``; its kernel is idle."""

    def open_(name: str, **how: Any) -> Notebook:
        dark = how.get("dark", False)
        page = visit(**how).page
        page.goto(lab.url(name), wait_until="domcontentloaded")
        page.wait_for_function(
            "() => window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'",
            timeout=120_000,
        )
        notebook = Notebook(page)
        theme = "JupyterLab Dark" if dark else "JupyterLab Light"
        notebook.command("apputils:change-theme", theme=theme)
        page.wait_for_selector(
            f"body[data-jp-theme-light={'false' if dark else 'true'}]", state="attached", timeout=20_000
        )
        return notebook

    return open_
