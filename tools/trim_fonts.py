"""Leave in the site's icon fonts the icons that its style sheets name: trim_fonts.py SITE, after trim_css.mjs.

The theme's fonts hold two thousand icons, of which pages use two dozen.  fontTools cuts them (MIT, alive).
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

_ICON = re.compile(r'--fa:"\\?([0-9a-fA-F]{2,6}|.)"')


def icons(site: Path) -> set[int]:
    """The code points of the icons that style sheets name."""
    found = set()
    for path in site.rglob("*.css"):
        for name in _ICON.findall(path.read_text(encoding="utf-8")):
            found.add(int(name, 16) if len(name) > 1 else ord(name))
    return found


def main(arguments: list[str]) -> int:
    """Trim; 2 when there is no site."""
    from fontTools import subset

    if len(arguments) != 1 or not Path(arguments[0]).is_dir():
        print("trim_fonts.py: name the folder of the site.", file=sys.stderr)
        return 2
    site = Path(arguments[0])
    wanted = icons(site)
    options = subset.Options(flavor="woff2", layout_features=["*"])
    for path in sorted(site.rglob("fa-*.woff2")):
        font = subset.load_font(str(path), options)
        cutter = subset.Subsetter(options)
        cutter.populate(unicodes=wanted)
        cutter.subset(font)
        before = path.stat().st_size
        subset.save_font(font, str(path), options)
        print(f"{path.name}: {before} -> {path.stat().st_size} bytes, {len(wanted)} icons")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
