"""Playing with a run: go anywhere, act anywhere, and find back by a line of text."""

from __future__ import annotations

import random
import re

import pytest

from tcpnotes.scenarios import run, scenario_names
from tcpnotes.scenarios.moves import move, read, written
from tcpnotes.trace.records import Received, StateChange
from tcpnotes.widgets.game import Game
from tcpnotes.widgets.gamewords import move_words, status, told


def _at(game: Game, words: str) -> Game:
    """Go to the moment right after the move that is told with ``words``."""
    game.goto(next(i for i, line in enumerate(told(game)) if words in line))
    return game


def _states(game: Game, host: str) -> str:
    return " ".join(rec.new for rec in game.records if isinstance(rec, StateChange) and rec.host == host)


@pytest.mark.parametrize("name", scenario_names())
def test_new_game__is_the_scenario_as_it_runs(name: str) -> None:
    game = Game(name)
    records = run(name).recorder.records
    beginning = len(game.records) - len(records)  # a scenario from nothing begins with a note
    assert beginning in (0, 1) and game.records[beginning:] == records
    assert len(game.records) == len(game.frames) and game.at == 0
    assert len(told(game)) == game.count + 1 == len(game.stops)


def test_goto__nothing_changes_by_looking() -> None:
    game = Game("orderly_close")
    link = game.link
    assert game.forward() == 1 and game.back() == 0 and game.back() == 0
    assert game.goto(99) == game.count and game.goto(-3) == 0
    assert game.link == link == "orderly_close@1"


def test_lose__the_fin_is_sent_again() -> None:
    game = _at(Game("orderly_close"), "A: close(3)")
    (wire,) = game.world.wire.flying
    assert f"lose({wire})" in game.choices()
    assert "lose FIN,ACK" in game.act(f"lose({wire})") and game.run_on()
    assert any("retransmit timer" in line and "FIN,ACK" in line for line in told(game))


def test_inject__a_forged_reset_and_what_cannot_be_forged() -> None:
    game = _at(Game("orderly_close"), "A: close(3)")
    assert "inject(A,RST,rcv_nxt)" in game.choices()
    said = game.act("inject(A,RST,rcv_nxt)")
    assert said.startswith("Done: a forged RST seq=rcv_nxt reaches A.") and _states(game, "A").endswith("CLOSE")
    there = Game.from_link(game.link)
    assert "inject(A,RST,rcv_nxt)" in game.link and there.records == game.records
    before = game.link
    assert game.act("inject(A,RST,rcv_nxt)") == "That cannot be: host A has no connection at that time."
    assert game.link == before
    assert game.act("inject(Z,RST,rcv_nxt)") == "That cannot be: There is no host 'Z'; there are: A, B."


def test_inject__a_number_out_of_the_window_is_answered_only() -> None:
    game = _at(Game("orderly_close"), "A: close(3)")
    game.act("inject(B,FIN+ACK,rcv_nxt+100000,10)")
    assert "CLOSE_WAIT" not in _states(game, "B")
    assert any(isinstance(record, Received) and record.seg.len == 10 for record in game.records)


def test_inject__a_bucket_lacks_numbers_that_a_socket_has() -> None:
    game = Game("orderly_close")
    game.goto(game.count - 1)
    assert game.act("inject(A,ACK,copied_seq)").startswith(
        "That cannot be: a bucket does not know copied_seq; it knows:"
    )


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("inject(A,FOO,rcv_nxt)", "'FOO' are no flags; write some of FIN, SYN, RST, PSH, ACK, URG with a + between"),
        ("inject(A,RST+RST,rcv_nxt)", "'RST+RST' are no flags"),
        ("inject(A,RST,rcv_next)", "'rcv_next' is not a sequence number"),
        ("inject(A,ACK,rcv_nxt,70000)", "A segment carries 0 to 65535 bytes, not '70000'"),
        ("inject(A,RST)", "is not a move"),
    ],
)
def test_inject__what_cannot_be_read_is_named(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=re.escape(why)):
        move(text)


def test_act__in_the_past_forks_and_says_so() -> None:
    game = _at(Game("orderly_close"), "A: close(3)")
    after = game.count - game.at
    said = game.act("B.close(4)")
    assert f"the {after} moves that came after were dropped" in said
    assert not game.in_the_past and game.at == game.count
    game.run_on()
    assert "CLOSING" in _states(game, "A") and "CLOSING" in _states(game, "B")


def test_act__at_the_end_drops_nothing() -> None:
    game = Game("simultaneous_close")
    game.goto(game.count)
    assert "dropped" not in game.act("crash(B)")


def test_act__what_cannot_be_leaves_everything() -> None:
    game = _at(Game("orderly_close"), "A: close(3)")
    link, records = game.link, game.records
    assert game.act("lose(999)") == "That cannot be: Segment number 999 is not on the wire."
    assert game.act("C.close(3)").startswith("That cannot be: There is no host 'C'")
    assert game.link == link and game.records is records and game.in_the_past
    with pytest.raises(ValueError, match="is not a move; moves look like"):
        game.act("A.explode(3)")


def test_undo__brings_back_what_an_act_dropped() -> None:
    game = _at(Game("orderly_close"), "A: close(3)")
    link, records = game.link, game.records[:]
    game.act("crash(A)")
    forked = game.link
    assert game.undo() and game.link == link and game.records == records
    assert game.redo() and game.link == forked
    assert not game.redo() and game.undo() and not game.undo()


def test_delay__lets_the_fin_overtake_data() -> None:
    game = _at(Game("fin_rides_on_data"), "write(3, 100)")
    (data,) = game.world.wire.flying
    game.act(f"delay({data},0.2)")
    game.run_on()
    arrived = [rec.wire for rec in game.records if isinstance(rec, Received) and rec.host == "B"]
    assert arrived.index(data) > 0 and any("is delayed by 0.2 s" in line for line in told(game))


def test_arrive__one_segment_overtakes_another() -> None:
    game = Game("fin_rides_on_data")
    _at(game, "close(3)")
    _, second = game.world.wire.flying
    assert "overtakes" in move_words(game, move(f"arrive({second})"))
    game.act(f"arrive({second})")
    assert game.world.host("B").net.socks[2].out_of_order_queue


def test_double__the_copy_arrives_too() -> None:
    game = _at(Game("orderly_close"), "A: close(3)")
    (wire,) = game.world.wire.flying
    game.act(f"double({wire})")
    assert len(game.world.wire.flying) == 2
    game.run_on()
    fins = [rec for rec in game.records if isinstance(rec, Received) and rec.host == "B" and rec.seg.flags & 1]
    assert len(fins) == 2


def test_skip__the_second_side_never_closes() -> None:
    game = _at(Game("orderly_close"), "B: read(4, 100) → = 0")
    game.act("skip")
    game.run_on()
    assert "LAST_ACK" not in _states(game, "B")


def test_linger__then_close_resets() -> None:
    game = Game("simultaneous_close")
    game.act("A.linger(3,0)")
    game.act("A.close(3)")
    assert "RST,ACK" in told(game)[-1]


def test_fire__the_next_timer_of_a_host() -> None:
    game = _at(Game("orderly_close"), "B: FIN,ACK arrives")
    assert move_words(game, move("fire(B)")) == "B: delayed-ACK timer fires"
    game.act("fire(B)")
    assert "sends ACK" in told(game)[-1]


def test_switch__the_same_moves_under_another_profile() -> None:
    game = Game("data_before_ack_of_fin")
    source = _states(game, "A")
    game.switch("linux-2.4.0")
    assert game.profile == "linux-2.4.0" and _states(game, "A") != source
    assert "profile=linux-2.4.0" in game.link
    with pytest.raises(ValueError, match="no profile"):
        game.switch("minix")
    assert game.profile == "linux-2.4.0"


def test_switch__not_to_a_kernel_without_a_setting_of_the_scenario() -> None:
    game = Game("short_time_wait")
    assert "tcp_tw_recycle" in game.switch("linux-6")
    assert game.profile == "source" and game.count


def test_link__leads_anyone_to_the_same_frame() -> None:
    game = _at(Game("orderly_close", seed=7), "A: close(3)")
    game.act("B.close(4)")
    game.run_on()
    game.goto(12)
    there = Game.from_link(game.link)
    assert there.link == game.link == f"orderly_close@13 seed=7 moves={written(game.moves)}"
    assert there.frames[there.stops[there.at]] == game.frames[game.stops[game.at]]
    assert there.world == game.world and status(there) == status(game)


def test_two_futures_of_a_call_that_sleeps__do_not_share_where_it_slept() -> None:
    game = Game("half_close")
    game.act("A.read(3,100)")
    game.act("B.write(4,50)")
    game.act("arrive(4)")  # the data arrives and the call goes on: once …
    first = game.records
    game.goto(game.at - 1)
    game.act("arrive(4)")  # … and once more
    assert game.records == first


@pytest.mark.parametrize(
    ("link", "said"),
    [
        ("orderly_close", "is not a link; links look like"),
        ("orderly_close@0", "no step 0; the run of this link has steps 1 to 18"),
        ("orderly_close@99", "no step 99"),
        ("orderly_close@1 moves=__import__(os)", "is not a link|is not a move"),
        ("orderly_close@1 moves=5;lose(3", "is not a move"),
        ("../../etc/passwd@1", "is not a link"),
        ("nothing@1", "no scenario of that name"),
        ("orderly_close@1 profile=x", "no profile 'x'"),
        ("orderly_close@1 moves=999999999", "more than 1000 moves"),
        ("orderly_close@1 moves=lose(77)", "Segment number 77 is not on the wire"),
    ],
)
def test_link__a_bad_one_gets_one_sentence(link: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Game.from_link(link)


@pytest.mark.parametrize(
    "text",
    ["next", "skip", "arrive(7)", "lose(7)", "double(7)", "delay(7,0.25)", "fire(A)", "crash(B)", "A.close(3)",
     "A.shutdown(3,SHUT_WR)", "B.write(4,100)", "B.read(4,10)", "A.linger(3,5)", "A.linger(3,off)"],
)  # fmt: skip
def test_moves__are_read_back(text: str) -> None:
    assert move(text).text == text
    assert read(written([move("next"), move("next"), move(text)]))[-1] == move(text)


@pytest.mark.parametrize("seed", range(12))
def test_random_games__every_offered_move_can_be_made_and_every_link_leads_back(seed: int) -> None:
    chance = random.Random(seed)
    name = chance.choice(scenario_names())
    game = Game(name)
    for _ in range(15):
        game.goto(chance.randrange(game.count + 1))
        for _ in range(chance.randrange(1, 5)):
            if choices := game.choices():
                chosen = chance.choice(choices)
                assert move_words(game, move(chosen))
                said = game.act(chosen)
                # A step of the script may have become impossible; whatever the world offers must be possible.
                assert said.startswith("Done") or chosen == "next", said
        if chance.random() < 0.3:
            game.run_on()
    there = Game.from_link(game.link)
    assert there.records == game.records and there.world == game.world and told(there) == told(game)
