"""The stepper as a widget, where a kernel lives and anywidget is installed; None everywhere else."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import Any

from tcpnotes.widgets import assets
from tcpnotes.widgets.patch import patch

VIEW = "application/vnd.jupyter.widget-view+json"


def kernel_lives() -> bool:
    """True inside a running Jupyter kernel."""
    try:
        from IPython import get_ipython
    except ImportError:
        return False
    shell = get_ipython()  # type: ignore[no-untyped-call,unused-ignore]
    return shell is not None and getattr(shell, "kernel", None) is not None


@cache
def _widget_class() -> type[Any] | None:
    try:
        import anywidget
        import traitlets
    except ImportError:
        return None

    class StepperWidget(anywidget.AnyWidget):  # type: ignore[misc,unused-ignore]
        """The live twin of the custom element: the same script, with the index shared with Python.

        It shows ``data`` with the changes of ``patch``; both are JSON.
        """

        _esm = assets.widget_module()
        _css = assets.style()
        data = traitlets.Unicode("{}").tag(sync=True)
        patch = traitlets.Unicode("").tag(sync=True)
        index = traitlets.Int(0).tag(sync=True)

        def __repr__(self) -> str:
            return "StepperWidget()"

    return StepperWidget


def _json(data: Any) -> str:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))


def make_widget(data: Any, index: int, on_index: Callable[[int], object]) -> Any | None:
    """A widget that shows ``data``, or None when there is no anywidget.  ``data`` must not be changed afterwards."""
    cls = _widget_class()
    if cls is None:
        return None
    widget = cls(data=_json(data), index=index)
    widget.whole = data
    widget.observe(lambda change: on_index(change["new"]), names="index")
    return widget


def show(widget: Any, data: Any, index: int) -> None:
    """Let a widget show other ``data`` at step ``index``: what differs is sent, or all of it when that is shorter."""
    different = patch(widget.whole, data)
    changes = "" if different is None else _json(different)
    with widget.hold_sync():
        if len(changes) > len(widget.data) // 2:
            widget.whole, widget.data, widget.patch = data, _json(data), ""
        else:
            widget.patch = changes
        widget.index = index


def view_of(widget: Any) -> dict[str, Any]:
    """The mime entry that shows a widget."""
    return {"version_major": 2, "version_minor": 0, "model_id": widget.model_id}
