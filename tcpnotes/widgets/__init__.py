"""Interactive views: the stepper and the live panel.  The controller knows no widgets at all."""

from tcpnotes.widgets.assets import share
from tcpnotes.widgets.bars import progress
from tcpnotes.widgets.chapter import Telling, closing, play, row_of_closes, scene, step
from tcpnotes.widgets.controller import Controller, choose_stops
from tcpnotes.widgets.game import Game
from tcpnotes.widgets.marking import Verdict, check, check_kernel
from tcpnotes.widgets.panel import Panel
from tcpnotes.widgets.playground import Playground
from tcpnotes.widgets.prediction import Predict, predict
from tcpnotes.widgets.quiz import Quiz, QuizError
from tcpnotes.widgets.stepper import Stepper

__all__ = [
    "Controller", "Game", "Panel", "Playground", "Predict", "Quiz", "QuizError", "Stepper", "Telling", "Verdict",
    "check", "check_kernel", "choose_stops", "closing", "play", "predict", "progress", "row_of_closes",
    "scene", "share", "step",
]  # fmt: skip
