"""Which engine is tested: plain Python, or the compiled one of ``make test-native``."""

from __future__ import annotations

import os

from tcpnotes.kernel import mirror


def test_the_engine_is_the_one_that_was_asked_for() -> None:
    assert mirror.COMPILED is bool(os.environ.get("TCPNOTES_COMPILED"))
