"""How much sooner several processes search a model than one does: wall time of the whole command, in turns.

    measure_jobs.py [--jobs 2] [--lose 3] [--profile linux-2.4.0] [--pairs 5]

The model is `close_anytime`, in which as many segments may be lost as ``--lose`` says (2 as it is filed).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter

from tcpnotes.explore import load_model

MODEL = "close_anytime"
MODELS = Path(__file__).resolve().parent.parent / "tcpnotes" / "explore" / "models"


def search(model: Path, profile: str, jobs: int) -> tuple[float, int]:
    """Seconds that a search took from its start to its end, and how many states it found."""
    began = perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "tcpnotes", "explore", str(model), "--profile", profile, "--jobs", str(jobs), "--json"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    taken = perf_counter() - began
    states = [line["states"] for line in map(json.loads, done.stdout.splitlines()) if "states" in line]
    return taken, states[-1]


def main() -> None:
    """Search in turns, and print each pair and the middle of all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--lose", type=int, default=3)
    parser.add_argument("--profile", default="linux-2.4.0")
    parser.add_argument("--pairs", type=int, default=5)
    args = parser.parse_args()
    filed = load_model(MODEL).lose
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / f"{MODEL}.toml"
        text = (MODELS / f"{MODEL}.toml").read_text(encoding="utf-8")
        model.write_text(text.replace(f"lose = {filed}", f"lose = {args.lose}"), encoding="utf-8")
        assert load_model(model).lose == args.lose
        ratios = []
        for _ in range(args.pairs):
            (alone, states), (together, others) = (search(model, args.profile, jobs) for jobs in (1, args.jobs))
            assert states == others
            ratios.append(alone / together)
            print(
                f"{states:,} states: {alone:.1f} s, with {args.jobs} processes {together:.1f} s: {ratios[-1]:.2f}",
                flush=True,
            )
    print(f"median of {len(ratios)}: {median(ratios):.2f}")


if __name__ == "__main__":
    main()
