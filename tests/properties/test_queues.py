"""Whatever order segments come in, the reader gets every byte once, in order; and queues never overlap."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from invariants import broken
from story import PEER_ISN, Story, alone

SIZE = 3000
CUTS = st.lists(st.integers(1, SIZE - 1), unique=True, max_size=12).map(sorted)


def whole(story: Story) -> None:
    assert not broken(story.world), story.so_far()


@given(CUTS, st.randoms(use_true_random=False), st.booleans(), st.booleans(), st.integers(0, 3))
def test_pieces_in_any_order(cuts: list[int], shuffle, fin: bool, sack: bool, overlaps: int) -> None:  # type: ignore[no-untyped-def]
    s = Story(hosts="A") if sack else alone()
    if sack:
        s.A.socket()
        s.A.connect(80)
        s.A.hears("SYN|ACK", seq=str(PEER_ISN), sack_ok=True)
    edges = [0, *cuts, SIZE]
    pieces = [(a, b, fin and b == SIZE) for a, b in zip(edges, edges[1:], strict=False)]
    for _ in range(overlaps):  # pieces that come twice, cut otherwise
        a = shuffle.randrange(SIZE)
        pieces.append((a, shuffle.randrange(a + 1, SIZE + 1), False))
    shuffle.shuffle(pieces)
    for a, b, last in pieces:
        s.A.hears("FIN|ACK" if last else "ACK", str(PEER_ISN + 1 + a), len=b - a)
        whole(s)
    assert not s.A.sock.out_of_order_queue
    assert s.A.sock.rcv_nxt == PEER_ISN + 1 + SIZE + fin
    taken = 0
    while taken < SIZE:
        got = s.A.recv(700, "MSG_DONTWAIT")
        assert isinstance(got, int) and got > 0
        taken += got
    assert taken == SIZE
    assert s.A.recv(10, "MSG_DONTWAIT") == (0 if fin else "EAGAIN")
    whole(s)


@given(
    st.lists(st.integers(1, 4000), min_size=1, max_size=8), st.lists(st.integers(0, 3000), max_size=12),
    st.sampled_from((88, 500, 536)), st.booleans(),
)  # fmt: skip
def test_writes_and_acks_in_any_measure(writes: list[int], acks: list[int], mss: int, close: bool) -> None:
    s = Story(hosts="A")
    s.A.socket()
    s.A.connect(80)
    s.A.hears("SYN|ACK", seq=str(PEER_ISN), mss=mss)
    written = 0
    for size in writes:
        got = s.A.send(size, "MSG_DONTWAIT")
        written += got if isinstance(got, int) else 0
        whole(s)
    first = s.A.sock.iss + 1
    if close:
        s.A.shutdown("SHUT_WR")
    for step in acks:
        if s.A.states.endswith("FIN_WAIT2"):
            break
        s.A.hears("ACK", ack=f"snd_una+{step}")
        whole(s)
    assert (s.A.sock.write_seq - first) & 0xFFFFFFFF == written + close
    for _ in range(2000):
        if s.A.sock.snd_una == s.A.sock.write_seq:
            break
        s.A.hears("ACK")
        s.wait(0.01)
    whole(s)
    assert s.A.sock.snd_una == s.A.sock.write_seq
    assert not s.A.sock.write_queue and not s.A.sock.wmem_queued
