"""Kernel functions exchanged for a while: everywhere, visibly to traces, and never for longer."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from tcpnotes.exercises import original, patched
from tcpnotes.kernel import mirror
from tcpnotes.kernel.sock import Sock
from tcpnotes.scenarios import run
from tcpnotes.trace.records import Enter


def _known() -> dict[tuple[str, str], int]:
    """Which object every kernel name stands for, module by module."""
    return {
        (name, key): id(value)
        for name, module in sys.modules.items()
        if name.startswith(("tcpnotes.kernel.", "tcpnotes.world"))
        for key, value in vars(module).items()
        if key in mirror.FUNCTIONS
    }


def test_patched__the_variant_runs_and_the_trace_shows_its_name_once() -> None:
    seen: list[int] = []

    def mine(sk: Sock, skb: Any) -> Any:
        seen.append(sk.id)
        return original("tcp_fin")(sk, skb)

    plain = run("orderly_close").recorder.records
    with patched(tcp_fin=mine):
        records = run("orderly_close").recorder.records
    assert seen and records == plain
    entered = [record for record in records if isinstance(record, Enter) and record.fn == "tcp_fin"]
    assert len(entered) == len(seen)


def test_patched__everything_is_as_before_afterwards() -> None:
    mirror.instrument()
    before = _known()
    with patched(tcp_time_wait=lambda sk, state, timeo: None, tcp_fin=lambda sk, skb: None):
        assert _known() != before
    assert _known() == before


def test_patched__restored_after_an_error_too() -> None:
    mirror.instrument()
    before = _known()
    with pytest.raises(RuntimeError), patched(tcp_fin=lambda sk, skb: None):
        raise RuntimeError
    assert _known() == before


def test_patched__restored_whether_somebody_listens_or_not() -> None:
    mirror.strip()
    before = _known()
    with patched(tcp_fin=lambda sk, skb: None):
        run("half_close")
        mirror.strip()
    assert _known() == before
    with patched(tcp_fin=lambda sk, skb: None):
        mirror.strip()
        run("half_close")
    assert mirror.worn
    mirror.strip()
    assert _known() == before


def test_patched__blocks_may_be_nested() -> None:
    plain = run("simultaneous_close").recorder.records
    with patched(tcp_fin=lambda sk, skb: None):
        deaf = run("simultaneous_close").recorder.records
        with patched(tcp_fin=original("tcp_fin")):
            assert run("simultaneous_close").recorder.records == plain
        assert run("simultaneous_close").recorder.records == deaf
    assert deaf != plain
    assert run("simultaneous_close").recorder.records == plain


def test_patched__a_name_that_the_engine_does_not_know() -> None:
    with pytest.raises(ValueError, match=r"no kernel function 'tcp_finn'; perhaps tcp_fin"), patched(tcp_finn=len):
        pass


def test_patched__a_variant_with_other_parameters() -> None:
    with (
        pytest.raises(ValueError, match=r"tcp_fin takes \(sk, skb\); the variant takes \(sk\)"),
        patched(tcp_fin=lambda sk: None),
    ):
        pass
