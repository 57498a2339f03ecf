from __future__ import annotations

import pytest

pytest.importorskip("lark", reason="the extra packetdrill is not installed: pip install 'tcpnotes[packetdrill]'")
