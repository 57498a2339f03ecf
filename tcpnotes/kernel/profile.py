"""Where versions differ: each difference is a named behaviour, and all of them stand here.

A `Profile` is a frozen set of values, one for each behaviour.  Kernel functions
ask for a behaviour by name; nowhere is there a test for a version.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Behaviour(NamedTuple):
    """One thing that may be done in more than one way."""

    name: str
    sentence: str
    values: tuple[str, ...]
    source: str


BEHAVIOURS = (
    Behaviour(
        "data_before_fin_ack",
        "Ordinary data that arrives after our close and before the ACK of our FIN: "
        "reset the connection, or drop the data, acknowledge and go on.",
        ("reset", "drop and ack"),
        "source items 3.3 and 3.4; tcp_rcv_state_process, step 7",
    ),
    Behaviour(
        "hz",
        "Ticks of the clock in a second: timers run on them, timestamps and round trips count in them.",
        ("100", "250", "1000"),
        "include/asm-i386/param.h of 2.4; CONFIG_HZ of 6.x, whose timestamps are milliseconds in any case",
    ),
    Behaviour(
        "timeout_init",
        "Seconds to wait for an answer before any round trip was measured.",
        ("3", "1"),
        "TCP_TIMEOUT_INIT; RFC 1122 4.2.3.1, RFC 6298 section 2",
    ),
    Behaviour(
        "fin_seq",
        "The number kept from the peer's FIN: one past the FIN, or the FIN's own.",
        ("past", "own"),
        "source items 2.1 and 2.5; tcp_fin",
    ),
)


@dataclass(frozen=True, slots=True, repr=False)
class Profile:
    """What the kernel layer does where versions differ."""

    name: str
    sentence: str
    data_before_fin_ack: str = "reset"
    fin_seq: str = "past"
    hz: str = "100"
    timeout_init: str = "3"

    def __repr__(self) -> str:
        return f"Profile({self.name!r})"


SOURCE = Profile(
    name="source",
    sentence="What the text of December 2000 plainly says; where it is silent, Linux 2.4.0.",
    data_before_fin_ack="drop and ack",
    fin_seq="own",
)
LINUX_2_4_0 = Profile(
    name="linux-2.4.0",
    sentence="What the released kernel does; checked against recorded runs of it.",
)
LINUX_6 = Profile(
    name="linux-6",
    sentence="What a current kernel (6.18) does on the wire; checked against scripts that pass on one.",
    hz="1000",
    timeout_init="1",
)
PROFILES = {profile.name: profile for profile in (SOURCE, LINUX_2_4_0, LINUX_6)}


def profile_by_name(name: str | Profile) -> Profile:
    """The profile called ``name``; a ValueError that lists the choices when there is none."""
    if isinstance(name, Profile):
        return name
    try:
        return PROFILES[name]
    except KeyError:
        raise ValueError(f"There is no profile {name!r}; choose one of: {', '.join(PROFILES)}.") from None
