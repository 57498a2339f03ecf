"""Run the notebooks and keep them in one form, so that a change in git is a change of the matter.

    notebooks.py run [FILE…]       run them (all of notebooks/ unless told), keep what they print, normalise
    notebooks.py normal [FILE…]    normalise only
    notebooks.py check [FILE…]     exit 1 when one is not normal, and say what is wrong with it
    notebooks.py text FILE         print a notebook's cells as a plain text (percent format), to edit it
    notebooks.py write FILE TEXT   put such a text into a notebook, new or old; then run it

The notebook is the only copy in git: a text is made to edit and thrown away.  A normal notebook has its
outputs and their numbers, ids of cells made from their contents, and nothing that depends on the machine,
the hour or a running kernel: no widget views (they need their state), no timings, no paths.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "notebooks"
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
VIEW = "application/vnd.jupyter.widget-view+json"
_TIME_LIMIT = 300  # seconds for one cell


def read(path: Path) -> Any:
    """A notebook from a file; SystemExit with a sentence when it is none."""
    import nbformat

    try:
        return nbformat.read(path, as_version=4)
    except (OSError, ValueError, nbformat.ValidationError) as error:
        sys.exit(f"{path}: this is not a notebook that can be read: {str(error).splitlines()[0]}")


def text_of(notebook: Any) -> str:
    """The bytes of a notebook, always in the same layout."""
    import nbformat

    return str(nbformat.writes(notebook, version=4)).rstrip("\n") + "\n"


def normalise(notebook: Any) -> Any:
    """Bring a notebook into its one form, in place."""
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    notebook.metadata.clear()
    notebook.metadata.update(METADATA)
    seen: dict[str, int] = {}
    for cell in notebook.cells:
        cell.id = _id(cell, seen)
        cell.metadata = _metadata(cell.metadata)
        if cell.cell_type == "code":
            cell.outputs = _outputs(cell.outputs)
    return notebook


def _id(cell: Any, seen: dict[str, int]) -> str:
    """An id that says what the cell is about; the same content in the same order gives the same ids."""
    words = re.sub(r"[^a-z0-9]+", "-", cell.source.lower()).strip("-")[:40].strip("-") or cell.cell_type
    seen[words] = seen.get(words, 0) + 1
    return words if seen[words] == 1 else f"{words}-{seen[words]}"


def _metadata(metadata: Any) -> dict[str, Any]:
    """Tags and slides; what pages hide, JupyterLab folds."""
    kept = {key: metadata[key] for key in ("tags", "slideshow") if metadata.get(key)}
    tags = set(kept.get("tags", ()))
    folded = {}
    if tags & {"hide-input", "hide-cell", "remove-input", "remove-cell"}:
        folded["source_hidden"] = True
    if tags & {"hide-output", "hide-cell", "remove-output", "remove-cell"}:
        folded["outputs_hidden"] = True
    return {**kept, "jupyter": folded} if folded else kept


def _outputs(outputs: list[Any]) -> list[Any]:
    kept: list[Any] = []
    for output in outputs:
        data = output.get("data")
        if data is not None:
            data.pop(VIEW, None)
            if not data:
                continue
        if "metadata" in output:
            output["metadata"] = {}
        before = kept[-1] if kept else None
        if output.output_type == "stream" and before and before.get("name") == output.name:
            before.text += output.text
        else:
            kept.append(output)
    return kept


def problems(path: Path) -> list[str]:
    """What keeps a notebook from being normal, one sentence each."""
    notebook = read(path)
    found = []
    before = path.read_text(encoding="utf-8")
    counts = [cell.execution_count for cell in notebook.cells if cell.cell_type == "code"]
    if counts != list(range(1, len(counts) + 1)):
        found.append("its code cells were not all run once, in order")
    for output in (o for cell in notebook.cells for o in cell.get("outputs", ())):
        if output.output_type == "error":
            found.append(f"a cell ends in an error: {output.ename}")
    if text_of(normalise(notebook)) != before:
        found.append("it is not in the normal form")
    return found


def execute(path: Path) -> None:
    """Run a notebook and write it back, normal; SystemExit when a cell fails, and the file stays as it was."""
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError

    notebook = read(path)
    paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, paths))  # a clone that is not installed works too
    client = NotebookClient(
        notebook, timeout=_TIME_LIMIT, kernel_name="python3", record_timing=False,
        resources={"metadata": {"path": str(path.parent)}},
    )  # fmt: skip
    try:
        client.execute()
    except CellExecutionError as error:
        sys.exit(f"{path.name}: a cell failed, the file is left as it was.\n{error}")
    path.write_text(text_of(normalise(notebook)), encoding="utf-8")


def _jupytext() -> Any:
    try:
        import jupytext
    except ImportError:
        sys.exit("Editing a notebook as text needs jupytext: install it with 'pip install jupytext'.")
    return jupytext


def as_text(path: Path) -> str:
    """The cells of a notebook in percent format."""
    notebook = read(path)
    notebook.metadata = {"kernelspec": METADATA["kernelspec"]}
    return str(_jupytext().writes(notebook, fmt="py:percent"))


def from_text(path: Path, text: Path) -> None:
    """Write the cells of ``text`` into the notebook ``path``; outputs of cells that did not change stay."""
    fresh = _jupytext().read(text, fmt="py:percent")
    if path.exists():
        from jupytext.combine import combine_inputs_with_outputs

        fresh = combine_inputs_with_outputs(fresh, read(path), fmt="py:percent")
    path.write_text(text_of(normalise(fresh)), encoding="utf-8")


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(
        prog="notebooks.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("action", choices=("run", "normal", "check", "text", "write"))
    parser.add_argument("files", nargs="*", type=Path)
    given = parser.parse_args(arguments)
    files: list[Path] = given.files or sorted(FOLDER.glob("*.ipynb"))
    if given.action == "text":
        if len(given.files) != 1:
            parser.error("text takes one notebook")
        print(as_text(files[0]), end="")
    elif given.action == "write":
        if len(given.files) != 2:
            parser.error("write takes a notebook and a text")
        from_text(*files)
    elif given.action == "check":
        bad = 0
        for path in files:
            for problem in problems(path):
                bad += 1
                print(f"{path.name}: {problem}; run: tools/notebooks.py run {path.name}", file=sys.stderr)
        return 1 if bad else 0
    else:
        for path in files:
            if given.action == "run":
                print(f"{path.name} …", flush=True)
                execute(path)
            else:
                path.write_text(text_of(normalise(read(path))), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
