"""Files that others' machines read: workflows, and the configuration for Binder, ask for what is there."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_calls_targets_that_there_are(path: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    jobs = yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"]
    called = {
        name for job in jobs.values() for step in job["steps"]
        for name in re.findall(r"^make ([a-z-]+)", step.get("run", ""), re.MULTILINE)
    }  # fmt: skip
    assert called <= targets
    assert all(job["timeout-minutes"] for job in jobs.values() if "environment" not in job)


def test_binder_installs_an_extra_that_there_is() -> None:
    lines = (ROOT / ".binder" / "requirements.txt").read_text(encoding="utf-8").split()
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    (asked,) = [line for line in lines if line.startswith(".")]
    assert asked.removeprefix(".[").removesuffix("]") in extras


def test_binder_takes_a_python_that_the_library_takes() -> None:
    assert (ROOT / ".binder" / "runtime.txt").read_text(encoding="utf-8").strip() == "python-3.11"
    assert (ROOT / ".binder" / "postBuild").stat().st_mode & 0o111
