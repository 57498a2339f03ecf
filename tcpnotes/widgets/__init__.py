"""Interactive views: the stepper and the live panel.  The controller knows no widgets at all."""

from tcpnotes.widgets.chapter import Telling, closing, play, step
from tcpnotes.widgets.controller import Controller, choose_stops
from tcpnotes.widgets.panel import Panel
from tcpnotes.widgets.stepper import Stepper

__all__ = ["Controller", "Panel", "Stepper", "Telling", "choose_stops", "closing", "play", "step"]
