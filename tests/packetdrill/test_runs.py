"""How scripts run: what is compared with what, what counts as in time, what is refused and what passed over."""

from __future__ import annotations

import pytest

from tcpnotes.packetdrill import load, parse_script, run_script, story
from tcpnotes.widgets.stepper import Stepper

OPEN = """\
0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 bind(3, ..., ...) = 0
+0 listen(3, 1) = 0
+0 < S 0:0(0) win 32792 <mss 1000>
+0 > S. 0:0(0) ack 1 <mss 1460>
+.1 < . 1:1(0) ack 1 win 32792
+0 accept(3, ..., ...) = 4
"""


def run(text, profile="linux-6"):
    return run_script(parse_script(text, "x.pkt"), profile)


def passes(text):
    outcome = run(text)
    return outcome.passed or (outcome.difference, outcome.refusal)


def test_the_story_ends_in_the_first_difference():
    lines = list(story(run(OPEN + "+0 close(4) = 0\n+0 > R. 1:1(0) ack 1\n")))
    assert lines[0] == "x.pkt: failed (profile linux-6)"
    assert lines[-3] == "      x.pkt:9: what came is not what was expected (they differ in flags)"
    assert "> R. 1:1(0) ack 1" in lines[-2] and "> F. 1:1(0) ack 1" in lines[-1]
    assert [line.split()[0] for line in lines[1:-3]] == [str(n) for n in range(1, 10)]


# -- time ----------------------------------------------------------------------------------------------------------


def test_a_relative_time_counts_from_when_the_event_before_was_done():
    assert (
        passes(OPEN + "+0 close(4) = 0\n+0 > F. 1:1(0) ack 1\n+.3 > F. 1:1(0) ack 1\n+.6 > F. 1:1(0) ack 1\n") is True
    )


@pytest.mark.parametrize(
    ("when", "right"), [("+.29", True), ("+.2", False), ("+.2~+.28", True), ("*", True), ("0.4", True)]
)
def test_what_leaves_may_be_off_by_an_eighth_of_the_wait(when, right):
    outcome = run(f"{OPEN}+0 close(4) = 0\n+0 > F. 1:1(0) ack 1\n{when} > F. 1:1(0) ack 1\n")
    assert outcome.passed is right


def test_tolerance_usecs_allows_more():
    text = OPEN + "+0 close(4) = 0\n+0 > F. 1:1(0) ack 1\n+.2 > F. 1:1(0) ack 1\n"
    assert not run(text).passed and run("--tolerance_usecs=100000\n" + text).passed


def test_a_call_that_blocks_must_return_in_time():
    linger = OPEN + "+0 setsockopt(4, SOL_SOCKET, SO_LINGER, {onoff=1, linger=1}, 8) = 0\n"
    assert passes(f"{linger}+0...1 close(4) = 0\n") is True
    outcome = run(f"{linger}+0...2 close(4) = 0\n")
    assert outcome.place == 9 and outcome.difference is not None and outcome.difference.fields == ("time",)


def test_a_call_that_never_returns_is_told_of():
    outcome = run(OPEN + "+0 read(4, ..., 100) = 0\n")
    assert outcome.difference is not None and outcome.difference.actual == "the call never returns"


# -- segments --------------------------------------------------------------------------------------------------------


def test_a_packet_that_a_device_would_cut_is_one():
    text = OPEN + "+0 write(4, ..., 5000) = 5000\n"
    assert passes(text + "+0 > P. 1:5001(5000) ack 1\n+0 < . 1:1(0) ack 5001 win 32792\n") is True
    assert passes(text + "+0 > . 1:2001(2000) ack 1\n+0 > P. 2001:5001(3000) ack 1\n") is True
    assert not run(text + "+0 > P. 1:6001(6000) ack 1\n").passed


def stamps(*values):
    lines = [
        "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3", "+0 bind(3, ..., ...) = 0", "+0 listen(3, 1) = 0",
        "+0 < S 0:0(0) win 32792 <mss 1000,sackOK,TS val 7 ecr 0>",
        f"+0 > S. 0:0(0) ack 1 <mss 1460,sackOK,TS val {values[0]} ecr 7>",
        "+.1 < . 1:1(0) ack 1 win 32792 <nop,nop,TS val 107 ecr 100>", "+0 accept(3, ..., ...) = 4",
    ]  # fmt: skip
    for at, value in enumerate(values[1:]):
        end = 1 + 100 * at
        lines += [
            "+0 write(4, ..., 100) = 100", f"+0 > P. {end}:{end + 100}(100) ack 1 <nop,nop,TS val {value} ecr 107>",
            f"+.1 < . 1:1(0) ack {end + 100} win 32792 <nop,nop,TS val 107 ecr 100>",
        ]  # fmt: skip
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("values", "right"),
    [
        ((100, 200, 300, 400, 500), True),
        ((100, 200, 300, 401, 500), False),  # one that does not fit is a mistake
        ((101, 200, 300, 400, 500), False),
        ((100, 200, 201, 205, 500), True),  # nobody means them
        ((0, 0, 0, 0, 0), True),
    ],
)
def test_one_timestamp_that_does_not_fit_is_a_mistake_and_many_are_not_meant(values, right):
    assert run(stamps(*values)).passed is right


def test_timestamps_are_checked_each_when_the_script_asks_for_it():
    text = stamps(100, 250, 300)
    assert run(text).passed and not run("--tcp_ts_tick_usecs=1000\n" + text).passed


# -- calls -----------------------------------------------------------------------------------------------------------


def test_descriptors_may_be_others_if_the_script_goes_on_with_them():
    assert passes(OPEN.replace("= 4", "= 9") + "+0 close(9) = 0\n") is True
    outcome = run(OPEN.replace("= 4", "= 5") + "+0 close(4) = 0\n")
    assert outcome.place == 7


def test_calls_on_a_descriptor_that_is_not_open():
    assert passes("0 close(7) = -1 EBADF (Bad file descriptor)\n+0 read(-1, ..., 1) = -1 EBADF\n") is True


def test_epoll_reports_levels():
    text = (
        OPEN
        + """\
+0 epoll_create1(0) = 5
+0 epoll_ctl(5, EPOLL_CTL_ADD, 4, {events=EPOLLIN|EPOLLRDHUP, fd=4}) = 0
+0 epoll_ctl(5, EPOLL_CTL_ADD, 4, {events=EPOLLIN, fd=4}) = -1 EEXIST (File exists)
+0 epoll_wait(5, ..., 1, 0) = 0
+0...0.2 epoll_wait(5, {events=EPOLLIN|EPOLLRDHUP, fd=4}, 1, 5000) = 1
+.2 < F. 1:1(0) ack 1 win 32792
"""
    )
    assert passes(text) is True
    assert (
        run(text.replace("{events=EPOLLIN|EPOLLRDHUP, fd=4}, 1, 5000", "{events=EPOLLIN, fd=4}, 1, 5000")).place == 12
    )


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("+0 sendfile(4, 5, [0], 10) = 10", "no files"),
        ("+0 frobnicate(4) = 0", "no such call"),
        ("+0 setsockopt(4, SOL_TCP, TCP_FASTOPEN, [1], 4) = 0", "no such option"),
        ("+0 socket(..., SOCK_DGRAM, IPPROTO_UDP) = 5", "TCP sockets only"),
        ("+0 socket(AF_INET6, SOCK_STREAM, IPPROTO_TCP) = 5", "IPv4 only"),
        ("+0 ioctl(4, SIOCOUTQ, [0]) = 0", "SIOCINQ"),
        ("+0 send(4, ..., 1, MSG_ZEROCOPY) = 1", "MSG_ZEROCOPY"),
        ("+0 epoll_ctl(5, EPOLL_CTL_ADD, 4, {events=EPOLLET, fd=4}) = 0", "levels only"),
        ("+0 read(4, ..., 1) = -1 EFOO", "no errno"),
        ("+0 < udp (100)", "UDP"),
        ("+0 < icmp unreachable host_unreachable [1:1(0)]", "ICMP"),
        ("+0 < . 1:1(0) ack 1 win 1 <FO abcd>", "TCP option FO"),
        ("+0 %{ assert tcpi_nothing == 1 }%", "no field of tcp_info 'tcpi_nothing'"),
        ("+0 `rm -rf / && reboot`", "`reboot` is not understood"),
        ("+0 `tc qdisc add dev tun0 root netem loss 100%`", "lose or delay"),
    ],
)
def test_what_the_engine_has_nothing_for_is_refused_in_words(line, said):
    outcome = run(OPEN + line)
    assert not outcome.passed and outcome.refusal is not None and outcome.place == 8
    assert said in outcome.refusal.sentence


def test_options_of_the_script_that_ask_for_another_stack():
    assert "IPv4 only" in run("--ip_version=ipv6\n").refusal.sentence
    assert "1500" in run("--mtu=1400\n").refusal.sentence
    assert "takes a number" in run("--tolerance_usecs=many\n").refusal.sentence


# -- commands and code -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "command",
    [
        "sysctl -q -w net.ipv4.tcp_fin_timeout=1",
        "sysctl -q net.ipv4.tcp_fin_timeout=1 net.ipv4.tcp_sack=0",
        "echo 1 > /proc/sys/net/ipv4/tcp_fin_timeout",
        "./defaults.sh\n./set_sysctls.py /proc/sys/net/ipv4/tcp_fin_timeout=1",
        "../common/defaults.sh; sysctl -q net.ipv4.tcp_fin_timeout=$((2-1+0))".replace("$((2-1+0))", "$((1*1))"),
    ],
)
def test_kernel_parameters_are_read_and_set(command):
    outcome = run(f"`{command}`\n")
    assert outcome.passed and not outcome.ignored


def test_what_only_prepares_a_machine_is_passed_over_and_said(tmp_path):
    mark = tmp_path / "mark"
    outcome = run(f"`touch {mark}; ip route flush cache; sysctl -q net.ipv4.tcp_nothing=1`\n")
    assert outcome.passed and not mark.exists()
    assert "touch" in outcome.ignored[0].note and "tcp_nothing=1" in outcome.ignored[0].note


def test_the_defaults_of_collections_set_the_window_scale():
    text = OPEN.replace("<mss 1000>", "<mss 1000,nop,wscale 7>").replace("<mss 1460>", "<mss 1460,nop,wscale 8>")
    assert not run(text).passed and passes("`../common/defaults.sh`\n" + text) is True


def test_assertions_know_each_other_and_say_what_does_not_hold():
    code = "+0 %{ x = 10\nif tcpi_snd_cwnd == x: assert tcpi_state in_ 1 }%".replace(" in_ 1", " == TCP_ESTABLISHED")
    assert passes(OPEN + code + "\n+0 %{ assert x == 10 and not x < 5, 'text'; print(x) }%\n") is True
    outcome = run(OPEN + "+0 %{ assert tcpi_snd_cwnd == 3, tcpi_snd_cwnd }%\n")
    assert outcome.difference is not None and outcome.difference.actual == "tcpi_snd_cwnd is 10"


@pytest.mark.parametrize(
    "code",
    [
        "__import__('os').system('true')",
        "assert ().__class__",
        "import os",
        "while 1: pass",
        "assert 9**9**9",
        "assert 1 <<  10**9",
        "assert open('x')",
        "assert [x for x in y]",
        "lambda: 1",
        "assert tcpi_state.real",
        "assert 1 / 0",
        "(",
        "assert (" * 200,
        "x = 10**10**10",
    ],
)
def test_code_that_is_more_than_an_assertion_is_not_run(code):
    outcome = run(OPEN + f"+0 %{{ {code} }}%\n")
    assert outcome.refusal is not None and outcome.place == 8


# -- stepping through ------------------------------------------------------------------------------------------------


def test_a_script_can_be_stepped_through(tmp_path):
    file = tmp_path / "close.pkt"
    file.write_text(OPEN + "+0 close(4) = 0\n+0 > F. 1:1(0) ack 1\n", encoding="utf-8")
    outcome = load(file)
    assert outcome.passed and len(outcome.recorder.frames) == len(outcome.recorder.records) > 20
    stepper = Stepper(outcome.recorder, title="A close")
    assert stepper.story.hosts == ("A",) and stepper.frame.hosts[0].name == "A"


# -- names and parameters --------------------------------------------------------------------------------------------


def test_one_errno_with_two_names():
    text = OPEN + "+0 recv(4, ..., 10, MSG_DONTWAIT) = -1 EWOULDBLOCK (Operation would block)\n"
    assert passes(text) is True
    assert run(text.replace("EWOULDBLOCK", "EINTR")).difference.fields == ("errno",)


def test_options_that_are_not_looked_at_may_be_called_nocheck():
    text = OPEN + "+0 close(4) = 0\n+0 > F. 1:1(0) ack 1 <nocheck>\n"
    assert passes(text) is True and passes(text.replace("nocheck", "...")) is True


def test_a_parameter_that_the_profile_has_not__is_left_out_and_said():
    outcome = run("`sysctl -q -w net.ipv4.tcp_tw_recycle=1`\n" + OPEN)
    assert outcome.passed and [step.note for step in outcome.ignored] == ["left out: tcp_tw_recycle=1"]
    assert not run("`sysctl -q -w net.ipv4.tcp_tw_recycle=1`\n" + OPEN, "linux-2.4.0").ignored
