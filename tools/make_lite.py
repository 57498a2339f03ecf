"""Build the book as JupyterLite: its notebooks with Python in the reader's browser, every file from one folder.

    make_lite.py        build book/_build/lite anew

Parts: Pyodide from npm (package-lock.json), wheels from a Python index (requirements/lite.txt; hashes in both), our own
wheel, the notebooks.  JupyterLite's own addons put them together; what is pinned is all that they may take.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "book" / "lite"
LOCK = ROOT / "requirements" / "lite.txt"
BUILT = ROOT / "book" / "_build" / "lite"
PARTS = ROOT / "book" / "_build" / "lite-parts"  # kept between builds
PYODIDE = ROOT / "node_modules" / "pyodide"
GRAPHVIZ = ROOT / "node_modules" / "@viz-js" / "viz" / "dist" / "viz.js"  # what tcpnotes/view/layout.py looks for
PYODIDE_FILES = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip")
EXTENSIONS = ("@jupyter-widgets/jupyterlab-manager", "@jupyterlite/pyodide-kernel-extension", "anywidget")
# Five thousand files that tell jedi, which completes names, about other libraries; it does without them.
LEFT_OUT = re.compile(r"jedi/third_party/(django-stubs|typeshed/stubs)/")
MOST = 60_000_000  # bytes of the whole
# Nothing of another host: JupyterLab needs eval for its settings, outputs of notebooks have scripts inside, and
# widgets are modules made of text.
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' data: blob:; worker-src 'self' blob:; "
    "object-src 'none'; base-uri 'self'; form-action 'self'"
)


def do(*command: str | Path, cwd: Path = ROOT, wrong: str) -> None:
    """Run a command in silence; SystemExit with what it said, and ``wrong``, when it fails."""
    environment = {**os.environ, "UV_PYTHON_DOWNLOADS": "never", "UV_OFFLINE": "1"}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{done.stdout[-2000:]}{done.stderr[-2000:]}\nmake_lite.py: {wrong}")


def pyodide(folder: Path) -> None:
    """Pyodide's core, with a list of packages that is empty: what is not here must not be looked for elsewhere."""
    from jupyterlite_pyodide_kernel.constants import PYODIDE_VERSION

    if not PYODIDE.is_dir():
        sys.exit("make_lite.py: there is no Pyodide yet; make lite fetches it.")
    version = json.loads((PYODIDE / "package.json").read_text(encoding="utf-8"))["version"]
    if version != PYODIDE_VERSION:
        sys.exit(
            f"make_lite.py: the kernel is made for Pyodide {PYODIDE_VERSION}; name that in package.json, not {version}."
        )
    folder.mkdir(parents=True)
    for name in PYODIDE_FILES:
        shutil.copy(PYODIDE / name, folder)
    lock = json.loads((PYODIDE / "pyodide-lock.json").read_text(encoding="utf-8"))
    info = {**lock["info"], "version": version}
    (folder / "pyodide-lock.json").write_text(json.dumps({"info": info, "packages": {}}), encoding="utf-8")


def wheels(folder: Path) -> None:
    """The wheels of the lock, fetched when it has changed."""
    mark = folder / hashlib.sha256(LOCK.read_bytes() + LEFT_OUT.pattern.encode()).hexdigest()[:16]
    if mark.is_file():
        return
    shutil.rmtree(folder, ignore_errors=True)
    command = [
        sys.executable, "-m", "pip", "download", "-qq", "--disable-pip-version-check", "--require-hashes", "--no-deps",
        "--only-binary", ":all:", "--python-version", "3.14", "--platform", "none",  # such as run everywhere
        "--dest", str(folder), "--requirement", str(LOCK),
    ]  # fmt: skip
    do(*command, wrong="what requirements/lite.txt asks for could not be fetched.")
    for path in sorted(folder.glob("jedi-*.whl")):
        lighten(path)
    mark.touch()


def lighten(path: Path) -> None:
    """Take out of a wheel what is left out: a browser unpacks it at each start, file by file."""
    light = path.with_suffix(".light")
    with zipfile.ZipFile(path) as whole, zipfile.ZipFile(light, "w", zipfile.ZIP_DEFLATED) as kept:
        for entry in whole.infolist():
            data = whole.read(entry)
            if entry.filename.endswith(".dist-info/RECORD"):
                lines = data.decode().splitlines(keepends=True)
                data = "".join(line for line in lines if not LEFT_OUT.match(line)).encode()
            if not LEFT_OUT.match(entry.filename):
                kept.writestr(entry, data, zipfile.ZIP_DEFLATED)
    light.replace(path)


def wheel(folder: Path) -> Path:
    """Our own."""
    shutil.rmtree(folder, ignore_errors=True)
    do(
        sys.executable,
        "-m",
        "hatchling",
        "build",
        "--target",
        "wheel",
        "--directory",
        folder,
        wrong="no wheel was made.",
    )
    return next(folder.glob("*.whl"))


def notebook(text: str) -> str:
    """A notebook as a browser takes it: texts whole, not in lines, and its stored outputs trusted, as they are ours."""
    read: dict[str, Any] = json.loads(text)

    def joined(value: Any) -> Any:
        return "".join(value) if isinstance(value, list) else value

    for cell in read["cells"]:
        cell["source"] = joined(cell["source"])
        if cell["cell_type"] == "code":
            cell["metadata"]["trusted"] = True
        for output in cell.get("outputs", ()):
            if "text" in output:
                output["text"] = joined(output["text"])
            for kind, data in output.get("data", {}).items():
                if not kind.endswith("json"):
                    output["data"][kind] = joined(data)
    return json.dumps(read, ensure_ascii=False)


def wanted(packages: set[str]) -> list[str]:
    """Those of the packages that some extra of ours asks for: they come with `import tcpnotes`."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    asked = {
        re.split(r"[<>=!~;\[ ]", line)[0] for extra in ("notebook", "capture", "packetdrill") for line in extras[extra]
    }
    return sorted(asked & packages)


def configuration(stage: Path, ours: Path) -> dict[str, Any]:
    """What JupyterLite is to do."""
    locked = set(re.findall(r"^([\w.-]+)==", LOCK.read_text(encoding="utf-8"), re.MULTILINE))
    extensions = Path(sysconfig.get_path("data")) / "share" / "jupyter" / "labextensions"
    return {
        "LiteBuildConfig": {
            "apps": ["lab", "notebooks", "tree"], "contents": [str(stage / "notebooks")], "output_dir": str(BUILT),
            "cache_dir": str(stage / "cache"), "no_sourcemaps": True, "no_unused_shared_packages": True,
            "ignore_sys_prefix": ["federated_extensions"],
            "federated_extensions": [str(extensions / name) for name in EXTENSIONS],
        },
        "PyodideLockAddon": {
            "enabled": True, "wheels": [str(PARTS / "wheels"), str(ours)],
            "excludes_extra": ["jupyterlab-widgets", "widgetsnbextension"],
            "prefetch_extra": ["jedi", "tcpnotes"],
            "pyodide_lock_uv_options": {"extra_uv_args": ["--no-index"]},
            "patches": {"packages": {"tcpnotes": {"depends": wanted(locked)}}},
        },
    }  # fmt: skip


def finish(ours: Path) -> None:
    """Our wheel where no cache has an older one; Graphviz; policy and icon in the pages; no tools of the maker's."""
    lock = BUILT / "static" / "pyodide-lock" / "pyodide-lock.json"
    told = json.loads(lock.read_text(encoding="utf-8"))
    package = told["packages"]["tcpnotes"]
    package["file_name"] = f"{package['sha256'][:12]}/{ours.name}"
    place = lock.parent / package["file_name"]
    place.parent.mkdir()
    (lock.parent / ours.name).rename(place)
    lock.write_text(json.dumps(told), encoding="utf-8")
    (BUILT / "static" / "viz").mkdir()
    shutil.copy(GRAPHVIZ, BUILT / "static" / "viz")
    for name in ("rspack.config.js", "rspack.config.analyze.js", "rspack.config.watch.js"):
        (BUILT / name).unlink(missing_ok=True)
    for page in BUILT.rglob("*.html"):
        html = page.read_text(encoding="utf-8")
        up = "../" * (len(page.relative_to(BUILT).parts) - 1)
        head = (
            f'<head>\n    <meta http-equiv="Content-Security-Policy" content="{POLICY}">'
            f'\n    <link rel="icon" href="{up}lab/favicon.ico">'
        )
        page.write_text(html.replace("<head>", head, 1), encoding="utf-8")


def build() -> int:
    """Build; how many bytes it has."""
    stage = PARTS / "stage"
    for folder in (stage, BUILT):
        shutil.rmtree(folder, ignore_errors=True)
    pyodide(stage / "static" / "pyodide")
    wheels(PARTS / "wheels")
    ours = wheel(PARTS / "ours")
    (stage / "notebooks").mkdir()
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        copy = stage / "notebooks" / path.name
        copy.write_text(notebook(path.read_text(encoding="utf-8")), encoding="utf-8")
        shutil.copystat(path, copy)  # the list of files shows when each was changed
    for name in ("jupyter-lite.json", "overrides.json"):
        shutil.copy(SOURCE / name, stage)
    file = stage / "jupyter_lite_config.json"
    file.write_text(json.dumps(configuration(stage, ours)), encoding="utf-8")
    do(sys.executable, "-m", "jupyterlite_core", "build", cwd=stage, wrong="JupyterLite could not be put together.")
    finish(ours)
    (BUILT / "jupyter-lite.json").touch()  # by this file make sees when it was built
    return sum(path.stat().st_size for path in BUILT.rglob("*") if path.is_file())


def main() -> int:
    """Build; 1 when it has become too large."""
    size = build()
    print(f"{BUILT.relative_to(ROOT)}: {size / 1e6:.1f} MB, to be at most {MOST / 1e6:.0f}")
    return int(size > MOST)


if __name__ == "__main__":
    sys.exit(main())
