"""Sphinx's configuration of the site: what stands in _config.yml, and the parts that Jupyter Book would add to it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import yaml

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

_book = yaml.safe_load((HERE / "_config.yml").read_text(encoding="utf-8"))

project = html_title = _book["title"]
author = _book["author"]
copyright = _book["copyright"]
extensions = [
    "myst_nb", "sphinx_book_theme", "sphinx_copybutton", "sphinx_external_toc",
    *_book["sphinx"]["extra_extensions"], *_book["sphinx"]["local_extensions"],
]  # fmt: skip
exclude_patterns = _book["exclude_patterns"]
external_toc_path = "_toc.yml"
nb_execution_mode = _book["execute"]["execute_notebooks"]
myst_enable_extensions = _book["parse"]["myst_enable_extensions"]
html_theme = "sphinx_book_theme"
html_favicon = _book["html"]["favicon"]
bibtex_bibfiles = _book["bibtex_bibfiles"]
# Where the site will stand, if that is known: previews of links need whole addresses.
html_baseurl = os.environ.get("TCPNOTES_URL", "")
globals().update(_book["sphinx"]["config"])
tcpnotes_parts = True  # what tools/publish.py puts beside the site is linked from it
