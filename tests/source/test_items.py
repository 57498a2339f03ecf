"""The items: their ids never change, and each says something."""

from __future__ import annotations

import pytest

from tcpnotes.kernel.mirror import FUNCTIONS
from tcpnotes.source import glossary, item, item_ids, items, languages

LISTED = """
    1.0 1.1 1.1a 1.1b 1.2 1.3 1.3a 1.3b 1.4 1.5 1.6 1.fig 2.0 2.1 2.2 2.3 2.4 2.5 2.6 3.0 3.1 3.2 3.3 3.4
    4.0 4.1 4.1a 4.1b 4.2 4.3 4.3a 4.3b 4.4 4.fig 5.0 5.1 6.0 7.0 7.1 7.2 7.3
    S.1 S.2a S.2b S.3 S.4a S.4b S.4c S.4d S.5a S.5b S.5c S.5d S.5e
    S.6a S.6b S.6c S.6d S.6e S.6f S.6g S.6h S.7a S.7b S.7c
"""
IDS = LISTED.split()


def test_ids() -> None:
    assert [id for id in item_ids() if id in IDS] == IDS
    assert set(item_ids()) - set(IDS) <= {"S.2", "S.4", "S.5", "S.6", "S.7"}


@pytest.mark.parametrize("language", languages())
def test_each_item_is_a_sentence_or_more(language: str) -> None:
    assert [entry.id for entry in items(language)] == list(item_ids())
    for entry in items(language):
        assert entry.text.strip() == entry.text
        assert entry.text[-1] in ".。)…）", entry


def test_names_that_the_released_code_spells_differently() -> None:
    respelt = {pair for entry in items() for pair in entry.respelt}
    assert respelt >= {
        ("tcp_v4_unhash", "tcp_unhash"), ("tcp_rcvmsg", "tcp_recvmsg"), ("sock_wmalloc", "alloc_skb"),
        ("tcp_time_state_process", "tcp_timewait_state_process"),
    }  # fmt: skip


def test_kernel_functions_that_items_name__are_in_the_engine() -> None:
    named = {
        name for entry in items() for name in entry.released if name.startswith("tcp_") and name != "tcp_tw_bucket"
    }
    settings = {"tcp_rfc1337"}
    assert named - settings <= set(FUNCTIONS)


def test_unknown_item_and_language() -> None:
    with pytest.raises(ValueError, match=r"There is no item '8.0' in the source; ids run from 1.0 to "):
        item("8.0")
    with pytest.raises(ValueError, match=r"no text in language 'xx'; there are: .*en"):
        items("xx")
    with pytest.raises(ValueError, match=r"no glossary in language 'xx'"):
        glossary("xx")


def test_glossary__in_order_and_each_with_a_meaning() -> None:
    words = [term.word for term in glossary()]
    assert words == sorted(words, key=str.lower)
    assert words == [term.key for term in glossary()]
    assert all(term.meaning.endswith(".") for term in glossary())
