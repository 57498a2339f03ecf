"""Scenarios: small files that say what happens on two hosts, and the proof that every item of the source is shown."""

from tcpnotes.scenarios.loader import Scenario, ScenarioError, load, scenario_names
from tcpnotes.scenarios.run import Run, run

__all__ = ["Run", "Scenario", "ScenarioError", "load", "run", "scenario_names"]
