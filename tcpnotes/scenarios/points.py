"""Points at which versions differ: for each what the RFCs and Linux 2.2.1 do (cited), and a way to ask the engine.

A `Point` is asked of a profile.  What is cited stands beside it, with its place; an empty text says that our sources
do not tell.  In ``rfc`` a bracket names RFC and section: ``(1122, 4.2.2.13)``.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple, TypeAlias

from tcpnotes.kernel.profile import Profile, profile_by_name
from tcpnotes.scenarios import asked

Asked: TypeAlias = Callable[[Profile], str]
GROUPS = {
    "close": "What close and its peer's data do",
    "fin": "What a FIN does",
    "reset": "What is believed, and what the application hears",
    "wait": "FIN_WAIT2 and TIME_WAIT",
    "silence": "When nobody answers",
}


class Point(NamedTuple):
    """One point: its group, what it is about, the items of the source it touches, what is cited, and how to ask."""

    group: str
    name: str
    items: tuple[str, ...]
    rfc: str
    linux_2_2: str
    scenario: str
    question: Asked

    def ask(self, profile: str | Profile) -> str:
        """What the engine does under ``profile``, in a few words.  ValueError for an unknown profile."""
        return self.question(profile_by_name(profile))


_close, _fin, _reset, _wait, _silence = (partial(Point, group) for group in GROUPS)

POINTS: tuple[Point, ...] = (
    _close("data unread at close", ("1.1", "1.1b"), "should be a RESET (1122, 4.2.2.13; 2525, 2.17)", "RESET",
           "close_with_unread_data", asked.unread),
    _close("a linger time of zero", ("1.2",), "no such option; ABORT sends a RESET (793, 3.9)", "FIN: no abort",
           "linger_zero", asked.linger_zero),
    _close("a linger time of 1 s, the peer silent", ("1.4",), "not their matter", "sleeps without limit",
           "linger_time_out", asked.linger_time),
    _close("close while the peer's window is shut", ("1.3", "S.4c"), "FIN-WAIT-1 in any case (793, 3.9)", "",
           "nobody_reads", asked.shut_window),
    _close("data after close, before the ACK of the FIN", ("3.3", "3.4"), "should be a RESET (1122, 4.2.2.13)",
           "RESET if nobody owns the socket", "data_before_ack_of_fin", asked.data_after_close),
    _close("data after close, in FIN_WAIT2", ("1.5", "3.2"), "should be a RESET (1122, 4.2.2.13)",
           "RESET if nobody owns the socket", "close_before_answer", asked.data_at_bucket),
    _close("close with unread data, reset before", ("1.1", "S.6a"), "there is no connection any more (793, 3.9)", "",
           "reset_in_established", asked.dead_unread),
    _close("a listener is closed: its half-open requests", ("S.2a",), "close in SYN-RECEIVED sends a FIN (793, 3.9)",
           "", "close_listener", asked.half_open),
    _fin("the ACK of a FIN in ESTABLISHED", ("2.0", "S.4d"), "at once, or within 0.5 s (1122, 4.2.3.2)", "at once",
         "delayed_ack_of_fin", asked.ack_of_fin),
    _fin("out-of-order data when the FIN comes", ("2.3",), "not their matter", "kept",
         "data_after_fin", asked.out_of_order),
    _fin("text that starts on the FIN's own number", ("2.1", "2.5"), "ignored (793, 3.9)", "",
         "data_after_fin", asked.text_at_fin),
    _fin("the same in LAST_ACK", ("2.5", "4.2"), "ignored (793, 3.9)", "", "reset_in_last_ack", asked.text_in_last_ack),
    _fin("poll in CLOSE_WAIT", ("2.2", "2.6"), "not their matter", "POLLHUP as soon as the FIN is there",
         "fin_wait2_time_out", asked.poll_after_fin),
    _reset("a RESET in the window, not at its edge", ("S.6a",), "valid (793, 3.4); challenge it (5961, 3)",
           "believed, wherever it lies", "reset_in_window", asked.reset_in_window),
    _reset("a RESET before the window", ("S.6h",), "not valid, dropped (793, 3.4)", "believed, wherever it lies",
           "reset_outside_window", asked.reset_outside),
    _reset("a SYN in the window", (), "RESET (793, 3.9); challenge it (5961, 4)", "RESET, the end",
           "reset_in_window", asked.syn_in_window),
    _reset("text with an ACK of what was never sent", (), "ACK, dropped (793, 3.9; 5961, 5)", "ignored, text taken",
           "reset_in_window", asked.ack_of_unsent),
    _reset("text without the ACK flag", (), "dropped (793, 3.9)", "", "reset_in_window", asked.without_ack),
    _reset("write after a RESET in CLOSE_WAIT", ("S.6b",), "\u201cconnection reset\u201d (793, 3.9)", "",
           "reset_in_close_wait", asked.error_in_close_wait),
    _reset("read after a RESET in CLOSE_WAIT", ("S.6b",), "\u201cconnection reset\u201d (793, 3.9)", "",
           "reset_in_close_wait", asked.read_in_close_wait),
    _reset("the queues when a RESET comes", ("S.6a",), "all flushed (793, 3.9)", "",
           "reset_in_established", asked.queues_at_reset),
    _wait("TIME_WAIT lasts", ("7.0", "7.1"), "240 s: 2 MSL of 2 minutes (793, 3.3)", "a wheel of 8 slots, 7.5 s each",
          "orderly_close", asked.time_wait),
    _wait("FIN_WAIT2 after close lasts", ("S.5e",), "no limit (793, 3.9)", "180 s, the whole socket",
          "fin_wait2_time_out", asked.fin_wait2),
    _wait("the FIN comes again in TIME_WAIT", ("7.3",), "ACK, time starts again (793, 3.9)",
          "dropped; time starts again", "last_ack_lost", asked.fin_again),
    _wait("a RESET in TIME_WAIT", ("S.6g", "S.7c"), "the end (793, 3.9); ignore it (1337)", "",
          "reset_in_time_wait", asked.reset_in_time_wait),
    _wait("the same with tcp_rfc1337", ("S.7c",), "ignore it (1337)", "ignored", "rfc1337", asked.reset_rfc1337),
    _wait("an old SYN in TIME_WAIT", ("S.7a",), "ACK (793, 3.9: outside the window)", "RESET, bucket deleted",
          "reset_in_time_wait", asked.syn_in_time_wait),
    _wait("a SYN beyond the old numbers in TIME_WAIT", ("S.7a",), "may open a connection (1122, 4.2.2.13; 6191)", "",
          "syn_meets_time_wait", asked.new_syn),
    _wait("connect over one's own bucket", ("S.7b",), "connection already exists (793, 3.9)", "never",
          "connect_takes_bucket", asked.connect_over),
    _wait("TCP_LINGER2 of 300 s, read back", ("S.5d",), "not their matter", "no such option",
          "linger2_short", asked.long_linger2),
    _wait("the table of buckets is full", ("S.5c",), "TIME-WAIT is a must (1122, 4.2.2.13)", "no limit",
          "bucket_table_full", asked.table_full),
    _silence("an orphan's FIN is never acknowledged", ("S.4a", "S.4b"), "100 s at least (1122, 4.2.3.5)",
             "15 tries, as for others", "nobody_answers", asked.orphan),
    _silence("a lost FIN is sent again", ("S.4a",), "after 1 s at least (6298, 2.4)", "0.2 s at least",
             "nobody_answers", asked.first_again),
    _silence("a lost SYN is sent again", (), "after 3 s (1122, 4.2.3.1); 1 s (6298, 2.1)", "",
             "orderly_close", asked.first_syn),
    _silence("an orphan whose probes are answered", ("S.4c",), "must be kept (1122, 4.2.2.17); may be ended (6429)",
             "kept", "nobody_reads", asked.probed_orphan),
)  # fmt: skip


def points(group: str | None = None) -> tuple[Point, ...]:
    """All points, or those of a group.  A ValueError for a group that does not exist."""
    if group is not None and group not in GROUPS:
        raise ValueError(f"There is no group {group!r}; choose one of: {', '.join(GROUPS)}.")
    return tuple(point for point in POINTS if group in (None, point.group))
