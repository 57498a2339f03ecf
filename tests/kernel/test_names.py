"""What is called ``tcp_…`` is a function of the kernel, stands in its file, and says what it leaves out."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from pathlib import Path
from types import ModuleType

import pytest

import tcpnotes
import tcpnotes.kernel
from tcpnotes.kernel.mirror import FUNCTIONS
from tcpnotes.replay import read_recordings

MODULES = [importlib.import_module(f"tcpnotes.kernel.{m.name}") for m in pkgutil.iter_modules(tcpnotes.kernel.__path__)]
GOLDEN = Path(__file__).parents[1] / "golden" / "scripts.jsonl.gz"
SPLIT = {"tcp_input_ack": "tcp_input"}  # too long for one file

# Functions of 2.4.0 that no recording with a call tree runs: recovery, SACK, pruning, recycling, crossed SYNs.
LISTED = """
    tcp_add_reno_sack tcp_check_reno_reordering tcp_check_sack_reneging tcp_clamp_window tcp_collapse_queue
    tcp_complete_cwr tcp_cwnd_down tcp_disordered_ack tcp_dsack_extend tcp_fragment tcp_mark_head_lost
    tcp_prune_queue tcp_remove_reno_sacks tcp_reset_reno_sack tcp_sack_extend tcp_sack_maybe_coalesce
    tcp_sack_new_ofo_skb tcp_sack_remove tcp_sacktag_write_queue tcp_send_synack tcp_set_keepalive
    tcp_synack_timer tcp_time_to_recover tcp_try_to_open tcp_try_undo_dsack tcp_try_undo_loss
    tcp_try_undo_partial tcp_undo_cwr tcp_update_reordering tcp_update_scoreboard tcp_v4_check_established
    tcp_v4_or_send_ack tcp_v4_remember_stamp tcp_v4_tw_remember_stamp tcp_xmit_retransmit_queue
"""
UNREACHED = frozenset(LISTED.split())


def own(module: ModuleType) -> list[tuple[str, object]]:
    return [
        (name, inspect.unwrap(value)) for name, value in vars(module).items()
        if inspect.isfunction(value) and inspect.unwrap(value).__module__ == module.__name__
    ]  # fmt: skip


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__.rsplit(".", 1)[-1])
def test_whatever_is_called_tcp_is_mirrored(module: ModuleType) -> None:
    for name, _ in own(module):
        if name.lstrip("_").startswith("tcp_"):
            assert name in FUNCTIONS, f"{name} is called like a kernel function and is not marked as one"


@pytest.mark.parametrize("module", [m for m in pkgutil.walk_packages(tcpnotes.__path__, "tcpnotes.")
                                    if not m.name.startswith(("tcpnotes.kernel", "tcpnotes.__main__"))],
                         ids=lambda module: module.name)  # fmt: skip
def test_nothing_outside_the_kernel_is_called_tcp(module: pkgutil.ModuleInfo) -> None:
    spec = module.module_finder.find_spec(module.name, None)  # type: ignore[call-arg]
    assert spec is not None and spec.origin is not None
    text = Path(spec.origin).read_text(encoding="utf-8")
    assert "def tcp_" not in text and "class tcp_" not in text


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_a_mirrored_function_stands_in_the_file_of_its_kernel_file_and_says_what_it_means(name: str) -> None:
    entry = FUNCTIONS[name]
    folder, stem = entry.file.rsplit("/", 1)
    module = entry.function.__module__.rsplit(".", 1)[-1]
    wanted = "tcp_h" if folder.startswith("include") else stem.removesuffix(".c")
    assert SPLIT.get(module, module) == wanted
    assert folder in ("net/ipv4", "include/net")
    assert entry.doc
    assert all(text and not text.endswith(".") for text in entry.omits)
    for text in entry.omits:
        assert text in (inspect.unwrap(entry.function).__doc__ or "")


def test_mirrored_functions_of_c_files_are_named_in_the_recordings_or_known_not_to_be_reached() -> None:
    rows = (row for recording in read_recordings(GOLDEN) for row in recording.rows)
    recorded = {name for row in rows if row[0] == "calls" for _, name in row[2]}
    strange = {name for name, entry in FUNCTIONS.items() if not entry.inline} - recorded
    assert strange == UNREACHED
