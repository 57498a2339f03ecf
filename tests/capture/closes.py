"""What `explain` must say of each real close: how, who began, what else; by the name of its capture."""

from __future__ import annotations

from typing import NamedTuple


class Close(NamedTuple):
    how: str
    closer: str
    tags: tuple[str, ...] = ()
    maybe: tuple[str, ...] = ()


CLOSES: dict[str, list[Close]] = {
    "orderly_client_first": [Close("orderly", "A")],
    "orderly_server_first": [Close("orderly", "B")],
    "three_segment": [Close("three_segment", "A")],
    "half_close": [Close("half_close", "A")],
    "simultaneous": [Close("simultaneous", "both", ("fin_retransmitted",))],
    "unread_data": [Close("unread_data", "B", (), ("linger_zero",))],
    "linger_zero": [Close("linger_zero", "A")],
    "linger_zero_after_answer": [Close("linger_zero", "B", (), ("unread_data",))],
    "data_after_close": [Close("data_after_close", "A", ("reset_in_close_wait",))],
    "no_listener": [Close("no_listener", "B")],
    "reset_in_close_wait": [
        Close("reset_in_close_wait", "A", ("reset_in_close_wait",), ("linger_zero", "unread_data"))
    ],
    "unread_data_in_close_wait": [
        Close("reset_in_close_wait", "A", ("reset_in_close_wait",), ("unread_data", "linger_zero"))
    ],
    "fin_lost": [Close("orderly", "A", ("fin_retransmitted",))],
    "last_ack_lost": [Close("orderly", "A", ("fin_retransmitted", "last_ack_lost"))],
    "orphan_given_up": [Close("given_up", "A", ("fin_retransmitted",))],
    "orphan_given_up_in_silence": [Close("given_up", "A", ("fin_retransmitted",)), Close("no_listener", "B")],
    "syn_in_time_wait": [Close("orderly", "B", ("cut_short",)), Close("orderly", "A", ("syn_in_time_wait",))],
    "from_the_middle": [Close("orderly", "A", ("starts_in_middle",))],
    "with_curl": [Close("three_segment", "B")],
    "with_nc": [Close("half_close", "A")],
    "with_openssl": [Close("data_after_close", "A", ("reset_in_close_wait",))],
}  # fmt: skip
