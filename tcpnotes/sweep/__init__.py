"""The same scenario over a grid of losses, delays, linger times, settings, profiles and seeds: a row for each run."""

from tcpnotes.sweep.grid import Spec, SpecError, load_spec, spec_names
from tcpnotes.sweep.measure import Measures, measure
from tcpnotes.sweep.rows import read_rows, sweep

__all__ = ["Measures", "Spec", "SpecError", "load_spec", "measure", "read_rows", "spec_names", "sweep"]
