"""The live panel: settings in, another run and another stepper out."""

from __future__ import annotations

from typing import Any

import pytest
import runs

from tcpnotes.trace import Recorder
from tcpnotes.widgets import Panel


def _run(profile: str, linger: int | None, unread: int, unsent: int) -> Recorder:
    if unread > 1000:
        raise ValueError("That is more than fits.")
    return runs.unread_close() if unread else runs.lingering_close() if linger else runs.simultaneous_close()


def _panel(**kw: Any) -> Panel:
    return Panel(_run, title="What if?", **kw)


def test_change__runs_again() -> None:
    panel = _panel()
    assert "RST" not in panel.text
    panel.change(unread=100)
    assert "RST" in panel.text and "100 bytes unread" in panel.text


def test_change__what_cannot_be_leaves_the_old_run() -> None:
    panel = _panel(unread=100)
    before = panel.text
    panel.change(unread=5000)
    assert panel.problem == "That is more than fits." and panel.text == before


def test_unknown_setting_is_named() -> None:
    with pytest.raises(ValueError, match="no setting 'color'"):
        _panel(color=1)


def test_bundle__the_twin_needs_no_kernel() -> None:
    bundle = _panel()._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html"}
    assert bundle == _panel()._repr_mimebundle_()
    assert "tcpnotes-stepper" in bundle["text/html"]


def test_widgets__a_change_shows_another_stepper() -> None:
    pytest.importorskip("ipywidgets", reason="ipywidgets is not installed")
    pytest.importorskip("anywidget", reason="anywidget is not installed")
    panel = _panel()
    assert panel.box is not None
    (widget,) = panel.place.children
    widget.index = 3
    before = widget.data, widget.patch
    assert panel.seconds.disabled
    panel.linger.value = True
    assert not panel.seconds.disabled and panel.settings["linger"] == 5
    panel.seconds.value = 7
    assert "sleeps" in panel.text
    assert panel.place.children == (widget,) and (widget.data, widget.patch) != before and widget.index == 0
    widget.index = 2
    assert panel.stepper.index == 2
    panel.unread.value = 2000
    assert "more than fits" in panel.message.value
