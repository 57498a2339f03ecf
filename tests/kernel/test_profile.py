"""Behaviours: each has its values, is asked for by name, and makes some difference; nobody asks for a version."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import tcpnotes.kernel
from tcpnotes.kernel.net import SYSCTL_DEFAULTS, Net
from tcpnotes.kernel.profile import BEHAVIOURS, PROFILES

FILES = {path: path.read_text(encoding="utf-8") for path in Path(tcpnotes.kernel.__path__[0]).glob("*.py")}
ASKED = {name for path, text in FILES.items() if path.stem != "profile" for name in re.findall(r"profile\.(\w+)", text)}


@pytest.mark.parametrize("behaviour", BEHAVIOURS, ids=lambda behaviour: behaviour.name)
def test_a_behaviour_is_asked_for_by_name(behaviour):
    assert behaviour.name in ASKED


@pytest.mark.parametrize("behaviour", BEHAVIOURS, ids=lambda behaviour: behaviour.name)
def test_every_profile_has_one_of_its_values_and_some_two_differ(behaviour):
    done = {getattr(profile, behaviour.name) for profile in PROFILES.values()}
    assert len(behaviour.values) > 1 and done <= set(behaviour.values) and len(done) > 1
    assert behaviour.sentence.endswith(".") and behaviour.source


def test_nothing_else_is_asked_of_a_profile():
    assert ASKED - {behaviour.name for behaviour in BEHAVIOURS} <= {"sysctls"}
    for path, text in FILES.items():
        assert path.stem == "profile" or not re.search(r'profile\.name|== "linux', text)


@pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda profile: profile.name)
def test_a_host_begins_with_the_defaults_of_its_profile(profile):
    sysctl = Net("A", 1, profile, 0).sysctl
    gone = {"tcp_tw_recycle"} if profile.time_wait_recycle == "no" else set()
    assert set(SYSCTL_DEFAULTS) - set(sysctl) == gone
    assert all(sysctl[name] == value for name, value in profile.sysctls)
    assert sysctl["tcp_fin_timeout"] == 60 * int(profile.hz)
