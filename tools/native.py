"""Build the engine compiled: `build/native/` becomes a copy of the package whose kernel and world are C (by mypyc).

The plain Python stays the reference.  What is compiled is the same text, but for what stands in it at more length:
constants are marked as such, so that the compiler writes them out; classes are, as ones that can be copied; copies of
sockets are written out, field by field; and the shells that make entries visible to traces stand within.  Put the
folder before all others to use it:

    PYTHONPATH=build/native tcpnotes bench lives

Needs a C compiler, mypy (which brings mypyc), and some four minutes.
"""

from __future__ import annotations

import ast
import importlib
import os
import shutil
import subprocess
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
}
FOLDERS = ("kernel", "world")
# Numbers that are mostly keys, or written down: an object each, made once, and not at every use.
OBJECTS = {"self.now = 0": "self.now: _Any = 0", "    id: int": "    id: _Any"}


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


def objects_kept(text: str) -> str:
    """The text of a module with `OBJECTS` marked as such."""
    lines = [
        next((line.replace(plain, marked) for plain, marked in OBJECTS.items() if plain in line), line)
        for line in text.split("\n")
    ]
    return after_future(lines, "from typing import Any as _Any")


def foreign_unchecked(text: str) -> str:
    """The text of a module in which the methods of a world take anything: they say more about it than a compiler."""
    lines = text.split("\n")
    notes = []
    for world in ast.parse(text).body:
        if isinstance(world, ast.ClassDef) and world.name == "World":
            for method in world.body:
                if isinstance(method, ast.FunctionDef) and (method.name == "__init__" or method.name[0] != "_"):
                    notes += [arg.annotation for arg in method.args.args if arg.annotation is not None]
    for note in reversed(notes):
        line = lines[note.lineno - 1]
        lines[note.lineno - 1] = f"{line[: note.col_offset]}_Any{line[note.end_col_offset :]}"
    return "\n".join(lines)


def copies_written_out(path: Path, text: str) -> str:
    """The text of a module with the functions that `tcpnotes.kernel.copies` makes in their places."""
    module = importlib.import_module(".".join(path.with_suffix("").parts))
    lines = text.split("\n")
    for node in reversed(ast.parse(text).body):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(func=ast.Name(id="copier"))):
                written = getattr(module, name).text.replace("def copy(", f"def {name}(", 1)
                lines[node.lineno - 1 : node.end_lineno] = written.split("\n")
    return "\n".join(lines)


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
    net = {subject}.net
    trace = net.trace
    if trace is None:
        return _inner_{name}({given})
    opened = trace.open
    entered = (net.now, trace.host, len(opened), {name!r}, {subject}.id, "enter")
    if trace.looks:
        trace.add(entered)
    else:
        trace.written.append(entered)
    opened.append({open})
    try:
        return _inner_{name}({given})
    finally:
        opened.pop()


{mark}({name})
"""


TRAINING = """
from tcpnotes.bench.lives import Lives
world = Lives()
world.run(500)
world.world.listen()
world.run(300)
"""


def compiler() -> list[str]:
    """The command that Python's own parts were compiled with."""
    return (sysconfig.get_config_var("CC") or "cc").split()


def hindrance() -> str | None:
    """Why nothing can be compiled here, in one sentence; None when it can."""
    command = compiler()[0]
    if shutil.which(command) is None:
        return f"The compiled engine needs a C compiler, and {command} is not here (Debian: build-essential)."
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
        text = copies_written_out(path, constants_marked(path))
        (HERE / path).write_text(shells_within(classes_marked(objects_kept(foreign_unchecked(text)))))
    mirror = HERE / "tcpnotes/kernel/mirror.py"
    mirror.write_text(mirror.read_text().replace("COMPILED = False", "COMPILED = True"))
    (HERE / "tests").symlink_to(ROOT / "tests")  # where the recordings are
    os.chdir(HERE)
    flags = ["--ignore-missing-imports", "--no-warn-return-any", "--follow-imports=silent", "--hide-error-context"]
    extensions = mypycify([*flags, *map(str, compiled)], opt_level="3", debug_level="0")

    def build(*flags: str) -> None:
        os.environ["CFLAGS"] = " ".join(["-fno-plt", "-fno-semantic-interposition", *flags])
        setup(
            name="tcpnotes-native",
            packages=[],
            ext_modules=extensions,
            script_args=["--quiet", "build_ext", "--inplace", "--force"],
        )

    # Of what many lives took the compiler learns which way things mostly go.  (Others than GCC learn in other ways.)
    about = subprocess.run([*compiler(), "--version"], capture_output=True, text=True, check=False).stdout
    if "Free Software Foundation" in about:
        build("-fprofile-generate", "-fprofile-update=single")
        subprocess.run([sys.executable, "-c", TRAINING], check=True, env={**os.environ, "PYTHONPATH": str(HERE)})
        build("-fprofile-use", "-fprofile-partial-training", "-Wno-missing-profile")
    else:
        build()
    shutil.rmtree(HERE / "build", ignore_errors=True)


if __name__ == "__main__":
    main()
