"""Build the engine compiled: `build/native/` becomes a copy of the package whose kernel and world are C (by mypyc).

The plain Python stays the reference.  What is compiled is the same text, but for three things: constants
are marked as such, so that the compiler writes them out; classes are, as ones that can be copied; and the shells that
make entries visible to traces stand within.  Put the folder before all others to use it:

    PYTHONPATH=build/native tcpnotes bench lives

Needs a C compiler, and mypy (which brings mypyc).
"""

from __future__ import annotations

import ast
import importlib
import os
import shutil
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HERE = ROOT / "build" / "native"
# Descriptors, text that becomes code, what changes functions at run time, and what looks at foreign values whose type
# is not what it should be stay as they are.
PLAIN = {
    "__init__",
    "bucket",
    "checking",
    "copies",
    "events",
    "mirror",
    "outlet",
    "profile",
    "resume",
    "snapshot",
    "world",
}
FOLDERS = ("kernel", "world")


def modules() -> list[Path]:
    """The files to be compiled, within the package."""
    package = ROOT / "tcpnotes"
    inner = [path for folder in FOLDERS for path in sorted((package / folder).glob("*.py")) if path.stem not in PLAIN]
    return [path.relative_to(ROOT) for path in [package / "trace/recorder.py", *inner]]


def constants_marked(path: Path) -> str:
    """The text of a module with its whole numbers in capitals as ``NAME: Final = 1``, a line each."""
    text = (ROOT / path).read_text()
    module = importlib.import_module(".".join(path.with_suffix("").parts))
    lines = text.split("\n")
    found = False
    for node in reversed(ast.parse(text).body):
        if not isinstance(node, ast.Assign):
            continue
        names = [name.id for target in node.targets for name in ast.walk(target) if isinstance(name, ast.Name)]
        if all(name.isupper() and isinstance(getattr(module, name), int) for name in names):
            lines[node.lineno - 1 : node.end_lineno] = [f"{name}: _Final = {getattr(module, name)}" for name in names]
            found = True
    return after_future(lines, "from typing import Final as _Final") if found else text


def classes_marked(text: str) -> str:
    """The text of a module in which classes are made without their constructor too, as for copies and pickle.

    (Of ones that allow no other subclasses, mypyc forgets to call the constructor then.)
    """
    lines = text.split("\n")
    found = [node for node in ast.parse(text).body if isinstance(node, ast.ClassDef) and not node.bases]
    for node in reversed(found):
        lines.insert(node.lineno - 1, "@_mypyc_attr(serializable=True, allow_interpreted_subclasses=True)")
    return after_future(lines, "from mypy_extensions import mypyc_attr as _mypyc_attr") if found else text


def after_future(lines: list[str], line: str) -> str:
    """The text with one more import at its top."""
    at = next(n for n, line in enumerate(lines) if line.startswith("from __future__")) + 1
    return "\n".join([*lines[:at], line, *lines[at:]])


def shells_within(text: str) -> str:
    """The text of a module in which each marked function stands in its shell (see `tcpnotes.kernel.mirror`).

    Compiled functions call each other directly, so that nothing can be put around them later.
    """
    lines = text.split("\n")
    for node in reversed(ast.parse(text).body):
        marks = node.decorator_list if isinstance(node, ast.FunctionDef) else []
        mark = next((mark for mark in marks if ast.unparse(mark).startswith("mirrors(")), None)
        if mark is None or not isinstance(node, ast.FunctionDef):
            continue
        assert len(marks) == 1 and node.end_lineno is not None
        name, subject = node.name, node.args.args[0].arg
        given = ", ".join(arg.arg for arg in node.args.args)
        inline = "include/" in ast.unparse(mark)
        lines[node.end_lineno : node.end_lineno] = SHELL.format(
            name=name,
            subject=subject,
            parameters=ast.unparse(node.args),
            given=given,
            returns=ast.unparse(node.returns) if node.returns else "None",
            open=f"opened[-1] if opened else {name!r}" if inline else repr(name),
            mark=ast.unparse(mark)[:-1] + f", doc={(ast.get_docstring(node) or '').splitlines()[0]!r})",
        ).split("\n")
        lines[node.lineno - 1] = lines[node.lineno - 1].replace(f"def {name}(", f"def _inner_{name}(", 1)
        del lines[mark.lineno - 1 : mark.end_lineno]
    return "\n".join(lines)


SHELL = """

def {name}({parameters}) -> {returns}:
    trace = {subject}.net.trace
    if trace is None:
        return _inner_{name}({given})
    opened = trace.open
    trace.entered({name!r}, {subject}.id)
    opened.append({open})
    try:
        return _inner_{name}({given})
    finally:
        opened.pop()


{mark}({name})
"""


def hindrance() -> str | None:
    """Why nothing can be compiled here, in one sentence; None when it can."""
    compiler = (sysconfig.get_config_var("CC") or "cc").split()[0]
    if shutil.which(compiler) is None:
        return f"The compiled engine needs a C compiler, and {compiler} is not here (Debian: build-essential)."
    header = Path(sysconfig.get_path("include"), "Python.h")
    if not header.exists():
        return "The compiled engine needs the headers of Python (Debian: python3-dev)."
    return None


def main() -> None:
    """Copy, mark, compile; with ``--can`` only say whether that is possible (exit status 1 when not)."""
    reason = hindrance()
    if reason is not None:
        print(reason, file=sys.stderr)
        sys.exit(1)
    if "--can" in sys.argv[1:]:
        return
    from mypyc.build import mypycify
    from setuptools import setup

    sys.path.insert(0, str(ROOT))
    compiled = modules()
    shutil.rmtree(HERE, ignore_errors=True)
    (HERE / "tcpnotes").mkdir(parents=True)
    for part in (ROOT / "tcpnotes").iterdir():
        if part.name in ("trace", *FOLDERS):
            shutil.copytree(part, HERE / "tcpnotes" / part.name, ignore=shutil.ignore_patterns("__pycache__"))
        elif part.name != "__pycache__":
            (HERE / "tcpnotes" / part.name).symlink_to(part)
    for path in [*compiled, Path("tcpnotes/trace/segment.py")]:
        (HERE / path).write_text(shells_within(classes_marked(constants_marked(path))))
    mirror = HERE / "tcpnotes/kernel/mirror.py"
    mirror.write_text(mirror.read_text().replace("COMPILED = False", "COMPILED = True"))
    (HERE / "tests").symlink_to(ROOT / "tests")  # where the recordings are
    os.chdir(HERE)
    flags = ["--ignore-missing-imports", "--follow-imports=silent", "--hide-error-context"]
    setup(
        name="tcpnotes-native",
        packages=[],
        ext_modules=mypycify([*flags, *map(str, compiled)], opt_level="2", debug_level="0"),
        script_args=["--quiet", "build_ext", "--inplace"],
    )
    shutil.rmtree(HERE / "build", ignore_errors=True)


if __name__ == "__main__":
    main()
