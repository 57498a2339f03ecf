"""Losses: what is sent again, when, and that the books stay right."""

from __future__ import annotations

from story import PEER_ISN, Story, alone, connected


def sending(mss: int, **options: object) -> Story:
    """A is connected to a peer that takes segments of ``mss`` bytes."""
    s = Story(hosts="A")
    s.A.socket()
    s.A.connect(80)
    s.A.hears("SYN|ACK", seq=str(PEER_ISN), mss=mss, window=20_000, **options)
    s.mark()
    return s


def test_data_and_fin__sent_again_as_one_segment() -> None:
    s = alone()
    s.A.write(10)
    s.A.close()
    assert s.A.sent == "PSH|ACK seq 1 ack 1 len 10; FIN|ACK seq 11 ack 1"
    s.mark()
    s.wait(3.1)
    assert s.A.sent == "FIN|PSH|ACK seq 1 ack 1 len 10"


def test_data_is_acked_already__only_the_fin_is_sent_again() -> None:
    s = alone()
    s.A.write(10)
    s.A.close()
    s.wait(3.1)  # as one segment, sent twice
    s.A.hears("ACK", ack="snd_nxt-1")
    s.mark()
    s.wait(10)
    assert s.A.sent == "FIN|PSH|ACK seq 11 ack 1"  # the data's flag stays


def test_fin_glued_to_its_neighbour__is_not_sent_a_second_time() -> None:
    s = sending(1000)
    s.A.write(1000)
    s.A.write(12)
    s.A.close()
    s.wait(3.1)
    s.mark()
    s.A.hears("ACK", ack="snd_una+1000", window=20_000)
    assert s.A.sent == "FIN|PSH|ACK seq 1001 ack 1 len 12"
    assert (s.A.sock.packets_out, len(s.A.sock.write_queue)) == (1, 1)
    s.A.hears("ACK")
    assert s.A.states == "FIN_WAIT2 CLOSE"


def test_blocks_to_report_make_a_segment_smaller__both_halves_count_as_sent() -> None:
    s = sending(1000, sack_ok=True)
    s.A.write(2000)
    s.A.hears("ACK", "rcv_nxt+50", ack="snd_una", len=5)  # from now on a SACK block takes 12 bytes
    s.mark()
    s.wait(3.1)
    assert s.A.sent == "ACK seq 1 ack 1 len 988"
    assert (s.A.sock.packets_out, len(s.A.sock.write_queue)) == (3, 3)
    s.A.hears("ACK")
    assert (s.A.sock.packets_out, s.A.sock.write_queue, s.A.sock.pending) == (0, [], 0)


def test_third_duplicate_ack__sends_the_head_again_at_once() -> None:
    s = sending(1000)
    for _ in range(3):  # a larger window first
        s.A.send(5000, "MSG_DONTWAIT")
        s.A.hears("ACK", window=20_000)
        s.A.hears("ACK", window=20_000)
    s.A.send(10_000, "MSG_DONTWAIT")
    una = s.A.sock.snd_una
    s.mark()
    for _ in range(2):
        s.A.hears("ACK", ack="snd_una", window=20_000)
    assert all(r.seg.seq != una for r in s.recorder.records[s.began :] if r.kind == "sent")
    s.A.hears("ACK", ack="snd_una", window=20_000)
    assert [r.seg.seq for r in s.recorder.records[s.began :] if r.kind == "sent"][-1] == una
    assert s.A.counted("TCPRenoRecovery") == 1


def test_every_segment_lost_once__the_close_completes_all_the_same() -> None:
    s = connected()
    for call in ("write", "close"):
        getattr(s.A, call)(*([100] if call == "write" else []))
        s.lose()
        s.wait(5)
    assert s.B.read(1000) == 100
    assert s.B.read(1000) == 0
    s.B.close()
    s.lose()
    s.wait(100)
    assert s.A.states == "FIN_WAIT1 FIN_WAIT2 CLOSE"
    assert s.B.states == "CLOSE_WAIT LAST_ACK CLOSE"
    assert s.A.bucket == "FIN_WAIT2 TIME_WAIT killed"


def test_every_segment_doubled__nothing_is_read_twice() -> None:
    s = connected()
    s.A.write(100)
    s.double()
    s.deliver()
    s.A.close()
    s.double()
    s.deliver()
    assert s.B.read(1000) == 100
    assert s.B.read(1000) == 0
    assert s.B.states == "CLOSE_WAIT"


def test_old_ack_with_sack_blocks__what_left_the_network_is_counted_anew() -> None:
    s = sending(1000, sack_ok=True)
    s.A.write(2000)
    s.A.hears("ACK", ack="snd_una+1000")
    s.A.write(1000)
    una = s.A.sock.snd_una
    s.A.hears("ACK", ack="snd_una-500", sacks=((una, (una + 1000) & 0xFFFFFFFF),))  # old, but its SACKs count
    assert s.A.sock.sacked_out == 1
    s.A.hears("ACK", window=20_000)
    assert (s.A.sock.packets_out, s.A.sock.left_out) == (0, 0)
