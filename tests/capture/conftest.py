"""Tests of captures import `captures`, which makes them."""

from __future__ import annotations

import sys
from pathlib import Path

from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parent))

settings.register_profile("tcpnotes", deadline=None, derandomize=True, database=None, max_examples=60)
settings.load_profile("tcpnotes")
