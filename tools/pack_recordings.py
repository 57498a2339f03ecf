"""Pack recordings into the two files that ``tests/golden`` keeps: ``python tools/pack_recordings.py FOLDER``.

Every recording goes in as it stands, one to a line; only white space and the order of files are ours.
"""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path

TARGET = Path(__file__).resolve().parent.parent / "tests" / "golden"


def pack(files: list[Path], target: Path) -> int:
    """Write the recordings in ``files`` to ``target``, the same bytes each time; how many there were."""
    lines = []
    for file in files:
        texts = [file.read_text("utf-8")] if file.suffix == ".json" else file.read_text("utf-8").splitlines()
        lines += [json.dumps(json.loads(text), separators=(",", ":"), ensure_ascii=False) for text in texts if text]
    content = ("\n".join(lines) + "\n").encode("utf-8")
    with target.open("wb") as stream, gzip.GzipFile("", "wb", 9, stream, mtime=0) as packed:
        packed.write(content)
    return len(lines)


def main(argv: list[str]) -> int:
    """Pack what is in the folder named on the command line."""
    if len(argv) != 1 or not Path(argv[0]).is_dir():
        print("usage: python tools/pack_recordings.py FOLDER (with scripts/, directed/ and random/)", file=sys.stderr)
        return 2
    folder = Path(argv[0])
    TARGET.mkdir(parents=True, exist_ok=True)
    trees = [*sorted(folder.glob("scripts/*.json")), *sorted(folder.glob("directed/*.json"))]
    print(pack(trees, TARGET / "scripts.jsonl.gz"), "recordings with call trees")
    print(pack(sorted(folder.glob("random/*.jsonl")), TARGET / "random.jsonl.gz"), "compact recordings")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
