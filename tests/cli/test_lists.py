"""The commands that list something: scenarios, items, functions, profiles."""

from __future__ import annotations

from pathlib import Path

import tcpnotes.scenarios.proof as proof
from tcpnotes.kernel.mirror import FUNCTIONS
from tcpnotes.kernel.profile import BEHAVIOURS, PROFILES
from tcpnotes.scenarios import load, scenario_names
from tcpnotes.source import item, item_ids

# -- scenarios ---------------------------------------------------------------------------------------------------


def test_scenarios__each_has_its_line(tcpnotes):
    lines = tcpnotes("scenarios").out.splitlines()
    assert [line.split()[0] for line in lines] == list(scenario_names())
    for line in lines:
        scenario = load(line.split()[0])
        assert scenario.title in line
        assert line.endswith(" ".join(scenario.shows))


def test_scenarios__as_json(tcpnotes):
    objects = tcpnotes("scenarios", "--json").objects
    assert [(o["kind"], o["name"], tuple(o["items"])) for o in objects] == [
        ("scenario", name, load(name).shows) for name in scenario_names()
    ]


# -- items -------------------------------------------------------------------------------------------------------


def test_items__all_are_shown(tcpnotes):
    done = tcpnotes("items")
    assert done.status == 0
    assert done.out.splitlines()[-1] == f"{len(item_ids())} of {len(item_ids())} items shown."
    shown = [line.split()[0] for line in done.out.splitlines() if " shown: " in line]
    assert shown == list(item_ids())


def test_items__each_place_is_in_the_trace_it_names(tcpnotes):
    (found, _) = tcpnotes("items", "1.3", "--json").objects
    assert found["shown"]
    for place in found["places"]:
        records = tcpnotes("run", place["scenario"], "--profile", place["profile"], "--json").objects[1:]
        assert records[place["records"][0]]["t"] == place["t"]
        assert all("1.3" in records[index]["items"] for index in place["records"])
        assert "tcp_send_fin" in [records[index].get("fn") for index in place["records"]]


def test_items__in_another_language(tcpnotes):
    assert item("1.3", "ja").text != item("1.3").text
    assert f"1.3   shown: {item('1.3', 'ja').text}\n" in tcpnotes("items", "1.3", "--language", "ja").out
    assert tcpnotes("items", "1.3", "--language", "ja", "--json").objects[0]["text"] == item("1.3", "ja").text


def test_items__both_spellings_stand_side_by_side(tcpnotes):
    assert item("2.6").respelt == (("tcp_rcvmsg", "tcp_recvmsg"),)
    assert "tcp_rcvmsg is tcp_recvmsg in the released kernel" in tcpnotes("items", "2.6").out


def test_items__one_that_is_not_shown_ends_with_1(tcpnotes, monkeypatch):
    monkeypatch.setattr(proof, "PROOFS", tuple(p for p in proof.PROOFS if p.item != "2.6"))
    done = tcpnotes("items", "2.5", "2.6")
    assert done.status == 1
    assert "2.6   NOT SHOWN: " in done.out
    assert "because no scenario is named for it" in done.out
    assert done.out.endswith("1 of 2 items shown.\nNot shown: 2.6.\n")
    done = tcpnotes("items", "2.5", "2.6", "--json")
    assert done.status == 1
    assert [o.get("shown") for o in done.objects] == [True, False, 1]
    assert done.objects[1]["reason"] == "no scenario is named for it"
    assert done.objects[2]["missing"] == ["2.6"]


def test_items__the_same_place_under_two_profiles_is_one_line(tcpnotes):
    lines = tcpnotes("items", "1.0").out.splitlines()
    assert [line.split()[0] for line in lines] == ["1.0", "orderly_close", "1"]
    assert lines[1].endswith("source, linux-2.4.0")


# -- functions ---------------------------------------------------------------------------------------------------


def test_functions__every_one_is_listed_under_its_file(tcpnotes):
    file, seen = "", {}
    for line in tcpnotes("functions").out.splitlines():
        if line and not line.startswith(" "):
            file = line
        elif line.startswith("  ") and line[2] != " ":
            seen[line.strip().partition(":")[0]] = file
    assert seen == {entry.name: entry.file for entry in FUNCTIONS.values()}


def test_functions__omits_shows_what_is_left_out(tcpnotes):
    objects = tcpnotes("functions", "--omits", "--json").objects
    assert {o["name"]: tuple(o["omits"]) for o in objects} == {
        entry.name: entry.omits for entry in FUNCTIONS.values() if entry.omits
    }
    text = tcpnotes("functions", "--omits").out
    assert all("; ".join(o["omits"]) in text for o in objects)


def test_functions__one_by_name(tcpnotes):
    done = tcpnotes("functions", "tcp_fin")
    assert done.out.splitlines()[0] == "net/ipv4/tcp_input.c"
    assert done.out.splitlines()[-1].startswith("1 functions;")
    assert "`" not in done.out


# -- profiles ----------------------------------------------------------------------------------------------------


def test_profiles__what_each_does_and_where_it_is_written(tcpnotes):
    text = tcpnotes("profiles").out
    for behaviour in BEHAVIOURS:
        part = text[text.index(f"\n{behaviour.name}: {behaviour.sentence}") :]
        for profile in PROFILES.values():
            assert profile.sentence in text
            line = next(line for line in part.splitlines() if line.startswith(f"  {profile.name} "))
            assert line.endswith(getattr(profile, behaviour.name))
        assert f"from: {behaviour.source}" in part


def test_profiles__as_json(tcpnotes):
    objects = tcpnotes("profiles", "--json").objects
    kinds = [(o["kind"], o["name"]) for o in objects]
    assert kinds == [("profile", name) for name in PROFILES] + [("behaviour", b.name) for b in BEHAVIOURS]
    assert objects[0]["values"] == {b.name: getattr(PROFILES["source"], b.name) for b in BEHAVIOURS}


def test_profiles__the_page_is_what_the_command_prints(tcpnotes):
    page = (Path(__file__).parents[2] / "docs" / "profiles.md").read_text(encoding="utf-8")
    assert tcpnotes("profiles", "--markdown").out == page
